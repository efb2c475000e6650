"""Names of quantities: written, read back, refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.engine.kinds import KINDS
from tutor.engine.quantity import Quantity, example, parse
from tutor.errors import QuantityError


@st.composite
def quantities(draw: st.DrawFn) -> Quantity:
    kind = draw(st.sampled_from(sorted(KINDS)))
    has_layer, count, sampled = KINDS[kind].layered, KINDS[kind].indices, KINDS[kind].names_samples
    index = st.integers(1, 9_999)
    second = count == 2 or (kind == "da/dz" and draw(st.booleans()))
    return Quantity(
        kind,
        draw(index) if has_layer else 0,
        draw(index) if count else 0,
        draw(index) if second else 0,
        draw(index) if sampled and draw(st.booleans()) else 0,
    )


@given(quantities())
def test_every_name_is_read_back_as_the_quantity_that_it_names(q: Quantity) -> None:
    assert parse(str(q)) == q


@pytest.mark.parametrize(
    ("name", "quantity"),
    [
        ("x[1]", Quantity("x", 0, 1)),
        ("x[784]@60", Quantity("x", 0, 784, 0, 60)),
        ("w[2][1,3]", Quantity("w", 2, 1, 3)),
        ("b+[2][1]", Quantity("b+", 2, 1)),
        ("da/dz[2][1]", Quantity("da/dz", 2, 1)),
        ("da/dz[2][1,3]@2", Quantity("da/dz", 2, 1, 3, 2)),
        ("dL/dw[2][1,3]@4", Quantity("dL/dw", 2, 1, 3, 4)),
        ("loss", Quantity("loss")),
        ("loss+@2", Quantity("loss+", sample=2)),
        ("loss-loss+", Quantity("loss-loss+")),
        ("(loss-loss+)/loss", Quantity("(loss-loss+)/loss")),
        ("eta", Quantity("eta")),
    ],
)
def test_the_names_of_the_contract_are_read(name: str, quantity: Quantity) -> None:
    assert parse(name) == quantity
    assert str(quantity) == name


@pytest.mark.parametrize(
    "name",
    [
        "", "q[1]", "z", "z[1]", "z[0][1]", "z[01][1]", "z[1][0]", "z[1][1][1]", "z[1,2][3]", "w[1][1]", "w[1]", "w[1,2]",
        "x[1][1]", "x[1,2]", "y", "loss[1]", "loss@0", "loss@", "eta@1", "w[1][1,1]@2", "b[1][1]@2", "w+[1][1,1]@1",
        "loss-loss+@1", "z[1][1] ", " z[1][1]", "z[1][1]\n", "z[1][1]@-1", "z[١][1]", "z[1][99999999]", "Z[1][1]", "z(1)(1)",
        "dl/dz[1][1]", "da/dz[1][1,2,3]", "dL/db[1][1,2]", "loss++",
    ],
)  # fmt: skip
def test_a_text_that_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(QuantityError):
        parse(name)


@given(st.text(max_size=80))
def test_any_text_is_a_name_or_a_quantity_error(text: str) -> None:
    try:
        q = parse(text)
    except QuantityError:
        return
    assert str(q) == text


def test_the_message_shows_how_a_name_of_that_kind_is_written() -> None:
    with pytest.raises(QuantityError, match=r"w\[2\]\[1,3\]"):
        parse("w[1][1]")


def test_a_long_text_is_not_repeated_in_full() -> None:
    with pytest.raises(QuantityError) as caught:
        parse("z" * 10_000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_example_of_a_kind_is_a_name_of_that_kind(kind: str) -> None:
    assert parse(example(kind)).kind == kind


def test_what_a_lesson_starts_from_is_given_and_the_rest_is_not() -> None:
    given = {kind for kind in KINDS if KINDS[kind].given}
    assert {kind for kind in KINDS if Quantity(kind).given} == given
    knobs = {kind for kind in given if KINDS[kind].role == "knob"}
    earlier = {kind for kind in given if KINDS[kind].earlier}
    assert given - knobs - earlier == {"x", "y", "w", "b", "eta", "mask", "raw", "train"}
    assert earlier == {"m-.w", "m-.b", "v-.w", "v-.b"}


def test_the_verification_pass_has_its_own_names_for_what_changes_only() -> None:
    assert str(parse("w[2][1,3]").after) == "w+[2][1,3]"
    assert str(parse("a[2][1]@3").after) == "a+[2][1]@3"
    assert str(parse("loss").after) == "loss+"
    assert parse("x[1]").after == parse("x[1]")
