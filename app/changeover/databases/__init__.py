"""Asking the database servers of a service how they stand, and making a standby the primary.

A new kind is registered here, in one line.
"""

from __future__ import annotations

import importlib

from changeover.databases.database_server import DatabaseServerType

#: By the name that the settings file uses. Modules are imported when first needed: each brings its own driver.
DATABASES = {
    "postgresql": "changeover.databases.postgresql",
    "mysql": "changeover.databases.mysql",
}


def database_type(kind: str) -> DatabaseServerType:
    """What opens a database of that kind. KeyError where there is none."""
    found: DatabaseServerType = importlib.import_module(DATABASES[kind]).DATABASE
    return found
