"""The head of a response that breaks the rules of HTTP where browsers and curl look away, put in order."""

from __future__ import annotations

import re

#: A header's name (RFC 9110, 5.6.2), and what no value may hold.
_NAME = re.compile(rb"[-!#$%&'*+.^_`|~0-9a-zA-Z]+")
_CONTROLS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_END = re.compile(rb"\r?\n\r?\n")


def tidied(received: bytes) -> bytes | None:
    """What was received, with its first complete heads in order; None where there is no complete one, or a NUL in one.

    A name loses space before its colon, a value its control characters; a line that is no header is left out, and so is
    the transfer coding "identity", which says nothing.
    """
    whole, rest = b"", received
    while (end := _END.search(rest)) is not None:
        if b"\0" in rest[: end.start()]:
            return None
        first, *lines = re.split(rb"\r?\n", rest[: end.start()])
        whole += b"\r\n".join([_CONTROLS.sub(b" ", first).rstrip(), *filter(None, map(_header, lines))]) + b"\r\n\r\n"
        rest = rest[end.end() :]
        if not re.match(rb"HTTP/\d\.\d 1\d\d", first):
            return whole + rest
    return whole + rest if whole else None


def _header(line: bytes) -> bytes | None:
    name, colon, value = line.partition(b":")
    name, value = name.strip(), _CONTROLS.sub(b" ", value).strip()
    if not colon or not _NAME.fullmatch(name) or (name.lower(), value.lower()) == (b"transfer-encoding", b"identity"):
        return None
    return name + b": " + value
