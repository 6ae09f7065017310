"""The simulated Vultr answers as the real one did, where that was recorded, and keeps its documented rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from dns_servers.recordings import conversation, needs_recordings, recordings, shape
from dns_servers.vultr_simulator import PREFIX, VultrSimulator

Json = dict[str, Any]
RECORDED = "lexicon-test.eu"
ZONE = "shop.example"
KEY = "K" * 36


@needs_recordings
@pytest.mark.parametrize("file", recordings("vultr"), ids=lambda file: file.stem)
def test_a_recorded_conversation_gets_the_recorded_answers(file: Path) -> None:
    """Every recorded request gets the recorded status and the same JSON structure."""
    steps = conversation(file)
    with VultrSimulator([RECORDED, "another.example"]) as simulator, httpx.Client() as client:
        ids = _prepare(simulator, steps)
        for step in steps:
            request, recorded = step["request"], step["response"]
            path = request["url"].partition(PREFIX)[2]
            for theirs, ours in ids.items():
                path = path.replace(theirs, ours)
            answer = client.request(request["method"], simulator.endpoint + path, content=request["body"])
            assert answer.status_code == recorded["status"], request
            if recorded["body"]:
                body = json.loads(recorded["body"])
                assert shape(answer.json()) == shape(body)
                if request["method"] == "POST":
                    ids[body["record"]["id"]] = answer.json()["record"]["id"]
                    assert {**answer.json()["record"], "id": ""} == {**body["record"], "id": ""}


def _prepare(simulator: VultrSimulator, steps: list[Json]) -> dict[str, str]:
    """The records that the recording shows and does not create itself: their recorded ids with the simulator's."""
    bodies = [json.loads(step["response"]["body"] or "{}") for step in steps]
    created = {
        body["record"]["id"]
        for body, step in zip(bodies, steps, strict=True)
        if step["request"]["method"] == "POST" and "record" in body
    }
    listed = {one["id"]: one for body in bodies for one in body.get("records", ())}
    simulator.domains[RECORDED].clear()
    return {
        theirs: simulator.add(RECORDED, one["name"], one["type"], one["ttl"], one["data"], one["priority"])
        for theirs, one in listed.items()
        if theirs not in created
    }


@pytest.fixture
def simulator() -> Iterator[VultrSimulator]:
    with VultrSimulator([ZONE], KEY) as running:
        running.add(ZONE, "www", "A", 300, "192.0.2.1")
        yield running


@pytest.fixture
def client(simulator: VultrSimulator) -> Iterator[httpx.Client]:
    url = f"{simulator.endpoint}/domains/{ZONE}/records"
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {KEY}"}) as opened:
        yield opened


def record(name: str, rtype: str, data: str, **more: object) -> Json:
    return {"name": name, "type": rtype, "data": data, **more}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (record("www", "CNAME", "backup.example.net"), "must stand alone"),
        (record("", "CNAME", "backup.example.net"), "must stand alone"),
        (record("www", "A", "192.0.2.2", ttl=60), "TTL"),
        (record("api", "A", "192.0.2.999"), "Invalid IP"),
        (record("api", "AAAA", "192.0.2.9"), "Invalid IP"),
        (record("api", "TXT", '"half'), "enclosed in quotes"),
        (record("api", "TXT", '"one" "two"'), "beginning and end"),
        (record("api", "HTTPS", "1 ."), "needed"),
        (record("api", "ALIAS", "backup.example.net"), "needed"),
        (record("api", "A", ""), "needed"),
    ],
)
def test_what_is_refused_changes_nothing(
    simulator: VultrSimulator, client: httpx.Client, given: Json, message: str
) -> None:
    """With status 400 and the reason in words."""
    before = simulator.records(ZONE)
    answer = client.post("", json=given)
    assert (answer.status_code, answer.json()["status"]) == (400, 400)
    assert message in answer.json()["error"]
    assert simulator.records(ZONE) == before


def test_a_record_is_changed_in_place(simulator: VultrSimulator, client: httpx.Client) -> None:
    """It keeps its id, its type, and what the request does not speak of."""
    (one,) = simulator.records(ZONE)
    assert client.patch(f"/{one['id']}", json={"data": "198.51.100.1", "type": "AAAA"}).status_code == 204
    assert client.get(f"/{one['id']}").json()["record"] == {**one, "data": "198.51.100.1"}


def test_a_set_never_has_two_ttls(simulator: VultrSimulator, client: httpx.Client) -> None:
    """One record alone may get another TTL; beside others of its type it may not. Other types do not matter."""
    (one,) = simulator.records(ZONE)
    simulator.add(ZONE, "www", "AAAA", 900, "2001:db8::1")
    assert client.patch(f"/{one['id']}", json={"ttl": 60}).status_code == 204
    assert client.post("", json=record("www", "A", "192.0.2.2", ttl=60)).status_code == 201
    assert client.patch(f"/{one['id']}", json={"ttl": 300}).status_code == 400
    assert [r["ttl"] for r in simulator.records(ZONE)] == [60, 900, 60]


def test_a_text_is_shown_in_quotes(client: httpx.Client) -> None:
    """However it was given; backslashes stand for themselves."""
    for number, data in enumerate(("a text", '"a text"', ' "a text" ')):
        made = client.post("", json=record(f"n{number}", "TXT", data)).json()["record"]
        assert made["data"] == '"a text"'
    assert client.post("", json=record("back", "TXT", "a\\b")).json()["record"]["data"] == '"a\\b"'


def test_lists_have_pages(simulator: VultrSimulator, client: httpx.Client) -> None:
    """Of 100, unless the request asks for more; 500 are the most. The last has no cursor."""
    for number in range(600):
        simulator.add(ZONE, f"n{number}", "A", 300, "192.0.2.1")
    assert len(client.get("").json()["records"]) == 100
    first = client.get("", params={"per_page": 1000}).json()
    assert (len(first["records"]), first["meta"]["total"], first["meta"]["links"]["prev"]) == (500, 603, "")
    second = client.get("", params={"per_page": 500, "cursor": first["meta"]["links"]["next"]}).json()
    assert (len(second["records"]), second["meta"]["links"]["next"]) == (103, "")


def test_a_key_may_do_what_its_user_may(simulator: VultrSimulator, client: httpx.Client) -> None:
    """A wrong key, a wrong address and a missing permission each have their words."""
    wrong = client.get("", headers={"Authorization": "Bearer wrong"})
    assert (wrong.status_code, wrong.json()) == (401, {"error": "Invalid API token.", "status": 401})
    simulator.may_write = False
    assert client.get("").status_code == 200
    assert client.post("", json=record("api", "A", "192.0.2.9")).status_code == 403
    simulator.allowed = False
    assert "Unauthorized IP" in client.get("").json()["error"]
