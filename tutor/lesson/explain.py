"""What a step is called, what it does and why, in a sentence or two; and the words it needs, where
they first appear.

Texts are ours; the vocabulary is the field's. `tests/test_explain.py` reads every kind of step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tutor.engine.derivation import Derivation, loses_digits
from tutor.engine.kinds import BACKWARD, GRADIENT, KINDS
from tutor.engine.network import Array, Network
from tutor.engine.order import Stage, forward_kinds, passed_back
from tutor.engine.quantity import Quantity
from tutor.engine.trace import FLAT, OVERFLOW, EarlyEnd, Trace

PHASE_TITLES = {
    "forward": "Forward pass", "loss": "Loss", "backward": "Backward pass", "update": "Update", "verify": "Verification",
}  # fmt: skip

PHASE_NAMES = {
    "forward": "Forward",
    "loss": "Loss",
    "backward": "Backward",
    "update": "Update",
    "verify": "Verify",
}

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
    "r": (
        "skip connection",
        "a way around a layer: what came before it is added to its activation; what it learns is the rest, the residual",
    ),
    "loss": ("loss", "one number for how far the outputs are from the targets; training makes it smaller"),
    "dL/da": ("derivative", "how fast one number changes when another is changed a little: the sign says which way, the size how much"),
    "da/dz": ("local derivative", "the derivative of one step of the computation by what goes into it, all else left alone"),
    "dL/dz": ("error signal", "the derivative of the loss by a pre-activation: what a unit hands back to its weights, its bias and the layer before it"),
    "dL/dw": ("gradient", "all the derivatives of the loss by the weights and biases; it points where the loss grows fastest"),
    "w+": ("learning rate", "the factor that says how far a step against the gradient goes"),
    "z+": ("verification pass", "the forward pass once more, with the new weights and biases"),
}  # fmt: skip


_SAME_TERM = {"dL/dr": "dL/da", "dL/db": "dL/dw", "b+": "w+"}
"""Kinds that are explained by the word of another."""


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
    return (
        f"unit {i} of {place(network, layer)}"
        if network.sizes[layer] > 1
        else f"the unit of {place(network, layer)}"
    )


def place(network: Network, layer: int) -> str:
    """`layer 1`; an output layer is called so."""
    return "the output layer" if layer == network.depth else f"layer {layer}"


def explain(trace: Trace, q: Quantity) -> Explanation:
    """The words for one number."""
    title, why = words_of(q.kind).number(trace, q)
    title = title[0].upper() + title[1:]
    if q.sample and q.of.axes:  # the loss of a sample has it in its name
        title += f", sample {q.sample}"
    return Explanation(title, why, _term(trace, q))


def _term(trace: Trace, q: Quantity) -> tuple[str, str] | None:
    """The word of this kind, where a walk comes to it for the first time.

    `test_each_term_is_explained_once_where_it_first_appears` follows the walk.
    """
    term = TERMS.get(_SAME_TERM.get(q.kind, q.kind))
    sample = 1 if trace.samples > 1 and q.of.names_samples else 0
    corner = q.sample == sample and max(q.i, q.j) < 2
    return term if term and corner and _in_first_layer(trace.network, q) else None


def _in_first_layer(network: Network, q: Quantity) -> bool:
    """Whether a walk comes to the word of this kind in this layer first.

    In a layer a bias comes before the weights, and on the way back what is passed on before the
    activation.
    """
    of, layers = q.of, list(enumerate(network.layers, 1))
    if not of.axes:
        return True
    if of.parameter:
        last = max(n for n, part in layers if part.train_weights or part.learns_biases)
        return q.layer == last and of.biases == network.layer(last).learns_biases
    if of.phase == BACKWARD:
        return q.layer == network.depth and q.kind not in passed_back(network.layer(q.layer))[1:]
    return q.layer == next(n for n, part in layers if q.kind in forward_kinds(part, of.mark))


def _answers(network: Network, q: Quantity) -> bool:
    """Whether these are the outputs: the activations of the last layer, or r behind a skip
    connection.
    """
    return network.passed(network.depth) == (q.of.base, q.layer)


def _output(network: Network, i: int) -> str:
    return f"output {i}" if network.sizes[-1] > 1 else "output"


def _passed(network: Network, layer: int, i: int) -> str:
    """What a unit passes on, such as `input 2`, `the activation of unit 1 of layer 2`."""
    if not layer:
        return f"input {i}" if network.sizes[0] > 1 else "the input"
    where = unit(network, layer, i)
    return f"what {where} passes on" if network.layer(layer).skip else f"the activation of {where}"


def _skips_from(network: Network, layer: int) -> list[int]:
    """The layers to which a skip connection adds what this layer passes on."""
    return [n for n, part in enumerate(network.layers, 1) if part.skip and n - part.skip == layer]


def _onward(network: Network, layer: int, i: int, what: str = "it") -> str:
    """Where a hidden unit's number goes next."""
    over = [unit(network, n, i) for n in _skips_from(network, layer)]
    also = f" {_connections(over)} it to the activation of {_listed(over)} as well." if over else ""
    return f" The next layer takes {what} in.{also}"


def _connections(over: Sequence[str]) -> str:
    return "A skip connection adds" if len(over) == 1 else "Skip connections add"


def _listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _z(t: Trace, q: Quantity) -> tuple[str, str]:
    title = f"pre-activation of {unit(t.network, q.layer, q.i)}"
    if q.of.again:
        return f"new {title}", _z_again(t, q.layer)
    one = t.network.sizes[q.layer - 1] == 1
    source = "input" if q.layer == 1 else f"activation of layer {q.layer - 1}"
    source = f"{'The' if one else 'Every'} {source}"
    if q.layer > 1 and t.network.layer(q.layer - 1).skip:
        source = f"{'What' if one else 'Every number that'} layer {q.layer - 1} passes on"
    added = [] if one else ["the products are added up"]
    steps = [f"{source} is multiplied by its weight", *added]
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
    layer, new, last = t.network.layer(q.layer), q.of.again, _answers(t.network, q)
    rule = layer.activation
    name = rule.name.replace("_", " ")
    what = _output(t.network, q.i) if last else f"activation of {unit(t.network, q.layer, q.i)}"
    if rule.full_jacobian:
        why = "Softmax takes e to the power of each pre-activation and divides it by the sum of all these powers, so that the results are positive and add up to 1."
    else:
        why = f"The {name} function is applied to the pre-activation. {rule.about}"
    if last:
        why += (f" {rule.as_output}" if rule.as_output else "") + _answer(t, new)
    elif layer.skip:
        why += " A skip connection then adds to it."
    elif not new:
        why += _onward(t.network, q.layer, q.i)
    return f"{'new ' if new else ''}{what}", why


def _answer(t: Trace, new: bool) -> str:
    """What an output is."""
    lead = "This is" if t.network.sizes[-1] == 1 else "With the other outputs, this is"
    return f" {lead} what the network answers{' now' if new else ''}."


def _r(t: Trace, q: Quantity) -> tuple[str, str]:
    network, new, last = t.network, q.of.again, _answers(t.network, q)
    source = q.layer - network.layer(q.layer).skip
    lead = "new " if new else ""
    title = "activation plus skip connection"
    title = (
        f"{_output(network, q.i)}: {title}" if last else f"{title} of {unit(network, q.layer, q.i)}"
    )
    what = _passed(network, source, q.i)
    if new:
        stays = f"{what}, which stays" if not source else f"{what} now"
        why = f"The same sum as in the forward pass: {stays}, plus this unit's own new activation."
    else:
        why = f"The skip connection adds {what} to this unit's own activation. "
        why += _why_skip(network, q.layer)
    if last:
        why += _answer(t, new)
    elif not new:
        why += _onward(network, q.layer, q.i, "the sum")
    return f"{lead}{title}", why


def _why_skip(network: Network, layer: int) -> str:
    """What a skip connection is good for."""
    skip = network.layer(layer).skip
    several = f"layers {layer - skip + 1} {'and' if skip == 2 else 'to'} {layer}, which only have"
    around = f"layer {layer}, which only has" if skip == 1 else several
    return (
        f"It leads around {around} to learn what should be added. On the way back the derivative comes through "
        "this sum undiminished, since the local derivative of a sum by each of its terms is 1."
    )


def _loss(t: Trace, q: Quantity) -> tuple[str, str]:
    lead = "new " if q.of.again else ""
    if q.sample:
        return f"{lead}loss of sample {q.sample}", _about_loss(t, t.y[q.sample - 1])
    if t.samples == 1:
        return f"{lead}loss: {t.network.loss.title}", _about_loss(t, t.y)
    added = f"The losses of {_all(t.samples, 'sample')} are added up"
    return (
        f"{lead}loss of the batch",
        f"{added} and divided by {t.samples}: the mean."
        if t.scale != 1.0
        else f"{added}: the sum.",
    )


def _about_loss(t: Trace, targets: Array) -> str:
    """What this loss measures, for one output or several, for targets that decide and for those in
    between.
    """
    rule = t.network.loss
    about = rule.about if t.network.sizes[-1] == 1 else rule.about_several
    undecided = rule.fused_with and ((targets != 0) & (targets != 1)).any()
    return f"{about} {UNDECIDED}" if undecided else about


def _all(count: int, noun: str) -> str:
    """`both samples`, `all 3 samples`."""
    return f"both {noun}s" if count == 2 else f"all {count} {noun}s"


def _dL_da(t: Trace, q: Quantity) -> tuple[str, str]:
    """By an activation, by what a unit passes on behind a skip connection, or by an input."""
    network, by = t.network, KINDS[q.of.by]
    if _answers(network, Quantity(by.name, q.layer)):
        what = "the output" if network.sizes[-1] == 1 else f"output {q.i}"
        return f"derivative of the loss by {what}", (
            f"Backward starts at the end: if {what} were a little larger, how would the loss change? "
            f"This is the derivative of the {network.loss.title}.{_mean(t)}"
        )
    if not q.layer:
        ways = _ways(network, 0, q.i, "This input")
        title = f"derivative of the loss by {_passed(network, 0, q.i)}"
        return (
            title,
            f"How does the loss change with {_passed(network, 0, q.i)}? {ways} {ONLY_SHOWN}",
        )
    where = unit(network, q.layer, q.i)
    if by.residual:
        title = f"derivative of the loss by what {where} passes on"
        return title, _ways(network, q.layer, q.i, "This sum")
    title = f"derivative of the loss by the activation of {where}"
    if network.layer(q.layer).skip:
        return (
            title,
            f"The activation is a term of the sum with the skip connection. {UNDIMINISHED}",
        )
    return title, _ways(network, q.layer, q.i, "This activation")


ONLY_SHOWN = "Nothing is updated with it: inputs are given."
UNDIMINISHED = "The local derivative of a sum by each of its terms is 1, so the derivative comes through undiminished."


def _ways(network: Network, layer: int, i: int, what: str) -> str:
    """The chain rule over all that uses what a unit passes on: the next layer and skip connections."""
    above = network.sizes[layer + 1] if layer < network.depth else 0
    over = [unit(network, n, i) for n in _skips_from(network, layer)]
    through = "the unit" if above == 1 else _all(above, "unit")
    text = f"{what} reaches the loss through {through} of {place(network, layer + 1)}. " + (
        "The error signal there is multiplied by the weight between the two." if above == 1 else
        "Along each way, the error signal there is multiplied by the weight between the two"
        + ("." if over else "; the ways are added up.")
    )  # fmt: skip
    if not over:
        return text
    return (
        f"{text} {_connections(over)} it to the activation of {_listed(over)} as well: "
        "from that sum the derivative comes back as it is, times 1. The formula adds up what comes back on every way."
    )


def _mean(t: Trace) -> str:
    """Where the 1/M of a derivative comes from; "" where there is none."""
    return (
        f" The loss of the batch is the mean over {t.samples} samples, so each of them counts with 1/{t.samples}."
        if t.scale != 1.0
        else ""
    )


def _da_dz(t: Trace, q: Quantity) -> tuple[str, str]:
    rule = t.network.layer(q.layer).activation
    name = rule.name.replace("_", " ")
    if q.j:
        what = _noun(t, q.layer)
        return f"softmax derivative of {what} {q.i} by pre-activation {q.j}", (
            f"With softmax every {what} depends on every pre-activation. "
            + (f"This is how {what} {q.i} answers to its own pre-activation: it grows, since its numerator grows by a larger factor than the denominator."
               if q.i == q.j else
               f"This is how {what} {q.i} answers to pre-activation {q.j}: its numerator stays, but the denominator that all share grows, so it shrinks.")
        )  # fmt: skip
    bound = (
        f" It is never larger than {rule.bound:g}."
        if rule.bound is not None and rule.saturates
        else ""
    )
    kink = (
        f" {rule.at_kink}"
        if rule.at_kink and t.value(Quantity("z", q.layer, q.i, 0, q.sample)) == 0
        else ""
    )
    return f"slope of the {name} at {unit(t.network, q.layer, q.i)}", (
        f"If the pre-activation grew a little, how much would the activation grow? The derivative of the {name} function says so.{bound}{kink}"
    )


def _noun(t: Trace, layer: int) -> str:
    """What the activations of a layer are called."""
    return "output" if _answers(t.network, Quantity("a", layer)) else "activation"


def _dL_dz(t: Trace, q: Quantity) -> tuple[str, str]:
    if t.goes_around(q):
        why = f"The long way, over the derivative by the activation, cannot be computed here. What it comes to can: output minus target.{_mean(t)}"
    elif t.network.layer(q.layer).activation.full_jacobian:
        why = "The pre-activation reaches the loss through every output of the softmax: each way is a product of two derivatives, and the ways are added up."
    else:
        why = "The chain rule: the derivative by the activation times the slope of the activation function."
    if q.layer == t.fused_layer and not t.goes_around(q) and t.scale != 1.0:
        why += f" The 1/{t.samples} in the shorter way is that of the mean."
    return f"error signal of {unit(t.network, q.layer, q.i)}", why


def _dL_dw(t: Trace, q: Quantity) -> tuple[str, str]:
    bias = q.of.biases
    what = (
        f"bias of {unit(t.network, q.layer, q.i)}"
        if bias
        else f"weight from {_source(t, q)} into {unit(t.network, q.layer, q.i)}"
    )
    if t.samples > 1 and not q.sample:
        there = (
            f" The 1/{t.samples} of the mean is in each of them already." if t.scale != 1.0 else ""
        )
        return (
            f"gradient of the {what}",
            f"Every sample has its say: the shares of {_all(t.samples, 'sample')} are added up.{there}",
        )
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
    bias = q.of.biases
    what = (
        f"new bias of {unit(t.network, q.layer, q.i)}"
        if bias
        else f"new weight from {_source(t, q)} into {unit(t.network, q.layer, q.i)}"
    )
    grad = t.value(Quantity(GRADIENT[q.of.before], q.layer, q.i, q.j))
    noun = "bias" if bias else "weight"
    turn = (
        f"The gradient is negative, so the {noun} goes up" if grad < 0
        else f"The gradient is positive, so the {noun} goes down" if grad > 0
        else f"The gradient is 0, so the {noun} stays"
    )  # fmt: skip
    return (
        what,
        f"One step of gradient descent: the learning rate times the gradient is taken away. {turn}.",
    )


def _drop(t: Trace, q: Quantity) -> tuple[str, str]:
    before, after = t.loss, t.loss_new
    if after < before:
        return (
            "has the loss fallen?",
            "Yes. The loss after the update is smaller than before: the step went the right way.",
        )
    if after == before:
        return (
            "has the loss fallen?",
            "It has stayed exactly the same: with these numbers the update does not change it.",
        )
    return "has the loss fallen?", (
        "No, it has grown. The direction was right for a small step, but this step was too long. A smaller learning rate would help."
    )


# ---- whole matrices ----


def explain_stage(trace: Trace, stage: Stage) -> Explanation:
    """The words for one matrix."""
    if stage.single:
        return explain(trace, Quantity(stage.kind))
    of, words = KINDS[stage.kind], words_of(stage.kind)
    full_jacobian = of.role == "slope" and trace.network.layer(stage.layer).activation.full_jacobian
    if stage.per_sample:
        title, why = (
            "Loss of each sample",
            f"The samples one by one, a row each. {_about_loss(trace, trace.y)}",
        )
    elif full_jacobian:
        title, why = "Softmax derivatives of {layer}", _jacobian(trace, stage.layer)
    else:
        title = words.several if stage.layer else "Derivatives of the loss by the inputs"
        why = words.whole(trace, stage.layer)
    new = of.again and not of.parameter
    title = title.format(layer=place(trace.network, stage.layer)) + (
        " after the update" if new else ""
    )
    return Explanation(title, why, _term(trace, _corner(trace, stage, full_jacobian=full_jacobian)))


def _corner(trace: Trace, stage: Stage, *, full_jacobian: bool) -> Quantity:
    """The first number of a matrix, as the walk by numbers comes to it."""
    of = KINDS[stage.kind]
    sample = 1 if trace.samples > 1 and of.names_samples else 0
    i, j = 1 if of.axes else 0, 1 if full_jacobian or of.weights else 0
    return Quantity(stage.kind, stage.layer, i, j, sample)


def _jacobian(trace: Trace, layer: int) -> str:
    what = _noun(trace, layer)
    why = f"Every {what} depends on every pre-activation: a square matrix, the Jacobian, with row i and column k for {what} i and pre-activation k."
    return why + (" Each sample has one; this is the first sample's." if trace.samples > 1 else "")


def _all_z(trace: Trace, layer: int) -> str:
    biases = ", plus the biases" if trace.network.layer(layer).biases is not None else ""
    return f"All weighted sums of the layer at once: a matrix product{biases}."


def _all_a(trace: Trace, layer: int) -> str:
    if not trace.network.layer(layer).activation.full_jacobian:
        return "The activation function is applied to every pre-activation."
    rows = ", row by row." if trace.samples > 1 else "."
    softmax = "Softmax takes e to the power of every pre-activation and divides it by the sum of these powers"
    return softmax + rows


def _all_r(trace: Trace, layer: int) -> str:
    source = layer - trace.network.layer(layer).skip
    what = f"what {place(trace.network, source)} passes on" if source else "the inputs"
    why = _why_skip(trace.network, layer)
    return f"The skip connection adds {what} to the activations, number by number. {why}"


def _all_dL_da(trace: Trace, layer: int) -> str:
    network = trace.network
    if layer == network.depth and not network.layer(layer).skip:
        return _all_at_the_end(trace)
    if layer and network.layer(layer).skip:
        return f"The activations are terms of the sum with the skip connection. {UNDIMINISHED}"
    only = f" The result says how the loss changes with the inputs. {ONLY_SHOWN}"
    return _all_ways(network, layer) + ("" if layer else only)


def _all_dL_dr(trace: Trace, layer: int) -> str:
    network = trace.network
    return _all_at_the_end(trace) if layer == network.depth else _all_ways(network, layer)


def _all_at_the_end(trace: Trace) -> str:
    loss = trace.network.loss.title
    return f"Backward starts at the end, with the derivative of the {loss} by every output.{_mean(trace)}"


def _all_ways(network: Network, layer: int) -> str:
    """The chain rule over everything that uses what a layer passes on."""
    above = place(network, layer + 1)
    text = (
        f"The error signals of {above} are multiplied by the weights on the way there, "
        "all ways added up: one matrix product."
    )
    over = [place(network, n) for n in _skips_from(network, layer)]
    if not over:
        return text
    return f"{text} What comes back through the skip connection to {_listed(over)} is added, undiminished."


def _all_slopes(trace: Trace, layer: int) -> str:
    return "The local derivative of every unit, one number each" + (
        " for every sample." if trace.samples > 1 else "."
    )


def _all_signals(trace: Trace, layer: int) -> str:
    """The chain rule through a layer, and the 1/M in its shorter way."""
    around = any(
        trace.goes_around(Quantity("dL/dz", layer, 1, 0, s)) for s in range(1, trace.samples + 1)
    )
    if around:
        return f"The long way, over the derivatives by the activations, cannot be computed here. What it comes to can: output minus target.{_mean(trace)}"
    full_jacobian = trace.network.layer(layer).activation.full_jacobian
    how = (
        "every way through the softmax, added up"
        if full_jacobian
        else "derivatives by the activations, times the slopes"
    )
    mean = (
        f" The 1/{trace.samples} in the shorter way is that of the mean."
        if layer == trace.fused_layer and trace.scale != 1.0
        else ""
    )
    return f"The chain rule for the whole layer: {how}.{mean}"


def _all_dL_dw(trace: Trace, layer: int) -> str:
    added = ", added up over the samples" if trace.samples > 1 else ""
    skips = layer > 1 and trace.network.layer(layer - 1).skip
    below = "number that comes in" if skips else "incoming activation"
    return f"Every error signal times every {below}{added}: one matrix product."


def _all_dL_db(trace: Trace, layer: int) -> str:
    rest = "so the gradient is the error signal itself"
    if trace.samples > 1:
        rest = "so the error signals are added up over the samples"
    return f"The local derivative by a bias is 1, {rest}."


def _all_w(trace: Trace, layer: int) -> str:
    return "The learning rate times the gradient is taken away from every weight."


def _all_b(trace: Trace, layer: int) -> str:
    return "The learning rate times the gradient is taken away from every bias."


# ---- every kind ----


def _no_matrix(trace: Trace, layer: int) -> str:
    raise KeyError(layer)


@dataclass(frozen=True, slots=True)
class KindWords:
    """How a kind is spoken of. Kinds of the updated network share the words of what they start
    from.
    """

    number: Callable[[Trace, Quantity], tuple[str, str]]
    """Title and sentence of one number."""
    inside: str
    """What it is among others of its phase."""
    chapter: str = ""
    """Its place in the outline."""
    several: str = ""
    """The title of all of a layer."""
    whole: Callable[[Trace, int], str] = _no_matrix
    """The sentence of all of a layer."""
    heading: str = ""
    """The head of its column, in plain letters."""


WORDS: dict[str, KindWords] = {
    "z": KindWords(_z, "pre-activations", "{layer}", "Pre-activations of {layer}", _all_z, "z"),
    "a": KindWords(_a, "activations", "{layer}", "Activations of {layer}", _all_a, "a"),
    "r": KindWords(
        _r, "activations plus skip connection", "{layer}",
        "Activations plus skip connection of {layer}", _all_r, "r",
    ),
    "loss": KindWords(_loss, "loss", "loss"),
    "dL/da": KindWords(
        _dL_da, "derivatives by the activations", "into {layer}",
        "Derivatives of the loss by the activations of {layer}", _all_dL_da, "∂L/∂a",
    ),
    "dL/dr": KindWords(
        _dL_da, "derivatives by what is passed on", "into the sum of {layer}",
        "Derivatives of the loss by what {layer} passes on", _all_dL_dr, "∂L/∂r",
    ),
    "da/dz": KindWords(
        _da_dz, "slopes", "through {layer}",
        "Slopes of the activation function in {layer}", _all_slopes, "∂a/∂z",
    ),
    "dL/dz": KindWords(
        _dL_dz, "error signals", "error signals of {layer}",
        "Error signals of {layer}", _all_signals, "∂L/∂z",
    ),
    "dL/dw": KindWords(
        _dL_dw, "gradient of the weights", "gradients of {layer}",
        "Gradient of the weights of {layer}", _all_dL_dw,
    ),
    "dL/db": KindWords(
        _dL_dw, "gradient of the biases", "gradients of {layer}",
        "Gradient of the biases of {layer}", _all_dL_db,
    ),
    "w+": KindWords(_update, "new weights", "{layer}", "New weights of {layer}", _all_w),
    "b+": KindWords(_update, "new biases", "{layer}", "New biases of {layer}", _all_b),
    "loss-loss+": KindWords(_drop, "how much it fell", "has it fallen?"),
    "(loss-loss+)/loss": KindWords(_drop, "how much it fell"),
}  # fmt: skip
"""Every computed kind has one entry, or that of what it starts from."""


def words_of(kind: str) -> KindWords:
    """How a kind is spoken of."""
    return WORDS[kind if kind in WORDS else KINDS[kind].before]


def again(kind: str) -> str:
    """`new ` where a kind of the updated network has the words of what it starts from."""
    return "" if kind in WORDS else "new "


def heading(kind: str) -> str:
    """The head of a column: ∂L/∂a, new z."""
    return again(kind) + words_of(kind).heading


def chapter(kind: str, layer: int) -> str:
    """A place in the outline: `through layer 2`, `new loss`."""
    words, of = words_of(kind), KINDS[kind]
    lead = "" if of.layered else again(kind)
    return lead + words.chapter.format(layer=f"layer {layer}" if layer else "the inputs")


def explain_phase(phase: str) -> Explanation:
    """The words for a whole phase."""
    return Explanation(PHASE_TITLES[phase], PHASE_ABOUT[phase])


BRIEF = "Each matrix with its symbols and its result; the walk layer by layer has the numbers in between, and shorter ways."
"""What a step leaves out that is a whole phase."""


def layer_title(network: Network, stage: Stage) -> str:
    """The heading of what belongs to the layer of a stage; what belongs to none is the loss."""
    if not stage.layer:
        return "Inputs" if KINDS[stage.kind].axes else "Loss"
    return f"Layer {stage.layer}" + (", the output layer" if stage.layer == network.depth else "")


def inside(stages: Sequence[Stage]) -> str:
    """What is computed in these stages, in a few words."""
    return ", ".join(dict.fromkeys(_inside(stage) for stage in stages))


def _inside(stage: Stage) -> str:
    by_inputs = KINDS[stage.kind].axes and not stage.layer
    return (
        "derivatives by the inputs"
        if by_inputs
        else again(stage.kind) + words_of(stage.kind).inside
    )


def explain_stop(trace: Trace, stop: EarlyEnd) -> str:
    """Why the walk ends here."""
    q = stop.quantity
    if stop.why == FLAT:
        name = trace.network.layer(q.layer).activation.name
        return (
            f"Backward ends here. The {name} function is flat: its derivative is 0 on both sides of the jump and does not exist at the jump. "
            "A slope of 0 would make every gradient of this layer and of those before it 0, so none of their weights could learn. "
            "That is why trained networks use functions with a slope, such as the sigmoid."
        )
    where = f"the {q.of.words}" + (f" of {unit(trace.network, q.layer, q.i)}" if q.layer else "")
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


OUT_OF_RANGE = Remark(
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


def remark(trace: Trace, found: Derivation, decimals: int) -> Remark | None:
    """What has to be said of a result that its own formula, with the numbers as they are shown,
    does not give.
    """
    if found.out_of_range:
        return OUT_OF_RANGE
    return ROUNDED if loses_digits(found.tree, trace, decimals) else None


CHAIN = (
    "Every path from the loss to this parameter is a product of local derivatives, one for each step of the computation on the way; "
    "the paths are added up. Paths from outputs on which the loss does not depend are 0 and left out."
)
