"""A whole small world: a shop at two web deployments, its zone on BIND, and a home folder with its settings."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from changeover.storage.home import Home
from command import run_command
from dns_servers.bind import Bind
from web_servers.nginx import Nginx

_KILLED_AT = Path(__file__).parent / "cli" / "killed_at.py"
WWW, APEX = "www.shop.example", "shop.example"
ZONE = """\
@ SOA ns1 hostmaster 1 3600 600 86400 60
@ NS ns1
ns1 A 127.0.0.1
@ A 127.0.0.2
@ AAAA ::1
@ MX 10 mail
@ TXT "v=spf1 -all"
@ CAA 0 issue "ca.example"
mail A 192.0.2.25
edge-primary A 127.0.0.2
www CNAME edge-primary
other TXT "leave me alone"
"""
SETTINGS = """\
# What the team agreed on.
version = 1

[accounts.dns-main]
provider = "rfc2136"
server = "{server}"
{key}

[[services]]
name = "shop"
hostnames = ["www.shop.example", "shop.example"]
dns = [{{ account = "dns-main", zone = "shop.example" }}]
ttl = 60

[services.health]
path = "/health"
port = {port}
expect_body = "ok"
ca_file = "{ca_file}"
interval = 1
timeout = 20

[[services.deployments]]
name = "primary"
answer = {{ cname = "edge-primary.shop.example" }}
answers."shop.example" = {{ a = ["127.0.0.2"], aaaa = ["::1"] }}
marker = {{ header = "X-Deployment", value = "primary" }}

[[services.deployments]]
name = "backup"
answer = {{ a = ["127.0.0.3"] }}
marker = {{ header = "X-Deployment", value = "backup" }}

[lookup]
resolvers = ["{server}"]
nameservers = {{ "shop.example" = ["{server}"] }}
witnesses = []
doh = []
portal = ""
"""


class Shop:
    """Starts the servers and writes the home folder. `run` runs one command there, in a process of its own.

    With `key` the zone takes signed updates only. `session` is the environment that commands are run in.
    """

    def __init__(self, folder: Path, key: bool = False, session: Mapping[str, str] = os.environ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="shop-", dir=folder))
        self.home_folder = self.folder / "home"
        self.home_folder.mkdir()
        self.home = Home.at(self.home_folder)
        self.bind = Bind(self.folder, zone_text=ZONE, key=key)
        self.web = Nginx(self.folder, {"primary": ["127.0.0.2", "::1"], "backup": ["127.0.0.3"]}, [WWW, APEX])
        self.session = session
        self._key = key

    def __enter__(self) -> Self:
        self.bind.__enter__()
        self.web.__enter__()
        self.write_settings()
        return self

    def __exit__(self, *error: object) -> None:
        self.web.__exit__(*error)
        self.bind.__exit__(*error)

    def write_settings(self, **changed: object) -> None:
        key = f'key_name = "{self.bind.key_name}"' if self._key else ""
        values = {"server": self.bind.server, "port": self.web.port, "ca_file": self.web.ca_file, "key": key}
        self.home.settings_file.write_text(SETTINGS.format(**{**values, **changed}))

    @property
    def environment(self) -> dict[str, str]:
        return {**self.session, "CHANGEOVER_HOME": str(self.home_folder)}

    def run(self, *arguments: str, stdin: str = "", timeout: float = 90) -> subprocess.CompletedProcess[str]:
        """`changeover ARGUMENTS` to its end."""
        return run_command(arguments, self.environment, stdin, timeout)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """`changeover ARGUMENTS`, left running."""
        return subprocess.Popen(
            [sys.executable, "-m", "changeover", *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def kill(self, number: int, moment: str, *arguments: str) -> None:
        """`changeover ARGUMENTS`, killed right "before" or "after" entry `number` of its journal, counted from 1."""
        ended = subprocess.run(
            [sys.executable, str(_KILLED_AT), str(number), moment, *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == -signal.SIGKILL, ended.stderr

    def json(self, *arguments: str, status: int = 0, stdin: str = "") -> dict[str, Any]:
        """The JSON object of a command that must end with `status`."""
        ended = self.run(*arguments, "--json", stdin=stdin)
        assert ended.returncode == status, f"{arguments} ended {ended.returncode}\n{ended.stdout}\n{ended.stderr}"
        found: dict[str, Any] = json.loads(ended.stdout)
        return found

    def at(self, name: str) -> frozenset[str]:
        """The zone's lines of one name, address records only."""
        lines = (line for line in self.bind.records() if line.split()[0] == f"{name}.")
        return frozenset(line for line in lines if line.split()[2] in ("A", "AAAA", "CNAME", "HTTPS", "SVCB"))
