"""`history`: how a service was, day by day; its incidents; and the times in which nothing was seen."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from changeover.commands.export import counts_object, seconds_object
from changeover.commands.session import DONE, CommandSession, command, json_option, print_json, print_table, say, show
from changeover.model.errors import UsageError
from changeover.model.formatting import duration
from changeover.model.health.history import Day, Gap, Incident, day_bounds
from changeover.switchboard import Switchboard
from changeover.switchover.report import local, utc

#: As long as anything is kept.
_LONGEST = 731


@click.command()
@click.argument("service")
@click.option("--days", type=click.IntRange(1, _LONGEST), default=7, show_default=True, help="Today and those before.")
@click.option("--deployment", metavar="NAME", help="Only this one.")
@click.option("--export", "form", type=click.Choice(["csv", "json"]), help="Hour by hour, to standard output.")
@click.option("--raw", is_flag=True, help="With --export: every single result of the last 48 hours.")
@json_option
@command
def history(service: str, days: int, deployment: str | None, form: str | None, raw: bool, as_json: bool) -> int:
    """How a service was: availability and response times by day, incidents, and the gaps in between."""
    if raw and form is None:
        raise UsageError("--raw says what to export", "Say --export csv or --export json as well.")
    if form is not None and as_json:
        raise UsageError("--json and --export are two kinds of output", "Say one of them.")
    until = datetime.now(UTC)
    today = until.astimezone().date()
    since, _ = day_bounds(today - timedelta(days=days - 1), None)
    with CommandSession() as session:
        board = session.switchboard
        names = session.run(_names(board, service, deployment))
        if form is not None:
            from changeover.commands.export import export

            return session.run(export(board.history, service, names, since, until, form, raw))
        found = session.run(board.history.days(service, since, until))
        incidents = session.run(board.history.incidents(service, since, until))
        gaps = session.run(board.history.gaps(since, until))
    shown = [day for day in found if day.deployment in names]
    told = [incident for incident in incidents if incident.deployment in names]
    if as_json:
        print_json(
            {
                "service": service,
                "since": utc(since),
                "until": utc(until),
                "days": [_day_object(day) for day in shown],
                "incidents": [_incident_object(incident) for incident in told],
                "gaps": [_gap_object(gap) for gap in gaps],
            }
        )
        return DONE
    if not shown and not told:
        say(f"Nothing was recorded of {service} in this time. It is while the window or a watching command runs.")
        return DONE
    _print_days(shown)
    _print_incidents(told, until)
    return DONE


async def _names(board: Switchboard, service: str, deployment: str | None) -> tuple[str, ...]:
    """The deployments that are asked for: those of the settings, and those that once were."""
    set_up = (d.name for d in board.service(service).deployments)
    known = tuple(dict.fromkeys((*set_up, *await board.history.deployments(service))))
    if deployment is None:
        return known
    if deployment not in known:
        raise UsageError(f"Service {service} has no deployment {deployment}", f"Deployments: {', '.join(known)}")
    return (deployment,)


def percent(share: float | None) -> str:
    """An availability for people; never rounded up, so that "100 %" is without any failure."""
    if share is None:
        return "not checked"
    return "100 %" if share == 1 else f"{math.floor(share * 10_000 + 1e-9) / 100:.2f} %"


def _print_days(days: list[Day]) -> None:
    rows = []
    before = None
    for day in days:
        first = day.date != before
        before = day.date
        rows.append(
            (
                f"{day.date:%a %Y-%m-%d}" if first else "",
                day.deployment,
                percent(day.counted.availability),
                *(_milliseconds(day.times.percentile(share)) for share in (0.5, 0.95, 0.99)),
                str(day.counted.tried),
                str(day.maintenance.tried or ""),
                ", ".join(f"{kind} {duration(seconds)}" for kind, seconds in day.gaps.items()) if first else "",
            )
        )
    heads = ("DAY", "DEPLOYMENT", "AVAILABLE", "P50 MS", "P95 MS", "P99 MS", "CHECKS", "IN MAINTENANCE", "NOT SEEN")
    print_table(heads, rows)


def _milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1000:.0f}"


def _print_incidents(incidents: list[Incident], now: datetime) -> None:
    if not incidents:
        show("", "No incidents.")
        return
    show()
    rows = [
        (
            i.deployment,
            local(i.started),
            local(i.ended) if i.ended else "still lasts",
            duration(((i.ended or now) - i.started).total_seconds()),
            str(i.cause or ""),
            i.reason,
        )
        for i in incidents
    ]
    print_table(("INCIDENT", "BEGAN", "ENDED", "LASTED", "CAUSE", "REASON"), rows)


def _day_object(day: Day) -> dict[str, Any]:
    return {
        "date": day.date.isoformat(),
        "deployment": day.deployment,
        "availability": day.counted.availability,
        "checks": counts_object(day.counted),
        "maintenance": counts_object(day.maintenance),
        "seconds": seconds_object(day.times),
        "gaps": {str(kind): round(seconds, 3) for kind, seconds in day.gaps.items()},
    }


def _incident_object(incident: Incident) -> dict[str, Any]:
    ended = incident.ended
    return {
        "deployment": incident.deployment,
        "started": utc(incident.started),
        "ended": utc(ended),
        "seconds": None if ended is None else round((ended - incident.started).total_seconds(), 3),
        "cause": incident.cause,
        "reason": incident.reason,
        "evidence": incident.evidence,
    }


def _gap_object(gap: Gap) -> dict[str, Any]:
    seconds = round((gap.ended - gap.started).total_seconds(), 3)
    return {"kind": str(gap.kind), "started": utc(gap.started), "ended": utc(gap.ended), "seconds": seconds}
