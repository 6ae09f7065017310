"""The simulated Cloud DNS answers as the real one did, where that was recorded, keeps its documented rules, and is,
like the client, true to the description that Google publishes of the API."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import jsonschema
import pytest

from changeover.dns.provider import Applied, PreconditionFailed
from changeover.dns.providers.google import Google, GoogleOptions
from changeover.model.dns.change import Change
from changeover.model.dns.records import address_set, record_set
from changeover.model.errors import NotFound
from changeover.model.secret import Secret
from contracts import published
from dns_servers.google_simulator import PROJECT, GoogleSimulator, TokenSimulator
from dns_servers.recordings import conversation, needs_recordings, recordings, shape

Json = dict[str, Any]
ZONE = "shop.example"


@needs_recordings
@pytest.mark.parametrize("file", recordings("googleclouddns"), ids=lambda file: file.stem)
def test_a_recorded_conversation_gets_the_recorded_answers(file: Path) -> None:
    """Every recorded request gets the recorded status and the same JSON structure.

    The recordings are of July 2018, before private zones: what says that a zone is public is not in them. How access
    tokens were asked for then (www.googleapis.com/oauth2/v4/token) has only another address since.
    """
    steps = conversation(file)
    with (
        TokenSimulator(number=None) as tokens,
        GoogleSimulator(["fullm3tal.tk"], project="named-archway-209418") as simulator,
        httpx.Client() as client,
    ):
        simulator.zone("fullm3tal.tk").id = "699036609868956548"
        _prepare(simulator, steps)
        for step in steps:
            request, recorded = step["request"], step["response"]
            parts = urlsplit(request["url"])
            base = tokens.address if parts.path.endswith("/token") else simulator.address
            url = f"{base}{parts.path}?{parts.query}"
            answer = client.request(request["method"], url, content=request["body"])
            assert answer.status_code == recorded["status"], request
            body = answer.json()
            for zone in body.get("managedZones", ()):
                assert zone.pop("visibility") == "public"
            assert shape(body) == shape(json.loads(recorded["body"]))


def _prepare(simulator: GoogleSimulator, steps: list[Json]) -> None:
    """The record sets that the recording shows before it creates them itself."""
    created: set[tuple[str, str]] = set()
    for step in steps:
        answer = json.loads(step["response"]["body"])
        created |= {(one["name"], one["type"]) for one in answer.get("additions", ())}
        for one in answer.get("rrsets", ()):
            key = (one["name"], one["type"])
            if key not in created and key not in simulator.zone("fullm3tal.tk").sets:
                name = one["name"].rstrip(".")
                simulator.add("fullm3tal.tk", name, one["type"], one["ttl"], *one["rrdatas"])


@pytest.fixture
def simulator() -> Iterator[GoogleSimulator]:
    with GoogleSimulator([ZONE]) as running:
        running.add(ZONE, "www.shop.example", "A", 60, "192.0.2.1", "192.0.2.2")
        yield running


@pytest.fixture
def client(simulator: GoogleSimulator) -> Iterator[httpx.Client]:
    url = f"{simulator.address}/dns/v1/projects/{PROJECT}/managedZones/shop-example/"
    with httpx.Client(base_url=url) as opened:
        yield opened


def _one(name: str, rtype: str, *rrdatas: str, ttl: int = 60) -> Json:
    return {"name": name, "type": rtype, "ttl": ttl, "rrdatas": list(rrdatas)}


WWW = _one("www.shop.example.", "A", "192.0.2.1", "192.0.2.2")
NEW = _one("new.shop.example.", "A", "192.0.2.9")


class TestChanges:
    def test_a_type_is_replaced_in_one_change(self, simulator: GoogleSimulator, client: httpx.Client) -> None:
        """Whatever the order of the values in what is deleted; and what is the same can be deleted and added."""
        alias = _one("www.shop.example.", "CNAME", "backup.example.net.")
        turned = {**WWW, "rrdatas": WWW["rrdatas"][::-1]}
        answer = client.post("changes", json={"deletions": [turned], "additions": [alias]})
        assert (answer.status_code, answer.json()["status"]) == (200, "pending")
        assert client.post("changes", json={"deletions": [alias], "additions": [alias]}).status_code == 200
        assert [one["type"] for one in simulator.sets(ZONE)] == ["CNAME"]

    def test_a_change_is_done_after_a_while(self, client: httpx.Client) -> None:
        """It can be asked for by its id."""
        number = client.post("changes", json={"additions": [NEW]}).json()["id"]
        assert [client.get(f"changes/{number}").json()["status"] for _ in range(2)] == ["pending", "done"]
        assert client.get("changes/1").status_code == 404

    @pytest.mark.parametrize(
        ("change", "status", "reason"),
        [
            ({}, 400, "required"),
            ({"deletions": [{**WWW, "ttl": 61}]}, 412, "conditionNotMet"),
            ({"deletions": [{**WWW, "rrdatas": ["192.0.2.1"]}]}, 412, "conditionNotMet"),
            ({"deletions": [{**WWW, "type": "AAAA"}]}, 404, "notFound"),
            ({"additions": [NEW, WWW]}, 409, "alreadyExists"),
            ({"additions": [NEW, NEW]}, 409, "alreadyExists"),
            ({"additions": [_one("www.shop.example.", "CNAME", "a.example.")]}, 400, "cnameResourceRecordSetConflict"),
            ({"additions": [_one("shop.example.", "CNAME", "a.example.")]}, 400, "cnameResourceRecordSetConflict"),
            ({"additions": [_one("a.shop.example.", "CNAME", "a.example.", "b.example.")]}, 400, "invalidRecordCount"),
            ({"additions": [_one("a.shop.example.", "ALIAS", "a.example.")]}, 400, "invalid"),
            ({"additions": [_one("a.shop.example", "A", "192.0.2.1")]}, 400, "invalid"),
            ({"additions": [_one("a.other.example.", "A", "192.0.2.1")]}, 400, "invalid"),
            ({"additions": [_one("a.shop.example.", "A", "192.0.2.999")]}, 400, "invalid"),
            ({"additions": [_one("a.shop.example.", "A", "192.0.2.1", ttl=-1)]}, 400, "invalid"),
            ({"additions": [_one("a.shop.example.", "A")]}, 400, "invalid"),
            ({"additions": [_one(f"n{n}.shop.example.", "A", "192.0.2.1") for n in range(1001)]}, 403, "quotaExceeded"),
            ({"additions": [_one("a.shop.example.", "TXT", "x" * 100_001)]}, 403, "quotaExceeded"),
        ],
    )
    def test_one_fault_and_nothing_is_changed(
        self, simulator: GoogleSimulator, client: httpx.Client, change: Json, status: int, reason: str
    ) -> None:
        """Neither what goes nor what comes."""
        before = simulator.zone(ZONE).sets
        answer = client.post("changes", json=change)
        assert (answer.status_code, answer.json()["error"]["errors"][0]["reason"]) == (status, reason)
        assert simulator.zone(ZONE).sets == before

    def test_an_alias_stands_at_the_apex_of_an_unsigned_zone(
        self, simulator: GoogleSimulator, client: httpx.Client
    ) -> None:
        """And is refused where there is DNSSEC."""
        alias = {"additions": [_one("shop.example.", "ALIAS", "backup.example.net.")]}
        simulator.zone(ZONE).shown["dnssecConfig"] = {"state": "on"}
        assert client.post("changes", json=alias).status_code == 400
        simulator.zone(ZONE).shown["dnssecConfig"] = {"state": "off"}
        assert client.post("changes", json=alias).status_code == 200


def test_lists_have_pages_and_filters(simulator: GoogleSimulator, client: httpx.Client) -> None:
    """A type alone is no filter."""
    for number in range(150):
        simulator.add(ZONE, f"n{number}.shop.example", "A", 60, "192.0.2.1")
    first = client.get("rrsets").json()
    second = client.get("rrsets", params={"pageToken": first["nextPageToken"]}).json()
    assert (len(first["rrsets"]), len(second["rrsets"]), "nextPageToken" in second) == (100, 53, False)
    assert len(client.get("rrsets", params={"name": "www.shop.example."}).json()["rrsets"]) == 1
    assert client.get("rrsets", params={"name": "www.shop.example.", "type": "TXT"}).json()["rrsets"] == []
    assert client.get("rrsets", params={"type": "A"}).status_code == 400


def test_a_key_may_do_what_it_may(client: httpx.Client, simulator: GoogleSimulator) -> None:
    """Asked, and tried."""
    asked = {"permissions": ["dns.changes.create", "dns.changes.get"]}
    url = str(client.base_url).rstrip("/") + ":testIamPermissions"
    assert client.post(url, json=asked).json() == asked
    simulator.zone(ZONE).may_write = False
    assert client.post(url, json=asked).json() == {"permissions": ["dns.changes.get"]}
    assert client.post("changes", json={"additions": [NEW]}).status_code == 403
    assert client.get("rrsets").status_code == 200


# What Google publishes of the API: every request of the client and every answer of the simulator keeps to it.


class Contract:
    """The discovery document; its schemas are almost JSON schemas."""

    def __init__(self, document: Json) -> None:
        self._definitions = {name: _strict(one) for name, one in document["schemas"].items()}
        self._general = set(document["parameters"])
        self._methods = [
            method for resource in document["resources"].values() for method in resource["methods"].values()
        ]

    def check(self, verb: str, target: str, body: bytes, answer: bytes) -> str:
        """The id of the method that this was."""
        parts = urlsplit(target)
        method = next(
            m
            for m in self._methods
            if m["httpMethod"] == verb and re.fullmatch(_pattern(m["flatPath"]), parts.path.lstrip("/"))
        )
        known = {name for name, one in method["parameters"].items() if one["location"] == "query"}
        assert {name for name, _ in parse_qsl(parts.query)} <= known | self._general
        assert bool(body) == ("request" in method)
        if body:
            self._validate(method["request"]["$ref"], body)
        self._validate(method["response"]["$ref"], answer)
        return str(method["id"])

    def _validate(self, name: str, content: bytes) -> None:
        schema = {"$ref": f"#/$defs/{name}", "$defs": self._definitions}
        jsonschema.Draft202012Validator(schema).validate(json.loads(content))


def _pattern(path: str) -> str:
    return re.sub(r"\\\{\w+\\\}", "[^/:]+", re.escape(path))


def _strict(schema: Any) -> Any:
    """With references that a validator finds, and without room for words that are not in the description."""
    if isinstance(schema, list):
        return [_strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "any":
        return {}
    made = {key: _strict(value) for key, value in schema.items() if key not in ("id", "format", "enumDescriptions")}
    if isinstance(schema.get("id"), dict):
        made["id"] = _strict(schema["id"])
    if isinstance(made.get("$ref"), str):
        made["$ref"] = f"#/$defs/{made['$ref']}"
    if "properties" in made and made.get("type") == "object":
        made["additionalProperties"] = False
    return made


async def test_requests_and_answers_keep_to_googles_description() -> None:
    """Of all methods that are used: reading, changing there and back, texts, permissions, zones."""
    contract = Contract(published("google-dns-discovery.json"))
    with TokenSimulator() as tokens, GoogleSimulator([ZONE], tokens) as simulator:
        simulator.page = 3
        for number in range(9):
            simulator.add(ZONE, f"n{number}.shop.example", "A", 60, "192.0.2.1")
        secrets = {"key": Secret(tokens.key_file())}
        for options in (
            GoogleOptions(simulator.address),
            GoogleOptions(simulator.address, managed_zone="shop-example"),
        ):
            provider = Google("g", options, secrets)
            names = [f"n{number}.shop.example" for number in range(9)]
            await provider.verify(ZONE, names)
            before = address_set((await provider.read(ZONE, names[:1])).records[names[0]])
            after = (record_set(names[0], "CNAME", 60, ["backup.example.net"]),)
            change = Change(account="g", zone=ZONE, name=names[0], before=before, after=after)
            assert await provider.apply(ZONE, [change]) == Applied()
            assert isinstance(await provider.apply(ZONE, [change]), PreconditionFailed)
            assert await provider.apply(ZONE, [change.inverse]) == Applied()
            assert await provider.swap_txt(ZONE, "_changeover.shop.example", None, "note one") == Applied()
            assert await provider.swap_txt(ZONE, "_changeover.shop.example", "note one", None) == Applied()
            with pytest.raises(NotFound):
                await provider.read("elsewhere.example", names)
            await provider.aclose()
        bodies = iter(simulator.bodies)
        used = set()
        for (verb, target), answer in zip(simulator.requests, simulator.answers, strict=True):
            body = next(bodies) if verb != "GET" else b""
            if answer.status < 300:
                used.add(contract.check(verb, target, body, answer.content))
    assert used == {
        "dns.managedZones.list",
        "dns.managedZones.get",
        "dns.managedZones.testIamPermissions",
        "dns.resourceRecordSets.list",
        "dns.changes.create",
        "dns.changes.get",
    }
