"""Settings from elsewhere, by commands: what changed in them outside Changeover does not act before a person saw it."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Self

import pytest

from keyring_session import KeyringSession
from shop import Shop

CANARY = "canary_2b7e151628aed2a6"
COMMAND = """
[[services.actions]]
name = "promote"
phase = "promote"
command = ["/bin/sh", "-c", "echo {word} >> {file}"]
undo = {{ command = ["/bin/sh", "-c", "echo back >> {file}"] }}
"""
SCRIPT = """
[[services.actions]]
name = "promote"
phase = "promote"
command = ["./promote.sh"]
"""
CALL = """
[[services.actions]]
name = "hook"
phase = "promote"
http = {{ url = "http://{host}:{port}/hook", headers = {{ Authorization = "Bearer {{secret:ops}}" }} }}
"""
#: A step that says when it is over, and one that then waits for somebody.
WAITS = """
[[services.actions]]
name = "pause"
phase = "quiesce"
wait = { seconds = 0.1 }

[[services.actions]]
name = "go"
phase = "quiesce"
approval = "Well?"
"""
JOURNEY = """
[[services.health.journeys]]
name = "log in"
[[services.health.journeys.steps]]
path = "/health"
headers = { Authorization = "Bearer {secret:probe}" }

[[services.deployments]]
name = "primary"
"""


class Listening:
    """A web server that keeps what it is told."""

    def __init__(self, address: str = "127.0.0.1", port: int = 0) -> None:
        told = self.told = list[str]()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told.append(str(self.headers))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"[]")

            do_GET = do_POST

            def log_message(self, *_: object) -> None:
                return None

        self._server = ThreadingHTTPServer((address, port), Handler)
        self.port = self._server.server_port

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def has_it(self) -> bool:
        return any(CANARY in headers for headers in self.told)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[KeyringSession]:
    with KeyringSession(tmp_path) as running:
        yield running


def pull(shop: Shop, old: str, new: str) -> None:
    """Somebody else's change of the settings arrives."""
    text = shop.home.settings_file.read_text()
    assert old in text
    shop.home.settings_file.write_text(text.replace(old, new))


def on_a_terminal(shop: Shop, words: Sequence[str], answers: str) -> tuple[int, str]:
    """A command as a person runs it, who types this; its status and all that the terminal showed."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "changeover", *words], env=shop.environment, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        os.write(ours, answers.encode())
        said = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the other side was closed
                break
            if not piece:
                break
            said += piece
        status = process.wait(60)
    os.close(ours)
    return status, said.decode()


def switched(shop: Shop) -> bool:
    return any("127.0.0.3" in line for line in shop.bind.records())


def blocks(found: dict[str, Any]) -> list[str]:
    return [f["check"] for f in found["findings"] if f["level"] == "block"]


# Commands


def test_a_command_from_elsewhere_is_not_run(shop: Shop) -> None:
    """Refused before anything is changed, and said by status, check and switch; approved it runs, changed not again."""
    ran = shop.folder / "ran"
    pull(shop, "[lookup]", COMMAND.format(word="mine", file=ran) + "[lookup]")
    assert shop.json("status")["unapproved"] == ["services/shop/actions/promote"]
    said = shop.run("status").stderr
    assert "The settings changed outside Changeover: 1 part may not act until you have seen them." in said
    assert "Action promote of shop is new" in said
    assert "changeover trust" in said
    assert blocks(shop.json("check", "shop", "--to", "backup", status=3)) == ["trust"]
    refused = shop.json("switch", "shop", "--to", "backup", "--yes", status=3)
    assert (refused["run"], blocks(refused), switched(shop), ran.exists()) == (None, ["trust"], False, False)

    assert shop.json("trust", "--yes")["approved"] is True
    assert shop.json("switch", "shop", "--to", "backup", "--yes")["outcome"] == "completed"
    pull(shop, "echo back", "echo stolen; echo back")
    assert shop.json("undo", "shop-1", "--yes")["outcome"] == "undone"
    assert ran.read_text() == "mine\nback\n", "a run takes back what it did, whatever the settings say now"
    pull(shop, "echo mine", "echo theirs")
    refused = shop.json("switch", "shop", "--to", "backup", "--yes", status=3)
    (said,) = [f["text"] for f in refused["findings"] if f["check"] == "trust"]
    assert said == "Action promote of shop has changed outside Changeover, and may not act yet"
    assert ran.read_text() == "mine\nback\n"


def test_a_script_beside_the_settings_counts_with_its_content(shop: Shop) -> None:
    """It comes by the same way as the settings do."""
    script, ran = shop.home_folder / "promote.sh", shop.folder / "ran"
    script.write_text(f"#!/bin/sh\necho mine >> {ran}\n")
    script.chmod(0o755)
    pull(shop, "[lookup]", SCRIPT + "[lookup]")
    shop.json("trust", "--yes")
    script.write_text(f"#!/bin/sh\necho theirs >> {ran}\n")
    refused = shop.json("switch", "shop", "--to", "backup", "--yes", status=3)
    assert (blocks(refused), ran.exists()) == (["trust"], False)
    _, shown = on_a_terminal(shop, ["trust"], "n\n")
    assert "- does, file promote.sh: SHA-256" in shown
    assert "+ does, file promote.sh: SHA-256" in shown


def test_a_script_that_changes_while_its_run_goes_on_is_not_run(shop: Shop) -> None:
    """As by a pull between a run's beginning and the step; the next run may, once it is approved."""
    script, ran = shop.home_folder / "promote.sh", shop.folder / "ran"
    script.write_text(f"echo mine >> {ran}\n")
    through_a_shell = SCRIPT.replace('["./promote.sh"]', f'["/bin/sh", "-c", ". {script}; true"]')
    pull(shop, "[lookup]", WAITS + through_a_shell + "[lookup]")
    shop.json("trust", "--yes")
    with shop.start("switch", "shop", "--to", "backup", "--yes", "--json") as switching:
        assert switching.stderr is not None
        next(line for line in switching.stderr if "pause: Wait for" in line)
        script.write_text(f"echo theirs >> {ran}\n")
        shop.json("approve", "shop-1", "go")
        switching.communicate(timeout=60)
    (step,) = [step for step in shop.json("report", "shop-1")["steps"] if step["name"] == "promote"]
    assert step["state"] == "failed"
    assert "not done: The settings changed outside Changeover: Action promote of shop has changed" in step["note"]
    assert (ran.exists(), switched(shop)) == (False, False)
    shop.json("trust", "--yes")
    with shop.start("switch", "shop", "--to", "backup", "--yes", "--json") as switching:
        assert switching.stderr is not None
        next(line for line in switching.stderr if "pause: Wait for" in line)
        shop.json("approve", "shop-2", "go")
        switching.communicate(timeout=60)
    assert ran.read_text() == "theirs\n"


def test_at_night_an_emergency_goes_on_without_what_nobody_approved(shop: Shop) -> None:
    """Left out by name and with a reason, which stands in the report; a planned switch cannot."""
    ran = shop.folder / "ran"
    pull(shop, "[lookup]", COMMAND.format(word="theirs", file=ran) + "[lookup]")
    night = ("--override", "trust=three in the morning")
    shop.json("switch", "shop", "--to", "backup", "--yes", *night, status=3)
    run = shop.json("switch", "shop", "--to", "backup", "--yes", "--emergency", *night)
    assert (run["outcome"], switched(shop), ran.exists()) == ("completed", True, False)
    (step,) = [step for step in run["steps"] if step["name"] == "promote"]
    assert step["state"] == "skipped"
    assert "not approved on this computer. three in the morning" in step["note"]
    assert shop.json("undo", run["run"], "--yes")["outcome"] == "undone"
    assert not ran.exists(), "what was left out is not taken back"


def test_a_person_at_the_terminal_sees_it_and_says_yes_there(shop: Shop) -> None:
    """With nothing hidden: what would steer the terminal is written out. A no leaves it as it was."""
    ran = shop.folder / "ran"
    text = COMMAND.format(word="mine", file=ran).replace("mine >>", "mine \\u001b[2K\\u202e >>")
    pull(shop, "[lookup]", text + "[lookup]")
    status, shown = on_a_terminal(shop, ["switch", "shop", "--to", "backup"], "n\nn\n")
    assert (status, switched(shop), ran.exists()) == (3, False, False)
    assert "Let them act?" in shown
    assert "\\x1b[2K\\u202e" in shown
    assert "\x1b[2K\u202e" not in shown.partition("Let them act?")[0]
    status, shown = on_a_terminal(shop, ["switch", "shop", "--to", "backup"], "y\ny\n")
    assert (status, switched(shop), ran.exists()) == (0, True, True), shown


# Secrets


def test_a_calls_secret_stays_where_it_was_seen_to_go(shop: Shop, session: KeyringSession) -> None:
    """Another port, header or resolver in a pulled file: the switch is refused, and nobody else hears of it."""
    shop.session = session.environment
    with Listening() as honest, Listening() as thief:
        pull(shop, "[lookup]", CALL.format(host="127.0.0.1", port=honest.port) + "[lookup]")
        given = shop.json("service", "secret", "shop", "ops", "--secret-stdin", stdin=CANARY)
        assert given["added"] is True
        assert shop.json("trust", "--show")["approved"] is True, "who gives a secret says where it goes"
        good = shop.home.settings_file.read_text()
        for old, new in (
            (f":{honest.port}/", f":{thief.port}/"),
            ("Authorization = ", "X-Mine = "),
            ('resolvers = ["', 'resolvers = ["127.0.0.9:5353", "'),
            ("/hook", "/elsewhere"),
        ):
            pull(shop, old, new)
            assert blocks(shop.json("switch", "shop", "--to", "backup", "--yes", status=3)) == ["trust"], new
            shop.json("service", "secret", "shop", "ops", "--secret-stdin", stdin=CANARY, status=3)
            shop.home.settings_file.write_text(good)
        assert (honest.told, thief.told, switched(shop)) == ([], [], False)
        assert shop.json("switch", "shop", "--to", "backup", "--yes")["outcome"] == "completed"
        assert (honest.has_it, thief.told) == (True, [])
        pull(shop, f":{honest.port}/", f":{thief.port}/")
        shop.json("trust", "--yes")
        assert shop.json("switch", "shop", "--to", "primary", "--yes")["outcome"] == "completed"
        assert thief.has_it, "a person said that it is theirs"


def test_a_run_that_was_cut_off_calls_nobody_else(shop: Shop, session: KeyringSession) -> None:
    """Between a crash and its resume the file changed: who decides where names lead is asked about first."""
    shop.session = session.environment
    with Listening() as honest:
        pull(shop, "[lookup]", WAITS + CALL.format(host="localhost", port=honest.port) + "[lookup]")
        shop.json("service", "secret", "shop", "ops", "--secret-stdin", stdin=CANARY)
        with shop.start("switch", "shop", "--to", "backup", "--yes") as waiting:
            assert waiting.stderr is not None
            next(line for line in waiting.stderr if "pause: Wait for" in line)
            waiting.kill()
        pull(shop, 'resolvers = ["', 'resolvers = ["127.0.0.9:5353", "')
        with shop.start("resume", "shop-1", "--yes", "--json") as resuming:
            shop.json("approve", "shop-1", "go")
            resuming.communicate(timeout=60)
        steps = {step["name"]: step for step in shop.json("report", "shop-1")["steps"]}
        assert steps["hook"]["state"] == "failed"
        assert "What decides where calls of shop go has changed" in steps["hook"]["note"]
        assert (honest.told, switched(shop)) == ([], False)
        shop.json("trust", "--yes")
        assert shop.json("resume", "shop-1", "--yes")["outcome"] == "completed"
        assert honest.has_it


def test_a_journeys_secret_is_sent_to_nobody_new(tmp_path: Path, session: KeyringSession) -> None:
    """By `status` alone, whoever moved the backup; health and the rest are watched as before. A yes lets it go on."""
    with (
        Shop(tmp_path, session=session.environment) as shop,
        Listening("127.0.0.2") as honest,
        Listening("127.0.0.66", honest.port) as thief,
    ):
        for old, new in (
            (f"port = {shop.web.port}", f'port = {honest.port}\nscheme = "http"'),
            ('\n[[services.deployments]]\nname = "primary"\n', JOURNEY),
            ('{ cname = "edge-primary.shop.example" }', '{ a = ["127.0.0.2"] }'),
            ('a = ["127.0.0.3"]', 'a = ["127.0.0.2"]'),
        ):
            pull(shop, old, new)
        text = shop.home.settings_file.read_text()
        shop.home.settings_file.write_text(re.sub("(?m)^ca_file.*\n", "", text))
        shop.json("service", "secret", "shop", "probe", "--secret-stdin", stdin=CANARY)
        shop.json("status")
        assert honest.has_it
        pull(
            shop,
            'name = "backup"\nanswer = { a = ["127.0.0.2"] }',
            'name = "backup"\nanswer = { a = ["127.0.0.66"] }',
        )
        found = shop.json("status")
        assert found["unapproved"] == ["services/shop/journeys"]
        checked = shop.json("check", "shop", "--to", "backup", status=3)
        said = " ".join(f["text"] + f["fix"] for f in checked["findings"] if f["check"] == "journeys")
        assert "not tried: The settings changed outside Changeover" in said
        assert "changeover trust" in said
        assert thief.told, "it is watched"
        assert not thief.has_it
        shop.json("trust", "--yes")
        shop.json("status")
        assert thief.has_it


@pytest.mark.parametrize("change", ["port", "scheme", "path"])
def test_an_accounts_secret_goes_nowhere_else(tmp_path: Path, session: KeyringSession, change: str) -> None:
    """Nor to another program of the same host. `verify` exits 3; `account add --replace` is a yes as well."""
    with Shop(tmp_path, session=session.environment) as shop, Listening() as honest, Listening() as thief:
        endpoint = f"http://127.0.0.1:{honest.port}/api/v1"
        add = ("account", "add", "pd", "--provider", "powerdns", "--secret-stdin", "--set")
        shop.json(*add, f"endpoint={endpoint}", stdin=CANARY)
        shop.run("account", "verify", "pd")
        assert honest.has_it
        honest.told.clear()
        elsewhere = {
            "port": f"http://127.0.0.1:{thief.port}/api/v1",
            "scheme": f"https://127.0.0.1:{honest.port}/api/v1",
            "path": f"http://127.0.0.1:{honest.port}/log/api/v1",
        }[change]
        pull(shop, endpoint, elsewhere)
        refused = shop.json("account", "verify", "pd", status=3)
        assert "Account pd has changed" in refused["text"]
        assert "changeover trust" in refused["hint"]
        assert (honest.told, thief.told) == ([], [])
        shop.json(*add, f"endpoint=http://127.0.0.1:{thief.port}/api/v1", "--replace", stdin=CANARY)
        shop.run("account", "verify", "pd")
        assert thief.has_it


# The command


def test_show_says_what_may_act_and_its_fingerprint(shop: Shop) -> None:
    """For programs and for people; nothing is approved by it."""
    ran = shop.folder / "ran"
    assert shop.json("trust") == {**shop.json("trust", "--show"), "approved": True}
    assert "Nothing in the settings acts" in shop.run("trust").stderr
    pull(shop, "[lookup]", COMMAND.format(word="mine", file=ran) + "[lookup]")
    found = shop.json("trust", "--show")
    (part,) = found["parts"]
    assert (found["approved"], part["approved"], part["place"]) == (False, False, "services/shop/actions/promote")
    assert part["was"] is None
    assert {"what": "does", "how": f"run /bin/sh -c 'echo mine >> {ran}'"} in part["now"]
    assert len(found["fingerprint"]) == 64
    assert shop.run("trust").returncode == 2, "nobody to ask"
    done = shop.json("trust", "--yes")
    assert (done["fingerprint"], done["approved"], done["parts"][0]["who"] is None) == (
        found["fingerprint"],
        True,
        False,
    )
    assert f"Fingerprint of all of it: {found['fingerprint']}" in shop.run("trust", "--show").stdout
    assert shop.json("trust", "--withdraw")["approved"] is False
    assert shop.run("trust", "--withdraw", "--yes").returncode == 2


def test_a_container_is_given_the_fingerprint(shop: Shop) -> None:
    """In its environment, where it is started; other settings are refused there."""
    ran = shop.folder / "ran"
    pull(shop, "[lookup]", COMMAND.format(word="mine", file=ran) + "[lookup]")
    given = shop.json("trust", "--show")["fingerprint"]
    shop.session = {**shop.session, "CHANGEOVER_TRUST": given}
    assert shop.json("status")["unapproved"] == []
    pull(shop, "echo mine", "echo theirs")
    shop.json("switch", "shop", "--to", "backup", "--yes", status=3)
    pull(shop, "echo theirs", "echo mine")
    assert shop.json("switch", "shop", "--to", "backup", "--yes")["outcome"] == "completed"
    assert ran.read_text() == "mine\n"


def test_a_database_from_the_checkout_approves_nothing(shop: Shop, tmp_path: Path) -> None:
    """Whatever a pushed home folder holds, approvals are not in it."""
    pull(shop, "[lookup]", COMMAND.format(word="mine", file=shop.folder / "ran") + "[lookup]")
    shop.json("trust", "--yes")
    clone = tmp_path / "clone"
    subprocess.run(["cp", "-r", str(shop.home_folder), str(clone)], check=True)
    ended = subprocess.run(
        [sys.executable, "-m", "changeover", "trust", "--show", "--json"],
        env={**shop.environment, "CHANGEOVER_HOME": str(clone)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(ended.stdout)["approved"] is False
