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
from collections.abc import Iterable
from pathlib import Path
from typing import Self

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.tsigkeyring
import dns.update
import dns.xfr
import dns.zone

from dns_servers.bind import KEY_NAME, QUERY_TIMEOUT, SECRET, ZONE_TEXT
from dns_servers.process import NotReady, ServerProcess, free_port

_SCHEMA = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")
#: The kind of metadata that names the keys which may change a zone.
_MAY = "TSIG-ALLOW-DNSUPDATE"
_CONF = """\
launch=gsqlite3
gsqlite3-database={folder}/pdns.db
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


class PowerDns:
    """A running `pdns_server`, authoritative for `zone`. Used like Bind.

    `zone_text` is a zone file's text without $ORIGIN; its $TTL is 60. With `key`, updates and transfers are signed with
    `key_name` and `secret`, else anybody on loopback may do both. Without `update` nobody may change the zone.
    With `api_key` its HTTP API answers at `api_port`.
    """

    def __init__(
        self,
        folder: Path,
        zone: str = "shop.example",
        zone_text: str = ZONE_TEXT,
        key: bool = True,
        update: bool = True,
        api_key: str | None = None,
    ) -> None:
        self.zone = zone
        self.key_name = KEY_NAME
        self.secret = SECRET
        self.port = 0
        self.api_port = 0
        self.address = "127.0.0.1"
        self._key = key
        self._api_key = api_key
        self._update = update
        self._folder = Path(tempfile.mkdtemp(prefix="powerdns-", dir=folder))
        self._text = f"$ORIGIN {zone}.\n$TTL 60\n{zone_text}"
        self._process: ServerProcess | None = None

    def __enter__(self) -> Self:
        for _ in range(3):  # another process may take the port before pdns_server does
            self.port = free_port()
            if self._start():
                return self
        raise RuntimeError(f"pdns_server did not start:\n{self._log()}")

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self) -> bool:
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
        arguments = ["pdns_server", f"--config-dir={self._folder}"]
        self._process = ServerProcess(arguments, self._folder / "pdns.log")
        try:
            if self._process.wait_until(self._probe):
                return True
        except BaseException:
            self.stop()
            raise
        self.stop()
        return False

    def _load(self) -> None:
        """Makes the database, with the zone by PowerDNS's own tool and the key's rights by SQL."""
        with contextlib.closing(sqlite3.connect(self._folder / "pdns.db")) as database:
            database.executescript(_SCHEMA.read_text())
        (self._folder / "zone").write_text(self._text)
        tool = ["pdnsutil", f"--config-dir={self._folder}", "load-zone", self.zone, str(self._folder / "zone")]
        told = subprocess.run(tool, capture_output=True, text=True, check=False)
        if told.returncode:
            raise RuntimeError(f"pdnsutil does not load the zone:\n{told.stdout}{told.stderr}")
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

    def _probe(self) -> None:
        """Ready is: it is this very server that answers, and it serves the zone, by TCP and by UDP."""
        which = dns.message.make_query("id.server.", dns.rdatatype.TXT, dns.rdataclass.CH)
        soa = dns.message.make_query(self.zone, dns.rdatatype.SOA)
        try:
            if str(self._folder) not in dns.query.tcp(which, self.address, timeout=2, port=self.port).to_text():
                raise NotReady
            answer = dns.query.udp(soa, self.address, timeout=2, port=self.port)
        except (dns.exception.DNSException, OSError, EOFError):
            raise NotReady from None
        if not answer.answer or not answer.flags & dns.flags.AA:
            raise NotReady
        if self._api_key is not None:  # its web server starts a moment later
            try:
                socket.create_connection((self.address, self.api_port), timeout=2).close()
            except OSError:
                raise NotReady from None

    def _log(self) -> str:
        return (self._folder / "pdns.log").read_text(errors="replace")[-4000:]

    @property
    def server(self) -> str:
        """host:port, as the settings file has it."""
        return f"{self.address}:{self.port}"

    def records(self) -> frozenset[str]:
        """The whole zone as lines of text, but for what a lease leaves in it (_changeover.…).

        The SOA's serial, which every change raises, is shown as 0.
        """
        keyring = dns.tsigkeyring.from_text({KEY_NAME: SECRET}) if self._key else None
        zone = dns.zone.Zone(self.zone, relativize=False)
        query, _ = dns.xfr.make_query(zone, keyring=keyring)
        dns.query.inbound_xfr(self.address, zone, query, port=self.port, timeout=QUERY_TIMEOUT)
        lines = set()
        for name, ttl, rdata in zone.iterate_rdatas():
            if str(name).startswith("_changeover."):
                continue
            shown = rdata.replace(serial=0) if rdata.rdtype == dns.rdatatype.SOA else rdata
            lines.add(f"{name} {ttl} {dns.rdatatype.to_text(rdata.rdtype)} {shown}")
        return frozenset(lines)

    def change(self, delete: Iterable[str] = (), add: Iterable[str] = ()) -> None:
        """Changes the zone as somebody else would: `delete` "www" or "www CNAME", `add` "www 60 A 192.0.2.1"."""
        keyring = dns.tsigkeyring.from_text({KEY_NAME: SECRET}) if self._key else None
        update = dns.update.UpdateMessage(f"{self.zone}.", keyring=keyring)
        for text in delete:
            update.delete(*text.split())
        for text in add:
            name, ttl, rtype, value = text.split(maxsplit=3)
            update.add(name, int(ttl), rtype, value)
        answer = dns.query.tcp(update, self.address, port=self.port, timeout=QUERY_TIMEOUT)
        if answer.rcode() != dns.rcode.NOERROR:
            raise RuntimeError(f"the update was refused: {dns.rcode.to_text(answer.rcode())}")

    def pause(self) -> None:
        """From now on it takes connections and stays silent, until `resume`."""
        assert self._process is not None
        self._process.pause()

    def resume(self) -> None:
        assert self._process is not None
        self._process.resume()

    def stop(self) -> None:
        """Ends the server; its port then refuses connections."""
        if self._process is not None:
            self._process.stop()
            shutil.rmtree(self._sockets, ignore_errors=True)

    def start_again(self) -> None:
        """After `stop`: the same zone at the same port."""
        if not self._start():
            raise RuntimeError(f"pdns_server did not start again:\n{self._log()}")

    def refuse_updates(self, refuse: bool = True) -> None:
        """From now on, whoever asks may not change the zone, or may again: its updates belong to a key of nobody's."""
        with contextlib.closing(sqlite3.connect(self._folder / "pdns.db")) as database, database:
            database.execute("DELETE FROM domainmetadata WHERE content = 'nobody'")
            if refuse:
                database.execute(
                    "INSERT INTO domainmetadata (domain_id, kind, content) VALUES (1, ?, 'nobody')", (_MAY,)
                )
