"""A secret that is watched for: on every path it shows up in no file, no output, no process list and no error."""

from __future__ import annotations

import asyncio
import base64
import copy
import json
import pickle
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest

from changeover.accounts.accounts import Accounts, WrongFields
from changeover.accounts.trust import Trust
from changeover.model.errors import ChangeoverError
from changeover.model.secret import Secret
from changeover.model.settings.service import Account, Settings
from changeover.storage.home import Home
from changeover.storage.keyring import Vault
from dns_servers.bind import KEY_NAME, SECRET, Bind
from dns_servers.cloudflare_simulator import READ_ONLY, CloudflareSimulator
from dns_servers.process import free_port
from keyring_session import KeyringSession
from shop import WWW, Shop

TOKEN = "canary_8f3b1c6e5d7a4f2b9c0e1d2f3a4b5c6d7"
#: No base64, and nothing that a header may hold.
UNFIT = "canary 9e107d9d\x07 372bb6826bd81d3542a419d6"
KILLED_AT = str(Path(__file__).parents[1] / "cli" / "killed_at.py")


def forms(secret: str) -> list[bytes]:
    """The ways in which the secret could be written: as it is, decoded, encoded, in numbers."""
    plain = secret.encode()
    decoded = base64.b64decode(secret) if secret == SECRET else plain
    shapes = [plain, decoded, plain.hex().encode(), decoded.hex().encode(), quote(secret).encode()]
    return [*shapes, base64.b64encode(plain), json.dumps(secret)[1:-1].encode(), plain[:16]]


class Watched:
    """Runs commands, and looks for the secret in all that they write, and in the list of processes meanwhile."""

    def __init__(self, shop: Shop, session: KeyringSession, secret: str) -> None:
        self._shop = shop
        self._folders = (shop.home_folder, Path(session.environment["HOME"]))
        self._forms = forms(secret)
        shop.session = {**session.environment, "CHANGEOVER_DEBUG": "1"}

    def __call__(self, *arguments: str, stdin: str = "", status: int | None = None, program: str = "") -> str:
        command = [sys.executable, *([program] if program else ["-m", "changeover"]), *arguments]
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said:
            given.write(stdin.encode())
            given.seek(0)
            process = subprocess.Popen(
                command, env=self._shop.environment, stdin=given, stdout=said, stderr=subprocess.STDOUT
            )
            seen = self._processes()
            while True:
                try:
                    ended = process.wait(0.1)
                    break
                except subprocess.TimeoutExpired:
                    seen += self._processes()
            said.seek(0)
            output = said.read()
        assert status is None or ended == status, output.decode()
        self.look(output, f"the output of {arguments}")
        self.look(seen, f"the list of processes during {arguments}")
        self.look_at_files(f"after {arguments}")
        return output.decode()

    def look(self, found: bytes, where: str) -> None:
        assert not any(form in found for form in self._forms), f"the secret is in {where}"

    def look_at_files(self, when: str) -> None:
        for folder in self._folders:
            for file in folder.rglob("*"):
                if file.is_file():
                    self.look(file.read_bytes(), f"{file} {when}")

    @staticmethod
    def _processes() -> bytes:
        found = b""
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                found += file.read_bytes() + b"\n"
            except OSError:  # it ended meanwhile
                continue
        return found


@pytest.fixture
def session(tmp_path: Path) -> Iterator[KeyringSession]:
    with KeyringSession(tmp_path) as running:
        yield running


def test_a_tsig_secret_is_seen_nowhere(tmp_path: Path, session: KeyringSession) -> None:
    """Every command, every report, and what goes wrong on the way: key, zone, server, crash, settings."""
    with Shop(tmp_path, key=True, session=session.environment) as shop:
        watched = Watched(shop, session, SECRET)
        options = ("--provider", "rfc2136", "--set", f"key_name={KEY_NAME}", "--secret-stdin", "--replace")
        here, line = ("--set", f"server={shop.bind.server}"), f"{SECRET}\n"
        watched("account", "add", "dns-main", *options, *here, stdin=line, status=0)
        for command in (["account", "list"], ["account", "verify", "dns-main"], ["status"], ["service", "list"]):
            watched(*command, status=0)
            watched(*command, "--json", status=0)
        watched("account", "add", "dns-main", *options[:-1], *here, stdin=line, status=3)
        watched("account", "add", "x", *options, "--set", "sever=1", stdin=line, status=2)
        watched("account", "add", "x", *options, "--set", "server=192.0.2.1:x", stdin=line, status=2)
        watched("account", "add", "x y", *options, *here, stdin=line, status=2)
        watched("account", "add", "x", "--provider", "rfc2136", *here, "--secret-stdin", stdin=line, status=2)
        watched("account", "add", "x", "--provider", "nobody", "--secret-stdin", stdin=line, status=2)

        watched("plan", "shop", "--to", "backup", status=0)
        watched("--debug", "switch", "shop", "--to", "backup", "--yes", status=0)
        for form in ("md", "html", "json"):
            watched("report", "shop-1", "--format", form, status=0)
        watched("undo", "shop-1", "--yes", "--json", status=0)
        watched("2", "after", "switch", "shop", "--to", "backup", "--yes", program=KILLED_AT, status=-9)
        watched("runs", status=0)
        watched("report", "shop-2", "--json", status=0)
        watched("resume", "shop-2", "--yes", status=0)
        watched("3", "after", "undo", "shop-2", "--yes", program=KILLED_AT, status=-9)
        watched("undo", "shop-2", "--yes", status=0)

        watched("service", "add", "other", "--hostname", "www.other.example", "--dns", "dns-main:other.example",
                "--deployment", "a=a:127.0.0.2", "--deployment", "b=a:127.0.0.3", status=0)  # fmt: skip
        watched("account", "verify", "dns-main", status=3)
        watched("switch", "other", "--to", "b", "--yes", status=3)
        watched("service", "remove", "other", status=0)
        shop.write_settings(key='key_name = "unknown."')
        watched("account", "verify", "dns-main", status=3)
        shop.write_settings(server="localhost:5")  # the secret was not added for it
        watched("account", "verify", "dns-main", status=3)
        shop.write_settings(server=f"127.0.0.1:{free_port()}")
        watched("account", "verify", "dns-main", status=3)
        watched("switch", "shop", "--to", "backup", "--yes", "--emergency", status=3)
        shop.write_settings()
        text = shop.home.settings_file.read_text()
        shop.home.settings_file.write_text(text.replace("ttl = 60", 'ttl = "60"'))
        watched("status", status=2)
        watched("account", "add", "x", *options, *here, stdin=line, status=2)
        shop.home.settings_file.write_text(text)
        session.lock(person=False)
        watched("switch", "shop", "--to", "backup", "--yes", status=2)
        watched("account", "add", "x", *options, *here, stdin=line, status=2)


def test_a_wrong_tsig_secret_is_seen_nowhere(tmp_path: Path, session: KeyringSession) -> None:
    """One that the server refuses, and one that is no key at all."""
    with Shop(tmp_path, key=True, session=session.environment) as shop:
        for secret in ("d3JvbmdfY2FuYXJ5X19jYW5hcnlfd3JvbmdfMDEyMzQ1Njc=", UNFIT):
            watched = Watched(shop, session, secret)
            options = ("--provider", "rfc2136", "--set", f"key_name={KEY_NAME}", "--secret-stdin", "--replace")
            here = ("--set", f"server={shop.bind.server}")
            status = 2 if secret == UNFIT else 0
            watched("account", "add", "dns-main", *options, *here, stdin=secret, status=status)
            watched("account", "add", "dns-main", *options, *here, "--json", stdin=secret, status=status)
            watched("account", "verify", "dns-main", "--json", status=3)
            watched("switch", "shop", "--to", "backup", "--yes", status=3)


SETTINGS = """\
[accounts.cf]
provider = "cloudflare"
endpoint = "{endpoint}"

[[services]]
name = "shop"
hostnames = ["{host}"]
dns = [{{ account = "cf", zone = "shop.example" }}]
[services.health]
port = {port}
ca_file = "{ca_file}"
timeout = 20
[[services.deployments]]
name = "primary"
answer = {{ a = ["127.0.0.2"] }}
[[services.deployments]]
name = "backup"
answer = {{ a = ["127.0.0.3"] }}
[lookup]
resolvers = []
nameservers = {{ "shop.example" = ["127.0.0.1:{nobody}"] }}
witnesses = []
doh = []
portal = ""
"""


def test_a_cloudflare_token_is_seen_nowhere(tmp_path: Path, session: KeyringSession) -> None:
    """A token in the headers of every request: accepted, refused, answered with nonsense, unanswered, redirected."""
    with (
        Shop(tmp_path, session=session.environment) as shop,
        CloudflareSimulator(["shop.example"], token=TOKEN) as cloudflare,
    ):
        watched = Watched(shop, session, TOKEN)
        cloudflare.add("shop.example", type="A", name=WWW, content="127.0.0.2", ttl=60)
        values = {"host": WWW, "port": shop.web.port, "ca_file": shop.web.ca_file, "nobody": free_port()}
        good = SETTINGS.format(endpoint=cloudflare.endpoint, **values)
        shop.home.settings_file.write_text(good)
        add = ("account", "add", "cf", "--provider", "cloudflare", "--secret-stdin", "--replace")
        watched(*add, "--set", f"endpoint={cloudflare.endpoint}", stdin=f"{TOKEN}\n", status=0)
        watched("account", "list", status=0)
        watched("account", "verify", "cf", status=0)
        watched("status", "--json", status=0)
        watched("switch", "shop", "--to", "backup", "--yes", "--verify-timeout", "0.3", status=4)
        watched("report", "shop-1", "--json", status=0)
        watched("undo", "shop-1", "--yes", "--verify-timeout", "0.3", status=4)
        watched("accept", "shop-1", "--reason", "no name servers here", status=0)

        cloudflare.misbehave("answer", times=3, status=500, body=b"<html>no</html>")
        watched("account", "verify", "cf", status=3)
        cloudflare.misbehave("answer", times=3, status=302, headers=[("Location", "https://elsewhere.example/")])
        watched("account", "verify", "cf", status=3)
        cloudflare.forget_misbehaviour()
        cloudflare.misbehave("drop-before", times=9)
        watched("account", "verify", "cf", "--json", status=3)
        cloudflare.forget_misbehaviour()
        cloudflare.zone("shop.example").permissions = list(READ_ONLY)
        watched("switch", "shop", "--to", "backup", "--yes", status=3)
        cloudflare.token = "0" * 40
        watched("account", "verify", "cf", status=3)
        shop.home.settings_file.write_text(good.replace("127.0.0.1", "localhost", 1))
        watched("account", "verify", "cf", status=3)
        cloudflare.stop()
        shop.home.settings_file.write_text(good)
        watched("account", "verify", "cf", status=3)
        watched("switch", "shop", "--to", "backup", "--yes", status=3)
        watched(*add, "--set", f"endpoint={cloudflare.endpoint}", stdin=TOKEN, status=0)
        unfit = Watched(shop, session, UNFIT)
        unfit(*add, "--set", f"endpoint={cloudflare.endpoint}", stdin=UNFIT, status=2)
        unfit("account", "verify", "cf", status=3)


def look_in(thing: object, secret: str) -> None:
    """Nothing that shows, prints or serialises `thing` may show the secret."""
    shown = [repr(thing), str(thing), f"{thing}", repr(getattr(thing, "__dict__", ""))]
    for dump in (pickle.dumps, json.dumps, msgspec.json.encode, msgspec.msgpack.encode, copy.deepcopy):
        try:
            shown.append(repr(dump(thing)))  # type: ignore[operator]
        except (TypeError, AttributeError, NotImplementedError, pickle.PicklingError, RecursionError):
            continue
    look("\n".join(shown), secret, thing)


def look_in_error(error: BaseException, secret: str) -> None:
    """Nor may an error, its traceback, or what stands behind it, however it is printed."""
    look_in(error, secret)
    behind: BaseException | None = error
    while behind is not None:
        shown = [repr(behind), str(behind), *map(repr, behind.args), repr(vars(behind))]
        look("\n".join((*shown, *traceback.format_exception(behind))), secret, behind)
        behind = behind.__context__


def look(shown: str, secret: str, thing: object) -> None:
    assert not any(form in shown.encode() for form in forms(secret)), f"{type(thing).__name__} shows the secret"


@pytest.mark.parametrize("secret", [SECRET, TOKEN, UNFIT], ids=["TSIG", "token", "unfit"])
def test_a_secret_shows_itself_to_nothing(secret: str) -> None:
    """repr, str, format, pickle, copy, JSON: none of them gives it; equality does not need it."""
    one = Secret(secret)
    look_in(one, secret)
    look_in([one, {"secret": one}], secret)
    assert repr(one) == str(one) == f"{one}" == "Secret(hidden)"
    assert (one == Secret(secret), one == Secret("x"), one == secret) == (True, False, False)
    assert one.reveal() == secret
    for dump in (pickle.dumps, copy.copy, copy.deepcopy, json.dumps, msgspec.json.encode):
        with pytest.raises(TypeError):
            dump(one)  # type: ignore[operator]


async def test_what_holds_a_secret_does_not_show_it(tmp_path: Path) -> None:
    """The vault, the accounts, the providers, used and unused, and every error that they raise, causes included."""
    cloudflare = CloudflareSimulator(["shop.example"], token="0" * 40)
    with Bind(tmp_path) as bind, Bind(tmp_path, update=False) as deaf, cloudflare:
        nobody = f"127.0.0.1:{free_port()}"
        cases = [
            ("rfc2136", {"server": bind.server, "key_name": KEY_NAME}, SECRET),
            ("rfc2136", {"server": deaf.server, "key_name": "other."}, SECRET),
            ("rfc2136", {"server": nobody, "key_name": KEY_NAME}, SECRET),
            ("rfc2136", {"server": bind.server, "key_name": KEY_NAME}, UNFIT),
            ("cloudflare", {"endpoint": cloudflare.endpoint}, TOKEN),
            ("cloudflare", {"endpoint": f"http://{nobody}"}, TOKEN),
            ("cloudflare", {"endpoint": cloudflare.endpoint}, UNFIT),
        ]
        for provider, options, secret in cases:
            home = Home.at(tmp_path / "home")
            vault = Vault(home)
            added = Settings()
            trust = Trust(home, lambda: added, vault)  # noqa: B023  (used within this round)
            accounts = Accounts(home, vault, trust)
            field = "secret" if provider == "rfc2136" else "token"
            added = Settings(accounts=(Account("here", provider, options),))
            try:
                added = await accounts.add(
                    "here", provider, options, {field: Secret(secret)}, replace=True, in_memory=True
                )
            except WrongFields as error:
                look_in_error(error, secret)
                vault.hold("here", field, "127.0.0.1", Secret(secret))  # as if by another program
            await trust.approve(await trust.parts())
            opened = (await accounts.open_each(added, ["here"]))["here"]
            assert not isinstance(opened, ChangeoverError)
            acts = (opened.read("shop.example", [WWW]), opened.verify("shop.example", [WWW]), opened.zones())
            for error in await asyncio.gather(*acts, return_exceptions=True):
                if isinstance(error, BaseException):
                    look_in_error(error, secret)
            elsewhere = Settings(accounts=(Account("here", provider, {**options, **other_host(provider)}),))
            fresh = Accounts(home, vault, Trust(home, lambda: elsewhere, vault))  # noqa: B023
            refused = (await fresh.open_each(elsewhere, ["here"]))["here"]
            assert isinstance(refused, ChangeoverError)
            look_in_error(refused, secret)
            for thing in (vault, accounts, opened, refused, vars(vault), vars(opened), added):
                look_in(thing, secret)
            await accounts.aclose()


def other_host(provider: str) -> dict[str, str]:
    return {"server": "localhost:1"} if provider == "rfc2136" else {"endpoint": "https://elsewhere.example"}
