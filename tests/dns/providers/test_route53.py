"""What is Route 53's own: batches that compare, policies and aliases, hosted zones of one name, and its errors."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from changeover.dns.http.sigv4 import SigV4
from changeover.dns.provider import Applied, Guard, Indeterminate, PreconditionFailed
from changeover.dns.providers.route53 import BATCH_RECORDS, PROVIDER, Route53, Route53Options
from changeover.dns.providers.route53_sets import plain_name, written_name
from changeover.model.dns.change import Change
from changeover.model.dns.records import address_set
from changeover.model.errors import (
    AuthError,
    NotFound,
    PermissionDenied,
    ProviderError,
    RateLimited,
    Rejected,
    Unavailable,
)
from changeover.model.secret import Secret
from changeover.model.settings.account_fields import misfits
from dns_servers.changes import plain, planned, stands
from dns_servers.hostile import hostile
from dns_servers.recordings import conversation, needs_recordings, recordings
from dns_servers.route53_simulator import KEY_ID, NAMESPACE, Route53Simulator

ZONE, WWW, API = "shop.example", "www.shop.example", "api.shop.example"
SIGN = "_changeover.shop.example"
SECRET = "S" * 40
RECORDED = "fullcr1stal.tk"


@pytest.fixture
def simulator() -> Iterator[Route53Simulator]:
    with Route53Simulator([ZONE], SECRET) as running:
        running.add(ZONE, WWW, "A", 60, "192.0.2.1")
        yield running


def opened(simulator: Route53Simulator, timeout: float = 30, **options: str) -> Route53:
    secrets = {"access_key_id": Secret(KEY_ID), "secret_access_key": Secret(SECRET)}
    return Route53("aws", Route53Options(simulator.endpoint, **options), secrets, timeout)


def changes(body: bytes) -> list[str]:
    """A batch in words, such as "DELETE www.shop.example. A 60 192.0.2.1"."""
    found = ElementTree.fromstring(body).iter(f"{{{NAMESPACE}}}Change")
    return [" ".join(text.strip() for text in change.itertext()) for change in found]


def targets(simulator: Route53Simulator, method: str) -> list[str]:
    return [target.removeprefix("/2013-04-01/") for asked, target in simulator.requests if asked == method]


class TestBatches:
    async def test_a_batch_deletes_what_was_read_and_creates_what_shall_be(
        self, simulator: Route53Simulator, provider: Route53
    ) -> None:
        """One request, what goes before what comes; what stays is in it as well, and so is the guard's text."""
        simulator.add(ZONE, WWW, "AAAA", 60, "2001:db8::1")
        simulator.add(ZONE, WWW, "MX", 60, "10 mail.shop.example.")
        simulator.add(ZONE, SIGN, "TXT", 60, '"lease one"')
        change = await planned(provider, plain("A", "198.51.100.1", ttl=30), plain("AAAA", "2001:db8::1"))
        assert await provider.apply(ZONE, [change], Guard(SIGN, "lease one")) == Applied()
        (body,) = simulator.bodies
        assert changes(body) == [
            "DELETE www.shop.example. A 60 192.0.2.1",
            "DELETE www.shop.example. AAAA 60 2001:db8::1",
            'DELETE _changeover.shop.example. TXT 60 "lease one"',
            "CREATE www.shop.example. A 30 198.51.100.1",
            "CREATE www.shop.example. AAAA 60 2001:db8::1",
            'CREATE _changeover.shop.example. TXT 60 "lease one"',
        ]

    @pytest.mark.parametrize(
        ("meanwhile", "after", "seen"),
        [
            pytest.param(("A", 61, "192.0.2.1"), "A 198.51.100.1", True, id="another TTL"),
            pytest.param(("AAAA", 60, "2001:db8::1"), "CNAME b.example.net", True, id="another type beside a CNAME"),
            pytest.param(("HTTPS", 60, '1 . alpn="h2"'), "CNAME b.example.net", True, id="HTTPS beside a CNAME"),
            pytest.param(("HTTPS", 60, '1 . alpn="h2"'), "A 198.51.100.1", False, id="HTTPS beside addresses"),
            pytest.param(("TXT", 60, '"new"'), "A 198.51.100.1", False, id="a text, which is nobody's business"),
        ],
    )
    async def test_what_is_compared_in_the_last_instant(
        self,
        simulator: Route53Simulator,
        provider: Route53,
        meanwhile: tuple[str, int, str],
        after: str,
        seen: bool,
    ) -> None:
        """Every set of the batch, and that a CNAME stands alone; not that no other set has appeared."""
        change = await planned(provider, plain(*after.split()))

        def somebody_else() -> None:
            rtype, ttl, value = meanwhile
            simulator.remove(ZONE, WWW, rtype)
            simulator.add(ZONE, WWW, rtype, ttl, value)

        simulator.before_write = somebody_else
        result = await provider.apply(ZONE, [change])
        assert isinstance(result, PreconditionFailed if seen else Applied)
        if seen:
            assert (await stands(provider))[0].type == "A"

    async def test_the_largest_batch_fits_whatever_names_it_has(
        self, simulator: Route53Simulator, provider: Route53
    ) -> None:
        """Targets of 252 characters, a guard of 255 and another text beside it."""
        target = ".".join(["t" * 61] * 4) + ".test"
        lease = f"lease {'x' * 249}"
        simulator.add(ZONE, SIGN, "TXT", 60, f'"{lease}"')
        simulator.add(ZONE, SIGN, "TXT", 60, '"another program"')
        names = [f"n{number}.{ZONE}" for number in range(BATCH_RECORDS)]
        every = [
            Change(account="aws", zone=ZONE, name=n, before=(), after=(plain("CNAME", target, name=n),)) for n in names
        ]
        assert len(target) == 252
        assert await provider.apply(ZONE, every, Guard(SIGN, lease)) == Applied()

    async def test_a_protected_set_is_told_in_words(self, simulator: Route53Simulator, provider: Route53) -> None:
        """It is no conflict that reading again would solve."""
        simulator.zone(ZONE).protected.add((f"{WWW}.", "A"))
        with pytest.raises(Rejected, match="is protected"):
            await provider.apply(ZONE, [await planned(provider, plain("A", "198.51.100.1"))])

    async def test_a_cname_at_the_apex_is_refused(self, simulator: Route53Simulator, provider: Route53) -> None:
        """By Route 53, in its words; the other name of the batch stays as it is."""
        before = simulator.content(ZONE)
        batch = [await planned(provider, plain("CNAME", "b.example.net", name=name)) for name in (WWW, ZONE)]
        with pytest.raises(Rejected, match="not permitted at apex"):
            await provider.apply(ZONE, batch)
        assert simulator.content(ZONE) == before


class TestPropagation:
    async def test_a_change_is_waited_for(self, simulator: Route53Simulator, provider: Route53) -> None:
        """Until all name servers have it."""
        simulator.pending = 2
        assert await provider.apply(ZONE, [await planned(provider, plain("A", "198.51.100.1"))]) == Applied()
        assert len([target for target in targets(simulator, "GET") if target.startswith("change/C")]) == 3

    async def test_it_is_not_waited_for_without_end(self, simulator: Route53Simulator) -> None:
        """It is made, and a run asks the name servers themselves."""
        provider = opened(simulator, timeout=0.5)
        simulator.pending = 1000
        assert await provider.apply(ZONE, [await planned(provider, plain("A", "198.51.100.1"))]) == Applied()
        assert await stands(provider) == (plain("A", "198.51.100.1"),)
        await provider.aclose()

    @pytest.mark.parametrize("what", ["denied", "gone", "broken", "silent"])
    async def test_a_question_that_fails_makes_no_failure_of_the_change(
        self, simulator: Route53Simulator, what: str
    ) -> None:
        """It is accepted, whatever becomes of the question."""
        provider = opened(simulator, timeout=1)
        change = await planned(provider, plain("A", "198.51.100.1"))

        def afterwards() -> None:
            if what == "denied":
                simulator.denied.add("GetChange")
            else:
                # The next request is the question; the write is under way already.
                fault: Any = {"gone": "drop-before", "broken": "answer", "silent": "hang"}[what]
                simulator.misbehave(fault, status=200, body=b"<a>")

        simulator.before_write = afterwards
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await stands(provider) == change.after
        await provider.aclose()

    async def test_a_text_is_not_waited_for(self, simulator: Route53Simulator, provider: Route53) -> None:
        """It is read by this API, which gives the newest."""
        simulator.pending = 1000
        assert await provider.swap_txt(ZONE, SIGN, None, "lease one") == Applied()
        assert not [target for target in targets(simulator, "GET") if target.startswith("change/")]


#: Elements of a set, the words that refuse it.
POLICIES: dict[str, tuple[dict[str, Any], str]] = {
    "weighted": ({"SetIdentifier": "blue", "Weight": 10}, "A records with weighted routing (set “blue”)"),
    "latency": ({"SetIdentifier": "eu", "Region": "eu-west-1"}, "A records with latency routing (set “eu”)"),
    "failover": (
        {"SetIdentifier": "first", "Failover": "PRIMARY", "HealthCheckId": "abc"},
        "A records with failover routing and a health check (set “first”)",
    ),
    "geolocation": (
        {"SetIdentifier": "de", "GeoLocation": {"CountryCode": "DE"}},
        "A records with geolocation routing (set “de”)",
    ),
    "geoproximity": (
        {"SetIdentifier": "x", "GeoProximityLocation": {"AWSRegion": "eu-west-1", "Bias": 3}},
        "A records with geoproximity routing (set “x”)",
    ),
    "multivalue": ({"SetIdentifier": "m", "MultiValueAnswer": True}, "A records with multivalue answer routing"),
    "CIDR": (
        {"SetIdentifier": "c", "CidrRoutingConfig": {"CollectionId": "1-2", "LocationName": "*"}},
        "A records with IP-based routing (set “c”)",
    ),
    "AZ affinity": (
        {"SetIdentifier": "z", "AZAffinity": {"LocationType": "Global"}},
        "A records with AZ-affinity routing (set “z”)",
    ),
    "health check": ({"HealthCheckId": "abcdef11-2222"}, "A records with a health check"),
}


class TestPolicies:
    @pytest.mark.parametrize(("elements", "words"), POLICIES.values(), ids=POLICIES)
    async def test_a_routing_policy_is_read_and_never_flattened(
        self, simulator: Route53Simulator, provider: Route53, elements: dict[str, Any], words: str
    ) -> None:
        """All that the set has is kept; a change is refused before anything is sent."""
        simulator.remove(ZONE, WWW, "A")
        simulator.put(ZONE, WWW, "A", TTL=60, ResourceRecords=["192.0.2.1"], **elements)
        before = simulator.content(ZONE)
        reading = await provider.read(ZONE, [WWW, API])
        assert words in reading.policies[WWW]
        assert API not in reading.policies
        (found,) = reading.records[WWW]
        assert (found.type, found.values) == ("A", ("192.0.2.1",))
        assert found.details["192.0.2.1"]["routing"] == json.loads(json.dumps(elements), parse_int=str) | (
            {"MultiValueAnswer": "true"} if "MultiValueAnswer" in elements else {}
        )
        with pytest.raises(Rejected, match="A records with"):
            await provider.apply(ZONE, [await planned(provider, plain("A", "198.51.100.1"))])
        assert (simulator.content(ZONE), simulator.bodies) == (before, [])

    async def test_several_sets_of_one_type_are_all_read(self, simulator: Route53Simulator, provider: Route53) -> None:
        """More than a page of them, with identifiers of any characters."""
        for number in range(50):
            identifier = {"SetIdentifier": f"number {number:02} & ü/+", "Weight": 1}
            simulator.put(ZONE, API, "A", TTL=60, ResourceRecords=[f"192.0.2.{number}"], **identifier)
        for names in ([API], [API, WWW]):
            reading = await provider.read(ZONE, names)
            assert [r.values[0] for r in reading.records[API]] == [f"192.0.2.{number}" for number in range(50)]
            assert "set “number 00 & ü/+”" in reading.policies[API]

    @pytest.mark.parametrize("health", ["true", "false"])
    async def test_an_alias_says_where_it_leads(
        self, simulator: Route53Simulator, provider: Route53, health: str
    ) -> None:
        """One for A and one for AAAA, at the apex; neither is touched."""
        target = {"HostedZoneId": "Z35SXDOTRQ7X7K", "DNSName": "dualstack.lb-1.us-east-1.elb.amazonaws.com."}
        for rtype in ("A", "AAAA"):
            simulator.put(ZONE, ZONE, rtype, AliasTarget=target | {"EvaluateTargetHealth": health})
        reading = await provider.read(ZONE, [ZONE])
        told = ", whose health is evaluated" if health == "true" else ""
        assert reading.policies == {
            ZONE: f"A records with an alias of dualstack.lb-1.us-east-1.elb.amazonaws.com{told}"
        }
        aliases = address_set(reading.records[ZONE])
        assert [(r.type, r.values, r.opaque) for r in aliases] == [
            ("ALIAS", ("dualstack.lb-1.us-east-1.elb.amazonaws.com",), True)
        ] * 2
        routings = [next(iter(r.details.values()))["routing"] for r in aliases]
        assert [r["Type"] for r in routings] == ["A", "AAAA"]
        assert routings[0]["AliasTarget"] == target | {"EvaluateTargetHealth": health}
        with pytest.raises(Rejected, match="an alias of"):
            await provider.apply(ZONE, [await planned(provider, plain("A", "198.51.100.1", name=ZONE))])
        assert not simulator.bodies

    async def test_a_traffic_policy_and_what_nobody_knows_yet(
        self, simulator: Route53Simulator, provider: Route53
    ) -> None:
        """Whatever else a set has may change its answer."""
        simulator.put(ZONE, API, "A", TrafficPolicyInstanceId="12131415-abac-5454")
        assert (await provider.read(ZONE, [API])).policies == {API: "A records that a traffic policy makes"}
        body = f"""<L xmlns="{NAMESPACE}"><ResourceRecordSets><ResourceRecordSet><Name>{API}.</Name><Type>A</Type>
            <MoonPhase>full</MoonPhase><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>192.0.2.1</Value>
            </ResourceRecord></ResourceRecords></ResourceRecordSet></ResourceRecordSets>
            <IsTruncated>false</IsTruncated></L>"""
        simulator.misbehave("answer", status=200, body=body.encode())
        policies = (await provider.read(ZONE, [API])).policies
        assert policies == {API: "A records with more to it than Changeover knows: MoonPhase"}

    async def test_what_a_switch_does_not_touch_may_have_any_policy(
        self, simulator: Route53Simulator, provider: Route53
    ) -> None:
        """Weighted mail and an alias of texts stay as they are; but a text is not put where a policy decides."""
        simulator.put(ZONE, WWW, "MX", SetIdentifier="a", Weight=1, TTL=60, ResourceRecords=["10 mail.shop.example."])
        simulator.put(ZONE, SIGN, "TXT", SetIdentifier="a", Weight=1, TTL=60, ResourceRecords=['"another text"'])
        assert (await provider.read(ZONE, [WWW])).policies == {}
        assert await provider.apply(ZONE, [await planned(provider, plain("A", "198.51.100.1"))]) == Applied()
        with pytest.raises(Rejected, match="TXT records with weighted routing"):
            await provider.swap_txt(ZONE, SIGN, None, "lease one")


class TestHostedZones:
    async def test_a_private_zone_of_the_same_name_is_left_out(
        self, simulator: Route53Simulator, provider: Route53
    ) -> None:
        """Also where there are more of them than one page has."""
        for number in range(150):
            simulator.create_zone(ZONE, f"A{number:04}", private=True)
        assert await stands(provider) == (plain("A", "192.0.2.1"),)
        assert await provider.zones() == (ZONE,)

    async def test_where_all_are_private_it_is_said(self, simulator: Route53Simulator, provider: Route53) -> None:
        """Changing one of them would change nothing for visitors."""
        simulator.create_zone("inside.example", "ZPRIVATE", private=True)
        with pytest.raises(NotFound, match=r"no public hosted zone inside\.example .*only private ones: ZPRIVATE"):
            await provider.read("inside.example", ["www.inside.example"])

    async def test_of_several_public_ones_the_account_says_which(self, simulator: Route53Simulator) -> None:
        """Otherwise nothing is read, and the error names them."""
        first = simulator.zone(ZONE).id
        simulator.create_zone(ZONE, "ZSECOND")
        undecided, wrong = opened(simulator), opened(simulator, hosted_zone_id="ZNOWHERE")
        for account in (undecided, wrong):
            with pytest.raises(Rejected, match=f"several public hosted zones {ZONE}: {first}, ZSECOND") as caught:
                await account.read(ZONE, [WWW])
            assert "hosted_zone_id" in caught.value.hint
        decided = opened(simulator, hosted_zone_id=first)
        assert await stands(decided) == (plain("A", "192.0.2.1"),)
        other = opened(simulator, hosted_zone_id="ZSECOND")
        assert await stands(other) == ()
        for account in (undecided, wrong, decided, other):
            await account.aclose()

    async def test_a_zone_that_another_service_made_is_refused(
        self, simulator: Route53Simulator, provider: Route53
    ) -> None:
        """Route 53 takes no changes of it."""
        simulator.create_zone("map.example", linked="servicediscovery.amazonaws.com")
        with pytest.raises(PermissionDenied, match=r"made by servicediscovery\.amazonaws\.com"):
            await provider.read("map.example", ["www.map.example"])

    async def test_the_id_is_found_once(self, simulator: Route53Simulator, provider: Route53) -> None:
        """The emergency path lists no zones; a zone that was made anew is found again, and written to."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        del simulator.requests[:]
        assert await provider.apply(ZONE, [change]) == Applied()
        assert not [target for target in targets(simulator, "GET") if target.startswith("hostedzonesbyname")]
        old = simulator.zones.pop(simulator.zone(ZONE).id)
        simulator.create_zone(ZONE).sets.update(old.sets)
        assert await stands(provider) == change.after
        old = simulator.zones.pop(simulator.zone(ZONE).id)
        simulator.create_zone(ZONE).sets.update(old.sets)
        assert await provider.swap_txt(ZONE, SIGN, None, "lease one") == Applied()

    async def test_all_public_zones_are_listed(self) -> None:
        """By pages of 100."""
        names = [f"z{number:03}.example" for number in range(250)]
        with Route53Simulator(names, SECRET) as simulator:
            provider = opened(simulator)
            assert await provider.zones() == tuple(names)
            assert len(simulator.requests) == 3
            await provider.aclose()


class TestNames:
    @pytest.mark.parametrize(
        ("name", "written"),
        [
            ("*.apps.shop.example", "\\052.apps.shop.example."),
            ("_changeover.shop.example", "_changeover.shop.example."),
            ("a@b.shop.example", "a\\100b.shop.example."),
            ("a b.shop.example", "a\\040b.shop.example."),
        ],
    )
    def test_escapes_both_ways(self, name: str, written: str) -> None:
        """As Route 53 shows them."""
        assert (written_name(name), plain_name(written)) == (written, name)

    def test_an_escaped_dot_ends_no_label(self) -> None:
        """Else a record of one name would be taken for another's."""
        assert plain_name("www\\056shop.example.") == "www\\056shop.example"
        assert plain_name("a\\134100.Shop.example.") == "a\\134100.shop.example"

    async def test_neighbours_are_not_mistaken(self, simulator: Route53Simulator, provider: Route53) -> None:
        """Names that sort beside the one that is asked for."""
        for name in ("ww", "www-a", "www\\056x", "a.www", "*.www", "www.www", "wwwa"):
            simulator.add(ZONE, f"{name}.shop.example", "A", 60, "192.0.2.9")
        assert await stands(provider) == (plain("A", "192.0.2.1"),)
        assert await stands(provider, "wwww.shop.example") == ()
        assert await stands(provider, "*.www.shop.example") == (plain("A", "192.0.2.9", name="*.www.shop.example"),)


class TestNotation:
    @pytest.mark.parametrize(
        ("rtype", "value"),
        [
            ("CNAME", "Primary.Example.NET"),
            ("AAAA", "2001:DB8:0:0::1"),
            ("HTTPS", "1 . alpn=h3,h2"),
            ("HTTPS", "0 cdn.example.net"),
            ("SVCB", '1 svc.example.net. port="8443"'),
        ],
    )
    async def test_a_value_comes_back_as_it_was_written(
        self, simulator: Route53Simulator, provider: Route53, rtype: str, value: str
    ) -> None:
        """A DELETE must name it so, and undo restores it so."""
        simulator.remove(ZONE, WWW, "A")
        simulator.add(ZONE, WWW, rtype, 60, value)
        before = simulator.content(ZONE)
        change = await planned(provider, plain("A", "198.51.100.1"))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert simulator.content(ZONE) == before

    async def test_texts_are_untouched(self, simulator: Route53Simulator, provider: Route53) -> None:
        """Several strings, octal escapes, and what looks like XML."""
        texts = ['"' + "a" * 255 + '" "' + "b" * 100 + '"', '"\\303\\274 <&>"', '"\\101bc"', '"v=spf1 -all"']
        for text in texts:
            simulator.add(ZONE, SIGN, "TXT", 300, text)
        before = simulator.content(ZONE)
        (found,) = (await provider.read(ZONE, [SIGN])).records[SIGN]
        assert (found.values, found.details) == (tuple(sorted(texts)), {})
        assert await provider.swap_txt(ZONE, SIGN, None, "lease <one> & 'two'") == Applied()
        assert await provider.swap_txt(ZONE, SIGN, "lease <one> & 'two'", None) == Applied()
        now = simulator.content(ZONE)
        for sets in (before, now):
            for one in sets:
                one["ResourceRecords"].sort()
        assert now == before


async def test_a_large_zone(simulator: Route53Simulator, provider: Route53, capsys: pytest.CaptureFixture[str]) -> None:
    """5,000 records, two names in the service: requests as for a small one, and nothing else is written."""
    for number in range(5000):
        simulator.add(ZONE, f"n{number}.shop.example", "A", 60, "192.0.2.5")
    simulator.add(ZONE, API, "A", 60, "192.0.2.2")
    others = [one for one in simulator.content(ZONE) if one["Name"] not in (f"{WWW}.", f"{API}.")]
    reading = await provider.read(ZONE, [WWW, API])
    batch = [
        Change(account="aws", zone=ZONE, name=name, before=there, after=(plain("A", "198.51.100.1", name=name),))
        for name, there in reading.records.items()
    ]
    assert await provider.apply(ZONE, batch) == Applied()
    counted = len(simulator.requests)
    with capsys.disabled():
        print(f"\nRoute 53, two names of a zone of 5,000 records: {counted} requests to read and change")
    # The zone; two names; two names before the write; the write; whether it has arrived.
    assert counted == 1 + 2 + 2 + 1 + 1
    assert [one for one in simulator.content(ZONE) if one["Name"] not in (f"{WWW}.", f"{API}.")] == others
    del simulator.requests[:]
    names = [f"n{number}.shop.example" for number in range(0, 5000, 100)]
    assert all((await provider.read(ZONE, names)).records.values())
    assert len(simulator.requests) == 17  # all 5,003 sets by 300, rather than 50 names


class TestPermissions:
    async def test_a_key_that_may_write_is_proved_without_a_change(
        self, simulator: Route53Simulator, provider: Route53
    ) -> None:
        """Whatever stands at the names, be it the very set that is asked about."""
        simulator.add(ZONE, API, "CNAME", 60, "primary.example.net.")
        simulator.add(ZONE, "odd.shop.example", "A", 2**31 - 1, "192.0.2.1")
        before = simulator.content(ZONE)
        for names in ([WWW, API, "none.shop.example"], ["odd.shop.example"], []):
            assert (await provider.verify(ZONE, names)).may_write is True
        assert simulator.content(ZONE) == before

    async def test_what_says_nothing_about_the_permission(self, simulator: Route53Simulator, provider: Route53) -> None:
        """Is not taken for a yes, nor for a no."""
        simulator.misbehave("answer", writes_only=True, status=400, body=error("InvalidInput", "Invalid request"))
        assert (await provider.verify(ZONE, [WWW])).may_write is None

    async def test_a_key_for_one_zone_need_not_list_the_others(
        self, simulator: Route53Simulator, provider: Route53
    ) -> None:
        """It sees that one."""
        simulator.denied.add("ListHostedZones")
        access = await provider.verify(ZONE, [WWW])
        assert (access.zones, access.may_write) == ((ZONE,), True)

    @pytest.mark.parametrize("action", ["ListHostedZonesByName", "ListResourceRecordSets"])
    async def test_a_missing_permission_is_named(
        self, simulator: Route53Simulator, provider: Route53, action: str
    ) -> None:
        """In Amazon's words, with all that are needed."""
        simulator.denied.add(action)
        with pytest.raises(PermissionDenied, match=f"not authorized to perform: route53:{action}") as caught:
            await provider.verify(ZONE, [WWW])
        assert action in caught.value.hint


def error(code: str, message: str) -> bytes:
    words = f"<Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>"
    return f'<?xml version="1.0"?><ErrorResponse xmlns="{NAMESPACE}"><Error>{words}</Error></ErrorResponse>'.encode()


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "body", "kind", "words", "hint"),
        [
            (403, error("InvalidClientTokenId", "No such token."), AuthError, "No such token.", "access key"),
            (403, error("SignatureDoesNotMatch", "It does not."), AuthError, "It does not.", "clock"),
            (403, error("SignatureDoesNotMatch", "Signature expired: x"), AuthError, "expired", "clock must be right"),
            (403, error("InvalidSignatureException", "Signature not yet current"), AuthError, "current", "set it"),
            (400, error("RequestExpired", "Too late."), AuthError, "Too late.", "clock must be right"),
            (403, error("AccessDenied", "Not you."), PermissionDenied, "Not you.", "ChangeResourceRecordSets"),
            (403, b"<html>", PermissionDenied, "nothing more", "Allow"),
            (404, error("NoSuchHostedZone", "None."), NotFound, "None.", "zone"),
            (400, error("InvalidInput", f"{SECRET} &#10;{KEY_ID}"), Rejected, "InvalidInput: … …", "records"),
            (400, error("InvalidChangeBatch", "Odd."), Rejected, "Odd.", "records"),
            (400, b"not XML", Rejected, "nothing more", "records"),
        ],
    )
    async def test_a_refusal_is_told_in_its_words(
        self,
        simulator: Route53Simulator,
        provider: Route53,
        status: int,
        body: bytes,
        kind: type[ProviderError],
        words: str,
        hint: str,
    ) -> None:
        """With what to do, and without the key, should the server repeat it."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.misbehave("answer", writes_only=True, status=status, body=body, times=2)
        with pytest.raises(kind, match=re.escape(words)) as caught:
            await provider.apply(ZONE, [change])
        assert SECRET not in caught.value.text
        assert caught.value.text.isprintable()
        assert hint in caught.value.hint
        assert await stands(provider) == change.before

    @pytest.mark.parametrize(
        "message",
        [
            "[Tried to delete resource record set [name='a.', type='A'] but it was not found]",
            "[Tried to delete resource record set [name='a.', type='A'] but the values provided do not match the"
            " current values]",
            "[Tried to create resource record set [name='a.', type='A'] but it already exists]",
            "[RRSet of type A with DNS name a. is not permitted because a conflicting RRSet of type CNAME with the same"
            " DNS name already exists in zone a.]",
            "[RRSet of type CNAME with DNS name a. is not permitted as it conflicts with other records with the same"
            " DNS name in zone a.]",
        ],
    )
    @pytest.mark.parametrize("form", ["Error", "Messages"])
    async def test_a_conflict_in_both_of_its_forms(
        self, simulator: Route53Simulator, provider: Route53, message: str, form: str
    ) -> None:
        """The general form of errors, and the one that only InvalidChangeBatch has."""
        body = error("InvalidChangeBatch", message)
        if form == "Messages":
            inner = f"<Messages><Message>{message}</Message></Messages>"
            body = f'<InvalidChangeBatch xmlns="{NAMESPACE}">{inner}</InvalidChangeBatch>'.encode()
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.misbehave("answer", writes_only=True, status=400, body=body)
        result = await provider.apply(ZONE, [change])
        assert isinstance(result, PreconditionFailed)
        assert "InvalidChangeBatch" in result.conflicts[0]

    @pytest.mark.parametrize("late", [timedelta(minutes=6), timedelta(minutes=-6)], ids=["behind", "ahead"])
    async def test_a_clock_that_is_off(self, simulator: Route53Simulator, provider: Route53, late: timedelta) -> None:
        """Is what the hint is about."""
        auth = provider._api._signature
        assert isinstance(auth, SigV4)
        auth._now = lambda: datetime.now(UTC) - late
        with pytest.raises(AuthError, match=r"Signature (expired|not yet current)") as caught:
            await provider.read(ZONE, [WWW])
        assert "clock must be right" in caught.value.hint

    @pytest.mark.parametrize(
        ("code", "message"),
        [("Throttling", "Rate exceeded"), ("PriorRequestNotComplete", "Route 53 was still processing a prior request")],
    )
    async def test_too_early_is_tried_again(
        self, simulator: Route53Simulator, provider: Route53, code: str, message: str
    ) -> None:
        """Reading and writing, after a moment; before the write everything is compared once more."""
        simulator.misbehave("answer", status=400, body=error(code, message))
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.misbehave("answer", writes_only=True, status=400, body=error(code, message))
        assert await provider.apply(ZONE, [change]) == Applied()
        simulator.misbehave("answer", writes_only=True, status=400, body=error(code, message), times=50)
        impatient = opened(simulator, timeout=0.3)
        with pytest.raises(RateLimited, match=message):
            await impatient.apply(ZONE, [change.inverse])
        await impatient.aclose()
        assert await stands(provider) == change.after

    @pytest.mark.parametrize("what", ["answer", "answer-after"])
    async def test_a_server_error_of_a_write_is_unsure(
        self, simulator: Route53Simulator, provider: Route53, what: Any
    ) -> None:
        """Whether it was made or not; reading tells."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.misbehave(what, writes_only=True, status=503)
        assert isinstance(await provider.apply(ZONE, [change]), Indeterminate)
        assert await stands(provider) == (change.after if what == "answer-after" else change.before)

    async def test_pages_that_do_not_end(self, simulator: Route53Simulator, provider: Route53) -> None:
        """Are an error, and soon."""
        await stands(provider)
        again = f"<NextRecordName>{WWW}.</NextRecordName><NextRecordType>A</NextRecordType>"
        body = f"<L><ResourceRecordSets/><IsTruncated>true</IsTruncated>{again}</L>".encode()
        simulator.misbehave("answer", status=200, body=body, times=9)
        with pytest.raises(Unavailable, match="do not end"):
            await stands(provider)

    @pytest.mark.parametrize("seeds", [60, pytest.param(200, marks=pytest.mark.long)])
    async def test_an_answer_to_a_write_that_makes_no_sense_is_unsure(
        self, simulator: Route53Simulator, provider: Route53, seeds: int
    ) -> None:
        """It may have been made; and no answer leads a request elsewhere."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        assert await provider.apply(ZONE, [change]) == Applied()
        honest = next(a for a in reversed(simulator.answers) if b"ChangeResourceRecordSetsResponse" in a.content)
        with Route53Simulator([]) as elsewhere:
            for seed in range(seeds):
                answer = hostile(seed, honest, elsewhere.endpoint, SECRET)
                there = await stands(provider)
                wanted = plain("A", f"198.51.100.{seed % 2 + 2}")
                next_change = Change(account="aws", zone=ZONE, name=WWW, before=there, after=(wanted,))
                simulator.misbehave(
                    "answer-after", writes_only=True, status=answer.status, headers=answer.headers, body=answer.content
                )
                try:
                    result = await provider.apply(ZONE, [next_change])
                except ProviderError as refused:
                    assert answer.status >= 300
                    assert SECRET not in refused.text
                else:
                    assert isinstance(result, Applied | Indeterminate | PreconditionFailed)
                    assert not isinstance(result, Applied) or answer.status < 300
            assert not elsewhere.requests


class TestSettings:
    @pytest.mark.parametrize(
        ("options", "keys"),
        [
            (Route53Options(), []),
            (Route53Options("http://127.0.0.1:1/2013-04-01", "Z040120927RX9CM38HPQQ"), []),
            (
                Route53Options("http://route53.amazonaws.com/2013-04-01", "/hostedzone/Z1"),
                ["hosted_zone_id", "endpoint"],
            ),
        ],
    )
    def test_faults_name_the_key(self, options: Route53Options, keys: list[str]) -> None:
        """Plain http never leaves the computer."""
        assert [key for key, _ in PROVIDER.faults(options)] == keys

    def test_the_key_is_for_the_endpoints_host(self) -> None:
        """Both of its parts are kept, and both examples are of the form that they tell."""
        assert PROVIDER.host(Route53Options()) == "route53.amazonaws.com"
        assert [field.name for field in PROVIDER.secrets(Route53Options())] == ["access_key_id", "secret_access_key"]
        assert all(re.fullmatch(field.pattern, field.example) for field in PROVIDER.secrets(Route53Options()))
        assert not misfits(Route53Options())


@needs_recordings
@pytest.mark.parametrize("file", recordings("route53"), ids=lambda file: file.stem)
async def test_every_recorded_answer_is_understood(file: Path, simulator: Route53Simulator) -> None:
    """What the real Route 53 answered is read without loss."""
    simulator.create_zone(RECORDED, "Z040120927RX9CM38HPQQ")
    provider = opened(simulator)
    understand: dict[str, Callable[[bytes], Any]] = {
        "hostedzonesbyname": lambda body: _zones(simulator, provider, body),
        "rrset": lambda body: _sets(simulator, provider, body),
        "rrset/": lambda body: _changed(simulator, provider, body),
    }
    for step in conversation(file):
        part = step["request"]["url"].partition("2013-04-01/")[2].removeprefix("hostedzone/Z040120927RX9CM38HPQQ/")
        await understand[part](step["response"]["body"].encode())
        # A new one for the next answer: a provider knows what it wrote, and the simulator only says that it did.
        await provider.aclose()
        provider = opened(simulator)
    await provider.aclose()


async def _zones(simulator: Route53Simulator, provider: Route53, body: bytes) -> None:
    provider._zone_ids.clear()
    simulator.misbehave("answer", status=200, body=body)
    await provider.read(RECORDED, [RECORDED])
    assert provider._zone_ids == {RECORDED: "Z040120927RX9CM38HPQQ"}


async def _sets(simulator: Route53Simulator, provider: Route53, body: bytes) -> None:
    texts = re.findall("<Value>(.*?)</Value>", body.decode())
    names = set(re.findall("<Name>(.*?)[.]</Name>", body.decode()))
    await provider.read(RECORDED, [RECORDED])
    # One name more, so that the whole zone is listed.
    simulator.misbehave("answer", status=200, body=body)
    found = (await provider.read(RECORDED, [*names, f"another.{RECORDED}"])).records
    assert sum(len(record.values) for there in found.values() for record in there) == len(texts)
    assert all(found[name] for name in names)


async def _changed(simulator: Route53Simulator, provider: Route53, body: bytes) -> None:
    refused = b"<Error>" in body
    simulator.misbehave("answer", writes_only=True, status=400 if refused else 200, body=body)
    name = f"new.{RECORDED}"
    change = Change(account="aws", zone=RECORDED, name=name, before=(), after=(plain("A", "192.0.2.1", name=name),))
    if refused:
        with pytest.raises(Rejected, match=r"InvalidChangeBatch: .*Duplicate Resource Record"):
            await provider.apply(RECORDED, [change])
    else:
        assert await provider.apply(RECORDED, [change]) == Applied()
