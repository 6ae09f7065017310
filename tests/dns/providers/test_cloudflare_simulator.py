"""The simulated Cloudflare answers as the real one did, where that was recorded, and keeps its documented rules."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from dns_servers.cloudflare_simulator import BATCH_LIMIT, PREFIX, READ_ONLY, CloudflareSimulator

Json = dict[str, Any]
TOKEN = "A" * 40


def _recordings() -> list[Path]:
    folder = os.environ.get("CHANGEOVER_RECORDINGS")
    return sorted((Path(folder) / "cloudflare").glob("*.json")) if folder else []


@pytest.mark.skipif(not os.environ.get("CHANGEOVER_RECORDINGS"), reason="CHANGEOVER_RECORDINGS is not set")
@pytest.mark.parametrize("file", _recordings(), ids=lambda file: file.stem)
def test_a_recorded_conversation_gets_the_recorded_answers(file: Path) -> None:
    """Every recorded request gets the recorded status and the same JSON structure."""
    conversation = json.loads(file.read_text())
    ids: dict[str, str] = {}
    with CloudflareSimulator([]) as simulator, httpx.Client() as client:
        _prepare(simulator, conversation)
        for step in conversation:
            request, recorded = step["request"], step["response"]
            url = simulator.endpoint + request["url"].partition(PREFIX)[2]
            for old, new in ids.items():
                url = url.replace(old, new)
            headers = {"Authorization": request["headers"]["Authorization"]}
            answer = client.request(request["method"], url, content=request["body"], headers=headers)
            expected = json.loads(recorded["body"])
            assert answer.status_code == recorded["status"]
            assert _shape(answer.json()) == _shape(expected)
            if request["method"] == "POST" and expected["success"]:
                ids[expected["result"]["id"]] = answer.json()["result"]["id"]


def _prepare(simulator: CloudflareSimulator, conversation: list[Json]) -> None:
    """The zones that the recording shows, and the records that it shows without creating them itself."""
    created = set()
    for step in conversation:
        answer = json.loads(step["response"]["body"])
        result, url = answer["result"], step["request"]["url"]
        if url.endswith("/dns_records") and answer["success"]:
            created.add(result["id"])
        elif url.endswith("/dns_records"):
            record = json.loads(step["request"]["body"])
            if not any(record["name"] in text for text in simulator.records("byemike.org")):
                simulator.add("byemike.org", **record)
        elif "/zones?" in url:
            for zone in result:
                shown = simulator.add_zone(zone["name"])
                simulator.zones[zone["id"]] = simulator.zones.pop(shown.id)
                shown.id = zone["id"]
        elif isinstance(result, list):
            records = simulator.zone("byemike.org").records
            for record in result:
                twin = any((r["name"], r["content"]) == (record["name"], record["content"]) for r in records.values())
                if record["id"] not in created and not twin:
                    records[record["id"]] = record


def _shape(value: object) -> object:
    """Keys and types; of a list, the different shapes that it has."""
    if isinstance(value, dict):
        return {key: _shape(member) for key, member in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(_shape(member), sort_keys=True) for member in value})
    return type(value).__name__


@pytest.fixture
def simulator() -> Iterator[CloudflareSimulator]:
    with CloudflareSimulator(["shop.example"], token=TOKEN) as running:
        yield running


@pytest.fixture
def client(simulator: CloudflareSimulator) -> Iterator[httpx.Client]:
    url = f"{simulator.endpoint}/zones/{simulator.zone('shop.example').id}/dns_records"
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}) as opened:
        yield opened


def _a(name: str, content: str, **more: Any) -> Json:
    return {"type": "A", "name": name, "content": content, "ttl": 60, **more}


def _code(answer: httpx.Response) -> tuple[int, int]:
    return answer.status_code, answer.json()["errors"][0]["code"]


def test_a_batch_deletes_before_it_creates(simulator: CloudflareSimulator, client: httpx.Client) -> None:
    """A name can change from A to CNAME in one batch, whatever the order of the lists in the request."""
    old = simulator.add("shop.example", **_a("www", "192.0.2.1"))
    cname = {"type": "CNAME", "name": "www.shop.example", "content": "other.example.net", "ttl": 60}
    answer = client.post("/batch", json={"posts": [cname], "deletes": [{"id": old["id"]}]})
    assert answer.status_code == 200
    assert [r["id"] for r in answer.json()["result"]["deletes"]] == [old["id"]]
    assert [r["type"] for r in simulator.zone("shop.example").records.values()] == ["CNAME"]


def test_a_batch_with_one_fault_changes_nothing(simulator: CloudflareSimulator, client: httpx.Client) -> None:
    """All or nothing: an identical record at the end undoes the deletes at the beginning."""
    old = simulator.add("shop.example", **_a("www", "192.0.2.1"))
    simulator.add("shop.example", **_a("api", "192.0.2.2"))
    before = simulator.records("shop.example")
    posts = [_a("new", "192.0.2.9"), _a("api", "192.0.2.2")]
    assert _code(client.post("/batch", json={"deletes": [{"id": old["id"]}], "posts": posts})) == (400, 81058)
    assert simulator.records("shop.example") == before


def test_a_batch_of_a_record_that_is_gone_is_refused(client: httpx.Client) -> None:
    """An id that does not exist refuses the whole batch."""
    answer = client.post("/batch", json={"deletes": [{"id": "0" * 32}], "posts": [_a("new", "192.0.2.9")]})
    assert _code(answer) == (404, 81044)


def test_a_batch_has_a_limit(simulator: CloudflareSimulator, client: httpx.Client) -> None:
    """One record more than the free plan allows refuses the whole batch."""
    posts = [_a(f"n{number}", "192.0.2.9") for number in range(BATCH_LIMIT + 1)]
    assert client.post("/batch", json={"posts": posts}).status_code == 400
    assert not simulator.records("shop.example")
    assert client.post("/batch", json={"posts": posts[:-1]}).status_code == 200


def test_puts_overwrite_and_patches_keep(simulator: CloudflareSimulator, client: httpx.Client) -> None:
    """What a put leaves out takes its default; what a patch leaves out stays."""
    first = simulator.add("shop.example", **_a("www", "192.0.2.1", comment="mine"))
    second = simulator.add("shop.example", **_a("api", "192.0.2.2", comment="mine"))
    put = {"id": first["id"], "type": "A", "name": "www.shop.example", "content": "192.0.2.3"}
    result = client.post("/batch", json={"puts": [put], "patches": [{"id": second["id"], "ttl": 300}]}).json()["result"]
    assert [(r["content"], r["comment"], r["ttl"]) for r in result["puts"]] == [("192.0.2.3", None, 1)]
    assert [(r["content"], r["comment"], r["ttl"]) for r in result["patches"]] == [("192.0.2.2", "mine", 300)]


def test_a_proxied_record_has_the_automatic_ttl(client: httpx.Client) -> None:
    """Whatever TTL is asked for, a proxied record shows 1."""
    assert client.post("", json=_a("www", "192.0.2.1", proxied=True)).json()["result"]["ttl"] == 1


@pytest.mark.parametrize(
    ("there", "added", "code"),
    [
        (_a("www", "192.0.2.1"), _a("www", "192.0.2.1"), 81058),
        (_a("www", "192.0.2.1"), {"type": "CNAME", "name": "www", "content": "other.example.net"}, 81053),
        ({"type": "CNAME", "name": "www", "content": "other.example.net"}, _a("www", "192.0.2.1"), 81054),
        (_a("www", "192.0.2.1"), _a("www", "192.0.2.2", ttl=30), 9021),
        (_a("www", "192.0.2.1"), _a("www", "primary.example.net"), 9005),
        (_a("www", "192.0.2.1"), {"type": "TXT", "name": "www", "content": "x", "proxied": True}, 9004),
    ],
)
def test_records_that_cannot_stand_are_refused(
    simulator: CloudflareSimulator, client: httpx.Client, there: Json, added: Json, code: int
) -> None:
    """Conflicts and faulty records are refused with Cloudflare's own codes."""
    simulator.add("shop.example", **there)
    assert _code(client.post("", json=added)) == (400, code)


def test_addresses_and_names_are_stored_in_one_notation(client: httpx.Client) -> None:
    """RFC 5952 addresses, complete names in Punycode."""
    added = client.post("", json={"type": "AAAA", "name": "BÜcher", "content": "2001:DB8:0:0::1"}).json()["result"]
    assert (added["name"], added["content"]) == ("xn--bcher-kva.shop.example", "2001:db8::1")


def test_a_token_may_do_what_it_may(simulator: CloudflareSimulator, client: httpx.Client) -> None:
    """A wrong token, one that is no token, and one without the permission are told apart."""
    wrong = {"Authorization": f"Bearer {'B' * 40}"}
    assert _code(client.get("", headers=wrong)) == (403, 9109)
    assert _code(client.get("", headers={"Authorization": "Bearer x y"})) == (400, 6003)
    simulator.zone("shop.example").permissions = list(READ_ONLY)
    assert client.get("").status_code == 200
    assert _code(client.post("", json=_a("www", "192.0.2.1"))) == (403, 10000)
