"""The walk by keyboard alone, from the gallery to the last step, with every shown number compared
with engine and slides.
"""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.reading import Entry, Shown, number_in, shown, tab_to, wait_for_step
from tutor.engine.quantity import Quantity, parse
from tutor.lesson.slides import place
from tutor.lesson.walk import Lesson, open_lesson
from tutor.number import MINUS
from tutor.scenario import reader
from tutor.scenario.model import Printed

WALKS = ["1-2-3-1-sigmoid", "3-2-3-softmax"]


def opened(root: Path, name: str) -> Lesson:
    return open_lesson(reader.load(root / "scenarios" / f"{name}.yaml"))


def walked(page: Page, lesson: Lesson) -> list[Shown]:
    """Open a lesson from the gallery and walk through all its steps without touching the mouse."""
    page.goto("/")
    tab_to(page, lesson.scenario.title)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(lesson.scenario.title)
    tab_to(page, "Start with step 1")
    page.keyboard.press("Enter")
    wait_for_step(page, 1)
    tab_to(page, "Next →")
    steps = [shown(page)]
    for n in range(2, len(lesson.walk("number")) + 1):
        page.keyboard.press("Enter" if n == 2 else "ArrowRight")
        wait_for_step(page, n)
        steps.append(shown(page))
    return steps


@pytest.mark.parametrize("name", WALKS)
def test_a_walk_by_keyboard_shows_the_numbers_of_the_engine_and_of_the_slides(
    page: Page, root: Path, name: str
) -> None:
    lesson = opened(root, name)
    steps = walked(page, lesson)
    total = len(steps)
    assert [step.n for step in steps] == list(range(1, total + 1))
    assert [wrong for step in steps for wrong in step.contradictions(spoken=step.n > 1)] == []
    assert {step.focus for step in steps} == {"next"}
    assert steps[6].said.startswith(f"Step 7 of {total}: ")
    assert differing_from_engine(steps, lesson) == []
    assert differing_from_slides(steps, lesson) == []
    assert page.context.cookies() == []


def differing_from_engine(steps: list[Shown], lesson: Lesson) -> list[str]:
    """Results that are not the engine's number at the shown digits."""
    wrong = []
    for step in steps:
        value = lesson.trace.value(lesson.walk("number").anchor(step.n))
        if not reads_as(step.results[0], value):
            wrong.append(f"step {step.n} shows {step.results[0]}, the engine has {value}")
    return wrong


def reads_as(text: str, value: float) -> bool:
    """Whether a shown number is the value, rounded at its last digit."""
    digits = re.search(r"\.(\d+)", text)
    power = re.search(r"[·×]10([−-]?\d+)", text)
    unit = 10.0 ** (int(power[1].replace(MINUS, "-")) if power else 0) * 10.0 ** -(
        len(digits[1]) if digits else 0
    )
    return abs(number_in(text) - value) <= 0.5 * unit * (1 + 1e-9) and (
        value == 0 or number_in(text) != 0
    )


def differing_from_slides(steps: list[Shown], lesson: Lesson) -> list[str]:
    """Printed numbers that the walk does not show where they belong, or beside which it shows
    another number.
    """
    wrong = []
    for entry in lesson.scenario.printed:
        n = lesson.walk("number").step_of(place(entry))
        if not n:
            continue  # a given number without a step of its own; the slides page has it
        step = steps[n - 1]
        if not listed(entry, step):
            wrong.append(f"step {n} does not list {entry.value} ({entry.where})")
        text = beside(entry, step, lesson)
        if (
            not why(entry)
            and text
            and not entry.agrees(number_in(text))
            and abs(printed(entry) - number_in(text)) > coarse(entry, text)
        ):
            wrong.append(
                f"step {n} shows {text} for {entry.quantity}, the slide prints {entry.value} ({entry.where})"
            )
    return wrong


def listed(entry: Printed, step: Shown) -> bool:
    """Whether a step shows a printed number with its place, and why it does not agree; agreeing
    ones may be on the slides page.
    """
    found = Entry(entry.value.replace("-", MINUS), entry.where, why(entry), "")
    if any(
        (e.printed, e.where, e.why) == (found.printed, found.where, found.why) for e in step.entries
    ):
        return True
    return not why(entry) and step.more > 0


def why(entry: Printed) -> str:
    """Why a printed number does not agree; "" where it does."""
    return entry.slip or entry.left_open or ""


def beside(entry: Printed, step: Shown, lesson: Lesson) -> str:
    """The number that the step itself shows for a printed quantity, or "" where it is an
    expression.
    """
    if not entry.quantity:
        return ""
    q = parse(entry.quantity)
    if q == lesson.walk("number").anchor(step.n):
        return step.results[0]
    if q == Quantity("(loss-loss+)/loss"):
        return step.results[1]
    return step.numbers.get(entry.quantity, "")


def printed(entry: Printed) -> float:
    return entry.number / 100 if entry.percent else entry.number


def coarse(entry: Printed, text: str) -> float:
    """Half a unit of the last digit of each: both may have been rounded from the same number."""
    digits = re.search(r"\.(\d+)", text)
    shown_unit = 10.0 ** -(len(digits[1]) if digits else 0)
    return 0.5 * (shown_unit + 10.0**-entry.decimals * (0.01 if entry.percent else 1)) * (1 + 1e-9)


def test_back_and_forward_of_the_browser_lead_through_the_steps(page: Page) -> None:
    page.goto("/lessons/1-2-3-1-sigmoid/steps/10")
    for n in (11, 12, 13):
        page.keyboard.press("ArrowRight")
        wait_for_step(page, n)
    for move, n in (
        ("back", 12),
        ("back", 11),
        ("forward", 12),
        ("back", 11),
        ("back", 10),
        ("forward", 11),
        ("forward", 12),
    ):
        page.evaluate(f"() => history.{move}()")
        wait_for_step(page, n)
        assert shown(page).contradictions(spoken=False) == []
        assert shown(page).n == n


def test_a_walk_goes_on_after_the_browsers_back(page: Page) -> None:
    page.goto("/lessons/1-2-3-1-sigmoid/steps/10")
    page.get_by_role("link", name="Next", exact=False).focus()
    for n in (11, 12):
        page.keyboard.press("Enter")
        wait_for_step(page, n)
    page.evaluate("() => history.back()")
    wait_for_step(page, 11)
    assert shown(page).focus == "next"
    page.keyboard.press("Enter")
    wait_for_step(page, 12)
    page.keyboard.press("ArrowRight")
    wait_for_step(page, 13)
    assert shown(page).contradictions() == []


def test_home_end_and_the_left_arrow_move_too(page: Page) -> None:
    page.goto("/lessons/3-2-3-softmax/steps/20?decimals=3")
    for key, n in (
        ("End", 68),
        ("ArrowLeft", 67),
        ("Home", 1),
        ("ArrowRight", 2),
        ("ArrowLeft", 1),
    ):
        page.keyboard.press(key)
        wait_for_step(page, n)
        assert shown(page).contradictions() == []
        assert shown(page).address == f"/lessons/3-2-3-softmax/steps/{n}?decimals=3"


def test_keys_leave_a_reader_alone_who_chooses_from_a_list(page: Page) -> None:
    page.goto("/lessons/1-2-3-1-sigmoid/steps/10")
    page.get_by_text("Notation and numbers").click()
    page.get_by_role("combobox", name="Decimals").focus()
    for key in ("ArrowRight", "End", "Home", "ArrowLeft"):
        page.keyboard.press(key)
    page.wait_for_timeout(300)
    assert shown(page).n == 10
    assert page.get_by_role("combobox", name="Decimals").evaluate(
        "choice => document.activeElement === choice"
    )


def test_keys_with_alt_or_control_belong_to_the_browser(page: Page) -> None:
    page.goto("/lessons/1-2-3-1-sigmoid/steps/10")
    for keys in ("Control+ArrowRight", "Shift+ArrowRight", "Alt+End", "Control+Home"):
        page.keyboard.press(keys)
    page.wait_for_timeout(300)
    assert shown(page).n == 10


@pytest.mark.parametrize(("n", "idle"), [(1, ["First"]), (79, ["Next", "Last"])])
def test_a_control_that_leads_nowhere_keeps_its_place_and_says_so(
    page: Page, n: int, idle: list[str]
) -> None:
    page.goto(f"/lessons/1-2-3-1-sigmoid/steps/{n}")
    steps = page.get_by_role("navigation", name="Steps")
    for name in idle:
        control = steps.get_by_role("link", name=re.compile(name))
        assert control.get_attribute("aria-disabled") == "true"
        control.focus()
        assert control.evaluate("control => document.activeElement === control")
        page.keyboard.press("Enter")
        control.click(force=True)
    page.wait_for_timeout(200)
    assert shown(page).n == n
    assert shown(page).contradictions(spoken=False) == []


def test_keys_never_lead_out_of_the_lesson_but_the_link_at_its_first_step_does(page: Page) -> None:
    page.goto("/lessons/1-2-3-1-sigmoid/steps/2")
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    wait_for_step(page, 1)
    page.wait_for_timeout(200)
    assert shown(page).n == 1
    page.get_by_role("navigation", name="Steps").get_by_role("link", name="Lesson").click()
    expect(page).to_have_url(re.compile(r"/lessons/1-2-3-1-sigmoid$"))


def test_focus_stays_on_next_at_the_last_step_and_back_leads_away_again(page: Page) -> None:
    page.goto("/lessons/1-2-3-1-sigmoid/steps/78")
    page.get_by_role("link", name="Next →").focus()
    page.keyboard.press("Enter")
    wait_for_step(page, 79)
    assert shown(page).focus == "next"
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowLeft")
    wait_for_step(page, 78)
    assert shown(page).focus == "next"
    page.keyboard.press("Enter")
    wait_for_step(page, 79)
