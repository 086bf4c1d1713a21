"""A PostgreSQL server of the tests' own: the metadata database of an Airflow that is meant to be broken."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from laptop.processes import Processes

# Debian keeps the server's programs off the PATH.
DEBIAN = Path("/usr/lib/postgresql")
# The server refuses to run as root.
SERVER_USER = "postgres"


class ServerMissingError(Exception):
    """PostgreSQL is not installed."""


@contextmanager
def postgresql(port: int) -> Iterator[str]:
    """Run an empty server on the loopback address, and give the address of its database for SQLAlchemy.

    Args:
        port: Where it listens.

    Raises:
        ServerMissingError: PostgreSQL is not installed.
    """
    found = shutil.which("initdb") or next(iter(sorted(map(str, DEBIAN.glob("*/bin/initdb")))[-1:]), None)
    if not found:
        raise ServerMissingError("The PostgreSQL server is missing: apt-get install postgresql")
    programs = Path(found).parent
    as_user = ["setpriv", f"--reuid={SERVER_USER}", f"--regid={SERVER_USER}", "--clear-groups"]
    prefix = as_user if os.geteuid() == 0 else []
    # Gone at the end, however that comes.
    with (
        tempfile.TemporaryDirectory(prefix="postgresql-") as folder,
        Processes(Path(folder, "logs")) as processes,
    ):
        if prefix:
            shutil.chown(folder, SERVER_USER, SERVER_USER)
        data = str(Path(folder, "data"))
        make = [*prefix, str(programs / "initdb"), "--pgdata", data, "--username=airflow"]
        made = processes.start("initdb", [*make, "--auth=trust", "--encoding=UTF8", "--no-sync"], os.environ)
        assert made.popen.wait() == 0, made.log.read_text()
        # What is in it need not outlast the machine.
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "fsync": "off",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        server = processes.start(
            "postgres", [*prefix, str(programs / "postgres"), "-D", data, *options], os.environ
        )
        address = f"airflow@127.0.0.1:{port}/postgres"
        deadline = time.monotonic() + 30
        while True:
            server.require_alive()
            try:
                psycopg.connect(f"postgresql://{address}", connect_timeout=2).close()
                break
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, server.log.read_text()
                time.sleep(0.1)
        yield f"postgresql+psycopg2://{address}"
