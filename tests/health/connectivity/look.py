"""Looks around once, as a program, and prints what was found as JSON. `python -m health.connectivity.look CA_FILE`"""

from __future__ import annotations

import asyncio
import ssl
import sys

import msgspec

from changeover.health.connectivity.witnesses import look_around
from changeover.model.settings.service import LookupSettings

#: As those that Changeover comes with, at addresses that are public and belong to the test.
SETTINGS = LookupSettings(
    resolvers=("11.1.1.1",),
    witnesses=("tcp://11.8.8.8:443", "tcp://11.9.9.9:443", "https://www.witness.example/trace", "gateway"),
    doh=("https://11.1.1.1/dns-query",),
    portal="http://11.4.4.4/generate_204",
)

if __name__ == "__main__":
    found = asyncio.run(look_around(SETTINGS, tls=ssl.create_default_context(cafile=sys.argv[1])))
    print(msgspec.json.encode(found).decode())
