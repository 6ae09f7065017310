"""The key of a Google service account, and what is signed with it (developers.google.com/identity/protocols/oauth2/
service-account).

A key says itself where its signed requests go. Only Google's own hosts are taken, and this computer where the API is
there as well: a key file that somebody has altered must not sign for another host.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping

import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from msgspec import Struct

from changeover.dns.http.endpoint import endpoint_host, is_safe_endpoint
from changeover.dns.provider import is_this_computer
from changeover.model.secret import Secret

#: What a project's id looks like (docs.cloud.google.com/resource-manager/docs/creating-managing-projects).
PROJECT = r"([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]"
_HOSTS = ("oauth2.googleapis.com", "www.googleapis.com", "accounts.google.com")
#: Seconds for which a signed request is good; this is the most that Google takes.
_GOOD_FOR = 3600


class ServiceAccountKey(Struct, frozen=True):
    """A key, as its JSON file has it."""

    type: str
    project_id: str
    private_key_id: Secret
    private_key: Secret
    client_email: str
    token_uri: str = "https://oauth2.googleapis.com/token"


def _hidden(_: type, value: object) -> Secret:
    if not isinstance(value, str):
        raise TypeError("it is no text")
    return Secret(value)


def service_account_key(secret: Secret, local: bool) -> ServiceAccountKey:
    """The JSON file as a key; `local` says that it is for an API on this computer.

    ValueError says what it is instead, and repeats nothing of it.
    """
    try:
        key = msgspec.json.decode(secret.reveal(), type=ServiceAccountKey, dec_hook=_hidden)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        raise ValueError("no JSON key of a service account") from None
    if key.type != "service_account" or not re.fullmatch(PROJECT, key.project_id):
        raise ValueError("no JSON key of a service account")
    host = endpoint_host(key.token_uri) if is_safe_endpoint(key.token_uri) else ""
    if host not in _HOSTS and not (local and host and is_this_computer(host)):
        raise ValueError("a key whose token_uri is not Google's")
    return key


def signed_grant(key: ServiceAccountKey, scope: str) -> Callable[[], Mapping[str, str]]:
    """What asks for an access token with that scope, signed anew each time (RFC 7523, 2.1).

    ValueError where the key cannot sign.
    """
    try:
        private = load_pem_private_key(key.private_key.reveal().encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("a key whose private key cannot sign") from None
    if not isinstance(private, RSAPrivateKey):
        raise ValueError("a key whose private key cannot sign")

    def grant() -> Mapping[str, str]:
        now = int(time.time())
        claims = {"iss": key.client_email, "scope": scope, "aud": key.token_uri, "iat": now, "exp": now + _GOOD_FOR}
        signed = jwt.encode(claims, private, algorithm="RS256", headers={"kid": key.private_key_id.reveal()})
        return {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": signed}

    return grant
