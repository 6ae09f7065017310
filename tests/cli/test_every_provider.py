"""A service at every provider with an HTTP API, by commands alone: over to the backup and back, with answers lost."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

from command import run_command
from dns_servers.ground import ZONE_NAME, HttpGround, skip_left_out
from dns_servers.grounds import HTTP_GROUNDS
from dns_servers.zone_server import ZoneServer
from keyring_session import KeyringSession
from web_servers.nginx import Nginx

WWW = "www.shop.example"
ORIGINS = {"origin-primary.example.net": "127.0.0.2", "origin-backup.example.net": "127.0.0.3"}
LOOKUP = """\
version = 1

[lookup]
resolvers = ["{server}"]
nameservers = {{ "shop.example" = ["{server}"] }}
witnesses = []
doh = []
portal = ""
"""
SERVICE = """
[[services]]
name = "shop"
hostnames = ["www.shop.example", "shop.example"]
lease = false    # faults are meant for the change itself
dns = [{{ account = "dns-main", zone = "shop.example" }}]

[services.health]
port = {port}
ca_file = "{ca_file}"
timeout = 20

[[services.deployments]]
name = "primary"
answer = {{ cname = "origin-primary.example.net" }}
answers."shop.example" = {{ a = ["127.0.0.2"] }}
marker = {{ header = "X-Deployment", value = "primary" }}

[[services.deployments]]
name = "backup"
answer = {{ cname = "origin-backup.example.net" }}
answers."shop.example" = {{ a = ["127.0.0.3"] }}
marker = {{ header = "X-Deployment", value = "backup" }}
"""


class Home:
    """A home folder and a session with a keyring, in which `changeover` is run."""

    def __init__(self, folder: Path, session: KeyringSession) -> None:
        self.folder = folder
        self.settings = folder / "changeover.toml"
        self._environment = {**session.environment, "CHANGEOVER_HOME": str(folder)}

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return run_command(arguments, self._environment, stdin)

    def json(self, *arguments: str, stdin: str = "") -> dict[str, Any]:
        ended = self.run(*arguments, "--json", stdin=stdin)
        assert ended.returncode == 0, f"{arguments}: {ended.returncode}\n{ended.stdout}\n{ended.stderr}"
        found: dict[str, Any] = json.loads(ended.stdout)
        return found

    def files(self) -> str:
        """All that Changeover keeps here, as text."""
        return "".join(file.read_bytes().decode("latin-1") for file in self.folder.rglob("*") if file.is_file())


#: The commands are the same for all, so one real server is enough where there is little time. dns-lexicon says itself
#: why it does not take part.
ALWAYS = "powerdns"
#: One of those whose records are changed one by one goes over and back as well.
OVER_AND_BACK = (ALWAYS, "ovh")
#: One where a TTL is a request of its own, so that what was cut short gives the right answer with a wrong TTL.
CUT_SHORT = (ALWAYS, "hetzner")


def _always_or_long(name: str, always: Collection[str] = (ALWAYS,)) -> object:
    return pytest.param(name, marks=() if name in always else pytest.mark.long)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeyringSession]:
    with KeyringSession(tmp_path_factory.mktemp("keyring")) as running:
        yield running


@pytest.fixture(params=HTTP_GROUNDS)
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[HttpGround]:
    """Its zone leads to the primary."""
    skip_left_out(HTTP_GROUNDS[request.param], request)
    with HTTP_GROUNDS[request.param](tmp_path) as running:
        for name, rtype in ((WWW, "CNAME"), (ZONE_NAME, "A"), (ZONE_NAME, "AAAA")):
            running.remove(name, rtype)
        running.add(WWW, 3600, "CNAME", "origin-primary.example.net.")
        running.add(ZONE_NAME, 3600, "A", "127.0.0.2")
        yield running


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Nginx]:
    with Nginx(tmp_path, {"primary": ["127.0.0.2"], "backup": ["127.0.0.3"]}, [WWW, ZONE_NAME]) as running:
        yield running


@pytest.fixture
def home(
    ground: HttpGround, session: KeyringSession, web: Nginx, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Home]:
    """With an account at the provider, and a service whose records are there."""
    folder = tmp_path / "home"
    folder.mkdir()
    found = Home(folder, session)
    provider = request.node.callspec.params["ground"].partition(" ")[0]
    with ZoneServer(ZONE_NAME, ground.content, ORIGINS, asyncio.run(_delegated_to(ground))) as names:
        found.settings.write_text(LOOKUP.format(server=names.server))
        _add_account(found, ground, provider)
        with found.settings.open("a") as settings:
            settings.write(SERVICE.format(port=web.port, ca_file=web.ca_file))
        yield found
    kept = found.files()
    assert not [text for text in ground.secrets(ground.secret).values() if text in kept]


def _questions(home: Home, ground: HttpGround, *command: str) -> int:
    """How many requests with a body a command makes that changes nothing: some are asked so what is allowed."""
    start, asked = ground.records(), len(ground.behind.bodies)
    home.run(*command)
    assert ground.records() == start
    return len(ground.behind.bodies) - asked


@pytest.mark.parametrize("ground", [_always_or_long(name, OVER_AND_BACK) for name in HTTP_GROUNDS], indirect=True)
def test_over_and_back_by_commands(ground: HttpGround, home: Home) -> None:
    """The change was made and nobody heard of it: the end is known, and the undo leaves the zone as it was before."""
    start = ground.records()
    questions = _questions(home, ground, "plan", "shop", "--to", "backup")
    run = _with_fault(home, ground, "answer-after", questions, "switch", "shop", "--to", "backup")
    assert run["outcome"] == "completed"
    assert {change["name"] for change in run["changes"]} == {WWW, ZONE_NAME}
    assert ground.beside(WWW, ZONE_NAME) <= start
    assert home.json("undo", run["run"], "--yes")["outcome"] == "undone"
    assert ground.records() == start


@pytest.mark.parametrize(
    "ground", [_always_or_long(name, CUT_SHORT) for name in HTTP_GROUNDS if name != "lexicon"], indirect=True
)
def test_the_whole_way_by_commands(ground: HttpGround, home: Home) -> None:
    """From the verified account to the report; when the answer to the undo is lost, its end is known too."""
    verified = home.json("account", "verify", "dns-main")
    assert verified["ok"] is True
    assert ZONE_NAME in verified["zones"]
    assert home.json("discover", WWW)["dns"] == [{"account": "dns-main", "zone": ZONE_NAME}]
    start = ground.records()
    run = home.json("switch", "shop", "--to", "backup", "--yes")
    assert run["outcome"] == "completed"
    assert home.json("status", "shop")["services"][0]["active"] == "backup"
    assert ground.beside(WWW, ZONE_NAME) <= start
    questions = _questions(home, ground, "undo", run["run"])  # and nobody there to say yes
    run = _with_fault(home, ground, "drop-after", questions, "undo", run["run"])
    assert run["outcome"] == "undone"
    assert ground.records() == start
    home.json("report", run["run"])


@pytest.mark.parametrize("ground", [_always_or_long(name) for name in HTTP_GROUNDS if name != "lexicon"], indirect=True)
def test_where_readings_lag_an_undo_right_after_works(ground: HttpGround, home: Home) -> None:
    """For some seconds after each write readings show what stood before; every command is another process."""
    text = home.settings.read_text()
    home.settings.write_text(text.replace("lease = false    # faults are meant for the change itself\n", ""))
    start = ground.records()
    ground.behind.lag = 4.0
    run = home.json("switch", "shop", "--to", "backup", "--yes")
    assert run["outcome"] == "completed"
    assert home.json("undo", run["run"], "--yes")["outcome"] == "undone"
    assert ground.records() == start


@pytest.mark.parametrize("ground", [_always_or_long(name) for name in HTTP_GROUNDS if name != "lexicon"], indirect=True)
def test_where_readings_lag_a_switch_right_after_is_not_planned_from_what_stood_before(
    ground: HttpGround, home: Home
) -> None:
    """Committed, and back at once by other processes: what this computer wrote is read before anything is planned."""
    ground.behind.lag = 8.0
    run = home.json("switch", "shop", "--to", "backup", "--yes")
    assert run["outcome"] == "completed"
    home.json("commit", run["run"], "--yes")
    back = home.json("switch", "shop", "--to", "primary", "--yes")
    assert (back["outcome"], back["from"]) == ("completed", "backup")
    assert "origin-primary" in next(r.value for r in ground.content() if (r.name, r.type) == (WWW, "CNAME"))


async def _delegated_to(ground: HttpGround) -> list[str]:
    """The name servers that the provider shows for the zone, where it shows any: the zone is delegated to it."""
    provider = ground.open()
    records = (await provider.read(ZONE_NAME, [ZONE_NAME])).records[ZONE_NAME]
    await provider.aclose()
    return [value.rstrip(".").lower() for record in records if record.type == "NS" for value in record.values]


def _add_account(home: Home, ground: HttpGround, provider: str) -> None:
    options = [
        f"{key}={str(value).lower() if isinstance(value, bool) else value}" for key, value in ground.options().items()
    ]
    secrets = ground.secrets(ground.secret)
    stdin = next(iter(secrets.values())) if len(secrets) == 1 else json.dumps(secrets)
    sets = [word for option in options for word in ("--set", option)]
    home.json("account", "add", "dns-main", "--provider", provider, *sets, "--secret-stdin", stdin=stdin)


def _with_fault(home: Home, ground: HttpGround, fault: str, questions: int, *command: str) -> dict[str, Any]:
    """The command, during which the first answer to a write is lost or becomes a 503: reading tells the rest."""
    ground.behind.misbehave(fault, writes_only=True, after=questions)  # type: ignore[arg-type]
    run = home.json(*command, "--yes")
    lost = ["(the answer was lost: " in step["note"] for step in run["steps"]]
    assert lost == [True] + [False] * (len(lost) - 1), run["steps"]
    ground.behind.forget_misbehaviour()
    return run
