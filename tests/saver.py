"""Processes that save lessons, for tests of what happens when many save at once or one is killed.

    saver = Saver(url, name, many, threads)     ready to save, with the store opened
    saver.begin()
    saver.finished()                            the lines of what it saved: id, name, number

A process says each id once the lesson is saved. `many` 0 goes on until it is killed. With the name
`same`, every thread saves the same texts. They are copies of one process that has loaded the tutor
(multiprocessing's fork server), so each starts at once.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path

from tutor.store.texts import open_store

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__])


def text_of(name: str, number: int) -> str:
    """A text of some kilobytes, which says itself what it is."""
    return f"title: {name} {number}\nabout: {'ŷ' * (number * 37 % 3_000)}\n"


def save(
    url: str,
    name: str,
    many: int,
    threads: int,
    go: Connection,
    said: Connection,
    wrong: Connection,
) -> None:
    """What the process does."""
    os.dup2(wrong.fileno(), sys.stderr.fileno())
    store = open_store(url, Path("/nowhere/instance/lessons.sqlite"))

    def one(thread: int) -> None:
        for number in range(many) if many else count():
            own = name if name == "same" else f"{name}-{thread}"
            lesson = store.save(text_of(own, number), "")
            # one write is one line, also when it is the last
            os.write(said.fileno(), f"{lesson} {own} {number}\n".encode())

    os.write(said.fileno(), b"ready\n")
    go.recv()
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(one, thread) for thread in range(threads)]:
            done.result()


class Saver:
    """Such a process. `said` is what it has printed, read line by line."""

    def __init__(self, url: str, name: str, many: int, threads: int = 1) -> None:
        waits, self._go = PROCESSES.Pipe(duplex=False)
        said, writes = PROCESSES.Pipe(duplex=False)
        wrong, complains = PROCESSES.Pipe(duplex=False)
        self.process = PROCESSES.Process(
            target=save, args=(url, name, many, threads, waits, writes, complains)
        )
        self.process.start()
        for end in (waits, writes, complains):
            end.close()
        self.said, self._wrong = (
            os.fdopen(os.dup(end.fileno()), encoding="utf-8") for end in (said, wrong)
        )
        for end in (said, wrong):
            end.close()
        assert self.said.readline() == "ready\n"

    def begin(self) -> None:
        self._go.send("go")

    def rest(self) -> tuple[list[str], str]:
        """(lines, complaints) until its end."""
        lines, complaints = self.said.read().splitlines(), self._wrong.read()
        self.process.join(60)
        for end in (self.said, self._wrong, self._go):
            end.close()
        return lines, complaints

    def finished(self) -> list[str]:
        """The lines of one that came to its end."""
        lines, complaints = self.rest()
        assert (self.process.exitcode, complaints) == (0, "")
        return lines
