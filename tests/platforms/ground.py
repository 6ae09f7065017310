"""What the suite of platforms needs to know of each (see test_platform_promises.py)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Self

from changeover.model.platforms.platform_observation import PlatformObservation
from changeover.model.settings.action import Verb
from changeover.platforms.platform import Platform, PlatformType
from dns_servers.http_simulator import HttpSimulator

#: Seconds that no machine is too slow for.
PATIENCE = 30.0


class PlatformGround(ABC):
    """A platform's API behind `behind`, with an app that the target leads to.

    `nowhere` is a target that the account does not have, `names` are those of all that it has. `refused` is an
    operation, with its options, that this platform will not do.
    """

    kind: ClassVar[PlatformType]
    target: ClassVar[Any]
    nowhere: ClassVar[Any]
    names: ClassVar[tuple[str, ...]]
    refused: ClassVar[tuple[Verb, Any]]
    behind: HttpSimulator

    @abstractmethod
    def __init__(self, folder: Path) -> None: ...

    def __enter__(self) -> Self:
        self.behind.__enter__()
        self.platform = self.open(self.behind.address)
        return self

    def __exit__(self, *error: object) -> None:
        self.behind.__exit__(*error)

    @abstractmethod
    def open(self, endpoint: str, patience: float = PATIENCE) -> Platform:
        """The account's platform at that address, which gives up after that many seconds of silence."""

    @abstractmethod
    def options(self, verb: Verb, number: int) -> Any:
        """What an operation is told, where it is told a number that one."""

    def requests(self, verb: Verb) -> int:
        """How many requests that change something an operation may make."""
        return 1

    def told(self, seen: PlatformObservation) -> PlatformObservation:
        """What of an observation is the same again once an operation was taken back."""
        return seen

    @abstractmethod
    def world(self) -> object:
        """All that an operation may change, looked at from behind."""

    @abstractmethod
    def stands(self, verb: Verb, number: int) -> bool:
        """Is the target as the operation, with that number, would have it? Looked at from behind."""

    @abstractmethod
    def begin(self, number: int, maintenance: bool) -> None:
        """Has the target run this many instances, in maintenance or not."""
