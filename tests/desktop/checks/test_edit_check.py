"""How a service is checked, in the window: what is typed is what is saved, and nothing that was typed is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck as Hypothesis
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from changeover.accounts.kinds import KINDS
from changeover.desktop.application import DesktopSession
from changeover.desktop.checks.check_form import (
    CONDITIONS,
    CheckForm,
    Condition,
    JourneyText,
    Window,
    form_of,
    typed,
    typed_verdict_words,
)
from changeover.desktop.checks.check_words import journey_words, typed_value, value_text
from changeover.desktop.checks.edit_check import EditCheck
from changeover.desktop.checks.maintenance_form import own_zone
from changeover.desktop.runtime.tasks import Tasks
from changeover.desktop.widgets.colours import DARK, LIGHT, use
from changeover.desktop.widgets.form_fields import in_reading_order
from changeover.model.health.check import HealthCheck, Thresholds
from changeover.model.health.probe_result import Health
from changeover.model.readiness.service_state import unread
from changeover.model.settings.maintenance import Maintenance
from changeover.model.settings.service import Service
from changeover.storage.home import Home
from changeover.storage.settings import file as settings_file
from changeover.switchboard import Switchboard
from desktop.looking import check_words, draw, settle
from desktop.on_screen import click, lab_desktop
from desktop.samples import NOW, SHOP
from desktop.test_reach import nameless
from desktop.waiting import until
from storage.settings.test_check_settings import FULL, HEALTH, MAINTENANCE, WINDOWS

OnLoop = Callable[..., None]
NOWHERE = Path()
USUAL = form_of(HealthCheck(), ())


# Without a window


@limits(max_examples=60, suppress_health_check=[Hypothesis.too_slow])
@given(health=HEALTH, windows=st.lists(MAINTENANCE, max_size=3).map(tuple))
def test_what_is_shown_is_read_back(health: HealthCheck, windows: tuple[Maintenance, ...]) -> None:
    """Any check and any windows, through the fields and back."""
    read = typed(form_of(health, windows), NOWHERE)
    assert dict(read.faults) == {}
    assert read.health == health
    assert read.maintenance == windows


@given(st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text())
def test_a_value_is_what_it_looks_like(value: bool | int | float | str) -> None:
    """true is not "true", and 5 is not "5"."""
    again = typed_value(value_text(value))
    assert again == value
    assert type(again) is type(value)


@given(
    st.sampled_from(["port", "interval", "suspect_interval", "timeout", "connect_timeout", "tls_timeout"]),
    st.sampled_from(["abc", "-1", "1e9", "3,5", "nan", "inf", "½"]),
)
def test_a_wrong_number_is_told_at_its_field(key: str, text: str) -> None:
    """And nowhere else; nothing is read while something is wrong."""
    read = typed(replace(USUAL, request={**USUAL.request, key: text}), NOWHERE)
    assert set(read.faults) == {key}
    assert read.health is None
    assert read.maintenance == ()


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        (
            {"conditions": (*USUAL.conditions, Condition(kind="expect_body", value=""))},
            {"condition.1": "Must not be empty"},
        ),
        (
            {"conditions": (*USUAL.conditions, *[Condition(kind="expect_body", value="x")] * 2)},
            {"condition.2": "Stands here twice; one of them is enough"},
        ),
        (
            {"conditions": (*USUAL.conditions, Condition(kind="expect_json", name="a b", value="1"))},
            {
                "condition.1": '"a b" is not a path into JSON (JMESPath)',
            },
        ),
        (
            {"conditions": (*USUAL.conditions, Condition(kind="expect_within", value="soon"))},
            {"condition.1": 'Must be a number, not the text "soon"'},
        ),
        (
            {"thresholds": {**USUAL.thresholds, "down_after": "12"}},
            {"thresholds.failures_before_down": "Must be at least down_after, which is 12, not 10"},
        ),
        (
            {"request": {**USUAL.request, "scheme": "tcp"}},
            {"port": 'Missing; scheme "tcp" needs to know which port to connect to'},
        ),
        ({"journeys": (JourneyText("a", "[[steps"),)}, {"journey.0": "Not valid TOML"}),
        (
            {"journeys": (JourneyText("a", "[[steps]]\npath = '/'"), JourneyText("b", "[[steps]]\npath = '/{x}'"))},
            {
                "journey.1": "Step 1 path: {x} is not known there; "
                "an earlier step must capture it, or write {secret:NAME}",
            },
        ),
        ({"journeys": (JourneyText("", "[[steps]]\npath = '/'"),)}, {"journey.0": "name: must be a short name"}),
        ({"journeys": (JourneyText("a", "step = 1"),)}, {"journey.0": "step: unknown key; did you mean steps?"}),
        (
            {"windows": (Window(weekly=True, at="2", minutes="", zone="UTC"),)},
            {"window.0": "Minutes: missing; it must be a whole number"},
        ),
        (
            {"windows": (Window(weekly=False, at="02:30", minutes="5", zone="Europe/Berln", date="2026-12-01"),)},
            {"window.0": 'Time zone: there is no time zone "Europe/Berln"; did you mean Europe/Berlin?'},
        ),
    ],
)
def test_faults_are_told_in_words_where_they_are(changes: dict[str, object], faults: dict[str, str]) -> None:
    """Each at the field of the form that it is about."""
    read = typed(replace(USUAL, **changes), NOWHERE)
    assert set(read.faults) == set(faults)
    for key, words in faults.items():
        assert words in read.faults[key]


def test_a_check_that_only_connects_has_no_path() -> None:
    """What such a check has no use for is left out, not complained about."""
    form = replace(USUAL, request={**USUAL.request, "scheme": "tcp", "port": "5432", "path": "/health"})
    assert typed(form, NOWHERE).health == HealthCheck(scheme="tcp", port=5432)


def test_the_verdict_is_told_in_words() -> None:
    """With the time that it takes; and not at all while a number is none."""
    words = typed_verdict_words(USUAL)
    assert words.startswith("Down after 3 failed checks in a row (within about 1 min), or after 10 in all unless 10 ")
    assert "Up again after 5 good checks in a row over at least 3 min." in words
    one = form_of(HealthCheck(thresholds=Thresholds(down_after=1, up_after=1, up_seconds=0), interval=5), ())
    assert typed_verdict_words(one).startswith("Down after 1 failed check (within about 15 s), or")
    assert "Up again after 1 good check. " in typed_verdict_words(one)
    wrong = replace(USUAL, thresholds={**USUAL.thresholds, "up_after": "some"})
    assert typed_verdict_words(wrong) == ""


def test_a_journey_is_told_in_words() -> None:
    """A line for each step; nothing while they are not in order."""
    form = form_of(FULL, ())
    assert journey_words(form.journeys[0].steps).splitlines() == [
        "1. POST /login: status 200; keeps token, order",
        "2. GET /orders/{order}: status 200-399, within 1.5 s",
    ]
    assert journey_words("[[steps]]\nmethod = 'GET'") == journey_words("[[") == ""


# In the window


@pytest.fixture
def dialog(tmp_path: Path, on_loop: Callable[..., EditCheck], light: None) -> EditCheck:
    """The form for a service with everything set."""

    async def made() -> EditCheck:
        board = Switchboard(Home.at(tmp_path))
        service = replace(SHOP, health=FULL, maintenance=WINDOWS)
        opened = EditCheck(None, board, Tasks(print), unread(service, NOW))
        opened.finished.connect(lambda _: board.journal.close())
        return opened

    return on_loop(made())


def test_the_form_shows_everything(dialog: EditCheck, qtbot: QtBot) -> None:
    """Untouched, it says exactly the check that it was opened with."""
    qtbot.addWidget(dialog)
    assert dialog.form == form_of(FULL, WINDOWS)
    read = typed(dialog.form, NOWHERE)
    assert (read.health, read.maintenance) == (FULL, WINDOWS)


@pytest.mark.parametrize("look", ["light", "dark"])
def test_it_looks_right(dialog: EditCheck, qtbot: QtBot, pictures: Path, look: str) -> None:
    """Every card, with faults and without, at the usual and at the smallest size; word for word."""
    use({"light": LIGHT, "dark": DARK}[look])
    qtbot.addWidget(dialog)
    with qtbot.waitExposed(dialog):
        dialog.show()
    draw(dialog, pictures / f"check-{look}.png")
    check_words(dialog, "check")
    dialog.resize(dialog.minimumSize())
    draw(dialog, pictures / f"check-smallest-{look}.png")
    dialog.resize(820, 760)
    dialog.fields["interval"].setText("often")
    dialog.conditions.rows[1].value.clear()
    dialog.journeys.rows[0].steps.setPlainText("[[steps]]\npath = 'login'")
    dialog.maintenance.rows[0].zone.setText("Europe/Berln")
    dialog.read()
    settle()
    draw(dialog, pictures / f"check-faults-{look}.png")
    check_words(dialog, "check-faults")
    bar = dialog.area.verticalScrollBar()
    for part in range(1, 4):
        bar.setValue(bar.maximum() * part // 3)
        draw(dialog, pictures / f"check-faults-{part}-{look}.png")


def test_everything_has_a_name(dialog: EditCheck, qtbot: QtBot) -> None:
    """For a screen reader; rows that are added later as well."""
    qtbot.addWidget(dialog)
    dialog.journeys.add()
    dialog.maintenance.add()
    for kind in CONDITIONS:
        dialog.conditions.add(kind)
    with qtbot.waitExposed(dialog):
        dialog.show()
    assert nameless(dialog) == []
    assert not any(button.isDefault() or button.autoDefault() for button in dialog.findChildren(QPushButton))


def test_tab_goes_as_one_reads(dialog: EditCheck, qtbot: QtBot) -> None:
    """Through the rows that were added later, in their place, and on to Save."""
    qtbot.addWidget(dialog)
    dialog.conditions.add("expect_body")
    with qtbot.waitExposed(dialog):
        dialog.show()
    order = [widget for widget in in_reading_order(dialog) if widget.isVisible() and widget.isEnabled()]
    chain: list[QWidget] = []
    widget: QWidget = order[0]
    while widget not in chain:
        chain.append(widget)
        widget = widget.nextInFocusChain()
    assert [widget for widget in chain if widget in order] == order
    added, after = dialog.conditions.rows[-1].value, dialog.fields["thresholds.down_after"]
    assert order.index(dialog.fields["path"]) < order.index(added) < order.index(after)
    assert order[-1] is dialog.save_button


def test_rows_come_and_go(dialog: EditCheck, qtbot: QtBot) -> None:
    """Conditions, journeys and windows are added and removed; the focus stays near."""
    qtbot.addWidget(dialog)
    with qtbot.waitExposed(dialog):
        dialog.show()
    for row in dialog.conditions.rows[1:]:
        row.remove_button.click()
    for row in [*dialog.journeys.rows, *dialog.maintenance.rows]:
        row.remove_button.click()
    assert [c.kind for c in dialog.form.conditions] == ["expect_status"]
    assert dialog.focusWidget() is dialog.maintenance.add_button
    assert (dialog.form.journeys, dialog.form.windows) == ((), ())
    assert not dialog.conditions.rows[0].remove_button.isVisible(), "there is always a status"
    dialog.maintenance.add()
    assert dialog.form.windows == (Window(weekly=False, at="", minutes="60", zone=own_zone()),)
    assert typed(dialog.form, NOWHERE).faults.keys() == {"window.0"}


def test_the_scheme_decides_what_can_be_set(dialog: EditCheck, qtbot: QtBot) -> None:
    """A check that only opens a connection has no path and no status, and needs a port."""
    qtbot.addWidget(dialog)
    dialog.fields["scheme"].setCurrentText("tcp")
    assert not dialog.fields["path"].isEnabled()
    assert not dialog.conditions.rows[0].isEnabled()
    assert dialog.fields["port"].placeholderText() == "needed"
    dialog.fields["scheme"].setCurrentText("http")
    assert dialog.fields["path"].isEnabled()
    assert dialog.fields["port"].placeholderText() == "80"


async def opened(session: DesktopSession) -> tuple[EditCheck, Service]:
    """The form for the practice ground's shop."""
    board = session.controller.switchboard
    made = EditCheck(session.window, board, session.tasks, board.state("shop"))
    made.show()
    return made, board.service("shop")


def test_faults_keep_everything_and_save_nothing(on_loop: OnLoop, tmp_path: Path, light: None) -> None:
    """The first field that is wrong is brought forward, and the file stays as it is until all is right."""

    async def scenario() -> None:
        async with lab_desktop(tmp_path) as session:
            form, service = await opened(session)
            file = session.controller.switchboard.home.settings_file
            before = file.read_bytes()
            interval = form.fields["interval"]
            interval.setText("often")
            form.conditions.add("expect_json")
            form.conditions.rows[-1].name.setText("database.ok")
            form.conditions.rows[-1].value.setText("< much")
            click(form.save_button)
            await until(lambda: form.fault.isVisible(), "the faults")
            assert "2 fields" in form.fault.text.text()
            assert form.conditions.rows[-1].fault.text().startswith('After "<" stands a number')
            assert form.focusWidget() is interval
            assert interval.text() == "often"
            assert form.isVisible()
            assert file.read_bytes() == before

            interval.setText("20")
            form.conditions.rows[-1].value.setText("true")
            form.maintenance.add()
            form.maintenance.rows[0].date.setText("2026-12-01")
            form.maintenance.rows[0].at.setText("02:30")
            click(form.save_button)
            await until(lambda: not form.isVisible(), "the form to be saved")
            saved = settings_file.load(file, KINDS).service("shop")
            assert saved is not None
            assert saved == session.controller.switchboard.service("shop")
            assert saved.health == replace(service.health, interval=20, expect_json={"database.ok": True})
            assert saved.maintenance == (Maintenance(date="2026-12-01", at="02:30", minutes=60, zone=own_zone()),)

    on_loop(scenario())


def test_a_check_can_be_tried_before_it_is_saved(on_loop: OnLoop, tmp_path: Path, light: None) -> None:
    """Each deployment is asked once, what fails is told in its own sentence, and nothing is kept."""

    async def scenario() -> None:
        async with lab_desktop(tmp_path) as session:
            form, _ = await opened(session)
            file = session.controller.switchboard.home.settings_file
            before = file.read_bytes()
            form.conditions.add("expect_body_without")
            form.conditions.rows[-1].value.setText("no such text anywhere")
            click(form.try_button)
            await until(lambda: len(form.tried.outcomes) == 2, "the answers")
            assert [verdict for verdict, _ in form.tried.outcomes.values()] == [Health.HEALTHY] * 2

            form.conditions.add("expect_body_match")
            form.conditions.rows[-1].value.setText("what (nobody|else) answers")
            click(form.try_button)
            await until(lambda: Health.UNHEALTHY in [v for v, _ in form.tried.outcomes.values()], "the answers")
            for verdict, words in form.tried.outcomes.values():
                assert verdict is Health.UNHEALTHY
                assert 'nothing matches "what (nobody|else) answers"' in words
            assert file.read_bytes() == before
            QTest.keyClick(form, Qt.Key.Key_Escape)
            assert not form.isVisible()
            assert file.read_bytes() == before

    on_loop(scenario())


def test_what_the_file_refuses_is_told(on_loop: OnLoop, tmp_path: Path, light: None) -> None:
    """Somebody broke the file meanwhile: the form stays, with the fault."""

    async def scenario() -> None:
        async with lab_desktop(tmp_path) as session:
            form, _ = await opened(session)
            file = session.controller.switchboard.home.settings_file
            file.write_text(file.read_text() + "\nlang = 5\n[")
            broken = file.read_bytes()
            form.fields["interval"].setText("20")
            click(form.save_button)
            await until(lambda: form.fault.isVisible(), "the fault")
            assert "not valid TOML" in form.fault.text.text()
            assert form.isVisible()
            assert form.fields["interval"].text() == "20"
            assert file.read_bytes() == broken

    on_loop(scenario())


def test_nothing_typed_is_changed_by_the_form() -> None:
    """A form is made of texts alone, so that a fault never loses one."""
    form = form_of(FULL, WINDOWS)
    wrong: CheckForm = replace(form, request={**form.request, "timeout": "long"})
    assert typed(wrong, NOWHERE).health is None
    assert wrong.request["timeout"] == "long"
