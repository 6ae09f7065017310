"""Unbound on a free loopback port: a caching resolver that asks one authoritative server and nobody else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import dns.exception

from dns_servers.authoritative import is_itself
from dns_servers.process import LoopbackServer, NotReady

_CONF = """\
server:
  directory: "{folder}"
  pidfile: ""
  chroot: ""
  username: ""
  use-syslog: no
  interface: 127.0.0.1@{port}
  do-not-query-localhost: no
  module-config: "iterator"
  access-control: 127.0.0.0/8 allow_snoop
  identity: "{folder}"
  so-reuseport: no
  num-threads: 1
  qname-minimisation: no
  {more}
remote-control:
  control-enable: yes
  control-interface: "{folder}/control"
forward-zone:
  name: "."
  forward-addr: {authority}
"""


class Unbound(LoopbackServer):
    """A running `unbound` that asks `authority` (host:port) for everything, as `Unbound(tmp_path, bind.server)`.

    What the authority does not serve, a CNAME's target included, is answered with SERVFAIL. `more` is a line for its
    server section, such as "cache-min-ttl: 300".
    """

    program = "unbound"

    def __init__(self, folder: Path, authority: str, more: str = "") -> None:
        super().__init__(folder)
        self._more = more
        self._authority = authority.replace(":", "@")

    def _prepare(self) -> list[str]:
        conf = self._folder / "unbound.conf"
        conf.write_text(_CONF.format(folder=self._folder, port=self.port, authority=self._authority, more=self._more))
        return ["-d", "-c", str(conf)]

    def forget(self, name: str) -> None:
        """Takes what it has of a name out of its cache."""
        conf = str(self._folder / "unbound.conf")
        subprocess.run(["unbound-control", "-c", conf, "flush", name], check=True, capture_output=True, timeout=30)

    def _probe(self) -> None:
        """By TCP and by UDP."""
        try:
            if not all(is_itself(self._folder, self.address, self.port, udp=udp) for udp in (False, True)):
                raise NotReady
        except (dns.exception.DNSException, OSError, EOFError):
            raise NotReady from None
