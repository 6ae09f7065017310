"""A real PowerDNS behind its HTTP API, by way of a relay that can lose what passes through."""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from dns_servers.http_simulator import Answer, HttpSimulator
from dns_servers.powerdns import PowerDns

PREFIX = "/api/v1"


class PowerDnsRelay(HttpSimulator):
    """A PowerDNS with one zone; `endpoint` leads to its API through the relay, `ask` directly.

    With `proxied_at`, the API is only below that path, and a web page is everywhere else.
    """

    lagging = "/zones/|search-data"

    def __init__(self, folder: Path, zone: str, zone_text: str, key: str) -> None:
        super().__init__()
        self.proxied_at = ""
        self.zone = zone
        self._given: dict[str, Answer] = {}
        self._key = key
        self.server = PowerDns(folder, zone, zone_text, api_key=key)

    def __enter__(self) -> Self:
        self.server.__enter__()
        return super().__enter__()

    def stop(self) -> None:
        super().stop()
        self.server.stop()

    @property
    def endpoint(self) -> str:
        return f"{self.address}{PREFIX}"

    def ask(self, method: str, path: str, body: object | None = None) -> Any:
        """One request to the API as somebody else would make it; `path` is below the server."""
        answer = self._answer(
            method,
            f"{PREFIX}/servers/localhost{path}",
            {"x-api-key": self._key, "content-type": "application/json"},
            b"" if body is None else json.dumps(body).encode(),
        )
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.content!r}")
        return json.loads(answer.content) if answer.content else None

    def patch(self, **rrset: Any) -> None:
        """Replaces a record set as somebody else would."""
        self.ask("PATCH", f"/zones/{self.zone}.", {"rrsets": [{"changetype": "REPLACE", **rrset}]})

    def records(self) -> frozenset[str]:
        """The whole zone as lines of text, disabled records and comments included, the SOA's serial not."""
        found = self.ask("GET", f"/zones/{self.zone}.")["rrsets"]
        return frozenset(
            json.dumps({**{k: v for k, v in one.items() if k != "records"}, **record}, sort_keys=True)
            for one in found
            if one["type"] != "SOA"
            for record in one["records"]
        )

    def content(self) -> Iterator[tuple[str, int, str, str, str]]:
        """Name, TTL, type, value of every record but the SOA, and what else is kept of it."""
        for one in self.ask("GET", f"/zones/{self.zone}.")["rrsets"]:
            for record in one["records"] if one["type"] != "SOA" else ():
                more = {"comments": one["comments"], "disabled": record["disabled"]}
                kept = json.dumps(more, sort_keys=True) if any(more.values()) else ""
                yield one["name"].rstrip("."), one["ttl"], one["type"], record["content"], kept

    def _state(self) -> dict[str, Any]:
        """The server keeps it; what readings gave before is kept here."""
        return {}

    def _former_answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        return self._given.get(target) or self._answer(method, target, headers, body)

    def _answer_with_lag(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        answer = super()._answer_with_lag(method, target, headers, body)
        if method == "GET":
            self._given[target] = answer
        return answer

    def _answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if not target.startswith(f"{self.proxied_at}{PREFIX}" if self.proxied_at else ""):
            return Answer(200, (), b"<!DOCTYPE html><title>Welcome</title>")
        target = target.removeprefix(self.proxied_at)
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.server.api_port, timeout=5)) as server:
            kept = {k: v for k, v in headers.items() if k in ("x-api-key", "content-type", "accept")}
            server.request(method, target, body, kept)
            answer = server.getresponse()
            return Answer(answer.status, (), answer.read())
