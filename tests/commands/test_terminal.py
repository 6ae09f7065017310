"""What leaves for a terminal or a pipe: others' text steers nothing, and every output takes every text."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.commands import session
from changeover.commands.export import _row
from changeover.commands.session import print_error, print_table, say, show
from changeover.commands.terminal import json_text
from changeover.model.errors import ChangeoverError, SettingsError
from changeover.model.foreign_text import quoted

#: What steers: ESC, OSC, C1, bidi, zero width, lone surrogates, line ends of every kind.
STEERING = "\x1b[2J\x1b]0;t\x07\x9b31m\u202e\u2066\u200b\ud800\r\n\u2028\x85\x7f\x00"
ANY = st.text(st.one_of(st.characters(codec=None), st.sampled_from(STEERING + "a ")))


@given(ANY)
def test_a_line_is_a_line(text: str) -> None:
    """Whatever it holds, it neither steers nor begins another."""
    made = io.StringIO()
    before, sys.stdout, sys.stderr = (sys.stdout, sys.stderr), made, made
    try:
        show(f"  {text}")
        say(text)
        print_table(("A", "B"), [(text, "x")])
    finally:
        sys.stdout, sys.stderr = before
    lines = made.getvalue().split("\n")
    assert len(lines) == 5 and lines[0].startswith("  ")
    assert all(line.isprintable() for line in lines)


def test_mark_up_of_tables_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither brackets nor colons mean anything."""
    print_table(("A",), [("[red]x[/red] [link=file:///etc/passwd]y[/link] :lock: [/]",)])
    assert "[red]x[/red] [link=file:///etc/passwd]y[/link] :lock: [/]" in capsys.readouterr().out


@given(ANY)
def test_json_says_the_same(text: str) -> None:
    """Every text comes out of JSON as it went in, and nothing in it steers a terminal that shows the JSON."""
    made = json_text({"text": text})
    assert made.isprintable()
    assert json.loads(made) == json.loads(json.dumps({"text": text}))


def test_only_the_first_line_of_an_error_begins_at_the_edge(capsys: pytest.CaptureFixture[str]) -> None:
    """What a server says cannot look like a sentence of ours, and each fault of the settings is one line."""
    print_error(ChangeoverError("it says: no\nDone. Nothing is wrong.\n\x1b[2J", "hint\nDone."), as_json=False)
    print_error(SettingsError("file", ["a: b\nDone.", "c"]), as_json=False)
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["Error: it says: no", "  Done. Nothing is wrong."]
    assert not any(line.startswith("Done") for line in lines)


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "ascii", "cp437", "utf-8"])
@pytest.mark.parametrize(
    "words", [("--help",), ("account", "providers", "route53"), ("account", "providers"), ("runs", "--json")]
)
def test_every_encoding(tmp_path: Path, encoding: str, words: tuple[str, ...]) -> None:
    """A pipe that is not UTF-8 takes tables, help and JSON."""
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "CHANGEOVER_HOME": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-m", "changeover", *words], env=environment, capture_output=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr.decode(encoding)
    assert ended.stdout.decode(encoding)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes and no full device")
@pytest.mark.parametrize(("to", "status"), [("| true", 0), ("> /dev/full", 3)])
def test_an_output_that_takes_nothing(tmp_path: Path, to: str, status: int) -> None:
    """Nobody who reads on is no fault; a full disk is told, and neither ends in a traceback."""
    command = f"set -o pipefail; {sys.executable} -m changeover account providers {to}"
    environment = {**os.environ, "CHANGEOVER_HOME": str(tmp_path)}
    ended = subprocess.run(
        ["bash", "-c", command], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert (ended.returncode, "Traceback" in ended.stderr) == (status, False), ended.stderr
    assert ("could not be written" in ended.stderr) == bool(status)


#: A line for bash, and the exit status of the command in it.
STREAMS = {
    "{} --help > /dev/full": 3,
    "{} --version > /dev/full": 3,
    "{} runs --help > /dev/full": 3,
    "{} runs --json > /dev/full": 3,
    "{} --help | true": 0,
    "{} --help >&-": 0,
    "{} runs --json >&- 2>&-": 0,
    "{} runs --json <&- >&- 2>&-": 0,
    "{} nosuch 2>&-": 2,
    "{} nosuch 2> /dev/full": 2,
    "{} account add x --provider desec --secret-stdin <&-": 2,
    "{} report $'\\xff\\xfe'": 2,
    "LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 {} report $'\\xc3\\xbc' --json": 2,
    "USER=$'\\xff\\x1b[2J' LOGNAME=$'\\xff' {} runs": 0,
    "CHANGEOVER_HOME=$'/tmp/\\xff' {} runs": 2,
}


@pytest.mark.skipif(sys.platform == "win32", reason="there is no bash")
@pytest.mark.parametrize("line", list(STREAMS))
def test_streams_and_words_of_every_kind(tmp_path: Path, line: str) -> None:
    """Full, closed, read by nobody; words and names that are no text: said in words, with the status that is so."""
    command = "set -o pipefail; " + line.format(f"{sys.executable} -m changeover")
    environment = {**os.environ, "CHANGEOVER_HOME": str(tmp_path)}
    ended = subprocess.run(
        ["bash", "-c", command], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == STREAMS[line], ended.stderr
    assert "Traceback" not in ended.stderr and "A fault in Changeover" not in ended.stderr
    assert all(part.isprintable() for part in (*ended.stdout.splitlines(), *ended.stderr.splitlines()))


def test_words_that_are_no_command_cannot_steer(tmp_path: Path) -> None:
    """A script may have them from anywhere."""
    ended = subprocess.run(
        [sys.executable, "-m", "changeover", "x\x1b[2Jy\nError: forged"],
        env={**os.environ, "CHANGEOVER_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 2
    assert "\x1b" not in ended.stderr
    assert not any(line.startswith("Error: forged") for line in ended.stderr.splitlines())


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-1+cmd|' /C calc'!A0", "@SUM(1)", " =1", "\t=1", "\x1b[2J=1"])
def test_a_text_is_no_formula_of_a_spreadsheet(text: str) -> None:
    """What a server says stands in exports too."""
    (row,) = csv.reader([_row([text, "fine", -1.5, None])])
    assert not row[0].lstrip().startswith(("=", "+", "-", "@"))
    assert row[1:] == ["fine", "-1.5", ""]
    assert row[0].isprintable()


@pytest.mark.skipif(sys.platform == "win32", reason="a shell takes the line apart")
@given(
    st.lists(ANY.map(lambda text: text.replace("\x00", "").encode("utf-8", "ignore").decode()), min_size=1, max_size=3)
)
def test_a_command_is_shown_as_it_is(words: list[str]) -> None:
    """A person sees every character of every argument: the line is printable, and a shell reads the same."""
    line = " ".join(map(quoted, words))
    assert line.isprintable()
    assert _read_by_hand(line) == words


def _read_by_hand(line: str) -> list[str]:
    """The words of a line, with '…' and $'…' taken apart as bash does."""
    import re
    import shlex

    spelt = re.compile(r"\$'((?:\\.|[^'\\])*)'")
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        text = re.sub(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|.)", _char, found[1])
        kept.append(text)
        return f"\x00{len(kept) - 1}\x00"

    def _char(found: re.Match[str]) -> str:
        code = found[1]
        if code[0] in "xuU" and len(code) > 1:
            return chr(int(code[1:], 16))
        return {"n": "\n", "t": "\t"}.get(code, code)

    words = []
    at = 0
    while at < len(line):
        if line.startswith("$'", at):
            found = spelt.match(line, at)
            assert found is not None
            keep(found)
            words.append(kept[-1])
            at = found.end() + 1
            continue
        plain = re.compile(r"(?:'[^']*'|\"'\"|[^\s'\"]+)+").match(line, at)
        assert plain is not None
        words += shlex.split(plain[0])
        at = plain.end() + 1
    return words


def test_what_shows_nothing_is_spelt_out() -> None:
    """Also what Unicode calls printable: fillers, blanks, marks that only choose a look."""
    assert quoted("a\u3164b\u2800c\ufe0f") == r"$'a\u3164b\u2800c\ufe0f'"
    assert quoted("rm -rf '/'") == "'rm -rf '\"'\"'/'\"'\"''"
    assert session.FAULT == 5
