"""The simulated Hetzner answers as the real one did, where that was recorded, and keeps its documented rules."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from dns_servers.hetzner_simulator import PREFIX, HetznerSimulator
from dns_servers.recordings import conversation, needs_recordings, recordings, shape

Json = dict[str, Any]
ZONE = "shop.example"
TOKEN = "A" * 64


@needs_recordings
@pytest.mark.parametrize("file", recordings("hetzner"), ids=lambda file: file.stem)
def test_a_recorded_conversation_gets_the_recorded_answers(file: Path) -> None:
    """Every recorded request gets the recorded status and the same JSON structure.

    An action is done when it was in the recording; its number is the simulator's own.
    """
    steps = conversation(file)
    zone = next((body["zone"] for body in map(_body, steps) if "zone" in body), {"name": ZONE, "id": 1})
    with HetznerSimulator([zone["name"]], seconds=3600) as simulator, httpx.Client() as client:
        simulator.zones[zone["name"]].id = zone["id"]
        _prepare(simulator, zone["name"], steps)
        for step in steps:
            request, recorded = step["request"], _body(step)
            if (recorded.get("action") or {}).get("status") == "success":
                simulator.finish()
            path = request["url"].partition(PREFIX)[2]
            if simulator.actions:
                path = re.sub(r"(?<=/zones/actions/)\d+", str(simulator.actions[-1].id), path)
            answer = client.request(request["method"], simulator.endpoint + path, content=request["body"])
            assert answer.status_code == step["response"]["status"], request
            assert shape(answer.json()) == shape(recorded), request
            assert answer.headers.keys() >= {"ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"}


def _body(step: Json) -> Json:
    found: Json = json.loads(step["response"]["body"])
    return found


def _prepare(simulator: HetznerSimulator, zone: str, steps: list[Json]) -> None:
    """The record sets that the recording shows before it creates them itself."""
    created: set[tuple[str, str]] = set()
    for step in steps:
        path = re.search(r"/rrsets/([^/?]+)/([A-Z]+)/actions/add_records", step["request"]["url"])
        if path:
            created.add((path[1], path[2]))
        for one in _body(step).get("rrsets", ()):
            key = (one["name"], one["type"])
            if key not in created and key not in simulator.zones[zone].sets:
                for record in one["records"]:
                    simulator.add(zone, *key, one["ttl"], record["value"])


@pytest.fixture
def simulator() -> Iterator[HetznerSimulator]:
    with HetznerSimulator([ZONE], TOKEN) as running:
        running.add(ZONE, "www", "A", 3600, "192.0.2.1", "the first")
        yield running


@pytest.fixture
def client(simulator: HetznerSimulator) -> Iterator[httpx.Client]:
    url = f"{simulator.endpoint}/zones/{ZONE}/rrsets"
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}) as opened:
        yield opened


def _set(name: str, rtype: str, *values: str, ttl: int | None = 3600) -> Json:
    return {"name": name, "type": rtype, "ttl": ttl, "records": [{"value": value} for value in values]}


def test_a_set_is_created_changed_and_deleted(simulator: HetznerSimulator, client: httpx.Client) -> None:
    """Each request gives an action, and changes what it is for and nothing else."""
    created = client.post("", json=_set("api", "A", "192.0.2.9") | {"labels": {"team": "shop"}})
    assert (created.status_code, created.json()["rrset"]["labels"]) == (201, {"team": "shop"})
    assert created.json()["action"]["command"] == "create_rrset"
    records = {"records": [{"value": "192.0.2.10", "comment": "new"}]}
    assert client.post("/api/A/actions/set_records", json=records).status_code == 201
    assert client.post("/api/A/actions/change_ttl", json={"ttl": None}).status_code == 201
    found = client.get("", params={"name": "api"}).json()["rrsets"]
    assert [(s["ttl"], s["records"], s["labels"]) for s in found] == [(None, records["records"], {"team": "shop"})]
    assert client.delete("/api/A").status_code == 201
    assert client.get("/api/A").status_code == 404


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        (_set("api", "A", "192.0.2.999"), 422, "invalid_input"),
        (_set("api", "A", "192.0.2.1", ttl=59), 422, "invalid_input"),
        (_set("api", "A", "192.0.2.1", "192.0.2.1"), 422, "invalid_input"),
        (_set("api", "A"), 422, "invalid_input"),
        (_set("api", "ALIAS", "backup.example.net."), 422, "invalid_input"),
        (_set("API", "A", "192.0.2.1"), 422, "invalid_input"),
        (_set(f"api.{ZONE}", "A", "192.0.2.1"), 422, "invalid_input"),
        (_set("api", "TXT", "no quotes"), 422, "invalid_input"),
        (_set("www", "CNAME", "backup.example.net."), 422, "invalid_input"),
        (_set("@", "CNAME", "backup.example.net."), 422, "invalid_input"),
        (_set("www", "A", "192.0.2.9"), 409, "uniqueness_error"),
    ],
)
def test_what_is_refused_changes_nothing(
    simulator: HetznerSimulator, client: httpx.Client, given: Json, status: int, code: str
) -> None:
    """With a code and words."""
    before = simulator.records(ZONE)
    answer = client.post("", json=given)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert simulator.records(ZONE) == before


def test_a_protected_set_is_neither_changed_nor_deleted(simulator: HetznerSimulator, client: httpx.Client) -> None:
    """#tag/zone-rrset-actions: change an RRSet's protection"""
    simulator.change(ZONE, "www", "A", protection={"change": True})
    for answer in (client.delete("/www/A"), client.post("/www/A/actions/change_ttl", json={"ttl": 60})):
        assert (answer.status_code, answer.json()["error"]["code"]) == (423, "protected")


def test_records_are_added_only_with_the_ttl_of_their_set(simulator: HetznerSimulator, client: httpx.Client) -> None:
    """And the set goes with its last record."""
    record = {"records": [{"value": "192.0.2.2"}]}
    assert client.post("/www/A/actions/add_records", json=record | {"ttl": 60}).status_code == 422
    assert client.post("/www/A/actions/add_records", json=record | {"ttl": 3600}).status_code == 201
    assert client.post("/www/A/actions/remove_records", json=record).status_code == 201
    assert client.post("/www/A/actions/remove_records", json={"records": [{"value": "192.0.2.1"}]}).status_code == 201
    assert client.get("/www/A").status_code == 404


def test_a_list_has_pages(simulator: HetznerSimulator, client: httpx.Client) -> None:
    """Of up to 100 record sets, and 50 of everything else."""
    for number in range(150):
        simulator.add(ZONE, f"n{number}", "A", 60, "192.0.2.1")
    first = client.get("", params={"per_page": 100}).json()
    assert (len(first["rrsets"]), first["meta"]["pagination"]["next_page"]) == (100, 2)
    second = client.get("", params={"per_page": 100, "page": 2}).json()
    assert (len(second["rrsets"]), second["meta"]["pagination"]["next_page"]) == (53, None)
    assert client.get("", params={"per_page": 101}).status_code == 422
    zones = f"{simulator.endpoint}/zones"
    assert [client.get(zones, params={"per_page": size}).status_code for size in (50, 51)] == [200, 422]


def test_a_token_may_do_what_it_may(simulator: HetznerSimulator, client: httpx.Client) -> None:
    """A wrong one, and one that may only read, are told apart by their codes."""
    wrong = client.get("", headers={"Authorization": "Bearer wrong"})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "unauthorized")
    simulator.read_only = True
    assert client.get("").status_code == 200
    answer = client.delete("/www/A")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "token_readonly")


def test_a_copy_shows_no_record_sets(simulator: HetznerSimulator, client: httpx.Client) -> None:
    """#tag/zones: secondary mode"""
    simulator.zones[ZONE].mode = "secondary"
    for answer in (client.get(""), client.delete("/www/A")):
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "incorrect_zone_mode")


def test_an_action_takes_its_time(simulator: HetznerSimulator, client: httpx.Client) -> None:
    """What it does may be shown only when it is done, and the zone may be locked meanwhile."""
    simulator.late = simulator.locks = True
    simulator.seconds = 3600
    action = client.delete("/www/A").json()["action"]
    assert (action["status"], action["finished"]) == ("running", None)
    assert client.get("/www/A").status_code == 200
    assert client.post("", json=_set("api", "A", "192.0.2.9")).json()["error"]["code"] == "locked"
    simulator.finish()
    shown = client.get(f"{simulator.endpoint}/zones/actions/{action['id']}").json()["action"]
    assert (shown["status"], shown["error"]) == ("success", None)
    assert client.get("/www/A").status_code == 404


def test_an_action_that_fails_says_why(simulator: HetznerSimulator, client: httpx.Client) -> None:
    """#description/actions"""
    simulator.late = True
    simulator.fails = ("action_failed", "Action failed")
    action = client.delete("/www/A").json()["action"]
    simulator.finish()
    shown = client.get(f"{simulator.endpoint}/zones/actions/{action['id']}").json()["action"]
    assert (shown["status"], shown["error"]["code"]) == ("error", "action_failed")
    assert client.get("/www/A").status_code == 200
