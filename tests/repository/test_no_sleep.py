"""A test waits for what it is about, never for time to pass: a slow machine then takes longer, and proves the same."""

from __future__ import annotations

import ast
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]

#: Where time is spent on purpose, and what for. Folders end with a slash.
ON_PURPOSE = {
    "cli/test_few_files.py": "a server that is slow, and a wait for what another process has asked of it",
    "databases/test_hostile_mysql.py": "a server that drips",
    "dns/providers/test_lexicon.py": "a foreign library that blocks its thread",
    "dns/wire/test_exchange.py": "a server that repeats itself",
    "dns_servers/fault_proxy.py": "a line that is slow",
    "dns_servers/http_simulator.py": "a server that is slow",
    "explorer/": "time is virtual there",
    "health/laptop.py": "time is virtual there",
    "health/test_watch.py": "time is virtual there",
    "health/web.py": "a server that is slow",
    "lab/test_resolver.py": "a TTL falls with real time",
    "monitoring/test_live_states.py": "time is virtual there",
    "monitoring/world.py": "a world in which probing and reading take time",
    "platforms/test_platform_promises.py": "a server that drips",
    "switchover/places.py": "a server that is slow",
}


def sleeps(file: Path) -> list[int]:
    """The lines with a sleep that takes time; sleep(0) only lets others go first."""
    found = []
    text = file.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)) if "sleep(" in text else ():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "sleep":
            module = node.func.value
            nothing = bool(node.args) and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0
            if isinstance(module, ast.Name) and module.id in ("time", "asyncio") and not nothing:
                found.append(node.lineno)
    return found


def test_no_test_sleeps() -> None:
    """But where a sleep is what is tested, and the table above says why; what is gone leaves it."""
    found = {str(file.relative_to(TESTS)): lines for file in TESTS.rglob("*.py") if (lines := sleeps(file))}
    meant = {place: {name for name in found if name.startswith(place)} for place in ON_PURPOSE}
    assert {name: lines for name, lines in found.items() if name not in set().union(*meant.values())} == {}
    assert [place for place, names in meant.items() if not names] == []
