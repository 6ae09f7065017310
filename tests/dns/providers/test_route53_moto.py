"""Route 53's provider against moto, which others wrote: the form of requests and answers, and pages.

Conflicts are for the simulator: moto takes batches that the real one refuses.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from changeover.dns.provider import Applied
from changeover.dns.providers.route53 import Route53, Route53Options
from changeover.model.dns.change import Change
from changeover.model.dns.records import record_set
from changeover.model.errors import NotFound
from changeover.model.secret import Secret

moto_server = pytest.importorskip("moto.server", reason="moto is not installed")
boto3 = pytest.importorskip("boto3", reason="boto3 comes with moto, which is not installed")

ZONE, WWW = "shop.example", "www.shop.example"
KEY = {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "S" * 40}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def amazon(address: str) -> Any:
    names = {"aws_access_key_id": KEY["access_key_id"], "aws_secret_access_key": KEY["secret_access_key"]}
    client = boto3.client("route53", endpoint_url=address, region_name="us-east-1", **names)
    client.create_hosted_zone(Name=f"{ZONE}.", CallerReference="public")
    client.create_hosted_zone(Name=f"{ZONE}.", CallerReference="private", HostedZoneConfig={"PrivateZone": True})
    yield client
    for zone in client.list_hosted_zones()["HostedZones"]:
        every = client.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone["Id"])
        sets = [one for page in every for one in page["ResourceRecordSets"] if one["Type"] not in ("NS", "SOA")]
        deletes = [{"Action": "DELETE", "ResourceRecordSet": one} for one in sets]
        for start in range(0, len(deletes), 500):
            client.change_resource_record_sets(
                HostedZoneId=zone["Id"], ChangeBatch={"Changes": deletes[start : start + 500]}
            )
        client.delete_hosted_zone(Id=zone["Id"])


@pytest.fixture
async def provider(address: str, amazon: Any) -> AsyncIterator[Route53]:
    secrets = {name: Secret(text) for name, text in KEY.items()}
    opened = Route53("aws", Route53Options(endpoint=f"{address}/2013-04-01"), secrets, timeout=10)
    yield opened
    await opened.aclose()


def create(amazon: Any, *names: str) -> None:
    (zone,) = [z for z in amazon.list_hosted_zones()["HostedZones"] if not z["Config"]["PrivateZone"]]
    parts = [{"Name": name, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]} for name in names]
    amazon.change_resource_record_sets(
        HostedZoneId=zone["Id"],
        ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": part} for part in parts]},
    )


@pytest.mark.parametrize("name", [WWW, "*.apps.shop.example", ZONE])
async def test_a_change_and_its_undo(provider: Route53, name: str) -> None:
    """The public zone is found beside a private one; what is written is read, and is gone after its undo."""
    assert await provider.zones() == (ZONE,)
    after = (record_set(name, "A", 60, ["198.51.100.1", "198.51.100.2"]), record_set(name, "AAAA", 60, ["2001:db8::1"]))
    change = Change(account="aws", zone=ZONE, name=name, before=(), after=after)
    assert await provider.apply(ZONE, [change]) == Applied()
    assert await provider.read_back(ZONE, [change]) == {name: after}
    assert await provider.apply(ZONE, [change.inverse]) == Applied()
    assert await provider.read_back(ZONE, [change]) == {name: ()}


async def test_a_cname_gives_way_to_addresses_and_a_text_is_kept(provider: Route53) -> None:
    """In one batch, with a guard."""
    cname = Change(
        account="aws", zone=ZONE, name=WWW, before=(), after=(record_set(WWW, "CNAME", 60, ["primary.example.net"]),)
    )
    assert await provider.apply(ZONE, [cname]) == Applied()
    assert await provider.swap_txt(ZONE, "_changeover.shop.example", None, "changeover-lease v1 a") == Applied()
    addresses = Change(
        account="aws", zone=ZONE, name=WWW, before=cname.after, after=(record_set(WWW, "A", 60, ["198.51.100.1"]),)
    )
    assert await provider.apply(ZONE, [addresses]) == Applied()
    assert await provider.read_back(ZONE, [addresses]) == {WWW: addresses.after}
    lease = "changeover-lease v1 a"
    assert await provider.swap_txt(ZONE, "_changeover.shop.example", lease, None) == Applied()


async def test_pages(provider: Route53, amazon: Any) -> None:
    """A zone of 700 names, as a whole and by name."""
    names = [f"n{number:03}.shop.example" for number in range(700)]
    create(amazon, *names[:350])
    create(amazon, *names[350:])
    for wanted in (names[::100], names[:1], names):
        records = (await provider.read(ZONE, wanted)).records
        assert records == {name: (record_set(name, "A", 60, ["192.0.2.1"]),) for name in wanted}


async def test_another_zone_is_not_found(provider: Route53) -> None:
    """Although moto knows no end of what it does."""
    with pytest.raises(NotFound, match=r"elsewhere\.example"):
        await provider.read("elsewhere.example", ["www.elsewhere.example"])
