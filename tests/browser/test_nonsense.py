"""Addresses that make no sense: the right status, our page in the reader's words, and a way back
that works.
"""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.reading import shown, wait_for_step


@pytest.mark.parametrize(
    ("address", "says", "way_back"),
    [
        ("/lessons/1-2-3-1-sigmoid/steps/999", "steps 1 to 79", "Back to the lesson"),
        ("/lessons/1-2-3-1-sigmoid/steps/0", "steps 1 to 79", "Back to the lesson"),
        ("/lessons/1-2-3-1-sigmoid/steps/abc", "no step “abc”", "Back to the lesson"),
        ("/lessons/1-2-3-1-sigmoid/steps/-1", "steps 1 to 79", "Back to the lesson"),
        ("/lessons/1-2-3-1-sigmoid/steps/٣", "steps 1 to 79", "Back to the lesson"),
        ("/lessons/1-2-3-1-sigmoid/steps/7?grain=pass", "steps 1 to 5", "Back to the lesson"),
        ("/lessons/perceptron-step/slides", "", "Back to the lesson"),
        ("/lessons/nope", "no lesson called “nope”", "All lectures and lessons"),
        ("/lessons/<b>nope/steps/1", "“<b>nope", "All lectures and lessons"),
        ("/no/such/page", "No page has this address", "All lectures and lessons"),
    ],
)
def test_an_address_without_a_page_gets_ours_with_a_way_back(
    page: Page, address: str, says: str, way_back: str
) -> None:
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing here")
    expect(page.get_by_role("main")).to_contain_text(says)
    page.get_by_role("link", name=way_back).click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text("There is nothing here")


def test_nonsense_in_the_query_is_ignored_with_a_word_that_one_sees(page: Page) -> None:
    answer = page.goto("/lessons/1-2-3-1-sigmoid/steps/7?grain=zzz&decimals=99&colour=red")
    assert answer is not None
    assert answer.status == 200
    for word in ("grain “zzz”", "decimals “99”", "colour"):
        expect(page.get_by_role("main")).to_contain_text(word)
    assert shown(page).results == ("≈0.3921",)
    page.keyboard.press("ArrowRight")
    wait_for_step(page, 8)
    assert shown(page).address == "/lessons/1-2-3-1-sigmoid/steps/8"
    assert page.get_by_text("zzz").count() == 0


def test_an_iteration_that_cannot_be_is_answered_in_words(page: Page) -> None:
    answer = page.goto("/lessons/perceptron-step/steps/1?iteration=2")
    assert answer is not None
    assert answer.status in {200, 404}
    expect(page.get_by_role("main")).to_contain_text("iteration")


def test_a_step_that_is_gone_when_it_is_asked_for_is_shown_in_place(page: Page) -> None:
    page.goto("/lessons/1-2-3-1-sigmoid/steps/7")
    page.evaluate("""() => {
        const last = document.getElementById('last');
        last.setAttribute('hx-get', '/lessons/1-2-3-1-sigmoid/steps/1000');
        htmx.process(last, true);
    }""")
    page.keyboard.press("End")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing here")
    expect(page.get_by_role("banner")).to_have_count(1)
    page.get_by_role("link", name="Back to the lesson").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A 1-2-3-1 sigmoid network by hand")
