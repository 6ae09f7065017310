"""Actions in real runs: people who answer from another terminal, a process killed in an operation's midst, secrets."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from changeover.switchboard import Switchboard
from keyring_session import KeyringSession
from shop import Shop
from storage.test_canary import Watched
from watched import until, watching

ASK = """
[[services.actions]]
name = "go"
phase = "prove"
approval = "Are the orders there?"
"""
#: Says its process's number to the test, and then takes for ever, but not the second time.
SCRIPT = """\
#!/bin/sh
cd "$(dirname "$0")"
echo $CHANGEOVER_DIRECTION >> done
test -p begun || exit 0
echo $$ > begun
exec sleep 1000
"""
PROMOTE = """
[[services.actions]]
name = "promote"
phase = "promote"
command = ["./promote.sh"]
undo = { command = ["./promote.sh"] }
"""
#: Tells the test when the run has come to it.
TELL = """
[[services.actions]]
name = "tell"
phase = "prove"
command = ["/bin/sh", "-c", "echo > {fifo}"]
"""
FAILS = """
[[services.actions]]
name = "promote"
phase = "promote"
command = ["/bin/sh", "-c", "echo no quorum; exit 7"]
"""


def with_actions(shop: Shop, actions: str) -> None:
    text = shop.home.settings_file.read_text()
    shop.home.settings_file.write_text(text.replace("[lookup]", f"{actions}\n[lookup]"))
    shop.json("trust", "--yes")


def steps_of(found: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {step["name"]: (step["state"], step["note"]) for step in found["steps"]}


def moved(shop: Shop) -> bool:
    return any("127.0.0.3" in line for line in shop.bind.records())


# A question


@pytest.mark.parametrize("word", ["approve", "decline"])
def test_somebody_answers_from_another_terminal(shop: Shop, word: str) -> None:
    """The run waits for it, in a process of its own; a yes moves visitors, a no changes nothing."""
    asked = shop.folder / "asked"
    os.mkfifo(asked)
    with_actions(shop, TELL.format(fifo=asked) + ASK)
    with shop.start("switch", "shop", "--to", "backup", "--yes", "--json") as switching:
        asked.read_bytes()
        assert not moved(shop)
        if word == "approve":
            said = shop.json("approve", "shop-1", "go", "--note", "all there")
            assert said["run"] == "shop-1"
        else:
            shop.json("decline", "shop-1", "go", "--reason", "ten are missing")
        output, progress = switching.communicate(timeout=120)
    found = shop.json("report", "shop-1")
    state, note = steps_of(found)["go"]
    if word == "approve":
        assert switching.returncode == 0, progress
        assert state == "done"
        assert note.startswith("approved by ") and note.endswith(": all there")
        assert "go: Ask somebody: Are the orders there?: approved by" in progress
    else:
        assert switching.returncode == 4, output  # a command was run before
        assert state == "refused"
        assert note.startswith("declined by ") and note.endswith(": ten are missing")
    assert moved(shop) is (word == "approve")


def test_somebody_pauses_it_from_another_terminal(shop: Shop) -> None:
    """The run finishes the step in hand, stops before the next one, and goes on where it stopped."""
    asked = shop.folder / "asked"
    os.mkfifo(asked)
    with_actions(shop, TELL.format(fifo=asked).replace("echo >", "cat"))
    with shop.start("switch", "shop", "--to", "backup", "--yes") as switching:
        with asked.open("w"):  # once the command is under way
            assert shop.json("pause", "shop-1")["outcome"] == "running"
        _, progress = switching.communicate(timeout=60)
    assert switching.returncode == 4, progress
    assert "is paused" in progress
    assert not moved(shop)
    assert shop.json("runs")["runs"][0]["outcome"] == "interrupted"
    assert steps_of(shop.json("report", "shop-1"))["tell"][0] == "done"
    assert shop.json("resume", "shop-1", "--yes")["outcome"] == "completed"
    assert moved(shop)


def test_an_answer_may_come_before_and_after(shop: Shop) -> None:
    """What was declined can still be approved, by number too, as long as the run is not ended; then it goes on."""
    asked = shop.folder / "asked"
    os.mkfifo(asked)
    with_actions(shop, TELL.format(fifo=asked).replace("echo >", "cat") + ASK)
    with shop.start("switch", "shop", "--to", "backup", "--yes") as switching:
        with asked.open("w"):  # once the command is under way
            assert shop.run("decline", "shop-1", "2", "--reason", "no").returncode == 0
        switching.communicate(timeout=120)
    assert switching.returncode == 4
    assert shop.run("approve", "shop-1", "go").returncode == 0
    resumed = shop.json("resume", "shop-1", "--yes")
    assert resumed["outcome"] == "completed"
    assert steps_of(resumed)["go"][0] == "done"
    again = shop.run("approve", "shop-1", "go")
    assert again.returncode == 3
    assert "Run shop-1 is completed: nothing of it is still to be done" in again.stderr


async def test_ctrl_c_while_a_question_waits(shop: Shop) -> None:
    """The run is interrupted, and asks again when somebody resumes it."""
    with_actions(shop, ASK)
    async with watching(shop) as board:
        for words in (("switch", "shop", "--to", "backup", "--yes"), ("resume", "shop-1", "--yes")):
            with shop.start(*words) as switching:
                await until(board, lambda s: s.run is not None and s.run.steps[0].state == "running")
                switching.send_signal(signal.SIGINT)
                await asyncio.to_thread(switching.communicate, timeout=120)
            question = steps_of(shop.json("report", "shop-1"))["go"][0]
            assert (switching.returncode, question) == (4, "unknown")
            await until(board, lambda s: s.run is not None and s.run.steps[0].state == "unknown")
    shop.json("approve", "shop-1", "go")
    assert shop.json("resume", "shop-1", "--yes")["outcome"] == "completed"


# A process that is killed


@pytest.fixture
def killed(shop: Shop) -> Iterator[Shop]:
    """A shop whose switch was killed by SIGKILL while its command ran."""
    kill_in_its_midst(shop)
    yield shop


def kill_in_its_midst(shop: Shop, more: str = "") -> None:
    begun, script = shop.home_folder / "begun", shop.home_folder / "promote.sh"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    os.mkfifo(begun)
    with_actions(shop, PROMOTE + more)
    with shop.start("switch", "shop", "--to", "backup", "--yes") as switching:
        command = int(begun.read_text())
        switching.kill()
        switching.communicate(timeout=120)
    os.killpg(command, signal.SIGKILL)
    begun.unlink()


def done(shop: Shop) -> list[str]:
    return (shop.home_folder / "done").read_text().split()


def test_nobody_knows_what_a_killed_process_did(killed: Shop) -> None:
    """Said, and not done again by itself; once somebody says so, it is."""
    assert steps_of(killed.json("report", "shop-1"))["promote"][0] == "unknown"
    resumed = killed.json("resume", "shop-1", "--yes", status=4)
    assert "whether “promote” was done is not known: say that it is to be repeated, or skip it" in resumed["text"]
    assert (done(killed), moved(killed)) == (["forward"], False)
    repeated = killed.run("repeat", "shop-1", "promote")
    assert (repeated.returncode, repeated.stderr) == (
        0,
        "promote of shop-1 is to be done again.\n  changeover resume shop-1\n",
    )
    assert killed.json("resume", "shop-1", "--yes")["outcome"] == "completed"
    assert (done(killed), moved(killed)) == (["forward", "forward"], True)


def test_what_is_not_known_can_be_left_out(killed: Shop) -> None:
    """With a reason, which the report keeps."""
    assert killed.run("skip", "shop-1", "1", "--reason", "looked at it by hand").returncode == 0
    resumed = killed.json("resume", "shop-1", "--yes")
    assert resumed["outcome"] == "completed"
    assert steps_of(resumed)["promote"] == ("skipped", "looked at it by hand")
    assert (done(killed), moved(killed)) == (["forward"], True)
    assert "looked at it by hand" in killed.run("report", "shop-1").stdout


def test_what_is_not_known_is_taken_back(killed: Shop) -> None:
    """An undo does so, and says that it may have been done."""
    assert killed.json("undo", "shop-1", "--yes")["outcome"] == "undone"
    assert (done(killed), moved(killed)) == (["forward", "undo"], False)


def test_what_may_be_repeated_is(shop: Shop) -> None:
    """Without asking anybody, where the settings say that it does no harm."""
    kill_in_its_midst(shop, "repeatable = true")
    assert shop.json("resume", "shop-1", "--yes")["outcome"] == "completed"
    assert done(shop) == ["forward", "forward"]


def test_words_that_make_no_sense(killed: Shop) -> None:
    """Refused with the reason, and nothing is written; a step or a run that is not there is wrong usage."""
    before = killed.json("report", "shop-1")
    for status, words, text in (
        (3, ("approve", "shop-1", "promote"), "“promote” asks nobody: it cannot be approved or declined"),
        (3, ("decline", "shop-1", "promote", "--reason", "x"), "“promote” asks nobody"),
        (
            3,
            ("skip", "shop-1", "change-records", "--reason", "x"),
            "which is what the run is for: it cannot be skipped",
        ),
        (3, ("repeat", "shop-1", "visitors"), "“visitors” is done again by reading"),
        (2, ("skip", "shop-1", "nothing", "--reason", "x"), "Run shop-1 has no step nothing"),
        (2, ("skip", "shop-9", "promote", "--reason", "x"), "There is no run shop-9"),
        (2, ("skip", "shop-1", "promote"), "Missing option '--reason'"),
    ):
        ended = killed.run(*words)
        assert (ended.returncode, text in ended.stderr) == (status, True), ended.stderr
    refused = killed.json("skip", "shop-1", "change-records", "--reason", "x", status=3)
    assert refused["error"]["kind"] == "refused"
    assert killed.json("report", "shop-1") == before


# Programs that fail


def test_a_command_that_fails_ends_the_run(shop: Shop) -> None:
    """Before anything was changed: failed, with its last words. Once it is repaired, another run goes through."""
    with_actions(shop, FAILS)
    found = shop.json("switch", "shop", "--to", "backup", "--yes", status=1)
    assert (found["outcome"], moved(shop)) == ("failed", False)
    assert steps_of(found)["promote"] == ("failed", "it ended with status 7; it said: no quorum")
    text = shop.home.settings_file.read_text()
    shop.home.settings_file.write_text(text.replace("exit 7", "exit 0"))
    shop.json("trust", "--yes")
    assert shop.json("switch", "shop", "--to", "backup", "--yes")["outcome"] == "completed"


# Secrets

CANARY = "canary_b1946ac92492d2347c6235b4d2611184"
CALL = """
[[services.actions]]
name = "read-only"
phase = "quiesce"
http = {{ url = "{url}/{{secret:hook}}", headers = {{ X-Token = "{{secret:hook}}" }}, body = "{{secret:hook}}" }}
undo = {{ http = {{ url = "{url}/{{secret:hook}}", method = "DELETE" }} }}
"""


class _Echo(BaseHTTPRequestHandler):
    """Answers with whatever was asked, and with the status that it is told to."""

    status = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        told = f"{self.path} {self.headers} {body!r}".encode()
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    do_DELETE = do_POST

    def log_message(self, *arguments: object) -> None:
        return


@pytest.fixture
def echo() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Echo) as server:
        server.asked = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_an_actions_secret_is_seen_nowhere(
    tmp_path: Path, echo: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In no file, journal, log, report, output or process, though the other side repeats it: done, refused, undone."""
    with KeyringSession(tmp_path) as session, Shop(tmp_path, session=session.environment) as shop:
        with_actions(shop, CALL.format(url=f"http://127.0.0.1:{echo.server_port}"))
        watched = Watched(shop, session, CANARY)
        said = watched("switch", "shop", "--to", "backup", "--yes", status=1)
        assert "the secret hook is not in the keyring; add it there" in said
        watched("service", "secret", "shop", "hook", "--secret-stdin", stdin=CANARY, status=0)
        monkeypatch.setattr(_Echo, "status", 500)
        said = watched("switch", "shop", "--to", "backup", "--yes", "--json", status=1)
        assert f"POST http://127.0.0.1:{echo.server_port}/{{secret:hook}}: 500 in" in said
        monkeypatch.setattr(_Echo, "status", 200)
        watched("plan", "shop", "--to", "backup", status=0)
        watched("--debug", "switch", "shop", "--to", "backup", "--yes", status=0)
        watched("undo", "shop-3", "--yes", status=0)
        for form in ("md", "html", "json"):
            watched("report", "shop-3", "--format", form, status=0)
        assert echo.asked == [f"/{CANARY}"] * 3  # type: ignore[attr-defined]


async def test_the_window_can_answer_too(shop: Shop) -> None:
    """By the same switchboard that it runs on."""
    with_actions(shop, ASK)
    board = Switchboard(shop.home)
    try:
        put = asyncio.Event()

        def progress(run: Any) -> None:
            if run.steps[0].state == "running":
                put.set()

        switching = asyncio.ensure_future(
            board.switch(await board.prepare("shop", "backup"), on_progress=progress, who="anna@laptop")
        )
        await asyncio.wait_for(put.wait(), 60)
        await board.approve("shop-1", "go", who="anna@laptop")
        assert (await asyncio.wait_for(switching, 60)).outcome == "completed"
    finally:
        await board.aclose()
