"""What others wrote cannot steer a terminal, turn the direction of writing, or break out of its line."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.model.foreign_text import escaped, many_lines, one_line, quoted

#: Everything that Python's texts may hold, lone surrogates and what steers terminals often.
_ANY = st.text(
    st.one_of(st.characters(codec=None), st.sampled_from("\x1b\x07\x9b\x85\u202e\u2066\u2028\ud800\r\n\t a"))
)
_STEERING = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def steering(text: str) -> list[str]:
    return [c for c in text if unicodedata.category(c) in _STEERING]


@given(_ANY)
def test_nothing_that_steers_is_left(text: str) -> None:
    """Neither escape sequences nor C1 controls, bidirectional controls, surrogates; and one line stays one."""
    assert steering(one_line(text)) == []
    assert set(steering(many_lines(text))) <= {"\n"}
    one_line(text).encode(), many_lines(text).encode()


@given(_ANY)
def test_what_is_clean_stays_as_it_is(text: str) -> None:
    """Cleaning twice changes nothing more."""
    assert one_line(one_line(text)) == one_line(text)
    assert many_lines(many_lines(text)) == many_lines(text)


@pytest.mark.parametrize(
    ("text", "line", "lines"),
    [
        ("Größe 日本語", "Größe 日本語", "Größe 日本語"),
        ("red \x1b[31malert\x1b[0m", "red [31malert [0m", "red  [31malert [0m"),
        ("a\r\n  b \n\n\tc", "a b c", "a\n  b\n\n        c"),
        ("pay \u202eeel\u202c", "pay eel", "pay  eel"),
        ("\x9b2J\ud800", "2J", " 2J"),
    ],
)
def test_what_becomes_of_it(text: str, line: str, lines: str) -> None:
    """Words stay, and in many lines what they are indented by."""
    assert (one_line(text), many_lines(text)) == (line, lines)


@given(_ANY, st.integers(1, 50))
def test_a_long_one_is_cut(text: str, most: int) -> None:
    """With a sign that there was more, however much space was in it."""
    line = one_line(text, most)
    assert len(line) <= most + 1
    assert len(line) <= most or line.endswith("…")


@pytest.mark.parametrize("blank", ["\u3164", "\u2800", "\ufe0f", "\u115f", "\u034f", "\x1b", "\u202e", "\n", "\ud800"])
def test_nothing_hides_where_a_person_says_yes(blank: str) -> None:
    """Neither what steers, nor letters that are printable by their category and show nothing."""
    for line in (escaped(f"a{blank}b"), quoted(f"a{blank}b")):
        assert blank not in line
        assert line.isprintable()
        assert "\\" in line
