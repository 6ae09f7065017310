"""The client that PyPI has for Cloud Foundry cannot tell the simulator from one, and prints what Changeover says."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest

from platforms.cloudfoundry_ground import CloudFoundryGround

PACKAGE = "cloudfoundry-client==1.40.4"

#: What a user of the client writes: it logs in by password, lists, scales by a process's own link and maps a route.
SCRIPT = """
import json, sys
from cloudfoundry_client.client import CloudFoundryClient

client = CloudFoundryClient(sys.argv[1])
client.init_with_user_credentials("robot@shop.example", "a-users-password")

def looked():
    (app,) = client.v3.apps.list(names="shop-web")
    processes = list(client.v3.processes.list(app_guids=app["guid"]))
    routes = list(client.v3.apps.list_routes(app["guid"]))
    instances = list(client.v3.service_instances.list(
        guids=",".join(b["relationships"]["service_instance"]["data"]["guid"]
                       for b in client.v3.service_credential_bindings.list(app_guids=app["guid"]))))
    states = client.get(f"{sys.argv[1]}/v3/processes/{processes[0]['guid']}/stats").json()["resources"]
    return app, processes, {
        "started": app["state"] == "STARTED",
        "processes": {p["type"]: p["instances"] for p in processes},
        "running": sum(one["state"] == "RUNNING" for one in states),
        "hostnames": sorted(route["url"] for route in routes),
        "resources": sorted(one["name"] for one in instances),
        "spaces": [space["name"] for space in client.v3.spaces.list()],
    }

app, processes, first = looked()
processes[0].scale(data={"instances": 5})
(route,) = client.v3.routes.list(hosts="www")
client.post(f"{sys.argv[1]}/v3/routes/{route['guid']}/destinations",
            json={"destinations": [{"app": {"guid": app["guid"]}}]})
print(json.dumps([first, looked()[2]]))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python of its own with the client."""
    folder = tmp_path_factory.mktemp("client")
    venv.create(folder, with_pip=True)
    found = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    install = [found, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE]
    done = subprocess.run(install, capture_output=True, text=True, timeout=240)
    if done.returncode != 0:
        pytest.skip(f"{PACKAGE} cannot be had: {done.stderr.strip().splitlines()[-1]}")
    return found


@pytest.mark.long
async def test_the_client_of_pypi_prints_what_we_say(python: Path) -> None:
    """It lists, scales and maps a route; before and after, what it prints is what our observation says."""
    with CloudFoundryGround() as ground:
        ground.begin(2, maintenance=False)
        ground.simulator.bind(ground.app, "shop-db", "postgresql", "small")
        before = await told(ground)
        command = [str(python), "-c", SCRIPT, ground.simulator.address]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        printed = json.loads(done.stdout)
        after = await told(ground)
        await ground.platform.aclose()
    assert printed == [before, after]
    assert (before["running"], after["running"]) == (2, 5)
    assert set(after["hostnames"]) - set(before["hostnames"]) == {"www.shop.example"}


async def told(ground: CloudFoundryGround) -> dict[str, Any]:
    found = await ground.platform.observe(ground.target)
    return {
        "started": found.started,
        "processes": {one.name: one.wanted for one in found.processes},
        "running": found.running,
        "hostnames": list(found.hostnames),
        "resources": [one.name for one in found.resources or ()],
        "spaces": list({app.keys["space"] for app in await ground.platform.discover()}),
    }
