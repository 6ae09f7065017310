"""Deployments on platforms: the keys that a platform declares are read, checked and written like all others."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from changeover.accounts.kinds import KINDS
from changeover.model.errors import SettingsError
from changeover.model.settings.service import Settings
from changeover.storage.settings import file as settings_file
from storage.settings_texts import KNOWN_PLATFORMS, changed

ACCOUNT = '[accounts.lab-me]\nprovider = "lab"\nendpoint = "http://127.0.0.1:5380"\n\n[accounts.cf]'
ON_PLATFORM = 'platform = "lab"\naccount = "lab-me"\napp = "backup"'
SCALE = """
[[services.actions]]
name = "room"
phase = "promote"
{more}

[[services]]
name = "blog"
"""


def text_with(deployment: str = ON_PLATFORM, *others: tuple[str, str]) -> str:
    """The good settings with an account at the practice ground, and with these lines at the backup."""
    return changed(("[accounts.cf]", ACCOUNT), ('platform = "url"', deployment), *others)


def read(text: str) -> Settings:
    return settings_file.parse(text, Path("/team/changeover.toml"), KINDS)


def faults(text: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as wrong:
        read(text)
    return tuple(fault.removeprefix("services.shop.") for fault in wrong.value.faults)


def acting(more: str) -> str:
    return text_with(ON_PLATFORM, ('\n[[services]]\nname = "blog"\n', SCALE.format(more=more)))


def test_a_deployment_on_a_platform() -> None:
    """With its account, and its own keys apart from those of every deployment."""
    primary, backup = read(text_with()).services[0].deployments
    assert (primary.platform, primary.account, primary.options) == ("url", None, {})
    assert (backup.platform, backup.account, backup.options) == ("lab", "lab-me", {"app": "backup"})
    assert read(text_with()).services[0].accounts == {"dns-main", "cf", "lab-me"}


WRONG = {
    'platform = "lab"\naccount = "lab-me"': (
        'deployments.backup.app: missing; it must be a text in quotes such as "primary" (which of the practice '
        "ground's deployments it is)",
    ),
    'platform = "lab"\napp = "backup"': (
        'deployments.backup.account: missing; it must be an account whose provider is "lab"',
    ),
    'platform = "lab"\naccount = "cf"\napp = "backup"': (
        'deployments.backup.account: "cf" is no account whose provider is "lab"; known here: lab-me',
    ),
    'platform = "lab"\naccount = "lab-me"\nap = "backup"\napp = "backup"': (
        "deployments.backup.ap: unknown key; did you mean app?",
    ),
    'platform = "lab"\naccount = "lab-me"\napp = "../x"': (
        'deployments.backup.app: must be like "primary" (which of the practice ground\'s deployments it is)',
    ),
    'platform = "lab"\naccount = "lab-me"\napp = 5': (
        'deployments.backup.app: must be a text in quotes such as "primary" (which of the practice ground\'s '
        "deployments it is), not the number 5",
    ),
    'platform = "lab"\naccount = "lab-me"\napp = "a"\noptions = {}': (
        "deployments.backup.options: unknown key; known here: name, answer, platform, account, answers, marker, "
        "status_page, database, app",
    ),
    'account = "lab-me"': (
        'deployments.backup.account: leave it out; a deployment on platform "url" is any address, which nobody can '
        "steer",
    ),
    'platform = "lap"\naccount = "lab-me"': (
        f'deployments.backup.platform: there is no platform "lap"; known here: {KNOWN_PLATFORMS}',
    ),
}


@pytest.mark.parametrize(("lines", "wanted"), WRONG.items(), ids=range(len(WRONG)))
def test_each_fault_says_where_and_what_would_be_right(lines: str, wanted: tuple[str, ...]) -> None:
    """And there is no other."""
    assert faults(text_with(lines)) == wanted


def test_an_account_at_a_platform_is_checked_like_others() -> None:
    """Its keys by what the platform declares; it has no zones."""
    assert faults(text_with(ON_PLATFORM, ("http://127.0.0.1:5380", "http://lab.example:80"))) == (
        'accounts.lab-me.endpoint: must be like "http://127.0.0.1:5380" (where the running practice ground takes '
        "requests, on this computer)",
    )
    assert faults(text_with(ON_PLATFORM, ('provider = "lab"', 'provider = "lab"\nend = 5'))) == (
        "accounts.lab-me.end: unknown key; did you mean endpoint?",
    )
    assert faults(text_with(ON_PLATFORM, ('{ account = "cf", zone = "shop', '{ account = "lab-me", zone = "shop'))) == (
        'dns[2].account: there is no account "lab-me"; known here: "dns-main", "cf"',
    )


OPERATIONS = {
    'platform = { deployment = "backup", verb = "promote" }': (
        'actions.room.platform.verb: platform "lab" takes no promote: it takes maintenance-on, maintenance-off, scale',
    ),
    'platform = { deployment = "backup", verb = "scale" }': (
        "actions.room.platform.instances: missing; it must be a whole number of at least 0 and at most 10000 such as 2 "
        "(how many of the app are to run)",
    ),
    'platform = { deployment = "backup", verb = "scale", instance = 2 }': (
        "actions.room.platform.instance: unknown key; did you mean instances?",
        "actions.room.platform.instances: missing; it must be a whole number of at least 0 and at most 10000 such as 2 "
        "(how many of the app are to run)",
    ),
    'platform = { deployment = "primary", verb = "scale", instances = 2 }': (
        'actions.room.platform.verb: platform "url" takes no scale: nobody can steer it; use http, command or note',
    ),
}


@pytest.mark.parametrize(("more", "wanted"), OPERATIONS.items(), ids=range(len(OPERATIONS)))
def test_an_action_asks_only_what_the_platform_takes(more: str, wanted: tuple[str, ...]) -> None:
    """With what the operation needs to be told."""
    assert faults(acting(more)) == wanted


@pytest.mark.parametrize(
    ("more", "repeatable"),
    [
        ('platform = { deployment = "backup", verb = "scale", instances = 2 }', True),
        ('platform = { deployment = "backup", verb = "scale", instances = 2 }\nundo = { note = "x" }', False),
        ('note = "x"', False),
    ],
)
def test_what_a_platform_declares_idempotent_may_be_repeated(more: str, repeatable: bool) -> None:
    """Nobody has to write that; what takes it back must be so as well."""
    (action,) = read(acting(more)).services[0].actions
    assert action.repeatable is repeatable


def test_a_service_on_a_platform_is_written_as_people_write_it(tmp_path: Path) -> None:
    """The platform's keys beside the others; what is written is what is read."""
    file = tmp_path / "changeover.toml"
    file.write_text(text_with())
    shop = settings_file.load(file, KINDS).services[0]
    news = replace(
        shop,
        name="news",
        hostnames=("news.shop.example",),
        deployments=tuple(replace(deployment, answers={}) for deployment in shop.deployments),
    )
    after = settings_file.rewrite(file, KINDS, lambda text: settings_file.add_service(text, news))
    assert after.services[-1] == news
    assert 'app = "backup"' in file.read_text().partition('name = "news"')[2]
    assert "options" not in file.read_text()
