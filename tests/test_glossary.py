"""The glossary: every term once, in order, with a place of its own; steps lead to it, files do not."""

from __future__ import annotations

import re

import pytest

from tests.visiting import NAMES, get, page, steps
from tutor.engine.activations import NAMES as FUNCTIONS
from tutor.engine.activations import activation
from tutor.engine.losses import LOSSES
from tutor.lesson.explain import TERMS
from tutor.pages import glossary

ENTRIES = glossary.page().entries
NEEDED = {
    "activation",
    "activation function",
    "backward pass",
    "batch",
    "bias",
    "binary cross-entropy",
    "chain rule",
    "computation graph",
    "cross-entropy",
    "derivative",
    "epoch",
    "error signal",
    "forward accumulation",
    "forward pass",
    "gradient",
    "gradient descent",
    "iteration",
    "Jacobian",
    "layer",
    "learning rate",
    "logits",
    "loss",
    "path",
    "pre-activation",
    "ReLU",
    "reverse accumulation",
    "sample",
    "saturated",
    "sigmoid",
    "skip connection",
    "softmax",
    "squared error",
    "tanh",
    "target",
    "unit",
    "update",
    "verification pass",
    "weight",
}


def test_every_term_of_the_tutor_is_there_once_in_alphabetical_order() -> None:
    words = [entry.word for entry in ENTRIES]
    assert {word.lower() for word in NEEDED} <= {word.lower() for word in words}
    assert {word for word, _ in TERMS.values()} <= {word.lower() for word in words}
    assert words == sorted(words, key=str.lower)
    assert len({entry.anchor for entry in ENTRIES}) == len(ENTRIES)


def test_a_meaning_is_one_or_two_sentences_and_written_once() -> None:
    for entry in ENTRIES:
        assert re.fullmatch(r"[A-Z].{15,230}[.]", entry.meaning), entry
        assert len(re.findall(r"[.] [A-Z]", entry.meaning)) < 3, entry
        assert not re.search(r"  |_|\.\.|\bby an? ", entry.word), entry
    assert not set(glossary.OTHERS) & {word for word, _ in TERMS.values()}
    assert not {word.lower() for word in glossary.OTHERS} & {
        *(activation(name).title.lower() for name in FUNCTIONS),
        *(loss.title.lower() for loss in LOSSES.values()),
    }


def test_every_symbol_belongs_to_a_term() -> None:
    words = {entry.word.lower() for entry in ENTRIES if entry.symbol}
    assert set(glossary._QUANTITIES) <= words
    assert set(glossary._READ) <= words


def test_each_term_has_its_anchor_and_functions_lead_to_their_curves() -> None:
    shown = page("/glossary")
    places = [div.attributes["id"] for div in shown.root.all("div") if "id" in div.attributes]
    assert places == [entry.anchor for entry in ENTRIES]
    curves = {entry.curve for entry in ENTRIES} - {""}
    assert len(curves) == len(FUNCTIONS)
    drawn = get("/activations").text
    assert all(f'id="{curve.partition("#")[2]}"' in drawn for curve in curves)


@pytest.mark.parametrize("name", NAMES)
def test_a_term_on_a_step_leads_to_its_place(name: str) -> None:
    places = {f"/glossary#{entry.anchor}" for entry in ENTRIES}
    found = [(n, shown) for n, shown in steps(name) if shown.term]
    assert found
    for n, shown in found:
        assert shown.glossary in places
        assert f'<dfn><a href="{shown.glossary}"' in get(f"/lessons/{name}/steps/{n}").text


@pytest.mark.parametrize(
    "address", ["/lessons/1-2-3-1-sigmoid/export/html", "/embed/lessons/1-2-3-1-sigmoid/steps/1"]
)
def test_a_file_and_a_frame_explain_a_term_without_a_link(address: str) -> None:
    text = get(address).text
    assert "<dfn>Pre-activation</dfn>" in text
    assert "/glossary" not in text
