"""How a service is checked, in the settings: what is written is read back, and nothing else of the file changes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import trustme
from hypothesis import HealthCheck as Hypothesis
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from msgspec.structs import replace

from changeover.accounts.kinds import KINDS
from changeover.model.errors import SettingsError
from changeover.model.health.check import HealthCheck, Journey, JourneyStep, Thresholds
from changeover.model.settings.maintenance import DAYS, Maintenance
from changeover.model.settings.service import Service
from changeover.storage.settings import file as settings_file
from storage.settings_texts import GOOD, changed

LOGIN = Journey(
    name="log in and out",
    steps=(
        JourneyStep(
            path="/login",
            method="POST",
            headers={"Content-Type": "application/json"},
            body='{"user": "probe", "password": "{secret:probe-login}"}',
            expect_status="200",
            capture={"token": "json:session.token", "order": 'body:order-(\\d+)"'},
        ),
        JourneyStep(path="/orders/{order}", headers={"Authorization": "Bearer {token}"}, expect_within=1.5),
    ),
)
FULL = HealthCheck(
    path="/health",
    port=8443,
    expect_status="200",
    expect_body="ok",
    expect_body_match="version [0-9]+",
    expect_body_without="maintenance",
    expect_json={"database.ok": True, "queue": "< 100", "workers": 4, "load": 0.5, "name": "true"},
    expect_header={"Server": "nginx"},
    headers={"X-Health-Check": "changeover", "User-Agent": "Jürgen"},
    expect_within=2,
    expect_certificate_days=14,
    interval=60,
    suspect_interval=5,
    timeout=20,
    connect_timeout=2.5,
    tls_timeout=3,
    first_byte_timeout=9,
    thresholds=Thresholds(down_after=5, up_seconds=90),
    journeys=(LOGIN, Journey(name="read", steps=(JourneyStep(path="/"),))),
)
WINDOWS = (
    Maintenance(at="02:30", minutes=90, date="2026-12-01", zone="Europe/Berlin"),
    Maintenance(at="04:00", minutes=30, days=("saturday", "sunday"), deployments=("backup",)),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "changeover.toml"
    made.write_text(GOOD)
    return made


def with_check(file: Path, health: HealthCheck, windows: tuple[Maintenance, ...] = (), name: str = "shop") -> Service:
    """The service as it is read back after its check was written."""
    before = settings_file.load(file, KINDS)
    service = before.service(name)
    assert service is not None
    wanted = replace(service, health=health, maintenance=windows)
    after = settings_file.rewrite(file, KINDS, lambda text: settings_file.set_check(text, wanted, file.parent))
    assert after == settings_file.load(file, KINDS)
    assert [s for s in after.services if s.name != name] == [s for s in before.services if s.name != name]
    assert (after.accounts, after.lookup) == (before.accounts, before.lookup)
    found = after.service(name)
    assert found is not None
    assert (found.hostnames, found.deployments, found.ttl) == (service.hostnames, service.deployments, service.ttl)
    return found


def test_everything_is_written_and_read_back(file: Path) -> None:
    """Every key at once, for a service that has a check and for one that has none."""
    for name, windows in (("shop", WINDOWS), ("blog", WINDOWS[:1])):
        found = with_check(file, FULL, windows, name)
        assert found.health == FULL
        assert found.maintenance == windows


BLOCKS = """
[services.health.thresholds]
down_after = 5

[[services.health.journeys]]
name = "read"

[[services.health.journeys.steps]]
path = "/"
expect_json = {"queue.length" = "< 100"}
"""
WRITTEN_WINDOW = """
[[services.maintenance]]
at = "02:30"
minutes = 90
zone = "Europe/Berlin"
date = "2026-12-01"
"""


def test_a_check_looks_as_a_person_would_write_it(file: Path) -> None:
    """Keys stay where they are; thresholds and journeys follow the check, windows stand at the service's end."""
    old = settings_file.load(file, KINDS).services[0].health
    journeys = (Journey(name="read", steps=(JourneyStep(path="/", expect_json={"queue.length": "< 100"}),)),)
    with_check(file, replace(old, thresholds=Thresholds(down_after=5), journeys=journeys), WINDOWS[:1])
    deployments, blog = "\n[[services.deployments]]", '\n[[services]]\nname = "blog"'
    assert file.read_text() == changed((deployments, BLOCKS + deployments), (blog, WRITTEN_WINDOW + blog))


COMMENTED = changed(
    ("[services.health]", "# How it is checked.\n[services.health]            # by the team"),
    ('path = "/health"', '# What answers quickly.\npath = "/health"             # no database'),
    ("interval = 15", "interval = 15                # seconds"),
    (
        "\n[[services.deployments]]\n",
        "\n[services.health.thresholds]\n# The line is bad.\ndown_after = 5\n\n[[services.deployments]]\n",
    ),
    (
        '\n[[services]]\nname = "blog"',
        "\n# The platform's own.\n[[services.maintenance]]\ndate = 2026-12-01                # a Tuesday\n"
        "at = 02:30:00\nminutes = 60\n\n# Backups.\n[[services.maintenance]]\n"
        'at = "04:00"\nminutes = 30\ndays = ["sunday"]\n'
        '\n# The blog.\n[[services]]\nname = "blog"',
    ),
)


def test_a_former_name_is_still_read(file: Path) -> None:
    """A key that was renamed means what it did, and stays as it is written until its value changes."""
    block = "\n[services.health.thresholds]\ndown_gathered = 12\n\n[[services.deployments]]\n"
    file.write_text(changed(("\n[[services.deployments]]\n", block)))
    before = settings_file.load(file, KINDS).services[0]
    assert before.health.thresholds == Thresholds(failures_before_down=12)
    with_check(file, replace(before.health, interval=20), before.maintenance)
    assert "down_gathered = 12\n" in file.read_text()
    with_check(file, replace(before.health, thresholds=Thresholds(failures_before_down=13)), before.maintenance)
    assert "down_gathered" not in file.read_text()
    assert settings_file.load(file, KINDS).services[0].health.thresholds.failures_before_down == 13


def test_comments_survive(file: Path) -> None:
    """What changes does so where it stands; every comment stays, and what did not change stays as it was written."""
    file.write_text(COMMENTED)
    before = settings_file.load(file, KINDS).services[0]
    assert before.maintenance[0] == Maintenance(date="2026-12-01", at="02:30", minutes=60)
    with_check(file, before.health, before.maintenance)
    assert file.read_text() == COMMENTED

    with_check(file, replace(before.health, interval=20), before.maintenance)
    assert file.read_text() == COMMENTED.replace("interval = 15 ", "interval = 20 ")
    with_check(file, before.health, before.maintenance)
    assert file.read_text() == COMMENTED

    with_check(file, replace(before.health, thresholds=Thresholds()), before.maintenance[1:])
    gone = "\n[services.health.thresholds]\n# The line is bad.\ndown_after = 5\n"
    window = "[[services.maintenance]]\ndate = 2026-12-01                # a Tuesday\nat = 02:30:00\nminutes = 60\n"
    assert "# The platform's own.\n" in file.read_text()
    kept = [line for line in COMMENTED.replace(gone, "").replace(window, "").splitlines() if line]
    assert sorted(line for line in file.read_text().splitlines() if line) == sorted(kept)


CHECK = GOOD[GOOD.index("[services.health]") : GOOD.index("[[services.depl")]
LAYOUTS = {
    "as usual": GOOD,
    "commented": COMMENTED,
    "Windows": COMMENTED.replace("\n", "\r\n"),
    "a byte order mark": "\ufeff" + COMMENTED,
    "in one line": changed((CHECK, ""), ("ttl = 60", 'ttl = 60\nhealth = { path = "/x" }  # short')),
    "with dots": changed((CHECK, ""), ("ttl = 60", 'ttl = 60\nhealth.path = "/x"\nhealth.thresholds.down_after = 4')),
    "thresholds alone": changed((CHECK, "[services.health.thresholds]\ndown_after = 4\n\n")),
    "thresholds in one line": changed(("timeout = 2.5", "timeout = 2.5\nthresholds = { down_after = 4 }")),
    "conditions as tables": changed(
        (
            "timeout = 2.5",
            'timeout = 2.5\n\n[services.health.expect_json]\nok = true\n\n[services.health.expect_header]\nA = "b"',
        )
    ),
    "windows in one line": changed(
        ("ttl = 60", 'ttl = 60\nmaintenance = [{ at = "01:00", minutes = 5, days = ["monday"] }]')
    ),
    "the check comes last": changed((CHECK, ""), ('["198.51.100.24"] }\n', f'["198.51.100.24"] }}\n\n{CHECK}')),
    "indented": "".join(f"  {line}" if line.strip() else line for line in COMMENTED.splitlines(keepends=True)),
    "no blank lines": COMMENTED.replace("\n\n", "\n"),
}


def outside(text: str) -> list[str]:
    """The lines of a file that have nothing to do with how the shop is checked."""
    tables = ("[services.health", "[[services.health", "[[services.maintenance")
    lines, inside = [], False
    for line in text.splitlines():
        bare = line.strip()
        if bare.startswith("["):
            inside = bare.startswith(tables)
        if bare and not (inside and not bare.startswith("#")) and not bare.startswith(("health", "maintenance")):
            lines.append(line)
    return lines


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_every_layout_can_be_edited(file: Path, layout: str) -> None:
    """However people lay a file out: written, read back, taken away again, and the other lines stay."""
    file.write_bytes(layout.encode())
    before = settings_file.load(file, KINDS).services[0]
    for health, windows in ((FULL, WINDOWS), (HealthCheck(), ()), (before.health, before.maintenance)):
        found = with_check(file, health, windows)
        assert (found.health, found.maintenance) == (health, windows)
        written = file.read_bytes().decode()
        assert [line for line in outside(written) if "#" not in line] == [
            line for line in outside(layout) if "#" not in line
        ]
        newline = "\r\n" if "\r\n" in layout else "\n"
        assert written.count("\r\n") == (written.count("\n") if newline == "\r\n" else 0)
        assert written.startswith("\ufeff") == layout.startswith("\ufeff")


def test_a_certificate_file_stays_relative(file: Path) -> None:
    """It is read as an absolute path, and is not written as one."""
    trustme.CA().cert_pem.write_to_path(file.parent / "team-ca.pem")
    file.write_text(changed(("port = 8443", 'ca_file = "team-ca.pem"')))
    health = settings_file.load(file, KINDS).services[0].health
    assert health.ca_file == str(file.parent / "team-ca.pem")
    with_check(file, replace(health, interval=20))
    assert 'ca_file = "team-ca.pem"' in file.read_text()


def test_true_is_not_one(file: Path) -> None:
    """Though they are equal to Python."""
    for value in (1, True, 1, 10**30, "1"):
        found = with_check(file, HealthCheck(expect_json={"a": value})).health.expect_json["a"]
        assert repr(found) == repr(value)


def test_a_service_that_is_gone_is_no_fault(file: Path) -> None:
    """Another process has removed it."""
    shop = settings_file.load(file, KINDS).services[0]
    text = file.read_text()
    assert settings_file.set_check(text, replace(shop, name="third", health=FULL)) == text


def test_a_new_service_brings_its_check(file: Path) -> None:
    """Journeys and windows are written with a service that is added, too."""
    blog = settings_file.load(file, KINDS).services[1]
    added = replace(blog, name="b2", hostnames=("b2.blog.example",), health=FULL, maintenance=WINDOWS[:1])
    assert settings_file.rewrite(file, KINDS, lambda text: settings_file.add_service(text, added)).services[-1] == added
    assert file.read_text().startswith(GOOD)


# Whatever can be set

TEXT = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)
LINE = st.text(st.characters(categories=("L", "N", "P", "Zs")), min_size=1, max_size=12).filter(str.isprintable)
WORD = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,8}", fullmatch=True)
KEY = st.from_regex(r"[a-z]{1,6}(\.[a-z]{1,4})?", fullmatch=True)
SECONDS = st.floats(0.1, 60, allow_subnormal=False) | st.integers(1, 60)
EXPECTED = {
    "expect_status": st.sampled_from(["200-399", "200", "200-299,401"]),
    "expect_body": st.none() | TEXT,
    "expect_body_match": st.none() | WORD | st.sampled_from(["a(b|c)+", r"\d+\s", 'say "ok"']),
    "expect_body_without": st.none() | TEXT,
    "expect_json": st.dictionaries(
        KEY,
        st.booleans() | st.integers(-99, 99) | st.floats(-9, 9) | LINE.filter(lambda t: t[0] not in "<>"),
        max_size=3,
    ),
    "expect_header": st.dictionaries(WORD, TEXT, max_size=2),
    "expect_within": st.none() | SECONDS,
}


def unbraced(headers: dict[str, str]) -> dict[str, str]:
    """Without what could be the name of a captured value."""
    return {name: value.replace("}", "") for name, value in headers.items()}


STEPS = st.builds(
    JourneyStep,
    path=KEY.map("/{}".format),
    method=st.sampled_from(["GET", "POST", "DELETE"]),
    headers=st.dictionaries(WORD.filter(lambda w: w.lower() not in ("host", "connection")), LINE, max_size=2).map(
        unbraced
    ),
    body=st.none() | TEXT.map(lambda text: text.replace("}", "")),
    capture=st.dictionaries(st.sampled_from(["id", "token"]), st.sampled_from(["json:a.b", "header:X-A", "body:(x)"])),
    **EXPECTED,
)
JOURNEYS = st.lists(
    st.builds(Journey, name=LINE.filter(str.strip), steps=st.lists(STEPS, min_size=1, max_size=2).map(tuple)),
    max_size=2,
    unique_by=lambda journey: journey.name,
)
HEALTH = st.builds(
    HealthCheck,
    path=KEY.map("/{}".format),
    port=st.none() | st.integers(1, 65535),
    expect_certificate_days=st.none() | st.integers(1, 90),
    interval=st.integers(1, 86400),
    suspect_interval=SECONDS.map(lambda s: max(1, s)),
    timeout=SECONDS,
    connect_timeout=SECONDS,
    tls_timeout=SECONDS,
    first_byte_timeout=SECONDS,
    thresholds=st.builds(
        Thresholds,
        down_after=st.integers(1, 10),
        failures_before_down=st.integers(10, 20),
        up_after=st.integers(1, 10),
        up_seconds=st.integers(0, 300),
        flapping_changes=st.integers(2, 9),
        flapping_window=st.integers(10, 30),
    ),
    journeys=JOURNEYS.map(tuple),
    **EXPECTED,
)
ONCE = st.dates(min_value=date(2020, 1, 1), max_value=date(2199, 12, 31))
WINDOW = st.builds(
    Maintenance,
    at=st.times().map(lambda t: t.strftime("%H:%M")),
    minutes=st.integers(1, 20160),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]),
    deployments=st.lists(st.sampled_from(["primary", "backup"]), unique=True).map(tuple),
)
MAINTENANCE = st.builds(
    lambda window, when: replace(window, **when),
    WINDOW,
    st.fixed_dictionaries({"date": ONCE.map(str)})
    | st.fixed_dictionaries({"days": st.lists(st.sampled_from(DAYS), min_size=1, unique=True).map(tuple)}),
)


@limits(max_examples=40, suppress_health_check=[Hypothesis.too_slow])
@given(
    edits=st.lists(st.tuples(HEALTH, st.lists(MAINTENANCE, max_size=3).map(tuple)), min_size=1, max_size=2),
    layout=st.sampled_from([text for name, text in LAYOUTS.items() if name not in ("Windows", "a byte order mark")]),
)
def test_whatever_is_written_is_read_back(
    edits: list[tuple[HealthCheck, tuple[Maintenance, ...]]], layout: str
) -> None:
    """Any check and any windows, over any that were there before; the other lines of the file are untouched."""
    file = Path("changeover.toml")
    text = layout
    for health, windows in edits:
        shop, blog = settings_file.parse(text, file, KINDS).services
        wanted = replace(shop, health=health, maintenance=windows)
        text = settings_file.set_check(text, wanted)
        assert settings_file.parse(text, file, KINDS).services == (wanted, blog)
    assert text.endswith(layout[layout.index("[[services]]", layout.index("[[services]]") + 1) :])
    assert text.startswith(layout[: layout.index("ttl = 60")])


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ('headers = { Host = "elsewhere.example" }', "is set by Changeover itself"),
        ('headers = { "X A" = "b" }', "X A"),
        ('headers = { X-A = "b\\nX-B: c" }', "must be one line"),
    ],
)
def test_headers_that_a_check_cannot_send(file: Path, key: str, why: str) -> None:
    """Told with their key: those of the connection itself, and what would be another header."""
    file.write_text(changed(("port = 8443", key)))
    with pytest.raises(SettingsError, match=r"services.*health\.headers") as caught:
        settings_file.load(file, KINDS)
    assert why in str(caught.value)
