"""A response's body as it was meant: unpacked, within bounds."""

from __future__ import annotations

import zlib

Headers = tuple[tuple[bytes, bytes], ...]
_ENCODING = b"content-encoding"
#: Window sizes for zlib: gzip or zlib by their own heads; what some servers call deflate has none (RFC 9110, 8.4.1.2).
_WITH_HEAD, _BARE = 47, -15
_GZIP = b"\x1f\x8b"


def unpacked(headers: Headers, body: bytes, most: int, *, cut: bool) -> tuple[Headers, bytes, bool]:
    """The headers without a coding that was taken off the body, the body up to `most` bytes, and whether it goes on.

    Nothing packed is asked for, and some servers pack all the same. gzip and deflate are taken off; a body in another
    coding stays as it came. EOFError where it is not in its coding or ends before that does, at which browsers show
    nothing either; where it was `cut`, it is taken off as far as it goes.
    """
    codings = [value.strip().lower() for name, value in headers if name == _ENCODING]
    if codings not in ([b"gzip"], [b"x-gzip"], [b"deflate"]) or not body:
        return headers, body, cut
    called = codings[0].decode()
    for window in (_WITH_HEAD, _BARE) if called == "deflate" else (_WITH_HEAD,):
        try:
            plain, whole = _inflated(body, window, most + 1)
        except zlib.error:
            continue
        more = cut or len(plain) > most
        if whole or more:
            return tuple(h for h in headers if h[0] != _ENCODING), plain[:most], more
        raise EOFError(f"the body ends in the middle of its {called}")
    raise EOFError(f"the body says that it is {called}, and is not")


def _inflated(body: bytes, window: int, most: int) -> tuple[bytes, bool]:
    """What was packed, up to `most` bytes, and whether it ends with its coding.

    Several members of gzip are one text (RFC 1952, 2.2); what else stands behind the last counts for nothing.
    """
    plain = b""
    while True:
        member = zlib.decompressobj(window)
        plain += member.decompress(body, most - len(plain))
        body = member.unused_data
        if len(plain) == most or not body.startswith(_GZIP):
            return plain, member.eof
