"""An emergency at night: from the command to visitors sent to the backup, with a silent platform and without any.

The same shop on the same BIND, whose primary does not answer. Once both deployments are on platforms (Heroku, which
accepts connections and never answers, and Cloud Foundry), with the steps of the template and DNS first; once they are
just addresses. The two take turns.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from figures import Figure

from keyring_session import KeyringSession
from shop import WWW, Shop
from two_platforms import Moving

AIM = 1.1
_AT_BACKUP = {f"{WWW}. 60 A 127.0.0.3"}


def measure(rounds: int) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder, _shops(Path(folder)) as (with_platforms, plain):
        ours, theirs = [], []
        for _ in range(rounds):
            ours.append(_visitors_served(with_platforms, "--dns-first"))
            theirs.append(_visitors_served(plain))
    what = "an emergency with the primary's platform silent, until visitors are sent to the backup"
    return [Figure(what=what, peer="the same without platforms", ours=tuple(ours), theirs=tuple(theirs), aim=AIM)]


@contextmanager
def _shops(folder: Path) -> Iterator[tuple[Moving, Shop]]:
    keyring = folder / "keyring"
    keyring.mkdir()
    with (
        KeyringSession(keyring) as session,
        Moving(folder, session) as with_platforms,
        Shop(folder, session=session.environment) as plain,
    ):
        with_platforms.take_template()
        with_platforms.heroku.behind.misbehave("hang", times=1_000_000)
        yield with_platforms, plain


def _visitors_served(shop: Shop, *more: str) -> float:
    """Seconds from the start of the command until the name server sends visitors elsewhere. Then all is put back."""
    shop.web.break_("primary")
    began = time.perf_counter()
    with shop.start("switch", "shop", "--to", "backup", "--emergency", "--yes", "--json", *more) as switching:
        while shop.at(WWW) != _AT_BACKUP and switching.poll() is None:
            time.sleep(0.005)
        seconds = time.perf_counter() - began
        run = json.loads(switching.communicate(timeout=120)[0])
    shop.web.repair("primary")
    shop.json("undo", run["run"], "--yes")
    shop.json("acknowledge", run["run"])
    return seconds
