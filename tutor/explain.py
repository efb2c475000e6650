"""What a step is called, what it does and why, in a sentence or two; and the words it needs, where they first appear.

Texts are ours; the vocabulary is the field's. `tests/test_explain.py` reads every kind of step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tutor.derivation import Derivation, loses_digits
from tutor.network import Array, Network
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
    "update": "Every weight and bias that learns moves one step against its gradient, so the loss should fall.",
    "verify": "The same inputs go through the updated network. Has the loss really become smaller?",
}  # fmt: skip

TERMS = {
    "z": ("pre-activation", "the weighted sum of what comes into a unit, plus its bias where it has one, before the activation function"),
    "a": ("activation", "what a unit passes on: the activation function applied to its pre-activation"),
    "loss": ("loss", "one number for how far the outputs are from the targets; training makes it smaller"),
    "dL/da": ("derivative", "how fast one number changes when another is changed a little: the sign says which way, the size how much"),
    "da/dz": ("local derivative", "the derivative of one step of the computation by what goes into it, all else left alone"),
    "dL/dz": ("error signal", "the derivative of the loss by a pre-activation: what a unit hands back to its weights, its bias and the layer before it"),
    "dL/dw": ("gradient", "all the derivatives of the loss by the weights and biases; it points where the loss grows fastest"),
    "w+": ("learning rate", "the factor that says how far a step against the gradient goes"),
    "z+": ("verification pass", "the forward pass once more, with the new weights and biases"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Explanation:
    """The words of one step."""

    title: str
    why: str
    term: tuple[str, str] | None = None
    """A word that first appears here, with its meaning."""


UNDECIDED = "Where a target is between 0 and 1, each answer counts with its share."


def unit(network: Network, layer: int, i: int) -> str:
    """`unit 2 of layer 1`; an output layer is called so."""
    return f"unit {i} of {place(network, layer)}" if network.sizes[layer] > 1 else f"the unit of {place(network, layer)}"


def place(network: Network, layer: int) -> str:
    """`layer 1`; an output layer is called so."""
    return "the output layer" if layer == network.depth else f"layer {layer}"


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
    title = f"pre-activation of {unit(t.network, q.layer, q.i)}"
    if q.kind.endswith("+"):
        return f"new {title}", _z_again(t, q.layer)
    one = t.network.sizes[q.layer - 1] == 1
    source = "input" if q.layer == 1 else f"activation of layer {q.layer - 1}"
    steps = [f"{'The' if one else 'Every'} {source} is multiplied by its weight", *([] if one else ["the products are added up"])]
    if t.network.layer(q.layer).biases is not None:
        steps.append("the bias is added")
    return title, f"{', '.join(steps[:-1])}, and {steps[-1]}." if len(steps) > 1 else f"{steps[0]}."


def _z_again(t: Trace, number: int) -> str:
    """What is new in a sum of the verification pass."""
    layer = t.network.layer(number)
    weights = "weights" if layer.inputs > 1 else "weight"
    new = [weights] * layer.train_weights + ["bias"] * layer.learns_biases
    if new:
        return f"The same sum as in the forward pass, now with the new {' and '.join(new)}."
    below = "with what the layer before passes on now" if number > 1 else "with the same result"
    return f"The same sum as in the forward pass, {below}: nothing in this layer learns."


def _a(t: Trace, q: Quantity) -> tuple[str, str]:
    rule, new, last = t.network.layer(q.layer).activation, q.kind.endswith("+"), q.layer == t.network.depth
    name = rule.name.replace("_", " ")
    what = "output" if last and t.network.sizes[-1] == 1 else f"output {q.i}" if last else f"activation of {unit(t.network, q.layer, q.i)}"
    if rule.couples:
        why = "Softmax takes e to the power of each pre-activation and divides it by the sum of all these powers, so that the results are positive and add up to 1."
    else:
        why = f"The {name} function is applied to the pre-activation. {rule.about}"
    if last:
        why += f" {rule.as_output}" if rule.as_output else ""
        answer = "This is" if t.network.sizes[-1] == 1 else "With the other outputs, this is"
        why += f" {answer} what the network answers{' now' if new else ''}."
    elif not new:
        why += " The next layer takes it in."
    return f"{'new ' if new else ''}{what}", why


def _loss(t: Trace, q: Quantity) -> tuple[str, str]:
    lead = "new " if q.kind.endswith("+") else ""
    if q.sample:
        return f"{lead}loss of sample {q.sample}", _about_loss(t, t.y[q.sample - 1])
    if t.samples == 1:
        return f"{lead}loss: {t.network.loss.title}", _about_loss(t, t.y)
    added = f"The losses of {_all(t.samples, 'sample')} are added up"
    return f"{lead}loss of the batch", f"{added} and divided by {t.samples}: the mean." if t.scale != 1.0 else f"{added}: the sum."


def _about_loss(t: Trace, targets: Array) -> str:
    """What this loss measures, for one output or several, for targets that decide and for those in between."""
    rule = t.network.loss
    about = rule.about if t.network.sizes[-1] == 1 else rule.about_several
    undecided = rule.fused_with and ((targets != 0) & (targets != 1)).any()
    return f"{about} {UNDECIDED}" if undecided else about


def _all(count: int, noun: str) -> str:
    """`both samples`, `all 3 samples`."""
    return f"both {noun}s" if count == 2 else f"all {count} {noun}s"


def _dL_da(t: Trace, q: Quantity) -> tuple[str, str]:
    if q.layer == t.network.depth:
        what = "the output" if t.network.sizes[-1] == 1 else f"output {q.i}"
        return f"derivative of the loss by {what}", (
            f"Backward starts at the end: if {what} were a little larger, how would the loss change? This is the derivative of the {t.network.loss.title}.{_mean(t)}"
        )
    above = t.network.sizes[q.layer + 1]
    through = "the unit" if above == 1 else _all(above, "unit")
    return f"derivative of the loss by the activation of {unit(t.network, q.layer, q.i)}", (
        f"This activation reaches the loss through {through} of {place(t.network, q.layer + 1)}. "
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
        what = "output" if q.layer == t.network.depth else "activation"
        return f"softmax derivative of {what} {q.i} by pre-activation {q.j}", (
            f"With softmax every {what} depends on every pre-activation. "
            + (f"This is how {what} {q.i} answers to its own pre-activation: it grows, since its numerator grows by a larger factor than the denominator."
               if q.i == q.j else
               f"This is how {what} {q.i} answers to pre-activation {q.j}: its numerator stays, but the denominator that all share grows, so it shrinks.")
        )  # fmt: skip
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
        return f"gradient of the {what}", f"Every sample has its say: the shares of {_all(t.samples, 'sample')} are added up.{there}"
    why = (
        "A bias is added as it is, so its local derivative is 1 and the gradient is the error signal itself."
        if bias
        else "A weight matters as much as what flows through it: the error signal of the unit it goes into, times what it is multiplied with."
    )
    return f"gradient of the {what}", why


def _source(t: Trace, q: Quantity) -> str:
    if q.layer > 1:
        return f"unit {q.j} of layer {q.layer - 1}"
    return f"input {q.j}" if t.network.sizes[0] > 1 else "the input"


def _update(t: Trace, q: Quantity) -> tuple[str, str]:
    bias = q.kind == "b+"
    what = f"new bias of {unit(t.network, q.layer, q.i)}" if bias else f"new weight from {_source(t, q)} into {unit(t.network, q.layer, q.i)}"
    grad = t.value(Quantity("dL/db" if bias else "dL/dw", q.layer, q.i, q.j))
    noun = "bias" if bias else "weight"
    turn = (
        f"The gradient is negative, so the {noun} goes up" if grad < 0
        else f"The gradient is positive, so the {noun} goes down" if grad > 0
        else f"The gradient is 0, so the {noun} stays"
    )  # fmt: skip
    return what, f"One step of gradient descent: the learning rate times the gradient is taken away. {turn}."


def _drop(t: Trace, q: Quantity) -> tuple[str, str]:
    before, after = t.loss, t.loss_new
    if after < before:
        return "has the loss fallen?", "Yes. The loss after the update is smaller than before: the step went the right way."
    if after == before:
        return "has the loss fallen?", "It has stayed exactly the same: with these numbers the update does not change it."
    return "has the loss fallen?", (
        "No, it has grown. The direction was right for a small step, but this step was too long. A smaller learning rate would help."
    )


_WORDS: dict[str, Callable[[Trace, Quantity], tuple[str, str]]] = {
    "z": _z, "z+": _z, "a": _a, "a+": _a, "loss": _loss, "loss+": _loss, "dL/da": _dL_da, "da/dz": _da_dz,
    "dL/dz": _dL_dz, "dL/dw": _dL_dw, "dL/db": _dL_dw, "w+": _update, "b+": _update, "loss-loss+": _drop,
    "(loss-loss+)/loss": _drop,
}  # fmt: skip

_STAGES = {
    "z": "Pre-activations of {layer}", "a": "Activations of {layer}", "dL/da": "Derivatives of the loss by the activations of {layer}",
    "da/dz": "Slopes of the activation function in {layer}", "dL/dz": "Error signals of {layer}", "dL/dw": "Gradient of the weights of {layer}",
    "dL/db": "Gradient of the biases of {layer}", "w": "New weights of {layer}", "b": "New biases of {layer}",
}  # fmt: skip


def explain_stage(trace: Trace, stage: Stage) -> Explanation:
    """The words for one matrix."""
    if not stage.layer and not stage.per_sample:
        return explain(trace, Quantity(stage.kind))
    kind, new = stage.kind.removesuffix("+"), stage.kind.endswith("+") and stage.kind[0] not in "wb"
    couples = bool(stage.layer) and trace.network.layer(stage.layer).activation.couples
    if stage.per_sample:
        title, why = "Loss of each sample", f"The samples one by one, a row each. {_about_loss(trace, trace.y)}"
    elif kind == "da/dz" and couples:
        title, why = "Softmax derivatives of {layer}", _jacobian(trace, stage.layer)
    else:
        title, why = _STAGES[kind], _why(trace, kind, stage.layer, couples=couples)
    title = title.format(layer=place(trace.network, stage.layer)) + (" after the update" if new else "")
    return Explanation(title, why, _term(trace, _corner(trace, stage)))


def _jacobian(trace: Trace, layer: int) -> str:
    what = "output" if layer == trace.network.depth else "activation"
    why = f"Every {what} depends on every pre-activation: a square matrix, the Jacobian, with row i and column k for {what} i and pre-activation k."
    return why + (" Each sample has one; this is the first sample's." if trace.samples > 1 else "")


def _why(trace: Trace, kind: str, layer: int, *, couples: bool) -> str:
    """What is done to make all numbers of a kind and layer at once."""
    many, last = trace.samples > 1, layer == trace.network.depth
    match kind:
        case "z":
            biases = ", plus the biases" if trace.network.layer(layer).biases is not None else ""
            return f"All weighted sums of the layer at once: a matrix product{biases}."
        case "a" if couples:
            return "Softmax takes e to the power of every pre-activation and divides it by the sum of these powers" + (", row by row." if many else ".")
        case "a":
            return "The activation function is applied to every pre-activation."
        case "dL/da" if last:
            return f"Backward starts at the end, with the derivative of the {trace.network.loss.title} by every output.{_mean(trace)}"
        case "dL/da":
            above = place(trace.network, layer + 1)
            return f"The error signals of {above} are multiplied by the weights on the way there, all ways added up: one matrix product."
        case "da/dz":
            return "The local derivative of every unit, one number each" + (" for every sample." if many else ".")
        case "dL/dz":
            return _all_signals(trace, layer, couples=couples)
        case "dL/dw":
            return f"Every error signal times every incoming activation{', added up over the samples' if many else ''}: one matrix product."
        case "dL/db":
            rest = "so the error signals are added up over the samples" if many else "so the gradient is the error signal itself"
            return f"The local derivative by a bias is 1, {rest}."
        case _:
            return f"The learning rate times the gradient is taken away from every {'weight' if kind == 'w' else 'bias'}."


def _all_signals(trace: Trace, layer: int, *, couples: bool) -> str:
    """The chain rule through a layer, and the 1/M in its shorter way."""
    around = any(trace.goes_around(Quantity("dL/dz", layer, 1, 0, s)) for s in range(1, trace.samples + 1))
    if around:
        return f"The long way, over the derivatives by the activations, cannot be computed here. What it comes to can: output minus target.{_mean(trace)}"
    how = "every way through the softmax, added up" if couples else "derivatives by the activations, times the slopes"
    mean = f" The 1/{trace.samples} in the shorter way is that of the mean." if layer == trace.fused_layer and trace.scale != 1.0 else ""
    return f"The chain rule for the whole layer: {how}.{mean}"


def _corner(trace: Trace, stage: Stage) -> Quantity:
    """The first number of a matrix, as the walk by numbers comes to it."""
    couples = stage.kind == "da/dz" and trace.network.layer(stage.layer).activation.couples
    sample = 1 if trace.samples > 1 and stage.kind not in {"w+", "b+"} else 0
    return Quantity(stage.kind, stage.layer, 1 if stage.layer else 0, 1 if couples or stage.kind in {"dL/dw", "w+"} else 0, sample)


def explain_phase(phase: str) -> Explanation:
    """The words for a whole phase."""
    return Explanation(PHASE_TITLES[phase], PHASE_ABOUT[phase])


_INSIDE = {
    "z": "pre-activations", "a": "activations", "dL/da": "derivatives by the activations", "da/dz": "slopes", "dL/dz": "error signals",
    "dL/dw": "gradient of the weights", "dL/db": "gradient of the biases", "w+": "new weights", "b+": "new biases",
    "loss": "loss", "loss-loss+": "how much it fell",
}  # fmt: skip

BRIEF = "Each matrix with its symbols and its result; the walk layer by layer has the numbers in between, and shorter ways."
"""What a step leaves out that is a whole phase."""


def layer_title(network: Network, layer: int) -> str:
    """The heading of what belongs to one layer; 0 is the loss."""
    return "Loss" if not layer else f"Layer {layer}" + (", the output layer" if layer == network.depth else "")


def inside(stages: Sequence[Stage]) -> str:
    """What is computed in these stages, in a few words."""
    return ", ".join(dict.fromkeys(_INSIDE.get(stage.kind) or f"new {_INSIDE[stage.kind.removesuffix('+')]}" for stage in stages))


def explain_stop(trace: Trace, stop: Stop) -> str:
    """Why the walk ends here."""
    q = stop.quantity
    if stop.why == FLAT:
        name = trace.network.layer(q.layer).activation.name
        return (
            f"Backward ends here. The {name} function is flat: its derivative is 0 on both sides of the jump and does not exist at the jump. "
            "A slope of 0 would make every gradient of this layer and of those before it 0, so none of their weights could learn. "
            "That is why trained networks use functions with a slope, such as the sigmoid."
        )
    where = f"{q}" + (f" (layer {q.layer})" if q.layer else "")
    if stop.why == OVERFLOW:
        return (
            f"The walk ends here: {where} is larger than a 64-bit number can hold, about 1.8 × 10 to the power of 308. "
            "What is computed from it would be infinite, undefined or meaningless. Smaller inputs, weights or a smaller learning rate would help."
        )
    return (
        f"The walk ends here: {where} is not a number. Somewhere in this formula infinity meets infinity or 0, "
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
