"""Status pages: what they say is read, what they are not asked is not believed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.model.finding import Level
from changeover.model.health.status_page import StatusPage, status_page
from changeover.model.readiness.all_checks import findings
from model.snapshots import observed

URL = "https://status.platform.example/api"
GREEN = {"status": [{"system": "Apps", "status": "green"}], "incidents": []}
RED = {"status": [{"system": "Apps", "status": "red"}], "incidents": [{"title": "Routing errors"}]}
QUIET = {"status": {"indicator": "none", "description": "All Systems Operational"}}
_KEYS = st.sampled_from(["status", "incidents", "indicator", "system", "title"])
MAJOR = {"status": {"indicator": "major", "description": "Partial System Outage"}}


@pytest.mark.parametrize(
    ("said", "ok", "words"),
    [
        (GREEN, True, "reports no incident (all systems green)"),
        (RED, False, "reports: Routing errors; Apps red"),
        (QUIET, True, "reports no incident (All Systems Operational)"),
        (MAJOR, False, "reports: Partial System Outage"),
        ({"page": "?"}, None, "has a form that is not known"),
        ([], None, "has a form that is not known"),
    ],
)
def test_both_forms_are_read(said: object, ok: bool | None, words: str) -> None:
    """Heroku's own and Statuspage's; anything else is not known, and not green."""
    page = status_page("primary", URL, json.dumps(said).encode())
    assert (page.ok, words in page.text) == (ok, True), page.text


@given(
    st.binary(max_size=300)
    | st.recursive(st.none() | st.booleans() | st.text(), st.lists).map(json.dumps).map(str.encode)
)
def test_whatever_it_sends_is_read_without_a_fault(body: bytes) -> None:
    """A page that is broken says nothing."""
    assert status_page("primary", URL, body).ok in (None, True, False)


@pytest.mark.parametrize(("ok", "level"), [(True, Level.PASS), (False, Level.WARN), (None, Level.WARN)])
def test_it_is_a_finding_and_never_a_block(ok: bool | None, level: Level) -> None:
    """An incident and silence warn; a green page changes nothing of what checks say."""
    page = StatusPage(deployment="backup", url=URL, ok=ok, text="its status page says so")
    (finding,) = [f for f in findings(observed(status_pages=(page,)), "backup") if f.check == "platform-status"]
    assert (finding.level, finding.text) == (level, "backup: its status page says so")
