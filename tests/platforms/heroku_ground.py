"""Heroku as a member of the suite, on its simulator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec.structs import replace

from changeover.model.platforms.platform_observation import PlatformObservation
from changeover.model.secret import Secret
from changeover.model.settings.action import Verb
from changeover.model.settings.platform import HostnameOptions, ProcessScaleOptions
from changeover.platforms import heroku
from changeover.platforms.heroku.declaration import DatabaseOptions, HerokuTarget, ReleaseOptions
from changeover.platforms.heroku.heroku import Heroku
from changeover.platforms.platform import Platform
from platforms.ground import PATIENCE, PlatformGround
from platforms.heroku_simulator import TOKEN, HerokuApp, HerokuSimulator

WWW, NEW = "www.shop.example", "new.shop.example"


class HerokuGround(PlatformGround):
    """An app with a database and a follower."""

    kind = heroku.PLATFORM
    target = HerokuTarget(app="shop-prod")
    nowhere = HerokuTarget(app="nothing")
    names = ("shop-old", "shop-prod")
    refused = ("scale", ProcessScaleOptions(instances=5000))

    def __init__(self, folder: Path) -> None:
        self.behind = HerokuSimulator()
        self.begin(1, maintenance=False)

    def open(self, endpoint: str, patience: float = PATIENCE) -> Platform:
        return Heroku("heroku-me", endpoint, Secret(TOKEN), patience)

    @property
    def app(self) -> HerokuApp:
        found: HerokuApp = self.behind.apps["shop-prod"]  # type: ignore[attr-defined]
        return found

    def options(self, verb: Verb, number: int) -> Any:
        match verb:
            case "scale":
                return ProcessScaleOptions(instances=number)
            case "attach-domain":
                return HostnameOptions(hostname=NEW)
            case "detach-domain":
                return HostnameOptions(hostname=WWW)
            case "rollback":
                return ReleaseOptions(release="v40")
            case "promote":
                return DatabaseOptions(database="postgresql-follower")
        return None

    def requests(self, verb: Verb) -> int:
        return 2 if verb == "promote" else 1

    def told(self, seen: PlatformObservation) -> PlatformObservation:
        """A rollback is a release of its own, with which all is read again."""
        return replace(seen, release="", domains=(), seldom_at=None)

    def world(self) -> object:
        return self.app.state()

    def stands(self, verb: Verb, number: int) -> bool:
        app = self.app
        return {
            "maintenance-on": app.maintenance,
            "maintenance-off": not app.maintenance,
            "scale": app.formation["web"]["quantity"] == number,
            "restart": app.restarts > 0,
            "attach-domain": NEW in app.domains,
            "detach-domain": WWW not in app.domains,
            "enable-certificates": app.acm,
            "disable-certificates": not app.acm,
            "rollback": app.slugs[app.releases[-1]["slug"]["id"]] == f"{40:040x}",
            "promote": not any(one["follows"] for one in app.databases.values()) and "DATABASE" in app.attachments,
        }[verb]

    def begin(self, number: int, maintenance: bool) -> None:
        app = self.behind.apps["shop-prod"] = HerokuApp("shop-prod")  # type: ignore[attr-defined]
        app.maintenance = app.acm = maintenance
        app.formation["web"]["quantity"] = number
        app.attach(WWW)
        app.add_database("postgresql-leader")
        app.add_database("postgresql-follower", follows="HEROKU_POSTGRESQL_LEADER_URL", behind="12 commits")
