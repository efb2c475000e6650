"""The form in which a lesson is made: every field with its label, its text as it was typed, and
what is wrong with it.

    build_page(examined, …)   -> BuildPage
    live_part(examined)       -> LivePart       only what changes while one types

Decisions about what is shown where are made here; the template places it. Field names are those of
addresses and messages: `units[2]`, `w[2][1,3]`, `x[1]@2`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from tutor.builder.draft import DROPPABLE, Draft, LayerDraft
from tutor.builder.draft_data import rest
from tutor.builder.fields import FIELDS, PARTS, PLAIN, field_of_number
from tutor.builder.form_tables import NumberTable, layer_table, sample_table
from tutor.builder.preview import NO_FIELD, Examined, Preview, alphabet_of, anchor, preview
from tutor.engine.losses import LOSSES
from tutor.limits import LAYERS
from tutor.notation.mathml import Line
from tutor.pages.outline import Link
from tutor.scenario.knobs import KNOBS
from tutor.scenario.problem import ScenarioError

NEEDS: Final = {"binary_cross_entropy": "sigmoid", "cross_entropy": "softmax"}
KEPT_BESIDE: Final = {
    "lecture": "its place in the gallery", "network": "which parameters learn",
    "notation": "its own notation",
}  # fmt: skip
"""What came with the lesson and cannot be dropped."""
assert set(NO_FIELD) == set(DROPPABLE)


@dataclass(frozen=True, slots=True)
class Field:
    """One field with its text. `kind` is text, whole (a count), number, lines or choice."""

    name: str
    label: str
    text: str
    problem: str
    kind: str = "text"
    hint: str = ""
    only: tuple[str, ...] = ()
    """What this field belongs to, an activation or `optimizer-adam`; with another one it is shown
    only while something stands in it.
    """
    placeholder: str = ""
    options: tuple[tuple[str, str, bool, bool], ...] = ()
    """What can be chosen: (value, text, chosen, can be chosen)."""


@dataclass(frozen=True, slots=True)
class Paste:
    """A field for text from a spreadsheet; `action` is what its button does."""

    field: Field
    action: str
    open: bool


@dataclass(frozen=True, slots=True)
class LayerForm:
    """One layer: its fields, its table, and what can be done with it."""

    n: int
    title: str
    units: Field
    activation: Field
    parameters: tuple[Field, ...]
    biases: Field
    table: NumberTable
    long: tuple[Field, ...]
    """Tables that are one text, a row per line."""
    fill: Field
    scale: Field
    seed: Field
    paste: Paste
    note: str
    hidden: tuple[tuple[str, str], ...]
    actions: tuple[tuple[str, str], ...]
    """(action, text) of the buttons that move or remove it."""

    @property
    def anchor(self) -> str:
        """Where the page goes on after a button of this layer."""
        return f"layer-{self.n}"


@dataclass(frozen=True, slots=True)
class SampleForm:
    """The samples: what makes them, or one table, inputs and then targets; and what becomes of
    them.
    """

    generator: Field
    making: tuple[Field, ...]
    """How a generator makes them."""
    write_out: str
    """What the button does that puts them into the table."""
    split: tuple[Field, ...]
    scaling: Field
    count: Field | None
    table: NumberTable
    long: Field | None
    paste: Paste


@dataclass(frozen=True, slots=True)
class Keeping:
    """What came with the lesson and has no field: (value, text, dropped)."""

    parts: tuple[tuple[str, str, bool], ...]
    others: str
    problem: str


@dataclass(frozen=True, slots=True)
class BuildPage:
    """The whole form, with what its draft comes to."""

    title: str
    origin: Link | None
    focused: bool
    """Whether the focus goes to the list of problems."""
    what: tuple[Field, ...]
    inputs: Field
    layers: tuple[LayerForm, ...]
    layers_problem: str
    can_add: bool
    samples: SampleForm
    loss: Field
    reduction: Field
    learning: tuple[tuple[Field, ...], ...]
    """How it learns, row by row: each choice with its numbers."""
    notation: Field
    own_notation: str
    decimals: Field
    input_gradients: Field
    keeping: Keeping | None
    hidden: tuple[tuple[str, str], ...]
    can_save: bool
    live: Preview


@dataclass(frozen=True, slots=True)
class LivePart:
    """What changes while one types: the preview, and what is wrong with fields (field, message)."""

    live: Preview
    problems: tuple[tuple[str, str], ...]
    focused: bool = False
    """Never: one is typing."""


def build_page(
    found: Examined,
    said: str = "",
    focused: bool = False,
    can_save: bool = True,
    notes: tuple[str, ...] = (),
    origin: str = "",
) -> BuildPage:
    """The page of a draft after its checks; `origin` is the title of the lesson that it is a copy
    of, where that is known.
    """
    draft, form = found.draft, _Form(found.draft, found.problems)
    page = {
        "what": tuple(map(form.field, ("title", "course", "about", "learn"))),
        "inputs": form.field("inputs"),
        "layers": tuple(form.layer(n, layer) for n, layer in enumerate(draft.layers, 1)),
        "layers_problem": form.problem("layers"),
        "samples": form.samples(),
        "loss": form.loss(), "reduction": form.field("reduction"),
        "learning": tuple(form.learning()),
        "notation": form.field("notation"), "decimals": form.field("decimals"),
        "input_gradients": form.field("input_gradients"), "keeping": form.keeping(),
    }  # fmt: skip
    hidden = (("layers", str(len(draft.layers))), *((name, draft[name]) for name in _hidden(PLAIN)))
    source = draft["origin"]
    link = Link(origin or source, f"/lessons/{source}") if linkable(source) else None
    return BuildPage(
        title="Build a lesson from another" if source else "Build a lesson",
        origin=link, own_notation=_own(draft),
        focused=focused, can_add=len(draft.layers) < LAYERS, can_save=can_save, hidden=hidden,
        live=preview(found, (*((said,) if said else ()), *notes)),
        **page,  # type: ignore[arg-type]
    )  # fmt: skip


def live_part(found: Examined, notes: tuple[str, ...] = ()) -> LivePart:
    """What changes while one types."""
    beside = (
        (anchor(found.draft, name), message) for name, message in found.problems.items() if name
    )
    return LivePart(preview(found, notes), tuple(dict(beside).items()))


def linkable(origin: str) -> bool:
    """Whether an origin looks like the id of a lesson."""
    return (
        bool(origin)
        and len(origin) <= 80
        and all(c.isascii() and (c.isalnum() or c == "-") for c in origin)
    )


def _own(draft: Draft) -> str:
    try:
        choices = rest(draft).get("notation", {})
    except ScenarioError:
        return ""
    return ", ".join(
        f"{key.replace('_', ' ')} {value}" for key, value in choices.items() if key != "preset"
    )


def _hidden(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if FIELDS[name].kind.name == "hidden")


class _Form:
    """Makes the fields of one draft."""

    def __init__(self, draft: Draft, problems: Mapping[str, str]) -> None:
        self.draft = draft
        self.problems = {anchor(draft, name): message for name, message in problems.items()}
        self.line = Line(alphabet_of(draft, draft.widths), 4)

    def problem(self, name: str) -> str:
        """What is wrong with a field, or ""."""
        return self.problems.get(name, "")

    def field(self, name: str, layer: int = 0, options: Mapping[str, str] | None = None) -> Field:
        """A field of the lesson or of a layer (from 1); `options` where its row has none."""
        row, label, text = FIELDS[name], FIELDS[name].label, self.draft[name]
        if layer:
            name, label, text = (
                f"{name}[{layer}]",
                label.capitalize(),
                self.draft.layers[layer - 1][name],
            )
        known = {**(options or row.options or {})}
        if known and text not in known:
            known = {text: f"{text[:60] or 'nothing'} (not known)", **known}
        made = tuple(
            (value, words, value == text, value not in row.closed) for value, words in known.items()
        )
        return Field(
            name, label, text, self.problem(name), row.kind.name, row.hint, row.only,
            row.placeholder, made,
        )  # fmt: skip

    # ---- layers ----

    def layer(self, n: int, layer: LayerDraft) -> LayerForm:
        """One layer with its table."""
        last = n == len(self.draft.layers)
        hidden = [(f"{name}[{n}]", layer[name]) for name in _hidden(PARTS)]
        table = layer_table(self.draft, n, self.line, self.problems)
        if not layer.has_biases and layer.bias.text is None:
            hidden += [
                (f"b[{n}][{c}]", text) for row in layer.bias.cells for c, text in enumerate(row, 1)
            ]
        parameters = (
            name
            for name in PARTS
            if FIELDS[name].optional and name not in _hidden(PARTS)
            if name != "dropout" or layer[name].strip() or not last
        )
        hint = "; the bias may be the last column" if layer.has_biases else ""
        return LayerForm(
            n, f"Layer {n}, the output" if last else f"Layer {n}",
            self.field("units", n), self.field("activation", n),
            tuple(self.field(name, n) for name in parameters),
            self.field("biases", n), table, tuple(self._long(n, layer)),
            self.field("fill", n), self.field("scale", n), self.field("seed", n),
            self._paste(
                str(n), f"Paste weights of layer {n}",
                f"one row per unit, as copied from a spreadsheet{hint}",
            ),
            note(layer), tuple(hidden), tuple(self._actions(n)),
        )  # fmt: skip

    def _long(self, n: int, layer: LayerDraft) -> Iterable[Field]:
        if layer.weights.text is not None:
            yield Field(
                f"w[{n}]",
                f"Weights of layer {n}, one row per unit",
                layer.weights.text,
                self.problem(f"w[{n}]"),
                "lines",
            )
        if layer.bias.text is not None and layer.has_biases:
            yield Field(
                f"b[{n}]", f"Biases of layer {n}", layer.bias.text, self.problem(f"b[{n}]"), "lines"
            )

    def _actions(self, n: int) -> Iterable[tuple[str, str]]:
        depth = len(self.draft.layers)
        if n > 1:
            yield f"move-up:{n}", "Move up"
        if n < depth:
            yield f"move-down:{n}", "Move down"
        if depth > 1:
            yield f"remove-layer:{n}", "Remove"

    def _paste(self, where: str, label: str, hint: str) -> Paste:
        name = f"paste[{where}]"
        field = Field(
            name, label, self.draft.pastes.get(where, ""), self.problem(name), "lines", hint
        )
        return Paste(field, f"paste:{where}", bool(field.text or field.problem))

    # ---- samples, loss, training ----

    def samples(self) -> SampleForm:
        """The table of all samples, or one text where it would be too long."""
        draft = self.draft
        long = None
        if draft.rows is not None:
            label = "Samples, one per line: inputs, then targets"
            long = Field("rows", label, draft.rows, self.problem("rows"), "lines")
        text = draft.samples if draft.samples.strip() else str(draft.height)
        count = (
            Field("samples", "Samples", text, self.problem("samples"), "whole")
            if long is None
            else None
        )
        hint = "one sample per row, inputs and then targets; replaces all samples"
        parts = ("made_samples", "data_seed", "noise", "labels", "classes")
        return SampleForm(
            self.field("generator"), tuple(map(self.field, parts)), "fill:data",
            tuple(map(self.field, ("train", "validation", "test", "split_seed"))),
            self.field("scaling"),
            count, sample_table(draft, self.line, self.problems), long,
            self._paste("data", "Paste samples", hint),
        )  # fmt: skip

    def loss(self) -> Field:
        """All losses; those that do not fit the last layer say what they need."""
        texts = {}
        for name, rule in LOSSES.items():
            needs = NEEDS.get(name, self.draft.output)
            texts[name] = (
                rule.title
                if needs == self.draft.output
                else f"{rule.title} (needs {needs} in the last layer)"
            )
        return self.field("loss", options=texts)

    def learning(self) -> Iterable[tuple[Field, ...]]:
        """Learning rate and schedule, optimizer, penalty and clipping, each with its numbers; then
        batches, and how long it trains.
        """
        for start, parts in (
            (("learning_rate",), ("schedule",)),
            ((), ("optimizer",)),
            ((), ("penalty", "clipping")),
            (("batch", "batch_size", "shuffle"), ()),
            (("iterations", "loss_below", "change_below"), ()),
        ):
            names = [*start]
            for part in parts:
                own = (field_of_number(at) for at in KNOBS.values() if at.part == part)
                names += [part, *own]
            yield tuple(map(self.field, names))

    def keeping(self) -> Keeping | None:
        """What came with the lesson, with a box for each part that can be dropped."""
        if not self.draft["rest"].strip():
            return None
        try:
            found = rest(self.draft) if "rest" not in self.draft.drop else {}
        except ScenarioError:
            found = {}
        parts = tuple(
            (key, f"{text} ({len(found[key])})", key in self.draft.drop)
            for key, text in NO_FIELD.items()
            if found.get(key)
        )
        if not found:
            parts = (("rest", "everything that came with it", "rest" in self.draft.drop),)
        others = ", ".join(text for key, text in KEPT_BESIDE.items() if found.get(key))
        return Keeping(parts, others, self.problem("rest"))


def note(layer: LayerDraft) -> str:
    """What a reader of the form has to know of a layer's weights."""
    if not layer.given:
        waits = (
            " The numbers in the table are kept until you choose “as in the table” again."
            if layer.weights.rows
            else ""
        )
        return f"A rule makes the weights, so they need no table.{waits}"
    learns = layer["trainable"].replace(": true", " learn").replace(": false", " do not learn")
    return f"In this layer {learns}." if learns else ""
