"""The timeline, the outline and the neighbours of a step: each leads to the step that it names."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from tests.visiting import NAMES, WALKS, context
from tutor.engine.kinds import phases_of
from tutor.lesson.explain import PHASE_TITLES
from tutor.lesson.walk import GRAINS
from tutor.pages.outline import grains, outline, places, samples, timeline
from tutor.pages.view import View


def number_in(href: str) -> int:
    return int(href.partition("?")[0])


@pytest.mark.parametrize(("name", "grain"), WALKS)
def test_the_timeline_has_the_phases_that_the_walk_reaches_and_counts_its_steps(
    name: str, grain: str
) -> None:
    view = View(grain=grain)
    walk, phases = context(name, view).walk, phases_of(scaled=False)
    assert len(timeline(walk.step(1), view.step)) == (5 if name != "perceptron-step" else 3)
    for n in range(1, len(walk) + 1):
        found = timeline(walk.step(n), view.step)
        assert sum(phase.steps for phase in found) == len(walk)
        assert sum(phase.done for phase in found) == n
        (here,) = [k for k, phase in enumerate(found) if phase.current]
        assert phases[here] == walk.phase(n)
        for k, phase in enumerate(found):
            first = number_in(phase.href)
            assert walk.phase(first) == phases[k]
            assert first == 1 or walk.phase(first - 1) == phases[k - 1]
            assert phase.done == (phase.steps if k < here else 0 if k > here else n - first + 1)


@pytest.mark.parametrize("grain", ["number", "layer"])
@pytest.mark.parametrize("name", NAMES)
def test_the_outline_marks_one_place_and_its_places_follow_the_walk(name: str, grain: str) -> None:
    view = View(grain=grain)
    opened = context(name, view)
    walk, at = opened.walk, places(opened.walk, opened.line)
    for n in range(1, len(walk) + 1):
        chapters = outline(at, n, view.step)
        links = [link for chapter in chapters for link in chapter.links]
        starts = [link.n for link in links]
        assert [number_in(link.href) for link in links] == starts
        assert all(
            a < b for chapter in chapters for a, b in pairwise([link.n for link in chapter.links])
        )
        assert starts[0] == 1
        assert all(1 <= start <= len(walk) for start in starts)
        for chapter in chapters:
            assert chapter.title in PHASE_TITLES.values()
            assert {PHASE_TITLES[walk.phase(link.n)] for link in chapter.links} == {chapter.title}
            assert len({link.text for link in chapter.links}) == len(chapter.links)
        assert sum(link.current for link in links) == 1, n


@pytest.mark.parametrize("name", NAMES)
def test_the_walk_by_phases_needs_no_outline(name: str) -> None:
    opened = context(name, View(grain="pass"))
    assert outline(places(opened.walk, opened.line), 1, View().step) == ()


@pytest.mark.parametrize("grain", ["number", "layer"])
@pytest.mark.parametrize("name", NAMES)
def test_a_place_is_called_by_words_with_its_symbols_and_no_name_of_ours(
    name: str, grain: str
) -> None:
    opened = context(name, View(grain=grain))
    for chapter in outline(places(opened.walk, opened.line), 1, View().step):
        for link in chapter.links:
            assert re.fullmatch(
                r"(Hidden layer( \d+)?: |Output layer: |Inputs: |New |Loss|Change )[a-z -]*"
                r"(, (activations|added up|sample by sample)[a-z -]*)?",
                link.text,
            ), link.text
            assert link.symbols
            assert all(symbol.startswith("<math") for symbol in link.symbols)


def test_the_places_of_a_lecture_read_as_a_table_of_contents() -> None:
    opened = context("1-2-3-1-sigmoid")
    by_title = {
        chapter.title: [link.text for link in chapter.links]
        for chapter in outline(places(opened.walk, opened.line), 1, View().step)
    }
    assert by_title["Backward pass"][2] == "Output layer: gradients of the biases and weights"
    assert by_title["Backward pass"][4] == "Hidden layer 2: slopes and error signals"
    assert by_title["Update"][1] == "Hidden layer 2: new biases and weights"
    assert by_title["Verification"][:1] == ["Hidden layer 1: new pre-activations and activations"]


def test_a_step_that_is_a_whole_matrix_has_the_shares_of_all_samples_added_up() -> None:
    opened = context("linear-regression", View(grain="layer"))
    texts = [
        link.text
        for chapter in outline(places(opened.walk, opened.line), 1, View().step)
        for link in chapter.links
    ]
    assert "Output layer: gradients of the biases and weights, added up" in texts
    assert "Output layer: gradients of the biases and weights, sample by sample" not in texts


@pytest.mark.parametrize(("name", "grain"), WALKS)
def test_another_grain_shows_the_same_place(name: str, grain: str) -> None:
    view = View(grain=grain)
    opened = context(name, view)
    for n in range(1, len(opened.walk) + 1):
        links = grains(opened, opened.walk.step(n))
        assert [link.current for link in links] == [g == grain for g in GRAINS]
        for other, link in zip(GRAINS, links, strict=True):
            there, walk = number_in(link.href), opened.lesson.walk(other)
            assert 1 <= there <= len(walk)
            assert walk.phase(there) == opened.walk.phase(n)
            assert link.href == View(grain=other).step(there)
        assert number_in(links[GRAINS.index(grain)].href) == n


def test_a_step_about_one_sample_leads_to_the_same_step_of_the_others() -> None:
    walk = context("linear-regression").walk
    for n in range(1, len(walk) + 1):
        q, links = walk.anchor(n), samples(walk.step(n), View().step)
        assert bool(links) == bool(q.sample)
        if links:
            assert [link.text for link in links] == ["1", "2", "3", "4"]
            assert [link.current for link in links] == [s == q.sample for s in range(1, 5)]
            assert [walk.anchor(link.n).sample for link in links] == [1, 2, 3, 4]
            assert {walk.anchor(link.n).kind for link in links} == {q.kind}


def test_one_sample_needs_no_links_to_others() -> None:
    walk = context("1-2-3-1-sigmoid").walk
    assert not any(samples(walk.step(n), View().step) for n in range(1, len(walk) + 1))
