"""One sentence tells the whole state of a service, in plain words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from changeover.model.formatting import clock
from changeover.model.health.connectivity import Connection
from changeover.model.readiness.pin import Hold
from changeover.model.readiness.service_state import unread
from changeover.model.runs.plan import PlanKind
from changeover.model.runs.run import Outcome
from changeover.model.wording.cause_words import card_words, state_tip
from changeover.model.wording.local_fault import clock_note
from changeover.model.wording.sentence import list_line, sentence, urgent
from changeover.model.wording.service_status import ServiceStatus, service_status
from desktop.samples import (
    DOWN,
    EVERY_ONE,
    NO_DNS,
    NOW,
    OFFLINE,
    ONLINE,
    PORTAL,
    SHOP,
    WRONG_CLOCK,
    gallery,
    pin,
    planned,
    probed,
    run,
    state,
    visited,
)

SENTENCES = {
    "quiet": ("", "Visitors reach primary. Both deployments are healthy and the backup is ready."),
    "visited": ("", "Visitors reach primary. Both deployments are healthy and the backup is ready."),
    "down": ("primary has been failing for 2 min 10 s: 503.", "The backup is ready."),
    "down-online": (
        "primary has been failing for 2 min 10 s: 503.",
        "Your own connection is fine. The backup is ready.",
    ),
    "down-from-here": (
        "primary has been failing from here for 2 min 10 s: 503.",
        "Visitors are still answered through the public name. The backup is ready.",
    ),
    "down-and-no-backup": (
        "Every deployment of shop is failing.",
        "Your own connection is fine. Visitors stay where they are: there is nowhere better to send them. "
        "primary: 503 for 2 min 10 s; backup: 503 for 1 min 40 s.",
    ),
    "down-and-backup-unknown": (
        "primary has been failing for 2 min 10 s: 503.",
        "Your own connection is fine. The backup is not checked yet.",
    ),
    "routing-name": (
        "The routing name fathomless-elm.herokudns.com is dead; the app still answers at 192.0.2.1.",
        "Your own connection is fine. The backup is ready.",
    ),
    "certificate": (
        "The certificate of primary has been refused for 2 min 10 s: it expired 3 days ago.",
        "Your own connection is fine. The backup is ready.",
    ),
    "degraded": (
        "primary answers only in part for 1 min 40 s: 198.51.100.25 does not answer well: 503, expected 200-399.",
        "The backup is ready.",
    ),
    "one-hostname": (
        "primary does not answer well for shop.example for 1 min 40 s: 503, expected 200-399. The other "
        "hostname is fine.",
        "The backup is ready.",
    ),
    "suspect": ("", "Visitors reach primary. Both deployments are healthy and the backup is ready."),
    "recovering": (
        "primary answers again for 1 min 10 s.",
        "It is called up after 5 good checks and 3 min. The backup is ready.",
    ),
    "flapping": (
        "primary changes between good and bad: 8 times in its last 20 checks.",
        "Answers some of the time: 503, expected 200-399. The backup is ready.",
    ),
    "backup-flapping": (
        "",
        "Visitors reach primary. primary is healthy. The backup is not ready: it changes between good and bad.",
    ),
    "maintenance": (
        "",
        "primary is in maintenance until 15:00. It does not answer well now: 503. The backup is ready.",
    ),
    "backup-maintenance": (
        "",
        "Visitors reach primary. primary is healthy. The backup is in maintenance until 15:00.",
    ),
    "held": (
        "",
        "Visitors reach primary. primary is held healthy by a person until 16:20: The new release answers 503"
        " to probes only. Its checks fail: 503. The backup is ready.",
    ),
    "held-down": (
        "primary is held unhealthy by a person until 16:20: Its database is read-only.",
        "The backup is ready.",
    ),
    "out-of-use": (
        "",
        "Visitors reach primary. primary is healthy. backup is kept out of use by a person until 16:20: Its "
        "disk is being replaced.",
    ),
    "visit-fails": (
        "",
        "Visitors reach primary. Both deployments are healthy and the backup is ready. The last visit through"
        " public DNS failed: www.shop.example at 198.51.100.24: 503, expected 200-399, answered by primary.",
    ),
    "on-backup": ("", "Visitors reach backup since 14:01. You can undo this."),
    "kept": (
        "",
        "Visitors reach backup since 14:01. It runs without a backup until somebody confirms that primary can"
        " take over.",
    ),
    "protected-reversed": (
        "",
        "Visitors reach backup since 14:01. Both deployments are healthy and primary is ready.",
    ),
    "emergency-review": (
        "",
        "Visitors reach backup since 14:01. You can undo this. It was an emergency: commit it or go back by 24 Nov"
        " 14:01.",
    ),
    "frozen": (
        "",
        "Visitors reach primary. Both deployments are healthy and the backup is ready. shop is frozen by anna until"
        " 16:20: The new release goes out.",
    ),
    "ttl-shortened": ("", "Visitors reach primary. Both deployments are healthy and the backup is ready."),
    "interrupted": ("Run shop-3 was interrupted.", "Resume, undo or accept it."),
    "damaged-run": (
        "Run shop-3 of shop is damaged: not all of its journal can be read.",
        "Make sure of its records by hand, then accept it.",
    ),
    "newer-run": (
        "Run shop-3 of shop was written by a newer Changeover.",
        "Update this Changeover, or make sure of its records by hand, then accept it.",
    ),
    "incomplete": (
        "Run shop-3 is incomplete.",
        "ns1.shop.example still gives the old answer. Resume, undo or accept it.",
    ),
    "mixed": (
        "Visitors reach different deployments, by hostname or name server.",
        "primary is healthy, backup is healthy.",
    ),
    "elsewhere": (
        "Visitors are sent to something that is none of this service's deployments.",
        "primary is healthy, backup is healthy.",
    ),
    "unreadable": (
        "Where visitors go now could not be read.",
        "Cloudflare does not answer. primary is healthy, backup is healthy.",
    ),
    "reading": ("", "Reading where visitors go and checking the deployments."),
    "offline": (
        "This computer is offline, so nothing can be said about shop.",
        "The router answers, but nothing beyond it does. Last seen 3 min 10 s ago: both deployments healthy.",
    ),
    "portal": (
        "A login page stands between this computer and the internet, so nothing can be said about shop.",
        "Open a browser and log in. Last seen 3 min 10 s ago: primary healthy, backup failing.",
    ),
    "no-dns": (
        "Nothing can be said about shop from here.",
        "This computer's own DNS does not answer; DNS over HTTPS does. Check the resolver or the VPN. Last "
        "seen 10 min 10 s ago: both deployments healthy.",
    ),
    "untried": (
        "",
        "Visitors reach primary. This computer could not check any deployment just now: not checked: no route"
        " to the network.",
    ),
    "long-names": (
        "",
        "Visitors reach primary. All 3 deployments are healthy and backup-in-another-country is ready.",
    ),
    "working": ("", "A switch is being prepared."),
    "same-on-both": ("", "Visitors reach primary. Both deployments are healthy and the backup is ready."),
    "drift": ("", "Visitors reach primary. Both deployments are healthy and the backup is ready."),
    "told-by-apps": ("", "Visitors reach primary. Both deployments are healthy and the backup is ready."),
}

GLANCES = {
    "quiet": (ServiceStatus.HEALTHY, "on primary · healthy"),
    "visited": (ServiceStatus.HEALTHY, "on primary · healthy"),
    "down": (ServiceStatus.DOWN, "on primary · failing for 2 min 10 s"),
    "down-online": (ServiceStatus.DOWN, "on primary · failing for 2 min 10 s"),
    "down-from-here": (ServiceStatus.DEGRADED, "on primary · failing from here"),
    "down-and-no-backup": (ServiceStatus.DOWN, "every deployment is failing"),
    "down-and-backup-unknown": (ServiceStatus.DOWN, "on primary · failing for 2 min 10 s"),
    "routing-name": (ServiceStatus.DOWN, "on primary · failing for 2 min 10 s"),
    "certificate": (ServiceStatus.DOWN, "on primary · failing for 2 min 10 s"),
    "degraded": (ServiceStatus.DEGRADED, "on primary · answers in part"),
    "one-hostname": (ServiceStatus.DEGRADED, "on primary · answers in part"),
    "suspect": (ServiceStatus.HEALTHY, "on primary · healthy"),
    "recovering": (ServiceStatus.RECOVERING, "on primary · recovering"),
    "flapping": (ServiceStatus.FLAPPING, "on primary · flapping"),
    "backup-flapping": (ServiceStatus.DEGRADED, "on primary · healthy"),
    "maintenance": (ServiceStatus.MAINTENANCE, "on primary · in maintenance"),
    "backup-maintenance": (ServiceStatus.HEALTHY, "on primary · healthy"),
    "held": (ServiceStatus.HELD, "on primary · held healthy"),
    "held-down": (ServiceStatus.DOWN, "on primary · held unhealthy"),
    "out-of-use": (ServiceStatus.DEGRADED, "on primary · healthy"),
    "visit-fails": (ServiceStatus.HEALTHY, "on primary · healthy"),
    "on-backup": (ServiceStatus.DEGRADED, "on backup since 14:01 · healthy"),
    "kept": (ServiceStatus.DEGRADED, "on backup since 14:01 · healthy"),
    "protected-reversed": (ServiceStatus.HEALTHY, "on backup since 14:01 · healthy"),
    "emergency-review": (ServiceStatus.DEGRADED, "on backup since 14:01 · healthy"),
    "frozen": (ServiceStatus.HEALTHY, "on primary · healthy"),
    "ttl-shortened": (ServiceStatus.HEALTHY, "on primary · healthy"),
    "interrupted": (ServiceStatus.DEGRADED, "run shop-3 is interrupted"),
    "damaged-run": (ServiceStatus.DEGRADED, "run shop-3 is damaged"),
    "newer-run": (ServiceStatus.DEGRADED, "run shop-3 was written by a newer Changeover"),
    "incomplete": (ServiceStatus.DEGRADED, "run shop-3 is incomplete"),
    "mixed": (ServiceStatus.DEGRADED, "visitors are split"),
    "elsewhere": (ServiceStatus.DEGRADED, "visitors go elsewhere"),
    "unreadable": (ServiceStatus.UNKNOWN, "not known where visitors go"),
    "reading": (ServiceStatus.UNKNOWN, "reading"),
    "offline": (ServiceStatus.OFFLINE, "this computer is offline"),
    "portal": (ServiceStatus.OFFLINE, "behind a login page"),
    "no-dns": (ServiceStatus.OFFLINE, "this computer's DNS fails"),
    "untried": (ServiceStatus.UNKNOWN, "on primary · could not be checked"),
    "long-names": (ServiceStatus.HEALTHY, "on primary · healthy"),
    "working": (ServiceStatus.DEGRADED, "switching now"),
    "same-on-both": (ServiceStatus.HEALTHY, "on primary · healthy"),
    "drift": (ServiceStatus.HEALTHY, "on primary · healthy"),
    "told-by-apps": (ServiceStatus.HEALTHY, "on primary · healthy"),
}


@pytest.mark.parametrize("name", list(SENTENCES))
def test_the_sentence(name: str) -> None:
    """Each state has its sentence: what is urgent first, then the rest."""
    found = sentence(gallery()[name], NOW)
    assert (found.urgent, found.rest) == SENTENCES[name]


def test_every_state_has_a_sentence_of_its_own() -> None:
    """No two states are told in the same words, but for the quiet ones, and every state is in the table."""
    assert set(SENTENCES) == set(gallery())
    quiet = ("visited", "suspect", "ttl-shortened", "same-on-both", "drift", "told-by-apps")
    told = [sentence(each, NOW).text for name, each in gallery().items() if name not in quiet]
    assert len(set(told)) == len(told)


@pytest.mark.parametrize("name", list(GLANCES))
def test_the_glance(name: str) -> None:
    """One state and a few words for the list and the tray."""
    each = gallery()[name]
    assert (service_status(each), list_line(each, NOW)) == GLANCES[name]


def test_only_an_outage_with_a_way_out_is_urgent() -> None:
    """The switch button turns red only while visitors are not served, and a proven place could serve them."""
    found = {name for name, each in gallery().items() if urgent(each)}
    assert found == {"down", "down-online", "routing-name", "certificate", "held-down"}


def test_no_switch_is_suggested_to_what_is_not_proven() -> None:
    """A backup that fails, flaps, was never seen, or is out of use is no place to send anybody."""
    assert urgent(state(checks=DOWN))
    for backup in ("x" * 5, "", "." * 12 + "x.x..x.x."):
        assert not urgent(state(checks={**DOWN, "backup": backup})), backup
    assert not urgent(state(checks=DOWN, pins=(pin("backup", Hold.NEVER),)))


def test_when_every_deployment_is_down_visitors_stay() -> None:
    """There is no better place, and the sentence says so; one whose visitors are answered is not an outage."""
    told = sentence(state(checks=EVERY_ONE), NOW)
    assert told.urgent == "Every deployment of shop is failing."
    assert "Visitors stay where they are: there is nowhere better to send them." in told.rest
    answered = state(checks=EVERY_ONE, connection=ONLINE, visit=visited(True))
    assert service_status(answered) is ServiceStatus.DEGRADED
    assert "Visitors are still answered through the public name." in sentence(answered, NOW).rest


def test_an_offline_computer_blames_nobody() -> None:
    """Whatever failed before, an offline computer is told of as itself, once, and nothing else is said to fail."""
    for name in ("primary", "backup"):
        of = state(checks={name: "." * 20 + "xxxxx"}, connection=OFFLINE)
        assert service_status(of) is ServiceStatus.OFFLINE
        assert sentence(of, NOW).urgent == "This computer is offline, so nothing can be said about shop."
        assert list_line(of, NOW) == "this computer is offline"
        assert not urgent(of)
    never = state(checks={"primary": "", "backup": ""}, connection=OFFLINE)
    assert sentence(never, NOW).rest.endswith("Nothing was seen before.")


def test_an_unfinished_run_comes_before_everything() -> None:
    """It is in the journal, whether or not anything can be seen from here."""
    of = state(active="mixed", run=run(None), connection=OFFLINE)
    assert sentence(of, NOW).urgent == "Run shop-3 was interrupted."
    assert service_status(of) is ServiceStatus.DEGRADED


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (PlanKind.SWITCH, "Visitors are being switched from primary to backup."),
        (PlanKind.PREPARE, "The TTLs of its records are being lowered."),
        (PlanKind.RESTORE_TTL, "The TTLs of its records are being restored."),
    ],
)
def test_what_is_going_on_is_told_as_what_it_is(kind: PlanKind, told: str) -> None:
    """A run that only changes TTLs moves nobody, and does not say so."""
    going = replace(run(None), outcome=Outcome.RUNNING, forward=replace(run(None).forward, kind=kind))
    assert sentence(replace(state(), run=going, working=True), NOW).text == told


def test_a_wrong_clock_is_told_once() -> None:
    """One note for all services, and only where the clock is off by more than a minute."""
    assert clock_note([state(connection=ONLINE), state()]) == ""
    told = clock_note([state(), state(connection=WRONG_CLOCK), state(connection=WRONG_CLOCK)])
    assert told.startswith("This computer's clock is 2 min ahead")


@given(
    checks=st.dictionaries(st.sampled_from(["primary", "backup"]), st.text(".x~?nch ", max_size=30), max_size=2),
    connection=st.sampled_from([None, ONLINE, OFFLINE, PORTAL, NO_DNS]),
    holds=st.dictionaries(st.sampled_from(["primary", "backup"]), st.sampled_from(Hold), max_size=2),
    seen=st.sampled_from([None, True, False]),
    work=st.booleans(),
)
def test_every_state_can_be_told(
    checks: dict[str, str],
    connection: Connection | None,
    holds: dict[str, Hold],
    seen: bool | None,
    work: bool,
) -> None:
    """Whatever comes together, there are words for it; offline is never an outage; urgent is always an outage."""
    of = state(
        service=planned("primary") if work else SHOP,
        checks=checks,
        connection=connection,
        pins=tuple(pin(name, hold) for name, hold in holds.items()),
        visit=None if seen is None else visited(seen),
    )
    told = sentence(of, NOW)
    assert told.text.strip().endswith((".", "?", "!"))
    assert list_line(of, NOW)
    for name in ("primary", "backup"):
        assert card_words(of, name, NOW)
        assert state_tip(of, name, NOW)
    if connection in (OFFLINE, PORTAL) and holds.get("primary") is not Hold.UNHEALTHY:
        assert service_status(of) is ServiceStatus.OFFLINE
    if urgent(of):
        assert service_status(of) is ServiceStatus.DOWN


def test_one_failed_check_is_no_alarm() -> None:
    """It is in the card, with what it takes to be called down, and nowhere else."""
    of = gallery()["suspect"]
    assert card_words(of, "primary", NOW) == "suspect"
    assert "called down after 3 in a row" in state_tip(of, "primary", NOW)


def test_a_backup_that_could_not_take_over_needs_a_look() -> None:
    """A healthy primary alone is not a quiet day."""
    alone = state(checks={"backup": "." * 20 + "xxxx"})
    assert service_status(alone) is ServiceStatus.DEGRADED
    assert sentence(alone, NOW).rest.startswith("Visitors reach primary. primary is healthy. The backup is not ready:")


def test_first_checks_are_not_a_verdict() -> None:
    """One good check makes nobody healthy."""
    young = state(checks={"primary": ".", "backup": "."})
    assert service_status(young) is ServiceStatus.UNKNOWN
    assert sentence(young, NOW).rest == "Visitors reach primary. Its health is not known yet: a few checks are needed."


def test_a_run_in_progress_is_told() -> None:
    """While this process works on a run, the sentence says what is going on."""
    of = state(checks=DOWN, run=run(None), working=True)
    assert sentence(of, NOW).text == "A switch is being prepared."
    assert list_line(of, NOW) == "switching now"


def test_an_accepted_run_is_over() -> None:
    """A run that somebody accepted as it stands does not stand in the way any more."""
    of = state(run=run(Outcome.INCOMPLETE, accepted="looked at it"))
    assert sentence(of, NOW).rest.endswith("the backup is ready.")


def test_nothing_can_be_read() -> None:
    """Where even the checks could not begin, the reason is in the sentence."""

    found = sentence(replace(unread(SHOP, NOW), error="The keyring does not answer"), NOW)
    assert (found.urgent, found.rest) == ("Nothing could be read.", "The keyring does not answer")


def test_times_are_the_persons_own() -> None:
    """Times are in the time zone of the one who reads, with the day where it is not today."""
    there = timezone(timedelta(hours=9))
    moment = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
    assert clock(moment, moment) == "20:00"
    assert clock(moment, (moment + timedelta(hours=1)).astimezone(there)) == "05:00"
    assert clock(moment, moment + timedelta(days=1)) == "23 Nov 20:00"
    assert clock(moment, moment + timedelta(days=365)) == "23 Nov 2026 20:00"


def test_a_clock_that_went_back_shows_no_negative_time() -> None:
    """A start in the future, as after a change of the clock, counts as now."""
    assert probed("primary", NOW, True, 84).seconds == 0.084
    early = NOW - timedelta(hours=1)
    assert list_line(state(checks=DOWN), early) == "on primary · failing for 0 s"
