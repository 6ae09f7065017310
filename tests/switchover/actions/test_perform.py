"""What a run does besides DNS, with real programs and real servers: done, failed, too late, and cut off."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme
from msgspec.structs import replace

from changeover.accounts.accounts import Accounts, Steering
from changeover.accounts.trust import Trust
from changeover.dns.lookup.client import Lookup
from changeover.model.dns.change import ZoneAt
from changeover.model.health.check import HealthCheck
from changeover.model.runs.plan import ActionStep, Plan
from changeover.model.runs.run import Approved, Declined, Direction, Intent, Run, Skipped, Started, StepState, fold
from changeover.model.runs.verification import Verdict
from changeover.model.secret import Secret
from changeover.model.settings.action import (
    Action,
    Approval,
    CommandLine,
    HttpCall,
    Note,
    Operation,
    Phase,
    PlatformCall,
    WaitUntil,
)
from changeover.model.settings.service import Answer, Deployment, LookupSettings, Service, Settings
from changeover.storage.home import Home
from changeover.storage.journal.journal import Journal
from changeover.storage.keyring import Vault
from changeover.switchover.actions.perform import ActionExecutor
from dns_servers.process import free_port
from web_servers.raw import Handler, raw_server, saying

CANARY = "canary/5c1e 9f"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def shop(health: HealthCheck | None = None) -> Service:
    return Service(
        name="shop",
        hostnames=("www.shop.example",),
        dns=(ZoneAt("dns-main", "shop.example"),),
        deployments=(
            Deployment(name="primary", answer=Answer(a=("127.0.0.2",))),
            Deployment(name="backup", answer=Answer(a=("127.0.0.1",))),
        ),
        health=health or HealthCheck(),
    )


def step_of(operation: Operation, timeout: float | None = 20, name: str = "one") -> ActionStep:
    action = Action(name=name, phase=Phase.PROMOTE, operation=operation, timeout=timeout)
    return ActionStep(name=name, text="", action=action, operation=operation)


def plan_of(step: ActionStep) -> Plan:
    made_at = datetime(2026, 12, 1, tzinfo=UTC)
    return Plan(service="shop", source="primary", to="backup", steps=(step,), made_at=made_at)


class World:
    """One home with its journal, and the operations of a service there."""

    def __init__(self, folder: Path) -> None:
        home = Home.at(folder)
        self.vault = Vault(home, timeout=5)
        self.journal = Journal(home.database)
        self.lookup = Lookup(LookupSettings(resolvers=(), witnesses=()))
        self.settings = Settings(services=(shop(),))
        self.trust = Trust(home, lambda: self.settings, self.vault)
        self.accounts = Accounts(home, self.vault, self.trust)

    async def said(self, run: str) -> Run:
        return fold(await self.journal.read(run), alive=True)

    async def open_platform(self, deployment: Deployment) -> Steering:
        return await self.accounts.open_platform(Settings(), deployment)

    async def approve(self, step: ActionStep, service: Service) -> None:
        """Makes the step an action of the service, and approves all of it."""
        self.settings = Settings(services=(replace(service, actions=(step.action,)),))
        await self.trust.approve(await self.trust.parts())

    async def perform(
        self,
        operation: Operation,
        timeout: float | None = 20,
        service: Service | None = None,
        stop: asyncio.Event | None = None,
        begun: Callable[[Run], Awaitable[None]] | None = None,
        **changed: object,
    ) -> Verdict:
        """Does an operation in a new run, which `changed` is changed in; `begun` is called once it is under way."""
        step = step_of(operation, timeout)
        await self.approve(step, service or shop())
        entry = await self.journal.begin(Started(plan=plan_of(step)))
        await self.journal.append(entry.run, Intent(step=0))
        run = replace(await self.said(entry.run), **changed)
        operations = ActionExecutor(service or shop(), self.lookup, self.trust, self.open_platform, self.said)
        doing = asyncio.ensure_future(operations.perform(step, run, stop or asyncio.Event()))
        if begun is not None:
            await begun(run)
        return await doing


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def sh(script: str) -> CommandLine:
    return CommandLine(command=("/bin/sh", "-c", script))


def is_gone(pid: int) -> bool:
    """Has the process ended? One that nobody has asked for its status yet is dead as well."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


async def gone(pid: int) -> None:
    """Waits until the process has ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(handle, ended.set)
    try:
        async with asyncio.timeout(10):
            await ended.wait()
    finally:
        loop.remove_reader(handle)
        os.close(handle)


# Commands


async def test_a_command_knows_what_the_run_is_about(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Service, direction, phase and the rest; of Changeover's own environment no more than three names."""
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("HOME", "/tmp")
    monkeypatch.setenv("CHANGEOVER_HOME", "/nowhere")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CANARY)
    verdict = await world.perform(CommandLine(command=("env",)))
    assert verdict.state is StepState.DONE
    assert sorted(verdict.text.split(" ")) == sorted(
        (
            f"PATH={os.environ['PATH']}",
            "HOME=/tmp",
            "LANG=C.UTF-8",
            "CHANGEOVER_RUN=shop-1",
            "CHANGEOVER_SERVICE=shop",
            "CHANGEOVER_FROM=primary",
            "CHANGEOVER_TO=backup",
            "CHANGEOVER_DIRECTION=forward",
            "CHANGEOVER_EMERGENCY=0",
            "CHANGEOVER_STEP=one",
            "CHANGEOVER_PHASE=promote",
        )
    )
    taken_back = await world.perform(CommandLine(command=("env",)), direction=Direction.UNDO, emergency=True)
    assert "CHANGEOVER_DIRECTION=undo" in taken_back.text
    assert "CHANGEOVER_EMERGENCY=1" in taken_back.text


async def test_a_command_has_no_shell_and_no_input(world: World) -> None:
    """Its words are its own, whatever is in them, and it cannot wait for somebody to type."""
    verdict = await world.perform(CommandLine(command=("printf", "%s|", "$HOME; rm *", "a b", "ü")))
    assert verdict == (StepState.DONE, "$HOME; rm *|a b|ü|")
    assert await world.perform(CommandLine(command=("cat",))) == (StepState.DONE, "it ended with status 0")


async def test_a_command_that_fails_is_told_with_the_end_of_what_it_said(world: World) -> None:
    """Its status, and 4 KiB of its output at most, in one line and without what would move a terminal's cursor."""
    verdict = await world.perform(sh(r"yes filler | head -n 100000; printf 'no\tquorum\033[2J\n' >&2; exit 3"))
    assert verdict.state is StepState.FAILED
    assert verdict.text.startswith("it ended with status 3; it said: ")
    assert verdict.text.endswith("filler filler no quorum [2J")
    assert 4000 < len(verdict.text) < 4200
    assert verdict.text.isprintable()


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("there-is-no-such-program", "cannot be started: No such file or directory"),
        (__file__, "cannot be started: Permission denied"),
        ("/tmp", "cannot be started: Permission denied"),
    ],
)
async def test_a_command_that_cannot_be_started(world: World, program: str, words: str) -> None:
    """Failed: nothing was done."""
    assert await world.perform(CommandLine(command=(program,))) == (StepState.FAILED, f"{program} {words}")


async def test_a_command_that_takes_too_long_is_ended_with_all_that_it_started(world: World) -> None:
    """SIGTERM, and SIGKILL for what ignores it, children included. How far it came is not known."""
    script = "trap '' TERM; (trap '' TERM; exec sleep 1000) & echo $! $$; wait; wait"
    verdict = await world.perform(sh(script), timeout=1)
    words, _, pids = verdict.text.rpartition(": ")
    assert verdict.state is StepState.UNKNOWN
    assert words == "it was ended after 1 s, its time-out; how far it came is not known; it said"
    assert all(is_gone(int(pid)) for pid in pids.split())


async def test_a_child_that_outlives_its_parents_end_is_ended_too(world: World) -> None:
    """The program heeds SIGTERM, what it started does not."""
    verdict = await world.perform(sh("(trap '' TERM; exec sleep 1000) & echo $!; wait"), timeout=1)
    assert verdict.state is StepState.UNKNOWN
    await gone(int(verdict.text.split()[-1]))


async def test_a_stopped_run_asks_its_command_to_end(world: World, tmp_path: Path) -> None:
    """It can put its things in order; since it did not come to its end, nobody knows what it did."""
    ready, stop = tmp_path / "ready", asyncio.Event()
    os.mkfifo(ready)

    async def stopping(_: Run) -> None:
        await asyncio.to_thread(ready.read_bytes)
        stop.set()

    script = f"trap 'echo in order; exit 0' TERM; echo > {ready}; while true; do sleep 0.05; done"
    verdict = await world.perform(sh(script), stop=stop, begun=stopping)
    assert verdict.state is StepState.UNKNOWN
    assert verdict.text.startswith("it was stopped before its end; how far it came is not known; it said: ")
    assert verdict.text.endswith("in order")


async def test_a_command_that_leaves_something_running_is_done(world: World) -> None:
    """What it started on purpose goes on, even with the output still in its hands, and is not waited for."""
    verdict = await world.perform(sh("sleep 1000 & echo $!"), timeout=60)
    assert verdict.state is StepState.DONE
    pid = int(verdict.text)
    assert not is_gone(pid)
    os.kill(pid, signal.SIGKILL)


async def test_a_command_that_somebody_else_ends(world: World) -> None:
    """By a signal: it did not fail by itself, and how far it came is not known."""
    verdict = await world.perform(sh("echo half; kill -KILL $$"))
    assert verdict == (
        StepState.UNKNOWN,
        "it was killed by SIGKILL; how far it came is not known; it said: half",
    )


async def test_a_command_ends_with_the_task_that_waits_for_it(world: World, tmp_path: Path) -> None:
    """When Changeover itself is closed in its midst, nothing is left behind."""
    held = tmp_path / "held"
    os.mkfifo(held)
    doing = asyncio.ensure_future(world.perform(sh(f"exec 3> {held}; echo begun >&3; exec sleep 30")))
    with await asyncio.to_thread(held.open) as output:
        assert await asyncio.to_thread(output.readline) == "begun\n"
        doing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await doing
        async with asyncio.timeout(20):
            assert await asyncio.to_thread(output.read) == ""  # its end, when nobody has it open any more


# Calls


class Asked:
    """A server that keeps what it was asked, and answers the same each time."""

    def __init__(self, *answer: bytes, then_hang: bool = False) -> None:
        self.requests: list[str] = []
        self._answer, self._hang = answer, then_hang

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        length = next((int(x.split(":")[1]) for x in lines if x.lower().startswith("content-length")), 0)
        self.requests.append((head + await reader.readexactly(length)).decode())
        for part in self._answer:
            writer.write(part)
            await writer.drain()
        if self._hang:
            await reader.read()


async def test_a_call_is_made_once_with_its_key(world: World) -> None:
    """Method, path, headers and body as they are set up, and a key by which the other side knows it again."""
    asked = Asked(OK)
    async with raw_server(asked) as port:
        url = f"http://127.0.0.1:{port}/promote?now=1"
        call = HttpCall(url=url, method="PUT", headers={"X-Why": "switch"}, body='{"go": true}')
        verdict = await world.perform(call)
        again = await world.perform(call, direction=Direction.UNDO)
    assert verdict.state is again.state is StepState.DONE
    assert verdict.text.startswith(f"PUT {url}: 200 in ")
    first, second = asked.requests
    assert first.startswith("PUT /promote?now=1 HTTP/1.1\r\n")
    assert first.endswith('\r\n\r\n{"go": true}')
    for line in (f"Host: 127.0.0.1:{port}", "X-Why: switch", "Content-Type: application/json", "Content-Length: 12"):
        assert f"\r\n{line}\r\n" in first
    assert "\r\nIdempotency-Key: shop-1-one\r\n" in first
    assert "\r\nIdempotency-Key: shop-2-one-undo\r\n" in second


async def test_a_key_is_ascii(world: World) -> None:
    """Whatever an action is called."""
    asked = Asked(OK)
    async with raw_server(asked) as port:
        step = step_of(HttpCall(url=f"http://127.0.0.1:{port}/"), name="Nur lesen, für alle")
        await world.approve(step, shop())
        run = fold([await world.journal.begin(Started(plan=plan_of(step)))])
        await ActionExecutor(shop(), world.lookup, world.trust, world.open_platform, world.said).perform(
            step, run, asyncio.Event()
        )
    assert "\r\nIdempotency-Key: shop-1-Nur lesen, f%C3%BCr alle\r\n" in asked.requests[0]
    assert "\r\nContent-Length: 0\r\n" in asked.requests[0]


async def test_an_answer_that_says_no(world: World) -> None:
    """Failed, with the beginning of its words, in one line."""
    body = "no quorum:\n\x1b[31mred " + "x" * 300
    answer = f"HTTP/1.1 409 Conflict\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    async with raw_server(Asked(answer)) as port:
        verdict = await world.perform(HttpCall(url=f"http://127.0.0.1:{port}/"))
        expected = await world.perform(HttpCall(url=f"http://127.0.0.1:{port}/", expect_status="200,409"))
    assert verdict.state is StepState.FAILED
    assert ", expected 200-299; it said: no quorum: [31mred xxx" in verdict.text
    assert verdict.text.endswith("x…")
    assert verdict.text.isprintable()
    assert expected.state is StepState.DONE


async def test_a_redirect_is_not_followed(world: World) -> None:
    """Nothing is sent anywhere but to the host of the settings."""
    other, elsewhere = Asked(OK), Asked(OK)
    async with raw_server(elsewhere) as far:
        redirect = f"HTTP/1.1 307 Later\r\nLocation: http://127.0.0.1:{far}/\r\nContent-Length: 0\r\n\r\n".encode()
        other = Asked(redirect)
        async with raw_server(other) as port:
            verdict = await world.perform(HttpCall(url=f"http://127.0.0.1:{port}/"))
    assert verdict.state is StepState.FAILED
    assert ": 307 in " in verdict.text
    assert (len(other.requests), len(elsewhere.requests)) == (1, 0)


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (saying(then_hang=True), "no response within 1 s"),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nbegun", then_hang=True), "no whole response within 1 s"),
        (saying(), "not a valid HTTP response: the connection was closed without one"),
        (saying(b"SMTP ready\r\n\r\n"), "not a valid HTTP response"),
    ],
    ids=["silence", "half an answer", "closed", "no HTTP"],
)
async def test_a_call_without_an_answer_is_not_known(world: World, handler: Handler, words: str) -> None:
    """It was sent: whether it was done, nobody can tell."""
    async with raw_server(handler) as port:
        verdict = await world.perform(HttpCall(url=f"http://127.0.0.1:{port}/"), timeout=1)
    assert verdict.state is StepState.UNKNOWN
    assert words in verdict.text
    assert verdict.text.endswith("; whether it was done is not known")


async def test_a_call_that_reaches_nobody_has_failed(world: World) -> None:
    """It was not sent, so nothing was done."""
    port = free_port()
    verdict = await world.perform(HttpCall(url=f"http://127.0.0.1:{port}/"))
    assert verdict == (StepState.FAILED, f"POST http://127.0.0.1:{port}/: not sent: connection refused")
    name = await world.perform(HttpCall(url="https://hooks.example/"))
    assert name.state is StepState.FAILED
    assert name.text.startswith("POST https://hooks.example/: not sent: ")


async def test_a_call_goes_to_the_first_address_that_takes_it(world: World) -> None:
    """Where nobody listens at the first one, and never to two."""
    asked = Asked(OK)
    async with raw_server(asked, "::1") as port:
        verdict = await world.perform(HttpCall(url=f"http://localhost:{port}/"))
        literal = await world.perform(HttpCall(url=f"http://[::1]:{port}/"))
    assert verdict.state is literal.state is StepState.DONE
    assert f"\r\nHost: localhost:{port}\r\n" in asked.requests[0]
    assert f"\r\nHost: [::1]:{port}\r\n" in asked.requests[1]
    assert len(asked.requests) == 2


async def test_a_certificate_that_nobody_knows_gets_no_request(world: World, tmp_path: Path) -> None:
    """TLS is verified before anything is sent; an authority of the settings counts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    asked = Asked(OK)
    server = await asyncio.start_server(asked, "127.0.0.1", 0, ssl=context)
    async with server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        refused = await world.perform(HttpCall(url=url))
        known = shop(HealthCheck(ca_file=str(tmp_path / "ca.pem")))
        taken = await world.perform(HttpCall(url=url), service=known)
    assert refused.state is StepState.FAILED
    assert "not sent: certificate refused" in refused.text
    assert taken.state is StepState.DONE
    assert len(asked.requests) == 1


async def test_a_secret_is_filled_in_and_never_told(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Not even where the answer repeats it; and it goes to the host that it was added for, and no other."""
    caplog.set_level(0)
    world.vault.hold("service-shop", "hook", "127.0.0.1", Secret(CANARY))
    world.vault.hold("service-shop", "other", "ops.example", Secret(CANARY))
    echo = f"HTTP/1.1 500 Oops\r\nContent-Length: {len(CANARY)}\r\n\r\n{CANARY}".encode()
    asked = Asked(echo)
    async with raw_server(asked) as port:
        url = f"http://127.0.0.1:{port}"
        told = [
            await world.perform(
                HttpCall(url=f"{url}/a/{{secret:hook}}", headers={"X": "{secret:hook}"}, body="t={secret:hook}")
            ),
            await world.perform(HttpCall(url=f"{url}/{{secret:other}}")),
            await world.perform(HttpCall(url=f"{url}/{{secret:none}}")),
        ]
        world.vault.hold("service-shop", "hook", "127.0.0.1", Secret(f"{CANARY}\r\nX: y"))
        told.append(await world.perform(HttpCall(url=url, headers={"X": "{secret:hook}"})))
    (request,) = asked.requests
    assert request.startswith("POST /a/canary/5c1e%209f HTTP/1.1\r\n")
    assert f"\r\nX: {CANARY}\r\n" in request
    assert request.endswith("\r\n\r\nt=canary%2F5c1e+9f")
    assert [verdict.state for verdict in told] == [StepState.FAILED] * 4
    assert told[0].text.endswith(", expected 200-299")
    assert "the secret other was not added for 127.0.0.1" in told[1].text
    assert all("not sent: " in verdict.text for verdict in told[1:])
    assert "canary" not in f"{told} {caplog.text}"


# Waits


def answers(*statuses: int) -> Handler:
    """A deployment that answers with each of these, and then always with the last."""
    left = list(statuses)

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        status = left.pop(0) if len(left) > 1 else left[0]
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode())

    return handler


async def test_a_wait_ends_when_the_deployment_is_healthy(world: World) -> None:
    """Where the switch leads, or the one that is named; the first looks say that it is not."""
    async with raw_server(answers(503, 503, 503, 200)) as port:
        service = shop(HealthCheck(scheme="http", port=port))
        verdict = await world.perform(WaitUntil(until="healthy"), service=service)
        named = await world.perform(WaitUntil(until="down", deployment="primary"), service=service)
    assert verdict.state is named.state is StepState.DONE
    assert verdict.text.startswith("backup is healthy")
    assert named.text.startswith("primary is down")


async def test_a_wait_that_is_in_vain_says_what_was_seen(world: World) -> None:
    """Failed: the run does not go on as if it had come true."""
    async with raw_server(answers(503)) as port:
        service = shop(HealthCheck(scheme="http", port=port))
        verdict = await world.perform(WaitUntil(until="healthy"), timeout=3, service=service)
    assert verdict.state is StepState.FAILED
    assert verdict.text.startswith("backup is not healthy after 3 s: ")
    assert "503" in verdict.text


@pytest.mark.parametrize(
    "operation",
    [WaitUntil(until="healthy"), WaitUntil(until="seconds", seconds=3600), Approval(question="?")],
    ids=["for health", "for a time", "for a person"],
)
async def test_a_stopped_run_ends_its_waits_at_once(world: World, operation: Operation) -> None:
    """Even in the midst of a probe that nobody answers."""
    stop = asyncio.Event()
    asked = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read()

    async def stopping(_: Run) -> None:
        if isinstance(operation, WaitUntil) and operation.until == "healthy":
            await asked.wait()
        stop.set()

    async with asyncio.timeout(20), raw_server(silent) as port:
        service = shop(HealthCheck(scheme="http", port=port, timeout=60, first_byte_timeout=60))
        verdict = await world.perform(operation, timeout=3600, service=service, stop=stop, begun=stopping)
    assert verdict.state is StepState.UNKNOWN


async def test_a_time_is_waited_for(world: World) -> None:
    """To its end, whatever the time-out of other operations is."""
    verdict = await world.perform(WaitUntil(until="seconds", seconds=0.2), timeout=0.1)
    assert verdict == (StepState.DONE, "waited for 0 s")


# People


@pytest.mark.parametrize(
    ("word", "verdict"),
    [
        (Approved(step=0, who="ann", note="all there"), (StepState.DONE, "approved by ann: all there")),
        (Declined(step=0, who="ben", reason="not yet"), (StepState.REFUSED, "declined by ben: not yet")),
        (Skipped(step=0, who="ann", reason="by phone"), (StepState.SKIPPED, "by phone")),
    ],
    ids=["yes", "no", "left out"],
)
async def test_a_question_waits_for_a_persons_word(
    world: World, tmp_path: Path, word: Approved | Declined | Skipped, verdict: tuple[StepState, str]
) -> None:
    """Which another process puts into the journal."""
    elsewhere = Journal(Home.at(tmp_path).database)

    async def saying_it(run: Run) -> None:
        await elsewhere.append(run.run, word)

    assert await world.perform(Approval(question="Go?"), begun=saying_it) == verdict
    elsewhere.close()


async def test_a_question_that_nobody_answers_is_a_no(world: World) -> None:
    """It never answers itself."""
    verdict = await world.perform(Approval(question="Go?"), timeout=1)
    assert verdict == (StepState.REFUSED, "nobody answered within 1 s")


async def test_a_note_is_told(world: World) -> None:
    """And the run goes on."""
    assert await world.perform(Note(note="Tell the press")) == (StepState.DONE, "Tell the press")


async def test_a_platform_that_cannot_be_steered(world: World) -> None:
    """Said, as is a deployment that the settings no longer have."""
    verdict = await world.perform(PlatformCall(deployment="backup", verb="promote"))
    assert verdict.state is StepState.FAILED
    assert verdict.text.startswith('backup runs on "url", which nobody can steer. Nothing was done.')
    gone = (StepState.FAILED, "there is no deployment third any more; nothing was done")
    assert await world.perform(PlatformCall(deployment="third", verb="scale")) == gone
    assert await world.perform(WaitUntil(until="down", deployment="third")) == gone


QT = """
import asyncio, os, sys
os.environ["QT_QPA_PLATFORM"] = "offscreen"
import qasync
from PySide6.QtWidgets import QApplication
from changeover.switchover.actions.command import run_command
async def main():
    stop = asyncio.Event()
    print(*await run_command(("sh", "-c", "echo one; exit 3"), {}, 20, stop), sep="|")
    print(*await run_command(("sh", "-c", "sleep 1000"), {}, 0.5, stop), sep="|")
qasync.run(main())
"""


async def test_a_command_runs_under_the_windows_loop_too() -> None:
    """Qt's loop starts and ends programs as the plain one does."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", QT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    first, second = out.decode().splitlines() or [err.decode(), ""]
    assert first == "failed|it ended with status 3; it said: one"
    assert second == "unknown|it was ended after 0 s, its time-out; how far it came is not known"
