"""The practice ground's two apps: how many instances of each run, and whether it is in maintenance or broken."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from changeover.model.platforms.platform_observation import PlatformObservation
from changeover.storage.settings.file import write_atomically

#: The release of each: the backup is one behind, as backups are.
RELEASES = {"primary": "v42", "backup": "v41"}


class AppSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What the platform was asked for."""

    instances: Annotated[int, Meta(ge=0, le=100)] = 1
    maintenance: bool = False


class LabApp:
    """One app. It is kept in files below `folder`, where another process may break it as well."""

    def __init__(self, name: str, folder: Path, hostnames: tuple[str, ...] = ()) -> None:
        self.name = name
        self.hostnames = hostnames
        self.broken_file = folder / "broken" / name
        self._file = folder / "apps" / f"{name}.json"

    @property
    def broken(self) -> bool:
        """Does it answer 503 to everybody, on purpose?"""
        return self.broken_file.exists()

    @property
    def observation(self) -> PlatformObservation:
        """What runs of it. Of what is broken, nothing does."""
        asked = self.settings
        return PlatformObservation(
            wanted=asked.instances,
            running=0 if self.broken else asked.instances,
            release=RELEASES[self.name],
            maintenance=asked.maintenance,
            hostnames=self.hostnames,
        )

    @property
    def settings(self) -> AppSettings:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=AppSettings)
        except (FileNotFoundError, msgspec.DecodeError):
            return AppSettings()  # nothing was asked yet, or somebody's edit went wrong

    def set(self, settings: AppSettings) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._file, msgspec.json.encode(settings).decode())
