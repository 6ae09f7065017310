"""Many questions to one server, with their answers as dnspython reads them."""

from __future__ import annotations

from collections.abc import Sequence

import dns.message

from changeover.dns.wire.exchange import TIMEOUT, Server, exchange


async def ask_all(
    server: Server, queries: Sequence[dns.message.Message], timeout: float = TIMEOUT
) -> list[dns.message.Message]:
    """The answers to `queries`, in their order, over one connection. Raises what `exchange` raises."""
    wires = await exchange(server, [query.to_wire() for query in queries], timeout)
    pairs = zip(queries, wires, strict=True)
    return [dns.message.from_wire(query.id.to_bytes(2, "big") + wire[2:]) for query, wire in pairs]
