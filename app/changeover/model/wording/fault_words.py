"""What is at fault, in words: this computer, a certificate, a routing name. The only words below findings."""

from __future__ import annotations

from collections.abc import Sequence

from changeover.model.formatting import counted, duration
from changeover.model.health.certificate import CertificateFault, CertificateFaultKind
from changeover.model.health.connectivity import Connection, Connectivity
from changeover.model.health.local_fault import LocalFault, LocalFaultKind
from changeover.model.health.probe_result import DeadName

#: A clock that is off by more seconds than this is told about: certificates and signed requests begin to fail.
CLOCK_OFF = 60.0


def connection_words(connection: Connection) -> str:
    """This computer's connection in a sentence or two."""
    fault, offline = connection.fault, connection.link is Connectivity.OFFLINE
    if fault is None:
        return f"This computer is {'offline' if offline else 'online'}."
    return f"This computer is offline: {local_fault_words(fault)}" if offline else local_fault_words(fault)


def local_fault_words(fault: LocalFault) -> str:
    """What is wrong with this computer; where it is offline, as the rest of a sentence that says so."""
    kinds = LocalFaultKind
    match fault.kind:
        case kinds.NO_NETWORK:
            return "no network leads out of it. Check the cable or the Wi-Fi."
        case kinds.FEW_WITNESSES:
            answer = "answers" if fault.answering == 1 else "answer"
            return f"only {fault.answering} of {fault.asked} witnesses {answer}."
        case kinds.BEYOND_ROUTER:
            return "the router answers, but nothing beyond it does."
        case kinds.TUNNEL:
            return f"{_silent(fault)}, and everything goes through {fault.subject}. Check the VPN."
        case kinds.ROUTER_SILENT:
            return f"{_silent(fault)}, and its router does not either."
        case kinds.WITNESSES_SILENT:
            return f"{_silent(fault)}."
        case kinds.PORTAL:
            return "A login page stands between this computer and the internet. Open a browser and log in."
        case kinds.NOT_ASKED:
            return "Whether this computer is online is not known: no witness could be asked."
        case kinds.ONLY_A_DEPLOYMENT:
            return (
                f"No witness answers, but {fault.subject} does, so this computer is online. "
                "Look at the settings' witnesses."
            )
        case kinds.DNS_SILENT:
            return "This computer's own DNS does not answer; DNS over HTTPS does. Check the resolver or the VPN."
        case kinds.DNS_FALSE:
            return (
                f"This computer's own DNS answers falsely: {fault.subject or 'nothing'} where DNS over HTTPS gives "
                f"{fault.right}. Check the resolver or the VPN."
            )


def _silent(fault: LocalFault) -> str:
    return f"none of {fault.asked} witnesses answers" if fault.asked > 1 else "its only witness does not answer"


def clock_words(ahead: float | None) -> str | None:
    """A sentence about a clock that is `ahead` seconds before the others'; None where it is right or nobody knows."""
    if ahead is None or abs(ahead) <= CLOCK_OFF:
        return None
    off = duration(round(abs(ahead) / 60) * 60)
    which = "ahead" if ahead > 0 else "behind"
    return f"This computer's clock is {off} {which}; set it, or certificates and signed requests will be refused."


def certificate_words(faults: Sequence[CertificateFault]) -> str:
    """Everything that is wrong with a certificate, as a part of a sentence."""
    return "; ".join(map(_certificate_fault, faults))


def _certificate_fault(fault: CertificateFault) -> str:
    kinds = CertificateFaultKind
    issuer = f" (issuer: {fault.subject})" if fault.subject else ""
    match fault.kind:
        case kinds.CHAIN:
            return f"the chain is incomplete or its authority is not trusted{issuer}"
        case kinds.CHAIN_EXPIRED:
            return f"a certificate of an authority in its chain has expired{issuer}"
        case kinds.CHAIN_NOT_YET_VALID:
            return f"a certificate of an authority in its chain is not valid yet{issuer}"
        case kinds.OUT_OF_BOUNDS:
            return f"its authority may issue none for {fault.hostname}{issuer}"
        case kinds.REFUSED:
            return f"{fault.message}{issuer}"
        case kinds.STAGING:
            return f'it comes from a staging authority, "{fault.subject}", which browsers do not trust'
        case kinds.SELF_SIGNED:
            return "it is self-signed"
        case kinds.MACHINES_OWN:
            return "it is self-signed, made for the machine when the web server was installed"
        case kinds.PLATFORMS_OWN:
            return f"it is {fault.subject}'s own ({_names(fault.names)}), not one for {fault.hostname}"
        case kinds.EXPIRED:
            return f"it expired {duration(fault.seconds)} ago"
        case kinds.NOT_YET_VALID:
            return f"it is not valid before {fault.since:%Y-%m-%d %H:%M} UTC"
        case kinds.COMMON_NAME:
            return f"{fault.names[0]} is only its common name, which browsers do not look at: it needs a DNS name"
        case kinds.OTHER_NAMES:
            return f"it is for {_names(fault.names)}, not for {fault.hostname}"


def _names(names: Sequence[str]) -> str:
    """The first name and how many more there are."""
    if not names:
        return "no name"
    more = len(names) - 1
    return names[0] + (f" and {counted(more, 'other name')}" if more else "")


def dead_name_words(fault: DeadName, target: str) -> str:
    """A routing name that leads nowhere, as the reason why a probe failed."""
    if fault.own_servers:
        return f"{target} has no address at the resolver, though its own name servers give one{app_words(fault)}"
    return f"{target} has no address: the routing name is dead{app_words(fault)}"


def untried_words(why: str) -> str:
    """That a probe could not be tried, and why, as its reason."""
    return f"not checked: {why}"


def app_words(fault: DeadName) -> str:
    """What is known of the app behind a dead name, as the end of a sentence."""
    if fault.alive_at:
        return f"; the app still answers at {fault.alive_at}"
    if fault.silent_at:
        return f", and the app does not answer at {fault.silent_at} either ({fault.silence})"
    return ", the app may be alive"
