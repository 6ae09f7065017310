"""Unbound on a free loopback port: a caching resolver that asks one authoritative server and nobody else."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Self

import dns.exception
import dns.message
import dns.query
import dns.rdataclass
import dns.rdatatype

from dns_servers.process import NotReady, ServerProcess, free_port

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
  control-enable: no
forward-zone:
  name: "."
  forward-addr: {authority}
"""


class Unbound:
    """A running `unbound` that asks `authority` (host:port) for everything, as `Unbound(tmp_path, bind.server)`.

    What the authority does not serve, a CNAME's target included, is answered with SERVFAIL. `more` is a line for its
    server section, such as "cache-min-ttl: 300".
    """

    def __init__(self, folder: Path, authority: str, more: str = "") -> None:
        self._more = more
        self.port = 0
        self._authority = authority.replace(":", "@")
        self._folder = Path(tempfile.mkdtemp(prefix="unbound-", dir=folder))
        self._process: ServerProcess | None = None

    def __enter__(self) -> Self:
        for _ in range(3):  # another process may take the port before unbound does
            self.port = free_port()
            conf = self._folder / "unbound.conf"
            conf.write_text(
                _CONF.format(folder=self._folder, port=self.port, authority=self._authority, more=self._more)
            )
            self._process = ServerProcess(["unbound", "-d", "-c", str(conf)], self._folder / "unbound.log")
            if self._process.wait_until(self._probe):
                return self
            self._process.stop()
        raise RuntimeError(f"unbound did not start:\n{(self._folder / 'unbound.log').read_text()[-4000:]}")

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _probe(self) -> None:
        """Ready is: it is this very server that answers, by TCP and by UDP."""
        which = dns.message.make_query("id.server.", dns.rdatatype.TXT, dns.rdataclass.CH)
        try:
            for ask in (dns.query.tcp, dns.query.udp):
                if str(self._folder) not in ask(which, "127.0.0.1", timeout=2, port=self.port).to_text():
                    raise NotReady
        except (dns.exception.DNSException, OSError, EOFError):
            raise NotReady from None

    @property
    def server(self) -> str:
        """host:port, as the settings file has it."""
        return f"127.0.0.1:{self.port}"

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()
