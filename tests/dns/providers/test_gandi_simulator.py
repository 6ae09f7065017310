"""The simulated Gandi answers as the real one did, where that was recorded, and keeps its documented rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from dns_servers.gandi_simulator import DEFAULT_TTL, PAGE, PREFIX, GandiSimulator
from dns_servers.recordings import conversation, needs_recordings, recordings, shape

Json = dict[str, Any]
TOKEN = "a" * 40
RECORDED = "t18s.fr"


@needs_recordings
@pytest.mark.parametrize("file", recordings("gandi"), ids=lambda file: file.stem)
def test_a_recorded_conversation_gets_the_recorded_answers(file: Path) -> None:
    """Every recorded request gets the recorded status and the same JSON structure.

    A PUT whose body has another name than its path is answered like any other; what became of it no recording shows.
    """
    steps = conversation(file)
    with GandiSimulator([RECORDED]) as simulator, httpx.Client() as client:
        _prepare(simulator, steps)
        for step in steps:
            request, recorded = step["request"], step["response"]
            answer = client.request(
                request["method"],
                simulator.endpoint + request["url"].partition(PREFIX)[2],
                content=request["body"],
                headers={"Content-Type": "application/json"},
            )
            assert answer.status_code == recorded["status"], request
            assert ("total-count" in answer.headers) == ("total-count" in recorded["headers"])
            if recorded["body"]:
                assert shape(answer.json()) == shape(json.loads(recorded["body"]))


def _prepare(simulator: GandiSimulator, steps: list[Json]) -> None:
    """The record sets that the recording shows before it creates them itself."""
    created: set[str] = set()
    for step in steps:
        request, answer = step["request"], json.loads(step["response"]["body"] or "{}")
        if request["method"] in ("POST", "PUT"):
            created.add(request["url"].partition("/records/")[2])
        for one in answer if isinstance(answer, list) else [answer]:
            place = f"{one.get('rrset_name')}/{one.get('rrset_type')}"
            if "rrset_values" in one and place not in created:
                created.add(place)
                for value in one["rrset_values"]:
                    simulator.add(RECORDED, one["rrset_name"], one["rrset_type"], one["rrset_ttl"], value)


@pytest.fixture
def simulator() -> Iterator[GandiSimulator]:
    with GandiSimulator(["shop.example"], TOKEN) as running:
        running.add("shop.example", "www", "A", 3600, "192.0.2.1")
        running.add("shop.example", "www", "TXT", 3600, '"a text"')
        yield running


@pytest.fixture
def client(simulator: GandiSimulator) -> Iterator[httpx.Client]:
    url = f"{simulator.endpoint}/livedns/domains/shop.example/records"
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}) as opened:
        yield opened


def _set(*values: str, ttl: int = 3600) -> Json:
    return {"rrset_ttl": ttl, "rrset_values": list(values)}


def test_a_name_is_replaced_with_everything_that_stands_there(simulator: GandiSimulator, client: httpx.Client) -> None:
    """Whatever is not in the request is gone."""
    answer = client.put("/www", json={"items": [{"rrset_type": "CNAME", **_set("backup.example.net.")}]})
    assert (answer.status_code, answer.json()) == (201, {"message": "DNS Record Created"})
    assert [one["rrset_type"] for one in simulator.sets("shop.example")] == ["CNAME"]


def test_a_set_is_replaced_alone(simulator: GandiSimulator, client: httpx.Client) -> None:
    """Without a TTL it gets the default one. A POST does not replace."""
    assert client.put("/www/A", json={"rrset_values": ["192.0.2.2"]}).status_code == 201
    assert client.get("/www/A").json()["rrset_ttl"] == DEFAULT_TTL
    assert len(client.get("/www").json()) == 2
    assert client.post("/www/A", json=_set("192.0.2.3")).status_code == 409
    assert client.delete("/www/A").status_code == 204
    assert client.delete("/www/A").status_code == 404


@pytest.mark.parametrize(
    ("place", "content"),
    [
        ("www/A", _set("192.0.2.999")),
        ("www/A", _set("192.0.2.2", ttl=60)),
        ("www/A", _set("192.0.2.2", ttl=2592001)),
        ("www/A", _set()),
        ("www/SOA", _set("x")),
        ("www/CNAME", _set("backup.example.net.")),
        ("@/CNAME", _set("backup.example.net.")),
        ("api/CNAME", _set("one.example.net.", "two.example.net.")),
        ("www/ALIAS", _set("backup.example.net.")),
    ],
)
def test_what_is_not_allowed_changes_nothing(
    simulator: GandiSimulator, client: httpx.Client, place: str, content: Json
) -> None:
    """TTLs, values, types, and a CNAME that does not stand alone."""
    before = simulator.sets("shop.example")
    name, _, rtype = place.partition("/")
    assert client.put(f"/{place}", json=content).status_code == 400
    assert client.put(
        f"/{name}", json={"items": [{"rrset_type": "TXT", **_set("t")}, {"rrset_type": rtype, **content}]}
    )
    assert simulator.sets("shop.example") == before


def test_an_alias_is_for_the_apex_of_an_unsigned_domain(simulator: GandiSimulator, client: httpx.Client) -> None:
    """docs.gandi.net says that it does not go with DNSSEC."""
    assert client.put("/@/ALIAS", json=_set("backup.example.net.")).status_code == 201
    simulator.domains["shop.example"].signed = True
    assert client.put("/@/ALIAS", json=_set("other.example.net.")).status_code == 400


def test_a_long_list_has_pages(simulator: GandiSimulator, client: httpx.Client) -> None:
    """The Link header leads on; after the last page there is an empty one."""
    for number in range(PAGE):
        simulator.add("shop.example", f"n{number}", "A", 3600, "192.0.2.1")
    first = client.get("")
    assert (len(first.json()), first.headers["total-count"]) == (PAGE, str(PAGE + 2))
    second = client.get(first.links["next"]["url"])
    assert len(second.json()) == 2
    assert "link" not in second.headers
    assert client.get("", params={"page": 3}).json() == []


def test_a_token_may_do_what_it_may(simulator: GandiSimulator, client: httpx.Client) -> None:
    """A wrong one, and one without the permission, are told apart."""
    assert client.get("", headers={"Authorization": f"Apikey {TOKEN}"}).status_code == 401
    simulator.domains["shop.example"].may_write = False
    assert client.get("").status_code == 200
    assert client.put("/www/A", json=_set("192.0.2.9")).status_code == 403
