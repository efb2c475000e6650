"""Every step of every lesson, in every grain and notation: sound markup, the engine's numbers, and
links that hold.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import justhtml
import pytest
from flask import render_template

from tests.htmltree import Element, read, text_of
from tests.visiting import (
    NAMES,
    WALKS,
    context,
    deep_network,
    fragment,
    get,
    numbers,
    page,
    scenario,
    steps,
    texts,
    tutor,
)
from tutor import number
from tutor.engine.quantity import Quantity, parse
from tutor.lesson.calculator import MORE
from tutor.lesson.walk import GRAINS, open_lesson
from tutor.notation.conventions import PRESETS
from tutor.pages.context import Context
from tutor.pages.step_page import step_page
from tutor.pages.view import View

BAR = 15
"""KB of a fragment, number by number and layer by layer."""
LARGER = {
    "1-2-3-1-sigmoid": 18,
    "3-2-3-softmax": 21.6,
    "3-4-2-regression": 19.8,
    "exploding-gradient": 17,
    "vanishing-gradient": 18.2,
}
"""Lessons with steps above the bar, and how far: late in a walk through 12 weights or more the
diagram writes 50 to 90 numbers, each in its own place under its own name, and the tables once more.
What is left to save there is what one sees.
"""
LARGEST_PHASE, DEEPEST_PHASE = 48 * 1024, 250 * 1024
"""The same phase by phase, for a lesson of the decks and for the deepest network there may be."""
VIEWS = [View(grain=grain, notation=notation) for grain in GRAINS for notation in PRESETS]


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: f"{view.grain}-{view.notation}")
@pytest.mark.parametrize("name", NAMES)
def test_every_step_is_sound_markup_in_every_grain_and_notation(name: str, view: View) -> None:
    problems = {n: found for n, text in texts(name, view) if (found := read(text).problems)}
    assert not problems


@pytest.mark.parametrize(("name", "grain"), WALKS)
def test_a_parser_of_its_own_finds_nothing_to_repair(name: str, grain: str) -> None:
    for n in numbers(name, View(grain=grain), every=6):
        text = get(f"/lessons/{name}/steps/{n}?grain={grain}").text
        assert justhtml.JustHTML(text, collect_errors=True, sanitize=False).errors == []
        assert read(text).problems == []


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/activations",
        "/glossary",
        "/style",
        *(f"/lessons/{name}" for name in NAMES),
        "/lessons/1-2-3-1-sigmoid/slides",
    ],
)
def test_the_pages_around_the_steps_are_sound_markup(address: str) -> None:
    text = get(address).text
    assert read(text).problems == []
    assert justhtml.JustHTML(text, collect_errors=True, sanitize=False).errors == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("grain", ["number", "layer"])
def test_a_fragment_of_a_deck_lesson_stays_small(name: str, grain: str) -> None:
    sizes = {n: len(text.encode()) for n, text in texts(name, View(grain=grain))}
    most = LARGER.get(name, BAR) * 1024
    assert {n: size for n, size in sizes.items() if size > most} == {}


@pytest.mark.parametrize("name", NAMES)
def test_a_fragment_of_a_whole_phase_has_a_bound(name: str) -> None:
    assert max(len(text.encode()) for _, text in texts(name, View(grain="pass"))) <= LARGEST_PHASE


@pytest.mark.parametrize("decimals", [0, 1, 12])
def test_few_and_many_decimals_are_sound_markup_too(decimals: int) -> None:
    for name in ("1-2-3-1-sigmoid", "3-2-3-softmax"):
        for _, text in texts(name, View(decimals=decimals), every=3):
            assert read(text).problems == []


# ---- a whole phase ----


def phase_of(layers: int, n: int) -> Element:
    """The fragment of step n, phase by phase, of a lesson with so many layers."""
    opened = Context(open_lesson(deep_network(layers)), View(grain="pass"))
    with tutor().test_request_context():
        text = render_template("_step.html", page=step_page(opened, n))
    assert len(text.encode()) <= DEEPEST_PHASE
    return read(text).root


@pytest.mark.parametrize("name", NAMES)
def test_a_phase_shows_every_matrix_of_its_layers_in_their_order(name: str) -> None:
    by_layer = View(grain="layer")
    walk = context(name, by_layer).walk
    lefts = [shown.formulas[0].left for _, shown in steps(name, by_layer)]
    for (n, shown), (_, first, last) in zip(
        steps(name, View(grain="pass")), walk.phases(), strict=True
    ):
        assert [f.left for f in shown.formulas] == lefts[first - 1 : last], n
        found = read(fragment(f"/lessons/{name}/steps/{n}?grain=pass").text).root
        boxes = len(list(found.all("div", cls="formula")))
        assert boxes == sum(bool(f.lines) for f in shown.formulas), "one without lines has no box"


def test_backward_the_signal_of_every_layer_stands_before_the_gradients_that_need_it() -> None:
    root = page("/lessons/1-2-3-1-sigmoid/steps/3?grain=pass").root
    layers = list(root.all("details", cls="layer"))
    assert [
        re.findall(r"Output|Hidden|layer|[0-9]", layer.one("summary").text) for layer in layers
    ] == [
        ["Output", "layer"],
        ["Hidden", "layer", "2"],
        ["Hidden", "layer", "1"],
    ]
    assert all("open" in layer.attributes for layer in layers)
    assert [div.named.removesuffix(" of layer 1") for div in layers[2].all("div", cls="left")] == [
        "derivative of L with respect to a", "derivative of a of layer 1 with respect to z",
        "derivative of L with respect to z", "derivative of L with respect to w 0",
        "derivative of L with respect to w"
    ]  # fmt: skip


@pytest.mark.parametrize("layers", [4, 32])
def test_of_a_deep_network_the_layers_between_the_ends_are_folded_and_say_what_is_in_them(
    layers: int,
) -> None:
    for n in (1, 3, 4, 5):
        parts = list(phase_of(layers, n).all("details", cls="layer"))
        assert len(parts) == layers + (n == 5)
        titles = [part.one("summary").text for part in parts if "open" in part.attributes]
        assert len(titles) == 2 + (n == 5)
        named = {" ".join(title.split()[:2]) for title in titles if not title.startswith("Loss")}
        assert named == {"Hidden layer", "Output layer"}
        assert sum(title.startswith("Hidden layer 1 ") for title in titles) == 1
        for part in parts:
            assert len(list(part.all("div", cls="formula"))) == len(
                part.one("summary").one("span", cls="source").text.split(", ")
            )


def test_a_phase_says_what_it_leaves_to_the_other_walks() -> None:
    for name in NAMES:
        for _, shown in steps(name, View(grain="pass")):
            assert "layer by layer" in shown.brief
        assert not any(shown.brief for _, shown in steps(name, View(grain="layer")))


@pytest.mark.parametrize("name", [name for name in NAMES if scenario(name).printed])
def test_what_the_slides_say_of_a_phase_is_there_or_counted(name: str) -> None:
    opened = context(name, View(grain="pass"))
    for n, shown in steps(name, View(grain="pass")):
        here = [opened.slides[q] for q in opened.slides if opened.step_of(q) == n]
        numbers = sum(len(slide.numbers) for slide in here)
        assert numbers == (len(shown.slide.numbers) + shown.slide.more if shown.slide else 0)
        assert sum(len(slide.remarks) for slide in here) == (
            len(shown.slide.remarks) if shown.slide else 0
        )
        assert sum(len(slide.notes) for slide in here) == len(shown.notes)
        assert sum(len(slide.closed_forms) for slide in here) == (
            len(shown.slide.closed_forms) if shown.slide else 0
        )


# ---- the numbers of a step ----


@pytest.mark.parametrize("decimals", [4, 7])
@pytest.mark.parametrize("name", NAMES)
def test_the_result_of_every_step_is_the_engines_number(name: str, decimals: int) -> None:
    view = View(decimals=decimals)
    opened = context(name, view)
    for n, shown in steps(name, view):
        q = opened.walk.anchor(n)
        if shown.stop:
            continue
        assert [parse(str(q))] == sorted(shown.formulas[0].makes, key=str)
        (result,) = (line for line in shown.formulas[0].lines if line.label == "result")
        value = opened.trace.value(q)
        sign = "=" if number.is_exact(value, decimals) else "≈"
        assert text_of(result.math) == sign + number.shown(value, decimals).replace("e", "·10")


@pytest.mark.parametrize(("name", "grain"), WALKS)
def test_a_number_stands_wherever_it_is_named_with_one_text(name: str, grain: str) -> None:
    opened = context(name, View(grain=grain))
    for n, text in texts(name, View(grain=grain), every=5):
        for cell in read(text).root.all("td"):
            if "data-q" in cell.attributes and "todo" not in cell.classes:
                value = opened.trace.value(parse(cell.attributes["data-q"]))
                written = float(cell.text.replace(number.MINUS, "-"))
                assert written == float(number.plain(value, opened.decimals)), (n, cell.attributes)


def digits_of(element: Element) -> str:
    """The text of a number, as `number.shown` has it."""
    return "".join(element.text.split()).replace("·10", "e")


def with_more_decimals(root: Element) -> list[Element]:
    """The numbers of a formula that has more decimals than the lecture, and says so."""
    return [
        element
        for line in root.all("p", cls="numbers")
        if any(note.text == MORE for note in line.all("span", cls="rounding"))
        for element in line.all("mn", "mrow")
        if "data-q" in element.attributes
    ]


@pytest.mark.parametrize("decimals", [2, 4, 6])
@pytest.mark.parametrize("name", NAMES)
def test_a_number_has_one_text_in_formula_diagram_and_tables(name: str, decimals: int) -> None:
    own = context(name).notation.preset
    for view in (
        View(decimals=decimals),
        View("layer", "" if own == "letters" else "letters", decimals),
    ):
        for n, text in list(texts(name, view))[::5]:
            said: dict[str, set[str]] = {}
            root = read(text).root
            finer = set(map(id, with_more_decimals(root)))
            for element in root.all("mn", "mrow", "text", "td", "span"):
                # a shape
                if (
                    "data-q" in element.attributes
                    and "todo" not in element.classes
                    and "×" not in element.text
                    and id(element) not in finer
                ):
                    said.setdefault(element.attributes["data-q"], set()).add(digits_of(element))
            for element in with_more_decimals(root):
                value = context(name).trace.value(parse(element.attributes["data-q"]))
                finer_texts = {number.shown(value, decimals, more) for more in range(1, 15)}
                assert digits_of(element) in finer_texts, n
            # the diagram has no room
            wide = {
                q
                for q in said
                if len(number.shown(context(name).trace.value(parse(q)), decimals)) > 9
            }
            assert {
                q: found for q, found in said.items() if len(found) > 1 and q not in wide
            } == {}, n


@pytest.mark.parametrize(("name", "grain"), WALKS)
def test_every_step_says_where_it_is(name: str, grain: str) -> None:
    total = len(context(name, View(grain=grain)).walk)
    for n, shown in steps(name, View(grain=grain)):
        assert (shown.where, shown.spoken) == (
            f"Step {n} of {total}",
            f"Step {n} of {total}: {shown.title}",
        )
        assert sum(phase.current for phase in shown.phases) == 1
        assert all(
            phase.done == phase.steps or not phase.done or phase.current for phase in shown.phases
        )
        assert sum(phase.done for phase in shown.phases) == n
        assert sum(phase.steps for phase in shown.phases) == total
        assert (bool(shown.back), bool(shown.next), bool(shown.last), bool(shown.first)) == (
            True,
            n < total,
            n < total,
            n > 1,
        )
        assert bool(shown.after) == (n == total)


# ---- what the slides print ----


@pytest.mark.parametrize("name", [name for name in NAMES if scenario(name).printed])
def test_what_the_slides_print_is_shown_at_its_step(name: str) -> None:
    opened, seen = context(name), set()
    for n in numbers(name):
        shown = read(fragment(f"/lessons/{name}/steps/{n}").text).root
        here = [q for q in opened.slides if opened.walk.step_of(q) == n]
        wanted = [entry for q in here for entry in opened.slides[q].numbers]
        lines = [line.text for box in shown.all("aside", cls="slide") for line in box.all("li")]
        assert bool(wanted) == bool(lines)
        for entry in sorted(
            wanted, key=lambda e: ["differs", "left-open", "agrees"].index(e.state)
        )[: len(lines)]:
            assert any(
                entry.printed in line and entry.word in line and entry.why in line for line in lines
            ), (n, entry)
            seen.add(entry.quantity)
    assert seen


@pytest.mark.parametrize("name", [name for name in NAMES if scenario(name).printed])
def test_the_slides_page_has_every_printed_number_beside_ours(name: str) -> None:
    root = page(f"/lessons/{name}/slides").root
    rows = [row for body in root.all("tbody") for row in body.all("tr")]
    entries = scenario(name).printed
    assert len(rows) == len(entries)
    assert sorted(row.elements[2].text for row in rows) == sorted(
        entry.value.replace("-", number.MINUS) for entry in entries
    )
    assert sum("differs" in row.classes for row in rows) == sum(
        bool(entry.slip) for entry in entries
    )
    assert sum("left-open" in row.classes for row in rows) == sum(
        bool(entry.left_open) for entry in entries
    )
    steps_ = [int(row.elements[0].text.removeprefix("step ").replace("given", "0")) for row in rows]
    assert steps_ == sorted(steps_)
    for row in rows:
        assert (
            (row.elements[4].text == "agrees")
            == ("agrees" in row.classes)
            == (row.elements[2].text == row.elements[3].text)
        )
        assert get(row.one("a").attributes["href"]).status_code == 200


@pytest.mark.parametrize("name", [name for name in NAMES if scenario(name).printed])
@pytest.mark.parametrize(
    ("show", "state"), [("slips", "differs"), ("open", "left-open"), ("agrees", "agrees")]
)
def test_the_slides_page_shows_the_numbers_of_one_state_where_the_address_says_so(
    name: str, show: str, state: str
) -> None:
    everything, some = (
        page(f"/lessons/{name}/slides").root,
        page(f"/lessons/{name}/slides?show={show}").root,
    )
    wanted = [row.text for row in everything.all("tr", cls=state)]
    assert [row.text for body in some.all("tbody") for row in body.all("tr")] == wanted
    assert wanted or "No printed number of this lesson belongs here." in some.text
    (current,) = (
        link for link in some.one("nav", cls="grains").all("a") if "aria-current" in link.attributes
    )
    assert current.attributes["href"] == f"/lessons/{name}/slides?show={show}"
    assert current.text.endswith(f"({len(wanted)})")
    for link in everything.one("nav", cls="grains").all("a"):
        assert get(link.attributes["href"]).status_code == 200


def test_the_slides_page_says_what_it_ignores_and_keeps_the_changes_of_a_reader_in_its_links() -> (
    None
):
    address = "/lessons/3-2-3-softmax/slides"
    strange = page(f"{address}?show=<b>all").root
    assert [notice.text for notice in strange.all("p", cls="notice")] == [
        "show “<b>all” is not known, so all numbers are here. Choices: all, slips, open, agrees."
    ]
    assert len([row for body in strange.all("tbody") for row in body.all("tr")]) == len(
        scenario("3-2-3-softmax").printed
    )
    changed = page(f"{address}?show=slips&x[1]=3").root
    assert len(list(changed.all("p", cls="notice"))) == 1
    assert [link.attributes["href"] for link in changed.one("nav", cls="grains").all("a")] == [
        f"{address}?x[1]=3",
        *(f"{address}?show={show}&x[1]=3" for show in ("slips", "open", "agrees")),
    ]


def test_the_numbers_of_each_state_are_counted_in_words() -> None:
    assert "45 printed numbers, each compared" in page("/lessons/3-2-3-softmax/slides").root.text
    for address in ("/lessons/3-2-3-softmax", "/lessons/3-2-3-softmax/slides"):
        assert (
            "29 agree, 13 are left open or unchanged by the lecture, 3 differ"
            in page(address).root.text
        )


@pytest.mark.parametrize("name", NAMES)
def test_what_the_tutor_adds_of_its_own_is_not_headed_on_the_slides(name: str) -> None:
    opened, own, remarks = context(name), [], []
    for n, _ in steps(name):
        shown = read(fragment(f"/lessons/{name}/steps/{n}").text).root
        for box in shown.all("aside", cls="worth"):
            assert box.one("h2").text == "Worth knowing"
            own += [" ".join(line.text.split()) for line in box.all("p")]
        for box in shown.all("aside", cls="slide"):
            assert box.one("h2").text == "On the slides"
            remarks.append(" ".join(box.text.split()))
    reached = [note for note in scenario(name).notes if opened.step_of(parse(note.at)) > 0]
    assert sorted(own) == sorted(
        " ".join(note.text.split()) for note in reached if not note.about_slides
    )
    for note in reached:
        assert any(" ".join(note.text.split()) in said for said in remarks) == note.about_slides


def other_loss(name: str) -> str:
    """The squared error that a lesson does not have."""
    return "half_squared_error" if scenario(name).loss.name == "squared_error" else "squared_error"


@pytest.mark.parametrize("query", ["iteration", "loss"])
def test_another_iteration_or_loss_is_not_compared_with_the_slides(query: str) -> None:
    name = "exploding-gradient" if "loss" in query else "1-2-3-1-sigmoid"
    view = (
        View(iteration=2) if "iteration" in query else View(changes=(("loss", other_loss(name)),))
    )
    for _, shown in steps(name, view):
        assert shown.slide is None or (not shown.slide.numbers and not shown.slide.closed_forms)
        assert bool(shown.variant) == (view.iteration == 2)
    assert any(
        shown.slide and (shown.slide.numbers or shown.slide.closed_forms)
        for _, shown in steps(name)
    )
    assert all(not shown.variant for _, shown in steps(name))


# ---- iterations and the other loss ----


def test_the_second_iteration_starts_from_the_weights_after_the_first() -> None:
    first, second = (
        context("1-2-3-1-sigmoid").trace,
        context("1-2-3-1-sigmoid", View(iteration=2)).trace,
    )
    for layer, part in enumerate(first.network.layers, 1):
        for i in range(1, part.units + 1):
            assert second.value(Quantity("b", layer, i)) == first.value(Quantity("b+", layer, i))
            for j in range(1, part.inputs + 1):
                assert second.value(Quantity("w", layer, i, j)) == first.value(
                    Quantity("w+", layer, i, j)
                )
    root = page("/lessons/1-2-3-1-sigmoid/steps/1?iteration=2").root
    assert (
        "0.1007"
        not in page("/lessons/1-2-3-1-sigmoid/steps/1").root.one("article", cls="board").text
    )
    assert "iteration 2" in root.one("p", cls="notice").text


def test_an_iteration_that_cannot_be_reached_is_refused_with_the_reason() -> None:
    root = read(get("/lessons/perceptron-step?iteration=2").text).root
    assert "iteration 1 cannot be finished" in root.one("article", cls="error").text


@pytest.mark.parametrize("name", ["linear-regression", "linear-sigmoid"])
def test_half_the_squared_error_halves_every_gradient_and_says_that_it_is_a_variant(
    name: str,
) -> None:
    assert scenario(name).loss.name == "squared_error"
    whole, half = context(name), context(name, View(changes=(("loss", "half_squared_error"),)))
    gradients = [q for q in whole.walk.order if q.kind in {"dL/da", "dL/dz", "dL/dw", "dL/db"}]
    assert len(gradients) > 10
    assert all(
        half.trace.value(q) == pytest.approx(whole.trace.value(q) / 2, rel=1e-15) for q in gradients
    )
    root = page(f"/lessons/{name}/steps/30?loss=half_squared_error").root
    assert "half squared error" in root.one("section", cls="changed").text
    chosen = [
        option
        for select in root.all("select")
        if select.attributes.get("name") == "loss"
        for option in select.elements
    ]
    assert [option.attributes["value"] for option in chosen if "selected" in option.attributes] == [
        "half_squared_error"
    ]


def test_the_settings_are_about_how_it_looks_only() -> None:
    selects = next(iter(page("/lessons/3-2-3-softmax/steps/1").root.all("form"))).all("select")
    assert [select.attributes["name"] for select in selects] == [
        "notation",
        "decimals",
        "paper",
        "input_gradients",
    ]


# ---- the form ----


def test_the_settings_form_carries_the_rest_of_the_view_along() -> None:
    root = page(
        "/lessons/1-2-3-1-sigmoid/steps/3?grain=layer&notation=letters&decimals=6&iteration=2&present=yes&x[1]=3"
    ).root
    form = next(iter(root.all("form")))
    hidden = {field.attributes["name"]: field.attributes["value"] for field in form.all("input")}
    assert hidden == {"grain": "layer", "iteration": "2", "present": "yes", "x[1]": "3"}
    chosen = {
        s.attributes["name"]: o.attributes["value"]
        for s in form.all("select")
        for o in s.elements
        if "selected" in o.attributes
    }
    assert chosen == {"notation": "letters", "decimals": "6", "paper": "", "input_gradients": "no"}
    assert form.attributes["method"] == "get"
    assert all(any(True for _ in label.all("select")) for label in form.all("label"))


def test_each_notation_can_be_chosen_and_keeps_the_numbers() -> None:
    board = {}
    for preset in PRESETS:
        answer = get(f"/lessons/1-2-3-1-sigmoid/steps/20?notation={preset}")
        target = answer.headers.get(
            "Location", f"/lessons/1-2-3-1-sigmoid/steps/20?notation={preset}"
        )
        named = page(target).root.one("article", cls="board").elements
        board[preset] = sorted(number.text for number in named if "data-q" in number.attributes)
    assert len({tuple(numbers) for numbers in board.values()}) == 1
    assert len(board) == 4


def test_the_end_of_a_lesson_offers_what_next() -> None:
    last = list(steps("1-2-3-1-sigmoid"))[-1][1]
    assert [urlsplit(link.href).path for link in last.after][-1] == "/"
    assert any("iteration=2" in link.href for link in last.after)
    assert any(link.href.endswith("/slides") for link in last.after)
    stopped = list(steps("perceptron-step"))[-1][1]
    assert stopped.after
    assert not any("iteration" in link.href for link in stopped.after)


def test_the_chain_page_shows_the_same_number_as_its_step() -> None:
    found = 0
    for name in NAMES:
        for n, shown in steps(name):
            if shown.chain_href:
                found += 1
                root = page(f"/lessons/{name}/steps/{n}/chain").root
                (result,) = root.all("p", cls="result")
                assert result.one("math").text == text_of(shown.formulas[0].lines[-1].math)
                links = [a.attributes["href"] for a in root.one("p", cls="crumb").all("a")]
                assert links[-1] == f"/lessons/{name}/steps/{n}"
    assert found > 20


def test_the_slides_are_compared_once_for_all_views_of_a_lesson() -> None:
    opened = context("1-2-3-1-sigmoid")
    assert opened.slides
    for view in (View("layer"), View(notation="letters", decimals=6), View(present=True)):
        assert context("1-2-3-1-sigmoid", view).slides is opened.slides
    assert context("1-2-3-1-sigmoid", View(iteration=2)).slides == {}
