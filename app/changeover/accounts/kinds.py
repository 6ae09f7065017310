"""Every kind of account that there is: those of the DNS providers, and those of the platforms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from changeover.dns.providers import PROVIDERS, provider_type
from changeover.dns.providers.help import every_provider
from changeover.model.settings.account_fields import AccountKind
from changeover.model.settings.platform import AccountKinds
from changeover.model.settings.service import Account, Settings
from changeover.platforms import PLATFORMS, platform_type

K = TypeVar("K")


class _Registered(Mapping[str, K]):
    """By name, what is imported when it is first asked for."""

    def __init__(self, modules: Mapping[str, str], imported: Callable[[str], K]) -> None:
        self._modules = modules
        self._imported = imported

    def __getitem__(self, name: str) -> K:
        return self._imported(name)

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


KINDS = AccountKinds(_Registered(PROVIDERS, provider_type), _Registered(PLATFORMS, platform_type))


def every_kind() -> list[tuple[str, AccountKind]]:
    """By name: the DNS providers, then the platforms, each in the order of their labels."""
    platforms = sorted(KINDS.platforms.items(), key=lambda pair: pair[1].label.lower())
    return [*every_provider(), *platforms]


def dns_accounts(settings: Settings) -> tuple[Account, ...]:
    """The accounts that may have zones."""
    return tuple(account for account in settings.accounts if account.provider in KINDS.providers)
