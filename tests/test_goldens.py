"""Two goldens for every lesson: its numbers, and the words of its steps. What changes in them is
changed on purpose.

`tests/goldens/<lesson>.numbers.json` has every quantity of the first iteration,
`<lesson>.words.txt` what each step says in the walk by numbers (formulas as they are read out). To
renew them, and then to read what has changed:

    RENEW_GOLDENS=1 .venv/bin/python -m pytest tests/test_goldens.py
    git diff tests/goldens
"""

from __future__ import annotations

import json
from difflib import unified_diff

import pytest

from tests.golden import Goldens, numbers, spoken
from tests.visiting import NAMES, context, texts

GOLDENS = Goldens("goldens", "test_goldens.py")


def words(name: str) -> str:
    """What the steps of a lesson say: a block a line, a step a paragraph."""
    return "\n\n".join(spoken(text) for _, text in texts(name)) + "\n"


@pytest.mark.parametrize("name", NAMES)
def test_the_numbers_of_a_lesson_are_those_of_its_golden(name: str) -> None:
    GOLDENS.check_numbers(name, numbers(name))


@pytest.mark.parametrize("name", NAMES)
def test_the_words_of_a_lesson_are_those_of_its_golden(name: str) -> None:
    found = words(name)
    kept = GOLDENS.text(f"{name}.words.txt", found)
    changes = list(
        unified_diff(kept.splitlines(), found.splitlines(), "golden", "now", lineterm="", n=0)
    )
    assert found == kept, "\n".join([GOLDENS.renew, *changes[:60]])


def test_every_golden_belongs_to_a_lesson() -> None:
    GOLDENS.check_names(NAMES)


def test_a_golden_has_every_step_and_every_number() -> None:
    for name in NAMES:
        steps = (GOLDENS.folder / f"{name}.words.txt").read_text(encoding="utf-8").split("\n\n")
        assert len(steps) == len(context(name).walk)
        assert all(step.startswith(f"Step {n} of {len(steps)}") for n, step in enumerate(steps, 1))
        assert "loss" in json.loads(
            (GOLDENS.folder / f"{name}.numbers.json").read_text(encoding="utf-8")
        )
