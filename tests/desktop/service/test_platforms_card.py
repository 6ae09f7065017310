"""What the platforms say on a service's page: what runs where, and where both sides differ."""

from __future__ import annotations

from msgspec.structs import replace
from pytestqt.qtbot import QtBot

from changeover.desktop.service.platforms_card import PlatformsCard
from changeover.model.platforms.app_version import AppVersion, KeptVersion, Told
from changeover.model.platforms.platform_observation import KeptObservation, PlatformObservation
from changeover.model.settings.version_endpoint import VersionEndpoint
from desktop.samples import NOW, RUNS, gallery


def card(name: str, qtbot: QtBot) -> PlatformsCard:
    made = PlatformsCard()
    qtbot.addWidget(made)
    made.show_state(gallery()[name], NOW)
    return made


def test_differences_are_named_and_the_rest_on_request(qtbot: QtBot) -> None:
    """What each means stands below it."""
    made = card("drift", qtbot)
    assert made._verdict.text() == "no, 7 differences"
    text = made.table.toPlainText()
    assert "backup is in maintenance, so visitors would see a maintenance page" in text
    assert "SMTP_HOST is not set at backup" in text
    assert "SECRET_KEY_BASE" not in text
    made.all_button.click()
    assert "SECRET_KEY_BASE" in made.table.toPlainText()
    made.all_button.click()
    assert "SECRET_KEY_BASE" not in made.table.toPlainText()


def test_two_that_are_alike(qtbot: QtBot) -> None:
    """Are said to be; nothing else is shown until somebody asks."""
    made = card("same-on-both", qtbot)
    assert made._verdict.text() == "yes"
    assert made.table.toPlainText().strip() == "" or made.table.isHidden()
    assert "primary: release v41, 2 instances, seen 4 min ago" in made._said.text()


def test_without_a_platform_there_is_no_card(qtbot: QtBot) -> None:
    """And where one side tells nothing, that is said."""
    assert card("quiet", qtbot).isHidden()
    state = gallery()["drift"]
    kept = {"backup": KeptObservation(at=NOW, observation=RUNS)}
    made = PlatformsCard()
    qtbot.addWidget(made)
    made.show_state(replace(state, snapshot=replace(state.snapshot, platforms=kept)), NOW)
    assert made._verdict.text() == "only one side tells"


def test_what_a_platform_says_is_text(qtbot: QtBot) -> None:
    """Whatever it looks like."""
    state = gallery()["drift"]
    hostile = PlatformObservation(
        wanted=1, release="<b>x</b>", config={"<img src='file:///etc/hostname'>": "1", "B": "2"}
    )
    kept = {**state.snapshot.platforms, "backup": KeptObservation(at=NOW, observation=hostile)}
    made = PlatformsCard()
    qtbot.addWidget(made)
    made.show_state(replace(state, snapshot=replace(state.snapshot, platforms=kept)), NOW)
    assert "<img src='file:///etc/hostname'>" in made.table.toPlainText()
    assert "<b>x</b>" in made._said.text()


def test_what_apps_tell_is_shown_without_any_platform(qtbot: QtBot) -> None:
    """What differs, and what one of them should tell and does not, with the reason."""
    state = gallery()["quiet"]
    endpoint = VersionEndpoint(path="/version", commit="json:sha", schema="json:schema")
    schemas = {"primary": Told(value="7"), "backup": Told(why='there is no "<b>schema</b>" in its JSON')}
    versions = {
        name: KeptVersion(at=NOW, version=AppVersion(commit=Told(value="abcdef0123456789"), schema=schema))
        for name, schema in schemas.items()
    }
    service = replace(state.service, version=endpoint)
    made = PlatformsCard()
    qtbot.addWidget(made)
    asked = replace(state, snapshot=replace(state.snapshot, service=service, versions=versions))
    made.show_state(asked, NOW)
    assert made._verdict.text() == "not all is told"
    assert "primary, as its app tells: commit abcdef012345, database schema 7, seen" in made._said.text()
    assert 'there is no "<b>schema</b>" in its JSON' in made.table.toPlainText()
    assert "release: commit" not in made.table.toPlainText()
    made.show_state(replace(state, snapshot=replace(state.snapshot, versions=versions)), NOW)
    assert made.isHidden(), "the settings ask no app any more"
