"""What the settings must say of a deployment's platform: the account that steers it, and the platform's own keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from changeover.model.settings.account_fields import misfits, option_fields
from changeover.model.settings.platform import ANY_ADDRESS, AccountKinds
from changeover.model.settings.service import Deployment
from changeover.storage.settings.account_rules import read_options
from changeover.storage.settings.reader import Faults, Rules, below, read_struct

#: The keys that every deployment may have.
_OWN = tuple(field.encode_name for field in msgspec.structs.fields(Deployment) if field.name != "options")


def deployment_reader(
    rules: Rules, accounts: Mapping[str, object], kinds: AccountKinds
) -> Callable[[object, str, Faults], Deployment | None]:
    """Reads a deployment, whose platform's own keys stand beside the others, in a file that has these accounts."""

    def read(table: object, place: str, faults: Faults) -> Deployment | None:
        if not isinstance(table, Mapping):
            return read_struct(table, Deployment, place, faults, rules)
        before = len(faults.pairs)
        platform = table.get("platform", ANY_ADDRESS)
        kind = kinds.platform(platform) if isinstance(platform, str) else None
        keys = () if kind is None else tuple(field.name for field in option_fields(kind.target))
        own = {key: value for key, value in table.items() if key in _OWN}
        faults.unknown_keys({key: None for key in table if key not in own and key not in keys}, (*_OWN, *keys), place)
        if kind is not None:
            own["options"] = msgspec.to_builtins(read_options(table, kind.target, place, faults, misfits))
            _check_account(table.get("account"), platform, accounts, below(place, "account"), faults)
        elif platform == ANY_ADDRESS and "account" in table:
            text = f'leave it out; a deployment on platform "{ANY_ADDRESS}" is any address, which nobody can steer'
            faults.add(below(place, "account"), text)
        found = read_struct(own, Deployment, place, faults, rules)
        return found if len(faults.pairs) == before else None

    return read


def _check_account(name: object, platform: str, accounts: Mapping[str, object], place: str, faults: Faults) -> None:
    able = [key for key, account in accounts.items() if _provider(account) == platform]
    if name is None:
        faults.add(place, f'missing; it must be an account whose provider is "{platform}"')
    elif isinstance(name, str) and name not in able:
        known = f"known here: {', '.join(able)}" if able else "there is none yet"
        faults.add(place, f'"{name}" is no account whose provider is "{platform}"; {known}')


def _provider(account: object) -> object:
    return account.get("provider") if isinstance(account, Mapping) else None


def zone_accounts(accounts: Mapping[str, object], kinds: AccountKinds) -> tuple[str, ...]:
    """The accounts that may have zones: all but those at platforms."""
    return tuple(name for name, account in accounts.items() if _provider(account) not in tuple(kinds.platforms))


def deployment_table(deployment: Deployment) -> dict[str, Any]:
    """A deployment as the file has it."""
    table: dict[str, Any] = msgspec.to_builtins(deployment)
    options = table.pop("options", {})
    return {**table, **options}
