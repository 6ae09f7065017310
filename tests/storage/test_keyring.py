"""Secrets in a real Secret Service, and what is said where there is no keyring that may be used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from dns_servers.bind import SECRET
from keyring_session import KeyringSession, without_keyring
from shop import APEX, WWW, Shop

CALLS = str(Path(__file__).with_name("vault_calls.py"))
HOST = "api.shop.example"
#: What Windows' Credential Manager takes in one entry: 2,560 bytes of UTF-16.
WINDOWS_ENTRY = 1280
FIX = "Unlock or install a keyring"


@pytest.fixture
def session(tmp_path: Path) -> Iterator[KeyringSession]:
    with KeyringSession(tmp_path) as running:
        yield running


def answers(environment: Mapping[str, str], *calls: list[str], home: str = "", timeout: float = 20) -> list[Any]:
    """What a process of its own gets from a Vault, call by call. It must end by itself."""
    ended = subprocess.run(
        [sys.executable, CALLS, str(timeout)],
        env={**environment, "CHANGEOVER_HOME": home},
        input=json.dumps(calls),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    found: list[Any] = json.loads(ended.stdout)
    return found


def test_a_secret_is_kept_replaced_and_forgotten(session: KeyringSession) -> None:
    """In the keyring of the session: another process finds it."""
    get = ["get", "cf", "token", HOST]
    assert answers(session.environment, get, ["put", "cf", "token", HOST, "first"], get) == [None, None, "first"]
    assert answers(session.environment, get, ["put", "cf", "token", HOST, "second ß"], get)[2] == "second ß"
    assert answers(session.environment, ["forget", "cf", "token"], get, ["forget", "cf", "token"]) == [None] * 3
    assert answers(session.environment, ["entries"]) == [[]]


def test_entries_have_the_names_that_are_documented(session: KeyringSession, tmp_path: Path) -> None:
    """Service changeover:<account>, with CHANGEOVER_HOME its absolute path too; user name the field; and the host."""
    answers(session.environment, ["put", "cf", "token", HOST, "s1"])
    answers(session.environment, ["put", "dns-main", "secret", "127.0.0.1", "s2"], home=f"{tmp_path}/../x/./home/")
    assert answers(session.environment, ["entries"]) == [
        [
            ["changeover:cf", "token", '{"host": "api.shop.example", "secret": "s1"}'],
            [f"changeover:dns-main@{tmp_path.parent}/x/home", "secret", '{"host": "127.0.0.1", "secret": "s2"}'],
        ]
    ]


def test_homes_are_kept_apart(session: KeyringSession) -> None:
    """The same account in two homes has two secrets, and forgetting one leaves the other."""
    get = ["get", "cf", "token", HOST]
    answers(session.environment, ["put", "cf", "token", HOST, "one"], home="/home/one")
    assert answers(session.environment, get, ["put", "cf", "token", HOST, "two"], home="/home/two")[0] is None
    assert answers(session.environment, get, ["forget", "cf", "token"], home="/home/one")[0] == "one"
    assert answers(session.environment, get, home="/home/two") == ["two"]
    assert answers(session.environment, get) == [None]


def test_a_long_secret_is_split_and_joined(session: KeyringSession) -> None:
    """5,000 characters: no entry is longer than Windows takes, and nothing is left of them afterwards."""
    long = "".join(chr(33 + number * 7 % 90) for number in range(5000))
    get, entries = ["get", "gcp", "key", HOST], ["entries"]
    _, found, kept = answers(session.environment, ["put", "gcp", "key", HOST, long], get, entries)
    assert found == long
    assert len(kept) > 5
    assert max(len(text) for _, _, text in kept) <= WINDOWS_ENTRY
    assert {service for service, _, _ in kept} == {"changeover:gcp"}
    _, found, kept = answers(session.environment, ["put", "gcp", "key", HOST, long[:2500]], get, entries)
    assert (found, len(kept)) == (long[:2500], 4)
    _, found, kept = answers(session.environment, ["put", "gcp", "key", HOST, "short"], get, entries)
    assert (found, len(kept)) == ("short", 1)
    answers(session.environment, ["put", "gcp", "key", HOST, long])
    assert answers(session.environment, ["forget", "gcp", "key"], get, entries) == [None, None, []]


@pytest.mark.parametrize(
    "damage",
    [
        ["delete_password", "changeover:gcp", "key#1"],
        ["set_password", "changeover:gcp", "key#1", "x" * 1000],
        ["set_password", "changeover:gcp", "key", '{"pieces": 2, "sha256": "0"}'],
    ],
    ids=["a part is gone", "a part is another", "the head is another"],
)
def test_damage_is_noticed(session: KeyringSession, damage: list[str]) -> None:
    """A part that is missing or changed: the account is to be added again, and that repairs it."""
    put, get = ["put", "gcp", "key", HOST, "k" * 3000], ["get", "gcp", "key", HOST]
    error = answers(session.environment, put, damage, get)[2]
    assert error["error"] == "AuthError"
    assert "changeover:gcp is damaged" in error["text"]
    assert "kkk" not in error["text"]
    assert answers(session.environment, put, get) == [None, "k" * 3000]


@pytest.mark.parametrize("text", ["hello", "5", "{}", '{"host": "api.shop.example", "secret": 5}', '{"pieces"'])
def test_an_entry_of_somebody_else_is_no_secret(session: KeyringSession, text: str) -> None:
    """What was not written by Changeover is not sent anywhere, and not shown."""
    error = answers(session.environment, ["set_password", "changeover:cf", "token", text], ["get", "cf", "token", HOST])
    assert error[1]["error"] == "AuthError"
    assert "hello" not in error[1]["text"]
    assert answers(session.environment, ["put", "cf", "token", HOST, "x"], ["get", "cf", "token", HOST])[1] == "x"


def test_a_secret_is_refused_for_another_host(session: KeyringSession) -> None:
    """A settings file that names another host does not get it; adding it again for that host does."""
    calls = ["put", "cf", "token", HOST, "hush"], ["get", "cf", "token", "evil.example"]
    error = answers(session.environment, *calls)[1]
    assert error["error"] == "AuthError"
    assert error["text"] == "The secret of account cf was added for api.shop.example, not for evil.example"
    assert "add it again" in error["hint"]
    assert answers(session.environment, ["put", "cf", "token", "evil.example", "hush"], calls[1]) == [None, "hush"]


def test_a_locked_keyring_that_nobody_unlocks_ends_by_time_out(session: KeyringSession) -> None:
    """Somebody is asked for the password and never answers: each call says so, and the process ends."""
    answers(session.environment, ["put", "cf", "token", HOST, "hush"])
    session.lock()
    get, put = ["get", "cf", "token", HOST], ["put", "cf", "token", HOST, "new"]
    for error in answers(session.environment, get, put, timeout=0.5):
        assert error["error"] == "KeyringError"
        assert error["text"] == "The keyring did not answer within 0.5 s; it may be waiting to be unlocked"
        assert error["hint"].startswith(FIX)


def test_a_keyring_that_hangs_ends_by_time_out(session: KeyringSession) -> None:
    """The Secret Service takes the call and does not answer."""
    session.pause()
    (error,) = answers(session.environment, ["get", "cf", "token", HOST], timeout=0.5)
    assert "did not answer within 0.5 s" in error["text"]


def test_a_locked_keyring_where_nobody_can_be_asked(session: KeyringSession) -> None:
    """Without a display there is no prompt: told at once."""
    session.lock(person=False)
    (error,) = answers(session.environment, ["get", "cf", "token", HOST])
    assert (error["error"], error["text"]) == ("KeyringError", "The keyring is locked, and nobody unlocked it")


BACKENDS = {
    "keyrings/alt/file.py": """
import os
from keyring.backend import KeyringBackend
class PlaintextKeyring(KeyringBackend):
    priority = 9
    def get_password(self, service, username):
        return None
    def set_password(self, service, username, password):
        open(os.environ["PLAIN_FILE"], "w").write(password)
""",
    "leaky.py": """
from keyring.backend import KeyringBackend
class Keyring(KeyringBackend):
    priority = 9
    def get_password(self, service, username):
        return None
    def set_password(self, service, username, password):
        raise RuntimeError(f"cannot store {password}")
""",
    "chained.py": """
from keyring.backends.chainer import ChainerBackend
from keyrings.alt.file import PlaintextKeyring
class Keyring(ChainerBackend):
    backends = [PlaintextKeyring()]
""",
}


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """The environment of a server: no session; some kinds of keyrings could be loaded by name."""
    environment = without_keyring(tmp_path)
    for name, text in BACKENDS.items():
        file = tmp_path / "backends" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    path = os.pathsep.join([str(tmp_path / "backends"), os.environ["PYTHONPATH"]])
    return {**environment, "PYTHONPATH": path, "PLAIN_FILE": str(tmp_path / "plain")}


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        ("", "There is no keyring to keep secrets in"),
        ("keyring.backends.fail.Keyring", "There is no keyring to keep secrets in"),
        ("keyring.backends.null.Keyring", "The keyring is switched off (the null backend)"),
        (
            "keyrings.alt.file.PlaintextKeyring",
            "The keyring keyrings.alt.file.PlaintextKeyring writes secrets to a file",
        ),
        ("chained.Keyring", "The keyring keyrings.alt.file.PlaintextKeyring writes secrets to a file"),
        ("no.such.Keyring", "The keyring failed: ModuleNotFoundError"),
    ],
    ids=["none", "fail", "null", "plain text", "plain text in a chain", "one that is not installed"],
)
def test_without_a_usable_keyring_everything_is_refused(bare: dict[str, str], backend: str, words: str) -> None:
    """Reading, writing and forgetting, each with what to do; nothing is written anywhere."""
    bare |= {"PYTHON_KEYRING_BACKEND": backend} if backend else {}
    calls = ["put", "cf", "token", HOST, "hush"], ["get", "cf", "token", HOST], ["forget", "cf", "token"]
    for error in answers(bare, *calls):
        assert error["error"] == "KeyringError"
        assert error["text"].startswith(words)
        assert error["hint"].startswith(FIX)
    assert not Path(bare["PLAIN_FILE"]).exists()


def test_what_a_keyring_says_is_not_repeated(bare: dict[str, str]) -> None:
    """Its error may hold the secret."""
    bare["PYTHON_KEYRING_BACKEND"] = "leaky.Keyring"
    (error,) = answers(bare, ["put", "cf", "token", HOST, "hush"])
    assert error["text"] == "The keyring failed: RuntimeError"


@pytest.fixture
def signed(session: KeyringSession, tmp_path: Path) -> Iterator[Shop]:
    """A shop whose zone takes signed updates only; its secret is in no keyring yet."""
    with Shop(tmp_path, key=True, session=session.environment) as shop:
        yield shop


def add(shop: Shop, *more: str, secret: str = SECRET, name: str = "dns-main", status: int = 0) -> dict[str, Any]:
    server, key = f"server={shop.bind.server}", f"key_name={shop.bind.key_name}"
    options = ("--provider", "rfc2136", "--set", server, "--set", key, "--secret-stdin")
    return shop.json("account", "add", name, *options, *more, stdin=f"{secret}\n", status=status)


def test_an_account_from_adding_to_removing(signed: Shop, session: KeyringSession) -> None:
    """The commands for accounts, with the secret in the keyring at each moment where it belongs."""
    row = {"name": "dns-main", "provider": "rfc2136"}
    before = signed.home.settings_file.read_text()
    assert signed.json("account", "list") == {"accounts": [{**row, "secret": "missing"}]}
    missing = signed.json("account", "verify", "dns-main", status=3)
    assert (missing["ok"], "not in the keyring" in missing["text"]) == (False, True)
    (service,) = signed.json("status")["services"]
    assert (service["active"], service["readiness"]) == ("primary", "block")

    taken = add(signed, status=3)["error"]
    assert taken["kind"] == "refused", "there is one of that name"
    assert "changeover account secret dns-main" in taken["hint"]
    given = signed.json("account", "secret", "dns-main", "--secret-stdin", stdin=signed.bind.secret)
    assert given == {"account": "dns-main", "provider": "rfc2136", "secret": "keyring"}
    assert signed.home.settings_file.read_text() == before, "settings from git need not be typed again, and stay"
    signed.json("trust", "--yes")
    assert signed.json("account", "verify", "dns-main")["may_write"] is True
    assert signed.json("account", "secret", "nobody", "--secret-stdin", stdin="x", status=2)["error"]["kind"] == "usage"
    assert add(signed, "--replace") == {"account": "dns-main", "provider": "rfc2136", "secret": "keyring"}
    assert signed.home.settings_file.read_text() == before.replace(
        'key_name = "changeover."\n', 'key_name = "changeover."\nalgorithm = "hmac-sha256"\nsign_queries = "auto"\n'
    )
    assert signed.json("account", "list") == {"accounts": [{**row, "secret": "keyring"}]}
    verified = signed.json("account", "verify", "dns-main")
    assert (verified["ok"], verified["zones"], verified["may_write"]) == (True, ["shop.example"], True)
    assert signed.json("status")["services"][0]["readiness"] == "pass"

    used = signed.json("account", "remove", "dns-main", status=3)["error"]
    assert "shop" in used["text"]
    signed.json("service", "remove", "shop")
    signed.json("account", "remove", "dns-main")
    assert answers(session.environment, ["entries"]) == [[]]
    assert signed.json("account", "list") == {"accounts": []}
    assert signed.json("account", "remove", "dns-main", status=2)["error"]["kind"] == "usage"


def test_another_provider_in_the_place_of_an_account_takes_its_secret_along(
    signed: Shop, session: KeyringSession
) -> None:
    """Nothing of the former account stays in the keyring."""
    add(signed, name="other")
    options = ("--provider", "cloudflare", "--secret-stdin", "--replace")
    signed.json("account", "add", "other", *options, stdin="t" * 40)
    ((service, field, _),) = answers(session.environment, ["entries"])[0]
    assert (service, field) == (f"changeover:other@{signed.home_folder}", "token")


def test_a_server_in_the_settings_that_the_secret_was_not_added_for(signed: Shop) -> None:
    """A changed settings file gets no signature from this computer."""
    add(signed, "--replace")
    settings = signed.home.settings_file
    settings.write_text(settings.read_text().replace(f'server = "{signed.bind.server}"', 'server = "localhost:9"'))
    ended = signed.json("switch", "shop", "--to", "backup", "--yes", status=3)
    said = {f["check"]: f["text"] for f in ended["findings"] if f["level"] == "block"}
    assert "was added for 127.0.0.1, not for localhost" in said["credential"]
    assert signed.json("account", "list")["accounts"][0]["secret"] == "missing"


def test_over_and_back_with_signed_updates(signed: Shop) -> None:
    """The whole way by command line: each write is signed with the secret from the keyring."""
    add(signed, "--replace")
    start = signed.bind.records()
    run = signed.json("switch", "shop", "--to", "backup", "--yes")
    assert run["outcome"] == "completed"
    assert signed.at(WWW) == {f"{WWW}. 60 A 127.0.0.3"}
    assert signed.at(APEX) == {f"{APEX}. 60 A 127.0.0.3"}
    assert signed.json("undo", run["run"], "--yes")["outcome"] == "undone"
    assert signed.bind.records() == start


def test_a_wrong_secret_changes_nothing(signed: Shop) -> None:
    """BIND refuses the signature: nothing is changed, and the words say what to do."""
    add(signed, "--replace", secret="d3Jvbmdfd3JvbmdfX193cm9uZ193cm9uZ18wMTIzNDU=")
    before = signed.bind.records()
    assert signed.json("account", "verify", "dns-main", status=3)["ok"] is False
    ended = signed.json("switch", "shop", "--to", "backup", "--yes", status=3)
    assert any(f["check"] == "credential" and "signature" in f["text"] for f in ended["findings"])
    assert signed.bind.records() == before


@pytest.mark.parametrize("backend", ["keyring.backends.null.Keyring", "keyring.backends.fail.Keyring"])
def test_commands_without_a_keyring_end_with_2(tmp_path: Path, bare: dict[str, str], backend: str) -> None:
    """account and switch say what to do, and neither settings nor zone nor journal change."""
    bare["PYTHON_KEYRING_BACKEND"] = backend
    with Shop(tmp_path, key=True, session=bare) as shop:
        settings, zone = shop.home.settings_file.read_bytes(), shop.bind.records()
        refused = [
            add(shop, "--replace", status=2),
            add(shop, name="second", status=2),
            *(shop.json("account", *words, status=2) for words in (["list"], ["verify", "dns-main"])),
            *(shop.json(*words, status=2) for words in (["plan", "shop", "--to", "backup"],)),
            shop.json("switch", "shop", "--to", "backup", "--yes", status=2),
            shop.json("check", "shop", "--to", "backup", status=2),
        ]
        for said in refused:
            assert said["error"]["kind"] == "keyring"
            assert said["error"]["hint"].startswith(FIX)
        assert shop.json("status")["services"][0]["readiness"] == "block"
        assert shop.json("runs") == {"runs": []}
        assert (shop.home.settings_file.read_bytes(), shop.bind.records()) == (settings, zone)


def test_an_account_that_needs_no_secret_needs_no_keyring(shop: Shop, bare: dict[str, str]) -> None:
    """An unsigned DNS server on this computer is used without one."""
    shop.session = {**bare, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    shop.json("account", "add", "plain", "--provider", "rfc2136", "--set", "server=127.0.0.1:5300")
    assert [row["secret"] for row in shop.json("account", "list")["accounts"]] == ["none", "none"]
    assert shop.json("switch", "shop", "--to", "backup", "--yes")["outcome"] == "completed"
    shop.json("account", "remove", "plain")


def test_a_damaged_entry_hinders_no_other_account(signed: Shop, session: KeyringSession) -> None:
    """It counts as missing."""
    service = f"changeover:dns-main@{signed.home_folder}"
    answers(session.environment, ["set_password", service, "secret", "something else"])
    assert add(signed, name="other")["secret"] == "keyring"
    rows = {row["name"]: row["secret"] for row in signed.json("account", "list")["accounts"]}
    assert rows == {"dns-main": "missing", "other": "keyring"}


def test_what_is_held_in_memory_and_in_the_keyring_is_forgotten_in_both(session: KeyringSession) -> None:
    """An account that was replaced in memory leaves no credential behind when it is removed."""
    put, hold = ["put", "cf", "token", HOST, "first"], ["hold", "cf", "token", HOST, "second"]
    get = ["get", "cf", "token", HOST]
    assert answers(session.environment, put, hold, get, ["forget", "cf", "token"], get)[2:] == ["second", None, None]
    assert answers(session.environment, ["entries"]) == [[]]


def test_several_secrets_are_kept_together_or_not_at_all(session: KeyringSession, tmp_path: Path) -> None:
    """A keyring that fails at the second: half of one credential and half of another would be none."""
    get = [["get", "aws", "id", HOST], ["get", "aws", "key", HOST]]
    put = ["put_all", "aws", HOST, "id", "id-1", "key", "key-1"]
    assert answers(session.environment, put, *get)[1:] == ["id-1", "key-1"]
    folder = tmp_path / "fails"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_FAILS_AT_THE_SECOND)
    failing = {**session.environment, "PYTHONPATH": f"{folder}{os.pathsep}{os.environ['PYTHONPATH']}"}
    put = ["put_all", "aws", HOST, "id", "id-2", "key", "key-2"]
    (ended, *kept) = answers(failing, put, *get)
    assert ended["error"] == "KeyringError"
    assert kept == ["id-1", "key-1"]


_FAILS_AT_THE_SECOND = """
from keyring.backends import SecretService
from keyring.errors import PasswordSetError

set_password = SecretService.Keyring.set_password

def failing(self, service, username, password):
    if "key-2" in password:
        raise PasswordSetError("no room")
    set_password(self, service, username, password)

SecretService.Keyring.set_password = failing
"""
