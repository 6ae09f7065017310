"""What tests of accounts may use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts import toy
from changeover.dns.providers import PROVIDERS
from keyring_session import KeyringSession


@pytest.fixture
def session(tmp_path: Path) -> Iterator[KeyringSession]:
    with KeyringSession(tmp_path) as running:
        yield running


@pytest.fixture
def with_toy(monkeypatch: pytest.MonkeyPatch) -> str:
    """The toy is a provider like any other; gives its name."""
    monkeypatch.setitem(PROVIDERS, toy.NAME, toy.__name__)
    return toy.NAME
