"""The databases that the store is tested on: SQLite, and a PostgreSQL that the test run starts for
itself.

    postgresql      a server of its own on a free port of the loopback, in a temporary folder; each
                    worker of a run has its own
    store_url       the address of an empty database, once for each kind

PostgreSQL is Debian's package; `make test` installs it. Where it cannot be had, its tests are
skipped with the reason, and with CI in the environment they fail.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

KINDS = ("sqlite", "postgresql")
NUMBERS = count(1)


def programs() -> Path | None:
    """The folder of initdb and postgres, of the newest version that is there."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    newest = max(
        found,
        key=lambda folder: int(folder.parent.name) if folder.parent.name.isdigit() else 0,
        default=None,
    )
    on_path = shutil.which("initdb")
    return newest or (
        Path(on_path).resolve().parent if on_path and shutil.which("postgres") else None
    )


def as_somebody() -> dict[str, str | int]:
    """For whom PostgreSQL runs: it refuses to run for root."""
    if os.geteuid() != 0:
        return {}
    return {
        "user": "postgres"
        if "postgres:" in Path("/etc/passwd").read_text(encoding="utf-8")
        else "nobody",
        "extra_groups": [],
    }


def free_port() -> int:
    """A port below those that the system gives to connections and to servers on port 0, so that it
    stays free between stop and start.
    """
    for port in random.Random().sample(range(20_000, 32_000), 100):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no port is free")


class PostgreSQL:
    """A server of its own. `stop` and `start` may be called any number of times; the port stays."""

    def __init__(self, bin_: Path, folder: Path) -> None:
        self.bin, self.folder, self.data = bin_, folder, folder / "data"
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        somebody = as_somebody()
        if somebody:
            shutil.chown(self.folder, somebody["user"])
        options = [
            "-U",
            "tutor",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
            "--no-instructions",
        ]
        command = [self.bin / "initdb", "-D", self.data, *options]
        made = subprocess.run(
            command, check=False, capture_output=True, text=True, cwd=self.folder, **somebody
        )  # type: ignore[call-overload]
        assert made.returncode == 0, made.stderr + made.stdout

    def start(self) -> None:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            "max_connections": "100",
            # tests kill processes, not the machine: what a process has written stays
            "fsync": "off",
        }
        given = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self.bin / "postgres", "-D", self.data, *given],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                **as_somebody(),
            )
        deadline = time.monotonic() + 30
        while not self._answers():
            log = (self.folder / "log").read_text(encoding="utf-8")
            assert self._process.poll() is None, log
            assert time.monotonic() < deadline, log
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop at once, as a machine that is restarted does; every connection breaks."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None

    def kill(self) -> None:
        """Kill every process of the server, as the loss of power would."""
        assert self._process is not None
        for process in (self._process.pid, *self._children()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self._process.wait()
        self._process = None

    @contextlib.contextmanager
    def frozen(self, after: float = 0) -> Iterator[None]:
        """Stop every process of the server where it is (after some seconds), and let it go on at
        the end. Its machine goes on: connections stay open, and new ones are taken.
        """
        stopping = threading.Timer(after, self._signal, (signal.SIGSTOP,))
        stopping.start()
        if not after:
            stopping.join()
        try:
            yield
        finally:
            stopping.join()
            self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        # the first one stops making new ones
        os.kill(self._process.pid, number)
        for process in self._children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)

    def _children(self) -> list[int]:
        assert self._process is not None
        listed = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return [*map(int, listed.read_text(encoding="ascii").split())]

    def url(self, database: str) -> str:
        return f"postgresql://tutor@127.0.0.1:{self.port}/{database}"

    def new(self) -> str:
        """The address of a new, empty database."""
        name = f"store{next(NUMBERS)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
        return self.url(name)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """The server of this test run, or of this worker of it."""
    bin_ = programs()
    if bin_ is None:
        reason = "PostgreSQL is not installed here; `make postgresql` installs it where apt is"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    # short: the path of a socket has 107 letters
    folder = Path(tempfile.mkdtemp(prefix="tutor-postgresql-", dir="/tmp"))
    server = PostgreSQL(bin_, folder)
    try:
        server.make()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=KINDS)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store/lessons.sqlite"
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return server.new()
