"""Journeys at real servers: they go on to the first step that fails, and give away nothing on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from changeover.health.journey import run_journey
from changeover.model.health.check import HealthCheck, Journey, JourneyResult, JourneyStep
from changeover.model.secret import Secret
from changeover.model.settings.service import Answer, Deployment
from dns_servers.process import free_port
from health.web import Talk, answering, header, serving, silence
from web_servers.nginx import Nginx

WWW = "www.shop.example"
BACKUP = Deployment(name="backup", answer=Answer(a=("127.0.0.1",)))
LOG_IN = JourneyStep(path="/login", method="POST", body="user=probe&password={secret:PROBE}", expect_status="302")
ORDERS = JourneyStep(path="/orders", expect_status="200", capture={"order": "json:orders[0].id"})
ORDER = JourneyStep(path="/orders/{order}", expect_body="order 17")
SECRETS = {"PROBE": Secret("hunter2 & co")}


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with Nginx(tmp_path_factory.mktemp("web"), {"backup": ["127.0.0.1"]}, [WWW]) as running:
        yield running


async def at_nginx(nginx: Nginx, *steps: JourneyStep, **more: Any) -> JourneyResult:
    check = HealthCheck(port=nginx.port, ca_file=str(nginx.ca_file))
    journey = Journey(name="an order", steps=steps)
    return await run_journey(journey, BACKUP, WWW, "127.0.0.1", check, more.get("secrets", SECRETS))


async def test_log_in_look_around_read(nginx: Nginx) -> None:
    """Cookies are kept, captured values are used, redirects are answers like any other."""
    found = await at_nginx(nginx, LOG_IN, ORDERS, ORDER)
    assert (found.ok, found.journey, found.deployment) == (True, "an order", "backup")
    assert (found.hostname, found.address) == (WWW, "127.0.0.1")
    assert found.text.startswith("3 steps in ")
    assert found.seconds is not None


async def test_the_first_step_that_fails_is_named(nginx: Nginx) -> None:
    """A health page may say 200 while whoever logs in finds no database (F12)."""
    nginx.stop_database("backup")
    try:
        found = await at_nginx(nginx, JourneyStep(path="/health"), LOG_IN, ORDERS, ORDER)
    finally:
        nginx.start_database("backup")
    assert (found.ok, found.text) == (False, "step 3 (GET /orders): 500, expected 200")


async def test_without_the_cookie_nobody_is_logged_in(nginx: Nginx) -> None:
    """Each journey begins as a stranger."""
    assert (await at_nginx(nginx, LOG_IN, ORDERS)).ok is True
    found = await at_nginx(nginx, ORDERS)
    assert (found.ok, found.text) == (False, "step 1 (GET /orders): 401, expected 200")


async def test_a_secret_that_is_not_there(nginx: Nginx) -> None:
    """Nothing is asked, and nothing is said against the deployment."""
    found = await at_nginx(nginx, LOG_IN, secrets={})
    words = "step 1 (POST /login): the secret PROBE is not in the keyring; add it there"
    assert (found.ok, found.text) == (None, words)


def in_turn(asked: list[str], answers: Sequence[bytes]) -> Talk:
    """Keeps the requests, and gives the answers one after the other."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = int(header(head, "Content-Length") or 0)
        asked.append(head + (await reader.readexactly(length)).decode())
        writer.write(answers[len(asked) - 1])
        await writer.drain()

    return talk


def answer(body: bytes = b"", *headers: bytes, status: bytes = b"200 OK") -> bytes:
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *headers, b"", body]
    return b"\r\n".join(lines)


async def journeyed(
    answers: Sequence[bytes], *steps: JourneyStep, secrets: dict[str, Secret] | None = None
) -> tuple[JourneyResult, list[str]]:
    """What came of a journey to a server with these answers, and what it was asked."""
    asked: list[str] = []
    async with serving(in_turn(asked, answers)) as web:
        check = HealthCheck(scheme="http", port=web.port)
        found = await run_journey(Journey(name="j", steps=steps), BACKUP, WWW, "127.0.0.1", check, secrets or {})
    return found, asked


async def test_what_is_sent() -> None:
    """Host and address as a probe's, with the method, headers and body of the step, all filled in."""
    steps = (
        JourneyStep(path="/token", capture={"token": "header:X-Token", "id": r"body:id=(\w+)"}),
        JourneyStep(
            path="/orders/{id}?x=1",
            method="PUT",
            headers={"Authorization": "Bearer {token}"},
            body='{"password": "{secret:PROBE}"}',
        ),
        JourneyStep(path="/orders", method="HEAD"),
        JourneyStep(path="/orders", method="DELETE"),
    )
    answers = [
        answer(b"id=17", b"X-Token: t0p"),
        answer(),
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n",
        answer(status=b"204 No Content"),
    ]
    found, asked = await journeyed(answers, *steps, secrets={"PROBE": Secret('a"b')})
    assert found.ok is True, found.text
    assert asked[1].startswith("PUT /orders/17?x=1 HTTP/1.1\r\n")
    assert (header(asked[1], "Host") or "").startswith(f"{WWW}:")
    assert header(asked[1], "Authorization") == "Bearer t0p"
    assert header(asked[1], "Content-Type") == "application/json"
    assert asked[1].endswith('\r\n\r\n{"password": "a\\"b"}')
    assert asked[2].startswith("HEAD /orders ")
    assert asked[3].startswith("DELETE /orders ")


async def test_letters_that_are_no_ascii() -> None:
    """A cookie and a captured header go out with the bytes that they came with, a text of the settings as Latin-1, and
    one that has no place there as UTF-8."""
    steps = (
        JourneyStep(path="/", capture={"who": "header:X-Who"}),
        JourneyStep(path="/", headers={"X-Who": "{who}", "X-Latin": "Jürgen", "X-Far": "日本"}),
    )
    name = "Jürgen".encode()
    answers = [answer(b"", b"Set-Cookie: name=" + name + b"; Path=/", b"X-Who: " + name), answer()]
    found, asked = await journeyed(answers, *steps)
    assert found.ok is True, found.text
    sent = {key: (header(asked[1], key) or "").encode("latin-1") for key in ("Cookie", "X-Who", "X-Latin", "X-Far")}
    assert sent == {
        "Cookie": b"name=" + name,
        "X-Who": name,
        "X-Latin": "Jürgen".encode("latin-1"),
        "X-Far": "日本".encode(),
    }


async def test_cookies_as_a_browser_keeps_them() -> None:
    """By path, until they are taken back; none for another site, none over plain HTTP that wants TLS."""
    cookies = (
        b"Set-Cookie: a=1; Path=/",
        b"Set-Cookie: b=2; Path=/shop",
        b"Set-Cookie: c=3; Domain=elsewhere.example",
        b"Set-Cookie: d=4; Path=/; Secure",
    )
    answers = [answer(b"", *cookies), answer(), answer(b"", b"Set-Cookie: a=; Path=/; Max-Age=0"), answer()]
    steps = [JourneyStep(path=path) for path in ("/", "/", "/shop/cart", "/shop/cart")]
    found, asked = await journeyed(answers, *steps)
    assert found.ok is True, found.text
    sent = [header(head, "Cookie") for head in asked]
    assert (sent[0], sent[1], sent[3]) == (None, "a=1", "b=2")
    assert set((sent[2] or "").split("; ")) == {"a=1", "b=2"}


@pytest.mark.parametrize(
    ("step", "said", "words"),
    [
        (
            JourneyStep(path="/", expect_json={"token": "other"}),
            answer(b'{"token": "hunter2"}'),
            '200, but "token" is something else, expected "other"',
        ),
        (
            JourneyStep(path="/", capture={"id": "json:user.id"}),
            answer(b'{"token": "hunter2"}'),
            '200, but {id} cannot be captured: there is no "user.id" in its JSON',
        ),
        (
            JourneyStep(path="/", capture={"id": "json:length(token.a)"}),
            answer(b'{"token": {"a": 5}}'),
            '200, but {id} cannot be captured: "length(token.a)" does not fit its JSON',
        ),
        (
            JourneyStep(path="/", capture={"id": "json:id"}),
            answer(b'"hunter2'),
            "200, but {id} cannot be captured: the body is not JSON",
        ),
        (
            JourneyStep(path="/", expect_header={"X-A": "1"}),
            answer(b"", b"X-A: hunter2"),
            '200, but the header X-A does not say "1"',
        ),
        (JourneyStep(path="/"), b"HTTP/1.1 hunter2\r\n\r\n", "not a valid HTTP response: illegal status line"),
    ],
)
async def test_nothing_that_was_answered_is_told(step: JourneyStep, said: bytes, words: str) -> None:
    """A body, a header, a token: the result goes into logs and reports."""
    found, _ = await journeyed([said], step)
    assert found.ok is False
    assert found.text.startswith(f"step 1 (GET /): {words}")
    assert "hunter2" not in found.text


async def test_what_is_captured_or_secret_is_in_no_result() -> None:
    """The path is told as the settings have it."""
    steps = (JourneyStep(path="/", capture={"id": "json:id"}), JourneyStep(path="/users/{id}/{secret:PROBE}"))
    found, asked = await journeyed([answer(b'{"id": "alice"}'), answer(status=b"404 No")], *steps, secrets=SECRETS)
    assert asked[1].startswith("GET /users/alice/hunter2%20&%20co HTTP/1.1")
    assert found.text == "step 2 (GET /users/{id}/{secret:PROBE}): 404, expected 200-399"


async def test_a_capture_is_read_to_its_end() -> None:
    """Although a condition was met before it came."""
    body = b"welcome " + b"x" * 40_000 + b" id=17"
    step = JourneyStep(path="/", expect_body="welcome", capture={"id": r"body:id=(\d+)"})
    found, _ = await journeyed([answer(body)], step)
    assert found.ok is True, found.text


async def test_what_cannot_be_reached() -> None:
    """In the words of a probe, and within its limits."""
    journey = Journey(name="j", steps=(JourneyStep(path="/"), JourneyStep(path="/next")))
    refused = await run_journey(journey, BACKUP, WWW, "127.0.0.1", HealthCheck(scheme="http", port=free_port()))
    assert (refused.ok, refused.text) == (False, "step 1 (GET /): connection refused")
    async with serving(silence) as web:
        check = HealthCheck(scheme="http", port=web.port, first_byte_timeout=0.2)
        late = await run_journey(journey, BACKUP, WWW, "127.0.0.1", check)
    assert (late.ok, late.text) == (False, "step 1 (GET /): no response within 0.2 s")


async def test_a_value_that_http_does_not_allow() -> None:
    """It is not sent, and not shown."""
    async with serving(answering(answer())) as web:
        check = HealthCheck(scheme="http", port=web.port)
        steps = (JourneyStep(path="/", headers={"X-Key": "{secret:PROBE}"}),)
        found = await run_journey(
            Journey(name="j", steps=steps), BACKUP, WWW, "127.0.0.1", check, {"PROBE": Secret("a\x0bb")}
        )
    assert (found.ok, found.text) == (False, "step 1 (GET /): a value that a header should hold is not one line")
