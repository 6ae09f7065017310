"""An error that nobody foresaw has an exit status of its own, one line, and its traceback in the log."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shop import Shop

#: Runs a command in which one method fails as nobody foresaw.
BROKEN = """
import importlib, sys
module, kind, method = sys.argv.pop(1).split(":")
owner = getattr(importlib.import_module(module), kind)

def broken(*_, **__):
    raise TypeError("unhashable type: 'dict' \\x1b[2J")

setattr(owner, method, broken)
from changeover.cli import main
main()
"""

#: Says that Python is up, and starts as the command does.
STARTING = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
print("up", flush=True)
from changeover.cli import main
sys.argv = ["changeover", "runs"]
main()
"""


def broken(home: Path, where: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BROKEN, where, *words],
        env={**os.environ, "CHANGEOVER_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("changeover.storage.journal.recorded_runs:RecordedRuns:all", ("runs",)),
        ("changeover.switchboard:Switchboard:__init__", ("status",)),
        ("changeover.storage.home:Home:from_environment", ("runs",)),
        ("changeover.accounts.configuration:Configuration:rows", ("account", "list")),
    ],
)
def test_before_anything_is_written(tmp_path: Path, where: str, words: tuple[str, ...]) -> None:
    """5, in one line that names the log and says how to report it; as JSON too."""
    for as_json in (False, True):
        ended = broken(tmp_path, where, *words, *(["--json"] if as_json else []))
        assert ended.returncode == 5, ended.stderr
        (line,) = ended.stderr.splitlines()
        assert line.startswith("Error: A fault in Changeover (TypeError)")
        assert "report it" in line
        if as_json:
            assert json.loads(ended.stdout)["error"]["kind"] == "fault"
    if "from_environment" not in where:
        assert str(tmp_path / "changeover.log") in line
        assert "Traceback" in (tmp_path / "changeover.log").read_text()


def test_once_a_run_has_begun(tmp_path: Path) -> None:
    """4, and how to go on: records may be changed."""
    with Shop(tmp_path) as shop:
        where = "changeover.storage.journal.journal:Journal:_append"
        program = BROKEN.replace(
            "setattr(owner, method, broken)",
            "usual = getattr(owner, method)\ncount = []\n"
            "def later(self, run, event):\n"
            "    count.append(event)\n"
            "    return usual(self, run, event) if len(count) < 4 else broken()\n"
            "setattr(owner, method, later)",
        )
        ended = subprocess.run(
            [sys.executable, "-c", program, where, "switch", "shop", "--to", "backup", "--yes"],
            env=shop.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == 4, ended.stderr
        assert "A fault in Changeover (TypeError)" in ended.stderr
        assert "changeover resume shop-1" in ended.stderr and "changeover undo shop-1" in ended.stderr
        assert "Traceback" not in ended.stderr
        assert shop.run("undo", "shop-1", "--yes").returncode == 0


#: What nobody raises on purpose, by how it is written.
ODD = {
    "a cancellation": "__import__('asyncio').CancelledError()",
    "an exit": "SystemExit(0)",
    "a group": "BaseExceptionGroup('x', [KeyError('y')])",
    "no memory": "MemoryError()",
    "too deep": "RecursionError()",
    "a generator's end": "GeneratorExit()",
}


@pytest.mark.parametrize("what", list(ODD))
@pytest.mark.parametrize("where", ["changeover.switchboard:Switchboard:__init__", "click:Command:parse_args"])
def test_whatever_it_is(tmp_path: Path, what: str, where: str) -> None:
    """Also what Python ends quietly with, or with 1; and where the words of a command are taken apart."""
    program = BROKEN.replace("raise TypeError(\"unhashable type: 'dict' \\x1b[2J\")", f"raise {ODD[what]}")
    assert program != BROKEN
    ended = subprocess.run(
        [sys.executable, "-c", program, where, "status"],
        env={**os.environ, "CHANGEOVER_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 5, ended.stderr
    assert ended.stderr.startswith("Error: A fault in Changeover (")
    assert len(ended.stderr.splitlines()) == 1


#: Faults where nobody waits for what becomes of it, each planted before a command that goes well.
ASIDE = {
    "a thread": "t = threading.Thread(target=lambda: 1 / 0); t.start(); t.join()",
    "the end of Python": "import atexit; atexit.register(lambda: 1 / 0)",
    "a destructor": "X = type('X', (), {'__del__': lambda self: 1 / 0}); X()",
    "a library's log": "import logging; logging.getLogger('dns').error('steer \\x1b[2J')",
    "a task": (
        "import asyncio\n"
        "async def fail(): raise ValueError('x')\n"
        "async def leave(): asyncio.create_task(fail()); await asyncio.sleep(0)\n"
        "asyncio.run(leave())"
    ),
}


@pytest.mark.parametrize("where", list(ASIDE))
def test_a_fault_aside_is_no_output(tmp_path: Path, where: str) -> None:
    """It is in the log where there is one; the command says what it was asked for, and its own status."""
    plant = "\n".join(f"    {line}" for line in ASIDE[where].splitlines())
    program = (
        "import sys, threading\n"
        "from changeover.storage.journal.recorded_runs import RecordedRuns as owner\n"
        "usual = owner.all\n"
        f"def planted():\n{plant}\n"
        "def all(self, *a, **k):\n"
        "    t = threading.Thread(target=planted); t.start(); t.join()\n"
        "    return usual(self, *a, **k)\n"
        "owner.all = all\n"
        "from changeover.cli import main\n"
        "sys.argv = ['changeover', 'runs']\nmain()\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "CHANGEOVER_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "There are no runs yet.\n")
    if where in ("a thread", "a destructor"):
        assert "ZeroDivisionError" in (tmp_path / "changeover.log").read_text()


def test_the_log_takes_a_fault_apart_from_what_others_wrote(tmp_path: Path) -> None:
    """A traceback repeats a server's words: they steer nobody who reads the log, and forge no line of it."""
    broken(tmp_path, "changeover.switchboard:Switchboard:__init__", "status")
    text = (tmp_path / "changeover.log").read_text()
    assert "unhashable type" in text
    assert "\x1b" not in text
    lines = text.splitlines()
    assert all(line.startswith(("  ", "20")) for line in lines), lines


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
@pytest.mark.parametrize("delay", [0.0, 0.05, 0.1, 0.2, 0.4])
def test_ctrl_c_at_the_start_is_quiet(tmp_path: Path, delay: float) -> None:
    """Whenever it comes after Python itself is up: no traceback, and no claim that something was done."""
    process = subprocess.Popen(
        [sys.executable, "-c", STARTING],
        env={**os.environ, "CHANGEOVER_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    try:
        process.wait(delay)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert "Traceback" not in error, error
