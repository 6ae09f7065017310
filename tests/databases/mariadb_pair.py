"""A real MariaDB primary with a standby that replicates from it by GTID, on loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme

INSTALLED = all(map(shutil.which, ("mariadbd", "mariadb-install-db", "mariadb")))

_GRANTS = """
create user admin@'%' identified by 'right'; grant all on *.* to admin@'%' with grant option;
create user repl@'%' identified by 'right'; grant replication slave on *.* to repl@'%';
create user watcher@'%' identified by 'right'; grant slave monitor on *.* to watcher@'%';
create user nobody@'%' identified by 'right';
create user far@'%' identified by 'pässwörd☃';
create user almost@'%' identified by 'right';
grant slave monitor, replication slave admin, read_only admin on *.* to almost@'%';
create database shop; create table shop.t (i int) engine=innodb;
"""


class Pair:
    """`primary` and `standby` are ports; `authority` is a file with who signed the certificate of "localhost"."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.primary, self.standby = _free_ports()
        self.authority = folder / "authority.pem"
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    def sql(self, port: int, statement: str) -> str:
        socket_ = str(self.folder / f"{port}.sock")
        command = ["mariadb", "--no-defaults", "-NB", "-u", "root", "-S", socket_, "-e", statement]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def start(self, port: int, *options: str) -> None:
        """Returns when it takes connections, which it says as it would to systemd."""
        told = self.folder / f"{port}.told"
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as telling,
            (self.folder / f"{port}.log").open("ab") as log,
        ):
            telling.bind(str(told))
            telling.settimeout(60)
            command = ["mariadbd", "--no-defaults", *_as_root(), *self._options(port), *options]
            environment = {**os.environ, "NOTIFY_SOCKET": str(told)}
            self._running[port] = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
            while b"READY=1" not in telling.recv(4096):
                pass
        told.unlink()

    def stop(self, port: int) -> None:
        """As a power cut does."""
        process = self._running.pop(port)
        process.kill()
        process.wait()

    def running(self) -> list[int]:
        return list(self._running)

    def prepare(self, port: int) -> None:
        data = str(self.folder / str(port))
        command = ["mariadb-install-db", "--no-defaults", *_as_root(), f"--datadir={data}", "--skip-test-db"]
        command += [
            "--auth-root-authentication-method=normal",
            "--skip-name-resolve",
            f"--tmpdir={self._scratch(port)}",
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr

    def pair_up(self) -> None:
        """Makes `standby` follow `primary` from where that is, whatever either did before."""
        alone = "stop all slaves; reset slave all; set global read_only = 0;"
        at = self.sql(self.primary, f"{alone} select @@global.gtid_binlog_pos")
        follow = f"master_host='127.0.0.1', master_port={self.primary}, master_user='repl', master_password='right'"
        self.sql(
            self.standby,
            f"{alone} reset master; set global gtid_slave_pos = '{at}'; set global read_only = 1; "
            f"change master to {follow}, master_use_gtid=slave_pos, master_connect_retry=1; start slave",
        )

    def _scratch(self, port: int) -> Path:
        """A server that starts removes temporary tables of all servers that it shares the folder with."""
        scratch = self.folder / f"{port}.tmp"
        scratch.mkdir(exist_ok=True)
        return scratch

    def _options(self, port: int) -> list[str]:
        here = self.folder
        return [
            f"--datadir={here / str(port)}",
            f"--socket={here / f'{port}.sock'}",
            f"--pid-file={here / f'{port}.pid'}",
            f"--tmpdir={self._scratch(port)}",
            f"--port={port}",
            "--bind-address=127.0.0.1",
            f"--server-id={1 if port == self.primary else 2}",
            "--skip-name-resolve",
            f"--log-bin={here / str(port) / 'bin'}",
            f"--relay-log={here / str(port) / 'relay'}",
            "--log-slave-updates",
            "--gtid-strict-mode",
            "--report-host=127.0.0.1",
            "--innodb-buffer-pool-size=8M",
            "--innodb-flush-log-at-trx-commit=2",
            "--slave-net-timeout=60",
            f"--ssl-cert={here / 'server.crt'}",
            f"--ssl-key={here / 'server.key'}",
        ]


@contextmanager
def mariadb_pair(folder: Path) -> Iterator[Pair]:
    pair = Pair(folder)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(pair.authority)
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(folder / "server.key")
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(folder / "server.crt", append=True)
    try:
        pair.prepare(pair.primary)
        shutil.copytree(folder / str(pair.primary), folder / str(pair.standby))
        pair.start(pair.primary)
        pair.start(pair.standby)
        pair.sql(pair.standby, "set sql_log_bin = 0;" + _GRANTS)
        pair.sql(pair.primary, "set sql_log_bin = 0;" + _GRANTS)
        pair.pair_up()
        yield pair
    finally:
        for port in pair.running():
            pair.stop(port)


def _as_root() -> list[str]:
    return ["--user=root"] if os.geteuid() == 0 else []


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]
