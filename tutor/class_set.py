"""A class set: several versions of a worksheet and then their answer keys, in one file to print.

    class_set(title, lessons, view, sheet, seed) -> chunks of the file

First comes a page that lists them, then all worksheets, then all keys, so that what students get is one stack of paper. Each begins on
a new page, and every page says at its top which one it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tutor import rendering
from tutor.lesson import Lesson
from tutor.view import View
from tutor.worked import Paper, Sheet, closing, mark, opening

STYLE = "class-set.css"


@dataclass(frozen=True, slots=True)
class Cover:
    """The first page."""

    title: str
    what: str
    source: str
    seed: int
    versions: tuple[tuple[str, str, str], ...]
    """(where a worksheet stands, where its key stands, the mark that both have)"""


def class_set(title: str, lessons: Sequence[Lesson], view: View, sheet: Sheet, seed: int) -> Iterator[str]:
    """The file in chunks, of the versions 1, 2, … of a lesson. Raises LessonError before the first one where it cannot be made."""
    sheets = tuple(_paper(lesson, view, sheet, n, seed, answers=False) for n, lesson in enumerate(lessons, 1))
    keys = tuple(_paper(lesson, view, sheet, n, seed, answers=True) for n, lesson in enumerate(lessons, 1))
    return _chunks(title, sheets, keys, seed)


def _paper(lesson: Lesson, view: View, sheet: Sheet, n: int, seed: int, *, answers: bool) -> Paper:
    wanted = replace(sheet, answers=answers, version=f"version {n} of seed {seed}")
    return Paper.of(lesson, view, wanted, f"key-{n}" if answers else f"worksheet-{n}")


def _chunks(title: str, sheets: tuple[Paper, ...], keys: tuple[Paper, ...], seed: int) -> Iterator[str]:
    papers = (*sheets, *keys)
    what = "One worksheet with its answer key" if len(sheets) == 1 else f"{len(sheets)} worksheets with their answer keys"
    cover = Cover(title, what, sheets[0].context.lesson.scenario.source, seed, tuple(map(_line, sheets, keys)))
    top = rendering.template("worked_cover.html").render(page=cover)
    yield opening(f"{title} – {what}", "".join(_rule(title, paper) for paper in papers), STYLE) + top
    for paper in papers:
        yield from paper.chunks()
        yield "</article>\n"
    yield closing()


def _line(sheet: Paper, key: Paper) -> tuple[str, str, str]:
    """What the cover says of a version."""
    return sheet.anchor, key.anchor, mark(sheet.context, sheet.sheet)


def _rule(title: str, paper: Paper) -> str:
    """Pages of its own for a document, with its name at their top."""
    name, heading = paper.anchor, rendering.css_string(f"{title} – {paper.sheet.kind}, {paper.sheet.version}")
    return f"\n@page {name} {{ @top-left {{ content: {heading}; font: 9pt sans-serif; }} }} #{name} {{ page: {name}; }}"
