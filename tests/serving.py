"""The tutor as a server in a process of its own, for tests of what only a real server shows.

with Tutor(BEHIND_PROXY="1") as tutor:      on a free port, with these settings
    tutor.get("/healthz")                   (status, headers, text); OSError where it is gone
    tutor.kill()                            as the loss of power would, every process of it
"""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from email.message import Message
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self
from urllib.parse import urlencode

from tests.databases import free_port

ROOT = Path(__file__).parents[1]
PATIENCE = 60  # seconds for the server to start, on a busy machine
Answer = tuple[int, Message, str]


def ask(
    port: int,
    method: str,
    address: str,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = 30,
) -> Answer:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    given = dict(headers or {})
    if form is not None:
        given["Content-Type"] = "application/x-www-form-urlencoded"
    with contextlib.closing(connection):
        connection.request(method, address, urlencode(form) if form else None, given)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()


class Tutor:
    """The tutor, running."""

    def __init__(
        self,
        workers: int = 1,
        port: int = 0,
        command: Sequence[str] = (sys.executable, "-m", "tutor.serve"),
        cwd: Path = ROOT,
        somebody: Mapping[str, Any] = MappingProxyType({}),
        **settings: str,
    ) -> None:
        self.port = port or free_port()
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  (closed on leaving)
        ours = {"HOST": "127.0.0.1", "PORT": str(self.port), "WORKERS": str(workers)}
        self._process = subprocess.Popen(
            command,
            cwd=cwd,
            env=os.environ | settings | ours,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **somebody,
        )

    @property
    def pid(self) -> int:
        """The process that starts the workers."""
        return self._process.pid

    def __enter__(self) -> Self:
        last = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > last:
                said = self.log()
                self.__exit__()
                raise AssertionError(f"the tutor does not answer; it wrote:\n{said}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()
        self._output.close()

    def get(self, address: str, timeout: float = 30, **headers: str) -> Answer:
        return ask(self.port, "GET", address, None, headers, timeout)

    def post(self, address: str, form: Mapping[str, str]) -> Answer:
        return ask(self.port, "POST", address, form)

    def kill(self) -> None:
        """Kill the server and its workers."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def workers(self) -> list[int]:
        """The processes that answer, by their numbers."""
        return self._children(b"tutor.serve")

    def long_workers(self) -> list[int]:
        """Those that make what can be long."""
        return self._children(b"tutor.web.long_work")

    def _children(self, module: bytes) -> list[int]:
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                parent = int((folder / "stat").read_text("ascii").rpartition(")")[2].split()[1])
                if parent == self.pid and module in (folder / "cmdline").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
        return sorted(found)

    def log(self) -> str:
        """What it has written so far."""
        self._output.seek(0)
        return self._output.read().decode()

    def _answers(self) -> bool:
        try:
            return self.get("/healthz", timeout=5)[0] == 200
        except OSError:
            return False
