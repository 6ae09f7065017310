"""The API of the practice ground's platform, on this computer and without a credential: what runs, and changes of it.

GET /apps           {"apps": [{"name": "primary", "release": "v42", "wanted": 1, "running": 1, …}, …]}
GET /apps/primary   one of these
PATCH /apps/primary {"instances": 3}, {"maintenance": true} or both; gives what is so then
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import h11
import msgspec
from msgspec.structs import asdict

from changeover.lab.app import AppSettings, LabApp
from changeover.lab.dns_port import ADDRESS
from changeover.lab.http_serving import LabAnswer, serve_http
from changeover.lab.listening import Place, bound_sockets, connections


class Control:
    """Tells what these apps are like, and changes them."""

    def __init__(self, apps: Mapping[str, LabApp]) -> None:
        self._apps = apps

    @asynccontextmanager
    async def serving(self, preferred: int | None = None) -> AsyncIterator[int]:
        """Serves on loopback, and gives the port: `preferred` where it is free."""
        port, (bound,) = bound_sockets([Place(ADDRESS)], preferred)
        async with connections(bound, self._serve):
            yield port

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await serve_http(self.response, reader, writer)

    def response(self, request: h11.Request, body: bytes) -> LabAnswer:
        """The answer to one request; what it asks for is done by then."""
        path = request.target.partition(b"?")[0].decode()
        if path == "/apps" and request.method == b"GET":
            return _json(200, {"apps": [_told(app) for app in self._apps.values()]})
        app = self._apps.get(path.removeprefix("/apps/")) if path.startswith("/apps/") else None
        if app is None:
            return _json(404, {"error": f"There is no {path}"})
        match request.method:
            case b"GET":
                return _json(200, _told(app))
            case b"PATCH":
                return _changed(app, body)
            case _:
                return _json(405, {"error": "It can be looked at (GET) and changed (PATCH)"})


def _changed(app: LabApp, body: bytes) -> LabAnswer:
    try:
        asked = msgspec.json.decode(body, type=dict[str, Any])
        app.set(msgspec.convert({**asdict(app.settings), **asked}, AppSettings))
    except msgspec.DecodeError as error:  # what does not fit as well: ValidationError is one
        return _json(422, {"error": str(error)})
    return _json(200, _told(app))


def _told(app: LabApp) -> dict[str, Any]:
    return {"name": app.name, **asdict(app.observation)}


def _json(status: int, found: object) -> LabAnswer:
    return LabAnswer(status, "application/json", msgspec.json.encode(found))
