"""A whole training run as a Jupyter notebook: the NumPy script of the run in cells, with a few
words before each.

    run_notebook(lesson) -> str      JSON, nbformat 4.5

Run from top to bottom it trains as the script does, compares the weights at the end with the
tutor's, and draws the curves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from tutor.export.notebook import NotebookCell, as_json, code_cell, markdown_cell, title_cell
from tutor.export.run_script import MATPLOTLIB, numpy_parts
from tutor.export.scripted_run import run_of
from tutor.lesson.walk import Lesson

ABOUT: Final = {
    "setup": "## Setup\n\nNumPy, and a function that compares what comes out with the lesson.",
    "rules": "## The rules\n\nThe activation and loss functions of this network, "
    "for whole arrays at once.",
    "given": "## What is given\n\nThe samples, and the parameters before the first iteration.",
    "batch": "## The samples of an iteration\n\nWhich rows an iteration takes, and in which order.",
    "iteration": "## One iteration\n\nForward, backward, update: "
    "what the walk does number by number.",
    "answer": "## What the network makes of inputs\n\nThe forward pass alone.",
    "others": "## Other sets\n\nSamples that are put aside. Their loss shows how well the network "
    "does on what it has not seen.",
    "training": "## Training\n\nThe same again and again. What each iteration finds is kept.",
    "check": "## Check\n\nThe parameters at the end are compared with the lesson's own.",
    "curves": f"## Curves\n\n{MATPLOTLIB}",
    "picture": "## The network at the end\n\nWhat it makes of its inputs, beside the samples.",
}
"""What stands before each part of the script."""


def run_notebook(lesson: Lesson) -> str:
    """The whole notebook as JSON text."""
    return as_json(_cells(lesson))


def _cells(lesson: Lesson) -> Iterator[NotebookCell]:
    run = run_of(lesson)
    yield title_cell(replace(run.lesson, iteration=1))
    for name, lines in numpy_parts(run):
        if name in ABOUT:
            yield markdown_cell(f"about-{name}", ABOUT[name])
        yield code_cell(name, lines)
