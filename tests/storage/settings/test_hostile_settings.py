"""A settings file that hangs or crashes whoever reads it gives a fault that names the file and the key."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from changeover.accounts.kinds import KINDS
from changeover.model.errors import SettingsError
from changeover.model.health.conditions import json_path, pattern
from changeover.model.health.pattern_cost import refuse_costly
from changeover.storage.settings.file import load, parse

FILE = Path("changeover.toml")
HEAD = 'version = 1\n[accounts.dns]\nprovider = "rfc2136"\nserver = "127.0.0.1:53"\n'
SERVICE = """
[[services]]
name = "{name}"
hostnames = ["{host}.shop.test"]
dns = [{{ account = "dns", zone = "shop.test" }}]
{more}
[[services.deployments]]
name = "primary"
answer = {{ a = ["127.0.9.2"] }}
[[services.deployments]]
name = "backup"
answer = {{ a = ["127.0.9.3"] }}
"""


def faults(text: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as refused:
        parse(text, FILE, KINDS)
    return refused.value.faults


def with_health(line: str) -> str:
    return HEAD + SERVICE.format(name="shop", host="www", more="") + f"[services.health]\n{line}\n"


@pytest.mark.parametrize(
    "hostile",
    [
        "(?:(?:(?:(?:a{200}){200}){200}){200})",
        "(?:(?:a{0,900}){0,900}){2,}",
        "a{99999999999999999999}",
        "((((x{30}){30}){30}){30})",
        "(?i)(?:(?:\\w{50}|é{50}){50}){50}",
        "(" * 3000 + "a" + ")" * 3000,
        "a?" * 5000,
    ],
)
def test_a_pattern_that_would_compile_for_ever(hostile: str) -> None:
    """Is refused before it is compiled, with its place."""
    before = time.process_time()
    (fault,) = faults(with_health(f"expect_body_match = '{hostile}'"))
    assert fault.startswith("services.shop.health.expect_body_match: ")
    assert len(fault) < 500
    assert time.process_time() - before < 5


@pytest.mark.parametrize(
    "usual", [r"id=(\d+)", r"a{3}", r"\{[^}]{1,500}\}", r"(?:ok|well){1,3}", r"x{,5}y{2,}", "{}", "{a}"]
)
def test_usual_patterns(usual: str) -> None:
    """Are taken, braces that are no repeats included."""
    assert pattern(usual).pattern == usual


@settings(max_examples=300)
@given(st.text(alphabet="ab(){}[]|?*+\\,0123456789:i^-", max_size=60))
def test_no_pattern_takes_long(text: str) -> None:
    """Whatever passes the look at its size compiles at once, or is no pattern."""
    before = time.process_time()
    with contextlib.suppress(ValueError):
        pattern(text)
    assert time.process_time() - before < 2


@given(st.integers(1, 5), st.integers(2, 60))
def test_repeats_multiply(depth: int, times: int) -> None:
    """What counts is the size with all repeats written out."""
    text = "a"
    for _ in range(depth):
        text = f"(?:{text}){{{times}}}"
    if times**depth > 20_000:
        with pytest.raises(ValueError, match="repeats written out"):
            refuse_costly(text)
    elif times**depth < 2_000:
        refuse_costly(text)


@pytest.mark.parametrize("path", ["!" * 3000 + "a", "[" * 400 + "0" + "]" * 400, "(" * 499, "a." * 2000 + "b"])
def test_a_path_into_json_that_is_too_deep(path: str) -> None:
    """Is a fault, never a crash."""
    try:
        json_path(path)
    except ValueError as error:
        assert len(str(error)) < 300


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("x = " + "[" * 3000 + "]" * 3000, ""),
        ("x" + ".x" * 3000 + " = 1", "x.x.x"),
        ("x = " + "{ a = " * 25 + "1" + " }" * 25, "x.a.a"),
        ("[services" + ".x" * 40 + "]", "services.x"),
        ("x = [" + "[" * 30 + "1" + "]" * 31, "x[1][1]"),
    ],
)
def test_nesting(text: str, place: str) -> None:
    """However it is written, what is nested too deep is one fault with its place."""
    (fault,) = faults(f"version = 1\n{text}\n")
    assert fault.startswith(place)
    assert "within" in fault


@pytest.mark.parametrize(
    "line", ["port = 0x" + "f" * 5000, "interval = 0x" + "f" * 5000, "thresholds.down_after = 1" + "0" * 900]
)
def test_a_number_that_python_does_not_write_out(line: str) -> None:
    """Is a fault of its key."""
    (fault, *_) = faults(with_health(line))
    assert fault.startswith("services.shop.health.")


def test_a_version_like_that() -> None:
    """And of the version."""
    assert faults("version = 0x" + "f" * 5000)[0].startswith("version: must be 1, not so huge")


@pytest.mark.parametrize(
    ("one", "other"), [("shop", "Shop"), ("caf\u00e9", "cafe\u0301"), ("stra\u00dfe", "STRASSE"), ("ﬁle", "file")]
)
def test_names_that_look_alike(one: str, other: str) -> None:
    """Two services that people, or a disk that knows no case, take for one are refused; so are accounts."""
    text = HEAD + "".join(SERVICE.format(name=n, host=h, more="") for n, h in ((one, "a"), (other, "b")))
    (fault,) = faults(text)
    assert "differs only in how it is written" in fault and one in fault
    accounts = f'[accounts."{one}"]\nprovider = "rfc2136"\nserver = "a.test"\n'
    accounts += f'[accounts."{other}"]\nprovider = "rfc2136"\nserver = "a.test"\n'
    assert any("differs only in how it is written" in fault for fault in faults(f"version = 1\n{accounts}"))


def test_hundreds_of_services_load_at_once() -> None:
    """500 take a quarter of a second of computing; thousands grow no faster than they are."""

    def text(number: int) -> str:
        more = "[services.health]\npath = '/health'\nexpect_body_match = 'ok'"
        return HEAD + "".join(
            SERVICE.format(name=f"s{n}", host=f"w{n}", more="").replace(
                "[[services.deployments]]", more + "\n[[services.deployments]]", 1
            )
            for n in range(number)
        )

    parse(text(10), FILE, KINDS)
    before = time.process_time()
    assert len(parse(text(500), FILE, KINDS).services) == 500
    small = time.process_time() - before
    assert small < 2
    before = time.process_time()
    parse(text(2000), FILE, KINDS)
    assert time.process_time() - before < 12 * small


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such files")
def test_what_is_no_plain_file(tmp_path: Path) -> None:
    """Neither a pipe nor a device is waited for, and nothing endless is read."""
    file = tmp_path / "changeover.toml"
    os.mkfifo(file)
    with pytest.raises(SettingsError, match="no plain file"):
        load(file, KINDS)
    file.unlink()
    file.symlink_to("/dev/zero")
    with pytest.raises(SettingsError, match="no plain file"):
        load(file, KINDS)
    file.unlink()
    with file.open("wb") as large:
        large.truncate(100 * 2**20)
    with pytest.raises(SettingsError, match="more than 32 MiB"):
        load(file, KINDS)


def test_a_fault_stands_in_one_line() -> None:
    """What a key or a value holds cannot begin a line of its own, or steer the terminal that shows the fault."""
    with pytest.raises(SettingsError) as refused:
        parse('version = 1\n"\\u001b[2Jno\\nDone." = "\\u202e"\n', FILE, KINDS)
    assert len(refused.value.text.splitlines()) == 2
    assert refused.value.text.replace("\n", "").isprintable()
    assert sys.getrecursionlimit() < 5000
