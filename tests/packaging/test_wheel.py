"""The wheel: what `pipx install .` installs."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _run(*arguments: str | Path, cwd: Path | None = None) -> str:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    ended = subprocess.run(arguments, env=environment, cwd=cwd, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, f"{arguments}\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--wheel-dir")
    _run(sys.executable, "-m", "pip", "wheel", *options, folder, ROOT)
    (made,) = folder.glob("changeover-*.whl")
    return made


def test_it_holds_each_resource_once(wheel: Path) -> None:
    """Icons and styles are inside the package, whether or not the checkout links to them."""
    names = zipfile.ZipFile(wheel).namelist()
    assert len(names) == len(set(names))
    found = {name.removeprefix("changeover/resources/") for name in names if name.startswith("changeover/resources/")}
    source = ROOT / "resources"
    assert found == {str(file.relative_to(source)) for file in source.rglob("*") if file.is_file()}


def test_it_holds_nothing_but_the_package(wheel: Path) -> None:
    """Tests, benchmarks and caches stay at home."""
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"changeover"}
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]


def test_the_installed_command_runs_and_finds_its_resources(wheel: Path, tmp_path: Path) -> None:
    """A fresh environment with the wheel and its dependencies has a working `changeover`."""
    fresh = tmp_path / "fresh"
    _run(sys.executable, "-m", "venv", "--without-pip", fresh)
    python = fresh / ("Scripts" if os.name == "nt" else "bin") / "python"
    packages = Path(_run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    # The dependencies are those of this environment. A path in a .pth file brings no .pth files of its own with it,
    # so the checkout that is installed there in editable form does not come along.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    _run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", "--quiet", wheel)

    assert _run(python.with_name("changeover"), "--version", cwd=tmp_path).startswith("changeover, version ")
    program = "import changeover, importlib.resources as r; print(changeover.__file__);"
    program += "print(*[item.name for item in (r.files('changeover') / 'resources').iterdir()])"
    file, resources = _run(python, "-c", program, cwd=tmp_path).splitlines()
    assert Path(file).is_relative_to(packages)
    assert {"icons", "style.qss"} <= set(resources.split())
