"""What a person of this computer has approved of the settings, kept where settings from elsewhere do not go.

One file for each home folder, in this user's own data folder, whatever CHANGEOVER_HOME says: a home may be a checkout,
and what stands in one may have been pushed by anybody.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct, field

from changeover.model.errors import ChangeoverError
from changeover.model.settings.acting_parts import ActingPart, Lines, fingerprint
from changeover.storage.private import read_plain
from changeover.storage.settings.file import write_atomically

log = logging.getLogger(__name__)

#: So many that were approved before are known.
_MOST_FORMER = 10_000
#: Bytes of the file that are read; it takes thousands of parts to come near.
_LARGEST = 16 * 1024 * 1024


class ApprovedPart(Struct, frozen=True, kw_only=True):
    """One part as it was approved, when, and by whom."""

    lines: Lines
    at: datetime
    who: str


class ApprovalRecord(Struct, frozen=True, kw_only=True):
    """All that was approved, by place. `withdrawn` counts how often everything was taken back.

    `former` are the fingerprints of what was approved before, newest last: a run that began with it may end with it.
    """

    home: str
    approved: dict[str, ApprovedPart] = field(default_factory=dict)
    withdrawn: int = 0
    former: tuple[str, ...] = ()

    @property
    def lines(self) -> Mapping[str, Lines]:
        return {place: approval.lines for place, approval in self.approved.items()}


class Approvals:
    """The record of one home folder."""

    def __init__(self, file: Path, home: Path) -> None:
        self._file = file
        self._home = str(home)

    def read(self) -> ApprovalRecord | None:
        """The record; None where nothing was ever approved here. One that cannot be read approves nothing."""
        try:
            record = msgspec.json.decode(read_plain(self._file, _LARGEST), type=ApprovalRecord)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            log.warning("what was approved cannot be read: %s: %s", self._file, error)
            return ApprovalRecord(home=self._home)
        return record if record.home == self._home else ApprovalRecord(home=self._home)

    def approve(self, parts: Iterable[ActingPart], who: str, now: datetime) -> None:
        """Approves `parts` as they are. Raises ChangeoverError where this cannot be kept."""
        new = {part.place: ApprovedPart(lines=part.lines, at=now, who=who) for part in parts}
        self._change(
            lambda record: msgspec.structs.replace(
                record, approved={**record.approved, **new}, former=_former(record, new)
            )
        )

    def approve_once(self, part: ActingPart) -> None:
        """Lets a run that begins with `part` end with it, and approves nothing of the settings by that."""
        former = part.fingerprint
        self._change(
            lambda record: msgspec.structs.replace(
                record, former=tuple(dict.fromkeys((*record.former, former)))[-_MOST_FORMER:]
            )
        )

    def forget(self, places: Iterable[str]) -> None:
        """Takes back what was approved at `places`."""
        gone = set(places)
        self._change(
            lambda record: msgspec.structs.replace(
                record,
                approved={place: a for place, a in record.approved.items() if place not in gone},
                former=_former(record, gone),
            )
        )

    def withdraw(self) -> int:
        """Takes back everything, and gives how many parts that were."""
        had = self.read()
        self._change(lambda record: ApprovalRecord(home=record.home, withdrawn=record.withdrawn + 1))
        return len(had.approved) if had is not None else 0

    def _change(self, change: Callable[[ApprovalRecord], ApprovalRecord]) -> None:
        import filelock

        folder = self._file.parent
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with filelock.FileLock(folder / ".lock", timeout=10, is_singleton=False):
                record = change(self.read() or ApprovalRecord(home=self._home))
                write_atomically(self._file, msgspec.json.format(msgspec.json.encode(record)).decode())
                os.chmod(self._file, 0o600)
        except OSError as error:
            text = f"What is approved cannot be kept in {self._file}: {error.strerror or error}"
            raise ChangeoverError(text, "Nothing was approved. Check that the disk is not full.") from None
        except filelock.Timeout:
            raise ChangeoverError(f"{self._file} is being written by another program", "Try again.") from None


def _former(record: ApprovalRecord, places: Iterable[str]) -> tuple[str, ...]:
    """What was approved before, with what stands at `places` now."""
    gone = [fingerprint(place, record.approved[place].lines) for place in places if place in record.approved]
    return tuple(dict.fromkeys((*record.former, *gone)))[-_MOST_FORMER:]
