"""Accounts: their table in the settings file, their secret in the keyring, and the provider that both make."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from changeover.dns.provider import Provider
from changeover.dns.providers import PROVIDERS, provider_type
from changeover.model.errors import AuthError, ChangeoverError, KeyringError, NotFound, Refused, UsageError
from changeover.model.secret import Secret
from changeover.model.service import Account, Settings
from changeover.model.state import AccountCheck, AccountRow
from changeover.storage import settings as settings_file
from changeover.storage.secrets import Vault
from changeover.storage.tables import Faults


class Accounts:
    """The accounts of one installation. Opened providers are kept until the settings change."""

    def __init__(self, settings_file: Path, vault: Vault) -> None:
        self._file = settings_file
        self._vault = vault
        self._opened: dict[str, Provider] = {}

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

        Raises UsageError for options or secrets that the provider does not take, Refused where the name is taken.
        """
        account = checked_account(name, provider, options)
        settings = settings_file.load(self._file)  # another process may have changed it
        if settings.account(name) is not None and not replace:
            raise Refused(f"There is an account {name} already", "Choose another name, or replace it with --replace.")
        kind = provider_type(provider)
        typed = msgspec.convert(account.options, kind.options)
        fields = {field.name: field for field in kind.secrets(typed)}
        for missing in [field for key, field in fields.items() if not secrets.get(key)]:
            raise UsageError(f"Account {name} needs its {missing.label}", missing.help)
        for key in [key for key in secrets if key not in fields]:
            takes = ", ".join(fields) or "none"
            raise UsageError(f"Account {name} takes no secret {key}", f"Secrets of this account: {takes}")
        for key, text in secrets.items():
            await self._vault.put(name, key, kind.host(typed), Secret(text), in_memory)
        surplus = [key for key in _secret_names(settings.account(name)) if key not in fields]
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
            listed = await provider.zones()
            zones = listed if listed is not None else tuple(hostnames)
            rights = [await provider.verify(zone, names) for zone, names in hostnames.items()]
            if not rights and zones:
                rights = [await provider.verify(zones[0], [])]
        except KeyringError:
            raise
        except ChangeoverError as error:
            return AccountCheck(account=name, ok=False, text=error.text, hint=error.hint)
        may_write = _together([right.may_write for right in rights])
        said = {True: "may change records", False: "may not change records", None: "may read"}[may_write]
        text = f"{name} {said}" if zones else f"{name} is set up; no service uses it yet, so nothing could be tried"
        return AccountCheck(account=name, ok=True, zones=zones, may_write=may_write, text=text)

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


def checked_account(name: str, provider: str, options: Mapping[str, Any]) -> Account:
    """An account that the settings file would take. Raises UsageError with every fault."""
    if provider not in PROVIDERS:
        raise UsageError(f"There is no provider {provider}", f"Providers: {', '.join(PROVIDERS)}")
    faults = Faults()
    account = settings_file.read_account(name, {"provider": provider, **options}, faults)
    if account is None or faults.sentences:
        raise UsageError("\n".join(faults.sentences), "Nothing was added.")
    return account


def _secret_names(account: Account | None) -> list[str]:
    """The secrets that an account has in the keyring."""
    if account is None:
        return []
    kind = provider_type(account.provider)
    return [field.name for field in kind.secrets(msgspec.convert(account.options, kind.options))]


def _together(rights: Sequence[bool | None]) -> bool | None:
    if any(right is False for right in rights):
        return False
    return True if rights and all(rights) else None
