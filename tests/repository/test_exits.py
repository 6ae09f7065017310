"""Text leaves by a few functions, which clean it: nobody writes to a terminal, or gives Qt a text, past them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "app" / "changeover"

#: What writes to standard output or error, and where that is done, with the reason.
WRITES = {"print", "echo", "secho", "echo_via_pager"}
STREAMS = {"stdout", "stderr"}
WRITERS = {
    "commands/terminal.py": "the exit itself",
    "desktop/application.py": "Qt is about to abort the process; cleaned there",
}
#: What Qt shows of its first argument as rich text, or with an "&" hidden, if it looks like that; and what cleans it.
SHOWS = {
    *("QLabel", "QPushButton", "QToolButton", "QRadioButton", "QCheckBox", "QGroupBox", "QAction", "QMessageBox"),
    *("setToolTip", "setWhatsThis", "setStatusTip", "addAction", "addMenu", "showMessage", "showText"),
    *("TextTable", "setHtml", "setMarkdown", "insertHtml", "appendHtml", "setTitle"),
}
CLEANS = {"caption", "plain_tip", "_unmarked", "changes_html", "table_html"}
#: Places where the argument is our own, or is made fit elsewhere.
OWN = {
    "desktop/checks/conditions_form.py": "kinds of conditions: our words",
    "desktop/checks/maintenance_form.py": "names of days",
    "desktop/service/activity_card.py": "a table of our words",
    "desktop/service/pin_dialog.py": "a table of our words",
    "desktop/service/service_page.py": "a table of our words",
    "desktop/setup/account_form.py": "what a provider declares in its source",
    "desktop/tray.py": "counts; the names below them are cleaned",
    "desktop/widgets/text_table.py": "what made it has cleaned it, as the calls of it show",
    "desktop/widgets/questions.py": "a report, which is cleaned where it is made, in a view that fetches nothing",
}
RICH = {"desktop/service/service_page.py": "the sentence: its parts are escaped beside it"}


def calls(file: Path) -> Iterator[ast.Call]:
    yield from (n for n in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(n, ast.Call))


def called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def files(room: str = "") -> list[tuple[str, Path]]:
    return [(f.relative_to(PACKAGE).as_posix(), f) for f in sorted((PACKAGE / room).rglob("*.py"))]


def test_only_one_file_writes_to_terminals() -> None:
    """Everything else goes through it."""
    found = set()
    for name, file in files():
        for call in calls(file):
            on = call.func.value if isinstance(call.func, ast.Attribute) else None
            if on is None or (isinstance(on, ast.Name) and on.id == "click"):
                writes = called(call) in WRITES
            else:
                writes = isinstance(on, ast.Attribute) and on.attr in STREAMS and called(call).startswith("write")
            if writes:
                found.add(name)
    assert found | {"commands/terminal.py"} == set(WRITERS)


def test_windows_show_others_texts_through_what_cleans_them() -> None:
    """A text that is not our own goes to Qt by a function that knows how that place reads it."""
    found: dict[str, list[str]] = {}
    for name, file in files("desktop"):
        for call in calls(file):
            if called(call) not in SHOWS or not call.args:
                continue
            text = call.args[1 if called(call) in ("showText", "TextTable") and len(call.args) > 1 else 0]
            clean = isinstance(text, ast.Constant) or (isinstance(text, ast.Call) and called(text) in CLEANS)
            # What is shown only sometimes, such as `plain_tip(x) if … else ""`.
            if isinstance(text, ast.IfExp):
                parts = (text.body, text.orelse)
                clean = all(
                    isinstance(p, ast.Constant) or (isinstance(p, ast.Call) and called(p) in CLEANS) for p in parts
                )
            if not clean:
                found.setdefault(name, []).append(f"{call.lineno}: {ast.unparse(call)}")
    found.pop("desktop/widgets/parts.py", None)
    assert set(found) == set(OWN), found


def test_rich_text_is_rare() -> None:
    """Labels show plain text; the only one that does not escapes its parts."""
    found = {name for name, file in files("desktop") if "RichText" in file.read_text(encoding="utf-8")}
    assert found == set(RICH)
