"""What was seen of a credential, in words: what it may do, whether it may do more than it is used for, when it ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from changeover.model.formatting import counted, duration
from changeover.model.settings.account import AccountCheck
from changeover.model.settings.platform import DiscoveredApp

#: A credential that ends within this time needs a look.
SOON = timedelta(days=14)
#: strftime would tell them in the language of the desktop.
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def account_check(
    account: str,
    *,
    zones: tuple[str, ...],
    rights: Mapping[str, bool | None],
    used: Sequence[str] = (),
    writable: tuple[str, ...] | None = None,
    expires: datetime | None = None,
    permission: str = "",
    now: datetime,
) -> AccountCheck:
    """What the credential of `account` can do.

    `rights` has, for each zone that was tried, whether it may change records there; `used` the zones of the services
    that use it; `permission` what it should be allowed.
    """
    may_write = together(list(rights.values()))
    tried = bool(zones or rights)
    hint = f"Try it in the zone that it is for: changeover account verify {account} --zone ZONE" if not rights else ""
    if may_write is False and permission:
        hint = f"It needs: {permission}"
    soon, notes = _expiry(expires, now)
    warnings = [wide_words(writable, zones, used) if writable is not None else "", *soon]
    return AccountCheck(
        account=account,
        ok=tried,
        tried=tried,
        zones=zones,
        may_write=may_write,
        writable=writable,
        expires=expires,
        text=_text(account, rights, may_write) if tried else f"{account} was not tried: {_UNUSED}",
        hint=hint,
        warnings=tuple(filter(None, warnings)),
        notes=tuple(notes),
    )


def apps_check(account: str, apps: tuple[DiscoveredApp, ...], expires: datetime | None, now: datetime) -> AccountCheck:
    """What the credential of `account`, which is at a platform, can look at; what it may do shows when it does."""
    warnings, notes = _expiry(expires, now)
    return AccountCheck(
        account=account,
        ok=True,
        apps=apps,
        expires=expires,
        text=f"{account} sees {counted(len(apps), 'app')}",
        warnings=tuple(warnings),
        notes=tuple(notes),
    )


def _expiry(expires: datetime | None, now: datetime) -> tuple[list[str], list[str]]:
    """That a credential ends: a warning where it is soon, else a note."""
    if expires is None:
        return [], []
    words = [expiry_words(expires, now)]
    return (words, []) if expires - now < SOON else ([], words)


def together(rights: Sequence[bool | None]) -> bool | None:
    """Whether all of them may be done; None where that is not known of each."""
    if any(right is False for right in rights):
        return False
    return True if rights and all(rights) else None


_UNUSED = "no service uses it yet, and it lists no zones"


def _text(account: str, rights: Mapping[str, bool | None], may_write: bool | None) -> str:
    if may_write is None:
        return f"{account} may read; whether it may change records shows only when it does"
    if may_write:
        return f"{account} may change records"
    closed = [zone for zone, right in rights.items() if right is False]
    where = f" in {' and '.join(closed)}" if len(closed) < len(rights) else ""
    return f"{account} may read only{where}: it may not change records"


def wide_words(writable: Sequence[str], zones: Sequence[str], used: Sequence[str]) -> str:
    """That a credential can change more zones than it is used for; empty where it is used for all, or for none yet."""
    if not used or not set(writable) - set(used):
        return ""
    every = "all " if len(writable) > 1 and set(writable) >= set(zones) else ""
    alone = "this zone" if len(used) == 1 else f"the {len(used)} zones that it is used for"
    return f"It can change {every}{counted(len(writable), 'zone')}; a credential for {alone} alone is safer."


def expiry_words(expires: datetime, now: datetime) -> str:
    """When a credential ends, on the day of Greenwich."""
    day = expires.astimezone(UTC)
    date = f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
    left = expires - now
    if left <= timedelta():
        return f"It expired on {date}."
    if left < timedelta(days=2):
        return f"It expires on {date}, in {duration(left.total_seconds())}."
    return f"It expires on {date}, in {left.days} days."
