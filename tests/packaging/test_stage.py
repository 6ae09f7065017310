"""What `make stage` puts together for an installer."""

from __future__ import annotations

import hashlib
import os
import runpy
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "packaging"))
BUILD = runpy.run_path(str(ROOT / "packaging" / "build.py"))
#: What Briefcase takes over from pyproject.toml's [project].
FROM_PROJECT = {
    "author", "author_email", "description", "license", "license-files", "license_files", "requires",
    "requires_python", "url", "version",
}  # fmt: skip


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = BUILD["stage"](ROOT, tmp_path_factory.mktemp("build") / "stage")
    return made


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A source folder of one's own, to take something away from."""
    for name in ("pyproject.toml", "briefcase.toml", "README.md", "LICENSE", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "app" / "changeover").mkdir(parents=True)
    (tmp_path / "resources").mkdir()
    shutil.copytree(ROOT / "packaging", tmp_path / "packaging")
    return tmp_path


def test_the_joined_file_has_the_tables_of_both(stage: Path) -> None:
    """Briefcase finds the project's version and its own tables in one file."""
    tables = tomllib.loads((stage / "pyproject.toml").read_text())
    assert tables["project"]["version"]
    assert tables["project"]["scripts"]
    assert tables["tool"]["briefcase"]["app"]["changeover"]["sources"] == ["app/changeover"]


def test_an_installer_takes_the_pinned_files_and_nothing_else(stage: Path) -> None:
    """Every line of the lock, with its hash, and no other: one with a hash makes pip refuse every file without."""
    tables = tomllib.loads((stage / "pyproject.toml").read_text())
    _, *lines = BUILD["lock_file"]().read_text().splitlines()
    assert tables["tool"]["briefcase"]["app"]["changeover"]["requires"] == lines
    assert tables["project"]["dependencies"] == []


def test_a_system_without_a_lock_is_told_how_to_make_one(copy: Path) -> None:
    """Nothing is built of whatever an index has today."""
    (copy / "packaging" / BUILD["lock_file"]().name).unlink()
    with pytest.raises(BUILD["CannotBuild"], match=r"packaging/lock\.py"):
        BUILD["stage"](copy, copy / "stage")


def test_nothing_is_stated_in_both_files() -> None:
    """A version, a dependency or a licence is changed in one place only."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    briefcase = tomllib.loads((ROOT / "briefcase.toml").read_text())
    assert not set(_keys(project)) & set(_keys(briefcase))
    assert not {key.rpartition(".")[2] for key in _keys(briefcase)} & FROM_PROJECT


def _keys(table: dict[str, Any], above: str = "") -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _keys(value, f"{above}{key}.")
        else:
            yield above + key


def test_every_path_in_briefcase_toml_is_in_the_stage(stage: Path) -> None:
    """The sources are there, and so is an icon of the name that is given."""
    app = tomllib.loads((ROOT / "briefcase.toml").read_text())["tool"]["briefcase"]["app"]["changeover"]
    for source in app["sources"]:
        assert (stage / source / "__main__.py").is_file()
    icon = stage / app["icon"]
    assert list(icon.parent.glob(f"{icon.name}*"))


def test_the_staged_package_runs_and_finds_its_resources(stage: Path, tmp_path: Path) -> None:
    """What an installer carries needs nothing from the checkout."""
    program = """
import changeover, importlib.resources, sys
folder = importlib.resources.files("changeover") / "resources"
print(changeover.__file__)
print(*sorted(item.name for item in folder.iterdir()))
from changeover.cli import main
sys.argv = ["changeover", "--version"]
main()
"""
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(stage / "app")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    file, resources, version = ended.stdout.splitlines()
    assert Path(file).is_relative_to(stage)
    assert {"icons", "style.qss"} <= set(resources.split())
    assert version.startswith("changeover, version ")


def test_there_are_no_links_out_of_the_stage(stage: Path) -> None:
    """The stage can be moved to another computer."""
    assert not [file for file in stage.rglob("*") if file.is_symlink()]


def test_making_it_again_gives_the_same_and_leaves_nothing_behind(stage: Path, tmp_path: Path) -> None:
    """The stage is a function of the source."""
    again = tmp_path / "stage"
    again.mkdir()
    (again / "left over").touch()
    BUILD["stage"](ROOT, again)
    assert _content(again) == _content(stage)


def _content(folder: Path) -> dict[str, str]:
    # What the tests themselves compiled there does not count.
    files = (file for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.mark.parametrize("name", ["briefcase.toml", "pyproject.toml", "CHANGELOG.md", "LICENSE", "README.md"])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    """Nothing is staged from half a checkout."""
    (copy / name).unlink()
    with pytest.raises(BUILD["CannotBuild"], match=name):
        BUILD["stage"](copy, copy / "stage")
    assert not (copy / "stage").exists()


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        ("pyproject.toml", "[tool.briefcase]\nbundle = 'org.other'\n", "Their place is briefcase.toml"),
        ("briefcase.toml", "[project]\nversion = '2'\n", "tables of its own only"),
        ("briefcase.toml", "[tool.ruff]\nline-length = 80\n", "tables of its own only"),
        ("briefcase.toml", "bundle = \n", "briefcase.toml is not valid TOML"),
    ],
)
def test_what_stands_in_the_wrong_file_is_refused(copy: Path, file: str, text: str, complaint: str) -> None:
    """Each file keeps to its own tables."""
    with (copy / file).open("a") as out:
        out.write(f"\n{text}")
    with pytest.raises(BUILD["CannotBuild"], match=complaint):
        BUILD["stage"](copy, copy / "stage")
