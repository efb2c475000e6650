"""A lesson is made in the browser: by keyboard alone, by paste, without JavaScript; the preview
never gets in the way.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import Server, listen
from tests.browser.reading import Shown, number_in, shown, tab_to, wait_for_step
from tests.browser.slow_server import slow_server
from tests.browser.test_accessibility import TOO_WIDE, WIDTHS, Axe, Looking, looking, problems
from tests.browser.test_keyboard_walk import beside, coarse, differing_from_engine, printed
from tutor.lesson.slides import place
from tutor.lesson.walk import Lesson, open_lesson
from tutor.scenario import reader

__all__ = ["looking"]  # the fixture

DECK = "3-2-3-softmax"
# milliseconds that the preview may take to follow; less than one where the machine is not busy
LIVE = 10_000
FOCUS = "() => document.activeElement.id"
STATE = "() => { const field = document.activeElement; return [field.id, field.value, field.selectionStart, field.selectionEnd]; }"
VALUES = "fields => Object.fromEntries(fields.map(field => [field.name, field.value]))"


@pytest.fixture
def deck(root: Path) -> Lesson:
    return open_lesson(reader.load(root / "scenarios" / f"{DECK}.yaml"))


def go_to(page: Page, field: str, key: str = "Tab", most: int = 90) -> None:
    """Press Tab (or Shift+Tab) until the focus is on the field."""
    for _ in range(most):
        if page.evaluate(FOCUS) == field:
            return
        page.keyboard.press(key)
    raise AssertionError(f"{most} times {key} do not reach {field}")


def enter(page: Page, field: str, text: str) -> None:
    """Go to a field by Tab, and write over what stands in it; in a list the text chooses."""
    go_to(page, field)
    if page.evaluate("() => document.activeElement.tagName") != "SELECT":
        page.keyboard.press("Control+A")
    page.keyboard.type(text)


def copy(page: Page, text: str) -> None:
    """Put a text on the clipboard, as a spreadsheet does."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("text => navigator.clipboard.writeText(text)", text)


def values(page: Page, start: str) -> dict[str, str]:
    """The fields whose names start so, with what stands in them."""
    found: dict[str, str] = page.locator(f'#build input[name^="{start}"]').evaluate_all(VALUES)
    return found


def preview(page: Page, text: str | re.Pattern[str]) -> None:
    expect(page.locator("#live")).to_contain_text(text, timeout=LIVE)


# ---- from nothing to the deck's numbers ----


def test_the_example_of_the_deck_is_built_by_keyboard_and_shows_the_decks_numbers(
    page: Page, deck: Lesson
) -> None:
    page.goto("/")
    tab_to(page, "Build a lesson")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Build a lesson")
    shape(page)
    numbers(page)
    preview(page, "3-2-3")
    go_to_button(page, "Save", "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/lessons/saved-[a-z2-7]{20}$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("The softmax of the deck")
    steps = walked(page, len(deck.walk("number")))
    assert differing_from_engine(steps, deck) == []
    assert differing_from_deck(steps, deck) == []


def shape(page: Page) -> None:
    """Inputs, units, activations and the rest; then the tables are made."""
    enter(page, "title", "The softmax of the deck")
    enter(page, "inputs", "3")
    enter(page, "units[1]", "2")
    enter(page, "activation[1]", "sigm")
    enter(page, "biases[1]", "none")
    enter(page, "units[2]", "3")
    enter(page, "activation[2]", "soft")
    enter(page, "biases[2]", "none")
    enter(page, "loss", "cross")
    enter(page, "learning_rate", "0.5")
    enter(page, "notation", "A letter")
    go_to(page, "samples", "Shift+Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.textContent") == "Update the tables"
    page.keyboard.press("Enter")
    page.wait_for_url("**/build#samples-part")
    expect(page.locator('[id="y[3]"]')).to_be_visible()


def numbers(page: Page) -> None:
    """The first weights typed with the arrow keys, the second pasted, the sample typed with Tab."""
    for field, text in (
        ("x[1]", "0.35"),
        ("x[2]", "0.2"),
        ("x[3]", "0.5"),
        ("y[1]", "1"),
        ("y[2]", "0"),
        ("y[3]", "0"),
    ):
        enter(page, field, text)
    go_to(page, "w[1][1,1]", "Shift+Tab")
    page.keyboard.press("Control+A")
    for text, keys in (("0.4963", "ArrowRight"), ("0.0885", "ArrowRight"), ("0.3074", "ArrowDown"), ("0.6341", "Home ArrowLeft"),
                       ("0.1320", "Home ArrowLeft"), ("0.7682", "")):  # fmt: skip
        page.keyboard.type(text)
        for key in keys.split():
            page.keyboard.press(key)
    assert list(values(page, "w[1]").values()) == [
        "0.4963",
        "0.0885",
        "0.3074",
        "0.7682",
        "0.1320",
        "0.6341",
    ]
    go_to(page, "w[2][1,1]")
    copy(page, "0.4901\t0.6323\n0.8964\t0.3489\n0.4556\t0.4017\n")
    page.keyboard.press("Control+V")
    assert list(values(page, "w[2]").values()) == [
        "0.4901",
        "0.6323",
        "0.8964",
        "0.3489",
        "0.4556",
        "0.4017",
    ]
    expect(page.get_by_role("status").first).to_be_attached()
    assert page.locator("#said").text_content() == "Filled 6 cells. Ctrl+Z undoes it."


def go_to_button(page: Page, name: str, key: str = "Tab", most: int = 90) -> None:
    for _ in range(most):
        page.keyboard.press(key)
        if (
            page.evaluate(
                "() => document.activeElement.matches('button') && document.activeElement.textContent.trim()"
            )
            == name
        ):
            return
    raise AssertionError(f"{most} times {key} do not reach {name!r}")


def walked(page: Page, total: int) -> list[Shown]:
    """Every step, by Enter and the arrow key."""
    tab_to(page, "Start with step 1")
    page.keyboard.press("Enter")
    wait_for_step(page, 1)
    steps = [shown(page)]
    for n in range(2, total + 1):
        page.keyboard.press("ArrowRight")
        wait_for_step(page, n)
        steps.append(shown(page))
    return steps


def differing_from_deck(steps: list[Shown], deck: Lesson) -> list[str]:
    """Numbers of the deck, other than its slips, that the walk shows differently."""
    wrong = []
    for entry in deck.scenario.printed:
        n = deck.walk("number").step_of(place(entry))
        text = (
            beside(entry, steps[n - 1], deck) if n and not (entry.slip or entry.left_open) else ""
        )
        if (
            text
            and not entry.agrees(number_in(text))
            and abs(printed(entry) - number_in(text)) > coarse(entry, text)
        ):
            wrong.append(
                f"step {n} shows {text} for {entry.quantity}, the deck prints {entry.value}"
            )
    return wrong


# ---- saved, and edited ----


def test_a_saved_lesson_opens_in_another_browser_and_a_copy_leaves_it_as_it_is(
    page: Page, new_context: Callable[..., BrowserContext], server: Server
) -> None:
    page.goto("/build")
    page.locator("#title").fill("The first version")
    page.get_by_role("button", name="Save").click()
    first = page.url
    file = page.request.get(f"{first}/scenario.yaml").text()
    other = new_context().new_page()
    complaints = listen(other, server)
    other.goto(first)
    expect(other.get_by_role("heading", level=1)).to_have_text("The first version")
    other.get_by_role("link", name="Edit a copy").click()
    expect(other.get_by_text("A copy of")).to_be_visible()
    other.locator("#title").fill("The second version")
    other.locator('[id="w[1][1,1]"]').fill("-0.3")
    other.get_by_role("button", name="Save").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("The second version")
    second = other.url
    assert first != second
    for opened, address, title in (
        (other, first, "The first version"),
        (page, second, "The second version"),
    ):
        opened.goto(address)
        expect(opened.get_by_role("heading", level=1)).to_have_text(title)
        opened.get_by_role("link", name="Start with step 1").click()
        wait_for_step(opened, 1)
    assert page.request.get(f"{first}/scenario.yaml").text() == file
    assert (
        f"origin: {first.rpartition('/')[2]}" in page.request.get(f"{second}/scenario.yaml").text()
    )
    assert complaints == []


def test_the_same_lesson_has_the_same_address(page: Page) -> None:
    addresses = set()
    for _ in range(2):
        page.goto("/build")
        page.locator("#title").fill("Twice the same")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Twice the same")
        addresses.add(page.url)
    assert len(addresses) == 1


# ---- tables ----


@pytest.fixture
def table(page: Page) -> Page:
    """The form of the deck's example: tables of 2 by 3 and of 3 by 2."""
    page.goto(f"/build?from={DECK}")
    return page


def test_arrow_keys_lead_through_a_table_and_stop_at_its_edges(table: Page) -> None:
    table.locator('[id="w[1][1,1]"]').focus()
    for key, field in (("ArrowDown", "w[1][2,1]"), ("ArrowDown", "w[1][2,1]"), ("ArrowRight", "w[1][2,2]"), ("ArrowRight", "w[1][2,3]"),
                       ("ArrowRight", "w[1][2,3]"), ("ArrowUp", "w[1][1,3]"), ("Enter", "w[1][2,3]"), ("Enter", "w[1][2,3]"),
                       ("Control+Home", "w[1][1,1]"), ("Control+End", "w[1][2,3]")):  # fmt: skip
        if key == "ArrowRight":
            table.keyboard.press("End")
        table.keyboard.press(key)
        assert table.evaluate(FOCUS) == field
    assert table.url.endswith(f"/build?from={DECK}")


def test_left_and_right_move_within_a_number_first(table: Page) -> None:
    cell = table.locator('[id="w[1][1,2]"]')
    cell.focus()
    table.keyboard.press("End")
    for _ in range(len("0.0885")):
        table.keyboard.press("ArrowLeft")
        assert table.evaluate(FOCUS) == "w[1][1,2]"
    table.keyboard.press("ArrowLeft")
    assert table.evaluate(FOCUS) == "w[1][1,1]"
    table.keyboard.press("Home")
    table.keyboard.press("ArrowRight")
    assert table.evaluate(STATE) == ["w[1][1,1]", "0.4963", 1, 1]


PASTES = {
    "a spreadsheet": ("1\t2\t3\n4\t5\t6\n", ["1", "2", "3", "4", "5", "6"]),
    "lines of Windows": ("1\t2\t3\r\n4\t5\t6\r\n", ["1", "2", "3", "4", "5", "6"]),
    "a CSV file": ("1,2,3\n4,5,6", ["1", "2", "3", "4", "5", "6"]),
    "decimal commas": ("0,5;1,5;2\n3;4;5", ["0,5", "1,5", "2", "3", "4", "5"]),
    "a matrix of Python": ("[[1, 2, 3],\n [4, 5, 6]]", ["1", "2", "3", "4", "5", "6"]),
    "a matrix of NumPy": ("[[1. 2. 3.]\n [4. 5. 6.]]", ["1.", "2.", "3.", "4.", "5.", "6."]),
    "columns by spaces": ("1 2 3\n4 5 6", ["1", "2", "3", "4", "5", "6"]),
    "decimal commas and spaces": ("0,5 1,5 2\n3 4 5", ["0,5", "1,5", "2", "3", "4", "5"]),
    "numbers in quotes": ('"0,5"\t1\t2\n3\t4\t5', ["0,5", "1", "2", "3", "4", "5"]),
    "a line of words first": (
        "height\twidth\tw3\n1\t2\t3\n4\t5\t6",
        ["1", "2", "3", "4", "5", "6"],
    ),
    "words": ("one\ttwo", ["one", "two", "0.3074", "0.7682", "0.132", "0.6341"]),
    "markup": (
        "<img src=x onerror=alert(1)>\t2",
        ["<img src=x onerror=alert(1)>", "2", "0.3074", "0.7682", "0.132", "0.6341"],
    ),
    "empty cells": ("\t2", ["", "2", "0.3074", "0.7682", "0.132", "0.6341"]),
}


@pytest.mark.parametrize("name", PASTES)
def test_several_cells_are_pasted_at_once(table: Page, name: str) -> None:
    text, expected = PASTES[name]
    copy(table, text)
    table.locator('[id="w[1][1,1]"]').focus()
    table.keyboard.press("Control+V")
    assert list(values(table, "w[1]").values()) == expected


@pytest.mark.parametrize(
    "text", ["1\t2\t3\n4\t5\t6\n", "[[1, 2, 3],\n [4, 5, 6]]", "w1;w2;bias\n0,5;2;3\n4;5;6"]
)
def test_the_field_for_pasted_weights_takes_what_a_table_takes(page: Page, text: str) -> None:
    found = []
    for way in ("table", "field"):
        page.goto("/build")
        if way == "table":
            copy(page, text)
            page.locator('[id="w[1][1,1]"]').focus()
            page.keyboard.press("Control+V")
        else:
            page.get_by_text("Paste weights of layer 1", exact=True).first.click()
            page.locator('[id="paste[1]"]').fill(text)
            page.locator('button[value="paste:1"]').click()
            expect(page.locator("main")).to_contain_text(
                "Pasted 2 rows of 3; the last number of each is its bias."
            )
        found.append(values(page, "w[1]") | values(page, "b[1]"))
    assert found[0] == found[1]
    assert list(found[0].values())[1:] == ["2", "4", "5", "3", "6"]


def test_one_number_is_pasted_as_anywhere_else(table: Page) -> None:
    for text in ("0,25", "7"):
        copy(table, text)
        table.locator('[id="w[1][1,1]"]').select_text()
        table.keyboard.press("Control+V")
        assert list(values(table, "w[1]").values())[:2] == [text, "0.0885"]


def test_what_does_not_fit_is_left_out_and_said_so(table: Page) -> None:
    copy(table, "1\t2\t3\n4\t5\t6\n7\t8\t9\n")
    table.locator('[id="w[1][1,2]"]').focus()
    table.keyboard.press("Control+V")
    assert list(values(table, "w[1]").values()) == ["0.4963", "1", "2", "0.7682", "4", "5"]
    said = "Filled 4 cells. 5 cells did not fit and were left out. Ctrl+Z undoes it."
    assert table.locator("#said").text_content() == said
    expect(table.locator("#build .notice")).to_have_text(said)
    assert values(table, "w[2]")["w[2][1,1]"] == "0.4901"


def test_samples_that_do_not_fit_are_shown_the_way_to_a_larger_table(table: Page) -> None:
    copy(table, "a\tb\tc\n" + "1\t2\t3\n" * 2)
    table.locator('#samples-part input[data-row="0"][data-col="0"]').focus()
    table.keyboard.press("Control+V")
    expect(table.locator("#samples-part .notice")).to_contain_text(
        "The first line has no numbers, so it was skipped. Filled 3 cells."
    )
    expect(table.locator("#samples-part .notice")).to_contain_text(
        "“Paste samples” below takes any number of rows."
    )


def test_a_paste_is_taken_back_by_control_z(table: Page) -> None:
    before = values(table, "w[1]")
    copy(table, "1\t2\t3\n4\t5\t6\n")
    table.locator('[id="w[1][1,1]"]').focus()
    table.keyboard.press("Control+V")
    preview(table, re.compile(r"1\s*×"))
    table.keyboard.press("Control+Z")
    assert values(table, "w[1]") == before
    assert table.locator("#said").text_content() == "6 cells restored."
    preview(table, "0.4963")


# ---- the way back ----


@pytest.mark.parametrize("leaving", ["a link", "Save"])
def test_what_was_typed_is_there_again_after_going_back_and_the_preview_follows(
    page: Page, leaving: str
) -> None:
    page.goto("/build")
    for field, text in (("title", "Next week"), ("about", "A paragraph"), ("w[1][1,1]", "0.77")):
        page.locator(f'[id="{field}"]').fill(text)
    preview(page, "0.77")
    if leaving == "Save":
        page.get_by_role("button", name="Save").click()
    else:
        page.get_by_role("link", name="Activations").click()
    expect(page.locator("#build")).to_have_count(0)
    page.go_back()
    for field, text in (("title", "Next week"), ("about", "A paragraph"), ("w[1][1,1]", "0.77")):
        expect(page.locator(f'[id="{field}"]')).to_have_value(text)
    preview(page, "0.77")


# ---- Enter ----


def test_enter_in_a_field_checks_and_never_drops_what_came_with_the_lesson(table: Page) -> None:
    table.locator('[id="w[1][1,1]"]').fill("9")
    expect(table.locator("#problems button")).to_be_visible(timeout=LIVE)
    table.locator("#title").press("Enter")
    expect(table.locator("#problems")).to_be_focused()
    expect(table.locator("#drop-printed")).not_to_be_checked()


def test_enter_in_a_number_of_units_updates_the_tables_and_stays_at_the_layer(table: Page) -> None:
    table.locator('[id="units[1]"]').fill("4")
    table.locator('[id="units[1]"]').press("Enter")
    expect(table.locator('[id="w[1][4,3]"]')).to_be_attached()
    expect(table.locator("#layer-1 legend")).to_be_in_viewport()


def test_what_came_with_the_lesson_is_dropped_step_by_step_until_the_rest_is_sound(
    page: Page,
) -> None:
    page.goto("/build?from=1-2-3-1-sigmoid")
    expect(page.locator(".where")).to_contain_text("A copy of “A 1-2-3-1 sigmoid network by hand”.")
    page.get_by_role("button", name="Remove layer 2").click()
    page.get_by_role("button", name="Drop the numbers that the slides print").click()
    page.get_by_role("button", name="Drop the notes at steps").click()
    expect(page.locator("#live h2")).to_contain_text("Valid 1-2-1 network")


# ---- the preview ----


def test_the_preview_follows_and_focus_and_caret_stay(table: Page) -> None:
    cell = table.locator('[id="w[1][1,1]"]')
    cell.focus()
    table.keyboard.press("Home")
    table.keyboard.press("ArrowRight")
    table.keyboard.press("ArrowRight")
    table.keyboard.type("99")
    preview(table, "0.994963")
    assert table.evaluate(STATE) == ["w[1][1,1]", "0.994963", 4, 4]
    table.keyboard.press("Backspace")
    preview(table, "0.94963")
    assert table.evaluate(STATE) == ["w[1][1,1]", "0.94963", 3, 3]


def test_a_problem_comes_and_goes_beside_its_field_while_one_types(table: Page) -> None:
    cell = table.locator('[id="w[1][1,2]"]')
    cell.fill("two")
    message = table.locator('[id="problem-w[1][1,2]"]')
    expect(message).to_be_visible(timeout=LIVE)
    assert cell.get_attribute("aria-invalid") == "true"
    assert cell.get_attribute("aria-describedby") == "problem-w[1][1,2]"
    assert cell.evaluate("cell => document.activeElement === cell")
    preview(table, re.compile("problem", re.IGNORECASE))
    cell.fill("1/4")
    expect(message).to_have_count(0, timeout=LIVE)
    assert cell.get_attribute("aria-invalid") is None
    assert cell.get_attribute("aria-describedby") is None
    preview(table, "0.25")


def test_the_preview_draws_formulas_and_the_diagram_as_the_page_does(page: Page) -> None:
    page.goto("/build")
    page.locator('[id="x[1]"]').fill("0.75")
    preview(page, "0.75")
    spaces = page.evaluate(
        "() => [...document.querySelectorAll('#live svg, #live math')].map(drawn => drawn.namespaceURI.slice(-6))"
    )
    assert set(spaces) == {"00/svg", "MathML"}
    inside = "live => live.innerHTML.replace(/\\s+/g, ' ').trim()"
    live = page.locator("#live").evaluate(inside)
    page.get_by_role("button", name="Check").click()
    expect(page.locator('[id="x[1]"]')).to_have_value("0.75")
    page.wait_for_load_state()
    assert page.locator("#live").evaluate(inside) == live


def test_a_slow_answer_does_not_overwrite_a_newer_one(browser: Browser) -> None:
    with slow_server([1.2, 0.0, 0.6, 0.0]) as server:
        page = browser.new_context(base_url=server.url).new_page()
        page.goto(f"/build?from={DECK}")
        for text in ("0.111", "0.222", "0.333", "0.444"):
            page.locator('[id="w[1][1,1]"]').fill(text)
            page.wait_for_timeout(500)
        preview(page, "0.444")
        for _ in range(100):
            page.wait_for_timeout(100)
            if server.delayed.pending == 0:
                break
        page.wait_for_timeout(300)
        content = page.locator("#live").text_content() or ""
        assert "0.444" in content
        assert not [text for text in ("0.111", "0.222", "0.333") if text in content]
        page.context.close()


def test_typing_goes_on_where_the_server_is_gone(browser: Browser) -> None:
    with slow_server([0.0]) as server:
        page = browser.new_context(base_url=server.url).new_page()
        thrown: list[str] = []
        page.on("pageerror", lambda error: thrown.append(str(error)))
        page.goto(f"/build?from={DECK}")
        before = page.locator("#live").text_content()
        page.context.set_offline(True)
        page.locator('[id="w[1][1,1]"]').fill("0.111")
        page.wait_for_timeout(900)
        assert page.locator("#live").text_content() == before
        assert page.locator('[id="w[1][1,1]"]').input_value() == "0.111"
        assert thrown == []
        page.context.close()


# ---- without JavaScript ----


def test_a_lesson_is_built_checked_mended_and_saved_without_script(
    page_without_script: Page,
) -> None:
    page = page_without_script
    page.goto("/")
    page.get_by_role("navigation", name="Site").get_by_role("link", name="Build").click()
    page.locator("#title").fill("Made without script")
    page.locator('[id="units[1]"]').fill("3")
    page.get_by_role("button", name="Update the tables").first.click()
    for n, row in enumerate((("1/2", "-0.3"), ("0,25", "1e-1"), ("x", "0.2")), 1):
        for j, text in enumerate(row, 1):
            page.locator(f'[id="w[1][{n},{j}]"]').fill(text)
    page.locator('[id="b[1][3]"]').fill("0")
    page.locator('[id="w[2][1,3]"]').fill("0.4")
    page.get_by_role("button", name="Check").click()
    cell = page.locator('[id="w[1][3,1]"]')
    assert cell.get_attribute("aria-invalid") == "true"
    assert cell.input_value() == "x"
    assert page.locator('[id="w[1][1,1]"]').input_value() == "1/2"
    expect(page.locator('[id="problem-w[1][3,1]"]')).to_be_visible()
    cell.fill("0.9")
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#live .sound")).to_contain_text("2-3-1")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Made without script")
    page.get_by_role("link", name="Start with step 1").click()
    wait_for_step(page, 1)


def test_layers_and_samples_come_and_go_without_script(page_without_script: Page) -> None:
    page = page_without_script
    page.goto("/build")
    page.get_by_role("button", name="Add a hidden layer").click()
    expect(page.locator('[id="units[3]"]')).to_be_visible()
    page.get_by_role("button", name="Remove layer 2").click()
    expect(page.locator('[id="units[3]"]')).to_have_count(0)
    page.get_by_role("button", name="Add a sample").click()
    expect(page.locator('[id="x[1]@2"]')).to_be_visible()
    page.get_by_role("button", name="Remove sample 2").click()
    expect(page.locator('[id="x[1]@2"]')).to_have_count(0)


# ---- everybody ----


@pytest.mark.parametrize("width", WIDTHS)
def test_the_form_has_no_barrier_and_fits(looking: Looking, axe: Axe, width: int) -> None:
    page = looking("light", width)
    found = [
        line
        for address in ("/build", f"/build?from={DECK}", "/build?from=linear-sigmoid")
        for line in problems(page, axe, address, dark=True)
    ]
    found += in_trouble(page, axe)
    assert found == []


def in_trouble(page: Page, axe: Axe) -> Iterator[str]:
    """The same for a form with problems, by Check and by the preview."""
    page.goto("/build")
    page.locator('[id="w[1][1,2]"]').fill("two")
    page.locator("#learning_rate").fill("")
    page.locator("#inputs").fill("none")
    expect(page.locator('[id="problem-w[1][1,2]"]')).to_be_visible(timeout=LIVE)
    yield from report(page, axe, "while one types")
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#problems")).to_be_visible()
    yield from report(page, axe, "after Check")


def report(page: Page, axe: Axe, when: str) -> Iterator[str]:
    found: Any = axe(page, dark=True)
    yield from (f"{when}: {line}" for line in found.violations)
    if (wide := page.evaluate(TOO_WIDE)) > 0:
        yield f"{when}: {wide} pixels too wide"


ALWAYS = ["shuffle", "iterations", "loss_below", "change_below"]
"""Fields of how a network learns, whatever it learns with."""


@pytest.mark.parametrize("script", [True, False])
def test_the_numbers_of_an_optimizer_are_there_with_it(
    new_context: Callable[..., BrowserContext], script: bool
) -> None:
    page = new_context(java_script_enabled=script).new_page()
    page.goto("/build")
    seen = page.locator(".learning input:visible")
    names = f"fields => fields.map(field => field.name).filter(name => !{ALWAYS}.includes(name))"
    assert seen.evaluate_all(names) == ["learning_rate"]
    page.get_by_label("Optimizer").select_option("Adam")
    page.get_by_label("Penalty on large weights").select_option("half of the squares")
    assert seen.evaluate_all(names) == ["learning_rate", "beta1", "beta2", "epsilon", "l2"]
    page.get_by_label("Beta 1").fill("0.8")
    page.get_by_label("Optimizer").select_option("gradient descent")
    # what was typed stays in sight, with the reason why it cannot stay
    assert seen.evaluate_all(names) == ["learning_rate", "beta1", "l2"]
    page.get_by_role("button", name="Check", exact=True).first.click()
    beside_ = page.locator("#problem-beta1")
    expect(beside_).to_have_text("belongs to adam or adamw, but the optimizer here is sgd")
    expect(page.locator("#problem-l2")).to_have_text("is empty; enter a number, such as 0.5")
