"""A connection to a MySQL or MariaDB server: only with the TLS that was asked for, and bounded in time and size.

aiomysql goes on without TLS where a server says that it has none, gives the password in the clear to one that asks for
it, and reads as much as it is sent. What is below it here does not.

Only this file imports aiomysql, which takes a quarter of a second.
"""

from __future__ import annotations

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiomysql
from msgspec import Struct

from changeover.databases.mysql_rows import Row
from changeover.model.errors import AuthError, PermissionDenied, Rejected, Unavailable
from changeover.model.foreign_text import one_line
from changeover.model.secret import Secret

MOST = 16_000_000  # bytes that one connection reads

_TLS, _NAMED_LOGINS = 1 << 11, 1 << 19  # what a server says that it can, by bits

#: Passwords go as a hash, or over TLS, or encrypted with a key of the server's.
_LOGINS = ("mysql_native_password", "caching_sha2_password", "sha256_password")

_REFUSED = {1045, 1130, 1698, 1820, 1862, 3118}  # user, host, expired, locked
_OTHER_LOGIN = {1251, 2059}
_NOT_ALLOWED = {1044, 1142, 1143, 1227, 1370}
#: Too many connections, a server that starts or stops, a connection that was ended from there. From 2000 on the client
#: speaks: a wire that was cut, an answer that makes no sense.
_LATER = {1040, 1041, 1053, 1077, 1129, 1158, 1159, 1160, 1161, 1203, 1205, 1226, 1317, 1836, 1927, *range(2000, 3000)}

#: What comes of an answer that is not one of this protocol.
_NONSENSE = (struct.error, ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError)


class MySQLServer(Struct, frozen=True, kw_only=True):
    """Where a server is, and who asks. `tls` is None for none."""

    host: str
    port: int
    user: str
    password: Secret
    database: str
    tls: ssl.SSLContext | None

    @property
    def shown(self) -> str:
        return f"MySQL at {self.host}:{self.port}"


class _Cursor(aiomysql.DictCursor):  # type: ignore[misc]
    async def _show_warnings(self, conn: aiomysql.Connection) -> None:
        """Would ask for what the server warns of, such as "already stopped", and print it on standard error."""


class MySQLConnection(aiomysql.Connection):  # type: ignore[misc]
    """What can be asked on a connection. Made by `connected` only."""

    def __init__(self, server: MySQLServer) -> None:
        # Passwords are bytes to the server; aiomysql encodes them as Latin-1, everybody else as UTF-8.
        password = server.password.reveal().encode().decode("latin-1")
        super().__init__(
            host=server.host,
            port=server.port,
            user=server.user,
            password=password,
            db=server.database or None,
            ssl=server.tls,
            charset="utf8mb4",
            autocommit=None,
            conv={},
            program_name="changeover",
        )
        self._left = MOST

    async def open(self) -> None:
        await self._connect()

    async def rows(self, statement: str) -> list[Row]:
        """What a statement answers; texts throughout, "" for NULL."""
        async with self.cursor(_Cursor) as cursor:
            await cursor.execute(statement)
            return [{_name(name): _text(value) for name, value in row.items()} for row in await cursor.fetchall()]

    async def rows_if_allowed(self, statement: str) -> list[Row]:
        """The same, and nothing where the user may not ask that."""
        try:
            return await self.rows(statement)
        except aiomysql.MySQLError as error:
            if error.args[0] not in _NOT_ALLOWED:
                raise
            return []

    async def run(self, statement: str, *values: str) -> None:
        async with self.cursor(_Cursor) as cursor:
            await cursor.execute(statement, values or None)

    async def _request_authentication(self) -> None:
        if self._ssl_context and not self.server_capabilities & _TLS:
            raise aiomysql.OperationalError(2026, "it has no TLS")
        if not self.server_capabilities & _NAMED_LOGINS:
            raise aiomysql.OperationalError(2059, "it knows only the logins of before 2010")
        if self._server_auth_plugin not in _LOGINS:
            self._client_auth_plugin = _LOGINS[0]  # the server asks for another, and that goes through _process_auth
        await super()._request_authentication()

    async def _process_auth(self, plugin_name: bytes, auth_packet: Any) -> Any:
        if plugin_name not in [login.encode() for login in _LOGINS]:
            raise aiomysql.OperationalError(2059, f"it wants the login {plugin_name.decode('ascii', 'replace')}")
        return await super()._process_auth(plugin_name, auth_packet)

    async def _read_bytes(self, num_bytes: int) -> bytes:
        self._left -= num_bytes
        if self._left < 0:
            raise aiomysql.OperationalError(2020, f"it sends more than {MOST // 1_000_000} MB")
        data: bytes = await super()._read_bytes(num_bytes)
        return data


@asynccontextmanager
async def connected(server: MySQLServer, seconds: float, rights: str) -> AsyncIterator[MySQLConnection]:
    """A connection that is closed at the end, and no later than after `seconds`. Raises a ProviderError.

    `rights` says what a user needs who may not do what is asked.
    """
    connection = MySQLConnection(server)
    try:
        async with asyncio.timeout(seconds):
            await connection.open()
            yield connection
    except TimeoutError as error:
        raise Unavailable(f"{server.shown} did not answer in {seconds:.0f} s") from error
    except (aiomysql.MySQLError, aiomysql.Warning) as error:
        raise _told(server, error, rights) from error
    except (*_NONSENSE, OSError, ValueError) as error:
        raise Unavailable(f"{server.shown} does not answer as MySQL does ({type(error).__name__})") from error
    finally:
        connection.close()


def _told(server: MySQLServer, error: Exception, rights: str) -> Exception:
    cause = error.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        text = f"{server.shown} has a certificate that is not valid for it: {one_line(cause.verify_message, 200)}"
        return Unavailable(text, "Use the name in its certificate, or name its authority by ssl-ca.")
    code, *words = error.args if error.args and isinstance(error.args[0], int) else (2000, *error.args)
    said = one_line(str(cause if isinstance(cause, OSError) and str(cause) else " ".join(map(str, words))), 200)
    if code in _REFUSED | _OTHER_LOGIN:
        other = f"Let the user log in with one of {', '.join(_LOGINS)}." if code in _OTHER_LOGIN else ""
        text = f"{server.shown} refuses {one_line(server.user, 60)}: {said}"
        return AuthError(text, other or "Set the connection string's secret again.")
    if code in _NOT_ALLOWED:
        return PermissionDenied(f"{server.shown}: {said}", rights)
    if code in _LATER:
        return Unavailable(f"{server.shown} cannot be reached: {said}")
    old = code == 1064
    return Rejected(
        f"{server.shown}: {said}", "MySQL from 8.0.22 on and MariaDB from 10.5 on are known." if old else ""
    )


def _name(column: str) -> str:
    return column.lower().replace("source", "master").replace("replica_", "slave_")


def _text(value: str | bytes | None) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else value.decode("utf-8", "replace")
