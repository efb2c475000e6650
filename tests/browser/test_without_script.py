"""Everything works with JavaScript off: the same steps, reached by links and a form."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.reading import shown, tab_to, wait_for_step

TEXT = "() => document.getElementById('step').textContent.replace(/\\s+/g, ' ').trim()"
PLACES = [
    *(f"1-2-3-1-sigmoid/steps/{n}" for n in (1, 7, 13, 33, 49, 79)),
    *(f"3-2-3-softmax/steps/{n}?grain=layer" for n in (1, 8, 21)),
    *(f"linear-regression/steps/{n}?grain=pass" for n in (1, 3, 5)),
    "3-2-3-softmax/steps/15?notation=left_superscripts&decimals=6",
    "perceptron-step/steps/5",
    "vanishing-gradient/steps/60?loss=squared_error",
    "linear-sigmoid/steps/20?iteration=2",
]


def content(page: Page) -> str:
    return str(page.evaluate(TEXT))


def walk_by_links(page: Page, last: int) -> None:
    """From step 1 to the last one, reading each."""
    for n in range(1, last):
        assert shown(page).contradictions(spoken=False) == []
        assert shown(page).n == n
        page.get_by_role("link", name="Next →").click()
    wait_for_step(page, last)


def test_a_lesson_is_walked_from_the_gallery_to_its_end_by_links_alone(
    page_without_script: Page,
) -> None:
    page = page_without_script
    page.goto("/")
    page.get_by_role("link", name="A 3-2-3 network with a softmax").click()
    page.get_by_role("link", name="Start with step 1").click()
    walk_by_links(page, 68)
    page.get_by_role("link", name="Next →").click(force=True)
    assert shown(page).n == 68
    page.get_by_role("link", name="Compare every number with the slides").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The slides, number by number")


def test_the_slips_of_the_slides_are_picked_by_links_alone(page_without_script: Page) -> None:
    page = page_without_script
    page.goto("/lessons/3-2-3-softmax/slides")
    page.get_by_role("link", name="Slips (3)").click()
    expect(page).to_have_url(re.compile(r"/slides\?show=slips$"))
    expect(page.get_by_role("row")).to_have_count(4)
    page.get_by_role("link", name="All (45)").click()
    expect(page.get_by_role("row")).to_have_count(46)


def test_first_back_and_last_are_links_too(page_without_script: Page) -> None:
    page = page_without_script
    page.goto("/lessons/1-2-3-1-sigmoid/steps/40?grain=number&decimals=6")
    for name, n in (("Back", 39), ("Last", 79), ("First", 1), ("Next", 2)):
        page.get_by_role("navigation", name="Steps").get_by_role(
            "link", name=re.compile(name)
        ).click()
        wait_for_step(page, n)
        assert parse_qs(urlsplit(page.url).query)["decimals"] == ["6"]


def test_a_folded_layer_of_a_phase_is_opened_without_a_script_and_lies_open_on_paper(
    page_without_script: Page,
) -> None:
    page = page_without_script
    page.goto("/lessons/vanishing-gradient/steps/3?grain=pass")
    layers = page.locator("details.layer")
    formulas = [layers.nth(n).locator(".formula").first for n in range(4)]
    assert [formula.is_visible() for formula in formulas] == [True, False, False, True]
    layers.nth(1).locator("summary").press("Enter")
    expect(formulas[1]).to_be_visible()
    page.emulate_media(media="print")
    for formula in formulas:
        assert formula.bounding_box() is not None
        assert formula.evaluate("formula => formula.checkVisibility({contentVisibilityAuto: true})")


@pytest.mark.parametrize("place", PLACES)
def test_a_step_says_the_same_with_and_without_script(
    page: Page, page_without_script: Page, place: str
) -> None:
    page_without_script.goto(f"/lessons/{place}")
    plain = content(page_without_script)
    page.goto(f"/lessons/{place}")
    assert content(page) == plain
    assert len(plain) > 200


def test_a_swapped_step_says_the_same_as_its_page(page: Page, page_without_script: Page) -> None:
    page.goto("/lessons/1-2-3-1-sigmoid/steps/12")
    for n in (13, 14, 15, 16, 17, 18):
        page.keyboard.press("ArrowRight")
        wait_for_step(page, n)
        page_without_script.goto(f"/lessons/1-2-3-1-sigmoid/steps/{n}")
        assert content(page) == content(page_without_script)


def test_the_settings_are_a_form_that_stays_at_the_step(page_without_script: Page) -> None:
    page = page_without_script
    page.goto("/lessons/3-2-3-softmax/steps/3?grain=layer")
    page.get_by_text("Notation and numbers").click()
    page.get_by_role("combobox", name="Notation").select_option("left_superscripts")
    page.get_by_role("combobox", name="Decimals").select_option("6")
    page.get_by_role("button", name="Apply").click()
    assert urlsplit(page.url).path == "/lessons/3-2-3-softmax/steps/3"
    assert parse_qs(urlsplit(page.url).query) == {
        "grain": ["layer"],
        "notation": ["left_superscripts"],
        "decimals": ["6"],
    }
    page.get_by_role("link", name="Next →").click()
    assert parse_qs(urlsplit(page.url).query)["notation"] == ["left_superscripts"]


def test_the_loss_can_be_switched_by_the_form(page_without_script: Page) -> None:
    page = page_without_script
    page.goto("/lessons/linear-regression/steps/9")
    page.get_by_text("What if… change a number").click()
    loss = page.get_by_role("combobox", name="Loss", exact=True)
    loss.select_option(
        "half_squared_error" if loss.input_value() == "squared_error" else "squared_error"
    )
    page.get_by_role("button", name="Change", exact=True).click()
    expect(page.get_by_role("region", name="What was changed")).to_contain_text(
        "loss was squared error → half squared error"
    )


def test_the_grain_is_switched_by_a_link_and_the_place_stays(page_without_script: Page) -> None:
    page = page_without_script
    page.goto("/lessons/1-2-3-1-sigmoid/steps/33")
    grains = page.get_by_role("navigation", name="How much a step shows")
    phase = page.locator(".where span").text_content()
    for name in ("Layer by layer", "Phase by phase", "Number by number"):
        grains.get_by_role("link", name=name).click()
        assert grains.get_by_role("link", name=name).get_attribute("aria-current") == "true"
        assert page.locator(".where span").text_content() == phase
        assert shown(page).contradictions(spoken=False) == []


def test_the_outline_the_phases_and_the_samples_are_links(page_without_script: Page) -> None:
    page = page_without_script
    page.goto("/lessons/linear-sigmoid/steps/1")
    page.get_by_text("Outline", exact=True).click()
    page.get_by_role("navigation", name="Outline").get_by_role("link").last.click()
    wait_for_step(page, 57)
    page.get_by_role("navigation", name="Phases").get_by_role("link", name="Forward").click()
    wait_for_step(page, 1)
    page.get_by_role("navigation", name="The same step for another sample").get_by_role(
        "link", name="3"
    ).click()
    assert shown(page).n > 1
    assert "sample 3" in shown(page).heading.lower()


def test_the_whole_chain_is_a_page_and_leads_back_to_its_step(page_without_script: Page) -> None:
    page = page_without_script
    page.goto("/lessons/1-2-3-1-sigmoid/steps/33?decimals=6")
    page.get_by_role("link", name="The whole chain").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("the whole chain")
    page.get_by_role("link", name="Back to step 33").click()
    assert page.url.endswith("/lessons/1-2-3-1-sigmoid/steps/33?decimals=6")


def test_the_activations_page_computes_for_the_readers_z(page_without_script: Page) -> None:
    page = page_without_script
    page.goto("/activations")
    page.get_by_label("z", exact=True).fill("2")
    page.get_by_role("button", name="Show").click()
    assert parse_qs(urlsplit(page.url).query)["z"] == ["2"]
    sigmoid = page.get_by_role("article", name="Sigmoid")
    expect(sigmoid).to_contain_text("0.8808")  # 1 / (1 + e^-2)
    expect(sigmoid).to_contain_text("0.1050")  # 0.8808 (1 - 0.8808)


def test_a_z_that_is_no_number_is_kept_and_explained(page_without_script: Page) -> None:
    page = page_without_script
    page.goto("/activations?z=two")
    field = page.get_by_label("z", exact=True)
    assert field.input_value() == "two"
    assert field.get_attribute("aria-invalid") == "true"


def test_what_needs_script_is_not_offered_without_it(page_without_script: Page) -> None:
    page_without_script.goto("/lessons/1-2-3-1-sigmoid/steps/5")
    assert page_without_script.get_by_role("button", name="Play").count() == 0
    page_without_script.goto("/")
    assert page_without_script.get_by_text("Continue at step").count() == 0


def test_the_keyboard_opens_a_lesson_without_script(page_without_script: Page) -> None:
    page = page_without_script
    page.goto("/lessons/1-2-3-1-sigmoid")
    tab_to(page, "Start with step 1")
    page.keyboard.press("Enter")
    wait_for_step(page, 1)
    tab_to(page, "Next →")
    page.keyboard.press("Enter")
    wait_for_step(page, 2)


def test_a_newcomer_starts_with_one_weight_and_ends_with_a_smaller_loss(
    page_without_script: Page,
) -> None:
    page = page_without_script
    page.goto("/")
    page.get_by_role("link", name="Start with one weight").click()
    walk_by_links(page, 12)
    expect(page.get_by_role("heading", level=1)).to_have_text("Did the loss fall?")
