"""How large a scenario may be: the one place for every limit. A message names the limit that was
hit.

Each can be set in the environment, LIMIT_PARAMETERS=50000 for instance, before the tutor starts.
What makes no sense there is in `PROBLEMS`; a program that starts the tutor calls `check()` and
reports it.
"""

from __future__ import annotations

import difflib
import os
from typing import Final

from tutor import number
from tutor.errors import SettingError

PREFIX: Final = "LIMIT_"
PROBLEMS: Final[list[str]] = []
NAMES: Final[list[str]] = []


def _set(name: str, default: int, *, least: int = 1, most: int = 10**12) -> int:
    """A limit from the environment, or its default."""
    NAMES.append(PREFIX + name)
    text = os.environ.get(PREFIX + name, "").strip() or str(default)
    value = number.whole(text, least, most)
    if value is not None:
        return value
    PROBLEMS.append(
        f"{PREFIX}{name} is {text[:40]!r}; expected a whole number from {least:,} to {most:,}"
    )
    return default


REQUEST_BYTES: Final = _set("REQUEST_BYTES", 256 * 1024)
"""The body of a request. A form needs more room than the file that it becomes."""
BODY_SECONDS: Final = _set("BODY_SECONDS", 30, most=3_600)
"""How long the body of a request may be on its way, and a piece of a download."""
FILE_BYTES: Final = _set("FILE_BYTES", 64 * 1024)
DEPTH: Final = _set("DEPTH", 16, most=100)
"""How deeply a file may nest; a scenario needs six."""
ENTRIES: Final = _set("ENTRIES", 5_000)
"""Keys, values and lists of a file; a list of plain numbers counts as one."""
NUMBER_CHARACTERS: Final = _set("NUMBER_CHARACTERS", 64, least=64, most=4_000)

LAYERS: Final = _set("LAYERS", 32)
UNITS: Final = _set("UNITS", 1_024)
SAMPLES: Final = _set("SAMPLES", 1_000)
CLASSES: Final = _set("CLASSES", 10, least=2, most=100)
"""Classes of made data."""
PARAMETERS: Final = _set("PARAMETERS", 200_000)
ACTIVATIONS: Final = _set("ACTIVATIONS", 1_000_000)
"""Units times samples: how many activations one pass may keep."""
ITERATIONS: Final = _set("ITERATIONS", 1_000)
FURTHER_ITERATIONS: Final = _set("FURTHER_ITERATIONS", 10_000)
"""How far a reader may go on where the file asks for fewer iterations."""
WORK: Final = _set("WORK", 500_000_000)
"""Parameters times samples times iterations for one request; about a second of one core."""
TRAINED: Final = _set("TRAINED", 50_000_000)
"""The same for a training whose curves a download has; about a third of a second."""
SHEET_STEPS: Final = _set("SHEET_STEPS", 1_000)
"""Steps of all worksheets and keys of one download, where the top and the tables of each count as
ten; about a second and a half.
"""
DRAWN: Final = _set("DRAWN", 50_000)
"""Numbers that may be drawn for the versions of one download, in vain or not; about a second and a
half of one core.
"""
PAPER_NUMBERS: Final = _set("PAPER_NUMBERS", 4_000)
"""Numbers of a lesson that is computed as on paper, one by one; about half a second."""
PATHS_LISTED: Final = _set("PATHS_LISTED", 12, most=12)
"""Paths of the chain rule that a page writes out; of more it says how many there are."""
PAGE_MILLISECONDS: Final = _set("PAGE_MILLISECONDS", 500)
"""Time of one core that a page may take where it can be long."""
FILE_MILLISECONDS: Final = _set("FILE_MILLISECONDS", 2_000)
"""The same for a file to download."""
PAGES_AT_ONCE: Final = _set("PAGES_AT_ONCE", 2, most=32)
"""Pages that a worker works on at once; more would only take turns at one core."""
FILES_AT_ONCE: Final = _set("FILES_AT_ONCE", 8, most=64)
"""Downloads of a worker: each keeps its place until it has arrived."""
RUNS_AT_ONCE: Final = _set("RUNS_AT_ONCE", 1, most=32)
WAIT_SECONDS: Final = _set("WAIT_SECONDS", 5, most=60)
"""How long a request waits for its place before it is told to come back."""
FILES_A_MINUTE: Final = _set("FILES_A_MINUTE", 60)
"""Downloads for one address in a minute, by each worker."""
DECIMALS: Final = _set("DECIMALS", 12, most=12)

TITLE: Final = _set("TITLE", 200)
LINE: Final = _set("LINE", 300)
"""A short line: course, learning goals, where a slide prints a number."""
ABOUT: Final = _set("ABOUT", 2_000)
NOTE: Final = _set("NOTE", 1_000)
LEARN: Final = _set("LEARN", 4)
PRINTED: Final = _set("PRINTED", 500)
NOTES: Final = _set("NOTES", 200)
CHECKS: Final = _set("CHECKS", 200)
EXPRESSION: Final = _set("EXPRESSION", 500)
EXPRESSION_DEPTH: Final = _set("EXPRESSION_DEPTH", 20, most=50)
EXPONENT: Final = _set("EXPONENT", 100, most=1_000)

GRAPH_EXPRESSION: Final = _set("GRAPH_EXPRESSION", 40_000)
"""Characters of a formula that is walked as a graph."""
FORMULA: Final = _set("FORMULA", 4_000)
"""Characters of a formula and its values in an address."""
GRAPH_DEPTH: Final = _set("GRAPH_DEPTH", 50, most=60)
GRAPH_NODES: Final = _set("GRAPH_NODES", 2_000)
"""Nodes of a graph, those of its values among them."""
GRAPH_NUMBERS: Final = _set("GRAPH_NUMBERS", 10_000)
"""Numbers of all its nodes together."""

SHELF_FILES: Final = _set("SHELF_FILES", 2_000)
"""Scenario files that are read of one folder."""
SHELF_FOLDERS: Final = _set("SHELF_FOLDERS", 100)
"""Subfolders of the shelf, each a course."""
COURSE_GROUPS: Final = _set("COURSE_GROUPS", 100)
COURSE_LESSONS: Final = _set("COURSE_LESSONS", 2_000)


def check() -> None:
    """Raise SettingError where a limit in the environment makes no sense, or has a name that is
    nearly one of ours.
    """
    unknown = [name for name in sorted(os.environ) if name.startswith(PREFIX) and name not in NAMES]
    meant = [
        (name, close[0])
        for name in unknown
        if (close := difflib.get_close_matches(name, NAMES, 1, 0.8))
    ]
    found = [*PROBLEMS, *(f"{name} is not a limit; did you mean {known}?" for name, known in meant)]
    if found:
        raise SettingError("\n".join(found))


def amount(count: int) -> str:
    """A number of bytes as people say it: 64 KB, 1,000 bytes."""
    return f"{count // 1024:,} KB" if count % 1024 == 0 else f"{count:,} bytes"
