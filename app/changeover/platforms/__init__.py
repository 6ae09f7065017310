"""The platforms that can be steered, one module each. A new one is registered here, in one line."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from changeover.platforms.platform import Platform

#: By the name that the settings file uses, the module whose PLATFORM it is; imported when first needed. What each can
#: be asked for stands in model/settings/platform.py, where the settings look it up. "url" has none.
PLATFORMS: Mapping[str, str] = {}


def platform_of(name: str) -> Platform | None:
    """The platform of that name; None for one that cannot be steered."""
    if name not in PLATFORMS:
        return None
    platform: Platform = importlib.import_module(PLATFORMS[name]).PLATFORM
    return platform
