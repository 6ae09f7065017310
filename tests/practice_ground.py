"""The practice ground in a process of its own, and commands in its home."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from command import run_command


class Lab:
    """`changeover lab --headless`, and commands in its home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Lab:
        words = [sys.executable, "-m", "changeover", "lab", "--headless", "--home", str(self.home)]
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert json.loads(self._process.stdout.readline())["service"] == "shop"
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.communicate(timeout=30)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return run_command(words, {**os.environ, "CHANGEOVER_HOME": str(self.home)})

    def json(self, *words: str, status: int = 0) -> dict[str, Any]:
        ended = self.run(*words, "--json")
        assert ended.returncode == status, f"{words} ended {ended.returncode}\n{ended.stdout}\n{ended.stderr}"
        found: dict[str, Any] = json.loads(ended.stdout)
        return found

    def instances(self) -> dict[str, int]:
        """How many run of each deployment, as its platform says."""
        found = self.json("platform", "shop")["deployments"]
        return {deployment["name"]: deployment["observed"]["running"] for deployment in found}
