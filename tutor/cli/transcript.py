"""A lesson's walk as plain text: each step with its formula in symbols, in numbers and as a result.

    Step 7 of 79 · forward · z[2][1]
      Pre-activation of unit 1 of hidden layer 2
      z_1^[2] = w_01^[2] + w_11^[2]·a_1^[1] + …
              = 0.3 + 0.2 × 0.5744 + …
              ≈ 0.4746

Where the lecture's decimals are too few to give the shown result on a calculator, the numbers have
more, and a line below the result says so.

`paragraphs` yields one paragraph a step, so the walk of a large network starts at once and needs no
memory.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

from tutor import number
from tutor.engine.derivation import Derivation, derive, derive_stage, result
from tutor.engine.kinds import KINDS
from tutor.engine.order import Stage
from tutor.engine.quantity import Quantity
from tutor.engine.tree import ArrayRef, Node, Value, has_partials
from tutor.lesson.calculator import Digits, enough
from tutor.lesson.explain import (
    ROUNDED,
    explain,
    explain_phase,
    explain_stage,
    explain_stop,
    remark,
)
from tutor.lesson.slides import OPEN, Slide, SlideNumber
from tutor.lesson.walk import LayerWalk, Lesson, PassWalk, Walk
from tutor.notation.conventions import (
    Alphabet,
    Notation,
    arranged,
    flipped,
    left_side,
    oriented,
    turned,
)
from tutor.notation.plain import PlainText
from tutor.notation.writer import NUMBERS, RULE, SYMBOLS

INDENT = "  "
Shown = tuple[str, str]
"""A relation sign and what stands behind it."""


def paragraphs(lesson: Lesson, grain: str, notation: Notation, decimals: int) -> Iterator[str]:
    """The steps of a lesson in one grain, one text of several lines each."""
    walk = lesson.walk(grain)
    writer = StepWriter(lesson, notation, decimals)
    said = _by_step(lesson, walk)
    for n in range(1, len(walk) + 1):
        head, lines = writer.step(walk, n)
        notes = [line for slide in said.get(n, ()) for line in _of_slide(slide, decimals)]
        end = [explain_stop(lesson.trace, walk.stop)] if walk.stop and n == len(walk) else []
        title = f"Step {n} of {len(walk)} · {walk.phase(n)}" + (f" · {head}" if head else "")
        yield "\n".join([title, *(INDENT + line for line in (*lines, *notes, *end))]) + "\n"


def _by_step(lesson: Lesson, walk: Walk) -> dict[int, list[Slide]]:
    """What the lecture says at each step; what it says of a given number stands at the first."""
    numbers = lesson.walk("number")
    found = lesson.slides
    reached = [q for q in found if numbers.known(q, len(numbers)) and walk.known(q, len(walk))]
    steps: dict[int, list[Slide]] = defaultdict(list)
    for q in sorted(reached, key=numbers.step_of):
        steps[max(walk.step_of(q), 1)].append(found[q])
    return steps


def _of_slide(slide: Slide, decimals: int) -> Iterator[str]:
    for entry in slide.numbers:
        what = entry.quantity.replace("{", "").replace("}", "")
        yield f"The slide prints {what} = {entry.printed} ({entry.where})" + _comparison(entry)
    for form in slide.closed_forms:
        yield f"Check: {form.text} = {number.shown(form.value, decimals)}" + (
            f" ({form.where})" if form.where else ""
        )
    for said in slide.remarks:
        yield f"On the slides: {said}"
    for note in slide.notes:
        yield f"Worth knowing: {note}"


def _comparison(entry: SlideNumber) -> str:
    if entry.agrees:
        return ", as computed."
    left_open = "left open or unchanged; " if entry.state == OPEN else ""
    return f"; {left_open}computed {entry.ours}" + (f": {entry.why}" if entry.why else ".")


class StepWriter:
    """Writes the steps of one lesson in one notation."""

    def __init__(self, lesson: Lesson, notation: Notation, decimals: int) -> None:
        self.trace, self.notation, self.decimals = lesson.trace, notation, decimals
        alphabet = Alphabet.of(notation, lesson.trace.network, lesson.trace.samples)
        self.text = {
            mode: PlainText(alphabet, decimals, mode, env=lesson.trace)
            for mode in (RULE, SYMBOLS, NUMBERS)
        }

    def step(self, walk: Walk, n: int) -> tuple[str, list[str]]:
        """What step n makes, by its contract name, and its lines."""
        if isinstance(walk, PassWalk):
            lines = [line for stage in walk.stages(n) for line in self._brief(stage)]
            return "", [explain_phase(walk.phase(n)).title, *lines]
        stage = walk.stages[n - 1] if isinstance(walk, LayerWalk) else None
        if stage is not None and not stage.single:
            return _stage_name(stage), [
                explain_stage(self.trace, stage).title,
                *self._matrix(stage),
            ]
        q = walk.anchor(n)
        return str(q), [explain(self.trace, q).title, *self._number(q)]

    # ---- one number ----

    def _number(self, q: Quantity) -> list[str]:
        try:
            found = derive(self.trace, q)
        except KeyError:
            return []  # a flat activation: there is no derivative to write down
        tree, value = arranged(found.tree, self.notation), self.trace.value(q)
        digits = self._digits(tree, value)
        left, forms, result = self._number_lines(q, found, tree, digits)
        return self._whole(left, [*forms, result], found, lambda tree: tree, value, digits)

    def _digits(self, tree: Node, value: Value) -> Digits:
        return enough(tree, value, self.trace, self.decimals)

    def _number_lines(
        self, q: Quantity, found: Derivation, tree: Node, digits: Digits
    ) -> tuple[str, list[Shown], Shown]:
        """The left-hand side, the formula in its forms, and the result."""
        kind, sign = left_side(q.kind, self.notation)
        left = self.text[SYMBOLS].name(q._replace(kind=kind))
        named = [] if found.name is None else [self.text[SYMBOLS].line(found.name)]
        forms = _signed([*named, *self._forms(tree, digits)], sign)
        return left, forms, self._result(self.trace.value(q))

    def _result(self, value: float) -> Shown:
        """= where the shown digits are the whole number, ≈ where they are rounded."""
        return "=" if number.is_exact(value, self.decimals) else "≈", number.shown(
            value, self.decimals
        )

    # ---- one matrix, and a phase of them ----

    def _matrix(self, stage: Stage) -> list[str]:
        try:
            found, made = derive_stage(self.trace, stage), result(self.trace, stage)
        except KeyError:
            return []
        value = turned(made, self.notation).value(self.trace)
        digits = self._digits(self._turned(found.tree, made), value)
        left, forms, end = self._matrix_lines(stage, found, made, digits)
        return self._whole(
            left, [*forms, end], found, lambda tree: self._turned(tree, made), value, digits
        )

    def _matrix_lines(
        self, stage: Stage, found: Derivation, made: ArrayRef, digits: Digits
    ) -> tuple[str, list[Shown], Shown]:
        kind, sign = left_side(stage.kind, self.notation)
        left = self.text[SYMBOLS].matrix_name(kind, stage.layer, made.sample)
        forms = _signed(self._forms(self._turned(found.tree, made), digits), sign)
        shown = turned(made, self.notation)
        rows, columns = shown.value(self.trace).shape
        return left, forms, ("=", f"{self.text[NUMBERS].matrix(shown)}  ({rows}×{columns})")

    def _turned(self, tree: Node, made: ArrayRef) -> Node:
        return oriented(tree, self.notation, flipped(made.kind, self.notation))

    def _brief(self, stage: Stage) -> list[str]:
        """Symbols and result only; of the loss, which is one number, all."""
        if stage.single:
            return self._number(Quantity(stage.kind, stage.layer))
        try:
            found, made = derive_stage(self.trace, stage), result(self.trace, stage)
        except KeyError:
            return []
        value = turned(made, self.notation).value(self.trace)
        digits = self._digits(self._turned(found.tree, made), value)
        left, forms, end = self._matrix_lines(stage, found, made, digits)
        said = remark(self.trace, found, self.decimals + digits.more)
        return [
            *_aligned(left, [forms[0], end]),
            *([f"{said.heading} {said.text}"] if said else []),
        ]

    # ---- both ----

    def _forms(self, tree: Node, digits: Digits) -> list[str]:
        modes = (RULE, SYMBOLS) if has_partials(tree) else (SYMBOLS,)
        numbers = self.text[NUMBERS].finer(digits.more).line(tree)
        return list(dict.fromkeys([*(self.text[mode].line(tree) for mode in modes), numbers]))

    def _whole(
        self,
        left: str,
        lines: list[Shown],
        found: Derivation,
        turn: Callable[[Node], Node],
        value: Value,
        digits: Digits,
    ) -> list[str]:
        """The formula, the shortcut, and what has to be said of the result; `turn` writes a tree
        as the lecture does.
        """
        said = remark(self.trace, found, self.decimals + digits.more)
        shorter = (
            []
            if found.shortcut is None
            else ["The shortcut:", *self._way(left, turn(found.shortcut), lines[-1], value)]
        )
        why = [f"{said.heading} {said.text}"] if said else []
        stable = (
            []
            if said is not ROUNDED or found.stable is None
            else self._way(left, turn(found.stable), lines[-1], value)
        )
        return [
            *_aligned(left, lines),
            *_note(left, digits),
            *shorter,
            *why,
            *stable,
        ]

    def _way(self, left: str, tree: Node, end: Shown, value: Value) -> list[str]:
        digits = self._digits(tree, value)
        return [
            *_aligned(left, [*_signed(self._forms(tree, digits), "="), end]),
            *_note(left, digits),
        ]


def _note(left: str, digits: Digits) -> list[str]:
    """A line below a result of which, or of whose numbers, something has to be said."""
    note = digits.numbers or digits.result
    return [f"{' ' * len(left)}   ({note})"] if note else []


def _stage_name(stage: Stage) -> str:
    if stage.per_sample:
        return f"{stage.kind}@s"
    return f"{stage.kind}[{stage.layer}]" if KINDS[stage.kind].layered else stage.kind


def _signed(forms: list[str], sign: str) -> list[Shown]:
    """The first form behind its sign, the others behind =."""
    return [(sign if n == 0 else "=", form) for n, form in enumerate(forms)]


def _aligned(left: str, lines: list[Shown]) -> list[str]:
    """left = a, and each further line with its sign below the first."""
    return [
        f"{left if n == 0 else ' ' * len(left)} {sign} {text}"
        for n, (sign, text) in enumerate(lines)
    ]
