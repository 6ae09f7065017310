"""Outages that were told of and are not over, by whom they were told to: a restart tells none twice."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from changeover.model.health.outage import Fault, FaultKind, Outage
from changeover.storage.database.database import Database, transaction
from changeover.storage.history.writer import milliseconds, moment


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

    async def keep(self, channel: str, outages: Mapping[str, Outage]) -> None:
        """These, by service, are all that a channel was told of and that is not over."""
        await self._database.in_thread(self._write, channel, dict(outages))

    def _read(self, channel: str) -> dict[str, Outage]:
        select = "SELECT service, kind, subject, began FROM told_outages WHERE channel = ?"
        return {
            service: Outage(fault=Fault(FaultKind(kind), subject), began=moment(began))
            for service, kind, subject, began in self._database.open().execute(select, (channel,))
        }

    def _write(self, channel: str, outages: dict[str, Outage]) -> None:
        rows = [(channel, n, o.fault.kind, o.fault.subject, milliseconds(o.began)) for n, o in outages.items()]
        connection = self._database.open()
        with transaction(connection):
            connection.execute("DELETE FROM told_outages WHERE channel = ?", (channel,))
            connection.executemany("INSERT INTO told_outages VALUES (?, ?, ?, ?, ?)", rows)
