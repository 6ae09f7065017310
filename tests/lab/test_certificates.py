"""The practice ground's certificates: made once, kept private, and made anew in time."""

from __future__ import annotations

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from changeover.lab.certificates import server_context

NAMES = ("www.shop.example", "shop.example", "127.0.0.2", "::1")
NOW = datetime.now(UTC)


def files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_they_are_used_again(tmp_path: Path) -> None:
    """Whoever has come to trust the authority goes on doing so."""
    server_context(tmp_path, NAMES, NOW)
    made = files(tmp_path)
    server_context(tmp_path, NAMES, NOW + timedelta(days=300))
    assert files(tmp_path) == made


def test_they_are_made_anew_before_they_run_out(tmp_path: Path) -> None:
    """With less than 30 days left."""
    server_context(tmp_path, NAMES, NOW)
    made = files(tmp_path)
    server_context(tmp_path, NAMES, NOW + timedelta(days=336))
    assert all(content != made[name] for name, content in files(tmp_path).items())


@pytest.mark.parametrize("name", ["ca.pem", "server.pem"])
@pytest.mark.parametrize("damage", ["gone", "cut", "foreign"])
def test_they_are_made_anew_when_damaged(tmp_path: Path, name: str, damage: str) -> None:
    """Whichever file is damaged, both fit together again afterwards."""
    folder, other = tmp_path / "one", tmp_path / "other"
    for each in (folder, other):
        each.mkdir()
        server_context(each, NAMES, NOW)
    if damage == "gone":
        (folder / name).unlink()
    else:
        whole = (folder if damage == "cut" else other) / name
        text = whole.read_text()
        (folder / name).write_text(text[:100] if damage == "cut" else text)
    server_context(folder, NAMES, NOW)
    authority, leaf = (x509.load_pem_x509_certificate((folder / n).read_bytes()) for n in ("ca.pem", "server.pem"))
    leaf.verify_directly_issued_by(authority)


def test_the_key_is_private_and_the_authoritys_key_is_nowhere(tmp_path: Path) -> None:
    """Nobody can make another certificate that a person who trusts this authority would trust."""
    server_context(tmp_path, NAMES, NOW)
    assert stat.S_IMODE((tmp_path / "server.pem").stat().st_mode) == 0o600
    assert b"PRIVATE KEY" not in (tmp_path / "ca.pem").read_bytes()
    assert sorted(files(tmp_path)) == ["ca.pem", "server.pem"]


def test_the_names_are_in_it(tmp_path: Path) -> None:
    """Hostnames and addresses, so that the page opens either way."""
    server_context(tmp_path, NAMES, NOW)
    leaf = x509.load_pem_x509_certificate((tmp_path / "server.pem").read_bytes())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["www.shop.example", "shop.example"]
    assert [str(a) for a in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.2", "::1"]
    assert isinstance(server_context(tmp_path, NAMES, NOW), ssl.SSLContext)
