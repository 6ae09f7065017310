"""The simulated Azure DNS answers as the real one did, where that was recorded, and keeps its documented rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from dns_servers.azure_simulator import (
    CLIENT,
    GROUP,
    PAGE,
    SUBSCRIPTION,
    TENANT,
    AzureSimulator,
    TenantSimulator,
    forbid,
    record_of,
)
from dns_servers.recordings import conversation, needs_recordings, recordings, shape

Json = dict[str, Any]
ZONE = "shop.example"
VERSION = {"api-version": "2018-05-01"}


@needs_recordings
@pytest.mark.parametrize("file", recordings("azure"), ids=lambda file: file.stem)
def test_a_recorded_conversation_gets_the_recorded_answers(file: Path) -> None:
    """Every recorded request gets the recorded status and the same JSON structure.

    Access tokens were asked for at the first version of their endpoint, whose numbers are texts. The client asks the
    second (oauth2/v2.0/token), which is the documented one.
    """
    steps = conversation(file)
    with (
        TenantSimulator(tenant="TENANT_ID", client="CLIENT_ID") as tenant,
        AzureSimulator(["full4ir.tk"], subscription="SUBSCRIPTION_ID", group="dns-test") as simulator,
        httpx.Client() as client,
    ):
        _prepare(simulator, steps)
        for step in steps:
            request, recorded = step["request"], step["response"]
            parts = urlsplit(request["url"])
            base = tenant.address if parts.path.endswith("/token") else simulator.address
            url = f"{base}{parts.path}?{parts.query}"
            answer = client.request(request["method"], url, content=request["body"])
            assert answer.status_code == recorded["status"], request
            assert bool(answer.content) == bool(recorded["body"])
            assert ("etag" in answer.headers) == ("ETag" in recorded["headers"])
            if recorded["body"]:
                assert shape(answer.json()) == shape(json.loads(recorded["body"]))


def _prepare(simulator: AzureSimulator, steps: list[Json]) -> None:
    """The record sets that the recording shows before it creates them itself."""
    created: set[tuple[str, str]] = set()
    for step in steps:
        url, answer = step["request"]["url"], json.loads(step["response"]["body"] or "{}")
        place = urlsplit(url).path.split("/")[-2:]
        if step["request"]["method"] == "PUT":
            created.add((place[1], place[0]))
        for one in answer.get("value", ()):
            rtype = one["type"].rpartition("/")[2]
            key = (one["name"], rtype)
            if "TTL" in one["properties"] and key not in created and key not in simulator.zones["full4ir.tk"].sets:
                simulator.add("full4ir.tk", *key, one["properties"]["TTL"], **one["properties"])


@pytest.fixture
def simulator() -> Iterator[AzureSimulator]:
    with AzureSimulator([ZONE]) as running:
        running.add(ZONE, "www", "A", 60, "192.0.2.1")
        yield running


@pytest.fixture
def client(simulator: AzureSimulator) -> Iterator[httpx.Client]:
    group = f"{simulator.address}/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
    with httpx.Client(base_url=f"{group}/providers/Microsoft.Network/dnsZones/", params=VERSION) as opened:
        yield opened


def _a(*addresses: str, ttl: int = 60) -> Json:
    return {"properties": {"TTL": ttl, "ARecords": [record_of("A", text) for text in addresses]}}


class TestEtags:
    def test_a_set_is_replaced_and_deleted_only_with_its_own(self, client: httpx.Client) -> None:
        """Every change renews it."""
        first = client.get(f"{ZONE}/A/www").json()["etag"]
        answer = client.put(f"{ZONE}/A/www", json=_a("192.0.2.2"), headers={"If-Match": first})
        second = answer.json()["etag"]
        assert (answer.status_code, answer.headers["etag"], second != first) == (200, second, True)
        for method in ("PUT", "DELETE"):
            body = json.dumps(_a("192.0.2.3")) if method == "PUT" else None
            stale = client.request(method, f"{ZONE}/A/www", content=body, headers={"If-Match": first})
            assert (stale.status_code, stale.json()["code"]) == (412, "PreconditionFailed")
        assert client.delete(f"{ZONE}/A/www", headers={"If-Match": second}).status_code == 200
        assert client.delete(f"{ZONE}/A/www", headers={"If-Match": second}).status_code == 204
        assert client.put(f"{ZONE}/A/www", json=_a("192.0.2.2"), headers={"If-Match": second}).status_code == 412

    def test_a_set_is_created_only_where_there_is_none(self, client: httpx.Client) -> None:
        """With If-None-Match: *."""
        new = {"If-None-Match": "*"}
        assert client.put(f"{ZONE}/A/www", json=_a("192.0.2.2"), headers=new).status_code == 412
        assert client.put(f"{ZONE}/A/new", json=_a("192.0.2.2"), headers=new).status_code == 201


@pytest.mark.parametrize(
    ("place", "body", "status", "code"),
    [
        ("A/www", _a("192.0.2.999"), 400, "BadRequest"),
        ("A/www", _a("192.0.2.1", ttl=0), 400, "BadRequest"),
        ("A/www", _a(), 400, "BadRequest"),
        ("A/a..b", _a("192.0.2.1"), 400, "BadRequest"),
        ("HTTPS/www", _a("192.0.2.1"), 400, "BadRequest"),
        ("TXT/www", {"properties": {"TTL": 60, "TXTRecords": [{"value": ["x" * 256]}]}}, 400, "BadRequest"),
        ("CNAME/www", {"properties": {"TTL": 60, "CNAMERecord": {"cname": "backup.example.net"}}}, 409, "Conflict"),
        ("CNAME/@", {"properties": {"TTL": 60, "CNAMERecord": {"cname": "backup.example.net"}}}, 409, "Conflict"),
    ],
)
def test_what_is_refused_changes_nothing(
    simulator: AzureSimulator, client: httpx.Client, place: str, body: Json, status: int, code: str
) -> None:
    """With a code and words."""
    before = simulator.sets(ZONE)
    answer = client.put(f"{ZONE}/{place}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert simulator.sets(ZONE) == before


def test_lists_have_pages(simulator: AzureSimulator, client: httpx.Client) -> None:
    """By an address for the next one."""
    for number in range(PAGE):
        simulator.add(ZONE, f"n{number}", "A", 60, "192.0.2.1")
    first = client.get(f"{ZONE}/recordsets").json()
    second = httpx.get(first["nextLink"]).json()
    assert (len(first["value"]), len(second["value"]), "nextLink" in second) == (PAGE, 3, False)
    assert len(client.get(f"{ZONE}/NS").json()["value"]) == 1


def test_what_is_not_there_is_told_apart(client: httpx.Client) -> None:
    """A set, its zone, the group, the subscription; an API without a version."""
    url = str(client.base_url)
    answers = {
        "NotFound": client.get(f"{ZONE}/A/new"),
        "ParentResourceNotFound": client.get("other.example/A/new"),
        "ResourceNotFound": client.get("other.example"),
        "ResourceGroupNotFound": httpx.get(url.replace(GROUP, "other"), params=VERSION),
        "SubscriptionNotFound": httpx.get(url.replace(SUBSCRIPTION, TENANT), params=VERSION),
        "MissingApiVersionParameter": httpx.get(url),
    }
    codes = {code: answer.json().get("error", answer.json())["code"] for code, answer in answers.items()}
    assert codes == {code: code for code in answers}


def test_an_app_may_do_what_it_may(simulator: AzureSimulator, client: httpx.Client) -> None:
    """And its permissions say so; a lock they do not show."""
    place = f"{ZONE}/providers/Microsoft.Authorization/permissions"
    assert "Microsoft.Network/dnsZones/*" in client.get(place).json()["value"][0]["actions"]
    simulator.zones[ZONE].locked = True
    assert client.put(f"{ZONE}/A/www", json=_a("192.0.2.2")).json()["error"]["code"] == "ScopeLocked"
    forbid(simulator.zones[ZONE])
    assert client.get(place).json()["value"] == [{"actions": ["*/read"], "notActions": []}]
    assert client.put(f"{ZONE}/A/www", json=_a("192.0.2.2")).json()["error"]["code"] == "AuthorizationFailed"


def test_access_tokens_are_for_who_has_the_secret() -> None:
    """Of that app, in that tenant, for this API."""
    right = {"client_id": CLIENT, "client_secret": "right", "scope": "https://management.azure.com/.default"}
    with TenantSimulator("right") as tenant:
        url = f"{tenant.address}/{TENANT}/oauth2/v2.0/token"
        assert httpx.post(url, data=right).json()["expires_in"] == 3599
        wrong = [{**right, key: "wrong"} for key in right]
        assert [httpx.post(url, data=form).status_code for form in wrong] == [400, 401, 400]
        assert httpx.post(url.replace(TENANT, CLIENT), data=right).status_code == 400
