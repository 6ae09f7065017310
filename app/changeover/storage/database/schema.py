"""The tables of the database, as the steps from each version to the next. A step that was released never changes.

In the history's tables times are milliseconds since 1970 (UTC), lengths of time are microseconds, and texts that come
again and again have a number.
"""

from __future__ import annotations

_JOURNAL = (
    """
    CREATE TABLE IF NOT EXISTS runs (
        service TEXT NOT NULL,
        number INTEGER NOT NULL,
        PRIMARY KEY (service, number)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS journal (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        run TEXT NOT NULL,
        at TEXT NOT NULL,
        event TEXT NOT NULL
    )
    """,
    "CREATE INDEX IF NOT EXISTS journal_run ON journal (run)",
)

#: Checks of whole deployments, by time: at first, so that new rows go to the end and old ones from the beginning, and
#: a thousand deployments do not touch a thousand pages. `times` is a histogram, see storage/history/rollup.py. Columns
#: that begin with m_ are those during maintenance.
_TALLIES = """
    CREATE TABLE {name} (
        at INTEGER NOT NULL,
        deployment INTEGER NOT NULL,
        good INTEGER NOT NULL,
        part INTEGER NOT NULL,
        bad INTEGER NOT NULL,
        untried INTEGER NOT NULL,
        m_good INTEGER NOT NULL,
        m_part INTEGER NOT NULL,
        m_bad INTEGER NOT NULL,
        m_untried INTEGER NOT NULL,
        total INTEGER NOT NULL,
        fastest INTEGER,
        slowest INTEGER,
        times BLOB NOT NULL,
        PRIMARY KEY (at, deployment)
    ) WITHOUT ROWID
"""

_HISTORY = (
    """
    CREATE TABLE deployments (
        id INTEGER PRIMARY KEY,
        service TEXT NOT NULL,
        name TEXT NOT NULL,
        proven INTEGER,
        UNIQUE (service, name)
    )
    """,
    """
    CREATE TABLE places (
        id INTEGER PRIMARY KEY,
        deployment INTEGER NOT NULL,
        hostname TEXT NOT NULL,
        address TEXT NOT NULL,
        target TEXT NOT NULL,
        UNIQUE (deployment, hostname, address, target)
    )
    """,
    "CREATE TABLE reasons (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)",
    # The results of one round all have the round's time.
    """
    CREATE TABLE results (
        at INTEGER NOT NULL,
        place INTEGER NOT NULL,
        ok INTEGER,
        maintenance INTEGER NOT NULL,
        status INTEGER,
        cause TEXT,
        reason INTEGER,
        connect INTEGER,
        tls INTEGER,
        first_byte INTEGER,
        total INTEGER,
        PRIMARY KEY (at, place)
    ) WITHOUT ROWID
    """,
    _TALLIES.format(name="minutes"),
    _TALLIES.format(name="hours"),
    # Of each of these three tables: its rows, the time before which it was pruned, and up to where it is filled.
    "CREATE TABLE marks (name TEXT PRIMARY KEY, rows INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL)",
    "INSERT INTO marks VALUES ('results', 0, 0, 0), ('minutes', 0, 0, 0), ('hours', 0, 0, 0)",
    """
    CREATE TABLE incidents (
        id INTEGER PRIMARY KEY,
        deployment INTEGER NOT NULL,
        started INTEGER NOT NULL,
        ended INTEGER,
        cause TEXT,
        reason TEXT NOT NULL,
        evidence TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE gaps (
        started INTEGER NOT NULL,
        kind TEXT NOT NULL,
        ended INTEGER NOT NULL,
        PRIMARY KEY (started, kind)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE pins (
        service TEXT NOT NULL,
        deployment TEXT NOT NULL,
        hold TEXT NOT NULL,
        reason TEXT NOT NULL,
        set_at INTEGER NOT NULL,
        until INTEGER NOT NULL,
        PRIMARY KEY (service, deployment)
    ) WITHOUT ROWID
    """,
)

_FREEZES = (
    """
    CREATE TABLE freezes (
        service TEXT PRIMARY KEY,
        reason TEXT NOT NULL,
        set_at INTEGER NOT NULL,
        until INTEGER NOT NULL,
        who TEXT NOT NULL
    ) WITHOUT ROWID
    """,
)

#: Events say in which version they are written, and that they are whole (CRC-32); those before have neither. Runs have
#: their name, so that nobody needs to take it apart.
_EVENT_VERSIONS = (
    "ALTER TABLE journal ADD COLUMN version INTEGER",
    "ALTER TABLE journal ADD COLUMN checksum INTEGER",
    "ALTER TABLE runs ADD COLUMN run TEXT",
    "UPDATE runs SET run = service || '-' || number",
    "CREATE UNIQUE INDEX runs_by_name ON runs (run)",
)

#: `channel` says who was told.
_TOLD_OUTAGES = (
    """
    CREATE TABLE told_outages (
        channel TEXT NOT NULL,
        service TEXT NOT NULL,
        kind TEXT NOT NULL,
        subject TEXT NOT NULL,
        began INTEGER NOT NULL,
        PRIMARY KEY (channel, service)
    ) WITHOUT ROWID
    """,
)

#: When it was told; nobody knows it of outages of before.
_TOLD_AT = ("ALTER TABLE told_outages ADD COLUMN told INTEGER",)

_PLATFORM_OBSERVATIONS = (
    """
    CREATE TABLE platform_observations (
        service TEXT NOT NULL,
        deployment TEXT NOT NULL,
        at INTEGER NOT NULL,
        content BLOB NOT NULL,
        PRIMARY KEY (service, deployment)
    ) WITHOUT ROWID
    """,
)

_DATABASE_OBSERVATIONS = (
    """
    CREATE TABLE database_observations (
        service TEXT NOT NULL,
        deployment TEXT NOT NULL,
        at INTEGER NOT NULL,
        content BLOB NOT NULL,
        PRIMARY KEY (service, deployment)
    ) WITHOUT ROWID
    """,
)

_APP_VERSIONS = (
    """
    CREATE TABLE app_versions (
        service TEXT NOT NULL,
        deployment TEXT NOT NULL,
        at INTEGER NOT NULL,
        content BLOB NOT NULL,
        PRIMARY KEY (service, deployment)
    ) WITHOUT ROWID
    """,
)

MIGRATIONS = (
    _JOURNAL,
    _HISTORY,
    _FREEZES,
    _EVENT_VERSIONS,
    _TOLD_OUTAGES,
    _TOLD_AT,
    _PLATFORM_OBSERVATIONS,
    _DATABASE_OBSERVATIONS,
    _APP_VERSIONS,
)
