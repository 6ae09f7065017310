"""`changeover account`: what is missing or wrong is told by its label, with an example, a link and a permission."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from accounts.toy import KEY_FILE
from changeover.accounts.kinds import KINDS
from changeover.cli import changeover
from changeover.dns.providers import PROVIDERS, provider_type
from changeover.dns.providers.help import every_provider
from changeover.model.settings.account_fields import every_secret, option_fields
from command import run_command
from keyring_session import RETRY_BUDGET, KeyringSession

CANARY = "canary_8f3b1c6e5d7a4f2b9c0e1d2f3a4b5c6d7"
USED = """
[accounts.dns-main]
provider = "toy"
region = "eu-1"
{keys}

[[services]]
name = "shop"
hostnames = ["www.shop.example"]
dns = [{{ account = "dns-main", zone = "shop.example" }}]
[[services.deployments]]
name = "primary"
answer = {{ a = ["127.0.0.2"] }}
[[services.deployments]]
name = "backup"
answer = {{ a = ["127.0.0.3"] }}
"""


class Home:
    """A home folder, in which commands are run: in this process, where a provider of the tests is needed, or alone."""

    def __init__(self, folder: Path, session: KeyringSession | None = None) -> None:
        self.folder = folder / "home"
        self.folder.mkdir()
        self.settings = self.folder / "changeover.toml"
        self._session = session

    def here(self, *words: str, stdin: str = "") -> Result:
        return CliRunner().invoke(changeover, words, input=stdin, env={"CHANGEOVER_HOME": str(self.folder)})

    @property
    def environment(self) -> dict[str, str]:
        session = self._session.environment if self._session else dict(os.environ)
        return {**session, "CHANGEOVER_HOME": str(self.folder)}

    def run(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return run_command(words, self.environment, stdin)

    def json(self, *words: str, stdin: str = "") -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run(*words, "--json", stdin=stdin).stdout)
        return found

    def kept(self) -> list[str]:
        """What is in the keyring."""
        reading = """
            import json, keyring
            items = keyring.get_keyring().get_preferred_collection().get_all_items()
            print(json.dumps([item.get_secret().decode() for item in items]))
        """
        assert self._session is not None
        ended = self._session.run([sys.executable, "-c", textwrap.dedent(reading)])
        found: list[str] = json.loads(ended.stdout)
        return found

    def files(self) -> str:
        return "".join(file.read_text(errors="replace") for file in self.folder.rglob("*") if file.is_file())


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def unlocked(tmp_path: Path, session: KeyringSession) -> Home:
    return Home(tmp_path, session)


class TestProviders:
    def test_the_list_has_every_provider(self, home: Home) -> None:
        """By name, with its label and what it was tried against."""
        told = home.here("account", "providers")
        assert told.exit_code == 0
        for name in KINDS.names:
            (line,) = [line for line in told.output.splitlines() if line.split()[0] == name]
            assert KINDS.of(name).label in line
        rows = json.loads(home.here("account", "providers", "--json").stdout)["providers"]
        assert [row["name"] for row in rows] == [*(name for name, _ in every_provider()), *KINDS.platforms]
        assert {row["is"] for row in rows if row["name"] in KINDS.platforms} == {"platform"}

    @pytest.mark.parametrize("name", PROVIDERS)
    def test_of_each_every_key_and_secret(self, home: Home, name: str) -> None:
        """With its words, and a command that adds an account."""
        kind = provider_type(name)
        told = home.here("account", "providers", name).output
        found = json.loads(home.here("account", "providers", name, "--json").stdout)
        assert [key["name"] for key in found["keys"]] == [field.name for field in option_fields(kind.options)]
        assert [secret["name"] for secret in found["secrets"]] == [secret.name for secret in every_secret(kind)]
        assert found["command"] in told
        for secret in every_secret(kind):
            assert secret.link in told
            assert secret.permission in told
        assert "None" not in told

    def test_a_wrong_name_says_the_nearest(self, home: Home) -> None:
        """By its spelling, or by what it is called."""
        for wrong, right in (("cloudfare", "cloudflare"), ("bind", "rfc2136"), ("desecc", "desec")):
            ended = home.run("account", "providers", wrong)
            assert ended.returncode == 2
            assert f"did you mean {right}?" in ended.stderr
            ended = home.run("account", "add", "x", "--provider", wrong, "--secret-stdin", stdin=CANARY)
            assert ended.returncode == 2
            assert ended.stderr.count(f"did you mean {right}?") == 1
        assert "did you mean" not in home.run("account", "providers", "zzzzzz").stderr

    def test_the_help_names_them(self, home: Home) -> None:
        """`account add --help`."""
        told = " ".join(home.here("account", "add", "--help").output.split())
        assert all(name in told for name in PROVIDERS)


class TestAdding:
    def test_what_is_missing_is_told_at_once(self, home: Home) -> None:
        """Key and secret, each with its label, an example, where it is made and what it must be allowed."""
        ended = home.run("account", "add", "x", "--provider", "powerdns", "--set", "sever=1")
        assert ended.returncode == 2
        for words in (
            "Endpoint (--set endpoint=…): It is missing.\n    The address of the API. Such as: https://ns1.shop.example",
            "API key: It is missing.",
            "where: https://doc.powerdns.com/authoritative/http-api/",
            "least permission: the server has one key",
            "sever: unknown key; did you mean server?",
            "changeover account providers powerdns",
        ):
            assert words in ended.stderr, words
        assert not home.settings.exists()

    def test_a_secret_that_cannot_be_one_is_not_kept_and_not_repeated(self, unlocked: Home) -> None:
        """It says what it looks like; the keyring and the settings stay as they are."""
        for provider, wrong in (
            ("desec", CANARY),
            ("cloudflare", "canary of 37 characters, a global key"),
            ("rfc2136", CANARY),
        ):
            words = ["--set", "server=127.0.0.1", "--set", "key_name=k."] if provider == "rfc2136" else []
            for more in ([], ["--json"]):
                ended = unlocked.run(
                    "account", "add", "x", "--provider", provider, *words, "--secret-stdin", *more, stdin=wrong
                )
                assert ended.returncode == 2
                assert "does not look like one, which is like" in ended.stderr
                assert wrong not in ended.stdout + ended.stderr + unlocked.files()
        assert not unlocked.settings.exists()
        assert unlocked.kept() == []

    def test_what_a_clipboard_adds_is_left_out(self, unlocked: Home) -> None:
        """Spaces and line ends around a token are no part of it."""
        ended = unlocked.json(
            "account", "add", "cf", "--provider", "cloudflare", "--secret-stdin", stdin=f"  {CANARY} \r\n"
        )
        assert ended["secret"] == "keyring"
        (kept,) = unlocked.kept()
        assert json.loads(kept)["secret"] == CANARY
        assert CANARY not in unlocked.files()

    def test_several_secrets_are_one_object(self, home: Home, with_toy: str) -> None:
        """What is no object says which it takes; lines within a secret stay."""
        add = ("account", "add", "x", "--provider", with_toy, "--set", "region=eu-1", "--set", "signed=true")
        ended = home.here(*add, "--secret-stdin", stdin=CANARY)
        assert ended.exit_code == 2
        assert '{"key": "…", "pin": "…"}' in ended.output
        ended = home.here(
            *add, "--secret-stdin", stdin=json.dumps({"key": KEY_FILE, "pin": "canary", "more": "canary"})
        )
        assert ended.exit_code == 2
        assert "Pin (pin): It does not look like one, which is like 1234." in ended.output
        assert "Key file" not in ended.output
        assert "canary" not in ended.output

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            ("region=nowhere", 'Region (--set region=…): must be like "eu-1" (where it is)'),
            ("days=six", "Days (--set days=…): must be a whole number of at least 0 and at most 5000 such as 6 (days"),
            ("days=5001", "Days (--set days=…): must be a whole number of at least 0 and at most 5000 such as 6 (days"),
            ("rights=all", 'must be "write", "read" or "unknown" (what it may do), not the text "all"'),
            ("slow=yes", 'Slow (--set slow=…): must be true or false (it takes its time), not the text "yes"'),
            ("key=hush", "key: secrets are never kept in this file"),
            ("slow=true", "Region (--set region=…): It is missing.\n    Where it is. Such as: eu-1"),
        ],
    )
    def test_a_key_that_does_not_fit(self, home: Home, with_toy: str, words: str, told: str) -> None:
        """Its label, and what would be right."""
        sets = [] if "missing" in told else ["--set", "region=eu-1"]
        ended = home.here("account", "add", "x", "--provider", with_toy, *sets, "--set", words)
        assert ended.exit_code == 2
        assert told in ended.output

    def test_every_type_reaches_the_settings_as_itself(self, home: Home, with_toy: str) -> None:
        """A number, a truth, a choice and a list."""
        sets = ("region=eu-1", "days=6", "slow=true", "rights=read", "names=one, two")
        ended = home.here("account", "add", "x", "--provider", with_toy, *(w for s in sets for w in ("--set", s)))
        assert ended.exit_code == 0, ended.output
        text = home.settings.read_text()
        for line in ('region = "eu-1"', "days = 6", "slow = true", 'rights = "read"', 'names = ["one", "two"]'):
            assert line in text

    def test_on_a_terminal_the_secret_is_asked_for_and_not_shown(self, unlocked: Home) -> None:
        """With what it is, where it is made and what it must be allowed."""
        shown, status = at_terminal(
            ["account", "add", "cf", "--provider", "cloudflare", "--secret-stdin"], [CANARY], unlocked.environment
        )
        assert status == 0, shown
        assert "https://dash.cloudflare.com/profile/api-tokens" in shown
        assert "API token:" in shown
        assert CANARY not in shown
        assert unlocked.json("account", "list")["accounts"][0]["secret"] == "keyring"


def at_terminal(words: Sequence[str], typed: Sequence[str], environment: dict[str, str]) -> tuple[str, int]:
    """A command on a terminal of its own, where each of `typed` is typed once it asks: what was shown, and its end."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(sys.executable, [sys.executable, "-m", "changeover", *words], environment)
    shown, left = b"", list(typed)
    while select.select([terminal], [], [], RETRY_BUDGET)[0]:
        try:
            shown += os.read(terminal, 4096)
        except OSError:  # the other side is closed
            break
        if left and shown.endswith(b": "):  # the space comes once the echo is off
            os.write(terminal, left.pop(0).encode() + b"\n")
    else:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return shown.decode(), os.waitstatus_to_exitcode(status)


class TestVerifying:
    def test_what_it_can_do_beyond_its_use_and_when_it_ends(self, home: Home, with_toy: str) -> None:
        """In words, and beside the keys that scripts know."""
        home.settings.write_text(USED.format(keys="days = 6\nsees = 31\nchanges = 31"))
        told = home.here("account", "verify", "dns-main")
        assert told.exit_code == 0
        assert "dns-main may change records" in told.output
        assert "Look: It can change all 31 zones; a credential for this zone alone is safer." in told.output
        assert ", in 6 days." in told.output
        assert "It sees 31 zones:" in told.output
        found = json.loads(home.here("account", "verify", "dns-main", "--json").stdout)
        assert (found["account"], found["ok"], found["may_write"]) == ("dns-main", True, True)
        assert (len(found["zones"]), len(found["writable"])) == (31, 31)
        assert datetime.fromisoformat(found["expires"]).tzinfo is not None
        assert len(found["warnings"]) == 2

    def test_one_that_may_only_read(self, home: Home, with_toy: str) -> None:
        """Plainly, with what it would need."""
        home.settings.write_text(USED.format(keys='rights = "read"\nsigned = false'))
        told = home.here("account", "verify", "dns-main").output
        assert "dns-main may read only: it may not change records" in told

    def test_one_of_which_nothing_more_is_known(self, home: Home, with_toy: str) -> None:
        """No warning, and null where nobody knows."""
        home.settings.write_text(USED.format(keys='rights = "unknown"\ndays = 400'))
        told = home.here("account", "verify", "dns-main").output
        assert "whether it may change records shows only when it does" in told
        assert ", in 400 days." in told
        assert "Look:" not in told
        found = json.loads(home.here("account", "verify", "dns-main", "--json").stdout)
        assert (found["may_write"], found["writable"], found["warnings"]) == (None, None, [])
