"""BIND on a free loopback port with one zone that takes dynamic updates."""

from __future__ import annotations

from pathlib import Path

import dns.dnssec
import dns.message
import dns.query
import dns.rdata
import dns.rdatatype
import dns.rdtypes.dnskeybase

from dns_servers.authoritative import KEY_NAME, QUERY_TIMEOUT, SECRET, ZONE_TEXT, NameServer
from dns_servers.process import NotReady

_CONF = """\
key "{key_name}" {{ algorithm hmac-sha256; secret "{secret}"; }};
options {{
  directory "{folder}"; pid-file none; session-keyfile "{folder}/session.key"; lock-file none;
  listen-on port {port} {{ {ipv4} }}; listen-on-v6 port {port} {{ {ipv6} }}; reuseport no;
  server-id "{folder}"; recursion no; dnssec-validation no; notify no; empty-zones-enable no;
  allow-transfer {{ {transfer} }}; tcp-clients 1000;
}};
controls {{}};
dnssec-policy "nsec3" {{
  keys {{ csk lifetime unlimited algorithm 13; }}; nsec3param iterations 0 optout no salt-length 0;
}};
zone "{zone}" {{ type primary; file "{folder}/zone"; {update} }};
"""


class Bind(NameServer):
    """A running `named`. Where it is `signed`, it is when the server is ready, and `ds` has the DS record for the zone
    above; with `nsec3` as well, what is not there is denied by NSEC3 (RFC 5155). With `ipv6` it answers at ::1 as well.

        with Bind(tmp_path, zone="shop.example") as bind:
            server = f"127.0.0.1:{bind.port}"
    """

    program = "named"

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
        nsec3: bool = False,
    ) -> None:
        super().__init__(folder, zone, zone_text, key, update, ipv4)
        self._ipv6 = ipv6
        self._signed = signed
        self._nsec3 = nsec3

    def _prepare(self) -> list[str]:
        allowed = f'key "{KEY_NAME}";' if self._key else "127.0.0.0/8; ::1;"
        policy = (
            f"update-policy {{ grant {KEY_NAME} zonesub ANY; }};" if self._key else f"allow-update {{ {allowed} }};"
        )
        signing = f" dnssec-policy {'nsec3' if self._nsec3 else 'default'};" if self._signed else ""
        (self._folder / "named.conf").write_text(
            _CONF.format(
                folder=self._folder,
                port=self.port,
                key_name=KEY_NAME,
                secret=SECRET,
                zone=self.zone,
                transfer=allowed,
                update=(policy if self._update else "") + signing,
                ipv4=f"{self.address};",
                ipv6="::1;" if self._ipv6 else "none;",
            )
        )
        return ["-g", "-n", "1", "-c", str(self._folder / "named.conf")]

    def _probe(self) -> None:
        if "not loaded due to errors" in self._log():
            raise RuntimeError(f"named does not load the zone:\n{self._log()}")
        super()._probe()
        if self._signed and not self._keys():
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
