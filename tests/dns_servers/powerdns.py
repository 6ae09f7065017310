"""PowerDNS on a free loopback port, its zone in SQLite, with one zone that takes dynamic updates.

What its dynamic updates do (PowerDNS 4.7, Debian 12), found by trying; each line is a test in test_powerdns.py:

- Prerequisites are compared as RFC 2136 says (3.2), and an update is made as a whole or not at all.
- A TSIG key that may change the zone is a line of the zone's metadata (TSIG-ALLOW-DNSUPDATE). Without one anybody in
  allow-dnsupdate-from may.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Self

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.tsigkeyring
import dns.update
import dns.xfr
import dns.zone

from dns_servers.bind import KEY_NAME, QUERY_TIMEOUT, SECRET, ZONE_TEXT
from dns_servers.process import NotReady, ServerProcess, free_port

_SCHEMA = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")
_CONF = """\
launch=gsqlite3
gsqlite3-database={folder}/pdns.db
gsqlite3-pragma-synchronous=0
gsqlite3-pragma-journal-mode=WAL
local-address=127.0.0.1
local-port={port}
server-id={folder}
socket-dir={folder}
dnsupdate={update}
allow-dnsupdate-from=127.0.0.0/8
primary=no
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=0
max-tcp-connections=1000
consistent-backends=yes
daemon=no
guardian=no
disable-syslog=yes
setuid=
setgid=
"""


class PowerDns:
    """A running `pdns_server`, authoritative for `zone`. Used like Bind.

    `zone_text` is a zone file's text without $ORIGIN; its $TTL is 60. With `key`, updates and transfers are signed with
    `key_name` and `secret`, else anybody on loopback may do both. Without `update` nobody may change the zone.
    """
