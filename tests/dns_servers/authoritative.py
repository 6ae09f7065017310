"""A real name server, authoritative for one zone that takes dynamic updates: what BIND and PowerDNS share here."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

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

from dns_servers.process import LoopbackServer, NotReady

ZONE_TEXT = """\
@ SOA ns1 hostmaster 1 3600 600 86400 60
@ NS ns1
ns1 A 127.0.0.1
@ A 192.0.2.10
@ AAAA 2001:db8::10
@ MX 10 mail
@ TXT "v=spf1 -all"
mail A 192.0.2.25
www CNAME primary.example.net.
"""
KEY_NAME = "changeover."
SECRET = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0MTI="
#: Seconds that a query of the tests themselves may take.
QUERY_TIMEOUT = 5.0


def is_itself(folder: Path, address: str, port: int, *, udp: bool = False) -> bool:
    """Does the server of that folder answer there? An unopened port refuses TCP at once, but ignores UDP."""
    which = dns.message.make_query("id.server.", dns.rdatatype.TXT, dns.rdataclass.CH)
    ask = dns.query.udp if udp else dns.query.tcp
    return str(folder) in ask(which, address, timeout=2, port=port).to_text()


class NameServer(LoopbackServer):
    """Authoritative for `zone`.

    `zone_text` is a zone file's text without $ORIGIN; its $TTL is 60. With `key`, updates and transfers are signed with
    `key_name` and `secret`, else anybody on loopback may do both. Without `update` nobody may change the zone.
    """

    key_name = KEY_NAME
    secret = SECRET

    def __init__(
        self,
        folder: Path,
        zone: str = "shop.example",
        zone_text: str = ZONE_TEXT,
        key: bool = True,
        update: bool = True,
        address: str = "127.0.0.1",
    ) -> None:
        super().__init__(folder, address)
        self.zone = zone
        self._key = key
        self._update = update
        (self._folder / "zone").write_text(f"$ORIGIN {zone}.\n$TTL 60\n{zone_text}")

    def _probe(self) -> None:
        """By TCP and by UDP. BIND limits the rate of id.server by UDP."""
        soa = dns.message.make_query(self.zone, dns.rdatatype.SOA)
        try:
            if not is_itself(self._folder, self.address, self.port):
                raise NotReady
            answer = dns.query.udp(soa, self.address, timeout=2, port=self.port)
        except (dns.exception.DNSException, OSError, EOFError):
            raise NotReady from None
        if not answer.answer or not answer.flags & dns.flags.AA:
            raise NotReady

    def records(self) -> frozenset[str]:
        """The whole zone as lines of text, but for what a lease leaves in it (_changeover.…).

        The SOA's serial, which every change raises, is shown as 0.
        """
        zone = dns.zone.Zone(self.zone, relativize=False)
        query, _ = dns.xfr.make_query(zone, keyring=self._keyring)
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
        update = dns.update.UpdateMessage(f"{self.zone}.", keyring=self._keyring)
        for text in delete:
            update.delete(*text.split())
        for text in add:
            name, ttl, rtype, value = text.split(maxsplit=3)
            update.add(name, int(ttl), rtype, value)
        answer = dns.query.tcp(update, self.address, port=self.port, timeout=QUERY_TIMEOUT)
        if answer.rcode() != dns.rcode.NOERROR:
            raise RuntimeError(f"the update was refused: {dns.rcode.to_text(answer.rcode())}")

    @property
    def _keyring(self) -> object:
        return dns.tsigkeyring.from_text({KEY_NAME: SECRET}) if self._key else None
