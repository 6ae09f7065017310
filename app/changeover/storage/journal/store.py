"""What every store of the journal promises, and how events are written in any of them."""

from __future__ import annotations

import zlib
from contextlib import AbstractAsyncContextManager
from typing import Protocol, get_args

import msgspec

from changeover.model.runs.run import EVENT_VERSION, Entry, Event, Started, UnreadableEvent


class JournalStore(Protocol):
    """Where the journal of all runs is kept: on this computer, or one day where several computers see it.

    Its methods, by what each must guarantee, whatever happens to processes, computers and the network between them:

    - Compare and set: `begin` gives a number that no run of the service has, and `lock` a lock that nobody else holds.
      Of two that try at once, one succeeds. Whoever cannot know whether it did has not.
    - Durability: `begin` and `append` return once their entry outlives a loss of power, and it is never changed again.
      An error leaves the entry out, or in: who gets one reads before it goes on.
    - Order: `read` and `read_all` give a run's entries in the one order in which they were appended, and whoever reads
      after an `append` has returned, in whichever process, sees its entry. There are no gaps.
    - Liveness: `is_alive` is true while a holder of the lock works, and false soon after it died, its computer
      included. Where it cannot be known it raises, rather than guess: a run that goes on must not look interrupted.

    All of them raise ChangeoverError where the store cannot be used.
    """

    async def begin(self, started: Started) -> Entry:
        """Opens a new run with its plan. The run's name is the service's with the next number."""
        ...

    async def append(self, run: str, event: Event) -> Entry:
        """Adds one entry to a run."""
        ...

    async def read(self, run: str) -> tuple[Entry, ...]:
        """One run's entries, oldest first. Raises UsageError where there is no such run."""
        ...

    async def read_all(self) -> tuple[tuple[Entry, ...], ...]:
        """Every run's entries, newest run first. A run without new entries is the same tuple as the last time."""
        ...

    def lock(self, service: str) -> AbstractAsyncContextManager[None]:
        """Makes this the only one that works on runs of the service. Raises Refused where somebody else does."""
        ...

    async def is_alive(self, service: str) -> bool:
        """Does somebody hold the service's lock, on any computer? Then its run without an end is running."""
        ...

    def close(self) -> None:
        """Lets go of the store."""
        ...


def encoded(event: Event) -> tuple[int, bytes, int]:
    """An event as it is stored: its version, its bytes, and their checksum."""
    raw = _encoder.encode(event)
    return EVENT_VERSION, raw, zlib.crc32(raw)


def decoded(version: int | None, raw: bytes, checksum: int | None) -> Event | UnreadableEvent:
    """A stored event. Those of version 1 have neither a version nor a checksum."""
    if checksum is not None and zlib.crc32(raw) != checksum:
        return UnreadableEvent(newer=False)
    if version is not None and version > EVENT_VERSION:
        return UnreadableEvent(newer=True)
    try:
        return _decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return UnreadableEvent(newer=_unknown_kind(raw))


def _unknown_kind(raw: bytes) -> bool:
    """Is it sound, and of a kind that this Changeover has not heard of?"""
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    kind = found.get("type") if isinstance(found, dict) else None
    return isinstance(kind, str) and kind not in _KINDS


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Event)
_KINDS = {kind.__struct_config__.tag for kind in get_args(Event)}
