"""The shop with a real PostgreSQL pair: its primary has the one server, its backup the standby."""

from __future__ import annotations

import json
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from databases.postgresql_pair import Pair, postgresql_pair
from databases.wire import Wire
from keyring_session import KeyringSession
from shop import Shop

PASSWORD = "canary_1c9e5b7f3a2d4e6f8091a2b3c4d5e6f7"


class DatabaseShop(Shop):
    """`wire` is the way to the primary's database. `operator` is who looks and promotes, by a password."""

    def __init__(self, folder: Path, session: KeyringSession) -> None:
        super().__init__(folder, session=session.environment)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        # Under /tmp, where the server's own user may go.
        place = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self.pair: Pair = self._stack.enter_context(postgresql_pair(place))
        self.wire = self._stack.enter_context(Wire(self.pair.primary))
        self.sql(f"create role operator login password '{PASSWORD}'; grant pg_monitor to operator")
        self.sql("grant execute on function pg_promote to operator")
        super().__enter__()
        text = self.home.settings_file.read_text()
        for name in ("primary", "backup"):
            old = f'\nname = "{name}"\n'
            assert old in text
            text = text.replace(old, f'{old}database = {{ kind = "postgresql", secret = "{name}-db" }}\n')
        self.home.settings_file.write_text(text)
        for name, port in (("primary", self.wire.port), ("backup", self.pair.standby)):
            self.json("service", "secret", "shop", f"{name}-db", "--secret-stdin", stdin=self.url(port))
        return self

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self._stack.close()

    def url(self, port: int) -> str:
        return f"postgresql://operator:{PASSWORD}@127.0.0.1:{port}/postgres?sslmode=require"

    def sql(self, statement: str, port: int | None = None) -> str:
        """Says it to the primary's database."""
        return self.pair.sql(port or self.pair.primary, statement)

    def fall_behind(self) -> None:
        """The standby replays nothing while the primary writes what it lacks then."""
        self.sql("select pg_wal_replay_pause()", self.pair.standby)
        self.sql("insert into t select generate_series(1, 20000)")

    def databases(self, status: int = 0) -> dict[str, Any]:
        """What `changeover database shop` tells; kept by that for the checks."""
        return self.json("database", "shop", status=status)

    def findings(self, *words: str, to: str = "backup") -> list[tuple[str, str]]:
        """(level, text) of the check `database`."""
        found = json.loads(self.run("check", "shop", "--to", to, *words, "--json").stdout)["findings"]
        return [(one["level"], one["text"]) for one in found if one["check"] == "database"]

    def level(self) -> None:
        """Waits until the standby has replayed everything."""
        wanted = self.sql("select pg_current_wal_lsn()")
        while self.sql(f"select pg_last_wal_replay_lsn() >= '{wanted}'", self.pair.standby) != "t":
            pass
