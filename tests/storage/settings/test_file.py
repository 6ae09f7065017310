"""The settings file: every fault told at once, nothing half-loaded, and nothing lost by an edit."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

from changeover.accounts.kinds import KINDS
from changeover.model.dns.change import ZoneAt
from changeover.model.errors import ChangeoverError, SettingsError
from changeover.model.health.check import HealthCheck
from changeover.model.settings.service import Account, Answer, Deployment, Marker, Service, Settings
from changeover.storage.settings import file as settings_file
from storage.settings_texts import GOOD, KNOWN, KNOWN_PLATFORMS, Wrong, changed, wrong_files

SECOND = Account("second", "cloudflare", {"endpoint": "https://api.cloudflare.com/client/v4"})
NEWS = Service(
    name="news",
    hostnames=("news.shop.example",),
    dns=(ZoneAt("cf", "shop.example"),),
    deployments=(
        Deployment(name="p", answer=Answer(cname="a.example"), marker=Marker("X-Deployment", "p")),
        Deployment(
            name="b",
            answer=Answer(a=("192.0.2.8", "192.0.2.9")),
            answers={"news.shop.example": Answer(aaaa=("2001:db8::8",))},
        ),
    ),
    health=HealthCheck(path="/up", interval=60),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "changeover.toml"


def faults_of(file: Path) -> tuple[str, ...]:
    """What loading says; an edit must be refused for the same reason and leave every byte as it is."""
    before = file.read_bytes()
    with pytest.raises(SettingsError) as loading:
        settings_file.load(file, KINDS)
    with pytest.raises(SettingsError) as editing:
        settings_file.rewrite(file, KINDS, lambda text: settings_file.set_account(text, SECOND))
    assert file.read_bytes() == before
    assert editing.value.faults == loading.value.faults
    count = len(loading.value.faults)
    assert loading.value.text.startswith(f"{file}: {count} fault{'s' if count > 1 else ''}\n")
    return loading.value.faults


def test_a_good_file_is_read_in_canonical_form(file: Path) -> None:
    """Names lower case without the final dot, addresses as RFC 5952 writes them, defaults filled in."""
    file.write_text(changed(("www.shop.example", "WWW.Shop.Example."), ("2001:db8::10", "2001:0DB8:0::0010")))
    settings = settings_file.load(file, KINDS)
    shop, blog = settings.services
    assert [a.name for a in settings.accounts] == ["dns-main", "cf"]
    assert settings.accounts[1].options == {"endpoint": "https://api.cloudflare.com/client/v4"}
    assert shop.hostnames == ("www.shop.example", "shop.example")
    assert shop.primary.answers["shop.example"].aaaa == ("2001:db8::10",)
    assert (blog.ttl, blog.health) == (60, HealthCheck())
    assert (blog.health.path, blog.health.expect_status, blog.health.interval, blog.health.timeout) == (
        ("/", "200-399", 30, 10)
    )
    assert settings.lookup.nameservers == {"shop.example": ("127.0.0.1:5301",)}


@pytest.mark.parametrize("text", ["", "version = 1\n", "# nothing yet\n", "\ufeff"], ids=repr)
def test_an_empty_file_and_none_at_all_are_the_defaults(file: Path, text: str) -> None:
    """No file, an empty one, one with comments only."""
    assert settings_file.load(file, KINDS) == Settings()
    file.write_text(text, encoding="utf-8")
    assert settings_file.load(file, KINDS) == Settings()


@pytest.mark.parametrize("wrong", tuple(wrong_files()), ids=lambda wrong: wrong.what)
def test_each_fault_says_where_and_what_would_be_right(file: Path, wrong: Wrong) -> None:
    """Table, key and words are exact, and there is nothing beside them."""
    file.write_text(wrong.text)
    assert faults_of(file) == tuple(fault.replace("{folder}", str(file.parent)) for fault in wrong.faults)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("ttl = 60", f"ttl = 1{'0' * 400}", f"services.shop.ttl: must be from 1 to 604800, not 1{'0' * 400}"),
        ('"blog"', f'"{"b" * 101}"', f"services.{'b' * 101}.name: must have at most 100 characters"),
    ],
    ids=["a number beyond every other", "a name of 101 letters"],
)
def test_values_without_measure(file: Path, old: str, new: str, fault: str) -> None:
    """They are faults like any other."""
    file.write_text(changed((old, new)))
    assert faults_of(file) == (fault,)


def test_all_faults_are_told_at_once(file: Path) -> None:
    """Wrong types and wrong meanings, in accounts, services and lookup, beside each other in one table too."""
    file.write_text(
        changed(
            ("version = 1", 'version = 1\nlang = "en"'),
            ('server = "127.0.0.1:5301"', "server = 5301"),
            ("hmac-sha256", "md5"),
            ('provider = "cloudflare"', 'provider = "cloudflare"\nendpoint = "ftp://api.example"\nzone = "x"'),
            ('"shop.example"]', '"shop.example", "www.shop.example", "www.news.example", 7]'),
            ("ttl = 60", 'ttl = "60"'),
            ("port = 8443", "port = 84430"),
            ("interval = 15", 'interval = "15"'),
            ('name = "backup"', 'name = "primary"\ncolour = "blue"'),
            ('platform = "url"', 'platform = "qovery"'),
            ('name = "blog"', 'name = "shop"'),
            ('hostnames = ["blog.example"]', 'hostnames = ["shop.example"]\nhealth = 5'),
            ('account = "cf", zone = "blog.example"', 'account = "c", zone = "blog example"'),
            ('alias = "blog.example.net"', 'a = ["198.51.100.26", "198.51.100.25"]'),
            ('"[::1]:53"', '"[::1:53"'),
            ("witnesses = [", "witnesses = [5, "),
        )
    )
    faults = faults_of(file)
    assert len(set(faults)) == len(faults)
    assert set(faults) == {
        "lang: unknown key; known here: version, accounts, services, lookup",
        'accounts.dns-main.server: must be a text in quotes such as "ns1.shop.example" (the primary name server, '
        "which takes updates, as host or host:port), not the number 5301",
        'accounts.dns-main.algorithm: must be like "hmac-sha256" (the algorithm of the TSIG key: hmac-sha256, '
        "hmac-sha384, hmac-sha512, hmac-sha224, hmac-sha1 or hmac-md5)",
        "accounts.cf.zone: unknown key; known here: endpoint",
        'accounts.cf.endpoint: must be an https address such as "https://api.cloudflare.com/client/v4"',
        "services.shop.hostnames[5]: must be a text in quotes, not the number 7",
        "services.shop.deployments.primary.name: another one has this name; each needs its own",
        "services.shop.deployments.primary.colour: unknown key; known here: name, answer, platform, account, "
        "answers, marker, status_page, database",
        f'services.shop.deployments.primary.platform: there is no platform "qovery"; known here: {KNOWN_PLATFORMS}',
        'services.shop.ttl: must be a whole number, not the text "60"',
        "services.shop.health.port: must be from 1 to 65535, not 84430",
        'services.shop.health.interval: must be a number, not the text "15"',
        "services.shop.hostnames: www.shop.example stands here twice",
        "services.shop.dns: www.news.example is in none of the zones shop.example; add its zone",
        'services.shop.dns[1].account: there is no account "c"; known here: "dns-main", "cf"',
        "services.shop.dns[1].zone: 'blog example' is not a host name; one looks like www.shop.example",
        "services.shop.health: must be a table, not the number 5",
        "services.shop.deployments.there: has the same answers as here, so nobody could tell where visitors go",
        "services.shop.name: another one has this name; each needs its own",
        "services.shop.hostnames: shop.example belongs to services.shop already",
        "lookup.resolvers: '[::1:53' is not host or host:port",
        "lookup.witnesses[1]: must be a text in quotes, not the number 5",
    }


def test_the_same_faults_come_in_the_same_order(file: Path) -> None:
    """Two readings say the same."""
    file.write_text(changed(('"shop.example"]', '"shop.example", "a.example", "b.example", "c.example"]')))
    assert faults_of(file) == faults_of(file)
    assert len(faults_of(file)) == 3


def test_what_another_version_knows_is_answered_with_what_this_one_does(file: Path) -> None:
    """A file for a version with platforms: each unknown word comes with the known ones."""
    file.write_text(
        changed(
            ("[accounts.cf]", '[accounts.qovery-me]\nprovider = "qovery"\n\n[accounts.cf]'),
            (
                'name = "primary"                   # the platform',
                'name = "primary"\nplatform = "qovery"\naccount = "qovery-me"\napp = "shop-prod"',
            ),
            ("port = 8443", 'ca_file = "team-ca.pem"'),
        )
    )
    known = "known here: name, answer, platform, account, answers, marker, status_page, database"
    assert faults_of(file) == (
        f"accounts.qovery-me.provider: 'qovery' is not a provider that this version knows; known: {KNOWN}",
        f"services.shop.deployments.primary.app: unknown key; {known}",
        f'services.shop.deployments.primary.platform: there is no platform "qovery"; known here: {KNOWN_PLATFORMS}',
        f"services.shop.health.ca_file: there is no file {file.parent / 'team-ca.pem'}",
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD.replace('name = "shop"', "name = shop"), "not valid TOML: Invalid value (at line 15, column 8)"),
        (GOOD + "[lookup]\n", "not valid TOML: Cannot declare ('lookup',) twice (at line 59, column 8)"),
        (GOOD + 'x = "', "not valid TOML: Unterminated string (at end of document)"),
        ("a = " + "[" * 5000, "not valid TOML: too many brackets within brackets"),
        (f"version = {'1' * 5000}", "not valid TOML: Exceeds the limit (4300 digits)"),
    ],
    ids=["a word without quotes", "a table twice", "an open text", "brackets without end", "a number without end"],
)
def test_broken_toml_is_told_with_its_line(file: Path, text: str, words: str) -> None:
    """The parser's own words, with line and column."""
    file.write_text(text)
    (fault,) = faults_of(file)
    assert fault.startswith(words)


def test_what_is_not_utf_8_is_told_with_its_byte(file: Path) -> None:
    """A file that an editor saved in Latin-1."""
    file.write_bytes("# Café\nversion = 1\n".encode("latin-1"))
    assert faults_of(file) == ("byte 6: not UTF-8; save the file as UTF-8",)


def test_a_folder_in_the_place_of_the_file(file: Path) -> None:
    """What cannot be read is said, with the system's words."""
    file.mkdir()
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        settings_file.load(file, KINDS)


def test_a_certificate_file_is_found_beside_the_settings(file: Path) -> None:
    """Relative paths start where the file is, or the file that a link leads to."""
    elsewhere = file.parent / "team"
    elsewhere.mkdir()
    trustme.CA().cert_pem.write_to_path(elsewhere / "team-ca.pem")
    (elsewhere / "settings.toml").write_text(changed(("port = 8443", 'ca_file = "team-ca.pem"')))
    file.symlink_to(elsewhere / "settings.toml")
    assert settings_file.load(file, KINDS).services[0].health.ca_file == str(elsewhere / "team-ca.pem")
    settings_file.rewrite(file, KINDS, lambda text: settings_file.set_account(text, SECOND))
    assert file.is_symlink()
    assert "[accounts.second]" in (elsewhere / "settings.toml").read_text()


ADDED_ACCOUNT = """
[accounts.second]
provider = "cloudflare"
endpoint = "https://api.cloudflare.com/client/v4"
"""
ADDED_SERVICE = """
[[services]]
name = "news"
hostnames = ["news.shop.example"]
dns = [{account = "cf", zone = "shop.example"}]

[services.health]
path = "/up"
interval = 60

[[services.deployments]]
name = "p"
answer = {cname = "a.example"}
marker = {header = "X-Deployment", value = "p"}

[[services.deployments]]
name = "b"
answer = {a = ["192.0.2.8", "192.0.2.9"]}
answers = {"news.shop.example" = {aaaa = ["2001:db8::8"]}}
"""
#: The same settings, laid out as people do.
SERVICES_FIRST = GOOD.replace(GOOD[GOOD.index("[accounts") : GOOD.index("# The shop")], "") + "".join(
    ("\n", GOOD[GOOD.index("[accounts") : GOOD.index("# The shop")].rstrip("\n"), "\n")
)
LAYOUTS = {
    "accounts first": GOOD,
    "accounts last": SERVICES_FIRST,
    "accounts apart": GOOD.replace('[accounts.cf]\nprovider = "cloudflare"\n\n', "")
    + '\n[accounts.cf]\nprovider = "cloudflare"\n',
    "services apart": GOOD.replace(lookup := GOOD[GOOD.index("[lookup]") : GOOD.index("# The end")], "").replace(
        '[[services]]\nname = "blog"', f'{lookup}[[services]]\nname = "blog"'
    ),
    "indented": "".join(f"  {line}" if line.strip() else line for line in GOOD.splitlines(keepends=True)),
    "no blank lines": GOOD.replace("\n\n", "\n"),
    "dotted keys": GOOD.replace('[accounts.cf]\nprovider = "cloudflare"\n\n', "").replace(
        "[accounts.dns-main]", '[accounts]\ncf.provider = "cloudflare"\n[accounts.dns-main]'
    ),
    "Windows": GOOD.replace("\n", "\r\n"),
    "a byte order mark": f"\ufeff{GOOD}",
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_adding_and_removing_leaves_every_other_character(file: Path, layout: str) -> None:
    """The old text stands before what is added, and is back, byte for byte, once that is removed."""
    file.write_bytes(layout.encode())
    before = settings_file.load(file, KINDS)
    newline = "\r\n" if "\r\n" in layout else "\n"

    settings = settings_file.rewrite(file, KINDS, lambda text: settings_file.set_account(text, SECOND))
    assert settings.accounts == (*before.accounts, SECOND)
    assert (settings.services, settings.lookup) == (before.services, before.lookup)
    with_account = layout + ADDED_ACCOUNT.replace("\n", newline)
    assert file.read_bytes().decode() == with_account

    settings = settings_file.rewrite(file, KINDS, lambda text: settings_file.add_service(text, NEWS))
    assert settings.services == (*before.services, NEWS)
    assert file.read_bytes().decode() == with_account + ADDED_SERVICE.replace("\n", newline)

    settings_file.rewrite(file, KINDS, lambda text: settings_file.remove_account(text, "second"))
    assert file.read_bytes().decode() == layout + ADDED_SERVICE.replace("\n", newline)
    assert settings_file.rewrite(file, KINDS, lambda text: settings_file.remove_service(text, "news")) == before
    assert file.read_bytes().decode() == layout


def test_removing_from_the_middle_leaves_the_comments(file: Path) -> None:
    """A service's lines go, and nothing else: what stands before the next table belongs to that."""
    file.write_text(GOOD)
    settings_file.rewrite(file, KINDS, lambda text: settings_file.remove_service(text, "shop"))
    start, end = GOOD.index('[[services]]\nname = "shop"'), GOOD.index('\n[[services]]\nname = "blog"')
    assert file.read_text() == GOOD[:start] + GOOD[end:]
    settings_file.rewrite(file, KINDS, lambda text: settings_file.remove_account(text, "dns-main"))
    left = GOOD[: GOOD.index("[accounts.dns-main]")] + GOOD[GOOD.index("[accounts.cf]") : start] + GOOD[end:]
    assert file.read_text() == left
    assert "# The shop comes first." in left


def test_replacing_an_account_keeps_its_place_and_comments(file: Path) -> None:
    """Keys change where they stand."""
    file.write_text(GOOD)
    moved = Account("dns-main", "rfc2136", {"server": "127.0.0.1:5399", "key_name": "new.", "algorithm": "hmac-sha512"})
    settings_file.rewrite(file, KINDS, lambda text: settings_file.set_account(text, moved))
    expected = changed(("5301", "5399"), ('"changeover."', '"new."'), ("hmac-sha256", "hmac-sha512"))
    assert file.read_text() == expected
    options = {"server": "127.0.0.1", "key_name": None, "algorithm": "hmac-sha256", "sign_queries": "auto"}
    unsigned = Account("dns-main", "rfc2136", options)
    assert unsigned in settings_file.rewrite(file, KINDS, lambda t: settings_file.set_account(t, unsigned)).accounts
    assert "# the office's BIND" in file.read_text()
    assert "new." not in file.read_text()


def test_removing_what_is_gone_changes_nothing(file: Path) -> None:
    """Another process was faster."""
    file.write_text(GOOD)
    settings_file.rewrite(file, KINDS, lambda text: settings_file.remove_account(text, "third"))
    settings_file.rewrite(file, KINDS, lambda text: settings_file.remove_service(text, "third"))
    assert file.read_text() == GOOD


def test_a_file_without_a_final_newline(file: Path) -> None:
    """The new table begins on a line of its own."""
    file.write_text(GOOD.removesuffix("\n"))
    settings_file.rewrite(file, KINDS, lambda text: settings_file.add_service(text, NEWS))
    assert file.read_text() == GOOD + ADDED_SERVICE


def test_a_first_edit_makes_the_file(file: Path) -> None:
    """Where there is none, nor a folder for it."""
    file = file.parent / "not" / "yet" / file.name
    settings = settings_file.rewrite(file, KINDS, lambda text: settings_file.set_account(text, SECOND))
    assert settings.accounts == (SECOND,)
    assert file.read_text() == "version = 1\n" + ADDED_ACCOUNT


@pytest.mark.parametrize(
    "text",
    [
        'accounts = { dns-main = { provider = "rfc2136", server = "127.0.0.1" } }\n',
        'services = []\naccounts.dns-main = { provider = "rfc2136", server = "127.0.0.1" }\n',
    ],
    ids=["accounts in one line", "services in one line"],
)
def test_a_layout_that_takes_no_more_tables_is_left_alone(file: Path, text: str) -> None:
    """TOML forbids to add tables to those written in one line: refused with what to do, and nothing changed."""
    file.write_text(text)
    news = Service(
        name="news", hostnames=NEWS.hostnames, dns=(ZoneAt("dns-main", "shop.example"),), deployments=NEWS.deployments
    )

    def add(text: str) -> str:
        return settings_file.add_service(settings_file.set_account(text, SECOND), news)

    with pytest.raises(ChangeoverError, match="cannot be edited without damage") as refused:
        settings_file.rewrite(file, KINDS, add)
    assert "[[services]]" in refused.value.hint
    assert file.read_text() == text


def test_a_text_that_looks_like_a_table_is_not_cut_out(file: Path) -> None:
    """A header within a text of several lines: refused, since the outcome would say something else."""
    text = changed(('expect_body = "ok"', 'expect_body = """\n[accounts.spare]\nserver = 5\n"""'))
    text += '\n[accounts.spare]\nprovider = "cloudflare"\n'
    file.write_text(text)
    with pytest.raises(ChangeoverError, match="cannot be edited without damage"):
        settings_file.rewrite(file, KINDS, lambda text: settings_file.remove_account(text, "spare"))
    assert file.read_text() == text


def test_an_edit_that_would_be_wrong_is_not_written(file: Path) -> None:
    """A service at an account that is not there."""
    file.write_text(GOOD)
    wrong = Service(name="x", hostnames=("x.example",), dns=(ZoneAt("nobody", "x.example"),), deployments=())
    with pytest.raises(SettingsError) as refused:
        settings_file.rewrite(file, KINDS, lambda text: settings_file.add_service(text, wrong))
    assert refused.value.faults == (
        'services.x.dns[1].account: there is no account "nobody"; known here: "dns-main", "cf"',
        "services.x.deployments: at least two are needed: the primary first, then its backup",
    )
    assert file.read_text() == GOOD
    assert [path.name for path in file.parent.iterdir() if "lock" not in path.name] == [file.name]


def test_mode_and_link_stay(file: Path) -> None:
    """The file keeps its permissions; a new one is for its owner only."""
    real = file.parent / "in-git.toml"
    real.write_text(GOOD)
    real.chmod(0o664)
    file.symlink_to(real.name)
    settings_file.rewrite(file, KINDS, lambda text: settings_file.set_account(text, SECOND))
    assert file.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o664
    new = file.parent / "new.toml"
    settings_file.rewrite(new, KINDS, lambda text: settings_file.set_account(text, SECOND))
    assert stat.S_IMODE(new.stat().st_mode) == 0o600


KILLED = """
import os, signal, sys
from pathlib import Path
from changeover.accounts.kinds import KINDS
from changeover.storage.settings import file as settings
die = lambda *arguments, **more: os.kill(os.getpid(), signal.SIGKILL)
setattr(os, sys.argv[2], die)
settings.rewrite(Path(sys.argv[1]), KINDS, lambda text: text + "# changed\\n")
"""


@pytest.mark.parametrize("moment", ["fdopen", "fsync", "chmod", "replace"])
def test_a_process_killed_while_it_writes_leaves_the_old_file(file: Path, moment: str) -> None:
    """Killed at the named call of the operating system; the next edit works."""
    file.write_text(GOOD)
    ended = subprocess.run([sys.executable, "-c", KILLED, str(file), moment], timeout=120, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert file.read_text() == GOOD
    settings_file.rewrite(file, KINDS, lambda text: settings_file.set_account(text, SECOND))
    assert file.read_text() == GOOD + ADDED_ACCOUNT


EDITOR = """
import sys
from pathlib import Path
from changeover.model.settings.service import Account
from changeover.accounts.kinds import KINDS
from changeover.storage.settings import file as settings
for number in range(8):
    account = Account(f"{sys.argv[2]}-{number}", "rfc2136", {"server": "127.0.0.1"})
    settings.rewrite(Path(sys.argv[1]), KINDS, lambda text: settings.set_account(text, account))
"""


def test_processes_that_edit_at_once_lose_nothing(file: Path) -> None:
    """Three processes add eight accounts each."""
    file.write_text(GOOD)
    editors = [subprocess.Popen([sys.executable, "-c", EDITOR, str(file), name]) for name in ("x", "y", "z")]
    assert [editor.wait(60) for editor in editors] == [0, 0, 0]
    names = {account.name for account in settings_file.load(file, KINDS).accounts}
    assert names == {"dns-main", "cf", *(f"{name}-{number}" for name in "xyz" for number in range(8))}
    assert file.read_text().startswith(GOOD)


FULL = """
import resource, sys
from pathlib import Path
from changeover.model.errors import ChangeoverError
from changeover.accounts.kinds import KINDS
from changeover.storage.settings import file as settings
resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))
try:
    settings.rewrite(Path(sys.argv[1]), KINDS, lambda text: text + "# changed\\n")
except ChangeoverError as error:
    sys.exit(f"{error.text} {error.hint}")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on a file's size")
def test_a_disk_that_is_full_leaves_the_old_file(file: Path) -> None:
    """The file cannot be written whole: said, and nothing is changed."""
    file.write_text(GOOD)
    ended = subprocess.run(
        [sys.executable, "-c", FULL, str(file)], capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.stderr.strip() == f"{file} cannot be written: File too large Nothing was changed."
    assert file.read_text() == GOOD
    assert [path.name for path in file.parent.iterdir() if "lock" not in path.name] == [file.name]


def test_a_folder_that_cannot_be_written(file: Path) -> None:
    """A file stands where the folder should be."""
    file.write_text("")
    with pytest.raises(ChangeoverError, match="cannot be written"):
        settings_file.rewrite(file / "changeover.toml", KINDS, lambda text: settings_file.set_account(text, SECOND))


def test_only_one_writes_at_a_time(file: Path) -> None:
    """While one process holds the file, another waits, and its change comes on top."""
    file.write_text(GOOD)
    hold = f"""
import filelock, sys
with filelock.FileLock({str(file.with_name(f".{file.name}.lock"))!r}):
    print("held", flush=True)
    sys.stdin.read()
    open({str(file)!r}, "a").write("# from the holder\\n")
"""
    holder = subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None and holder.stdin is not None
    assert holder.stdout.readline() == "held\n"
    editor = subprocess.Popen([sys.executable, "-c", EDITOR.replace("range(8)", "range(1)"), str(file), "x"])
    with pytest.raises(subprocess.TimeoutExpired):
        editor.wait(1)
    holder.stdin.close()
    assert (holder.wait(30), editor.wait(30)) == (0, 0)
    assert "# from the holder\n" in file.read_text()
    assert "[accounts.x-0]" in file.read_text()
    os.stat(file)


@pytest.mark.parametrize(
    "witness",
    [
        "gateway",
        "https://witness.example/trace",
        "tcp://9.9.9.9:443",
        "tcp://[2620:fe::fe]:443",
        "tcp://ns.example:53",
        "http://127.0.0.1:8080/",
        "http://localhost/",
    ],
)
def test_every_kind_of_witness(file: Path, witness: str) -> None:
    """A web address, a port, or the router; plain http on this computer only."""
    file.write_text(changed(("https://witness.example/trace", witness)))
    assert settings_file.load(file, KINDS).lookup.witnesses == (witness,)


def test_nobody_needs_to_be_asked(file: Path) -> None:
    """Empty lists, and an empty portal, ask nobody."""
    file.write_text(changed(('witnesses = ["https://witness.example/trace"]', 'witnesses = []\ndoh = []\nportal = ""')))
    lookup = settings_file.load(file, KINDS).lookup
    assert (lookup.witnesses, lookup.doh) == ((), ())
    assert lookup.portal is None
