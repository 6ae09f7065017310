"""The time after a switch by command line, on BIND: undo window, commit, a new backup, going back, others' hands."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

from changeover.storage.home import this_person
from shop import APEX, WWW, Shop

WWW_PRIMARY = {f"{WWW}. 60 CNAME edge-primary.shop.example."}


def stage(shop: Shop) -> dict[str, Any]:
    (found,) = shop.json("lifecycle", "shop")["services"]
    return found


def switch(shop: Shop, to: str, *more: str, status: int = 0) -> dict[str, Any]:
    return shop.json("switch", "shop", "--to", to, "--yes", *more, status=status)


def said(answer: dict[str, Any], check: str) -> list[tuple[str, str]]:
    """Level and text of each finding of one check."""
    return [(f["level"], f["text"]) for f in answer["findings"] if f["check"] == check]


def pass_time(shop: Shop, **length: float) -> None:
    """Lets the journal be so much older, as if nobody had looked since."""
    with closing(sqlite3.connect(shop.home.database)) as database, database:
        for seq, at in database.execute("SELECT seq, at FROM journal").fetchall():
            earlier = datetime.fromisoformat(at) - timedelta(**length)
            database.execute("UPDATE journal SET at = ? WHERE seq = ?", (earlier.isoformat(), seq))


def minutes_between(one: str, other: str) -> float:
    both = (datetime.fromisoformat(text.replace("Z", "+00:00")) for text in (one, other))
    first, second = both
    return (second - first).total_seconds() / 60


def test_the_whole_life_of_a_switch(shop: Shop) -> None:
    """Protected, switched, committed, setting up, protected the other way round, and back at the primary."""
    start = (shop.at(WWW), shop.at(APEX))
    assert (stage(shop)["stage"], stage(shop)["next"]) == ("protected", ["switch"])
    run = switch(shop, "backup")["run"]

    switched = stage(shop)
    assert (switched["stage"], switched["run"], switched["next"]) == ("switched", run, ["undo", "commit", "fail-back"])
    assert minutes_between(switched["since"], switched["undo_until"]) == 30
    assert switched["review_at"] is None
    early = shop.json("protect", run, status=3)["error"]
    assert f"Commit it first: changeover commit {run}" in early["hint"]

    shop.json("commit", run)
    committed = stage(shop)
    assert (committed["stage"], committed["badge"], committed["undo_until"]) == ("committed", "no backup", None)
    assert "Running without a backup since" in committed["text"]

    shop.json("protect", run, "--begin", "--note", "a copy in another region")
    assert stage(shop)["stage"] == "re-protecting"
    shop.json("protect", run, "--note", "the copy is there")
    assert stage(shop)["stage"] == "protected-reversed"
    assert (
        "is not one after which shop is known to lack a backup" in shop.json("protect", run, status=3)["error"]["text"]
    )

    back = switch(shop, "primary")
    ((level, text),) = said(back, "failback")
    assert (back["outcome"], level) == ("completed", "warn"), "going back too soon is a warning, and never a block"
    assert "primary is healthy now; for how long is not known" in text
    assert "60 min is safer" in text
    assert (stage(shop)["stage"], stage(shop)["run"]) == ("protected", back["run"])
    assert (shop.at(WWW), shop.at(APEX)) == start


def test_a_backup_that_could_not_take_over_is_none(shop: Shop) -> None:
    """`protect` says what blocks it and changes nothing, unless there is a reason, which the journal keeps."""
    run = switch(shop, "backup")["run"]
    shop.json("commit", run)
    shop.web.break_("primary")
    refused = shop.json("protect", run, status=3)["error"]
    assert (
        "No other deployment could take over now, so there is no backup. primary: primary does not" in refused["text"]
    )
    assert "503" in refused["text"]
    assert "--force-reason" in refused["hint"]
    assert stage(shop)["stage"] == "committed"
    shop.json("protect", run, "--force-reason", "the dashboard of the new one is green")
    assert stage(shop)["stage"] == "unprotected", "a person's word is kept, and what could not take over now is told"
    shop.web.repair("primary")
    assert stage(shop)["stage"] == "protected-reversed"
    with closing(sqlite3.connect(shop.home.database)) as database:
        ((event,),) = database.execute("SELECT event FROM journal WHERE event LIKE '%\"reprotected\"%'").fetchall()
    assert "by force: the dashboard of the new one is green; primary: primary does not" in event
    assert this_person() in event


def test_the_undo_window_ends_and_a_forgotten_emergency_nags(shop: Shop) -> None:
    """30 minutes after the run's end commit comes first; a day after an emergency its review is overdue."""
    shop.web.break_("primary")
    run = switch(shop, "backup", "--emergency")["run"]
    fresh = stage(shop)
    assert fresh["next"] == ["undo", "commit", "fail-back", "acknowledge"]
    assert minutes_between(fresh["since"], fresh["review_at"]) == 24 * 60
    pass_time(shop, minutes=31)
    assert stage(shop)["next"] == ["commit", "fail-back", "undo", "acknowledge"]
    assert "the undo window" not in stage(shop)["text"]
    assert "Commit it or go back; undo still works." in stage(shop)["text"]
    pass_time(shop, hours=26)
    forgotten = stage(shop)
    assert f"The review of emergency switch {run} is overdue for 2 h" in forgotten["text"]
    assert forgotten["next"] == ["commit", "fail-back", "undo"]
    told = shop.run("lifecycle")
    assert "is overdue" in told.stdout
    assert f"changeover commit {run}" in told.stderr
    assert "changeover switch shop --to primary" in told.stderr
    shop.json("commit", run)
    assert stage(shop)["review_at"] is None
    assert "overdue" not in stage(shop)["text"]


def test_a_second_switch_just_after_an_emergency_is_warned_of_until_acknowledged(shop: Shop) -> None:
    """Nobody is kept from it: it is a person's own."""
    shop.web.break_("primary")
    run = switch(shop, "backup", "--emergency")["run"]
    shop.web.repair("primary")
    ((level, text),) = said(shop.json("check", "shop", "--to", "primary"), "recent-switch")
    assert level == "warn"
    assert f"The emergency switch {run} ended " in text
    assert "unless somebody acknowledges it" in text
    assert shop.json("acknowledge", run)["run"] == run
    assert said(shop.json("check", "shop", "--to", "primary"), "recent-switch") == []
    assert "acknowledge" not in stage(shop)["next"]
    shop.json("acknowledge", run)
    back = switch(shop, "primary")["run"]
    assert "was no emergency" in shop.json("acknowledge", back, status=3)["error"]["text"]


def test_a_frozen_service_is_switched_in_an_emergency_only(shop: Shop) -> None:
    """By name and with a reason; who froze it, for how long and why is told to everybody."""
    start = (shop.at(WWW), shop.at(APEX))
    made = shop.json("freeze", "shop", "--reason", "a release", "--for", "2h")
    assert (made["service"], made["reason"], made["who"]) == ("shop", "a release", this_person())
    assert minutes_between(made["set_at"], made["until"]) == 120
    override = ("--override", "freeze=the shop is down")
    for more in ((), override, ("--emergency",)):
        ((level, text),) = said(switch(shop, "backup", *more, status=3), "freeze")
        assert level == "block"
        left = next(w for w in ("2 h", "1 h 59 min") if f" for {w} more" in text)
        assert text.startswith(f"shop is frozen by {this_person()} for {left} more")
        assert text.endswith("more: a release")
    assert (shop.at(WWW), shop.at(APEX)) == start
    assert shop.json("lifecycle")["freezes"] == [made]
    assert "a release" in shop.run("lifecycle", "shop").stderr
    run = switch(shop, "backup", "--emergency", *override)
    assert run["outcome"] == "completed"
    assert [f["override"] for f in run["findings"] if f["check"] == "freeze"] == ["the shop is down"]
    shop.json("undo", run["run"], "--yes")
    assert (shop.at(WWW), shop.at(APEX)) == start, "undo stays possible in a freeze"


def test_a_freeze_of_everything_is_ended_by_itself_alone(shop: Shop) -> None:
    """Ending one of the two leaves the other; without one there is nothing to end, and unknown names are told."""
    shop.json("freeze", "--reason", "the year's end")
    shop.json("freeze", "shop", "--reason", "a release")
    assert [text.split()[0] for _, text in said(switch(shop, "backup", status=3), "freeze")] == ["shop", "Everything"]
    assert shop.json("unfreeze", "shop") == {"service": "shop", "ended": True}
    assert [text.split()[0] for _, text in said(switch(shop, "backup", status=3), "freeze")] == ["Everything"]
    assert shop.json("unfreeze") == {"service": None, "ended": True}
    assert shop.json("unfreeze") == {"service": None, "ended": False}
    assert said(shop.json("check", "shop", "--to", "backup"), "freeze") == []
    for arguments in (("freeze", "shp", "--reason", "x"), ("unfreeze", "shp"), ("lifecycle", "shp")):
        assert "shop" in shop.json(*arguments, status=2)["error"]["hint"]
    for wrong in (("--for", "73h"), ("--for", "soon"), ("--reason", " ")):
        arguments = ("freeze", "shop", *(("--reason", "x") if wrong[0] == "--for" else ()), *wrong)
        shop.json(*arguments, status=2)


def test_somebody_else_who_changes_what_a_run_left_is_noticed(shop: Shop) -> None:
    """With name, values and time; for a day; and not once it is put back or switched away from."""
    switch(shop, "backup")
    assert said(shop.json("check", "shop", "--to", "primary"), "records-changed") == []
    shop.bind.change(["www A"], ["www 60 CNAME edge-primary"])
    check = shop.json("check", "shop", "--to", "primary", status=3)
    ((level, text),) = said(check, "records-changed")
    assert level == "warn"
    assert text.startswith("www.shop.example was changed ")
    assert "by somebody else: A 127.0.0.3 → CNAME edge-primary.shop.example; the journal knows nothing of it" in text
    pass_time(shop, hours=25)
    assert said(shop.json("check", "shop", "--to", "primary", status=3), "records-changed") == []
    pass_time(shop, hours=-24, minutes=-30)
    assert said(shop.json("check", "shop", "--to", "primary", status=3), "records-changed") != []
    shop.bind.change(["www CNAME"], ["www 60 A 127.0.0.3"])
    assert said(shop.json("check", "shop", "--to", "primary"), "records-changed") == []


def test_what_changes_during_and_after_an_undo_is_noticed_as_well(shop: Shop) -> None:
    """An undone run leaves what stood there before it."""
    run = switch(shop, "backup")["run"]
    shop.json("undo", run, "--yes")
    assert shop.at(WWW) == WWW_PRIMARY
    assert said(shop.json("check", "shop", "--to", "backup"), "records-changed") == []
    shop.bind.change(["www CNAME"], ["www 300 CNAME edge-primary"])
    ((_, text),) = said(shop.json("check", "shop", "--to", "backup"), "records-changed")
    assert "its TTL, 60 s → 300 s" in text


def test_a_program_that_keeps_the_records_is_warned_of(shop: Shop) -> None:
    """It would put back what the switch changes; the switch is a person's decision all the same."""
    shop.bind.change(add=['@ 60 TXT "heritage=external-dns,external-dns/owner=prod"'])
    run = switch(shop, "backup")
    ((level, text),) = said(run, "ownership")
    assert (run["outcome"], level) == ("completed", "warn")
    assert text == "external-dns (owner prod) keeps shop.example, and will put back what it has"


def test_protected_is_said_only_of_a_backup_that_could_take_over_now(shop: Shop) -> None:
    """By command as well, from checks made just now."""
    assert stage(shop)["stage"] == "protected"
    shop.web.break_("backup")
    found = stage(shop)
    assert (found["stage"], found["badge"]) == ("unprotected", "not protected")
    assert "nothing could take over now: backup does not answer well" in found["text"]
    shop.web.break_("primary")
    assert stage(shop)["stage"] == "unprotected"
