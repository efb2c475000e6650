"""Read, check and write texts as scenarios, each in a process of its own that has its own limits;
started by tests.

    python -m tests.defuser

takes `size megabytes`, a line, and the text from stdin, as often as there are texts, and writes for
each one line of JSON: the status of its process and what it printed: `seconds sound`, `seconds
refused`, or the traceback. The program loads the tutor once; each text is answered by a copy of it
(fork), so that no text can harm, warm up or slow down the next.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from tutor.scenario import dump, reader, strict_yaml

SECONDS = 10
ENOUGH = 0.25


def timed(act: Callable[..., Any], *given: object) -> tuple[Any, float]:
    """The answer, refusals as None, and the least of five times on the processor; of fewer where
    one is short enough.
    """
    least = float("inf")
    for _ in range(5):
        start = time.process_time()
        answer = answered(act, *given)
        least = min(least, time.process_time() - start)
        if least < ENOUGH:
            break
    return answer, least


def answered(act: Callable[..., Any], *given: object) -> Any:
    """The answer; a refusal with its problems is None."""
    try:
        return act(*given)
    except reader.ScenarioError as error:
        return None if error.problems else sys.exit("a refusal without a problem")


def defuse(text: str, megabytes: int) -> str:
    """The longest that reading, checking or writing took, and what became of the text."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (megabytes * 2**20, megabytes * 2**20))
    found, reading = timed(reader.parse, text, "x.yaml")
    document = answered(strict_yaml.load, text, "x.yaml")
    checking = (
        timed(reader.problems_of, document.data)[1]
        if document and isinstance(document.data, dict)
        else 0
    )
    writing = timed(dump.write, found)[1] if found else 0
    return f"{max(reading, checking, writing)} {'sound' if found else 'refused'}"


def main() -> None:
    for line in sys.stdin.buffer:
        size, megabytes = map(int, line.split())
        text = sys.stdin.buffer.read(size).decode("utf-8")
        with tempfile.TemporaryFile("w+", encoding="utf-8") as paper:
            child = os.fork()
            if not child:
                os.dup2(paper.fileno(), 1)
                os.dup2(paper.fileno(), 2)
                print(defuse(text, megabytes), flush=True)
                os._exit(0)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            paper.seek(0)
            print(json.dumps([status, paper.read()]), flush=True)


if __name__ == "__main__":
    main()
