"""nginx as the web deployments of a service, with TLS from a throw-away certificate authority."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import trustme

from dns_servers.process import NotReady, ServerProcess, free_port
from web_servers.certificates import faulty

_CONF = """\
{user} daemon off; worker_processes 1; pid "{folder}/pid"; error_log "{folder}/error.log";
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path "{folder}/t1"; proxy_temp_path "{folder}/t2"; fastcgi_temp_path "{folder}/t3";
  uwsgi_temp_path "{folder}/t4"; scgi_temp_path "{folder}/t5"; reset_timedout_connection on;
  {servers}
}}
"""
_SERVER = """
  server {{
    {listens}
    ssl_certificate "{folder}/{certificate}.pem"; ssl_certificate_key "{folder}/{certificate}.pem";
    add_header X-Deployment {name} always;
    default_type text/plain;
    if (-f "{folder}/broken-{name}") {{ return 503 "broken\\n"; }}
    location / {{
      return 200 "ok from {name}\\n";
    }}
    location = /health {{
      default_type application/json;
      if (-f "{folder}/database-of-{name}") {{ return 200 '{{"status": "ok", "database": "down"}}'; }}
      return 200 '{{"status": "ok", "database": "up"}}';
    }}
    location = /login {{
      add_header X-Deployment {name} always;
      add_header Set-Cookie "session=7d2f; Path=/; HttpOnly" always;
      return 302 /orders;
    }}
    location = /orders {{
      default_type application/json;
      if ($cookie_session != 7d2f) {{ return 401 "log in first\\n"; }}
      if (-f "{folder}/database-of-{name}") {{ return 500 "no database\\n"; }}
      return 200 '{{"orders": [{{"id": 17}}]}}';
    }}
    location = /orders/17 {{
      if ($cookie_session != 7d2f) {{ return 401 "log in first\\n"; }}
      return 200 "order 17\\n";
    }}
    location = /slow {{ limit_rate 8; return 200 "{slow}"; }}
  }}
"""


class Nginx:
    """Deployments by name, each at its own loopback addresses, all at one port.

    `names` are what the certificates are for; `certificates` has by deployment which of `faulty` it shows, unless the
    good one. `break_` and `repair`, `stop_database` and `start_database` change what a deployment answers, at once.
    """

    def __init__(
        self,
        folder: Path,
        deployments: Mapping[str, Sequence[str]],
        names: Sequence[str],
        certificates: Mapping[str, str] | None = None,
    ) -> None:
        self.port = 0
        self._deployments = deployments
        self._certificates = certificates or {}
        self._folder = Path(tempfile.mkdtemp(prefix="nginx-", dir=folder))
        self.ca_file = self._folder / "ca.pem"
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.ca_file)
        for kind, pem in faulty(authority, names).items():
            (self._folder / f"{kind}.pem").write_bytes(pem)
        self._process: ServerProcess | None = None

    def __enter__(self) -> Self:
        for _ in range(3):  # another process may take the port before nginx does
            self.port = free_port()
            servers = "".join(
                _SERVER.format(
                    folder=self._folder,
                    name=name,
                    certificate=self._certificates.get(name, "good"),
                    slow="x" * 1000,
                    listens=" ".join(f"listen {_host(address)}:{self.port} ssl;" for address in addresses),
                )
                for name, addresses in self._deployments.items()
            )
            (self._folder / "nginx.conf").write_text(
                _CONF.format(folder=self._folder, servers=servers, user="user root;" if os.geteuid() == 0 else "")
            )
            arguments = ["nginx", "-c", str(self._folder / "nginx.conf"), "-e", str(self._folder / "error.log")]
            self._process = ServerProcess(arguments, self._folder / "nginx.log")
            if self._process.wait_until(self._probe):
                return self
            self._process.stop()
        raise RuntimeError(f"nginx did not start:\n{(self._folder / 'error.log').read_text()}")

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _probe(self) -> None:
        context = ssl.create_default_context(cafile=str(self.ca_file))
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        for addresses in self._deployments.values():
            try:
                with (
                    socket.create_connection((addresses[0], self.port), timeout=2) as plain,
                    context.wrap_socket(plain),
                ):
                    pass
            except (OSError, ssl.SSLError):
                raise NotReady from None

    def break_(self, name: str) -> None:
        (self._folder / f"broken-{name}").touch()

    def repair(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            (self._folder / f"broken-{name}").unlink()

    def stop_database(self, name: str) -> None:
        """Its health page still says 200; only its body tells, and whoever needs the database."""
        (self._folder / f"database-of-{name}").touch()

    def start_database(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            (self._folder / f"database-of-{name}").unlink()

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address
