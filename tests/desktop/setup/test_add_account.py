"""The form for an account, which is made from what each provider declares, and what the window says of a credential."""

from __future__ import annotations

import asyncio
import gc
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from PySide6.QtCore import QObject, QPoint, QPointF, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QLabel, QLineEdit, QWidget

from accounts import toy
from changeover.accounts.kinds import every_kind
from changeover.desktop.runtime.tasks import Tasks
from changeover.desktop.setup.account_form import Field, SecretInput
from changeover.desktop.setup.accounts import AccountsWindow
from changeover.desktop.setup.add_account import AddAccount
from changeover.desktop.widgets.colours import DARK, LIGHT, Colours, use
from changeover.desktop.widgets.form_fields import in_reading_order
from changeover.desktop.widgets.shapes import Mark, MarkWidget
from changeover.dns.providers import PROVIDERS, provider_type
from changeover.model.secret import Secret
from changeover.model.settings.account_fields import every_secret, option_fields
from changeover.storage.home import Home
from changeover.switchboard import Switchboard
from desktop.looking import check_words, cut_off, draw
from desktop.on_screen import click, lab_desktop
from desktop.waiting import until

pytestmark = pytest.mark.usefixtures("light")
OnLoop = Callable[..., None]
CANARY = "canary_8f3b1c6e5d7a4f2b9c0e1d2f3a4b5c6d7"


@pytest.fixture
def with_toy(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(PROVIDERS, toy.NAME, toy.__name__)
    return toy.NAME


@pytest.fixture
def on_form(on_loop: OnLoop, tmp_path: Path) -> Callable[[Callable[[AddAccount, Switchboard], object]], None]:
    """Runs a scenario with the form for accounts, over an empty home."""

    def run(scenario: Callable[[AddAccount, Switchboard], object]) -> None:
        async def opened() -> None:
            board = Switchboard(Home.at(tmp_path))
            errors: list[BaseException] = []
            tasks = Tasks(errors.append)
            form = AddAccount(None, board, tasks)
            form.show()
            try:
                await scenario(form, board)  # type: ignore[misc]
            finally:
                form.close()
                form.deleteLater()
                await tasks.close()
                await board.aclose()
            assert not errors

        on_loop(opened())

    return run


def choose(form: AddAccount, name: str) -> None:
    form.provider.setCurrentIndex(form.provider.findData(name))
    QApplication.processEvents()


def line(widget: QWidget) -> QLineEdit:
    assert isinstance(widget, QLineEdit)
    return widget


def everything_told(window: QWidget) -> str:
    """All that is written in a window, for the eye and for a screen reader."""
    texts = [made.text() for made in window.findChildren(QLabel)]
    for made in window.findChildren(QWidget):
        texts += [made.accessibleName(), made.accessibleDescription(), made.toolTip()]
    return "\n".join(texts)


def test_providers_are_found_by_typing(on_form: Callable[..., None]) -> None:
    """In the order of the alphabet; typing finds a part of the name, and what is none changes nothing."""

    async def scenario(form: AddAccount, board: Switchboard) -> None:
        combo = form.provider
        labels = [combo.itemText(at) for at in range(combo.count())]
        named = [label for label in labels[: len(PROVIDERS)] if not label.startswith("Another ")]
        assert named == sorted(named, key=str.lower)
        assert labels[: len(named)] == named, "what stands for all others comes last"
        assert [combo.itemData(at) for at in range(combo.count())] == [name for name, _ in every_kind()]
        edit = combo.lineEdit()
        assert edit is not None
        for typed, name in (("bind", "rfc2136"), ("sec", "desec"), ("FLARE", "cloudflare"), ("rfc 2136", "rfc2136")):
            edit.setFocus()
            edit.selectAll()
            QTest.keyClicks(edit, typed)
            completer = combo.completer()
            assert completer is not None
            assert completer.completionCount() >= 1
            QTest.keyClick(edit, Qt.Key.Key_Return)
            assert combo.currentData() == name
            assert edit.text() == provider_type(name).label
            assert set(form.keys) <= {field.name for field in option_fields(provider_type(name).options)}
            needed = {field.name for field in option_fields(provider_type(name).options) if field.required}
            assert needed <= set(form.keys)
        edit.selectAll()
        QTest.keyClicks(edit, "nobody at all")
        QTest.keyClick(edit, Qt.Key.Key_Return)
        assert (combo.currentData(), edit.text()) == ("rfc2136", provider_type("rfc2136").label)
        assert form.isVisible(), "Enter in a field adds nothing and closes nothing"

    on_form(scenario)


def test_providers_may_be_changed_again_and_again(on_form: Callable[..., None]) -> None:
    """Fields go while one of their signals may still be under way, and whether garbage is collected or not."""

    async def scenario(form: AddAccount, board: Switchboard) -> None:
        edit = form.provider.lineEdit()
        assert edit is not None
        for turn, name in enumerate(["bind", "google", "azure", "flare"] * 8):
            edit.setFocus()
            edit.selectAll()
            QTest.keyClicks(edit, name)
            if turn % 2:
                await asyncio.sleep(0)
            QTest.keyClick(edit, Qt.Key.Key_Return)
            if turn % 3 == 0:
                gc.collect()
        await until(lambda: all(field.isVisible() for field in form.keys.values()), "the fields")

    on_form(scenario)


def test_a_wheel_over_a_choice_chooses_nothing(on_form: Callable[..., None]) -> None:
    """Who scrolls through a long form must not end at another provider."""

    async def scenario(form: AddAccount, board: Switchboard) -> None:
        choose(form, "rfc2136")
        for choice in (form.provider, form.keys["sign_queries"].input):
            assert isinstance(choice, QComboBox)
            before = choice.currentIndex()
            middle = QPointF(choice.rect().center())
            turn = (QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier)
            wheel = QWheelEvent(middle, choice.mapToGlobal(middle), *turn, Qt.ScrollPhase.NoScrollPhase, False)
            QApplication.sendEvent(choice, wheel)
            assert choice.currentIndex() == before

    on_form(scenario)


@pytest.mark.parametrize("name", PROVIDERS)
def test_each_provider_has_its_fields(on_form: Callable[..., None], name: str) -> None:
    """Each key with its name, meaning and example; each secret hidden, with its page; nothing cut off; Tab in order."""

    async def scenario(form: AddAccount, board: Switchboard) -> None:
        choose(form, name)
        kind = provider_type(name)
        if name == "rfc2136":
            line(form.keys["key_name"].input).setText("changeover.")
        QApplication.processEvents()
        for key in option_fields(kind.options):
            made = form.keys[key.name].input
            assert made.accessibleName() == key.option.label
            assert key.option.help.rstrip(".")[1:] in made.accessibleDescription()
            if isinstance(made, QLineEdit) and not key.default:
                assert key.option.example in made.placeholderText()
            if isinstance(made, QLineEdit) and key.default:
                assert str(key.default) in made.placeholderText()
            assert isinstance(made, QComboBox) == bool(key.choices)
            assert isinstance(made, QCheckBox) == (bool in key.kinds)
        assert list(form.secrets) == [secret.name for secret in every_secret(kind)]
        for secret in every_secret(kind):
            field = form.secrets[secret.name]
            edit = line(field.input)
            assert edit.echoMode() is QLineEdit.EchoMode.Password
            assert edit.accessibleName() == secret.label
            assert secret.permission in edit.accessibleDescription()
            assert field.link.toolTip() == secret.link
        assert cut_off(form) == []
        order = [form.provider, form.name, *(made.input for made in (*form.keys.values(), *form.secrets.values()))]
        by_place = sorted(order, key=lambda made: made.mapTo(form, made.rect().topLeft()).y())
        reading = [made for made in in_reading_order(form) if made in order]
        assert reading == by_place
        told = [
            made for made in form.name_field.parentWidget().children() if isinstance(made, Field) and made.isVisible()
        ]
        assert told == sorted(told, key=lambda made: made.y()), "a screen reader tells them in this order"
        for first, second in itertools.pairwise(made for made in in_reading_order(form) if made.isVisible()):
            assert next_in_chain(first) is second

    on_form(scenario)


def next_in_chain(widget: QWidget) -> QWidget:
    """Where Tab leads from a widget."""
    found = widget.nextInFocusChain()
    while not (found.focusPolicy() & Qt.FocusPolicy.TabFocus and found.isVisible() and found.focusProxy() is None):
        found = found.nextInFocusChain()
    return found


class Browser(QObject):
    """Takes the place of the browser."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []

    @Slot(QUrl)
    def open(self, url: QUrl) -> None:
        self.opened.append(url.toString())


@pytest.fixture
def browser() -> Iterator[Browser]:
    made = Browser()
    QDesktopServices.setUrlHandler("https", made, "open")
    yield made
    QDesktopServices.unsetUrlHandler("https")


def test_the_page_where_one_makes_the_secret_is_a_click_away(on_form: Callable[..., None], browser: Browser) -> None:
    """By mouse and by keyboard."""

    async def scenario(form: AddAccount, board: Switchboard) -> None:
        choose(form, "cloudflare")
        link = form.secrets["token"].link
        click(link)
        link.setFocus()
        QTest.keyClick(link, Qt.Key.Key_Space)
        assert browser.opened == ["https://dash.cloudflare.com/profile/api-tokens"] * 2

    on_form(scenario)


async def chosen(field: SecretInput, file: Path) -> None:
    """Presses the field's button, and chooses `file` in the dialog."""
    click(field.file_button)
    dialog = field.dialog
    await until(dialog.isVisible, "the dialog")
    name = dialog.findChild(QLineEdit, "fileNameEdit")
    assert isinstance(name, QLineEdit)
    name.setText(str(file))
    dialog.accept()
    await until(lambda: field.text, "the content")


def test_a_key_file_keeps_its_lines(
    on_form: Callable[..., None], with_toy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pasted or read from its file, it is kept as it is, and it is said how much has come."""

    async def scenario(form: AddAccount, board: Switchboard) -> None:
        choose(form, with_toy)
        line(form.keys["region"].input).setText("eu-1")
        box = form.keys["signed"].input
        assert isinstance(box, QCheckBox)
        box.setChecked(True)
        key = form.secrets["key"]
        await until(key.isVisible, "the field for the key")
        QApplication.clipboard().setText(toy.KEY_FILE)
        key.input.setFocus()
        QTest.keyClick(key.input, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
        assert key.text == toy.KEY_FILE
        assert key.extent.text() == f"4 lines, {len(toy.KEY_FILE)} characters"
        shown = line(key.input).displayText()
        assert set(shown) == {shown[0]}, "nothing of it is seen"
        assert CANARY[:6] not in everything_told(form)
        key.clear()
        assert not key.extent.isVisible()

        file = tmp_path / "key.json"
        file.write_text(toy.KEY_FILE)
        await chosen(key, file)
        assert key.text == toy.KEY_FILE
        for wrong in (b"\xff\xfe canary", b"", b"x" * 70_000):
            file.write_bytes(wrong)
            key.read_file(file)
            assert "is no text, or is too long" in key.fault.text()
            assert key.text == toy.KEY_FILE
        file.unlink()
        key.read_file(file)
        assert "cannot be read" in key.fault.text()

        QTest.keyClicks(form.secrets["pin"].input, "1234")
        QTest.keyClicks(form.name, "toy-main")
        kept: dict[str, Secret] = {}

        async def keep(*arguments: object, **_: object) -> None:
            kept.update(arguments[3])  # type: ignore[call-overload]

        monkeypatch.setattr(board, "add_account", keep)
        click(form.add_button)
        await until(lambda: kept, "what the form hands over")
        assert kept == {"key": Secret(toy.KEY_FILE), "pin": Secret("1234")}

    on_form(scenario)


def test_typed_secrets_stay_while_keys_are_typed(on_form: Callable[..., None], with_toy: str) -> None:
    """As long as they are needed."""

    async def scenario(form: AddAccount, board: Switchboard) -> None:
        choose(form, with_toy)
        signed, rights = form.keys["signed"].input, form.keys["rights"].input
        assert isinstance(signed, QCheckBox)
        assert isinstance(rights, QComboBox)
        signed.setChecked(True)
        QTest.keyClicks(form.secrets["pin"].input, "1234")
        QTest.keyClicks(form.keys["region"].input, "eu-1")
        rights.setCurrentIndex(1)
        QTest.keyClicks(form.keys["days"].input, "x6y")
        assert form.secrets["pin"].text == "1234"
        assert form.keys["days"].value == 6, "a number takes digits only"
        assert (form.keys["rights"].value, form.keys["signed"].value) == ("read", True)
        QTest.keyClicks(form.keys["names"].input, "one, two")
        assert form.keys["names"].value == ["one", "two"]
        signed.setChecked(False)
        assert not form.secrets
        assert not any(made.isVisible() for made in form.findChildren(SecretInput))

    on_form(scenario)


def test_faults_stand_at_their_fields(on_form: Callable[..., None], tmp_path: Path) -> None:
    """All at once, the first one in view and ready to be repaired; the secret is nowhere, and nothing is written."""

    async def scenario(form: AddAccount, board: Switchboard) -> None:
        choose(form, "powerdns")
        QTest.keyClicks(form.keys["server"].input, "a/b")
        click(form.add_button)
        await until(form.fault.isVisible, "the faults")
        assert "4 fields need another look" in form.fault.text.text()
        assert "It needs a name" in form.name_field.fault.text()
        assert form.keys["endpoint"].fault.text() == "It is missing."
        assert 'Must be like "localhost"' in form.keys["server"].fault.text()
        assert form.secrets["key"].fault.text() == "It is missing."
        assert "It is missing" in form.secrets["key"].input.accessibleDescription()
        assert form.name.hasFocus()

        choose(form, "desec")
        QTest.keyClicks(form.name, "dns-main")
        QTest.keyClicks(form.secrets["token"].input, CANARY)
        click(form.add_button)
        await until(lambda: form.secrets["token"].fault.isVisible(), "the fault")
        assert "does not look like one, which is like i-T3" in form.secrets["token"].fault.text()
        assert line(form.secrets["token"].input).hasFocus()
        assert form.name_field.fault.text() == ""
        assert CANARY not in everything_told(form)
        assert not (tmp_path / "changeover.toml").exists()
        assert cut_off(form) == []

    on_form(scenario)


def test_an_account_by_keyboard_alone(on_loop: OnLoop, tmp_path: Path) -> None:
    """From choosing the provider to the end, with nothing but keys."""

    async def scenario() -> None:
        async with lab_desktop(tmp_path) as session:
            board = session.controller.switchboard
            (ours, *_) = board.settings.accounts
            form = AddAccount(session.window, board, session.tasks)
            form.show()
            form.activateWindow()
            await until(form.isActiveWindow, "the form to be in front")

            def focused() -> QWidget:
                found = QApplication.focusWidget()
                assert found is not None
                return found

            def tab_to(wanted: QWidget) -> None:
                for _ in range(30):
                    if focused() is wanted:
                        return
                    QTest.keyClick(focused(), Qt.Key.Key_Tab)
                raise AssertionError(f"Tab does not reach {wanted.accessibleName()}")

            tab_to(form.provider)
            QTest.keyClicks(focused(), "rfc")
            QTest.keyClick(focused(), Qt.Key.Key_Return)
            if popup := QApplication.activePopupWidget():
                popup.close()
            await until(lambda: "server" in form.keys and form.keys["server"].isVisible(), "the fields")
            tab_to(form.name)
            QTest.keyClicks(focused(), "second")
            tab_to(form.keys["server"].input)
            QTest.keyClicks(focused(), str(ours.options["server"]))
            tab_to(form.add_button)
            QTest.keyClick(focused(), Qt.Key.Key_Space)
            await until(lambda: form.add_button.text() == "Done", "the account")
            await until(form.add_button.isEnabled, "what it can do")
            assert board.settings.account("second") is not None
            form.reject()

    on_loop(scenario())


@pytest.mark.parametrize(
    ("keys", "told", "mark"),
    [
        ({}, "toy-main may change records. ", Mark.HEALTHY),
        ({"rights": "read"}, "may read only: it may not change records", Mark.DEGRADED),
        ({"days": 6}, ", in 6 days.", Mark.DEGRADED),
        ({"days": 60}, ", in 60 days.", Mark.HEALTHY),
        (
            {"sees": 31, "changes": 31},
            "It can change all 31 zones; a credential for this zone alone is safer.",
            Mark.DEGRADED,
        ),
    ],
)
def test_the_window_says_what_a_credential_can_do(
    on_loop: OnLoop, tmp_path: Path, pictures: Path, with_toy: str, keys: dict[str, object], told: str, mark: Mark
) -> None:
    """The same in the list of accounts as after adding one."""

    async def scenario() -> None:
        async with lab_desktop(tmp_path) as session:
            board = session.controller.switchboard
            await board.add_account("toy-main", with_toy, {"region": "eu-1", **keys}, {})
            (shop,) = board.settings.services
            (entry,) = shop.dns
            service = replace(shop, name="other", dns=(replace(entry, account="toy-main", zone="shop.example"),))
            await board.add_service(replace(service, hostnames=("other.shop.example",)))
            window = AccountsWindow(session.window, board, session.tasks)
            window.show()

            def buttons() -> list[QWidget]:
                found = window.findChildren(QWidget)
                return [b for b in found if b.accessibleName() == "Verify toy-main" and b.isVisible()]

            await until(buttons, "the account")
            click(buttons()[0])
            await until(lambda: any(told in made.text() for made in window.findChildren(QLabel)), told)
            assert mark in [made.mark for made in window.findChildren(MarkWidget) if made.isVisible()]
            draw(window, pictures / f"accounts-{'-'.join(keys) or 'plain'}.png")
            window.close()

    on_loop(scenario())


@pytest.mark.parametrize("tones", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["rfc2136", "route53", "google"])
def test_pictures_of_the_form(
    on_form: Callable[..., None], pictures: Path, name: str, tones: Colours, request: pytest.FixtureRequest
) -> None:
    """Nothing is cut off, with faults and without, and every key and secret is explained, word for word."""
    if name not in PROVIDERS:
        pytest.skip(f"{name} is not registered")

    async def scenario(form: AddAccount, board: Switchboard) -> None:
        use(tones)
        choose(form, name)
        if name == "rfc2136":
            line(form.keys["key_name"].input).setText("changeover.")
        await until(lambda: form.height() > 400, "the fields")
        look = "light" if tones is LIGHT else "dark"
        draw(form, pictures / f"account-{name}-{look}.png")
        check_words(form, f"account-{name}")
        click(form.add_button)
        await until(form.fault.isVisible, "the faults")
        QApplication.processEvents()
        draw(form, pictures / f"account-{name}-faults-{look}.png")
        check_words(form, f"account-{name}-faults")

    on_form(scenario)
