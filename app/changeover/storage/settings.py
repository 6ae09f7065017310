"""The settings file: read whole or not at all, with every fault at once, and written without losing a comment."""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock
import msgspec

from changeover.model.errors import ChangeoverError, SettingsError
from changeover.model.service import Account, LookupSettings, Service, Settings
from changeover.storage.rules import lookup_rules, service_rules
from changeover.storage.tables import Faults, below, item_place, read_struct

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

_TOP = ("version", "accounts", "services", "lookup")


def load(file: Path) -> Settings:
    """The settings in `file`; empty ones where there is no such file. Raises SettingsError with every fault."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings()
    except UnicodeDecodeError as error:
        raise SettingsError(str(file), [f"byte {error.start + 1}: not UTF-8; save the file as UTF-8"]) from None
    except OSError as error:
        raise SettingsError(str(file), [f"cannot be read: {error.strerror}"]) from None
    return parse(text, file)


def parse(text: str, file: Path) -> Settings:
    """The settings in `text`; `file` is named in faults, and relative paths start beside it."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(str(file), [f"not valid TOML: {error}"]) from None
    faults = Faults()
    faults.unknown_keys(tables, _TOP, "")
    if tables.get("version", 1) != 1:
        faults.add("version", f"must be 1, not {tables['version']!r}; a newer file needs a newer Changeover")
    accounts = _read_accounts(tables.get("accounts", {}), faults)
    services = _read_services(tables.get("services", []), tables.get("accounts", {}), file.parent, faults)
    lookup = read_struct(tables.get("lookup", {}), LookupSettings, "lookup", faults, lookup_rules())
    if faults.sentences:
        raise SettingsError(str(file), faults.sentences)
    return Settings(accounts=tuple(accounts), services=tuple(services), lookup=lookup or LookupSettings())


def _read_accounts(tables: object, faults: Faults) -> list[Account]:
    if not isinstance(tables, Mapping):
        faults.add("accounts", "must be tables, such as [accounts.dns-main]")
        return []
    accounts = (read_account(name, table, faults) for name, table in tables.items())
    return [account for account in accounts if account is not None]


def read_account(name: str, table: object, faults: Faults) -> Account | None:
    """One account, its own keys checked against what its provider declares."""
    from changeover.dns.providers import PROVIDERS, provider_type

    place = below("accounts", name)
    known = ", ".join(f'"{provider}"' for provider in PROVIDERS)
    if not isinstance(table, Mapping):
        faults.add(place, "must be a table with a provider")
        return None
    provider = table.get("provider")
    if provider is None:
        faults.add(below(place, "provider"), f"missing; it must be one of {known}")
        return None
    if provider not in PROVIDERS:
        faults.add(below(place, "provider"), f"{provider!r} is not a provider that this version knows; known: {known}")
        return None
    if any(character in name for character in ":@/\\ ") or not name:
        faults.add(place, "an account's name has no spaces, colons, slashes or @")
    kind = provider_type(provider)
    options_table = {key: value for key, value in table.items() if key != "provider"}
    options = read_struct(options_table, kind.options, place, faults)
    if options is None:
        return None
    for key, right in kind.faults(options):
        faults.add(below(place, key), f"must be {right}")
    return Account(name=name, provider=provider, options=msgspec.to_builtins(options))


def _read_services(tables: object, accounts: object, folder: Path, faults: Faults) -> list[Service]:
    if not isinstance(tables, list):
        faults.add("services", "must be a list of tables, each beginning with [[services]]")
        return []
    rules = service_rules(tuple(accounts) if isinstance(accounts, Mapping) else (), folder)
    services: list[Service] = []
    for number, table in enumerate(tables):
        place = item_place("services", number, table)
        service = read_struct(table, Service, place, faults, rules)
        if service is None:
            continue
        for other in services:
            if other.name == service.name:
                faults.add(below(place, "name"), "another service has this name; each needs its own")
            for name in set(other.hostnames) & set(service.hostnames):
                faults.add(below(place, "hostnames"), f"{name} belongs to service {other.name} already")
        services.append(service)
    return services


def edit(file: Path, change: Callable[[TOMLDocument], None]) -> Settings:
    """Changes the settings file through `change`, keeping comments and layout, and gives the new settings.

    The result is checked before it is written, and written atomically: a fault leaves the file as it was.
    """
    import tomlkit

    target = file.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(target.with_name(f".{target.name}.lock"), timeout=10, is_singleton=False):
            load(target)
            old = target.read_text(encoding="utf-8") if target.exists() else "version = 1\n"
            document = tomlkit.parse(old)
            change(document)
            text = tomlkit.dumps(document)
            settings = parse(text, file)
            write_atomically(target, text)
            return settings
    except OSError as error:
        raise ChangeoverError(f"{file} cannot be written: {error.strerror or error}", "Nothing was changed.") from None
    except filelock.Timeout:
        raise ChangeoverError(f"{file} is being written by another program", "Try again.") from None


def write_atomically(file: Path, text: str) -> None:
    """Writes a whole file so that a crash leaves the old one or the new one, never a part."""
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        if file.exists():
            os.chmod(temporary, file.stat().st_mode & 0o777)
        os.replace(temporary, file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def set_account(document: TOMLDocument, account: Account) -> None:
    """Adds an account's table, or replaces its keys."""
    import tomlkit

    accounts = document.setdefault("accounts", tomlkit.table(is_super_table=True))
    table = accounts.get(account.name)
    if table is None:
        table = tomlkit.table()
        accounts[account.name] = table
    wanted = {"provider": account.provider, **{k: v for k, v in account.options.items() if v is not None}}
    for key in [key for key in table if key not in wanted]:
        del table[key]
    for key, value in wanted.items():
        table[key] = value


def remove_account(document: TOMLDocument, name: str) -> None:
    del document["accounts"][name]
    if not document["accounts"]:
        del document["accounts"]


def add_service(document: TOMLDocument, service: Service) -> None:
    """Appends a service. Short tables (answers, markers, zones) are written in one line each."""
    import tomlkit

    plain: dict[str, Any] = msgspec.to_builtins(service)
    deployments, health = plain.pop("deployments"), plain.pop("health", None)
    table = tomlkit.table()
    for key, value in plain.items():
        table[key] = _inline(value)
    if health:
        table["health"] = health
    array = tomlkit.aot()
    for deployment in deployments:
        item = tomlkit.table()
        for key, value in deployment.items():
            item[key] = _inline(value)
        array.append(item)
    table["deployments"] = array
    services = document.get("services")
    if services is None:
        services = tomlkit.aot()
        document["services"] = services
    services.append(table)


def remove_service(document: TOMLDocument, name: str) -> None:
    services = document["services"]
    for number, table in enumerate(services):
        if table["name"] == name:
            del services[number]
            break
    if not services:
        del document["services"]


def _inline(value: Any) -> Any:
    import tomlkit

    if isinstance(value, dict):
        table = tomlkit.inline_table()
        table.update({key: _inline(item) for key, item in value.items()})
        return table
    if isinstance(value, list):
        array = tomlkit.array()
        array.extend([_inline(item) for item in value])
        return array
    return value
