"""What a platform says of itself on its status page: a second opinion, which never outweighs a check."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

#: How much of a page's own words is shown.
_WORDS = 120


class StatusPage(Struct, frozen=True, kw_only=True):
    """One deployment's status page. `ok` is None where it does not answer or cannot be read: then nothing is known."""

    deployment: str
    url: str
    ok: bool | None
    text: str


def status_page(deployment: str, url: str, body: bytes) -> StatusPage:
    """Reads a page's JSON: Heroku's (`/api/v4/current-status`), or Statuspage's (`/api/v2/status.json`), as many have.

    Sources: status.heroku.com/pages/api; the "status" endpoint of the Statuspage API.
    """
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return StatusPage(deployment=deployment, url=url, ok=None, text="its status page cannot be read")
    status = found.get("status") if isinstance(found, dict) else None
    if isinstance(status, list):
        return _heroku(deployment, url, status, found.get("incidents"))
    if isinstance(status, dict) and isinstance(status.get("indicator"), str):
        quiet = status["indicator"] == "none"
        said = str(status.get("description") or status["indicator"])[:_WORDS]
        return StatusPage(deployment=deployment, url=url, ok=quiet, text=_said(quiet, said))
    return StatusPage(deployment=deployment, url=url, ok=None, text="its status page has a form that is not known")


def _heroku(deployment: str, url: str, systems: list[Any], incidents: Any) -> StatusPage:
    bad = [
        f"{system.get('system')} {system.get('status')}"
        for system in systems
        if isinstance(system, dict) and system.get("status") != "green"
    ]
    titles = [str(i.get("title")) for i in incidents if isinstance(i, dict)] if isinstance(incidents, list) else []
    quiet = not bad and not titles
    said = "all systems green" if quiet else "; ".join([*titles, *bad])[:_WORDS]
    return StatusPage(deployment=deployment, url=url, ok=quiet, text=_said(quiet, said))


def _said(quiet: bool, words: str) -> str:
    return f"its status page reports no incident ({words})" if quiet else f"its status page reports: {words}"
