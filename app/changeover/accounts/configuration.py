"""The settings in force, and every change of them: accounts, services, how a service is checked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from changeover.accounts.accounts import Accounts, Steering
from changeover.accounts.kinds import KINDS
from changeover.accounts.trust import Trust, files_of, own_edit
from changeover.model.errors import AuthError, ChangeoverError, NotFound, Refused, Rejected, UsageError
from changeover.model.health.check import HealthCheck
from changeover.model.runs.open_run import open_run_words
from changeover.model.secret import Secret
from changeover.model.settings.account import AccountCheck, AccountRow
from changeover.model.settings.maintenance import Maintenance
from changeover.model.settings.platform import DiscoveredApp
from changeover.model.settings.service import Deployment, Service, Settings
from changeover.model.settings.service_secrets import service_secrets
from changeover.storage.home import Home
from changeover.storage.journal.recorded_runs import RecordedRuns
from changeover.storage.keyring import Vault
from changeover.storage.settings import file as settings_file

if TYPE_CHECKING:
    from changeover.databases.database_server import DatabaseServer
    from changeover.dns.provider import Provider


class Configuration:
    """What people have set up. `changed` is called with the new settings after each change that is made by it."""

    def __init__(self, home: Home, vault: Vault, runs: RecordedRuns, changed: Callable[[Settings], None]) -> None:
        """Reads the settings. Raises SettingsError with every fault of the file."""
        self.settings = settings_file.load(home.settings_file, KINDS)
        self.vault = vault
        self.trust = Trust(home, lambda: self.settings, vault)
        self.accounts = Accounts(home, vault, self.trust)
        self._home = home
        self._runs = runs
        self._changed = changed

    # What is there

    def service(self, name: str) -> Service:
        """The service of that name. Raises UsageError that names the known ones."""
        found = self.settings.service(name)
        if found is None:
            known = ", ".join(s.name for s in self.settings.services)
            hint = f"Services: {known}" if known else "There are none yet. Add one with: changeover service add"
            raise UsageError(f"There is no service {name}", hint)
        return found

    def deployment(self, service: str, name: str) -> Deployment:
        """A deployment of a service. Raises UsageError that names the known ones."""
        of = self.service(service)
        found = of.deployment(name)
        if found is None:
            known = ", ".join(d.name for d in of.deployments)
            raise UsageError(f"Service {service} has no deployment {name}", f"Deployments: {known}")
        return found

    async def open_each(self, accounts: Iterable[str]) -> dict[str, Provider | ChangeoverError]:
        """By name, the account's provider, or why it cannot be opened."""
        return await self.accounts.open_each(self.settings, accounts)

    async def open_platform(self, deployment: Deployment) -> Steering:
        """What steers a deployment. Raises a ChangeoverError where it cannot be opened."""
        return await self.accounts.open_platform(self.settings, deployment)

    async def open_database(self, service: Service, deployment: Deployment) -> DatabaseServer:
        """The database of a deployment. Raises a ChangeoverError where it names none, or where it cannot be opened."""
        database = deployment.database
        if database is None:
            raise NotFound(f"{deployment.name} names no database", f"Name it in the settings of {service.name}.")
        secret = await self.trust.database_secret(service, database)
        if secret is None:
            text = f"The secret {database.secret} of {service.name} is not in the keyring of this computer"
            raise AuthError(text, f"Give it: changeover service secret {service.name} {database.secret} --secret-stdin")
        return await asyncio.to_thread(self._opened, database.kind, secret)

    def _opened(self, kind: str, secret: Secret) -> DatabaseServer:
        """Takes a while: it imports the driver, and reads certificates."""
        from changeover.databases import database_type

        server = database_type(kind)(secret)
        if server.authority is not None and files_of(self._home).beside(server.authority) is not None:
            text = "The connection string names certificates that came with the settings"
            raise Rejected(text, "Whoever can write these could stand in for the database. Keep the file elsewhere.")
        return server

    async def apps(self, account: str) -> tuple[DiscoveredApp, ...]:
        """What an account at a platform has."""
        return await self.accounts.apps(self.settings, account)

    async def rows(self) -> tuple[AccountRow, ...]:
        """Every account, and where its secret is."""
        return await self.accounts.rows(self.settings)

    # Accounts

    async def add_account(
        self,
        name: str,
        provider: str,
        options: Mapping[str, Any],
        secrets: Mapping[str, Secret],
        *,
        replace: bool = False,
        in_memory: bool = False,
    ) -> None:
        """Adds an account: its secrets to the keyring, then its table to the settings file."""
        arguments = (name, provider, options, secrets)
        self._take(await self.accounts.add(*arguments, replace=replace, in_memory=in_memory))

    async def keep_account_secrets(self, name: str, secrets: Mapping[str, Secret]) -> None:
        """Keeps the secrets of an account that stands in the settings."""
        await self.accounts.keep_secrets(self.settings, name, secrets)

    async def verify_account(self, name: str, zone: str | None = None) -> AccountCheck:
        """Proves what an account's credential can do, in `zone` too where one is given."""
        return await self.accounts.verify(self.settings, name, zone)

    async def remove_account(self, name: str) -> None:
        """Removes an account that no service uses, and its secrets."""
        self._take(await self.accounts.remove(name))

    # Services

    async def add_service(self, service: Service) -> None:
        """Adds a service to the settings file. Raises SettingsError, with nothing written, where it is not right."""
        if self.settings.service(service.name) is not None:
            raise Refused(f"There is a service {service.name} already", "Choose another name.")
        await self._edit(lambda text: settings_file.add_service(text, service))

    async def add_service_secret(self, name: str, field: str, secret: Secret) -> None:
        """Keeps a secret that a service needs, in the keyring, for the one host it is sent to."""
        needed = service_secrets(self.service(name))
        if field not in needed:
            known = ", ".join(needed) or "none"
            text = f"No journey, no action and no database of {name} needs a secret {field}"
            raise UsageError(text, f"Secrets that they name: {known}")
        for deployment in self.service(name).deployments:
            if deployment.database is not None and deployment.database.secret == field:
                await asyncio.to_thread(self._opened, deployment.database.kind, secret)
        await self.trust.put_service_secret(self.service(name), field, needed[field][0], secret)

    async def remove_service(self, name: str) -> None:
        """Removes a service from the settings file. Its runs stay in the journal; its records stay as they are."""
        self.service(name)
        run = await self._runs.unfinished(name)
        if run is not None:
            raise Refused(*open_run_words(run))
        await self._edit(lambda text: settings_file.remove_service(text, name))

    async def change_check(self, name: str, health: HealthCheck, maintenance: tuple[Maintenance, ...]) -> None:
        """Changes how a service is checked. Raises SettingsError, with nothing written, where it is not right."""
        service = replace(self.service(name), health=health, maintenance=maintenance)
        await self._edit(lambda text: settings_file.set_check(text, service, self._home.settings_file.resolve().parent))

    async def _edit(self, change: Callable[[str], str]) -> None:
        owners: frozenset[str] = frozenset()

        def edited(before: Settings, after: Settings) -> None:
            nonlocal owners
            owners = own_edit(self._home, before, after)

        file = self._home.settings_file
        self._take(await asyncio.to_thread(settings_file.rewrite, file, KINDS, change, edited))
        await self.trust.bind(owners)

    def _take(self, settings: Settings) -> None:
        self.settings = settings
        self._changed(settings)
