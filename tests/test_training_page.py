"""The page of a training: its addresses, what it says of a run, and its way into each iteration."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from tests.htmltree import read
from tests.visiting import scenario
from tutor import number
from tutor.engine.network import Array, Network
from tutor.engine.quantity import Quantity
from tutor.engine.run import Run, loss_on, value, with_values
from tutor.engine.trace import Trace
from tutor.engine.trace import run as traced
from tutor.lesson import changes
from tutor.lesson.running import Running, verdict
from tutor.lesson.setup import training
from tutor.pages.gradient_flow import scale
from tutor.pages.training_charts import chosen_iterations, round_up
from tutor.pages.training_query import Asked
from tutor.pages.training_runs import Trained, batch_name
from tutor.pages.view import View
from tutor.scenario.reader import load
from tutor.web import routes_training

SHELF = Path(__file__).parents[1] / "scenarios"
LESSON = "/lessons/linear-regression/training"
HX = {"HX-Request": "true"}
SLOW = """\
format: 1
title: Many samples
network:
  inputs: 2
  layers:
    - {units: 60, activation: tanh, init: {scheme: xavier, seed: 1}}
    - {units: 1, activation: sigmoid, init: {scheme: xavier, seed: 2}}
  loss: {name: binary_cross_entropy}
data:
  inputs: [INPUTS]
  targets: [TARGETS]
training: {learning_rate: 0.3, iterations: 1000}
"""


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Path(__file__).parents[1] / "scenarios").test_client()


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page waits for its whole run, however busy the machine is."""
    monkeypatch.setattr(routes_training, "FIRST", 10.0)


@pytest.fixture
def slow(tmp_path: Path) -> FlaskClient:
    """A lesson whose training takes more than one request."""
    inputs = ", ".join(f"[{n % 17}e-1, {n % 23}e-1]" for n in range(400))
    targets = ", ".join(f"[{int(n % 17 > 8)}]" for n in range(400))
    text = SLOW.replace("INPUTS", inputs).replace("TARGETS", targets)
    (tmp_path / "slow.yaml").write_text(text, encoding="utf-8")
    return create_app(tmp_path).test_client()


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


# ---- what it shows ----


def test_a_run_is_told_in_a_sentence_and_drawn(client: FlaskClient) -> None:
    page = client.get(f"{LESSON}?iterations=100").text
    assert "After 100 iterations" in page
    assert "the loss has fallen from 2.75 to 0.0019" in page
    for heading in ("Loss", "Gradient norm per layer", "Weights and biases", "Loss surface"):
        assert f"<h2>{heading}</h2>" in page


def test_each_point_of_the_loss_opens_its_iteration_at_the_first_step(client: FlaskClient) -> None:
    page = client.get(f"{LESSON}?iterations=100").text
    links = re.findall(r'<a href="([^"]*)" aria-label="Open iteration (\d+): loss ([^"]*)"', page)
    assert [int(n) for _, n, _ in links] == [1, 20, 40, 60, 80, 100]
    for href, n, _ in links:
        where = "" if n == "1" else f"?iteration={n}"
        assert href == f"/lessons/linear-regression/steps/1{where}"
        assert client.get(href).status_code == 200


def test_the_numbers_of_the_charts_are_a_table_whose_rows_open_iterations(
    client: FlaskClient,
) -> None:
    page = client.get(f"{LESSON}?iterations=10").text
    table = page[page.index('<details id="numbers">') :].partition("</table>")[0]
    assert table.count("<tr>") == 11
    assert '<a href="/lessons/linear-regression/steps/1?iteration=7">7</a>' in table
    heads = [words(head) for head in re.findall(r'<th scope="col">(.*?)</th>', table)]
    assert heads[:3] == ["Iteration", "Loss", "Gradient, output layer"]


def test_the_same_numbers_stand_in_the_table_and_in_the_steps(client: FlaskClient) -> None:
    page = client.get(f"{LESSON}?iterations=10").text
    loss = re.search(r'iteration=7">7</a></th><td>([^<]*)', page)
    assert loss is not None
    trace = client.get("/lessons/linear-regression/export/json?iteration=7").json
    assert trace is not None
    assert f"{trace['loss'] if 'loss' in trace else float(loss[1]):.4f}" == loss[1]


def test_a_changed_lesson_is_trained_as_it_is_changed(client: FlaskClient) -> None:
    page = client.get(f"{LESSON}?iterations=10&w[1][1,1]=0.7").text
    assert "What was changed" in page
    assert "steps/1?iteration=7&amp;w[1][1,1]=0.7" in page
    assert '<input type="hidden" name="w[1][1,1]" value="0.7">' in page


def test_a_single_iteration_has_one_loss(client: FlaskClient) -> None:
    page = client.get(f"{LESSON}?iterations=1").text
    assert "After 1 iteration one loss is known, that of iteration 1: 2.75." in page


# ---- another learning rate ----


def test_two_learning_rates_are_on_the_same_axes(client: FlaskClient) -> None:
    page = client.get(f"{LESSON}?iterations=50&other=0.01").text
    assert "With learning rate 0.1 the loss has fallen" in page or "With learning rate 0.1" in page
    assert "With learning rate 0.01" in page
    assert 'class="line line-2"' in page
    assert "Learning rate 0.01: starts at 2.75" in page


def test_a_rate_that_explodes_says_where_and_what_to_try(client: FlaskClient) -> None:
    page = client.get(f"{LESSON}?other=5").text
    assert "training explodes" in page
    assert "With learning rate 5 the run stops in iteration 84: the new loss" in page
    assert "is larger than a 64-bit number can hold" in page
    assert "The curve is kept up to there." in page
    assert "Compare with learning rate 0.5" in page
    opened = re.search(r'<a href="([^"]*)">Open iteration 84 at the step where it stops', page)
    assert opened is not None
    step = client.get(opened[1].replace("&amp;", "&"))
    assert step.status_code == 200
    assert "The walk ends here" in step.text


def links(page: str) -> dict[str, str]:
    """The addresses in the box of a run that stopped, by their texts."""
    box = re.search(r'<div class="stop">.*?</div>', page, re.DOTALL)
    assert box is not None
    found = re.findall(r'<a href="([^"]*)">([^<]*)</a>', box[0])
    return {unescape(text): unescape(href) for href, text in found}


def test_after_a_run_that_explodes_there_are_ways_that_do_not(client: FlaskClient) -> None:
    page = client.get(f"{LESSON}?learning_rate=5&iterations=90").text
    ways = links(page)
    own, clipped = (
        "Compare with learning rate 0.1, the lesson’s own",
        "Clip the gradient to length 1",
    )
    compared = client.get(ways[own]).text
    assert "With learning rate 5 training explodes" in compared
    assert "With learning rate 0.1 " in compared
    assert compared.count('<div class="stop">') == 1
    after = client.get(ways[clipped]).text
    assert "clipping=norm" in ways[clipped]
    assert "learning_rate=5" in ways[clipped]
    assert "training explodes" not in after


def test_a_run_that_cannot_begin_does_not_blame_its_learning_rate(client: FlaskClient) -> None:
    page = client.get(f"{LESSON}?x[1]@1=1e300&iterations=9").text
    assert "Training cannot begin" in page
    assert "The run stops in iteration 1, before its first update: the loss" in page
    assert "No learning rate helps here" in page
    ways = links(page)
    assert "Compare with" not in " ".join(ways)
    assert "Training cannot begin" not in client.get(ways["Take back your changes"]).text
    assert client.get(ways["Change the inputs or the weights"]).status_code == 200


def test_sets_that_nothing_is_learned_from_have_their_losses_and_accuracies(tmp_path: Path) -> None:
    data = (
        "generator: {name: moons, samples: 40}\n  split: {train: 0.5, validation: 0.25, test: 0.25}"
    )
    inputs, targets = "inputs: [INPUTS]\n", "  targets: [TARGETS]"
    text = SLOW.replace(inputs, data).replace(targets, "").replace("units: 60", "units: 3")
    (tmp_path / "sets.yaml").write_text(text, encoding="utf-8")
    page = create_app(tmp_path).test_client().get("/lessons/sets/training?iterations=9").text
    table = page[page.index("<caption>Some iterations") :]
    last = re.findall(r"<td>([^<]*)</td>", table[: table.index("</tbody>")].rpartition("<tr>")[2])
    run = Running(load(tmp_path / "sets.yaml")).run
    run.record(9)
    others = run.points.kept[9].others
    found = [number.shown(one.loss, 4) for one in others]
    found += [number.shown(one.accuracy or 0, 4) for one in others]
    assert last[2:6] == found
    for what in ("Loss", "Accuracy"):
        plot = page[page.index(f"<h2>{what}</h2>") :]
        for name in ("validation", "test"):
            assert f"{what} on the {name} set" in plot[: plot.index("</ul>")]
            assert f'<th scope="col">{what} on the {name} set</th>' in table


def last_row(page: str) -> list[str]:
    """The head and the cells of the last row of the numbers of the charts."""
    table = page[page.index("<caption>Some ") :]
    row = table[: table.index("</tbody>")].rpartition("<tr>")[2]
    return [re.sub(r"<[^>]+>", "", cell) for cell in re.split(r"(?=<t[hd])", row)[1:]]


def test_the_last_iteration_of_a_long_run_is_looked_at(client: FlaskClient) -> None:
    run = Running(scenario("overfitting")).run
    run.record(1000)
    assert max(run.points.kept) < 1000
    told = number.shown(run.look(1000).others[0].loss, 4)
    page = client.get("/lessons/overfitting/training?iterations=1000").text
    assert f"has risen to {told} since: a sign of overfitting." in page
    n, *cells = last_row(page)
    assert n == "1,000"
    assert told in cells
    assert all(cells)
    short = client.get("/lessons/overfitting/training?iterations=9").text
    assert "On the test set it is " in short


@pytest.mark.parametrize(
    "asked",
    [
        "overfitting/training?iterations=1000&loss_below=0.0555",
        "overfitting/training?iterations=996",
        "overfitting/training?iterations=432&of=1000",
        "linear-regression/training?learning_rate=0.2&iterations=1000",
    ],
)
def test_the_last_iteration_is_looked_at_wherever_a_run_ends(
    asked: str, client: FlaskClient
) -> None:
    page = client.get(f"/lessons/{asked}").text
    n, *cells = last_row(page)
    assert 400 < int(n.replace(",", "")) < 1000
    assert all(cells)


def test_a_run_in_pieces_is_looked_at_where_a_run_in_one_go_is() -> None:
    asked = Asked("overfitting", View(), 450, 450)
    pieces, whole = Running(scenario("overfitting")), Running(scenario("overfitting"))
    for last in (3, 399, 405, 450):
        pieces.run.record(last)
    whole.run.record(450 + 15)
    one, other = (Trained.of(run, "", None, 1, asked) for run in (pieces, whole))
    assert [n for n, _ in one.points] == [*range(1, 450, 2), 450]
    assert one.points == other.points
    assert [n for n, _ in one.networks()] == [n for n, _ in other.networks()]
    assert [n for n, _ in one.networks()][-2:] == [449, 450]


def test_a_run_that_explodes_is_not_called_overfitting(client: FlaskClient) -> None:
    page = client.get("/lessons/overfitting/training?learning_rate=1e6").text
    assert "On the validation set it was lowest in iteration 1" in page
    assert "overfitting." not in re.sub(r"<[^>]+>", "", page).replace("overfitting.yaml", "")


def test_a_number_of_an_optimizer_that_is_too_large_is_named_in_words(client: FlaskClient) -> None:
    page = client.get("/lessons/adam-by-hand/training?learning_rate=1e308").text
    assert "the update step of a weight in the output layer (step.w[1][1,1]) is larger" in page


def test_samples_of_one_class_are_told_where_they_are_trained(client: FlaskClient) -> None:
    said = "All 6 training samples are of one class, with targets 1, 0, 0; the network learns"
    address = "/lessons/stochastic-descent/training?iterations=1"
    classes = {3: 2, 4: 2, 5: 3, 6: 3}
    same = "&".join(f"y[1]@{n}=1&y[{of}]@{n}=0" for n, of in classes.items())
    assert said not in client.get(address).text
    assert said in client.get(f"{address}&{same}").text


def test_a_lesson_that_explodes_by_itself_keeps_its_curve(client: FlaskClient) -> None:
    page = client.get(f"{LESSON}?learning_rate=5&iterations=90").text
    assert "training explodes" in page
    assert "<h2>Loss</h2>" in page
    assert "is cut off" in page


def test_a_network_behind_a_step_function_cannot_be_trained(client: FlaskClient) -> None:
    page = client.get("/lessons/perceptron-step/training").text
    assert "This network cannot be trained." in page
    assert (
        'href="/lessons/perceptron-step/training"'
        not in client.get("/lessons/perceptron-step").text
    )


def test_the_slider_is_a_form_from_far_too_small_to_far_too_large(client: FlaskClient) -> None:
    for at, rate in ((0, "0.001"), (50, "0.1"), (95, "6.3"), (100, "10")):
        page = client.get(f"{LESSON}?iterations=90&slide={at}").text
        assert f'<output id="slid" for="slide">{rate}</output>' in page
        assert re.search(rf'name="slide" min="0" max="100" value="{at}"', page)
    assert "With learning rate 6.3 training explodes" in client.get(f"{LESSON}?slide=95").text
    crawls = client.get(f"{LESSON}?iterations=9&slide=0").text
    assert "With learning rate 0.001 training crawls" in crawls
    assert (
        'data-address="/lessons/linear-regression/training?iterations=9&amp;other=0.001"' in crawls
    )
    assert "“x” is not a whole number from 0 to 100." in client.get(f"{LESSON}?slide=x").text


def test_what_is_seldom_used_is_folded_up_until_it_holds_something(client: FlaskClient) -> None:
    other, early = "Compare rate, batch or optimizer", "Stop early when a goal is reached"
    for query, opened in (
        ("", set()),
        ("?other=0.01", set()),
        ("?other_optimizer=adam", {other}),
        ("?other=fast", {other}),
        ("?loss_below=0.1", {early}),
        ("?change_below=x&other_optimizer=adm", {other, early}),
    ):
        page = client.get(f"/lessons/valley-momentum/training{query}").text
        form = page[page.index("<form") : page.index('<div id="run"')]
        folded = re.findall(r"<details( open)?><summary>([^<]*)", form)
        assert [text for _, text in folded] == [other, early]
        assert {text for is_open, text in folded if is_open} == opened, query


def test_a_rate_that_is_compared_can_be_taken_back_beside_its_slider(client: FlaskClient) -> None:
    back = '<a class="reset" href="/lessons/linear-regression/training?iterations=9#run">Do not compare</a>'
    assert back in client.get(f"{LESSON}?iterations=9&other=0.01").text
    assert "Do not compare" not in client.get(f"{LESSON}?iterations=9").text


def test_an_answer_begins_at_the_result_that_was_asked_for(client: FlaskClient) -> None:
    page = client.get(f"{LESSON}?iterations=9").text
    assert page.count('<form method="get" action="/lessons/linear-regression/training#run"') == 2
    assert 'href="/lessons/linear-regression/training?iterations=10#run">10</a>' in page


# ---- other batches, another optimizer ----

BATCHES = "/lessons/batch-descent/training"


def rows(html: str) -> dict[str, list[str]]:
    """The table of numbers: the cells of each row by its head."""
    table = html[html.index('<details id="numbers">') :].partition("</table>")[0]
    found = re.findall(r"<tr>(<th.*?)</tr>", table)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in found]
    return {words(head): [words(cell) for cell in rest] for head, *rest in cells}


def run_of(batch: str, iterations: int) -> list[float]:
    """The losses of the lesson with other batches, by the engine alone."""
    own = scenario("batch-descent")
    run = Run(training(changes.apply(own, (("batch", batch),) if batch != "full" else ())))
    run.record(iterations)
    return list(run.losses)


@pytest.mark.parametrize(("batch", "size"), [("online", 1), ("2", 2), ("4", 4)])
def test_batches_are_compared_after_equally_many_epochs(
    client: FlaskClient, batch: str, size: int
) -> None:
    page = client.get(f"{BATCHES}?iterations=20&other_batch={batch}").text
    updates = -(-6 // size)
    assert f"({20 * updates} iterations, 20 epochs)" in words(page)
    assert "In one epoch a run sees every sample once: 1 update with full batches" in page
    table = rows(page)
    assert list(table["Epoch"])[:2] == ["Loss, full batches", "Loss, " + batch_name(size, 6)]
    full, other = run_of("full", 20), run_of(batch, 20 * updates)
    for epoch in (1, 7, 20):
        mean = sum(other[(epoch - 1) * updates : epoch * updates]) / updates
        assert table[str(epoch)][:2] == [number.shown(full[epoch - 1], 4), number.shown(mean, 4)]


def test_the_axis_can_be_iterations_and_says_what_they_see(client: FlaskClient) -> None:
    page = client.get(f"{BATCHES}?iterations=24&other_batch=online&per=iteration").text
    seen = "6 samples with full batches and 1 sample with single samples (online)"
    assert f"but sees more or less of the data: {seen}." in page
    full, online = run_of("full", 24), run_of("online", 24)
    shown = [number.shown(full[23], 4), number.shown(online[23], 4)]
    assert rows(page)["24"][:2] == shown
    assert (
        '<a href="/lessons/batch-descent/training?iterations=24&amp;other_batch=online&amp;per=epoch#run">per epoch</a>'
        in page
    )
    assert ">per iteration</a>" not in client.get(f"{BATCHES}?iterations=24").text, "the same"


def test_a_run_of_single_samples_alone_may_go_over_epochs(client: FlaskClient) -> None:
    page = client.get("/lessons/stochastic-descent/training?iterations=12&per=epoch").text
    assert set(rows(page)) == {"Epoch", "1", "2"}
    assert "steps/1?iteration=12" in page
    assert "each leads to its last update" in page


def test_a_run_that_would_be_too_long_is_said_to_be_shorter(client: FlaskClient) -> None:
    page = client.get("/lessons/circle-averaged/training?iterations=60&other_batch=online").text
    for _ in range(200):
        if 'id="go-on"' not in page:
            break
        page = client.get(
            "/lessons/circle-averaged/training/progress?iterations=60&other_batch=online"
        ).text
    assert "it goes 50 epochs far, for a run has at most 10,000 iterations here." in page


def test_less_than_an_epoch_is_compared_by_iterations(client: FlaskClient) -> None:
    page = client.get("/lessons/stochastic-descent/training?iterations=4&other_batch=full").text
    assert "One iteration is one update" in page
    assert len(rows(page)) == 5


def test_optimizers_are_compared_with_the_paths_of_both(client: FlaskClient) -> None:
    page = client.get("/lessons/narrow-valley/training?other_optimizer=momentum").text
    assert "With gradient descent" in page
    assert "With momentum" in page
    surface = page[page.index("<h2>Loss surface</h2>") :]
    assert 'class="line line-1"' in surface
    assert 'class="line line-2"' in surface
    assert '<option value="momentum" selected>momentum</option>' in page


def test_what_is_the_lesson_anyway_is_no_second_run(client: FlaskClient) -> None:
    for same in ("other_batch=full", "other=0.5", "other_batch=6", "other_optimizer=sgd"):
        page = client.get(f"{BATCHES}?iterations=5&{same}").text
        assert "After 5 iterations" in page, same


def test_a_second_run_that_ends_opens_as_it_was_run(client: FlaskClient) -> None:
    page = client.get("/lessons/relu-towers/training?iterations=50&other_batch=2&other=1e200").text
    opened = re.search(r'<a href="([^"]*)">Open iteration \d+ at the step where', page)
    assert opened is not None
    assert "batch=2" in opened[1]
    assert "learning_rate=1e200" in opened[1]
    assert client.get(opened[1].replace("&amp;", "&")).status_code == 200


# ---- pictures ----


def test_every_output_of_a_fitted_curve_has_its_targets_in_the_legend(tmp_path: Path) -> None:
    text = """\
format: 1
title: Two curves
network:
  inputs: 1
  layers: [{units: 3, activation: tanh, init: {scheme: xavier, seed: 1}}, {units: 2, activation: identity, init: {scheme: xavier, seed: 2}}]
  loss: {name: squared_error}
data: {inputs: [[0], [1], [2]], targets: [[0, 3], [1, 2], [2, 1]]}
training: {learning_rate: 0.1, iterations: 5}
"""
    (tmp_path / "two.yaml").write_text(text, encoding="utf-8")
    page = create_app(tmp_path).test_client().get("/lessons/two/training").text
    fitted = page[page.index("<h2>Fitted curve</h2>") :]
    legend = re.findall(r'class="key ([a-z]+-\d)"[^>]*/></svg>([^<]*)<', fitted)[:4]
    assert legend == [
        ("line-1", "output 1"), ("line-2", "output 2"),
        ("mark-1", "targets of output 1"), ("mark-2", "targets of output 2"),
    ]  # fmt: skip


# ---- goals ----


def test_a_run_ends_where_its_goal_is_reached(client: FlaskClient) -> None:
    page = client.get(f"{LESSON}?iterations=1000&loss_below=0.01").text
    reached = re.search(r"The goal is reached in iteration (\d+)\.", page)
    assert reached is not None
    assert f"After {reached[1]} iterations" in page
    assert "<details open><summary>Stop early" in page


def test_a_goal_that_is_out_of_reach_is_said_to_be(client: FlaskClient) -> None:
    page = client.get(f"{LESSON}?iterations=10&loss_below=1e-9").text
    assert "The goal is not reached within 10 iterations." in page


# ---- moments ----


def test_the_picture_of_a_moment_has_an_address(client: FlaskClient) -> None:
    page = client.get(f"{LESSON}?iterations=20&at=5").text
    assert "<b>After iteration 5</b>" in page
    assert 'name="at" min="0" max="20" value="5"' in page
    assert "Lines of equal output after iteration 5" in page
    assert "<b>Before training</b>" in client.get(f"{LESSON}?iterations=20&at=0").text


def test_activations_that_pile_up_are_seen_in_a_histogram(client: FlaskClient) -> None:
    page = client.get("/lessons/lifestyle-unscaled/training?iterations=100").text
    said = re.search(r'<desc id="chart-activity-about">(.*?)</desc>', page)
    assert said is not None
    assert "Hidden layer: most of them, 50 %, from 0" in said[1]
    assert "<h2>Activations</h2>" in page
    assert "<h2>Activations</h2>" not in client.get(f"{LESSON}?iterations=10").text, "one layer"


def test_one_layer_has_no_table_of_layers_and_a_squashed_output_none_of_units(
    client: FlaskClient,
) -> None:
    one = client.get(f"{LESSON}?iterations=10").text
    assert "Layer by layer" not in one
    assert "The first units alone" not in one
    more = client.get("/lessons/lifestyle-scaled/training?iterations=10").text
    assert "Layer by layer" in more
    assert "The first units alone" not in more


def test_the_sizes_of_the_layers_are_those_of_the_moment(client: FlaskClient) -> None:
    def cells(at: int) -> list[str]:
        page = client.get(f"/lessons/deep-residual/training?iterations=20&at={at}").text
        table = page[page.index('id="layers-table"') :]
        return re.findall(r"<td>([^<]*)", table[: table.index("</table>")])

    assert len(cells(0)) == 7 * 3
    assert cells(0) != cells(20)
    assert re.search(r"Hidden layer 1</th><td>[\d.]+<svg", client.get(
        "/lessons/deep-residual/training?iterations=20&at=0").text)  # fmt: skip


def test_a_histogram_of_many_layers_has_the_first_the_last_and_some_between(
    client: FlaskClient,
) -> None:
    page = client.get("/lessons/init-he/training?iterations=1").text
    said = re.search(r'<desc id="chart-activity-about">(.*?)</desc>', page)
    assert said is not None
    assert [name for name in ("Hidden layer 1", "Hidden layer 6", "Output layer") if name in said[1]] == [
        "Hidden layer 1", "Hidden layer 6", "Output layer",
    ]  # fmt: skip


def test_the_moment_alone_is_a_part_of_the_page(client: FlaskClient) -> None:
    part = client.get(f"{LESSON}/moment?iterations=20&at=5", headers=HX)
    assert part.text.startswith('<div id="moment"')
    whole = client.get(f"{LESSON}?iterations=20&at=5").text
    assert part.text.strip() in whole
    answer = client.get(f"{LESSON}/moment?iterations=20&at=5")
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{LESSON}?iterations=20&at=5#moment"


def test_the_surface_is_over_the_chosen_parameters(client: FlaskClient) -> None:
    page = client.get(f"{LESSON}?iterations=20&first=w[1][1,2]&second=b[1][1]").text
    assert "The loss over w 2 and b" in page
    drawn = page[page.index('aria-label="The loss over') :]
    axes = [name.partition("</text>")[0] for name in drawn.split('middle">')[-2:]]
    assert axes == ['𝑤<tspan dy="3">2</tspan>', "𝑏"]
    assert '<option value="b[1][1]" label="b"></option>' in page
    bold = client.get(f"{LESSON}?iterations=20&notation=parentheses").text
    assert "The loss over w[" not in bold


@pytest.fixture
def surface(client: FlaskClient) -> list[tuple[str, list[list[str]]]]:
    """The captions of the tables of a surface with two runs, and the texts of their cells."""
    page = client.get(f"{LESSON}?iterations=30&other=0.4&first=w[1][1,2]&second=b[1][1]").text
    tables = read(page).root.one("details", id="numbers-surface").all("table")
    return [
        (
            table.one("caption").text,
            [[cell.text for cell in row.all("th", "td")] for row in table.all("tr")],
        )
        for table in tables
    ]


def trained(iterations: int) -> Run:
    run = Running(load(SHELF / "linear-regression.yaml")).run
    run.record(iterations)
    return run


def test_a_surface_has_its_losses_as_a_table(surface: list[tuple[str, list[list[str]]]]) -> None:
    caption, ((_, *across), *rows) = surface[0]
    over = "w 2 (across) and b (up)"
    assert caption == f"The loss over {over}, at 25 of the 441 places of the picture"
    run, first, second = trained(30), Quantity("w", 1, 1, 2), Quantity("b", 1, 1)
    assert len(across) == len(rows) == 5
    assert plain(rows[0][0]) > plain(rows[-1][0]), "up is up"
    for up, *losses in rows:
        for a, shown in zip(across, losses, strict=True):
            there = with_values(
                run.parameters(31), {first: plain(a.rpartition("= ")[2]), second: plain(up)}
            )
            own = loss_on(there, run.training.x, run.training.y)
            assert plain(shown) == pytest.approx(own, rel=1e-2, abs=1e-3)


def test_a_surface_has_its_paths_as_tables(surface: list[tuple[str, list[list[str]]]]) -> None:
    _, (own, (head, *rows)), (other, _) = surface
    assert own == (
        "The path with learning rate 0.1, with the loss over all samples; "
        "24 of its 31 points, the others are left out"
    )
    assert (head[0], head[-1]) == ("Iterations done", "Loss")
    assert "The path with learning rate 0.4" in other
    assert "it leaves the picture" in other
    run = trained(30)
    assert len(rows) == 24
    for n, *cells in rows:
        network = run.parameters(int(n) + 1)
        found = value(network, Quantity("w", 1, 1, 2)), value(network, Quantity("b", 1, 1))
        loss = loss_on(network, run.training.x, run.training.y)
        assert cells == [number.shown(one, 4) for one in (*found, loss)]


def plain(text: str) -> float:
    return float(text.replace("−", "-"))


# ---- nonsense ----


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("iterations=x", "“x” is not a whole number from 1 to 10,000."),
        ("iterations=0", "“0” is too small; expected a whole number from 1 to 10,000."),
        (
            "iterations=10000000",
            "“10000000” is too large; expected a whole number from 1 to 10,000.",
        ),
        ("other_batch=7000", "samples from 1 to 4; got &#39;7000&#39;."),
        ("other_optimizer=adm", "&#39;adm&#39; is not known; did you mean adam?"),
        ("per=year", "“year” is not known; expected epoch or iteration."),
        ("slide=101", "“101” is too large; expected a whole number from 0 to 100."),
        ("other=-1", "Expected a number above 0, got −1."),
        ("other=fast", "&#39;fast&#39; is not a number"),
        ("accuracy=0.5", "The targets of this lesson are not classes, so there is no accuracy."),
        ("accuracy=2", "Expected a number above 0 and at most 1, got 2."),
        ("loss_below=0", "Expected a number above 0, got 0."),
        ("change_below=1e999", "too large"),
        ("first=w[9][1,1]&second=b[1][1]", "“w[9][1,1]” is not a weight or bias that learns here"),
        ("first=b[1][1]&second=b[1][1]", "The surface needs two different parameters."),
        ("at=101&iterations=100", "“101” is too large; expected a whole number from 0 to 100."),
    ],
)
def test_nonsense_in_a_field_is_answered_in_the_form(
    client: FlaskClient, query: str, said: str
) -> None:
    answer = client.get(f"{LESSON}?{query}")
    assert answer.status_code == 422
    assert said in answer.text
    assert 'id="run"' in answer.text


def test_what_is_no_setting_is_ignored_and_said_to_be(client: FlaskClient) -> None:
    answer = client.get(f"{LESSON}?colour=red&grain=zzz")
    assert answer.status_code == 200
    assert "“colour” is not a setting of a lesson" in answer.text


def test_a_lesson_that_there_is_not_is_missing(client: FlaskClient) -> None:
    assert client.get("/lessons/nothing/training").status_code == 404
    assert client.get(f"{LESSON}/nothing").status_code == 404
    part = client.get(f"{LESSON}/moment?iterations=x", headers=HX)
    assert part.status_code == 404
    assert "There is no picture of this moment." in part.text


@pytest.mark.parametrize(
    "text",
    [
        "<script>x</script>",
        '"><b>',
        "'; drop",
        "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
        "9" * 5000,
    ],
)
def test_what_stands_in_a_field_comes_back_as_text(client: FlaskClient, text: str) -> None:
    for name in (
        "iterations",
        "other",
        "other_batch",
        "other_optimizer",
        "per",
        "slide",
        "first",
        "at",
    ):
        answer = client.get(LESSON, query_string={name: text})
        assert answer.status_code == 422
        assert "<script>x" not in answer.text
        assert '"><b>' not in answer.text


# ---- long runs ----


def test_a_long_run_shows_how_far_it_is_and_goes_on(
    slow: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for piece in ("FIRST", "PIECE", "PATIENT"):
        monkeypatch.setattr(routes_training, piece, 0.05)
    answer = slow.get("/lessons/slow/training")
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "ETag" not in answer.headers
    told = re.search(
        r"([\d,]+) of 1,000 iterations, loss so far [\d.]+, about [\d,]+ seconds? left", answer.text
    )
    assert told is not None
    done = int(told[1].replace(",", ""))
    assert f'<progress max="1000" value="{done}"' in answer.text
    assert '<a class="button" id="go-on" href="/lessons/slow/training/progress">' in answer.text
    part = slow.get("/lessons/slow/training/progress", headers=HX).text
    assert part.startswith('<div id="run"')
    further = re.search(r'value="(\d+)" aria-label="Iterations"', part)
    assert further is None or int(further[1]) > done
    whole = slow.get("/lessons/slow/training/progress").text
    assert whole.startswith("<!doctype html>")


def test_a_run_that_is_stopped_keeps_what_it_has(slow: FlaskClient) -> None:
    page = slow.get("/lessons/slow/training?iterations=3&of=1000").text
    assert "You stopped the run after 3 of 1,000 iterations." in page
    assert "<h2>Loss</h2>" in page


def test_a_run_that_is_done_may_be_kept_by_caches(client: FlaskClient) -> None:
    answer = client.get(f"{LESSON}?iterations=10")
    assert answer.headers["Cache-Control"].startswith("public")
    again = client.get(f"{LESSON}?iterations=10", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_an_iteration_opens_from_what_the_run_left(client: FlaskClient) -> None:
    client.get(f"{LESSON}?iterations=300")
    running = client.application.extensions["tutor"].library.running
    scenario = client.application.extensions["tutor"].library.find("linear-regression")
    kept = running(scenario).training
    assert max(kept._kept) >= 288
    assert client.get("/lessons/linear-regression/steps/1?iteration=290").status_code == 200


# ---- verdicts and round numbers ----


@pytest.mark.parametrize(
    ("losses", "word"),
    [
        ([1.0 * 0.9**n for n in range(100)], "converges"),
        ([1.0 - 0.009 * n for n in range(100)], "falls"),
        ([1.0 - 0.0001 * n for n in range(100)], "crawls"),
        ([1.0 * 1.1**n for n in range(50)], "diverges"),
        ([1.0 + 0.5 * (-1) ** n for n in range(50)], "bounces"),
        ([1.0] + [0.08 * 0.999**n for n in range(200)], "falls"),
        ([1.0] + [0.08 * 0.9999**n for n in range(200)], "converges"),
        ([1.0] * 10, "stays"),
        ([1.0, 1.005], "diverges"),
        ([1.0, 0.5], "falls"),
    ],
)
def test_how_a_run_went_is_one_word(losses: list[float], word: str) -> None:
    found = verdict(losses)
    assert found is not None
    assert found.word == word


def test_there_is_no_verdict_without_losses() -> None:
    assert verdict([]) is None
    exploded = verdict([1.0, 1e200], exploded=True)
    assert exploded is not None
    assert exploded.word == "explodes"


SINGLE = "/lessons/stochastic-descent/training"


def verdict_of(page: str, start: str) -> str:
    """The sentences that begin so."""
    found = [unescape(text) for text in re.findall(r'<p class="verdict">([^<]*)', page)]
    return next(text for text in found if text.startswith(start))


def test_a_run_on_all_samples_is_judged_by_the_loss_of_its_iterations(client: FlaskClient) -> None:
    page = client.get(f"{BATCHES}?iterations=300").text
    full = run_of("full", 300)
    first, last = number.shown(full[0], 4), number.shown(full[-1], 4)
    said = verdict_of(page, "After 300 iterations the loss has fallen")
    assert f"from {first} to {last}" in said
    assert "epoch" not in said


@pytest.mark.parametrize(("batch", "size"), [("online", 1), ("4", 4)])
def test_a_run_on_batches_is_judged_by_the_mean_loss_of_its_epochs(
    client: FlaskClient, batch: str, size: int
) -> None:
    updates = -(-6 // size)
    n = 50 * updates + 1  # one update of the next epoch, which is not over
    page = client.get(f"{BATCHES}?batch={batch}&iterations={n}").text
    losses = run_of(batch, n)
    epochs = [sum(losses[k : k + updates]) / updates for k in range(0, 50 * updates, updates)]
    first, last = number.shown(epochs[0], 4), number.shown(epochs[-1], 4)
    said = verdict_of(page, f"After {n} iterations (50 epochs) the mean loss of an epoch")
    assert f"has fallen from {first} in epoch 1 to {last} in epoch 50 and is still" in said
    assert number.shown(losses[0], 4) not in said
    assert number.shown(losses[-1], 4) not in said


def test_a_run_on_batches_that_hovers_has_settled(client: FlaskClient) -> None:
    page = client.get(f"{SINGLE}?iterations=2400").text
    said = verdict_of(page, "After 2,400 iterations (400 epochs) training has settled: the mean")
    assert said.endswith("and hardly changes any more.")
    falls = client.get(f"{SINGLE}?iterations=600").text  # by a seventh in the last ten epochs
    assert verdict_of(falls, "After 600 iterations").endswith("is still falling.")
    crawls = client.get(f"{SINGLE}?iterations=600&learning_rate=0.0001").text
    assert "(100 epochs) training crawls: the mean loss of an epoch has only" in crawls
    grows = client.get(f"{SINGLE}?iterations=60&learning_rate=1e9").text
    assert "(10 epochs) training diverges: the mean loss of an epoch has grown" in grows
    explodes = client.get("/lessons/relu-towers/training?iterations=50&batch=2&learning_rate=1e200")
    assert "training explodes: the numbers leave the range" in explodes.text


def test_before_epochs_can_be_compared_the_loss_over_all_samples_is_told(
    client: FlaskClient,
) -> None:
    page = client.get(f"{SINGLE}?iterations=3").text
    own = training(scenario("stochastic-descent"))
    before, after = (number.shown(loss_on(own.at(n).network, own.x, own.y), 4) for n in (1, 4))
    said = verdict_of(page, "After 3 iterations the loss over all 6 training samples has gone")
    assert f"from {before} to {after}. The losses of single updates are of different" in said
    assert said.endswith("shows after 3 epochs of 6 updates each.")
    assert "mean loss" in verdict_of(client.get(f"{SINGLE}?iterations=18").text, "After 18")


def test_a_goal_of_a_run_on_batches_is_met_by_an_epoch(client: FlaskClient) -> None:
    page = client.get(f"{SINGLE}?loss_below=0.1&iterations=600").text
    run = Run(training(scenario("stochastic-descent")))
    run.record(600)
    losses = list(run.losses)
    ends = range(6, 601, 6)
    met = next(n for n in ends if sum(losses[n - 6 : n]) / 6 < 0.1)
    assert min(losses[: met - 6]) < 0.1, "a single update is below it long before"
    assert f"The goal is reached in iteration {met}." in page
    assert "the mean over each epoch" in page
    assert "the mean over each epoch" not in client.get(f"{LESSON}?iterations=9").text


def test_samples_one_at_a_time_have_an_accuracy_to_reach(client: FlaskClient) -> None:
    page = client.get(f"{SINGLE}?accuracy=1&iterations=600")
    assert page.status_code == 200
    assert re.search(r"The goal is reached in iteration \d+\.", page.text)
    assert "are not classes" in client.get(f"{LESSON}?accuracy=1").text


@pytest.mark.parametrize("last", [1, 2, 9, 10, 11, 84, 100, 999, 1000, 1234, 10_000])
def test_the_linked_iterations_are_few_and_round_and_go_to_the_end(last: int) -> None:
    found = chosen_iterations(last, 10)
    assert found[0] == 1
    assert found[-1] == last
    assert len(found) <= 10
    assert found == sorted(set(found))
    if last > 10:
        step = round_up(last / 9)
        assert all(n % step == 0 for n in found[1:-1])


def test_sizes_beyond_float64_fill_their_bars(client: FlaskClient) -> None:
    answer = client.get("/lessons/relu-tower/training?x[1]@1=1e16&w[1][1,1]=1e100")
    assert answer.status_code == 200
    shown = scale([1.0, 4.0, float("inf")])
    assert (shown.high, shown(2.0), shown(float("inf"))) == (4.0, 50.0, 100.0)


def test_the_pictures_of_a_deep_network_ask_it_forward_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over a grid of 1,681 places a way back through thirty layers takes most of a second."""
    layer = "    - {units: 60, activation: tanh, init: {scheme: xavier, seed: 1}}\n"
    text = SLOW.replace(layer, layer * 30)
    text = text.replace("[INPUTS]", "[[0, 1], [1, 0], [1, 1]]").replace(
        "[TARGETS]", "[[0], [1], [1]]"
    )
    (tmp_path / "deep.yaml").write_text(text, encoding="utf-8")
    sizes = []

    def counted(network: Network, x: Array, *more: Any) -> Trace:
        sizes.append(len(x))
        return traced(network, x, *more)

    monkeypatch.setattr("tutor.engine.run.traced", counted)
    page = create_app(tmp_path).test_client().get("/lessons/deep/training?iterations=9").text
    assert "Decision boundary" in page
    assert sizes
    assert max(sizes) == 3
