"""Heroku's own command line tool, which cannot tell the simulator from Heroku, and says what our observation says."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from changeover.model.platforms.platform_observation import PlatformObservation
from platforms.heroku_ground import WWW, HerokuGround
from platforms.heroku_simulator import TOKEN

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
PACKAGE = "heroku@11"


class Cli:
    """`heroku`, pointed at the simulator."""

    def __init__(self, program: Path, ground: HerokuGround, home: Path) -> None:
        self._program = program
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "HEROKU_HOST": ground.behind.address,
            "HEROKU_DATA_HOST": "127.0.0.1",
            "HEROKU_API_KEY": TOKEN,
            "DISABLE_TELEMETRY": "true",
            "HEROKU_SKIP_NEW_VERSION_CHECK": "1",
        }

    def __call__(self, *words: str) -> str:
        ended = subprocess.run(
            [str(self._program), *words, "-a", "shop-prod"],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == 0, f"{words}: {ended.stdout}\n{ended.stderr}"
        said = ended.stdout if "--json" in words else ended.stdout + ended.stderr
        return re.sub(r"\x1b\[[0-9;]*m", "", said)


@pytest.fixture(scope="module")
def program(pytestconfig: pytest.Config) -> Path:
    """The tool from npm, kept between runs."""
    if shutil.which("npm") is None:
        pytest.skip("there is no npm to get the Heroku CLI with")
    assert pytestconfig.cache is not None
    folder = Path(pytestconfig.cache.mkdir("heroku-cli"))
    program = folder / "node_modules" / ".bin" / "heroku"
    if not program.exists():
        (folder / "package.json").write_text("{}")
        install = ["npm", "install", "--no-audit", "--no-fund", "--silent", PACKAGE]
        ended = subprocess.run(install, cwd=folder, capture_output=True, text=True, timeout=800, check=False)
        if ended.returncode != 0:
            pytest.skip(f"the Heroku CLI cannot be had: {ended.stderr.strip()[-200:]}")
    return program


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[HerokuGround]:
    with HerokuGround(tmp_path) as running:
        yield running


@pytest.fixture
def heroku(program: Path, ground: HerokuGround, tmp_path: Path) -> Cli:
    return Cli(program, ground, tmp_path)


def seen(ground: HerokuGround) -> PlatformObservation:
    async def look() -> PlatformObservation:
        platform = ground.open(ground.behind.address)
        try:
            return await platform.observe(ground.target)
        finally:
            await platform.aclose()

    return asyncio.run(look())


def test_what_it_prints_is_what_is_observed(heroku: Cli, ground: HerokuGround) -> None:
    """Of the app, its variables' names, its dynos, domains, releases, add-ons and databases."""
    found = seen(ground)
    info = json.loads(heroku("apps:info", "--json"))
    assert info["app"]["stack"]["name"] == found.runtime
    assert info["app"]["maintenance"] is found.maintenance
    assert set(json.loads(heroku("config", "--json"))) == set(found.config)
    dynos = json.loads(heroku("ps", "--json"))
    assert sorted(one["type"] for one in dynos if one["state"] == "up") == ["web", "worker"]
    domains = json.loads(heroku("domains", "--json"))
    assert [(one["hostname"], one["cname"]) for one in domains if one["kind"] == "custom"] == [
        (one.hostname, one.target) for one in found.domains
    ]
    releases = json.loads(heroku("releases", "--json"))
    assert f"v{releases[0]['version']}" == found.release
    addons = heroku("addons")
    assert all(one.name in addons for one in found.resources or ())
    databases = heroku("pg:info")
    assert "12 commits" in databases
    assert found.databases[1].behind == 12


def test_what_it_does_is_observed(heroku: Cli, ground: HerokuGround) -> None:
    """Maintenance, scale and a variable, set by the tool."""
    heroku("maintenance:on")
    heroku("ps:scale", "web=3")
    heroku("config:set", "NEW=1")
    found = seen(ground)
    assert (found.maintenance, found.wanted, found.running) == (True, 3, 3)
    assert "NEW" in found.config
    assert "on" in heroku("maintenance")
    assert WWW in heroku("domains")


def test_a_cluster_is_what_is_observed(heroku: Cli, ground: HerokuGround) -> None:
    """One of Heroku Postgres Advanced: its pools, its version, and its state."""
    ground.app.add_database("postgresql-cluster", plan="advanced-4g")
    ground.app.released()
    told = heroku("data:pg:info", "postgresql-cluster")
    (cluster,) = [one for one in seen(ground).databases if one.tier]
    assert all(f"Follower pool {name}" in told for name in cluster.readers)
    assert "Available" in told
    assert cluster.state == "Available"
    assert f"PG Version: {cluster.version}" in re.sub(r" +", " ", told)
