"""Outages that were told of and are not over, by whom they were told to: a restart tells none twice."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from changeover.model.health.outage import Fault, FaultKind, Outage
from changeover.storage.database.database import Database, transaction
from changeover.storage.history.writer import milliseconds, moment

_COLUMNS = "kind, subject, began, told"


class ToldOutages:
    """Those of one database file. `channel` says who is told, such as "desktop"."""

    def __init__(self, file: Path) -> None:
        hint = "Check that the disk is not full and that the file is yours."
        self._database = Database(file, "The list of outages that were told of", hint, durable=True)

    def close(self) -> None:
        self._database.close()

    async def of(self, channel: str) -> dict[str, Outage]:
        """By service, what a channel was told of."""
        return await self._database.in_thread(self._read, channel)

    async def of_service(self, service: str) -> list[Outage]:
        """What anybody was told of a service."""
        return await self._database.in_thread(self._read_service, service)

    async def keep(self, channel: str, outages: Mapping[str, Outage]) -> None:
        """These, by service, are all that a channel was told of and that is not over."""
        await self._database.in_thread(self._write, channel, dict(outages))

    def _read(self, channel: str) -> dict[str, Outage]:
        select = f"SELECT service, {_COLUMNS} FROM told_outages WHERE channel = ?"
        return {service: _outage(*row) for service, *row in self._database.open().execute(select, (channel,))}

    def _read_service(self, service: str) -> list[Outage]:
        select = f"SELECT {_COLUMNS} FROM told_outages WHERE service = ?"
        return [_outage(*row) for row in self._database.open().execute(select, (service,))]

    def _write(self, channel: str, outages: dict[str, Outage]) -> None:
        rows = [
            (channel, name, o.fault.kind, o.fault.subject, milliseconds(o.began), o.told and milliseconds(o.told))
            for name, o in outages.items()
        ]
        connection = self._database.open()
        with transaction(connection):
            connection.execute("DELETE FROM told_outages WHERE channel = ?", (channel,))
            connection.executemany(
                f"INSERT INTO told_outages (channel, service, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", rows
            )


def _outage(kind: str, subject: str, began: int, told: int | None) -> Outage:
    fault = Fault(FaultKind(kind), subject)
    return Outage(fault=fault, began=moment(began), told=None if told is None else moment(told))
