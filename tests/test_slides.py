"""What the slides print, beside what the engine computes: found by glob, all of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tutor.engine.quantity import parse
from tutor.lesson.changes import apply, listed
from tutor.lesson.slides import AGREES, DIFFERS, OPEN, closed_form, compare, computed, place, tally
from tutor.lesson.walk import Lesson, open_lesson
from tutor.scenario.reader import Check, Note, Printed, load

SCENARIOS = sorted((Path(__file__).parents[1] / "scenarios").glob("*.yaml"))


def lesson_of(name: str) -> Lesson:
    return open_lesson(load(next(path for path in SCENARIOS if path.stem == name)))


def printed_entries() -> list[tuple[str, Printed]]:
    return [(path.stem, entry) for path in SCENARIOS for entry in load(path).printed]


def test_the_decks_that_print_numbers_have_them_all_here() -> None:
    counts = {path.stem: len(load(path).printed) for path in SCENARIOS}
    assert counts["1-2-3-1-sigmoid"] >= 50
    assert counts["3-2-3-softmax"] >= 15


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_printed_number_agrees_or_says_why_it_does_not(path: Path) -> None:
    scenario = load(path)
    trace = open_lesson(scenario).trace
    for entry in scenario.printed:
        number = compare(entry, trace)
        assert number.agrees != bool(number.why), (number.quantity, number.printed, number.computed)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_closed_form_agrees_with_the_engine(path: Path) -> None:
    scenario = load(path)
    trace = open_lesson(scenario).trace
    for check in scenario.checks:
        form = closed_form(check, trace)
        assert form.agrees, (check.quantity, form.value, trace.value(parse(check.quantity)))


def test_the_exploding_gradient_is_checked_against_a_closed_form() -> None:
    assert load(next(path for path in SCENARIOS if path.stem == "exploding-gradient")).checks


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_everything_the_lecture_says_is_shown_at_a_step_that_the_walk_reaches(path: Path) -> None:
    lesson = open_lesson(load(path))
    walk = lesson.walk("number")
    for q in lesson.slides:
        assert q.given or 1 <= walk.step_of(q) <= len(walk), str(q)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_nothing_that_a_scenario_says_is_lost(path: Path) -> None:
    scenario = load(path)
    shown = open_lesson(scenario).slides.values()
    assert sum(len(slide.numbers) for slide in shown) == len(scenario.printed)
    assert sum(len(slide.notes) + len(slide.remarks) for slide in shown) == len(scenario.notes)
    assert sum(len(slide.closed_forms) for slide in shown) == len(scenario.checks)
    assert all(shown)


def entry(value: str, quantity: str = "a[3][1]", slip: str | None = None) -> Printed:
    return Printed(quantity=quantity, value=value, where="a slide", slip=slip)


@pytest.mark.parametrize(
    ("value", "agrees"),
    [
        ("0.7739", True), ("0.774", True), ("0.77", True), ("0.8", True), ("1", True), ("0.7740", False), ("0.7738", False),
        ("77.39%", True), ("77%", True), ("77.40%", False), ("-0.7739", False), ("0", False),
    ],
)  # fmt: skip
def test_a_number_agrees_at_the_digits_that_the_slide_prints(value: str, agrees: bool) -> None:
    number = compare(entry(value), lesson_of("1-2-3-1-sigmoid").trace)
    assert number.computed == pytest.approx(0.7739, abs=5e-5)
    assert number.agrees == agrees
    assert number.ours.endswith("%") == value.endswith("%")


def test_a_real_minus_sign_is_read_as_one() -> None:
    trace = lesson_of("1-2-3-1-sigmoid").trace
    assert compare(entry("\N{MINUS SIGN}0.2261", "dL/dz[3][1]"), trace).agrees
    assert compare(entry("-0.2261", "dL/dz[3][1]"), trace).agrees


def test_what_is_no_number_agrees_with_nothing() -> None:
    assert not entry("0.5").agrees(float("nan"))
    assert not entry("0.5").agrees(float("inf"))


def test_an_expression_is_computed_and_shown_where_it_says() -> None:
    trace = lesson_of("1-2-3-1-sigmoid").trace
    product = Printed(
        expression="{dL/dz[3][1]} * {w[3][1,1]}", at="dL/da[2][1]", value="-0.0904", where="a slide"
    )
    assert place(product) == parse("dL/da[2][1]")
    assert compare(product, trace).computed == trace.value(parse("dL/dz[3][1]")) * 0.4
    assert compare(product, trace).agrees
    assert computed("2 * {x[1]} + 1", trace) == 5.0


def test_a_closed_form_that_is_off_by_one_in_a_million_does_not_agree() -> None:
    trace = lesson_of("1-2-3-1-sigmoid").trace
    right = Check(quantity="dL/dz[3][1]", equals="{a[3][1]} - {y[1]}")
    assert closed_form(right, trace).agrees
    assert not closed_form(
        right.model_copy(update={"equals": "({a[3][1]} - {y[1]}) * 1.000001"}), trace
    ).agrees


def test_another_iteration_has_other_numbers_than_the_slides() -> None:
    scenario = load(next(path for path in SCENARIOS if path.stem == "1-2-3-1-sigmoid"))
    assert open_lesson(scenario, 2).slides == {}


def test_what_speaks_of_the_lessons_own_numbers_goes_when_something_is_changed() -> None:
    scenario = load(next(path for path in SCENARIOS if path.stem == "linear-regression"))
    checks = (Check(quantity="loss", equals="{loss}"),)
    scenario = replace(
        scenario,
        checks=checks,
        printed=(entry("1", "loss"),),
        notes=(Note(at="loss", text="kind words"),),
    )
    changed = (("loss", "half_squared_error"),)
    assert open_lesson(apply(scenario, changed), 1, listed(scenario, changed)).slides == {}
    own = open_lesson(scenario).slides[parse("loss")]
    assert len(own.numbers) == len(own.closed_forms) == 1


# ---- three states, and the digits that show them ----


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_number_that_agrees_is_computed_with_the_very_digits_of_the_slide(path: Path) -> None:
    scenario = load(path)
    trace = open_lesson(scenario).trace
    for entry in scenario.printed:
        found = compare(entry, trace)
        assert (found.ours == found.printed) == (found.state == AGREES), (
            found.quantity,
            found.printed,
            found.ours,
        )


@pytest.mark.parametrize(
    ("value", "computed", "ours"),
    [
        ("0.6343", 0.6341, "0.6341"), ("0.291027924", 0.291027926, "0.291027926"),
        ("0.291027924", 0.2910279239, "0.291027924"), ("0.7740", 0.773905, "0.773905"),
        ("0.6147", 0.6173873, "0.6174"), ("0.3500", 0.35, "0.3500"), ("-0.00264", -0.0026341, "−0.0026341"),
        ("77.40%", 0.773905, "77.3905%"),
        ("34.5 %", 0.34489, "34.5 %"), ("0.13", 0.125, "0.1250"), ("0.12", 0.125, "0.12"), ("3", 2.4, "2.40"), ("7", 0.0, "0"),
    ],
)  # fmt: skip
def test_ours_has_the_digits_of_the_slide_and_two_more_where_the_last_one_decides(
    value: str, computed: float, ours: str
) -> None:
    trace = lesson_of("1-2-3-1-sigmoid").trace
    shown = Printed(
        expression=f"{computed!r} + 0 * {{eta}}",
        at="loss",
        value=value,
        where="a slide",
        slip="why",
    )
    assert compare(shown, trace).ours == ours


def test_a_number_agrees_is_left_open_or_is_a_slip() -> None:
    trace = lesson_of("1-2-3-1-sigmoid").trace
    left = entry("0.5").model_copy(update={"left_open": "The slide stops here."})
    found = [
        compare(one, trace)
        for one in (entry("0.7739"), left, entry("0.5", slip="Not so."), entry("0.5"))
    ]
    assert [(one.state, one.why, one.word) for one in found] == [
        (AGREES, "", "agrees"), (OPEN, "The slide stops here.", "left open"), (DIFFERS, "Not so.", "slip"), (DIFFERS, "", "slip"),
    ]  # fmt: skip


def test_what_a_lecture_leaves_unchanged_is_no_slip() -> None:
    lesson = lesson_of("3-2-3-softmax")
    states = [compare(one, lesson.trace).state for one in lesson.scenario.printed]
    assert (states.count(DIFFERS), states.count(OPEN)) == (3, 13)
    old = [
        one
        for one in lesson.scenario.printed
        if one.quantity and one.quantity.startswith("w+") and one.left_open
    ]
    assert len(old) == 10
    for one in old:
        assert one.agrees(lesson.trace.value(parse(str(one.quantity).replace("w+", "w")))), (
            one.quantity
        )


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ((1, 1, 1), "1 agrees, 1 is left open or unchanged by the lecture, 1 differs"),
        ((29, 13, 3), "29 agree, 13 are left open or unchanged by the lecture, 3 differ"),
        ((2, 0, 1), "2 agree, 1 differs"), ((5, 0, 0), "5 agree"),
    ],
)  # fmt: skip
def test_numbers_are_counted_in_words(counts: tuple[int, int, int], words: str) -> None:
    assert tally(*counts) == words


def test_a_note_is_a_remark_on_the_slides_only_where_the_file_says_so() -> None:
    notes = (
        Note(at="loss", text="The slide says so.", about_slides=True),
        Note(at="loss", text="It is so."),
    )
    found = open_lesson(replace(load(SCENARIOS[0]), notes=notes, printed=())).slides[parse("loss")]
    assert (found.remarks, found.notes) == (("The slide says so.",), ("It is so.",))
