"""What if: a lesson with some of its numbers changed. The changes are part of the address of every
page.

    read(query, scenario)      -> (changes, notices)          from an address: what makes no sense
                               is ignored, and said so
    edited(query, form, scen.) -> (changes, {field: problem}) from a form: what makes no sense is
    refused beside its field
    apply(scenario, changes)   -> Scenario                    ChangeError with every problem
    listed(scenario, changes)  -> (Change, …)                 old and new, to be told

Changes are canonical: sorted, each name once, values written in one way, and nothing that the
lesson has anyway; so one state has one address. `tutor.lesson.changeable` knows the names and
values; the scenario is made here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Final, TypeAlias
from urllib.parse import quote_plus

from tutor.engine.parameters import PARAMETERS
from tutor.errors import TutorError
from tutor.lesson.changeable import (
    NUMBERS,
    OF_LAYERS,
    SEEDS,
    BadChangeError,
    Changeable,
    ChangedValue,
    known,
    part,
    penalties,
    understood,
    value,
    written,
)
from tutor.lesson.changeable import made as made_by_init
from tutor.lesson.dataset import raw_rows
from tutor.scenario import checks, knobs
from tutor.scenario.knobs import CHOICES, KNOBS
from tutor.scenario.model import Shuffle
from tutor.scenario.problem import Path, quotable
from tutor.scenario.reader import Data, LayerSpec, NetworkSpec, Rows, Scenario, Training
from tutor.scenario.update import PenaltySpec

Changes: TypeAlias = tuple[tuple[str, str], ...]
"""Sorted (name, text) pairs."""
Wanted: TypeAlias = dict[Changeable, ChangedValue]

MOST: Final = 100
LONGEST: Final = 1_900
"""Characters of the changes in an address; with the rest of it that stays under 2,000."""
STRUCTURE: Final = frozenset({"activation", "batch", "loss", "dropout", *CHOICES})
"""Changes after which a lesson may have other steps."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one change: its name, the text that was found, and what would be right."""

    name: str
    found: str
    message: str

    def __str__(self) -> str:
        return f"{quotable(self.name)} = “{quotable(self.found)}”: {self.message}"


class ChangeError(TutorError, ValueError):
    """Changes that this lesson cannot take; `faults` has them all."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


@dataclass(frozen=True, slots=True)
class AnyChange:
    """One change: its name in addresses, what the lesson has there, and what the reader put in its
    place.
    """

    old: str
    new: str

    @property
    def name(self) -> str:
        """Its name in addresses."""
        raise NotImplementedError

    @property
    def number(self) -> bool:
        """Whether it is one of the numbers that a version with new numbers draws anew."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Change(AnyChange):
    """A change of a part of a network lesson."""

    part: Changeable = field(kw_only=True)

    @property
    def name(self) -> str:
        return str(self.part)

    @property
    def number(self) -> bool:
        return self.part.kind in NUMBERS


# ---- from an address ----


def read(query: Mapping[str, str], scenario: Scenario) -> tuple[Changes, tuple[str, ...]]:
    """The changes that a query asks for, and a notice for each part of it that was ignored."""
    notices: list[str] = []
    wanted: Wanted = {}
    for name in query:
        if not known(name):
            continue
        notices += repeated(query, name)
        try:
            at, found = _entry(name, query[name], scenario)
        except BadChangeError as error:
            notices.append(sentence(f"“{quotable(name)}” is not changed: {error}"))
            continue
        wanted[at] = found
    _drop_misfits(wanted, scenario, notices)
    return within(_canonical(wanted, scenario), notices), tuple(notices)


def sentence(message: str) -> str:
    """A message with a full stop, unless it ends with a question."""
    return message if message.endswith("?") else f"{message}."


def repeated(query: Mapping[str, str], name: str) -> list[str]:
    """The notice that a name has more than one value, if it has."""
    if len(all_values(query, name)) < 2:
        return []
    said = f"“{quotable(name)}” appears in the address more than once"
    return [f"{said}; the first one counts."]


def all_values(query: Mapping[str, str], name: str) -> list[str]:
    """All values of a name; a plain mapping has one."""
    getlist = getattr(query, "getlist", None)
    return list(getlist(name)) if getlist else [query[name]]


def _entry(name: str, text: str, scenario: Scenario) -> tuple[Changeable, ChangedValue]:
    at = part(name, scenario)
    return at, understood(at, text, scenario)


def _drop_misfits(wanted: Wanted, scenario: Scenario, notices: list[str]) -> None:
    """Take out what does not fit together, one after the other, until the rest does."""
    while misfits := find_misfits(scenario, wanted):
        names, message = misfits[0]
        blamed = next((at for at in names if at in wanted), None) or next(iter(wanted))
        notices.append(sentence(f"“{blamed}” is not changed: {message}"))
        del wanted[blamed]


def within(changes: Changes, notices: list[str]) -> Changes:
    """As many changes as an address may hold; a notice where these are not all."""
    kept = changes[:MOST]
    while len(query(kept)) > LONGEST:
        kept = kept[:-1]
    if len(kept) < len(changes):
        notices.insert(0, f"{too_many(changes)} The first {len(kept)} are made here.")
    return kept


def too_many(changes: Changes) -> str:
    """What is said where an address cannot hold all changes; "" where it can."""
    if len(changes) <= MOST and len(query(changes)) <= LONGEST:
        return ""
    return (
        f"{len(changes)} changes are too many for an address (at most {MOST}, in {LONGEST:,} "
        "characters); make them in a lesson of your own."
    )


def query(changes: Changes) -> str:
    """The changes as a part of an address: brackets, comma and @ stand as they are."""
    return "&".join(f"{name}={quote_plus(text)}" for name, text in changes)


def _canonical(wanted: Wanted, scenario: Scenario) -> Changes:
    """Sorted, and without what the lesson has anyway."""
    real = (
        at
        for at in sorted(wanted, key=lambda at: at.place)
        if wanted[at] != _own(scenario, at, wanted)
    )
    return tuple((str(at), written(wanted[at])) for at in real)


def _own(scenario: Scenario, at: Changeable, wanted: Wanted) -> ChangedValue:
    """What the lesson would have at a part: a number of another activation or another optimizer is
    its usual one.
    """
    if at.knob and _chosen(scenario, at.knob.part, wanted) != _chosen(scenario, at.knob.part, {}):
        return at.knob.usual(_chosen(scenario, at.knob.part, wanted))
    parameter = at.parameter
    if parameter and scenario.network.layers[at.layer - 1].activation != parameter.owner:
        return parameter.default
    return value(scenario if at.kind in SEEDS else _seeded(scenario, wanted), at)


def _chosen(scenario: Scenario, part: str, wanted: WantedChanges) -> str:
    """The optimizer, schedule, penalty or clipping after some changes."""
    return str(wanted.get(Changeable(part), knobs.chosen(scenario.training)[part]))


# ---- from a form ----


def edited(
    now: Changes, form: Mapping[str, str], scenario: Scenario
) -> tuple[Changes, dict[str, str]]:
    """The changes after a form was sent, and a problem for each field that cannot be taken.

    Fields that say what is there already change nothing, so a form may hold all numbers of a
    lesson. Where there is a problem the changes are those of before.
    """
    problems: dict[str, str] = {}
    wanted = dict(_entry(name, text, scenario) for name, text in now)
    before = dict(wanted)
    touched: set[Changeable] = set()
    for name, text in form.items():
        try:
            at, found = _entry(name, text, scenario)
        except BadChangeError as error:
            problems[name] = sentence(str(error))
            continue
        if found != (wanted[at] if at in wanted else _own(scenario, at, before)):
            wanted[at] = found
            touched.add(at)
    _let_go(scenario, wanted, touched)
    for names, message in find_misfits(scenario, wanted):
        blamed = next((at for at in names if at in touched), names[0])
        problems.setdefault(str(blamed), sentence(message))
    after = _canonical(wanted, scenario)
    if said := too_many(after):
        problems[""] = said
    return (now, problems) if problems else (after, {})


def _let_go(scenario: Scenario, wanted: Wanted, touched: set[Changeable]) -> None:
    """A number goes with the activation or the optimizer that had it, unless it was typed just
    now.
    """
    for at in [at for at in wanted if at not in touched]:
        owner = at.parameter and at.parameter.owner
        stray = at.knob and at.knob.stray(_chosen(scenario, at.knob.part, wanted))
        if stray or (owner and wanted.get(Changeable("activation", at.layer), owner) != owner):
            del wanted[at]


# ---- into a scenario ----


def apply(scenario: Scenario, changes: Changes) -> Scenario:
    """The scenario with the changes made. Raises ChangeError with every problem."""
    wanted: Wanted = {}
    faults = []
    for name, text in changes:
        try:
            at, found = _entry(name, text, scenario)
        except BadChangeError as error:
            faults.append(Fault(name, text, str(error)))
            continue
        wanted[at] = found
    texts = dict(changes)
    for names, message in find_misfits(scenario, wanted):
        name = next((str(at) for at in names if at in wanted), str(next(iter(names))))
        faults.append(Fault(name, texts.get(name, ""), message))
    if faults:
        raise ChangeError(faults)
    return made(scenario, wanted)


def listed(scenario: Scenario, changes: Changes) -> tuple[Change, ...]:
    """What is changed, with what the lesson itself has there."""
    found = []
    wanted = {part(name, scenario): text for name, text in changes}
    for at, text in wanted.items():
        found.append(Change(written(_own(scenario, at, dict(wanted))), text, part=at))
    return tuple(found)


def told(changes: Iterable[AnyChange], most: int = 20) -> str:
    """The changes as a sentence for files: `w[2][1,3] from 0.2 to -0.3, …`; empty if none."""
    each = [f"{change.name} from {change.old} to {change.new}" for change in changes]
    more = f" and {len(each) - most} more" if len(each) > most else ""
    return f"Changed from the original: {', '.join(each[:most])}{more}." if each else ""


def without(changes: Changes, name: str) -> Changes:
    """The changes without one of them; a number goes with the activation or the optimizer that it
    belongs to.
    """
    own = {at.name for at in KNOBS.values() if at.part == name}
    if name.startswith("activation["):
        own = {f"{kind}{name.removeprefix('activation')}" for kind in PARAMETERS}
    return tuple(pair for pair in changes if pair[0] != name and pair[0] not in own)


def structural(name: str) -> bool:
    """Whether a change of this name may give a lesson other steps."""
    return name.partition("[")[0] in STRUCTURE


# ---- A scenario with some of its parts changed: what does not fit, and the scenario itself ----
#
# Only what is touched is made anew: a change in a large matrix copies one row, and a layer made by
# `init` is written out once. What spoke of the original's numbers goes: what the slides print,
# notes, closed forms, the place in the gallery.


WantedChanges = Mapping[Changeable, ChangedValue]
Misfit = tuple[tuple[Changeable, ...], str]
"""The parts that do not agree, the likeliest culprit first, and what is wrong with them."""

MOST_MISFITS = 50


def find_misfits(scenario: Scenario, wanted: WantedChanges) -> tuple[Misfit, ...]:
    """What of the changes does not fit together, by the same checks that a file has to pass."""
    strays = tuple(_strays(scenario, wanted))
    if not any(at.kind in {"y", "loss", *OF_LAYERS} for at in wanted):
        return strays
    network, data = _network(scenario, wanted, numbers=False), _data(scenario, wanted)
    found = islice(checks.fit(network, data), MOST_MISFITS)
    fit = ((_culprits(path, network, len(data.targets)), message) for path, message in found)
    return (*strays, *fit)


def _strays(scenario: Scenario, wanted: WantedChanges) -> Iterator[Misfit]:
    """Numbers of another optimizer, schedule, penalty or clipping than there is."""
    penalty = knobs.chosen(scenario.training)["penalty"]
    each = [at for at in wanted if at.kind == "l2" and at.layer]
    if each and _chosen(scenario, "penalty", wanted) != penalty:
        yield from (
            ((at, Changeable("penalty")), "belongs to the penalty of the lesson itself")
            for at in each
        )
    elif each and not any(_each_penalty(scenario, wanted)):
        yield (each[0],), "expected a number above 0 for one layer at least"
    for at in wanted:
        if at.knob:
            message = at.knob.stray(_chosen(scenario, at.knob.part, wanted))
            if message:
                yield (at, Changeable(at.knob.part)), message


def _each_penalty(scenario: Scenario, wanted: WantedChanges) -> Iterator[float]:
    """The weight of the penalty of each layer after some changes."""
    for n, weight in enumerate(penalties(scenario), 1):
        yield float(wanted.get(Changeable("l2", n), weight))


def _culprits(path: Path, network: NetworkSpec, samples: int) -> tuple[Changeable, ...]:
    """The parts behind a place in a file."""
    output, loss = Changeable("activation", len(network.layers)), Changeable("loss")
    match path:
        case ("network", "loss", _) | ("network", "layers", _, "skip"):
            return (loss, output)
        case ("network", "layers", int(n), key):
            return (Changeable(str(key), n + 1), Changeable("activation", n + 1))
        case ("data", "targets", int(s), int(i)):
            return (Changeable("y", 0, i + 1, 0, s + 1 if samples > 1 else 0), loss, output)
        case ("data", "targets", int(s)):
            row = s + 1 if samples > 1 else 0
            return (
                *(Changeable("y", 0, i, 0, row) for i in range(1, network.sizes[-1] + 1)),
                loss,
                output,
            )
        case _:
            return (loss, output)


def made(scenario: Scenario, wanted: WantedChanges) -> Scenario:
    """The scenario with the changes made; they have to fit together."""
    if not wanted:
        return scenario
    scenario = _seeded(scenario, wanted)
    return replace(
        scenario,
        network=_network(scenario, wanted), data=_data(scenario, wanted),
        training=_training(scenario.training, wanted),
        printed=(), notes=(), checks=(), lecture=None,
    )  # fmt: skip


def _seeded(scenario: Scenario, wanted: WantedChanges) -> Scenario:
    """The scenario with the samples and weights of other seeds."""
    seeds = {at: {"seed": int(v)} for at, v in wanted.items() if at.kind in {"data_seed", "seed"}}
    if not seeds:
        return scenario
    network, data = scenario.network, scenario.data
    layers = list(network.layers)
    for at, seed in seeds.items():
        if at.layer and (init := layers[at.layer - 1].init):
            new = {"init": init.model_copy(update=seed)}
            layers[at.layer - 1] = layers[at.layer - 1].model_copy(update=new)
        elif not at.layer and data.generator:
            data = data.model_copy(update={"generator": data.generator.model_copy(update=seed)})
    return replace(
        scenario, network=network.model_copy(update={"layers": tuple(layers)}), data=data
    )


def _training(training: Training, wanted: WantedChanges) -> Training:
    words = {at.kind: str(word) for at, word in wanted.items() if at.kind in CHOICES}
    numbers = {at.kind: float(v) for at, v in wanted.items() if at.knob}
    update = knobs.changed(training, words, numbers) if words or numbers else {}
    rate = wanted.get(Changeable("learning_rate"))
    if rate is not None:
        update["learning_rate"] = rate
    batch = wanted.get(Changeable("batch"))
    if batch is not None:
        size = str(batch)
        update["batch"] = int(size) if size.isdigit() else size
    each = {at.layer: float(v) for at, v in wanted.items() if at.kind == "l2" and at.layer}
    if each and training.l2:
        weights = (each.get(n, v) for n, v in enumerate(training.l2.by_layer, 1))
        update["l2"] = PenaltySpec.model_validate(
            {"weight": tuple(weights), "form": training.l2.form}
        )
    seed = wanted.get(Changeable("shuffle"))
    if seed is not None:
        update["shuffle"] = None if seed == knobs.NONE else Shuffle(seed=int(seed))
    return training.model_copy(update=update) if update else training


def _network(scenario: Scenario, wanted: WantedChanges, *, numbers: bool = True) -> NetworkSpec:
    """The network with its changes; without `numbers` the weights stay, for checks that do not ask
    for them.
    """
    network = scenario.network
    touched = {at.layer for at in wanted if at.layer}
    layers = tuple(
        _layer(network, n, wanted, numbers=numbers) if n in touched else layer
        for n, layer in enumerate(network.layers, 1)
    )
    words = {
        key: wanted[Changeable(kind)]
        for key, kind in (("name", "loss"), ("reduction", "reduction"))
        if Changeable(kind) in wanted
    }
    loss = network.loss.model_copy(update=words) if words else network.loss
    return network.model_copy(update={"layers": layers, "loss": loss})


def _layer(network: NetworkSpec, n: int, wanted: WantedChanges, *, numbers: bool) -> LayerSpec:
    layer = network.layers[n - 1]
    update: dict[str, Any] = {}
    kind = wanted.get(Changeable("activation", n), layer.activation)
    if kind != layer.activation:
        update |= {"activation": kind, **dict.fromkeys(PARAMETERS)}
    own = {*PARAMETERS, "dropout"}
    update |= {at.kind: v for at, v in wanted.items() if at.kind in own and at.layer == n}
    weights = {
        (at.i, at.j): float(v) for at, v in wanted.items() if (at.kind, at.layer) == ("w", n)
    }
    biases = {(1, at.i): float(v) for at, v in wanted.items() if (at.kind, at.layer) == ("b", n)}
    if weights and numbers:
        rows = layer.weights if layer.init is None else _written_out(layer, network.sizes[n - 1])
        update |= {"weights": _put(rows or (), weights), "init": None}
    if biases and numbers:
        update["biases"] = _put((layer.biases or (),), biases)[0]
    return layer.model_copy(update=update)


def _written_out(layer: LayerSpec, inputs: int) -> Rows:
    if layer.init is None:
        return layer.weights or ()
    return tuple(map(tuple, made_by_init(layer.init, layer.units, inputs).tolist()))


def _data(scenario: Scenario, wanted: WantedChanges) -> Data:
    cells: dict[str, dict[tuple[int, int], float]] = defaultdict(dict)
    for at, v in wanted.items():
        if at.kind in {"x", "y"}:
            cells[at.kind][max(at.sample, 1), at.i] = float(v)
    if not cells:
        return scenario.data
    data = _data_written_out(scenario.data)
    tables = (("x", "inputs", data.inputs), ("y", "targets", data.targets))
    update = {key: _put(rows, cells[kind]) for kind, key, rows in tables if cells[kind]}
    return data.model_copy(update=update)


def _data_written_out(data: Data) -> Data:
    """The rows of a generator in its place."""
    if data.generator is None:
        return data
    inputs, targets = (tuple(map(tuple, rows.tolist())) for rows in raw_rows(data))
    return data.model_copy(update={"inputs": inputs, "targets": targets, "generator": None})


def _put(rows: Rows, cells: Mapping[tuple[int, int], float]) -> Rows:
    """Rows with some numbers replaced; (row, column) count from 1. Rows that are not touched stay
    the same objects.
    """
    new = list(rows)
    for r in {r for r, _ in cells}:
        row = list(new[r - 1])
        for (at, column), v in cells.items():
            if at == r:
                row[column - 1] = v
        new[r - 1] = tuple(row)
    return tuple(new)
