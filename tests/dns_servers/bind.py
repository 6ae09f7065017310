"""BIND on a free loopback port with one zone that takes dynamic updates."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Self

import dns.dnssec
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.dnskeybase
import dns.tsigkeyring
import dns.update
import dns.xfr
import dns.zone

from dns_servers.process import NotReady, ServerProcess, free_port

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

_CONF = """\
key "{key_name}" {{ algorithm hmac-sha256; secret "{secret}"; }};
options {{
  directory "{folder}"; pid-file none; session-keyfile "{folder}/session.key"; lock-file none;
  listen-on port {port} {{ {ipv4} }}; listen-on-v6 port {port} {{ {ipv6} }}; reuseport no;
  server-id "{folder}"; recursion no; dnssec-validation no; notify no; empty-zones-enable no;
  allow-transfer {{ {transfer} }}; tcp-clients 1000;
}};
controls {{}};
zone "{zone}" {{ type primary; file "{folder}/zone"; {update} }};
"""


class Bind:
    """A running `named`, authoritative for `zone`.

    `zone_text` is a zone file's text without $ORIGIN; its $TTL is 60. With `key`, updates and transfers are signed with
    `key_name` and `secret`, else anybody on loopback may do both. Without `update` nobody may change the zone. Where it
    is `signed`, it is when the server is ready, and `ds` has the DS record for the zone above.

        with Bind(tmp_path, zone="shop.example") as bind:
            server = f"127.0.0.1:{bind.port}"
    """

    def __init__(
        self,
        folder: Path,
        zone: str = "shop.example",
        zone_text: str = ZONE_TEXT,
        key: bool = True,
        update: bool = True,
        ipv4: str = "127.0.0.1",
        ipv6: bool = False,
        signed: bool = False,
    ) -> None:
        self.zone = zone
        self.key_name = KEY_NAME
        self.secret = SECRET
        self.port = 0
        self.address = ipv4
        self._key = key
        self._update = update
        self._ipv6 = ipv6
        self._signed = signed
        self._folder = Path(tempfile.mkdtemp(prefix="bind-", dir=folder))
        (self._folder / "zone").write_text(f"$ORIGIN {zone}.\n$TTL 60\n{zone_text}")
        self._process: ServerProcess | None = None

    def __enter__(self) -> Self:
        for _ in range(3):  # another process may take the port before named does
            self.port = free_port()
            if self._start():
                return self
        raise RuntimeError(f"named did not start:\n{self._log()}")

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self) -> bool:
        allowed = f'key "{KEY_NAME}";' if self._key else "127.0.0.0/8; ::1;"
        policy = (
            f"update-policy {{ grant {KEY_NAME} zonesub ANY; }};" if self._key else f"allow-update {{ {allowed} }};"
        )
        (self._folder / "named.conf").write_text(
            _CONF.format(
                folder=self._folder,
                port=self.port,
                key_name=KEY_NAME,
                secret=SECRET,
                zone=self.zone,
                transfer=allowed,
                update=(policy if self._update else "") + (" dnssec-policy default;" if self._signed else ""),
                ipv4=f"{self.address};",
                ipv6="::1;" if self._ipv6 else "none;",
            )
        )
        arguments = ["named", "-g", "-n", "1", "-c", str(self._folder / "named.conf")]
        self._process = ServerProcess(arguments, self._folder / "named.log")
        try:
            if self._process.wait_until(self._probe):
                return True
        except BaseException:
            self._process.stop()
            raise
        self._process.stop()
        return False

    def _probe(self) -> None:
        """Ready is: it is this very server that answers, and it serves the zone, by TCP and by UDP."""
        which = dns.message.make_query("id.server.", dns.rdatatype.TXT, dns.rdataclass.CH)
        soa = dns.message.make_query(self.zone, dns.rdatatype.SOA)
        try:
            # An unopened port refuses TCP at once, but ignores UDP; and BIND limits the rate of id.server by UDP.
            if str(self._folder) not in dns.query.tcp(which, self.address, timeout=2, port=self.port).to_text():
                raise NotReady
            answer = dns.query.udp(soa, self.address, timeout=2, port=self.port)
        except (dns.exception.DNSException, OSError, EOFError):
            raise NotReady from None
        if self._signed and not self._keys():
            raise NotReady
        if not answer.answer or not answer.flags & dns.flags.AA:
            if "not loaded due to errors" in self._log():
                raise RuntimeError(f"named does not load the zone:\n{self._log()}")
            raise NotReady

    def _keys(self) -> list[dns.rdata.Rdata]:
        """The zone's keys, once they sign it."""
        query = dns.message.make_query(self.zone, dns.rdatatype.DNSKEY, want_dnssec=True)
        answer = dns.query.tcp(query, self.address, port=self.port, timeout=QUERY_TIMEOUT)
        found = {rrset.rdtype: rrset for rrset in answer.answer}
        return list(found[dns.rdatatype.DNSKEY]) if dns.rdatatype.RRSIG in found else []

    @property
    def ds(self) -> str:
        """The DS record for the zone above, by the key that signs the others."""
        key = next(key for key in self._keys() if key.flags & dns.rdtypes.dnskeybase.Flag.SEP)
        return dns.dnssec.make_ds(f"{self.zone}.", key, "SHA256").to_text()

    def _log(self) -> str:
        return (self._folder / "named.log").read_text(errors="replace")[-4000:]

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
