"""The simulated NS1 answers as the real one did, where that was recorded, and keeps its documented rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from dns_servers.ns1_simulator import PAGE, PREFIX, Ns1Simulator
from dns_servers.recordings import conversation, needs_recordings, recordings, shape

Json = dict[str, Any]
RECORDED = "lexicon-example.com"
ZONE = "shop.example"
WWW = "www.shop.example"
KEY = "K" * 20


@needs_recordings
@pytest.mark.parametrize("file", recordings("nsone"), ids=lambda file: file.stem)
def test_a_recorded_conversation_gets_the_recorded_answers(file: Path) -> None:
    """Every recorded request gets the recorded status and the same JSON structure."""
    steps = conversation(file)
    with Ns1Simulator([RECORDED]) as simulator, httpx.Client() as client:
        _prepare(simulator, steps)
        for step in steps:
            request, recorded = step["request"], step["response"]
            url = simulator.endpoint + request["url"].partition(PREFIX)[2]
            answer = client.request(request["method"], url, content=request["body"])
            assert answer.status_code == recorded["status"], request
            assert shape(answer.json()) == shape(json.loads(recorded["body"])), request
            assert answer.headers.keys() >= {"x-ratelimit-limit", "x-ratelimit-remaining"}


def _prepare(simulator: Ns1Simulator, steps: list[Json]) -> None:
    """The records that the recording shows before it creates them itself."""
    created: set[str] = set()
    for step in steps:
        if step["request"]["method"] == "PUT":
            created.add(step["request"]["url"].partition(f"{RECORDED}/")[2])
        for one in json.loads(step["response"]["body"]).get("records", ()):
            key = (one["domain"], one["type"])
            if "/".join(key) not in created and key not in simulator.zones[RECORDED].records:
                for value in one["short_answers"]:
                    simulator.add(RECORDED, *key, one["ttl"], value)


@pytest.fixture
def simulator() -> Iterator[Ns1Simulator]:
    with Ns1Simulator([ZONE], KEY) as running:
        running.add(ZONE, WWW, "A", 3600, "192.0.2.1")
        yield running


@pytest.fixture
def client(simulator: Ns1Simulator) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{simulator.endpoint}/zones/{ZONE}", headers={"X-NSONE-Key": KEY}) as opened:
        yield opened


def _given(*values: str, **more: Any) -> Json:
    return {"answers": [{"answer": [value]} for value in values], **more}


def test_a_record_is_created_changed_and_deleted(client: httpx.Client) -> None:
    """A POST changes what it says, and nothing else."""
    created = client.put("/api.shop.example/A", json=_given("192.0.2.9", ttl=60, use_client_subnet=False))
    assert (created.status_code, created.json()["use_client_subnet"]) == (200, False)
    assert client.post("/api.shop.example/A", json={"ttl": 120}).status_code == 200
    changed = client.post("/api.shop.example/A", json=_given("192.0.2.10")).json()
    assert (changed["ttl"], changed["use_client_subnet"]) == (120, False)
    assert [one["answer"] for one in changed["answers"]] == [["192.0.2.10"]]
    assert client.delete("/api.shop.example/A").json() == {}
    assert client.get("/api.shop.example/A").status_code == 404


@pytest.mark.parametrize(
    ("path", "given", "status", "words"),
    [
        ("/api.shop.example/A", _given("192.0.2.999"), 400, "invalid answer"),
        ("/api.shop.example/A", _given(), 400, "at least one answer"),
        ("/api.shop.example/A", _given("192.0.2.1", filters=None), 400, "'<obj>.filters'"),
        ("/www.elsewhere.example/A", _given("192.0.2.1"), 400, "not a valid domain"),
        ("/www.shop.example/A", _given("192.0.2.1"), 400, "already exists"),
        ("/shop.example/CNAME", _given("backup.example.net"), 400, "CNAME"),
        ("/note.shop.example/CNAME", _given("backup.example.net"), 400, "CNAME"),
        ("/shop.example/DNSKEY", _given("x"), 405, "not allowed"),
    ],
)
def test_what_is_refused_changes_nothing(
    simulator: Ns1Simulator, client: httpx.Client, path: str, given: Json, status: int, words: str
) -> None:
    """With a message."""
    simulator.add(ZONE, "note.shop.example", "TXT", 60, "a text")
    before = simulator.records(ZONE)
    answer = client.put(path, json=given)
    assert (answer.status_code, words in answer.json()["message"]) == (status, True)
    assert simulator.records(ZONE) == before


def test_addresses_and_a_cname_stand_together_meanwhile(client: httpx.Client) -> None:
    """help.ns1.com/hc/en-us/articles/360020249033"""
    assert client.put("/www.shop.example/CNAME", json=_given("backup.example.net")).status_code == 200
    assert client.put("/www.shop.example/AAAA", json=_given("2001:db8::1")).status_code == 200


def test_a_long_list_has_pages(simulator: Ns1Simulator, client: httpx.Client) -> None:
    """Which the Link header leads through."""
    for number in range(PAGE):
        simulator.add(ZONE, f"n{number:04}.shop.example", "A", 60, "192.0.2.1")
    first = client.get("")
    assert len(first.json()["records"]) == PAGE
    second = client.get(first.links["next"]["url"])
    assert [one["domain"] for one in second.json()["records"]] == [WWW]
    assert "next" not in second.links


def test_a_key_may_do_what_it_may(simulator: Ns1Simulator, client: httpx.Client) -> None:
    """A wrong one, and one without the permission, are told apart."""
    assert client.get("", headers={"X-NSONE-Key": "wrong"}).status_code == 401
    simulator.may_write = False
    assert client.get("").status_code == 200
    assert client.delete("/www.shop.example/A").status_code == 403
