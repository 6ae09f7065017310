"""Answers that no honest API gives, made from one that an honest API gave."""

from __future__ import annotations

import gzip
import json
import random
from typing import Any
from xml.etree import ElementTree

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
    if honest.content.startswith(b"<"):
        return _hostile_xml(chance, honest.content, elsewhere, secret)
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


def _hostile_xml(chance: random.Random, body: bytes, elsewhere: str, secret: str) -> Answer:
    """The same where an API speaks XML."""
    status = chance.choice((200, 200, 200, 201, 400, 401, 403, 404, 409, 422, 429, 418))
    match chance.randrange(14):
        case 0:
            return Answer(chance.choice((301, 302, 307, 308)), [("Location", elsewhere)], b"")
        case 1:
            return Answer(status, [], body[: chance.randrange(len(body))])
        case 2:
            return Answer(status, [], chance.choice((b"<html><body>Log in</body></html>", b"null", b"{}", b"")))
        case 3:
            opened = chance.choice((b"<a>", b"<a b='c'>", b"<ResourceRecordSets><ResourceRecordSet>", b"<!--"))
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
            words = f"<Code>{secret}</Code><Message>Token {secret}</Message>"
            told = chance.choice((f"<Error>{words}</Error>", f"<Errors><Error>{words}</Error></Errors>", words))
            answer = f"<ErrorResponse>{told}<RequestId>{secret}</RequestId></ErrorResponse>"
            return Answer(chance.choice((400, 401, 403, 422, 429)), [("Retry-After", "9" * 50)], answer.encode())
        case 8:
            return Answer(status, [("Retry-After", chance.choice(("x", "-1", "Thu, 99 Foo", "1e9")))], b"<a/>")
        case 9 | 10:
            return Answer(status, [], _with_entities(chance, body, elsewhere))
    return Answer(200, [], _changed_xml(body, chance))


def _with_entities(chance: random.Random, body: bytes, elsewhere: str) -> bytes:
    """The same XML with entities in it: of a file, of another host, or of a text without end."""
    laughs = ['<!ENTITY l0 "lol">', *(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))]
    declared, used = chance.choice(
        (
            ('<!ENTITY e SYSTEM "file:///etc/hostname">', "&e;"),
            (f'<!ENTITY e SYSTEM "{elsewhere}/entity">', "&e;"),
            (f'<!ENTITY % e SYSTEM "{elsewhere}/parameters"> %e;', ""),
            ("".join(laughs), "&l9;"),
            ("", ""),
        )
    )
    text = body.decode().partition("?>")[2] if body.startswith(b"<?") else body.decode()
    first = text.index(">", text.index("<")) + 1
    return f"<!DOCTYPE a [{declared}]>{text[:first]}{used}{text[first:]}".encode()


def _changed_xml(body: bytes, chance: random.Random) -> bytes:
    """The same XML with one of its elements emptied, left out, twice there, within itself, or of another text."""
    root = ElementTree.fromstring(body)
    parent = chance.choice([element for element in root.iter() if len(element)])
    place = chance.randrange(len(parent))
    one = parent[place]
    match chance.randrange(6):
        case 0:
            del parent[place]
        case 1:
            parent.insert(place, one)
        case 2:
            one.text = None
            del one[:]
        case 3:
            del one[:]
            one.extend([parent[-1]] if parent[-1] is not one else [])
        case _:
            odd = chance.choice(
                [odd for odd in _ODD if not isinstance(odd, str)] + ["", "x" * 5000, "..", "\\000\\056"]
            )
            one.text = odd if isinstance(odd, str) else json.dumps(odd)
            del one[:]
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


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
