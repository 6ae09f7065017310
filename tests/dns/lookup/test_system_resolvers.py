"""The resolvers of the system: what networks write into resolv.conf, whatever it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from changeover.dns.lookup import system_resolvers as module
from changeover.dns.lookup.system_resolvers import resolvers_in, system_resolvers


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", ()),
        (b"search lan\nnameserver 192.0.2.1\nnameserver 2001:db8::1\n", ("192.0.2.1", "2001:db8::1")),
        (b"nameserver fe80::1%eth0", ("fe80::1%eth0",)),
        (b"nameserver router.lan\nnameserver 192.0.2.1\n", ("192.0.2.1",)),
        ("# Büro\nnameserver 192.0.2.1".encode("latin-1"), ("192.0.2.1",)),
        (b"nameserver\nnameserver 192.0.2.1:53\n#nameserver 192.0.2.2\noptions edns0", ()),
        (b"nameserver 192.0.2.1 # of the office\r\n\0\0", ("192.0.2.1",)),
    ],
)
def test_a_line_that_is_no_address_spoils_no_other(content: bytes, found: tuple[str, ...]) -> None:
    """A router's name, another encoding, a port: the other lines count."""
    assert resolvers_in(content) == found


def test_another_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands there now is asked, not what stood there when Changeover was started."""
    file = tmp_path / "resolv.conf"
    monkeypatch.setattr(module, "RESOLV_CONF", file)
    assert system_resolvers() == ()
    for address in ("192.0.2.1", "192.0.2.2"):
        file.write_text(f"nameserver {address}\n")
        assert system_resolvers() == (address,)


def test_a_file_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only its beginning is read."""
    monkeypatch.setattr(module, "RESOLV_CONF", Path("/dev/zero"))
    assert system_resolvers() == ()


def test_programs_that_tests_start_know_none() -> None:
    """Whatever the settings say, nothing is asked of the machine's own."""
    look = "from changeover.dns.lookup.system_resolvers import system_resolvers; print(system_resolvers())"
    assert subprocess.check_output([sys.executable, "-c", look], text=True) == "()\n"
