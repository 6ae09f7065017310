"""The house is as its plan says: rooms that say what they are for, one name for one thing, and no circle of files."""

from __future__ import annotations

import ast
import functools
import graphlib
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "app"
PACKAGE = APP / "changeover"

#: Modules of one name in several rooms are about the same subject: decided in one, read or shown in another.
SAME_SUBJECT = {
    "accounts": "accounts: opened, and shown by commands and window",
    "certificate": "a server's certificate: read, and judged",
    "declaration": "the keys of accounts and deployments, of each platform",
    "discovery": "whose zone a hostname is in: looked up, and decided",
    "dnssec": "signed zones: looked up, and judged",
    "history": "what was recorded of checks: its words, the file, the command",
    "journal": "runs as they are recorded: the file, the commands",
    "kind": "what a platform declares, of each",
    "lab": "the practice ground: the command, and its own platform",
    "lease": "the lease in a zone: its text, and holding it",
    "lifecycle": "is there a backup: decided, and the commands",
    "local_fault": "what is wrong with this computer: as data, and in words",
    "observing": "what the answers of a platform come to, of each platform",
    "platform": "what runs a deployment: what it declares, what it is asked, and the command",
    "propagation": "which resolvers still have what: decided, read, and the command",
    "provider": "a DNS provider: the contract, and what those with an HTTP API share",
    "repair": "a damaged database: set aside with what can be read kept, and the command",
    "run": "a run: folded from its journal, and the commands",
    "soak": "the time right after a switch: judged, and watched",
    "status_page": "a platform's status page: read, and judged",
    "steps": "the steps of a run: as the wizard shows them, and the commands",
    "trust": "what of the settings may act: the gate, and the command",
    "ttl": "TTLs before a switch: planned, and the commands",
}

#: Folders of tests that are about more than one room.
ACROSS_ROOMS = {"cli", "explorer", "faults", "fuzz", "packaging", "repository"}


def modules() -> dict[str, Path]:
    found = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        if "resources" not in file.relative_to(PACKAGE).parts:
            name = ".".join(file.relative_to(APP).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = file
    return found


@functools.cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def imports(file: Path, known: dict[str, Path]) -> set[str]:
    """The project's modules that one imports, wherever in it."""
    found = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if full in known else node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & set(known)


def test_no_circle_of_files() -> None:
    """Every file can be read after those that it needs, imports within functions and for types included."""
    known = modules()
    graph = {name: imports(file, known) - {name} for name, file in known.items()}
    assert len(list(graphlib.TopologicalSorter(graph).static_order())) == len(known)


def test_public_classes_have_names_of_their_own() -> None:
    """Who reads a class's name anywhere knows which one is meant."""
    places = defaultdict(list)
    for name, file in modules().items():
        for node in tree(file).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(name)
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_modules_of_one_name_are_about_one_subject() -> None:
    """And the table above says which; a module that is gone leaves it."""
    places = defaultdict(list)
    for name, file in modules().items():
        if file.name != "__init__.py":
            places[file.stem].append(name)
    assert {stem for stem, where in places.items() if len(where) > 1} == set(SAME_SUBJECT)


def test_every_room_says_what_belongs_there() -> None:
    """In one sentence, in its __init__."""
    for file in PACKAGE.rglob("__init__.py"):
        if "resources" not in file.relative_to(PACKAGE).parts:
            assert (ast.get_docstring(tree(file)) or "").endswith("."), file
    folders = {file.parent for file in modules().values()}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_no_room_is_crowded() -> None:
    """About twenty files are what one can take in."""
    rooms = defaultdict(list)
    for file in modules().values():
        rooms[file.parent].append(file.name)
    assert {str(room): len(files) for room, files in rooms.items() if len(files) > 24} == {}


def test_tests_stand_in_the_room_that_they_are_about() -> None:
    """tests/ mirrors app/."""
    folders = {file.parent.relative_to(ROOT / "tests") for file in (ROOT / "tests").rglob("test_*.py")}
    lost = [str(f) for f in folders if f.parts[0] not in ACROSS_ROOMS and not (PACKAGE / f / "__init__.py").exists()]
    assert lost == []
