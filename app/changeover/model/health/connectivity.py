"""Is it me? Whether this computer is online, as witnesses that have nothing to do with any service say."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Literal

from msgspec import Struct

from changeover.model.health.local_fault import LocalFault, LocalFaultKind

#: So many witnesses must answer; where fewer are asked, all of them.
ENOUGH_WITNESSES = 2
#: The witness of the settings that stands for the router.
GATEWAY = "gateway"


class Connectivity(StrEnum):
    ONLINE = "online"
    OFFLINE = "offline"
    #: Somebody between here and the net answers instead, such as a hotel's login page.
    PORTAL = "captive portal"
    #: Nobody was asked.
    UNKNOWN = "not known"


EvidenceKind = Literal["tcp", "https", "gateway", "resolver", "doh", "portal", "interface"]


class Evidence(Struct, frozen=True, kw_only=True):
    """What one witness said. `ok` is None where it could not be asked.

    A "tcp" witness takes a connection; an "https" one also proves who it is. A "portal" that is not ok answered, but
    not with 204. `ahead`: this computer's clock, in seconds, before the clock of that witness. `addresses`: what a
    "resolver" or "doh" answered. A "gateway" that is none, since everything goes through an interface without a
    router, has the interface as `witness`. An "interface" that is not ok: no network leads to any witness.
    """

    kind: EvidenceKind
    witness: str
    ok: bool | None
    text: str
    ahead: float | None = None
    addresses: tuple[str, ...] = ()


class Connection(Struct, frozen=True, kw_only=True):
    """This computer's connection at one moment, what is wrong with it, and the evidence for that.

    `clock_ahead`: its clock, in seconds, before those of the witnesses; None where none told the time.
    """

    at: datetime
    link: Connectivity
    fault: LocalFault | None = None
    evidence: tuple[Evidence, ...] = ()
    clock_ahead: float | None = None

    @property
    def blind(self) -> bool:
        """Does what is seen from here say nothing about anybody else?"""
        return self.link in (Connectivity.OFFLINE, Connectivity.PORTAL)

    @property
    def dns_fails(self) -> bool:
        """Do its own resolvers not answer, or answer falsely, while DNS over HTTPS does?"""
        kinds = (LocalFaultKind.DNS_SILENT, LocalFaultKind.DNS_FALSE)
        return self.fault is not None and self.fault.kind in kinds


def judge(evidence: Sequence[Evidence], at: datetime) -> Connection:
    """What the evidence says about this computer's connection.

    It is online when at least two witnesses answer, or all where fewer were asked. A portal takes connections itself,
    so that it counts for more than these, but it cannot prove to be an https witness. Who could not be asked counts
    for nothing.
    """
    link = _link(evidence)
    return Connection(
        at=at,
        link=link,
        fault=_fault(link, evidence),
        evidence=tuple(evidence),
        clock_ahead=_middle(e.ahead for e in evidence if e.ahead is not None),
    )


def _tally(evidence: Iterable[Evidence]) -> tuple[int, int]:
    """How many witnesses answer, and how many were asked."""
    asked = [e.ok for e in evidence if e.kind in ("tcp", "https") and e.ok is not None]
    return sum(asked), len(asked)


def _said(evidence: Iterable[Evidence], kind: str) -> Evidence | None:
    return next((e for e in evidence if e.kind == kind), None)


def _link(evidence: Sequence[Evidence]) -> Connectivity:
    proven = any(e.kind == "https" and e.ok for e in evidence)
    if not proven and any(e.kind == "portal" and e.ok is False for e in evidence):
        return Connectivity.PORTAL
    answer, asked = _tally(evidence)
    if not asked:
        cut = any(e.kind == "interface" and e.ok is False for e in evidence)
        return Connectivity.OFFLINE if cut else Connectivity.UNKNOWN
    return Connectivity.ONLINE if answer >= min(ENOUGH_WITNESSES, asked) else Connectivity.OFFLINE


def _fault(link: Connectivity, evidence: Sequence[Evidence]) -> LocalFault | None:
    """What is wrong; where several things are, the widest of them."""
    match link:
        case Connectivity.OFFLINE:
            return _offline(evidence)
        case Connectivity.PORTAL:
            return LocalFault(kind=LocalFaultKind.PORTAL)
        case Connectivity.UNKNOWN:
            return _dns_fault(evidence) or LocalFault(kind=LocalFaultKind.NOT_ASKED)
        case Connectivity.ONLINE:
            return _dns_fault(evidence)


def _offline(evidence: Sequence[Evidence]) -> LocalFault:
    """From the nearest to the farthest thing that is missing."""
    interface, gateway = _said(evidence, "interface"), _said(evidence, "gateway")
    answering, asked = _tally(evidence)
    subject = ""
    if not answering and interface is not None and interface.ok is False:
        kind = LocalFaultKind.NO_NETWORK
    elif answering:
        kind = LocalFaultKind.FEW_WITNESSES
    elif gateway is None or (gateway.ok is None and gateway.witness == GATEWAY):
        kind = LocalFaultKind.WITNESSES_SILENT
    elif gateway.ok is None:
        kind, subject = LocalFaultKind.TUNNEL, gateway.witness
    else:
        kind = LocalFaultKind.BEYOND_ROUTER if gateway.ok else LocalFaultKind.ROUTER_SILENT
    return LocalFault(kind=kind, subject=subject, answering=answering, asked=asked)


def _dns_fault(evidence: Sequence[Evidence]) -> LocalFault | None:
    """What is wrong with this computer's own DNS; None where DNS over HTTPS does not show that anything is."""
    asked = [e for e in evidence if e.kind == "resolver" and e.ok is not None]
    secure = [e for e in evidence if e.kind == "doh" and e.ok]
    if not asked or not secure:
        return None
    answered = [e for e in asked if e.ok]
    if not answered:
        return LocalFault(kind=LocalFaultKind.DNS_SILENT)
    right = next((a for e in secure for a in e.addresses if _public(a)), None)
    if right is None or any(_public(a) for e in answered for a in e.addresses):
        return None
    wrong = next((a for e in answered for a in e.addresses), "")
    return LocalFault(kind=LocalFaultKind.DNS_FALSE, subject=wrong, right=right)


def _public(address: str) -> bool:
    return ipaddress.ip_address(address).is_global


def _middle(values: Iterable[float]) -> float | None:
    """The median; of two in the middle, the one that speaks for less."""
    ordered = sorted(values)
    if not ordered:
        return None
    half = len(ordered) // 2
    return min(ordered[(len(ordered) - 1) // 2], ordered[half], key=abs)
