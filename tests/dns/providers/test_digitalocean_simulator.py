"""The simulated DigitalOcean answers as the real one did, where that was recorded, and keeps its documented rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from dns_servers.digitalocean_simulator import PREFIX, DigitalOceanSimulator
from dns_servers.recordings import conversation, needs_recordings, recordings, shape

Json = dict[str, Any]
RECORDED = "foxwoodswebsites.com"
ZONE = "shop.example"
TOKEN = "dop_v1_" + "0" * 64


@needs_recordings
@pytest.mark.parametrize("file", recordings("digitalocean"), ids=lambda file: file.stem)
def test_a_recorded_conversation_gets_the_recorded_answers(file: Path) -> None:
    """Every recorded request gets the recorded status and JSON structure, and the headers that tell the limits."""
    steps = conversation(file)
    with DigitalOceanSimulator([RECORDED]) as simulator, httpx.Client() as client:
        ids = _prepare(simulator, steps)
        for step in steps:
            request, recorded = step["request"], step["response"]
            path = request["url"].partition(PREFIX)[2]
            for theirs, ours in ids.items():
                path = path.replace(f"/records/{theirs}", f"/records/{ours}")
            answer = client.request(request["method"], simulator.endpoint + path, content=request["body"])
            assert answer.status_code == recorded["status"], request
            assert {"ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"} <= set(answer.headers)
            if recorded["body"]:
                body = json.loads(recorded["body"])
                assert shape(answer.json()) == shape(body)
                if request["method"] == "POST":
                    ids[body["domain_record"]["id"]] = answer.json()["domain_record"]["id"]


def _prepare(simulator: DigitalOceanSimulator, steps: list[Json]) -> dict[int, int]:
    """The records that the recording shows and does not create itself: their recorded ids with the simulator's."""
    bodies = [json.loads(step["response"]["body"] or "{}") for step in steps]
    created = {body["domain_record"]["id"] for body in bodies if "domain_record" in body}
    listed = {one["id"]: one for body in bodies for one in body.get("domain_records", ())}
    simulator.domains[RECORDED].clear()
    return {
        theirs: simulator.add(RECORDED, one["name"], one["type"], one["ttl"], one["data"])
        for theirs, one in listed.items()
        if theirs not in created
    }


@pytest.fixture
def simulator() -> Iterator[DigitalOceanSimulator]:
    with DigitalOceanSimulator([ZONE], TOKEN) as running:
        running.add(ZONE, "www", "A", 1800, "192.0.2.1")
        yield running


@pytest.fixture
def client(simulator: DigitalOceanSimulator) -> Iterator[httpx.Client]:
    url = f"{simulator.endpoint}/domains/{ZONE}/records"
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}) as opened:
        yield opened


def record(name: str, rtype: str, data: str, **more: object) -> Json:
    return {"name": name, "type": rtype, "data": data, **more}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (record("api", "CNAME", "backup.example.net"), "end with a dot"),
        (record("api", "MX", "mail.shop.example", priority=10), "end with a dot"),
        (record("www", "CNAME", "backup.example.net."), "cannot share a name"),
        (record("@", "CNAME", "backup.example.net."), "cannot share a name"),
        (record("api", "A", "192.0.2.999"), "not an address"),
        (record("api", "AAAA", "192.0.2.9"), "not an address"),
        (record("api", "A", "192.0.2.9", ttl=29), "TTL"),
        (record("api", "HTTPS", "1 ."), "Type"),
        (record("api", "ALIAS", "backup.example.net."), "Type"),
        (record("", "A", "192.0.2.9"), "blank"),
    ],
)
def test_what_is_refused_changes_nothing(
    simulator: DigitalOceanSimulator, client: httpx.Client, given: Json, message: str
) -> None:
    """With status 422 and the reason in words."""
    before = simulator.records(ZONE)
    answer = client.post("", json=given)
    assert (answer.status_code, answer.json()["id"]) == (422, "unprocessable_entity")
    assert message in answer.json()["message"]
    assert simulator.records(ZONE) == before


def test_nothing_goes_beside_a_cname(client: httpx.Client) -> None:
    """Nor becomes one in place, where other records stand at its name."""
    assert client.post("", json=record("api", "CNAME", "backup.example.net.")).status_code == 201
    assert client.post("", json=record("api", "TXT", "a text")).status_code == 422


def test_host_names_are_shown_without_their_dot(client: httpx.Client) -> None:
    """And the domain itself as "@"."""
    made = [client.post("", json=record(name, "CNAME", f"{name}.example.")) for name in ("other", "shop")]
    assert [answer.json()["domain_record"]["data"] for answer in made] == ["other.example", "@"]


def test_a_record_is_changed_in_place(simulator: DigitalOceanSimulator, client: httpx.Client) -> None:
    """It keeps its id, and what the request does not speak of."""
    (one,) = simulator.records(ZONE)
    for method in ("PATCH", "PUT"):
        answer = client.request(method, f"/{one['id']}", json={"type": "A", "data": "198.51.100.1"})
        assert answer.json()["domain_record"] == {**one, "data": "198.51.100.1"}
    assert client.get(f"/{one['id']}").json()["domain_record"]["data"] == "198.51.100.1"


def test_all_records_of_a_name_and_type_have_the_last_ttl(
    simulator: DigitalOceanSimulator, client: httpx.Client
) -> None:
    """Whether it came by a new record or a changed one; other types keep theirs."""
    simulator.add(ZONE, "www", "AAAA", 1800, "2001:db8::1")
    first = simulator.records(ZONE)[0]["id"]
    client.post("", json=record("www", "A", "192.0.2.2", ttl=60))
    assert [one["ttl"] for one in simulator.records(ZONE)] == [60, 1800, 60]
    client.patch(f"/{first}", json={"type": "A", "ttl": 300})
    assert [one["ttl"] for one in simulator.records(ZONE)] == [300, 1800, 300]


def test_lists_have_pages(simulator: DigitalOceanSimulator, client: httpx.Client) -> None:
    """Of 20, unless the request asks for more; 200 are the most."""
    for number in range(250):
        simulator.add(ZONE, f"n{number}", "A", 1800, "192.0.2.1")
    assert len(client.get("").json()["domain_records"]) == 20
    first = client.get("", params={"per_page": 500}).json()
    assert (len(first["domain_records"]), first["meta"]) == (200, {"total": 255})
    second = client.get(first["links"]["pages"]["next"]).json()
    assert len(second["domain_records"]) == 55
    assert set(second["links"]["pages"]) == {"first", "prev"}


@pytest.mark.parametrize(
    ("query", "names"),
    [({"name": f"www.{ZONE}"}, ["www"]), ({"name": "www"}, []), ({"name": ZONE, "type": "SOA"}, ["@"])],
)
def test_records_are_found_by_their_full_name(client: httpx.Client, query: Json, names: list[str]) -> None:
    """And by their type."""
    assert [one["name"] for one in client.get("", params=query).json()["domain_records"]] == names


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        ({"domain:read"}, ["GET"]),
        ({"domain:update"}, ["POST", "PATCH", "DELETE"]),
        ({"domain:create", "domain:delete"}, ["POST", "DELETE"]),
    ],
)
def test_a_token_may_do_what_its_scopes_say(
    simulator: DigitalOceanSimulator, client: httpx.Client, scopes: set[str], allowed: list[str]
) -> None:
    """A wrong token is told apart from one that lacks a scope."""
    simulator.scopes = scopes
    (one,) = simulator.records(ZONE)
    asked: list[tuple[str, str, Json | None]] = [
        ("GET", "", None),
        ("POST", "", record("new", "A", "192.0.2.9")),
        ("PATCH", f"/{one['id']}", {"type": "A", "ttl": 60}),
        ("DELETE", f"/{one['id']}", None),
    ]
    statuses = {method: client.request(method, path, json=body).status_code for method, path, body in asked}
    assert [method for method, status in statuses.items() if status < 300] == allowed
    assert {status for method, status in statuses.items() if method not in allowed} == {403}
    assert client.get("", headers={"Authorization": "Bearer wrong"}).status_code == 401
