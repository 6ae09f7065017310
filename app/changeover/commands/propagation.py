"""`propagation`: what every resolver still has of a service, for how long, and who follows last."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from changeover.commands.session import DONE, CommandSession, command, json_option, print_json, print_table, say, show
from changeover.commands.terminal import made_table
from changeover.model.dns.propagation import CachedAnswer, CacheTime, all_updated, panel_words, predicted
from changeover.model.dns.records import values_text
from changeover.model.foreign_text import shown
from changeover.model.formatting import duration
from changeover.switchover.report import utc

if TYPE_CHECKING:
    from changeover.switchboard import Switchboard

_HEADINGS = ("RESOLVER", "OVER", "HOSTNAME", "HAS", "FOR", "FOLLOWS", "NOTE")


@click.command()
@click.argument("service")
@click.option("--watch", "watching", is_flag=True, help="Go on until every resolver has followed, or Ctrl-C.")
@json_option
@command
def propagation(service: str, watching: bool, as_json: bool) -> int:
    """What every resolver still has of a service, for how long, and who follows last."""
    with CommandSession() as session:
        if watching:
            session.run_until_stopped(
                lambda stop: _watch(session.switchboard, service, as_json, stop), said="No longer watching."
            )
            return DONE
        kept, cached = session.run(_once(session.switchboard, service))
    now = datetime.now().astimezone()
    if as_json:
        print_json(propagation_object(service, kept, now, cached))
    else:
        print_table(_HEADINGS, [_row(k, now) for k in kept])
        say(panel_words(kept, now))
        say(f"{cached.text}.")
    return DONE


async def _once(board: Switchboard, name: str) -> tuple[tuple[CachedAnswer, ...], CacheTime]:
    from changeover.monitoring.propagation import cache_time, panel

    service = board.service(name)
    run = next((r for r in await board.runs() if r.service == name), None)
    return await asyncio.gather(panel(service, board.lookup, run), cache_time(service, board.lookup))


async def _watch(board: Switchboard, name: str, as_json: bool, stop: asyncio.Event) -> None:
    """On a terminal the table stands still and its times run; elsewhere every change is told, as JSON one a line."""
    from changeover.monitoring.propagation import following

    service = board.service(name)
    run = next((r for r in await board.runs() if r.service == name), None)
    rounds = following(service, board.lookup, run, stop)
    if sys.stdout.isatty() and not as_json:
        from rich.live import Live

        with Live(auto_refresh=False) as live:
            async for kept in rounds:
                live.update(_table(kept, datetime.now().astimezone()), refresh=True)
    else:
        told: list[tuple[str, ...]] = []
        async for kept in rounds:
            now = datetime.now().astimezone()
            new = [k for k in kept if _told(k) not in told]
            told = [_told(k) for k in kept]
            if new and as_json:
                print_json(propagation_object(name, kept, now), compact=True)
            elif new:
                for k in new:
                    show(f"{now:%H:%M:%S}  {k.resolver} over {k.over}: {_said(k)}")
                say(panel_words(kept, now))


def _told(kept: CachedAnswer) -> tuple[str, ...]:
    """What is worth a line when it changes; times run by themselves."""
    return kept.resolver, kept.over, kept.hostname, values_text(kept.records), str(kept.updated), kept.error or ""


def _said(kept: CachedAnswer) -> str:
    if kept.error is not None:
        return f"{kept.hostname}: {kept.error}"
    return f"{kept.hostname} is {values_text(kept.records)}, for {duration(kept.ttl_left)} more{_noted(kept)}"


def _noted(kept: CachedAnswer) -> str:
    followed = "; has followed" if kept.updated else "" if kept.updated is None else "; has not followed yet"
    return f"{followed}{'; ' if kept.note else ''}{kept.note}"


def _row(kept: CachedAnswer, now: datetime) -> tuple[str, ...]:
    place = (kept.resolver, kept.over, kept.hostname)
    if kept.error is not None:
        return (*place, "", "", "", kept.error)
    left = max(0.0, kept.ttl_left - (now - kept.at).total_seconds())
    expires_at = kept.expires_at
    follows = "has followed" if kept.updated else "not known"
    if expires_at is not None:
        follows = f"{expires_at.astimezone(now.tzinfo):%H:%M:%S}" if expires_at > now else "should have"
    return (*place, values_text(kept.records), duration(left), follows, kept.note)


def _table(kept: Sequence[CachedAnswer], now: datetime) -> Any:
    from rich.console import Group
    from rich.text import Text

    return Group(made_table(_HEADINGS, [_row(k, now) for k in kept]), Text(shown(panel_words(kept, now))))


def propagation_object(
    service: str, kept: Sequence[CachedAnswer], now: datetime, cached: CacheTime | None = None
) -> dict[str, Any]:
    """How far a change has come, as `propagation --json` has it."""
    found: dict[str, Any] = {
        "service": service,
        "at": utc(now.astimezone(UTC)),
        "followed": all_updated(kept),
        "last_follows_at": utc(predicted(kept, now.astimezone(UTC))),
        "text": panel_words(kept, now),
        "resolvers": [
            {
                "resolver": k.resolver,
                "over": k.over.lower(),
                "hostname": k.hostname,
                "records": [{"type": r.type, "ttl": r.ttl, "values": list(r.values)} for r in k.records],
                "ttl_left": k.ttl_left if k.error is None else None,
                "followed": k.updated,
                "follows_at": utc(k.expires_at),
                "note": k.note,
                "error": k.error,
            }
            for k in kept
        ],
    }
    if cached is not None:
        found["cache_time"] = {
            "seconds": cached.seconds,
            "own": cached.own,
            "name": cached.name,
            "type": cached.type,
            "text": cached.text,
        }
    return found
