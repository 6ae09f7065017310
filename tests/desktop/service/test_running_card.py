"""The card of what runs where: there where a platform runs something, and text whatever a platform says."""

from __future__ import annotations

from msgspec.structs import replace
from pytestqt.qtbot import QtBot

from changeover.desktop.service.running_card import RunningCard
from changeover.model.platforms.platform_observation import KeptObservation, PlatformObservation
from changeover.model.readiness.service_state import ServiceState
from desktop.samples import NOW, gallery


def on_heroku(state: ServiceState, said: PlatformObservation | None) -> ServiceState:
    deployments = tuple(
        replace(d, platform="heroku", account="heroku-me", options={"app": "shop-prod"}) if d.name == "primary" else d
        for d in state.service.deployments
    )
    kept = {} if said is None else {"primary": KeptObservation(at=NOW, observation=said)}
    service = replace(state.service, deployments=deployments)
    return replace(state, snapshot=replace(state.snapshot, service=service, platforms=kept))


def card(qtbot: QtBot, state: ServiceState) -> tuple[RunningCard, list[str]]:
    operated: list[str] = []
    made = RunningCard(operated.append)
    qtbot.addWidget(made)
    made.show_state(state, NOW)
    return made, operated


def test_it_is_there_where_a_platform_runs_something(qtbot: QtBot) -> None:
    """Also before anything was told; while a run goes on nothing can be asked."""
    quiet = gallery()["quiet"]
    assert card(qtbot, quiet)[0].isHidden()
    made, operated = card(qtbot, on_heroku(quiet, None))
    assert list(made.rows) == ["primary"]
    row = made.rows["primary"]
    assert row.said.text() == "Nothing is known yet of what runs there."
    assert row.button.accessibleName() == "Operations at primary"
    row.button.click()
    assert operated == ["primary"]
    made.show_state(replace(on_heroku(quiet, None), working=True), NOW)
    assert not row.button.isEnabled()
    made.show_state(on_heroku(quiet, PlatformObservation(wanted=2, release="v41")), NOW)
    assert made.rows["primary"] is row, "shown in place"
    assert row.said.text() == "Instances: 2\nRelease: v41\nAs its platform said 0 s ago."


def test_what_a_platform_says_is_text(qtbot: QtBot) -> None:
    """Whatever it looks like, and whichever way it is written."""
    said = PlatformObservation(release="<b>x</b>\u202e", hostnames=("مثال.example",))
    made, _ = card(qtbot, on_heroku(gallery()["quiet"], said))
    text = made.rows["primary"].said.text()
    assert "<b>x</b>" in text
    assert "\u202e" not in text
    assert "مثال.example" in text
