"""What single values of a settings file must be, whichever table they stand in: ranges, headers, addresses."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from changeover.dns.provider import is_this_computer
from changeover.model.dns.records import hostname
from changeover.model.dns.server_address import is_address, parse_server
from changeover.model.health.connectivity import GATEWAY

#: Larger whole numbers are not written out; Python refuses to where they have thousands of digits.
LARGEST_WRITTEN = 10**1000


def between(low: float, high: float) -> Callable[[float], float]:
    """A number from `low` to `high`, both included."""

    def check(number: float) -> float:
        if not low <= number <= high:
            limits = f"must be from {low:g} to {high:g}"
            if isinstance(number, float):
                raise ValueError(f"{limits}, not {number:g}")
            raise ValueError(f"{limits}, not {'so huge' if abs(number) > LARGEST_WRITTEN else number}")
        return number

    return check


def one_of(noun: str, known: Sequence[str]) -> Callable[[str], str]:
    """One of some names, which the fault lists."""

    def check(text: str) -> str:
        if text not in known:
            listed = ", ".join(f'"{name}"' for name in known) or "none yet"
            raise ValueError(f'there is no {noun} "{text}"; known here: {listed}')
        return text

    return check


def not_empty(text: str) -> str:
    """Any text but the empty one."""
    if not text:
        raise ValueError("must not be empty")
    return text


def header_name(text: str) -> str:
    """The name of a header, as it is usual: letters, digits, hyphens and underscores."""
    if not text or not text.isascii() or not text.replace("-", "").replace("_", "").isalnum():
        raise ValueError(f'"{text}" is not the name of a header; one looks like X-Deployment')
    return text


def file_of_certificates(folder: Path) -> Callable[[str], str]:
    """A file of certificates in PEM form, beside the settings where its path is relative; as an absolute path."""

    @functools.cache  # hundreds of services may name the same one
    def check(text: str) -> str:
        import ssl

        file = (folder / Path(text).expanduser()).absolute()
        if not file.is_file():
            raise ValueError(f"there is no file {file}")
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
        except OSError as error:
            why = "has no certificate in PEM form" if isinstance(error, ssl.SSLError) else error.strerror
            raise ValueError(f"{file} cannot be used: it {why}") from None
        return str(file)

    return check


def dns_server(text: str) -> str:
    """A DNS server as host or host:port."""
    host, _ = parse_server(text)
    _host(host)
    return text


def witness(text: str) -> str:
    """What is asked whether this computer is online: a web address, "tcp://host:port", or "gateway"."""
    if text == GATEWAY:
        return text
    scheme, _, rest = text.partition("://")
    if scheme == "tcp":
        host, port = parse_server(rest)
        if not rest.endswith(f":{port}") or (rest.count(":") > 1 and not rest.startswith("[")):
            raise ValueError(f'"{text}" has no port; one looks like tcp://9.9.9.9:443 or tcp://[2620:fe::fe]:443')
        _host(host)
        return text
    if not _is_web(text, ("https", "http")):
        known = 'one is "https://…", "tcp://9.9.9.9:443" or "gateway"'
        raise ValueError(f'"{text}" is not a web address; {known}')
    return _secure(text)


def doh_resolver(text: str) -> str:
    """The address of a resolver by DNS over HTTPS (RFC 8484)."""
    if not _is_web(text, ("https", "http")):
        raise ValueError(f'"{text}" is not a web address; one looks like https://9.9.9.9/dns-query')
    return _secure(text)


def status_page(text: str) -> str:
    """The address of a platform's status page, as JSON."""
    if not _is_web(text, ("https", "http")):
        raise ValueError(
            f'"{text}" is not a web address; one looks like https://status.heroku.com/api/v4/current-status'
        )
    return _secure(text)


def https_url(text: str) -> str:
    """A web address that something is sent to: https, or plain http on this computer."""
    if not _is_web(text, ("https", "http")):
        raise ValueError("is not a web address; one looks like https://hooks.example/switched")
    return _secure(text)


def portal(text: str) -> str | None:
    """A plain http address, since nobody can stand in between of an https one. An empty text stands for none."""
    if text and not _is_web(text, ("http",)):
        raise ValueError(f'"{text}" must be a plain http address that answers 204, or "" to ask none')
    return text or None


def _host(text: str) -> None:
    if not is_address(text):
        hostname(text)


def _is_web(text: str, schemes: Sequence[str]) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises ValueError for what is no port
        return parts.scheme in schemes and bool(parts.hostname) and text.isprintable() and " " not in text
    except ValueError:
        return False


def _secure(text: str) -> str:
    """`text`, if nobody on the way can answer in the other's place."""
    parts = urlsplit(text)
    if parts.scheme == "http" and not is_this_computer(parts.hostname or ""):
        raise ValueError(f'"{text}" must begin with https://; plain http proves nothing, but on this computer itself')
    return text
