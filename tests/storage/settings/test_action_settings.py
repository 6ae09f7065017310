"""Actions in the settings: every fault at once, and what is written is read back."""

from __future__ import annotations

import itertools
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import pytest
from hypothesis import HealthCheck as Hypothesis
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from msgspec.structs import replace

from changeover.accounts.kinds import KINDS
from changeover.model.errors import SettingsError
from changeover.model.settings.action import (
    ACTION_PHASES,
    Action,
    Approval,
    CommandLine,
    HttpCall,
    Note,
    Phase,
    Verb,
    WaitUntil,
)
from changeover.model.settings.service import Service, Settings
from changeover.storage.settings import file as settings_file
from storage.settings_texts import changed

*_MORE, _LAST = (f'"{verb}"' for verb in get_args(Verb))
VERBS = f"{', '.join(_MORE)} or {_LAST}"


def text_with(actions: str) -> str:
    """The good settings file with these actions at its first service."""
    return changed(('\n[[services]]\nname = "blog"\n', f'{actions}\n[[services]]\nname = "blog"\n'))


def read(actions: str) -> tuple[Action, ...]:
    return settings_file.parse(text_with(actions), Path("/team/changeover.toml"), KINDS).services[0].actions


def faults(actions: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as wrong:
        read(actions)
    return tuple(fault.removeprefix("services.shop.actions.") for fault in wrong.value.faults)


def one(*lines: str) -> str:
    """An action of phase "prove" with these lines."""
    return "\n".join(('\n[[services.actions]]\nname = "one"\nphase = "prove"', *lines, ""))


EVERY_KEY = """
[[services.actions]]
name = "read-only"
phase = "quiesce"
http = { url = "https://ops.example/x?y={secret:ops}", method = "PUT", headers = { X-Why = "switch" }, body = "b" }
undo = { http = { url = "https://ops.example/", expect_status = "204,404" } }
to = ["backup"]
needs = "source"
timeout = 30
repeatable = true
together = "stop"
risk = "Orders may be lost."

[[services.actions]]
name = "jobs"
phase = "quiesce"
command = ["bin/jobs", "stop"]
undo = { command = ["jobs", "start"] }
together = "stop"

[[services.actions]]
name = "ready"
phase = "prove"
wait = { until = "healthy", deployment = "backup" }

[[services.actions]]
name = "target"
phase = "prove"
wait = { until = "down" }

[[services.actions]]
name = "a while"
phase = "drain"
wait = { seconds = 30 }

[[services.actions]]
name = "go"
phase = "prove"
approval = "Go?"
timeout = 7200

[[services.actions]]
name = "press"
phase = "lift"
note = "Tell the press."
undo = { note = "Tell them that it was nothing." }
"""


def test_every_kind_and_every_key() -> None:
    """As a person writes them."""
    assert read(EVERY_KEY) == (
        Action(
            name="read-only",
            phase=Phase.QUIESCE,
            operation=HttpCall(
                url="https://ops.example/x?y={secret:ops}", method="PUT", headers={"X-Why": "switch"}, body="b"
            ),
            undo=HttpCall(url="https://ops.example/", expect_status="204,404"),
            to=("backup",),
            needs="source",
            timeout=30,
            repeatable=True,
            together="stop",
            risk="Orders may be lost.",
        ),
        Action(
            name="jobs",
            phase=Phase.QUIESCE,
            operation=CommandLine(command=("/team/bin/jobs", "stop")),
            undo=CommandLine(command=("jobs", "start")),
            together="stop",
        ),
        Action(name="ready", phase=Phase.PROVE, operation=WaitUntil(until="healthy", deployment="backup")),
        Action(name="target", phase=Phase.PROVE, operation=WaitUntil(until="down")),
        Action(name="a while", phase=Phase.DRAIN, operation=WaitUntil(until="seconds", seconds=30)),
        Action(name="go", phase=Phase.PROVE, operation=Approval(question="Go?"), timeout=7200),
        Action(
            name="press",
            phase=Phase.LIFT,
            operation=Note(note="Tell the press."),
            undo=Note(note="Tell them that it was nothing."),
        ),
    )


WRONG = {
    'note = "x"\nnotte = "y"': ("one.notte: unknown key; did you mean note?",),
    "": ("one: does nothing; give it one of http, command, wait, approval, note, platform",),
    'note = "x"\ncommand = ["y"]': ("one: has command and note; it can do one thing only, so make an action of each",),
    "note = 5": ("one.note: must be a text in quotes, not the number 5",),
    'note = " "': ("one.note: must be words, without control characters",),
    r'approval = "\u001b[2J"': ("one.approval: must be words, without control characters",),
    'command = "rm -rf x"': ('one.command: must be a list of texts, such as ["one", "two"], not the text "rm -rf x"',),
    "command = []": ('one.command: must begin with a program, as in ["/usr/local/bin/promote", "--now"]',),
    'command = ["", "x"]': ('one.command: must begin with a program, as in ["/usr/local/bin/promote", "--now"]',),
    r'command = ["x", "a\u0000b"]': ("one.command: has a zero byte, which no program can be given",),
    "http = {}": ("one.http.url: missing; it must be a text in quotes",),
    'http = { url = "https://x.example/", metod = "PUT", method = "put", expect_status = "99", body = 5 }': (
        "one.http.metod: unknown key; did you mean method?",
        'one.http.method: must be "GET", "HEAD", "POST", "PUT", "PATCH" or "DELETE", not the text "put"',
        "one.http.body: must be a text in quotes, not the number 5",
        'one.http.expect_status: "99" is not a range of status codes; one looks like 200-299 or 404',
    ),
    'http = { url = "http://hooks.example/" }': (
        'one.http.url: "http://hooks.example" must begin with https://; plain http proves nothing, but on this '
        "computer itself",
    ),
    'http = { url = "https://hooks.example/a b" }': (
        "one.http.url: is not a web address; one looks like https://hooks.example/switched",
    ),
    'http = { url = "hooks.example" }': (
        "one.http.url: is not a web address; one looks like https://hooks.example/switched",
    ),
    'http = { url = "https://joe:pw@hooks.example/" }': (
        "one.http.url: has a name or a password before its host; write {secret:NAME} into a header instead",
    ),
    'http = { url = "https://{secret:host}/" }': (
        "one.http.url: has a secret before its path; the host must stand there itself",
    ),
    'http = { url = "https://hooks.example/ü" }': (
        "one.http.url: must have only ASCII; escape other letters, as in %C3%BC",
    ),
    'http = { url = "https://x.example/{secret: a}", headers = { X = "{ secret:b }" }, body = "{SECRET}" }': (
        "one.http.url: a secret is written as {secret:NAME}, without spaces",
        'one.http.headers."X": a secret is written as {secret:NAME}, without spaces',
        "one.http.body: a secret is written as {secret:NAME}, without spaces",
    ),
    'http = { url = "https://x.example/", headers = { Host = "", idempotency-key = "", "a b" = "", X = "a\\nb" } }': (
        'one.http.headers."Host": is set by Changeover itself; leave it out',
        'one.http.headers."idempotency-key": is set by Changeover itself; leave it out',
        'one.http.headers."a b": "a b" is not the name of a header; one looks like X-Deployment',
        'one.http.headers."X": must be one line',
    ),
    'http = { url = "https://a.example/{secret:t}" }\nundo = { http = { url = "https://b.example/{secret:t}" } }': (
        "one: {secret:t} is for a.example already; name another one for b.example",
    ),
    "wait = {}": ('one.wait: needs until = "healthy" or "down", or seconds',),
    'wait = { until = "up" }': ('one.wait.until: must be "healthy" or "down", not the text "up"',),
    'wait = { until = "down", seconds = 5 }': (
        "one.wait.seconds: leave out either this or until; how long to wait at most is the timeout",
    ),
    'wait = { seconds = 5, deployment = "backup" }': ("one.wait.deployment: leave it out; it belongs to until",),
    "wait = { seconds = 0 }": ("one.wait.seconds: must be from 0.1 to 86400, not 0",),
    'wait = { until = "down", deployment = "bakcup" }': (
        'one.wait.deployment: no deployment is "bakcup"; known: primary, backup',
    ),
    'note = "x"\nto = ["nowhere", "backup"]': ('one.to: no deployment is "nowhere"; known: primary, backup',),
    'platform = { deployment = "backup", verb = "promote" }': (
        'one.platform.verb: platform "url" takes no promote: nobody can steer it; use http, command or note',
    ),
    'platform = { verb = "promte", to = 3 }': (
        "one.platform.deployment: missing; it must be a text in quotes",
        f'one.platform.verb: must be {VERBS}, not the text "promte"',
    ),
    'platform = { deployment = "x", verb = "scale", to = 3 }': (
        'one.platform.deployment: no deployment is "x"; known: primary, backup',
    ),
    "platform = 5": ("one.platform: must be a table, not the number 5",),
    'note = "x"\nundo = {}': ("one.undo: does nothing; give it one of http, command, note, platform",),
    'note = "x"\nundo = { wait = { seconds = 5 }, note = "y" }': (
        "one.undo.wait: unknown key; known here: http, command, note, platform",
    ),
    'note = "x"\nundo = { platform = { deployment = "backup", verb = "scale" } }': (
        'one.undo.platform.verb: platform "url" takes no scale: nobody can steer it; use http, command or note',
    ),
    'note = "x"\nneeds = "all"\ntimeout = 0\nrepeatable = 1\ntogether = ""\nrisk = 5': (
        'one.needs: must be "source", "target" or "nothing", not the text "all"',
        "one.timeout: must be from 1 to 86400, not 0",
        "one.repeatable: must be true or false, not the number 1",
        "one.together: must be words, without control characters",
        "one.risk: must be a text in quotes, not the number 5",
    ),
}


@pytest.mark.parametrize(("lines", "wanted"), WRONG.items(), ids=range(len(WRONG)))
def test_each_fault_says_where_and_what_would_be_right(lines: str, wanted: tuple[str, ...]) -> None:
    """Table, key and words are exact, and there is nothing beside them."""
    assert faults(one(lines)) == wanted


@pytest.mark.parametrize("name", ["", " x", "x\\ty", "-x", "12", "visitors", "name-servers", "change-records-2"])
def test_names_that_a_command_could_not_tell(name: str) -> None:
    """An action is called by its name: no number, no option, no step of every plan."""
    (fault,) = faults(f'\n[[services.actions]]\nname = "{name}"\nphase = "prove"\nnote = "x"\n')
    assert ".name: " in fault or fault.startswith("name: ")


def test_all_faults_are_told_at_once() -> None:
    """Those of several actions, within each and between them."""
    actions = """
[[services.actions]]
name = "one"
phase = "qiesce"
note = "x"

[[services.actions]]
name = "two"
phase = "drain"
note = "x"
together = "both"
to = ["nowhere"]

[[services.actions]]
name = "two"
phase = "dns"
command = [5]

[[services.actions]]
name = "three"
phase = "lift"
note = "x"
together = "both"
"""
    phases = '"quiesce", "drain", "promote", "prove", "lift" or "fence"'
    assert faults(actions) == (
        "two.name: another one has this name; each needs its own",
        f'one.phase: must be {phases}, not the text "qiesce"',
        f'two.phase: must be {phases}, not the text "dns"',
        "two.command[1]: must be a text in quotes, not the number 5",
        'two.to: no deployment is "nowhere"; known: primary, backup',
        'three.together: "both" has two of phase drain already; what is done at the same time must be of one phase',
    )


def test_a_secret_of_a_journey_goes_nowhere_else() -> None:
    """It was added for the service's first hostname; a settings file must not send it elsewhere."""
    journey = '\n[[services.health.journeys]]\nname = "j"\nsteps = [{ path = "/", body = "{secret:probe}" }]\n'
    call = one('http = { url = "https://evil.example/", body = "{secret:probe}" }')
    assert faults(journey + call) == (
        "one: {secret:probe} is for www.shop.example already; name another one for evil.example",
    )
    assert read(journey + call.replace("evil.example", "www.shop.example"))


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/", "http://[::1]:80/x", "http://localhost/", "https://[::1]/?a"]
)
def test_addresses_of_calls(url: str) -> None:
    """Plain http on this computer only; any port, any form of address."""
    (action,) = read(one(f'http = {{ url = "{url}" }}'))
    assert action.operation == HttpCall(url=url)


words = st.text(st.characters(exclude_categories=("C", "Z")) | st.sampled_from(" \n\"'\\{}"), min_size=1).filter(
    lambda text: bool(text.strip()) and all(c.isprintable() or c == "\n" for c in text)
)
headers = st.dictionaries(
    st.sampled_from(["X-A", "X-B", "Authorization"]), words.filter(str.isprintable).filter(lambda x: "{" not in x)
)
calls = st.builds(
    HttpCall,
    url=st.sampled_from(["https://ops.example/a?b=c", "http://127.0.0.1:81/{secret:hook}", "https://[::1]:8443/"]),
    method=st.sampled_from(["GET", "POST", "DELETE"]),
    headers=headers,
    body=st.none() | st.sampled_from(["", '{"a": "b"}', "line\r\nline\x01", "'''\"\"\"\\"]),
    expect_status=st.sampled_from(["200-299", "204", "200,404"]),
)
programs = st.sampled_from(["pg_ctl", "/usr/bin/env", "a b"])
commands = st.builds(
    lambda program, rest: CommandLine(command=(program, *rest)),
    programs,
    st.lists(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0")), max_size=3),
)
notes = st.builds(Note, note=words)
waits = st.builds(
    WaitUntil, until=st.sampled_from(["healthy", "down"]), deployment=st.sampled_from([None, "primary", "backup"])
) | st.builds(WaitUntil, until=st.just("seconds"), seconds=st.floats(0.1, 86400))
actions = st.lists(
    st.builds(
        Action,
        name=st.from_regex(r"[a-zä][a-z \"'.]{0,20}[a-z]", fullmatch=True),
        phase=st.sampled_from(ACTION_PHASES),
        operation=calls | commands | waits | st.builds(Approval, question=words) | notes,
        to=st.sampled_from([(), ("backup",), ("primary", "backup")]),
        needs=st.sampled_from(["source", "target", "nothing"]),
        undo=st.none() | calls | commands | notes,
        timeout=st.none() | st.floats(1, 86400) | st.integers(1, 86400),
        repeatable=st.booleans(),
        risk=st.just("") | words,
    ),
    max_size=4,
    unique_by=lambda action: action.name,
).map(tuple)


@given(actions, st.booleans())
@limits(max_examples=60, suppress_health_check=[Hypothesis.too_slow])
def test_what_is_written_is_read_back(found: tuple[Action, ...], together: bool) -> None:
    """Whatever the texts hold; everything else of the file stays."""
    if together:
        found = tuple(replace(action, phase=Phase.DRAIN, together="all") for action in found)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "changeover.toml"
        file.write_text(text_with(""))
        before = settings_file.load(file, KINDS)
        service = replace(before.services[0], name="news", hostnames=("news.shop.example",), actions=found)
        service = replace(service, deployments=tuple(replace(d, answers={}) for d in service.deployments))
        after = settings_file.rewrite(file, KINDS, lambda text: settings_file.add_service(text, service))
        assert (
            after
            == settings_file.load(file, KINDS)
            == Settings(accounts=before.accounts, services=(*before.services, service), lookup=before.lookup)
        )
        assert settings_file.rewrite(file, KINDS, lambda text: settings_file.remove_service(text, "news")) == before
        assert file.read_text() == text_with("")


def test_actions_look_as_a_person_would_write_them(tmp_path: Path) -> None:
    """One table an action, with what it does in one line, and nothing that says no more than the defaults."""
    file = tmp_path / "changeover.toml"
    file.write_text('version = 1\n\n[accounts.cf]\nprovider = "cloudflare"\n')
    shop = settings_file.parse(text_with(EVERY_KEY), file, KINDS).services[0]
    news = Service(
        name="news",
        hostnames=("news.shop.example",),
        dns=shop.dns[1:],
        deployments=tuple(replace(d, answers={}, marker=None) for d in shop.deployments),
        actions=(shop.actions[0], shop.actions[4]),
    )
    settings_file.rewrite(file, KINDS, lambda text: settings_file.add_service(text, news))
    written = file.read_text()
    assert (
        written[written.index("[[services.actions]]") :]
        == """\
[[services.actions]]
name = "read-only"
phase = "quiesce"
to = ["backup"]
needs = "source"
timeout = 30
repeatable = true
together = "stop"
risk = "Orders may be lost."
http = {url = "https://ops.example/x?y={secret:ops}", method = "PUT", headers = {X-Why = "switch"}, body = "b"}
undo = {http = {url = "https://ops.example/", expect_status = "204,404"}}

[[services.actions]]
name = "a while"
phase = "drain"
wait = {seconds = 30}
"""
    )


def test_an_edit_of_the_check_leaves_the_actions(tmp_path: Path) -> None:
    """The window changes how a service is checked; its actions stay as they are written."""
    file = tmp_path / "changeover.toml"
    text = text_with(EVERY_KEY)
    file.write_text(text)
    shop = settings_file.load(file, KINDS).services[0]
    for check in (replace(shop.health, interval=20), shop.health):
        edited = replace(shop, health=check)
        assert (
            settings_file.rewrite(file, KINDS, lambda t, s=edited: settings_file.set_check(t, s)).services[0] == edited
        )
    assert list(itertools.zip_longest(file.read_text().splitlines(), text.splitlines())) == [
        (line, line) for line in text.splitlines()
    ]
