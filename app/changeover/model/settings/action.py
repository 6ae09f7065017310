"""What a switch does besides DNS, as people set it up: calls, commands, waits, approvals, notes, platforms' verbs.

Each action says what it does, how it is taken back, how long it may take, whether it may simply be repeated, and what
it needs to work.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from msgspec import Struct, field

from changeover.model.foreign_text import quoted
from changeover.model.formatting import counted


class Phase(StrEnum):
    """Where in a run an action belongs. The order is this one, and nobody can change it."""

    QUIESCE = "quiesce"
    DRAIN = "drain"
    PROMOTE = "promote"
    PROVE = "prove"
    DNS = "dns"
    VERIFY = "verify"
    LIFT = "lift"
    FENCE = "fence"


#: Phases that people may put actions into; records are changed, and looked at, in those between.
ACTION_PHASES = (Phase.QUIESCE, Phase.DRAIN, Phase.PROMOTE, Phase.PROVE, Phase.LIFT, Phase.FENCE)


#: What a platform can be asked to do.
Verb = Literal[
    "maintenance-on",
    "maintenance-off",
    "scale",
    "start",
    "stop",
    "restart",
    "attach-domain",
    "detach-domain",
    "enable-certificates",
    "disable-certificates",
    "rollback",
    "promote",
    "purge-cache",
]

#: Seconds that an action may take, and that somebody has to answer an approval, where its settings say nothing else.
USUAL_TIMEOUT, APPROVAL_TIMEOUT = 60.0, 3600.0


class HttpCall(Struct, frozen=True, kw_only=True, tag="http"):
    """One HTTP request, whose answer's status must be expected. Redirects are not followed.

    In the URL, the headers and the body `{secret:NAME}` stands for a secret from the keyring.
    """

    url: str
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    expect_status: str = "200-299"


class CommandLine(Struct, frozen=True, kw_only=True, tag="command"):
    """A program of this computer, without a shell. What the run is about stands in its environment (CHANGEOVER_…)."""

    command: tuple[str, ...]


class WaitUntil(Struct, frozen=True, kw_only=True, tag="wait"):
    """Waits until a deployment is `healthy` or `down`, or for a time ("seconds")."""

    until: Literal["healthy", "down", "seconds"]
    deployment: str | None = None
    seconds: float = 0


class Approval(Struct, frozen=True, kw_only=True, tag="approval"):
    """Somebody must say yes. Until then the run waits; a no ends it."""

    question: str


class Note(Struct, frozen=True, kw_only=True, tag="note"):
    """Something for a person to do by hand. It is shown, and the run goes on."""

    note: str


class PlatformCall(Struct, frozen=True, kw_only=True, tag="platform"):
    """What the platform of a deployment is asked to do."""

    deployment: str
    verb: Verb
    options: dict[str, Any] = field(default_factory=dict)


Operation = HttpCall | CommandLine | WaitUntil | Approval | Note | PlatformCall


class Action(Struct, frozen=True, kw_only=True):
    """One thing to do in a run.

    `to` are the deployments that a switch must lead to for it to be done; none means any. `needs` is what must work
    for it to make sense: in an emergency, what needs the source is left out. `undo` takes it back. `timeout` is in
    seconds; a wait for a time takes that time. `repeatable`: doing it twice does no harm, so that a run which was cut
    off in its midst may just do it again. Actions of one phase with the same `together` are done at the same time.
    `risk` is what it means to leave it out.
    """

    name: str
    phase: Phase
    #: Journals know it by its former name.
    operation: Operation = field(name="deed")
    to: tuple[str, ...] = ()
    needs: Literal["source", "target", "nothing"] = "nothing"
    undo: Operation | None = None
    timeout: float | None = None
    repeatable: bool = False
    together: str | None = None
    risk: str = ""

    def limit(self, operation: Operation) -> float:
        """How many seconds `operation`, the action's own or what takes it back, may take."""
        if self.timeout is not None:
            return self.timeout
        return APPROVAL_TIMEOUT if isinstance(operation, Approval) else USUAL_TIMEOUT


def operation_words(operation: Operation) -> str:
    """An operation as the line of a plan: what will be done."""
    match operation:
        case HttpCall(method=method, url=url):
            return f"{method} {url}"
        case CommandLine(command=command):
            return f"Run {' '.join(map(quoted, command))}"
        case WaitUntil(until="seconds", seconds=seconds):
            return f"Wait for {seconds:g} s"
        case WaitUntil(until=until, deployment=deployment):
            return f"Wait until {deployment or 'the target'} is {until}"
        case Approval(question=question):
            return f"Ask somebody: {question}"
        case Note(note=note):
            return f"By hand: {note}"
        case PlatformCall(deployment=deployment, verb="scale", options={"instances": int(number)} as options):
            process = f"{options['process']} of " if "process" in options else ""
            return f"Scale {process}{deployment} to {counted(number, 'instance')}"
        case PlatformCall(deployment=deployment, verb=verb, options=options):
            told = ", ".join(f"{key} {value}" for key, value in options.items())
            return f"{verb.replace('-', ' ').capitalize()} at {deployment}" + (f": {told}" if told else "")
