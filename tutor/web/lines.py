"""The connections of readers to this process, as the system knows them: the server does not say
which one a request has come by.

    for line in connections():      each open while it is looked at
        line.told()                 since when it was silent, and what its reader has taken
        line.end()                  close it; whoever waits for it then finds its end

It needs `/proc` and `TCP_INFO`, which Linux has; elsewhere there are no connections to be seen.
"""

from __future__ import annotations

import os
import socket
import struct
import termios
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from fcntl import ioctl
from pathlib import Path
from typing import Final

TCP_INFO: Final = getattr(socket, "TCP_INFO", None)
FIELDS: Final = struct.Struct("@44xI4xI64xQ16xI")
"""In Linux’ tcp_info: milliseconds since data was last sent, and since it was last received; bytes
that the other end has taken; bytes that could not be sent yet.
"""
QUEUED: Final = struct.Struct("@i")


@dataclass(frozen=True, slots=True)
class Told:
    """What the system tells of a connection."""

    sent: float
    """Seconds since we last sent something."""
    received: float
    """Seconds since something last came."""
    taken: int
    """Bytes that the reader has taken, of all that was sent on it."""
    unsent: int
    """Bytes that wait until the reader takes more."""

    @property
    def unanswered(self) -> bool:
        """Whether something has come since we last sent something, or nothing was ever sent. (The
        system counts in steps of some milliseconds. What came and was answered within the same step
        passes for answered.)
        """
        return self.received < self.sent or not self.taken

    @property
    def silent(self) -> float:
        """Seconds without anything in either direction."""
        return min(self.sent, self.received)


@dataclass(frozen=True, slots=True)
class Line:
    """A connection. `number` is its own as long as it is open."""

    number: int
    end_of_ours: socket.socket

    def told(self) -> Told:
        """How it is now. Raises OSError where it has ended."""
        assert TCP_INFO is not None
        told = self.end_of_ours.getsockopt(socket.IPPROTO_TCP, TCP_INFO, FIELDS.size)
        if len(told) < FIELDS.size:
            raise OSError("an old system")
        sent, received, taken, unsent = FIELDS.unpack(told)
        return Told(sent / 1000, received / 1000, taken, unsent)

    def written(self) -> int:
        """Bytes that were put on it, taken or not. Raises OSError where it has ended."""
        (queued,) = QUEUED.unpack(ioctl(self.end_of_ours, termios.TIOCOUTQ, bytes(QUEUED.size)))
        return self.told().taken + int(queued)

    def end(self) -> None:
        """Close it."""
        with suppress(OSError):
            self.end_of_ours.shutdown(socket.SHUT_RDWR)


def connections() -> Iterator[Line]:
    """Those of readers."""
    if TCP_INFO is None:
        return
    with ExitStack() as stack:
        lines = [Line(number, stack.enter_context(one)) for number, one in _sockets()]
        ports = {line.end_of_ours.getsockname()[1] for line in lines if _listens(line)}
        for line in lines:
            with suppress(OSError):
                # those that we have opened, to a database for instance, have another port
                if line.end_of_ours.getsockname()[1] in ports and not _listens(line):
                    yield line


def _sockets() -> Iterator[tuple[int, socket.socket]]:
    """The TCP sockets of this process, to be closed by who takes them; the originals stay open."""
    for entry in sorted(Path("/proc/self/fd").iterdir()):
        with suppress(OSError):
            if entry.is_socket():
                copy = os.dup(int(entry.name))
                one = socket.socket(fileno=copy)
                if one.family in {socket.AF_INET, socket.AF_INET6}:
                    yield os.fstat(copy).st_ino, one
                else:
                    one.close()


def _listens(line: Line) -> bool:
    return bool(line.end_of_ours.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
