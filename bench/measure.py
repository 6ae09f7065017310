"""Measures Changeover beside other programs, in turns and in one run, and prints the ratios.

    python bench/measure.py [bind] [emergency] [engine] [probe] [providers] [switch] [window] [--rounds N] [--write]

`--write` puts the table into docs/performance.md. All servers are started here, on loopback.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import bind_batches  # noqa: E402
import emergency  # noqa: E402
import engine  # noqa: E402
import probe_cost  # noqa: E402
import providers  # noqa: E402
import start_window  # noqa: E402
import switch_command  # noqa: E402
from figures import Figure, table  # noqa: E402

MEASUREMENTS = {
    "bind": bind_batches.measure,
    "emergency": emergency.measure,
    "engine": engine.measure,
    "probe": probe_cost.measure,
    "providers": providers.measure,
    "switch": switch_command.measure,
    "window": start_window.measure,
}
PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
VERSIONS = ("changeover", "PySide6-Essentials", "dnspython", "octodns", "octodns-bind", "dns-lexicon", "httpx")


def main() -> int:
    parser = argparse.ArgumentParser(description="Measures Changeover beside other programs.")
    parser.add_argument("which", nargs="*", metavar="|".join(MEASUREMENTS), help="all of them, if none is named")
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="how often each is measured (%(default)s)")
    parser.add_argument("--write", action="store_true", help="write all figures to docs/performance.md")
    asked = parser.parse_args()
    unknown = set(asked.which) - set(MEASUREMENTS)
    if unknown:
        parser.error(f"there is no measurement {', '.join(sorted(unknown))}")
    if asked.write and asked.which:
        parser.error("--write goes with all measurements")
    figures: list[Figure] = []
    for name in asked.which or MEASUREMENTS:
        found = MEASUREMENTS[name](asked.rounds)
        for figure in found:
            print(f"{figure.what}: {figure.ratio:.2f} × {figure.peer}", file=sys.stderr)
        figures += found
    text = f"{conditions(asked.rounds)}\n\n{table(figures)}"
    print(text)
    if asked.write:
        page = PAGE.read_text(encoding="utf-8")
        before, _, rest = page.partition(BEGIN)
        after = rest.partition(END)[2]
        PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
    return 0


def conditions(rounds: int) -> str:
    """When, on what, with which versions: without these no figure means anything."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    system = platform.freedesktop_os_release()["PRETTY_NAME"] if sys.platform == "linux" else platform.platform()
    versions = [f"{name} {importlib.metadata.version(name)}" for name in VERSIONS]
    told = subprocess.run(["nsupdate", "-V"], capture_output=True, text=True, check=True)
    bind = (told.stdout + told.stderr).split()[1]
    machine = f"{os.cpu_count()} cores ({model}), {system}, Python {platform.python_version()}"
    beside = f"{', '.join(versions)}, BIND {bind}"
    how = f"Medians of {rounds} rounds (fastest–slowest), in turns."
    return f"{datetime.now(UTC):%Y-%m-%d}, {machine}, {beside}. {how}"


def _lines(file: str) -> list[str]:
    try:
        return Path(file).read_text().splitlines()
    except OSError:
        return []


if __name__ == "__main__":
    sys.exit(main())
