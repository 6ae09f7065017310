"""Which deployment visitors are sent to, decided from live answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from changeover.model.dns.records import AddressSet, same_answer

MIXED = "mixed"
ELSEWHERE = "elsewhere"
UNKNOWN = "unknown"


#: What may be active at one place: deployments (several, where their answers are the same there), or one of the words.
Candidates = frozenset[str]


def candidates(live: AddressSet, wanted: Mapping[str, AddressSet], otherwise: str = ELSEWHERE) -> Candidates:
    """The deployments whose address set (`wanted`, by deployment) is the one that stands at a name.

    `otherwise` stands for a set that is none of theirs.
    """
    return frozenset(name for name, answer in wanted.items() if same_answer(live, answer)) or frozenset({otherwise})


def active_deployment(places: Iterable[Candidates]) -> str:
    """The active deployment of a service from what may be active at each place that answers for its hostnames.

    The one that fits everywhere. Anything not known: *unknown*, since a part that nobody can see may be anywhere, and
    so where several fit everywhere. Else *mixed*.
    """
    found = set(places)
    if not found or any(UNKNOWN in place for place in found):
        return UNKNOWN
    everywhere = frozenset.intersection(*found)
    if len(everywhere) > 1:
        return UNKNOWN
    return next(iter(everywhere), MIXED)


def shared(places: Iterable[Candidates]) -> tuple[str, ...]:
    """The deployments that fit everywhere, where there are several: nobody can tell from records which one it is."""
    found = set(places)
    everywhere = frozenset.intersection(*found) if found else frozenset()
    return tuple(sorted(everywhere)) if len(everywhere) > 1 else ()
