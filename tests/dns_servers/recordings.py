"""The recorded traffic of real providers, where CHANGEOVER_RECORDINGS says that it is here.

A recording is one conversation: a list of {"request": {method, url, headers, body}, "response": {status, headers,
body}}, bodies as text.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

#: A test that needs recordings has this mark.
needs_recordings = pytest.mark.skipif(
    not os.environ.get("CHANGEOVER_RECORDINGS"), reason="CHANGEOVER_RECORDINGS is not set"
)


def recordings(provider: str) -> list[Path]:
    """The files of one provider's conversations; none where there are no recordings."""
    folder = os.environ.get("CHANGEOVER_RECORDINGS")
    return sorted((Path(folder) / provider).glob("*.json")) if folder else []


def conversation(file: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(file.read_text())
    return found


def shape(value: object) -> object:
    """Keys and types of JSON; of a list, the different shapes that it has."""
    if isinstance(value, dict):
        return {key: shape(member) for key, member in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(shape(member), sort_keys=True) for member in value})
    return type(value).__name__
