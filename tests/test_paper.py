"""As on paper: every number rounded and carried on, the same trees with other numbers; how far that
drifts, and which printed numbers it explains.
"""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given, settings

from tests.closeness import ordered
from tests.strategies import problems
from tests.visiting import NAMES, context, deep_network, fragment, get, numbers, page, scenario
from tutor import limits
from tutor import number as text_of
from tutor.engine.derivation import derive
from tutor.engine.paper import by_hand, on_paper
from tutor.engine.quantity import parse
from tutor.engine.trace import run
from tutor.engine.tree import evaluate
from tutor.lesson.by_hand import drifts, reason
from tutor.lesson.calculator import MORE, ONE_BY_ONE
from tutor.lesson.explain import PHASE_TITLES
from tutor.lesson.opening import no_paper
from tutor.lesson.setup import Setup
from tutor.lesson.walk import open_lesson
from tutor.pages.context import Context
from tutor.pages.paper_page import paper_page
from tutor.pages.step_page import step_page
from tutor.pages.view import View
from tutor.scenario.reader import parse as read

SIGMOID = "/lessons/1-2-3-1-sigmoid"


@pytest.mark.parametrize(
    ("value", "decimals", "written"),
    [
        (0.57444, 4, 0.5744), (0.43705, 4, 0.4371), (-0.43705, 4, -0.4371), (0.15, 1, 0.2),
        (0.0026406, 4, 0.00264), (-0.000123456, 4, -0.000123), (12.3456, 2, 12.35), (2.5, 0, 3.0),
        (1.31e-7, 4, 1.31e-7), (0.999996, 4, 1.0), (0.0, 3, 0.0), (1e300, 4, 1e300), (3.0, 4, 3.0),
    ],
)  # fmt: skip
def test_a_number_is_written_down_as_one_does_by_hand(
    value: float, decimals: int, written: float
) -> None:
    assert by_hand(value, decimals) == written


def test_what_is_no_number_stays_none_and_cutting_off_rounds_nothing_up() -> None:
    assert math.isnan(by_hand(math.nan, 4))
    assert by_hand(-math.inf, 4) == -math.inf
    assert by_hand(0.607556, 4, cut=True) == 0.6075
    assert by_hand(-0.135657, 4, cut=True) == -0.1356


@given(problems(depth=3, units=3, samples=3, wide=False, skipping=True))
@settings(max_examples=25)
def test_every_number_on_paper_is_what_its_tree_gives_of_rounded_numbers(problem: Setup) -> None:
    trace = run(problem.network, problem.x, problem.y, problem.eta)
    paper = on_paper(trace, 3, 4)
    assume(paper.finite)
    for q in ordered(trace):
        assert paper.value(q) == by_hand(float(evaluate(derive(paper, q).tree, paper)), 3), q
    assert paper.exact is trace


@pytest.mark.parametrize("name", NAMES)
def test_with_many_decimals_paper_is_close_to_full_precision(name: str) -> None:
    lesson = context(name).lesson.on_paper(8)
    for one in drifts(lesson):
        assert abs(one.apart) <= 1e-5 * max(1.0, abs(one.exact)), one.quantity


@pytest.mark.parametrize("digits", [2, 4])
@pytest.mark.parametrize("name", ["1-2-3-1-sigmoid", "3-2-3-softmax", "linear-sigmoid"])
def test_the_shown_numbers_of_every_step_give_the_shown_result_once_rounded(
    name: str, digits: int
) -> None:
    opened = context(name, View(paper=digits))
    for n in numbers(name, View(paper=digits)):
        for formula in step_page(opened, n).formulas:
            notes = {line.note for line in (*formula.lines, *formula.shortcut)}
            assert not notes & {MORE, ONE_BY_ONE}


@pytest.mark.parametrize("grain", ["number", "layer", "pass"])
def test_every_number_in_the_tables_of_a_step_is_the_rounded_one(grain: str) -> None:
    view = View(grain, paper=3)
    trace, seen = context("3-2-3-softmax", view).trace, 0
    for n in numbers("3-2-3-softmax", view, every=4):
        root = page(f"/lessons/3-2-3-softmax/steps/{n}?paper=3&grain={grain}").root
        for cell in root.all("td"):
            name = cell.attributes.get("data-q")
            if name and "todo" not in (cell.attributes.get("class") or ""):
                shown = text_of.shown(trace.value(parse(name)), 12)
                assert cell.text.strip("\u2008\u2007") == shown, (n, name)
                seen += 1
    assert seen > 50


def test_a_step_on_paper_says_so_and_how_far_it_is_from_full_precision() -> None:
    root = page(f"{SIGMOID}/steps/16?paper=4").root
    assert "as on paper, every number rounded to 4 decimals" in root.one("p", cls="notice").text
    assert "At full precision this number is −0.2260951; on paper" in root.one("p", cls="was").text
    assert "As on paper" not in fragment(f"{SIGMOID}/steps/16").text
    layer = page(f"{SIGMOID}/steps/9?paper=4&grain=layer").root
    assert "away from full precision" in layer.one("p", cls="was").text


def test_nine_in_ten_slips_of_the_lecture_come_out_by_hand_and_the_others_are_no_rounding() -> None:
    lesson = context("1-2-3-1-sigmoid").lesson
    slips = [entry for entry in lesson.scenario.printed if entry.slip]
    told = [(entry, reason(entry, lesson)) for entry in slips]
    explained = [entry for entry, why in told if why]
    assert len(explained) >= 0.9 * len(slips)
    assert [entry.value for entry, why in told if not why] == ["0.6147", "0.7862"]
    words = {entry.value: why for entry, why in told}
    assert "every number is rounded to 4 decimals" in words["-1.2922"]
    assert "every number is rounded to 3 decimals" in words["0.7740"]
    assert "the last digit is cut off, not rounded (−0.139390)" in words["-0.1393"]
    assert "cut off after 4 decimals" in words["0.3925"]


def test_numbers_that_agree_need_no_explanation_and_get_none_on_the_slide_page() -> None:
    root = page(f"{SIGMOID}/slides").root
    for row in root.all("tr", cls="agrees"):
        assert "By hand" not in row.text
    assert "26 of 28 slips come out" in root.text


def test_the_comparison_lists_every_number_and_where_rounding_first_comes_through() -> None:
    root = page(f"{SIGMOID}/paper?paper=4").root
    assert len(list(root.all("tr", cls="agrees"))) + len(list(root.all("tr", cls="differs"))) == 79
    assert "Rounding first comes through at step 14." in root.text
    (worse,) = [a for a in root.all("a") if a.text == "2 decimals"]
    assert worse.attributes["href"] == f"{SIGMOID}/paper?paper=2"
    lesson = context("1-2-3-1-sigmoid").lesson
    coarse, fine = (max(one.relative for one in drifts(lesson.on_paper(d))) for d in (2, 6))
    assert coarse > 100 * fine
    assert (
        "The largest relative difference is"
        in paper_page(context("1-2-3-1-sigmoid", View(paper=2))).summary
    )


def test_the_comparison_begins_with_the_steps_that_scale_where_they_are_asked_for() -> None:
    root = page("/lessons/lifestyle-scaled/paper?paper=3&scaling=steps").root
    table = next(t for t in root.all("table") if t.one("caption").text.startswith("How far each"))
    phases = [row.one("th").text for row in table.one("tbody").all("tr")]
    assert phases == list(PHASE_TITLES.values())


@pytest.mark.parametrize(
    ("paper", "said", "value", "written"),
    [
        (
            4,
            "keeps 3 significant digits, even where that takes more than 4 dec",
            0.00026406,
            0.000264,
        ),
        (1, "keeps 1 significant digit, even where that takes more than 1 dec", 0.0026406, 0.003),
    ],
)
def test_the_comparison_says_how_it_rounds(
    paper: int, said: str, value: float, written: float
) -> None:
    text = page(f"{SIGMOID}/paper?paper={paper}").root.text
    assert "A 5 rounds up." in text
    assert said in text
    assert by_hand(value, paper) == written


def test_the_comparison_without_digits_takes_those_of_the_lesson() -> None:
    assert get(f"{SIGMOID}/paper").headers["Location"].endswith("/paper?paper=4")
    assert "“nine” is not a whole number" in get(f"{SIGMOID}/paper?paper=nine").text


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("0", "is too small; expected"),
        ("9", "is too large; expected"),
        ("-1", "is too small; expected"),
        ("many", "is not"),
        ("4.0", "is not"),
    ],
)
def test_other_digits_are_ignored_with_a_word(wrong: str, said: str) -> None:
    answer = get(f"{SIGMOID}/steps/2?paper={wrong}")
    assert answer.status_code == 200
    assert f"paper “{wrong}” {said} a whole number from 1 to 8" in answer.text


def test_a_lesson_of_too_many_numbers_stays_at_full_precision_and_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    long = deep_network(4, units=40)
    assert "at most 4,000 numbers, and this one has" in no_paper(long)
    assert not no_paper(scenario("1-2-3-1-sigmoid"))
    monkeypatch.setattr(limits, "PAPER_NUMBERS", 10)
    answer = get("/lessons/vanishing-gradient/steps/2?paper=3")
    assert (
        "at most 10 numbers, and this one has 94, so it is shown at full precision" in answer.text
    )
    assert get("/lessons/vanishing-gradient/paper?paper=3").status_code == 404


def test_files_and_trainings_are_never_as_on_paper() -> None:
    refused = get(f"{SIGMOID}/export/json?paper=3")
    assert refused.status_code == 400
    assert "full precision, not as on paper" in refused.text
    root = page(f"{SIGMOID}/steps/2?paper=3").root
    (export,) = [a for a in root.all("a") if a.text.startswith("Export")]
    assert "paper" not in export.attributes["href"]


def test_a_walk_that_ends_on_paper_alone_says_so() -> None:
    sure = read(
        "format: 1\ntitle: Sure\nnetwork: {inputs: 1, layers: [{units: 1, activation: sigmoid, "
        "weights: [[12]], biases: none}], loss: {name: binary_cross_entropy}}\n"
        "data: {inputs: [[1]], targets: [[0]]}\ntraining: {learning_rate: 0.1}\n", "sure.yaml",
    )  # fmt: skip
    lesson = open_lesson(sure).on_paper(3)
    assert lesson.trace.stop is not None
    here = Context(lesson, View(paper=3))
    last = step_page(here, len(here.walk))
    assert "on paper: rounded to 3 decimals" in last.stop
    assert open_lesson(sure).on_paper(8).trace.stop is None


@pytest.mark.parametrize("name", ["adam-by-hand", "valley-momentum"])
def test_what_an_optimizer_remembers_is_copied_like_other_given_numbers(name: str) -> None:
    found = context(name, View(iteration=3, paper=3)).lesson
    shown, kinds = found.scenario.display.decimals, [k for k, _ in found.trace if "-." in k]
    assert kinds
    for kind in kinds:
        exact, paper = found.exact.array(kind, 1).ravel(), found.trace.array(kind, 1).ravel()
        assert [by_hand(float(v), shown) for v in exact] == paper.tolist()


def test_what_a_reader_changes_is_on_paper_too() -> None:
    root = page(f"{SIGMOID}/steps/2?paper=3&x[1]=1.5").root
    assert root.one("p", cls="result").one("math").text == "≈0.562"
