"""The practice ground's platform as a member of the suite: its real API, behind a port that can go wrong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h11

from changeover.lab.app import AppSettings, LabApp
from changeover.lab.control import Control
from changeover.model.settings.action import Verb
from changeover.platforms import lab
from changeover.platforms.lab import LabPlatform, LabTarget
from changeover.platforms.platform import Platform
from dns_servers.http_simulator import Answer, HttpSimulator
from platforms.ground import PATIENCE, PlatformGround


class LabApi(HttpSimulator):
    """The practice ground's control API, in a thread of its own."""

    def __init__(self, apps: Mapping[str, LabApp]) -> None:
        super().__init__()
        self._control = Control(apps)

    def _answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        request = h11.Request(method=method, target=target, headers=[("Host", "127.0.0.1")])
        answer = self._control.response(request, body)
        return Answer(answer.status, [("Content-Type", answer.kind)], answer.content)


class LabGround(PlatformGround):
    """Both apps, in a folder."""

    kind = lab.PLATFORM
    target = LabTarget(app="primary")
    nowhere = LabTarget(app="nothing")
    names = ("backup", "primary")
    refused = ("scale", lab.ScaleOptions(instances=5000))

    def __init__(self, folder: Path) -> None:
        self.apps = {name: LabApp(name, folder, ("www.shop.example",)) for name in self.names}
        self.behind = LabApi(self.apps)

    def open(self, endpoint: str, patience: float = PATIENCE) -> Platform:
        return LabPlatform("lab-me", endpoint, patience)

    def options(self, verb: Verb, number: int) -> Any:
        return lab.ScaleOptions(instances=number) if verb == "scale" else None

    def world(self) -> object:
        return {name: app.settings for name, app in self.apps.items()}

    def stands(self, verb: Verb, number: int) -> bool:
        settings = self.apps["primary"].settings
        return {
            "maintenance-on": settings.maintenance,
            "maintenance-off": not settings.maintenance,
            "scale": settings.instances == number,
        }[verb]

    def begin(self, number: int, maintenance: bool) -> None:
        self.apps["primary"].set(AppSettings(instances=number, maintenance=maintenance))
