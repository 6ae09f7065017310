"""A provider that says of its credential what its account's keys say, and has a key of every type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from changeover.dns.provider import Access
from changeover.model.dns.capabilities import Capabilities
from changeover.model.secret import Secret
from changeover.model.settings.account_fields import Option, SecretField, misfits

NAME = "toy"
KEY_FILE = '{\n  "id": "canary-of-the-toy-key",\n\t"lines": ["a\\nb"]\n}\n'


class Options(Struct, frozen=True, forbid_unknown_fields=True):
    region: Annotated[str, Option("Region", "where it is", "eu-1", r"[a-z]{2}-\d")]
    days: Annotated[
        Annotated[int, Meta(ge=0, le=5000)] | None, Option("Days", "days until the credential ends", "6")
    ] = None
    sees: Annotated[int, Option("Zones", "how many zones it sees", "31")] = 1
    changes: Annotated[int | None, Option("Zones to change", "how many it may change", "31")] = None
    rights: Annotated[Literal["write", "read", "unknown"], Option("Rights", "what it may do")] = "write"
    slow: Annotated[bool, Option("Slow", "it takes its time")] = False
    names: Annotated[tuple[str, ...], Option("Names", "names of it", "one, two")] = ()
    signed: Annotated[bool, Option("Signed", "requests are signed with a key file")] = False


class Toy:
    """Sees shop.example and zone2.example, zone3.example, …"""

    capabilities = Capabilities(label="Toy", batch=None, native_compare_and_set=False, propagates_atomically=False)

    def __init__(self, options: Options) -> None:
        self._options = options

    async def zones(self) -> tuple[str, ...]:
        return self._zones(self._options.sees)

    async def verify(self, zone: str, names: Sequence[str]) -> Access:
        days, changes = self._options.days, self._options.changes
        return Access(
            zones=await self.zones(),
            may_write={"write": True, "read": False, "unknown": None}[self._options.rights],
            writable=None if changes is None else self._zones(changes),
            expires=None if days is None else datetime.now(UTC) + timedelta(days=days, minutes=5),
        )

    async def aclose(self) -> None:
        pass

    @staticmethod
    def _zones(number: int) -> tuple[str, ...]:
        return tuple("shop.example" if n == 1 else f"zone{n}.example" for n in range(1, number + 1))


class PROVIDER:
    label = "Toy of the tests"
    tested = "nothing"
    options = Options

    @staticmethod
    def secrets(options: Options) -> tuple[SecretField, ...]:
        if not options.signed:
            return ()
        return (
            SecretField(
                name="key",
                label="Key file",
                help="the file that the toy's page gives",
                link="https://toy.example/keys",
                permission="to write, nothing else",
                pattern=r"(?s)\s*\{.*\}\s*",
                example='{"id": "…"}',
            ),
            SecretField(
                name="pin", label="Pin", help="four digits", permission="any", pattern=r"\d{4}", example="1234"
            ),
        )

    @staticmethod
    def faults(options: Options) -> list[tuple[str, str]]:
        return misfits(options)

    @staticmethod
    def host(options: Options) -> str:
        return f"{options.region}.toy.example"

    @staticmethod
    def open(account: str, options: Any, secrets: Mapping[str, Secret]) -> Toy:
        return Toy(options)
