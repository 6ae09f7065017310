"""Is it me? Whether this computer is online, as witnesses that have nothing to do with any service say."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Literal

from msgspec import Struct

from changeover.model.formatting import duration

#: So many witnesses must answer; where fewer are asked, all of them.
ENOUGH_WITNESSES = 2
#: A clock that is off by more seconds than this is told about: certificates and signed requests begin to fail.
CLOCK_OFF = 60.0
#: The witness of the settings that stands for the router.
GATEWAY = "gateway"


class Connectivity(StrEnum):
    ONLINE = "online"
    OFFLINE = "offline"
    #: Somebody between here and the net answers instead, such as a hotel's login page.
    PORTAL = "captive portal"
    #: Nobody was asked.
    UNKNOWN = "not known"


class Evidence(Struct, frozen=True, kw_only=True):
    """What one witness said. `ok` is None where it could not be asked.

    A "tcp" witness takes a connection; an "https" one also proves who it is. A "portal" that is not ok answered, but
    not with 204. `ahead`: this computer's clock, in seconds, before the clock of that witness. `addresses`: what a
    "resolver" or "doh" answered. A "gateway" that is none, since everything goes through an interface without a
    router, has the interface as `witness`. An "interface" that is not ok: no network leads to any witness.
    """

    kind: Literal["tcp", "https", "gateway", "resolver", "doh", "portal", "interface"]
    witness: str
    ok: bool | None
    text: str
    ahead: float | None = None
    addresses: tuple[str, ...] = ()


class Connection(Struct, frozen=True, kw_only=True):
    """This computer's connection at one moment, in a sentence, with the evidence for it.

    `dns_fails`: its own resolvers do not answer, or answer falsely, while DNS over HTTPS does. `clock_ahead`: its
    clock, in seconds, before those of the witnesses; None where none told the time.
    """

    at: datetime
    link: Connectivity
    text: str
    evidence: tuple[Evidence, ...] = ()
    dns_fails: bool = False
    clock_ahead: float | None = None

    @property
    def blind(self) -> bool:
        """Does what is seen from here say nothing about anybody else?"""
        return self.link in (Connectivity.OFFLINE, Connectivity.PORTAL)


def judge(evidence: Sequence[Evidence], at: datetime) -> Connection:
    """What the evidence says about this computer's connection.

    It is online when at least two witnesses answer, or all where fewer were asked. A portal takes connections itself,
    so that it counts for more than these, but it cannot prove to be an https witness. Who could not be asked counts
    for nothing.
    """
    dns = _dns_text(evidence)
    link = _link(evidence)
    return Connection(
        at=at,
        link=link,
        text=dns if dns and link is Connectivity.ONLINE else _text(link, evidence),
        evidence=tuple(evidence),
        dns_fails=dns is not None,
        clock_ahead=_middle(e.ahead for e in evidence if e.ahead is not None),
    )


def clock_words(ahead: float | None) -> str | None:
    """A sentence about a clock that is `ahead` seconds before the others'; None where it is right or nobody knows."""
    if ahead is None or abs(ahead) <= CLOCK_OFF:
        return None
    off = duration(round(abs(ahead) / 60) * 60)
    which = "ahead" if ahead > 0 else "behind"
    return f"This computer's clock is {off} {which}; set it, or certificates and signed requests will be refused."


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


def _text(link: Connectivity, evidence: Sequence[Evidence]) -> str:
    match link:
        case Connectivity.ONLINE:
            return "This computer is online."
        case Connectivity.PORTAL:
            return "A login page stands between this computer and the internet. Open a browser and log in."
        case Connectivity.UNKNOWN:
            return "Whether this computer is online is not known: no witness could be asked."
        case Connectivity.OFFLINE:
            return f"This computer is offline: {_offline(evidence)}"


def _offline(evidence: Sequence[Evidence]) -> str:
    """The rest of the sentence, from the nearest to the farthest thing that is missing."""
    interface, gateway = _said(evidence, "interface"), _said(evidence, "gateway")
    answer, asked = _tally(evidence)
    if not answer and interface is not None and interface.ok is False:
        return "no network leads out of it. Check the cable or the Wi-Fi."
    if answer:
        return f"only {answer} of {asked} witnesses {'answers' if answer == 1 else 'answer'}."
    if gateway is not None and gateway.ok:
        return "the router answers, but nothing beyond it does."
    silent = f"none of {asked} witnesses answers" if asked > 1 else "its only witness does not answer"
    if gateway is None or (gateway.ok is None and gateway.witness == GATEWAY):
        return f"{silent}."
    if gateway.ok is None:
        return f"{silent}, and everything goes through {gateway.witness}. Check the VPN."
    return f"{silent}, and its router does not either."


def _dns_text(evidence: Sequence[Evidence]) -> str | None:
    """What is wrong with this computer's own DNS; None where DNS over HTTPS does not show that anything is."""
    asked = [e for e in evidence if e.kind == "resolver" and e.ok is not None]
    secure = [e for e in evidence if e.kind == "doh" and e.ok]
    if not asked or not secure:
        return None
    answered = [e for e in asked if e.ok]
    if not answered:
        return "This computer's own DNS does not answer; DNS over HTTPS does. Check the resolver or the VPN."
    right = next((a for e in secure for a in e.addresses if _public(a)), None)
    if right is None or any(_public(a) for e in answered for a in e.addresses):
        return None
    wrong = next((a for e in answered for a in e.addresses), "nothing")
    return (
        f"This computer's own DNS answers falsely: {wrong} where DNS over HTTPS gives {right}. "
        "Check the resolver or the VPN."
    )


def _public(address: str) -> bool:
    return ipaddress.ip_address(address).is_global


def _middle(values: Iterable[float]) -> float | None:
    """The median; of two in the middle, the one that speaks for less."""
    ordered = sorted(values)
    if not ordered:
        return None
    half = len(ordered) // 2
    return min(ordered[(len(ordered) - 1) // 2], ordered[half], key=abs)
