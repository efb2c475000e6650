"""Charts: round ticks, scales, what is drawn of long lines, and links that a thumb meets."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from tutor.draw import planes
from tutor.draw.charts import (
    BOTTOM,
    LEFT,
    RIGHT,
    STYLES,
    TOP,
    Axis,
    Chart,
    Key,
    Place,
    Series,
    draw,
    inside,
    nice,
    plain_tick,
    power_of_ten,
    spans_decades,
    strokes,
    thinned,
    y_axis,
)
from tutor.draw.planes import Area, Levels, Plane, Samples


def chart(*values: float, **more: object) -> Chart:
    line = Series("Loss", range(1, len(values) + 1), values)
    ends = (1.0, float(len(values)))
    return Chart("loss", "A loss", (line,), "iteration", "loss", ends, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 1, [0, 0.5, 1]),
        (1, 1000, [200, 400, 600, 800, 1000]),
        (-3, 3, [-2, 0, 2]),
        (0.101, 0.104, [0.101, 0.102, 0.103, 0.104]),
        (5, 5, [5]),
        (-1e300, 1e300, [-1e300, -5e299, 0, 5e299, 1e300]),
    ],
)
def test_ticks_are_round_numbers_within_the_ends(
    low: float, high: float, ticks: list[float]
) -> None:
    found = nice(low, high)
    assert all(low * (1 - 1e-9) <= tick * (1 + 1e-9) for tick in found if low > 0)
    assert 1 <= len(found) <= 5
    assert found == pytest.approx(ticks) or math.isclose(found[0], ticks[0], abs_tol=high - low)


@pytest.mark.parametrize("power", range(-12, 12))
def test_steps_between_ticks_are_1_2_or_5_times_a_power_of_ten(power: int) -> None:
    for span in (1.0, 1.7, 2.5, 3.9, 6.1, 9.9):
        found = nice(0.0, span * 10.0**power)
        step = (found[1] - found[0]) / 10.0 ** math.floor(math.log10(found[1] - found[0]) + 1e-9)
        assert min(abs(step - m) for m in (1, 2, 5, 10)) < 1e-6
        assert 2 <= len(found) <= 6


@pytest.mark.parametrize(
    ("value", "among", "text"),
    [
        (0.0, [0.0, 0.5], "0"),
        (0.5, [0.0, 0.5], "0.5"),
        (-2.0, [-2.0, 0.0], "−2"),
        (1000.0, [0.0, 1000.0], "1,000"),
        (5e151, [0.0, 5e151], "5e151"),
        (2e-7, [0.0, 2e-7], "2e−7"),
    ],
)
def test_a_tick_has_as_many_digits_as_it_takes(value: float, among: list[float], text: str) -> None:
    assert plain_tick(value, among) == text


def test_powers_of_ten_are_written_out_while_they_are_short() -> None:
    assert [power_of_ten(n) for n in (-7, -4, -1, 0, 3, 5, 6, 300)] == [
        "1e−7", "0.0001", "0.1", "1", "1,000", "100,000", "1e6", "1e300",
    ]  # fmt: skip


def test_sizes_that_span_two_powers_of_ten_are_on_a_logarithmic_scale() -> None:
    assert spans_decades([1.0, 0.01])
    assert not spans_decades([1.0, 0.02])
    assert not spans_decades([1.0, 0.0])
    assert not spans_decades([])
    axis = y_axis(chart(3.0, 0.02))
    assert (axis.logarithmic, axis.low, axis.high) == (True, -2, 1)
    assert [text for _, text in axis.ticks] == ["0.01", "0.1", "1", "10"]
    assert axis(0.01) == BOTTOM
    assert axis(10.0) == TOP


@pytest.mark.parametrize("values", [(5e-324, 1e-300), (1e300, 1.7e308), (5e-324, 1.7e308)])
def test_a_logarithmic_scale_ends_where_numbers_do(values: tuple[float, ...]) -> None:
    found = chart(*values, logarithmic=True)
    axis = y_axis(found)
    assert axis.logarithmic
    assert axis.ticks
    assert all(BOTTOM >= axis(value) >= TOP for value, _ in axis.ticks)
    ElementTree.fromstring(draw(found))  # noqa: S314 - our own picture


def test_a_scale_of_similar_sizes_starts_at_0() -> None:
    axis = y_axis(chart(3.0, 2.0))
    assert axis.low == 0
    assert axis(0.0) == BOTTOM


def test_a_constant_line_lies_in_the_middle() -> None:
    axis = y_axis(chart(2.0, 2.0))
    assert axis(2.0) == pytest.approx((TOP + BOTTOM) / 2)


def test_a_scale_goes_from_end_to_end() -> None:
    axis = Axis(1, 101, LEFT, RIGHT)
    assert axis(1) == LEFT
    assert axis(101) == RIGHT


def test_a_long_line_keeps_its_peaks_and_its_ends() -> None:
    points = [(float(n), math.sin(n)) for n in range(10_000)]
    points[4321] = (4321.0, 50.0)
    found = thinned(points)
    assert len(found) <= 500
    assert (4321.0, 50.0) in found
    assert found[0] == points[0]
    assert found[-1] == points[-1]
    assert found == sorted(found)


def test_a_line_that_is_too_high_ends_at_the_upper_end() -> None:
    assert inside([(1, 1), (2, 9), (3, 99), (4, 1)], 10) == [(1, 1), (2, 9), (3, 10)]
    assert inside([(1, 1)], None) == [(1, 1)]


def test_what_is_no_number_is_left_out() -> None:
    svg = draw(chart(1.0, math.nan, math.inf, 0.5))
    assert "nan" not in svg
    assert "inf" not in svg


def test_a_chart_says_in_words_what_it_shows() -> None:
    svg = draw(chart(3.0, 1.0, 2.0))
    assert "<title>A loss</title>" in svg
    assert "Loss: starts at 3, ends at 2; lowest 1, highest 3." in svg
    assert 'role="img"' in svg


def test_every_link_of_a_chart_has_a_name_and_fields_cover_the_chart_once() -> None:
    places = tuple(Place(n, 1.0, f"/{n}?a=1&b=2", f"Open iteration {n}") for n in (1, 3, 5))
    svg = draw(chart(1.0, 1.0, 1.0, 1.0, 1.0, places=places))
    assert svg.count('href="/3?a=1&amp;b=2"') == 1
    assert re.findall(r'<a href="[^"]*" aria-label="(.*?)"', svg) == [
        f"Open iteration {n}" for n in (1, 3, 5)
    ]
    fields = [
        (float(x), float(w))
        for x, w in re.findall(r'class="hit" x="([\d.]+)" y="12" width="([\d.]+)"', svg)
    ]
    assert fields[0][0] == LEFT
    assert sum(width for _, width in fields) == pytest.approx(RIGHT - LEFT, abs=0.3)
    assert 'role="group"' in svg


def test_a_text_from_outside_cannot_become_markup() -> None:
    bad = '"><script>x</script>'
    line = Series(bad, [1, 2], [1, 2])
    place = Place(1, 1.0, bad, bad)
    drawn = Chart("k", bad, (line,), bad, bad, (1, 2), (place,))
    assert "<script" not in draw(drawn)
    assert "style=" not in draw(drawn)


GRID = np.linspace(-2, 2, 41)
XX, YY = np.meshgrid(GRID, GRID)


def plane(**more: object) -> str:
    return str(planes.draw(Plane("p", "A plane", "About it.", "x", "y", GRID, GRID, **more)))  # type: ignore[arg-type]


def test_a_closed_border_stays_closed() -> None:
    ring = plane(levels=(Levels(XX**2 + YY**2 - 1, (0.0,), "border"),))
    path = re.search(r'class="border" d="([^"]*)"', ring)
    assert path is not None
    points = [tuple(map(float, p.split())) for p in path[1][1:].split("L")]
    assert points[0] == points[-1]
    assert len(points) > 12


def test_an_area_with_a_hole_has_two_rings() -> None:
    ring = plane(areas=(Area((XX**2 + YY**2 - 0.5) * (2 - XX**2 - YY**2), "area-1"),))
    path = re.search(r'class="area area-1" d="([^"]*)"', ring)
    assert path is not None
    assert path[1].count("Z") == 2


def test_no_two_marks_differ_by_colour_alone() -> None:
    drawn = {
        style: re.findall(
            r'class="mark[^"]*" d="M[\d.]+ [\d.]+([^"]*)"', strokes([(1.0, 2.0)], style)
        )
        for style in range(1, STYLES + 1)
    }
    assert all(len(paths) == 1 for paths in drawn.values())
    shapes = [(paths[0], style == 1) for style, paths in drawn.items()]  # only the first is round
    assert len(set(shapes)) == STYLES
    assert [Key(f"mark-{style}", "").path for style in drawn] == [
        f"M13 6{paths[0]}" for paths in drawn.values()
    ]


def test_an_area_that_is_nowhere_is_not_drawn() -> None:
    assert "area-1" not in plane(areas=(Area(XX * 0 - 1, "area-1"),))


def test_fields_with_holes_in_their_numbers_are_drawn() -> None:
    field = np.where(XX > 1, np.nan, XX)
    field[0, 0] = np.inf
    assert "nan" not in plane(areas=(Area(field, "area-1"),), levels=(Levels(field, (0.5,), "l"),))


def test_samples_are_marks_of_their_class() -> None:
    drawn = plane(samples=(Samples(((0.0, 0.0), (1.0, 1.0)), 2, "wrong"),))
    assert 'class="mark mark-2 wrong"' in drawn
    assert drawn.count("h.1") == 4, "with a direction: printed, a square of no length is not there"


def test_a_plane_is_well_formed_and_says_what_it_shows() -> None:
    drawn = plane(paths=((((0.0, 0.0), (1.0, 1.0)), 1),))
    assert ElementTree.fromstring(drawn).tag == "svg"  # noqa: S314  (our own)
    assert "About it." in drawn
    assert 'class="ring-1"' in drawn
    assert 'class="dot-1"' in drawn


@pytest.mark.parametrize(
    ("low", "high"),
    [(0.5, 0.5 + 2e-16), (-1e20, -1e20 + 16384), (0.0, 5e-324), (-5e-324, 5e-324), (3.0, 3.0)],
)
def test_numbers_that_differ_by_rounding_alone_lie_in_the_middle(low: float, high: float) -> None:
    drawn = replace(chart(low, high), linear=True)
    axis = y_axis(drawn)
    assert axis(low) == pytest.approx((TOP + BOTTOM) / 2)
    assert axis.ticks
    assert not re.search("nan|inf", draw(drawn))


def test_a_place_without_a_number_is_not_drawn() -> None:
    led = replace(
        chart(1.0, 3.0), places=(Place(1.0, math.inf, "/a", "A"), Place(2.0, 1.0, "/b", "B"))
    )
    assert re.findall(r'href="(.*?)"', draw(led)) == ["/b"]


@pytest.mark.parametrize("values", [(0.0, 1e-4), (-0.1265, -0.1249), (0.0, 1e5), (1e-9, 1.0)])
def test_the_name_of_a_scale_stands_clear_of_long_ticks(values: tuple[float, ...]) -> None:
    drawn = draw(chart(*values, linear=values[0] < 0))
    left, _, width, _ = map(float, re.search(r'viewBox="([^"]+)"', drawn)[1].split())  # type: ignore[index]
    name = float(re.search(r'class="axis-name" transform="translate\((\S+)', drawn)[1])  # type: ignore[index]
    longest = max(len(tick) for _, tick in y_axis(chart(*values, linear=values[0] < 0)).ticks)
    assert left + 4 <= name - 9  # the letters reach so far to the left
    assert name + 4 <= LEFT - 5 - 8 * (longest - 1)  # a full stop is half as wide as a digit
    assert left + width == 400
