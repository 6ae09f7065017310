"""Puts together what installers are built from.

`python packaging/build.py stage` makes build/stage anew: the package with its resources, the texts that an installer
carries, and one pyproject.toml with the tables of briefcase.toml at its end. What it depends on is what
packaging/lock.py pinned on this system, file by file: pip takes nothing else. The same source gives the same folder.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tomllib
from pathlib import Path

from lock import lock_file

ROOT = Path(__file__).resolve().parent.parent
STAGE = ROOT / "build" / "stage"
#: The list of what the project asks for, and where Briefcase's own list belongs.
_DEPENDENCIES = re.compile(r"^dependencies = \[\n.*?^\]\n", re.MULTILINE | re.DOTALL)
_APP = "[tool.briefcase.app.changeover]\n"
TEXTS = ("README.md", "LICENSE", "CHANGELOG.md")


class CannotBuild(Exception):
    """Something is missing or wrong in the source; the text says what."""


def stage(root: Path = ROOT, to: Path = STAGE) -> Path:
    """Makes the folder `to` anew from the source in `root`, and gives it. Raises CannotBuild."""
    lock = _text(root / "packaging" / lock_file().name, "This system has no lock yet: make it with packaging/lock.py")
    pyproject = pinned(joined(_text(root / "pyproject.toml"), _text(root / "briefcase.toml")), lock)
    texts = {name: _text(root / name) for name in TEXTS}
    for folder in (root / "app" / "changeover", root / "resources"):
        if not folder.is_dir():
            raise CannotBuild(f"{folder} is missing. Is this a whole checkout?")
    if to.exists():
        shutil.rmtree(to)
    package = to / "app" / "changeover"
    # A checkout has a link to the resources inside the package, for running from source; an installer has the files.
    shutil.copytree(root / "app" / "changeover", package, ignore=shutil.ignore_patterns("__pycache__", "resources"))
    shutil.copytree(root / "resources", package / "resources")
    for name, text in {**texts, "pyproject.toml": pyproject}.items():
        (to / name).write_text(text, encoding="utf-8")
    return to


def pinned(pyproject: str, lock: str) -> str:
    """The joined file with the lines of a lock as its requirements. Raises CannotBuild where it has no place for them.

    Briefcase hands these to pip line by line, and one with a hash makes pip refuse every file that has none.
    """
    lines = "".join(f'    "{line}",\n' for line in lock.splitlines() if not line.startswith("#"))
    made, found = _DEPENDENCIES.subn("dependencies = []\n", pyproject)
    if found != 1 or made.count(_APP) != 1:
        raise CannotBuild("pyproject.toml has no list of dependencies, one a line, or briefcase.toml has no app")
    return made.replace(_APP, f"{_APP}requires = [\n{lines}]\n")


def joined(pyproject: str, briefcase: str) -> str:
    """Both files as one. Raises CannotBuild where briefcase.toml says what is not its to say."""
    tables = _tables("briefcase.toml", briefcase)
    if list(tables) != ["tool"] or list(tables["tool"]) != ["briefcase"]:
        raise CannotBuild("briefcase.toml has tables of its own only: [tool.briefcase] and those below it")
    if "briefcase" in _tables("pyproject.toml", pyproject).get("tool", {}):
        raise CannotBuild("pyproject.toml has [tool.briefcase] tables. Their place is briefcase.toml")
    return f"{pyproject.rstrip()}\n\n{briefcase}"


def _tables(name: str, text: str) -> dict[str, dict[str, object]]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CannotBuild(f"{name} is not valid TOML: {error}") from None


def _text(file: Path, hint: str = "Is this a whole checkout?") -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CannotBuild(f"{file} is missing. {hint}") from None


def main() -> int:
    parser = argparse.ArgumentParser(description="Puts together what installers are built from.")
    parser.add_subparsers(required=True, metavar="stage").add_parser("stage", help="make build/stage anew")
    parser.parse_args()
    try:
        print(stage())
    except CannotBuild as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
