"""What people say for a time, kept in the database so that every process sees it: pins, freezes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar, cast

import msgspec

from changeover.model.errors import UsageError
from changeover.model.readiness.freeze import Freeze
from changeover.model.readiness.pin import Pin
from changeover.storage.database.database import Database
from changeover.storage.history.writer import milliseconds, moment

#: What people say ends by itself after at most so many seconds, or it would be forgotten: 72 hours, as a zonal shift of
#: AWS ARC does.
LONGEST = 72 * 3600.0

T = TypeVar("T", bound=Pin | Freeze)


class TimedStore(Generic[T]):
    """The entries of one table, whose columns are the fields of `kind`, those of its key first; None is kept as "".

    Setting and clearing return once the disk has it.
    """

    kind: ClassVar[type[Pin] | type[Freeze]]
    #: The table, and one of its entries.
    table: ClassVar[str]
    noun: ClassVar[str]

    def __init__(self, file: Path) -> None:
        hint = "Check that the disk is not full and that the file is yours."
        self._database = Database(file, f"The list of {self.table}", hint, durable=True)
        self._columns = self.kind.__struct_fields__

    def close(self) -> None:
        self._database.close()

    async def clear(self, *key: str | None) -> bool:
        """Removes the entry of this key. False where there was none."""
        return await self._database.in_thread(self._delete, [_kept(part) for part in key])

    async def all(self, now: datetime | None = None) -> tuple[T, ...]:
        """What holds now, oldest first."""
        return await self._database.in_thread(self._read, milliseconds(now or datetime.now(UTC)))

    def _term(self, reason: str, seconds: float, now: datetime | None) -> dict[str, Any]:
        """The fields that say why and until when. Raises UsageError without a reason, or not between 1 s and 72 h."""
        if not reason.strip():
            raise UsageError(f"A reason is needed for a {self.noun}", "Others will ask why. Give it with --reason.")
        if not 1 <= seconds <= LONGEST:
            text = f"A {self.noun} lasts from 1 s to {LONGEST / 3600:g} h"
            raise UsageError(text, "It can be set again later.")
        set_at = moment(milliseconds(now or datetime.now(UTC)))
        return {"reason": reason.strip(), "set_at": set_at, "until": set_at + timedelta(seconds=round(seconds))}

    async def _keep(self, entry: T) -> T:
        """Writes an entry in place of the one of its key."""
        await self._database.in_thread(self._write, [_kept(getattr(entry, column)) for column in self._columns])
        return entry

    def _write(self, row: list[Any]) -> None:
        marks = ", ".join("?" * len(row))
        insert = f"INSERT OR REPLACE INTO {self.table} ({', '.join(self._columns)}) VALUES ({marks})"
        self._database.open().execute(insert, row)

    def _delete(self, key: list[Any]) -> bool:
        where = " AND ".join(f"{column} = ?" for column in self._columns[: len(key)])
        return self._database.open().execute(f"DELETE FROM {self.table} WHERE {where}", key).rowcount > 0

    def _read(self, now: int) -> tuple[T, ...]:
        select = f"SELECT {', '.join(self._columns)} FROM {self.table} WHERE until > ? ORDER BY set_at"
        return tuple(self._entry(row) for row in self._database.open().execute(select, (now,)))

    def _entry(self, row: tuple[Any, ...]) -> T:
        fields = dict(zip(self._columns, row, strict=True))
        fields |= {"service": fields["service"] or None, **{key: moment(fields[key]) for key in ("set_at", "until")}}
        return cast("T", msgspec.convert(fields, self.kind))


def _kept(value: Any) -> Any:
    """A value as the table has it."""
    return "" if value is None else milliseconds(value) if isinstance(value, datetime) else value
