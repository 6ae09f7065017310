"""The processor time of one verified HTTPS check: ours, blackbox_exporter's, and httpx's without kept connections.

All ask the same nginx for the same small page over loopback, verify its certificate by the same file for the same
hostname, and begin each check with a new connection. Ours and httpx's are counted in this process, one check after
another; blackbox_exporter's in its own, while it is asked for one after another by HTTP, which is how it is used. The
certificates are of the kind that trustme makes (ECDSA on P-256, one authority).
"""

from __future__ import annotations

import asyncio
import http.client
import os
import shutil
import ssl
import subprocess
import tempfile
import time
import urllib.parse
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
from figures import Figure

from changeover.health.probe import probe
from changeover.model.health.check import HealthCheck
from changeover.model.settings.service import Answer, Deployment
from dns_servers.process import NotReady, ServerProcess, free_port
from web_servers.nginx import Nginx

NAME = "www.shop.example"
CHECKS = 300
AIM = 1.0
EXPORTER = "prometheus-blackbox-exporter"

_MODULE = """\
modules:
  http_2xx:
    prober: http
    timeout: 10s
    http:
      headers: {{Host: "{name}:{port}"}}
      tls_config: {{ca_file: "{ca_file}", server_name: {name}}}
      preferred_ip_protocol: ip4
      follow_redirects: false
"""


def measure(rounds: int) -> list[Figure]:
    """Two figures: ours beside blackbox_exporter, and beside httpx."""
    if shutil.which(EXPORTER) is None:
        raise SystemExit(f"{EXPORTER} is not there; install the Debian package of this name")
    taken: dict[str, list[float]] = {"ours": [], "exporter": [], "httpx": []}
    with (
        tempfile.TemporaryDirectory() as folder,
        Nginx(Path(folder), {"backup": ["127.0.0.1"]}, [NAME]) as nginx,
        _Exporter(Path(folder), nginx) as exporter,
    ):
        for number in range(rounds + 1):  # the first round warms up, and does not count
            found = {
                "ours": asyncio.run(_cpu(_probe(nginx))),
                "exporter": exporter.cpu(),
                "httpx": asyncio.run(_with_httpx(nginx)),
            }
            for way, seconds in found.items():
                taken[way] += [seconds] if number else []
    ours = tuple(taken["ours"])
    what = f"{CHECKS} verified HTTPS checks, processor time"
    return [
        Figure(
            what=what, peer=f"blackbox_exporter {exporter.version}", ours=ours, theirs=tuple(taken["exporter"]), aim=AIM
        ),
        Figure(what=what, peer="httpx", ours=ours, theirs=tuple(taken["httpx"]), aim=AIM),
    ]


async def _cpu(check: Callable[[], Awaitable[None]]) -> float:
    await check()
    began = time.process_time()
    for _ in range(CHECKS):
        await check()
    return time.process_time() - began


def _probe(nginx: Nginx) -> Callable[[], Awaitable[None]]:
    deployment = Deployment(name="backup", answer=Answer(a=("127.0.0.1",)))
    check = HealthCheck(port=nginx.port, ca_file=str(nginx.ca_file))

    async def one() -> None:
        found = await probe(deployment, NAME, "127.0.0.1", check)
        assert found.ok, found.reason

    return one


async def _with_httpx(nginx: Nginx) -> float:
    verify = ssl.create_default_context(cafile=str(nginx.ca_file))
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(verify=verify, limits=limits, trust_env=False, timeout=10) as client:

        async def one() -> None:
            answer = await client.get(
                f"https://127.0.0.1:{nginx.port}/",
                headers={"Host": f"{NAME}:{nginx.port}"},
                extensions={"sni_hostname": NAME},
            )
            assert answer.status_code == 200

        return await _cpu(one)


class _Exporter:
    """A running blackbox_exporter."""

    def __init__(self, folder: Path, nginx: Nginx) -> None:
        self._port = free_port()
        config = folder / "blackbox.yml"
        config.write_text(_MODULE.format(name=NAME, port=nginx.port, ca_file=nginx.ca_file))
        listen = f"--web.listen-address=127.0.0.1:{self._port}"
        arguments = [EXPORTER, f"--config.file={config}", listen, "--log.level=error"]
        self._process = ServerProcess(arguments, folder / "exporter.log")
        target = urllib.parse.quote(f"https://127.0.0.1:{nginx.port}/", safe="")
        self._path = f"/probe?module=http_2xx&target={target}"
        told = subprocess.run([EXPORTER, "--version"], capture_output=True, text=True, check=True)
        self.version = (told.stdout + told.stderr).split("version ")[1].split()[0].partition("+")[0]

    def __enter__(self) -> _Exporter:
        if not self._process.wait_until(self._ready):
            raise RuntimeError(f"{EXPORTER} did not start:\n{self._process.log.read_text()}")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop()

    def _ready(self) -> None:
        try:
            self._ask(http.client.HTTPConnection("127.0.0.1", self._port, timeout=5))
        except OSError:
            raise NotReady from None

    def _ask(self, connection: http.client.HTTPConnection) -> None:
        connection.request("GET", self._path)
        said = connection.getresponse().read()
        assert b"\nprobe_success 1\n" in said, said

    def cpu(self) -> float:
        """The processor time of its process for all checks, by /proc, which counts in hundredths of a second."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=15)
        self._ask(connection)
        began = self._used()
        for _ in range(CHECKS):
            self._ask(connection)
        return self._used() - began

    def _used(self) -> float:
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
