"""What nobody foresaw while something of a stranger's was read: it is logged, and told of that one thing alone."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from changeover.model.errors import ChangeoverError

log = logging.getLogger(__name__)
T = TypeVar("T")
_PACKAGE = Path(__file__).parents[1]
#: Seconds that evidence may take without which a switch goes on.
OPTIONAL = 5.0


async def guarded(what: str, work: Awaitable[T], instead: Callable[[str], T]) -> T:
    """What `work` gives; where it raises what nobody foresaw, what `instead` makes of the words for that.

    `what` is read, as it stands in the log. A ChangeoverError is foreseen, and passed on.
    """
    try:
        return await work
    except ChangeoverError:
        raise
    except Exception as error:  # noqa: BLE001 - logged, without the values in its text
        return instead(unforeseen(what, error))


async def optional(what: str, work: Awaitable[T], without: T) -> T:
    """What `work` gives within OPTIONAL seconds, else `without`: evidence that nothing waits for."""
    try:
        async with asyncio.timeout(OPTIONAL):
            return await guarded(what, work, lambda _: without)
    except (TimeoutError, ChangeoverError) as error:
        log.warning("%s is left out: %s", what, str(error) or f"it took longer than {OPTIONAL:g} s")
        return without


def unforeseen(what: str, error: Exception) -> str:
    """Logs a fault of Changeover's that came up while `what` was read, and gives the words that stand for it.

    An error's own text may hold what was read, which may be private; so neither has it.
    """
    calls = "".join(traceback.format_tb(error.__traceback__))
    log.error("Changeover failed to read %s: %s\n%s", what, type(error).__qualname__, calls)
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if Path(f.filename).is_relative_to(_PACKAGE) and f.filename != __file__]
    where = f" in {Path(own[-1].filename).name}, line {own[-1].lineno}" if own else ""
    return f"Changeover failed to read this ({type(error).__qualname__}{where}; the log has more)"
