"""The page for a lesson as text: what was typed, what is wrong with it and where, or what a sound
lesson it is.

The text comes back as it was typed, whatever is wrong with it. A textarea has no line numbers
without a script, so the lines around each problem are repeated beside it, numbered, with the
message at its line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flask import current_app, render_template

from tutor import limits, number
from tutor.lesson import validation
from tutor.lesson.walk import AnyLesson
from tutor.notation.markup import Markup
from tutor.pages.context import AnyContext
from tutor.pages.faces import face
from tutor.pages.outline import Link
from tutor.scenario.problem import Problem

WHERE = "lesson.yaml"
"""What a text without a file name is called in messages."""
AROUND = 2
"""Lines that are shown before and after one with a problem."""
LONGEST = 160
"""Characters of such a line; one of 20,000 brackets helps nobody."""
FIRST_STEPS = 6
EXAMPLE = """\
format: 1
title: My first lesson
about: Two inputs, two hidden units, one output. Change whatever you like.
network:
  inputs: 2
  layers:
    - units: 2
      activation: sigmoid
      weights: [[0.1, 0.2], [0.3, 0.4]]   # one row per unit, one column per input
      biases: [0.1, 0.1]
    - units: 1
      activation: sigmoid
      weights: [[0.5, 0.6]]
      biases: [0.2]
  loss:
    name: half_squared_error
data:
  inputs: [[1, 0.5]]    # one row per sample
  targets: [[1]]
training:
  learning_rate: 0.5
"""


@dataclass(frozen=True, slots=True)
class FoundProblem:
    """A problem in the list: where it is, and the address of its line in the excerpts ("" where it
    has none).
    """

    place: str
    href: str
    message: str


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of the text, cut where it is long, with the messages that belong to it."""

    n: int
    text: str
    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sound:
    """A lesson without problems: what it is, and how it begins."""

    summary: str
    title: str
    diagram: Markup
    facts: tuple[tuple[str, str], ...]
    steps: tuple[tuple[str, str], ...]
    """(what it computes, its number)"""
    more: str
    """How many steps follow, in words, or ""."""


@dataclass(frozen=True, slots=True)
class TextPage:
    """The text as it was typed, and what the checks say."""

    text: str
    notices: tuple[str, ...]
    count: str
    """How many problems there are, in words, or ""."""
    problems: tuple[FoundProblem, ...]
    excerpts: tuple[tuple[TextLine, ...], ...]
    sound: Sound | None
    examples: tuple[Link, ...]
    """What an empty field can be filled with."""
    can_save: bool
    limit: str


def show(
    text: str,
    problems: Sequence[Problem] = (),
    lesson: AnyLesson | None = None,
    notices: tuple[str, ...] = (),
) -> str:
    """The page with a text in it; `lesson` where it was found to be sound."""
    saving = getattr(current_app.extensions["tutor"], "saving", None)
    return render_template(
        "text.html",
        page=text_page(text, problems, lesson, notices, can_save=saving is None or saving.on),
    )


def text_page(
    text: str,
    problems: Sequence[Problem],
    lesson: AnyLesson | None,
    notices: tuple[str, ...],
    *,
    can_save: bool = True,
) -> TextPage:
    """What the page says of a text."""
    text = text.replace("\0", "\ufffd")  # the one character that no page may have
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    count = number.counted(len(problems), "problem") if problems else ""
    return TextPage(
        text, notices, count,
        tuple(_found(problem, len(lines)) for problem in problems),
        tuple(excerpts(lines, problems)),
        None if lesson is None else sound(lesson),
        () if text.strip() else (Link("Put in an example", "/open?example=1"),),
        can_save, f"{limits.amount(limits.FILE_BYTES)}",
    )  # fmt: skip


def _found(problem: Problem, lines: int) -> FoundProblem:
    within = 1 <= problem.line <= lines
    return FoundProblem(
        f"Line {problem.line}" if problem.line else "The text",
        f"#line-{problem.line}" if within else "",
        _said(problem),
    )


def _said(problem: Problem) -> str:
    return f"{problem.path}: {problem.message}" if problem.path else problem.message


def excerpts(lines: Sequence[str], problems: Sequence[Problem]) -> Iterator[tuple[TextLine, ...]]:
    """The lines around each problem, those that touch one another together."""
    messages: dict[int, list[str]] = {}
    for problem in problems:
        messages.setdefault(problem.line, []).append(_said(problem))
    wanted = sorted(
        {
            n
            for at in messages
            for n in range(at - AROUND, at + AROUND + 1)
            if 1 <= n <= len(lines) and at > 0
        }
    )
    group: list[TextLine] = []
    for n in wanted:
        if group and n != group[-1].n + 1:
            yield tuple(group)
            group = []
        group.append(TextLine(n, _cut(lines[n - 1]), tuple(messages.get(n, ()))))
    if group:
        yield tuple(group)


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def sound(lesson: AnyLesson) -> Sound:
    """A sound lesson: its picture and its first steps."""
    own = face(lesson.scenario)
    context = own.context(lesson, own.plain, lesson.scenario, None)
    walk = lesson.walk("number")
    steps = tuple(_step(context, n) for n in range(1, min(len(walk), FIRST_STEPS) + 1))
    more = len(walk) - len(steps)
    return Sound(
        validation.summary(lesson), lesson.scenario.title,
        own.picture(context), own.facts(context),
        steps, number.counted(more, "more step") if more else "",
    )  # fmt: skip


def _step(context: AnyContext, n: int) -> tuple[str, str]:
    q = context.walk.anchor(n)
    ends_here = context.walk.stop is not None and n == len(context.walk)
    title = face(context.source).title(context, n)
    return title, "" if ends_here else number.shown(context.trace.value(q), context.decimals)
