"""A process that saves lessons: `python -m tests.saver URL NAME COUNT THREADS`. It says each id once the lesson is saved.

COUNT 0 goes on until it is killed. With the name `same`, every thread saves the same texts. With `schema`, it waits for a line on
stdin first, so that several processes begin at the same moment.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

from tutor.store import open_store


def text_of(name: str, number: int) -> str:
    """A text of some kilobytes, which says itself what it is."""
    return f"title: {name} {number}\nabout: {'ŷ' * (number * 37 % 3_000)}\n"


def main(url: str, name: str, many: str, threads: str) -> None:
    store = open_store(url, Path("/nowhere/instance/lessons.sqlite"))

    def save(thread: int) -> None:
        for number in range(int(many)) if int(many) else count():
            own = name if name == "same" else f"{name}-{thread}"
            lesson = store.save(text_of(own, number), "")
            os.write(1, f"{lesson} {own} {number}\n".encode())  # one write is one line, also when it is the last

    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(int(threads)) as pool:
        for done in [pool.submit(save, thread) for thread in range(int(threads))]:
            done.result()


if __name__ == "__main__":
    main(*sys.argv[1:])
