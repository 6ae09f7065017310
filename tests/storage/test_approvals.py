"""What was approved, on disk: where nobody else can put it, readable by its owner alone, and never half."""

from __future__ import annotations

import stat
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from changeover.model.errors import ChangeoverError
from changeover.model.settings.acting_parts import ActingPart
from changeover.storage.approvals import Approvals
from changeover.storage.home import Home

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def part(number: int = 1, how: str = "run it") -> ActingPart:
    return ActingPart(place=f"services/shop/actions/{number}", words="It", lines=(("does", how),), owner="service-shop")


def approvals(folder: Path) -> Approvals:
    return Approvals(folder / "kept" / "one.json", folder / "home")


def test_what_was_approved_is_known_until_it_is_taken_back(tmp_path: Path) -> None:
    """By place, with when and by whom; and how often everything was taken back."""
    kept = approvals(tmp_path)
    assert kept.read() is None
    kept.approve([part(1), part(2)], "anna@laptop", NOW)
    kept.approve([part(2, "run another")], "ben@laptop", NOW)
    record = approvals(tmp_path).read()
    assert record is not None
    assert {place: (a.lines[0][1], a.who) for place, a in record.approved.items()} == {
        part(1).place: ("run it", "anna@laptop"),
        part(2).place: ("run another", "ben@laptop"),
    }
    kept.forget([part(1).place])
    assert kept.withdraw() == 1
    record = kept.read()
    assert record is not None
    assert (record.approved, record.withdrawn) == ({}, 1)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_only_its_owner_reads_and_writes_it(tmp_path: Path, umask: int) -> None:
    """Whatever the umask, the first time and after each change."""
    import os

    before = os.umask(umask)
    try:
        for number in (1, 2):
            approvals(tmp_path).approve([part(number)], "anna", NOW)
            assert stat.S_IMODE((tmp_path / "kept" / "one.json").stat().st_mode) == 0o600
            assert stat.S_IMODE((tmp_path / "kept").stat().st_mode) == 0o700
    finally:
        os.umask(before)


def test_it_never_lies_in_the_home_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home that CHANGEOVER_HOME names may be a checkout, and what lies there may have been pushed."""
    monkeypatch.setenv("CHANGEOVER_HOME", str(tmp_path / "checkout"))
    home = Home.from_environment()
    assert not home.approvals_file.is_relative_to(tmp_path / "checkout")
    assert home.approvals_file != Home.at(tmp_path / "another").approvals_file


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"home": 1}',
        b'{"home": "/elsewhere", "approved": {}, "withdrawn": 7}',
        b'{"home": "HOME", "approved": {"services/shop/actions/1": {"lines": "x", "at": 1, "who": 2}}}',
    ],
)
def test_a_file_that_cannot_be_read_approves_nothing(tmp_path: Path, text: bytes) -> None:
    """Damaged, of another kind, or of another home; the next approval replaces it."""
    kept = approvals(tmp_path)
    file = tmp_path / "kept" / "one.json"
    file.parent.mkdir()
    file.write_bytes(text.replace(b"HOME", str(tmp_path / "home").encode()))
    record = kept.read()
    assert record is not None
    assert record.approved == {}
    kept.approve([part()], "anna", NOW)
    record = kept.read()
    assert record is not None
    assert list(record.approved) == [part().place]


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """With where it is; nothing is approved by half."""
    (tmp_path / "kept").write_text("a file stands where the folder should be")
    with pytest.raises(ChangeoverError, match="What is approved cannot be kept in"):
        approvals(tmp_path).approve([part()], "anna", NOW)


def test_two_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    """Eight threads approve eight parts each."""
    threads = [
        threading.Thread(
            target=lambda first=first: [
                approvals(tmp_path).approve([part(first * 8 + n)], "anna", NOW) for n in range(8)
            ]
        )
        for first in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    record = approvals(tmp_path).read()
    assert record is not None
    assert len(record.approved) == 64
