"""Accounts: their table in the settings file, their secret in the keyring, and the provider or platform of both."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from changeover.accounts.kinds import KINDS
from changeover.accounts.trust import Trust, bound_of_account, credential_of, files_of, own_edit
from changeover.dns.provider import Provider
from changeover.dns.providers import provider_type
from changeover.dns.providers.help import about_option, about_secret, sentence
from changeover.model.errors import (
    AuthError,
    ChangeoverError,
    KeyringError,
    NotFound,
    PermissionDenied,
    Refused,
    UsageError,
)
from changeover.model.secret import Secret
from changeover.model.settings.account import AccountCheck, AccountRow
from changeover.model.settings.account_fields import AccountKind, SecretField, option_fields, secret_fields
from changeover.model.settings.acting_parts import account_place
from changeover.model.settings.platform import DiscoveredApp, PlatformKind
from changeover.model.settings.service import Account, Deployment, Settings
from changeover.model.wording.credential import account_check, apps_check
from changeover.platforms import platform_type
from changeover.platforms.platform import EndingCredential, Platform
from changeover.storage.home import Home
from changeover.storage.keyring import Vault
from changeover.storage.settings import file as settings_file
from changeover.storage.settings.account_rules import nearest_kind, read_account
from changeover.storage.settings.reader import Faults, below


class Accounts:
    """The accounts of one installation. What is opened is kept until its account is added anew or removed."""

    def __init__(self, home: Home, vault: Vault, trust: Trust) -> None:
        self._home = home
        self._file = home.settings_file
        self._vault = vault
        self._trust = trust
        self._providers: dict[str, Provider] = {}
        self._platforms: dict[str, Platform] = {}
        self._opening = asyncio.Lock()

    async def open_each(self, settings: Settings, names: Iterable[str]) -> dict[str, Provider | ChangeoverError]:
        """By name, the account's provider, or why it cannot be opened."""

        async def one(name: str) -> Provider | ChangeoverError:
            account = settings.account(name)
            if account is None:
                return NotFound(
                    f"There is no account {name} any more", "Add it again, or change the service's dns entry."
                )
            try:
                return await self._provider(account)
            except ChangeoverError as error:
                return error

        wanted = list(names)
        return dict(zip(wanted, await asyncio.gather(*(one(name) for name in wanted)), strict=True))

    async def open_platform(self, settings: Settings, deployment: Deployment) -> Steering:
        """What steers `deployment`. Raises NotFound where nobody can, or where its account is gone."""
        kind = KINDS.platform(deployment.platform)
        if kind is None:
            text = f'{deployment.name} runs on "{deployment.platform}", which nobody can steer'
            raise NotFound(text, "Name its platform in the settings.")
        account = settings.account(deployment.account or "")
        if account is None:
            text = f"There is no account {deployment.account} any more"
            raise NotFound(text, f"Add it again, or change the account of {deployment.name}.")
        target = msgspec.convert(deployment.options, kind.target)
        return Steering(kind, await self._platform(account), target)

    async def apps(self, settings: Settings, name: str) -> tuple[DiscoveredApp, ...]:
        """What an account at a platform has. Raises a ChangeoverError where that cannot be told."""
        account = known_account(settings, name)
        if KINDS.platform(account.provider) is None:
            raise UsageError(f"Account {name} is at a DNS provider, which runs no apps")
        return await (await self._platform(account)).discover()

    async def _provider(self, account: Account) -> Provider:
        async with self._opening:  # two of one account would not know of each other's writes
            if account.name not in self._providers:
                kind = provider_type(account.provider)
                self._providers[account.name] = kind.open(account.name, *await self._keys(account))
            return self._providers[account.name]

    async def _platform(self, account: Account) -> Platform:
        async with self._opening:
            if account.name not in self._platforms:
                kind = platform_type(account.provider)
                self._platforms[account.name] = kind.open(account.name, *await self._keys(account))
            return self._platforms[account.name]

    async def _keys(self, account: Account) -> tuple[Any, dict[str, Secret]]:
        """The account's options, and its secrets. AuthError where one is not there, or NotApproved."""
        kind = KINDS.of(account.provider)
        options = msgspec.convert(account.options, kind.options)
        kept = await self._trust.account_secrets(account)
        secrets: dict[str, Secret] = {}
        for field in kind.secrets(options):
            secret = kept[field.name]
            if secret is None:
                raise AuthError(
                    f"The {field.label} of account {account.name} is not in the keyring of this computer",
                    f"Give it: changeover account secret {account.name} --secret-stdin",
                )
            secrets[field.name] = secret
        return options, secrets

    async def aclose(self) -> None:
        """Closes all that is open."""
        opened: list[Provider | Platform] = [*self._providers.values(), *self._platforms.values()]
        self._providers, self._platforms = {}, {}
        await asyncio.gather(*(one.aclose() for one in opened))

    async def rows(self, settings: Settings) -> tuple[AccountRow, ...]:
        """Every account, and where its secret is. Raises KeyringError where that cannot be looked up."""
        return tuple([await self._row(account) for account in settings.accounts])

    async def _row(self, account: Account) -> AccountRow:
        where, bound = credential_of(account), bound_of_account(account, files_of(self._home))
        places = set()
        for field in where.fields:
            try:
                found = await self._vault.get(account.name, field, where.host, bound)
            except AuthError:
                found = None
            kept = "memory" if self._vault.in_memory(account.name, field) else "keyring"
            places.add(kept if found is not None else "missing")
        place = "missing" if "missing" in places else places.pop() if places else "none"
        return AccountRow(name=account.name, provider=account.provider, secret=place)

    async def add(
        self,
        name: str,
        provider: str,
        options: Mapping[str, Any],
        secrets: Mapping[str, Secret],
        *,
        replace: bool = False,
        in_memory: bool = False,
    ) -> Settings:
        """Adds an account, its secrets to the keyring first, and gives the new settings.

        Raises WrongFields for options or secrets that the provider does not take, Refused where the name is taken.
        """
        account, kept = checked_account(name, provider, options, secrets)
        settings = settings_file.load(self._file, KINDS)  # another process may have changed it
        if settings.account(name) is not None and not replace:
            hint = (
                f"Give it its secret with: changeover account secret {name} --secret-stdin. Or replace it: --replace."
            )
            raise Refused(f"There is an account {name} already", hint)
        host, bound = credential_of(account).host, (bound_of_account(account, files_of(self._home)),)
        if in_memory:
            for key, secret in kept.items():
                self._vault.hold(name, key, host, secret, bound)
        elif kept:
            await self._vault.put_all(name, host, kept, bound)
        surplus = [key for key in _secret_names(settings.account(name)) if key not in kept]
        for key in [] if in_memory else surplus:  # there may be no keyring to forget it
            await self._vault.forget(name, key)
        await self._drop(name)
        return await asyncio.to_thread(
            settings_file.rewrite,
            self._file,
            KINDS,
            lambda text: settings_file.set_account(text, account),
            lambda before, after: own_edit(self._home, before, after, given=(account_place(name),)),
        )

    async def keep_secrets(self, settings: Settings, name: str, secrets: Mapping[str, Secret]) -> None:
        """Keeps the secrets of an account that stands in the settings, in the keyring of this computer.

        Raises WrongFields for secrets that its provider does not take.
        """
        account = known_account(settings, name)
        account, kept = checked_account(name, account.provider, account.options, secrets)
        bound = (bound_of_account(account, files_of(self._home)),)
        await self._vault.put_all(name, credential_of(account).host, kept, bound)
        await self._drop(name)

    async def verify(self, settings: Settings, name: str, zone: str | None = None) -> AccountCheck:
        """Proves what the account's credential can read: its zones, and whether it may change them, or its apps.

        `zone` is one that it is about to be used for; else those of its services are tried, or the first that it has.
        """
        account = known_account(settings, name)
        try:
            if account.provider in KINDS.providers:
                return await self._verify_zones(settings, account, zone)
            return await self._verify_apps(account)
        except KeyringError:
            raise
        except ChangeoverError as error:
            return AccountCheck(account=name, ok=False, text=error.text, hint=error.hint)

    async def _verify_apps(self, account: Account) -> AccountCheck:
        platform = await self._platform(account)
        apps = await platform.discover()
        expires = platform.credential_ends if isinstance(platform, EndingCredential) else None
        return apps_check(account.name, apps, expires, datetime.now(UTC))

    async def _verify_zones(self, settings: Settings, account: Account, zone: str | None) -> AccountCheck:
        name = account.name
        hostnames: dict[str, list[str]] = {}
        for service in settings.services:
            for entry in service.dns:
                if entry.account == name:
                    hostnames.setdefault(entry.zone, []).extend(service.hostnames_in(entry.zone))
        if zone is not None:
            hostnames.setdefault(zone, [])
        provider = await self._provider(account)
        try:
            listed = await provider.zones()
        except PermissionDenied:  # it may be for one zone alone
            listed = None
        zones = listed if listed is not None else tuple(hostnames)
        tried = hostnames or ({zones[0]: []} if zones else {})
        found = {zone: await provider.verify(zone, names) for zone, names in tried.items()}
        return account_check(
            name,
            zones=zones,
            rights={zone: access.may_write for zone, access in found.items()},
            used=tuple(hostnames),
            writable=next((access.writable for access in found.values() if access.writable is not None), None),
            expires=min((access.expires for access in found.values() if access.expires is not None), default=None),
            permission="; ".join(field.permission for field in _secrets(account) if field.permission),
            now=datetime.now(UTC),
        )

    async def remove(self, name: str) -> Settings:
        """Removes an account and its secrets. Refused, naming the services, while it is in use."""
        settings = settings_file.load(self._file, KINDS)  # another process may have changed it
        account = settings.account(name)
        if account is None:
            raise UsageError(f"There is no account {name}", "See them all with: changeover account list")
        users = [service.name for service in settings.services if name in service.accounts]
        if users:
            raise Refused(f"Account {name} is used by {', '.join(users)}", "Remove or change these services first.")
        for key in _secret_names(account):
            await self._vault.forget(name, key)
        await self._drop(name)
        return await asyncio.to_thread(
            settings_file.rewrite,
            self._file,
            KINDS,
            lambda text: settings_file.remove_account(text, name),
            lambda before, after: own_edit(self._home, before, after),
        )

    async def _drop(self, name: str) -> None:
        for opened in (self._providers.pop(name, None), self._platforms.pop(name, None)):
            if opened is not None:
                await opened.aclose()


class Steering(NamedTuple):
    """A deployment's platform, opened with its account, and what of it the deployment is."""

    kind: PlatformKind
    platform: Platform
    target: Struct


class WrongFields(UsageError):
    """Keys or secrets that a provider does not take.

    `faults` has by name, for the account's own name the empty one, what is wrong there; `labels` what it is called.
    """

    def __init__(self, name: str, provider: str, faults: Mapping[str, str], labels: Mapping[str, str]) -> None:
        told = [f"  {labels.get(key, key)}: {text}" if key else f"  {text}" for key, text in faults.items()]
        super().__init__(
            "\n".join([f"Account {name} cannot be added", *told]),
            f"Nothing was added. What this provider takes, and an example: changeover account providers {provider}",
        )
        self.faults = dict(faults)


def checked_account(
    name: str, provider: str, options: Mapping[str, Any], secrets: Mapping[str, Secret]
) -> tuple[Account, dict[str, Secret]]:
    """An account that the settings file would take, with its secrets.

    Raises WrongFields with every fault. What it says never repeats a secret.
    """
    kind = known_kind(provider)
    faults = Faults()
    account = read_account(name, {"provider": provider, **options}, faults, KINDS)
    fields = {field.name: field for field in option_fields(kind.options)}
    found: dict[str, str] = {}
    for place, text in faults.pairs:
        key = place.removeprefix(below("accounts", name)).lstrip(".")
        missing = key in fields and key not in options
        found.setdefault(key, f"It is missing.\n    {about_option(fields[key])}" if missing else text)
    needed = {field.name: field for field in secret_fields(kind, options) or ()}
    kept = {}
    for key, field in needed.items():
        given = secrets.get(key, Secret(""))
        fitted = field.fitted(given)
        if fitted is not None:
            kept[key] = fitted
        else:
            looks = f", which is like {field.example}" if field.example else ""
            what = f"it does not look like one{looks}" if not given.is_blank else "it is missing"
            found[key] = "\n    ".join([sentence(what), *about_secret(field)])
    for key in [key for key in secrets if key not in needed and not found]:
        found[key] = f"there is no such secret; those of this account: {', '.join(needed) or 'none'}"
    if found or account is None:
        labels = {key: f"{field.option.label} (--set {key}=…)" for key, field in fields.items()}
        labels |= {key: f"{field.label} ({key})" if len(needed) > 1 else field.label for key, field in needed.items()}
        raise WrongFields(name, provider, found, labels)
    return account, kept


def known_account(settings: Settings, name: str) -> Account:
    """The account of that name in the settings. UsageError where there is none."""
    account = settings.account(name)
    if account is None:
        raise UsageError(f"There is no account {name}", "See them all with: changeover account list")
    return account


def known_kind(name: str) -> AccountKind:
    """The provider or platform of that name. UsageError with the nearest one where there is none."""
    if name in KINDS.names:
        return KINDS.of(name)
    near = nearest_kind(name, KINDS)
    meant = f"; did you mean {near}?" if near else ""
    raise UsageError(f"There is no provider {name}{meant}", "See them all with: changeover account providers")


def _secrets(account: Account | None) -> tuple[SecretField, ...]:
    """The secrets that an account has in the keyring."""
    if account is None:
        return ()
    kind = KINDS.of(account.provider)
    return kind.secrets(msgspec.convert(account.options, kind.options))


def _secret_names(account: Account | None) -> list[str]:
    return [field.name for field in _secrets(account)]
