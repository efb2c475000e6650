"""A reader's choices: read from an address, written into addresses, and nothing lost on the way."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.visiting import NAMES, scenario
from tutor.lesson.walk import GRAINS, MAX_ITERATION
from tutor.notation.conventions import PRESETS
from tutor.number import MAX_DECIMALS
from tutor.pages.view import View, read

LESSONS = st.sampled_from(NAMES)
WISHES = st.lists(st.sampled_from([
    ("x[1]", "0,5"), ("x[1]@2", "-1e-3"), ("w[1][1,1]", "1/3"), ("b[1][1]", "7"), ("learning_rate", "1e20"), ("y[1]@1", "0.25"),
    ("loss", "squared_error"), ("loss", "half_squared_error"), ("reduction", "sum"), ("activation[1]", "leaky_relu"), ("slope[1]", "0.2"),
]))  # fmt: skip


@st.composite
def choices(draw: st.DrawFn) -> tuple[str, View]:
    """A lesson and a view that it can be looked at with."""
    name = draw(LESSONS)
    lesson = scenario(name)
    view = View(
        draw(st.sampled_from(GRAINS)),
        draw(st.sampled_from(["", *(p for p in PRESETS if p != lesson.notation.preset)])),
        draw(
            st.one_of(
                st.none(),
                st.integers(0, MAX_DECIMALS).filter(lambda d: d != lesson.display.decimals),
            )
        ),
        draw(st.integers(1, MAX_ITERATION)) if lesson.training.iterations == 1 else 1,
        read(dict(draw(WISHES)), lesson)[0].changes,
        draw(st.booleans()),
    )
    return name, view


@given(choices())
def test_an_address_brings_back_the_view_that_wrote_it(chosen: tuple[str, View]) -> None:
    name, view = chosen
    for address in (view.address(name, 3), view.address(name), view.step(3)):
        assert read(dict(parse_qsl(urlsplit(address).query)), scenario(name)) == (view, ())


@example(name="1-2-3-1-sigmoid", query={"a[1][1]": ""})
@given(name=LESSONS, query=st.dictionaries(st.text(max_size=12), st.text(max_size=60), max_size=6))
def test_any_query_gives_a_view_and_a_short_notice_for_what_was_ignored(
    name: str, query: dict[str, str]
) -> None:
    view, notices = read(query, scenario(name))
    assert len(notices) == min(len(query), 5)
    assert view == View()
    assert all(len(notice) < 200 and notice.isprintable() for notice in notices)


def test_after_a_few_notices_the_rest_is_counted() -> None:
    _, notices = read({f"strange{n}": "1" for n in range(9)}, scenario(NAMES[0]))
    assert notices[-1] == "5 more parts of the address are ignored."


@pytest.mark.parametrize("name", NAMES)
def test_what_the_lesson_shows_anyway_is_left_out_of_the_address(name: str) -> None:
    lesson = scenario(name)
    query = {
        "grain": "number", "notation": lesson.notation.preset, "decimals": str(lesson.display.decimals), "iteration": "1",
        "loss": lesson.loss.name, "present": "no",
    }  # fmt: skip
    assert read(query, lesson) == (View(), ())
    assert View().step(4) == "4"
    assert View().address(name) == f"/lessons/{name}"


def test_a_link_may_change_one_choice_and_keeps_the_others() -> None:
    view = View("layer", "letters", 6, 2, (), present=True)
    assert view.step(7, grain="pass") == replace(view, grain="pass").step(7)
    assert (
        view.address("x", 7, iteration=1)
        == "/lessons/x/steps/7?grain=layer&notation=letters&decimals=6&present=yes"
    )


@pytest.mark.parametrize(
    "text", ["-1", "13", "1.0", "1e1", "٣", "²", "0x4", "4 4", "1_0", "99999999999"]
)
def test_only_whole_numbers_in_plain_digits_are_decimals(text: str) -> None:
    view, notices = read({"decimals": text}, scenario("1-2-3-1-sigmoid"))
    assert view.decimals is None
    assert len(notices) == 1
    assert "0 to 12" in notices[0]


def test_white_space_around_a_choice_is_forgiven() -> None:
    assert read({"grain": " layer ", "decimals": " 6"}, scenario("1-2-3-1-sigmoid")) == (
        View(grain="layer", decimals=6),
        (),
    )


def test_a_changed_number_stands_in_the_address_as_people_write_it() -> None:
    view, notices = read(
        {"learning_rate": "1/2", "w[2][1,1]": "-0,3", "grain": "layer"}, scenario("1-2-3-1-sigmoid")
    )
    assert notices == ()
    assert (
        view.address("1-2-3-1-sigmoid", 3)
        == "/lessons/1-2-3-1-sigmoid/steps/3?grain=layer&w[2][1,1]=-0.3&learning_rate=0.5"
    )


def test_a_notice_names_the_choices_that_there_are() -> None:
    (notice,) = read({"grain": "cube"}, scenario("perceptron-step"))[1]
    assert all(grain in notice for grain in GRAINS)


def test_a_notice_shortens_a_long_text_and_drops_what_does_not_print() -> None:
    (notice,) = read({"grain": "a\u202e\0" + 100 * "b"}, scenario("perceptron-step"))[1]
    assert notice.startswith("grain “abbb")
    assert len(notice) < 160
    assert "…" in notice
