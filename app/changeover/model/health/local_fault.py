"""What is wrong with this computer, so that what it sees says little or nothing of anybody else."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class LocalFaultKind(StrEnum):
    """Of an offline computer the nearest thing that is missing, then what stands in between, then its DNS."""

    NO_NETWORK = "no network"
    #: Some witnesses answer, but too few.
    FEW_WITNESSES = "few witnesses"
    #: The router answers, and nothing beyond it.
    BEYOND_ROUTER = "beyond the router"
    ROUTER_SILENT = "router silent"
    #: Everything goes through the interface `subject`, which has no router.
    TUNNEL = "tunnel"
    WITNESSES_SILENT = "witnesses silent"
    #: A login page answers for everybody.
    PORTAL = "portal"
    #: No witness could be asked.
    NOT_ASKED = "not asked"
    #: No witness answers, but the deployment `subject` does.
    ONLY_A_DEPLOYMENT = "only a deployment"
    #: Its own resolvers are silent, while DNS over HTTPS answers.
    DNS_SILENT = "DNS silent"
    #: Its own resolvers give `subject` where DNS over HTTPS gives `right`.
    DNS_FALSE = "DNS false"


class LocalFault(Struct, frozen=True, kw_only=True):
    """One fault of this computer. `answering` of `asked` witnesses answer."""

    kind: LocalFaultKind
    subject: str = ""
    right: str = ""
    answering: int = 0
    asked: int = 0
