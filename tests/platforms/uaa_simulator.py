"""A Cloud Foundry's UAA on a loopback port: it gives access tokens, which end (docs.cloudfoundry.org/api/uaa)."""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

import jwt

from dns_servers.http_simulator import Answer, HttpSimulator

SCOPES = "cloud_controller.read cloud_controller.write openid"


class Granted(NamedTuple):
    """An access token: until when it is good, by time.monotonic, and what for."""

    until: float
    scope: str


class UaaSimulator(HttpSimulator):
    """Clients and users by their secrets, one-time passcodes, refresh tokens. `lifetime` is that of access tokens, in
    seconds; with `rotates` a refresh token is good once."""

    def __init__(self) -> None:
        super().__init__()
        self.clients = {"cf": "", "changeover": "a-client-secret"}
        self.users = {"robot@shop.example": "a-users-password"}
        self.origin = ""
        self.passcodes = {"one-Time-Code"}
        self.refresh: set[str] = set()
        self.rotates = False
        self.refresh_ends = time.time() + 30 * 86400
        self.scope = SCOPES
        self.lifetime = 600.0
        self.granted: dict[str, Granted] = {}
        self.grants: list[dict[str, str]] = []

    def refresh_token(self) -> str:
        """A new one, as a person has it from a login."""
        claims = {"jti": secrets.token_hex(8), "exp": int(self.refresh_ends), "client_id": "cf"}
        token = jwt.encode(claims, "a key of the UAA, long enough for HS256", algorithm="HS256")
        self.refresh.add(token)
        return token

    def end_all(self) -> None:
        """All access tokens end before their time."""
        self.granted.clear()

    def _answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if (method, urlsplit(target).path) != ("POST", "/oauth/token"):
            return _json(404, {"error": "not_found"})
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        self.grants.append(form)
        client, _, secret = (
            base64.b64decode(headers.get("authorization", "").removeprefix("Basic ")).decode().partition(":")
        )
        if self.clients.get(client) != secret:
            return _json(401, {"error": "unauthorized", "error_description": "Bad credentials"})
        match form.get("grant_type"):
            case "client_credentials" if client != "cf":
                return self._grant(None)
            case "password" if "passcode" in form:
                if form["passcode"] not in self.passcodes:
                    return _json(401, {"error": "unauthorized", "error_description": "Invalid passcode"})
                self.passcodes.remove(form["passcode"])
                return self._grant(self.refresh_token())
            case "password":
                hint = json.loads(unquote(form.get("login_hint", "%7B%7D")))
                right = self.users.get(form.get("username", "")) == form.get("password", "")
                if not right or hint.get("origin", "") != self.origin:
                    return _json(401, {"error": "unauthorized", "error_description": "Bad credentials"})
                return self._grant(self.refresh_token())
            case "refresh_token":
                token = form.get("refresh_token", "")
                if token not in self.refresh:
                    # What was sent stands in the UAA's own words.
                    said = f"Invalid refresh token (expired): {token}"
                    return _json(401, {"error": "invalid_token", "error_description": said})
                if self.rotates:
                    self.refresh.remove(token)
                    token = self.refresh_token()
                return self._grant(token)
        return _json(401, {"error": "unauthorized_client", "error_description": "Unauthorized grant type"})

    def _grant(self, refresh: str | None) -> Answer:
        token = secrets.token_urlsafe(24)
        self.granted[token] = Granted(time.monotonic() + self.lifetime, self.scope)
        said = {"access_token": token, "token_type": "bearer", "expires_in": int(self.lifetime), "scope": self.scope}
        return _json(200, {**said, **({"refresh_token": refresh} if refresh else {})})


def _json(status: int, value: Any) -> Answer:
    return Answer(status, (), json.dumps(value).encode())
