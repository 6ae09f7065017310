"""A look by somebody who watches nothing: what a watch over the same home has seen just now counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from changeover.health.rounds import probe_round
from changeover.model.health.probe_result import Health
from changeover.storage.history.history import History
from changeover.switchboard import Switchboard
from shop import Shop


@pytest.mark.parametrize(("ago", "counts"), [(50, True), (70, False)])
async def test_the_evidence_of_a_watch_counts_for_two_intervals(tmp_path: Path, ago: int, counts: bool) -> None:
    """Its newest round stands for the second probe; an older one says nothing of now."""
    with Shop(tmp_path) as shop:
        settings = shop.home.settings_file
        settings.write_text(settings.read_text().replace("interval = 1", "interval = 30"))
        board, watching = Switchboard(shop.home), History(shop.home.database)
        began = datetime.now(UTC)
        seen_at = (began - timedelta(seconds=ago)).replace(microsecond=0)
        try:
            assert watching.begin_recording()
            backup = board.service("shop").deployments[1]
            seen = await probe_round(board.service("shop"), backup, board.lookup)
            earlier = tuple(replace(result, at=seen_at) for result in seen.results)
            watching.add_round("shop", replace(seen, at=seen_at, results=earlier), "backup")
            await watching.flush()
            found = (await board.observe("shop")).health
        finally:
            await watching.aclose()
            await board.aclose()
    assert {name: health.health for name, health in found.items()} == dict.fromkeys(found, Health.HEALTHY)
    since = found["backup"].since
    assert since is not None
    assert (since == seen_at) is counts
    assert found["primary"].since is not None
    assert found["primary"].since > began
