"""What runs of a deployment, as its platform says, and how what was done to it is taken back."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from changeover.model.settings.action import PlatformCall


class PlatformObservation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What runs of one deployment. Each is None, or empty, where the platform has no such thing or does not tell.

    `wanted` and `running` are numbers of instances: those that it should have, and those that run. Journals hold
    these, so that fields are only added.
    """

    wanted: int | None = None
    running: int | None = None
    release: str = ""
    maintenance: bool | None = None
    hostnames: tuple[str, ...] = ()


def reverse_of(call: PlatformCall, before: PlatformObservation | None) -> PlatformCall | None:
    """What puts back what stood before `call`; None where nothing does, or where it changed nothing.

    A promotion is taken back by promoting the other one, which is a switch of its own; an emptied cache fills by
    itself.
    """
    if before is None:
        return None
    match call.verb:
        case "maintenance-on":
            return replace(call, verb="maintenance-off") if before.maintenance is False else None
        case "maintenance-off":
            return replace(call, verb="maintenance-on") if before.maintenance is True else None
        case "scale":
            if before.wanted is None or before.wanted == call.options.get("instances"):
                return None
            return replace(call, options={**call.options, "instances": before.wanted})
        case "promote" | "purge-cache":
            return None
