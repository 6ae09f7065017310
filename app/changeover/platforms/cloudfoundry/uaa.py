"""Login at a Cloud Foundry: access tokens of its UAA (docs.cloudfoundry.org/api/uaa, RFC 6749).

Where the UAA is says the API's own discovery document (GET /). A secret was given for one foundation, so it follows
that document only to hosts beside the API: those below the domain that the API's own name is in, as
login.cf.example.net is beside api.cf.example.net, with the same scheme and port. Any other must be named in the
account's `uaa`, by a person.

A client's secret and a password give new tokens at any time. A refresh token gives them until it ends, and so does the
one that a one-time passcode leaves behind, which is kept in memory only; after that a person is needed.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

import jwt
import msgspec

from changeover.dns.http.api import Fields
from changeover.dns.http.oauth import AccessTokens
from changeover.model.errors import Rejected
from changeover.model.foreign_text import one_line
from changeover.model.secret import Secret
from changeover.platforms.cloudfoundry.declaration import PUBLIC_CLIENT, CloudFoundryOptions
from changeover.platforms.cloudfoundry.resources import CfRoot

_NEW_LOGIN = {
    "client": "Look at the client's id and secret, and that it may use client_credentials (UAA: uaac client get NAME).",
    "password": 'Look at user, password and origin. Users of single sign-on have none here: use login = "refresh".',
    "refresh": "Log in with `cf login` and take the new refresh token: changeover account secret NAME.",
    "passcode": "A passcode works once: get another at the login server's page /passcode, and give it with: changeover"
    " account secret NAME.",
    "token": "Get another token, and give it with: changeover account secret NAME.",
}


def hint_of(options: CloudFoundryOptions) -> str:
    """What to do about a credential that is refused."""
    return _NEW_LOGIN[options.login]


def uaa_address(options: CloudFoundryOptions, root: CfRoot) -> str:
    """Where tokens are had. Rejected where the secret must not go there, or where there is no such place."""
    link = root.links.login or root.links.uaa
    api = urlsplit(options.endpoint)
    if link is None:
        korifi = " It is Korifi, which takes a Kubernetes token." if root.cf_on_k8s else ""
        raise Rejected(
            f"{api.netloc} names no login server.{korifi}",
            'Name it as the account\'s `uaa`, or give a bearer token (login = "token").',
        )
    address = link.href.rstrip("/")
    if not _is_beside(options.endpoint, address):
        raise Rejected(
            f"{api.netloc} says that one logs in at {one_line(address, 200)}, which is not beside it:"
            " the secret was not sent there",
            "If that is right, add it to the account as `uaa`.",
        )
    return address


def _is_beside(endpoint: str, address: str) -> bool:
    try:
        api, other = urlsplit(endpoint), urlsplit(address)
        host, there = api.hostname or "", other.hostname or ""
        same = (api.scheme, api.port) == (other.scheme, other.port)
    except ValueError:
        return False
    if not same or other.username is not None or other.query or other.fragment or other.path:
        return False
    parent = _parent(host)
    return there == host or (parent != "" and (f".{there}").endswith(f".{parent}"))


def _parent(host: str) -> str:
    """The domain that a host's name is in, empty where others than its owner may have names there as well.

    A domain of two labels may be a registry's, such as co.uk or com.au: these are short, and of a country.
    """
    labels = host.rstrip(".").split(".")[1:]
    if len(labels) < 2 or labels[-1].isdigit() or ":" in host:
        return ""
    if len(labels) == 2 and len(labels[0]) <= 3 and len(labels[1]) == 2:
        return ""
    return ".".join(labels)


class UaaLogin:
    """How an account's access tokens are asked for.

    With the client's id and secret in the header (RFC 6749, 2.3.1); the public client of the cf command has none.
    """

    def __init__(self, options: CloudFoundryOptions, secrets: Mapping[str, Secret]) -> None:
        self._options = options
        (self._secret,) = secrets.values() or (Secret(""),)

    def tokens(self, address: str, account: str, timeout: float) -> AccessTokens:
        client = self._options.client or PUBLIC_CLIENT
        secret = self._secret.reveal() if self._options.login == "client" else ""
        basic = base64.b64encode(f"{client}:{secret}".encode()).decode("ascii")
        self._tokens = AccessTokens(
            f"{address}/oauth/token",
            self._grant,
            timeout,
            account=account,
            who=f"The login server {urlsplit(address).netloc}",
            hint=hint_of(self._options),
            secrets=(self._secret,),
            headers={"Authorization": Secret(f"Basic {basic}")},
        )
        return self._tokens

    @property
    def ends(self) -> datetime | None:
        """When the credential ends, None where it does not, or where that is not told."""
        if self._options.login == "token":
            return ends_at(self._secret)
        if self._options.login not in ("refresh", "passcode"):
            return None
        kept = self._tokens.refresh if hasattr(self, "_tokens") else None
        return ends_at(kept or self._secret)

    def _grant(self) -> Fields:
        refresh = self._tokens.refresh
        match self._options.login:
            case "client":
                return {"grant_type": "client_credentials"}
            case "password":
                origin = self._options.origin
                hint = {"login_hint": quote(msgspec.json.encode({"origin": origin}))} if origin else {}
                return {
                    "grant_type": "password",
                    "username": self._options.username,
                    "password": self._secret,
                    **hint,
                }
            case "passcode" if refresh is None:
                return {"grant_type": "password", "passcode": self._secret}
        return {"grant_type": "refresh_token", "refresh_token": refresh or self._secret}


def ends_at(token: Secret) -> datetime | None:
    """When a token ends, by its own words (RFC 7519, 4.1.4); None where it is opaque. Nothing is decided by it."""
    try:
        claims = jwt.decode(token.reveal(), options={"verify_signature": False, "verify_exp": False})
        return datetime.fromtimestamp(float(claims["exp"]), UTC)
    except (jwt.PyJWTError, KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
