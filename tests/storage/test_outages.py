"""The outages that were told of: kept across restarts, and apart for each that is told."""

from __future__ import annotations

from pathlib import Path

from changeover.model.health.outage import Fault, FaultKind, Outage
from changeover.storage.outages import ToldOutages
from storage.recorded import AT, after

DEAD = Outage(fault=Fault(FaultKind.ROUTING_NAME, "edge.example.net"), began=AT, told=after(seconds=90))
OWN = Outage(fault=Fault(FaultKind.SERVICE, "mail"), began=after(minutes=1))


async def test_they_are_as_they_were_after_a_restart(tmp_path: Path) -> None:
    """With their fault and their beginning; what is over is gone, and one channel knows nothing of another's."""
    file = tmp_path / "data" / "changeover.db"
    for kept in ({"shop": DEAD, "mail": OWN}, {"mail": OWN}, {}):
        opened = ToldOutages(file)
        await opened.keep("desktop", kept)
        await opened.keep("mail", {"shop": DEAD})
        opened.close()
        again = ToldOutages(file)
        assert await again.of("desktop") == kept
        assert await again.of("mail") == {"shop": DEAD}
        assert await again.of("nobody") == {}
        assert await again.of_service("shop") == [DEAD, *[DEAD for name in kept if name == "shop"]]
        again.close()
