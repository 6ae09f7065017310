"""Telling of outages while somebody watches: each once, and that it is over, whatever restarts lie in between."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from changeover.model.errors import ChangeoverError
from changeover.model.health.outage import Outage
from changeover.model.wording.notice import Notice, notices
from changeover.monitoring.live_states import LiveStates
from changeover.storage.outages import ToldOutages

log = logging.getLogger(__name__)

#: What changes within this time, in seconds, is told together: one fault of hundreds of services is one message.
SETTLE = 0.1


async def tell_outages(
    live: LiveStates,
    told: ToldOutages,
    channel: str,
    tell: Callable[[Notice], None],
    names: Sequence[str] = (),
) -> None:
    """Calls `tell` with what a channel is to be told, until cancelled: of these services, or of all.

    It is kept after it was told: a crash in between may tell it twice, and never hides an outage. What cannot be kept
    is logged, and told all the same.
    """
    before = await _before(told, channel)
    changed = asyncio.Event()
    end = live.subscribe(lambda _: changed.set())
    try:
        while True:
            found, after = notices(
                [s for s in live.states() if not names or s.service.name in names], before, datetime.now().astimezone()
            )
            for notice in found:
                tell(notice)
            if after != before:
                before = after
                await _keep(told, channel, after)
            await changed.wait()
            await asyncio.sleep(SETTLE)
            changed.clear()
    finally:
        end()


async def _before(told: ToldOutages, channel: str) -> dict[str, Outage]:
    try:
        return await told.of(channel)
    except ChangeoverError as error:
        log.warning("what was told before is not known: %s", error.text)
        return {}


async def _keep(told: ToldOutages, channel: str, outages: dict[str, Outage]) -> None:
    try:
        await told.keep(channel, outages)
    except ChangeoverError as error:
        log.warning("what was told is not kept: %s", error.text)
