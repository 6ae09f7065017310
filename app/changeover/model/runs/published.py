"""What is published for each hostname now, and what was before the last run changed it."""

from __future__ import annotations

from collections.abc import Sequence

from changeover.model.dns.observed import ServerAnswer
from changeover.model.dns.propagation import Published
from changeover.model.dns.records import AddressSet, same_answer
from changeover.model.runs.run import Run


def published(answers: Sequence[ServerAnswer], run: Run | None = None) -> dict[str, Published]:
    """By hostname, what the authoritative servers give; `run` is the service's newest, which may have changed it.

    Hostnames that no server answers for are left out.
    """
    found = {}
    for hostname in dict.fromkeys(answer.hostname for answer in answers):
        said = [a.records for a in answers if a.hostname == hostname and a.error is None and a.checked]
        if not said:
            continue
        different: list[AddressSet] = []
        for records in said:
            if not any(same_answer(records, other) for other in different):
                different.append(records)
        changed = [c for c in run.plan.changes if c.name == hostname] if run is not None else []
        found[hostname] = Published(
            answers=tuple(different),
            ttl=max((r.ttl for records in said for r in records), default=0),
            before=max((r.ttl for c in changed for r in c.before), default=None),
            since=run.ended if run is not None and changed else None,
        )
    return found
