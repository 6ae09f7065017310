"""Opened accounts: each is one object, however many ask for it at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

from changeover.storage import settings as settings_file
from changeover.storage.accounts import Accounts
from changeover.storage.home import Home
from changeover.storage.secrets import Vault

SETTINGS = 'version = 1\n[accounts.dns-main]\nprovider = "rfc2136"\nserver = "127.0.0.1:5301"\n'


async def test_an_account_is_opened_once(tmp_path: Path) -> None:
    """Two of one account would not know of each other's writes."""
    home = Home.at(tmp_path)
    home.settings_file.write_text(SETTINGS)
    settings = settings_file.load(home.settings_file)
    accounts = Accounts(home.settings_file, Vault(home))
    both = await asyncio.gather(*(accounts.open_each(settings, ["dns-main"]) for _ in range(2)))
    assert both[0]["dns-main"] is both[1]["dns-main"]
    await accounts.aclose()
