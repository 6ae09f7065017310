"""A shop at two loopback addresses whose web servers do exactly what a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from changeover.dns.lookup.client import Lookup
from changeover.model.dns.change import ZoneAt
from changeover.model.health.check import HealthCheck
from changeover.model.settings.service import Answer, Deployment, LookupSettings, Marker, Service
from health.web import serving

WWW, ZONE = "www.shop.example", "shop.example"
OLD, NEW = "127.0.0.2", "127.0.0.3"
ZONE_TEXT = f"""\
@ SOA ns1 hostmaster 1 3600 600 86400 60
@ NS ns1
ns1 A 127.0.0.1
www 60 A {OLD}
"""

#: What a place answers to a request's first line; None for silence.
Say = Callable[[str], bytes | None]


def page(marker: str, *headers: str, status: int = 200, body: bytes = b"x" * 1000) -> bytes:
    """A response of a deployment."""
    lines = [f"HTTP/1.1 {status} Said", f"X-Deployment: {marker}", f"Content-Length: {len(body)}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


class Places:
    """What stands at each address; a test may change it at any time.

    `asked` counts the requests, `delay` is how many seconds each takes at least.
    """

    def __init__(self) -> None:
        self.say: dict[str, Say] = {OLD: lambda _: page("primary"), NEW: lambda _: page("backup")}
        self.asked = {OLD: 0, NEW: 0}
        self.port = 0
        self.delay = 0.0

    @property
    def service(self) -> Service:
        def deployment(name: str, address: str) -> Deployment:
            return Deployment(name=name, answer=Answer(a=(address,)), marker=Marker("X-Deployment", name))

        return Service(
            name="shop",
            hostnames=(WWW,),
            dns=(ZoneAt("dns", ZONE),),
            deployments=(deployment("primary", OLD), deployment("backup", NEW)),
            health=HealthCheck(scheme="http", port=self.port, timeout=2),
        )


@asynccontextmanager
async def places() -> AsyncIterator[Places]:
    """Both, at one port."""
    found = Places()

    def talk(address: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]:
        async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            found.asked[address] += 1
            await asyncio.sleep(found.delay)
            said = found.say[address](head.splitlines()[0])
            if said is None:
                await reader.read()
            else:
                writer.write(said)
                await writer.drain()

        return one

    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(serving(talk(OLD), host=OLD))  # type: ignore[arg-type]
        await stack.enter_async_context(serving(talk(NEW), host=NEW, port=first.port))  # type: ignore[arg-type]
        found.port = first.port
        yield found


def lookup(*servers: str, resolvers: tuple[str, ...] = (), doh: tuple[str, ...] = (), timeout: float = 2.0) -> Lookup:
    """Looks up at these servers of the zone, and nowhere else."""
    settings = LookupSettings(resolvers=resolvers, nameservers={ZONE: servers}, doh=doh, witnesses=(), portal=None)
    return Lookup(settings, timeout)
