"""Doing what a run does besides DNS: calls, commands, waits, approvals, notes, and what platforms are asked to do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from changeover.model.plan import Act
from changeover.model.run import Run, StepState
from changeover.switchover.verify import Verdict

if TYPE_CHECKING:
    from changeover.model.service import Service


class Deeds:
    """Does the deeds of one service's runs."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def perform(self, step: Act, run: Run, stop: asyncio.Event) -> Verdict:
        """Does one deed. Never raises for what the world does."""
        return Verdict(StepState.FAILED, f"{type(step.deed).__name__} cannot be done by this version")
