"""Debian's DNS programs (bind9-dnsutils), as a person types them."""

from __future__ import annotations

import asyncio

TIMEOUT = 60.0


async def dig(port: int, *arguments: str) -> str:
    """What `dig` prints about the server at `port`; it tries once, for two seconds."""
    return await _run(["dig", "@127.0.0.1", "-p", str(port), "+tries=1", "+time=20", *arguments])


async def nsupdate(port: int, text: str) -> str:
    """What `nsupdate` says to these commands, whose names are absolute: nothing when all went well."""
    return await _run(["nsupdate", "-v"], f"server 127.0.0.1 {port}\nzone shop.example\n{text}\nsend\n")


async def _run(arguments: list[str], text: str = "") -> str:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *arguments, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(TIMEOUT):
        said, _ = await process.communicate(text.encode())
    return said.decode()
