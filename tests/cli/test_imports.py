"""A command starts quickly: it imports what it uses. No time is taken; what was loaded is looked at."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shop import Shop

#: Libraries that take long to load: those of windows, of DNS, of HTTP, of secrets, of tables, of settings that change.
HEAVY = {
    *("PySide6", "qasync", "dns", "h11", "httpx", "stamina", "cryptography", "keyring", "rich", "tomlkit", "lexicon"),
    *("filelock", "html", "asyncio", "msgspec", "sqlite3", "asyncpg"),
}
#: What every command has that looks at the home.
HOME = {"asyncio", "msgspec", "sqlite3"}
CASES: list[tuple[list[str], set[str]]] = [
    (["--version"], set()),
    (["--help"], set()),
    (["switch", "--help"], {"asyncio", "msgspec"}),
    (["runs", "--json"], HOME),
    (["report", "shop-1"], HOME),
    (["report", "shop-1", "--format", "html"], HOME | {"html"}),
    (["service", "list", "--json"], HOME),
    (["history", "shop", "--json"], HOME),
    (["unfreeze", "shop", "--json"], HOME),
    (["runs"], HOME | {"rich"}),
    (["status", "shop", "--json"], HOME | {"dns", "h11"}),
    (["check", "shop", "--to", "primary", "--json"], HOME | {"dns", "h11"}),
    (["switch", "shop", "--to", "primary", "--yes"], HOME | {"dns", "h11", "filelock"}),
]
PROGRAM = """
import sys
from changeover.cli import main
sys.argv[0] = "changeover"
try:
    main()
finally:
    import json, pathlib
    pathlib.Path({file!r}).write_text(json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}})))
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with Shop(tmp_path_factory.mktemp("imports")) as opened:
        opened.json("switch", "shop", "--to", "backup", "--yes")
        yield opened


def loaded(shop: Shop, *arguments: str) -> set[str]:
    """Which of the heavy libraries a command has loaded at its end, in a process of its own."""
    file = shop.folder / "modules.json"
    # Without the tests' guard, which loads dnspython itself: the settings lead nowhere but to this computer.
    environment = {key: value for key, value in shop.environment.items() if key != "PYTHONPATH"}
    program = [sys.executable, "-c", PROGRAM.format(file=str(file)), *arguments]
    ended = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=90, check=False)
    assert ended.returncode in (0, 3), ended.stderr  # a check may refuse, wherever visitors are by now
    return HEAVY & set(json.loads(Path(file).read_text()))


@pytest.mark.parametrize(("arguments", "wanted"), CASES, ids=[" ".join(arguments) for arguments, _ in CASES])
def test_a_command_imports_what_it_uses(shop: Shop, arguments: list[str], wanted: set[str]) -> None:
    """Neither another command's libraries, nor those of a provider that is only named in the settings."""
    assert loaded(shop, *arguments) <= wanted
