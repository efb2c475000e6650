"""Drafts: lessons that are being written in the form.

    scenario -> of_scenario -> Draft -> the form -> of_form -> Draft -> checked -> scenario, or what
    is wrong

A draft holds texts, so nothing that was typed is lost, whatever is wrong with it. `checked` says
all problems at once, each under the name of its field; those that belong to no field stand under ""
(`draft_fields.TOP`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import ValidationError

from tutor.builder.draft import DROPPABLE, Draft, LayerDraft, compact, fields, frozen_texts, of_form
from tutor.builder.draft_data import data, field_of, kept_text, said_at, typing
from tutor.builder.fields import FIELDS, MINI_BATCH, PARTS, PLAIN, TOP, in_order
from tutor.builder.grid import MOST_CELLS, Grid
from tutor.number import short
from tutor.scenario import reader as scenarios
from tutor.scenario.knobs import chosen
from tutor.scenario.model import Generator
from tutor.scenario.problem import ScenarioError
from tutor.scenario.reader import LayerSpec, Scenario

__all__ = [
    "MOST_NUMBERS", "Draft", "blank", "checked", "data", "fields", "of_form", "of_scenario",
    "too_large", "written",
]  # fmt: skip

MOST_NUMBERS = 6_000
"""More given numbers than this are no work for a form."""
WHERE = "the form"


def of_scenario(scenario: Scenario) -> Draft:
    """The draft of a lesson: its numbers as people write them, what has no field in `rest`."""
    x, y = (Grid(_texts(rows)) for rows in (scenario.inputs, scenario.targets))
    batch = scenario.training.batch
    texts = {
        **_written(PLAIN, scenario),
        "clipping": chosen(scenario.training)["clipping"],
        "rest": _rest(scenario),
        "batch": MINI_BATCH if isinstance(batch, int) else batch,
        "inputs_before": scenario.network.inputs,
    }
    layers, samples = compact(map(_layer, scenario.network.layers)), str(len(scenario.inputs) or "")
    return Draft(frozen_texts(texts), layers, x, y, rows_text(x, y), samples=samples)


def _written(names: Iterable[str], part: Any) -> dict[str, str]:
    """The text of every value in this part of a lesson; where there is none, the default."""
    found = {}
    for name in names:
        field, value = FIELDS[name], part
        for key in field.path:
            value = getattr(value, key, None)
        found[name] = field.default if value is None or not field.path else field.kind.write(value)
    return found


def _layer(layer: LayerSpec) -> LayerDraft:
    texts = {**_written(PARTS, layer), "biases": "none" if layer.biases is None else "on"}
    weights, biases = _texts(layer.weights or ()), _texts([layer.biases or ()])
    return LayerDraft(frozen_texts(texts), Grid.of_rows(weights), Grid.of_rows(biases))


def _texts(rows: Iterable[Iterable[float]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(map(written, row)) for row in rows)


def _rest(scenario: Scenario) -> str:
    """Everything that has no field, as JSON, which is YAML."""
    trainable = scenario.network.trainable.model_dump(exclude_none=True)
    parts: dict[str, Any] = {
        "lecture": scenario.lecture and scenario.lecture.model_dump(),
        "network": trainable and {"trainable": trainable},
        "notation": scenario.notation.overrides,
    }
    parts |= {
        name: [entry.model_dump(exclude_none=True) for entry in getattr(scenario, name)]
        for name in DROPPABLE
    }
    return kept_text({key: value for key, value in parts.items() if value})


def rows_text(x: Grid, y: Grid) -> str | None:
    """The samples as lines where a field for each number would be too many, else None."""
    if x.rows * (x.columns + y.columns) <= MOST_CELLS:
        return None
    return "\n".join(
        "  ".join((*inputs, *targets)) for inputs, targets in zip(x.cells, y.cells, strict=True)
    )


def written(value: float) -> str:
    """A number as people write it, and as it reads back exactly: `-0.3`, `2`, `1e-07`."""
    return short(value)


NO_FORM = "This lesson is a formula, for which the form has no fields. You can still edit its text."


def too_large(scenario: Scenario) -> str:
    """Why a lesson is no work for a form, or ""."""
    layers = scenario.network.layers
    numbers = [row for layer in layers for row in (*(layer.weights or ()), layer.biases or ())]
    count = sum(map(len, (*numbers, *scenario.inputs, *scenario.targets)))
    if count <= MOST_NUMBERS:
        return ""
    return (
        f"This lesson has {count:,} written numbers; the form holds up to {MOST_NUMBERS:,}. "
        "You can still edit its text."
    )


def blank() -> Draft:
    """A small sound lesson to begin with: 2-2-1, tanh and sigmoid, one sample."""
    hidden = {"units": "2", "activation": "tanh", "seed": "1"}
    output = {"units": "1", "activation": "sigmoid", "seed": "2"}
    texts = {
        "title": "A network of my own", "inputs": "2",
        "loss": "binary_cross_entropy", "learning_rate": "0.5", "reduction": "mean",
        "optimizer": "sgd", "batch": "full", "notation": "brackets", "decimals": "4",
    }  # fmt: skip
    return Draft(
        frozen_texts(texts),
        (
            LayerDraft(
                frozen_texts(hidden),
                _given([["0.5", "-0.3"], ["0.8", "0.2"]]), _given([["0.1", "-0.1"]]),
            ),
            LayerDraft(frozen_texts(output), _given([["0.7", "-0.4"]]), _given([["0.2"]])),
        ),
        _given([["1", "0.5"]]), _given([["1"]]), samples="1",
    )  # fmt: skip


def _given(rows: Sequence[Sequence[str]]) -> Grid:
    return Grid.of_rows(rows)


def checked(draft: Draft) -> tuple[Scenario | None, dict[str, str]]:
    """The scenario of a draft, or every problem under the name of its field, in form order."""
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


def generator_of(draft: Draft) -> Generator | None:
    """What makes the samples of a draft; None where they are typed or it cannot be read."""
    if not draft.made:
        return None
    try:
        return Generator.model_validate(data(draft)["data"]["generator"])
    except ValidationError:
        return None


def _told(found: dict[str, str], name: str) -> bool:
    """Whether the field has a message already, or a whole table one of its numbers."""
    return name in found or (
        name.endswith("]") and any(other.startswith(f"{name}[") for other in found)
    )
