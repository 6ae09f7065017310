"""What is Google Cloud DNS's own: access tokens, which zone it is, exact changes and when they are done, its errors."""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from changeover.dns.provider import Applied, Guard, Indeterminate, PreconditionFailed
from changeover.dns.providers import google
from changeover.dns.providers.google import PROVIDER, Google, GoogleOptions
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
from dns_servers.changes import plain, planned, stands
from dns_servers.google_simulator import PROJECT, GoogleSimulator, TokenSimulator
from dns_servers.recordings import conversation, needs_recordings, recordings

ZONE = "shop.example"
RECORDED = "fullm3tal.tk"
WWW = "www.shop.example"
SIGN = "_changeover.shop.example"


@pytest.fixture
def tokens() -> Iterator[TokenSimulator]:
    with TokenSimulator() as running:
        yield running


@pytest.fixture
def simulator(tokens: TokenSimulator) -> Iterator[GoogleSimulator]:
    with GoogleSimulator([ZONE], tokens) as running:
        running.add(ZONE, WWW, "A", 60, "192.0.2.1")
        yield running


def opened(simulator: GoogleSimulator, key: str, timeout: float = 30, **options: Any) -> Google:
    return Google("g", GoogleOptions(simulator.address, **options), {"key": Secret(key)}, timeout)


@pytest.fixture
async def provider(simulator: GoogleSimulator, tokens: TokenSimulator) -> AsyncIterator[Google]:
    running = opened(simulator, tokens.key_file())
    yield running
    await running.aclose()


def error(status: int, reason: str, message: str) -> bytes:
    one = {"message": message, "domain": "global", "reason": reason}
    return json.dumps({"error": {"code": status, "message": message, "errors": [one]}}).encode()


class TestAccessTokens:
    async def test_one_token_serves_until_shortly_before_its_end(
        self, simulator: GoogleSimulator, tokens: TokenSimulator, provider: Google
    ) -> None:
        """However many requests there are. One that ends soon is not used a second time."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert len(tokens.requests) == 1
        tokens.expires_in = 100
        hasty = opened(simulator, tokens.key_file())
        await stands(hasty)
        assert len(tokens.requests) > 2
        await hasty.aclose()

    async def test_a_token_that_is_refused_before_its_end_is_replaced_once(
        self, simulator: GoogleSimulator, tokens: TokenSimulator, provider: Google
    ) -> None:
        """As after a computer's sleep. The write is made once, and where the new token is refused too, that is it."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        tokens.tokens.clear()
        assert await provider.apply(ZONE, [change]) == Applied()
        assert len(tokens.requests) == 2
        simulator.misbehave("answer", status=401, body=error(401, "authError", "Invalid Credentials"), times=3)
        with pytest.raises(AuthError, match="Invalid Credentials"):
            await provider.apply(ZONE, [change.inverse])
        assert len(tokens.requests) == 3

    @pytest.mark.parametrize("number", [1, 2])
    async def test_a_key_that_is_not_the_accounts_is_an_auth_error(
        self, simulator: GoogleSimulator, tokens: TokenSimulator, number: int
    ) -> None:
        """In Google's words, with what to do; the clock may be wrong as well. The API is not asked."""
        wrong = opened(simulator, tokens.key_file(number))
        with pytest.raises(AuthError, match="Invalid JWT Signature") as caught:
            await stands(wrong)
        assert "clock" in caught.value.hint
        assert not simulator.requests
        await wrong.aclose()

    @pytest.mark.parametrize("what", ["answer", "hang", "drop-before", "drop-after"])
    async def test_without_a_token_nothing_was_asked(
        self, simulator: GoogleSimulator, tokens: TokenSimulator, provider: Google, what: Any
    ) -> None:
        """A write that got no token is surely not made: never unsure."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        late = opened(simulator, tokens.key_file(), timeout=0.3)
        tokens.misbehave(what, times=9, status=502)
        with pytest.raises(Unavailable, match="127"):
            await late.apply(ZONE, [change])
        assert await stands(provider) == change.before
        await late.aclose()

    async def test_a_write_that_needs_a_new_token_and_gets_none(
        self, simulator: GoogleSimulator, tokens: TokenSimulator, provider: Google
    ) -> None:
        """Was refused before, and is surely not made."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.misbehave("answer", writes_only=True, status=401)
        tokens.misbehave("answer", times=9, status=502)
        with pytest.raises(Unavailable):
            await provider.apply(ZONE, [change])

    @pytest.mark.parametrize(
        ("status", "body", "kind"),
        [
            (200, b"<html>Log in</html>", Unavailable),
            (200, b'{"access_token": "a b", "token_type": "Bearer"}', Unavailable),
            (200, b'{"access_token": "\\n", "token_type": "Bearer"}', Unavailable),
            (200, b'{"access_token": "a", "token_type": "mac"}', Unavailable),
            (429, b"", RateLimited),
            (404, b"", NotFound),
            (302, b"", Rejected),
            (403, b"<html>", AuthError),
        ],
    )
    async def test_an_odd_answer_is_told_in_words(
        self, tokens: TokenSimulator, provider: Google, status: int, body: bytes, kind: type[ProviderError]
    ) -> None:
        """None becomes a token."""
        tokens.misbehave("answer", times=9, status=status, body=body, headers=[("Retry-After", "900")])
        with pytest.raises(kind) as caught:
            await stands(provider)
        assert caught.value.text.isprintable()
        assert caught.value.hint

    @pytest.mark.parametrize(
        "changes",
        [
            {"token_uri": "https://collector.example/token"},
            {"token_uri": "http://oauth2.googleapis.com/token"},
            {"token_uri": "https://oauth2.googleapis.com.collector.example/token"},
            {"token_uri": "https://oauth2.googleapis.com@collector.example/token"},
            {"type": "authorized_user"},
            {"project_id": "../../elsewhere"},
            {"private_key": "-----BEGIN PRIVATE KEY-----\nsomething\n-----END PRIVATE KEY-----\n"},
            {"private_key": ""},
        ],
    )
    async def test_what_is_no_key_of_googles_signs_nothing(
        self, simulator: GoogleSimulator, tokens: TokenSimulator, changes: dict[str, str]
    ) -> None:
        """Nor is a signed request sent to another host than Google's."""
        wrong = opened(simulator, tokens.key_file(**changes))
        with pytest.raises(AuthError) as caught:
            await stands(wrong)
        assert caught.value.hint
        assert "something" not in caught.value.text
        assert not tokens.requests
        assert not simulator.requests
        await wrong.aclose()

    async def test_a_key_for_this_computer_is_not_for_google(self, tokens: TokenSimulator) -> None:
        """A token endpoint on loopback is taken only where the API is there as well."""
        real = Google("g", GoogleOptions(), {"key": Secret(tokens.key_file())})
        with pytest.raises(AuthError, match="token_uri"):
            await real.read(ZONE, [WWW])
        assert not tokens.requests

    async def test_neither_key_nor_token_shows(
        self,
        simulator: GoogleSimulator,
        tokens: TokenSimulator,
        provider: Google,
        caplog: pytest.LogCaptureFixture,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """Not a line of the key and not a token, in an error that repeats them, a repr or a talkative log."""
        caplog.set_level(logging.DEBUG)
        change = await planned(provider, plain("A", "198.51.100.1"))
        key = json.loads(tokens.key_file())
        hidden = [line for line in key["private_key"].splitlines() if "KEY" not in line] + tokens.tokens
        shown = [repr(provider), repr(vars(provider)), repr(provider._api)]
        for said in hidden:
            simulator.misbehave("answer", status=400, body=error(400, "invalid", f"You sent {said}"), writes_only=True)
            with pytest.raises(Rejected) as caught:
                await provider.apply(ZONE, [change])
            shown += [str(caught.value), "".join(traceback.format_exception(caught.value))]
        echo = json.dumps({"error": "invalid_grant", "error_description": " ".join(hidden[:-1])}).encode()
        tokens.misbehave("answer", status=400, body=echo)
        late = opened(simulator, tokens.key_file())
        with pytest.raises(AuthError) as refused:
            await stands(late)
        captured = capsys.readouterr()
        texts = [*shown, str(refused.value), caplog.text, captured.out, captured.err]
        assert not [one for text in texts for one in hidden if one in text]
        await late.aclose()


class TestZones:
    @pytest.mark.parametrize(
        ("shown", "words"),
        [
            ({"visibility": "private"}, "is private"),
            ({"visibility": "private", "forwardingConfig": {"targetNameServers": []}}, "is a forwarding zone"),
            ({"visibility": "private", "peeringConfig": {}}, "is a peering zone"),
            ({"visibility": "private", "reverseLookupConfig": {}}, "is a reverse lookup zone"),
        ],
    )
    async def test_a_zone_that_visitors_never_ask_is_refused(
        self, simulator: GoogleSimulator, provider: Google, shown: dict[str, Any], words: str
    ) -> None:
        """As soon as it is read; and it is not among the account's zones."""
        simulator.create("inside.example", "inside", **shown)
        with pytest.raises(Rejected, match=words) as caught:
            await provider.read("inside.example", ["www.inside.example"])
        assert caught.value.hint
        assert await provider.zones() == (ZONE,)

    async def test_a_private_zone_of_the_same_name_stays_out_of_it(
        self, simulator: GoogleSimulator, provider: Google
    ) -> None:
        """Split horizon: the public one is read and written."""
        first = simulator.zones.pop("shop-example")
        inside = simulator.create(ZONE, "a-inside", visibility="private")
        simulator.zones["shop-example"] = first
        change = await planned(provider, plain("A", "198.51.100.1"))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert len(inside.sets) == 2

    async def test_of_two_public_zones_the_account_says_which(
        self, simulator: GoogleSimulator, tokens: TokenSimulator, provider: Google
    ) -> None:
        """Only one is delegated to, and nobody guesses which."""
        simulator.create(ZONE, "shop-example-new")
        with pytest.raises(Rejected, match="shop-example, shop-example-new") as caught:
            await stands(provider)
        assert "managed_zone" in caught.value.hint
        one = opened(simulator, tokens.key_file(), managed_zone="shop-example")
        change = await planned(one, plain("A", "198.51.100.1"))
        assert await one.apply(ZONE, [change]) == Applied()
        assert (await one.verify(ZONE, [WWW])).zones == (ZONE,)
        with pytest.raises(NotFound):
            await one.read("other.example", ["www.other.example"])
        await one.aclose()
        gone = opened(simulator, tokens.key_file(), managed_zone="not-there")
        with pytest.raises(NotFound, match=ZONE):
            await stands(gone)
        await gone.aclose()

    async def test_a_managed_zone_needs_no_list(self, simulator: GoogleSimulator, tokens: TokenSimulator) -> None:
        """So that a key can be let at one zone alone."""
        one = opened(simulator, tokens.key_file(), managed_zone="shop-example")
        await one.verify(ZONE, [WWW])
        assert not [target for _, target in simulator.requests if target.partition("?")[0].endswith("/managedZones")]
        await one.aclose()

    async def test_a_zone_is_found_once_and_again_where_it_was_made_anew(
        self, simulator: GoogleSimulator, provider: Google
    ) -> None:
        """The emergency path asks for no zone."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        del simulator.requests[:]
        assert await provider.apply(ZONE, [change]) == Applied()
        assert not [target for _, target in simulator.requests if "dnsName" in target]
        del simulator.zones["shop-example"]
        simulator.create(ZONE)
        simulator.add(ZONE, WWW, "A", 60, "198.51.100.1")
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert await stands(provider) == change.before

    async def test_a_project_is_the_keys_or_the_accounts(
        self, simulator: GoogleSimulator, tokens: TokenSimulator
    ) -> None:
        """A service account may work in other projects than its own."""
        other = tokens.key_file(project_id="other-project")
        foreign = opened(simulator, other)
        with pytest.raises(PermissionDenied):
            await stands(foreign)
        right = opened(simulator, other, project=PROJECT)
        assert await stands(right)
        await foreign.aclose()
        await right.aclose()

    async def test_all_zones_are_listed(self, simulator: GoogleSimulator, provider: Google) -> None:
        """More than one page of them."""
        for number in range(250):
            simulator.create(f"z{number}.example")
        assert len(await provider.zones()) == 251


class TestChanges:
    async def test_a_batch_is_one_change_with_its_guard(self, simulator: GoogleSimulator, provider: Google) -> None:
        """Of exactly what stood there, what is to come, and the text that must stand."""
        simulator.add(ZONE, SIGN, "TXT", 60, '"lease one"')
        changes = [
            await planned(provider, plain("CNAME", "backup.example.net", name=name))
            for name in (WWW, "new.shop.example")
        ]
        del simulator.bodies[:]
        assert await provider.apply(ZONE, changes, Guard(SIGN, "lease one")) == Applied()
        (body,) = map(json.loads, simulator.bodies)
        assert [(one["name"], one["type"]) for one in body["deletions"]] == [(f"{WWW}.", "A"), (f"{SIGN}.", "TXT")]
        assert [(one["name"], one["type"]) for one in body["additions"]] == [
            (f"{WWW}.", "CNAME"),
            ("new.shop.example.", "CNAME"),
            (f"{SIGN}.", "TXT"),
        ]
        assert body["deletions"][1] == body["additions"][2]

    @pytest.mark.parametrize("polls", [0, 3])
    async def test_a_change_is_followed_until_it_is_done(
        self, simulator: GoogleSimulator, provider: Google, polls: int
    ) -> None:
        """As often as it takes."""
        simulator.polls = polls
        change = await planned(provider, plain("A", "198.51.100.1"))
        del simulator.requests[:]
        assert await provider.apply(ZONE, [change]) == Applied()
        assert len([target for _, target in simulator.requests if "/changes/" in target]) == polls + 1

    async def test_a_text_is_not_followed(self, simulator: GoogleSimulator, provider: Google) -> None:
        """Whoever writes one must not keep a switch waiting."""
        simulator.polls = 10**6
        assert await provider.swap_txt(ZONE, SIGN, None, "changeover-lease v1") == Applied()
        assert not [target for _, target in simulator.requests if "/changes/" in target]

    async def test_a_change_that_stays_pending_is_made(
        self, simulator: GoogleSimulator, provider: Google, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The question ends after a while."""
        monkeypatch.setattr(google, "RETRY_BUDGET", 1.0)
        simulator.polls = 10**6
        change = await planned(provider, plain("A", "198.51.100.1"))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await stands(provider) == change.after

    @pytest.mark.parametrize("status", [403, 404, 429, 500, 200])
    async def test_a_change_whose_progress_cannot_be_seen_is_made(
        self, simulator: GoogleSimulator, provider: Google, status: int
    ) -> None:
        """What was accepted is made, whatever is said afterwards."""
        change = await planned(provider, plain("A", "198.51.100.1"))

        def then() -> None:
            simulator.misbehave("answer", status=status, body=b"<html>")

        simulator.before_write = then
        assert await provider.apply(ZONE, [change]) == Applied()
        assert simulator.requests[-1][1].rpartition("/")[0].endswith("/changes")

    @pytest.mark.parametrize("what", ["answer", "answer-after"])
    @pytest.mark.parametrize("status", [502, 200])
    async def test_an_answer_that_says_nothing_is_unsure(
        self, simulator: GoogleSimulator, provider: Google, what: Any, status: int
    ) -> None:
        """A server error, or a yes of somebody else; reading tells."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.misbehave(what, writes_only=True, status=status, body=b"<html>Log in</html>")
        assert isinstance(await provider.apply(ZONE, [change]), Indeterminate)
        assert await stands(provider) == (change.after if what == "answer-after" else change.before)

    async def test_what_appears_beside_a_new_cname_in_the_last_instant(
        self, simulator: GoogleSimulator, provider: Google
    ) -> None:
        """Stops the change: a CNAME stands alone."""
        change = await planned(provider, plain("CNAME", "backup.example.net"))
        simulator.before_write = lambda: simulator.add(ZONE, WWW, "TXT", 60, '"new"')
        assert isinstance(await provider.apply(ZONE, [change]), PreconditionFailed)
        assert await stands(provider) == change.before

    async def test_another_type_that_appears_in_the_last_instant_stays_unseen(
        self, simulator: GoogleSimulator, provider: Google
    ) -> None:
        """A change cannot say that a set is absent; reading back shows it."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.before_write = lambda: simulator.add(ZONE, WWW, "AAAA", 60, "2001:db8::1")
        assert await provider.apply(ZONE, [change]) == Applied()
        back = await provider.read_back(ZONE, [change])
        assert [r.type for r in back[WWW]] == ["A", "AAAA"]

    async def test_two_that_create_one_name_at_the_same_moment(
        self, simulator: GoogleSimulator, provider: Google
    ) -> None:
        """Google adds no set that is there already."""
        change = await planned(provider, plain("A", "198.51.100.1", name="new.shop.example"))
        simulator.before_write = lambda: simulator.add(ZONE, "new.shop.example", "A", 60, "192.0.2.99")
        result = await provider.apply(ZONE, [change])
        assert isinstance(result, PreconditionFailed)
        assert "already exists" in result.conflicts[0]


class TestRecords:
    @pytest.mark.parametrize(
        ("policy", "words"),
        [
            ({"wrr": {"items": [{"weight": 1.0, "rrdatas": ["192.0.2.1"]}]}}, "weighted"),
            ({"geo": {"items": [{"location": "europe-west1", "rrdatas": ["192.0.2.1"]}]}}, "by place"),
            (
                {"primaryBackup": {"primaryTargets": {"internalLoadBalancers": [{"ipAddress": "192.0.2.1"}]}}},
                "failover",
            ),
            ({"somethingNew": {}}, "a routing policy"),
        ],
    )
    async def test_a_routing_policy_stops_a_switch(
        self, simulator: GoogleSimulator, provider: Google, policy: dict[str, Any], words: str
    ) -> None:
        """It is told at the reading, and one that came since the plan is a conflict; it is never flattened."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.remove(ZONE, WWW, "A")
        simulator.add(ZONE, WWW, "A", 60, routingPolicy=policy)
        reading = await provider.read(ZONE, [WWW])
        assert words in reading.policies[WWW]
        assert all(r.opaque for r in reading.records[WWW])
        before = simulator.zone(ZONE).sets
        assert isinstance(await provider.apply(ZONE, [change]), PreconditionFailed)
        assert simulator.zone(ZONE).sets == before

    async def test_a_policy_that_comes_in_the_last_instant_stays(
        self, simulator: GoogleSimulator, provider: Google
    ) -> None:
        """Google deletes nothing that is not exactly as the change says."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        policy = {"wrr": {"items": [{"weight": 1.0, "rrdatas": ["192.0.2.1"]}]}}

        def meanwhile() -> None:
            simulator.remove(ZONE, WWW, "A")
            simulator.add(ZONE, WWW, "A", 60, routingPolicy=policy)

        simulator.before_write = meanwhile
        assert isinstance(await provider.apply(ZONE, [change]), PreconditionFailed)

    async def test_googles_notation_is_deleted_and_restored_as_it_was(
        self, simulator: GoogleSimulator, provider: Google
    ) -> None:
        """Letter case, addresses that are not in their shortest form, and texts without quotes."""
        simulator.add(ZONE, WWW, "AAAA", 60, "2001:0DB8:0::1")
        simulator.add(ZONE, "alias.shop.example", "CNAME", 60, "Primary.Example.NET.")
        simulator.add(ZONE, SIGN, "TXT", 60, '"two" "strings"', "unquoted")
        zone = simulator.sets(ZONE)
        for name in (WWW, "alias.shop.example"):
            change = await planned(provider, plain("A", "198.51.100.1", name=name))
            assert await provider.apply(ZONE, [change]) == Applied()
            assert await stands(provider, name) == change.after
            assert await provider.apply(ZONE, [change.inverse]) == Applied()
        for before, after in ((None, "note one"), ("note one", None)):
            assert await provider.swap_txt(ZONE, SIGN, before, after) == Applied()
        assert sorted(map(str, simulator.sets(ZONE))) == sorted(map(str, zone))

    @pytest.mark.parametrize(("asked", "published"), [(0, 0), (1, 1), (2**31, 2**31 - 1)])
    async def test_any_ttl_of_31_bits_is_taken(self, provider: Google, asked: int, published: int) -> None:
        """And what is planned is what stands afterwards."""
        change = await planned(provider, plain("A", "198.51.100.1", ttl=asked))
        assert [r.ttl for r in change.after] == [published]
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await stands(provider) == change.after

    @pytest.mark.parametrize("asked", ["ALIAS", "ANAME"])
    async def test_an_alias_at_the_apex(self, simulator: GoogleSimulator, tokens: TokenSimulator, asked: str) -> None:
        """There and back, where the account says that it may be; a signed zone's refusal is told."""
        simulator.add(ZONE, ZONE, "A", 60, "192.0.2.1")
        provider = opened(simulator, tokens.key_file(), alias=True)
        assert provider.capabilities.apex_alias
        change = await planned(provider, plain(asked, "backup.example.net", name=ZONE))
        assert await provider.apply(ZONE, [change]) == Applied()
        (there,) = await stands(provider, ZONE)
        assert (there.type, there.values, there.opaque) == ("ALIAS", ("backup.example.net",), True)
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        simulator.zone(ZONE).shown["dnssecConfig"] = {"state": "on"}
        with pytest.raises(Rejected, match="ALIAS"):
            await provider.apply(ZONE, [change])
        await provider.aclose()

    async def test_an_apex_has_no_alias_unless_the_account_says_so(self, provider: Google) -> None:
        """Nobody finds out in the night that the zone is signed."""
        assert not provider.capabilities.apex_alias
        assert not provider.capabilities.apex_cname

    async def test_a_wildcard_itself_and_long_texts(self, simulator: GoogleSimulator, provider: Google) -> None:
        """A wildcard is changed as any name; texts of several strings beside it stay as they are."""
        long = " ".join(f'"{"x" * 255}"' for _ in range(3))
        simulator.add(ZONE, "*.apps.shop.example", "A", 60, "192.0.2.40")
        simulator.add(ZONE, "*.apps.shop.example", "TXT", 60, long)
        zone = simulator.sets(ZONE)
        change = await planned(provider, plain("A", "198.51.100.1", name="*.apps.shop.example"))
        assert await provider.apply(ZONE, [change]) == Applied()
        assert await provider.apply(ZONE, [change.inverse]) == Applied()
        assert sorted(map(str, simulator.sets(ZONE))) == sorted(map(str, zone))

    async def test_a_large_zone(self, simulator: GoogleSimulator, provider: Google) -> None:
        """Of 5,000 sets the two of the service are read and written, in few requests; many names are read by pages."""
        for number in range(5000):
            simulator.add(ZONE, f"n{number}.shop.example", "A", 60, "192.0.2.1")
        names = [f"n{number}.shop.example" for number in (7, 4007)]
        changes = [await planned(provider, plain("CNAME", "backup.example.net", name=name)) for name in names]
        del simulator.requests[:]
        assert await provider.apply(ZONE, changes) == Applied()
        print(f"two names of 5,000: {len(simulator.requests)} requests")
        assert len(simulator.requests) <= 2 + 1 + 2
        for wanted, most in ((5, 2 + 5), (12, 6 + 12), (400, 51)):
            del simulator.requests[:]
            many = [f"n{number * 12}.shop.example" for number in range(1, wanted + 1)]
            records = (await provider.read(ZONE, many)).records
            print(f"{wanted} names of 5,000: {len(simulator.requests)} requests")
            assert all(records[name] for name in many)
            assert len(simulator.requests) <= most
        assert len([one for one in simulator.sets(ZONE) if one["type"] == "CNAME"]) == 2


class TestPermissions:
    async def test_what_a_key_may_write_is_asked_and_not_tried(
        self, simulator: GoogleSimulator, provider: Google
    ) -> None:
        """All that a switch needs, or it may not."""
        assert (await provider.verify(ZONE, [WWW])).may_write is True
        simulator.zone(ZONE).may_write = False
        assert (await provider.verify(ZONE, [WWW])).may_write is False
        assert [target for verb, target in simulator.requests if verb == "POST" and "testIam" not in target] == []

    async def test_what_cannot_be_asked_is_not_known(self, simulator: GoogleSimulator, provider: Google) -> None:
        """The question needs a permission of its own."""
        simulator.misbehave("answer", writes_only=True, status=403, body=error(403, "forbidden", "Forbidden"))
        assert (await provider.verify(ZONE, [WWW])).may_write is None


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "body", "kind", "words"),
        [
            (403, error(403, "forbidden", "Forbidden"), PermissionDenied, "Forbidden"),
            (403, error(403, "accessNotConfigured", "Access Not Configured."), PermissionDenied, "Not Configured"),
            (403, error(403, "quotaExceeded", "Too many sets."), PermissionDenied, "Too many sets"),
            (400, error(400, "invalid", "Invalid value for 'entity.change.additions[0]'"), Rejected, "Invalid value"),
            (413, b"", Rejected, "status 413"),
            (400, b"<html>", Rejected, "status 400"),
        ],
    )
    async def test_a_refusal_is_told_in_its_words(
        self,
        simulator: GoogleSimulator,
        provider: Google,
        status: int,
        body: bytes,
        kind: type[ProviderError],
        words: str,
    ) -> None:
        """Once, with what to do."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.misbehave("answer", writes_only=True, status=status, body=body)
        with pytest.raises(kind, match=re.escape(words)) as caught:
            await provider.apply(ZONE, [change])
        assert caught.value.hint
        assert await stands(provider) == change.before

    @pytest.mark.parametrize("status", [400, 404, 409, 412])
    async def test_each_conflict_says_that_nothing_was_changed(
        self, simulator: GoogleSimulator, provider: Google, status: int
    ) -> None:
        """Whatever its status; the documentation names the reasons and not the numbers."""
        reason = {400: "cnameResourceRecordSetConflict", 404: "notFound", 409: "alreadyExists", 412: "conditionNotMet"}
        change = await planned(provider, plain("A", "198.51.100.1"))
        body = error(status, reason[status], "Not so: 'entity.change.deletions[0]'")
        simulator.misbehave("answer", writes_only=True, status=status, body=body)
        result = await provider.apply(ZONE, [change])
        assert isinstance(result, PreconditionFailed)
        assert "entity.change" in result.conflicts[0]

    @pytest.mark.parametrize(
        ("status", "reason", "headers"),
        [(429, "rateLimitExceeded", [("Retry-After", "0")]), (403, "userRateLimitExceeded", [("Retry-After", "0")])],
    )
    async def test_too_often_is_made_when_it_is_allowed(
        self, simulator: GoogleSimulator, provider: Google, status: int, reason: str, headers: Any
    ) -> None:
        """Reading and writing both wait."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        body = error(status, reason, "Rate Limit Exceeded")
        simulator.misbehave("answer", status=status, headers=headers, body=body)
        simulator.misbehave("answer", writes_only=True, status=status, headers=headers, body=body)
        assert await provider.apply(ZONE, [change]) == Applied()

    async def test_too_often_for_long_is_told(self, simulator: GoogleSimulator, provider: Google) -> None:
        """And nothing was changed."""
        change = await planned(provider, plain("A", "198.51.100.1"))
        simulator.misbehave("answer", writes_only=True, status=429, headers=[("Retry-After", "240")])
        with pytest.raises(RateLimited):
            await provider.apply(ZONE, [change])
        assert await stands(provider) == change.before


class TestSettings:
    @pytest.mark.parametrize(
        ("options", "keys"),
        [
            (GoogleOptions(), []),
            (GoogleOptions("http://127.0.0.1:1", "shop-prod-1", "shop-example"), []),
            (GoogleOptions(project="example.com:shop-prod"), []),
            (GoogleOptions("http://dns.googleapis.com", "Shop Prod", "-shop"), ["project", "managed_zone", "endpoint"]),
        ],
    )
    def test_faults_name_the_key(self, options: GoogleOptions, keys: list[str]) -> None:
        """Plain http never leaves the computer."""
        assert [key for key, _ in PROVIDER.faults(options)] == keys

    def test_the_secret_is_a_key_file(self, tokens: TokenSimulator) -> None:
        """All of it, on however many lines; it is for Google."""
        (field,) = PROVIDER.secrets(GoogleOptions())
        for text in (tokens.key_file(), json.dumps(json.loads(tokens.key_file()), indent=2) + "\n"):
            assert re.fullmatch(field.pattern, text)
        assert not re.fullmatch(field.pattern, "AIzaSyA-something")
        assert PROVIDER.host(GoogleOptions()) == "dns.googleapis.com"


@needs_recordings
@pytest.mark.parametrize("file", recordings("googleclouddns"), ids=lambda file: file.stem)
async def test_every_recorded_answer_is_understood(
    file: Path, simulator: GoogleSimulator, tokens: TokenSimulator, provider: Google
) -> None:
    """What the real Cloud DNS answered is read without loss, and a recorded change is one that was made."""
    await stands(provider)
    simulator.create(RECORDED)
    for step in conversation(file):
        answer = step["response"]["body"]
        content, url = json.loads(answer), step["request"]["url"]
        body = answer.encode()
        if url.endswith("/token"):
            late = opened(simulator, tokens.key_file())
            tokens.misbehave("answer", status=200, body=body)
            simulator.tokens = None
            await late.read(ZONE, [WWW])
            await late.aclose()
        elif url.endswith("/managedZones"):
            simulator.misbehave("answer", status=200, body=body)
            assert await provider.zones() == (RECORDED,)
        elif "/rrsets" in url:
            names = sorted({one["name"].rstrip(".") for one in content["rrsets"]})
            beside = [f"{name}.{RECORDED}" for name in ("one", "two", "three")]
            await provider.read(RECORDED, beside)
            simulator.misbehave("answer", status=200, body=body)
            # Enough names, so that the whole zone is listed, in one page.
            found = (await provider.read(RECORDED, [*names, *beside])).records
            there = sum(len(r.values) for sets in found.values() for r in sets)
            assert there == sum(len(one["rrdatas"]) for one in content["rrsets"])
        else:
            change = await planned(provider, plain("A", "198.51.100.1"))
            simulator.misbehave("answer", writes_only=True, status=200, body=body)
            assert await provider.apply(ZONE, [change]) == Applied()
