"""Drafts: lessons that are being written in the form.

    scenario -> of_scenario -> Draft -> the form -> of_form -> Draft -> checked -> scenario, or what is wrong

A draft holds texts, so nothing that was typed is lost, whatever is wrong with it. `checked` says all problems at once,
each under the name of its field; those that belong to no field stand under "" (`draft_fields.TOP`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tutor import draft_kept
from tutor import scenario as scenarios
from tutor.draft_data import data, typing
from tutor.draft_fields import TOP, field_of, in_order, said_at
from tutor.draft_form import fields, of_form
from tutor.draft_grid import MOST_CELLS, Grid
from tutor.draft_model import DROPPABLE, Draft, LayerDraft, compact, frozen_texts
from tutor.number import short
from tutor.problem import ScenarioError
from tutor.scenario import Layer, Scenario

__all__ = [
    "MOST_NUMBERS", "Draft", "blank", "checked", "data", "fields", "of_form", "of_scenario", "too_large", "written",
]  # fmt: skip

MOST_NUMBERS = 6_000
"""More given numbers than this are no work for a form."""
WHERE = "the form"


def of_scenario(scenario: Scenario) -> Draft:
    """The draft of a lesson: its numbers as people write them, what has no field in `rest`."""
    network, training = scenario.network, scenario.training
    x, y = (Grid(tuple(tuple(map(written, row)) for row in rows)) for rows in (scenario.inputs, scenario.targets))
    texts = {
        "title": scenario.title, "course": scenario.course, "about": scenario.about, "learn": "\n".join(scenario.learn),
        "inputs": network.inputs, "loss": network.loss.name, "reduction": network.loss.reduction,
        "learning_rate": written(training.learning_rate), "optimizer": training.optimizer, "batch": training.batch,
        "notation": scenario.notation.preset, "decimals": scenario.display.decimals, "origin": scenario.origin,
        "rest": _rest(scenario), "split": network.inputs,
    }  # fmt: skip
    return Draft(
        frozen_texts(texts), compact(map(_layer, network.layers)), x, y, rows_text(x, y), samples=str(len(scenario.inputs))
    )


def _layer(layer: Layer) -> LayerDraft:
    init = layer.init
    texts: dict[str, Any] = {
        "units": layer.units, "activation": layer.activation, "biases": "none" if layer.biases is None else "on",
        "slope": "" if layer.slope is None else written(layer.slope), "alpha": "" if layer.alpha is None else written(layer.alpha),
        "fill": init.scheme if init else "given", "scale": written(init.scale) if init else "1", "seed": init.seed if init else 0,
        "trainable": ", ".join(f"{key}: {str(word).lower()}" for key, word in layer.trainable if word is not None),
    }  # fmt: skip
    weights, biases = layer.weights or (), layer.biases or ()
    return LayerDraft(
        frozen_texts(texts), Grid.of_rows([tuple(map(written, row)) for row in weights]), Grid.of_rows([tuple(map(written, biases))])
    )


def _rest(scenario: Scenario) -> str:
    """Everything that has no field, as JSON, which is YAML."""
    trainable = scenario.network.trainable.model_dump(exclude_none=True)
    parts: dict[str, Any] = {
        "lecture": scenario.lecture and scenario.lecture.model_dump(),
        "network": trainable and {"trainable": trainable},
        "training": scenario.training.iterations != 1 and {"iterations": scenario.training.iterations},
        "notation": scenario.notation.overrides,
    }
    parts |= {name: [entry.model_dump(exclude_none=True) for entry in getattr(scenario, name)] for name in DROPPABLE}
    return draft_kept.written({key: value for key, value in parts.items() if value})


def rows_text(x: Grid, y: Grid) -> str | None:
    """The samples as lines where a field for each number would be too many, else None."""
    if x.rows * (x.columns + y.columns) <= MOST_CELLS:
        return None
    return "\n".join("  ".join((*inputs, *targets)) for inputs, targets in zip(x.cells, y.cells, strict=True))


def written(value: float) -> str:
    """A number as people write it, and as it reads back exactly: `-0.3`, `2`, `1e-07`."""
    return short(value)


def too_large(scenario: Scenario) -> str:
    """Why a lesson is no work for a form, or ""."""
    layers = scenario.network.layers
    numbers = [row for layer in layers for row in (*(layer.weights or ()), layer.biases or ())]
    count = sum(map(len, (*numbers, *scenario.inputs, *scenario.targets)))
    if count <= MOST_NUMBERS:
        return ""
    return f"This lesson has {count:,} written numbers; the form carries up to {MOST_NUMBERS:,}. Its text can still be changed."


def blank() -> Draft:
    """A small sound lesson to begin with: 2-2-1, tanh and sigmoid, one sample."""
    hidden = {"units": "2", "activation": "tanh", "seed": "1"}
    output = {"units": "1", "activation": "sigmoid", "seed": "2"}
    texts = {
        "title": "A network of my own", "inputs": "2", "loss": "binary_cross_entropy", "learning_rate": "0.5", "reduction": "mean",
        "optimizer": "sgd", "batch": "full", "notation": "brackets", "decimals": "4",
    }  # fmt: skip
    return Draft(
        frozen_texts(texts),
        (
            LayerDraft(frozen_texts(hidden), _given([["0.5", "-0.3"], ["0.8", "0.2"]]), _given([["0.1", "-0.1"]])),
            LayerDraft(frozen_texts(output), _given([["0.7", "-0.4"]]), _given([["0.2"]])),
        ),
        _given([["1", "0.5"]]), _given([["1"]]), samples="1",
    )  # fmt: skip


def _given(rows: Sequence[Sequence[str]]) -> Grid:
    return Grid.of_rows(rows)


def checked(draft: Draft) -> tuple[Scenario | None, dict[str, str]]:
    """The scenario of a draft, or every problem under the name of its field, in the order of the form."""
    found = typing(draft)
    plain = data(draft)
    for path, message in scenarios.problems_of(plain):
        name = field_of(draft, path)
        said = said_at(draft, path, message)
        if name == TOP:
            found[TOP] = f"{found[TOP]}; {said}" if TOP in found else said
        elif not _told(found, name):
            found[name] = said
    if found:
        return None, in_order(found)
    try:
        return scenarios.parse_data(plain, WHERE), {}
    except ScenarioError as error:
        return None, {TOP: str(error)}


def _told(found: dict[str, str], name: str) -> bool:
    """Whether the field has a message already, or a whole table one of its numbers."""
    return name in found or (name.endswith("]") and any(other.startswith(f"{name}[") for other in found))
