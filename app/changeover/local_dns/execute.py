"""Emptying this computer's caches of names, and opening a browser that does not ask the DNS."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
import sys
import tempfile

from msgspec import Struct

from changeover.dns.lookup.client import Lookup
from changeover.local_dns.command_lines import BROWSERS, Flush, browser_arguments, flushes
from changeover.model.errors import NotFound
from changeover.model.foreign_text import one_line
from changeover.model.settings.service import Deployment

#: Seconds that emptying one cache may take.
_TIMEOUT = 10.0


class Flushed(Struct, frozen=True):
    """What became of one cache, in words; `typed` is what a person can type where it needs more rights."""

    cache: str
    done: bool
    text: str
    typed: str = ""


async def flush_names(platform: str = sys.platform) -> tuple[Flushed, ...]:
    """Empties every cache of names that this system has. Never raises for what a program does; none where none is."""
    found = []
    for alternatives in flushes(platform):
        way = next((w for w in alternatives if shutil.which(w.command[0]) is not None), None)
        if way is not None:
            found.append(await _flush(way))
    return tuple(found)


async def _flush(way: Flush) -> Flushed:
    program = shutil.which(way.command[0]) or way.command[0]
    try:
        process = await asyncio.create_subprocess_exec(
            program, *way.command[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
    except OSError as error:
        return Flushed(way.cache, False, f"{way.command[0]} cannot be started: {error.strerror}", way.typed)
    try:
        async with asyncio.timeout(_TIMEOUT):
            _, told = await process.communicate()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        return Flushed(way.cache, False, f"{way.command[0]} did not end within {_TIMEOUT:g} s", way.typed)
    if process.returncode == 0:
        return Flushed(way.cache, True, f"{way.cache} has forgotten its names")
    said = (told.decode(errors="replace").strip().splitlines() or [f"exit status {process.returncode}"])[-1]
    return Flushed(way.cache, False, f"{way.command[0]} says: {one_line(said, 200)}", way.typed)


async def addresses_at(deployment: Deployment, hostname: str, lookup: Lookup) -> tuple[str, ...]:
    """Where visitors of `hostname` would be sent if `deployment` was the active one, IPv4 first.

    Raises NotFound where that leads nowhere, Unavailable where no resolver answers.
    """
    answer = deployment.answer_for(hostname)
    found = await lookup.addresses(answer.target) if answer.target is not None else (*answer.a, *answer.aaaa)
    if not found:
        raise NotFound(f"{answer.target} has no address", f"Check the answer of the deployment {deployment.name}.")
    return found


def open_browser(url: str, hostname: str, address: str) -> str | None:
    """Opens a browser that reaches `hostname` at `address`, and gives its name; None where there is none that can.

    It gets a profile of its own, in a temporary folder, and goes on when this program ends.
    """
    program = next((found for name in BROWSERS if (found := shutil.which(name)) is not None), None)
    if program is None:
        return None
    profile = tempfile.mkdtemp(prefix="changeover-browser-")
    nowhere = subprocess.DEVNULL
    subprocess.Popen(
        browser_arguments(program, url, hostname, address, profile),
        stdin=nowhere,
        stdout=nowhere,
        stderr=nowhere,
        start_new_session=True,
    )
    return program
