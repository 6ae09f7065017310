"""What the README promises names the tests that hold it, and these exist; its tables are complete."""

from __future__ import annotations

import re
from pathlib import Path

import click

from changeover.cli import changeover
from changeover.model.finding import CHECKS, EMERGENCY_OVERRIDABLE, NEVER_OVERRIDABLE

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
NUMBERS = {6: "six", 7: "seven", 8: "eight", 9: "nine"}


def section(text: str, heading: str) -> str:
    """What stands below a heading, until the next one."""
    return re.split(r"^#+ .*$", text.split(f"# {heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def held() -> dict[str, list[str]]:
    """By promise, the tests that are said to hold it."""
    rows = re.findall(r"^\| (.+?) \| (`tests/.+?) \|$", section(CONTRIBUTING, "What holds the promises"), re.MULTILINE)
    return {promise: re.findall(r"`(tests/[^`]+)`", tests) for promise, tests in rows}


def test_each_promise_names_the_tests_that_hold_it() -> None:
    """All promises of "What makes it safe", and no others, each with one test at least."""
    promises = re.findall(r"^- \*\*(.+?)\*\*", section(README, "What makes it safe"), re.MULTILINE)
    assert promises == list(held())
    assert all(held().values())


def test_the_tests_that_are_named_exist() -> None:
    """A test that is renamed or taken away leaves no promise without one."""
    for file, *_, name in (test.split("::") for tests in held().values() for test in tests):
        assert re.search(rf"def {name}\(", (ROOT / file).read_text(encoding="utf-8")), f"{file}::{name}"


def test_what_can_be_overridden_is_counted_right() -> None:
    """The README says how many checks can never be overridden, and how many only in an emergency."""
    assert set(CHECKS) > NEVER_OVERRIDABLE | EMERGENCY_OVERRIDABLE
    never, emergency = NUMBERS[len(NEVER_OVERRIDABLE)], NUMBERS[len(EMERGENCY_OVERRIDABLE)]
    assert f"{never} never, and {emergency} only in an emergency" in section(README, "What makes it safe")


def commands(group: click.Command, words: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    """Every command with its words."""
    if not isinstance(group, click.Group):
        return [(words, group)]
    context = click.Context(group)
    inner = [(name, group.get_command(context, name)) for name in group.list_commands(context)]
    own = [(words, group)] if words and group.invoke_without_command else []
    return [*own, *(each for name, found in inner if found for each in commands(found, (*words, name)))]


def test_every_command_takes_json_and_stands_in_the_table() -> None:
    """Whatever can be called is in the README, and can be read by a program."""
    table = section(README, "Commands")
    for words, found in commands(changeover):
        assert all(f"{word}" in table for word in words), words
        assert f"changeover {words[0]}" in table, words
        assert any("--json" in option.opts for option in found.params), words
