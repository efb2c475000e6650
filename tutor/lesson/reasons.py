"""Why a step does what it does: a sentence or two where a walk first comes to its kind, and a short
line for the steps after that.

    number_reason(trace, q)      -> Reason(long, short)
    stage_reason(trace, stage)   -> Reason(long, short)
    is_first(trace, q)           -> whether a walk shows the long one at q

Texts are ours; the vocabulary is the field's. `tests/test_explain.py` reads every kind of step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tutor.engine.kinds import BACKWARD, KINDS
from tutor.engine.network import Array, Layer, Network
from tutor.engine.order import Stage, forward_kinds, passed_back
from tutor.engine.quantity import Quantity
from tutor.engine.trace import Trace
from tutor.lesson import scaling_reasons, update_reasons
from tutor.lesson.titles import (
    activation_noun,
    capital,
    enumerated,
    every,
    every_unit,
    function,
    input_name,
    is_output,
    neuron,
    place,
    single_number,
    unit,
)
from tutor.lesson.update_reasons import Reason, parameter

__all__ = ["REASONS", "Reason", "is_first", "number_reason", "reasons_of", "stage_reason"]

UNDECIDED = "Where a target lies between 0 and 1, each possible answer is weighted by its share."
UNCHANGED = (
    "The local derivative of a sum with respect to each term is 1, "
    "so the derivative comes through unchanged."
)
NO_UPDATE = "Nothing is updated with it: the inputs are given."


# ---- the forward pass ----


def _z(t: Trace, q: Quantity) -> Reason:
    network, who = t.network, neuron(t.network, q.layer, q.i)
    if q.of.again:
        return _z_again(t, q)
    one, bias = network.sizes[q.layer - 1] == 1, network.layer(q.layer).biases is not None
    what = "input" if q.layer == 1 else f"activation of {place(network, q.layer - 1)}"
    if q.layer > 1 and network.layer(q.layer - 1).skip:
        what = f"number from {place(network, q.layer - 1)}"
    if one:
        long = f"Multiply the {what} by its weight" + (", then add the bias." if bias else ".")
        does = "multiplies its input by its weight"
    else:
        add = ", add the products, then add the bias." if bias else " and add the products."
        long, does = f"Multiply each {what} by its weight{add}", "sums its weighted inputs"
    return Reason(long, capital(f"{who} {does}{' and adds its bias' if bias else ''}."))


def _z_again(t: Trace, q: Quantity) -> Reason:
    """What is new in a sum of the verification pass."""
    layer, where = t.network.layer(q.layer), unit(t.network, q.layer, q.i)
    weights = "weights" if layer.inputs > 1 else "weight"
    new = [weights] * layer.train_weights + ["bias"] * layer.learns_biases
    if new:
        return Reason(f"The same sum as before, with the new {enumerated(new)} of {where}.")
    below = "the inputs it has now" if q.layer > 1 else "the same result"
    return Reason(f"The same sum as before, with {below}: nothing in this layer learns.")


def _a(t: Trace, q: Quantity) -> Reason:
    network, layer, where = t.network, t.network.layer(q.layer), unit(t.network, q.layer, q.i)
    rule = layer.activation
    new = "new " if q.of.again else ""
    if rule.full_jacobian and new:
        short = f"Softmax of the new pre-activations, for {where}."
    elif rule.full_jacobian:
        short = f"Softmax for {where}: its own numerator over the same denominator."
    elif rule.name == "identity":
        short = f"The {new}pre-activation of {where}, unchanged."
    else:
        short = f"The {function(rule)} of the {new}pre-activation of {where}."
    after = _after_activation(network, q)
    if new:
        return Reason(short + after if is_first(t, q) else short)
    if rule.full_jacobian:
        long = (
            "Softmax takes e to the power of each pre-activation and divides it by the sum of all "
            "these powers, so the results are positive and add up to 1."
        )
    else:
        long = f"Apply the {_function(layer)} to the pre-activation. {rule.about}"
    return Reason(long + after, short)


def _function(layer: Layer) -> str:
    """`sigmoid function`."""
    return f"{function(layer.activation).removesuffix(' function')} function"


def _after_activation(network: Network, q: Quantity) -> str:
    """What becomes of an activation."""
    layer, new = network.layer(q.layer), q.of.again
    if layer.dropout and not new:
        return " Dropout comes next."
    if is_output(network, q.kind, q.layer):
        use = f" {layer.activation.as_output}" if layer.activation.as_output and not new else ""
        return use + _answer(network, new)
    if layer.skip:
        return f" The skip connection then adds {_skipped(network, q)} to it."
    return "" if new else _onward(network, q.layer, q.i)


def _answer(network: Network, new: bool) -> str:
    """What an output is."""
    lead = "This is" if network.sizes[-1] == 1 else "Together with the other outputs, this is"
    return f" {lead} the network's {'new ' if new else ''}answer."


def _onward(network: Network, layer: int, i: int, what: str = "it") -> str:
    """Where a hidden unit's number goes next."""
    over = [unit(network, n, i) for n in _skips_from(network, layer)]
    also = f" {_connections(over)} {what} to the activation of {enumerated(over)}." if over else ""
    return f" The result is an input to the next layer.{also}"


def _skips_from(network: Network, layer: int) -> list[int]:
    """The layers to which a skip connection adds what this layer passes on."""
    return [n for n, part in enumerate(network.layers, 1) if part.skip and n - part.skip == layer]


def _connections(over: Sequence[str]) -> str:
    return "A skip connection also adds" if len(over) == 1 else "Skip connections also add"


def _passed(network: Network, layer: int, i: int) -> str:
    """What a unit passes on, such as `input 2`, `the activation of hidden unit 1`."""
    if not layer:
        return input_name(network, i)
    what = "sum" if network.layer(layer).skip else "activation"
    return f"the {what} of {unit(network, layer, i)}"


def _skipped(network: Network, q: Quantity) -> str:
    """What a skip connection adds to a unit."""
    return _passed(network, q.layer - network.layer(q.layer).skip, q.i)


def _r(t: Trace, q: Quantity) -> Reason:
    network, new = t.network, q.of.again
    what, given = _skipped(network, q), q.layer == network.layer(q.layer).skip
    end = _answer(network, new) if is_output(network, q.kind, q.layer) else ""
    if new:
        same = f"{what}, unchanged, plus this unit's new activation"
        moved = f"{what.replace('the ', 'the new ', 1)} plus this unit's own"
        short = f"The same sum as before: {same if given else moved}."
        return Reason(short + end if is_first(t, q) else short)
    adds = f"The skip connection adds {what} to this unit's own"
    short = f"{adds}." if "activation" in what else f"{adds} activation."
    long = f"{adds} activation. {_why_skip(network, q.layer)}"
    return Reason(long + (end or _onward(network, q.layer, q.i, "the sum")), short)


def _why_skip(network: Network, layer: int) -> str:
    """What a skip connection is good for."""
    first = layer - network.layer(layer).skip + 1
    one = first == layer
    return (
        f"It bypasses {_layers(network, first, layer)}, which only {'has' if one else 'have'} to "
        "learn what to add. In the backward pass the derivative comes through this sum unchanged, "
        "because the local derivative of a sum with respect to each term is 1."
    )


def _layers(network: Network, first: int, last: int) -> str:
    """`hidden layers 2 and 3`, `hidden layer 2 and the output layer`."""
    if first == last:
        return place(network, last)
    if last == network.depth:
        return f"{_layers(network, first, last - 1)} and {place(network, last)}"
    return f"hidden layers {first} {'and' if last == first + 1 else 'to'} {last}"


# ---- the loss ----


def _loss(t: Trace, q: Quantity) -> Reason:
    network, name, again = t.network, t.network.loss.title, q.of.again
    outputs = "outputs" if network.sizes[-1] > 1 else "output"
    if t.network.rule.penalty and not q.sample:
        new = "new " * again
        return Reason(f"The {new}loss on the data plus the {new}penalty: training lowers both.")
    if t.samples > 1 and not q.sample:
        losses = f"the {'new ' if again else ''}losses of {every(t.samples, 'sample')}"
        if t.scale == 1.0:
            return Reason(f"Add {losses}: the batch loss is their sum.")
        return Reason(f"Average over the samples: add {losses} and divide by {t.samples}.")
    if again:
        where = f" for sample {q.sample}" if q.sample else ""
        return Reason(f"The same formula as before the update, with the new {outputs}{where}.")
    targets = t.y[q.sample - 1] if q.sample else t.y
    return Reason(about_loss(t, targets), f"The {name} for sample {q.sample}.")


def about_loss(t: Trace, targets: Array) -> str:
    """What this loss measures, for one output or several, for targets that decide and for those in
    between.
    """
    rule = t.network.loss
    about = rule.about if t.network.sizes[-1] == 1 else rule.about_several
    undecided = rule.fused_with and ((targets != 0) & (targets != 1)).any()
    return f"{about} {UNDECIDED}" if undecided else about


# ---- the backward pass ----


def _dL_da(t: Trace, q: Quantity) -> Reason:
    """For an activation, for a sum with a skip connection, or for an input."""
    network, by = t.network, KINDS[q.of.by]
    if not q.layer:
        what = input_name(network, q.i)
        paths = _paths(network, 0, q.i, "This input")
        return Reason(f"How does the loss change with {what}? {paths} {NO_UPDATE}", _sums(t, q))
    where = unit(network, q.layer, q.i)
    if is_output(network, by.name, q.layer):
        return Reason(
            f"The backward pass starts at the loss: if {where} grew a little, how would the loss "
            f"change? The derivative of the {network.loss.title} gives the answer.{_mean(t)}",
            f"The derivative of the loss with respect to {where}.{_factor(t)}",
        )
    if network.layer(q.layer).dropout and by.name == "a":
        return Reason(
            "Dropout multiplied the activation by its mask, so the derivative is multiplied by it "
            "as well: no error signal goes through a unit that was dropped.",
            f"Times the mask of {where}.",
        )
    if network.layer(q.layer).skip and not by.residual:
        return Reason(
            f"The activation is one term of the sum with the skip connection. {UNCHANGED}",
            f"One term of a sum: for {where}, too, the derivative comes through unchanged.",
        )
    return Reason(
        _paths(network, q.layer, q.i, "This sum" if by.residual else "This activation"), _sums(t, q)
    )


def _paths(network: Network, layer: int, i: int, what: str) -> str:
    """The chain rule over all that uses a unit's number: the next layer and skip connections."""
    one = network.sizes[layer + 1] == 1
    over = [unit(network, n, i) for n in _skips_from(network, layer)]
    text = f"{what} affects the loss through {every_unit(network, layer + 1)}. " + (
        "Multiply the error signal there by the weight between the two"
        if one
        else "Along each path, multiply the error signal there by the weight in between"
    )
    if not over:
        return text + ("." if one else "; then add the contributions.")
    back = "that contribution comes" if len(over) == 1 else "those contributions come"
    return (
        f"{text}. {_connections(over)} it to the activation of {enumerated(over)}: {back} back "
        "unchanged. Add the contributions of all paths."
    )


def _sums(t: Trace, q: Quantity) -> str:
    """The same in one line."""
    network, here = t.network, _name(t.network, q.layer, q.i)
    over = _skips_from(network, q.layer)
    if network.sizes[q.layer + 1] == 1 and not over:
        above = unit(network, q.layer + 1, 1)
        return f"The error signal at {above} times the weight from {here}."
    if over:
        return f"Error signal × weight on each path from {here}; add the skip connection's share."
    return f"For each path from {here}: error signal × weight. Add the results."


def _name(network: Network, layer: int, i: int) -> str:
    return unit(network, layer, i) if layer else input_name(network, i)


def _mean(t: Trace) -> str:
    """Where the 1/M of a derivative comes from; "" where there is none."""
    if t.scale == 1.0:
        return ""
    return f" The batch loss is the mean over {t.samples} samples, so each counts 1/{t.samples}."


def _factor(t: Trace, where: str = "") -> str:
    """The same in a few words."""
    return f" The 1/{t.samples}{where} comes from the mean." if t.scale != 1.0 else ""


def _da_dz(t: Trace, q: Quantity) -> Reason:
    rule = t.network.layer(q.layer).activation
    if q.j:
        return _softmax_slope(t, q)
    bounded = rule.bound is not None and rule.saturates
    bound = f" It is never larger than {rule.bound:g}." if bounded else ""
    who = neuron(t.network, q.layer, q.i)
    at_kink = t.value(Quantity("z", q.layer, q.i, 0, q.sample)) == 0 if rule.at_kink else False
    kink = f" {rule.at_kink}" if at_kink else ""
    return Reason(
        f"If the pre-activation grew a little, how much would the activation grow? The derivative "
        f"of the {_function(t.network.layer(q.layer))} gives the answer.{bound}{kink}",
        rule.at_kink
        if at_kink
        else f"How strongly {who} reacts to a change of its pre-activation.",
    )


def _softmax_slope(t: Trace, q: Quantity) -> Reason:
    what = activation_noun(t.network, q.layer)
    every_one = f"With softmax, every {what} depends on every pre-activation."
    if q.i == q.j:
        return Reason(
            f"{every_one} This is how {what} {q.i} responds to its own pre-activation: it grows, "
            "because its numerator grows by a larger factor than the denominator.",
            f"{capital(what)} {q.i} grows with its own pre-activation.",
        )
    return Reason(
        f"{every_one} This is how {what} {q.i} responds to pre-activation {q.j}: it shrinks, "
        "because its numerator stays the same while the shared denominator grows.",
        f"{capital(what)} {q.i} shrinks when pre-activation {q.j} grows.",
    )


AROUND = "The chain rule through the activation cannot be computed here, but its result can:"


def _dL_dz(t: Trace, q: Quantity) -> Reason:
    where = unit(t.network, q.layer, q.i)
    if t.goes_around(q):
        short = f"Not computable by the chain rule here; it is output minus target.{_factor(t)}"
        return Reason(f"{AROUND} output minus target.{_mean(t)}", short)
    mean = _factor(t, " in the shortcut") if q.layer == t.fused_layer else ""
    if t.network.layer(q.layer).activation.full_jacobian:
        what = activation_noun(t.network, q.layer)
        return Reason(
            f"The pre-activation affects the loss through every {what} of the softmax. Each path "
            f"gives a product of two derivatives; add the contributions.{mean}",
            f"Add up all paths from pre-activation {q.i} to the loss.{mean}",
        )
    return Reason(
        "By the chain rule, multiply the derivative of the loss with respect to the activation by "
        f"the slope of the activation function.{mean}",
        f"Chain rule: loss gradient times slope at {where}.{mean}",
    )


def _dL_dw(t: Trace, q: Quantity) -> Reason:
    bias, where = q.of.biases, unit(t.network, q.layer, q.i)
    if t.samples > 1 and not q.sample:
        return _total(t, q)
    if bias:
        return Reason(
            "The bias is simply added, so its local derivative is 1 and its gradient equals the "
            "error signal.",
            f"It equals the error signal at {where}.",
        )
    came_in = _passed(t.network, q.layer - 1, q.j).removeprefix("the ")
    return Reason(
        "A weight matters as much as the number it multiplies: its gradient is the error signal of "
        "the unit it leads to, times that number.",
        f"Error signal at {where} × {came_in}.",
    )


def _total(t: Trace, q: Quantity) -> Reason:
    """A gradient over all samples."""
    noun, add = parameter(q), f"add the contributions of {every(t.samples, 'sample')}"
    short = f"Add the contributions of {every(t.samples, 'sample')} to the gradient of this {noun}."
    if t.scale == 1.0:
        return Reason(short)
    here = f"each already contains the factor 1/{t.samples} of the mean"
    return Reason(f"Average over the samples: {add}; {here}.", short)


# ---- the verification pass ----


def _drop(t: Trace, q: Quantity) -> Reason:
    before, after = t.loss, t.loss_new
    if after < before:
        return Reason("Yes. It is smaller than before the update: the step went the right way.")
    if after == before:
        return Reason("No, it is exactly the same: with these numbers the update changes nothing.")
    return Reason(
        "No, it has grown. The direction was right for a small step, but this step was too long. "
        "A smaller learning rate would help."
    )


# ---- whole matrices ----


def _all_z(t: Trace, stage: Stage) -> Reason:
    network, layer = t.network, t.network.layer(stage.layer)
    where = place(network, stage.layer)
    if not KINDS[stage.kind].again:
        biases = " plus the biases" if layer.biases is not None else ""
        return Reason(f"All weighted sums of {where} at once: one matrix product{biases}.")
    new = ["weights"] * layer.train_weights + ["biases"] * layer.learns_biases
    what = f", with the new {enumerated(new)} of {where}" if new else f" for {where}"
    return Reason(f"The same matrix product{what}.")


def _all_a(t: Trace, stage: Stage) -> Reason:
    network, layer = t.network, t.network.layer(stage.layer)
    where, new = place(network, stage.layer), "new " if KINDS[stage.kind].again else ""
    if not layer.activation.full_jacobian:
        return Reason(f"Apply the {_function(layer)} to every {new}pre-activation of {where}.")
    rows = ", row by row." if t.samples > 1 else "."
    return Reason(
        f"Softmax takes e to the power of every {new}pre-activation and divides it by the sum of "
        f"these powers{rows}",
        f"Apply softmax to the {new}pre-activations of {where}{rows}",
    )


def _all_r(t: Trace, stage: Stage) -> Reason:
    network, below = t.network, stage.layer - t.network.layer(stage.layer).skip
    what = f"the {_plural_passed(network, below)} of {place(network, below)}" if below else ""
    own = f"{'those' if what.startswith('the act') else 'the activations'} of "
    own += place(network, stage.layer)
    short = f"The skip connection adds {what or 'the inputs'} to {own}, entry by entry."
    if KINDS[stage.kind].again:
        return Reason(f"The same sum as in the forward pass, for {place(network, stage.layer)}.")
    return Reason(f"{short} {_why_skip(network, stage.layer)}", short)


def _plural_passed(network: Network, layer: int) -> str:
    return "sums" if network.layer(layer).skip else "activations"


def _all_losses(t: Trace, stage: Stage) -> Reason:
    if KINDS[stage.kind].again:
        return Reason("The same formula as before the update, one row for each sample.")
    return Reason(f"One row for each sample. {about_loss(t, t.y)}")


def _all_dL_da(t: Trace, stage: Stage) -> Reason:
    network, layer, by = t.network, stage.layer, KINDS[stage.kind].by
    if layer and is_output(network, by, layer):
        return Reason(
            "The backward pass starts at the loss, with the derivative of the "
            f"{network.loss.title} with respect to every output.{_mean(t)}"
        )
    if by == "a" and layer and network.layer(layer).dropout:
        return Reason("Times the masks: no error signal goes through a unit that was dropped.")
    if by in {"a", "d"} and layer and network.layer(layer).skip:
        return Reason(
            f"The activations are terms of the sum with the skip connection. {UNCHANGED}",
            f"Terms of a sum: for {place(network, layer)}, too, the derivative is unchanged.",
        )
    only = "" if layer else f" The result says how the loss changes with the inputs. {NO_UPDATE}"
    above = place(network, layer + 1)
    over = [place(network, n) for n in _skips_from(network, layer)]
    back = (
        f" Then add what comes back unchanged from the sum in {enumerated(over)}." if over else ""
    )
    added = " plus the skip connection's share" if over else ""
    return Reason(
        f"Multiply the error signals of {above} by the weights on their paths and add up: one "
        f"matrix product.{back}{only}",
        f"Error signals of {above} × weights on their paths, added up{added}.",
    )


def _all_slopes(t: Trace, stage: Stage) -> Reason:
    layer = t.network.layer(stage.layer)
    if layer.activation.full_jacobian:
        return _jacobian(t, stage.layer)
    each = "each sample and unit" if t.samples > 1 else "each unit"
    short = f"One local derivative for {each} of {place(t.network, stage.layer)}."
    return Reason(
        f"How much would each activation grow if its pre-activation grew a little? {short}", short
    )


def _jacobian(t: Trace, layer: int) -> Reason:
    what = activation_noun(t.network, layer)
    one = ", for sample 1" if t.samples > 1 else ""
    first = " Each sample has its own; this is sample 1's." if t.samples > 1 else ""
    return Reason(
        f"Every {what} depends on every pre-activation. The result is a square matrix, the "
        f"Jacobian: row i and column k hold the derivative of {what} i with respect to "
        f"pre-activation k.{first}",
        f"Row i, column k: {what} i with respect to pre-activation k{one}.",
    )


def _all_dL_dz(t: Trace, stage: Stage) -> Reason:
    """The chain rule through a layer, and the 1/M in its shortcut."""
    layer, samples = stage.layer, range(1, t.samples + 1)
    if any(t.goes_around(Quantity("dL/dz", layer, 1, 0, s)) for s in samples):
        return Reason(f"{AROUND} output minus target.{_mean(t)}")
    mean = _factor(t, " in the shortcut") if layer == t.fused_layer else ""
    where = place(t.network, layer)
    if t.network.layer(layer).activation.full_jacobian:
        rule = "add the contributions of all paths through the softmax"
        return Reason(f"Chain rule for {where}: {rule}.{mean}")
    return Reason(f"Chain rule for {where}: loss gradient times slope, entry by entry.{mean}")


def _all_dL_dw(t: Trace, stage: Stage) -> Reason:
    below = stage.layer - 1
    what = f"{_plural_passed(t.network, below)[:-1]} of {place(t.network, below)}" if below else ""
    added = ", added up over the samples" if t.samples > 1 else ""
    return Reason(
        f"Every error signal times every {what or 'input'}{added}: one matrix product.",
    )


def _all_dL_db(t: Trace, stage: Stage) -> Reason:
    where = place(t.network, stage.layer)
    if t.samples > 1:
        return Reason(
            "The local derivative with respect to a bias is 1, "
            "so the error signals are added up over the samples.",
            f"The error signals of {where}, added up over the samples.",
        )
    return Reason(
        "The local derivative with respect to a bias is 1, so its gradient is the error signal.",
        f"They equal the error signals of {where}.",
    )


# ---- every kind ----


def _no_matrix(t: Trace, stage: Stage) -> Reason:
    raise KeyError(stage.kind)


def _all_alike(network: Network, layer: int) -> object:
    return None


def _by_inputs(network: Network, layer: int) -> object:
    return network.sizes[layer - 1] > 1


def _by_activation(network: Network, layer: int) -> object:
    leads = bool(network.layer(layer).skip or _skips_from(network, layer))
    return _by_function(network, layer), is_output(network, "a", layer), leads


def _by_function(network: Network, layer: int) -> object:
    rule = network.layer(layer).activation
    return rule.name, rule.parameters


def _by_start(network: Network, layer: int) -> object:
    """The start of the backward pass, its end at the inputs, and how what is between is used."""
    skip = bool(layer and network.layer(layer).skip)
    return layer == 0, layer == network.depth, skip, bool(_skips_from(network, layer))


def _by_jacobian(network: Network, layer: int) -> object:
    return network.layer(layer).activation.full_jacobian


@dataclass(frozen=True, slots=True)
class KindReasons:
    """How the steps of a kind are explained. Kinds of the updated network share the words of what
    they start from.
    """

    number: Callable[[Trace, Quantity], Reason]
    """For one number."""
    matrix: Callable[[Trace, Stage], Reason] = _no_matrix
    """For all of a layer."""
    variety: Callable[[Network, int], object] = _all_alike
    """What makes the steps of one layer another kind of step than those of another layer."""


REASONS: dict[str, KindReasons] = {
    **{
        kind: KindReasons(scaling_reasons.statistic, scaling_reasons.all_statistics)
        for kind in ("mean", "sd", "min", "max")
    },
    "x": KindReasons(scaling_reasons.scaled, scaling_reasons.all_scaled),
    "z": KindReasons(_z, _all_z, _by_inputs),
    "a": KindReasons(_a, _all_a, _by_activation),
    "r": KindReasons(_r, _all_r),
    "d": KindReasons(update_reasons.dropped, update_reasons.all_dropped),
    "loss": KindReasons(_loss, _all_losses),
    "data_loss": KindReasons(update_reasons.data_loss),
    "wnorm": KindReasons(update_reasons.weights_length),
    "penalty": KindReasons(update_reasons.penalty),
    "dL/dd": KindReasons(_dL_da, _all_dL_da, _by_start),
    "lr": KindReasons(update_reasons.scheduled),
    "gnorm": KindReasons(update_reasons.gradient_length),
    "dR/dw": KindReasons(update_reasons.penalty_gradient, update_reasons.all_penalty_gradients),
    "dL/da": KindReasons(_dL_da, _all_dL_da, _by_start),
    "dL/dr": KindReasons(_dL_da, _all_dL_da, _by_start),
    "da/dz": KindReasons(_da_dz, _all_slopes, _by_function),
    "dL/dz": KindReasons(_dL_dz, _all_dL_dz, _by_jacobian),
    "dL/dw": KindReasons(_dL_dw, _all_dL_dw),
    "dL/db": KindReasons(_dL_dw, _all_dL_db),
    "w": KindReasons(update_reasons.updated, update_reasons.all_updated),
    "b": KindReasons(update_reasons.updated, update_reasons.all_updated),
    "loss-loss+": KindReasons(_drop),
    "(loss-loss+)/loss": KindReasons(_drop),
}
"""Every computed kind has one entry, or that of what it starts from."""

REASONS |= {
    f"{stem}.{parameter}": KindReasons(reason, update_reasons.for_all(reason))
    for stem, reason in (
        ("g", update_reasons.for_update),
        *((stem, update_reasons.worked_out) for stem in ("m", "v", "mhat", "vhat", "step")),
    )
    for parameter in "wb"
}
"""And what an optimizer has for each weight and bias."""


def reasons_of(kind: str) -> KindReasons:
    """How the steps of a kind are explained."""
    return REASONS[kind if kind in REASONS else KINDS[kind].before]


def number_reason(trace: Trace, q: Quantity) -> Reason:
    """The words for one number."""
    return reasons_of(q.kind).number(trace, q)


def stage_reason(trace: Trace, stage: Stage) -> Reason:
    """The words for one matrix; for one that has a single number, those of the number."""
    only = single_number(trace, stage)
    if only is not None:
        return number_reason(trace, only)
    return reasons_of(stage.kind).matrix(trace, stage)


# ---- the first of a kind ----


def is_first(trace: Trace, q: Quantity) -> bool:
    """Whether a walk comes to this kind of step for the first time: at the first number of the
    first layer of its variety.
    """
    if q.sample > 1 or q.i > 1 or q.j > (2 if q.of.role == "slope" else 1):
        return False
    if not q.of.axes or q.of.of_inputs:
        return True
    variety = reasons_of(q.kind).variety
    alike = variety(trace.network, q.layer)
    layers = layers_of(trace.network, q.kind)
    return q.layer == next(n for n in layers if variety(trace.network, n) == alike)


def layers_of(network: Network, kind: str) -> Iterator[int]:
    """The layers that have this kind, in the order of the walk."""
    of, depth = KINDS[kind], network.depth
    if of.parameter:
        return (n for n in range(depth, 0, -1) if _learns(network.layer(n), biases=of.biases))
    if of.phase == BACKWARD:
        to, passed = (0 if kind == "dL/da" else 1), {"dL/da", "dL/dr", "dL/dd"}
        return (
            n for n in range(depth, to - 1, -1)
            if kind not in passed or not n or kind in passed_back(network.layer(n))
        )  # fmt: skip
    return (n for n in range(1, depth + 1) if kind in forward_kinds(network.layer(n), of.mark))


def _learns(layer: Layer, *, biases: bool) -> bool:
    return layer.learns_biases if biases else layer.train_weights
