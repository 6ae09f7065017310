"""`changeover flush-dns` and `changeover open`, with programs of the test's own in place of the system's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from changeover.local_dns.command_lines import curl_arguments, flushes, web_address
from changeover.local_dns.execute import flush_names
from shop import Shop

PATH = os.environ["PATH"]


def program(folder: Path, name: str, status: int = 0, says: str = "") -> Path:
    """A program that notes how it was called, and ends as told. Gives the file that it notes it in."""
    folder.mkdir(exist_ok=True)
    called = folder / f"{name}.called"
    file = folder / name
    file.write_text(f"#!/bin/sh\nPATH={PATH}\necho \"$@\" > {called}\necho '{says}' >&2\nexit {status}\n")
    file.chmod(0o755)
    return called


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder that programs are looked for in."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


class TestFlushing:
    async def test_what_is_there_is_used(self, programs: Path) -> None:
        """The newer program before the older one; a cache that is not there is not mentioned."""
        newer, older = program(programs, "resolvectl"), program(programs, "systemd-resolve")
        (found,) = await flush_names("linux")
        assert (found.done, found.text) == (True, "systemd-resolved has forgotten its names")
        assert newer.read_text() == "flush-caches\n"
        assert not older.exists()

    async def test_what_needs_more_rights_is_told(self, programs: Path) -> None:
        """With what the program says, and what to type."""
        program(programs, "dscacheutil")
        program(programs, "killall", 1, "Operation not permitted")
        first, second = await flush_names("darwin")
        assert first.done
        assert (second.done, second.text) == (False, "killall says: Operation not permitted")
        assert second.typed == "sudo killall -HUP mDNSResponder"

    @pytest.mark.parametrize("platform", ["linux", "darwin", "win32", "plan9"])
    async def test_nothing_is_there(self, programs: Path, platform: str) -> None:
        """Nothing is done, and nothing claimed."""
        assert await flush_names(platform) == ()

    def test_by_command(self, tmp_path: Path) -> None:
        """It says what it did; a cache that could not be emptied makes it fail, with the words to type."""
        folder = tmp_path / "programs"
        program(folder, "resolvectl", 1, "Access denied")
        environment = {"PATH": str(folder), "CHANGEOVER_HOME": str(tmp_path / "home")}
        ended = subprocess.run(
            [sys.executable, "-m", "changeover", "flush-dns"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == 1
        assert "resolvectl says: Access denied." in ended.stderr
        assert "Type: sudo resolvectl flush-caches" in ended.stderr
        assert "Browsers keep names of their own" in ended.stderr


def test_every_system_names_its_caches() -> None:
    """What is done by programs that are there already."""
    assert {
        way.command[0] for platform in ("linux", "darwin", "win32") for ways in flushes(platform) for way in ways
    } == {
        "resolvectl",
        "systemd-resolve",
        "nscd",
        "dscacheutil",
        "killall",
        "ipconfig",
    }


def test_addresses_that_people_type() -> None:
    """The port only where it is unusual; IPv6 in brackets."""
    assert web_address("https", "www.shop.example", 443) == "https://www.shop.example/"
    assert web_address("http", "www.shop.example", 8080) == "http://www.shop.example:8080/"
    assert curl_arguments("https://w.example/", "w.example", 443, "2001:db8::1")[3] == "w.example:443:[2001:db8::1]"


class TestOpening:
    def test_what_to_type_is_printed(self, shop: Shop) -> None:
        """And it works: curl gets the deployment that visitors are not sent to."""
        ended = shop.run("open", "shop", "--at", "backup", "--no-browser")
        assert ended.returncode == 0
        answer = subprocess.run(ended.stdout, shell=True, capture_output=True, text=True, timeout=30, check=False)
        assert "X-Deployment: backup" in answer.stdout

    def test_a_browser_is_sent_there(self, shop: Shop, tmp_path: Path) -> None:
        """With a rule for the one name, and a profile of its own."""
        called = program(tmp_path / "programs", "chromium")
        os.mkfifo(called)  # reading it waits for the browser, which nobody waits for otherwise
        shop.session = {**os.environ, "PATH": str(tmp_path / "programs"), "TMPDIR": str(tmp_path)}
        found = shop.json("open", "shop", "--at", "primary", "--hostname", "shop.example")
        assert found["browser"] == str(tmp_path / "programs" / "chromium")
        assert (found["hostname"], found["address"]) == ("shop.example", "127.0.0.2")
        said = called.read_text()
        assert said.startswith(f"--host-resolver-rules=MAP shop.example 127.0.0.2 --user-data-dir={tmp_path}/")
        assert said.rstrip().endswith(f" https://shop.example:{shop.web.port}/")

    def test_without_such_a_browser(self, shop: Shop, tmp_path: Path) -> None:
        """What to type is still there, and which browsers would do."""
        shop.session = {**os.environ, "PATH": str(tmp_path)}
        ended = shop.run("open", "shop", "--at", "backup")
        assert ended.returncode == 0
        assert ended.stdout.startswith("curl --include --resolve www.shop.example:")
        assert "Chromium, Chrome, Edge or Brave" in ended.stderr

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["shop", "--at", "nowhere"], "has no deployment nowhere"),
            (["shop", "--at", "backup", "--hostname", "www.other.example"], "no hostname of shop"),
        ],
    )
    def test_wrong_words(self, shop: Shop, arguments: list[str], words: str) -> None:
        """Are told, and nothing is opened."""
        assert words in shop.json("open", *arguments, status=2)["error"]["text"]
