"""The practice ground as a whole: one folder, one at a time, the same world after each start."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest
import trustme

from changeover.accounts.kinds import KINDS
from changeover.dns.lookup.client import Lookup
from changeover.dns.providers import provider_type
from changeover.dns.providers.rfc2136_options import Rfc2136Options
from changeover.dns.wire.exchange import Server, ask, question
from changeover.health.rounds import probe_now
from changeover.lab import settings as lab_settings
from changeover.lab.ground import PracticeGround, break_deployment, default_home, mend_deployment
from changeover.model.dns.server_address import parse_server
from changeover.model.errors import SettingsError, UsageError
from changeover.model.health.probe_result import Health
from changeover.storage.home import Home
from changeover.storage.settings import file as settings_file
from lab.programs import dig, nsupdate

#: Starts a practice ground in the folder given, says so, and runs until it is told to end.
RUN = """
import asyncio, pathlib, sys
from changeover.lab import settings as lab_settings
from changeover.lab.ground import PracticeGround
async def main():
    async with PracticeGround.started(pathlib.Path(sys.argv[1])) as ground:
        print(ground.dns, flush=True)
        await asyncio.to_thread(sys.stdin.read)
asyncio.run(main())
"""
FROM_ELSEWHERE = """
import pathlib, sys
from changeover.lab import ground
getattr(ground, sys.argv[1])(pathlib.Path(sys.argv[2]), sys.argv[3])
"""


def port_of(text: str) -> int:
    return parse_server(text)[1]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


async def from_elsewhere(function: str, home: Path, deployment: str) -> str:
    """Calls a function of the practice ground in another process, and gives what that printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FROM_ELSEWHERE, function, str(home), deployment, stderr=subprocess.PIPE
    )
    async with asyncio.timeout(120):
        return (await process.communicate())[1].decode()


async def test_a_new_folder_becomes_a_world_that_works(tmp_path: Path) -> None:
    """Settings without a fault, both deployments healthy, the primary active, and nothing outside the folder."""
    home = tmp_path / "new" / "home"
    async with PracticeGround.started(home) as ground:
        assert (ground.home, ground.service, ground.broken()) == (home, "shop", frozenset())
        assert [text.rpartition(":")[0] for text in ground.deployments.values()] == ["127.0.0.2", "127.0.0.3"]
        settings = settings_file.load(Home.at(home).settings_file, KINDS)
        service = settings.service(ground.service)
        assert service is not None
        assert service.health.ca_file == str(ground.ca_file)
        assert settings.lookup.resolvers == (ground.resolver,)
        assert settings.lookup.nameservers == {"shop.example": (ground.dns,)}
        assert settings.lookup.witnesses == ()
        lookup = Lookup(settings.lookup)
        for deployment in service.deployments:
            assert ground.deployments[deployment.name] == f"{deployment.answer.a[0]}:{service.health.tcp_port}"
            found = await probe_now(service, deployment, lookup)
            assert found.health is Health.HEALTHY, found.reason
        account, _ = settings.accounts
        provider = provider_type(account.provider).open(account.name, Rfc2136Options(**account.options), {})
        reading = await provider.read("shop.example", service.hostnames)
        for name in service.hostnames:
            published = service.primary.answer_for(name).record_sets(name, service.ttl)
            assert all(record in reading.records[name] for record in published)
        assert {"MX", "TXT", "NS", "SOA"} <= {r.type for r in reading.records["shop.example"]}
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    assert sorted(path.name for path in home.iterdir() if not path.name.startswith(".")) == ["changeover.toml", "lab"]


async def test_the_same_world_at_the_same_ports_after_a_restart(tmp_path: Path) -> None:
    """What was switched stays switched, and what was broken stays broken; nothing is written anew."""
    async with PracticeGround.started(tmp_path) as first:
        said = await nsupdate(
            port_of(first.dns), "update delete www.shop.example A\nupdate add www.shop.example 20 A 127.0.0.3"
        )
        assert said == ""
        first.break_("primary")
    before = contents(tmp_path)
    async with PracticeGround.started(tmp_path) as again:
        assert (again.dns, again.resolver, again.deployments) == (first.dns, first.resolver, first.deployments)
        assert again.broken() == {"primary"}
        assert (await dig(port_of(again.resolver), "www.shop.example", "+short")).split() == ["127.0.0.3"]
    assert contents(tmp_path) == before


async def test_a_world_without_its_platform_stays_without(tmp_path: Path) -> None:
    """A folder of an older version, whose deployments are any addresses, is used as it is."""
    async with PracticeGround.started(tmp_path):
        pass
    file = tmp_path / "changeover.toml"
    head, _, rest = file.read_text().partition("[accounts.lab-platform]")
    rest = rest.partition("[[services]]")[2].replace('platform = "lab"\naccount = "lab-platform"\n', "")
    text = f"{head}[[services]]{rest}".replace('app = "primary"\n', "").replace('app = "backup"\n', "")
    before, _, after = text.partition("[[services.actions]]")
    file.write_text(f"{before}[lookup]{after.partition('[lookup]')[2]}")
    written = file.read_bytes()
    async with PracticeGround.started(tmp_path):
        pass
    assert file.read_bytes() == written


async def test_taken_ports_are_replaced_and_all_else_in_the_file_stays(tmp_path: Path) -> None:
    """A person's comments, own keys and other resolvers survive; only what names the old ports is changed."""
    file = tmp_path / "changeover.toml"
    async with PracticeGround.started(tmp_path) as first:
        pass
    text = file.read_text()
    text = text.replace("ttl = 20", "ttl = 30    # I like it slower")
    text = text.replace(f'server = "{first.dns}"', f'server = "{first.dns}"  # the name server')
    text = text.replace(f'resolvers = ["{first.resolver}"]', f'resolvers = ["{first.resolver}", "192.0.2.53"]')
    file.write_text(f"# mine\n{text}")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dns, socket.socket() as resolver, socket.socket() as web:
        dns.bind(("127.0.0.1", port_of(first.dns)))
        resolver.bind(("127.0.0.1", port_of(first.resolver)))
        web.bind(("127.0.0.3", port_of(first.deployments["backup"])))
        for taken in (resolver, web):
            taken.listen()
        async with PracticeGround.started(tmp_path) as second:
            assert not {first.dns, first.resolver} & {second.dns, second.resolver}
            answer = await ask(Server(*parse_server(second.resolver)), question("www.shop.example", "A", True))
            assert len(answer.answer) == 1
    old_port, new_port = (port_of(ground.deployments["primary"]) for ground in (first, second))
    wanted = f"# mine\n{text}".replace(first.dns, second.dns).replace(first.resolver, second.resolver)
    assert file.read_text() == wanted.replace(f"port = {old_port}", f"port = {new_port}")


async def test_a_port_that_a_person_chose_is_used(tmp_path: Path) -> None:
    """The settings file is where the ports are remembered, so that is where one chooses them."""
    file = tmp_path / "changeover.toml"
    async with PracticeGround.started(tmp_path) as first:
        pass
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    file.write_text(file.read_text().replace(first.dns, f"127.0.0.1:{port}"))
    async with PracticeGround.started(tmp_path) as second:
        assert second.dns == f"127.0.0.1:{port}"


@pytest.mark.parametrize(
    "text",
    [
        'version = 1\n[accounts.dns-main]\nprovider = "rfc2136"\nserver = "127.0.0.1:5301"\n',
        'version = 1\n[accounts.lab-dns]\nprovider = "cloudflare"\n',
        'version = 1\n[accounts.lab-dns]\nprovider = "rfc2136"\nserver = "127.0.0.1:53"\nkey_name = "team."\n',
        "this is not TOML",
        "accounts = 1\n",
        "",
    ],
)
async def test_somebody_elses_folder_is_left_alone(tmp_path: Path, text: str) -> None:
    """Real settings are not the practice ground's: nothing is written, and nothing is created beside them."""
    (tmp_path / "changeover.toml").write_text(text)
    before = contents(tmp_path)
    with pytest.raises(UsageError, match=r"changeover\.toml") as caught:
        async with PracticeGround.started(tmp_path):
            pass
    assert "--home" in caught.value.hint
    assert contents(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["changeover.toml"]


async def test_a_fault_that_a_person_made_is_named(tmp_path: Path) -> None:
    """The lab's own file with a mistake in it is not overwritten: all faults are said."""
    file = tmp_path / "changeover.toml"
    async with PracticeGround.started(tmp_path):
        pass
    file.write_text(file.read_text().replace("ttl = 20", "tl = 20"))
    before = contents(tmp_path)
    with pytest.raises(SettingsError, match="did you mean ttl"):
        async with PracticeGround.started(tmp_path):
            pass
    assert contents(tmp_path) == before


async def test_a_folder_that_is_none(tmp_path: Path) -> None:
    """The error names it, and says what to do."""
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=str(tmp_path / "file")):
        async with PracticeGround.started(tmp_path / "file"):
            pass


async def test_one_practice_ground_a_folder(tmp_path: Path) -> None:
    """A second one is refused, in this process and from another; after the end of the first, there is room."""
    async with PracticeGround.started(tmp_path):
        with pytest.raises(UsageError, match="already running"):
            async with PracticeGround.started(tmp_path):
                pass
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", RUN, str(tmp_path), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        assert "already running" in (await process.communicate())[1].decode()
    async with PracticeGround.started(tmp_path):
        pass


async def test_break_and_mend_from_another_process(tmp_path: Path) -> None:
    """The web server that runs here answers accordingly."""
    async with PracticeGround.started(tmp_path) as ground:
        settings = settings_file.load(Home.at(tmp_path).settings_file, KINDS)
        service = settings.services[0]
        lookup = Lookup(settings.lookup)
        assert await from_elsewhere("break_deployment", tmp_path, "primary") == ""
        assert ground.broken() == {"primary"}
        assert (await probe_now(service, service.deployments[0], lookup)).health is Health.UNHEALTHY
        assert (await probe_now(service, service.deployments[1], lookup)).health is Health.HEALTHY
        assert await from_elsewhere("mend_deployment", tmp_path, "primary") == ""
        assert ground.broken() == frozenset()
        assert (await probe_now(service, service.deployments[0], lookup)).health is Health.HEALTHY


async def test_break_and_mend_twice_or_for_nothing(tmp_path: Path) -> None:
    """Both may be said again."""
    async with PracticeGround.started(tmp_path) as ground:
        ground.mend("backup")
        ground.break_("backup")
        ground.break_("backup")
        assert ground.broken() == {"backup"}
        ground.mend("backup")
        assert ground.broken() == frozenset()


@pytest.mark.parametrize("function", [break_deployment, mend_deployment])
async def test_break_and_mend_need_a_running_one_and_its_deployment(tmp_path: Path, function: object) -> None:
    """Otherwise the error says which of the two is missing, and nothing is created."""
    assert callable(function)
    with pytest.raises(UsageError, match="No practice ground is running"):
        function(tmp_path, "primary")
    assert list(tmp_path.iterdir()) == []
    async with PracticeGround.started(tmp_path) as ground:
        for wrong in ("third", "../../escape", ""):
            with pytest.raises(UsageError) as caught:
                function(tmp_path, wrong)
            assert "primary and backup" in caught.value.hint
        with pytest.raises(UsageError):
            ground.break_("third")
        with pytest.raises(UsageError):
            ground.mend("third")
    with pytest.raises(UsageError, match="No practice ground is running"):
        function(tmp_path, "primary")


async def test_a_killed_practice_ground_leaves_a_folder_that_starts_again(tmp_path: Path) -> None:
    """The lock dies with the process, and the zone has all that was answered with yes."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RUN, str(tmp_path), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(120):
        dns = (await process.stdout.readline()).decode().strip()
    assert await nsupdate(port_of(dns), "update add new.shop.example 60 A 192.0.2.9") == ""
    process.send_signal(signal.SIGKILL)
    await process.wait()
    with pytest.raises(UsageError, match="No practice ground is running"):
        break_deployment(tmp_path, "primary")
    async with PracticeGround.started(tmp_path) as ground:
        assert (await dig(port_of(ground.dns), "new.shop.example", "+short")).split() == ["192.0.2.9"]


def test_the_usual_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Apart from a person's own settings, wherever these are."""
    monkeypatch.setenv("CHANGEOVER_HOME", str(tmp_path))
    assert default_home() == tmp_path / "lab"
    monkeypatch.delenv("CHANGEOVER_HOME")
    assert default_home() == platformdirs.user_data_path("changeover-lab", appauthor=False)


def test_settings_where_the_usual_addresses_cannot_be_had(tmp_path: Path) -> None:
    """On macOS the backup is at ::1, and its answer an IPv6 address."""
    file = tmp_path / "changeover.toml"
    (tmp_path / "lab").mkdir()
    trustme.CA().cert_pem.write_to_path(tmp_path / "lab" / "ca.pem")
    lab_settings.write(file, lab_settings.Ports(5301, 5302, 5443, 5380), {"primary": "127.0.0.1", "backup": "::1"})
    primary, backup = settings_file.load(file, KINDS).services[0].deployments
    assert (primary.answer.a, backup.answer.aaaa) == (("127.0.0.1",), ("::1",))
    assert lab_settings.remembered_ports(file) == (5301, 5302, 5443, 5380)


UNDER_QT = """
import asyncio, pathlib, sys
from PySide6.QtWidgets import QApplication
import qasync
from changeover.dns.wire.exchange import Server, ask, question
from changeover.model.dns.server_address import parse_server
from changeover.dns.lookup.client import Lookup
from changeover.health.rounds import probe_now
from changeover.lab import settings as lab_settings
from changeover.lab.ground import PracticeGround
from changeover.accounts.kinds import KINDS
from changeover.storage.settings import file as settings
async def main():
    async with PracticeGround.started(pathlib.Path(sys.argv[1])) as ground:
        answer = await ask(Server(*parse_server(ground.resolver)), question("www.shop.example", "A", True))
        print(answer.answer[0][0])
        known = settings.load(ground.home / "changeover.toml", KINDS)
        service = known.services[0]
        for deployment in service.deployments:
            print((await probe_now(service, deployment, Lookup(known.lookup))).health)
app = QApplication([])
qasync.run(main())
"""


async def test_runs_beside_a_window(tmp_path: Path) -> None:
    """On the desktop's event loop as well."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        UNDER_QT,
        str(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    async with asyncio.timeout(120):
        out, errors = await process.communicate()
    assert (out.decode().split(), process.returncode) == (["127.0.0.2", "healthy", "healthy"], 0), errors.decode()
