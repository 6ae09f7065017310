"""The simulated DNSimple answers as the real one did, where that was recorded, and keeps its documented rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from changeover.dns.provider import Applied
from changeover.dns.providers.dnsimple import DnSimple, DnsimpleOptions
from changeover.model.dns.change import Change
from changeover.model.dns.records import record_set
from changeover.model.secret import Secret
from contracts import published
from dns_servers.dnsimple_simulator import ACCOUNT, LARGEST_BATCH, PREFIX, DnSimpleSimulator
from dns_servers.recordings import conversation, needs_recordings, recordings, shape

Json = dict[str, Any]
ZONE = "shop.example"
TOKEN = "dnsimple_a_" + "A" * 32
RECORDED_ACCOUNT, RECORDED_ZONE = 731, "lexicontest.us"


@needs_recordings
@pytest.mark.parametrize("file", recordings("dnsimple"), ids=lambda file: file.stem)
def test_a_recorded_conversation_gets_the_recorded_answers(file: Path) -> None:
    """Every recorded request gets the recorded status and the same JSON structure."""
    steps = conversation(file)
    with DnSimpleSimulator([RECORDED_ZONE]) as simulator, httpx.Client() as client:
        simulator.accounts = [RECORDED_ACCOUNT]
        _prepare(simulator, steps)
        for step in steps:
            request, recorded = step["request"], step["response"]
            if request["method"] == "POST":
                simulator.next_id = json.loads(recorded["body"])["data"]["id"]
            answer = client.request(
                request["method"],
                simulator.endpoint + request["url"].partition(PREFIX)[2],
                content=request["body"],
                headers={"Content-Type": "application/json"},
            )
            assert answer.status_code == recorded["status"], request
            assert {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"} <= {*answer.headers}
            if recorded["body"]:
                assert shape(answer.json()) == shape(json.loads(recorded["body"]))


def _prepare(simulator: DnSimpleSimulator, steps: list[Json]) -> None:
    """The records that the recording shows before it creates them itself."""
    zone, created = simulator.zones[RECORDED_ZONE], set()
    zone.records.clear()
    for step in steps:
        data = json.loads(step["response"]["body"] or "{}").get("data")
        if step["request"]["method"] == "POST":
            created.add(data["id"])
        for one in data if isinstance(data, list) else ():
            if "content" in one and one["id"] not in created:
                zone.records.setdefault(one["id"], one)


@pytest.fixture
def simulator() -> Iterator[DnSimpleSimulator]:
    with DnSimpleSimulator([ZONE], TOKEN) as running:
        running.add(ZONE, "www", "A", 3600, "192.0.2.1")
        yield running


@pytest.fixture
def client(simulator: DnSimpleSimulator) -> Iterator[httpx.Client]:
    url = f"{simulator.endpoint}/{ACCOUNT}/zones/{ZONE}"
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}) as opened:
        yield opened


def _create(name: str, rtype: str, content: str, **more: Any) -> Json:
    return {"name": name, "type": rtype, "content": content, **more}


def _number(simulator: DnSimpleSimulator, rtype: str = "A") -> int:
    return next(r["id"] for r in simulator.records(ZONE) if r["type"] == rtype)


def test_a_batch_changes_a_type(simulator: DnSimpleSimulator, client: httpx.Client) -> None:
    """What is deleted goes first, so that a CNAME can take its place."""
    number = _number(simulator)
    body = {"creates": [_create("www", "CNAME", "backup.example.net")], "deletes": [{"id": number}]}
    answer = client.post("/batch", json=body)
    assert (answer.status_code, answer.json()["data"]["deletes"]) == (200, [{"id": number}])
    assert [r["type"] for r in simulator.records(ZONE)] == ["CNAME"]


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"creates": [_create("api", "A", "192.0.2.999")]}, "not a valid A"),
        ({"creates": [_create("api", "MB", "x.example")]}, "unsupported"),
        ({"creates": [_create("api", "A", "192.0.2.1", ttl="x")]}, "not a number"),
        ({"creates": [_create("", "CNAME", "backup.example.net")]}, "stand alone"),
        ({"creates": [_create("www", "CNAME", "backup.example.net")]}, "stand alone"),
        ({"creates": [_create("www", "A", "192.0.2.1")]}, "Matching record already exists"),
        ({"updates": [{"id": 99, "content": "192.0.2.9"}]}, "Record not found ID=99"),
        ({"deletes": [{"id": 99}]}, "Record not found ID=99"),
        ({"creates": [_create(f"n{number}", "A", "192.0.2.1") for number in range(LARGEST_BATCH)]}, "too large"),
    ],
)
def test_a_batch_with_one_fault_changes_nothing(
    simulator: DnSimpleSimulator, client: httpx.Client, part: Json, words: str
) -> None:
    """The fault says which part it is."""
    before = simulator.records(ZONE)
    answer = client.post(
        "/batch", json={**part, "creates": [_create("new", "A", "192.0.2.2"), *part.get("creates", ())]}
    )
    assert answer.status_code == 400
    assert words in answer.text
    assert simulator.records(ZONE) == before


def test_batches_are_for_some_plans_and_zones(simulator: DnSimpleSimulator, client: httpx.Client) -> None:
    """412 says that the plan lacks them; a zone with integrated providers takes none."""
    simulator.zones[ZONE].integrated = True
    assert client.post("/batch", json={}).status_code == 400
    simulator.batches = False
    assert client.post("/batch", json={}).status_code == 412


def test_an_alias_has_a_text_that_comes_and_goes_with_it(simulator: DnSimpleSimulator, client: httpx.Client) -> None:
    """Its child, as the API shows by parent_id."""
    number = client.post("/records", json=_create("", "ALIAS", "primary.example.net", ttl=60)).json()["data"]["id"]
    client.patch(f"/records/{number}", json={"content": "backup.example.net", "ttl": 90})
    found = client.get("/records", params={"name": "", "type": "TXT"}).json()["data"]
    assert [(r["content"], r["ttl"], r["parent_id"]) for r in found] == [("ALIAS for backup.example.net", 90, number)]
    assert client.delete(f"/records/{number}").status_code == 204
    assert not client.get("/records", params={"name": "", "type": "TXT"}).json()["data"]


def test_the_systems_records_stay(simulator: DnSimpleSimulator, client: httpx.Client) -> None:
    """SOA and NS of the zone are not for users to change."""
    servers = client.get("/records", params={"type": "NS"}).json()["data"]
    assert [r["system_record"] for r in servers] == [True] * 4
    assert client.patch(f"/records/{servers[0]['id']}", json={"content": "ns.example.net"}).status_code == 400
    assert client.delete(f"/records/{servers[0]['id']}").status_code == 400


def test_lists_have_pages(simulator: DnSimpleSimulator, client: httpx.Client) -> None:
    """Of 30, or as many as are asked for, 100 at most."""
    for number in range(200):
        simulator.add(ZONE, f"n{number}", "A", 3600, "192.0.2.1")
    first = client.get("/records").json()
    assert (len(first["data"]), first["pagination"]["total_pages"]) == (30, 7)
    third = client.get("/records", params={"per_page": 500, "page": 3}).json()
    assert third["pagination"] == {"current_page": 3, "per_page": 100, "total_entries": 206, "total_pages": 3}
    assert len(third["data"]) == 6


def test_a_token_may_do_what_it_may(simulator: DnSimpleSimulator, client: httpx.Client) -> None:
    """A wrong one, one without the scope, an unpaid account and one over its limit are told apart."""
    assert client.get("", headers={"Authorization": "Bearer wrong"}).status_code == 401
    simulator.zones[ZONE].may_write = False
    assert client.get("").status_code == 200
    assert client.post("/batch", json={}).status_code == 403
    simulator.paid = False
    assert client.get("").status_code == 402
    simulator.remaining = 0
    assert client.get("").status_code == 429


# The published description of the API.


def _resolved(contract: Json, part: Json) -> Json:
    while "$ref" in part:
        found: Any = contract
        for key in part["$ref"].removeprefix("#/").split("/"):
            found = found[key]
        part = found
    return part


def _operation(contract: Json, method: str, path: str) -> Json:
    asked = path.removeprefix(PREFIX).strip("/").split("/")
    for pattern, operations in contract["paths"].items():
        parts = pattern.strip("/").split("/")
        if len(parts) == len(asked) and all(p.startswith("{") or p == a for p, a in zip(parts, asked, strict=True)):
            found: Json = operations[method.lower()]
            return found
    raise AssertionError(f"{method} {path} is not in the description")


def _fits(contract: Json, schema: Json, value: object) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator({**schema, "components": contract["components"]}).validate(value)


@pytest.mark.parametrize("batch", [True, False], ids=["batch", "record by record"])
async def test_requests_and_answers_fit_the_published_description(batch: bool) -> None:
    """Every request of a switch and its undo, every answer, refusals too. HTTPS is a type that it does not name yet."""
    contract = published("dnsimple.json")
    with DnSimpleSimulator([ZONE], TOKEN, batches=batch) as simulator:
        simulator.add(ZONE, "www", "A", 60, "192.0.2.1")
        simulator.add(ZONE, "www", "A", 60, "192.0.2.2")
        simulator.add(ZONE, "", "ALIAS", 60, "primary.example.net")
        simulator.add(ZONE, "", "MX", 3600, "mail.example.net", priority=10)
        provider = DnSimple("ds", DnsimpleOptions(simulator.endpoint, batch=batch), {"token": Secret(TOKEN)})
        before = (await provider.read(ZONE, [ZONE, f"www.{ZONE}"])).records
        changes = [
            Change(
                account="ds",
                zone=ZONE,
                name=name,
                before=tuple(r for r in before[name] if r.type in ("A", "ALIAS")),
                after=(record_set(name, rtype, 60, [value]),),
            )
            for name, rtype, value in ((ZONE, "A", "192.0.2.9"), (f"www.{ZONE}", "CNAME", "backup.example.net"))
        ]
        for change in changes:
            assert await provider.apply(ZONE, [change]) == Applied()
            assert await provider.apply(ZONE, [change.inverse]) == Applied()
        await provider.swap_txt(ZONE, f"_changeover.{ZONE}", None, "note one")
        await provider.swap_txt(ZONE, f"_changeover.{ZONE}", "note one", "note two")
        await provider.verify(ZONE, [ZONE])
        await provider.aclose()
        headers = {"Authorization": f"Bearer {TOKEN}"}
        url = f"{simulator.endpoint}/{ACCOUNT}/zones/{ZONE}"
        async with httpx.AsyncClient(base_url=url, headers=headers) as client:
            await client.get("/records", headers={"Authorization": "Bearer wrong"})
            await client.post("/records", json=_create("www", "MB", "x.example"))
            await client.post("/batch", json={"deletes": [{"id": 99}]})
            await client.get("/records/99")
            simulator.remaining = 0
            await client.get("/records")
        bodies = iter(simulator.bodies)
        seen = set()
        for (method, target), answer in zip(simulator.requests, simulator.answers, strict=True):
            path = urlsplit(target).path
            operation = _operation(contract, method, path)
            body = next(bodies) if method != "GET" else b""
            seen.add((operation["operationId"], answer.status))
            if body and answer.status < 300:
                request = _resolved(contract, operation["requestBody"])
                _fits(contract, request["content"]["application/json"]["schema"], json.loads(body))
            told = operation["responses"].get(str(answer.status))
            told = told or contract["components"]["responses"].get(str(answer.status), {})
            content = _resolved(contract, told).get("content")
            # Of one record's faults the schema and its own example contradict each other; the example is right.
            of_one_record = answer.status == 400 and not path.endswith("/batch")
            if content is not None and answer.content and not of_one_record:
                _fits(contract, content["application/json"]["schema"], json.loads(answer.content))
        writes = {("batchChangeZoneRecords", 200)} if batch else {("createZoneRecord", 201), ("deleteZoneRecord", 204)}
        assert writes | {("whoami", 200), ("getZone", 200), ("listZoneRecords", 401), ("listZoneRecords", 429)} <= seen
