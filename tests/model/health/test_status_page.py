"""Status pages: what they say is read, what they are not asked is not believed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.model.finding import Level
from changeover.model.health.status_page import StatusPage, status_page, worse
from changeover.model.readiness.all_checks import findings
from model.snapshots import observed

URL = "https://status.platform.example/api"
GREEN = {"status": [{"system": "Apps", "status": "green"}], "incidents": []}
RED = {"status": [{"system": "Apps", "status": "red"}], "incidents": [{"title": "Routing errors"}]}
QUIET = {"status": {"indicator": "none", "description": "All Systems Operational"}}
_KEYS = st.sampled_from(["status", "incidents", "indicator", "system", "title"])
TRUST = [{"key": "HEROKU-EU", "status": "OK", "isActive": True}, {"key": "HEROKU-US", "status": "OK"}]
TRUST_BAD = [*TRUST, {"key": "HEROKU-DATA", "status": "MAJOR_INCIDENT_CORE", "isActive": True}]
TRUST_TOLD = [*TRUST, {"key": "A", "status": "INFORMATIONAL_CORE"}, {"key": "B", "status": "X", "isActive": False}]
MAJOR = {"status": {"indicator": "major", "description": "Partial System Outage"}}


@pytest.mark.parametrize(
    ("said", "ok", "words"),
    [
        (GREEN, True, "reports no incident (all systems green)"),
        (RED, False, "reports: Routing errors; Apps red"),
        (QUIET, True, "reports no incident (All Systems Operational)"),
        (MAJOR, False, "reports: Partial System Outage"),
        (TRUST, True, "reports no incident (all instances are well)"),
        (TRUST_BAD, False, "reports: HEROKU-DATA major incident core"),
        (TRUST_TOLD, True, "reports no incident"),
        ([*TRUST, {"key": "C", "status": "MAINTENANCE_CORE"}], False, "reports: C maintenance core"),
        ([*TRUST, "?"], None, "has a form that is not known"),
        ({"page": "?"}, None, "has a form that is not known"),
        ([], None, "has a form that is not known"),
    ],
)
def test_each_form_is_read(said: object, ok: bool | None, words: str) -> None:
    """Heroku's own, Statuspage's and Salesforce Trust's; anything else is not known, and not green."""
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


@pytest.mark.parametrize("said", [RED, MAJOR, TRUST_BAD])
def test_a_pages_words_are_fit_to_be_shown(said: object) -> None:
    """Whatever is in them."""
    text = json.dumps(said).replace("outing", "\\u001b[2J").replace("Partial", "\\u202e").replace("DATA", "\\n\\u0007")
    assert status_page("primary", URL, text.encode()).text.isprintable()


@pytest.mark.parametrize("first", [None, True, False])
@pytest.mark.parametrize("second", [None, True, False])
def test_of_two_pages_an_incident_is_told(first: bool | None, second: bool | None) -> None:
    """And silence of one is not that of the other."""
    pages = [
        StatusPage(deployment="backup", url=str(number), ok=ok, text="") for number, ok in enumerate((first, second))
    ]
    expected = False if False in (first, second) else True if True in (first, second) else None
    assert worse(*pages).ok is expected
    assert worse(*pages).url == ("1" if first is not expected else "0")
