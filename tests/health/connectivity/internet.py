"""A small internet as a program: witnesses, a resolver, DNS over HTTPS and a portal check, at every address it has.

`python -m health.connectivity.internet HOW FOLDER`, where HOW is "honest", "dead dns", "lying dns" or "login page", and
FOLDER has the certificate of the witness.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from health.connectivity.servers import Respond, over_https, resolver, saying, web

NAME = "www.witness.example"
WITNESS = "11.4.4.4"
TRUE = {NAME: [WITNESS]}


def respond(doh: Respond) -> Respond:
    """The witness and the DNS over HTTPS in one."""
    page = saying(200, body=b"hello")
    return lambda head, body: (doh if head.startswith(b"POST") else page)(head, body)


async def main(how: str, folder: Path) -> None:
    """Serves until it is ended."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "chain.pem", folder / "key.pem")
    async with AsyncExitStack() as stack:
        if how == "login page":
            page = saying(302, "Location: http://10.9.0.1/login")
            for port in (80, 443):
                await stack.enter_async_context(web(page, host="0.0.0.0", port=port))
            await stack.enter_async_context(resolver({NAME: ["10.9.0.1"]}, "11.1.1.1", 53))
        else:
            await stack.enter_async_context(web(respond(over_https(TRUE)), tls, "0.0.0.0", 443))
            await stack.enter_async_context(web(saying(204), host="0.0.0.0", port=80))
            if how != "dead dns":
                known = {NAME: ["10.9.0.77"]} if how == "lying dns" else TRUE
                await stack.enter_async_context(resolver(known, "11.1.1.1", 53))
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
