"""The simulated deSEC answers as the real one did, where that was recorded, and keeps its documented rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from dns_servers.desec_simulator import PAGE, PREFIX, DesecSimulator
from dns_servers.recordings import conversation, needs_recordings, recordings, shape

Json = dict[str, Any]
TOKEN = "A" * 28


@needs_recordings
@pytest.mark.parametrize("file", recordings("desec"), ids=lambda file: file.stem)
def test_a_recorded_conversation_gets_the_recorded_answers(file: Path) -> None:
    """Every recorded request gets the recorded status and the same JSON structure.

    One is left out: the answer that shows a domain was recorded without its content.
    """
    steps = conversation(file)
    with DesecSimulator(["desec.lexicon"]) as simulator, httpx.Client() as client:
        _prepare(simulator, steps)
        for step in steps:
            request, recorded = step["request"], step["response"]
            url = simulator.endpoint + request["url"].partition(PREFIX)[2]
            answer = client.request(request["method"], url, content=request["body"])
            assert answer.status_code == recorded["status"], request
            if recorded["body"] and recorded["body"] != "{}":
                assert shape(answer.json()) == shape(json.loads(recorded["body"]))


def _prepare(simulator: DesecSimulator, steps: list[Json]) -> None:
    """The record sets that the recording shows before it creates them itself."""
    created: set[tuple[str, str]] = set()
    for step in steps:
        answer = json.loads(step["response"]["body"] or "{}")
        if step["request"]["method"] == "POST":
            created.add((answer["subname"], answer["type"]))
        for one in answer if isinstance(answer, list) else ():
            key = (one["subname"], one["type"])
            if key not in created and key not in simulator.domains["desec.lexicon"].sets:
                for value in one["records"]:
                    simulator.add("desec.lexicon", *key, one["ttl"], value)


@pytest.fixture
def simulator() -> Iterator[DesecSimulator]:
    with DesecSimulator(["shop.example"], TOKEN) as running:
        running.add("shop.example", "www", "A", 3600, "192.0.2.1")
        yield running


@pytest.fixture
def client(simulator: DesecSimulator) -> Iterator[httpx.Client]:
    url = f"{simulator.endpoint}/domains/shop.example/rrsets/"
    with httpx.Client(base_url=url, headers={"Authorization": f"Token {TOKEN}"}) as opened:
        yield opened


def _set(subname: str, rtype: str, *records: str, ttl: int = 3600) -> Json:
    return {"subname": subname, "type": rtype, "ttl": ttl, "records": list(records)}


def test_a_bulk_request_changes_a_type(client: httpx.Client) -> None:
    """Whatever the order of its parts; what is deleted is not in the answer."""
    body = [_set("www", "CNAME", "backup.example.net."), {"subname": "www", "type": "A", "records": []}]
    answer = client.patch("", json=body)
    assert (answer.status_code, [one["type"] for one in answer.json()]) == (200, ["CNAME"])


@pytest.mark.parametrize(
    "part",
    [
        _set("api", "A", "192.0.2.999"),
        _set("api", "A", "192.0.2.1", ttl=60),
        _set("api", "ALIAS", "backup.example.net."),
        _set("api", "CNAME", "backup.example.net"),
        _set("", "CNAME", "backup.example.net."),
        _set("www", "CNAME", "backup.example.net."),
        _set("API", "A", "192.0.2.1"),
        {"subname": "api", "type": "A", "records": ["192.0.2.1"]},
    ],
)
def test_a_bulk_request_with_one_fault_changes_nothing(
    simulator: DesecSimulator, client: httpx.Client, part: Json
) -> None:
    """The faults stand in the order of the parts, and those without one are empty."""
    simulator.add("shop.example", "", "NS", 3600, "ns1.desec.example.")
    before = simulator.records("shop.example")
    answer = client.patch("", json=[_set("new", "A", "192.0.2.9"), part])
    assert answer.status_code == 400
    assert answer.json()[0] == {}
    assert answer.json()[1]
    assert simulator.records("shop.example") == before


def test_a_long_list_needs_pages(simulator: DesecSimulator, client: httpx.Client) -> None:
    """Without a cursor it is refused; with one, the Link header leads on."""
    for number in range(PAGE):
        simulator.add("shop.example", f"n{number}", "A", 3600, "192.0.2.1")
    assert client.get("").status_code == 400
    first = client.get("", params={"cursor": ""})
    assert len(first.json()) == PAGE
    second = client.get(first.links["next"]["url"])
    assert len(second.json()) == 1
    assert "next" not in second.links


def test_a_token_may_do_what_it_may(simulator: DesecSimulator, client: httpx.Client) -> None:
    """A wrong one, and one without the permission, are told apart."""
    assert client.get("", headers={"Authorization": "Token wrong"}).status_code == 401
    simulator.domains["shop.example"].may_write = False
    assert client.get("").status_code == 200
    assert client.patch("", json=[_set("www", "A", "192.0.2.9")]).status_code == 403
