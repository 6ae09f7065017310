"""Whom a check believes: the system's certificates and those of a team, as they are on disk now."""

from __future__ import annotations

import logging
import os
import ssl
import sys
import time

log = logging.getLogger(__name__)

#: The system's store is no file there, so that it is read anew after so many seconds.
_STORE_SECONDS = 3600
_Stamp = tuple[object, ...]
_kept: dict[tuple[str | None, bool], tuple[_Stamp, ssl.SSLContext]] = {}


class UnusableFile(Exception):
    """A file of certificates cannot be read; its text says which."""


def trusted(ca_file: str | None, hostname: str = "") -> ssl.SSLContext:
    """The system's certificates, and those of `ca_file` beside them, read again when either has changed.

    As in browsers, a certificate's common name counts for nothing. For a `hostname` with an underscore, which OpenSSL
    does not find under a wildcard, the caller compares the names. A file that cannot be used, as while it is being
    written, leaves what it said before; raises UnusableFile where that is nothing.
    """
    key = (ca_file, "_" in hostname)
    known = _kept.get(key)
    stamp = _stamp(ca_file)
    if known is not None and known[0] == stamp:
        return known[1]
    try:
        context = ssl.create_default_context()
        if ca_file is not None:
            context.load_verify_locations(cafile=ca_file)
    except OSError as error:  # ssl.SSLError is one
        said = error.strerror or "it holds no certificates"
        if known is None:
            raise UnusableFile(f"the certificates in {ca_file or 'the system'} cannot be used: {said}") from None
        log.warning("%s cannot be used, and what it said before holds: %s", ca_file, said)
        return known[1]
    context.hostname_checks_common_name = False
    context.check_hostname = "_" not in hostname
    _kept[key] = stamp, context
    return context


def _stamp(ca_file: str | None) -> _Stamp:
    """What changes with the certificates on disk."""
    system = ssl.get_default_verify_paths()
    files = [ca_file, system.cafile, system.capath]
    store = time.monotonic() // _STORE_SECONDS if sys.platform == "win32" else None
    return (store, *(_changed(file) for file in files))


def _changed(file: str | None) -> tuple[int, int, int] | None:
    try:
        found = os.stat(file) if file else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino) if found else None
