"""Two goldens for every lesson of scenarios/graphs: its numbers, and the words of its steps. To
renew them, and then to read what has changed:

    RENEW_GOLDENS=1 .venv/bin/python -m pytest tests/test_graph_lessons.py
    git diff tests/goldens_graphs
"""

from __future__ import annotations

import json
from difflib import unified_diff
from pathlib import Path

import pytest

from tests import sitecheck
from tests.golden import Goldens, spoken
from tests.htmltree import read
from tests.visiting import get
from tutor.cli.main import main
from tutor.lesson.graph_lesson import GraphLesson, open_graph
from tutor.pages import glossary
from tutor.scenario import reader
from tutor.scenario.reader import GraphScenario

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "scenarios" / "graphs").glob("*.yaml"))
NAMES = [file.stem for file in FILES]
GOLDENS = Goldens("goldens_graphs", "test_graph_lessons.py")


def lesson(name: str) -> GraphLesson:
    found = reader.load(ROOT / "scenarios" / "graphs" / f"{name}.yaml")
    assert isinstance(found, GraphScenario)
    return open_graph(found)


def texts(name: str) -> list[str]:
    """The pages of the steps in the walk by numbers."""
    total = len(lesson(name).walk("number"))
    return [get(f"/lessons/{name}/steps/{n}").text for n in range(1, total + 1)]


@pytest.mark.parametrize("name", NAMES)
def test_the_numbers_of_a_lesson_are_those_of_its_golden(name: str) -> None:
    quantities = json.loads(get(f"/lessons/{name}/export/json").text)["quantities"]
    GOLDENS.check_numbers(name, {q: f"{value:.12g}" for q, value in quantities.items()})


@pytest.mark.parametrize("name", NAMES)
def test_the_words_of_a_lesson_are_those_of_its_golden(name: str) -> None:
    found = "\n\n".join(map(spoken, texts(name))) + "\n"
    kept = GOLDENS.text(f"{name}.words.txt", found)
    changes = list(
        unified_diff(kept.splitlines(), found.splitlines(), "golden", "now", lineterm="", n=0)
    )
    assert found == kept, "\n".join([GOLDENS.renew, *changes[:60]])


def test_every_golden_belongs_to_a_lesson_and_has_every_step() -> None:
    GOLDENS.check_names(NAMES)
    for name in NAMES:
        kept = (GOLDENS.folder / f"{name}.words.txt").read_text(encoding="utf-8")
        assert kept.count("\n\n") + 1 == len(lesson(name).walk("number"))


@pytest.mark.parametrize("name", NAMES)
def test_a_term_on_a_step_leads_to_its_place_in_the_glossary(name: str) -> None:
    places = {glossary.address(entry.word) for entry in glossary.page().entries}
    found = {
        link.attributes["href"]
        for text in texts(name)
        for term in read(text).root.all("dfn")
        for link in term.all("a")
    }
    assert len(found) >= 2
    assert found <= places


def test_a_closed_form_without_a_lecture_is_a_check_and_not_on_slides() -> None:
    said = spoken(texts("used-twice")[-1])
    assert "Checked\nClosed form" in said
    assert "slides" not in said
    assert "{" not in said


def test_a_folder_of_formulas_stands_alone(tmp_path: Path) -> None:
    assert main(["site", "--out", str(tmp_path / "public"), "used-twice", "max-switch"]) == 0
    wrong, counted = sitecheck.problems(tmp_path / "public")
    assert wrong == []
    assert counted.total() > 50
    last = (tmp_path / "public" / "lessons" / "used-twice" / "steps" / "8.html").read_text()
    assert 'href="../accumulation.html"' in last
