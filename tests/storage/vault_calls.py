"""Calls a Vault in a process of its own: vault_calls.py TIMEOUT < calls.json > answers.json

Each call is a list: a method of Vault or of the keyring itself, and its arguments. Each answer is the result, or
{"error": type, "text": …, "hint": …}. The home is that of the environment.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from changeover.model.errors import ChangeoverError
from changeover.model.secret import Secret
from changeover.storage.home import Home
from changeover.storage.keyring import Vault


async def answer(vault: Vault, call: str, *words: str) -> Any:
    match call:
        case "get":
            secret = await vault.get(*words)
            return None if secret is None else secret.reveal()
        case "put":
            return await vault.put(*words[:3], Secret(words[3]))
        case "put_all":
            return await vault.put_all(
                words[0], words[1], dict(zip(words[2::2], map(Secret, words[3::2]), strict=True))
            )
        case "hold":
            return vault.hold(*words[:3], Secret(words[3]))
        case "forget":
            return await vault.forget(*words)
        case "entries":
            return entries()
    import keyring

    return getattr(keyring, call)(*words)


def entries() -> list[list[str]]:
    """Service, user name and text of everything in the keyring, as the Secret Service lists it."""
    import secretstorage

    with secretstorage.dbus_init() as bus:
        items = list(secretstorage.get_default_collection(bus).get_all_items())
        named = [(item.get_attributes(), item.get_secret().decode()) for item in items]
    return sorted([attributes["service"], attributes["username"], text] for attributes, text in named)


async def answers() -> list[Any]:
    vault = Vault(Home.from_environment(), timeout=float(sys.argv[1]))
    found: list[Any] = []
    for call in json.load(sys.stdin):
        try:
            found.append(await answer(vault, *call))
        except ChangeoverError as error:
            found.append({"error": type(error).__name__, "text": error.text, "hint": error.hint})
    return found


print(json.dumps(asyncio.run(answers())))
