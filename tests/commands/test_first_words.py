"""Who has just installed it and has set nothing up yet: every command says what to do next."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest


def said(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "changeover", *words],
        env={**os.environ, "CHANGEOVER_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("status",), 0),
        (("lifecycle",), 0),
        (("service", "list"), 0),
        (("status", "shop"), 2),
        (("check", "shop", "--to", "backup"), 2),
    ],
    ids=["status", "lifecycle", "service list", "status shop", "check shop"],
)
def test_without_services_it_says_how_to_add_one(tmp_path: Path, words: tuple[str, ...], status: int) -> None:
    """Rather than nothing at all, or an empty list of what is known."""
    ended = said(tmp_path, *words)
    assert ended.returncode == status
    assert "changeover service add" in ended.stderr


def test_a_service_that_names_no_account_is_not_the_files_fault(tmp_path: Path) -> None:
    """The file is as it was, here none, so nobody is sent to mend it."""
    places = ("--deployment", "a=a:127.0.0.2", "--deployment", "b=a:127.0.0.3")
    ended = said(
        tmp_path, "service", "add", "shop", "--hostname", "www.shop.example", "--dns", "dns:shop.example", *places
    )
    assert ended.returncode == 2
    assert 'there is no account "dns"' in ended.stderr
    assert "nothing was written" in ended.stderr
    assert "Mend the file" not in ended.stderr
    assert not (tmp_path / "changeover.toml").exists()


def test_a_marker_of_no_deployment_is_told_which_there_are(tmp_path: Path) -> None:
    """As where any other name is mistyped."""
    places = ("--deployment", "a=a:127.0.0.2", "--deployment", "b=a:127.0.0.3")
    names = ("--hostname", "www.shop.example", "--dns", "dns:shop.example", "--marker", "aa:X-Deployment=a")
    ended = said(tmp_path, "service", "add", "shop", *names, *places)
    assert (ended.returncode, "Deployments: a, b" in ended.stderr) == (2, True)


def test_the_headless_practice_ground_says_where_it_is_in_one_line(tmp_path: Path) -> None:
    """On a terminal too, since it runs on after that line."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "changeover", "lab", "--headless", "--home", str(tmp_path / "lab")]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs) as process:
        os.close(theirs)
        with os.fdopen(ours) as terminal:
            line = terminal.readline()
            process.send_signal(signal.SIGINT)
            process.wait(60)
    assert json.loads(line)["service"] == "shop"
