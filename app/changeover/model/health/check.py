"""How a deployment is checked: what is asked, what must come back, and how many answers make a verdict."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

#: What a value of a JSON body is compared with. A text such as "< 100" compares numbers.
Comparison = bool | int | float | str


class Expectations(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a response must be. Everything that is set must hold."""

    expect_status: str = "200-399"
    #: The body contains this text; matches this pattern; does not contain this text.
    expect_body: str | None = None
    expect_body_match: str | None = None
    expect_body_without: str | None = None
    #: By path (JMESPath) into a JSON body, the value that stands there.
    expect_json: dict[str, Comparison] = field(default_factory=dict)
    #: By header, a text that its value contains.
    expect_header: dict[str, str] = field(default_factory=dict)
    #: The whole response within this many seconds.
    expect_within: float | None = None


class JourneyStep(Expectations, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One request of a journey. Texts may name what earlier steps captured, as in "/orders/{order}"."""

    path: str
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    #: By name, where the value is: "json:PATH", "header:NAME", "body:PATTERN" (its first group).
    capture: dict[str, str] = field(default_factory=dict)


class Journey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A few requests in a row, as a visitor would make them: log in, read, log out. Cookies are kept between them."""

    name: str
    steps: tuple[JourneyStep, ...]


class Thresholds(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How many checks make a verdict, failing and recovering apart.

    Down after `down_after` bad checks in a row, or `failures_before_down` in all without `good_run` good ones in
    between. Up again after `up_after` good checks in a row that span `up_seconds`. Flapping while the last
    `flapping_window` checks changed between good and bad `flapping_changes` times or more.
    """

    down_after: int = 3
    failures_before_down: int = 10
    good_run: int = 10
    up_after: int = 5
    up_seconds: float = 180
    flapping_changes: int = 4
    flapping_window: int = 20


class HealthCheck(Expectations, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a deployment is probed. Redirects are answers like any other and are not followed.

    `interval` and the limits are in seconds. `suspect_interval` is for as long as something is failing or a run is in
    progress. `timeout` limits the whole probe, the others its parts. `tcp` only opens a connection.
    """

    path: str = "/"
    scheme: Literal["https", "http", "tcp"] = "https"
    port: int | None = None
    #: The certificate is valid for this many days more.
    expect_certificate_days: int | None = None
    ca_file: str | None = None
    #: Sent with every check beside the usual headers, or in their place.
    headers: dict[str, str] = field(default_factory=dict)
    interval: float = 30
    suspect_interval: float = 10
    timeout: float = 10
    connect_timeout: float = 4
    tls_timeout: float = 4
    first_byte_timeout: float = 8
    thresholds: Thresholds = Thresholds()
    journeys: tuple[Journey, ...] = ()

    @property
    def tcp_port(self) -> int:
        return self.port or (80 if self.scheme == "http" else 443)


class JourneyResult(Struct, frozen=True, kw_only=True):
    """One journey at one deployment. `text` says how it went; for a bad one, which step failed and why.

    `ok` is None where it could not be tried from this computer. Nothing that was captured on the way is in it.
    """

    journey: str
    deployment: str
    hostname: str
    address: str
    ok: bool | None
    text: str
    seconds: float | None = None
