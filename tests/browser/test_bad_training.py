"""What a student or an instructor may type wrong about a training: everything is answered at once,
beside its field, with what was found and what would be right, and stays as it was typed.
"""

import re
from collections.abc import Callable, Mapping

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Response, expect

SHARE = "at least 0 and below 1"
BUILT = {
    "learning_rate": ("-1", "above 0, got -1"),
    "iterations": ("10000000", "a whole number from 1 to 1,000, got “10000000”"),
    "loss_below": ("soon", "'soon' is not a number"),
    "change_below": ("-1", "above 0, got -1"),
    "dropout[1]": ("1", f"{SHARE}, got 1; it is the share that is dropped"),
    "made_samples": ("0", "a whole number from 1 to 1,000, got “0”"),
    "beta1": ("1", f"{SHARE}, got 1"),
    "beta2": ("-0.1", f"{SHARE}, got -0.1"),
    "clip": ("0", "above 0, got 0"),
}
CHANGED = {
    "learning_rate": ("-1", "above 0, got -1"),
    "batch": ("99", "a whole number of samples from 1 to 12; got '99'"),
    "dropout[1]": ("1", f"{SHARE}, got 1; it is the share that is dropped"),
    "beta1": ("1", f"{SHARE}, got 1"),
    "beta2": ("-1", f"{SHARE}, got -1"),
    "clip": ("0", "above 0, got 0"),
}
TRAINED = {
    "iterations": ("10000000", "“10000000” is too large; expected a whole number from 1 to 10,000"),
    "other": ("-1", "above 0, got −1"),
    "other_batch": ("99", "a whole number of samples from 1 to 4; got '99'"),
    "loss_below": ("soon", "'soon' is not a number"),
    "change_below": ("0", "above 0, got 0"),
}
FILE = """format: 1
title: All wrong
network:
  inputs: 1
  layers:
    - {units: 2, activation: relu, init: {scheme: he}, dropout: 1}
    - {units: 1, activation: sigmoid, init: {scheme: he}}
  loss: {name: binary_cross_entropy}
data:
  generator: {name: ramp, samples: 0}
training:
  learning_rate: -1
  iterations: 10000000
  optimizer: {name: adam, beta1: 1}
  clip: {norm: 0}
  stop: {loss_below: soon}
"""
LINES = {
    6: f"{SHARE}, got 1",
    10: "a whole number from 1 to 1,000, got 0",
    12: "above 0, got -1",
    13: "a whole number from 1 to 1,000, got 10000000",
    14: f"{SHARE}, got 1",
    15: "above 0, got 0",
    16: "expected a number, got the word 'soon'",
}


@pytest.fixture(params=[True, False], ids=["script", "no script"])
def either(request: pytest.FixtureRequest, new_context: Callable[..., BrowserContext]) -> Page:
    """A page with a script, and one without."""
    return new_context(java_script_enabled=request.param).new_page()


def field(page: Page, name: str) -> Locator:
    return page.locator(f'main [name="{name}"]:not([type="hidden"])').first


def typed(page: Page, texts: Mapping[str, tuple[str, str]]) -> None:
    for name, (text, _) in texts.items():
        field(page, name).fill(text)


def answered(page: Page, texts: Mapping[str, tuple[str, str]]) -> None:
    """Each field keeps its text, and says what is wrong with it."""
    for name, (text, said) in texts.items():
        expect(field(page, name)).to_have_value(text)
        expect(field(page, name)).to_have_attribute("aria-invalid", "true")
        expect(field(page, name)).to_have_accessible_description(re.compile(re.escape(said)))


def pressed(page: Page, button: Locator) -> Response:
    """The answer after a press that the server refuses."""
    with page.expect_response(lambda answer: answer.status == 422) as refused:
        button.click()
    return refused.value


def test_the_builder_answers_all_at_once(either: Page) -> None:
    page = either
    page.goto("/build?from=xor")
    folded = page.locator("#build details:not([open]) > summary:visible")
    while folded.count():
        folded.first.click()
    page.get_by_label("Optimizer").select_option("adam")
    page.get_by_label("Clipping of the gradient").select_option("norm")
    typed(page, BUILT)
    pressed(page, page.get_by_role("button", name="Check", exact=True).first)
    answered(page, BUILT)


def test_what_if_answers_all_at_once(either: Page) -> None:
    page = either
    page.goto("/lessons/overfitting/steps/1?optimizer=adam&clipping=norm")
    page.get_by_text("What if… change a number").click()
    typed(page, CHANGED)
    pressed(page, page.get_by_role("button", name="Change", exact=True))
    answered(page, CHANGED)


def test_the_training_page_answers_all_at_once(either: Page) -> None:
    page = either
    page.goto("/lessons/linear-regression/training")
    for summary in page.locator("form details > summary").all():
        summary.click()
    typed(page, TRAINED)
    pressed(page, page.get_by_role("button", name="Train", exact=True))
    answered(page, TRAINED)
    expect(page.locator("#run")).not_to_contain_text("iterations the loss")


def test_a_file_is_answered_with_its_lines(either: Page) -> None:
    page = either
    page.goto("/open?do=edit")
    page.locator('textarea[name="text"]').fill(FILE)
    pressed(page, page.get_by_role("button", name="Check", exact=True).first)
    for line, said in LINES.items():
        expect(page.get_by_role("main")).to_contain_text(said)
        expect(page.get_by_role("main")).to_contain_text(re.compile(rf"\b{line}\b"))
    expect(page.locator('textarea[name="text"]')).to_have_value(FILE)


def test_a_rate_that_explodes_says_where_and_what_to_try(either: Page) -> None:
    page = either
    page.goto("/lessons/linear-regression/training?learning_rate=1e308&iterations=9")
    run = page.locator("#run")
    expect(run).to_contain_text("stops in iteration 1: the new weight in the output layer")
    expect(run).to_contain_text("The curve is kept up to there.")
    run.get_by_role("link", name="Open iteration 1 at the step where it stops").click()
    expect(page.get_by_role("main")).to_contain_text("Why it stops here.")
    page.go_back()
    run.get_by_role("link", name="Clip the gradient to length 1").click()
    expect(page.locator("#run")).not_to_contain_text("of training explodes")
    assert "clipping=norm" in page.url


def test_samples_of_one_class_are_said_to_be_alike(page_without_script: Page) -> None:
    page = page_without_script
    page.goto("/build?from=linear-sigmoid")
    for target in page.locator('input[name^="y["]').all():
        target.fill("1")
    page.get_by_role("button", name="Check", exact=True).first.click()
    expect(page.get_by_role("main")).to_contain_text("All 4 training samples are of one class")
