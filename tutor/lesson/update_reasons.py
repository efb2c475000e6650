"""Why a step of the update does what it does: schedules, penalties, clipping, dropout and what an
optimizer works out, whose words are its own (`tutor.engine.optimizers`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tutor.engine.kinds import GRADIENT, KINDS
from tutor.engine.optimizers import SCHEDULES, UpdateRule
from tutor.engine.order import Stage
from tutor.engine.quantity import Quantity
from tutor.engine.trace import Trace
from tutor.lesson.titles import capital, every, gradient_name, place


@dataclass(frozen=True, slots=True)
class Reason:
    """The words for a step: `long` at the first of its kind, `short` at the others."""

    long: str
    short: str = ""
    """"" where `long` is short enough to be repeated."""


def parameter(q: Quantity) -> str:
    """`weight` or `bias`."""
    return "bias" if q.of.biases else "weight"


# ---- before the update ----


def dropped(t: Trace, q: Quantity) -> Reason:
    """An activation after dropout."""
    share = t.network.layer(q.layer).dropout
    dropped = t.value(Quantity("mask", q.layer, q.i, 0, q.sample)) == 0
    fate = "It is dropped in this iteration." if dropped else "It stays in this iteration."
    return Reason(
        f"While it learns, every hidden unit of this layer is dropped with probability {share:g}, "
        "so that no unit can rely on another. Those that stay are divided by the share that is "
        f"kept, {1 - share:g}, so that the next layer gets about as much as without dropout. "
        f"{fate}",
        fate,
    )


def all_dropped(t: Trace, stage: Stage) -> Reason:
    """The activations of a layer after dropout."""
    return Reason(
        "Multiply every activation by its mask: 0 where the unit is dropped in this iteration, "
        "else 1 over the share that is kept."
    )


def data_loss(t: Trace, q: Quantity) -> Reason:
    """The loss without the penalty."""
    if q.of.again:
        return Reason("How far off the updated network is, the penalty left aside.")
    first = "How far off the outputs are" + (
        f", for {every(t.samples, 'sample')}" if t.samples > 1 else ""
    )
    return Reason(f"{first}. The penalty on large weights comes on top of it.")


def weights_length(t: Trace, q: Quantity) -> Reason:
    """The length of all weights."""
    if q.layer:
        return Reason(
            f"The {'new ' * q.of.again}weights of this layer as one long vector: the root of the "
            "sum of their squares. Biases are left out."
        )
    return Reason(
        f"All {'new ' * q.of.again}weights as one long vector: the root of the sum of their "
        "squares. Biases are left out."
    )


def penalty(t: Trace, q: Quantity) -> Reason:
    """The penalty on large weights."""
    if q.of.again:
        return Reason("The same penalty, of the new weights.")
    if t.network.rule.by_layer:
        what = (
            "λ times the length of its weights"
            if t.network.rule.penalty == "norm"
            else "half of λ times the sum of its squared weights"
        )
        return Reason(
            f"A penalty on large weights, with a λ for each layer: add up {what}, layer by layer. "
            "Small weights make a smoother network, which depends less on single samples."
        )
    if t.network.rule.penalty == "norm":
        return Reason(
            "A penalty on large weights: λ times their length. Small weights make a smoother "
            "network, which depends less on single samples."
        )
    return Reason(
        "A penalty on large weights: half of λ times the sum of their squares; biases are left "
        "out. Small weights make a smoother network, which depends less on single samples."
    )


def scheduled(t: Trace, q: Quantity) -> Reason:
    """The learning rate of this iteration."""
    falls = SCHEDULES[t.network.rule.schedule].how
    return Reason(f"The learning rate {falls}. This is its value in iteration {t.knobs['t']:g}.")


def penalty_gradient(t: Trace, q: Quantity) -> Reason:
    """What the penalty adds to the gradient of a weight."""
    if t.network.rule.by_layer and t.network.rule.penalty == "norm":
        return Reason(
            "The derivative of a length with respect to one of its entries is that entry over the "
            "length; times the λ of this layer.",
            "λ of this layer × this weight over the length of the layer’s weights.",
        )
    if t.network.rule.by_layer:
        return Reason(
            "The derivative of ½λw² is λw, with the λ of this layer: the larger a weight is, the "
            "more the penalty pulls it towards 0.",
            "λ of this layer × this weight.",
        )
    if t.network.rule.penalty == "norm":
        return Reason(
            "The derivative of a length with respect to one of its entries is that entry over the "
            "length; times λ.",
            "λ × this weight over the length of all weights.",
        )
    return Reason(
        "The derivative of ½λw² is λw: the larger a weight is, the more the penalty pulls it "
        "towards 0.",
        "λ × this weight.",
    )


def all_penalty_gradients(t: Trace, stage: Stage) -> Reason:
    """The same for all weights of a layer."""
    return penalty_gradient(t, Quantity(stage.kind, stage.layer, 1, 1))


def gradient_length(t: Trace, q: Quantity) -> Reason:
    """The length of the whole gradient, and what clipping makes of it."""
    limit, length = t.knobs["clip"], t.value(q)
    long = "longer" if length > limit else "not longer"
    done = "is shortened to that length" if length > limit else "stays as it is"
    return Reason(
        "All gradients as one long vector: the root of the sum of their squares. It is "
        f"{long} than the limit {limit:g}, so the gradient {done}."
    )


def for_update(t: Trace, q: Quantity) -> Reason:
    """The gradient after penalty and clipping."""
    rule = t.network.rule
    add = "Add the penalty's gradient to that of the data" * bool(rule.penalty and q.of.weights)
    if rule.clip == "norm":
        cut = "shorten the whole gradient where it is longer than the limit: its direction stays"
    elif rule.clip == "value":
        cut = "cut what lies beyond ± the limit"
    else:
        return Reason(f"{add}.")
    return Reason(f"{add}, then {cut}." if add else capital(f"{cut}."))


def worked_out(t: Trace, q: Quantity) -> Reason:
    """What an optimizer computes for one weight or bias, in its own words."""
    found = t.network.rule.how.words[q.kind.partition(".")[0]]
    long, short = (text.format(parameter=parameter(q)) for text in found)
    return Reason(long, short)


def for_all(reason: Callable[[Trace, Quantity], Reason]) -> Callable[[Trace, Stage], Reason]:
    """The words of a number for all of a layer."""

    def whole(t: Trace, stage: Stage) -> Reason:
        found = reason(t, Quantity(stage.kind, stage.layer, 1, KINDS[stage.kind].weights))
        return Reason(found.long)

    return whole


# ---- the update ----


def updated(t: Trace, q: Quantity) -> Reason:
    """A new weight or bias."""
    rule = t.network.rule
    if rule.made("w") or rule.schedule:
        moved = t.value(Quantity(q.of.before, q.layer, q.i, q.j)) - t.value(q)
        goes = "goes down" if moved > 0 else "goes up" if moved < 0 else "stays the same"
        turn = f"The {parameter(q)} {goes}."
        step = f"the step that {rule.how.title} has worked out"
        what = _subtracted(rule, q) if rule.optimizer == "sgd" else step
        return Reason(f"The update: subtract {what}. {turn}", turn)
    grad = t.value(Quantity(GRADIENT[q.of.before], q.layer, q.i, q.j))
    sign, goes = (
        ("negative", "goes up") if grad < 0 else ("positive", "goes down") if grad > 0
        else ("0", "stays the same")
    )  # fmt: skip
    turn = f"The gradient is {sign}, so the {parameter(q)} {goes}."
    return Reason(f"One step of gradient descent: subtract learning rate × gradient. {turn}", turn)


def _subtracted(rule: UpdateRule, q: Quantity) -> str:
    rate = "this iteration's learning rate" if rule.schedule else "learning rate"
    kind = f"g.{q.of.before}"
    what = gradient_name(rule, kind) if kind in rule.made(q.of.before) else "gradient"
    return f"{rate} × {what}"


def all_updated(t: Trace, stage: Stage) -> Reason:
    """All new weights or biases of a layer."""
    noun = "bias" if KINDS[stage.kind].biases else "weight"
    where = place(t.network, stage.layer)
    if t.network.rule.optimizer != "sgd":
        return Reason(f"Subtract the step from every {noun} of {where}.")
    return Reason(f"Subtract learning rate × gradient from every {noun} of {where}.")
