"""PowerDNS on a free loopback port, its zone in SQLite, with one zone that takes dynamic updates.

What its dynamic updates do (PowerDNS 4.7, Debian 12), found by trying; test_powerdns_updates.py shows most of it:

- Prerequisites are compared as RFC 2136 says (2.4): whole record sets by value, absence by type, TTLs not at all. An
  update is made as a whole or not at all, and seen at once, as long as the caches are off.
- The parameters of HTTPS records are compared as text. PowerDNS writes them without quotation marks; where a zone was
  loaded with them, a prerequisite on their value never holds.
- A CNAME beside other records, or the reverse, is REFUSED with all that the update holds; RFC 2136 (3.4.2.2) and BIND
  ignore it.
- A record added with another TTL gives it to the whole record set, as in BIND.
- What may change a zone is in its metadata (TSIG-ALLOW-DNSUPDATE), which counts at once when its cache is off. A wrong
  signature, and a key that is not known, are REFUSED without a signature and without a TSIG error.
- The serial becomes YYYYMMDDnn with the first update. NOTIFY is not sent here (primary=no): there is no secondary.
- By itself it asks for security advisories of its version by DNS, far away: `security-poll-suffix=` keeps it from that.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import sqlite3
import subprocess
import tempfile
from pathlib import Path
from typing import Literal

from dns_servers.authoritative import KEY_NAME, SECRET, ZONE_TEXT, NameServer
from dns_servers.process import NotReady, free_port

_SCHEMA = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")
#: The kind of metadata that names the keys which may change a zone.
_MAY = "TSIG-ALLOW-DNSUPDATE"
_CONF = """\
launch=gsqlite3
gsqlite3-database={folder}/pdns.db
gsqlite3-dnssec=yes
gsqlite3-pragma-synchronous=0
gsqlite3-pragma-journal-mode=WAL
local-address=127.0.0.1
local-port={port}
server-id={folder}
socket-dir={sockets}
dnsupdate={update}
allow-dnsupdate-from=127.0.0.0/8
primary=no
security-poll-suffix=
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=0
domain-metadata-cache-ttl=0
max-tcp-connections=1000
consistent-backends=yes
daemon=no
guardian=no
disable-syslog=yes
setuid=
setgid=
"""
_API = """\
api=yes
api-key={key}
webserver=yes
webserver-address=127.0.0.1
webserver-port={port}
webserver-allow-from=127.0.0.1
"""


class PowerDns(NameServer):
    """A running `pdns_server`. With `api_key` its HTTP API answers at `api_port`."""

    program = "pdns_server"

    def __init__(
        self,
        folder: Path,
        zone: str = "shop.example",
        zone_text: str = ZONE_TEXT,
        key: bool = True,
        update: bool = True,
        api_key: str | None = None,
        signed: Literal["", "nsec", "nsec3"] = "",
    ) -> None:
        super().__init__(folder, zone, zone_text, key, update)
        self.api_port = 0
        self._api_key = api_key
        self._signed = signed

    def _prepare(self) -> list[str]:
        # A socket's path has room for 107 characters, and the folder of a test may be longer.
        self._sockets = tempfile.mkdtemp(prefix="pdns-")
        update = "yes" if self._update else "no"
        conf = _CONF.format(folder=self._folder, sockets=self._sockets, port=self.port, update=update)
        if self._api_key is not None:
            self.api_port = free_port()
            conf += _API.format(key=self._api_key, port=self.api_port)
        (self._folder / "pdns.conf").write_text(conf)
        if not (self._folder / "pdns.db").exists():
            self._load()
        return [f"--config-dir={self._folder}"]

    def _load(self) -> None:
        """Makes the database, with the zone by PowerDNS's own tool and the key's rights by SQL."""
        with contextlib.closing(sqlite3.connect(self._folder / "pdns.db")) as database:
            database.executescript(_SCHEMA.read_text())
        self._tool("load-zone", self.zone, str(self._folder / "zone"))
        if self._signed:
            self._tool("secure-zone", self.zone)
        if self._signed == "nsec3":
            self._tool("set-nsec3", self.zone, "1 0 0 -")
            self._tool("rectify-zone", self.zone)
        if self._key:
            with contextlib.closing(sqlite3.connect(self._folder / "pdns.db")) as database, database:
                name = KEY_NAME.rstrip(".")
                database.execute(
                    "INSERT INTO tsigkeys (name, algorithm, secret) VALUES (?, 'hmac-sha256', ?)", (name, SECRET)
                )
                for kind in (_MAY, "TSIG-ALLOW-AXFR"):
                    database.execute(
                        "INSERT INTO domainmetadata (domain_id, kind, content) VALUES (1, ?, ?)", (kind, name)
                    )

    def _tool(self, *words: str) -> None:
        tool = ["pdnsutil", f"--config-dir={self._folder}", *words]
        told = subprocess.run(tool, capture_output=True, text=True, check=False)
        if told.returncode:
            raise RuntimeError(f"pdnsutil {words[0]} fails:\n{told.stdout}{told.stderr}")

    def _probe(self) -> None:
        super()._probe()
        if self._api_key is not None:  # its web server starts a moment later
            try:
                socket.create_connection((self.address, self.api_port), timeout=2).close()
            except OSError:
                raise NotReady from None

    def stop(self) -> None:
        super().stop()
        if self._process is not None:
            shutil.rmtree(self._sockets, ignore_errors=True)

    def refuse_updates(self, refuse: bool = True) -> None:
        """From now on, whoever asks may not change the zone, or may again: its updates belong to a key of nobody's."""
        with contextlib.closing(sqlite3.connect(self._folder / "pdns.db")) as database, database:
            database.execute("DELETE FROM domainmetadata WHERE content = 'nobody'")
            if refuse:
                database.execute(
                    "INSERT INTO domainmetadata (domain_id, kind, content) VALUES (1, ?, 'nobody')", (_MAY,)
                )
