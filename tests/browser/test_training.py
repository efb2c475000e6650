"""A training in the browser: train, scrub, open an iteration, stop a long run, explode one; and once
without JavaScript.
"""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.reading import shown

LESSON = "/lessons/linear-regression/training"
MANY = "/lessons/1-2-3-1-sigmoid/training?iterations=10000&other=0.05"


WINDOWS = {"laptop": (1366, 657), "phone": (390, 844)}


def run(page: Page) -> str:
    return str(page.locator("#run").text_content())


def chart_box(page: Page) -> tuple[float, float]:
    """Where the first chart begins and ends in the window."""
    box = "document.querySelector('#run section.plot > svg.chart').getBoundingClientRect()"
    top, bottom = page.evaluate(f"() => [{box}.top, {box}.bottom]")
    return top, bottom


@pytest.mark.parametrize("lesson", ["xor", "circle-averaged", "adam-by-hand", "linear-regression"])
@pytest.mark.parametrize("window", WINDOWS)
def test_the_loss_is_in_sight_when_a_training_opens_and_after_a_click(
    page: Page, lesson: str, window: str
) -> None:
    width, height = WINDOWS[window]
    page.set_viewport_size({"width": width, "height": height})
    page.goto(f"/lessons/{lesson}/training")
    for _ in range(2):
        top, bottom = chart_box(page)
        assert top > 0
        assert (bottom if window == "laptop" else top + 100) <= height
        page.get_by_label("Iterations", exact=True).fill("60")
        page.get_by_role("button", name="Train").click()
        expect(page).to_have_url(re.compile("iterations=60"))


@pytest.mark.parametrize("window", WINDOWS)
def test_the_loss_is_in_sight_after_another_batch_is_chosen(
    page_without_script: Page, window: str
) -> None:
    page = page_without_script
    width, height = WINDOWS[window]
    page.set_viewport_size({"width": width, "height": height})
    page.goto("/lessons/xor/training")
    summary = page.locator("summary", has_text="Compare rate, batch or optimizer")
    summary.focus()
    page.keyboard.press("Enter")
    page.get_by_label("Compare with batch").fill("2")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Compare with batch")).to_have_value("2")
    expect(page.get_by_label("Compare with batch")).to_be_visible()
    top, _ = chart_box(page)
    assert 0 < top < height - 50


def test_a_lesson_is_trained_scrubbed_and_opened_at_an_iteration(page: Page) -> None:
    page.goto("/lessons/linear-regression")
    page.get_by_role("link", name="Train the network").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Training")
    page.get_by_role("navigation", name="How many iterations").get_by_role(
        "link", name="10", exact=True
    ).click()
    expect(page.locator("#run")).to_contain_text("After 10 iterations")
    range_ = page.get_by_role("slider", name="Iterations done")
    before = page.locator("#pictures svg.plane").first.get_attribute("aria-label")
    range_.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#moment-text")).to_contain_text("After iteration 8")
    expect(page).to_have_url(re.compile(r"at=8"))
    assert page.locator("#pictures svg.plane").first.get_attribute("aria-label") != before
    expect(range_).to_be_focused()
    page.locator("svg.chart").first.get_by_role(
        "link", name=re.compile("Open iteration 5:")
    ).click()
    expect(page).to_have_url(re.compile(r"/steps/1\?iteration=5$"))
    assert shown(page).n == 1


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without"])
def test_the_circle_is_trained_its_boundary_scrubbed_and_iteration_500_opened(
    request: pytest.FixtureRequest, script: bool
) -> None:
    page: Page = request.getfixturevalue("page" if script else "page_without_script")
    page.goto("/lessons/circle-averaged")
    page.get_by_role("link", name="Train the network").click()
    page.get_by_role("link", name="1,000 (to the end)").click()
    while not script and page.get_by_role("link", name="Go on").count():
        page.get_by_role("link", name="Go on").click()
    expect(page.locator("#run")).to_contain_text("After 1,000 iterations", timeout=60_000)
    boundary = page.get_by_role("region", name="Decision boundary")
    expect(boundary.get_by_role("img")).to_have_accessible_name(
        "The decision boundary after 1,000 iterations"
    )
    expect(boundary).to_contain_text("All samples right.")
    page.get_by_role("navigation", name="Other iterations").get_by_role(
        "link", name="Before training"
    ).click()
    expect(boundary.get_by_role("img")).to_have_accessible_name(
        "The decision boundary before training"
    )
    expect(boundary).to_contain_text(re.compile(r"\d+ of 200 samples right\."))
    page.get_by_label("Iterations done").fill("500")
    if not script:
        page.get_by_role("button", name="Show").click()
    expect(boundary.get_by_role("img")).to_have_accessible_name(
        "The decision boundary after iteration 500"
    )
    page.locator("#moment-text").get_by_role("link", name="Open iteration 500").click()
    expect(page).to_have_url(re.compile(r"/lessons/circle-averaged/steps/1\?iteration=500$"))
    assert shown(page).n == 1


def test_the_table_of_layers_follows_the_moment(page: Page) -> None:
    page.goto("/lessons/init-he/training?iterations=20")
    table = page.get_by_role("table", name="Sizes over all samples")
    first = table.get_by_role("row", name=re.compile("^Hidden layer 1 "))
    after = first.text_content()
    page.get_by_role("slider", name="Iterations done").fill("0")
    expect(page.locator("#moment-text")).to_contain_text("Before training")
    expect(first).to_contain_text("0.3879")
    assert after != first.text_content()


def test_a_chart_is_walked_by_the_tab_key(page: Page) -> None:
    page.goto(f"{LESSON}?iterations=10")
    loss = page.locator("svg.chart").filter(has=page.locator("a")).first
    loss.get_by_role("link").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(loss.get_by_role("link", name=re.compile("Open iteration 3:"))).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"iteration=3$"))


def test_the_slider_of_the_learning_rate_converges_and_explodes(page: Page) -> None:
    page.goto(f"{LESSON}?iterations=100")
    slider = page.get_by_role("slider", name="Another learning rate")
    slider.fill("40")
    expect(page.locator("#run")).to_contain_text("With learning rate 0.04")
    expect(page.locator("path.line-2").first).to_be_attached()
    slider.fill("95")
    expect(page.locator("#run")).to_contain_text("training explodes")
    expect(page).to_have_url(re.compile(r"other=6\.3"))
    page.get_by_role("link", name=re.compile(r"^Open iteration \d+ at the step")).click()
    expect(page.locator("#step")).to_contain_text("The walk ends here")


def test_a_long_run_shows_its_progress_and_can_be_stopped(page: Page) -> None:
    page.route("**/training/progress*", lambda route: None)  # the next piece is on its way
    page.goto(MANY)
    bar = page.get_by_role("progressbar", name="Iterations")
    expect(bar).to_be_visible()
    expect(page.locator("#run")).to_contain_text("of 10,000 iterations, loss so far")
    expect(page.locator("path.line-1").first).to_be_attached()
    page.get_by_role("link", name="Stop here").click()
    expect(page.locator("#run")).to_contain_text(
        re.compile(r"You stopped the run after [\d,]+ of 10,000 iterations\.")
    )
    expect(bar).to_have_count(0)


def test_a_long_run_goes_on_by_itself_to_its_end(page: Page) -> None:
    page.goto(f"{MANY}&at=10")
    expect(page.locator("#run")).to_contain_text("With learning rate 0.05", timeout=60_000)
    expect(page.get_by_role("progressbar")).to_have_count(0)
    expect(page.locator("#said")).to_contain_text("With learning rate 0.1 ")


def test_all_of_it_works_without_a_script(page_without_script: Page) -> None:
    page = page_without_script
    page.goto("/lessons/linear-regression/training")
    page.get_by_label("Iterations", exact=True).fill("12")
    page.locator("summary", has_text="Compare rate").click()
    page.get_by_label("Compare with learning rate").fill("5")
    page.get_by_role("button", name="Train").click()
    expect(page).to_have_url(re.compile(r"iterations=12.*other=5"))
    assert "With learning rate 5" in run(page)
    page.get_by_role("navigation", name="Other iterations").get_by_role(
        "link", name="Before training"
    ).click()
    expect(page.locator("#moment-text")).to_contain_text("Before training")
    page.get_by_label("Iterations done").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#moment-text")).to_contain_text("After iteration 1")
    page.locator("summary", has_text="The numbers of these charts").click()
    page.get_by_role("row", name=re.compile("^5 ")).get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"iteration=5$"))
    assert shown(page).n == 1


def test_a_run_is_stopped_and_one_explodes_without_a_script(page_without_script: Page) -> None:
    page = page_without_script
    page.goto(MANY.replace("0.05", "0.06"))  # no other test has run it to its end
    page.get_by_role("link", name="Stop here").click()
    assert re.search(r"You stopped the run after [\d,]+ of 10,000 iterations\.", run(page))
    page.goto(f"{LESSON}?iterations=100")
    page.locator("summary", has_text="Compare rate").click()
    page.get_by_label("Compare with learning rate").fill("5")
    page.get_by_role("button", name="Train").click()
    assert "With learning rate 5 training explodes" in run(page)
    page.get_by_role("link", name="Open iteration 84 at the step where it stops").click()
    expect(page.locator("#step")).to_contain_text("The walk ends here")


def test_runs_are_compared_without_a_script(page_without_script: Page) -> None:
    page = page_without_script
    page.goto("/lessons/batch-descent/training?iterations=12")
    page.get_by_role("slider", name="Another learning rate").focus()
    page.keyboard.press("Home")
    page.get_by_role("button", name="Compare").click()
    assert "With learning rate 0.005 training crawls" in run(page)
    page.locator("summary", has_text="Compare rate").click()
    page.get_by_role("navigation", name="Another size of the batches").get_by_role(
        "link", name="online"
    ).click()
    assert "With learning rate 0.005, single samples (online) (72 iterations, 12 ep" in run(page)
    page.get_by_label("Compare with batch").fill("4")
    page.get_by_label("Compare with optimizer").select_option("momentum")
    page.get_by_role("button", name="Train").click()
    expect(page).to_have_url(re.compile(r"other_batch=4&other_optimizer=momentum"))
    assert "learning rate 0.005, mini-batches of 4, momentum (24 iterations" in run(page)


def test_a_long_run_without_a_script_goes_on_with_a_link(page_without_script: Page) -> None:
    page = page_without_script
    page.goto(f"{MANY}&loss_below=1e-300")
    for _ in range(60):
        if not page.get_by_role("link", name="Go on").count():
            break
        page.get_by_role("link", name="Go on").click()
    assert "The goal is not reached within 10,000 iterations." in run(page)


def test_nonsense_is_answered_beside_its_field(page: Page) -> None:
    page.goto(LESSON)
    page.get_by_label("Iterations", exact=True).fill("ten million")
    page.get_by_role("button", name="Train").click()
    field = page.get_by_label("Iterations", exact=True)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile("whole number from 1 to 10,000"))
    expect(field).to_have_value("ten million")
