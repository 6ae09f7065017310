"""Cloud Foundry as a member of the suite: simulated, with its login server on a port of its own.

What an operation finds at its beginning follows the number: with 0 the app is stopped, and with an odd one the hostname
that is attached and detached leads to it already.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from changeover.model.secret import Secret
from changeover.model.settings.action import Verb
from changeover.model.settings.platform import HostnameOptions, ProcessScaleOptions
from changeover.platforms import cloudfoundry
from changeover.platforms.cloudfoundry.declaration import CloudFoundryOptions, CloudFoundryTarget
from changeover.platforms.cloudfoundry.foundation import CloudFoundry
from platforms.cloudfoundry_simulator import CloudFoundrySimulator
from platforms.ground import PATIENCE, PlatformGround
from platforms.uaa_simulator import UaaSimulator

SECRET = Secret("a-client-secret")
HOSTNAME = "www.shop.example"


class CloudFoundryGround(PlatformGround):
    """One foundation with an app, the page that stands for it in maintenance, and a worker beside."""

    kind = cloudfoundry.PLATFORM
    target = CloudFoundryTarget(organization="shop", space="production", app="shop-web", maintenance_app="shop-sorry")
    nowhere = CloudFoundryTarget(organization="shop", space="production", app="nothing", maintenance_app="shop-sorry")
    names = ("shop / production / shop-sorry", "shop / production / shop-web")
    refused = ("scale", ProcessScaleOptions(instances=5000))

    def __init__(self, folder: Path | None = None) -> None:
        self.uaa = UaaSimulator()
        self.behind = self.simulator = made = CloudFoundrySimulator(self.uaa)
        self.organization = made.add_organization("shop", memory=8192, instances=100)
        self.space = made.add_space("production", self.organization, memory=4096)
        self.domain = apps = made.add_domain("apps.cf.example")
        shop = made.add_domain("shop.example", self.organization)
        self.app = made.add_app("shop-web", self.space, commit="4f4f592")
        self.page = made.add_app("shop-sorry", self.space, memory=32)
        self.worker = made.add_process(self.app, "worker", 1)
        self.usual = made.add_route("shop-web", apps, self.space, [(self.app, "web")])
        self.route = made.add_route("www", shop, self.space)
        self.deployed = 0

    def __enter__(self) -> Self:
        self.uaa.__enter__()
        return super().__enter__()

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self.uaa.stop()

    def open(self, endpoint: str, patience: float = PATIENCE) -> CloudFoundry:
        options = CloudFoundryOptions(endpoint=endpoint, login="client", client="changeover", uaa=self.uaa.address)
        return CloudFoundry("cf-me", options, {"client_secret": SECRET}, patience)

    def options(self, verb: Verb, number: int) -> Any:
        if verb == "scale":
            return ProcessScaleOptions(instances=number)
        return HostnameOptions(hostname=HOSTNAME) if verb in ("attach-domain", "detach-domain") else None

    def world(self) -> object:
        apps = {guid: one["name"] for guid, one in self.simulator.apps.items()}
        return (
            {one["name"]: one["state"] for one in self.simulator.apps.values()},
            {
                (apps[one["relationships"]["app"]["data"]["guid"]], one["type"]): one["instances"]
                for one in self.simulator.processes.values()
            },
            {one["url"]: self._led(one["destinations"]) for one in self.simulator.routes.values()},
            len(self.simulator.deployments),
        )

    def stands(self, verb: Verb, number: int) -> bool:
        state = self.simulator.apps[self.app]["state"]
        web = self.simulator.process_of(self.app, "web")["instances"]
        usual = self.simulator.leads_to(self.usual)
        www = [one["app"]["guid"] for one in self.simulator.routes[self.route]["destinations"]]
        return {
            "scale": web == number,
            "start": state == "STARTED",
            "stop": state == "STOPPED",
            "restart": len(self.simulator.deployments) > self.deployed,
            "attach-domain": self.app in www,
            "detach-domain": self.app not in www,
            "maintenance-on": usual == [("shop-sorry", "web")],
            "maintenance-off": usual == [("shop-web", "web")],
        }[verb]

    def begin(self, number: int, maintenance: bool) -> None:
        made = self.simulator
        made.apps[self.app]["state"] = "STARTED" if number else "STOPPED"
        web = made.process_of(self.app, "web")
        web["instances"] = number
        made.ready[web["guid"]] = [0.0] * number
        self.deployed = len(made.deployments)
        leads = [(self.page, "web"), (self.app, "held-web")] if maintenance else [(self.app, "web")]
        for route, led in ((self.usual, leads), (self.route, leads if number % 2 else [])):
            url = made.routes[route]
            url["destinations"] = []
            made._lead(route, [{"app": {"guid": app, "process": {"type": kind}}} for app, kind in led], True)

    def _led(self, destinations: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
        return sorted((d["app"]["guid"], d["app"]["process"]["type"], d["port"], d["protocol"]) for d in destinations)
