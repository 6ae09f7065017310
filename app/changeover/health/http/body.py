"""A response's body as it was meant: unpacked, within bounds."""

from __future__ import annotations

import zlib

Headers = tuple[tuple[bytes, bytes], ...]
_ENCODING = b"content-encoding"
#: Window sizes for zlib: gzip or zlib by their own heads; what some servers call deflate has none (RFC 9110, 8.4.1.2).
_WITH_HEAD, _BARE = 47, -15


def unpacked(headers: Headers, body: bytes, most: int) -> tuple[Headers, bytes, bool]:
    """The headers without a coding that was taken off the body, the body up to `most` bytes, and whether it goes on.

    Nothing packed is asked for, and some servers pack all the same. gzip and deflate are taken off, as far as they go;
    a body in another coding, or in one that it is not in, stays as it came.
    """
    codings = [value.strip().lower() for name, value in headers if name == _ENCODING]
    if codings not in ([b"gzip"], [b"x-gzip"], [b"deflate"]) or not body:
        return headers, body, False
    for window in (_WITH_HEAD, _BARE) if codings == [b"deflate"] else (_WITH_HEAD,):
        try:
            plain = zlib.decompressobj(window).decompress(body, most + 1)
        except zlib.error:
            continue
        return tuple(h for h in headers if h[0] != _ENCODING), plain[:most], len(plain) > most
    return headers, body, False
