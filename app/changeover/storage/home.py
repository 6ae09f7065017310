"""Where Changeover keeps its files."""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import hmac
import logging
import os
import secrets
import socket
from pathlib import Path

from msgspec import Struct

from changeover.model.errors import UsageError
from changeover.model.foreign_text import one_line
from changeover.storage.private import read_plain

log = logging.getLogger(__name__)

_MOST_OF_A_NAME = 200


class Home(Struct, frozen=True):
    """The folders of one installation. CHANGEOVER_HOME puts everything into one."""

    config: Path
    data: Path
    #: CHANGEOVER_HOME's absolute path, where it is set; secrets are kept apart by it.
    custom: str | None = None

    @classmethod
    def at(cls, folder: Path) -> Home:
        """Everything in `folder`, as with CHANGEOVER_HOME."""
        absolute = Path(os.path.abspath(folder))
        return cls(config=absolute, data=absolute, custom=str(absolute))

    @classmethod
    def from_environment(cls) -> Home:
        """Raises UsageError where the path of a folder is no text, which keyring and journal could not keep."""
        folder = os.environ.get("CHANGEOVER_HOME")
        if folder:
            home = cls.at(Path(folder).expanduser())
        else:
            import platformdirs

            home = cls(
                config=platformdirs.user_config_path("changeover", appauthor=False),
                data=platformdirs.user_data_path("changeover", appauthor=False),
            )
        try:
            f"{home.config}{home.data}".encode()
        except UnicodeEncodeError:
            text = f"The path of Changeover's folder is no text: {home.config}"
            raise UsageError(text, "Name another one in CHANGEOVER_HOME.") from None
        return home

    @property
    def settings_file(self) -> Path:
        return self.config / "changeover.toml"

    @property
    def database(self) -> Path:
        return self.data / "changeover.db"

    @property
    def log_file(self) -> Path:
        return self.data / "changeover.log"

    @property
    def approvals_file(self) -> Path:
        """Never in the home itself, where CHANGEOVER_HOME names one: that may be a checkout."""
        import platformdirs

        mark = hashlib.sha256(os.path.abspath(self.config).encode()).hexdigest()[:16]
        return platformdirs.user_data_path("changeover", appauthor=False) / "approved" / f"{mark}.json"

    def lock_file(self, service: str) -> Path:
        """A file of its own for each service; only names of more than 200 characters may share one."""
        safe = "".join(c if (c.isascii() and c.isalnum()) or c in "-_" else f"%{ord(c):x}." for c in service)
        return self.data / "locks" / f"{safe[:200]}.lock"


def this_person() -> str:
    """Who works here, as others know them: "alice@laptop"."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # no name in the environment, and none for this user's number
        user = "somebody"
    return one_line(f"{user}@{socket.gethostname()}", _MOST_OF_A_NAME)


def installation_name(home: Home) -> str:
    """A random name of this installation, which the world may read: it tells nothing of a person or a computer.

    Made once, and kept. A copy of the folders on another computer, or elsewhere on this one, has another name. Where no
    file can be written it is new each time.
    """
    file = home.data / "installation"
    kept = b""
    with contextlib.suppress(OSError):
        kept = read_plain(file, 64)
    if len(kept) < 32:
        kept = secrets.token_hex(16).encode()
        try:
            home.data.mkdir(parents=True, exist_ok=True)
            made = file.with_name(f"installation.{os.getpid()}")
            descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(kept)
            try:
                os.link(made, file)  # of two processes that make one at the same time, the first decides
            except FileExistsError:
                kept = read_plain(file, 64)
            finally:
                made.unlink()
        except OSError as error:
            log.warning("the name of this installation could not be kept: %s", error.strerror or error)
    place = f"{this_person()}\0{home.data.resolve()}"
    return hmac.new(kept, place.encode("utf-8", "surrogateescape"), "sha256").hexdigest()[:16]
