"""Answers that no honest API gives, made from one that an honest API gave."""

from __future__ import annotations

import gzip
import json
import random
from typing import Any

from dns_servers.http_simulator import Answer

_ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    10**30,
    1e308,
    "",
    "\u0000",
    "x" * 5000,
    "\x1b[31mred",
    [],
    {},
    [[[]]],
    {"a": {"b": []}},
    "999.999.999.999",
    "..",
    "http://127.0.0.1:9/",
)


def hostile(seed: int, honest: Answer, elsewhere: str, secret: str) -> Answer:
    """One malformed or hostile answer. `elsewhere` is another host's address, which must never be asked."""
    chance = random.Random(seed)
    status = chance.choice((200, 200, 200, 201, 400, 401, 403, 404, 409, 422, 429, 418))
    body = honest.content
    match chance.randrange(12):
        case 0:
            return Answer(chance.choice((301, 302, 307, 308)), [("Location", elsewhere)], b"")
        case 1:
            return Answer(status, [], body[: chance.randrange(len(body))])
        case 2:
            return Answer(status, [], b"<html><body>Log in</body></html>")
        case 3:
            opened = chance.choice((b"[", b'{"a":', b'{"rrsets":[', b'[{"records":'))
            return Answer(status, [], opened * chance.choice((10, 2_000, 50_000)))
        case 4:
            return Answer(status, [], body.decode().encode(chance.choice(("utf-16", "utf-32"))))
        case 5:
            spoilt = bytearray(body)
            for _ in range(chance.randrange(1, 20)):
                spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
            return Answer(status, [], bytes(spoilt))
        case 6:
            packed = gzip.compress(body)
            return Answer(status, [("Content-Encoding", "gzip")], chance.choice((body, packed[:-9], packed)))
        case 7:
            words = {"error": secret, "detail": f"Token {secret}", "message": secret, "errors": [secret]}
            return Answer(
                chance.choice((400, 401, 403, 422, 429)), [("Retry-After", "9" * 50)], json.dumps(words).encode()
            )
        case 8:
            link = f'<{elsewhere}/?cursor={secret}>; rel="next"'
            return Answer(200, [("Link", link)], body)
        case 9:
            return Answer(status, [("Retry-After", chance.choice(("x", "-1", "Thu, 99 Foo", "1e9")))], b"null")
    return Answer(200, [], json.dumps(_changed(json.loads(body), chance)).encode() if body else b"[]")


def _changed(value: Any, chance: random.Random) -> Any:
    """The same JSON with one of its parts replaced, left out, or twice there."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice(list(value))
        if chance.random() < 0.1:
            return {k: v for k, v in value.items() if k != key}
        return {**value, key: _changed(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.9:
        place = chance.randrange(len(value))
        if chance.random() < 0.1:
            return [*value, value[place]]
        return [_changed(v, chance) if i == place else v for i, v in enumerate(value)]
    return chance.choice(_ODD)
