"""Nothing is decided by how a sentence is worded: faults are data, and become words at the end."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "app" / "changeover"
ROOMS = ("model", "health", "dns", "switchover", "monitoring")

#: What asks a text about its words.
METHODS = {
    *("startswith", "endswith", "removeprefix", "removesuffix", "partition", "rpartition", "split", "rsplit"),
    *("find", "rfind", "index", "rindex", "count", "search", "match", "fullmatch", "compile"),
}
#: What holds sentences of our own, or of somebody else. To ask one of these about any word at all is to parse it.
SENTENCES = {"text", "reason", "hint", "fix", "certificate_error"}

#: Where others' words are recognised, at the edge and in one place each, since no code tells it; how often, and why.
ALLOWED = {
    "dns/providers/cloudflare.py": (2, "one code, 9109, stands for a wrong token and for a missing right"),
    "dns/providers/dnsimple.py": (1, "a record that is gone is a 400 like every other mistake"),
    "dns/providers/linode.py": (1, "a token without the scope is a 401, as a wrong one is"),
    "dns/providers/route53.py": (2, "InvalidChangeBatch and SignatureDoesNotMatch stand for several things each"),
    "dns/providers/vultr.py": (1, "an address that is not allowed is a 401, as a wrong key is"),
    "health/http/certificate.py": (1, '"IP Address" is what Python calls a kind of name in a certificate'),
}


def constants(node: ast.AST, known: dict[str, ast.AST]) -> Iterator[str]:
    """The texts within an expression; names of the module's own constants are looked up."""
    if isinstance(node, ast.Dict):  # it is asked for its keys
        node = ast.Tuple([key for key in node.keys if key is not None])
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value
        elif isinstance(part, ast.Name) and part.id in known:
            yield from constants(known[part.id], {})


def prose(text: str) -> bool:
    """A word with a space beside it."""
    return re.search(r"[^\W\d_] | [^\W\d_]", text) is not None


def is_sentence(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in SENTENCES


def asks(node: ast.AST) -> tuple[list[ast.expr], list[ast.expr]]:
    """What an expression looks at, and what it looks for there."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
        return [node.func.value], list(node.args)
    if isinstance(node, ast.Compare):
        return [node.left, *node.comparators], [node.left, *node.comparators]
    if isinstance(node, ast.MatchValue):
        return [], [node.value]
    return [], []


def found_in(source: str) -> list[int]:
    """The lines of a module in which a sentence is asked about its words."""
    tree = ast.parse(source)
    known: dict[str, ast.AST] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            known |= {target.id: node.value for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            known[node.target.id] = node.value
    lines = []
    for node in ast.walk(tree):
        at, wanted = asks(node)
        words = [text for one in wanted for text in constants(one, known)]
        # What has no small letter is a code, also where it stands in a `reason`.
        told = any(map(is_sentence, at)) and any(re.search("[a-z]", text) for text in words)
        if told or any(map(prose, words)):
            lines.append(getattr(node, "lineno", 0))
    return lines


def test_no_module_matches_on_prose() -> None:
    """Neither on what Changeover says itself, nor, but where the table says why, on what others say."""
    found = {}
    for room in ROOMS:
        for file in sorted((PACKAGE / room).rglob("*.py")):
            lines = found_in(file.read_text(encoding="utf-8"))
            if lines:
                found[file.relative_to(PACKAGE).as_posix()] = lines
    assert {name: len(lines) for name, lines in found.items()} == {name: n for name, (n, _) in ALLOWED.items()}, found


@pytest.mark.parametrize(
    "source",
    [
        'fault.startswith("address of ")',
        '_OFF = "This computer is offline"\ntext.removeprefix(f"{_OFF}: ")',
        '_BROKEN = ("unable to get issuer", "self-signed")\nsaid.startswith(_BROKEN)',
        '"expected" in result.reason',
        'reason.partition("is dead")',
        'error.text == "gone"',
        'match said:\n    case "no answer": pass',
        '_SAID = {"it is gone": 1}\nx = said in _SAID',
        're.search(r"was (not )?found", message)',
    ],
)
def test_what_it_would_find(source: str) -> None:
    """Each way in which code has parsed, or may parse, a sentence."""
    assert found_in(source)


@pytest.mark.parametrize(
    "source",
    [
        'name.endswith(".shop.example")',
        'error.reason in ("TLSV1_UNRECOGNIZED_NAME",)',
        'text.partition(" ")',
        '"CNAME" in types',
        '_WORDS = {"mixed": "visitors are split"}\nx = state in _WORDS',
        'print("could not be read")',
    ],
)
def test_what_is_no_prose(source: str) -> None:
    """Names, codes, keys and formats may be asked."""
    assert not found_in(source)
