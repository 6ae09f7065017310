"""Accounts: their table in the settings file, their secret in the keyring, and the provider that both make."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from changeover.dns.provider import Provider, ProviderType
from changeover.dns.providers import PROVIDERS, provider_type
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
from changeover.model.settings.account_fields import SecretField, option_fields, secret_fields
from changeover.model.settings.service import Account, Settings
from changeover.model.wording.credential import account_check
from changeover.storage.keyring import Vault
from changeover.storage.settings import file as settings_file
from changeover.storage.settings.reader import Faults, below


class Accounts:
    """The accounts of one installation. Opened providers are kept until the settings change."""

    def __init__(self, settings_file: Path, vault: Vault) -> None:
        self._file = settings_file
        self._vault = vault
        self._opened: dict[str, Provider] = {}
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
                return await self._open(account)
            except ChangeoverError as error:
                return error

        wanted = list(names)
        return dict(zip(wanted, await asyncio.gather(*(one(name) for name in wanted)), strict=True))

    async def _open(self, account: Account) -> Provider:
        async with self._opening:  # two of one account would not know of each other's writes
            if account.name not in self._opened:
                self._opened[account.name] = await self._fresh(account)
            return self._opened[account.name]

    async def _fresh(self, account: Account) -> Provider:
        kind = provider_type(account.provider)
        options = msgspec.convert(account.options, kind.options)
        secrets: dict[str, Secret] = {}
        for field in kind.secrets(options):
            secret = await self._vault.get(account.name, field.name, kind.host(options))
            if secret is None:
                raise AuthError(
                    f"The {field.label} of account {account.name} is not in the keyring of this computer",
                    f"Add it: changeover account add {account.name} --provider {account.provider} … --replace",
                )
            secrets[field.name] = secret
        return kind.open(account.name, options, secrets)

    async def aclose(self) -> None:
        """Closes every opened provider."""
        opened, self._opened = list(self._opened.values()), {}
        await asyncio.gather(*(provider.aclose() for provider in opened))

    async def rows(self, settings: Settings) -> tuple[AccountRow, ...]:
        """Every account, and where its secret is. Raises KeyringError where that cannot be looked up."""
        return tuple([await self._row(account) for account in settings.accounts])

    async def _row(self, account: Account) -> AccountRow:
        kind = provider_type(account.provider)
        options = msgspec.convert(account.options, kind.options)
        places = set()
        for field in kind.secrets(options):
            try:
                found = await self._vault.get(account.name, field.name, kind.host(options))
            except AuthError:
                found = None
            kept = "memory" if self._vault.in_memory(account.name, field.name) else "keyring"
            places.add(kept if found is not None else "missing")
        place = "missing" if "missing" in places else places.pop() if places else "none"
        return AccountRow(name=account.name, provider=account.provider, secret=place)

    async def add(
        self,
        name: str,
        provider: str,
        options: Mapping[str, Any],
        secrets: Mapping[str, str],
        *,
        replace: bool = False,
        in_memory: bool = False,
    ) -> Settings:
        """Adds an account, its secrets to the keyring first, and gives the new settings.

        Raises WrongFields for options or secrets that the provider does not take, Refused where the name is taken.
        """
        account, kept = checked_account(name, provider, options, secrets)
        settings = settings_file.load(self._file)  # another process may have changed it
        if settings.account(name) is not None and not replace:
            raise Refused(f"There is an account {name} already", "Choose another name, or replace it with --replace.")
        kind = provider_type(provider)
        host = kind.host(msgspec.convert(account.options, kind.options))
        if in_memory:
            for key, secret in kept.items():
                self._vault.hold(name, key, host, secret)
        elif kept:
            await self._vault.put_all(name, host, kept)
        surplus = [key for key in _secret_names(settings.account(name)) if key not in kept]
        for key in [] if in_memory else surplus:  # there may be no keyring to forget it
            await self._vault.forget(name, key)
        await self._drop(name)
        return await asyncio.to_thread(
            settings_file.rewrite, self._file, lambda t: settings_file.set_account(t, account)
        )

    async def verify(self, settings: Settings, name: str) -> AccountCheck:
        """Proves that the account's credential can read its zones, and says whether it may change them."""
        account = settings.account(name)
        if account is None:
            raise UsageError(f"There is no account {name}", "See them all with: changeover account list")
        hostnames: dict[str, list[str]] = {}
        for service in settings.services:
            for entry in service.dns:
                if entry.account == name:
                    hostnames.setdefault(entry.zone, []).extend(service.hostnames_in(entry.zone))
        try:
            provider = await self._open(account)
            try:
                listed = await provider.zones()
            except PermissionDenied:  # it may be for one zone alone
                listed = None
            zones = listed if listed is not None else tuple(hostnames)
            tried = hostnames or ({zones[0]: []} if zones else {})
            found = {zone: await provider.verify(zone, names) for zone, names in tried.items()}
        except KeyringError:
            raise
        except ChangeoverError as error:
            return AccountCheck(account=name, ok=False, text=error.text, hint=error.hint)
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
        settings = settings_file.load(self._file)  # another process may have changed it
        account = settings.account(name)
        if account is None:
            raise UsageError(f"There is no account {name}", "See them all with: changeover account list")
        users = [s.name for s in settings.services if any(entry.account == name for entry in s.dns)]
        if users:
            raise Refused(f"Account {name} is used by {', '.join(users)}", "Remove or change these services first.")
        for key in _secret_names(account):
            await self._vault.forget(name, key)
        await self._drop(name)
        return await asyncio.to_thread(
            settings_file.rewrite, self._file, lambda t: settings_file.remove_account(t, name)
        )

    async def _drop(self, name: str) -> None:
        provider = self._opened.pop(name, None)
        if provider is not None:
            await provider.aclose()


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
    name: str, provider: str, options: Mapping[str, Any], secrets: Mapping[str, str]
) -> tuple[Account, dict[str, Secret]]:
    """An account that the settings file would take, with its secrets.

    Raises WrongFields with every fault. What it says never repeats a secret.
    """
    kind = known_provider(provider)
    faults = Faults()
    account = settings_file.read_account(name, {"provider": provider, **options}, faults)
    fields = {field.name: field for field in option_fields(kind.options)}
    found: dict[str, str] = {}
    for place, text in faults.pairs:
        key = place.removeprefix(below("accounts", name)).lstrip(".")
        missing = key in fields and key not in options
        found.setdefault(key, f"It is missing.\n    {about_option(fields[key])}" if missing else text)
    needed = {field.name: field for field in secret_fields(kind, options) or ()}
    kept = {}
    for key, field in needed.items():
        given = secrets.get(key, "")
        fitted = field.fitted(given) if given.strip() else None
        if fitted is not None:
            kept[key] = Secret(fitted)
        else:
            looks = f", which is like {field.example}" if field.example else ""
            what = f"it does not look like one{looks}" if given.strip() else "it is missing"
            found[key] = "\n    ".join([sentence(what), *about_secret(field)])
    for key in [key for key in secrets if key not in needed and not found]:
        found[key] = f"there is no such secret; those of this account: {', '.join(needed) or 'none'}"
    if found or account is None:
        labels = {key: f"{field.option.label} (--set {key}=…)" for key, field in fields.items()}
        labels |= {key: f"{field.label} ({key})" if len(needed) > 1 else field.label for key, field in needed.items()}
        raise WrongFields(name, provider, found, labels)
    return account, kept


def known_provider(name: str) -> ProviderType:
    """The provider of that name. UsageError with the nearest one where there is none."""
    if name in PROVIDERS:
        return provider_type(name)
    near = settings_file.nearest_provider(name)
    meant = f"; did you mean {near}?" if near else ""
    raise UsageError(f"There is no provider {name}{meant}", "See them all with: changeover account providers")


def _secrets(account: Account | None) -> tuple[SecretField, ...]:
    """The secrets that an account has in the keyring."""
    if account is None:
        return ()
    kind = provider_type(account.provider)
    return kind.secrets(msgspec.convert(account.options, kind.options))


def _secret_names(account: Account | None) -> list[str]:
    return [field.name for field in _secrets(account)]
