"""The fields of the form in which a lesson is made: one table, from which everything else follows.

A row says what a field is called in the form (of a layer: `units[2]`), where its value stands in
the data of a lesson, how it is labelled, and what may be typed. From FIELDS follow the reading of a
posted form and its writing (`draft_model`), the data of a draft and the place of each problem
(`draft_data`), the draft of a lesson (`draft`), and the fields on the page (`builder`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tutor import limits
from tutor.engine.parameters import PARAMETERS
from tutor.errors import NumberError
from tutor.notation.conventions import PRESETS
from tutor.number import read, short
from tutor.scenario import scalars
from tutor.scenario.knobs import CHOICES, KNOBS, NONE, TrainingNumber, title
from tutor.scenario.model import ACTIVATIONS
from tutor.scenario.problem import Path, quotable

TOP: Final = ""
"""The field of what belongs to no field: it goes to the top of the form."""
EMPTY: Final = "is empty; enter a number, such as 0.5"
WHOLE_BELOW: Final = 1e15
"""Below this a number without decimals is given as a whole one."""
_TRAINABLE = re.compile(r"(weights|biases): (true|false)")


# ---- kinds: what a text says, and the text of a value ----


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """`name` is how the page shows it. `read` never refuses: what is no number stays a text."""

    name: str
    read: Callable[[str], Any]
    write: Callable[[Any], str] = str


def joined(text: str) -> str:
    """A text without white space around it; browsers send line ends as two characters."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def clean(text: str) -> str:
    """A text without what no file may hold: the field has its message, the other checks go on."""
    return scalars.FOREIGN.sub("", joined(text))


def number(text: str) -> float | int | str:
    """A number as a file would have it, so that messages say 7 and not 7.0."""
    try:
        value = read(text)
    except NumberError:
        return clean(text)
    return int(value) if value.is_integer() and abs(value) < WHOLE_BELOW else value


def whole(text: str) -> int | str:
    """A whole number."""
    shown = clean(text)
    return int(shown) if re.fullmatch(r"-?[0-9]{1,12}", shown, re.ASCII) else shown


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in clean(text).split("\n") if line.strip())


def _steps_back(value: Any) -> str:
    """How far a skip connection goes back; no text for none."""
    return str(value) if value else ""


def _share(value: Any) -> str:
    """The share that is dropped; no text for none."""
    return short(value) if value else ""


def _weights(text: str) -> Any:
    """One number, or one for each layer, with spaces or semicolons between."""
    found = _each(text)
    return tuple(map(number, found)) if len(found) > 1 else number(text)


def _each(text: str) -> list[str]:
    return [part for part in re.split(r"[;\s]+|,\s+", text.strip()) if part]


def _weights_text(value: Any) -> str:
    return "  ".join(map(short, value)) if isinstance(value, tuple) else short(value)


def _limit(clip: Any) -> str:
    """The one number of a clipping."""
    return short(clip.value if clip.norm is None else clip.norm)


def _labels(text: str) -> str:
    """The targets of made classes; no text for the usual ones, which a curve cannot have."""
    return "" if clean(text) == LABELS[0] else clean(text)


def _classes(value: Any) -> str:
    """How many classes clouds have; no text for two, as other generators make them."""
    return "" if value == 2 else str(value)


def _batch_size(value: Any) -> str:
    """How many samples a batch has; no text for all of them or one."""
    return str(value) if isinstance(value, int) else ""


def _none(text: str) -> str:
    """A choice; no text where nothing is chosen."""
    return "" if clean(text) == NONE else clean(text)


def _yes(text: str) -> bool | str:
    return {"yes": True, "no": False}.get(clean(text), clean(text))


def _yes_text(value: Any) -> str:
    return "yes" if value else "no"


def _trainable(text: str) -> dict[str, bool]:
    return {key: word == "true" for key, word in _TRAINABLE.findall(text)}


def _trainable_text(words: Any) -> str:
    return ", ".join(f"{key}: {str(word).lower()}" for key, word in words if word is not None)


TEXT: Final = Kind("text", clean)
PARAGRAPH: Final = Kind("lines", clean)
SENTENCES: Final = Kind("lines", _lines, "\n".join)
WHOLE: Final = Kind("whole", whole)
NUMBER: Final = Kind("number", number, short)
CHOICE: Final = Kind("choice", clean)
HIDDEN: Final = Kind("hidden", clean)
SHARE: Final = Kind("number", number, _share)
LIMIT: Final = Kind("number", number, _limit)
OR_NONE: Final = Kind("choice", _none)
LABELLED: Final = Kind("choice", _labels)
WEIGHTS: Final = Kind("number", _weights, _weights_text)
SKIP: Final = Kind("whole", whole, _steps_back)
CLOUDS: Final = Kind("whole", whole, _classes)
BATCH: Final = Kind("whole", whole, _batch_size)
YES_OR_NO: Final = Kind("choice", _yes, _yes_text)
LEARNS: Final = Kind("hidden", _trainable, _trainable_text)
TABLE: Final = Kind("table", str)
"""A table of numbers; `draft_model` has it beside the texts."""
COUNT: Final = Kind("whole", whole)
"""How many rows a table has; it follows from the table where it is empty."""


# ---- the table ----


@dataclass(frozen=True, slots=True)
class FormField:
    """One field. Without a path it stands for nothing in the data by itself."""

    name: str
    path: tuple[str, ...]
    label: str
    kind: Kind
    hint: str = ""
    default: str = ""
    """What counts where the field did not come."""
    least: int = 0
    most: int = 0
    """The bounds of a whole number; without them the data's own check is enough."""
    optional: bool = False
    """Whether an empty text leaves its key out."""
    options: Mapping[str, str] | None = None
    """What can be chosen; the page may know more about it."""
    closed: tuple[str, ...] = ()
    """What is among the options and cannot be chosen yet."""
    of_layer: bool = False
    made: bool | None = None
    """True: only where a rule makes the weights, or a generator the samples; False: only where they
    are given.
    """
    only: tuple[str, ...] = ()
    """What it belongs to, an activation or `optimizer-adam`; with another one it is hidden while it
    is empty.
    """
    placeholder: str = ""
    """What is said where it is empty."""
    named: str = ""
    """What it is called where a character in it cannot be seen."""


GIVEN: Final = "given"
"""What is chosen where weights or samples stand in a table."""
_FILLS = {
    GIVEN: "as in the table", "uniform": "uniform, ± scale",
    "normal": "normal, standard deviation scale",
    "xavier": "Xavier", "he": "He", "constant": "all equal to scale",
    "identity": "scale on the diagonal",
}  # fmt: skip
SCHEMES: Final = tuple(_FILLS)[1:]

USUAL: Final = "as usual"
LABELS: Final = ("zero_one", "minus_one_one", "one_hot")
_SAMPLES = {
    GIVEN: "typed: in the table",
    "circle": "made: circle, class 1 inside of it",
    "blobs": "made: blobs, a cloud for each class",
    "xor": "made: xor, the corners of a square",
    "moons": "made: moons, two half circles",
    "sine": "made: sine, a curve",
    "ramp": "made: ramp, a line with two bends",
}
_CLASSES = ("circle", "blobs", "xor", "moons")
MINI_BATCH: Final = "mini_batch"
BATCHES: Final = {
    "full": "all of them (full batch)",
    "online": "one of them (online)",
    MINI_BATCH: "some of them (mini-batch)",
}
"""What an iteration takes; a mini-batch has a field for its size."""


def _choice(part: str, path: tuple[str, ...], label: str, kind: Kind = CHOICE) -> FormField:
    """A list of what how it learns has to choose from, the first one at first."""
    words = CHOICES[part]
    options = {word: title(part, word) for word in words}
    return FormField(part, path, label, kind, default=words[0], optional=kind is OR_NONE,
                     options=options)  # fmt: skip


def field_of_number(at: TrainingNumber) -> str:
    """The field of a number of training; `alpha` is one of layers."""
    return "rho" if at.name in PARAMETERS else at.name


def _numbers(*parts: str) -> Iterator[FormField]:
    """A field for each number of these choices; those of a penalty and of clipping are needed."""
    for at in KNOBS.values():
        if at.part not in parts:
            continue
        needed = at.part in {"penalty", "clipping"}
        usual = " or ".join(dict.fromkeys(short(k.default) for k in at.owners.values()))
        yield FormField(
            field_of_number(at), ("training", *map(str, at.path)), at.label.capitalize(),
            {"clipping": LIMIT, "penalty": WEIGHTS}.get(at.part, NUMBER),
            f"{at.meaning}; or one for each layer, 0.01 0.001" if at.part == "penalty"
            else at.meaning if needed else f"{at.meaning}; {usual} if left empty", optional=True,
            only=tuple(f"{at.part}-{word}" for word in at.owners),
            placeholder="a number" if needed else USUAL,
        )  # fmt: skip


FIELDS: Final = {field.name: field for field in (
    FormField("title", ("title",), "Title", TEXT, named="the title"),
    FormField("course", ("course",), "Course", TEXT, "shown above the title",
              optional=True, named="the course"),
    FormField("about", ("about",), "What it is about", PARAGRAPH, "a paragraph in your own words",
              optional=True, named="the text"),
    FormField("origin", ("origin",), "Where it comes from", HIDDEN, optional=True,
              named="the address"),
    FormField("learn", ("learn",), "Learning goals", SENTENCES,
              "up to four short sentences, one per line", optional=True, named="the list"),
    FormField("inputs", ("network", "inputs"), "Inputs", WHOLE, least=1, most=limits.UNITS),
    FormField("layers", ("network", "layers"), "Layers", TABLE),
    FormField("units", ("units",), "units", WHOLE, least=1, most=limits.UNITS, of_layer=True),
    FormField("activation", ("activation",), "activation", CHOICE, default="sigmoid",
              options={name: name.replace("_", " ") for name in ACTIVATIONS}, of_layer=True),
    *(FormField(name, (name,), of.label, NUMBER, optional=True, only=(of.owner,),
                placeholder=USUAL, of_layer=True)
      for name, of in PARAMETERS.items()),
    FormField("skip", ("skip",), "skip connection", SKIP,
              "how many layers back to add from: 1 is the layer’s own input, 0 is none",
              least=0, most=limits.LAYERS, optional=True, of_layer=True),
    FormField("dropout", ("dropout",), "dropout", SHARE,
              "the share of activations that is dropped in an iteration, such as 0.2",
              optional=True, of_layer=True),
    FormField("w", ("weights",), "weights", TABLE, made=False, of_layer=True),
    FormField("fill", ("init", "scheme"), "weights", CHOICE, default=GIVEN, options=_FILLS,
              made=True, of_layer=True),
    FormField("scale", ("init", "scale"), "scale", NUMBER, default="1", made=True, of_layer=True),
    FormField("seed", ("init", "seed"), "seed", WHOLE, default="0", most=2**32 - 1, made=True,
              of_layer=True),
    FormField("b", ("biases",), "biases", TABLE, of_layer=True),
    FormField("biases", (), "biases", CHOICE, default="on",
              options={"on": "one per unit", "none": "none"}, of_layer=True),
    FormField("trainable", ("trainable",), "what learns", LEARNS, optional=True, of_layer=True),
    FormField("generator", ("data", "generator", "name"), "The samples are", CHOICE,
              default=GIVEN, options=_SAMPLES, made=True),
    FormField("made_samples", ("data", "generator", "samples"), "How many to make", WHOLE,
              default="100", least=1, most=limits.SAMPLES, made=True),
    FormField("data_seed", ("data", "generator", "seed"), "Seed of the data", WHOLE,
              "another seed makes other samples", default="0", most=2**32 - 1, made=True),
    FormField("noise", ("data", "generator", "noise"), "Noise", NUMBER,
              "its standard deviation, such as 0.1",
              optional=True, placeholder=USUAL, made=True),
    FormField("labels", ("data", "generator", "labels"), "Targets of the classes", LABELLED,
              default=LABELS[0], optional=True,
              options=dict(zip(LABELS, ("0 and 1", "−1 and 1", "one-hot rows"), strict=True)),
              only=tuple(f"generator-{name}" for name in _CLASSES), made=True),
    FormField("classes", ("data", "generator", "classes"), "Classes", CLOUDS, "2 if left empty",
              optional=True, least=2, most=limits.CLASSES, only=("generator-blobs",),
              placeholder=USUAL, made=True),
    FormField("x", ("data", "inputs"), "Inputs", TABLE, made=False),
    FormField("y", ("data", "targets"), "Targets", TABLE, made=False),
    FormField("samples", (), "Samples", COUNT, optional=True, least=1, most=limits.SAMPLES),
    FormField("rows", (), "Samples", TABLE),
    FormField("train", ("data", "split", "train"), "Share for training", SHARE,
              "such as 0.6; all three empty: all samples", optional=True),
    FormField("validation", ("data", "split", "validation"), "Share for validation", SHARE,
              "to compare settings with", optional=True),
    FormField("test", ("data", "split", "test"), "Share for the test", SHARE,
              "to judge the result with", optional=True),
    FormField("split_seed", ("data", "split", "seed"), "Seed of the split", SKIP,
              "0 if left empty", optional=True, most=2**32 - 1),
    FormField("scaling", ("data", "scale"), "Scaling of the inputs", OR_NONE, default=NONE,
              optional=True, options={
                  NONE: "none", "standardize": "standardize: mean 0, deviation 1",
                  "min_max": "min-max: from 0 to 1",
              }),
    FormField("loss", ("network", "loss", "name"), "Loss", CHOICE, default="squared_error"),
    FormField("reduction", ("network", "loss", "reduction"), "Loss of a batch", CHOICE,
              default="mean", options={"mean": "mean over samples", "sum": "sum over samples"}),
    FormField("learning_rate", ("training", "learning_rate"), "Learning rate", NUMBER),
    _choice("schedule", ("training", "schedule", "name"), "Schedule of the learning rate"),
    *_numbers("schedule"),
    _choice("optimizer", ("training", "optimizer", "name"), "Optimizer"),
    *_numbers("optimizer"),
    _choice("penalty", ("training", "l2", "form"), "Penalty on large weights", OR_NONE),
    *_numbers("penalty"),
    _choice("clipping", (), "Clipping of the gradient"),
    *_numbers("clipping"),
    FormField("batch", (), "Samples of an iteration", CHOICE, default="full", options=BATCHES),
    FormField("batch_size", ("training", "batch"), "Batch size", BATCH, "samples of each batch",
              optional=True, least=1, most=limits.SAMPLES, only=(f"batch-{MINI_BATCH}",),
              placeholder="a number"),
    FormField("shuffle", ("training", "shuffle", "seed"), "Seed of the shuffle", WHOLE,
              "a new order in each epoch; empty: the order of the data",
              optional=True, most=2**32 - 1),
    FormField("iterations", ("training", "iterations"), "Iterations", WHOLE,
              "how far one can go on", default="1", least=1, most=limits.ITERATIONS),
    FormField("loss_below", ("training", "stop", "loss_below"), "Stop at a loss below", NUMBER,
              "empty: go on", optional=True),
    FormField("change_below", ("training", "stop", "change_below"), "Stop at a change below",
              NUMBER, "of the loss from epoch to epoch",
              optional=True),
    FormField("notation", ("notation", "preset"), "Notation", CHOICE, default="brackets",
              options={key: f"{preset.title}: {preset.about}" for key, preset in PRESETS.items()}),
    FormField("decimals", ("display", "decimals"), "Decimals", WHOLE,
              "of numbers that are not exact", default="4", most=limits.DECIMALS),
    FormField("input_gradients", ("display", "input_gradients"),
              "Derivatives with respect to the inputs", YES_OR_NO, default="no",
              options={"no": "not shown", "yes": "shown"}),
    FormField("rest", (), "What came with the lesson", HIDDEN),
    FormField("inputs_before", (), "", HIDDEN),
)}  # fmt: skip
"""Every field, in the order of the form. `rest` is the text of everything that has no field of its
own, `inputs_before` says how many numbers of each line of `rows` were inputs when the form was
made."""
_TYPED = [field for field in FIELDS.values() if field.kind not in {TABLE, COUNT}]
PLAIN: Final = tuple(field.name for field in _TYPED if not field.of_layer)
"""Texts of the lesson as a whole."""
PARTS: Final = tuple(field.name for field in _TYPED if field.of_layer)
"""Texts of a layer."""


def default(name: str) -> str:
    """What counts where a field did not come."""
    return FIELDS[name].default if name in FIELDS else ""


def field_at(path: Path, *, of_layer: bool = False) -> FormField | None:
    """The field of a value or of something in it, or the first one of a mapping; else None."""
    here = (f for f in FIELDS.values() if f.of_layer == of_layer)
    fields = [f for f in here if f.path and f.kind is not LEARNS]  # what learns is hidden
    above = (f for f in fields if f.path == path[: len(f.path)])
    below = (f for f in fields if path == f.path[: len(path)] and (of_layer or len(path) > 1))
    return next(above, None) or next(below, None) if path else None


def unreadable(field: FormField, text: str) -> str:
    """What is wrong with a text by itself, in the words of the one who typed it, or ""."""
    if field.named and (match := scalars.FOREIGN.search(joined(text))):
        return (
            f"{field.named} has the character U+{ord(match[0]):04X}, "
            "which is invisible and not allowed in a text"
        )
    if field.optional and not text.strip():
        return ""
    if field.kind.name == "number":
        parts = _each(text) if field.kind is WEIGHTS else []
        return next(filter(None, map(no_number, parts)), "") if parts else no_number(text)
    value = whole(text)
    sound = isinstance(value, int) and field.least <= value <= field.most
    if sound or field.kind.name != "whole":
        return ""
    found = f"“{quotable(text.strip())}”" if text.strip() else "nothing"
    return f"expected a whole number from {field.least:,} to {field.most:,}, got {found}"


def no_number(text: str) -> str:
    """Why a text is no number, or ""."""
    if not text.strip():
        return EMPTY
    try:
        read(text)
    except NumberError as error:
        return quotable(str(error), 200)
    return ""


# ---- names ----

_PART = re.compile(r"([a-z]+)\[([0-9]{1,4})\]")
_WEIGHT = re.compile(r"w\[([0-9]+)\]\[([0-9]+),([0-9]+)\]")
_BIAS = re.compile(r"b\[([0-9]+)\]\[([0-9]+)\]")
_SAMPLE = re.compile(r"([xy])\[([0-9]+)\](?:@([0-9]+))?")


def label(name: str) -> str:
    """What a field is called where it stands alone: `Layer 2: weight of unit 1 from unit 3`."""
    if match := _WEIGHT.fullmatch(name) or _BIAS.fullmatch(name):
        return f"Layer {match[1]}: {cell(name)}"
    if _SAMPLE.fullmatch(name):
        return cell(name).capitalize()
    if match := _PART.fullmatch(name):
        known = FIELDS[match[1]].label if match[1] in FIELDS else match[1]
        return f"Layer {match[2]}: {'pasted numbers' if match[1] == 'paste' else known}"
    if name in {"paste[data]", TOP}:
        return "Samples: pasted numbers" if name else "The lesson"
    known = name in {*PLAIN, "layers", "samples", "rows"} and FIELDS[name].label
    return known or f"The field “{quotable(name)}”"


def cell(name: str) -> str:
    """What one number of a table is called within its table."""
    if match := _WEIGHT.fullmatch(name):
        return f"weight of unit {match[2]} from {'input' if match[1] == '1' else 'unit'} {match[3]}"
    if match := _BIAS.fullmatch(name):
        return f"bias of unit {match[2]}"
    match = _SAMPLE.fullmatch(name)
    if match is None:
        return name
    what = f"{'input' if match[1] == 'x' else 'target'} {match[2]}"
    return f"{what} of sample {match[3]}" if match[3] else what


_RANKS = {name: rank for rank, name in enumerate((TOP, *FIELDS))}


def in_order(found: Mapping[str, str]) -> dict[str, str]:
    """Problems in the order of the form, those of one layer or one table as they were found."""

    def place(name: str) -> tuple[int, int]:
        part = _PART.match(name)
        if part and part[1] not in {"x", "y"}:
            return _RANKS["layers"], int(part[2])
        return _RANKS.get(name, _RANKS["x"]), 0

    return {name: found[name] for name in sorted(found, key=place)}
