"""Names of witnesses: what each resolver says of them, asked all at once, as evidence and as addresses to use."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Coroutine, Sequence
from functools import partial
from typing import Literal
from urllib.parse import urlsplit

import dns.message

from changeover.dns.lookup.client import Lookup
from changeover.dns.wire.exchange import Server, ask, question
from changeover.health.connectivity.doh import BadAnswer, addresses_in, ask_doh
from changeover.health.unforeseen import guarded
from changeover.model.dns.server_address import is_address, parse_server
from changeover.model.errors import Unavailable
from changeover.model.health.connectivity import Evidence, EvidenceKind
from changeover.model.settings.service import LookupSettings

#: Stands for the resolvers that this computer was told of by its network.
SYSTEM = "this computer's resolver"


class Names:
    """Asks for each name once. Its questions live in `group`, and each ends within `timeout` seconds."""

    def __init__(
        self, settings: LookupSettings, group: asyncio.TaskGroup, tls: ssl.SSLContext | None, timeout: float
    ) -> None:
        self._settings = settings
        self._group = group
        self._tls = tls
        self._timeout = timeout
        self._resolvers: dict[str, list[asyncio.Task[Evidence]]] = {}
        self._doh: dict[str, list[asyncio.Task[Evidence]]] = {}

    def by_resolvers(self, name: str) -> list[asyncio.Task[Evidence]]:
        """What the resolvers of the settings, and those of the system where it may be asked, say of `name`."""
        if name not in self._resolvers:
            asked = [(text, self._ask_resolver(text, name)) for text in self._settings.resolvers]
            if self._settings.falls_back:
                asked.append((SYSTEM, self._ask_system(name)))
            self._resolvers[name] = [self._asking("resolver", *one) for one in asked]
        return self._resolvers[name]

    def by_doh(self, name: str) -> list[asyncio.Task[Evidence]]:
        """What DNS over HTTPS says of `name`."""
        if name not in self._doh:
            self._doh[name] = [self._asking("doh", url, self._ask_doh(url, name)) for url in self._settings.doh]
        return self._doh[name]

    def _asking(
        self, kind: Literal["resolver", "doh"], witness: str, work: Coroutine[None, None, Evidence]
    ) -> asyncio.Task[Evidence]:
        return self._group.create_task(guarded(f"what {witness} says", work, partial(unread, kind, witness)))

    async def addresses(self, host: str, doh: bool = False) -> AsyncIterator[str]:
        """Addresses of `host`, each once, as they become known; one of each family from each answer."""
        if is_address(host):
            yield host
            return
        if host == "localhost":
            yield "127.0.0.1"
            return
        given: set[str] = set()
        tasks = self.by_resolvers(host) + (self.by_doh(host) if doh else [])
        for answer in asyncio.as_completed(tasks):
            for address in _one_of_each_family((await answer).addresses):
                if address not in given:
                    given.add(address)
                    yield address

    async def _ask_resolver(self, text: str, name: str) -> Evidence:
        try:
            async with asyncio.timeout(self._timeout):
                server = Server(*parse_server(text))
                asked = (ask(server, question(name, rtype, recursion=True), self._timeout) for rtype in ("A", "AAAA"))
                answers = await asyncio.gather(*asked, return_exceptions=True)
                found = addresses_in(_usable(answers))
        except Unavailable as error:
            return Evidence(kind="resolver", witness=text, ok=False, text=error.text)
        except BadAnswer as error:
            return Evidence(kind="resolver", witness=text, ok=False, text=str(error))
        except TimeoutError:
            return Evidence(kind="resolver", witness=text, ok=False, text=f"no answer within {self._timeout:g} s")
        return _answered("resolver", text, name, found)

    async def _ask_system(self, name: str) -> Evidence:
        """The system's own resolvers, one after another."""
        try:
            async with asyncio.timeout(self._timeout):
                found = await Lookup(self._settings.system_only, self._timeout).addresses(name)
        except Unavailable as error:
            return Evidence(kind="resolver", witness=SYSTEM, ok=False, text=error.text.rstrip(": "))
        except TimeoutError:
            return Evidence(kind="resolver", witness=SYSTEM, ok=False, text=f"no answer within {self._timeout:g} s")
        return _answered("resolver", SYSTEM, name, found)

    async def _ask_doh(self, text: str, name: str) -> Evidence:
        url = urlsplit(text)
        said = "its name has no address"
        try:
            async with asyncio.timeout(self._timeout):
                async for address in self.addresses(url.hostname or ""):
                    try:
                        found = await ask_doh(url, address, name, self._timeout, self._tls)
                        return _answered("doh", text, name, found)
                    except BadAnswer as error:
                        said = str(error)
        except TimeoutError:
            said = f"no answer within {self._timeout:g} s"
        return Evidence(kind="doh", witness=text, ok=False, text=said)


def unread(kind: EvidenceKind, witness: str, why: str) -> Evidence:
    """Stands for a witness whose answer Changeover failed to read: that says nothing."""
    return Evidence(kind=kind, witness=witness, ok=None, text=f"not known: {why}")


def _usable(answers: Sequence[dns.message.Message | BaseException]) -> list[dns.message.Message]:
    """Those that came; some resolvers are silent about IPv6. Raises the first error where none came."""
    good = [a for a in answers if isinstance(a, dns.message.Message)]
    bad = [a for a in answers if isinstance(a, BaseException)]
    if bad and not good:
        raise bad[0]
    return good


def _answered(kind: Literal["resolver", "doh"], witness: str, name: str, addresses: tuple[str, ...]) -> Evidence:
    text = f"{', '.join(addresses) or 'nothing'} for {name}"
    return Evidence(kind=kind, witness=witness, ok=True, text=text, addresses=addresses)


def _one_of_each_family(addresses: tuple[str, ...]) -> list[str]:
    first = {":" in address: address for address in reversed(addresses)}
    return [first[family] for family in (False, True) if family in first]
