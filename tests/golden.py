"""Goldens: what a lesson says and computes, kept in files. What changes in them is changed on
purpose.
"""

from __future__ import annotations

import io
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.htmltree import read
from tests.visiting import context
from tutor.export import data

BLOCKS = ("h1", "h2", "h3", "p", "li", "caption")


@dataclass(frozen=True)
class Goldens:
    """The goldens of a folder beside this file; `test` is the module that renews them."""

    folder_name: str
    test: str

    @property
    def folder(self) -> Path:
        return Path(__file__).parent / self.folder_name

    @property
    def renew(self) -> str:
        """How to renew them."""
        command = f"RENEW_GOLDENS=1 .venv/bin/python -m pytest tests/{self.test}"
        return f"To renew: {command}, then read `git diff tests/{self.folder_name}`."

    def text(self, name: str, found: str) -> str:
        """The text of a golden; written anew where that is asked for."""
        path = self.folder / name
        if os.environ.get("RENEW_GOLDENS"):
            self.folder.mkdir(exist_ok=True)
            path.write_text(found, encoding="utf-8")
        if not path.exists():
            pytest.fail(f"There is no tests/{self.folder_name}/{name}. {self.renew}")
        return path.read_text(encoding="utf-8")

    def check_numbers(self, name: str, found: Mapping[str, str]) -> None:
        """The same quantities with the same numbers as in the golden."""
        text = json.dumps(found, indent=0) + "\n"
        kept: dict[str, str] = json.loads(self.text(f"{name}.numbers.json", text))
        assert found.keys() == kept.keys(), self.renew
        # The last of 12 digits may differ between processors; a thirteenth of cancelled ones too.
        wrong = [
            q
            for q in found
            if not math.isclose(float(found[q]), float(kept[q]), rel_tol=1e-10, abs_tol=1e-14)
        ]
        changes = (f"{q}: {kept[q]} is now {found[q]}" for q in wrong[:20])
        assert not wrong, "\n".join([self.renew, *changes])

    def check_names(self, lessons: list[str]) -> None:
        """Two goldens for each lesson, and no others."""
        assert {path.name for path in self.folder.iterdir()} == {
            f"{name}.{kind}" for name in lessons for kind in ("numbers.json", "words.txt")
        }


def numbers(name: str) -> dict[str, str]:
    """Every quantity of a lesson with 12 significant digits, and whatever else the trace says of
    itself.
    """
    out = io.StringIO()
    data.write(context(name).lesson, out)
    quantities: dict[str, float] = json.loads(out.getvalue())["quantities"]
    return {quantity: f"{value:.12g}" for quantity, value in quantities.items()}


def spoken(page: str) -> str:
    """What the step of a page says, a block a line."""
    board = read(page).root.one("article", cls="board")
    blocks = [
        block
        for block in board.all(*BLOCKS, "div")
        if block.tag != "div" or "left" in block.classes
    ]
    return "\n".join(line for block in blocks if (line := block.named))
