"""Each provider with a server behind it, in the one form that the tests of the providers' promises use.

A ground is a provider, a zone that it can change, and ways to look at that zone and to alter it behind the provider's
back. Every ground starts with the same zone, ZONE.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, Self

import msgspec
import pytest

from changeover.dns.http.provider import HttpProviderType
from changeover.dns.provider import Provider
from changeover.model.dns.records import ADDRESS_TYPES
from changeover.model.secret import Secret
from dns_servers.http_simulator import HttpSimulator

ZONE_NAME = "shop.example"
#: name, TTL, type, value, as in a zone file
ZONE = (
    ("shop.example", 60, "A", "192.0.2.10"),
    ("shop.example", 60, "AAAA", "2001:db8::10"),
    ("shop.example", 3600, "MX", "10 mail.shop.example."),
    ("shop.example", 300, "TXT", '"v=spf1 -all"'),
    ("www.shop.example", 60, "CNAME", "primary.example.net."),
    ("api.shop.example", 120, "A", "192.0.2.20"),
    ("api.shop.example", 120, "A", "192.0.2.21"),
    ("api.shop.example", 120, "AAAA", "2001:db8::20"),
    ("h3.shop.example", 300, "A", "192.0.2.30"),
    ("h3.shop.example", 300, "HTTPS", '1 . alpn="h3,h2" ipv4hint="192.0.2.30"'),
    ("mail.shop.example", 3600, "A", "192.0.2.25"),
    ("note.shop.example", 300, "TXT", '"only a text"'),
    ("*.apps.shop.example", 60, "A", "192.0.2.40"),
)


def zone_file(written: Callable[[str, str], str] = lambda rtype, value: value) -> str:
    """ZONE for a name server of its own; `written` gives a value as that server would write it."""
    text = "@ 3600 SOA ns1 hostmaster 1 3600 600 86400 60\n@ 3600 NS ns1\nns1 3600 A 127.0.0.1\n"
    return text + "".join(f"{name}. {ttl} {rtype} {written(rtype, value)}\n" for name, ttl, rtype, value in ZONE)


TOKEN = "canary-8f3b1c6e5d7a4f2b9c0e1d2f3a4b5c6d7"[:40].ljust(40, "0")
WRONG_TOKEN = "wrong-".ljust(40, "1")
#: base64 as SECRET is, but of another text
WRONG_SECRET = "d3Jvbmd3cm9uZ3dyb25nd3Jvbmd3cm9uZ3dyb25nMTI="


class Ground(Protocol):
    """What the tests need of a provider and of what is behind it."""

    provider: Provider
    #: whether what is behind it compares by itself, to the last instant
    native: ClassVar[bool]
    #: the text that must never show up anywhere
    secret: str

    def open(self, *, secret: str | None = None, timeout: float = 30.0) -> Provider:
        """The provider once more, with another secret or a shorter time-out."""
        ...

    def records(self) -> frozenset[str]:
        """The whole zone, a line of text for each record."""
        ...

    def beside(self, *names: str) -> frozenset[str]:
        """The whole zone without the address records of `names`."""
        ...

    def add(self, name: str, ttl: int, rtype: str, value: str) -> None: ...

    def remove(self, name: str, rtype: str) -> None: ...

    def forbid_writing(self) -> None:
        """From now on the credential may read only."""
        ...

    def stop(self) -> None:
        """Nobody listens any more."""
        ...

    def fall_silent(self, what: Literal["everything", "updates"]) -> None:
        """From now on no answer comes."""
        ...

    def lose(self, what: Literal["update", "answer"]) -> None:
        """The next write does not arrive, or is made and its answer is lost."""
        ...

    def before_write(self, hook: Callable[[], None]) -> None:
        """Calls `hook` between the provider's last reading and its write."""
        ...


class Record(NamedTuple):
    """One record as a zone file has it, but for the name, which is without its final dot. `more`: what else is kept."""

    name: str
    ttl: int
    type: str
    value: str
    more: str = ""


class HttpGround(ABC):
    """A provider that speaks HTTP, with a simulator or a relay before whatever is behind it.

    A provider says `kind`, `options`, `secrets` where it has more than a token, `content`, `add`, `remove` and
    `forbid_writing`. `left_out` has the cases that it does not take part in, as "test_case", "TestClass::test_case" or
    "test_case[a part of the parameter's id]", with the reason.
    """

    secret: ClassVar[str] = TOKEN
    native: ClassVar[bool] = False
    kind: ClassVar[type[HttpProviderType]]
    left_out: ClassVar[Mapping[str, str]] = {}
    #: types of ZONE that the provider has not
    lacks: ClassVar[Sequence[str]] = ()
    behind: HttpSimulator

    @abstractmethod
    def options(self) -> dict[str, Any]:
        """The keys of the account, the endpoint among them."""

    def secrets(self, secret: str) -> dict[str, str]:
        """The secrets of the account, of which `secret` is the one that must be right."""
        return {self.kind.needs[0].name: secret}

    @abstractmethod
    def content(self) -> Iterable[Record]:
        """The whole zone but its SOA and NS."""

    @abstractmethod
    def add(self, name: str, ttl: int, rtype: str, value: str) -> None: ...

    @abstractmethod
    def remove(self, name: str, rtype: str) -> None: ...

    @abstractmethod
    def forbid_writing(self) -> None: ...

    def _fill(self) -> None:
        """With ZONE, as far as the provider has it."""
        for name, ttl, rtype, value in ZONE:
            if rtype not in self.lacks:
                self.add(name, ttl, rtype, value)

    def __enter__(self) -> Self:
        self.behind.__enter__()
        self.provider: Provider = self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.behind.stop()

    def open(self, *, secret: str | None = None, timeout: float = 30.0) -> Provider:
        options = msgspec.convert(self.options(), self.kind.options)
        secrets = {name: Secret(text) for name, text in self.secrets(secret or self.secret).items()}
        opened: Provider = self.kind.provider("dns-main", options, secrets, timeout)
        return opened

    def records(self) -> frozenset[str]:
        return frozenset(" ".join(map(str, record)) for record in self.content())

    def beside(self, *names: str) -> frozenset[str]:
        return frozenset(
            " ".join(map(str, record))
            for record in self.content()
            if record.name not in names or record.type not in ADDRESS_TYPES
        )

    def stop(self) -> None:
        self.behind.stop()

    def fall_silent(self, what: Literal["everything", "updates"]) -> None:
        self.behind.misbehave("hang", times=20, writes_only=what == "updates")

    def lose(self, what: Literal["update", "answer"]) -> None:
        self.behind.misbehave("drop-before" if what == "update" else "drop-after", writes_only=True)

    def before_write(self, hook: Callable[[], None]) -> None:
        self.behind.before_write = hook


def skip_left_out(made: Any, request: pytest.FixtureRequest) -> None:
    """Skips a case that the ground is left out of, with the reason, before any server is started."""
    if request.node.get_closest_marker("native") and not made.native:
        pytest.skip("this provider compares by reading before the write, and says so")
    case = request.node.originalname
    cases = (case, f"{getattr(request.node.cls, '__name__', '')}::{case}")
    left_out: Mapping[str, str] = getattr(made, "left_out", {})
    for key, reason in left_out.items():
        function, _, part = key.removesuffix("]").partition("[")
        if function in cases and part in request.node.name:
            pytest.skip(reason)


# Why providers of one kind do not take part in these cases. Their own tests have what they do instead.

NO_LEASES = dict.fromkeys(
    ("test_a_text_is_created_replaced_and_removed", "test_of_two_at_the_same_moment_not_both_are_made"),
    "it says itself that it keeps no leases",
)
#: Those that replace whole record sets.
WHOLE_SETS = NO_LEASES | {
    "test_a_record_that_vanishes_in_the_last_instant_stops_the_whole_batch": (
        "whole record sets are replaced: what vanished in the last instant is written as planned, never half of it"
    ),
}
ONE_NAME_A_BATCH = {"test_as_many_names_in_one_batch_as_the_provider_takes": "a batch is one hostname"}
ONE_SET_A_REQUEST = ONE_NAME_A_BATCH | {
    "test_a_write_whose_answer_is_lost_is_unsure": "one request after the other: what comes after it is not done"
}
RECORD_BY_RECORD = (
    NO_LEASES
    | ONE_SET_A_REQUEST
    | {
        "test_a_record_that_vanishes_in_the_last_instant_stops_the_whole_batch": (
            "record by record: it stops there and says what was done"
        )
    }
)
NO_HTTPS = dict.fromkeys(
    (
        "test_an_https_record_is_read",
        "test_a_change_and_its_undo[HTTPS record",
        "test_what_changed_since_it_was_read_stops_the_whole_batch[an HTTPS",
    ),
    "the provider has no HTTPS records",
)
NO_RIGHTS = dict.fromkeys(
    (
        "TestCredentials::test_a_credential_that_may_write_is_verified_without_a_change",
        "TestCredentials::test_a_credential_that_may_not_write",
    ),
    "nothing tells what its credential may do; its own tests have the refusal of a write",
)
