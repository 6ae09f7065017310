"""The simulated Linode answers as the real one did, where that was recorded, and keeps its documented rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from dns_servers.linode_simulator import PREFIX, Domain, LinodeSimulator
from dns_servers.recordings import conversation, needs_recordings, recordings, shape

Json = dict[str, Any]
TOKEN = "0123456789abcdef" * 4
DOMAIN = "lexicon-test.com"
#: What domains and records have since (get-domain, get-domain-record); the recordings are from 2018.
_SINCE = ("created", "updated", "tags")


@needs_recordings
@pytest.mark.parametrize("file", recordings("linode"), ids=lambda file: file.stem)
def test_a_recorded_conversation_gets_the_recorded_answers(file: Path) -> None:
    """Every recorded request gets the recorded status and the same JSON structure, but for what came since."""
    steps = conversation(file)
    with LinodeSimulator([DOMAIN]) as simulator, httpx.Client() as client:
        _prepare(simulator, steps)
        for step in steps:
            request, recorded = step["request"], step["response"]
            if request["method"] == "POST":
                simulator.next_id = json.loads(recorded["body"])["id"]
            url = simulator.endpoint + request["url"].partition(PREFIX)[2]
            headers = {key: value for key, value in request["headers"].items() if key == "X-Filter"}
            answer = client.request(request["method"], url, headers=headers, content=request["body"])
            assert answer.status_code == recorded["status"], request
            assert shape(_as_recorded(answer.json())) == shape(json.loads(recorded["body"]))


def _as_recorded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_recorded(member) for key, member in value.items() if key not in _SINCE}
    return [_as_recorded(member) for member in value] if isinstance(value, list) else value


def _prepare(simulator: LinodeSimulator, steps: list[Json]) -> None:
    """The domain's id, and the records that the recording shows before it creates them itself."""
    simulator.domains[DOMAIN] = domain = Domain(1065421, DOMAIN)
    created: set[int] = set()
    for step in steps:
        answer = json.loads(step["response"]["body"])
        if step["request"]["method"] == "POST":
            created.add(answer["id"])
        for one in answer.get("data", ()):
            if "target" in one and one["id"] not in {*created, *domain.records}:
                domain.records[one["id"]] = dict(one)


@pytest.fixture
def simulator() -> Iterator[LinodeSimulator]:
    with LinodeSimulator(["shop.example"], TOKEN) as running:
        running.add("shop.example", "www", "A", 300, "192.0.2.1")
        yield running


@pytest.fixture
def client(simulator: LinodeSimulator) -> Iterator[httpx.Client]:
    url = f"{simulator.endpoint}/domains/{simulator.domains['shop.example'].id}/records"
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}) as opened:
        yield opened


def _record(name: str, rtype: str, target: str, **more: object) -> Json:
    return {"name": name, "type": rtype, "target": target, **more}


@pytest.mark.parametrize(("asked", "stored"), [(0, 0), (1, 30), (60, 120), (300, 300), (301, 3600), (10**8, 2419200)])
def test_a_ttl_is_rounded_up(client: httpx.Client, asked: int, stored: int) -> None:
    """0 is the domain's default."""
    answer = client.post("", json=_record("new", "A", "192.0.2.9", ttl_sec=asked))
    assert (answer.status_code, answer.json()["ttl_sec"]) == (200, stored)


def test_a_name_loses_its_domain(client: httpx.Client) -> None:
    """Whether it comes with the domain or not."""
    names = [client.post("", json=_record(n, "TXT", "one")).json()["name"] for n in ("a", "a.shop.example", "")]
    assert names == ["a", "a", ""]


@pytest.mark.parametrize(
    "record",
    [
        _record("www", "CNAME", "backup.example.net"),
        _record("", "CNAME", "backup.example.net"),
        _record("alias", "A", "192.0.2.9"),
        _record("new", "A", "192.0.2.999"),
        _record("new", "HTTPS", "1 ."),
        _record("new", "ALIAS", "backup.example.net"),
        _record("@", "A", "192.0.2.9"),
        _record("*.apps", "A", "192.0.2.9"),
        _record("new", "CNAME", "backup"),
    ],
    ids=lambda record: f"{record['name']} {record['type']}",
)
def test_what_is_not_taken(simulator: LinodeSimulator, client: httpx.Client, record: Json) -> None:
    """The answer says which field is wrong, and nothing is changed."""
    simulator.add("shop.example", "alias", "CNAME", 300, "primary.example.net")
    before = simulator.records("shop.example")
    answer = client.post("", json=record)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] in ("name", "target", "type")
    assert simulator.records("shop.example") == before


def test_lists_have_pages_and_filters(simulator: LinodeSimulator, client: httpx.Client) -> None:
    """Pages of 25 to 500; a filter on fields that can be asked for."""
    for number in range(99):
        simulator.add("shop.example", f"n{number}", "A", 300, "192.0.2.1")
    pages = [client.get("", params={"page_size": 40, "page": page}).json() for page in (1, 2, 3)]
    assert [(len(page["data"]), page["pages"], page["results"]) for page in pages] == [(40, 3, 100)] * 2 + [
        (20, 3, 100)
    ]
    assert client.get("", params={"page_size": 501}).status_code == 400
    found = client.get("", headers={"X-Filter": json.dumps({"+or": [{"name": "n1"}, {"name": "n2"}]})}).json()
    assert [one["name"] for one in found["data"]] == ["n1", "n2"]
    assert client.get("", headers={"X-Filter": json.dumps({"ttl_sec": 300})}).status_code == 400


def test_a_token_may_do_what_it_may(simulator: LinodeSimulator, client: httpx.Client) -> None:
    """A wrong one, one without the scope, and one of a user without access to the domain are told apart."""
    new = _record("new", "A", "192.0.2.9")
    wrong = client.get("", headers={"Authorization": "Bearer wrong"})
    assert (wrong.status_code, wrong.headers.get("x-oauth-scopes")) == (401, None)
    simulator.grants = {"shop.example": "read_only"}
    assert client.post("", json=new).status_code == 403
    simulator.grants, simulator.scopes = None, "domains:read_only"
    read, refused = client.get(""), client.post("", json=new)
    assert (read.status_code, read.headers["x-oauth-scopes"]) == (200, "domains:read_only")
    assert (refused.status_code, refused.headers["x-accepted-oauth-scopes"]) == (401, "domains:read_write")
