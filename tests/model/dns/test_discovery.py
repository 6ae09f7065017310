"""Which account a service needs, and what the delegation means for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.dns.providers import PROVIDERS, provider_type
from changeover.dns.providers.lexicon.lexicon import LexiconOptions
from changeover.model.dns.change import ZoneAt
from changeover.model.dns.discovery import (
    OPERATORS,
    Asked,
    Discovery,
    HostedZone,
    Leads,
    Operator,
    discovered,
    entry_text,
    likely_operator,
    longest_zone,
    name_servers_in,
    operators_of,
    parents,
    summary,
)
from changeover.model.dns.records import RecordSet, in_zone

WWW, ZONE = "www.shop.example", "shop.example"
OURS, THEIRS = ("ns1.ours.example", "ns2.ours.example"), ("ns1.other.example", "ns2.other.example")
AWS, CLOUDFLARE = ("ns-7.awsdns-12.co.uk", "ns-9.awsdns-1.com"), ("ada.ns.cloudflare.com", "bob.ns.cloudflare.com")


def asked(
    account: str = "dns-main",
    zone: str | None = ZONE,
    shows: tuple[str, ...] | None = OURS,
    provider: str = "desec",
    error: str | None = None,
    via: str = "",
) -> Asked:
    held = HostedZone(zone=zone, name_servers=shows) if zone is not None else None
    return Asked(account=account, provider=provider, label=provider.upper(), via=via, held=held, error=error)


@pytest.mark.parametrize(
    ("shows", "seen", "leads", "words"),
    [
        (OURS, {ZONE: OURS}, Leads.HERE, "points to this provider (ns1.ours.example, ns2.ours.example)"),
        (OURS, {ZONE: OURS[:1]}, Leads.HERE, "points to this provider (ns1.ours.example)"),
        (OURS, {ZONE: THEIRS}, Leads.ELSEWHERE, "other name servers (ns1.other.example, ns2.other.example): changes"),
        (OURS, {ZONE: OURS + THEIRS}, Leads.PARTLY, "but also to ns1.other.example, ns2.other.example: changes here"),
        (OURS, {ZONE: ()}, Leads.NOWHERE, "shop.example is not delegated to any name server"),
        (OURS, {ZONE: None}, Leads.UNKNOWN, "is not known: nobody who was asked says it"),
        (OURS, {}, Leads.UNKNOWN, "is not known: nobody who was asked says it"),
        (OURS, {ZONE: OURS, WWW: THEIRS}, Leads.ELSEWHERE, "www.shop.example is delegated away from shop.example"),
        (OURS, {ZONE: OURS, WWW: None}, Leads.HERE, "points to this provider"),
        (None, {ZONE: OURS}, Leads.UNKNOWN, "not known: DESEC does not show which name servers shop.example has"),
        (None, {ZONE: AWS}, Leads.ELSEWHERE, "of Amazon Route 53: changes here would not be seen"),
        (None, {ZONE: (*AWS, "ns1.ours.example")}, Leads.UNKNOWN, "is not known"),
        (None, {ZONE: ("ns1.desec.io",)}, Leads.UNKNOWN, "by their names they may be the right ones"),
    ],
)
def test_what_the_delegation_means(
    shows: tuple[str, ...] | None, seen: dict[str, tuple[str, ...] | None], leads: Leads, words: str
) -> None:
    """Whether changes would be seen, and where visitors' questions go otherwise."""
    (found,) = discovered(WWW, [asked(shows=shows)], seen).found
    assert (found.leads, words in found.text) == (leads, True), found.text


def test_what_is_not_shown_by_a_provider_without_known_names_stays_unknown() -> None:
    """A name server of one's own may be the hidden primary of anybody's servers."""
    (found,) = discovered(WWW, [asked(shows=None, provider="powerdns")], {ZONE: AWS}).found
    assert found.leads is Leads.UNKNOWN


GODADDY, PORKBUN = ("ns01.domaincontrol.com",), ("curitiba.ns.porkbun.com",)


@pytest.mark.parametrize(
    ("via", "sent", "leads", "words"),
    [
        ("porkbun", PORKBUN, Leads.UNKNOWN, "by their names they may be the right ones"),
        ("porkbun", GODADDY, Leads.ELSEWHERE, "of GoDaddy: changes here would not be seen"),
        ("porkbun", CLOUDFLARE, Leads.ELSEWHERE, "of Cloudflare"),
        ("porkbun", THEIRS, Leads.UNKNOWN, "is not known"),
        ("gehirn", PORKBUN, Leads.UNKNOWN, "name servers shop.example has there"),
    ],
)
def test_an_account_through_dns_lexicon_is_known_by_what_is_behind_it(
    via: str, sent: tuple[str, ...], leads: Leads, words: str
) -> None:
    """Not every one of them is the right one where one of them is."""
    (found,) = discovered(WWW, [asked(shows=None, provider="lexicon", via=via)], {ZONE: sent}).found
    assert (found.leads, words in found.text) == (leads, True), found.text
    assert ("right ones" in found.text) == ("right ones" in words)


@pytest.mark.parametrize(
    ("accounts", "seen", "entries"),
    [
        pytest.param([asked()], {ZONE: OURS}, ["dns-main"], id="one"),
        pytest.param([asked(), asked("b")], {ZONE: OURS}, ["dns-main", "b"], id="both are right"),
        pytest.param([asked("b", shows=THEIRS), asked()], {ZONE: OURS}, ["dns-main"], id="a stale copy"),
        pytest.param([asked(), asked("b", shows=THEIRS)], {ZONE: OURS + THEIRS}, ["dns-main", "b"], id="two providers"),
        pytest.param([asked("b", shows=None), asked()], {ZONE: OURS}, ["dns-main"], id="not known is second"),
        pytest.param([asked("b", shows=None), asked()], {ZONE: OURS + THEIRS}, ["b", "dns-main"], id="it may be one"),
        pytest.param([asked("b", shows=None), asked()], {ZONE: THEIRS}, ["b"], id="not known before wrong"),
        pytest.param([asked(shows=THEIRS)], {ZONE: OURS}, [], id="not seen"),
        pytest.param([asked(), asked("b", shows=None)], {ZONE: ()}, [], id="not delegated"),
        pytest.param([asked("b", "example"), asked()], {ZONE: OURS, "example": OURS}, ["dns-main"], id="inner zone"),
        pytest.param([asked(zone=None), asked("b", zone=None, error="no answer")], {ZONE: OURS}, [], id="nobody"),
        pytest.param([], {}, [], id="no accounts"),
    ],
)
def test_which_accounts_a_service_needs(
    accounts: list[Asked], seen: dict[str, tuple[str, ...] | None], entries: list[str]
) -> None:
    """Those where changes are seen; others only where there is nothing better."""
    assert [entry.account for entry in discovered(WWW, accounts, seen).entries] == entries


NAMES = parents("a.www.shop.example")
servers = st.none() | st.lists(st.sampled_from([*OURS, *THEIRS, *AWS, *CLOUDFLARE]), unique=True).map(tuple)
every_account = st.builds(
    asked,
    account=st.sampled_from("abcd"),
    zone=st.none() | st.sampled_from(NAMES),
    shows=servers.map(lambda found: found or None),
    provider=st.sampled_from(["desec", "cloudflare", "rfc2136"]),
)


@given(st.lists(every_account, unique_by=lambda one: one.account), st.dictionaries(st.sampled_from(NAMES), servers))
def test_whatever_is_read(accounts: list[Asked], seen: dict[str, tuple[str, ...] | None]) -> None:
    """Everybody asked is told once; an entry is for an account that has the zone, and none is better."""
    made = discovered(NAMES[0], accounts, seen)
    assert sorted(f.account for f in (*made.found, *made.others)) == sorted(one.account for one in accounts)
    seen_by_some = any(f.leads not in (Leads.ELSEWHERE, Leads.NOWHERE) for f in made.found)
    assert bool(made.entries) == seen_by_some
    by_account = {f.account: f for f in made.found}
    chosen = [by_account[entry.account] for entry in made.entries]
    assert all(entry.zone == f.held.zone for entry, f in zip(made.entries, chosen, strict=True))
    assert len({f.held.zone for f in chosen}) <= 1
    if any(f.leads is Leads.HERE for f in made.found):
        assert all(f.leads in (Leads.HERE, Leads.PARTLY) for f in chosen)
    for f in made.found:
        inner = [n for n, s in seen.items() if s and len(n) > len(f.held.zone)]
        sent = seen.get(f.held.zone)
        here = bool(sent and f.held.name_servers and set(sent) <= set(f.held.name_servers)) and not inner
        assert (f.leads is Leads.HERE) == here
    assert all(text and "None" not in text for text in (summary(made), *(f.text for f in made.found)))


@given(st.lists(st.sampled_from([*NAMES, "other.example", "op.example"])))
def test_the_longest_zone_wins(zones: list[str]) -> None:
    """And only a zone that holds the name."""
    zone = longest_zone(NAMES[0], zones)
    holding = [z for z in zones if in_zone(NAMES[0], z)]
    assert (zone is None) == (not holding)
    assert zone is None or len(zone) == max(map(len, holding))


def test_the_zones_that_may_hold_a_name() -> None:
    """Itself, and everything above it."""
    assert parents("www.shop.example") == ("www.shop.example", "shop.example", "example")


def test_name_servers_of_an_apex() -> None:
    """As names are compared; none at all means that the provider does not show them."""
    ns = RecordSet(name=ZONE, type="NS", ttl=60, values=("NS2.ours.example.", "ns1.ours.example."))
    mx = RecordSet(name=ZONE, type="MX", ttl=60, values=("10 mail.shop.example.",))
    assert name_servers_in([mx, ns]) == OURS
    assert name_servers_in([mx]) is None


def test_whose_name_servers_they_look_like() -> None:
    """By whole labels, each once, nobody's where the name is not known."""
    assert [o.label for o in operators_of([*AWS, *CLOUDFLARE, *AWS])] == ["Amazon Route 53", "Cloudflare"]
    assert operators_of(["ns1.notcloudflare.com", "ns.cloudflare.com.example", "ns1.awsdns.com"]) == ()
    assert [o.provider for o in operators_of(["HELIUM.ns.hetzner.DE."])] == ["hetzner"]
    assert [(o.label, o.via) for o in operators_of(PORKBUN)] == [("Porkbun", "porkbun")]


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.label)
def test_an_operator_is_one_that_an_account_can_be_added_for(operator: object) -> None:
    """What is suggested exists, and would be taken; where there is no way, none is suggested."""
    assert isinstance(operator, Operator)
    if not operator.provider:
        assert "lexicon" not in likely_operator(discovered(WWW, [], {ZONE: (example_of(operator),)}))
        return
    kind = PROVIDERS[operator.provider]
    if operator.via:
        assert provider_type(operator.provider).faults(LexiconOptions(via=operator.via)) == [], kind


def example_of(operator: Operator) -> str:
    """A name server's name that looks like those of GoDaddy or Namecheap."""
    return f"ns1.{operator.pattern}".replace("\\", "")


@pytest.mark.parametrize("operator", [one for one in OPERATORS if not one.provider], ids=lambda one: one.label)
def test_where_there_is_no_way_it_is_said(operator: Operator) -> None:
    """In the words about who it is."""
    words = likely_operator(discovered(WWW, [], {ZONE: (example_of(operator),)}))
    assert words.endswith(f"like those of {operator.label}. Changeover has no way to {operator.label} yet.")


def test_the_entry_for_the_settings() -> None:
    """As the file has it."""
    assert entry_text([ZoneAt("a", "shop.example"), ZoneAt("b", "shop.example")]) == (
        'dns = [{ account = "a", zone = "shop.example" }, { account = "b", zone = "shop.example" }]'
    )


def test_where_nobody_has_it_the_words_say_who_did_not_answer_and_who_may() -> None:
    """Each account's error, and the name servers' operator."""
    others = [asked("a", zone=None), asked("b", zone=None, error="b is down")]
    made: Discovery = discovered(WWW, others, {ZONE: AWS, WWW: ()})
    assert summary(made) == (
        "No account has the zone of www.shop.example. Account b did not say: b is down. The name servers of"
        " shop.example are ns-7.awsdns-12.co.uk, ns-9.awsdns-1.com; they look like those of Amazon Route 53."
    )
    assert (made.zone, made.name_servers) == (ZONE, AWS)
    assert likely_operator(discovered(WWW, others, {})) == ""
