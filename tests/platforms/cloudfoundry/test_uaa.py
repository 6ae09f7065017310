"""Login at a Cloud Foundry: with each kind of secret, to the right place only, and again without a person."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.model.errors import AuthError, Rejected
from changeover.model.secret import Secret
from changeover.platforms.cloudfoundry import PLATFORM
from changeover.platforms.cloudfoundry.declaration import CloudFoundryOptions
from changeover.platforms.cloudfoundry.foundation import CloudFoundry
from changeover.platforms.cloudfoundry.resources import CfLink, CfRoot, CfRootLinks
from changeover.platforms.cloudfoundry.uaa import ends_at, uaa_address
from platforms.cloudfoundry_ground import CloudFoundryGround
from platforms.ground import PATIENCE


@pytest.fixture
async def ground() -> AsyncIterator[CloudFoundryGround]:
    with CloudFoundryGround() as running:
        yield running
        await running.platform.aclose()


def opened(ground: CloudFoundryGround, secret: str, **options: Any) -> CloudFoundry:
    given = CloudFoundryOptions(endpoint=ground.behind.address, **{"uaa": ground.uaa.address, **options})
    (field,) = PLATFORM.secrets(given)
    return CloudFoundry("cf-me", given, {field.name: Secret(secret)}, PATIENCE)


async def test_every_login(ground: CloudFoundryGround) -> None:
    """A client's secret, a user's password, a refresh token and a passcode each give what is needed to look."""
    ways: list[tuple[str, Mapping[str, str]]] = [
        ("a-client-secret", {"login": "client", "client": "changeover"}),
        ("a-users-password", {"login": "password", "username": "robot@shop.example"}),
        (ground.uaa.refresh_token(), {"login": "refresh"}),
        ("one-Time-Code", {"login": "passcode"}),
    ]
    for secret, options in ways:
        platform = opened(ground, secret, **options)
        assert PLATFORM.faults(platform._cloud._options) == []
        assert (await platform.observe(ground.target)).release == "v12"
        await platform.aclose()
    kinds = [(form["grant_type"], "passcode" in form) for form in ground.uaa.grants]
    assert kinds == [("client_credentials", False), ("password", False), ("refresh_token", False), ("password", True)]


async def test_a_bearer_token_as_it_is(ground: CloudFoundryGround) -> None:
    """As Korifi takes one of a Kubernetes service account: nobody is asked for another, and its end is told."""
    ends = datetime(2026, 3, 1, tzinfo=UTC)
    token = jwt.encode({"exp": int(ends.timestamp())}, "a key that is long enough for HS256", algorithm="HS256")
    ground.simulator.korifi, ground.simulator.bearer = True, token
    platform = opened(ground, token, login="token", uaa="")
    assert (await platform.observe(ground.target)).release
    assert platform.credential_ends == ends
    assert not ground.uaa.requests
    ground.simulator.bearer = "another"
    with pytest.raises(AuthError, match=r"until 2026-03-01 00:00 UTC"):
        await platform.observe(ground.target)
    await platform.aclose()


async def test_the_identity_provider_is_named(ground: CloudFoundryGround) -> None:
    """Where there are several, as at SAP BTP."""
    ground.uaa.origin = "sap.ids"
    wrong = opened(ground, "a-users-password", login="password", username="robot@shop.example")
    with pytest.raises(AuthError, match="Bad credentials"):
        await wrong.discover()
    await wrong.aclose()
    right = opened(ground, "a-users-password", login="password", username="robot@shop.example", origin="sap.ids")
    assert await right.discover()
    await right.aclose()


@pytest.mark.parametrize("login", ["client", "password", "refresh", "passcode"])
async def test_a_wrong_secret(ground: CloudFoundryGround, login: str) -> None:
    """Refused in the login server's words, without the secret, with what to do; the API was not asked for anything."""
    names = {"client": "changeover", "username": "robot@shop.example"}
    platform = opened(ground, "canary-that-is-wrong", login=login, **names)
    with pytest.raises(AuthError) as refused:
        await platform.observe(ground.target)
    assert "canary" not in refused.value.text + refused.value.hint
    assert refused.value.hint
    assert not ground.behind.requests
    await platform.aclose()


async def test_a_token_that_ends_in_mid_run(ground: CloudFoundryGround) -> None:
    """Between looking and doing: another is had, and the operation is done once."""
    before = len(ground.uaa.granted)
    await ground.platform.observe(ground.target)
    ground.behind.before_write = None
    ground.uaa.end_all()
    assert await ground.platform.perform(ground.target, "stop", None, "key")
    assert ground.simulator.apps[ground.app]["state"] == "STOPPED"
    assert before == 0 and len(ground.uaa.grants) == 2


async def test_a_passcode_is_followed_by_its_refresh_token(ground: CloudFoundryGround) -> None:
    """The code works once; what it left behind works on, and when that ends is told."""
    platform = opened(ground, "one-Time-Code", login="passcode")
    assert await platform.discover()
    ground.uaa.end_all()
    assert await platform.discover()
    assert [form["grant_type"] for form in ground.uaa.grants] == ["password", "refresh_token"]
    assert platform.credential_ends == datetime.fromtimestamp(int(ground.uaa.refresh_ends), UTC)
    await platform.aclose()


async def test_a_refresh_token_that_is_good_once(ground: CloudFoundryGround) -> None:
    """Where the login server gives a new one each time, that is used next; at its end a person is asked."""
    ground.uaa.rotates = True
    platform = opened(ground, ground.uaa.refresh_token(), login="refresh")
    for _ in range(3):
        assert await platform.discover()
        ground.uaa.end_all()
    ground.uaa.refresh.clear()
    with pytest.raises(AuthError, match="Invalid refresh token") as refused:
        await platform.discover()
    assert "eyJ" not in refused.value.text
    assert "cf login" in refused.value.hint
    await platform.aclose()


async def test_the_login_server_that_the_api_names(ground: CloudFoundryGround) -> None:
    """One at another port is not beside the API: no secret goes there until a person names it."""
    platform = opened(ground, "a-client-secret", login="client", client="changeover", uaa="")
    with pytest.raises(Rejected, match="not beside it") as refused:
        await platform.observe(ground.target)
    assert "`uaa`" in refused.value.hint
    assert not ground.uaa.requests
    await platform.aclose()


API = "https://api.cf.example.net"


@pytest.mark.parametrize(
    ("endpoint", "address"),
    [
        (API, "https://login.cf.example.net"),
        (API, "https://uaa.sys.cf.example.net/"),
        (API, "https://api.cf.example.net"),
        ("https://api.example.org", "https://login.example.org"),
        ("https://api.cf.eu10.hana.ondemand.com", "https://login.cf.eu10.hana.ondemand.com"),
        ("https://api.fr.cloud.gov", "https://login.fr.cloud.gov"),
        ("https://localhost", "https://localhost"),
        ("https://192.0.2.7", "https://192.0.2.7"),
    ],
)
def test_beside_the_api(endpoint: str, address: str) -> None:
    """Below the domain that the API's name is in, or at the API's own name."""
    assert at(endpoint, address) == address.rstrip("/")


@pytest.mark.parametrize(
    ("endpoint", "address"),
    [
        (API, "https://login.cf.example.org"),
        (API, "https://example.net"),
        (API, "https://login.xcf.example.net"),
        (API, "https://evil.example/.cf.example.net"),
        (API, "https://evil.example#.cf.example.net"),
        (API, "https://login.cf.example.net@evil.example"),
        (API, "http://login.cf.example.net"),
        (API, "https://login.cf.example.net:8443"),
        (API, "https://login.cf.example.net:x"),
        (API, "https://[login.cf.example.net"),
        (API, ""),
        ("https://shop.co.uk", "https://evil.co.uk"),
        ("https://shop.com.au", "https://evil.com.au"),
        ("https://example.net", "https://evil.net"),
        ("https://10.1.2.3", "https://9.1.2.3"),
        ("https://localhost", "https://evil.localhost"),
    ],
)
def test_not_beside_the_api(endpoint: str, address: str) -> None:
    """Another domain, another scheme or port, or a name that only looks so: refused."""
    with pytest.raises(Rejected, match="not beside it"):
        at(endpoint, address)


def at(endpoint: str, address: str) -> str:
    options = CloudFoundryOptions(endpoint=endpoint, client="x")
    return uaa_address(options, CfRoot(links=CfRootLinks(login=CfLink(address))))


def test_no_login_server() -> None:
    """Korifi names none: what it takes instead is told."""
    with pytest.raises(Rejected, match="Kubernetes token"):
        uaa_address(CloudFoundryOptions(endpoint=API), CfRoot(links=CfRootLinks(), cf_on_k8s=True))


@given(st.text() | st.text(alphabet="eyJ.ab01_-=", max_size=60))
def test_the_end_of_any_token(text: str) -> None:
    """It is told or not, and nothing goes wrong by it."""
    assert ends_at(Secret(text)) is None


@pytest.mark.parametrize("end", [10**30, -(10**30), "soon", None, [], True])
def test_an_end_that_is_none(end: Any) -> None:
    """Whatever stands there."""
    token = jwt.encode(
        {"exp": end} if end is not True else {}, "a key that is long enough for HS256", algorithm="HS256"
    )
    assert ends_at(Secret(token)) is None


def test_what_the_options_lack() -> None:
    """A client without an id, a password without its user, addresses that would show the secret to others."""
    faults = [
        (CloudFoundryOptions(endpoint=API, login="client"), "client"),
        (CloudFoundryOptions(endpoint=API, login="password"), "username"),
        (CloudFoundryOptions(endpoint="http://api.cf.example.net", client="x"), "endpoint"),
        (CloudFoundryOptions(endpoint=API, client="x", uaa="http://login.cf.example.net"), "uaa"),
    ]
    for options, key in faults:
        assert [found for found, _ in PLATFORM.faults(options)] == [key]
    assert PLATFORM.host(CloudFoundryOptions(endpoint=API)) == "api.cf.example.net"
    assert PLATFORM.host(CloudFoundryOptions(endpoint=API, uaa="https://login.example")) == "login.example"
