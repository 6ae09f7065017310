"""What the repository says of itself is true, and says nothing of the machines that it was written on."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from changeover.cli import changeover
from changeover.dns.providers import PROVIDERS, provider_type

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "app" / "changeover"

#: What no file may hold, and why. User-Agent is a header's name.
FORBIDDEN = {
    r"pypi\.org|pythonhosted\.org|npmjs\.(com|org)|deb\.debian\.org|crates\.io": "a package registry's host",
    r"/work/|/root/": "a path of somebody's machine",
    r"(?<!user-)\bagents?\b|\b(claude|copilot|chatgpt|llm)\b": "who typed it",
    r"(?-i:\b(TODO|FIXME|XXX)\b)": "a wish instead of work",
}


def texts() -> Iterator[tuple[Path, str]]:
    """Every text file of the repository but this one."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("this is no git checkout")
    for name in filter(None, listed.stdout.split("\0")):
        file = ROOT / name
        if file.is_file() and file != Path(__file__).resolve():
            content = file.read_bytes()
            if b"\0" not in content:
                yield file, content.decode()


@pytest.mark.parametrize("pattern", FORBIDDEN, ids=FORBIDDEN.values())
def test_no_file_names(pattern: str) -> None:
    """The sources are about Changeover, and can be anybody's."""
    found = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for file, text in texts()
        for number, line in enumerate(text.splitlines(), start=1)
        if re.search(pattern, line, re.IGNORECASE)
    ]
    assert not found


def test_links_between_documents_lead_somewhere() -> None:
    """Every relative link and picture of a Markdown file is there."""
    missing = [
        f"{file.relative_to(ROOT)}: {target}"
        for file, text in texts()
        if file.suffix == ".md"
        for target in re.findall(r"\]\(([^)#:]+)\)", text)
        if not (file.parent / target).exists()
    ]
    assert not missing


class TestReadme:
    text = (ROOT / "README.md").read_text()

    def test_every_command_in_it_exists(self) -> None:
        """A command, its subcommand and its options are those of the command line."""
        joined = self.text.replace("\\\n", " ")
        named = re.findall(r"changeover ((?:[a-z]+(?:-[a-z]+)* ?)+)((?:(?! changeover )[^`\n|])*)", joined)
        assert len(named) > 15
        for words, rest in named:
            command, group = self._command(words.split())
            options = {name for c in (command, group) for parameter in c.params for name in parameter.opts}
            unknown = set(re.findall(r"--[a-z-]+", rest)) - options
            assert not unknown, f"changeover {words}{rest}"

    def _command(self, words: list[str]) -> tuple[click.Command, click.Command]:
        group: click.Command = changeover
        command: click.Command = changeover
        for word in words:
            if not isinstance(command, click.Group):
                break  # an argument
            found = command.get_command(click.Context(command), word)
            assert found is not None, f"there is no command {' '.join(words)}"
            group, command = command, found
        return command, group

    def test_every_command_stands_in_its_table(self) -> None:
        """Nobody has to find a command by chance."""
        context = click.Context(changeover)
        missing = [name for name in changeover.list_commands(context) if f"`changeover {name}" not in self.text]
        assert not missing

    def test_it_names_every_provider(self) -> None:
        """What can be switched is what a reader looks for first."""
        names = {"rfc2136": "RFC 2136", "powerdns": "PowerDNS by its HTTP API", "lexicon": "dns-lexicon"}
        called = {name: names.get(name, provider_type(name).label.partition(" (")[0]) for name in PROVIDERS}
        assert [name for name, words in called.items() if words not in self.text] == []

    def test_its_exit_statuses_are_the_commands_own(self) -> None:
        """Scripts rely on them."""
        from changeover.commands import session

        statuses = {session.DONE, session.FAILED, session.USAGE, session.REFUSED, session.INCOMPLETE, session.FAULT}
        assert {int(number) for number in re.findall(r"^\| (\d) \|", self.text, re.MULTILINE)} == statuses

    def test_make_has_what_the_documents_say(self) -> None:
        """`make lab` and its like are targets of the Makefile."""
        targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        for file in ("README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/performance.md"):
            named = re.findall(r"(?:`|^)make ([a-z]+)", (ROOT / file).read_text(), re.MULTILINE)
            assert set(named) <= targets, file


class TestArchitecture:
    text = (ROOT / "docs" / "architecture.md").read_text()

    def test_every_file_and_folder_that_it_names_exists(self) -> None:
        """The picture is of this code."""
        named = set(re.findall(r"(?<![<\w./-])((?:[a-z_0-9]+/)*[a-z_0-9]+\.py|(?:[a-z_0-9]+/)+)(?![\w./])", self.text))
        assert len(named) > 20
        assert [name for name in named if not (PACKAGE / name).exists() and not (ROOT / name).exists()] == []

    def test_every_layer_stands_in_it(self) -> None:
        """And in the order that import-linter holds the code to."""
        contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
        layers = next(c["layers"] for c in contracts if c["type"] == "layers")
        names = [part.strip().removeprefix("changeover.") for layer in layers for part in re.split("[:|]", layer)]
        table = self.text.partition("## Layers")[2].partition("## ")[0]
        places = [
            table.find(f"`{name}/`") if (PACKAGE / name).is_dir() else table.find(f"`{name}.py`") for name in names
        ]
        shown = [place for name, place in zip(names, places, strict=True) if name != "__main__"]
        assert -1 not in shown
        assert shown == sorted(shown)
