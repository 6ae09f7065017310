"""One sentence tells the whole state of a service, in plain words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from changeover.model.health import Health
from changeover.model.run import Outcome
from changeover.model.sentence import clock, list_line, overall, sentence, urgent
from desktop.samples import DOWN, NOW, SHOP, gallery, probed, run, state

SENTENCES = {
    "quiet": ("", "Visitors reach primary. Both deployments are healthy and the backup is ready."),
    "down": ("primary has been failing for 2 min 10 s.", "The backup is ready."),
    "down-and-no-backup": (
        "primary has been failing for 2 min 10 s.",
        "The backup is not ready: backup does not answer well: 503, expected 200-399.",
    ),
    "degraded": (
        "primary answers only in part: 503, expected 200-399 (www.shop.example at 198.51.100.25).",
        "The backup is ready.",
    ),
    "on-backup": ("", "Visitors reach backup since 14:01. You can undo this."),
    "kept": ("", "Visitors reach backup since 14:01. Both deployments are healthy and primary is ready."),
    "interrupted": ("Run shop-3 was interrupted.", "Resume, undo or accept it."),
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
        "",
        "Visitors reach primary. This computer could not check any deployment just now: "
        "not checked: no route to the network.",
    ),
    "long-names": ("", "Visitors reach primary. All 3 deployments are healthy and backup-in-another-country is ready."),
    "working": ("", "A switch is being prepared."),
}

GLANCES = {
    "quiet": (Health.HEALTHY, "on primary · healthy"),
    "down": (Health.UNHEALTHY, "on primary · failing for 2 min 10 s"),
    "degraded": (Health.DEGRADED, "on primary · answers in part"),
    "on-backup": (Health.DEGRADED, "on backup since 14:01 · healthy"),
    "kept": (Health.HEALTHY, "on backup since 14:01 · healthy"),
    "interrupted": (Health.DEGRADED, "run shop-3 is interrupted"),
    "mixed": (Health.DEGRADED, "visitors are split"),
    "elsewhere": (Health.DEGRADED, "visitors go elsewhere"),
    "unreadable": (Health.UNKNOWN, "not known where visitors go"),
    "reading": (Health.UNKNOWN, "reading"),
    "offline": (Health.UNKNOWN, "on primary · could not be checked"),
}


@pytest.mark.parametrize("name", list(SENTENCES))
def test_the_sentence(name: str) -> None:
    """Each state has its sentence: what is urgent first, then the rest."""
    found = sentence(gallery()[name], NOW)
    assert (found.urgent, found.rest) == SENTENCES[name]


def test_every_state_has_a_sentence_of_its_own() -> None:
    """No two states of the gallery are told in the same words, and every state is in the table."""
    assert set(SENTENCES) == set(gallery())
    told = [sentence(each, NOW).text for each in gallery().values()]
    assert len(set(told)) == len(told)


@pytest.mark.parametrize("name", list(GLANCES))
def test_the_glance(name: str) -> None:
    """One state and a few words for the list and the tray."""
    each = gallery()[name]
    assert (overall(each), list_line(each, NOW)) == GLANCES[name]


def test_only_an_outage_is_urgent() -> None:
    """The switch button turns red only while visitors are not served."""
    assert [name for name, each in gallery().items() if urgent(each)] == ["down", "down-and-no-backup"]


def test_a_backup_that_could_not_take_over_needs_a_look() -> None:
    """A healthy primary alone is not a quiet day."""
    alone = state(checks={"backup": "." * 20 + "xxxx"})
    assert overall(alone) is Health.DEGRADED
    assert sentence(alone, NOW).rest.startswith("Visitors reach primary. primary is healthy. The backup is not ready:")


def test_first_checks_are_not_a_verdict() -> None:
    """One good check makes nobody healthy."""
    young = state(checks={"primary": ".", "backup": "."})
    assert overall(young) is Health.UNKNOWN
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
    from changeover.model.state import ServiceState

    found = sentence(ServiceState(service=SHOP, error="The keyring does not answer"), NOW)
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
