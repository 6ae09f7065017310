"""Looking around on loopback: who answers, who does not, who lies, and what this computer is told about it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from changeover.dns.lookup import client
from changeover.health.connectivity.names import SYSTEM, Names
from changeover.health.connectivity.witnesses import look_around
from changeover.model.health.connectivity import Connection, Connectivity, Evidence
from changeover.model.settings.service import LookupSettings
from changeover.model.wording.fault_words import clock_words, connection_words
from dns_servers.process import free_port
from health.connectivity.servers import Respond, over_https, resolver, response, saying, silence, web

NAME = "witness.example"
HERE = {NAME: ["127.0.0.1"]}
NOTHING = LookupSettings(resolvers=(), witnesses=(), doh=(), portal=None)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def serving(authority: trustme.CA, *names: str, **more: datetime) -> ssl.SSLContext:
    """What a server needs to be `names`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(names or (NAME, "127.0.0.1")), **more).configure_cert(context)
    return context


def closed() -> str:
    """A witness that refuses connections."""
    return f"tcp://127.0.0.1:{free_port()}"


def settings(**more: object) -> LookupSettings:
    """These settings, and nobody else is asked."""
    return LookupSettings(**{"resolvers": (), "witnesses": (), "doh": (), "portal": None, **more})  # type: ignore[arg-type]


def said(connection: Connection, kind: str) -> list[Evidence]:
    return [e for e in connection.evidence if e.kind == kind]


@contextlib.asynccontextmanager
async def tcp_witnesses(number: int) -> AsyncIterator[list[str]]:
    """Witnesses that take connections."""
    async with contextlib.AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(web(silence)) for _ in range(number)]
        yield [f"tcp://127.0.0.1:{server.port}" for server in servers]


async def test_everybody_answers(authority: trustme.CA, trusting: ssl.SSLContext) -> None:
    """Online, with the evidence of each: connections, a proven name, resolvers that agree, a portal that is none."""
    tls = serving(authority)
    async with (
        tcp_witnesses(2) as two,
        web(saying(200, body=b"hello"), tls) as secure,
        web(over_https(HERE), tls) as doh,
        web(saying(204)) as portal,
        resolver(HERE) as own,
    ):
        found = await look_around(
            settings(
                witnesses=(*two, f"https://{NAME}:{secure.port}/trace?a=b"),
                resolvers=(own,),
                doh=(f"https://127.0.0.1:{doh.port}/dns-query",),
                portal=f"http://{NAME}:{portal.port}/generate_204",
            ),
            tls=trusting,
        )
    assert (found.link, connection_words(found)) == (Connectivity.ONLINE, "This computer is online.")
    assert not found.dns_fails
    kinds = ["interface", "tcp", "tcp", "https", "portal", "resolver", "doh"]
    assert [e.kind for e in found.evidence] == kinds
    assert all(e.ok for e in found.evidence), found.evidence
    assert {e.addresses for e in found.evidence if e.kind in ("resolver", "doh")} == {("127.0.0.1",)}
    assert secure.heads[0].startswith(f"GET /trace?a=b HTTP/1.1\r\nHost: {NAME}:{secure.port}\r\n".encode())
    assert found.clock_ahead is not None
    assert clock_words(found.clock_ahead) is None, "the witnesses have this very clock"


@pytest.mark.parametrize(
    ("asked", "seen"), [(True, [("this computer's resolver", True, ("127.0.0.1",))]), (None, []), (False, [])]
)
async def test_this_computers_own_resolver(
    authority: trustme.CA,
    trusting: ssl.SSLContext,
    asked: bool | None,
    seen: list[object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is a witness too, unless the settings name resolvers of their own and do not say that it may be asked."""
    async with web(saying(200, body=b"hello"), serving(authority)) as secure, resolver(HERE) as own:
        monkeypatch.setattr(client, "system_resolvers", lambda: (own,))
        witness = f"https://{NAME}:{secure.port}/"
        found = await look_around(settings(witnesses=(witness,), system_resolvers=asked), tls=trusting)
    assert [(e.witness, e.ok, e.addresses) for e in found.evidence if e.kind == "resolver"] == seen


@pytest.mark.parametrize(
    ("answer", "refuse", "link", "text"),
    [
        (0, 3, Connectivity.OFFLINE, "This computer is offline: none of 3 witnesses answers."),
        (1, 2, Connectivity.OFFLINE, "This computer is offline: only 1 of 3 witnesses answers."),
        (2, 1, Connectivity.ONLINE, "This computer is online."),
        (0, 1, Connectivity.OFFLINE, "This computer is offline: its only witness does not answer."),
        (1, 0, Connectivity.ONLINE, "This computer is online."),
    ],
)
async def test_two_witnesses_decide(answer: int, refuse: int, link: Connectivity, text: str) -> None:
    """One alone does not, unless it is the only one."""
    async with tcp_witnesses(answer) as open_:
        found = await look_around(settings(witnesses=(*open_, *(closed() for _ in range(refuse)))))
    assert (found.link, connection_words(found)) == (link, text)
    assert [e.text for e in said(found, "tcp") if not e.ok] == ["connection refused"] * refuse


async def test_a_witness_that_says_nothing() -> None:
    """It takes the connection and the request, and that is not enough."""
    async with web(silence) as quiet:
        found = await look_around(settings(witnesses=(f"http://127.0.0.1:{quiet.port}/",)), timeout=0.5)
    assert found.link is Connectivity.OFFLINE
    assert [e.text for e in said(found, "tcp")] == ["no answer within 0.5 s"]


@pytest.mark.parametrize(
    "answer",
    [saying(200, body=b"Log in here"), saying(302, "Location: {login}"), saying(511, body=b"Log in")],
    ids=["a page", "a redirect", "RFC 6585"],
)
async def test_a_login_page_stands_in_between(answer: Respond) -> None:
    """It takes every connection, so that witnesses that only connect believe it. Its page is not visited."""
    async with tcp_witnesses(2) as two, web(saying(200)) as login:

        def respond(head: bytes, body: bytes) -> bytes | None:
            return (answer(head, body) or b"").replace(b"{login}", f"http://127.0.0.1:{login.port}/login".encode())

        async with web(respond) as portal:
            found = await look_around(settings(witnesses=tuple(two), portal=f"http://127.0.0.1:{portal.port}/204"))
    assert found.link is Connectivity.PORTAL
    assert found.blind
    assert (
        connection_words(found)
        == "A login page stands between this computer and the internet. Open a browser and log in."
    )
    assert " instead of 204" in said(found, "portal")[0].text
    assert login.connections == 0


async def test_a_proven_witness_outweighs_a_strange_portal(authority: trustme.CA, trusting: ssl.SSLContext) -> None:
    """Nobody in between has its certificate."""
    async with (
        tcp_witnesses(1) as one,
        web(saying(200), serving(authority)) as secure,
        web(saying(200, body=b"moved")) as portal,
    ):
        found = await look_around(
            settings(witnesses=(*one, f"https://127.0.0.1:{secure.port}/"), portal=f"http://127.0.0.1:{portal.port}/"),
            tls=trusting,
        )
    assert found.link is Connectivity.ONLINE


async def test_a_portal_that_does_not_answer_says_nothing() -> None:
    """Its address may be the one with a fault."""
    async with tcp_witnesses(2) as two:
        found = await look_around(settings(witnesses=tuple(two), portal=f"http://127.0.0.1:{free_port()}/"))
    assert found.link is Connectivity.ONLINE
    assert [e.ok for e in said(found, "portal")] == [None]


async def test_a_witness_may_redirect_and_is_not_followed(authority: trustme.CA, trusting: ssl.SSLContext) -> None:
    """It answered, which is all that is asked of it."""
    async with web(saying(200)) as elsewhere:
        to = f"Location: http://127.0.0.1:{elsewhere.port}/"
        async with web(saying(301, to), serving(authority)) as secure:
            found = await look_around(settings(witnesses=(f"https://127.0.0.1:{secure.port}/",)), tls=trusting)
    assert found.link is Connectivity.ONLINE
    assert said(found, "https")[0].text.startswith("301 in ")
    assert elsewhere.connections == 0


@pytest.mark.parametrize(
    ("clock", "words"),
    [
        (timedelta(minutes=5), "5 min behind"),
        (timedelta(minutes=-10), "10 min ahead"),
        (timedelta(hours=-2, minutes=-30), "2 h 30 min ahead"),
        (timedelta(seconds=50), None),
    ],
)
async def test_the_clocks_of_witnesses(clock: timedelta, words: str | None) -> None:
    """A witness's Date tells that this computer's clock is off, from a minute on."""
    async with web(saying(200, clock=clock)) as one, web(saying(200, clock=clock)) as two:
        found = await look_around(settings(witnesses=tuple(f"http://127.0.0.1:{w.port}" for w in (one, two))))
    assert found.clock_ahead == pytest.approx(-clock.total_seconds(), abs=8)
    told = clock_words(found.clock_ahead)
    assert (told is None) if words is None else (told is not None and f"clock is {words};" in told)


async def test_one_wrong_clock_among_the_witnesses() -> None:
    """It is outvoted by old answers of caches, which say how old they are."""
    cached = saying(200, "Age: 7200", clock=timedelta(hours=-2))
    async with web(saying(200, clock=timedelta(hours=3))) as wrong, web(cached) as one, web(cached) as two:
        witnesses = tuple(f"http://127.0.0.1:{w.port}" for w in (wrong, one, two))
        found = await look_around(settings(witnesses=witnesses))
    assert found.clock_ahead == pytest.approx(0, abs=8)


@pytest.mark.parametrize("date", ["yesterday", "Mon, 99 Jan 2026 00:00:00 GMT", ""])
async def test_a_date_that_is_none(date: str) -> None:
    """The witness answers all the same."""
    answer = f"HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: 0\r\n\r\n".encode()
    async with web(lambda _head, _body: answer) as witness:
        found = await look_around(settings(witnesses=(f"http://127.0.0.1:{witness.port}",)))
    assert (found.link, found.clock_ahead) == (Connectivity.ONLINE, None)


async def test_a_witness_that_cannot_prove_who_it_is(authority: trustme.CA, trusting: ssl.SSLContext) -> None:
    """Its certificate is somebody else's, of nobody's authority, or out of its time: it does not count."""
    past, long_past = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) - timedelta(days=9)
    future = datetime.now(UTC) + timedelta(days=1)
    contexts = [
        serving(authority, "other.example"),
        serving(trustme.CA()),
        serving(authority, not_before=long_past, not_after=past),
        serving(authority, not_before=future, not_after=future + timedelta(days=9)),
    ]
    async with contextlib.AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(web(saying(200), one)) for one in contexts]
        witnesses = tuple(f"https://127.0.0.1:{server.port}/" for server in servers)
        found = await look_around(settings(witnesses=witnesses), tls=trusting)
    assert found.link is Connectivity.OFFLINE
    texts = [e.text for e in said(found, "https")]
    assert texts[0] == "certificate refused: it is for other.example, not for 127.0.0.1"
    assert texts[1].startswith("certificate refused: the chain is incomplete or its authority is not trusted")
    assert texts[2] == "certificate refused: it expired 24 h ago; is this computer's clock right?"
    assert texts[3].startswith("certificate refused: it is not valid before ")
    assert texts[3].endswith("; is this computer's clock right?")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "the connection was closed without one"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "illegal status line"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20000, "too long"),
    ],
)
async def test_what_is_no_answer(answer: bytes, words: str) -> None:
    """Whatever comes, the words say it, and nothing is raised."""
    async with web(lambda _head, _body: answer) as witness:
        found = await look_around(settings(witnesses=(f"http://127.0.0.1:{witness.port}",)))
    assert found.link is Connectivity.OFFLINE
    assert words in said(found, "tcp")[0].text


async def test_a_long_answer_is_not_read_to_its_end() -> None:
    """64 KiB are plenty."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n" + b"x" * 200_000
    async with web(lambda _head, _body: answer) as witness:
        found = await look_around(settings(witnesses=(f"http://127.0.0.1:{witness.port}",)))
    assert found.link is Connectivity.ONLINE


async def test_without_witnesses_nobody_is_asked() -> None:
    """Not the portal and not DNS over HTTPS either: an empty list sends nothing at all."""
    async with web(saying(204)) as portal, web(over_https(HERE)) as doh:
        found = await look_around(
            settings(doh=(f"http://127.0.0.1:{doh.port}/dns-query",), portal=f"http://127.0.0.1:{portal.port}/")
        )
    assert (found.link, found.evidence, found.blind) == (Connectivity.UNKNOWN, (), False)
    assert (portal.connections, doh.connections) == (0, 0)


async def test_the_resolver_is_dead_and_dns_over_https_is_not(authority: trustme.CA, trusting: ssl.SSLContext) -> None:
    """The fault has its own words; the witness is found by DNS over HTTPS."""
    tls = serving(authority)
    async with web(saying(200), tls) as secure, web(over_https(HERE), tls) as doh:
        found = await look_around(
            settings(
                witnesses=(f"https://{NAME}:{secure.port}/",),
                resolvers=(f"127.0.0.1:{free_port()}",),
                doh=(f"https://127.0.0.1:{doh.port}/dns-query",),
            ),
            tls=trusting,
        )
    assert found.link is Connectivity.ONLINE
    assert found.dns_fails
    assert connection_words(found) == (
        "This computer's own DNS does not answer; DNS over HTTPS does. Check the resolver or the VPN."
    )


async def test_a_resolver_that_sends_visitors_into_the_void(authority: trustme.CA, trusting: ssl.SSLContext) -> None:
    """A wrong address of one answer does not hide a witness that another answer leads to."""
    tls = serving(authority)
    async with (
        resolver({NAME: ["127.0.0.9"]}) as wrong,
        resolver(HERE) as right,
        web(saying(200), tls) as secure,
    ):
        found = await look_around(
            settings(witnesses=(f"https://{NAME}:{secure.port}/",), resolvers=(wrong, right)), tls=trusting
        )
    assert found.link is Connectivity.ONLINE


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (saying(503), "it answers 503"),
        (saying(200, body=b"<html>Log in</html>"), "its answer is no DNS message"),
        (lambda _head, body: response(200, body=body), "it answers another question"),
        (silence, "no answer within 1 s"),
    ],
    ids=["an error", "a page", "an echo", "silence"],
)
async def test_dns_over_https_that_is_none(
    authority: trustme.CA, trusting: ssl.SSLContext, answer: Respond, words: str
) -> None:
    """It speaks against nobody."""
    async with web(answer, serving(authority)) as doh, resolver(HERE) as own, tcp_witnesses(2) as two:
        found = await look_around(
            settings(
                witnesses=(*two, f"https://{NAME}:{free_port()}/"),
                resolvers=(own,),
                doh=(f"https://127.0.0.1:{doh.port}/dns-query",),
            ),
            tls=trusting,
            timeout=1.0,
        )
    assert [(e.ok, e.text) for e in said(found, "doh")] == [(False, words)]
    assert (found.link, found.dns_fails) == (Connectivity.ONLINE, False)


async def test_a_name_that_nobody_knows() -> None:
    """The witness does not answer, and it is said why."""
    async with resolver({}) as own:
        found = await look_around(settings(witnesses=("tcp://gone.example:443",), resolvers=(own,)))
    assert [(e.ok, e.text) for e in said(found, "tcp")] == [(False, "its name has no address")]


async def test_looking_around_leaves_nothing_behind() -> None:
    """No task goes on, whether it was done or given up half way."""
    asked = asyncio.Event()

    def respond(_head: bytes, _body: bytes) -> None:
        asked.set()

    async with web(respond) as quiet, resolver({}) as own:
        before = asyncio.all_tasks()
        look = asyncio.create_task(
            look_around(
                settings(
                    witnesses=(f"http://127.0.0.1:{quiet.port}", f"https://{NAME}"),
                    resolvers=(own, f"127.0.0.1:{quiet.port}"),
                )
            )
        )
        await asked.wait()
        look.cancel()
        with pytest.raises(asyncio.CancelledError):
            await look
        left = asyncio.all_tasks() - before
        assert not [task for task in left if "look_around" in repr(task) or "Names" in repr(task)]


@pytest.mark.parametrize(
    ("lookup", "asked"),
    [
        (LookupSettings(), True),
        (LookupSettings(resolvers=("127.0.0.1:5353",)), False),
        (LookupSettings(resolvers=("127.0.0.1:5353",), system_resolvers=True), True),
        (LookupSettings(system_resolvers=False), False),
    ],
    ids=["nobody named any", "some are named", "and then the system's", "never"],
)
def test_the_systems_own_resolver_is_asked_where_the_settings_let_it(lookup: LookupSettings, asked: bool) -> None:
    """Alone, it says how this computer's own DNS is; with no other resolvers it is still the settings that decide."""
    assert (lookup.system_only.resolvers, lookup.system_only.falls_back) == ((), asked)


async def test_a_system_resolver_that_is_not_to_be_asked_says_nothing() -> None:
    """It is not counted as one that failed."""
    async with resolver(HERE) as own:
        async with asyncio.TaskGroup() as group:
            asking = Names(settings(resolvers=(own,)), group, None, 2.0).by_resolvers(NAME)
        found = [task.result() for task in asking]
    assert [(e.ok, e.witness == SYSTEM) for e in found] == [(True, False)]
