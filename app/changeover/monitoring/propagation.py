"""How far a change has come: what each resolver of the settings still keeps, and for how long resolvers may keep it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from urllib.parse import SplitResult, urlsplit

import dns.message
import dns.rcode
from msgspec.structs import replace

from changeover.dns.lookup.client import Lookup
from changeover.dns.lookup.cname_chain import chain
from changeover.dns.lookup.soa import start_of_authority
from changeover.dns.wire.answer import record_sets_in
from changeover.dns.wire.exchange import ask, question
from changeover.health.connectivity.doh import BadAnswer, addresses_in, ask_over_https
from changeover.model.dns.propagation import (
    ASKED,
    CachedAnswer,
    CacheTime,
    Published,
    all_updated,
    compared,
    longest_cache,
)
from changeover.model.dns.records import address_set
from changeover.model.errors import Unavailable
from changeover.model.runs.published import published
from changeover.model.runs.run import Run
from changeover.model.settings.service import Service
from changeover.monitoring.reading import read_servers

#: Seconds for everything that one resolver is asked about one hostname.
TIMEOUT = 3.0

_SAID_NOTHING = (Unavailable, BadAnswer)
_Ask = Callable[[dns.message.Message], Awaitable[dns.message.Message]]


async def cache_time(service: Service, lookup: Lookup) -> CacheTime:
    """How long resolvers may keep the present answer for any of the service's hostnames. Never raises for the net."""
    return longest_cache(await asyncio.gather(*(chain(lookup, name) for name in service.hostnames)))


async def panel(
    service: Service, lookup: Lookup, run: Run | None = None, *, tls: ssl.SSLContext | None = None
) -> tuple[CachedAnswer, ...]:
    """What every resolver has for every hostname of the service, beside what the authoritative servers give.

    `run` is the service's newest. `tls` stands in for the system's certificates. Never raises for the net.
    """
    answers, kept = await asyncio.gather(
        read_servers(service, lookup), ask_resolvers(lookup, service.hostnames, tls=tls)
    )
    known = published(answers, run)
    return tuple(compared(k, known.get(k.hostname, Published(()))) for k in kept)


async def ask_resolvers(
    lookup: Lookup, hostnames: Sequence[str], *, tls: ssl.SSLContext | None = None
) -> tuple[CachedAnswer, ...]:
    """What the resolvers of the settings have for `hostnames`, by UDP and by HTTPS, all asked at once."""
    plain = [_by_udp(lookup, text, name) for text in lookup.settings.resolvers for name in hostnames]
    secure = [_by_https(lookup, text, name, tls) for text in lookup.settings.doh for name in hostnames]
    return tuple(await asyncio.gather(*plain, *secure))


async def _by_udp(lookup: Lookup, text: str, hostname: str) -> CachedAnswer:
    nothing = CachedAnswer(resolver=text, over="UDP", hostname=hostname, at=datetime.now(UTC))
    try:
        async with asyncio.timeout(TIMEOUT):
            server = await lookup.resolver(text)
            return await _asked(nothing, lambda query: ask(server, query, TIMEOUT))
    except TimeoutError:
        return replace(nothing, error=f"no answer within {TIMEOUT:g} s")
    except (Unavailable, BadAnswer) as error:
        return replace(nothing, error=str(error))


async def _by_https(lookup: Lookup, text: str, hostname: str, tls: ssl.SSLContext | None) -> CachedAnswer:
    nothing = CachedAnswer(resolver=text, over="HTTPS", hostname=hostname, at=datetime.now(UTC))
    url = urlsplit(text)
    said = "its name has no address"
    try:
        async with asyncio.timeout(TIMEOUT):
            for address in await lookup.addresses(url.hostname or ""):
                try:
                    return await _asked(nothing, _over(url, address, tls))
                except BadAnswer as error:
                    said = str(error)
    except TimeoutError:
        said = f"no answer within {TIMEOUT:g} s"
    except Unavailable as error:
        said = str(error)
    return replace(nothing, error=said)


def _over(url: SplitResult, address: str, tls: ssl.SSLContext | None) -> _Ask:
    return lambda query: ask_over_https(url, address, query, TIMEOUT, tls)


async def _asked(nothing: CachedAnswer, one: _Ask) -> CachedAnswer:
    """Asks for every type. What a resolver does not answer for beside IPv4 addresses is left out of what it says."""
    queries = [question(nothing.hostname, rtype, recursion=True) for rtype in ASKED]
    came = await asyncio.gather(*(one(query) for query in queries), return_exceptions=True)
    for answer in came:
        if isinstance(answer, BaseException) and (answer is came[0] or not isinstance(answer, _SAID_NOTHING)):
            raise answer
    first = came[0]
    assert isinstance(first, dns.message.Message)
    good = {rtype: a for rtype, a in zip(ASKED, came, strict=True) if isinstance(a, dns.message.Message) and _usable(a)}
    addresses = addresses_in([first, *good.values()])
    records = {r.type: r for answer in good.values() for r in record_sets_in(answer.answer, nothing.hostname)}
    # A CNAME comes with each answer, and the times left in them may be a second apart.
    left = max((r.ttl for answer in good.values() for r in record_sets_in(answer.answer, nothing.hostname)), default=0)
    if not records and (soa := start_of_authority(first)) is not None:
        left = min(soa[0], soa[1].minimum)
    return replace(
        nothing,
        at=datetime.now(UTC),
        types=tuple(good),
        records=address_set(records.values()),
        addresses=tuple(dict.fromkeys(addresses)),
        ttl_left=left,
    )


def _usable(answer: dns.message.Message) -> bool:
    return answer.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)


#: Seconds between two looks at resolvers, at least and at most; in between, when one of them should follow.
_SOONEST, _LATEST = 1.0, 5.0


async def following(
    service: Service,
    lookup: Lookup,
    run: Run | None,
    stop: asyncio.Event,
    *,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[tuple[CachedAnswer, ...]]:
    """The panel, again and again, until every resolver that answers has followed or `stop` is set."""
    while not stop.is_set():
        kept = await panel(service, lookup, run, tls=tls)
        yield kept
        if all_updated(kept):
            return
        now = datetime.now(UTC)
        expires_at = [(flip - now).total_seconds() for k in kept if (flip := k.expires_at) is not None]
        pause = min(_LATEST, max(_SOONEST, min(expires_at, default=_LATEST)))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await stop.wait()
