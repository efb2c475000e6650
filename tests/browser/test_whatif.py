"""What if: a number is changed where it stands, every step follows, and the address says it all. By
mouse, by keys, without a script.
"""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.reading import wait_for_step
from tutor import number
from tutor.engine.quantity import parse
from tutor.lesson import changes
from tutor.lesson.walk import Lesson, open_lesson
from tutor.scenario.reader import load

ONE = "1-2-3-1-sigmoid"
LESSON = f"/lessons/{ONE}/steps"
OPEN_CONTRAST = re.compile(r"^color-contrast: ")
Axe = Callable[[Page], Any]


def with_changes(query: dict[str, str]) -> Lesson:
    """The lesson with changes, from the engine."""
    own = load(f"scenarios/{ONE}.yaml")
    found, notices = changes.read(query, own)
    assert notices == ()
    return open_lesson(changes.apply(own, found))


def result(page: Page) -> str:
    """The number that the step makes."""
    text = page.locator(".line.result math").first.text_content() or ""
    return text.lstrip("=≈")


def expected(of: Lesson, n: int) -> str:
    return number.shown(of.trace.value(of.walk("number").anchor(n)), 4)


def click_number(page: Page, name: str) -> None:
    """A click on a given number in the diagram."""
    page.locator(f'#step svg.net text[data-q="{name}"]').click()


def editor(page: Page) -> Any:
    return page.get_by_role("form", name="Change", exact=False).and_(page.locator("#editor"))


def test_a_weight_changed_in_the_middle_of_a_walk_changes_this_step_and_a_later_one(
    page: Page,
) -> None:
    changed = with_changes({"w[2][2,1]": "-0.3"})
    page.goto(f"{LESSON}/7")
    before = result(page)
    click_number(page, "w[2][2,1]")
    field = editor(page).get_by_label("w[2][2,1]")
    expect(field).to_be_focused()
    expect(field).to_have_value("0.3")
    assert (
        page.evaluate(
            "() => { const e = document.activeElement; return e.value.slice(e.selectionStart, e.selectionEnd); }"
        )
        == "0.3"
    )
    page.keyboard.type("-0.3")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(re.escape(f"{LESSON}/7?w[2][2,1]=-0.3") + "$"))
    expect(page.locator(".line.result math").first).to_have_text(
        re.compile(re.escape(expected(changed, 7)))
    )
    assert result(page) != before
    expect(page.get_by_text(f"With the lesson’s own numbers this was {before}")).to_be_visible()
    assert (
        page.evaluate("() => document.activeElement.closest('[data-q]')?.dataset.q") == "w[2][2,1]"
    )
    for n in (8, 9):
        page.keyboard.press("ArrowRight")
        wait_for_step(page, n)
    page.goto(page.url.replace("/9?", "/40?"))
    assert result(page) == expected(changed, 40)
    assert result(page) != expected(with_changes({}), 40)


def test_after_a_change_in_the_diagram_the_arrow_keys_go_on(page: Page) -> None:
    page.goto(f"{LESSON}/20")
    click_number(page, "x[1]")
    page.keyboard.type("4")
    page.keyboard.press("Enter")
    expect(page.locator("section.changed")).to_be_visible()
    page.keyboard.press("ArrowRight")
    wait_for_step(page, 21)
    assert page.url.endswith("/21?x[1]=4")


def test_after_a_change_in_a_formula_the_keys_go_on_in_it(page: Page) -> None:
    page.goto(f"{LESSON}/7")
    formula = page.get_by_role("group", name="Formula")
    formula.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.keyboard.type("0.77")
    page.keyboard.press("Enter")
    expect(page.locator("section.changed")).to_be_visible()
    focused = "() => document.activeElement.dataset.q"
    assert page.evaluate(focused) == "b[2][2]"
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused) == "w[2][2,1]"
    page.keyboard.press("Escape")
    expect(formula).to_be_focused()


def test_a_number_is_changed_once_however_often_enter_is_pressed(page: Page) -> None:
    page.goto(f"{LESSON}/7")
    before = page.evaluate("() => history.length")
    click_number(page, "w[2][2,1]")
    page.keyboard.type("0.9")
    for _ in range(3):
        page.keyboard.press("Enter")
    expect(page.locator("#said")).to_contain_text("1 change.")
    page.wait_for_load_state("networkidle")
    assert page.evaluate("() => history.length") == before + 1
    page.wait_for_function(
        "() => document.activeElement.closest('[data-q]')?.dataset.q === 'w[2][2,1]'"
    )


def test_before_the_editor_one_comes_back_to_the_number_and_behind_it_to_its_answer(
    page: Page,
) -> None:
    page.goto(f"{LESSON}/33")
    page.get_by_role("checkbox", name="Whole tables").check()
    button = page.locator("#step .picture table button.given:visible").first
    button.click()
    expect(page.locator("#editor input")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.locator("#editor")).to_have_count(0)
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#ask #asked")).to_be_visible()
    for _ in range(3):
        page.keyboard.press("Tab")
    expect(page.locator("#editor")).to_be_visible()
    assert page.evaluate("() => document.activeElement.closest('#ask .answers') !== null")


def test_the_editor_shows_the_number_as_the_lesson_writes_it(page: Page) -> None:
    page.goto("/lessons/3-2-3-softmax/steps/1?w[1][1,2]=1/3")
    click_number(page, "w[1][1,2]")
    expect(page.locator("#editor label")).to_have_text("v21 w[1][1,2]")
    field = editor(page).get_by_label("w[1][1,2]")
    assert field.evaluate("e => e.scrollWidth <= e.clientWidth")


def test_a_finger_beside_a_small_number_of_the_diagram_means_that_number(page: Page) -> None:
    page.goto("/lessons/3-2-3-softmax/steps/7")
    small = page.locator('#step svg.net text[data-q="y[2]"]')
    small.evaluate("e => e.scrollIntoView({ block: 'center' })")
    box = small.bounding_box()
    assert box
    page.mouse.click(box["x"] - 4, box["y"] + box["height"] / 2)
    expect(editor(page).get_by_label("y[2]")).to_be_focused()
    page.keyboard.press("Escape")
    page.locator('#step svg.net text[data-q="a[1][1]"]').click()
    expect(page.locator("#editor")).to_have_count(0)


def test_a_sample_of_a_batch_is_changed_by_its_number_in_the_data_set(page: Page) -> None:
    own = load("scenarios/training/stochastic-descent.yaml")
    batch = open_lesson(own, 8).batch
    assert batch is not None
    name = f"x[1]@{batch.samples[0]}"
    page.goto("/lessons/stochastic-descent/steps/1?iteration=8")
    click_number(page, "x[1]")
    field = editor(page).get_by_label(name)
    expect(field).to_have_value(f"{own.inputs[batch.samples[0] - 1][0]:g}")
    field.fill("0.75")
    field.press("Enter")
    page.wait_for_url(lambda address: f"{name}=0.75" in unquote(address))
    expect(page.locator('#step svg.net text[data-q="x[1]"]')).to_contain_text("0.75")
    page.goto(f"/lessons/stochastic-descent/steps/1?iteration=7&{name}=0.75")
    expect(page.locator('#step svg.net text[data-q="x[1]"]')).not_to_contain_text("0.75")


def test_every_part_of_the_page_follows(page: Page) -> None:
    page.goto(f"{LESSON}/7")
    click_number(page, "w[2][2,1]")
    page.keyboard.type("1/4")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="What was changed")).to_contain_text("was 0.3 → 0.25")
    for link in page.locator("#outline a, #next, #back, .phases a, .grains a").all():
        assert "w[2][2,1]=0.25" in unquote(link.get_attribute("href") or "")
    assert page.locator("#what-if").get_attribute("action") == f"{LESSON}/7/change?w[2][2,1]=0.25"
    assert page.locator('[id="if-w[2][2,1]"]').input_value() == "0.25"
    assert page.locator('.settings input[name="w[2][2,1]"]').get_attribute("value") == "0.25"
    expect(page.locator("#said")).to_contain_text("1 change. Step 7 of 79")
    page.get_by_role("link", name="Next →").click()
    wait_for_step(page, 8)
    assert page.locator("#what-if").get_attribute("action") == f"{LESSON}/8/change?w[2][2,1]=0.25"
    assert "step=8" in (page.locator("#share").get_attribute("href") or "")


def test_by_keyboard_alone(page: Page) -> None:
    page.goto(f"{LESSON}/33")
    page.get_by_role("checkbox", name="Whole tables").check()
    given = page.locator("#step .picture table button.given")
    first = given.first
    stops = page.evaluate("""() => [...document.querySelectorAll('#step .picture table')]
        .map(table => table.querySelectorAll('button.given[tabindex="0"]').length)""")
    assert set(stops) <= {0, 1}
    assert re.fullmatch(
        r"(weight|bias) w( \d)+ of layer \d, [−\d.]+, change",
        first.get_attribute("aria-label") or "",
    )
    first.focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate(
        "() => document.activeElement.matches('button.given') && document.activeElement.tabIndex === 0"
    )
    assert page.url.endswith("/33")
    name = page.evaluate("() => document.activeElement.closest('td').dataset.q")
    page.keyboard.press("Enter")
    expect(editor(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#editor")).to_have_count(0)
    assert page.evaluate("() => document.activeElement.closest('td').dataset.q") == name
    page.keyboard.press("Enter")
    page.keyboard.type("0,5")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(re.escape(f"{name}=0.5") + "$"))
    expect(page.locator("#editor")).to_have_count(0)
    assert page.evaluate("() => document.activeElement.closest('td')?.dataset.q") == name
    assert result(page) == expected(with_changes({name: "0.5"}), 33)
    page.get_by_role("link", name="Next →").focus()
    page.keyboard.press("ArrowRight")
    wait_for_step(page, 34)


@pytest.mark.parametrize(
    ("typed", "value"), [("1/3", "0.3333333333333333"), ("1e-3", "0.001"), ("0,5", "0.5")]
)
def test_numbers_are_read_as_people_write_them(page: Page, typed: str, value: str) -> None:
    page.goto(f"{LESSON}/7")
    click_number(page, "x[1]")
    page.keyboard.type(typed)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(re.escape(f"x[1]={value}") + "$"))


def test_what_cannot_be_read_stays_in_the_field_with_the_reason(page: Page) -> None:
    page.goto(f"{LESSON}/7")
    click_number(page, "x[1]")
    page.keyboard.type("abc")
    page.keyboard.press("Enter")
    field = editor(page).get_by_label("x[1]")
    expect(page.get_by_role("alert")).to_contain_text("is not a number")
    expect(field).to_have_value("abc")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    assert page.url.endswith(f"{LESSON}/7")
    page.keyboard.press("Control+a")
    page.keyboard.type("7")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"x\[1\]=7$"))


def test_a_click_elsewhere_and_escape_leave_everything_as_it_was(page: Page) -> None:
    page.goto(f"{LESSON}/7")

    def press(key: str) -> Callable[[], None]:
        return lambda: page.keyboard.press(key)

    for leave in (
        press("Escape"),
        lambda: page.locator("header.site").click(position={"x": 600, "y": 5}),
        press("Enter"),
    ):
        click_number(page, "x[1]")
        expect(page.locator("#editor")).to_be_visible()
        leave()
        expect(page.locator("#editor")).to_have_count(0)
    assert page.url.endswith(f"{LESSON}/7")
    assert page.locator("section.changed").count() == 0


def test_one_change_is_taken_back_and_all(page: Page) -> None:
    page.goto(f"{LESSON}/30?x[1]=3&w[2][2,1]=0.5&learning_rate=1")
    box = page.get_by_role("region", name="What was changed")
    box.get_by_role("link", name="Reset w 1 2 of layer 2").click()
    expect(page).to_have_url(re.compile(re.escape(f"{LESSON}/30?x[1]=3&learning_rate=1") + "$"))
    expect(box.get_by_role("listitem")).to_have_count(2)
    assert result(page) == expected(with_changes({"x[1]": "3", "learning_rate": "1"}), 30)
    box.get_by_role("link", name="Reset all").click()
    expect(page).to_have_url(re.compile(f"{LESSON}/30$"))
    expect(box).to_have_count(0)
    assert result(page) == expected(with_changes({}), 30)
    expect(page.locator("#said")).to_contain_text("Nothing is changed any more")
    assert page.locator('[id="if-x[1]"]').input_value() == "2"


def test_back_gives_the_state_before(page: Page) -> None:
    page.goto(f"{LESSON}/7")
    before = result(page)
    click_number(page, "w[2][2,1]")
    page.keyboard.type("5")
    page.keyboard.press("Enter")
    expect(page.locator("section.changed")).to_be_visible()
    after = result(page)
    page.evaluate("() => history.back()")
    expect(page.locator("section.changed")).to_have_count(0)
    assert page.url.endswith(f"{LESSON}/7")
    assert result(page) == before
    assert page.locator("#what-if").get_attribute("action") == f"{LESSON}/7/change"
    assert page.locator('[id="if-w[2][2,1]"]').input_value() == "0.3"
    assert "w[2]" not in (page.locator("#next").get_attribute("href") or "")
    page.evaluate("() => history.forward()")
    expect(page.locator("section.changed")).to_be_visible()
    assert result(page) == after


def test_the_address_shows_anyone_the_same(
    page: Page, new_context: Callable[..., BrowserContext]
) -> None:
    page.goto(f"{LESSON}/7")
    click_number(page, "x[1]")
    page.keyboard.type("-1.5")
    page.keyboard.press("Enter")
    expect(page.locator("section.changed")).to_be_visible()
    other = new_context().new_page()
    other.goto(page.url)
    assert other.locator("#walk").text_content() == page.locator("#walk").text_content()


def test_the_learning_rate_is_changed_at_its_own_step(page: Page) -> None:
    of = with_changes({"learning_rate": "0.5"})
    n = of.walk("number").step_of(parse("w+[3][1,1]"))
    page.goto(f"{LESSON}/{n}")
    page.locator('#step math [data-q="eta"]').first.click()
    editor(page).get_by_label("learning rate").fill("0.5")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("learning_rate=0.5$"))
    assert result(page) == expected(of, n)


def test_a_click_on_an_activation_or_the_loss_leads_to_its_list(page: Page) -> None:
    page.goto(f"{LESSON}/7")
    page.locator("#step svg.net text", has_text="layer 2").click()
    chosen = page.get_by_label("Activation of layer 2")
    expect(chosen).to_be_focused()
    chosen.select_option("tanh")
    page.get_by_role("button", name="Change", exact=True).click()
    expect(page).to_have_url(re.compile(re.escape("activation[2]=tanh") + "$"))
    assert page.locator("section.changed").text_content() is not None
    expect(page.locator("section.changed")).to_contain_text(
        "activation of layer 2 was sigmoid → tanh"
    )


def test_targets_that_must_sum_to_one_are_changed_together(page: Page) -> None:
    page.goto("/lessons/3-2-3-softmax/steps/1")
    click_number(page, "y[1]")
    inputs = editor(page).get_by_role("textbox")
    assert inputs.count() == 3
    for field, text in zip(inputs.all(), ("0.5", "0.25", "0.25"), strict=True):
        field.fill(text)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(re.escape("y[1]=0.5&y[2]=0.25&y[3]=0.25") + "$"))


def test_the_form_below_the_step_keeps_what_was_typed(page: Page) -> None:
    page.goto(f"{LESSON}/7")
    page.get_by_text("What if… change a number").click()
    page.get_by_label("bias w 0 1 of layer 1", exact=True).fill("0,7")
    page.get_by_label("weight w 1 1 of layer 1", exact=True).fill("no")
    page.keyboard.press("Enter")
    wrong = page.get_by_label("weight w 1 1 of layer 1", exact=True)
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(wrong).to_be_focused()
    expect(wrong).to_have_value("no")
    expect(page.get_by_label("bias w 0 1 of layer 1", exact=True)).to_have_value("0,7")
    assert page.url.endswith(f"{LESSON}/7")
    wrong.fill("1e-3")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(re.escape("?w[1][1,1]=0.001&b[1][1]=0.7") + "$"))
    expect(page.locator("#what-if .problem")).to_have_count(0)


def test_without_a_script(page_without_script: Page) -> None:
    page = page_without_script
    page.goto(f"{LESSON}/40")
    page.get_by_text("What if… change a number").click()
    page.get_by_label("weight w 1 2 of layer 2", exact=True).fill("abc")
    page.get_by_label("input x 1", exact=True).fill("1/3")
    page.get_by_label("Loss", exact=True).select_option("squared_error")
    page.get_by_role("button", name="Change", exact=True).click()
    assert page.url.endswith(f"{LESSON}/40/change")
    expect(page.get_by_label("weight w 1 2 of layer 2", exact=True)).to_have_value("abc")
    expect(page.get_by_label("input x 1", exact=True)).to_have_value("1/3")
    expect(page.get_by_label("Loss", exact=True)).to_have_value("squared_error")
    expect(page.locator("#what-if .problem")).to_contain_text("is not a number")
    page.get_by_label("weight w 1 2 of layer 2", exact=True).fill("-0.3")
    page.get_by_role("button", name="Change", exact=True).click()
    assert page.url.endswith(
        f"{LESSON}/40?x[1]=0.3333333333333333&w[2][2,1]=-0.3&loss=squared_error"
    )
    assert result(page) == expected(
        with_changes({"x[1]": "1/3", "w[2][2,1]": "-0.3", "loss": "squared_error"}), 40
    )
    page.get_by_role("link", name="Next →").click()
    assert page.url.endswith("loss=squared_error")
    page.get_by_role("link", name="Reset loss").click()
    assert page.url.endswith(f"{LESSON}/41?x[1]=0.3333333333333333&w[2][2,1]=-0.3")
    page.get_by_role("link", name="Reset all").click()
    assert page.url.endswith(f"{LESSON}/41")
    assert page.locator("button.given").count() == 0


def test_the_links_beside_the_form_take_the_changes_along(page_without_script: Page) -> None:
    page = page_without_script
    page.goto(f"{LESSON}/40?x[1]=3")
    for name in ("Export this lesson", "Share this step", "Edit a copy"):
        assert "x[1]=3" in unquote(page.get_by_role("link", name=name).get_attribute("href") or "")
    page.get_by_text("What if… change a number").click()
    own = page.get_by_role("link", name="Make this a lesson of its own").get_attribute("href") or ""
    assert unquote(own).endswith(f"from={ONE}&x[1]=3")


def test_a_change_does_not_move_the_page_to_another_place(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 500})
    page.goto(f"{LESSON}/33?x[1]=3")
    page.get_by_role("checkbox", name="Whole tables").check()
    button = page.locator("#step .picture table button.given").last
    button.scroll_into_view_if_needed()
    before = page.evaluate("() => scrollY")
    assert before > 50
    button.click()
    page.keyboard.type("0.9")
    page.keyboard.press("Enter")
    expect(page.locator("section.changed li")).to_have_count(2)
    assert abs(page.evaluate("() => scrollY") - before) < 60


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 320)])
def test_the_opened_editor_and_the_form_have_no_barrier(
    new_context: Callable[..., BrowserContext], axe: Axe, scheme: str, width: int
) -> None:
    page = new_context(color_scheme=scheme, viewport={"width": width, "height": 3000}).new_page()
    page.goto(f"{LESSON}/33?x[1]=3&w[2][2,1]=0.5&activation[1]=leaky_relu")
    page.get_by_text("What if… change a number").click()
    page.get_by_label("weight w 1 1 of layer 1", exact=True).fill("no")
    page.get_by_role("button", name="Change", exact=True).click()
    expect(page.locator("#what-if .problem")).to_be_visible()
    assert axe(page).violations == []
    page.keyboard.press("Escape")  # folds the form up, which lies on the step
    page.locator("#step .picture table button.given:visible").first.click()
    page.keyboard.type("no")
    page.keyboard.press("Enter")
    expect(page.locator("#edit-problem")).to_be_visible()
    found = axe(page)
    assert found.violations == []
    assert [line for line in found.incomplete if not OPEN_CONTRAST.match(line)] == []
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
    small = page.evaluate("""() => [...document.querySelectorAll('#walk :is(button, input, select), #editor :is(button, input), a.reset')]
        .filter(e => e.checkVisibility()).map(e => [e.outerHTML.slice(0, 60), e.getBoundingClientRect()])
        .filter(([, box]) => box.width < 24 || box.height < 24).map(([text]) => text)""")
    assert small == []


def test_a_number_of_the_optimizer_is_changed_where_the_formula_has_it(page: Page) -> None:
    start = {"optimizer": "momentum"}
    q = parse("m.w[3][1,1]")
    n = with_changes(start).walk("number").step_of(q)
    page.goto(f"{LESSON}/{n}?optimizer=momentum")
    page.locator('#step .formula [data-q="mu"]').first.click()
    field = editor(page).get_by_label("momentum")
    expect(field).to_have_value("0.9")
    field.fill("1")
    page.keyboard.press("Enter")
    expect(page.locator("#edit-problem")).to_have_text(
        "expected a number of at least 0 and below 1, got 1."
    )
    field.fill("0.5")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"\?optimizer=momentum&momentum=0\.5$"))
    expect(page.locator('#step .formula [data-q="mu"]').first).to_have_text("0.5")
