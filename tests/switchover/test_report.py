"""A report shows what others wrote as text: it forges no outcome, leads nowhere, and fetches nothing."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from msgspec.structs import replace

from changeover.model.finding import Finding, Level
from changeover.model.runs.run import Outcome, Run
from changeover.switchover.report import html_page, markdown
from desktop.samples import run

HOSTILE = (
    "fine\n\n# Outcome: undone",
    "![x](file:///etc/passwd)",
    "[click](https://evil.example)",
    "<img src=x onerror=alert(1)><script>alert(1)</script>",
    "&lt;b&gt; **bold** _it_ `code` ~~gone~~ | a | b |",
    "<https://evil.example> https://evil.example",
    "[x]: https://evil.example\n[x]",
    "- - 1. > # nested",
    "\x1b[2J\u202e\x9b\u2028# Outcome: undone",
    "```\ncode\n```",
    "\\[not\\](escaped)",
)
ANY = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("\n#*_[]()<>!`~&|\\-+=. \t1:/")), max_size=60)


def saying(text: str) -> Run:
    """A run in which everything that others can write says `text`."""
    base = run(Outcome.COMPLETED)
    steps = tuple(replace(step, note=text, text=text) for step in base.steps)
    found = (Finding(check="platform-status", level=Level.WARN, text=text, override=text),)
    return replace(base, steps=steps, findings=found, why=text, notes=(text,), who=text, text=text)


def kinds(text: str) -> list[str]:
    """What a report's Markdown is made of, texts left out."""
    found = []
    for token in MarkdownIt("commonmark").parse(text):
        found.append(token.type)
        found += [
            child.type for child in token.children or () if child.type not in ("text", "text_special", "softbreak")
        ]
    return [kind for kind in found if kind != "inline"]


USUAL = kinds(markdown(saying("fine")))


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_shows_it_as_text(text: str) -> None:
    """It has exactly the headings, lists and bold names that the report itself has."""
    made = markdown(saying(text))
    assert kinds(made) == USUAL
    assert made.replace("\n", "").isprintable()


@settings(max_examples=200)
@given(ANY)
def test_whatever_it_is(text: str) -> None:
    """No text makes another report."""
    assert kinds(markdown(saying(f"a{text}"))) == USUAL


class Elements(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)
        assert tag in ("html", "meta") or not attrs


@pytest.mark.parametrize("text", HOSTILE)
def test_html_shows_it_as_text(text: str) -> None:
    """The page has exactly the elements that it has for any other run."""
    page = html_page(saying(text))
    assert Elements(page).found == Elements(html_page(saying("fine"))).found
    assert page.replace("\n", "").isprintable()


def test_what_was_written_is_still_there() -> None:
    """Escaped, not removed: people look for what a server said."""
    shown = MarkdownIt("commonmark").render(markdown(saying("[a](b) <c> *d*")))
    assert "[a](b) &lt;c&gt; *d*" in shown
    assert "[a](b) &lt;c&gt; *d*" in html_page(saying("[a](b) <c> *d*"))
