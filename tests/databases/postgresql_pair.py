"""A real PostgreSQL primary with a standby that streams from it, on loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme

#: Of all versions in this folder the last one, as text, is taken.
SERVERS = sorted(Path(os.environ.get("CHANGEOVER_POSTGRESQL", "/usr/lib/postgresql")).glob("*/bin/initdb"))


class Pair:
    """`primary` and `standby` are ports; `authority` is a file with who signed the certificate of "localhost"."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.primary, self.standby = _free_ports()
        self.authority = folder / "authority.pem"

    def sql(self, port: int, statement: str) -> str:
        command = ["psql", "-X", "-At", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-c", statement]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.strip()

    def as_postgres(self, program: str, *words: str) -> None:
        """PostgreSQL's programs refuse to run as root."""
        user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        command = [*user, str(SERVERS[-1].with_name(program)), *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)

    def start(self, port: int) -> None:
        data, log = str(self.data(port)), str(self.folder / f"{port}.log")
        self.as_postgres("pg_ctl", "-D", data, "-o", f"-p {port}", "-w", "-l", log, "start")

    def stop(self, port: int) -> None:
        self.as_postgres("pg_ctl", "-D", str(self.data(port)), "-m", "immediate", "-w", "stop")

    def data(self, port: int) -> Path:
        return self.folder / str(port)

    def running(self, port: int) -> bool:
        return (self.data(port) / "postmaster.pid").exists()


@contextmanager
def postgresql_pair(folder: Path) -> Iterator[Pair]:
    pair = Pair(folder)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(pair.authority)
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    pair.as_postgres("initdb", "-D", str(pair.data(pair.primary)), "-A", "trust", "--no-sync", "-U", "postgres")
    data = pair.data(pair.primary)
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(data / "server.key")
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(data / "server.crt", append=True)
    (data / "server.key").chmod(0o600)
    if os.geteuid() == 0:
        for name in ("server.key", "server.crt"):
            shutil.chown(data / name, "postgres")
    with (data / "postgresql.conf").open("a") as file:
        file.write(f"listen_addresses = '127.0.0.1'\nunix_socket_directories = '{folder}'\nfsync = off\nssl = on\n")
    hba = data / "pg_hba.conf"
    hba.write_text("host all watcher,operator 127.0.0.1/32 scram-sha-256\n" + hba.read_text())
    try:
        pair.start(pair.primary)
        pair.sql(pair.primary, "create role watcher login password 'right'; create table t (i int)")
        pair.sql(pair.primary, "grant pg_monitor to watcher")
        words = ("-h", "127.0.0.1", "-p", str(pair.primary), "-U", "postgres", "-D", str(pair.data(pair.standby)))
        pair.as_postgres("pg_basebackup", *words, "-R", "-X", "stream", "-C", "-S", "backup", "-c", "fast", "--no-sync")
        pair.start(pair.standby)
        yield pair
    finally:
        for port in (pair.standby, pair.primary):
            if pair.running(port):
                pair.stop(port)


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]
