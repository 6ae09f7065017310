"""The platforms that can be steered, one module each. A new one is registered here, in one line."""

from __future__ import annotations

import importlib

from changeover.platforms.platform import PlatformType

#: By the name that the settings file uses. Modules are imported when first needed: each brings its own libraries.
PLATFORMS = {
    "cloudfoundry": "changeover.platforms.cloudfoundry",
    "heroku": "changeover.platforms.heroku",
    "lab": "changeover.platforms.lab",
}


def platform_type(name: str) -> PlatformType:
    """The platform of that name. KeyError where there is none: "url" is any address, with nothing to steer."""
    platform: PlatformType = importlib.import_module(PLATFORMS[name]).PLATFORM
    return platform
