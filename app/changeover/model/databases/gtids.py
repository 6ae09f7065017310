"""Which transactions a server has, by their global ids (GTIDs), as MySQL and MariaDB write them.

https://dev.mysql.com/doc/refman/8.4/en/replication-gtids-concepts.html, https://mariadb.com/kb/en/gtid/
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Literal

from msgspec import Struct

MOST = 1_000_000  # characters of a set that are read; a server that has run for years has a few thousand

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TAG = re.compile(r"[a-z_][a-z0-9_]{0,31}")
_RANGE = re.compile(r"([0-9]{1,19})(?:-([0-9]{1,19}))?")
_GTID = re.compile(r"([0-9]{1,10})-([0-9]{1,10})-([0-9]{1,20})")

_Ranges = tuple[tuple[int, int], ...]


class Gtids(Struct, frozen=True, kw_only=True):
    """Ranges of numbers, both ends in, by who gave them; those of each are in order and do not touch.

    At MySQL that is the "uuid" of a server, from 8.3 on also "uuid:tag". At MariaDB it is "domain-server", with one
    range from 1 to the last number: of a domain all servers count on from the last number, so one range does not say
    which of the numbers are whose. That holds with `gtid_strict_mode`, and where nobody writes to a standby.
    """

    kind: Literal["mysql", "mariadb"]
    ranges: dict[str, _Ranges]

    def beyond(self, other: Gtids) -> Gtids:
        """Those that `other` lacks."""
        left = {source: _without(ranges, other.ranges.get(source, ())) for source, ranges in self.ranges.items()}
        return Gtids(kind=self.kind, ranges={source: ranges for source, ranges in left.items() if ranges})

    def as_far_as(self, other: Gtids, server: str) -> Gtids:
        """Without those that `server` itself gave and `other` lacks: what it wrote since `other` was read."""
        since = self.beyond(other).ranges
        left = {
            source: _without(ranges, since.get(source, ())) if self._giver(source) == server else ranges
            for source, ranges in self.ranges.items()
        }
        return Gtids(kind=self.kind, ranges={source: ranges for source, ranges in left.items() if ranges})

    def _giver(self, source: str) -> str:
        """The server whose numbers they are."""
        return source.partition(":")[0] if self.kind == "mysql" else source.partition("-")[2]

    def lead(self, other: Gtids) -> int:
        """How many `other` lacks. A domain of MariaDB that is behind is not taken off from one that is ahead."""
        if self.kind == "mysql":
            return sum(last - first + 1 for ranges in self.beyond(other).ranges.values() for first, last in ranges)
        theirs = _domains(other)
        return sum(max(0, number - theirs.get(domain, 0)) for domain, number in _domains(self).items())

    def related(self, other: Gtids) -> bool:
        """Does any server stand in both? MariaDB's have small numbers, so that strangers may seem to be related."""
        return not _servers(self).isdisjoint(_servers(other))

    def __str__(self) -> str:
        if self.kind == "mysql":
            return ",".join(":".join([source, *map(_range, ranges)]) for source, ranges in self.ranges.items())
        return ",".join(
            f"{source}-{last}" if first in (1, last) else f"{source}-{first} to {source}-{last}"
            for source, ranges in self.ranges.items()
            for first, last in ranges
        )


def mysql_gtids(text: str) -> Gtids:
    """Reads what `gtid_executed` says: "uuid:1-5:7,uuid:tag:1-3". Raises ValueError where it is none."""
    found: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for part in _parts(text.lower()):
        server, *words = part.split(":")
        if not _UUID.fullmatch(server) or not words:
            raise ValueError("not a set of GTIDs")
        source = server
        for word in words:
            if _TAG.fullmatch(word):
                source = f"{server}:{word}"  # for all numbers up to the next one
            elif numbers := _RANGE.fullmatch(word):
                first = int(numbers[1])
                last = int(numbers[2] or first)
                if not 0 < first <= last < 2**63:
                    raise ValueError("not a set of GTIDs")
                found[source].append((first, last))
            else:
                raise ValueError("not a set of GTIDs")
    return Gtids(kind="mysql", ranges={source: _joined(found[source]) for source in sorted(found)})


def mariadb_gtids(*texts: str) -> Gtids:
    """Reads what `gtid_binlog_state` and its like say, taken together: "0-1-100,1-2-5". Raises ValueError."""
    found: dict[str, int] = {}
    for part in (part for text in texts for part in _parts(text)):
        gtid = _GTID.fullmatch(part)
        if not gtid:
            raise ValueError("not a list of GTIDs")
        domain, server, number = map(int, gtid.groups())
        if max(domain, server) >= 2**32 or number >= 2**64:
            raise ValueError("not a list of GTIDs")
        source = f"{domain}-{server}"
        found[source] = max(number, found.get(source, 0))
    return Gtids(kind="mariadb", ranges={source: ((1, found[source]),) for source in sorted(found) if found[source]})


def _parts(text: str) -> list[str]:
    if len(text) > MOST:
        raise ValueError(f"more than {MOST} characters of GTIDs")
    return [part.strip() for part in text.split(",") if part.strip()]


def _range(ends: tuple[int, int]) -> str:
    first, last = ends
    return str(first) if first == last else f"{first}-{last}"


def _joined(ranges: list[tuple[int, int]]) -> _Ranges:
    joined: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return tuple(joined)


def _without(ranges: _Ranges, others: _Ranges) -> _Ranges:
    left: list[tuple[int, int]] = []
    at = 0
    for first, last in ranges:
        while at < len(others) and others[at][0] <= last:
            if first < others[at][0]:
                left.append((first, others[at][0] - 1))
            first = max(first, others[at][1] + 1)
            if others[at][1] > last:
                break  # it may reach into the next range as well
            at += 1
        if first <= last:
            left.append((first, last))
    return tuple(left)


def _servers(gtids: Gtids) -> set[str]:
    return {source.partition(":")[0] for source in gtids.ranges}


def _domains(gtids: Gtids) -> dict[str, int]:
    """The last number of each domain."""
    last: dict[str, int] = {}
    for source, ranges in gtids.ranges.items():
        domain = source.partition("-")[0]
        last[domain] = max(last.get(domain, 0), ranges[-1][1])
    return last
