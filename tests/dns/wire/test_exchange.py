"""DNS messages to one server and back, with real servers and with misbehaving ones."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import pytest

from changeover.dns.wire import exchange
from changeover.dns.wire.answer import record_sets_in
from changeover.dns.wire.exchange import NoRoute, Server, ask, question, read_message
from changeover.model.dns.records import record_set
from changeover.model.dns.server_address import parse_server
from changeover.model.errors import Unavailable
from dns_servers.authoritative import ZONE_TEXT
from dns_servers.bind import Bind
from dns_servers.process import free_port
from dns_servers.questions import ask_all
from dns_servers.relay import Relay

WWW = "www.shop.example"


def at(bind: Bind) -> Server:
    return Server("127.0.0.1", bind.port)


@asynccontextmanager
async def tcp_server(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[Server]:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield Server("127.0.0.1", server.sockets[0].getsockname()[1])
    finally:
        server.close()


def framed(message: dns.message.Message) -> bytes:
    wire = message.to_wire()
    return len(wire).to_bytes(2, "big") + wire


class TestOneQuestion:
    async def test_a_server_answers(self, bind: Bind) -> None:
        """With its own authority, and without recursion being asked for."""
        answer = await ask(at(bind), question(WWW, "A"))
        assert answer.flags & dns.flags.AA
        assert record_sets_in(answer.answer, WWW) == (record_set(WWW, "CNAME", 60, ["primary.example.net"]),)

    async def test_an_answer_that_is_cut_short_is_asked_for_by_tcp(self, tmp_path: Path) -> None:
        """A large record set arrives whole."""
        values = [f"2001:db8::{number:x}" for number in range(1, 81)]
        text = ZONE_TEXT + "".join(f"big AAAA {value}\n" for value in values)
        with Bind(tmp_path, zone_text=text) as bind:
            answer = await ask(at(bind), question("big.shop.example", "AAAA"))
        assert record_sets_in(answer.answer, "big.shop.example") == (
            record_set("big.shop.example", "AAAA", 60, values),
        )

    async def test_a_server_is_asked_by_ipv6(self, tmp_path: Path) -> None:
        """[::1] as well as 127.0.0.1."""
        with Bind(tmp_path, ipv6=True) as bind:
            answer = await ask(Server("::1", bind.port), question(WWW, "A"))
        assert answer.rcode() == dns.rcode.NOERROR

    async def test_a_server_that_answers_by_tcp_only(self) -> None:
        """Silence by UDP is not the end."""

        async def answer_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            wire = await read_message(reader)
            assert wire is not None
            writer.write(framed(dns.message.make_response(dns.message.from_wire(wire))))
            await writer.drain()

        async with tcp_server(answer_one) as server:
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                asyncio.DatagramProtocol, local_addr=server
            )
            answer = await ask(server, question(WWW, "A"), timeout=1.0)
            transport.close()
        assert answer.rcode() == dns.rcode.NOERROR

    async def test_an_answer_to_another_question_is_not_taken(self) -> None:
        """Neither one with a wrong id, nor one about another name, nor noise."""

        class Impostor(asyncio.DatagramProtocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                self.transport = cast(asyncio.DatagramTransport, transport)

            def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
                query = dns.message.from_wire(data)
                right = dns.message.make_response(query)
                wrong_id = dns.message.make_response(query)
                wrong_id.id = query.id ^ 1
                wrong_name = dns.message.make_response(question("other.shop.example", "A"))
                wrong_name.id = query.id
                for message in (wrong_id, wrong_name, right):
                    message.set_rcode(dns.rcode.NOERROR if message is right else dns.rcode.REFUSED)
                    self.transport.sendto(message.to_wire(), addr)
                    self.transport.sendto(b"noise", addr)

        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Impostor, local_addr=("127.0.0.1", 0))
        answer = await ask(Server(*transport.get_extra_info("sockname")), question(WWW, "A"))
        transport.close()
        assert answer.rcode() == dns.rcode.NOERROR

    async def test_a_server_that_is_down_is_named(self) -> None:
        """At once, with what to look at."""
        server = Server("127.0.0.1", free_port())
        with pytest.raises(Unavailable, match=f"{server} refuses connections") as caught:
            await ask(server, question(WWW, "A"))
        assert caught.value.hint

    async def test_a_silent_server_is_named(self, bind: Bind) -> None:
        """Within the time that was given."""
        bind.pause()
        for attempt in (
            ask(at(bind), question(WWW, "A"), timeout=0.4),
            ask_all(at(bind), [question(WWW, "A")], timeout=0.4),
        ):
            with pytest.raises(Unavailable, match=rf"{bind.server} did not answer within 0\.4 s"):
                await attempt

    async def test_an_address_without_a_route_is_told_apart(self) -> None:
        """Nothing was asked, so nothing is known about the server."""
        nowhere = Server("fe80::1", 53)  # a link-local address without its link is not reachable from anywhere
        for attempt in (ask(nowhere, question(WWW, "A")), ask_all(nowhere, [question(WWW, "A")])):
            with pytest.raises(NoRoute, match=r"\[?fe80::1"):
                await attempt


class TestManyQuestions:
    async def test_answers_come_in_the_order_of_the_questions(self, bind: Bind) -> None:
        """Whatever the order in which the server gives them."""
        names = [f"n{number}.shop.example" for number in range(500)]
        bind.change(add=[f"{name}. 60 A 192.0.2.{number % 250}" for number, name in enumerate(names)])
        answers = await ask_all(at(bind), [question(name, "A") for name in names])
        assert [record_sets_in(answer.answer, name) for name, answer in zip(names, answers, strict=True)] == [
            (record_set(name, "A", 60, [f"192.0.2.{number % 250}"]),) for number, name in enumerate(names)
        ]

    async def test_no_questions_need_no_server(self) -> None:
        """An empty list is answered without a connection."""
        assert await ask_all(Server("127.0.0.1", free_port()), []) == []

    async def test_a_connection_that_ends_half_way_is_taken_up_again(self) -> None:
        """A server may answer a few and close (RFC 7766, 6.2.3)."""

        async def answer_two(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for _ in range(2):
                wire = await read_message(reader)
                if wire is None:
                    return
                writer.write(framed(dns.message.make_response(dns.message.from_wire(wire))))
            await writer.drain()

        async with tcp_server(answer_two) as server:
            queries = [question(f"n{number}.shop.example", "A") for number in range(5)]
            answers = await ask_all(server, queries)
        assert all(query.is_response(answer) for query, answer in zip(queries, answers, strict=True))

    async def test_a_connection_that_ends_without_an_answer_is_an_error(self) -> None:
        """It is not tried for ever."""

        async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_message(reader)

        async with tcp_server(hang_up) as server:
            with pytest.raises(Unavailable, match="closed the connection"):
                await ask_all(server, [question(WWW, "A")])


class TestAnotherQuestion:
    """An answer by TCP counts only with the question that it answers: what it says of another name is not believed."""

    @pytest.mark.parametrize("other", [question("else.shop.example", "A"), question(WWW, "AAAA")])
    async def test_an_answer_to_another_question_is_passed_over(self, other: dns.message.Message) -> None:
        """By name or by type, though its id is right; the true one behind it counts."""

        async def lie_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            wire = await read_message(reader)
            assert wire is not None
            asked = dns.message.from_wire(wire)
            lie = dns.message.make_response(other)
            lie.id = asked.id
            lie.set_rcode(dns.rcode.NXDOMAIN)
            writer.write(framed(lie) + framed(dns.message.make_response(asked)))
            await writer.drain()

        async with tcp_server(lie_first) as server:
            (answer,) = await ask_all(server, [question(WWW, "A")])
        assert (answer.rcode(), answer.question) == (dns.rcode.NOERROR, question(WWW, "A").question)

    async def test_where_nothing_else_comes_there_is_no_answer(self) -> None:
        """It is an error, and not the other name's answer."""

        async def lie(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            wire = await read_message(reader)
            assert wire is not None
            found = dns.message.make_response(question("else.shop.example", "A"))
            found.id = dns.message.from_wire(wire).id
            writer.write(framed(found))
            await writer.drain()

        async with tcp_server(lie) as server:
            with pytest.raises(Unavailable, match="closed the connection"):
                await ask_all(server, [question(WWW, "A")])


class TestSilence:
    """A time-out is of silence: a server that answers is waited for, however many questions it has."""

    async def test_a_slow_server_is_waited_for_as_long_as_it_answers(self, bind: Bind) -> None:
        """Thirty questions take three times as long as the time-out."""
        with Relay(bind.port) as relay:
            relay.pause = 0.1
            began = time.monotonic()
            answers = await ask_all(Server("127.0.0.1", relay.port), [question(WWW, "A")] * 30, timeout=1.0)
        assert time.monotonic() - began > 2.9
        assert all(answer.rcode() == dns.rcode.NOERROR for answer in answers)

    async def test_a_server_that_falls_silent_half_way(self, bind: Bind) -> None:
        """It is given up after the time-out, and how far it came is told."""
        with Relay(bind.port) as relay:
            relay.patience = 4
            server = Server("127.0.0.1", relay.port)
            with pytest.raises(Unavailable) as caught:
                await ask_all(server, [question(WWW, "A")] * 9, timeout=1.0)
        assert caught.value.text == f"{server} answered 4 of 9 questions, then nothing for 1 s"

    async def test_a_server_that_never_ends_is_given_up(self, bind: Bind, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each question has its share of time; whoever takes longer for all of them could go on for ever."""
        monkeypatch.setattr(exchange, "EACH", 0.05)
        with Relay(bind.port) as relay:
            relay.pause = 0.25
            with pytest.raises(Unavailable, match=r"answered \d of 9 questions in \d\.\d s, which is too slow"):
                await ask_all(Server("127.0.0.1", relay.port), [question(WWW, "A")] * 9, timeout=1.0)

    async def test_answers_that_were_not_asked_for_are_silence(self) -> None:
        """A server that repeats one answer for ever is not waited for any longer than one that says nothing."""

        async def repeat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            wire = await read_message(reader)
            assert wire is not None
            answer = framed(dns.message.make_response(dns.message.from_wire(wire)))
            with contextlib.suppress(ConnectionError):
                while not writer.is_closing():
                    writer.write(answer * 10)
                    await writer.drain()
                    await asyncio.sleep(0.01)

        async with tcp_server(repeat) as server:
            with pytest.raises(Unavailable, match="answered 1 of 2 questions, then nothing"):
                await ask_all(server, [question(WWW, "A"), question(WWW, "AAAA")], timeout=1.0)


class TestServerNames:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("ns1.shop.example", ("ns1.shop.example", 53)),
            ("ns1.shop.example:5301", ("ns1.shop.example", 5301)),
            (" 127.0.0.1:53 ", ("127.0.0.1", 53)),
            ("[::1]:5301", ("::1", 5301)),
            ("[::1]", ("::1", 53)),
            ("2001:db8::1", ("2001:db8::1", 53)),
        ],
    )
    def test_a_server_is_written_with_or_without_a_port(self, text: str, expected: tuple[str, int]) -> None:
        """host, host:port, [v6]:port, v6."""
        assert parse_server(text) == expected

    @pytest.mark.parametrize(
        "text", ["", ":53", "host:", "host:0", "host:65536", "host:dns", "[::1", "[::1]53", "[]:53"]
    )
    def test_anything_else_is_a_fault(self, text: str) -> None:
        """Told by a ValueError that repeats the text."""
        with pytest.raises(ValueError, match="is not host or host:port"):
            parse_server(text)

    def test_a_server_is_shown_as_it_is_written(self) -> None:
        """The usual port is left out, IPv6 has its brackets."""
        assert str(Server("192.0.2.1")) == "192.0.2.1"
        assert str(Server("::1", 5301)) == "[::1]:5301"
