"""The practice ground as a whole: started and ended as one, kept in one folder, broken and repaired from anywhere."""

from __future__ import annotations

import errno
import os
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import filelock
import platformdirs

from changeover.dns.wire.exchange import Server
from changeover.lab import dns_port, settings, web
from changeover.lab.app import LabApp
from changeover.lab.authority import Authority
from changeover.lab.control import Control
from changeover.lab.resolver import Resolver
from changeover.model.errors import UsageError
from changeover.storage.home import Home
from changeover.storage.journal.lock import is_locked

DEPLOYMENTS = ("primary", "backup")
#: Addresses for the two, in the order in which they are tried: macOS has only the second pair.
_ADDRESSES = (("127.0.0.2", "127.0.0.3"), ("127.0.0.1", "::1"))
#: Looking whether a lab runs takes its lock for a moment; a lab that starts waits that long for such a look to pass.
_GRACE = 0.1

_ZONE = """\
@ 3600 SOA ns1 hostmaster 1 3600 600 86400 10
@ 3600 NS ns1
@ 3600 MX 10 mail
@ 3600 TXT "v=spf1 mx -all"
@ {ttl} A {address}
www {ttl} A {address}
mail 3600 A 192.0.2.25
ns1 3600 A {name_server}
"""


class PracticeGround:
    """A running practice ground in the folder `home`.

    `deployments` has host:port of each web server; `dns` and `resolver` are host:port of the name server, which takes
    unsigned updates, and of the resolver in front of it; `control` of its platform. `ca_file` vouches for the web
    servers, and `apps` are what they show.
    """

    service = settings.SERVICE

    def __init__(self, home: Path, ports: settings.Ports, addresses: dict[str, str]) -> None:
        self.home = home
        self.dns = settings.server(ports.dns)
        self.resolver = settings.server(ports.resolver)
        self.control = settings.server(ports.control)
        self.apps = _apps(home)
        self.deployments = {name: _host_port(address, ports.web) for name, address in addresses.items()}
        self.ca_file = _folder(home) / "ca.pem"

    @classmethod
    @asynccontextmanager
    async def started(cls, home: Path) -> AsyncIterator[Self]:
        """Starts the practice ground, which ends with this context.

        A new folder gets a new world. One that held a practice ground before shows the same world again, at the same
        ports where these are still free. Raises UsageError where the folder is of no use or another practice ground
        runs there, and SettingsError where a person's edit has left faults in the settings file.
        """
        async with AsyncExitStack() as stack:
            with _usable(home):
                ground = await cls._start(home.absolute(), stack)
            yield ground

    @classmethod
    async def _start(cls, home: Path, stack: AsyncExitStack) -> Self:
        from changeover.lab import certificates  # brings its own large library, which only a start needs

        file = Home.at(home).settings_file
        settings.refuse_foreign(file)
        folder = _folder(home)
        folder.mkdir(parents=True, exist_ok=True)
        stack.enter_context(_alone(home))
        names = [*settings.HOSTNAMES, *(address for pair in _ADDRESSES for address in pair)]
        tls = certificates.server_context(folder, names, datetime.now(UTC))
        old = settings.remembered_ports(file)

        apps = _apps(home)
        port, addresses = await _serve_web(apps, stack, tls, old.web)
        control = await stack.enter_async_context(Control(apps).serving(old.control))
        new_zone = _ZONE.format(ttl=settings.TTL, address=addresses[DEPLOYMENTS[0]], name_server=dns_port.ADDRESS)
        authority = Authority(folder / f"{settings.ZONE}.zone", settings.ZONE, new_zone)
        dns = await stack.enter_async_context(authority.serving(old.dns))
        resolver = Resolver(Server(dns_port.ADDRESS, dns), settings.ZONE)
        resolving = await stack.enter_async_context(resolver.serving(old.resolver))
        ports = settings.Ports(dns, resolving, port, control)
        if file.exists():
            settings.move(file, old, ports)
        else:
            settings.write(file, ports, addresses)
        return cls(home, ports, addresses)

    def break_(self, deployment: str) -> None:
        """From now on `deployment` answers 503. Raises UsageError where there is no such deployment."""
        _set_broken(self.home, deployment, True)

    def mend(self, deployment: str) -> None:
        """From now on `deployment` answers well again. Raises UsageError where there is no such deployment."""
        _set_broken(self.home, deployment, False)

    def broken(self) -> frozenset[str]:
        return frozenset(name for name, app in self.apps.items() if app.broken)


def break_deployment(home: Path, name: str) -> None:
    """Breaks a deployment of the practice ground that another process runs in `home`.

    Raises UsageError where none runs there, or where it has no such deployment.
    """
    _refuse_idle(home)
    _set_broken(home, name, True)


def mend_deployment(home: Path, name: str) -> None:
    """Mends what `break_deployment` broke, and raises the same."""
    _refuse_idle(home)
    _set_broken(home, name, False)


def default_home() -> Path:
    """Where the practice ground is kept when nobody says otherwise: apart from the person's own settings.

    A CHANGEOVER_HOME that is a practice ground already is the one that is meant.
    """
    own = os.environ.get("CHANGEOVER_HOME")
    if own:
        folder = Home.at(Path(own).expanduser()).data
        return folder if _lock_file(folder).exists() else folder / "lab"
    return platformdirs.user_data_path("changeover-lab", appauthor=False)


def _folder(home: Path) -> Path:
    return home / "lab"


def _lock_file(home: Path) -> Path:
    return _folder(home) / "lab.lock"


def _apps(home: Path) -> dict[str, LabApp]:
    return {name: LabApp(name, _folder(home), settings.HOSTNAMES) for name in DEPLOYMENTS}


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Holds the lock of the practice ground in `home`. It is the operating system's and dies with the process."""
    lock = filelock.FileLock(_lock_file(home), is_singleton=False)
    try:
        lock.acquire(timeout=_GRACE, poll_interval=_GRACE / 4)
    except filelock.Timeout:
        raise UsageError(
            f"A practice ground is already running in {home}",
            "Use that one, or end it first. A second one needs a folder of its own: changeover lab --home DIR",
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _usable(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"The practice ground in {home} cannot be used: {error.strerror or error}",
            "Choose another folder: changeover lab --home DIR",
        ) from None


def _refuse_idle(home: Path) -> None:
    with _usable(home):
        running = is_locked(_lock_file(home))
    if not running:
        raise UsageError(
            f"No practice ground is running in {home}",
            "Start one with `changeover lab`, or name the folder of the one that runs with --home DIR.",
        )


def _set_broken(home: Path, name: str, broken: bool) -> None:
    if name not in DEPLOYMENTS:
        raise UsageError(
            f'The practice ground has no deployment "{name}"', f"Its deployments are {' and '.join(DEPLOYMENTS)}."
        )
    file = _apps(home)[name].broken_file
    with _usable(home):
        if broken:
            file.parent.mkdir(exist_ok=True)
            file.touch()
        else:
            file.unlink(missing_ok=True)


async def _serve_web(
    apps: Mapping[str, LabApp], stack: AsyncExitStack, tls: ssl.SSLContext, preferred: int | None
) -> tuple[int, dict[str, str]]:
    """Starts both deployments, and gives their port and their addresses by name."""
    for pair in _ADDRESSES:
        addresses = dict(zip(DEPLOYMENTS, pair, strict=True))
        deployments = {address: web.LabDeployment(apps[name]) for name, address in addresses.items()}
        try:
            return await stack.enter_async_context(web.serving(deployments, tls, preferred)), addresses
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL:
                raise
    tried = " nor ".join(" and ".join(pair) for pair in _ADDRESSES)
    raise OSError(errno.EADDRNOTAVAIL, f"this computer has neither {tried}")


def _host_port(address: str, port: int | None) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
