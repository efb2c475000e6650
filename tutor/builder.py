"""The form in which a lesson is made: every field with its label, its text as it was typed, and what is wrong with it.

    build_page(examined, …)   -> BuildPage
    live_part(examined)       -> LivePart       only what changes while one types

Decisions about what is shown where are made here; the template places it. Field names are those of addresses and
messages: `units[2]`, `w[2][1,3]`, `x[1]@2`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tutor import builder_words as words
from tutor.builder_parts import Choice, Field, Keeping, LayerForm, Paste, SampleForm
from tutor.builder_preview import KEPT, Examined, Preview, alphabet_of, anchor, preview
from tutor.builder_tables import layer_table, sample_table
from tutor.draft_data import rest
from tutor.draft_model import DROPPABLE, Draft, LayerDraft
from tutor.limits import LAYERS
from tutor.losses import LOSSES
from tutor.mathml import Line
from tutor.notation import PRESETS
from tutor.outline import Link
from tutor.problem import ScenarioError
from tutor.scenario_model import ACTIVATIONS
from tutor.scenario_problems import LATER

FILLS: Final = {
    "given": "as in the table", "uniform": "uniform, ± scale", "normal": "normal, scale wide", "xavier": "Xavier", "he": "He",
    "constant": "all equal to scale", "identity": "scale on the diagonal",
}  # fmt: skip
REDUCTIONS: Final = {"mean": "their mean", "sum": "their sum"}
NEEDS: Final = {"binary_cross_entropy": "sigmoid", "cross_entropy": "softmax"}
MAYBE: Final = {"slope": "leaky_relu", "alpha": "elu"}


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
    loss: Choice
    reduction: Choice
    learning_rate: Field
    optimizer: Choice
    notation: Choice
    own_notation: str
    decimals: Field
    keeping: Keeping | None
    hidden: tuple[tuple[str, str], ...]
    can_save: bool
    live: Preview


@dataclass(frozen=True, slots=True)
class LivePart:
    """What changes while one types: the preview, and what is wrong with each field (field, message)."""

    live: Preview
    problems: tuple[tuple[str, str], ...]
    focused: bool = False
    """Never: one is typing."""


def build_page(
    found: Examined, said: str = "", focused: bool = False, can_save: bool = True, notes: tuple[str, ...] = (), origin: str = ""
) -> BuildPage:  # fmt: skip
    """The page of a draft after its checks; `origin` is the title of the lesson that it is a copy of, where that is known."""
    draft, form = found.draft, _Form(found.draft, found.problems)
    page = {
        "what": form.what(), "inputs": form.text("inputs", "", "whole"),
        "layers": tuple(form.layer(n, layer) for n, layer in enumerate(draft.layers, 1)), "layers_problem": form.problem("layers"),
        "samples": form.samples(), "loss": form.loss(), "reduction": form.choice("reduction", REDUCTIONS),
        "learning_rate": form.text("learning_rate", "", "number"), "optimizer": form.optimizer(), "notation": form.notation(),
        "decimals": form.text("decimals", "of numbers that are not exact", "whole"), "keeping": form.keeping(),
    }  # fmt: skip
    hidden = (("layers", str(len(draft.layers))), *((name, draft[name]) for name in ("batch", "origin", "rest", "split")))
    return BuildPage(
        title="Build a lesson" if not draft["origin"] else "Build a lesson from another",
        origin=Link(origin or draft["origin"], f"/lessons/{draft['origin']}") if linkable(draft["origin"]) else None,
        focused=focused, can_add=len(draft.layers) < LAYERS, own_notation=_own(draft),
        hidden=hidden, can_save=can_save, live=preview(found, (*((said,) if said else ()), *notes)), **page,  # type: ignore[arg-type]
    )  # fmt: skip


def live_part(found: Examined, notes: tuple[str, ...] = ()) -> LivePart:
    """What changes while one types."""
    beside = ((anchor(found.draft, name), message) for name, message in found.problems.items() if name)
    return LivePart(preview(found, notes), tuple(dict(beside).items()))


def linkable(origin: str) -> bool:
    """Whether an origin looks like the id of a lesson."""
    return bool(origin) and len(origin) <= 80 and all(c.isascii() and (c.isalnum() or c == "-") for c in origin)


def _own(draft: Draft) -> str:
    try:
        choices = rest(draft).get("notation", {})
    except ScenarioError:
        return ""
    return ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in choices.items() if key != "preset")


class _Form:
    """Makes the fields of one draft."""

    def __init__(self, draft: Draft, problems: Mapping[str, str]) -> None:
        self.draft = draft
        self.problems = {anchor(draft, name): message for name, message in problems.items()}
        self.line = Line(alphabet_of(draft, draft.widths), 4)

    def problem(self, name: str) -> str:
        """What is wrong with a field, or ""."""
        return self.problems.get(name, "")

    def text(self, name: str, hint: str = "", kind: str = "text") -> Field:
        return Field(name, words.PLAIN[name], self.draft[name], self.problem(name), kind, hint)

    def what(self) -> tuple[Field, ...]:
        return (
            self.text("title"),
            self.text("course", "it stands above the title"),
            self.text("about", "a paragraph in your own words", "lines"),
            self.text("learn", "up to four short sentences, one on each line", "lines"),
        )

    def choice(self, name: str, options: Mapping[str, str], hint: str = "", closed: Sequence[str] = ()) -> Choice:
        return self._choice(name, words.PLAIN[name], self.draft[name], options, hint, closed)

    def _choice(
        self, name: str, label: str, chosen: str, options: Mapping[str, str], hint: str = "", closed: Sequence[str] = ()
    ) -> Choice:  # fmt: skip
        known = {**options} if chosen in options else {chosen: f"{chosen[:60] or 'nothing'} (not known)", **options}
        made = tuple((value, text, value == chosen, value not in closed) for value, text in known.items())
        return Choice(name, label, made, self.problem(name), hint)

    # ---- layers ----

    def layer(self, n: int, layer: LayerDraft) -> LayerForm:
        """One layer with its table."""
        last = n == len(self.draft.layers)
        hidden = [(f"trainable[{n}]", layer["trainable"])]
        table = layer_table(self.draft, n, self.line, self.problems)
        if not layer.has_biases and layer.bias.text is None:
            hidden += [(f"b[{n}][{c}]", text) for row in layer.bias.cells for c, text in enumerate(row, 1)]
        return LayerForm(
            n, f"Layer {n}, the output" if last else f"Layer {n}",
            self._part(n, layer, "units", "Units", "whole"),
            self._choice(f"activation[{n}]", "Activation", layer["activation"], {name: name.replace("_", " ") for name in ACTIVATIONS}),
            tuple(self._part(n, layer, key, words.PARTS[key].capitalize(), "number", only=owner) for key, owner in MAYBE.items()),
            self._choice(f"biases[{n}]", "Biases", layer["biases"], {"on": "one per unit", "none": "none"}),
            table, tuple(self._long(n, layer)),
            self._choice(f"fill[{n}]", "Weights", layer["fill"], FILLS),
            self._part(n, layer, "scale", "Scale", "number"), self._part(n, layer, "seed", "Seed", "whole"),
            self._paste(str(n), f"Paste weights of layer {n}", words.pasted_weights(biases=layer.has_biases)),
            note(layer), tuple(hidden), tuple(self._actions(n)),
        )  # fmt: skip

    def _part(self, n: int, layer: LayerDraft, key: str, label: str, kind: str, only: str = "") -> Field:
        name = f"{key}[{n}]"
        return Field(name, label, layer[key], self.problem(name), kind, "", only)

    def _long(self, n: int, layer: LayerDraft) -> Iterable[Field]:
        if layer.weights.text is not None:
            yield Field(f"w[{n}]", f"Weights of layer {n}, a row per unit", layer.weights.text, self.problem(f"w[{n}]"), "lines")
        if layer.bias.text is not None and layer.has_biases:
            yield Field(f"b[{n}]", f"Biases of layer {n}", layer.bias.text, self.problem(f"b[{n}]"), "lines")

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
        field = Field(name, label, self.draft.pastes.get(where, ""), self.problem(name), "lines", hint)
        return Paste(field, f"paste:{where}", bool(field.text or field.problem))

    # ---- samples, loss, training ----

    def samples(self) -> SampleForm:
        """The table of all samples, or one text where it would be too long."""
        draft = self.draft
        long = None
        if draft.rows is not None:
            label = "Samples, one on each line: inputs, then targets"
            long = Field("rows", label, draft.rows, self.problem("rows"), "lines")
        text = draft.samples if draft.samples.strip() else str(draft.height)
        count = Field("samples", "Samples", text, self.problem("samples"), "whole") if long is None else None
        hint = "one sample per row, inputs and then targets; it takes the place of all samples"
        return SampleForm(
            count, sample_table(draft, self.line, self.problems), long,
            self._paste("data", "Paste samples", hint),
        )  # fmt: skip

    def loss(self) -> Choice:
        """All losses; those that do not fit the last layer say what they need."""
        texts = {}
        for name, rule in LOSSES.items():
            needs = NEEDS.get(name, self.draft.output)
            texts[name] = rule.title if needs == self.draft.output else f"{rule.title} (needs {needs} in the last layer)"
        return self.choice("loss", texts)

    def optimizer(self) -> Choice:
        planned = {name: f"{name} (planned)" for name in LATER["optimizer"]}
        return self.choice("optimizer", {"sgd": "gradient descent (sgd)", **planned}, closed=tuple(planned))

    def notation(self) -> Choice:
        return self.choice("notation", {key: f"{preset.title}: {preset.about}" for key, preset in PRESETS.items()})

    def keeping(self) -> Keeping | None:
        """What came with the lesson, with a box for each part that can be dropped."""
        if not self.draft["rest"].strip():
            return None
        try:
            found = rest(self.draft) if "rest" not in self.draft.drop else {}
        except ScenarioError:
            found = {}
        parts = tuple((key, f"{text} ({len(found[key])})", key in self.draft.drop) for key, text in KEPT.items() if found.get(key))
        if not found:
            parts = (("rest", "everything that came with it", "rest" in self.draft.drop),)
        others = ", ".join(_OTHERS[key] for key in _OTHERS if found.get(key))
        return Keeping(parts, others, self.problem("rest"))


_OTHERS: Final = {
    "lecture": "its place in the gallery", "network": "which parameters learn", "training": "how many iterations one can go on",
    "notation": "its own choices of notation",
}  # fmt: skip
assert set(KEPT) == set(DROPPABLE)


def note(layer: LayerDraft) -> str:
    """What a reader of the form has to know of a layer's weights."""
    if not layer.given:
        waits = " The numbers in the table wait until you choose “as in the table” again." if layer.weights.rows else ""
        return f"A rule makes the weights, so they need no table.{waits}"
    learns = layer["trainable"].replace(": true", " learn").replace(": false", " do not learn")
    return f"In this layer {learns}." if learns else ""
