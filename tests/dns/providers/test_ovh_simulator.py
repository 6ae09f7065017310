"""The simulated OVHcloud answers as the real one did, where that was recorded, and keeps its documented rules."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from dns_servers.ovh_simulator import PREFIX, Keys, OvhSimulator
from dns_servers.recordings import conversation, needs_recordings, recordings, shape

Json = dict[str, Any]
ZONE = "pacalis.net"


@needs_recordings
@pytest.mark.parametrize("file", recordings("ovh"), ids=lambda file: file.stem)
def test_a_recorded_conversation_gets_the_recorded_answers(file: Path) -> None:
    """Every recorded request gets the recorded status and the same JSON structure. Their signatures were not kept."""
    steps = conversation(file)
    with OvhSimulator([ZONE]) as simulator, httpx.Client() as client:
        _prepare(simulator, steps)
        for step in steps:
            request, recorded = step["request"], step["response"]
            if request["method"] == "POST" and request["url"].endswith("/record"):
                simulator.next_id = json.loads(recorded["body"])["id"]
            url = simulator.endpoint + request["url"].partition(PREFIX)[2]
            answer = client.request(request["method"], url, content=request["body"])
            assert answer.status_code == recorded["status"], request
            assert shape(answer.json()) == shape(json.loads(recorded["body"]))


def _prepare(simulator: OvhSimulator, steps: list[Json]) -> None:
    """The records that the recording shows before it creates them itself."""
    there = simulator.zones[ZONE].objects["record"]
    created: set[int] = set()
    for step in steps:
        answer = json.loads(step["response"]["body"])
        if step["request"]["method"] == "POST" and answer is not None:
            created.add(answer["id"])
        if isinstance(answer, dict) and "fieldType" in answer and answer["id"] not in {*created, *there}:
            there[answer["id"]] = answer
        if isinstance(answer, list) and "/record?" in step["request"]["url"]:
            query = httpx.URL(step["request"]["url"]).params
            for one in set(answer) - created - set(there):
                there[one] = {"id": one, "fieldType": query["fieldType"], "subDomain": query["subDomain"]}


class _Signed(httpx.Auth):
    requires_request_body = True

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self.ahead = 0

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        now = str(int(time.time()) + self.ahead)
        parts = (self.keys.secret, self.keys.consumer, request.method, str(request.url), request.content.decode(), now)
        request.headers["X-Ovh-Application"] = self.keys.application
        request.headers["X-Ovh-Consumer"] = self.keys.consumer
        request.headers["X-Ovh-Timestamp"] = now
        request.headers["X-Ovh-Signature"] = "$1$" + hashlib.sha1("+".join(parts).encode()).hexdigest()
        yield request


@pytest.fixture
def keys() -> Keys:
    return Keys("a" * 16, "b" * 32, "c" * 32)


@pytest.fixture
def simulator(keys: Keys) -> Iterator[OvhSimulator]:
    with OvhSimulator(["shop.example"], keys) as running:
        running.add("shop.example", "www", "A", 300, "192.0.2.1")
        yield running


@pytest.fixture
def client(simulator: OvhSimulator, keys: Keys) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{simulator.endpoint}/domain/zone/shop.example", auth=_Signed(keys)) as opened:
        yield opened


def _record(label: str, rtype: str, target: str, **more: object) -> Json:
    return {"subDomain": label, "fieldType": rtype, "target": target, **more}


@pytest.mark.parametrize(("asked", "stored"), [(0, 0), (1, 60), (60, 60), (10**6, 10**6)])
def test_a_ttl_below_60_is_made_60(client: httpx.Client, asked: int, stored: int) -> None:
    """But for 0, the zone's default."""
    assert client.post("/record", json=_record("new", "A", "192.0.2.9", ttl=asked)).json()["ttl"] == stored


def test_what_is_stored_is_published_by_a_refresh(simulator: OvhSimulator, client: httpx.Client) -> None:
    """Not before."""
    made = client.post("/record", json=_record("new", "A", "192.0.2.9")).json()
    assert made in simulator.records("shop.example")
    assert made not in simulator.published("shop.example")
    assert client.post("/refresh").json() is None
    assert made in simulator.published("shop.example")


@pytest.mark.parametrize(
    "record",
    [
        _record("www", "CNAME", "backup.example.net."),
        _record("", "CNAME", "backup.example.net."),
        _record("alias", "A", "192.0.2.9"),
        _record("new", "A", "192.0.2.999"),
        _record("new", "ALIAS", "backup.example.net."),
        _record("un_der", "A", "192.0.2.9"),
    ],
    ids=lambda record: f"{record['subDomain']} {record['fieldType']}",
)
def test_what_is_not_taken(simulator: OvhSimulator, client: httpx.Client, record: Json) -> None:
    """The answer says why, and nothing is changed."""
    simulator.add("shop.example", "alias", "CNAME", 300, "primary.example.net.")
    before = simulator.records("shop.example")
    answer = client.post("/record", json=record)
    assert answer.status_code == 400
    assert answer.json()["message"]
    assert simulator.records("shop.example") == before


def test_a_filter_is_like(simulator: OvhSimulator, client: httpx.Client) -> None:
    """It may give more than what is asked for; empty it may mean all."""
    for label in ("_a", "xa", ""):
        simulator.add("shop.example", label, "TXT", 300, '"text"')
    assert len(client.get("/record", params={"subDomain": "_a"}).json()) == 2
    assert len(client.get("/record", params={"subDomain": ""}).json()) == 1
    simulator.empty_means_all = True
    assert len(client.get("/record", params={"subDomain": ""}).json()) == 4


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ("application", 403, "INVALID_KEY"),
        ("consumer", 403, "NOT_CREDENTIAL"),
        ("secret", 400, "INVALID_SIGNATURE"),
    ],
)
def test_a_wrong_key_is_told(client: httpx.Client, keys: Keys, wrong: str, status: int, code: str) -> None:
    """Which of the three it is."""
    other = Keys(keys.application, keys.secret, keys.consumer)
    setattr(other, wrong, "x" * 32)
    answer = client.get("/record", auth=_Signed(other))
    assert (answer.status_code, answer.json()["errorCode"]) == (status, code)


def test_a_signature_expires_and_a_rule_is_needed(client: httpx.Client, keys: Keys) -> None:
    """Without a signature nothing but the time is told."""
    late = _Signed(keys)
    late.ahead = -600
    assert client.get("/record", auth=late).json()["errorCode"] == "QUERY_TIME_OUT"
    keys.rules = [("GET", "/domain/zone/shop.example/*")]
    assert client.get("/record").status_code == 200
    refused = client.post("/record", json=_record("new", "A", "192.0.2.9"))
    assert (refused.status_code, refused.json()["errorCode"]) == (403, "NOT_GRANTED_CALL")
    endpoint = str(client.base_url).partition("/domain")[0]
    assert httpx.get(f"{endpoint}/auth/time").json() > 0
    assert httpx.get(f"{endpoint}/domain/zone").status_code == 403
