"""`switch`, `undo` and `resume`: what changes records."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click

from changeover.commands.session import (
    DONE,
    FAILED,
    INCOMPLETE,
    REFUSED,
    CommandSession,
    command,
    confirmed,
    json_option,
    print_json,
    say,
)
from changeover.commands.state import (
    dns_first_option,
    emergency_option,
    print_findings,
    raise_keyring_error,
    raise_unless_emergency,
    show_plan,
    to_option,
)
from changeover.commands.trust import print_unapproved
from changeover.model.dns.change import Change
from changeover.model.errors import ChangeoverError, Refused, UsageError
from changeover.model.finding import Finding, unknown_override
from changeover.model.foreign_text import shown
from changeover.model.formatting import duration
from changeover.model.readiness.service_state import Preparation
from changeover.model.runs.fencing import still_to_do
from changeover.model.runs.run import Outcome, Run, StepState
from changeover.model.settings.acting_parts import places_of, unapproved_words
from changeover.storage.home import this_person
from changeover.switchover.report import STEP_SIGNS, finding_object, outcome_sentence, rows_of, run_object

if TYPE_CHECKING:
    from changeover.model.dns.change import Change
    from changeover.model.readiness.way_back import WayBack
    from changeover.model.runs.plan import Plan
    from changeover.switchboard import Switchboard

yes_option = click.option("--yes", is_flag=True, help="Do not ask.")
timeout_option = click.option(
    "--verify-timeout",
    type=click.FloatRange(min=0),
    default=60,
    show_default=True,
    metavar="S",
    help="Seconds to wait for name servers and visitors.",
)


class Progress:
    """Says each step as it begins and ends, on standard error; on a terminal the step in hand spins."""

    def __init__(self) -> None:
        self.last: Run | None = None
        self._said: dict[int, StepState] = {}
        self._spinner: Any = None

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            from rich.console import Console

            self._spinner = Console(stderr=True).status("Beginning …")
            self._spinner.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._spinner is not None:
            self._spinner.stop()

    def __call__(self, run: Run) -> None:
        if self.last is None or self.last.direction is not run.direction:
            self._said = {}
        self.last = run
        for number, step in enumerate(run.steps):
            if self._said.get(number) is step.state or step.state is StepState.PENDING:
                continue
            self._said[number] = step.state
            if step.state is StepState.RUNNING:
                if self._spinner is not None:
                    from rich.text import Text

                    self._spinner.update(Text(shown(f"{step.text} …")))
                continue
            note = f": {step.note}" if step.note else ""
            say(f"{STEP_SIGNS[step.state]} {step.text}{note} ({step.seconds:.1f} s)")


@click.command()
@click.argument("service")
@to_option
@emergency_option
@dns_first_option
@yes_option
@click.option("--from", "expected", metavar="DEPLOYMENT", help="Refuse unless visitors are at this one now.")
@click.option("--override", "overrides", multiple=True, metavar="CHECK=REASON", help="Go on although CHECK blocks.")
@click.option("--why", default="", metavar="TEXT", help="A reason, for the report.")
@click.option("--wait", is_flag=True, help="Wait until the resolvers' caches have the new answer as well.")
@timeout_option
@json_option
@command
def switch(
    service: str,
    to: str,
    emergency: bool,
    dns_first: bool,
    yes: bool,
    expected: str | None,
    overrides: tuple[str, ...],
    why: str,
    wait: bool,
    verify_timeout: float,
    as_json: bool,
) -> int:
    """Send a service's visitors to another deployment."""
    raise_unless_emergency(emergency, dns_first)
    reasons = _reasons(overrides)
    with CommandSession() as session:
        board = session.switchboard
        if not yes:
            approve_first(session, service)
        preparation = session.run(board.prepare(service, to, emergency, expected, dns_first))
        nothing = preparation.plan is not None and not preparation.plan.steps
        if preparation.already_there or (nothing and not _would_be_refused(preparation, reasons)):
            if as_json:
                print_json(_without_run(preparation, "completed", "already there"))
            say(f"Visitors are sent to {to} already. There is nothing to change.")
            return DONE
        raise_keyring_error(preparation)
        if not yes and not as_json:
            show_plan(preparation)
        elif not yes and preparation.plan is not None:
            _show_steps(preparation.plan.changes, [step.text for step in preparation.plan.steps])
        if not _would_be_refused(preparation, reasons) and not confirmed(f"Switch {service} to {to} now?", yes):
            say("Nothing was changed.")
            return REFUSED

        def run(progress: Progress, stop: asyncio.Event) -> Any:
            return board.switch(
                preparation,
                reasons,
                who=this_person(),
                on_progress=progress,
                stop=stop,
                verify_timeout=verify_timeout,
                why=why,
            )

        try:
            ended = followed(session, run)
        except Refused as refused:
            if as_json:
                found = refused.findings or preparation.findings
                print_json(_without_run(preparation, "refused", refused.text, found))
            elif refused.findings:
                print_findings(tuple(f for f in refused.findings if f.level != "pass"))
            say(f"Refused: {refused.text}")
            if refused.hint:
                say(refused.hint)
            return REFUSED
        if wait and ended.outcome is Outcome.COMPLETED:
            session.run(_wait_for_resolvers(session, ended))
    return told(ended, as_json)


def approve_first(session: CommandSession, service: str) -> None:
    """On a terminal, shows a person what of the service may not act yet, and lets it where they say so."""
    board = session.switchboard
    closed = session.run(board.trust.unapproved(places_of(board.service(service))))
    if not closed or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    say(unapproved_words(closed))
    print_unapproved(closed)
    if click.confirm("Let them act?", err=True):
        session.run(board.approve_settings([one.part for one in closed]))


def _reasons(overrides: tuple[str, ...]) -> dict[str, str]:
    reasons = {}
    for text in overrides:
        check, _, reason = text.partition("=")
        if not reason.strip():
            raise UsageError(f"--override {text}: a reason is needed", "Write --override CHECK=REASON.")
        reasons[check.strip()] = reason.strip()
    unknown = unknown_override(reasons)
    if unknown is not None:
        raise UsageError(f"There is no check {unknown}", "The checks' names are in: changeover check SERVICE --to D")
    return reasons


def _would_be_refused(preparation: Preparation, reasons: dict[str, str]) -> bool:
    return any(not (f.overridable and f.check in reasons) for f in preparation.blocked)


def _without_run(
    preparation: Preparation, outcome: str, text: str, found: tuple[Finding, ...] | None = None
) -> dict[str, Any]:
    return {
        "run": None,
        "service": preparation.service,
        "from": preparation.snapshot.active,
        "to": preparation.to,
        "outcome": outcome,
        "text": text,
        "changes": [],
        "seconds": 0,
        "steps": [],
        "findings": [finding_object(f) for f in (preparation.findings if found is None else found)],
    }


def followed(session: CommandSession, work: Callable[[Progress, asyncio.Event], Any]) -> Run:
    """Runs and follows a run. An error in its midst leaves it interrupted; that is how it is then given."""
    with Progress() as progress:
        try:
            ended: Run = session.run_until_stopped(lambda stop: work(progress, stop))
        except Refused:
            raise
        except ChangeoverError as error:
            if progress.last is None:
                raise
            say(f"Error: {error.text}")
            ended = session.run(session.switchboard.run(progress.last.run))
    return ended


def told(run: Run, as_json: bool, **more: Any) -> int:
    if as_json:
        print_json({**run_object(run), **more})
    say(outcome_sentence(run))
    if run.outcome is Outcome.COMPLETED and run.forward.kind.moves_visitors:
        say(f"Visitors with a cached answer follow within {duration(run.forward.visitors_follow_within)}.")
    left = still_to_do((run,))
    if left is not None:
        say(left.words, f"  changeover fence {run.service}")
    for verb in run.next:
        reason = " --reason TEXT" if verb == "accept" else ""
        say(f"  changeover {verb} {run.run}{reason}")
    return status_of(run)


def status_of(run: Run) -> int:
    """The exit status that says how a run stands."""
    match run.outcome:
        case Outcome.COMPLETED | Outcome.UNDONE:
            return DONE
        case Outcome.FAILED:
            return FAILED
        case Outcome.REFUSED:
            return REFUSED
        case Outcome.INCOMPLETE | Outcome.INTERRUPTED | Outcome.RUNNING | Outcome.DAMAGED | Outcome.NEWER:
            return INCOMPLETE


async def _wait_for_resolvers(session: CommandSession, run: Run) -> None:
    """Until every resolver that answers has the new records, or the longest TTL is over."""
    wanted = {(change.name, record.type): record.values for change in run.changes for record in change.after}
    opaque = {c.name for c in run.changes for r in (*c.before, *c.after) if r.opaque}
    loop = asyncio.get_running_loop()
    deadline = loop.time() + run.forward.visitors_follow_within + 5
    while loop.time() < deadline:
        answers = await session.switchboard.resolvers(run.service)
        old = [
            a
            for a in answers
            if a.error is None
            and a.hostname not in opaque
            and any(r.values != wanted.get((a.hostname, r.type), r.values) for r in a.records)
        ]
        if not old:
            say("Every resolver that answers has the new records.")
            return
        left = max(a.ttl_left for a in old)
        say(f"{', '.join(sorted({a.resolver for a in old}))} still cached for {duration(left)}")
        await asyncio.sleep(min(max(left, 1), 10))


@click.command()
@click.argument("run")
@yes_option
@timeout_option
@json_option
@click.option("--anyway", is_flag=True, help="Also replace what somebody else changed since; it is shown first.")
@command
def undo(run: str, yes: bool, verify_timeout: float, anyway: bool, as_json: bool) -> int:
    """Put every record set of a run back exactly as it was."""
    with CommandSession() as session:
        board = session.switchboard
        before = session.run(board.run(run))
        if not yes:
            approve_first(session, before.service)
        try:
            planned, back = session.run(_where_back(board, run, anyway))

            def work(progress: Progress, stop: asyncio.Event) -> Any:
                return board.undo(
                    run,
                    who=this_person(),
                    on_progress=progress,
                    stop=stop,
                    verify_timeout=verify_timeout,
                    anyway=anyway,
                    shown=None if yes else planned,
                )

            if not yes:
                _show_steps(planned.changes, [step.text for step in planned.steps])
            if back.doubt:
                say(back.doubt)
            if before.committed and not yes:
                say(f"Run {run} was committed; visitors have been on {before.to} since.")
            if not confirmed(f"Undo run {run} now?", yes):
                say("Nothing was changed.")
                return REFUSED
            ended = followed(session, work)
        except Refused as refused:
            return _refused(before, refused, as_json)
    return told(ended, as_json, way_back=[finding_object(f) for f in back.findings])


async def _where_back(board: Switchboard, run: str, anyway: bool) -> tuple[Plan, WayBack]:
    return await asyncio.gather(board.undo_plan(run, anyway), board.way_back(run))


@click.command()
@click.argument("run")
@yes_option
@timeout_option
@json_option
@command
def resume(run: str, yes: bool, verify_timeout: float, as_json: bool) -> int:
    """Go on with an unfinished run, after reading what stands."""
    with CommandSession() as session:
        board = session.switchboard
        before = session.run(board.run(run))

        def work(progress: Progress, stop: asyncio.Event) -> Any:
            return board.resume(run, who=this_person(), on_progress=progress, stop=stop, verify_timeout=verify_timeout)

        if not yes:
            approve_first(session, before.service)
        try:
            if "resume" in before.next and not yes:
                _show_steps(before.changes, [step.text for step in before.steps if step.state is not StepState.DONE])
            if "resume" in before.next and not confirmed(f"Resume run {run} now?", yes):
                say("Nothing was changed.")
                return REFUSED
            ended = followed(session, work)
        except Refused as refused:
            return _refused(before, refused, as_json)
    return told(ended, as_json)


def _refused(run: Run, refused: Refused, as_json: bool) -> int:
    if as_json:
        print_json({**run_object(run), "outcome": "refused", "text": refused.text})
    say(f"Refused: {refused.text}")
    if refused.hint:
        say(refused.hint)
    return REFUSED


def _show_steps(changes: Sequence[Change], steps: Sequence[str]) -> None:
    """What is about to be done: records before and after, and every step, commands and calls in full."""
    show_changes(changes)
    for number, step in enumerate(steps, start=1):
        say(f"{number}. {step}")


def show_changes(changes: Iterable[Change]) -> None:
    """Every record set before and after, for people."""
    for change in changes:
        say(f"{change.name}  (account {change.account}, zone {change.zone})")
        for line in rows_of(change.before):
            say(f"  - {line}")
        for line in rows_of(change.after):
            say(f"  + {line}")
