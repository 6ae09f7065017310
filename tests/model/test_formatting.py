"""Words for people, and that the model touches nothing."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import changeover.model
from changeover.model.dns.records import record_set, values_text
from changeover.model.formatting import counted, duration, size

#: Modules of Python that compute and neither read nor write anything, no clock either.
PURE = {
    "__future__",
    "bisect",
    "codecs",
    "collections",
    "datetime",
    "enum",
    "hashlib",
    "ipaddress",
    "itertools",
    "math",
    "operator",
    "re",
}
PURE |= {"jmespath", "json", "regex", "shlex", "statistics", "types", "typing", "urllib", "zoneinfo"}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (60, "1 min"),
        (130, "2 min 10 s"),
        (3599.7, "1 h"),
        (3659, "1 h"),
        (3900, "1 h 5 min"),
        (47 * 3600 + 3599, "47 h 59 min"),
        (48 * 3600, "2 days"),
        (63 * 86400 + 5, "63 days"),
    ],
)
def test_lengths_of_time(seconds: float, words: str) -> None:
    """Units, no more than two of them, and no "60 s"."""
    assert duration(seconds) == words


def test_counts_and_values() -> None:
    """The noun agrees with its number; an answer in one line."""
    assert [counted(n, "hostname") for n in (0, 1, 2)] == ["0 hostnames", "1 hostname", "2 hostnames"]
    assert [counted(n, "check blocks", "checks block") for n in (1, 3)] == ["1 check blocks", "3 checks block"]
    both = (record_set("a.example", "A", 60, ["192.0.2.2", "192.0.2.1"]), record_set("a.example", "AAAA", 60, ["::1"]))
    assert values_text(both) == "A 192.0.2.1, 192.0.2.2; AAAA ::1"
    assert values_text(()) == "nothing"


def test_the_model_imports_nothing_that_touches_the_world() -> None:
    """msgspec, itself, and modules that only compute; and it asks no clock."""
    found = []
    files = sorted(Path(changeover.model.__path__[0]).rglob("*.py"))
    assert len(files) > 50
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found += [(file.name, a.name) for a in node.names if not _is_pure(a.name)]
            elif isinstance(node, ast.ImportFrom) and not _is_pure(node.module or ""):
                found.append((file.name, node.module or ""))
            elif isinstance(node, ast.Attribute) and node.attr in ("now", "utcnow", "today"):
                found.append((file.name, "the time is given to it"))
            elif isinstance(node, ast.Name) and node.id in ("open", "print", "input", "__import__", "exec", "eval"):
                found.append((file.name, node.id))
    assert found == []


def _is_pure(module: str) -> bool:
    return module.split(".")[0] in PURE or module.startswith(("changeover.model", "msgspec"))


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (9_949, "9.9 kB"),
        (9_999, "10 kB"),
        (999_499, "999 kB"),
        (999_999, "1.0 MB"),
        (3_200_000_000, "3.2 GB"),
        (10**18, "1000000 TB"),
    ],
)
def test_sizes(number: int, words: str) -> None:
    """In powers of ten, as disks are sold."""
    assert size(number) == words
