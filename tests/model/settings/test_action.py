"""Actions: how long they may take, what a plan says of them, which secrets go where, and what a person may say."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from changeover.model.dns.change import ZoneAt
from changeover.model.health.check import HealthCheck, Journey, JourneyStep
from changeover.model.runs.plan import ActionStep, ChangeRecords, CheckNameServers, Plan
from changeover.model.runs.run import Ended, Entry, Event, Intent, Outcome, Run, Started, StepEnded, StepState, fold
from changeover.model.runs.step_decision import StepDecision, step_number, why_not
from changeover.model.settings.action import (
    Action,
    Approval,
    CommandLine,
    HttpCall,
    Note,
    Operation,
    Phase,
    PlatformCall,
    WaitUntil,
    operation_words,
)
from changeover.model.settings.placeholders import (
    NoSecret,
    Unfilled,
    body_of_call,
    headers_of_call,
    secrets_of_call,
    url_of_call,
)
from changeover.model.settings.service import Answer, Deployment, Service
from changeover.model.settings.service_secrets import service_secrets

NOW = datetime(2026, 12, 1, 2, 30, tzinfo=UTC)
OPERATIONS: dict[str, Operation] = {
    "POST https://hooks.example/{secret:HOOK}": HttpCall(url="https://hooks.example/{secret:HOOK}"),
    "Run promote '--reason=new primary'": CommandLine(command=("promote", "--reason=new primary")),
    "Wait until backup is healthy": WaitUntil(until="healthy", deployment="backup"),
    "Wait until the target is down": WaitUntil(until="down"),
    "Wait for 30 s": WaitUntil(until="seconds", seconds=30),
    "Ask somebody: Go?": Approval(question="Go?"),
    "By hand: Tell the press": Note(note="Tell the press"),
    "Purge cache at backup": PlatformCall(deployment="backup", verb="purge-cache"),
    "Scale backup to 3 instances": PlatformCall(deployment="backup", verb="scale", options={"instances": 3}),
}


def action(operation: Operation, name: str = "one", undo: Operation | None = None) -> Action:
    return Action(name=name, phase=Phase.PROVE, operation=operation, undo=undo)


@pytest.mark.parametrize(
    ("words", "operation"), OPERATIONS.items(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_plan_says_what_is_done(words: str, operation: Operation) -> None:
    """In words, with a command as a shell would take it, and a secret by its name."""
    assert operation_words(operation) == words
    again = msgspec.json.decode(msgspec.json.encode(action(operation, undo=operation)), type=Action)
    assert again == action(operation, undo=operation)


def test_how_long_an_operation_may_take() -> None:
    """A minute, a person an hour; what the settings say counts for the operation and for its undo."""
    assert [action(operation).limit(operation) for operation in OPERATIONS.values()] == [
        60,
        60,
        60,
        60,
        60,
        3600,
        60,
        60,
        60,
    ]
    call, note = HttpCall(url="https://x.example/"), Note(note="x")
    limited = replace(action(call, undo=note), timeout=5)
    assert (limited.limit(call), limited.limit(note)) == (5, 5)


CALL = HttpCall(
    url="https://hooks.example/{secret:HOOK}?to={to}",
    headers={"Authorization": "Bearer {secret:TOKEN}"},
    body='{"query": "{viewer{login}}", "token": "{secret:TOKEN}"}',
)


def test_only_secrets_are_filled_in() -> None:
    """Escaped for where they stand; every other brace stays as it is."""
    values = {"secret:HOOK": "T0/B 1#x", "secret:TOKEN": 'a"b', "to": "never", "login": "never"}
    assert secrets_of_call(CALL) == ("HOOK", "TOKEN")
    assert url_of_call(CALL, values) == "https://hooks.example/T0/B%201%23x?to={to}"
    assert headers_of_call(CALL, values) == (
        ("Authorization", 'Bearer a"b'),
        ("Content-Type", "application/json"),
    )
    assert body_of_call(CALL, values) == b'{"query": "{viewer{login}}", "token": "a\\"b"}'
    form = HttpCall(url="https://x.example/", body="token={secret:TOKEN}")
    assert body_of_call(form, {"secret:TOKEN": "a b&c"}) == b"token=a+b%26c"
    assert body_of_call(HttpCall(url="https://x.example/"), {}) == b""


@given(st.text())
def test_a_secret_is_in_no_words(secret: str) -> None:
    """Neither where another one is missing, nor where it cannot be sent."""
    for fill in (url_of_call, headers_of_call, body_of_call):
        with pytest.raises(NoSecret) as missing:
            fill(CALL, {})
        assert "is not in the keyring" in str(missing.value)
    if not secret.isprintable():
        with pytest.raises(Unfilled) as refused:
            headers_of_call(CALL, {"secret:TOKEN": secret})
        assert str(refused.value) == "a value that a header should hold is not one line"


def test_a_secret_is_for_one_host() -> None:
    """A journey's for the first hostname, an action's for the host of its URL; port and letters do not matter."""
    step = JourneyStep(path="/", headers={"X": "{secret:probe}"})
    shop = Service(
        name="shop",
        hostnames=("www.shop.example", "shop.example"),
        dns=(ZoneAt("dns-main", "shop.example"),),
        deployments=(Deployment(name="p", answer=Answer(cname="a.example")),),
        health=HealthCheck(journeys=(Journey(name="j", steps=(step,)),)),
        actions=(
            action(CALL),
            action(Note(note="{secret:none}"), undo=HttpCall(url="https://Other.example:8443/{secret:back}")),
            action(HttpCall(url="https://elsewhere.example/{secret:back}")),
        ),
    )
    assert service_secrets(shop) == {
        "probe": ("www.shop.example",),
        "HOOK": ("hooks.example",),
        "TOKEN": ("hooks.example",),
        "back": ("other.example", "elsewhere.example"),
    }


# A person's word

STEPS = (
    ActionStep(name="ask", text="", action=action(Approval(question="?"), "ask"), operation=Approval(question="?")),
    ActionStep(
        name="do", text="", action=action(CommandLine(command=("x",)), "do"), operation=CommandLine(command=("x",))
    ),
    ChangeRecords(name="change-records", text="", account="a", zone="shop.example", changes=()),
    CheckNameServers(name="name-servers", text="", changes=()),
)
ASK, DO, CHANGE, LOOK = range(4)
PLAN = Plan(service="shop", source="primary", to="backup", steps=STEPS, made_at=NOW)


def run(*events: Event, alive: bool = False) -> Run:
    entries = [Entry(run="shop-1", at=NOW, event=event) for event in (Started(plan=PLAN), *events)]
    return fold(entries, alive)


def in_state(number: int, state: StepState) -> Run:
    """An unfinished run with one step in a state."""
    if state is StepState.PENDING:
        return run()
    if state is StepState.RUNNING:
        return run(Intent(step=number), alive=True)
    ended = Ended(outcome=Outcome.INCOMPLETE)
    return run(Intent(step=number), StepEnded(step=number, state=state), ended)


def taken(number: int, word: StepDecision) -> set[str]:
    """The states in which a step takes a word."""
    return {str(state) for state in StepState if not why_not(in_state(number, state), number, word)}


def test_which_step_takes_which_word() -> None:
    """Questions are answered, actions left out or done again, and what changes records is what a run is for."""
    assert taken(ASK, StepDecision.APPROVE) == {"pending", "running", "unknown", "refused"}
    assert taken(ASK, StepDecision.DECLINE) == {"pending", "running", "unknown"}
    assert taken(DO, StepDecision.SKIP) == {"pending", "failed", "unknown"}
    assert taken(DO, StepDecision.REPEAT) == {"unknown"}
    others = [(ASK, StepDecision.SKIP), (DO, StepDecision.APPROVE), (DO, StepDecision.DECLINE)]
    others += [(number, word) for number in (CHANGE, LOOK) for word in StepDecision]
    assert all(taken(number, word) == set() for number, word in others)
    assert "which is what the run is for" in why_not(run(), CHANGE, StepDecision.SKIP)


@pytest.mark.parametrize("outcome", [Outcome.COMPLETED, Outcome.REFUSED, Outcome.FAILED, Outcome.UNDONE])
def test_a_run_that_has_ended_takes_no_word(outcome: Outcome) -> None:
    """Whatever its steps are."""
    over = run(Ended(outcome=outcome))
    assert all(f"is {outcome}" in why_not(over, number, word) for number in range(len(STEPS)) for word in StepDecision)


@given(st.text() | st.integers().map(str))
def test_a_step_is_named_by_name_or_number(text: str) -> None:
    """From 1, as a report counts; nothing else names one."""
    known = {"ask": ASK, "do": DO, "change-records": CHANGE, "name-servers": LOOK}
    wanted = known.get(text)
    if text.isascii() and text.isdecimal() and 1 <= int(text) <= len(STEPS):
        wanted = int(text) - 1
    assert step_number(run(), text) == wanted


def test_each_name_and_number() -> None:
    """All of them."""
    assert [step_number(run(), text) for text in ("ask", "do", "change-records", "name-servers")] == [0, 1, 2, 3]
    assert [step_number(run(), text) for text in ("0", "1", "4", "5", "-1", "²", "one")] == [None, 0, 3, *[None] * 4]
