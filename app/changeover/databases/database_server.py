"""What every kind of database server can be asked."""

from __future__ import annotations

from typing import Literal, Protocol

from changeover.model.databases.database_observation import DatabaseObservation
from changeover.model.secret import Secret


class DatabaseServer(Protocol):
    """One server, opened by its connection string. It connects for each question, and is never left connected.

    `authority` is the file of certificates that the string names, None where it names none.
    """

    authority: str | None

    async def observe(self) -> DatabaseObservation:
        """How the server stands now. Ends within seconds; raises a ProviderError."""
        ...

    async def promote(self) -> Literal["promoted", "was primary"]:
        """Makes a standby the primary, and does nothing to a primary. Nothing takes it back.

        Raises a ProviderError; after an Unavailable only a new look tells whether it is done.
        """
        ...


class DatabaseServerType(Protocol):
    """Opens a server. Raises Rejected, without a word of the secret, where the string cannot be used."""

    def __call__(self, url: Secret) -> DatabaseServer: ...
