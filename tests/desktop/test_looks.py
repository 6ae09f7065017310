"""Every window is drawn, in light and in dark, in every state worth telling apart, and no text is cut off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QApplication, QCheckBox, QLabel
from pytestqt.qtbot import QtBot

from changeover.desktop.controller import MainController
from changeover.desktop.history.timeline import Past, Range
from changeover.desktop.main_window import MainWindow
from changeover.desktop.runtime.tasks import Tasks
from changeover.desktop.service.service_actions import FreezeQuestion
from changeover.desktop.service.service_list import ServiceList
from changeover.desktop.service.service_page import ServicePage, WordsPage
from changeover.desktop.setup.accounts import AccountsWindow
from changeover.desktop.setup.add_account import AddAccount
from changeover.desktop.setup.add_service import AddService
from changeover.desktop.tray import tray_pixmap
from changeover.desktop.widgets import questions as ask
from changeover.desktop.widgets.colours import DARK, LIGHT, Colours, use
from changeover.desktop.widgets.shapes import Mark
from changeover.desktop.widgets.strips import NoteStrip
from changeover.desktop.wizard.dialog import Wizard
from changeover.desktop.wizard.flow import WizardPage
from changeover.desktop.wizard.run_in_progress import Work
from changeover.desktop.wizard.undo_question import about_undo
from changeover.model.finding import Finding, Level
from changeover.model.readiness.all_checks import findings
from changeover.model.readiness.service_state import Preparation, ServiceState
from changeover.model.runs.run import Ended, Intent, Outcome, Paused, StepEnded, StepState
from changeover.model.wording.local_fault import clock_note
from changeover.storage.home import Home
from changeover.switchboard import Switchboard
from changeover.switchover.report import markdown
from desktop.looking import check_words, draw, picture
from desktop.samples import (
    ACTING,
    ASLEEP,
    AWAY,
    DOWN,
    LONG,
    NOW,
    OUTAGE,
    WRONG_CLOCK,
    acting_plan,
    acting_run,
    done,
    gallery,
    named,
    night,
    panel_of,
    past,
    plan,
    run,
    soak_of,
    state,
)

LOOKS = {"light": LIGHT, "dark": DARK}
SIZES = [(1180, 760), (900, 600)]


@pytest.fixture(params=list(LOOKS))
def look(request: pytest.FixtureRequest, light: None) -> str:
    tones: Colours = LOOKS[request.param]
    use(tones)
    return str(request.param)


@pytest.fixture
def board(tmp_path: Path, on_loop: Callable[..., Switchboard]) -> Iterator[Switchboard]:
    """A switchboard over an empty home."""

    async def made() -> Switchboard:
        return Switchboard(Home.at(tmp_path / "home"))

    opened = on_loop(made())
    yield opened
    opened.journal.close()


def ignore(*_: object) -> None:
    return None


def framed() -> MainWindow:
    window = MainWindow()
    window.furnish()
    return window


@pytest.mark.parametrize("name", list(gallery()))
@pytest.mark.parametrize("size", SIZES, ids=["usual", "smallest"])
def test_every_state_of_a_service(name: str, size: tuple[int, int], look: str, qtbot: QtBot, pictures: Path) -> None:
    """The main window shows each state at the usual and at the smallest size."""
    window = framed()
    qtbot.addWidget(window)
    services, page = ServiceList(), ServicePage(ignore)
    shown = gallery()[name]
    services.show_services([shown, named("api", state()), named("blog", gallery()["on-backup"])], NOW)
    window.put_left(services)
    page.show_state(shown, NOW)
    page.show_activity([r for r in (shown.run, run(Outcome.COMPLETED, committed=True)) if r is not None], NOW)
    window.show_page(page)
    window.resize(*size)
    with qtbot.waitExposed(window):
        window.show()
    assert (window.width(), window.height()) == size
    draw(window, pictures / f"state-{name}-{size[0]}-{look}.png")


@pytest.mark.parametrize("which", [Range.DAY, Range.WEEK, Range.MONTH])
@pytest.mark.parametrize("size", SIZES, ids=["usual", "smallest"])
def test_every_range_of_the_chart(which: Range, size: tuple[int, int], look: str, qtbot: QtBot, pictures: Path) -> None:
    """A night with sleep, an outage and planned work; what happened stands below."""
    window = framed()
    qtbot.addWidget(window)
    page = ServicePage(ignore)
    page.show_state(state(), NOW)
    page.history.choose(which)
    page.history.show_past(past(which), NOW)
    page.show_activity([run(Outcome.COMPLETED, committed=True)], NOW, [OUTAGE], [ASLEEP, AWAY])
    window.show_page(page)
    window.resize(*size)
    with qtbot.waitExposed(window):
        window.show()
    draw(window, pictures / f"chart-{which.value.lower()}-{size[0]}-{look}.png")
    assert "asleep 7 h 12 min" in page.history.line.text()
    assert "asleep 7 h 12 min" in page.chart.accessibleDescription()


def test_a_wrong_clock(look: str, qtbot: QtBot, pictures: Path) -> None:
    """It is said once, above everything, and is gone once the clock is right."""
    window = framed()
    qtbot.addWidget(window)
    page, note = ServicePage(ignore), NoteStrip()
    window.put_above(note, visible=False)
    note.shown.connect(window.make_room)
    page.show_state(state(), NOW)
    window.show_page(page)
    with qtbot.waitExposed(window):
        window.show()
    assert not note.isVisible()
    note.show_words(clock_note([state(connection=WRONG_CLOCK)]))
    assert note.isVisible()
    draw(window, pictures / f"clock-{look}.png")
    note.show_words("")
    assert not note.isVisible()


def test_the_ranges_by_keyboard(qtbot: QtBot, light: None) -> None:
    """Tab reaches the chosen range, the arrows choose another, and its history is asked for."""
    asked: list[bool] = []
    page = ServicePage(ignore, lambda: asked.append(True))
    qtbot.addWidget(page)
    page.show_state(state(), NOW)
    with qtbot.waitExposed(page):
        page.show()
    page.history.buttons[Range.HOUR].setFocus()
    qtbot.keyClick(page.history.buttons[Range.HOUR], Qt.Key.Key_Right)
    assert page.history.range is Range.DAY
    assert page.history.buttons[Range.DAY].isChecked()
    assert asked == [True]
    page.history.show_past(Past(range=Range.WEEK, points={"primary": night()}), NOW)
    assert not page.chart.shown.lines["primary"], "what was asked for before counts for nothing now"


def test_many_services(look: str, qtbot: QtBot, pictures: Path) -> None:
    """A long list stays readable; the filter leaves what was asked for."""
    window = framed()
    qtbot.addWidget(window)
    services, page = ServiceList(), ServicePage(ignore)
    samples = list(gallery().values())
    services.show_services([named(f"service-{i:02}", samples[i % len(samples)]) for i in range(40)], NOW)
    window.put_left(services)
    page.show_state(samples[0], NOW)
    window.show_page(page)
    with qtbot.waitExposed(window):
        window.show()
    draw(window, pictures / f"many-{look}.png")
    services.filter.setText("SERVICE-3")
    shown = [i for i in range(40) if not services.rows.item(i).isHidden()]
    assert shown == list(range(30, 40))


def test_no_services_yet(
    look: str, qtbot: QtBot, pictures: Path, board: Switchboard, on_loop: Callable[..., object]
) -> None:
    """An empty window says what this is for, and the first step."""
    window = framed()
    qtbot.addWidget(window)

    async def story() -> None:
        tasks = Tasks(ignore)
        controller = MainController(window, board, tasks)
        window.show()
        assert window.pages.currentWidget() is controller.empty
        window.fault.show_words("Cloudflare does not answer", "Check your connection.")
        draw(window, pictures / f"empty-{look}.png")
        controller.close()
        await tasks.close()

    on_loop(story())


def test_settings_that_cannot_be_used(look: str, qtbot: QtBot, pictures: Path) -> None:
    """A faulty settings file is shown in words: what is wrong, where, and what to do."""
    window = framed()
    qtbot.addWidget(window)
    page = WordsPage()
    faults = "changeover.toml: 2 faults\n  services[0].ttl: must be a number\n  accounts.dns: missing provider"
    page.show_words("Changeover could not start", faults, "Mend the file and try again; nothing was changed.")
    window.show_page(page)
    with qtbot.waitExposed(window):
        window.show()
    draw(window, pictures / f"faulty-settings-{look}.png")
    check_words(window, "faulty-settings")


class NoCommands:
    """Does nothing that a wizard asks for."""

    begin = resume = undo = back_out = keep = save = soak = staticmethod(ignore)


def wizard_for(board: Switchboard, of: ServiceState, qtbot: QtBot, work: Work | None = None) -> Wizard:
    made = Wizard(None, board, Tasks(ignore), of, NoCommands(), work=work)
    qtbot.addWidget(made)
    made.show()
    return made


class Begun(NoCommands):
    """Remembers which switches were begun."""

    def __init__(self) -> None:
        self.begun: list[Preparation] = []

    def begin(self, preparation: Preparation, overrides: dict[str, str], why: str) -> Work:
        self.begun.append(preparation)
        return Work(preparation.service, preparation.to, ignore)  # type: ignore[arg-type]


def test_a_failback_in_doubt_begins_only_once_it_was_confirmed(qtbot: QtBot, board: Switchboard) -> None:
    """The button waits for the confirmation, and whatever presses it all the same begins nothing."""
    of = gallery()["kept"]
    commands = Begun()
    wizard = Wizard(None, board, Tasks(ignore), of, commands)
    qtbot.addWidget(wizard)
    wizard.show()
    young = Finding(check="failback", level=Level.WARN, text="primary is healthy for 2 min", fix="60 min is safer")
    known = prepared(of, "primary")
    others = tuple(replace(f, level=Level.PASS) for f in known.findings if f.check != "failback")
    wizard.readiness.show_preparation(replace(known, findings=(*others, young)))
    wizard.go_to(WizardPage.READINESS)
    wizard.next_button.click()
    assert wizard.page is WizardPage.CHANGES
    assert "healthy for 2 min" in wizard.changes.findChild(QCheckBox).parentWidget().findChildren(QLabel)[0].text()
    assert not wizard.switch_button.isEnabled()
    wizard.switch_button.setEnabled(True)  # whatever the button shows
    wizard.switch_button.click()
    assert commands.begun == []
    wizard.changes.sure_box.setChecked(True)
    assert wizard.switch_button.isEnabled()
    wizard.switch_button.click()
    assert [p.to for p in commands.begun] == ["primary"]


def prepared(of: ServiceState, to: str, emergency: bool = False) -> Preparation:
    return Preparation(
        service=of.service.name,
        to=to,
        emergency=emergency,
        plan=plan(of, to),
        findings=findings(of, to, emergency),
        snapshot=of.snapshot,
        at=NOW,
    )


@pytest.mark.parametrize("size", [(900, 640), (720, 480)], ids=["usual", "smallest"])
@pytest.mark.parametrize("which", ["down", "quiet", "long-names", "both-down"])
def test_every_page_before_a_switch(
    which: str, size: tuple[int, int], look: str, qtbot: QtBot, pictures: Path, board: Switchboard
) -> None:
    """Direction, Readiness and Changes, with findings of every level."""
    of = {
        "down": state(checks=DOWN),
        "quiet": state(),
        "long-names": state(service=LONG),
        "both-down": state(checks={**DOWN, "backup": "." * 30 + "xxxxx"}),
    }[which]
    wizard = wizard_for(board, of, qtbot)
    wizard.resize(*size)
    name = f"wizard-{{}}-{which}-{size[0]}-{look}.png"
    draw(wizard, pictures / name.format("1-direction"))
    preparation = prepared(of, wizard.direction.to, wizard.direction.emergency)
    wizard.readiness.show_checking()
    wizard.readiness.show_preparation(preparation)
    wizard.go_to(WizardPage.READINESS)
    draw(wizard, pictures / name.format("2-readiness"))
    assert preparation.plan is not None
    reasons = {"target-answers": "It answers for everybody but this computer"} if which == "both-down" else {}
    wizard.changes.show_plan(preparation.plan, reasons)
    wizard.go_to(WizardPage.CHANGES)
    draw(wizard, pictures / name.format("3-changes"))


@pytest.mark.parametrize("which", ["completed", "incomplete", "refused"])
def test_every_page_of_a_run(which: str, look: str, qtbot: QtBot, pictures: Path, board: Switchboard) -> None:
    """Switch and Result, for each way it may end."""
    of = state(active="backup")
    ended = {
        "completed": run(Outcome.COMPLETED),
        "incomplete": run(Outcome.INCOMPLETE, text="ns1.shop.example still gives the old answer."),
        "refused": run(Outcome.REFUSED, text="www.shop.example was changed by somebody else meanwhile."),
    }[which]
    wizard = wizard_for(board, of, qtbot)
    wizard.progress.show_run(run(None), NOW)
    wizard.go_to(WizardPage.SWITCH)
    draw(wizard, pictures / f"wizard-4-switch-{which}-{look}.png")
    check_words(wizard, "wizard-4-switch")
    wizard.outcome.show_run(ended)
    wizard.outcome.show_panel(panel_of(ended, NOW), NOW)
    if which == "completed":
        wizard.outcome.show_soak(soak_of(NOW, worse=False))
    wizard.go_to(WizardPage.RESULT)
    draw(wizard, pictures / f"wizard-5-result-{which}-{look}.png")
    check_words(wizard, f"wizard-5-result-{which}")


#: Runs with steps beyond DNS, by how they stand. A run that was cut off leaves an operation that nobody knows about.
ACTING_RUNS = {
    "waiting": acting_run(*done(0, 1, 2, 3), Intent(step=4)),
    "together": acting_run(*done(0), Intent(step=1), Intent(step=2), emergency=True),
    "paused": acting_run(*done(0, 1, 2), Paused(who="anna@laptop"), alive=False),
    "unknown": acting_run(*done(0), Intent(step=1), alive=False),
    "failed": acting_run(
        *done(0, 1, 2),
        Intent(step=3),
        StepEnded(step=3, state=StepState.FAILED, text="backup is not healthy after 1 min", seconds=60),
        Ended(outcome=Outcome.INCOMPLETE, text="backup is not healthy after 1 min.", seconds=63),
        alive=False,
    ),
}


@pytest.mark.parametrize("which", list(ACTING_RUNS))
@pytest.mark.parametrize("size", [(900, 640), (720, 480)], ids=["usual", "smallest"])
def test_a_run_that_waits_for_a_person(
    which: str, size: tuple[int, int], look: str, qtbot: QtBot, pictures: Path, board: Switchboard
) -> None:
    """What it waits for stands above the steps, and what can be done stands at each step; Enter does none of it."""
    wizard = wizard_for(board, state(service=ACTING), qtbot)
    wizard.resize(*size)
    wizard.show_run(ACTING_RUNS[which])
    assert wizard.page is WizardPage.SWITCH
    draw(wizard, pictures / f"wizard-4-{which}-{size[0]}-{look}.png")
    assert wizard.close_button.isDefault()


@pytest.mark.parametrize("emergency", [False, True], ids=["planned", "emergency"])
def test_a_plan_with_steps_beyond_dns(
    emergency: bool, look: str, qtbot: QtBot, pictures: Path, board: Switchboard
) -> None:
    """What is done at the same time stands together; what an emergency leaves out is struck, with the risk."""
    wizard = wizard_for(board, state(service=ACTING), qtbot)
    wizard.changes.show_plan(acting_plan(emergency), {}, "" if emergency else "primary is healthy for 12 min only")
    wizard.go_to(WizardPage.CHANGES)
    kind = "emergency" if emergency else "planned"
    draw(wizard, pictures / f"wizard-3-plan-{kind}-{look}.png")
    told = [made.text() for made in wizard.changes.findChildren(QLabel)]
    assert ("Left out: it needs primary, which does not work. Orders taken meanwhile may be lost." in told) is emergency
    assert "At the same time:" in told


def test_a_switch_that_worsens(look: str, qtbot: QtBot, pictures: Path, board: Switchboard) -> None:
    """The way back is offered as soon as visitors are served worse than before."""
    wizard = wizard_for(board, state(active="backup"), qtbot)
    wizard.outcome.show_run(run(Outcome.COMPLETED))
    wizard.outcome.show_panel(panel_of(run(Outcome.COMPLETED), NOW), NOW)
    wizard.outcome.show_soak(soak_of(NOW, worse=False))
    wizard.go_to(WizardPage.RESULT)
    assert not wizard.outcome.back_button.isVisible()
    assert wizard.outcome.mark is Mark.HEALTHY
    wizard.outcome.show_soak(soak_of(NOW, worse=True))
    assert wizard.outcome.back_button.isVisible()
    assert wizard.outcome.mark is Mark.DEGRADED
    draw(wizard, pictures / f"wizard-5-worse-{look}.png")


def test_questions(look: str, qtbot: QtBot, pictures: Path) -> None:
    """What is asked before a run is undone, resumed or accepted, and its report."""
    undo = plan(state(active="backup"), "primary")
    dialogs = {
        "undo": about_undo(None, "shop-3", undo, kept=True),
        "accept": ask.ReasonQuestion(None, "Accept run shop-3?", "No record is changed by this.", "Accept"),
        "freeze": FreezeQuestion(None, "shop"),
        "approve": ask.NoteQuestion(None, "Approve?", "Does it look right?", "Approve", note="Note"),
        "undo-changed": about_undo(None, "shop-3", undo, False, "www.shop.example is A 192.0.2.9"),
        "report": ask.ReportView(
            None, "shop-3", markdown(run(Outcome.COMPLETED, text="Visitors are served by backup")), ignore
        ),
    }
    for name, dialog in dialogs.items():
        qtbot.addWidget(dialog)
        with qtbot.waitExposed(dialog):
            dialog.show()
        draw(dialog, pictures / f"ask-{name}-{look}.png")
        check_words(dialog, f"ask-{name}")


def test_forms(look: str, qtbot: QtBot, pictures: Path, board: Switchboard, on_loop: Callable[..., None]) -> None:
    """Adding a service and an account, and the list of accounts."""

    async def drawn() -> None:
        tasks = Tasks(ignore)
        await board.add_account("dns-main", "rfc2136", {"server": "127.0.0.1:5301"}, {})
        account = AddAccount(None, board, tasks)
        account.provider.setCurrentIndex(account.provider.findData("rfc2136"))
        account.keys["key_name"].input.setText("changeover.")  # type: ignore[union-attr]
        service = AddService(None, board, tasks)
        service.addresses.setText("www.shop.example, shop.example")
        service.looked_up.setText("www.shop.example: CNAME fathomless-elm.herokudns.com\nshop.example: A 198.51.100.7")
        service.primary.setText("fathomless-elm.herokudns.com")
        accounts = AccountsWindow(None, board, tasks)
        await accounts.read()
        dialogs = {"account": account, "service": service, "accounts": accounts}
        for name, dialog in dialogs.items():
            qtbot.addWidget(dialog)
            dialog.show()
            draw(dialog, pictures / f"form-{name}-{look}.png")
            check_words(dialog, f"form-{name}")
        service.fault.show_words("Backup: say where it is: a host name or addresses.")
        account.fault.show_words("The keyring does not answer", "Unlock it, or keep the secret in memory.")
        account.memory_button.show()
        for name, dialog in {"account": account, "service": service}.items():
            draw(dialog, pictures / f"form-{name}-fault-{look}.png")
            check_words(dialog, f"form-{name}-fault")
        for dialog in dialogs.values():
            dialog.close()
        await tasks.close()

    on_loop(drawn())


def test_tray_icons(qapp: QApplication, pictures: Path) -> None:
    """Lever and shape differ in every state, on light and on dark panels, at the sizes of a tray."""
    wide = 8 + 2 * len(Mark) * 55
    sheet = QPixmap(wide, 240)
    sheet.fill(Qt.GlobalColor.white)
    painter = QPainter(sheet)
    seen = set()
    for row, (tones, ground) in enumerate(((LIGHT, "#ffffff"), (DARK, "#20242c"))):
        painter.fillRect(0, row * 120, wide, 120, ground)
        for column, (mark, away) in enumerate([(mark, away) for mark in Mark for away in (False, True)]):
            large = tray_pixmap(44, away, mark, tones)
            painter.drawPixmap(8 + column * 55, row * 120 + 10, large)
            painter.drawPixmap(8 + column * 55, row * 120 + 70, tray_pixmap(22, away, mark, tones))
            grey = large.toImage().convertToFormat(large.toImage().Format.Format_Alpha8)
            seen.add((row, away, bytes(grey.constBits())))
    painter.end()
    assert sheet.save(str(pictures / "tray-icons.png"))
    assert len(seen) == 2 * 2 * len(Mark), "each state has a shape of its own, without its colour"


def test_colours_follow_the_application(qapp: QApplication, qtbot: QtBot, light: None) -> None:
    """What is on the screen repaints itself when the look changes."""
    page = ServicePage(ignore)
    qtbot.addWidget(page)
    page.show_state(state(checks=DOWN), NOW)
    page.resize(900, 700)
    page.show()
    assert LIGHT.down in page.sentence.text()
    before = picture(page).pixelColor(2, 2)
    use(DARK)
    after = picture(page).pixelColor(2, 2)
    assert before.lightness() > 200
    assert after.lightness() < 60
    assert DARK.down in page.sentence.text()


def test_a_failing_time_grows_in_place(qapp: QApplication, qtbot: QtBot) -> None:
    """Once a second the sentence tells the new length, and nothing else moves."""
    page = ServicePage(ignore)
    qtbot.addWidget(page)
    page.show_state(state(checks=DOWN), NOW)
    assert "failing for 2 min 10 s" in page.sentence.text()
    labels = page.findChildren(QLabel)
    page.tick(NOW + timedelta(seconds=5))
    assert "failing for 2 min 15 s" in page.sentence.text()
    assert page.findChildren(QLabel) == labels
