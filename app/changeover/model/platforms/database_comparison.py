"""How the databases of a backup stand, beside those of the primary: as their platforms say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from changeover.model.formatting import age
from changeover.model.platforms.comparison_row import Agreement, Compared, row
from changeover.model.platforms.platform_observation import PlatformObservation

#: A database's newest backup that is older is told: most are made once a day.
OLD_BACKUP = timedelta(days=3)


def database_rows(here: PlatformObservation, there: PlatformObservation, name: str, at: datetime) -> Iterator[Compared]:
    """Those of the backup; what they are compared with are all of the primary's."""
    states = ", ".join(one.state for one in here.databases if one.state)
    newest = max((one.backup_at for one in here.databases if one.backup_at is not None), default=None)
    for one in there.databases:
        if one.state:
            why = f"the database {one.name} of {name} is not available ({one.state})"
            yield row("database", one.name, states, one.state, why, same=one.is_available)
        if one.backup_at is not None:
            why = f"the newest backup of the database {one.name} of {name} was made {age(one.backup_at, at)}"
            told = (age(newest, at) if newest is not None else "", age(one.backup_at, at))
            yield row("database", f"{one.name} (backup)", *told, why, same=at - one.backup_at < OLD_BACKUP)
        if one.readers:
            told = (states, f"{', '.join(one.readers)} of {one.tier or one.name}: how far behind is not told")
            yield Compared(
                aspect="database",
                subject=f"{one.name} (followers)",
                primary=told[0] or "not told",
                backup=told[1],
                agreement=Agreement.UNKNOWN,
            )
