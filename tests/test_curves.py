"""The drawings: what is on them is where the function says, and they obey the page's security
policy.
"""

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.draw.curves import BOTTOM, LEFT, RIGHT, TOLERANCE, TOP, Curve, draw, simplified, ticks
from tutor.engine.activations import NAMES, activation
from tutor.pages.activations import functions, page

SVG = "{http://www.w3.org/2000/svg}"
FINITE = st.floats(allow_nan=False, allow_infinity=False)

ONE_BY_ONE = [name for name in NAMES if not activation(name).full_jacobian]


def drawing(name: str, z: float = 0.5, **parameters: float) -> ET.Element:
    f, derivative = functions(activation(name, **parameters))
    svg = str(draw(Curve(name, f"{name} curve", f, derivative, z)))
    return ET.fromstring(svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))  # noqa: S314 - our own text


def found(svg: ET.Element, css: str) -> list[ET.Element]:
    return [element for element in svg.iter() if element.get("class") == css]


def value_at(svg: ET.Element, y: float) -> float:
    """Read a height back with two tick labels as the ruler."""
    labels = [
        t for t in svg.iter(f"{SVG}text") if t.get("text-anchor") == "end" and not t.get("class")
    ]
    (v0, y0), (v1, y1) = (
        (float((t.text or "").replace("−", "-")), float(t.get("y", "")) - 4)
        for t in (labels[0], labels[-1])
    )
    return v0 + (y - y0) / (y1 - y0) * (v1 - v0)


@pytest.mark.parametrize("name", ONE_BY_ONE)
@pytest.mark.parametrize("z", [-6.0, -1.7, 0.0, 0.5, 6.0])
def test_the_marks_stand_at_the_values_of_the_engine(name: str, z: float) -> None:
    svg = drawing(name, z)
    f, derivative = functions(activation(name))
    (mark,) = found(svg, "mark-f")
    assert value_at(svg, float(mark.get("cy", ""))) == pytest.approx(f(np.array([z]))[0], abs=0.05)
    slope = derivative(np.array([z]))[0]
    diamonds = found(svg, "mark-d")
    assert len(diamonds) == int(np.isfinite(slope))
    if diamonds:
        top = float(re.match(r"M\S+ ([\d.]+)l", diamonds[0].get("d", ""))[1])  # type: ignore[index]
        assert value_at(svg, top + 4.5) == pytest.approx(slope, abs=0.05)


@pytest.mark.parametrize("name", ONE_BY_ONE)
@given(z=FINITE)
def test_every_finite_z_gives_a_small_drawing_without_style_or_script(name: str, z: float) -> None:
    f, derivative = functions(activation(name))
    svg = str(draw(Curve(name, "x", f, derivative, z)))
    assert len(svg.encode()) <= 3_000
    assert not re.search(r" style=|<script|\son\w+=|\binf\b|\bnan\b", svg)
    assert 'viewBox="0 0 ' in svg
    assert 'role="img"' in svg


@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_curves_stay_inside_the_frame(name: str) -> None:
    svg = drawing(name)
    for css in ("line-f", "line-d"):
        for path in found(svg, css)[1:]:  # the first is the legend's
            numbers = [float(n) for n in re.findall(r"[\d.]+", path.get("d", ""))]
            assert all(LEFT - 0.1 <= x <= RIGHT + 0.1 for x in numbers[::2])
            assert all(TOP <= y <= BOTTOM for y in numbers[1::2])


@pytest.mark.parametrize(
    ("z", "arrow"), [(7.0, "z = 7 →"), (-800.0, "← z = −800"), (1e308, "z = 1.000e308 →")]
)
def test_a_z_outside_the_window_is_said_with_an_arrow(z: float, arrow: str) -> None:
    svg = drawing("sigmoid", z)
    assert [t.text for t in found(svg, "outside")] == [arrow]
    assert not found(svg, "mark-f")
    assert f"lies to the {'right' if z > 0 else 'left'} of the window" in (
        svg.findtext(f"{SVG}desc") or ""
    )


def test_a_drawing_says_in_words_what_it_shows() -> None:
    svg = drawing("sigmoid")
    assert svg.findtext(f"{SVG}title") == "sigmoid curve"
    assert svg.findtext(f"{SVG}desc") == (
        "z runs from −6 to 6. Solid line: a, between 0.0025 and 0.9975. Dashed line: ∂a/∂z, between 0.0025 and 0.25. "
        "Marked at z = 0.5: a is 0.6225, ∂a/∂z is 0.2350."
    )
    assert svg.get("aria-describedby") == svg.find(f"{SVG}desc").get("id")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "rings", "dots"),
    [("sigmoid", 0, 0), ("relu", 0, 0), ("step", 1, 1), ("sign", 2, 1)],
)
def test_a_jump_has_a_dot_where_the_value_is_and_rings_where_it_is_not(
    name: str, rings: int, dots: int
) -> None:
    svg = drawing(name, 3.0)
    assert (len(found(svg, "ring-f")), len(found(svg, "dot-f"))) == (rings, dots)


def test_the_derivative_of_relu_belongs_to_the_left_piece_at_0() -> None:
    svg = drawing("relu", 3.0)
    assert [
        round(value_at(svg, float(e.get("cy", ""))))
        for css in ("dot-d", "ring-d")
        for e in found(svg, css)
    ] == [0, 1]


def test_an_elu_with_alpha_1_has_no_jump_in_its_derivative_and_with_2_it_has() -> None:
    assert not found(drawing("elu", alpha=1.0), "ring-d")
    assert found(drawing("elu", alpha=2.0), "ring-d")


@given(st.lists(FINITE.filter(lambda y: abs(y) < 1e3), min_size=2, max_size=60))
def test_simplified_lines_keep_their_ends_and_stay_close(heights: list[float]) -> None:
    points = [(float(x), y) for x, y in enumerate(heights)]
    fewer = simplified(points)
    assert fewer[0] == points[0]
    assert fewer[-1] == points[-1]
    assert set(fewer) <= set(points)
    xs, ys = zip(*fewer, strict=True)
    for x, y in points:
        k = min(max(int(np.searchsorted(xs, x)), 1), len(xs) - 1)
        steep = np.hypot(xs[k] - xs[k - 1], ys[k] - ys[k - 1]) / (xs[k] - xs[k - 1])
        assert abs(float(np.interp(x, xs, ys)) - y) <= TOLERANCE * steep * (1 + 1e-6) + 1e-9


@given(st.floats(-12, 0), st.floats(1, 8))
def test_an_axis_has_two_to_five_ticks_between_its_ends(low: float, high: float) -> None:
    some = ticks(low, high)
    assert 2 <= len(some) <= 5
    assert all(low <= tick <= high for tick in some)
    assert 0.0 in some


def test_no_two_drawings_of_the_page_share_an_id() -> None:
    shown = page({})
    ids = re.findall(
        r' id="([^"]+)"',
        "".join([*(str(c.curve) for c in (*shown.cards, *shown.flat)), str(shown.softmax.curve)]),
    )
    assert len(ids) == len(set(ids)) == len(NAMES)


def test_a_line_with_a_distance_beyond_float64_ends() -> None:
    points = [(0.0, 0.0), (1.0, 1e308), (2.0, -1e308), (3.0, 1e308)]
    assert simplified(points)[0] == points[0]
    assert simplified([(0.0, 0.0), (1.0, float("nan")), (2.0, 0.0)]) == [(0.0, 0.0), (2.0, 0.0)]
