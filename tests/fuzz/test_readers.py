"""Whatever comes from outside, no reader raises what nobody foresaw: hypothesis spoils honest inputs.

`make long` feeds each reader with so many inputs that all together see more than 200,000; where atheris is installed
(the extra "fuzz"), it looks for inputs that lead to code not reached before.
"""

from __future__ import annotations

import functools
import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dns_servers.grounds import HTTP_GROUNDS
from fuzz.api_answers import read_answers, seeds
from fuzz.readers import READERS, Reader
from platforms.grounds import GROUNDS as PLATFORM_GROUNDS

Record = Callable[[str, object], None]
TESTS = Path(__file__).resolve().parents[1]
FEW, MANY = 60, 17_000
#: The same for each API of a provider or a platform, of which one input is a whole conversation.
FEW_ANSWERS, MANY_ANSWERS = 12, 2_000
#: dns-lexicon speaks to its providers by a client of its own, which it is left to.
APIS = [*(name for name in HTTP_GROUNDS if name != "lexicon"), *PLATFORM_GROUNDS]
#: What breaks readers: numbers that are too large, nesting, other alphabets, ends of lines, names of names.
_ODD = (
    b"9" * 400,
    b"-1",
    b"1e999",
    b"NaN",
    b"\\ud800",
    b"[" * 5000,
    b'{"a":' * 3000,
    "ü异\u202e".encode(),
    b"\xff\xfe",
)
_ODD += (b"\0", b"\r\n", b"\x1b[31m", b"\xc0\x0c" * 40, b"<![CDATA[", b"a" * 9000, b": ", b"null", b'"', b"%s", b"\x80")


def spoilt(seeds: list[bytes]) -> st.SearchStrategy[bytes]:
    """One of `seeds` with some of it replaced, taken out, or said again."""
    piece = st.one_of(st.sampled_from(_ODD), st.binary(max_size=8))
    edit = st.tuples(st.integers(0, 2000), st.integers(0, 12), piece)

    def edited(seed: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
        for place, length, new in edits:
            at = place % (len(seed) + 1)
            seed = seed[:at] + new + seed[at + length :]
        return seed

    made = st.builds(edited, st.sampled_from(seeds), st.lists(edit, min_size=1, max_size=5))
    return st.one_of(made, made, made, st.binary(max_size=400))


def feed(reader: Reader, count: int) -> int:
    """Feeds so many inputs, the same ones every time; gives how many it were."""
    fed = 0

    @settings(max_examples=count, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(spoilt(list(reader.seeds)))
    def one(data: bytes) -> None:
        nonlocal fed
        fed += 1
        reader.read(data)

    for seed in reader.seeds:
        reader.read(seed)
    one()
    return fed


@pytest.mark.parametrize("name", READERS)
def test_a_few_of_everything(name: str) -> None:
    """A small part of the long test."""
    assert feed(READERS[name], FEW) >= FEW


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", READERS)
def test_many_of_everything(name: str, record_property: Record) -> None:
    """So many inputs to each reader that all see more than 200,000."""
    assert MANY * len(READERS) > 200_000
    fed = feed(READERS[name], MANY)
    record_property("fuzz", f"{name}: {fed} inputs")
    assert fed >= MANY


def api(name: str) -> Reader:
    return Reader(functools.partial(read_answers, name), seeds(name))


@pytest.mark.parametrize("name", APIS)
def test_a_few_answers_of_every_api(name: str) -> None:
    """A small part of the long test."""
    assert feed(api(name), FEW_ANSWERS) >= FEW_ANSWERS


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", APIS)
def test_many_answers_of_every_api(name: str, record_property: Record) -> None:
    """Whatever an API answers to reading, listing and verifying."""
    fed = feed(api(name), MANY_ANSWERS)
    record_property("fuzz", f"API of {name}: {fed} inputs")
    assert fed >= MANY_ANSWERS


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason='atheris is not installed: the extra "fuzz"')
@pytest.mark.parametrize("name", READERS)
def test_guided_by_coverage(name: str, tmp_path: Path, record_property: Record) -> None:
    """The same readers, with inputs that are kept where they reach what none has reached before."""
    for number, seed in enumerate(READERS[name].seeds):
        (tmp_path / str(number)).write_bytes(seed)
    command = [sys.executable, "-m", "fuzz.guided", name, str(tmp_path), f"-runs={MANY}", "-seed=1", "-max_len=4096"]
    ran = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, timeout=1500, check=False)
    done = next((line for line in ran.stderr.splitlines() if line.startswith("Done ")), "")
    record_property("fuzz", f"{name}, by coverage: {done}")
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert done, ran.stderr[-3000:]
