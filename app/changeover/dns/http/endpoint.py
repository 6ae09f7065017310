"""The address of an API, as an account's settings have it. Looked at without the HTTP client, which loads slowly."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from changeover.dns.provider import is_this_computer

#: Host and port of an endpoint.
_PLACE = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")


def is_safe_endpoint(endpoint: str) -> bool:
    """Is it an https address, or plain http on this computer, and nothing but scheme, host, port and path?"""
    try:
        parts = urlsplit(endpoint)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.query or parts.fragment:
        return False
    if not _PLACE.fullmatch(parts.netloc) or not (endpoint.isascii() and endpoint.isprintable()):
        return False  # programs read other letters there in different ways, and people take them for others
    return parts.scheme == "https" or (parts.scheme == "http" and is_this_computer(host))


def endpoint_host(endpoint: str) -> str:
    """The host of an endpoint's address, in lower case, without the port; empty where it is no address."""
    try:
        return urlsplit(endpoint).hostname or ""
    except ValueError:
        return ""
