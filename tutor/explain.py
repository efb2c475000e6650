"""What a step is called, what it does and why, in a sentence or two; and the words it needs, where they first appear.

Texts are ours; the vocabulary is the field's. `tests/test_explain.py` reads every kind of step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tutor.derivation import Derivation, loses_digits
from tutor.network import Network
from tutor.order import Stage
from tutor.quantity import Quantity
from tutor.trace import FLAT, OVERFLOW, Stop, Trace

PHASE_TITLES = {
    "forward": "Forward pass", "loss": "Loss", "backward": "Backward pass", "update": "Update", "verify": "Verification",
}  # fmt: skip

PHASE_NAMES = {"forward": "Forward", "loss": "Loss", "backward": "Backward", "update": "Update", "verify": "Verify"}

PHASE_ABOUT = {
    "forward": "Numbers travel from the inputs to the outputs: each layer takes weighted sums of what comes in and applies its activation function.",
    "loss": "The outputs are compared with the targets. One number, the loss, says how far off they are.",
    "backward": "The chain rule carries the question “how would the loss change?” back from the outputs to every weight and bias.",
    "update": "Every weight and bias moves a small step against its gradient, so the loss should fall.",
    "verify": "The same inputs go through the updated network. Has the loss really become smaller?",
}  # fmt: skip

TERMS = {
    "z": ("pre-activation", "the weighted sum of what comes into a unit, plus its bias, before the activation function"),
    "a": ("activation", "what a unit passes on: the activation function applied to its pre-activation"),
    "loss": ("loss", "one number for how far the outputs are from the targets; training makes it smaller"),
    "dL/da": ("derivative", "how fast one number changes when another is changed a little: the sign says which way, the size how much"),
    "da/dz": ("local derivative", "the derivative of one step of the computation by what goes into it, all else left alone"),
    "dL/dz": ("error signal", "the derivative of the loss by a pre-activation; everything before this unit hears of the error through it"),
    "dL/dw": ("gradient", "all the derivatives of the loss by the weights and biases; it points where the loss grows fastest"),
    "w+": ("learning rate", "how long a step is taken against the gradient"),
    "z+": ("verification pass", "the forward pass once more, with the new weights and biases"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Explanation:
    """The words of one step."""

    title: str
    why: str
    term: tuple[str, str] | None = None
    """A word that first appears here, with its meaning."""


def unit(network: Network, layer: int, i: int) -> str:
    """`unit 2 of layer 1`; an output layer is called so."""
    place = "the output layer" if layer == network.depth else f"layer {layer}"
    return f"unit {i} of {place}" if network.sizes[layer] > 1 else f"the unit of {place}"


def explain(trace: Trace, q: Quantity) -> Explanation:
    """The words for one number."""
    title, why = _WORDS[q.kind](trace, q)
    title = title[0].upper() + title[1:]
    if q.sample and q.layer:  # the loss of a sample has it in its name
        title += f", sample {q.sample}"
    return Explanation(title, why, _term(trace, q))


def _term(trace: Trace, q: Quantity) -> tuple[str, str] | None:
    """The word of this kind, where a walk comes to it for the first time."""
    kind = {"dL/db": "dL/dw", "b+": "w+"}.get(q.kind, q.kind)
    return TERMS[kind] if kind in TERMS and q == _first(trace, kind) else None


def _first(trace: Trace, kind: str) -> Quantity:
    """The quantity with which a word first appears; `test_each_term_is_explained_once` follows the walk."""
    network, sample = trace.network, 1 if trace.samples > 1 else 0
    if kind == "loss":
        return Quantity(kind, sample=sample)
    if kind in {"z", "a", "z+"}:
        return Quantity(kind, 1, 1, 0, sample)
    if kind in {"dL/dw", "w+"}:
        learning = (n for n, part in enumerate(network.layers, 1) if part.train_weights or part.learns_biases)
        layer = max(learning, default=network.depth)
        bias = network.layer(layer).learns_biases
        name = {"dL/dw": "dL/db", "w+": "b+"}[kind] if bias else kind
        return Quantity(name, layer, 1, 0 if bias else 1, sample if kind == "dL/dw" else 0)
    return Quantity(kind, network.depth, 1, 1 if kind == "da/dz" and network.layers[-1].activation.couples else 0, sample)


def _z(t: Trace, q: Quantity) -> tuple[str, str]:
    layer, new = t.network.layer(q.layer), q.kind.endswith("+")
    source = "every input" if q.layer == 1 else f"every activation of layer {q.layer - 1}"
    bias = ", and the bias is added" if layer.biases is not None else ""
    why = f"{source[0].upper()}{source[1:]} is multiplied by its weight, the products are added up{bias}."
    if new:
        why = f"The same sum as in the forward pass, now with the new weights{' and bias' if bias else ''}."
    return f"{'new ' if new else ''}pre-activation of {unit(t.network, q.layer, q.i)}", why


def _a(t: Trace, q: Quantity) -> tuple[str, str]:
    rule, new, last = t.network.layer(q.layer).activation, q.kind.endswith("+"), q.layer == t.network.depth
    name = rule.name.replace("_", " ")
    what = "output" if last and t.network.sizes[-1] == 1 else f"output {q.i}" if last else f"activation of {unit(t.network, q.layer, q.i)}"
    if rule.couples:
        why = "Softmax takes e to the power of each pre-activation and divides by their sum, so that the outputs are positive and add up to 1."
    else:
        why = f"The {name} function is applied to the pre-activation. {rule.about}"
    if last:
        why += " This is what the network answers now." if new else " This is what the network answers."
    elif not new:
        why += " The next layer takes it in."
    return f"{'new ' if new else ''}{what}", why


def _loss(t: Trace, q: Quantity) -> tuple[str, str]:
    lead, about = "new " if q.kind.endswith("+") else "", t.network.loss.about
    if q.sample:
        return f"{lead}loss of sample {q.sample}", about
    if t.samples == 1:
        return f"{lead}loss: {t.network.loss.title}", about
    added = f"The losses of all {t.samples} samples are added up"
    return f"{lead}loss of the batch", f"{added} and divided by {t.samples}: the mean." if t.scale != 1.0 else f"{added}: the sum."


def _dL_da(t: Trace, q: Quantity) -> tuple[str, str]:
    if q.layer == t.network.depth:
        what = "the output" if t.network.sizes[-1] == 1 else f"output {q.i}"
        return f"derivative of the loss by {what}", (
            f"Backward starts at the end: if {what} were a little larger, how would the loss change? This is the derivative of the {t.network.loss.title}.{_mean(t)}"
        )
    above = t.network.sizes[q.layer + 1]
    through = "the one unit" if above == 1 else f"all {above} units"
    return f"derivative of the loss by the activation of {unit(t.network, q.layer, q.i)}", (
        f"This activation reaches the loss through {through} of layer {q.layer + 1}. "
        + ("The error signal there is multiplied by the weight between the two." if above == 1 else
           "Along each way, the error signal there is multiplied by the weight between the two; the ways are added up.")
    )  # fmt: skip


def _mean(t: Trace) -> str:
    """Where the 1/M of a derivative comes from; "" where there is none."""
    return f" The loss of the batch is the mean over {t.samples} samples, so each of them counts with 1/{t.samples}." if t.scale != 1.0 else ""


def _da_dz(t: Trace, q: Quantity) -> tuple[str, str]:
    rule = t.network.layer(q.layer).activation
    name = rule.name.replace("_", " ")
    if q.j:
        which = "its own pre-activation" if q.i == q.j else f"pre-activation {q.j}"
        return f"softmax derivative of output {q.i} by pre-activation {q.j}", (
            f"With softmax every output depends on every pre-activation. This is how output {q.i} answers to {which}: "
            + ("it grows with it." if q.i == q.j else "it has to shrink, since the outputs add up to 1.")
        )
    bound = f" It is never larger than {rule.bound:g}." if rule.bound is not None and rule.name in {"sigmoid", "tanh"} else ""
    kink = f" {rule.at_kink}" if rule.at_kink and t.value(Quantity("z", q.layer, q.i, 0, q.sample)) == 0 else ""
    return f"slope of the {name} at {unit(t.network, q.layer, q.i)}", (
        f"If the pre-activation grew a little, how much would the activation grow? The derivative of the {name} function says so.{bound}{kink}"
    )


def _dL_dz(t: Trace, q: Quantity) -> tuple[str, str]:
    if t.goes_around(q):
        why = f"The long way, over the derivative by the activation, cannot be computed here. What it comes to can: output minus target.{_mean(t)}"
    elif t.network.layer(q.layer).activation.couples:
        why = "The pre-activation reaches the loss through every output of the softmax: each way is a product of two derivatives, and the ways are added up."
    else:
        why = "The chain rule: the derivative by the activation times the slope of the activation function."
    if q.layer == t.fused_layer and not t.goes_around(q) and t.scale != 1.0:
        why += f" The 1/{t.samples} in the shorter way is that of the mean."
    return f"error signal of {unit(t.network, q.layer, q.i)}", why


def _dL_dw(t: Trace, q: Quantity) -> tuple[str, str]:
    bias = q.kind == "dL/db"
    what = f"bias of {unit(t.network, q.layer, q.i)}" if bias else f"weight from {_source(t, q)} into {unit(t.network, q.layer, q.i)}"
    if t.samples > 1 and not q.sample:
        there = f" The 1/{t.samples} of the mean is in each of them already." if t.scale != 1.0 else ""
        return f"gradient of the {what}", f"Every sample has its say: the shares of all {t.samples} samples are added up.{there}"
    why = (
        "A bias is added as it is, so its local derivative is 1 and the gradient is the error signal itself."
        if bias
        else "A weight matters as much as what flows through it: the error signal of the unit it goes into, times what it is multiplied with."
    )
    return f"gradient of the {what}", why


def _source(t: Trace, q: Quantity) -> str:
    return f"input {q.j}" if q.layer == 1 else f"unit {q.j} of layer {q.layer - 1}"


def _update(t: Trace, q: Quantity) -> tuple[str, str]:
    bias = q.kind == "b+"
    what = f"new bias of {unit(t.network, q.layer, q.i)}" if bias else f"new weight from {_source(t, q)} into {unit(t.network, q.layer, q.i)}"
    grad = t.value(Quantity("dL/db" if bias else "dL/dw", q.layer, q.i, q.j))
    noun = "bias" if bias else "weight"
    turn = (
        f"The gradient is negative, so the {noun} grows" if grad < 0
        else f"The gradient is positive, so the {noun} shrinks" if grad > 0
        else f"The gradient is 0, so the {noun} stays"
    )  # fmt: skip
    return what, f"One step of gradient descent: the learning rate times the gradient is taken away. {turn}."


def _drop(t: Trace, q: Quantity) -> tuple[str, str]:
    before, after = t.loss, t.loss_new
    if after < before:
        return "has the loss fallen?", "Yes. The loss after the update is smaller than before: the step went the right way."
    if after == before:
        return "has the loss fallen?", "It has stayed exactly the same: with these numbers the update changes nothing."
    return "has the loss fallen?", (
        "No, it has grown. The direction was right for a small step, but this step was too long. A smaller learning rate would help."
    )


_WORDS: dict[str, Callable[[Trace, Quantity], tuple[str, str]]] = {
    "z": _z, "z+": _z, "a": _a, "a+": _a, "loss": _loss, "loss+": _loss, "dL/da": _dL_da, "da/dz": _da_dz,
    "dL/dz": _dL_dz, "dL/dw": _dL_dw, "dL/db": _dL_dw, "w+": _update, "b+": _update, "loss-loss+": _drop,
    "(loss-loss+)/loss": _drop,
}  # fmt: skip

_STAGES = {
    "z": ("Pre-activations of {layer}", "All weighted sums of the layer at once: a matrix product, plus the biases."),
    "a": ("Activations of {layer}", "The activation function is applied to every pre-activation."),
    "dL/da": ("Derivatives of the loss by the activations of {layer}", "At the output they come from the loss; further down, the error signals above are multiplied by the weights, all ways added up in one matrix product."),
    "da/dz": ("Slopes of the activation function in {layer}", "The local derivative of every unit, one number each."),
    "dL/dz": ("Error signals of {layer}", "The chain rule for the whole layer: derivatives by the activations, times the slopes."),
    "dL/dw": ("Gradient of the weights of {layer}", "Every error signal times every incoming activation, added up over the samples: one matrix product."),
    "dL/db": ("Gradient of the biases of {layer}", "The local derivative by a bias is 1, so the error signals are added up over the samples."),
    "w": ("New weights of {layer}", "The learning rate times the gradient is taken away from every weight."),
    "b": ("New biases of {layer}", "The learning rate times the gradient is taken away from every bias."),
    "loss": ("Loss", "The outputs are compared with the targets."),
}  # fmt: skip


def explain_stage(trace: Trace, stage: Stage) -> Explanation:
    """The words for one matrix."""
    if not stage.layer and not stage.per_sample:
        return explain(trace, Quantity(stage.kind))
    new = stage.kind.endswith("+") and stage.kind[0] not in "wb"
    title, why = _STAGES[stage.kind.removesuffix("+")]
    if stage.per_sample:
        title, why = "Loss of each sample", f"The samples one by one, a row each. {trace.network.loss.about}"
    if stage.kind == "da/dz" and trace.network.layer(stage.layer).activation.couples:
        title = "Softmax derivatives of {layer}"
        why = "Every output depends on every pre-activation: a square matrix, the Jacobian, with row i and column k for output i and pre-activation k."
        why += " Each sample has one; this is the first sample's." if trace.samples > 1 else ""
    if stage.kind == "dL/da" and stage.layer == trace.network.depth:
        why += _mean(trace)
    if stage.kind == "dL/dz" and stage.layer == trace.fused_layer and trace.scale != 1.0:
        why += f" The 1/{trace.samples} in the shorter way is that of the mean."
    place = "the output layer" if stage.layer == trace.network.depth else f"layer {stage.layer}"
    title = title.format(layer=place) + (" after the update" if new else "")
    return Explanation(title, why, _term(trace, _corner(trace, stage)))


def _corner(trace: Trace, stage: Stage) -> Quantity:
    """The first number of a matrix, as the walk by numbers comes to it."""
    couples = stage.kind == "da/dz" and trace.network.layer(stage.layer).activation.couples
    sample = 1 if trace.samples > 1 and stage.kind not in {"w+", "b+"} else 0
    return Quantity(stage.kind, stage.layer, 1 if stage.layer else 0, 1 if couples or stage.kind in {"dL/dw", "w+"} else 0, sample)


def explain_phase(phase: str) -> Explanation:
    """The words for a whole phase."""
    return Explanation(PHASE_TITLES[phase], PHASE_ABOUT[phase])


def explain_stop(trace: Trace, stop: Stop) -> str:
    """Why the walk ends here."""
    q = stop.quantity
    if stop.why == FLAT:
        name = trace.network.layer(q.layer).activation.name
        return (
            f"Backward ends here. The {name} function is flat: its derivative is 0 on both sides of the jump and does not exist at the jump. "
            "A slope of 0 would make every gradient before it 0, so no weight could learn. That is why trained networks use smooth functions such as the sigmoid."
        )
    place = f"{q}" + (f" (layer {q.layer})" if q.layer else "")
    if stop.why == OVERFLOW:
        return (
            f"The walk ends here: {place} is larger than a 64-bit number can hold, about 1.8 × 10 to the power of 308. "
            "Everything after it would be infinite or undefined. Smaller inputs, weights or a smaller learning rate would help."
        )
    return (
        f"The walk ends here: {place} is not a number. Somewhere in this formula infinity meets infinity or 0, "
        "and such a result is undefined. Smaller inputs, weights or a smaller learning rate would help."
    )


@dataclass(frozen=True, slots=True)
class Remark:
    """Why a result does not follow from the numbers that are shown."""

    heading: str
    text: str


BEYOND = Remark(
    "Beyond what a number can hold.",
    "An output is so close to 0 or 1 that float64 rounds it to exactly that, and dividing by the 0 that is left cannot be done. "
    "The product with the slope of the activation can: the two cancel and leave the output minus the target. The next steps use that shortcut.",
)
ROUNDED = Remark(
    "Why the numbers shown do not give this.",
    "An output is so close to 0 or 1 that too few of its digits are left for the logarithm. The loss is computed from the pre-activations instead, "
    "where none is lost: −log of a number is log of 1 over it, and 1 over such an output, or over 1 − it, is a sum of powers of e. "
    "Where u is tiny, log(1 + u) is u itself.",
)


def remark(found: Derivation, decimals: int) -> Remark | None:
    """What has to be said of a result that its own formula, with the numbers as they are shown, does not give."""
    if found.beyond:
        return BEYOND
    return ROUNDED if loses_digits(found.tree, decimals) else None


CHAIN = (
    "Every path from the loss to this parameter is a product of local derivatives, one for each step of the computation on the way; "
    "the paths are added up. Paths from outputs on which the loss does not depend are 0 and left out."
)
