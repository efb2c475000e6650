"""Two goldens for every lesson: its numbers, and the words of its steps. What changes in them is
changed on purpose.

`tests/goldens/<lesson>.numbers.json` has every quantity of the first iteration,
`<lesson>.words.txt` what each step says in the walk by numbers (formulas as they are read out). To
renew them, and then to read what has changed:

    RENEW_GOLDENS=1 .venv/bin/python -m pytest tests/test_goldens.py
    git diff tests/goldens
"""

from __future__ import annotations

import io
import json
import math
import os
from difflib import unified_diff
from pathlib import Path

import pytest

from tests.htmltree import Element, read
from tests.visiting import NAMES, context, texts
from tutor.export import data

FOLDER = Path(__file__).parent / "goldens"
RENEW = "To renew: RENEW_GOLDENS=1 .venv/bin/python -m pytest tests/test_goldens.py, then read `git diff tests/goldens`."
BLOCKS = ("h1", "h2", "h3", "p", "li", "caption")


def golden(name: str, text: str) -> str:
    """The text of a golden; written anew where that is asked for."""
    path = FOLDER / name
    if os.environ.get("RENEW_GOLDENS"):
        FOLDER.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    if not path.exists():
        pytest.fail(f"There is no tests/goldens/{name}. {RENEW}")
    return path.read_text(encoding="utf-8")


def numbers(name: str) -> dict[str, str]:
    """Every quantity of a lesson with 12 significant digits, and whatever else the trace says of
    itself.
    """
    out = io.StringIO()
    data.write(context(name).lesson, out)
    quantities: dict[str, float] = json.loads(out.getvalue())["quantities"]
    return {quantity: f"{value:.12g}" for quantity, value in quantities.items()}


def words(name: str) -> str:
    """What the steps of a lesson say: a block a line, a step a paragraph."""
    return (
        "\n\n".join(
            "\n".join(_lines(read(text).root.one("article", cls="board")))
            for _, text in texts(name)
        )
        + "\n"
    )


def _lines(board: Element) -> list[str]:
    blocks = [
        block
        for block in board.all(*BLOCKS, "div")
        if block.tag != "div" or "left" in block.classes
    ]
    return [line for block in blocks if (line := block.named)]


@pytest.mark.parametrize("name", NAMES)
def test_the_numbers_of_a_lesson_are_those_of_its_golden(name: str) -> None:
    found = numbers(name)
    kept: dict[str, str] = json.loads(
        golden(f"{name}.numbers.json", json.dumps(found, indent=0) + "\n")
    )
    assert found.keys() == kept.keys(), RENEW
    # The last of 12 digits may differ between processors; a thirteenth of cancelled ones too.
    wrong = [
        q
        for q in found
        if not math.isclose(float(found[q]), float(kept[q]), rel_tol=1e-10, abs_tol=1e-14)
    ]
    assert not wrong, "\n".join([RENEW, *(f"{q}: {kept[q]} is now {found[q]}" for q in wrong[:20])])


@pytest.mark.parametrize("name", NAMES)
def test_the_words_of_a_lesson_are_those_of_its_golden(name: str) -> None:
    found = words(name)
    kept = golden(f"{name}.words.txt", found)
    changes = list(
        unified_diff(kept.splitlines(), found.splitlines(), "golden", "now", lineterm="", n=0)
    )
    assert found == kept, "\n".join([RENEW, *changes[:60]])


def test_every_golden_belongs_to_a_lesson() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {
        f"{name}.{kind}" for name in NAMES for kind in ("numbers.json", "words.txt")
    }


def test_a_golden_has_every_step_and_every_number() -> None:
    for name in NAMES:
        steps = (FOLDER / f"{name}.words.txt").read_text(encoding="utf-8").split("\n\n")
        assert len(steps) == len(context(name).walk)
        assert all(step.startswith(f"Step {n} of {len(steps)}") for n, step in enumerate(steps, 1))
        assert "loss" in json.loads((FOLDER / f"{name}.numbers.json").read_text(encoding="utf-8"))
