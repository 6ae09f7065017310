"""The simulated Route 53 answers as the real one did, where that was recorded, and keeps its documented rules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from dns_servers.recordings import conversation, needs_recordings, recordings, shape
from dns_servers.route53_simulator import KEY_ID, NAMESPACE, PREFIX, Route53Simulator

Json = dict[str, Any]
ZONE = "shop.example"
SECRET = "S" * 40
RECORDED, RECORDED_ID = "fullcr1stal.tk", "Z040120927RX9CM38HPQQ"


def plain(element: ElementTree.Element) -> object:
    """An answer as data: an element without others is its text, and a list has one kind of element."""
    if not len(element):
        return element.text or ""
    if len({one.tag for one in element}) == 1 and element.tag.endswith("s"):
        return [plain(one) for one in element]
    return {one.tag.removeprefix(f"{{{NAMESPACE}}}"): plain(one) for one in element}


def read(text: str | bytes) -> Any:
    return plain(ElementTree.fromstring(text))


@needs_recordings
@pytest.mark.parametrize("file", recordings("route53"), ids=lambda file: file.stem)
def test_a_recorded_conversation_gets_the_recorded_answers(file: Path) -> None:
    """Every recorded request gets the recorded status and the same structure of elements."""
    steps = conversation(file)
    with Route53Simulator([]) as simulator, httpx.Client() as client:
        _prepare(simulator, steps)
        for step in steps:
            request, recorded = step["request"], step["response"]
            url = simulator.endpoint + request["url"].partition(PREFIX)[2]
            answer = client.request(request["method"], url, content=request["body"])
            assert answer.status_code == recorded["status"], request
            assert ElementTree.fromstring(answer.content).tag == ElementTree.fromstring(recorded["body"]).tag
            assert shape(read(answer.content)) == shape(read(recorded["body"]))
            if recorded["status"] >= 400:
                assert read(answer.content)["Error"] == read(recorded["body"])["Error"]


def _prepare(simulator: Route53Simulator, steps: list[Json]) -> None:
    """The record sets that the recording shows before it changes them itself."""
    zone = simulator.create_zone(RECORDED, RECORDED_ID)
    changed: set[tuple[str, str]] = set()
    for step in steps:
        if step["request"]["method"] == "POST":
            for change in read(step["request"]["body"])["ChangeBatch"]["Changes"]:
                changed.add((change["ResourceRecordSet"]["Name"], change["ResourceRecordSet"]["Type"]))
            continue
        for one in read(step["response"]["body"]).get("ResourceRecordSets", ()):
            key = one["Name"], one["Type"]
            if key not in changed and (*key, "") not in zone.sets:
                for record in one["ResourceRecords"]:
                    simulator.add(RECORDED, one["Name"].rstrip("."), one["Type"], int(one["TTL"]), record["Value"])


@pytest.fixture
def simulator() -> Iterator[Route53Simulator]:
    with Route53Simulator([ZONE], SECRET) as running:
        running.add(ZONE, "www.shop.example", "A", 60, "192.0.2.1")
        running.add(ZONE, "*.shop.example", "A", 60, "192.0.2.2")
        yield running


@pytest.fixture
def amazon(simulator: Route53Simulator) -> Any:
    """Amazon's own client."""
    boto3 = pytest.importorskip("boto3", reason="boto3 comes with moto, which is not installed")
    return boto3.client(
        "route53",
        endpoint_url=simulator.address,
        region_name="us-east-1",
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
    )


def changes(*parts: tuple[str, str, str, int, list[str]]) -> Json:
    return {
        "Changes": [
            {
                "Action": action,
                "ResourceRecordSet": {
                    "Name": name,
                    "Type": rtype,
                    "TTL": ttl,
                    "ResourceRecords": [{"Value": value} for value in values],
                },
            }
            for action, name, rtype, ttl, values in parts
        ]
    }


OLD = ("DELETE", "www.shop.example", "A", 60, ["192.0.2.1"])
NEW = ("CREATE", "www.shop.example", "A", 60, ["198.51.100.1"])


def test_amazons_own_client_finds_its_way(simulator: Route53Simulator, amazon: Any) -> None:
    """It signs its requests, turns pages, changes a set and asks what became of it."""
    (zone,) = amazon.list_hosted_zones_by_name(DNSName=ZONE)["HostedZones"]
    assert zone["Config"]["PrivateZone"] is False
    paginator = amazon.get_paginator("list_resource_record_sets")
    pages = list(paginator.paginate(HostedZoneId=zone["Id"], PaginationConfig={"PageSize": 1}))
    assert len(pages) == 4
    names = [(one["Name"], one["Type"]) for page in pages for one in page["ResourceRecordSets"]]
    assert names == [
        ("shop.example.", "NS"),
        ("shop.example.", "SOA"),
        ("\\052.shop.example.", "A"),
        ("www.shop.example.", "A"),
    ]
    simulator.pending = 1
    made = amazon.change_resource_record_sets(HostedZoneId=zone["Id"], ChangeBatch=changes(OLD, NEW))["ChangeInfo"]
    seen = [amazon.get_change(Id=made["Id"])["ChangeInfo"]["Status"] for _ in range(2)]
    assert [made["Status"], *seen] == ["PENDING", "PENDING", "INSYNC"]


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (("DELETE", "www.shop.example", "A", 61, ["192.0.2.1"]), "do not match the current values"),
        (("DELETE", "www.shop.example", "A", 60, ["192.0.2.9"]), "do not match the current values"),
        (("DELETE", "www.shop.example", "AAAA", 60, ["2001:db8::1"]), "but it was not found"),
        (NEW, "but it already exists"),
        (("CREATE", "www.shop.example", "CNAME", 60, ["a.example."]), "conflicts with other records"),
        (("CREATE", "alias.shop.example", "A", 60, ["192.0.2.1"]), "a conflicting RRSet of type CNAME"),
        (("CREATE", "shop.example", "CNAME", 60, ["a.example."]), "not permitted at apex"),
        (("CREATE", "other.example", "A", 60, ["192.0.2.1"]), "not permitted in zone"),
        (("CREATE", "b.shop.example", "TXT", 60, ["no quotes"]), "quotation marks"),
        (("CREATE", "b.shop.example", "A", 60, ["192.0.2.999"]), "Invalid Resource Record"),
        (("CREATE", "b.shop.example", "CNAME", 60, ["a.example.", "b.example."]), "more than one"),
        (("CREATE", "b.shop.example", "A", 60, ["192.0.2.1", "192.0.2.1"]), "Duplicate"),
        (("DELETE", "shop.example", "SOA", 900, ["x"]), "do not match the current values"),
        (("CREATE", "kept.shop.example", "A", 60, ["192.0.2.1"]), "is protected"),
        (("CREATE", "b.shop.example", "TXT", 60, [f'"{n:0249}"' for n in range(128)]), "characters limit"),
        (("CREATE", "b.shop.example", "A", 60, [f"192.0.{n // 250}.{n % 250}" for n in range(1001)]), "records limit"),
    ],
)
def test_one_fault_and_nothing_of_the_batch_is_made(
    simulator: Route53Simulator, amazon: Any, part: tuple[str, str, str, int, list[str]], words: str
) -> None:
    """And the answer says what it was."""
    simulator.add(ZONE, "alias.shop.example", "CNAME", 60, "a.example.")
    simulator.zone(ZONE).protected.add(("kept.shop.example.", "A"))
    before = simulator.content(ZONE)
    first = ("CREATE", "first.shop.example", "A", 60, ["192.0.2.1"])
    with pytest.raises(amazon.exceptions.InvalidChangeBatch, match=words):
        amazon.change_resource_record_sets(HostedZoneId=simulator.zone(ZONE).id, ChangeBatch=changes(first, part))
    assert simulator.content(ZONE) == before


def test_what_a_key_may_do(simulator: Route53Simulator, amazon: Any) -> None:
    """Nothing with another secret; with a missing permission all but that."""
    simulator.denied.add("ChangeResourceRecordSets")
    zone_id = simulator.zone(ZONE).id
    assert amazon.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
    with pytest.raises(amazon.exceptions.ClientError, match="AccessDenied"):
        amazon.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=changes(OLD, NEW))
    simulator.secret = "other"
    with pytest.raises(amazon.exceptions.ClientError, match="SignatureDoesNotMatch"):
        amazon.list_hosted_zones()


@pytest.mark.parametrize(
    "body",
    [b"", b"<a/>", f'<ChangeResourceRecordSetsRequest xmlns="{NAMESPACE}"><ChangeBatch/></x>'.encode()],
)
def test_what_is_no_request_is_refused(body: bytes) -> None:
    """As invalid input."""
    with Route53Simulator([ZONE]) as simulator:
        url = f"{simulator.endpoint}/hostedzone/{simulator.zone(ZONE).id}/rrset/"
        answer = httpx.post(url, content=body)
        assert (answer.status_code, read(answer.content)["Error"]["Code"]) == (400, "InvalidInput")
