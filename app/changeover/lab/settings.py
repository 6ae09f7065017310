"""The practice ground's own settings file: made once, afterwards only told of ports that have moved."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from changeover.accounts.kinds import KINDS
from changeover.accounts.trust import own_edit
from changeover.lab import dns_port
from changeover.lab.web import MARKER_HEADER
from changeover.model.dns.server_address import parse_server
from changeover.model.errors import UsageError
from changeover.model.settings.service import Settings
from changeover.storage.home import Home
from changeover.storage.settings import file as settings_file

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

ACCOUNT, PLATFORM_ACCOUNT = "lab-dns", "lab-platform"
SERVICE = "shop"
ZONE = "shop.example"
HOSTNAMES = ("www.shop.example", "shop.example")
#: How long the records of these hostnames may be cached, in seconds: short, so that one sees visitors follow.
TTL = 20

_TEXT = """\
# This is Changeover's practice ground: a make-believe shop with two web deployments, a name server and a resolver.
# All of it runs on this computer, and only while `changeover lab` does. Nothing here is real, so break it, switch it,
# bring it back, and change in this file whatever you like. When you are done with it, delete the whole folder.

version = 1

[accounts.{account}]
provider = "rfc2136"
server = "{dns}"

[accounts.{platform_account}]
provider = "lab"
endpoint = "{control}"    # runs the two deployments: `changeover platform shop`

[[services]]
name = "{service}"
hostnames = [{hostnames}]
dns = [{{ account = "{account}", zone = "{zone}" }}]
ttl = {ttl}

[services.health]
path = "/health"
port = {port}
expect_body = "ok"
ca_file = "lab/ca.pem"    # made for the practice ground; its key is kept nowhere
interval = 2
timeout = 2
thresholds = {{ up_after = 3, up_seconds = 5 }}    # nobody who practises waits for three minutes
{deployments}
[[services.actions]]
name = "room for all"
phase = "promote"
to = ["backup"]
platform = {{ deployment = "backup", verb = "scale", instances = 3 }}
risk = "The backup is slow for a while: one instance serves everybody."

[lookup]
resolvers = ["{resolver}"]
nameservers = {{ "{zone}" = ["{dns}"] }}
witnesses = []    # nothing is asked outside this computer
doh = []
portal = ""
"""
_DEPLOYMENT = """
[[services.deployments]]
name = "{name}"
platform = "lab"
account = "{account}"
app = "{name}"
answer = {{ {family} = ["{address}"] }}
marker = {{ header = "{header}", value = "{name}" }}
"""


class Ports(NamedTuple):
    """Where the parts of the practice ground listen; None for what is not known yet."""

    dns: int | None = None
    resolver: int | None = None
    web: int | None = None
    control: int | None = None


def refuse_foreign(file: Path) -> None:
    """Raises UsageError where `file` is a settings file that no practice ground has made."""
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except ValueError:
        tables = {}
    accounts = tables.get("accounts")
    account = accounts.get(ACCOUNT) if isinstance(accounts, Mapping) else None
    if not isinstance(account, Mapping) or account.get("provider") != "rfc2136" or "key_name" in account:
        raise UsageError(
            f"{file} belongs to something else than a practice ground, and was left as it is",
            "Choose another folder: changeover lab --home DIR",
        )


def remembered_ports(file: Path) -> Ports:
    """The ports that `file` names. Raises SettingsError where it has faults."""
    settings = settings_file.load(file, KINDS)
    account, platform = settings.account(ACCOUNT), settings.account(PLATFORM_ACCOUNT)
    services = [s for s in settings.services if any(entry.account == ACCOUNT for entry in s.dns)]
    resolvers = [parse_server(text) for text in settings.lookup.resolvers]
    return Ports(
        dns=parse_server(account.options["server"])[1] if account else None,
        resolver=next((port for host, port in resolvers if host == dns_port.ADDRESS), None),
        web=next((s.health.port for s in services), None),
        control=urlsplit(platform.options["endpoint"]).port if platform else None,
    )


def write(file: Path, ports: Ports, addresses: Mapping[str, str]) -> None:
    """Makes the settings file of a new practice ground; `addresses` are its deployments'."""
    deployments = [
        _DEPLOYMENT.format(
            name=name,
            account=PLATFORM_ACCOUNT,
            family="aaaa" if ":" in address else "a",
            address=address,
            header=MARKER_HEADER,
        )
        for name, address in addresses.items()
    ]
    text = _TEXT.format(
        account=ACCOUNT,
        platform_account=PLATFORM_ACCOUNT,
        control=_endpoint(ports.control),
        service=SERVICE,
        zone=ZONE,
        hostnames=", ".join(f'"{name}"' for name in HOSTNAMES),
        ttl=TTL,
        dns=server(ports.dns),
        resolver=server(ports.resolver),
        port=ports.web,
        deployments="".join(deployments),
    )
    settings_file.write_atomically(file, text)
    own_edit(Home.at(file.parent), Settings(), settings_file.load(file, KINDS))


def move(file: Path, old: Ports, new: Ports) -> None:
    """Puts the new ports where the old ones stood, and changes nothing else. Raises SettingsError, ChangeoverError."""
    if old.control is None:  # a file of before the practice ground had a platform, or a person took that out
        new = new._replace(control=None)

    def change(document: TOMLDocument) -> None:
        document["accounts"][ACCOUNT]["server"] = server(new.dns)
        if new.control is not None:
            document["accounts"][PLATFORM_ACCOUNT]["endpoint"] = _endpoint(new.control)
        for table in document.get("services", []):
            ours = any(entry["account"] == ACCOUNT for entry in table["dns"])
            if ours and old.web is not None and table.get("health", {}).get("port") == old.web:
                table["health"]["port"] = new.web
        lookup = document.get("lookup", {})
        _replace(lookup.get("resolvers", []), server(old.resolver), server(new.resolver))
        for servers in lookup.get("nameservers", {}).values():
            _replace(servers, server(old.dns), server(new.dns))

    if old != new:
        settings_file.edit(file, KINDS, change, lambda before, after: own_edit(Home.at(file.parent), before, after))


def server(port: int | None) -> str:
    """The lab's DNS server at `port`, as the settings file has it."""
    return f"{dns_port.ADDRESS}:{port}"


def _endpoint(port: int | None) -> str:
    return f"http://{server(port)}"


def _replace(texts: list[Any], old: str, new: str) -> None:
    for number, text in enumerate(texts):
        if text == old:
            texts[number] = new
