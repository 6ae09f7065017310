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
