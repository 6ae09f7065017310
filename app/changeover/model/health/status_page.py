"""What a platform says of itself on its status page: a second opinion, which never outweighs a check."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from changeover.model.foreign_text import one_line

#: How much of a page's own words is shown.
_WORDS = 120
#: Pages that tell of the same at another address, which is asked as well. Heroku's own page gives way to Salesforce
#: Trust; Heroku's CLI (11.10, commands/status) asks that one where the first does not answer.
ALSO = {
    "https://status.heroku.com/api/v4/current-status": (
        "https://api.status.salesforce.com/v1/instances/status/preview?products=Heroku&childProducts=false"
    )
}


class StatusPage(Struct, frozen=True, kw_only=True):
    """One deployment's status page. `ok` is None where it does not answer or cannot be read: then nothing is known."""

    deployment: str
    url: str
    ok: bool | None
    text: str


def status_page(deployment: str, url: str, body: bytes) -> StatusPage:
    """Reads a page's JSON: Heroku's (`/api/v4/current-status`), Statuspage's (`/api/v2/status.json`), as many have, or
    Salesforce Trust's (`/v1/instances/status/preview`).

    Sources: status.heroku.com/pages/api; the "status" endpoint of the Statuspage API; api.status.salesforce.com/v1.
    """
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return StatusPage(deployment=deployment, url=url, ok=None, text="its status page cannot be read")
    if isinstance(found, list) and found and all(_is_instance(one) for one in found):
        return _trust(deployment, url, found)
    status = found.get("status") if isinstance(found, dict) else None
    if isinstance(status, list):
        return _heroku(deployment, url, status, found.get("incidents"))
    if isinstance(status, dict) and isinstance(status.get("indicator"), str):
        quiet = status["indicator"] == "none"
        said = one_line(str(status.get("description") or status["indicator"]), _WORDS)
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
    said = "all systems green" if quiet else one_line("; ".join([*titles, *bad]), _WORDS)
    return StatusPage(deployment=deployment, url=url, ok=quiet, text=_said(quiet, said))


def _is_instance(one: Any) -> bool:
    return isinstance(one, dict) and isinstance(one.get("key"), str) and isinstance(one.get("status"), str)


def _trust(deployment: str, url: str, instances: list[dict[str, Any]]) -> StatusPage:
    """Each part of the product has a word such as "OK", "INFORMATIONAL_NONCORE" or "MAJOR_INCIDENT_CORE"."""
    bad = [
        f"{one['key']} {one['status'].lower().replace('_', ' ')}"
        for one in instances
        if one["status"] != "OK" and not one["status"].startswith("INFORMATIONAL") and one.get("isActive") is not False
    ]
    said = one_line("; ".join(bad), _WORDS) if bad else "all instances are well"
    return StatusPage(deployment=deployment, url=url, ok=not bad, text=_said(not bad, said))


def worse(first: StatusPage, second: StatusPage) -> StatusPage:
    """Of two pages about the same, the one that tells an incident; else the first that tells anything."""
    for ok in (False, True):
        for page in (first, second):
            if page.ok is ok:
                return page
    return first


def _said(quiet: bool, words: str) -> str:
    return f"its status page reports no incident ({words})" if quiet else f"its status page reports: {words}"
