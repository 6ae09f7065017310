"""What nobody foresaw: it ends the one reading that it came up in, and no log or window says what was read."""

from __future__ import annotations

import asyncio
import logging

import pytest

from changeover.health import unforeseen
from changeover.health.unforeseen import guarded, optional
from changeover.model.errors import Unavailable


async def _reads(text: str) -> int:
    return int(text)


async def test_it_is_told_and_logged_without_what_was_read(caplog: pytest.LogCaptureFixture) -> None:
    """Words for a person say what kind of error it was and where; neither they nor the log have the value."""
    told = await guarded("a number", _reads("hunter2"), str)
    assert told == "Changeover failed to read this (ValueError; the log has more)"
    assert "a number: ValueError" in caplog.text and "_reads" in caplog.text
    assert "hunter2" not in caplog.text


async def test_what_is_foreseen_is_passed_on() -> None:
    """An error with words of its own keeps them."""

    async def silent() -> str:
        raise Unavailable("nobody answers")

    with pytest.raises(Unavailable, match="nobody answers"):
        await guarded("somebody", silent(), str)


async def test_a_cancelled_reading_is_cancelled() -> None:
    """A guard never holds up who wants to stop."""
    task = asyncio.create_task(guarded("for ever", asyncio.Event().wait(), lambda _: True))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_evidence_that_nothing_depends_on_never_holds_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Endless, failing in words, or failing as nobody foresaw: it is left out, and the log says so."""
    monkeypatch.setattr(unforeseen, "OPTIONAL", 0.01)
    caplog.set_level(logging.WARNING)

    async def endless() -> str:
        await asyncio.Event().wait()
        return "never"

    async def silent() -> str:
        raise Unavailable("nobody answers")

    async def broken() -> str:
        raise RecursionError

    assert [await optional("it", work, "without") for work in (endless(), silent(), broken())] == ["without"] * 3
    assert [word in caplog.text for word in ("longer than 0.01 s", "nobody answers", "RecursionError")] == [True] * 3
