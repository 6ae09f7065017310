"""Whatever answers in a MySQL server's place: it ends in time, in words, and with the password kept."""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from changeover.databases.mysql import MySQL
from changeover.model.errors import AuthError, ProviderError, Unavailable
from changeover.model.secret import Secret

TLS, PLUGIN_AUTH = 1 << 11, 1 << 19
ALL = 0xFFFFFFFF & ~TLS & ~(1 << 24) & ~(1 << 5)  # without TLS, without what aiomysql does not know, uncompressed
OK = b"\0\0\0\2\0\0\0"

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def packet(number: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "little") + bytes([number]) + payload


def greeting(capabilities: int = ALL, plugin: str = "mysql_native_password", version: str = "8.4.0") -> bytes:
    low, high = struct.pack("<I", capabilities)[:2], struct.pack("<I", capabilities)[2:]
    head = b"\x0a" + version.encode() + b"\0" + struct.pack("<I", 7) + b"saltsalt\0" + low + b"\x2d\2\0" + high
    return packet(0, head + b"\x15" + bytes(10) + b"saltsaltsalt\0" + plugin.encode() + b"\0")


def says(*answers: bytes, then: bytes = b"") -> Answer:
    """The first at once, each further one for something that was sent, and the last without end."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number, text in enumerate(answers):
            if number:
                await reader.read(65536)
            writer.write(text)
        while then:
            writer.write(then)
            await writer.drain()
        await reader.read()

    return answer


def drips(text: bytes) -> Answer:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not reader.at_eof():
            for byte in text:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.02)

    return answer


@asynccontextmanager
async def hostile(answer: Answer) -> AsyncIterator[tuple[int, bytearray]]:
    """The port of a server that answers so, and all that it was sent."""
    got = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        read = reader.read

        async def noted(n: int = -1) -> bytes:
            data = await read(n)
            got.extend(data)
            return data

        reader.read = noted  # type: ignore[method-assign]
        try:
            await answer(reader, writer)
        except OSError:
            pass  # the client has gone, as it should
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        yield listening.sockets[0].getsockname()[1], got


async def asked(answer: Answer, mode: str = "DISABLED") -> tuple[ProviderError, bytes]:
    async with hostile(answer) as (port, got), asyncio.timeout(60):
        with pytest.raises(ProviderError) as caught:
            await MySQL(Secret(f"mysql://me:sesame@127.0.0.1:{port}/?ssl-mode={mode}")).observe()
    assert "sesame" not in caught.value.text + caught.value.hint
    assert caught.value.text.isprintable()
    assert len(caught.value.text) < 400
    return caught.value, bytes(got)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("changeover.databases.mysql.SECONDS", 1.0)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(says(b""), id="silence"),
        pytest.param(drips(greeting(version="8" * 60)), id="a greeting without end"),
        pytest.param(drips(b"\xff\xff\x0f\0"), id="a packet without end"),
        pytest.param(says(greeting(), b""), id="silence after the login"),
        pytest.param(says(greeting(), packet(2, OK), b""), id="silence after a question"),
    ],
)
async def test_who_does_not_come_to_an_end_is_not_waited_for(answer: Answer) -> None:
    """The time is up, however many bytes came."""
    error, _ = await asked(answer)
    assert isinstance(error, Unavailable)
    assert "did not answer in 1 s" in error.text


@pytest.mark.parametrize("mode", ["DISABLED", "REQUIRED", "VERIFY_IDENTITY"])
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(says(b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n" * 9), id="http"),
        pytest.param(says(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"), id="ssh"),
        pytest.param(says(b"", then=random.Random(1).randbytes(65536)), id="noise"),
        pytest.param(says(packet(0, b"")), id="an empty packet"),
        pytest.param(says(packet(0, b"\x0a8")), id="half a greeting"),
        pytest.param(says(packet(0, b"\x0a" + b"8.4\0" + bytes(3))), id="a short greeting"),
        pytest.param(says(greeting(ALL | TLS), b"no TLS at all" * 9), id="no TLS after all"),
        pytest.param(says(greeting(version="x.y")), id="a version without a number"),
        pytest.param(says(greeting(), packet(2, b"")), id="an empty answer to the login"),
        pytest.param(says(greeting(), packet(2, OK), packet(1, b"\x03")), id="half a table"),
        pytest.param(says(greeting(), packet(2, OK), packet(1, b"\xfe" + b"\xff" * 8)), id="columns without number"),
        pytest.param(says(greeting(), packet(2, OK), *[packet(1, OK)] * 12), id="no rows"),
        pytest.param(says(greeting(), packet(9, OK)), id="numbers that do not follow"),
        pytest.param(says(greeting(), b"\xff\xff\xff\2" + bytes(9)), id="less than was said"),
    ],
)
async def test_nonsense_is_told_as_no_answer(answer: Answer, mode: str) -> None:
    """Nothing of it is taken for an observation, and no other error comes of it."""
    error, _ = await asked(answer, mode)
    assert isinstance(error, Unavailable)


async def test_what_is_sent_without_end_is_not_kept() -> None:
    """A connection reads no more than its bound."""
    error, _ = await asked(says(greeting(), packet(2, OK), b"", then=b"\xff\xff\xff\1" + bytes(0xFFFFFF)))
    assert isinstance(error, Unavailable)
    assert "more than 16 MB" in error.text


@pytest.mark.parametrize("mode", ["REQUIRED", "VERIFY_IDENTITY"])
async def test_a_server_that_says_that_it_has_no_tls_is_told_nothing(mode: str) -> None:
    """Somebody on the wire could say so in its place: not even the user's name goes there."""
    error, got = await asked(says(greeting(), packet(2, OK)), mode)
    assert isinstance(error, Unavailable)
    assert "it has no TLS" in error.text
    assert got == b""


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(says(greeting(), packet(2, b"\xfemysql_clear_password\0\0"), b""), id="asked for"),
        pytest.param(says(greeting(plugin="mysql_clear_password"), packet(2, OK), b""), id="greeted with"),
        pytest.param(says(greeting(), packet(2, b"\xfemysql_old_password\0saltsalt\0"), b""), id="old"),
        pytest.param(says(greeting(), packet(2, b"\xfe"), b""), id="older"),
        pytest.param(says(greeting(ALL & ~PLUGIN_AUTH), packet(2, b"\xfe"), b""), id="without a word of logins"),
        pytest.param(says(greeting(), packet(2, b"\xfedialog\0Password: "), b""), id="a question"),
    ],
)
async def test_the_password_goes_nowhere_in_the_clear(answer: Answer) -> None:
    """Nor as one of the hashes that are as good as that."""
    _, got = await asked(answer)
    assert b"sesame" not in got


async def test_a_login_that_is_not_known_is_told_with_those_that_are() -> None:
    """So that whoever runs the server can change the user."""
    error, _ = await asked(says(greeting(), packet(2, b"\xfeclient_ed25519\0" + bytes(32)), b""))
    assert isinstance(error, AuthError)
    assert "client_ed25519" in error.text
    assert "caching_sha2_password" in error.hint


async def test_no_file_of_ours_is_sent(tmp_path: Path) -> None:
    """A server may answer any question with "send me this file" (LOAD DATA LOCAL)."""
    file = tmp_path / "key"
    file.write_text("a private key")
    error, got = await asked(says(greeting(), packet(2, OK), packet(1, b"\xfb" + str(file).encode()), b""))
    assert isinstance(error, Unavailable)
    assert b"private" not in got


async def test_what_a_server_says_is_shown_as_text() -> None:
    """Its refusal steers no terminal and is not a page."""
    words = "\x1b[2J\u202edenied \x07".encode() * 200
    error, _ = await asked(says(greeting(), packet(2, b"\xff" + struct.pack("<H", 1045) + b"#28000" + words)))
    assert isinstance(error, AuthError)
    assert "denied" in error.text
