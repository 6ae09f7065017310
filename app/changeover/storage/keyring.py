"""Secrets in the operating system's keyring, and nowhere else.

One entry a secret field: service `changeover:<account>` (with CHANGEOVER_HOME `changeover:<account>@<its path>`), user
name the field. Each entry also records the host that the secret was added for, and what else it is bound to: a text
for each way that it may go, which stands for scheme, port, certificates and the like. Entries of older versions have
the host alone, and are bound to nothing else until `bind`. What is longer than an entry may be on Windows (1,280
characters, since 2,560 bytes of UTF-16) is split over further entries and joined with a checksum.

The keyring is called on one daemon thread: a locked Secret Service with nobody to unlock it blocks for ever, and a
thread of an executor would be waited for when the command ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import queue
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from changeover.model.errors import AuthError, ChangeoverError, KeyringError
from changeover.model.secret import Secret
from changeover.storage.home import Home

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

T = TypeVar("T")

TIMEOUT = 20.0
#: Room is left below Windows' 1,280 characters for the entry's own JSON.
CHUNK = 1000
_FIX = (
    "Unlock or install a keyring (GNOME Keyring, KWallet or KeePassXC on Linux), or run Changeover in your desktop "
    "session. Secrets are never written to a file."
)


class _Entry(NamedTuple):
    """A secret, the host that it was added for, and the ways there; None where an older version added it."""

    host: str
    bound: tuple[str, ...] | None
    secret: Secret


class BoundOtherwise(AuthError):
    """A secret was added for this host, but not for the way there that it would go."""


class Vault:
    """The secrets of one installation. `memory` holds those that a person chose to keep for this session only."""

    def __init__(self, home: Home, timeout: float = TIMEOUT) -> None:
        self._suffix = f"@{home.custom}" if home.custom else ""
        self._timeout = timeout
        self._memory: dict[tuple[str, str], _Entry] = {}
        self._calls: queue.SimpleQueue[Callable[[], None]] | None = None

    async def get(self, account: str, field: str, host: str, bound: str = "") -> Secret | None:
        """The secret, or None where there is none.

        AuthError where it was added for another host than `host`, or for other ways of it than `bound`.
        """
        kept = await self._entry(account, field)
        if kept is None:
            return None
        if kept.host != host:
            raise AuthError(
                f"The secret of account {account} was added for {kept.host}, not for {host}",
                f"If that host is right, add it again: changeover account add {account} … --replace",
            )
        if kept.bound is not None and bound not in kept.bound:
            raise BoundOtherwise(
                f"The secret of account {account} was added for {host}, but not for what the settings say of it now",
                f"If they are right, add it again: changeover account add {account} … --replace",
            )
        return kept.secret

    async def is_former(self, account: str, field: str, host: str) -> bool:
        """Is there a secret that an older version added for `host`, bound to nothing else?"""
        kept = await self._entry(account, field)
        return kept is not None and kept.bound is None and kept.host == host

    async def bind(self, account: str, field: str, host: str, bound: Sequence[str]) -> None:
        """Binds the secret to these ways from now on, where there is one and it was added for `host`."""
        kept = await self._entry(account, field)
        if kept is None or kept.host != host or kept.bound == tuple(bound):
            return
        if self.in_memory(account, field):
            self.hold(account, field, host, kept.secret, bound)
        else:
            await self.put_all(account, host, {field: kept.secret}, bound)

    def hold(self, account: str, field: str, host: str, secret: Secret, bound: Sequence[str] | None = None) -> None:
        """Keeps a secret in memory, for this session only."""
        self._memory[(account, field)] = _Entry(host, None if bound is None else tuple(bound), secret)

    async def put(
        self, account: str, field: str, host: str, secret: Secret, bound: Sequence[str] | None = None
    ) -> None:
        """Keeps a secret in the keyring, replacing the one before."""
        await self.put_all(account, host, {field: secret}, bound)

    async def put_all(
        self, account: str, host: str, secrets: Mapping[str, Secret], bound: Sequence[str] | None = None
    ) -> None:
        """Keeps the secrets of an account in the keyring: all of them, or, where one is not taken, those before."""
        ways = {} if bound is None else {"bound": list(bound)}
        texts = {
            field: json.dumps({"host": host, **ways, "secret": secret.reveal()}) for field, secret in secrets.items()
        }
        await self._call(lambda ring: _write_all(ring, self._service(account), texts))
        for field in secrets:
            self._memory.pop((account, field), None)

    async def _entry(self, account: str, field: str) -> _Entry | None:
        kept = self._memory.get((account, field))
        if kept is not None:
            return kept
        text = await self._call(lambda ring: _read(ring, self._service(account), field))
        return None if text is None else _unpack(account, text)

    async def forget(self, account: str, field: str) -> None:
        """Removes a secret, if there is one."""
        in_memory = self._memory.pop((account, field), None) is not None
        try:
            await self._call(lambda ring: _remove(ring, self._service(account), field))
        except KeyringError:
            if not in_memory:  # what is in memory may be so since there is no keyring
                raise

    def in_memory(self, account: str, field: str) -> bool:
        return (account, field) in self._memory

    def _service(self, account: str) -> str:
        return f"changeover:{account}{self._suffix}"

    async def _call(self, work: Callable[[KeyringBackend], T]) -> T:
        """Runs `work` with the keyring on the keyring's own thread. Raises KeyringError, in the end by time-out."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def settle(result: T | None, error: ChangeoverError | None) -> None:
            if not future.done():
                if error is not None:
                    future.set_exception(error)
                else:
                    future.set_result(result)  # type: ignore[arg-type]

        def on_thread() -> None:
            result: T | None = None
            error: ChangeoverError | None = None
            try:
                result = work(_usable_keyring())
            except ChangeoverError as refused:
                error = refused
            except Exception as failed:  # noqa: BLE001  (backends raise what they like; its text may hold the secret)
                error = KeyringError(_failure(failed), _FIX)
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, result, error)

        if self._calls is None:
            self._calls = queue.SimpleQueue()
            threading.Thread(target=_serve, args=(self._calls,), name="keyring", daemon=True).start()
        self._calls.put(on_thread)
        try:
            async with asyncio.timeout(self._timeout):
                return await future
        except TimeoutError:
            self._calls = None  # that thread may hang for ever; the next call gets a new one
            raise KeyringError(
                f"The keyring did not answer within {self._timeout:g} s; it may be waiting to be unlocked", _FIX
            ) from None


def _serve(calls: queue.SimpleQueue[Callable[[], None]]) -> None:
    while True:
        calls.get()()


def _usable_keyring() -> KeyringBackend:
    """The keyring in use. Raises KeyringError for none, null, and every kind that keeps secrets in a plain file."""
    import keyring
    from keyring.backends import chainer, fail, null

    ring = keyring.get_keyring()
    members = ring.backends if isinstance(ring, chainer.ChainerBackend) else [ring]
    kinds = {f"{type(member).__module__}.{type(member).__name__}" for member in members}
    if not kinds or isinstance(ring, fail.Keyring):
        raise KeyringError("There is no keyring to keep secrets in", _FIX)
    for member in members:
        if isinstance(member, null.Keyring):
            raise KeyringError("The keyring is switched off (the null backend)", _FIX)
    plain = sorted(kind for kind in kinds if kind.startswith("keyrings.alt") or "plaintext" in kind.lower())
    if plain:
        raise KeyringError(f"The keyring {plain[0]} writes secrets to a file that anybody could read", _FIX)
    return ring


def _failure(error: Exception) -> str:
    from keyring.errors import KeyringLocked

    if isinstance(error, KeyringLocked):
        return "The keyring is locked, and nobody unlocked it"
    return f"The keyring failed: {type(error).__name__}"


def _pieces_name(field: str, number: int) -> str:
    return f"{field}#{number}"


def _read(ring: KeyringBackend, service: str, field: str) -> str | None:
    head = ring.get_password(service, field)
    count = _count_pieces(head)
    if head is None or count == 0:
        return head
    pieces = [ring.get_password(service, _pieces_name(field, n)) for n in range(count)]
    text = "".join(piece or "" for piece in pieces)
    if _head(count, text) != head:
        raise AuthError(f"The keyring's entry {service} is damaged: a part of it is missing", "Add the account again.")
    return text


def _write(ring: KeyringBackend, service: str, field: str, text: str) -> None:
    """The former text goes last: until then a keyring that fails half way has lost nothing that fits in one entry."""
    former = _count_pieces(ring.get_password(service, field))
    pieces = [text[start : start + CHUNK] for start in range(0, len(text), CHUNK)] if len(text) > CHUNK else []
    for number, piece in enumerate(pieces):
        ring.set_password(service, _pieces_name(field, number), piece)
    ring.set_password(service, field, _head(len(pieces), text) if pieces else text)
    for number in range(len(pieces), former):
        _delete(ring, service, _pieces_name(field, number))


def _write_all(ring: KeyringBackend, service: str, texts: Mapping[str, str]) -> None:
    former: dict[str, str | None] = {}
    try:
        for field, text in texts.items():
            former[field] = _undamaged(ring, service, field)
            _write(ring, service, field, text)
    except Exception:
        # Half of one credential and half of another would be none. What fails here too is told by what failed first.
        with contextlib.suppress(Exception):
            for field, before in former.items():
                if before is None:
                    _remove(ring, service, field)
                else:
                    _write(ring, service, field, before)
        raise


def _undamaged(ring: KeyringBackend, service: str, field: str) -> str | None:
    """The text that can be put back; what is damaged cannot, and is repaired by being replaced."""
    try:
        return _read(ring, service, field)
    except AuthError:
        return None


def _remove(ring: KeyringBackend, service: str, field: str) -> None:
    former = _count_pieces(ring.get_password(service, field))
    for name in (field, *(_pieces_name(field, number) for number in range(former))):
        _delete(ring, service, name)


def _delete(ring: KeyringBackend, service: str, name: str) -> None:
    if ring.get_password(service, name) is not None:
        ring.delete_password(service, name)


def _head(pieces: int, text: str) -> str:
    """What stands in the place of a text that is kept in pieces."""
    return json.dumps({"pieces": pieces, "sha256": hashlib.sha256(text.encode()).hexdigest()})


def _count_pieces(head: str | None) -> int:
    found = re.match(r'\{"pieces": (\d{1,4}), ', head or "")
    return int(found[1]) if found else 0


def _unpack(account: str, text: str) -> _Entry:
    stored = None
    with contextlib.suppress(ValueError):
        stored = json.loads(text)
    if isinstance(stored, dict) and isinstance(stored.get("host"), str) and isinstance(stored.get("secret"), str):
        bound = stored.get("bound")
        if bound is None or (isinstance(bound, list) and all(isinstance(way, str) for way in bound)):
            return _Entry(stored["host"], None if bound is None else tuple(bound), Secret(stored["secret"]))
    # Not raised where the reading failed: such an error has the text with it.
    raise AuthError(
        f"The keyring's entry for account {account} was not written by Changeover", "Add the account again."
    )
