"""What is dns-lexicon's own: what it reports and what is so, its time, its logs, its configuration, its notations."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from changeover.accounts.accounts import WrongFields, checked_account
from changeover.accounts.kinds import KINDS
from changeover.dns.lookup.client import Lookup
from changeover.dns.provider import Applied, Indeterminate, Result
from changeover.dns.providers import PROVIDERS
from changeover.dns.providers.lexicon import bridge as lexicon_bridge
from changeover.dns.providers.lexicon.lexicon import PROVIDER, Lexicon, LexiconOptions
from changeover.dns.providers.lexicon.lexicon_records import Notation, notation_of, understood, written
from changeover.model.dns.change import Change
from changeover.model.dns.records import AddressSet, RecordSet, address_set, record_set
from changeover.model.errors import AuthError, NotFound, PermissionDenied, RateLimited, Rejected, Unavailable
from changeover.model.secret import Secret
from changeover.model.settings.service import Account, LookupSettings
from changeover.monitoring.discovery import discover
from changeover.storage.settings import file as settings_file
from dns_servers.digitalocean_simulator import DigitalOceanSimulator
from dns_servers.ground import TOKEN, ZONE_NAME
from dns_servers.lexicon_ground import LexiconGround, led_to
from dns_servers.powerdns_relay import PowerDnsRelay
from dns_servers.process import free_port

pytestmark = pytest.mark.skipif(importlib.util.find_spec("lexicon") is None, reason="dns-lexicon is not installed")
WWW, API, MAIL, APEX = "www.shop.example", "api.shop.example", "mail.shop.example", "shop.example"


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[LexiconGround]:
    """dns-lexicon's Cloudflare provider on the simulated Cloudflare."""
    with LexiconGround(tmp_path) as running:
        yield running


def its_provider(via: str = "cloudflare") -> Any:
    from lexicon._private.discovery import load_provider_module

    return load_provider_module(via).Provider


async def stands(provider: Any, name: str) -> AddressSet:
    return address_set((await provider.read(ZONE_NAME, [name])).records[name])


async def planned(provider: Any, name: str, *after: RecordSet) -> Change:
    before = await stands(provider, name)
    return Change(
        account="dns-main",
        zone=ZONE_NAME,
        name=name,
        before=before,
        after=provider.normalize(ZONE_NAME, before, after),
    )


async def switched(ground: LexiconGround, name: str = MAIL, value: str = "198.51.100.1") -> Result:
    change = await planned(ground.provider, name, record_set(name, "A", 60, [value]))
    return await ground.provider.apply(ZONE_NAME, [change])


class TestWhatItReports:
    """Nothing that dns-lexicon says of a write is believed before it is seen."""

    async def test_success_that_is_none(self, ground: LexiconGround, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nobody knows, and what stands there is told."""
        monkeypatch.setattr(its_provider(), "create_record", lambda *_: True)
        zone = ground.records()
        result = await switched(ground)
        assert isinstance(result, Indeterminate)
        assert "says that it is done, but A at mail.shop.example is 192.0.2.25" in result.text
        assert ground.records() == zone

    async def test_no_without_a_reason(self, ground: LexiconGround, monkeypatch: pytest.MonkeyPatch) -> None:
        """Is a refusal, where a look shows that nothing was changed."""
        monkeypatch.setattr(its_provider(), "create_record", lambda *_: False)
        with pytest.raises(Rejected, match="does not say why"):
            await switched(ground)

    @pytest.mark.parametrize("error", [ValueError("no"), Exception("told no"), KeyError("id")])
    async def test_an_error_after_the_write(
        self, ground: LexiconGround, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        """Is no refusal: something was changed."""
        create = its_provider().create_record

        def create_and_fail(*arguments: Any) -> bool:
            create(*arguments)
            raise error

        monkeypatch.setattr(its_provider(), "create_record", create_and_fail)
        assert isinstance(await switched(ground), Indeterminate)
        assert {"192.0.2.25", "198.51.100.1"} <= {line.split()[3] for line in ground.records()}

    async def test_what_was_done_before_is_told(self, ground: LexiconGround, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of a change in several steps, the first is made, and the second is not."""
        monkeypatch.setattr(its_provider(), "delete_record", lambda *_, **__: False)
        result = await switched(ground)
        assert isinstance(result, Indeterminate)
        assert (
            "A 198.51.100.1 at mail.shop.example is created, but A 192.0.2.25 at mail.shop.example is not deleted"
            in result.text
        )

    async def test_a_ttl_that_the_provider_makes_longer(
        self, ground: LexiconGround, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The words say which key of the account tells it."""
        create = its_provider().create_record

        def create_slowly(provider: Any, *arguments: Any) -> Any:
            provider.config.with_dict({"ttl": 900})
            provider._get_lexicon_option = lambda name: 900 if name == "ttl" else None
            return create(provider, *arguments)

        monkeypatch.setattr(its_provider(), "create_record", create_slowly)
        change = await planned(
            ground.provider, "new.shop.example", record_set("new.shop.example", "A", 60, ["192.0.2.1"])
        )
        result = await ground.provider.apply(ZONE_NAME, [change])
        assert isinstance(result, Indeterminate)
        assert "with a TTL of 900" in result.text
        assert "minimum_ttl in account dns-main" in result.text

    async def test_the_answer_to_the_first_of_two_steps_is_lost(self, ground: LexiconGround) -> None:
        """What comes after it is not done; nothing is repeated."""
        ground.lose("answer")
        before = len(ground.behind.requests)
        assert isinstance(await switched(ground), Indeterminate)
        posts = [method for method, _ in ground.behind.requests[before:] if method != "GET"]
        assert posts == ["POST"]
        assert [r.values for r in await stands(ground.provider, MAIL)] == [("192.0.2.25", "198.51.100.1")]

    @pytest.mark.parametrize("error", [SyntaxError("not well-formed"), Exception("told no"), AssertionError()])
    async def test_an_error_that_nobody_knows(
        self, ground: LexiconGround, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        """Is no refusal, though nothing is to be seen yet; and nothing is tried in another notation after it."""
        made = []

        def fail(*arguments: Any) -> None:
            made.append(arguments[1:])
            raise error

        monkeypatch.setattr(its_provider(), "create_record", fail)
        name = "new.shop.example"
        change = await planned(ground.provider, name, record_set(name, "CNAME", 60, ["backup.example.net"]))
        assert isinstance(await ground.provider.apply(ZONE_NAME, [change]), Indeterminate)
        assert len(made) == 1

    @pytest.mark.parametrize("says", ["no", "it exists"])
    async def test_a_no_after_a_server_error(
        self, ground: LexiconGround, monkeypatch: pytest.MonkeyPatch, says: str
    ) -> None:
        """Some of its providers take any error for a no, or try again and are told that it is there already."""
        import requests

        def create(provider: Any, *_: str) -> bool:
            assert requests.post(f"{provider.api_endpoint}/zones", json={}, timeout=5).status_code == 502
            if says == "no":
                return False
            raise lexicon_exceptions().AuthenticationError("No such domain")

        monkeypatch.setattr(its_provider(), "create_record", create)
        ground.behind.misbehave("answer", writes_only=True, status=502)
        result = await switched(ground)
        assert isinstance(result, Indeterminate)
        assert "one of its answers did not come" in result.text


class TestTheRestOfTheZone:
    """What stood elsewhere must stand after every write."""

    @pytest.mark.parametrize("reports", [True, False])
    async def test_what_goes_with_a_write_is_named(
        self, ground: LexiconGround, monkeypatch: pytest.MonkeyPatch, reports: bool
    ) -> None:
        """As where a provider writes the whole zone, and loses some of it. Both where it is made, and refused."""
        create = its_provider().create_record
        ground.add(API, 60, "TXT", '"a text"')

        def create_and_lose(provider: Any, *arguments: Any) -> bool:
            if reports:
                create(provider, *arguments)
            provider.delete_record(rtype="TXT", name=API)
            return reports

        monkeypatch.setattr(its_provider(), "create_record", create_and_lose)
        result = await switched(ground)
        assert isinstance(result, Indeterminate)
        assert ('TXT "a text" at api.shop.example' if reports else "something was changed") in result.text

    async def test_much_that_goes_is_counted(self, ground: LexiconGround, monkeypatch: pytest.MonkeyPatch) -> None:
        """Ten are told."""
        for number in range(13):
            ground.add(API, 60, "TXT", f'"text {number:02}"')
        create = its_provider().create_record

        def create_and_lose(provider: Any, *arguments: Any) -> Any:
            provider.delete_record(rtype="TXT", name=API)
            return create(provider, *arguments)

        monkeypatch.setattr(its_provider(), "create_record", create_and_lose)
        result = await switched(ground)
        assert isinstance(result, Indeterminate)
        assert "text 09" in result.text
        assert "text 10" not in result.text
        assert "and 3 more" in result.text

    async def test_what_a_write_changes_by_itself_is_none_of_it(
        self, ground: LexiconGround, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The serial number of the zone."""
        listing, serials = its_provider().list_records, iter(range(100))

        def list_records(provider: Any, *arguments: Any) -> Any:
            text = f"ns1.example. hostmaster.example. {next(serials)} 3600 600 86400 60"
            return [*listing(provider, *arguments), {"type": "SOA", "name": APEX, "ttl": 60, "content": text}]

        monkeypatch.setattr(its_provider(), "list_records", list_records)
        assert await switched(ground) == Applied()

    async def test_an_id_of_a_whole_set_is_not_used_for_one_value(
        self, ground: LexiconGround, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its providers for Constellix and Misaka.io list every value with the id of its set."""
        listing, delete, places = its_provider().list_records, its_provider().delete_record, []

        def list_records(provider: Any, *arguments: Any, **named: Any) -> Any:
            return [{**one, "id": f"{one['type']}/{one['name']}"} for one in listing(provider, *arguments, **named)]

        def delete_record(provider: Any, **place: str) -> Any:
            places.append(place)
            monkeypatch.setattr(its_provider(), "list_records", listing)
            return delete(provider, **place)

        monkeypatch.setattr(its_provider(), "list_records", list_records)
        monkeypatch.setattr(its_provider(), "delete_record", delete_record)
        assert await switched(ground) == Applied()
        assert places == [{"rtype": "A", "name": MAIL, "content": "192.0.2.25"}]


class TestAListingThatMayBeCut:
    async def test_a_name_without_records_among_exactly_a_page(
        self, ground: LexiconGround, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Is not believed. A name that is there is, and so is one in a zone with one more, or one less."""
        listed = [
            {"type": "A", "name": f"n{number}.shop.example", "ttl": 60, "content": "192.0.2.1", "id": number}
            for number in range(101)
        ]
        monkeypatch.setattr(its_provider(), "list_records", lambda _: listed[:100])
        with pytest.raises(Rejected, match=r"exactly 100 records, and none at mail\.shop\.example") as caught:
            await ground.provider.read(ZONE_NAME, ["n1.shop.example", MAIL])
        assert "add any record" in caught.value.hint
        assert (await ground.provider.read(ZONE_NAME, ["n1.shop.example"])).records["n1.shop.example"]
        for count in (99, 101):
            monkeypatch.setattr(its_provider(), "list_records", lambda _, count=count: listed[:count])
            assert (await ground.provider.read(ZONE_NAME, [MAIL])).records == {MAIL: ()}

    async def test_a_name_that_a_write_empties_for_a_moment(self, ground: LexiconGround) -> None:
        """A CNAME gives way to an address in a zone of 51 records: what is seen between is no reason to stop."""
        await ground.provider.read(ZONE_NAME, [WWW])
        for number in range(51 - len(ground.provider._listed[ZONE_NAME])):  # type: ignore[attr-defined]
            ground.add(f"n{number}.shop.example", 60, "A", "192.0.2.1")
        change = await planned(ground.provider, WWW, record_set(WWW, "A", 60, ["198.51.100.1"]))
        assert [r.type for r in change.before] == ["CNAME"]
        assert await ground.provider.apply(ZONE_NAME, [change]) == Applied()


class TestTtl:
    async def test_a_set_that_stays_keeps_it(self, ground: LexiconGround) -> None:
        """There and back; a new set has the service's, or the least one."""
        zone = ground.records()
        to = await planned(ground.provider, MAIL, record_set(MAIL, "A", 60, ["198.51.100.1"]))
        assert [r.ttl for r in to.after] == [3600]
        new = await planned(ground.provider, MAIL, record_set(MAIL, "CNAME", 30, ["backup.example.net"]))
        assert [r.ttl for r in new.after] == [60]
        for change in (to, to.inverse, new, new.inverse):
            assert await ground.provider.apply(ZONE_NAME, [change]) == Applied()
        assert ground.records() == zone

    async def test_ttls_of_their_own(self, ground: LexiconGround) -> None:
        """Records of one set with different TTLs are put back as they were."""
        ground.add(API, 300, "A", "192.0.2.22")
        zone = ground.records()
        for values in (["192.0.2.20"], ["192.0.2.22", "198.51.100.1"], ["198.51.100.1"]):
            change = await planned(ground.provider, API, record_set(API, "A", 60, values))
            assert await ground.provider.apply(ZONE_NAME, [change]) == Applied()
            assert await stands(ground.provider, API) == change.after
            assert await ground.provider.apply(ZONE_NAME, [change.inverse]) == Applied()
            assert ground.records() == zone

    async def test_what_stays_gets_no_other(self, ground: LexiconGround) -> None:
        """Such a change is refused before anything is written, in words that say where to make it."""
        before = await stands(ground.provider, MAIL)
        lower = (record_set(MAIL, "A", 60, ["192.0.2.25"]),)
        change = Change(account="dns-main", zone=ZONE_NAME, name=MAIL, before=before, after=lower)
        zone = ground.records()
        with pytest.raises(Rejected, match="does not change the TTL") as caught:
            await ground.provider.apply(ZONE_NAME, [change])
        assert "at the provider" in caught.value.hint
        assert ground.records() == zone


class TestWhatIsNotTouched:
    async def test_a_name_with_an_https_record(self, ground: LexiconGround) -> None:
        """Is refused by the finding about routing, since it could not be put back."""
        reading = await ground.provider.read(ZONE_NAME, ["h3.shop.example", MAIL])
        assert list(reading.policies) == ["h3.shop.example"]
        assert "HTTPS" in reading.policies["h3.shop.example"]

    @pytest.mark.parametrize("rtype", ["ALIAS", "ANAME", "URL", "URL301", "FRAME"])
    async def test_a_record_of_the_providers_own(
        self, ground: LexiconGround, monkeypatch: pytest.MonkeyPatch, rtype: str
    ) -> None:
        """An alias or a redirection answers visitors as no address here says."""
        listed = [{"type": rtype, "name": APEX, "ttl": 600, "content": "app.example.net", "id": 7}]
        monkeypatch.setattr(its_provider(), "list_records", lambda *_: listed)
        assert rtype in (await ground.provider.read(ZONE_NAME, [APEX])).policies[APEX]


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "error"),
        [(401, AuthError), (403, PermissionDenied), (400, Rejected), (422, Rejected)],
    )
    async def test_a_refusal_of_the_write(self, ground: LexiconGround, status: int, error: type[Exception]) -> None:
        """By its status, with the provider's words, and nothing was changed."""
        change = await planned(ground.provider, MAIL, record_set(MAIL, "A", 60, ["198.51.100.1"]))
        zone = ground.records()
        ground.behind.misbehave(
            "answer", writes_only=True, status=status, body=b'{"errors": [{"code": 1}], "a": "why"}'
        )
        with pytest.raises(error, match="why"):
            await ground.provider.apply(ZONE_NAME, [change])
        assert ground.records() == zone

    async def test_too_many_requests(self, ground: LexiconGround) -> None:
        """Waits as the provider asks, and goes on."""
        ground.behind.misbehave(
            "answer", writes_only=True, status=429, headers=[("Retry-After", "0.2")], body=b'{"errors": []}'
        )
        assert await switched(ground) == Applied()
        ground.behind.misbehave("answer", times=9, status=429, body=b"{}")
        with pytest.raises(RateLimited):
            await ground.provider.read(ZONE_NAME, [MAIL])

    @pytest.mark.parametrize(
        ("words", "error"),
        [
            ("No domain found", NotFound),
            ("Domain 'shop.example' not found (404).", NotFound),
            ("Unknown domain shop.example", NotFound),
            ("Domain 'shop.example' not found (401).", AuthError),
            ("Not authorized for this zone", AuthError),
            ("Incorrect API keys", AuthError),
        ],
    )
    async def test_what_its_authentication_error_means(
        self, ground: LexiconGround, monkeypatch: pytest.MonkeyPatch, words: str, error: type[Exception]
    ) -> None:
        """It is raised for a zone that is not there as well."""

        def refuse(_: Any) -> None:
            raise lexicon_exceptions().AuthenticationError(words)

        monkeypatch.setattr(its_provider(), "authenticate", refuse)
        with pytest.raises(error) as caught:
            await ground.provider.read(ZONE_NAME, [MAIL])
        assert type(caught.value) is error

    async def test_its_texts_repeat_no_secret(self, ground: LexiconGround, monkeypatch: pytest.MonkeyPatch) -> None:
        """As it is, quoted for an address or a form, and in a JSON object."""
        secret = 'pa ss/word\u00e4&"'
        provider = ground.open(secret=secret)
        forms = (
            *(secret, "pa%20ss/word%C3%A4%26%22", "pa%20ss%2Fword%C3%A4%26%22", "pa%20ss/word%C3%A4&%22"),
            *("pa+ss%2Fword%C3%A4%26%22", "pa+ss/word%C3%A4%26%22", json.dumps({"auth_token": secret})),
        )

        def fail(_: Any) -> None:
            raise Exception(" ".join(forms))

        monkeypatch.setattr(its_provider(), "authenticate", fail)
        with pytest.raises(Rejected) as caught:
            await provider.read(ZONE_NAME, [MAIL])
        assert not [form for form in forms if form in caught.value.text]

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "token",
            "[]",
            "{}",
            '{"auth_token": 7}',
            '{"auth_token": ""}',
            '{"auth_tokn": "x"}',
            '{"auth_token": "a\\u0007b"}',
        ],
    )
    async def test_what_is_no_credential(self, ground: LexiconGround, text: str) -> None:
        """Is said so before anything is asked, with the options that this provider takes."""
        options = msgspec.convert(ground.options(), LexiconOptions)
        provider = Lexicon("dns-main", options, {"auth": Secret(text)}, 5.0)
        before = len(ground.behind.requests)
        with pytest.raises(AuthError) as caught:
            await provider.read(ZONE_NAME, [MAIL])
        assert "auth_username, auth_token, zone_id" in caught.value.hint
        assert not text or text not in caught.value.text
        assert len(ground.behind.requests) == before

    async def test_where_it_is_not_installed(self, ground: LexiconGround, monkeypatch: pytest.MonkeyPatch) -> None:
        """The command that installs it is told; the settings are good all the same."""
        monkeypatch.setattr(lexicon_bridge, "_prepare", lexicon_bridge._prepare.__wrapped__)
        monkeypatch.setattr(lexicon_bridge, "declared", lexicon_bridge.declared.__wrapped__)
        for name in [name for name in sys.modules if name.partition(".")[0] == "lexicon"]:
            monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(Rejected, match="not installed") as caught:
            await ground.provider.read(ZONE_NAME, [MAIL])
        assert "pip install 'changeover[lexicon]'" in caught.value.hint
        assert PROVIDER.faults(LexiconOptions(via="porkbun")) == []


def lexicon_exceptions() -> Any:
    from lexicon import exceptions

    return exceptions


class TestTime:
    async def test_no_request_follows_once_the_time_is_over(
        self, ground: LexiconGround, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A write that was given up between its own requests is not made later."""
        own = its_provider().create_record

        def slow(*arguments: Any) -> Any:
            time.sleep(0.8)
            return own(*arguments)

        impatient = ground.open(timeout=0.4)
        change = await planned(impatient, MAIL, record_set(MAIL, "A", 60, ["198.51.100.1"]))
        zone = ground.records()
        monkeypatch.setattr(its_provider(), "create_record", slow)
        assert isinstance(await impatient.apply(ZONE_NAME, [change]), Indeterminate)
        await asyncio.sleep(1.0)
        assert ground.records() == zone

    async def test_a_write_is_not_begun_once_the_time_is_over(
        self, ground: LexiconGround, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where the login took that long, surely nothing was made."""
        impatient = ground.open(timeout=0.4)
        change = await planned(impatient, MAIL, record_set(MAIL, "A", 60, ["198.51.100.1"]))
        zone, calls, begun = ground.records(), iter([0.0, 0.8, 0.0]), []
        monkeypatch.setattr(its_provider(), "authenticate", lambda its: (time.sleep(next(calls)), _known(its, ground)))
        monkeypatch.setattr(its_provider(), "create_record", lambda *_: begun.append(True))
        with pytest.raises(Unavailable):
            await impatient.apply(ZONE_NAME, [change])
        await asyncio.sleep(1.0)
        assert (ground.records(), begun) == (zone, [])

    async def test_nothing_is_repeated(self, ground: LexiconGround, monkeypatch: pytest.MonkeyPatch) -> None:
        """Some of its providers repeat a write by themselves, after 503 for example. Not here."""
        import requests
        from requests.adapters import HTTPAdapter
        from urllib3.util.retry import Retry

        def create(provider: Any, rtype: str, name: str, content: str) -> bool:
            with requests.Session() as session:
                often = Retry(total=5, backoff_factor=0.01, status_forcelist=[503], allowed_methods=None)
                session.mount("http://", HTTPAdapter(max_retries=often))
                session.post(f"{provider.api_endpoint}/zones", json={}).raise_for_status()
            return True

        monkeypatch.setattr(its_provider(), "create_record", create)
        ground.behind.misbehave("answer", writes_only=True, times=9, status=503)
        before = len(ground.behind.requests)
        assert isinstance(await switched(ground), Indeterminate)
        assert [method for method, _ in ground.behind.requests[before:]].count("POST") == 1

    async def test_requests_of_others_are_as_ever(self, ground: LexiconGround) -> None:
        """Only its own threads are limited."""
        import requests

        await ground.provider.read(ZONE_NAME, [MAIL])
        answered = await asyncio.to_thread(requests.get, ground.behind.address)
        assert answered.status_code in (403, 404, 400)

    def test_a_provider_that_hangs_does_not_keep_the_program(self, tmp_path: Path) -> None:
        """It ends with the time-out, and the thread with it."""
        script = f"""
import asyncio, json, time
from changeover.dns.providers.lexicon.lexicon import Lexicon, LexiconOptions as Options
from changeover.model.errors import Unavailable
from changeover.model.secret import Secret
from lexicon._private.discovery import load_provider_module
load_provider_module("porkbun").Provider.authenticate = lambda _: time.sleep(600)
auth = json.dumps({{"auth_key": "a", "auth_secret": "b"}})
provider = Lexicon("dns-main", Options(via="porkbun"), {{"auth": Secret(auth)}}, 0.3)
try:
    asyncio.run(provider.read("shop.example", ["{WWW}"]))
except Unavailable as error:
    print(error.text)
"""
        ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True)
        assert ended.stdout == "PORKBUN through dns-lexicon did not answer within 0.3 s\n"


def _known(its: Any, ground: LexiconGround) -> None:
    """What a login finds out."""
    its.domain_id = ground.simulator.zone(ZONE_NAME).id


class TestItsConfiguration:
    async def test_nothing_is_taken_from_elsewhere(
        self, ground: LexiconGround, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """Not from the environment, not from a file of the working directory; nor is the list of suffixes fetched."""
        monkeypatch.setenv("LEXICON_CLOUDFLARE_AUTH_TOKEN", "x" * 40)
        monkeypatch.setenv("LEXICON_CLOUDFLARE_ZONE_ID", "elsewhere")
        (tmp_path / "lexicon.yml").write_text("cloudflare:\n  zone_id: elsewhere\n")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("tldextract.TLDExtract", None)
        assert await stands(ground.provider, MAIL)
        assert TOKEN not in json.dumps(dict(os.environ))

    def test_what_its_providers_print_and_fetch(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Is neither printed nor fetched: the suffixes are those that tldextract brings, its log is silent."""
        from lexicon._private.providers import namecheap

        lexicon_bridge._provider_class("namecheap")
        lexicon_bridge._prepare()
        vars(namecheap)["print"]("Remote: 3")
        assert capsys.readouterr() == ("", "")
        found = namecheap.tldextract.extract("shop.co.uk")
        assert (found.domain, found.suffix) == ("shop", "co.uk")
        assert namecheap.tldextract.extract.suffix_list_urls == ()
        assert not logging.getLogger("tldextract").isEnabledFor(logging.CRITICAL)

    async def test_access(self, ground: LexiconGround) -> None:
        """It cannot list zones, nor tell what it may write."""
        assert await ground.provider.zones() is None
        access = await ground.provider.verify(ZONE_NAME, [MAIL])
        assert (access.zones, access.may_write) == ((ZONE_NAME,), None)
        ground.forbid_writing()
        with pytest.raises(PermissionDenied):
            await switched(ground)

    async def test_its_zone_is_found_by_trying(self, ground: LexiconGround) -> None:
        """It cannot be asked for a list, so each name above is read, the longest first."""
        account = Account(name="dns-main", provider="lexicon", options={})
        lookup = Lookup(LookupSettings(resolvers=()), timeout=0.2)
        found = await discover(WWW, [account], {"dns-main": ground.provider}, lookup)
        assert [(entry.account, entry.zone) for entry in found.entries] == [("dns-main", ZONE_NAME)]
        other = await discover("www.elsewhere.example", [account], {"dns-main": ground.provider}, lookup)
        assert (other.entries, other.others[0].error) == ((), None)

    @pytest.mark.parametrize("words", ["Incorrect API keys", "Domain name is invalid"])
    async def test_its_zone_is_found_behind_a_refusal(
        self, ground: LexiconGround, monkeypatch: pytest.MonkeyPatch, words: str
    ) -> None:
        """Some say of a name that is no zone whatever they like; it counts only where no name above is one."""
        authenticate = its_provider().authenticate

        def only_zones(provider: Any) -> Any:
            if provider.domain == ZONE_NAME:
                return authenticate(provider)
            kind = lexicon_exceptions().AuthenticationError if "keys" in words else Exception
            raise kind(f"{words}: {provider.domain}")

        monkeypatch.setattr(its_provider(), "authenticate", only_zones)
        account = Account(name="dns-main", provider="lexicon", options={"via": "cloudflare"})
        lookup = Lookup(LookupSettings(resolvers=()), timeout=0.2)
        found = await discover(WWW, [account], {"dns-main": ground.provider}, lookup)
        assert [one.held.zone for one in found.found] == [ZONE_NAME]
        other = await discover("www.elsewhere.example", [account], {"dns-main": ground.provider}, lookup)
        assert other.found == ()
        assert f"{words}: www.elsewhere.example" in (other.others[0].error or "")
        assert other.others[0].via == "cloudflare"

    def test_it_is_called_what_it_is(self, ground: LexiconGround) -> None:
        """In every finding, and it promises nothing that it cannot."""
        can = ground.provider.capabilities
        assert can.label == "CLOUDFLARE through dns-lexicon"
        assert (can.batch, can.leases, can.native_compare_and_set, can.apex_cname) == (None, False, False, False)


class TestSettings:
    @pytest.mark.parametrize(
        ("options", "key", "words"),
        [
            ({"via": "porkbn"}, "via", "porkbun"),
            ({"via": "Pork Bun"}, "via", "porkbun"),
            ({"via": "cloudflare"}, "via", 'provider = "cloudflare"'),
            ({"via": "ddns"}, "via", 'provider = "rfc2136"'),
            ({"via": "auto"}, "via", "auto guesses"),
            ({"via": "plesk", "more": ["plesk_server"]}, "more", "plesk_server=https"),
            ({"via": "plesk", "more": ["plesk_sever=https://a.example"]}, "more", "not plesk_sever"),
            ({"via": "plesk", "more": ["auth_password=x"]}, "more", "secret"),
            ({"via": "plesk", "more": ["plesk_server=http://a.example"]}, "more", "https addresses only"),
            ({"via": "porkbun", "minimum_ttl": 0}, "minimum_ttl", "600"),
        ],
    )
    def test_what_is_wrong_is_told(self, options: dict[str, Any], key: str, words: str) -> None:
        """With what would be right, by dns-lexicon's own list."""
        found = dict(PROVIDER.faults(msgspec.convert(options, LexiconOptions)))
        assert words in found[key]

    @pytest.mark.parametrize(
        ("via", "words"),
        [
            ("namecheap", "loses its MX records"),
            ("godaddy", "writes all A records of the zone"),
            *((via, "writes the whole zone") for via in ("joker", "sakuracloud", "valuedomain")),
            *((via, "deletes all that a name has") for via in ("internetbs", "mythicbeasts", "yandexcloud")),
            *((via, "sees no other name") for via in ("duckdns", "infoblox")),
        ],
    )
    def test_what_would_harm_more_than_the_record_is_refused(self, via: str, words: str) -> None:
        """And is not named among what can be taken instead."""
        assert via in (lexicon_bridge.installed() or {})
        (fault,) = PROVIDER.faults(LexiconOptions(via=via))
        assert fault[0] == "via"
        assert "another provider" in fault[1]
        assert words in fault[1]
        others = dict(PROVIDER.faults(LexiconOptions(via="porkbn")))["via"].replace(",", "").split()
        assert via not in others
        assert "porkbun" in others

    def test_an_account(self, tmp_path: Path) -> None:
        """Its secret is a JSON object of several lines, as a person would paste it."""
        text = '{\n  "auth_username": "a",\n  "auth_password": "b c"\n}\n'
        options = {"via": "plesk", "more": ["plesk_server=https://host.example:8443"]}
        account, secrets = checked_account("panel", "lexicon", options, {"auth": Secret(text)})
        assert json.loads(secrets["auth"].reveal()) == {"auth_username": "a", "auth_password": "b c"}
        with pytest.raises(WrongFields) as caught:
            checked_account("panel", "lexicon", options, {"auth": Secret("just-a-token")})
        assert "just-a-token" not in f"{caught.value.text}{caught.value.hint}"
        file = tmp_path / "changeover.toml"
        settings_file.rewrite(file, KINDS, lambda text: settings_file.set_account(text, account))
        assert settings_file.load(file, KINDS).accounts == (account,)

    def test_a_secret_is_for_one_place(self) -> None:
        """Where an option leads elsewhere, it is refused until it is given again."""
        places = [PROVIDER.host(LexiconOptions(via="plesk", more=(f"plesk_server=https://{h}.example",))) for h in "ab"]
        assert len({*places, PROVIDER.host(LexiconOptions(via="porkbun"))}) == 3

    @pytest.mark.parametrize("via", ["cloudflare", "powerdns", "digitalocean", "ddns", "linode4"])
    def test_what_changeover_has_itself_is_named_instead(self, via: str) -> None:
        """By its name there; and dns-lexicon has it by this name, in the version that is installed."""
        assert via in (lexicon_bridge.installed() or {})
        (fault,) = PROVIDER.faults(LexiconOptions(via=via))
        assert any(f'provider = "{own}"' in fault[1] for own in PROVIDERS)


class TestNotations:
    @pytest.mark.parametrize(
        ("listed", "record"),
        [
            (("@.shop.example", "a", "192.0.2.1", "600"), (APEX, "A", 600, "192.0.2.1")),
            (("@", "A", "192.0.2.1", 600), (APEX, "A", 600, "192.0.2.1")),
            (("", "A", "192.0.2.1", None), (APEX, "A", 300, "192.0.2.1")),
            (("WWW", "CNAME", "App.Example.net.", 60), (WWW, "CNAME", 60, "app.example.net")),
            (("www.shop.example.", "CNAME", "@", 60), (WWW, "CNAME", 60, APEX)),
            (("*.shop.example", "AAAA", "2001:DB8:0::1", ""), ("*.shop.example", "AAAA", 300, "2001:db8::1")),
            (("b\u00fccher", "TXT", "v=spf1 -all", 60), ("xn--bcher-kva.shop.example", "TXT", 60, '"v=spf1 -all"')),
            (("www", "TXT", '"v=spf1 -all"', 60), (WWW, "TXT", 60, '"v=spf1 -all"')),
            (("www", "TXT", 'of two" "strings', 60), (WWW, "TXT", 60, '"of two" "strings"')),
        ],
    )
    def test_a_listed_record_in_canonical_form(self, listed: tuple[Any, ...], record: tuple[Any, ...]) -> None:
        """Whatever the provider makes of names, texts and TTLs."""
        name, rtype, content, ttl = listed
        _, found = understood(ZONE_NAME, {"name": name, "type": rtype, "content": content, "ttl": ttl}, 300)
        assert (found.name, found.type, found.ttl, found.value) == record

    def test_host_names_are_written_as_the_others_are_listed(self) -> None:
        """With a final dot, or without."""
        one = {"name": "www", "type": "CNAME", "content": "app.example.net.", "ttl": 60}
        _, record = understood(ZONE_NAME, one, 300)
        assert written(record, notation_of([one])) == ("app.example.net.", "app.example.net")
        assert written(record, Notation()) == ("app.example.net", "app.example.net.")
        assert not notation_of([{**one, "ttl": None}]).shows_ttl

    async def test_digitalocean(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Another of its providers: lists the apex as "@.shop.example", wants a final dot in updates alone."""
        monkeypatch.setattr("changeover.dns.providers.lexicon.lexicon.LOOKS", (0.0, 0.05))
        token = "dop_v1_" + "0" * 64
        auth = {"auth": Secret(json.dumps({"auth_token": token}))}
        with DigitalOceanSimulator([ZONE_NAME], token) as behind, led_to("digitalocean", f"{behind.address}/v2"):
            behind.add(ZONE_NAME, "@", "A", 60, "192.0.2.10")
            behind.add(ZONE_NAME, "www", "CNAME", 60, "primary.example.net")
            before = told(behind)
            provider = Lexicon("dns-main", LexiconOptions(via="digitalocean", minimum_ttl=30), auth, 5.0)
            new = "new.shop.example"
            changes = [
                await planned(provider, WWW, record_set(WWW, "CNAME", 60, ["backup.example.net"])),
                await planned(provider, new, record_set(new, "AAAA", 60, ["2001:db8::1", "2001:db8::2"])),
            ]
            for change in changes:
                assert await provider.apply(ZONE_NAME, [change]) == Applied()
                assert await stands(provider, change.name) == change.after
            for change in changes:
                assert await provider.apply(ZONE_NAME, [change.inverse]) == Applied()
            assert told(behind) == before
            apex = await planned(provider, APEX, record_set(APEX, "A", 60, ["198.51.100.1"]))
            assert [r.values for r in apex.before] == [("192.0.2.10",)]
            # It sends an empty name for the apex, which is refused.
            with pytest.raises(Rejected, match="Name can't be blank"):
                await provider.apply(ZONE_NAME, [apex])
            assert told(behind) == before


def told(behind: DigitalOceanSimulator) -> list[tuple[Any, ...]]:
    """The zone without ids."""
    return sorted((r["name"], r["type"], r["ttl"], r["data"]) for r in behind.records(ZONE_NAME))


class TestARealServer:
    """dns-lexicon's PowerDNS provider on a real PowerDNS, which it serves badly: it adds the zone to every target."""

    @pytest.fixture
    def relay(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PowerDnsRelay]:
        monkeypatch.setattr("changeover.dns.providers.lexicon.lexicon.LOOKS", (0.0, 0.05))
        text = "@ 3600 SOA ns1 hostmaster 1 3600 600 86400 60\n@ 3600 NS ns1\nns1 3600 A 127.0.0.1\n@ 60 A 192.0.2.10\n"
        with PowerDnsRelay(tmp_path, ZONE_NAME, text, TOKEN) as running:
            yield running

    @pytest.fixture
    def provider(self, relay: PowerDnsRelay) -> Lexicon:
        options = LexiconOptions(via="powerdns", more=(f"pdns_server={relay.address}",), minimum_ttl=60)
        return Lexicon("dns-main", options, {"auth": Secret(json.dumps({"auth_token": TOKEN}))}, 5.0)

    async def test_addresses_there_and_back(self, relay: PowerDnsRelay, provider: Lexicon) -> None:
        """Whole sets behind it, and still record by record; there is an answer at every moment."""
        zone = relay.records()
        change = await planned(provider, APEX, record_set(APEX, "A", 60, ["198.51.100.1", "198.51.100.2"]))
        assert await provider.apply(ZONE_NAME, [change]) == Applied()
        assert await stands(provider, APEX) == change.after
        assert await provider.apply(ZONE_NAME, [change.inverse]) == Applied()
        assert relay.records() == zone

    async def test_a_target_that_became_another_is_seen(self, provider: Lexicon) -> None:
        """It says that it is done."""
        change = await planned(provider, WWW, record_set(WWW, "CNAME", 60, ["backup.example.net"]))
        result = await provider.apply(ZONE_NAME, [change])
        assert isinstance(result, Indeterminate)
        assert "CNAME at www.shop.example is backup.example.net.shop.example" in result.text


async def test_nobody_listens() -> None:
    """It is no answer in time, and nothing was made."""
    auth = {"auth": Secret(json.dumps({"auth_token": TOKEN}))}
    options = LexiconOptions(via="powerdns", more=(f"pdns_server=http://127.0.0.1:{free_port()}",))
    with pytest.raises(Unavailable, match="POWERDNS through dns-lexicon failed"):
        await Lexicon("dns-main", options, auth, 5.0).read(ZONE_NAME, [WWW])
