"""nginx with the project's own configuration, on free ports of the loopback and in a temporary
folder.

    with Nginx(folder, first.port, second.port) as proxy:
        ask(proxy.port, "GET", "/")

nginx is Debian's package; `make proxy-test` installs it. Where it cannot be had, its tests are
skipped with the reason.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

import pytest

from tests.databases import free_port

ROOT = Path(__file__).parents[2]
CONFIGURATION = (ROOT / "docs" / "deploy" / "nginx.conf").read_text(encoding="utf-8")
AROUND = """
{user}
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
worker_processes 1;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/tutor.conf;
}}
"""


def program() -> str:
    """Where nginx is; skips where it is not."""
    found = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/opt/nginx/sbin")
    if found is None:
        pytest.skip("nginx is not installed here; `make proxy-test` installs it where apt is")
    return found


class Nginx:
    """The proxy, running in front of two ports; with a line of its configuration replaced by
    another, where that is given.
    """

    def __init__(
        self, folder: Path, first: int, second: int, line: str = "", other: str = ""
    ) -> None:
        self.port = free_port()
        self._folder = folder
        ours = {
            "tutor-1:8000": f"127.0.0.1:{first}",
            "tutor-2:8000": f"127.0.0.1:{second}",
            "listen 80;": f"listen 127.0.0.1:{self.port};",
            "/var/cache/nginx/": f"{folder}/",
        }
        if line:
            ours[line] = other
        text = CONFIGURATION
        for theirs, here in ours.items():
            assert text.count(theirs) == 1, theirs
            text = text.replace(theirs, here)
        (folder / "tutor.conf").write_text(text, encoding="utf-8")
        user = "" if os.geteuid() else "user root;"  # pytest's folders are closed to all others
        (folder / "nginx.conf").write_text(
            AROUND.format(folder=folder, user=user), encoding="utf-8"
        )
        command = [program(), "-p", str(folder), "-c", str(folder / "nginx.conf")]
        checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)

    @property
    def pid(self) -> int:
        """The process that starts the workers."""
        return self._process.pid

    def __enter__(self) -> Self:
        last = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                assert time.monotonic() < last, self.log()
                assert self._process.poll() is None, self.log()
                time.sleep(0.05)
            else:
                return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)

    def log(self) -> str:
        """What it complained about."""
        return (self._folder / "error.log").read_text(encoding="utf-8")
