"""A class set is one file to print: all versions of a worksheet, then their keys, each the same as
on its own.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.htmltree import Element, Page, read
from tests.test_worked import OF_THE_FILE, hash_of, needs_nothing_else
from tests.visiting import get, page, scenario
from tutor import limits
from tutor.cli.main import main
from tutor.errors import LessonError
from tutor.export import registry
from tutor.export.registry import KINDS, ExportOrder, make, online
from tutor.export.rendering import css_string
from tutor.lesson.variants import VariantError, variants
from tutor.lesson.walk import open_lesson
from tutor.pages.view import View

SCENARIOS = Path(__file__).parents[1] / "scenarios"
SIGMOID, LINEAR = "1-2-3-1-sigmoid", "linear-sigmoid"
LAYERS = View(grain="layer")


def text_of(name: str, key: str, order: ExportOrder, view: View = LAYERS) -> str:
    return "".join(make(open_lesson(scenario(name), view.iteration), key, view, order).chunks)


def class_set(
    name: str = SIGMOID,
    versions: int = 3,
    seed: int | None = 7,
    view: View = LAYERS,
    blanks: str = "all",
) -> Page:
    return read(
        text_of(name, "class-set", ExportOrder(seed=seed, versions=versions, blanks=blanks), view)
    )


def papers(found: Page) -> dict[str, Element]:
    return {paper.attributes["id"]: paper for paper in found.root.all("article", cls="sheet")}


def steps(element: Element) -> list[tuple[set[str], str]]:
    return [(step.classes, step.named) for step in element.all("article", cls="step")]


def test_all_worksheets_come_first_and_then_their_keys() -> None:
    found = class_set()
    assert list(papers(found)) == [
        "worksheet-1",
        "worksheet-2",
        "worksheet-3",
        "key-1",
        "key-2",
        "key-3",
    ]
    assert set(found.problems) <= OF_THE_FILE | {"7 headings of level 1"}, (
        "each paper is a document of its own, and so is the cover"
    )
    needs_nothing_else(found)


@pytest.mark.parametrize(
    ("name", "blanks"), [(SIGMOID, "all"), (LINEAR, "every:3"), ("3-2-3-softmax", "backward")]
)
def test_each_paper_says_what_it_says_on_its_own(name: str, blanks: str) -> None:
    found = papers(class_set(name, 2, 5, blanks=blanks))
    for n in (1, 2):
        for key, anchor in (("worksheet", f"worksheet-{n}"), ("key", f"key-{n}")):
            alone = read(text_of(name, key, ExportOrder(seed=5, version=n, blanks=blanks)))
            assert steps(found[anchor]) == steps(alone.root)
            assert found[anchor].one("header").text.split() == alone.root.one("header").text.split()
            assert [t.named for t in found[anchor].all("table")] == [
                t.named for t in alone.root.all("table")
            ]


def test_every_paper_has_its_version_and_its_seed_in_its_heading_and_on_its_pages() -> None:
    found = class_set(seed=7)
    style = found.root.one("style").text
    for anchor, paper in papers(found).items():
        kind, n = anchor.split("-")
        heading = f"{'Answer key' if kind == 'key' else 'Worksheet'}, version {n} of seed 7"
        assert heading in paper.one("header").text
        assert re.search(rf"@page {anchor} {{[^}}]*content: \"[^\"]*\"", style)
        assert f"#{anchor} {{ page: {anchor}; }}" in style
        assert css_string(heading)[1:-1] in style
    assert "break-before:page" in style


def test_the_cover_leads_to_every_paper_and_names_the_mark_that_both_have() -> None:
    found = class_set()
    table = next(iter(found.root.one("main").elements))
    ways = [link.attributes["href"].removeprefix("#") for link in table.all("a")]
    assert sorted(ways) == sorted(papers(found))
    for n, row in enumerate(table.one("tbody").elements, 1):
        mark = row.elements[-1].text
        assert all(
            f"sheet {mark}" in papers(found)[f"{kind}-{n}"].one("header").text
            for kind in ("worksheet", "key")
        )
    assert "3 worksheets with their answer keys" in found.root.one("body").text
    assert "One worksheet with its answer key" in class_set(versions=1).root.one("body").text


def test_its_policy_allows_its_own_style_and_nothing_else() -> None:
    found = class_set(versions=2)
    policy = next(
        m.attributes["content"] for m in found.root.all("meta") if m.attributes.get("http-equiv")
    )
    assert f"style-src {hash_of(found.root.one('style').text)}; script-src 'none'" in policy


def test_without_a_seed_it_has_new_numbers_all_the_same_and_always_the_same() -> None:
    assert text_of(LINEAR, "class-set", ExportOrder(versions=2)) == text_of(
        LINEAR, "class-set", ExportOrder(versions=2, seed=1)
    )
    given = read(text_of(LINEAR, "worksheet", ExportOrder())).root.one("section", cls="given").text
    assert all(
        paper.one("section", cls="given").text != given
        for paper in papers(class_set(LINEAR, 2, None)).values()
    )


def test_it_is_made_piece_by_piece() -> None:
    made = make(open_lesson(scenario(LINEAR)), "class-set", LAYERS, ExportOrder(versions=3)).chunks
    first = next(made)
    assert 'id="worksheet-1"' not in first
    assert 'id="worksheet-2"' not in next(made)


# ---- how much one download may hold ----


def test_more_than_a_download_holds_is_refused_with_the_limit_and_the_way_around() -> None:
    opened = open_lesson(scenario(SIGMOID))
    fits = limits.SHEET_STEPS // (2 * (79 + registry.STEPS_OF_A_TOP))
    assert registry.too_long(opened, "class-set", View(), ExportOrder(versions=fits)) == ""
    with pytest.raises(
        LessonError,
        match=rf"the limit is {limits.SHEET_STEPS:,}\. Take at most {fits}, larger steps",
    ) as error:
        online(opened, "class-set", View(), ExportOrder(versions=fits + 1, seed=7))
    assert (
        f"python -m tutor export {SIGMOID}.yaml --to class-set --variants {fits + 1} --seed 7"
        in str(error.value)
    )
    assert registry.too_long(opened, "class-set", LAYERS, ExportOrder(versions=fits + 1)) == ""
    assert (
        registry.too_long(
            opened, "class-set", View(), ExportOrder(phases=("forward",), versions=fits + 1)
        )
        == ""
    )
    assert registry.too_long(opened, "worksheet", View(), ExportOrder(versions=100)) == ""


def test_the_way_around_works(tmp_path: Path) -> None:
    said = registry.too_long(
        open_lesson(scenario("perceptron-step")),
        "class-set",
        View(),
        ExportOrder(versions=40, seed=7),
    )
    command = shlex.split(said.partition("python -m tutor ")[2])
    command[1] = str(SCENARIOS / command[1])
    assert main([*command, "-o", str(tmp_path)]) == 0
    (made,) = tmp_path.iterdir()
    assert made.name == "perceptron-step-class-set-s7-v1-40.html"
    assert made.read_text(encoding="utf-8").count('<article class="sheet"') == 80


def test_one_version_that_is_too_long_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SHEET_STEPS", 100)
    said = registry.too_long(
        open_lesson(scenario(SIGMOID)), "class-set", View(), ExportOrder(versions=1)
    )
    assert "Take larger steps or fewer phases, or make" in said


def test_a_download_draws_only_so_many_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DRAWN", 10)
    opened = open_lesson(scenario(SIGMOID))
    with pytest.raises(
        VariantError,
        match=r"than the 10 numbers that may be drawn for one download.*python -m tutor export",
    ):
        online(opened, "worksheet", LAYERS, ExportOrder(seed=7, version=100))
    assert make(opened, "worksheet", LAYERS, ExportOrder(seed=7, version=100)).name
    monkeypatch.setattr(limits, "DRAWN", 300)
    assert online(opened, "worksheet", LAYERS, ExportOrder(seed=7)).name
    assert online(opened, "worksheet", LAYERS, ExportOrder(seed=7, version=100)).name


def test_a_bound_on_drawing_changes_no_number() -> None:
    found = scenario(SIGMOID)
    assert variants(found, 5, 7, 10_000) == variants(found, 5, 7)


# ---- the form and the command ----

PAGE = f"/lessons/{SIGMOID}/export"


def test_the_form_asks_how_many_versions_and_shows_the_seed_it_takes() -> None:
    shown = page(f"{PAGE}?kind=class-set").root.one("form")
    typed = {
        f.attributes["name"]: f.attributes["value"]
        for f in shown.all("input")
        if "id" in f.attributes
    }
    assert typed == {"versions": "4", "seed": "1"}
    assert "Left open" in shown.text
    answer = get(
        f"{PAGE}?{urlencode({'kind': 'class-set', 'versions': '6', 'seed': '9', 'grain': 'layer', 'do': 'download'})}"
    )
    assert (answer.status_code, answer.headers["Location"]) == (
        302,
        f"{PAGE}/class-set?grain=layer&seed=9&versions=6",
    )
    made = get(answer.headers["Location"])
    assert (
        made.headers["Content-Disposition"]
        == f'attachment; filename="{SIGMOID}-class-set-s9-v1-6.html"'
    )
    assert len(papers(read(made.text))) == 12


@pytest.mark.parametrize(
    ("versions", "said"), [("50", "too large for one download"), ("0", "from 1 to 100"), ("x", "“x” is not"), ("101", "1 to 100")]
)  # fmt: skip
def test_what_does_not_fit_is_said_beside_the_number_of_versions(versions: str, said: str) -> None:
    answer = get(
        f"{PAGE}?{urlencode({'kind': 'class-set', 'versions': versions, 'seed': '9', 'do': 'download'})}"
    )
    assert answer.status_code == 422
    shown = read(answer.text)
    assert shown.problems == []
    field = next(
        f.attributes for f in shown.root.all("input") if f.attributes.get("name") == "versions"
    )
    assert field["value"] == versions
    assert said in shown.root.one("p", id=field["aria-describedby"]).text
    assert (
        said
        in page(f"{PAGE}?kind=class-set&versions={versions}")
        .root.one("p", id="problem-versions")
        .text
    )


def test_the_address_of_too_large_a_file_says_why_there_is_none() -> None:
    answer = get(f"{PAGE}/class-set?versions=50")
    assert answer.status_code == 404
    assert "too large for one download" in answer.text


def test_the_other_kinds_ask_for_one_version() -> None:
    for key in KINDS:
        names = {
            f.attributes.get("name")
            for f in page(f"{PAGE}?kind={key}&versions=9").root.one("form").all("input")
        }
        assert ("versions" in names, "version" in names) == (
            (key == "class-set"),
            (key != "class-set"),
        )


def test_the_command_writes_one_file_also_to_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(SCENARIOS / f"{LINEAR}.yaml")
    wanted = [
        "export",
        file,
        "--to",
        "class-set",
        "--grain",
        "layer",
        "--variants",
        "3",
        "--seed",
        "7",
    ]
    assert main([*wanted, "-o", str(tmp_path)]) == 0
    (made,) = tmp_path.iterdir()
    assert made.name == f"{LINEAR}-class-set-s7-v1-3.html"
    capsys.readouterr()
    assert main([*wanted, "-o", "-"]) == 0
    assert capsys.readouterr().out == made.read_text(encoding="utf-8")
    assert main([*wanted[:-2], "-o", "-"]) == 2
    assert "--seed" in capsys.readouterr().err
