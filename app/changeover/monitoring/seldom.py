"""What a watch reads seldom: what platforms and databases say of a service, one service after the other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from changeover.health.unforeseen import guarded
from changeover.model.errors import ChangeoverError
from changeover.model.settings.service import Service, Settings

log = logging.getLogger(__name__)

#: Seconds between two readings.
EVERY = 300.0


async def read_seldom(
    what: str,
    settings: Callable[[], Settings],
    concerned: Callable[[Service], bool],
    read: Callable[[str], Awaitable[object]],
) -> None:
    """Reads `what` of every service that is concerned, by its name, every so often until cancelled."""
    while True:
        for service in settings().services:
            if not concerned(service):
                continue
            try:
                await guarded(f"the {what} of {service.name}", read(service.name), lambda _: None)
            except ChangeoverError as error:  # such as a service that was removed meanwhile
                log.warning("%s", error.text)
        await asyncio.sleep(EVERY)
