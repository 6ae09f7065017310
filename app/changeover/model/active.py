"""Which deployment visitors are sent to, decided from live answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from changeover.model.records import AddressSet, same_answer

MIXED = "mixed"
ELSEWHERE = "elsewhere"
UNKNOWN = "unknown"


def deployment_at(live: AddressSet, wanted: Mapping[str, AddressSet]) -> str:
    """The deployment whose address set (`wanted`, by deployment) is the one that stands at a name, or *elsewhere*."""
    return next((name for name, answer in wanted.items() if same_answer(live, answer)), ELSEWHERE)


def active_deployment(at_hostnames: Iterable[str]) -> str:
    """The active deployment of a service from what is active at each place that answers for its hostnames.

    Each item is a deployment's name, *elsewhere* or *unknown*. All the same: that one. Anything not known: *unknown*,
    since a part that nobody can see may be anywhere. Else *mixed*.
    """
    found = set(at_hostnames)
    if not found or UNKNOWN in found:
        return UNKNOWN
    return found.pop() if len(found) == 1 else MIXED
