"""The form in which a lesson is made, as a browser sees it: filled in, sent, mended, saved. Never a
500, never a lost text.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from app import create_app
from tests.filling import fields, opened, problems, sent, sound
from tests.test_draft import FIELDS, TEXTS
from tests.test_open import ONE_STEP
from tests.test_security import PAYLOADS
from tests.visiting import NAMES, get, library, page, scenario
from tutor.builder.fields import FIELDS as FORM
from tutor.builder.fields import GIVEN, PLAIN, field_of_number
from tutor.lesson.changes import query
from tutor.lesson.dataset import made
from tutor.scenario import dump
from tutor.scenario.knobs import CHOICES, KNOBS
from tutor.scenario.model import CURVES, Generator, GeneratorName

if TYPE_CHECKING:
    from flask import Flask

ROOT = Path(__file__).parents[1]
STYLE = (ROOT / "static" / "build.css").read_text(encoding="utf-8")


def with_store(path: Path, **settings_: str) -> Flask:
    """The tutor over a new store."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "DATABASE_URL": f"sqlite:///{path}",
            "SAVES_PER_MINUTE": "100000",
            **settings_,
        }.items():
            patch.setenv(name, value)
        return create_app(ROOT / "scenarios")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return with_store(tmp_path_factory.mktemp("store") / "lessons.sqlite")


@pytest.fixture(scope="module")
def blank() -> MultiDict[str, str]:
    return opened()


@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_goes_through_the_rendered_form_and_is_saved_as_it_was(
    name: str, app: Flask
) -> None:
    answer = sent(opened(f"/build?from={name}", app), "save", app)
    assert answer.status_code == 303, problems(sound(answer))
    saved = library(app).find(answer.headers["Location"].removeprefix("/lessons/"))
    assert saved is not None
    assert saved.origin == name
    own = dump.as_data(scenario(name))
    assert {key: value for key, value in dump.as_data(saved).items() if key != "origin"} == own


def test_the_first_form_is_saved_and_can_be_walked(app: Flask) -> None:
    answer = sent(opened(), "save", app)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/lessons/saved-")
    assert app.test_client().get(answer.headers["Location"] + "/steps/1").status_code == 200
    assert sent(opened(), "save", app).headers["Location"] == answer.headers["Location"], (
        "the same content has the same address"
    )


def test_a_saved_lesson_is_edited_as_a_copy_that_knows_its_origin(app: Flask) -> None:
    first = sent(opened(), "save", app).headers["Location"]
    edit = app.test_client().get(f"{first}/edit")
    assert (edit.status_code, edit.headers["Location"]) == (
        302,
        f"/build?from={first.removeprefix('/lessons/')}",
    )
    form = opened(edit.headers["Location"], app)
    form["title"] = "Another one"
    second = sent(form, "save", app).headers["Location"]
    saved = library(app).find(second.removeprefix("/lessons/"))
    assert saved is not None
    assert (saved.title, saved.origin) == ("Another one", first.removeprefix("/lessons/"))
    assert app.test_client().get(first).status_code == 200


def test_a_copy_brings_the_changes_of_a_what_if_along() -> None:
    changes = query((("learning_rate", "0.25"), ("w[1][1,1]", "-0.3")))
    form = opened(f"/build?from=1-2-3-1-sigmoid&{changes}")
    assert (form["w[1][1,1]"], form["learning_rate"]) == ("-0.3", "0.25")
    edit = get(f"/lessons/1-2-3-1-sigmoid/edit?{changes}")
    assert edit.headers["Location"].startswith("/build?from=1-2-3-1-sigmoid&")


@pytest.mark.parametrize(
    "address", ["/build?from=nothing", "/lessons/nothing/edit", "/build?from="]
)
def test_a_lesson_that_is_not_there_cannot_be_copied(address: str) -> None:
    assert get(address).status_code == 404


def test_enter_checks_and_neither_saves_nor_removes() -> None:
    first = next(iter(page("/build").root.one("form", id="build").all("button")))
    assert (first.attributes["name"], first.attributes["value"]) == ("do", "check")


def test_every_field_has_a_label_and_every_number_a_name() -> None:
    for name in NAMES:
        found = page(f"/build?from={name}").root.one("form", id="build")
        labels = {label.attributes["for"] for label in found.all("label")}
        for element in found.all("input", "select", "textarea"):
            if element.attributes.get("type") != "hidden":
                assert element.attributes["id"] in labels or element.attributes.get("aria-label"), (
                    element.attributes
                )


def test_the_form_has_a_field_for_every_number_of_how_a_lesson_learns() -> None:
    form = page("/build").root.one("form", id="build")
    part = form.one("div", cls="learning")
    fields = {field.attributes["name"]: field for field in part.all("input", "select")}
    long = {"batch", "batch_size", "shuffle", "iterations", "loss_below", "change_below"}
    numbers = set(map(field_of_number, KNOBS.values()))
    assert set(fields) == {"learning_rate", *CHOICES, *numbers, *long}
    for at in KNOBS.values():
        # the style sheet shows a number with what it belongs to, and any that has a text
        box = next(
            box
            for box in part.all("div", cls="field")
            if fields[field_of_number(at)] in box.all("input")
        )
        classes = str(box.attributes["class"]).split()
        for word in at.owners:
            shown = f"only-{at.part}-{word}".replace("_", "-")
            assert shown in classes
            assert f'#{at.part} option[value="{word}"]:checked) .{shown}' in STYLE
        assert fields[field_of_number(at)].attributes["placeholder"]
    names = {field.attributes["name"] for field in form.all("input")}
    assert "dropout[1]" in names
    assert "dropout[2]" not in names


def test_a_lesson_that_learns_by_adam_is_saved_as_it_was_typed(
    app: Flask, blank: MultiDict[str, str]
) -> None:
    typed = {
        "optimizer": "adam",
        "beta1": "0.8",
        "penalty": "norm",
        "l2": "0.1",
        "dropout[1]": "0.25",
    }
    saved = sent(MultiDict({**blank.to_dict(), **typed}), "save", app)
    assert saved.status_code == 303
    shown = app.test_client().get(saved.headers["Location"]).text
    assert "Adam: β₁ = 0.8, β₂ = 0.999, ε = 1e-08" in shown
    assert "25% of layer 1" in shown
    again = opened(f"/build?from={saved.headers['Location'].removeprefix('/lessons/')}", app)
    assert {**typed, "beta2": "", "clipping": "none"}.items() <= again.to_dict().items()


WRONG = [
    {"w[1][1,1]": "abc"}, {"w[1][1,1]": "NaN"}, {"b[1][1]": "infinity"}, {"x[1]": "1e999"}, {"units[1]": "1000000"}, {"units[1]": "0"},
    {"activation[2]": "softmax"}, {"activation[2]": "softmax", "loss": "cross_entropy"}, {"y[1]": "7"}, {"learning_rate": "-1"},
    {"title": ""}, {"title": "\u202e\u200b"}, {"about": "\0\x01"}, {"course": "x" * 400}, {"rest": "[[[["}, {"rest": "a: &b 1"},
    {"batch": "7"}, {"optimizer": "lion"}, {"decimals": "many"}, {"activation[1]": "<script>"}, {"inputs": "\u0663"},
]  # fmt: skip


@pytest.mark.parametrize("changes", WRONG)
@pytest.mark.parametrize("do", ["check", "save"])
def test_bad_input_comes_back_as_it_was_typed_with_every_problem(
    changes: dict[str, str], do: str, blank: MultiDict[str, str]
) -> None:
    form = MultiDict({**blank.to_dict(), **changes})
    answer = sent(form, do)
    found = sound(answer)
    assert answer.status_code == 422
    listed = found.root.one("div", id="problems")
    assert "autofocus" in listed.attributes
    assert list(listed.all("li"))
    again = fields(found)
    for name, text in changes.items():
        assert again[name] == text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def test_a_problem_is_tied_to_its_field_and_listed_with_a_link(blank: MultiDict[str, str]) -> None:
    found = sound(sent({**blank.to_dict(), "w[1][1,2]": "abc", "title": ""}))
    said = problems(found)
    assert set(said) == {"w[1][1,2]", "title"}
    cell = found.root.one("input", id="w[1][1,2]")
    assert (cell.attributes["aria-invalid"], cell.attributes["aria-describedby"]) == (
        "true",
        "problem-w[1][1,2]",
    )
    links = [link.attributes["href"] for link in found.root.one("div", id="problems").all("a")]
    assert links == ["#title", "#w[1][1,2]"], "in the order of the form"


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_text_becomes_markup(payload: str, blank: MultiDict[str, str]) -> None:
    names = (
        "title", "course", "about", "learn", "units[1]", "w[1][1,1]", "activation[1]", "loss", "notation", "origin", "rest", "paste[1]",
        "fill[1]",
    )  # fmt: skip
    form = {**blank.to_dict(), **dict.fromkeys(names, payload), f"w[1][1,{payload}]": payload}
    for do in ("check", "live", "save", "text", "paste:1", payload):
        answer = sent(form, do)
        assert answer.status_code in {200, 422}
        assert "<script>alert" not in answer.text
        if do != "live":
            sound(answer)


def test_printed_numbers_that_no_longer_hold_are_said_and_can_be_dropped(app: Flask) -> None:
    form = opened("/build?from=1-2-3-1-sigmoid")
    form["w[1][1,1]"] = "0.7"
    refused = sent(form, "save", app)
    assert refused.status_code == 422
    found = sound(refused)
    assert "no longer hold (printed, entry" in problems(found)["rest"]
    offer = next(button for button in found.root.one("div", id="problems").all("button"))
    assert offer.attributes["form"] == "build"
    after = sound(sent(fields(found), offer.attributes["value"], app))
    assert not problems(after)
    assert "printed" in fields(after).getlist("drop")
    assert sent(fields(after), "save", app).status_code == 303


def test_a_closed_form_that_can_no_longer_be_computed_is_doubted_too(
    blank: MultiDict[str, str],
) -> None:
    form = {
        **blank.to_dict(),
        "x[1]": "0",
        "rest": '{"checks": [{"quantity": "x[1]", "equals": "1/{x[1]}"}]}',
    }
    for do in ("live", "check", "save", "add-layer"):
        answer = sent(form, do)
        assert answer.status_code in {200, 422}
        assert "Drop the closed forms" in answer.text


def test_a_new_size_is_shown_before_it_is_saved(app: Flask, blank: MultiDict[str, str]) -> None:
    answer = sent({**blank.to_dict(), "units[1]": "3"}, "save", app)
    assert answer.status_code == 422
    again = fields(sound(answer))
    assert again["w[1][3,2]"]
    assert sent(again, "save", app).status_code == 303


LONG = (
    {"units[1]": "1024"},
    {"units[1]": "300", "biases[1]": "none"},
    {"units[1]": "150"},
    {"inputs": "500"},
)


@pytest.mark.parametrize("changes", LONG)
def test_long_tables_are_texts_in_the_form(
    changes: dict[str, str], blank: MultiDict[str, str], app: Flask
) -> None:
    answer = sent({**blank.to_dict(), **changes}, "resize")
    assert answer.status_code == 200
    found = sound(answer)
    assert not problems(found)
    assert "w[1]" in fields(found)
    assert sent(fields(found), "save", app).status_code == 303


def test_buttons_change_the_form_and_say_so(blank: MultiDict[str, str]) -> None:
    answer = sent(blank, "add-layer")
    assert answer.status_code == 200
    found = sound(answer)
    assert fields(found)["layers"] == "3"
    assert "Layer 2 was added" in next(found.root.all("p", cls="notice")).text
    for do in (
        "remove-layer:2",
        "move-up:2",
        "move-down:1",
        "add-sample",
        "fill:1",
        "other:1",
        "fill:2",
        "fill:data",
        "resize",
    ):
        answer = sent(fields(found), do)
        assert answer.status_code == 200, do
        found = sound(answer)
        assert not problems(found).keys() - {"loss"}, do  # a tanh may have become the last layer


def test_text_is_one_button_away_sound_or_not(blank: MultiDict[str, str]) -> None:
    answer = sent(blank, "text")
    assert answer.status_code == 200
    assert "title: A network of my own" in answer.text
    broken = sent({**blank.to_dict(), "w[1][1,1]": "abc"}, "text")
    assert broken.status_code == 422
    assert "abc" in broken.text


def test_the_preview_has_the_diagram_the_first_steps_and_no_form(
    blank: MultiDict[str, str],
) -> None:
    answer = sent({**blank.to_dict(), "w[1][1,1]": "0.25"}, "live")
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<div id="live">')
    assert "<svg" in answer.text
    assert "0.25" in answer.text
    assert "Pre-activation of hidden unit 1" in answer.text
    assert "<form" not in answer.text
    assert len(answer.get_data()) < 15 * 1024


def test_the_preview_of_an_unsound_draft_has_its_shape_and_its_problems(
    blank: MultiDict[str, str],
) -> None:
    answer = sent({**blank.to_dict(), "w[1][1,1]": "abc"}, "live")
    assert "1 problem to fix" in answer.text
    assert 'id="problem-w[1][1,1]"' in answer.text
    assert "<svg" in answer.text
    assert "0.8" in answer.text


def test_a_large_network_is_not_computed_while_one_types(blank: MultiDict[str, str]) -> None:
    base = {**blank.to_dict(), "units[1]": "1000", "inputs": "1000", "fill[1]": "he", "fill[2]": "he", "biases[1]": "none",
            "activation[1]": "relu", "rows": "1 " * 1001, "units[2]": "1"}  # fmt: skip
    answer = sent(base, "live")
    assert answer.status_code == 200
    assert "limit is 200,000" in answer.text
    smaller = sent({**base, "units[1]": "150", "rows": "\n".join(["1 " * 1001] * 15)}, "live")
    assert "too large to compute while you type" in smaller.text


@pytest.mark.parametrize("name", get_args(GeneratorName))
def test_made_samples_are_drawn_beside_the_form(name: str, blank: MultiDict[str, str]) -> None:
    generator = Generator.model_validate({"name": name, "samples": 60, "seed": 5})
    asked = {**blank.to_dict(), "generator": name, "made_samples": "60", "data_seed": "5"}
    drawn = sound(sent(asked)).root.one("section", cls="made-samples")
    y = made(generator)[1][:, 0]
    counts = f"{np.sum(y == 0)} of target 0, {np.sum(y == 1)} of target 1"
    assert "60 samples" in drawn.text
    assert (counts in drawn.text) == (name not in CURVES)
    # each sample is a piece of one of the paths
    marks = [str(path.attributes["d"]) for path in drawn.all("path", cls="mark")]
    assert sum(path.count("M") for path in marks) == 60


def test_samples_that_nobody_can_draw_are_not_drawn(blank: MultiDict[str, str]) -> None:
    for changes in ({}, {"generator": "blobs", "made_samples": "no"}, {"generator": "spiral"},
                    {"generator": "circle", "noise": "1e308"},
                    {"generator": "blobs", "labels": "one_hot", "classes": "9"}):  # fmt: skip
        answer = sent({**blank.to_dict(), **changes}, "live")
        assert answer.status_code == 200
        assert "made-samples" not in answer.text


def test_one_chooses_plainly_whether_samples_are_typed_or_made() -> None:
    form = page("/build?from=xor").root.one("form", id="build")
    chosen = [
        option.text
        for option in form.one("select", id="generator").all("option")
        if "selected" in option.attributes
    ]
    options = form.one("select", id="generator").all("option")
    assert chosen[0].startswith("made: xor")
    words = {str(option.attributes["value"]): option.text.split(":")[0] for option in options}
    assert words == {GIVEN: "typed", **dict.fromkeys(get_args(GeneratorName), "made")}
    assert f'#generator option[value="{GIVEN}"]:checked) > .if-made' in STYLE
    shown = {f"only-{owner}" for name in PLAIN for owner in FORM[name].only if "generator" in owner}
    for css in shown:
        word = css.removeprefix("only-generator-")
        assert f'#generator option[value="{word}"]:checked) .{css}' in STYLE


def test_another_site_cannot_send_the_form(blank: MultiDict[str, str]) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        assert sent(blank, "save", headers=headers).status_code == 403


def test_saving_can_be_switched_off_and_limited(tmp_path: Path, blank: MultiDict[str, str]) -> None:
    off = with_store(tmp_path / "off.sqlite", SAVING="off")
    assert 'value="save"' not in off.test_client().get("/build").text
    refused = sent(blank, "save", off)
    assert refused.status_code == 403
    assert fields(sound(refused))["title"] == blank["title"]
    slow = with_store(tmp_path / "slow.sqlite", SAVES_PER_MINUTE="1")
    answers = [sent({**blank.to_dict(), "title": f"Lesson {n}"}, "save", slow) for n in range(2)]
    assert [answer.status_code for answer in answers] == [303, 429]
    assert fields(sound(answers[1]))["title"] == "Lesson 1"


@pytest.mark.parametrize("count", [1_000, 5_000])
def test_thousands_of_fields_are_answered(count: int) -> None:
    many = {f"w[{1 + n % 32}][{1 + n // 100},{1 + n % 100}]": "1" for n in range(count)}
    assert sent(many).status_code == 422
    assert sent({f"field{n}": "1" for n in range(count)}).status_code == 422


def test_a_repeated_field_is_a_problem(blank: MultiDict[str, str]) -> None:
    twice = MultiDict(blank)
    twice.add("title", "second")
    answer = sent(twice, "save")
    assert answer.status_code == 422
    assert "more than once" in problems(sound(answer))["title"]


KINDS = (
    "application/x-www-form-urlencoded",
    "application/json",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "text/plain",
)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"title=%ff%00", b"{" * 1000])
@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_sent_there_is_an_answer(body: bytes, kind: str) -> None:
    from tests.visiting import tutor

    answer = tutor().test_client().post("/build", data=body, content_type=kind)
    assert 400 <= answer.status_code < 500


def test_a_lesson_of_one_step_says_so(app: Flask) -> None:
    answer = app.test_client().post("/open", data={"text": ONE_STEP, "do": "form"})
    assert "Valid 1-1 network, 1 step" in sound(answer).root.one("main").text


BUTTONS = (
    "check",
    "live",
    "save",
    "text",
    "resize",
    "add-layer",
    "fill:1",
    "other:1",
    "paste:data",
)


@settings(max_examples=60)
@given(st.lists(st.tuples(FIELDS, TEXTS), max_size=20), st.sampled_from(BUTTONS), st.booleans())
def test_any_form_is_answered_with_a_sound_page(
    pairs: list[tuple[str, str]], do: str, beginning: bool
) -> None:
    base = FIRST if beginning else {}
    answer = sent({**base, **dict(pairs), "do": do}, do)
    assert answer.status_code in {200, 303, 422, 429}
    if answer.status_code != 303 and do != "live":
        sound(answer)


FIRST = dict(opened())


@pytest.mark.parametrize("text", ["0", "abc", "100000", "-1", "2.5"])
def test_a_number_of_samples_that_is_none_is_said_beside_it(app: Flask, text: str) -> None:
    answer = sent({**opened("/build", app), "samples": text}, "check", app)
    assert "expected a whole number from 1 to 1,000" in problems(sound(answer))["samples"]
    assert fields(sound(answer))["samples"] == text


def test_a_copy_of_a_lesson_that_is_too_large_for_the_form_is_shown_as_text(app: Flask) -> None:
    sample = f"[{', '.join(['0'] * 100)}]"
    text = (
        "format: 1\ntitle: Large\nnetwork:\n  inputs: 100\n"
        "  layers: [{units: 1, activation: sigmoid, init: {scheme: he, seed: 1}, biases: [0]}]\n"
        f"  loss: {{name: squared_error}}\ndata:\n  inputs: [{', '.join([sample] * 100)}]\n  targets: [{', '.join(['[1]'] * 100)}]\n"
        "training: {learning_rate: 0.5}\n"
    )
    saved = (
        app.test_client()
        .post("/open", data={"text": text, "do": "save"})
        .location.rpartition("/")[2]
    )
    answer = app.test_client().get(f"/build?from={saved}")
    assert answer.status_code == 200
    assert "the form holds up to 6,000. You can still edit its text." in answer.text
    assert f"origin: {saved}" in answer.text
