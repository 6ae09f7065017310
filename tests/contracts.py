"""What providers and platforms publish of their APIs, which is no part of this repository."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest


def published(name: str) -> dict[str, Any]:
    """The description of that file name. The test is skipped where there are none, which the last lines tell."""
    folder = os.environ.get("CHANGEOVER_CONTRACTS")
    if not folder:
        pytest.skip("CHANGEOVER_CONTRACTS, the folder of API descriptions, is not set")
    found: dict[str, Any] = json.loads((Path(folder) / name).read_text(encoding="utf-8"))
    return found
