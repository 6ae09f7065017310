"""What the wizard, the forms, the chart and the practice ground's story decide, without any window."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace
from PySide6.QtWidgets import QApplication, QLabel

from changeover.desktop.lab_banner import story
from changeover.desktop.service.activity_card import gap_words, incident_words, newest, run_words
from changeover.desktop.service.route_words import (
    dns_box,
    place,
    proven,
    rounds_words,
    status,
    visit_line,
    visit_words,
    visitors_line,
)
from changeover.desktop.service.service_page import PageButton, main_action, second_action
from changeover.desktop.setup.add_account import check_mark, check_words
from changeover.desktop.setup.service_form import Form, answer_at, answer_of, likely_zone, service_of
from changeover.desktop.tray import glance
from changeover.desktop.widgets.findings_card import FindingsCard, verdict, worst_first
from changeover.desktop.widgets.shapes import Mark, of_deployment, of_state
from changeover.desktop.wizard.flow import (
    Row,
    cache_rows,
    destinations,
    emergency_first,
    follow_words,
    outcome_words,
    overrides,
    rows,
    run_title,
    still_blocked,
    switch_button,
    why_not,
)
from changeover.desktop.wizard.tables import changes_html
from changeover.dns.providers import provider_type
from changeover.model.dns.records import record_set
from changeover.model.finding import Finding, Level
from changeover.model.health.probe_result import Health
from changeover.model.readiness.service_state import Preparation, unread
from changeover.model.runs.plan import PlanKind
from changeover.model.runs.run import Direction, Outcome
from changeover.model.settings.account import AccountCheck
from changeover.model.settings.account_fields import secret_fields
from changeover.model.settings.service import Answer, Marker
from desktop.samples import (
    ASLEEP,
    AWAY,
    BACKUP,
    DOWN,
    LONG,
    NOW,
    OUTAGE,
    SHOP,
    finding,
    gallery,
    named,
    panel_of,
    plan,
    rounds,
    run,
    shortened,
    state,
)


def prepared(*found, with_plan: bool = True) -> Preparation:
    of = state()
    return Preparation(
        service="shop",
        to="backup",
        emergency=True,
        plan=plan(of, "backup") if with_plan else None,
        findings=found,
        snapshot=of.snapshot,
        at=NOW,
    )


BLOCK = finding(Level.BLOCK, "target-answers", overridable=True)
FINAL = finding(Level.BLOCK, "answer-legal", overridable=False)
WARN = finding(Level.WARN, "ttl")


def test_the_likeliest_destination_comes_first() -> None:
    """From the primary to the first backup, from a backup to the primary, and never to where visitors are."""
    assert destinations(state(service=LONG)) == ["backup-in-another-country", "last-resort"]
    assert destinations(state(service=LONG, active="last-resort")) == ["primary", "backup-in-another-country"]
    assert destinations(state(active="mixed")) == ["backup", "primary"]


def test_an_outage_suggests_the_emergency() -> None:
    """The kind of switch is preset from the health of the present deployment."""
    assert emergency_first(state(checks=DOWN))
    assert not emergency_first(state())
    assert not emergency_first(state(active="unknown"))


def test_a_reason_takes_away_only_what_may_be_overridden() -> None:
    """An empty reason counts for nothing, and some blocks stay whatever is typed."""
    reasons = {"target-answers": "  I asked the team  ", "answer-legal": "please", "ttl": "does not matter"}
    assert overrides([BLOCK, FINAL, WARN], reasons) == {"target-answers": "I asked the team"}
    assert still_blocked([BLOCK, FINAL, WARN], reasons) == [FINAL]
    assert still_blocked([BLOCK], {"target-answers": "   "}) == [BLOCK]


def test_why_nobody_gets_on() -> None:
    """The page says what is missing, and nothing where all is well."""
    assert why_not(prepared(WARN), {}) == ""
    assert why_not(prepared(BLOCK), {}).startswith("Type a reason for 1 blocking finding")
    assert why_not(prepared(BLOCK), {"target-answers": "yes"}) == ""
    assert "1 finding blocks this switch and cannot be overridden" in why_not(prepared(BLOCK, FINAL), {})
    assert "No plan" in why_not(prepared(WARN, with_plan=False), {})


def test_the_button_says_what_will_happen() -> None:
    """How many hostnames go where, and when visitors follow."""
    made = plan(state(), "backup")
    assert switch_button(made) == "Switch 2 hostnames to backup"
    assert follow_words(made) == (
        "Visitors follow within 1 min of the change: so long may a resolver go on giving the old answer."
    )


def test_names_in_a_table_are_text() -> None:
    """What a zone holds is shown as it is, and is never taken for markup."""
    change = plan(state(), "backup").changes[0]
    told = changes_html([replace(change, name="<b>bold</b>.example")])
    assert "&lt;b&gt;bold&lt;/b&gt;.example" in told
    assert "AAAA 2001:db8::24" in told
    assert "<i>nothing</i>" in told


def test_changes_stand_beside_each_other() -> None:
    """Record sets of one type share a line; what has no counterpart is added or removed."""
    forth, back = plan(state(), "backup").changes[0], plan(state(active="backup"), "primary").changes[0]
    cname = "CNAME fathomless-elm.herokudns.com · TTL 60 s"
    assert rows(forth) == [Row(cname, "A 198.51.100.24 · TTL 60 s"), Row("", "AAAA 2001:db8::24 · TTL 60 s")]
    assert rows(back) == [Row("A 198.51.100.24 · TTL 60 s", cname), Row("AAAA 2001:db8::24 · TTL 60 s", "")]


@pytest.mark.parametrize(
    ("outcome", "headline"),
    [
        (Outcome.COMPLETED, "Visitors are served by backup"),
        (Outcome.INCOMPLETE, "The switch is incomplete"),
        (Outcome.FAILED, "It failed, and nothing was changed"),
        (Outcome.REFUSED, "Nothing was changed"),
        (None, "It stopped before its end"),
    ],
)
def test_the_end_of_a_run_in_words(outcome: Outcome | None, headline: str) -> None:
    """Each outcome has a heading and a line in the activity that nobody can take for another."""
    assert outcome_words(run(outcome))[0] == headline
    every = [run(o) for o in (*list(Outcome)[:5], None)]
    every += [replace(run(None), outcome=o) for o in (Outcome.DAMAGED, Outcome.NEWER)]
    assert len({run_words(each) for each in every}) == len({outcome_words(each) for each in every}) == 8


def test_a_run_that_moves_nobody_in_words() -> None:
    """Shorter TTLs are no switch: they are told as what they are, and no undo is pushed at anybody."""
    assert run_words(shortened()) == "Shortened the TTLs of 2 hostnames in 2 s"
    whole = replace(shortened().forward, kind=PlanKind.RESTORE_TTL)
    assert run_words(replace(shortened(), forward=whole)).startswith("Restored the TTLs of 2 hostnames")
    assert second_action(state(run=replace(shortened(), committed=None))) is None
    assert run_title(shortened(), "shop", "primary") == "Lowering the TTLs of shop"
    for each in (shortened(), replace(shortened(), outcome=Outcome.UNDONE, direction=Direction.UNDO)):
        assert "isitors" not in " ".join((*outcome_words(each), run_title(each, "shop", "primary")))


def test_a_run_in_doubt_is_accepted_first() -> None:
    """Nothing else is offered for it, and the words say what to look at."""
    states = gallery()
    for name in ("damaged-run", "newer-run"):
        assert main_action(states[name]).verb == "accept"
        assert second_action(states[name]) is None


def test_what_resolvers_remember_runs_down() -> None:
    """The old answer is counted down from when it was read; a silent resolver is not called old."""
    kept = panel_of(run(Outcome.COMPLETED), NOW)
    found = cache_rows(kept, NOW + timedelta(seconds=3))
    assert [r.new for r in found] == [True, False, None]
    assert found[1].words == "old answer for 40 s more"
    assert cache_rows(kept, NOW + timedelta(seconds=100))[1].words == "old answer, about to be forgotten"


def test_the_worst_comes_first() -> None:
    """What blocks is above what warns, and the verdict counts them."""
    good = finding(Level.PASS)
    assert worst_first([good, WARN, BLOCK]) == [BLOCK, WARN, good]
    assert verdict([good, WARN, BLOCK]) == (Mark.DOWN, "no, 1 thing stands in the way")
    assert verdict([good, WARN]) == (Mark.DEGRADED, "yes, with 1 warning")
    assert verdict([good]) == (Mark.HEALTHY, "yes")
    assert verdict([]) == (Mark.UNKNOWN, "not checked yet")


def test_one_button_for_each_state() -> None:
    """It is red only in an outage, and an unfinished run comes before everything."""
    states = gallery()
    assert main_action(states["quiet"]).text == "Switch to backup…"
    assert main_action(states["quiet"]).role == "primary"
    assert main_action(states["down"]).role == "danger"
    assert main_action(states["down-and-no-backup"]) == PageButton("Switch…", "switch", "")
    assert main_action(states["offline"]).role == ""
    assert main_action(states["on-backup"]).text == "Switch to primary…"
    assert main_action(states["interrupted"]).text == "Resume run shop-3…"
    assert main_action(states["working"]).verb == "show"
    assert main_action(states["reading"]).verb == ""
    offered = {name for name, each in states.items() if second_action(each) is not None}
    assert offered == {"on-backup", "emergency-review", "interrupted", "incomplete"}


def test_after_a_failover_the_button_does_not_offer_the_broken_side() -> None:
    """It names no deployment that could not take over; the pages behind it say why."""
    after = gallery()["on-backup"]
    bad = replace(after.health["primary"], health=Health.UNHEALTHY)
    block = Finding(check="target-answers", level=Level.BLOCK, text="primary does not answer well: 503")
    broken = replace(after, health={**after.health, "primary": bad}, findings=(block,))
    assert main_action(broken) == PageButton("Switch…", "switch", "")
    assert main_action(after).text == "Switch to primary…"


def test_the_diagram_in_words() -> None:
    """Provider, record type and TTL; the address; how it answers and for how long not."""
    of = state(checks=DOWN)
    assert dns_box(of) == ("DNS · Cloudflare", "www.shop.example +1", "CNAME · TTL 60 s")
    assert visitors_line(of) == "failing now"
    assert visitors_line(state()) == "reach primary"
    assert place(BACKUP) == "198.51.100.24, 2001:db8::24"
    assert status(of, "primary", NOW) == "down for 2 min 10 s · 503"
    assert status(of, "backup", NOW).startswith("healthy · 200 in ")
    assert status(unread(SHOP, NOW), "primary", NOW) == "not checked yet"
    assert proven(of, "primary", NOW) == "proven 2 min 40 s ago"
    assert proven(of, "backup", NOW) == "proven 10 s ago"
    told = rounds_words(rounds("primary", "..x~?"))
    assert told.startswith("Last 5 checks: 2 good, 2 not good, 1 could not be tried from here.")


CARDS = {
    "suspect": ("suspect · 503", Mark.HEALTHY),
    "recovering": ("recovering for 1 min 10 s · 200 in 89 ms", Mark.RECOVERING),
    "flapping": ("flapping · 200 in 99 ms", Mark.FLAPPING),
    "degraded": ("answers in part · 503", Mark.DEGRADED),
    "routing-name": ("down for 2 min 10 s · routing name dead", Mark.DOWN),
    "certificate": ("down for 2 min 10 s · certificate refused", Mark.DOWN),
    "down-from-here": ("down from here for 2 min 10 s · 503", Mark.DEGRADED),
    "maintenance": ("maintenance until 15:00 · 503", Mark.MAINTENANCE),
    "held": ("held healthy until 16:20 · 503", Mark.HELD),
    "offline": ("this computer is offline", Mark.OFFLINE),
    "no-dns": ("this computer's DNS fails", Mark.OFFLINE),
    "untried": ("not known · no route to the network", Mark.UNKNOWN),
}


@pytest.mark.parametrize("name", list(CARDS))
def test_the_card_of_a_deployment(name: str) -> None:
    """State and cause in a few words, with a shape of its own."""
    of = gallery()[name]
    assert (status(of, "primary", NOW), of_deployment(of, "primary")) == CARDS[name]


def test_what_a_visitor_gets() -> None:
    """The diagram says it beside what the checks say, and whom to believe."""
    states = gallery()
    assert (visitors_line(states["visited"]), visit_line(states["visited"])) == ("reach primary", "200 in 91 ms")
    assert (visitors_line(states["down-online"]), visit_line(states["down-online"])) == ("failing now", "got 503")
    assert visitors_line(states["down-from-here"]) == "still answered"
    assert visitors_line(states["offline"]) == "not known now"
    assert visit_line(states["quiet"]) == visit_words(states["quiet"], NOW) == ""
    told = visit_words(states["visited"], NOW)
    assert told == (
        "As a visitor, through public DNS, 12 s ago: www.shop.example at 198.51.100.24: 200 in 91 ms, "
        "answered by primary."
    )


def test_what_happened_comes_newest_first() -> None:
    """Runs, incidents and long times without sight in one list; an outage that lasts is never pushed out."""
    short = replace(ASLEEP, started=ASLEEP.ended - timedelta(minutes=1))
    lasting = replace(OUTAGE, ended=None)
    found = newest([run(Outcome.COMPLETED)], [OUTAGE], [ASLEEP, AWAY, short])
    assert [type(each).__name__ for each in found] == ["Run", "Gap", "Incident", "Gap"]
    later = [replace(AWAY, started=AWAY.started + timedelta(minutes=n)) for n in range(9)]
    assert newest([], [lasting], later)[-1] is lasting
    assert incident_words(OUTAGE, NOW) == "primary failing for 12 min: 503, expected 200-399 (deployment)"
    assert incident_words(lasting, NOW) == "primary failing since 08:08: 503, expected 200-399 (deployment)"
    assert gap_words(ASLEEP) == "Asleep for 7 h 12 min"
    assert gap_words(AWAY) == "This computer was offline for 1 h 20 min"


def test_no_findings_while_nothing_is_seen(qapp: QApplication) -> None:
    """What cannot be proven from an offline computer is not called a fault of the backup."""
    card = FindingsCard()
    card.show_state(gallery()["offline"])
    texts = [each.text() for each in card.findChildren(QLabel) if each.text()]
    assert "not known from here" in texts
    assert not any("backup does not answer" in text for text in texts)


def test_an_answer_as_one_types_it() -> None:
    """One host name, or addresses of both families; what is neither is explained."""
    assert answer_of("Shop.Apps.example.net.") == Answer(cname="shop.apps.example.net")
    assert answer_of("198.51.100.24, 2001:DB8::24") == Answer(a=("198.51.100.24",), aaaa=("2001:db8::24",))
    for wrong in ("", "198.51.100.24, shop.example.net", "not a name at all"):
        with pytest.raises(ValueError, match=r"name|Say where"):
            answer_of(wrong)


def test_what_was_looked_up_becomes_the_primary() -> None:
    """A CNAME stands for itself and is never resolved into addresses."""
    chain = [
        record_set("www.shop.example", "CNAME", 60, ["elm.example.net"]),
        record_set("elm.example.net", "A", 60, ["192.0.2.1"]),
    ]
    assert answer_at("www.shop.example", chain) == Answer(cname="elm.example.net")
    assert answer_at("elm.example.net", chain) == Answer(a=("192.0.2.1",))
    assert answer_at("mail.shop.example", chain) is None


def test_the_zone_is_the_longest_that_fits() -> None:
    """Among the account's zones; where there is none, the name without its first label."""
    zones = ("shop.example", "eu.shop.example", "other.example")
    assert likely_zone("www.eu.shop.example", zones) == "eu.shop.example"
    assert likely_zone("www.shop.example", ()) == "shop.example"
    assert likely_zone("shop.example", ()) == "shop.example"


def test_a_service_from_its_form() -> None:
    """Hostnames with an answer of their own keep it at the primary; faults name the field."""
    found = {
        "www.shop.example": Answer(cname="elm.example.net"),
        "shop.example": Answer(a=("192.0.2.7",)),
    }
    form = Form(
        name="",
        hostnames="WWW.shop.example, shop.example",
        account="dns-main",
        zone="shop.example",
        primary="elm.example.net",
        backup="198.51.100.24",
        path="/health",
        found=found,
    )
    made = service_of(form)
    assert made.name == "www.shop.example"
    assert made.hostnames == ("www.shop.example", "shop.example")
    assert made.primary.answer_for("shop.example") == Answer(a=("192.0.2.7",))
    assert made.deployments[1].answer == Answer(a=("198.51.100.24",))
    assert made.health.path == "/health"
    assert [d.marker for d in made.deployments] == [None, None]
    values = {name: getattr(form, name) for name in form.__struct_fields__}
    marked = service_of(Form(**{**values, "marker": " X-Deployment ", "says": ("blue", "green")}))
    assert [d.marker for d in marked.deployments] == [Marker("X-Deployment", "blue"), Marker("X-Deployment", "green")]
    with pytest.raises(ValueError, match="must differ"):
        service_of(Form(**{**values, "marker": "X-Deployment", "says": ("blue", "blue")}))
    for field, text in (("hostnames", "visitors"), ("account", "account"), ("backup", "Backup")):
        with pytest.raises(ValueError, match=text):
            service_of(Form(**{**values, field: ""}))


def test_account_fields_follow_the_provider() -> None:
    """Whether a secret is needed may depend on what is typed."""
    kind = provider_type("rfc2136")
    assert secret_fields(kind, {}) == ()
    needed = secret_fields(kind, {"key_name": "changeover."})
    assert needed is not None
    assert [secret.name for secret in needed] == ["secret"]
    assert secret_fields(kind, {"key_name": 5}) is None


def test_what_a_credential_can_do_in_words() -> None:
    """Zones and rights, or what is wrong and what to do."""
    good = AccountCheck(
        account="dns-main", ok=True, zones=("shop.example",), may_write=True, text="dns-main may change records"
    )
    assert check_words(good) == "dns-main may change records. Zones: shop.example."
    bad = AccountCheck(account="dns-main", ok=False, text="The token is wrong", hint="Make another.")
    assert check_words(bad) == "The token is wrong Make another."
    assert (check_mark(good), check_mark(bad)) == (Mark.HEALTHY, Mark.DOWN)
    untried = AccountCheck(account="dns-main", ok=False, tried=False, text="dns-main was not tried: no service uses it")
    assert check_mark(untried) is Mark.UNKNOWN
    assert check_words(untried) == "dns-main was not tried: no service uses it. It is tried once a service uses it."
    wide = replace(good, zones=tuple(f"z{n}.example" for n in range(10)), warnings=("It can change all 10 zones.",))
    assert check_words(wide).startswith("dns-main may change records. It can change all 10 zones. Zones: z0.example, ")
    assert check_words(wide).endswith("z7.example and 2 more.")
    only = replace(good, may_write=False, text="dns-main may read only", hint="It needs: Zone.DNS edit")
    assert check_words(only) == "dns-main may read only. It needs: Zone.DNS edit. Zones: shop.example."
    assert (check_mark(wide), check_mark(only)) == (Mark.DEGRADED, Mark.DEGRADED)


def test_the_story_of_the_practice_ground() -> None:
    """From break over switch to undo; each state has its next step, and the end says so."""
    told = [
        story(state(), ()),
        story(state(), {"primary"}),
        story(state(checks=DOWN), {"primary"}),
        story(state(active="backup", run=run(Outcome.COMPLETED)), {"primary"}),
        story(state(active="backup", run=run(Outcome.COMPLETED)), ()),
        story(state(run=run(Outcome.UNDONE)), ()),
    ]
    assert [each.done for each in told] == [0, 1, 1, 2, 2, 3]
    assert [each.push for each in told] == ["break primary", "", "", "mend primary", "", ""]
    assert "Press “Switch to backup…”" in told[2].text
    assert "Undo" in told[4].text
    assert story(state(checks=DOWN), {"primary", "backup"}).push == "mend backup"


def test_the_tray_shows_the_worst() -> None:
    """One icon for all services: the worst state, the lever down where any is on its backup, names in words."""
    states = gallery()
    assert glance([], NOW).mark is Mark.UNKNOWN
    calm = glance([states["quiet"], named("api", states["quiet"])], NOW)
    assert (calm.mark, calm.on_backup) == (Mark.HEALTHY, False)
    assert calm.words == "Changeover: 2 services, healthy"
    bad = glance([states["quiet"], named("api", states["down"]), named("blog", states["on-backup"])], NOW)
    assert (bad.mark, bad.on_backup) == (Mark.DOWN, True)
    assert "api: on primary · failing for 2 min 10 s" in bad.words
    assert of_state(states["working"]) is Mark.WORKING


def test_the_tray_is_grey_while_this_computer_is_offline() -> None:
    """It says so once, for all services, and blames none."""
    states = gallery()
    grey = glance([states["offline"], named("api", states["offline"])], NOW)
    assert (grey.mark, grey.words) == (Mark.OFFLINE, "Changeover: this computer is offline")
    assert glance([states["no-dns"]], NOW).words == "Changeover: this computer's DNS fails"
    assert glance([states["quiet"], named("api", states["maintenance"])], NOW).mark is Mark.MAINTENANCE
    many = glance([named(f"s{i}", states["down"]) for i in range(8)], NOW)
    assert many.words.splitlines()[-1] == "and 3 more"
