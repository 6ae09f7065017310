"""Knot DNS on a free loopback port with one zone that takes dynamic updates.

What its dynamic updates do (Knot 3.2, Debian 12), found by trying; tests/dns/providers/test_update_forms.py shows it:

- Prerequisites are compared as RFC 2136 says (2.4), and an update is made as a whole or not at all.
- In a zone that it signs, a CNAME that is added where a record set was deleted in the same message is ignored, with
  NOERROR: the signatures still count as something that stands there. Where all record sets of the name are deleted at
  once (RFC 2136, 2.5.3), it is added.
- A CNAME that is added beside one takes its place; beside anything else it is ignored, as RFC 2136 (3.4.2.2) says.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import dns.exception
import dns.message
import dns.query
import dns.rdatatype

from dns_servers.authoritative import KEY_NAME, QUERY_TIMEOUT, SECRET, ZONE_TEXT, NameServer
from dns_servers.process import NotReady

_CONF = """\
server:
    rundir: "{folder}"
    identity: "{folder}"
    nsid: "{folder}"
    listen: {address}@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    tcp-max-clients: 1000
log:
  - target: stderr
    any: info
database:
    storage: "{folder}/db"
key:
  - id: {key_name}
    algorithm: hmac-sha256
    secret: {secret}
acl:
  - id: whole
    address: 127.0.0.1
    {key}
    action: [{actions}]
policy:
  - id: signed
    algorithm: ecdsap256sha256
    nsec3: {nsec3}
zone:
  - domain: {zone}
    storage: "{folder}"
    file: zone
    acl: whole
    dnssec-signing: {signing}
    dnssec-policy: signed
"""


class Knot(NameServer):
    """A running `knotd`. Where it is `signed`, it is when the server is ready."""

    program = "knotd"

    def __init__(
        self,
        folder: Path,
        zone: str = "shop.example",
        zone_text: str = ZONE_TEXT,
        key: bool = True,
        update: bool = True,
        signed: Literal["", "nsec", "nsec3"] = "",
    ) -> None:
        super().__init__(folder, zone, zone_text, key, update)
        self._signed = signed

    def _prepare(self) -> list[str]:
        (self._folder / "db").mkdir(exist_ok=True)  # it does not make it, and fails at every update
        (self._folder / "knot.conf").write_text(
            _CONF.format(
                folder=self._folder,
                address=self.address,
                port=self.port,
                key_name=KEY_NAME,
                secret=SECRET,
                key=f"key: {KEY_NAME}" if self._key else "",
                actions="update, transfer" if self._update else "transfer",
                nsec3="on" if self._signed == "nsec3" else "off",
                signing="on" if self._signed else "off",
                zone=self.zone,
            )
        )
        return ["-c", str(self._folder / "knot.conf")]

    def _probe(self) -> None:
        super()._probe()
        if self._signed:
            asked = dns.message.make_query(self.zone, dns.rdatatype.SOA, want_dnssec=True)
            try:
                answer = dns.query.tcp(asked, self.address, port=self.port, timeout=QUERY_TIMEOUT)
            except (dns.exception.DNSException, OSError, EOFError):
                raise NotReady from None
            if not any(rrset.rdtype == dns.rdatatype.RRSIG for rrset in answer.answer):
                raise NotReady
