"""A secret that is none is refused when it is given: no later request fails for it, and nothing is kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from changeover.accounts.kinds import KINDS
from changeover.model.secret import Secret
from changeover.model.settings.account_fields import LONGEST_SECRET, every_secret

SETTINGS = """
version = 1
[accounts.a]
provider = "rfc2136"
server = "127.0.0.1"
[[services]]
name = "shop"
hostnames = ["www.shop.example"]
dns = [{ account = "a", zone = "shop.example" }]
[[services.health.journeys]]
name = "log in"
steps = [{ path = "/", headers = { Authorization = "Bearer {secret:probe}" } }]
[[services.deployments]]
name = "one"
answer = { a = ["192.0.2.1"] }
[[services.deployments]]
name = "two"
answer = { a = ["192.0.2.2"] }
"""
NO_TEXT = {
    "carriage return": b"token\rX-Evil: 1",
    "line feed": b"token\nsecond",
    "zero": b"to\0ken",
    "escape": b"\x1b[2Jtoken",
    "not UTF-8": b"t\xff\xfeken",
    "a megabyte": b"t" * 2**20,
    "nothing": b"\n",
    "a line separator": "to\u2028ken".encode(),
    "deep": b'{"a":' * 60_000,
}
FIELDS = {f"{name} {field.name}": field for name in KINDS.names for field in every_secret(KINDS.of(name))}


@pytest.mark.parametrize("what", list(NO_TEXT))
@pytest.mark.parametrize(
    "words",
    [
        ("account", "add", "x", "--provider", "digitalocean", "--secret-stdin"),
        ("account", "add", "x", "--provider", "ovh", "--secret-stdin"),
        ("service", "secret", "shop", "probe", "--secret-stdin"),
    ],
    ids=["one", "several", "service"],
)
def test_by_command(tmp_path: Path, words: tuple[str, ...], what: str) -> None:
    """2, in words that do not repeat it, whichever command it is for; and a stream without an end is not read to it."""
    (tmp_path / "changeover.toml").write_text(SETTINGS)
    ended = subprocess.run(
        [sys.executable, "-m", "changeover", *words],
        env={**os.environ, "CHANGEOVER_HOME": str(tmp_path)},
        input=NO_TEXT[what],
        capture_output=True,
        timeout=120,
        check=False,
    )
    said = ended.stderr.decode()
    assert ended.returncode == 2, said
    assert "A fault in Changeover" not in said
    assert "\x1b" not in said and "X-Evil" not in said
    assert (tmp_path / "changeover.toml").read_text() == SETTINGS


@pytest.mark.parametrize("name", list(FIELDS))
def test_every_declared_secret(name: str) -> None:
    """Of every provider and platform, as the window asks as well; one that fits is taken without its line's end."""
    field = FIELDS[name]
    good = field.example or "x" * 40
    for bad in (
        f"{good}\r\nX: y",
        f"{good}\0",
        f"\x1b{good}",
        f"{good}\u00fc\u2028",
        "t" * (LONGEST_SECRET + 1),
        " \n",
    ):
        if not field.several_lines:
            assert field.fitted(Secret(bad)) is None, bad[:80]
    assert field.fitted(Secret("-" * (LONGEST_SECRET + 1))) is None
