"""The settings file: read whole or not at all, with every fault at once, and written without losing a comment."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from changeover.model.errors import ChangeoverError, SettingsError
from changeover.model.settings.maintenance import Maintenance
from changeover.model.settings.platform import AccountKinds
from changeover.model.settings.service import Account, LookupSettings, Service, Settings
from changeover.storage.private import private_folder
from changeover.storage.settings import check_layout, layout
from changeover.storage.settings.account_rules import read_account
from changeover.storage.settings.action_rules import with_idempotence
from changeover.storage.settings.action_tables import action_table
from changeover.storage.settings.check_rules import check_rules
from changeover.storage.settings.deployment_rules import deployment_table
from changeover.storage.settings.reader import (
    Faults,
    Rule,
    Rules,
    add_same_names,
    below,
    item_place,
    read_fields,
    read_struct,
)
from changeover.storage.settings.rules import add_shared_faults, lookup_rules, service_rules
from changeover.storage.settings.values import LARGEST_WRITTEN

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

#: Bytes of a file that are read: tens of thousands of services.
_LARGEST = 32 * 2**20
#: So many tables and lists stand within each other at most: twice as many as the deepest setting needs.
_DEEPEST = 20
_TOP = ("version", "accounts", "services", "lookup")
#: Some editors on Windows put it before the text.
_BOM = "\ufeff"


#: Is called with the settings before and after an edit, once it is made.
Edited = Callable[[Settings, Settings], object]


def _nobody(before: Settings, after: Settings) -> None:
    return None


def load(file: Path, kinds: AccountKinds) -> Settings:
    """The settings in `file`; empty ones where there is no such file. Raises SettingsError with every fault.

    `kinds` are what accounts may be at: their keys are checked against what these declare.
    """
    return parse(_read(file), file, kinds)


def _read(file: Path) -> str:
    """The text of `file` as it is, line ends included; empty where there is no such file.

    A device or a pipe is not waited for, and nothing endless is read.
    """
    try:
        mode = file.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise SettingsError(str(file), ["is no plain file"])
        with file.open("rb") as kept:
            found = kept.read(_LARGEST + 1)
        if len(found) > _LARGEST:
            raise SettingsError(str(file), [f"has more than {_LARGEST // 2**20} MiB"])
        return found.decode("utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise SettingsError(str(file), [f"byte {error.start + 1}: not UTF-8; save the file as UTF-8"]) from None
    except OSError as error:
        raise SettingsError(str(file), [f"cannot be read: {error.strerror}"]) from None


def parse(text: str, file: Path, kinds: AccountKinds) -> Settings:
    """The settings in `text`; `file` is named in faults, and relative paths start beside the file that it leads to."""
    try:
        tables = tomllib.loads(text.removeprefix(_BOM))
    except RecursionError:
        raise SettingsError(str(file), ["not valid TOML: too many brackets within brackets"]) from None
    except ValueError as error:  # also for numbers that Python does not take
        raise SettingsError(str(file), [f"not valid TOML: {error}"]) from None
    faults = Faults()
    deep = _too_deep(tables)
    if deep is not None:
        raise SettingsError(str(file), [f"{deep}: more than {_DEEPEST} tables or lists within each other"])
    faults.unknown_keys(tables, _TOP, "")
    version = tables.get("version", 1)
    if type(version) is not int or version < 1:
        faults.add("version", "must be 1")
    elif version > 1:
        number = version if version <= LARGEST_WRITTEN else "so huge"
        faults.add(
            "version",
            f"must be 1, not {number}; a newer file needs a newer Changeover",
        )
    accounts = _read_accounts(tables.get("accounts", {}), faults, kinds)
    folder = file.resolve().parent
    services = _read_services(tables.get("services", []), tables.get("accounts", {}), folder, faults, kinds)
    lookup = read_struct(tables.get("lookup", {}), LookupSettings, "lookup", faults, lookup_rules())
    if faults.pairs:
        raise SettingsError(str(file), faults.sentences)
    return Settings(accounts=tuple(accounts), services=tuple(services), lookup=lookup or LookupSettings())


def _too_deep(tables: Mapping[str, Any]) -> str | None:
    """The place of what is nested deeper than any setting is, and than reading it would take. Needs no depth itself."""
    waiting: list[tuple[object, str, int]] = [(tables, "", 0)]
    while waiting:
        value, place, depth = waiting.pop()
        if depth > _DEEPEST:
            return place
        if isinstance(value, Mapping):
            waiting += [(item, below(place, key), depth + 1) for key, item in value.items()]
        elif isinstance(value, list):
            waiting += [(item, f"{place}[{number}]", depth + 1) for number, item in enumerate(value, start=1)]
    return None


def _read_accounts(tables: object, faults: Faults, kinds: AccountKinds) -> list[Account]:
    if not isinstance(tables, Mapping):
        faults.add("accounts", "must be tables, such as [accounts.dns-main]")
        return []
    add_same_names(faults, ((name, f"accounts.{name}") for name in tables))
    accounts = (read_account(name, table, faults, kinds) for name, table in tables.items())
    return [account for account in accounts if account is not None]


def _read_services(
    tables: object, accounts: object, folder: Path, faults: Faults, kinds: AccountKinds
) -> list[Service]:
    if not isinstance(tables, list):
        faults.add("services", "must be a list of tables, each beginning with [[services]]")
        return []
    rules = service_rules(accounts if isinstance(accounts, Mapping) else {}, folder, kinds)
    places = (item_place("services", number, table) for number, table in enumerate(tables))
    found = [read_struct(table, Service, place, faults, rules) for table, place in zip(tables, places, strict=False)]
    add_shared_faults(faults, tables)
    return [with_idempotence(service, kinds) for service in found if service is not None]


def edit(file: Path, kinds: AccountKinds, change: Callable[[TOMLDocument], None], edited: Edited = _nobody) -> Settings:
    """Changes values in the settings file, keeping comments and layout, as `rewrite` does."""
    import tomlkit

    def on_text(text: str) -> str:
        document = tomlkit.parse(text)
        change(document)
        return tomlkit.dumps(document)

    return rewrite(file, kinds, on_text, edited)


def rewrite(file: Path, kinds: AccountKinds, change: Callable[[str], str], edited: Edited = _nobody) -> Settings:
    """Puts what `change` makes of the settings file's text in its place, and gives the new settings.

    The result is checked before it is written, and written atomically: a fault leaves the file as it was. Line ends
    stay as they are. `edited` is called afterwards.
    """
    import filelock

    target = file.resolve()
    try:
        private_folder(target.parent)
        lock = target.with_name(f".{target.name}.lock")
        with filelock.FileLock(lock, mode=0o600, timeout=10, is_singleton=False):
            old = _read(target) or "version = 1\n"
            before = parse(old, file, kinds)
            newline = "\r\n" if 0 < old.count("\r\n") == old.count("\n") else "\n"
            mark = _BOM if old.startswith(_BOM) else ""
            text = old.removeprefix(_BOM).replace(newline, "\n")
            text = change(text if text.endswith("\n") else f"{text}\n")
            try:
                settings = parse(text, file, kinds)
            except SettingsError as error:
                raise SettingsError(str(file), error.faults, edited=True) from None
            write_atomically(target, mark + text.replace("\n", newline))
    except OSError as error:
        raise ChangeoverError(f"{file} cannot be written: {error.strerror or error}", "Nothing was changed.") from None
    except filelock.Timeout:
        raise ChangeoverError(f"{file} is being written by another program", "Try again.") from None
    edited(before, settings)
    return settings


def write_atomically(file: Path, text: str) -> None:
    """Writes a whole file so that a crash leaves the old one or the new one, never a part."""
    import tempfile

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


def set_account(text: str, account: Account) -> str:
    """`text` with this account's table, or with its keys in the one that is there."""
    options = {key: value for key, value in account.options.items() if value is not None}
    return layout.with_account(text, account.name, {"provider": account.provider, **options})


def remove_account(text: str, name: str) -> str:
    """`text` without this account."""
    return layout.without_account(text, name)


def add_service(text: str, service: Service) -> str:
    """`text` with this service at its end."""
    table = msgspec.to_builtins(service)
    table["deployments"] = [deployment_table(deployment) for deployment in service.deployments]
    if service.actions:
        table["actions"] = [action_table(action) for action in service.actions]
    return layout.with_service(text, layout.whole(table))


def set_check(text: str, service: Service, folder: Path | None = None) -> str:
    """`text` with the health check and the maintenance windows of `service` in place of its old ones.

    What says the same as before stays as it is written, such as a `ca_file` relative to `folder`, where the file lies.
    """
    tables = tomllib.loads(text).get("services", [])
    table: dict[str, Any] = next((table for table in tables if table.get("name") == service.name), {})
    rules = check_rules(folder or Path())
    windows = list(table.get("maintenance", []))
    old = [read_struct(window, Maintenance, "", Faults(), rules) for window in windows]
    maintenance = [windows[old.index(w)] if w in old else _written(w, {}, rules) for w in service.maintenance]
    return check_layout.with_service_check(
        text, service.name, _written(service.health, table.get("health", {}), rules), maintenance
    )


def _written(struct: Struct, table: Mapping[str, Any], rules: Rules) -> dict[str, Any]:
    """`struct` as a table for the file; what reads the same in `table` is taken from there."""
    old = read_fields(table, type(struct), "", Faults(), rules)
    new: dict[str, Any] = layout.whole(msgspec.to_builtins(struct))
    former = rules.get(type(struct), Rule()).former
    for key, given in table.items():
        now = former.get(key, key)
        value = getattr(struct, now, None)
        if repr(value) == repr(old.get(now)):  # unlike ==, it tells true from 1
            new.pop(now, None)
            new[key] = given
        elif isinstance(value, Struct) and isinstance(given, Mapping):
            new[key] = _written(value, given, rules)
            if not new[key]:
                del new[key]
    first = [key for key in table if key in new]
    return {key: new[key] for key in dict.fromkeys((*first, *new))}


def remove_service(text: str, name: str) -> str:
    """`text` without this service."""
    return layout.without_service(text, name)
