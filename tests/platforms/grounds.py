"""Every platform, by the name that the settings file uses, and what it runs on. A new one adds its ground here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from platforms.cloudfoundry_ground import CloudFoundryGround
from platforms.ground import PlatformGround
from platforms.heroku_ground import HerokuGround
from platforms.lab_ground import LabGround

GROUNDS: dict[str, Callable[[Path], PlatformGround]] = {
    "heroku": HerokuGround,
    "cloudfoundry": CloudFoundryGround,
    "lab": LabGround,
}
