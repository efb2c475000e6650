"""What things are called: units, layers, steps, and their places in the outline.

title(trace, q)             `Pre-activation of hidden unit 2, sample 1`
stage_title(trace, stage)   `Pre-activations of the hidden layer`
unit(network, layer, i)     `hidden unit 2`, `unit 2 of hidden layer 1`, `the output`
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tutor.engine.activations import Activation
from tutor.engine.kinds import KINDS
from tutor.engine.network import Network
from tutor.engine.optimizers import UpdateRule
from tutor.engine.order import Stage
from tutor.engine.quantity import Quantity
from tutor.engine.trace import Trace

# ---- units and layers ----


def place(network: Network, layer: int) -> str:
    """`the hidden layer`, `hidden layer 2`, `the output layer`."""
    if layer == network.depth:
        return "the output layer"
    return "the hidden layer" if network.depth == 2 else f"hidden layer {layer}"


def unit(network: Network, layer: int, i: int) -> str:
    """`the output`, `output 2`, `hidden unit 1`, `unit 1 of hidden layer 2`."""
    several = network.sizes[layer] > 1
    if layer == network.depth:
        return f"output {i}" if several else "the output"
    if network.depth == 2:
        return f"hidden unit {i}" if several else "the hidden unit"
    where = place(network, layer)
    return f"unit {i} of {where}" if several else f"the unit in {where}"


def neuron(network: Network, layer: int, i: int) -> str:
    """A unit that computes something; of the output layer `the output unit`, `output unit 2`."""
    return unit(network, layer, i).replace("output", "output unit")


def every_unit(network: Network, layer: int) -> str:
    """All units of a layer: `the output`, `both hidden units`, `all 3 units of hidden layer 2`."""
    count = network.sizes[layer]
    if count == 1:
        return unit(network, layer, 1)
    if layer == network.depth:
        return every(count, "output")
    if network.depth == 2:
        return every(count, "hidden unit")
    return f"{every(count, 'unit')} of {place(network, layer)}"


def every(count: int, noun: str) -> str:
    """`both samples`, `all 3 samples`."""
    return f"both {noun}s" if count == 2 else f"all {count} {noun}s"


def input_name(network: Network, i: int) -> str:
    """`the input`, or `input 2` where there are several."""
    return f"input {i}" if network.sizes[0] > 1 else "the input"


def function(rule: Activation) -> str:
    """An activation function within a sentence: `sigmoid`, `leaky ReLU`, `step function`."""
    words = (word.lower() if word.istitle() else word for word in rule.title.split())
    return " ".join(words) + (" function" if rule.flat else "")


def is_output(network: Network, kind: str, layer: int) -> bool:
    """Whether these are the outputs: the activations of the last layer, or the sums with its skip
    connection.
    """
    return network.passed(network.depth) == (KINDS[kind].base, layer)


def activation_noun(network: Network, layer: int) -> str:
    """What an activation of a layer is called."""
    return "output" if is_output(network, "a", layer) else "activation"


def enumerated(names: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def capital(text: str) -> str:
    """A text with its first letter in upper case, the others as they are."""
    return text[0].upper() + text[1:]


# ---- the title of a number ----


def title(trace: Trace, q: Quantity) -> str:
    """The title of the step that makes a number."""
    text = words_of(q.kind).number(trace, q)
    new = "new " if q.of.again else ""
    text = capital(new + text.removeprefix("the "))
    # the loss of a sample has it in its name
    return f"{text}, sample {q.sample}" if q.sample and q.of.axes else text


def _z(t: Trace, q: Quantity) -> str:
    return f"pre-activation of {unit(t.network, q.layer, q.i)}"


def _a(t: Trace, q: Quantity) -> str:
    where = unit(t.network, q.layer, q.i)
    return where if is_output(t.network, q.kind, q.layer) else f"activation of {where}"


def _r(t: Trace, q: Quantity) -> str:
    where = unit(t.network, q.layer, q.i)
    if is_output(t.network, q.kind, q.layer):
        return f"{where}: activation plus skip connection"
    return f"skip-connection sum of {where}"


def _d(t: Trace, q: Quantity) -> str:
    return f"activation of {unit(t.network, q.layer, q.i)} after dropout"


def _data_loss(t: Trace, q: Quantity) -> str:
    return "loss on the data" if q.of.again else f"loss on the data: {t.network.loss.title}"


def _whole(t: Trace, q: Quantity) -> str:
    words = q.of.words.removeprefix("new ")
    return f"length of the weights of {place(t.network, q.layer)}" if q.layer else words


def _of_parameter(t: Trace, q: Quantity) -> str:
    """What an optimizer has for one weight or bias."""
    what = q.of.words.rsplit(" of a ", 1)[0]
    if q.kind.startswith("step"):
        return f"what is subtracted from the {_parameter(t, q)}"
    if q.kind.startswith("v."):
        what = t.network.rule.how.squares
    if q.kind.startswith("g"):
        what = gradient_name(t.network.rule, q.kind)
    if q.of.by:
        return f"penalty gradient of the {_parameter(t, q)}"
    return f"{what}: {_parameter(t, q)}"


def gradient_name(rule: UpdateRule, kind: str) -> str:
    """What the gradient is called that an optimizer gets."""
    penalised = bool(rule.penalty) and KINDS[kind].weights
    if rule.clip and penalised:
        return "gradient after penalty and clipping"
    return "clipped gradient" if rule.clip else "gradient with the penalty"


def _statistic(t: Trace, q: Quantity) -> str:
    return f"{q.of.words.removesuffix(' of an input')} of {input_name(t.network, q.i)}"


def _scaled(t: Trace, q: Quantity) -> str:
    return f"scaled value of {input_name(t.network, q.i)}"


def _loss(t: Trace, q: Quantity) -> str:
    if q.sample:
        return f"loss of sample {q.sample}"
    if t.samples > 1:
        return "loss of the batch"
    return "loss" if q.of.again else f"loss: {t.network.loss.title}"


def _dL_da(t: Trace, q: Quantity) -> str:
    network, by = t.network, KINDS[q.of.by]
    if not q.layer:
        return f"loss gradient at {input_name(network, q.i)}"
    where = unit(network, q.layer, q.i)
    if network.layer(q.layer).skip and not is_output(network, by.name, q.layer):
        what = "skip-connection sum" if by.residual else "activation"
        return f"loss gradient at the {what} of {where}"
    if network.layer(q.layer).dropout:
        side = "after" if by.name == "d" else "before"
        return f"loss gradient at {where} {side} dropout"
    return f"loss gradient at {where}"


def _da_dz(t: Trace, q: Quantity) -> str:
    network = t.network
    where = unit(network, q.layer, q.i)
    if q.j:
        return f"softmax slope at {where} with respect to pre-activation {q.j}"
    rule = network.layer(q.layer).activation
    return f"slope of the {function(rule)} at {where}"


def _dL_dz(t: Trace, q: Quantity) -> str:
    return f"error signal at {unit(t.network, q.layer, q.i)}"


def _parameter(t: Trace, q: Quantity) -> str:
    network, layer = t.network, q.layer
    if q.of.biases:
        return f"bias of {unit(network, layer, q.i)}"
    if 1 < layer < network.depth:  # two layers of the same name: once is enough
        between = f"between hidden layers {layer - 1} and {layer}"
        only = network.sizes[layer - 1] == network.sizes[layer] == 1
        return f"weight {between}" if only else f"weight from unit {q.j} to unit {q.i} {between}"
    start = unit(network, layer - 1, q.j) if layer > 1 else input_name(network, q.j)
    return f"weight from {start} to {unit(network, layer, q.i)}"


def _dL_dw(t: Trace, q: Quantity) -> str:
    return f"gradient of the {_parameter(t, q)}"


def _drop(t: Trace, q: Quantity) -> str:
    return "did the loss fall?"


# ---- the title of a matrix ----


def stage_title(trace: Trace, stage: Stage) -> str:
    """The title of the step that makes a matrix."""
    if stage.single:
        return title(trace, Quantity(stage.kind, stage.layer))
    only = single_number(trace, stage)
    if only is not None:
        return title(trace, only)
    new = "new " if KINDS[stage.kind].again else ""
    return capital(new + _stage_title(trace, stage).removeprefix("the "))


def _stage_title(trace: Trace, stage: Stage) -> str:
    network, kind, layer = trace.network, stage.kind, stage.layer
    of = KINDS[kind]
    if stage.per_sample:
        return "loss of each sample"
    plural = _numbers(trace, stage) > 1
    where = place(network, layer) if layer else "the inputs" if plural else "the input"
    if of.axes and layer and is_output(network, of.by if of.derivative else kind, layer):
        outputs = "the outputs" if plural else "the output"
        skip = ": activation plus skip connection" if kind in {"r", "r+"} else ""
        return f"loss gradient at {outputs}" if of.derivative else outputs + skip
    if of.derivative and of.by in {"a", "r"} and layer and network.layer(layer).skip:
        what = "skip-connection sum" if of.by == "r" else "activation"
        return f"loss gradient at the {what}{'s' if plural else ''} of {where}"
    if of.role == "slope":
        rule = network.layer(layer).activation
        what = "softmax Jacobian" if rule.full_jacobian else "slope" + "s" * plural
        return f"{what} of {'' if rule.full_jacobian else f'the {function(rule)} at '}{where}"
    if not layer and of.of_inputs:
        several = network.sizes[0] > 1
        return words_of(kind).matrix.format("s" * several if of.feature else "s" * plural, where)
    ending = "" if not plural else "es" if of.biases else "s"
    if kind.startswith("g."):
        what = gradient_name(network.rule, kind)
        return f"{what}, {'bias' if of.biases else 'weight'}{ending} of {where}"
    return words_of(kind).matrix.format(ending, where)


def single_number(trace: Trace, stage: Stage) -> Quantity | None:
    """The only number of a matrix that has one, and in which no samples are added up."""
    of = KINDS[stage.kind]
    if stage.per_sample or _numbers(trace, stage) > 1 or (trace.samples > 1 and of.shared):
        return None
    return Quantity(stage.kind, stage.layer, 1, 1 if of.weights else 0)


def _numbers(trace: Trace, stage: Stage) -> int:
    """How many numbers a matrix has."""
    of, sizes = KINDS[stage.kind], trace.network.sizes
    if of.weights:
        return sizes[stage.layer] * sizes[stage.layer - 1]
    return sizes[stage.layer] * (trace.samples if of.per_sample else 1)


# ---- every kind ----


@dataclass(frozen=True, slots=True)
class KindTitles:
    """What a kind is called. Kinds of the updated network share words with what they start from."""

    number: Callable[[Trace, Quantity], str]
    """The title of one number."""
    inside: str
    """What it is among others of its phase."""
    matrix: str = ""
    """The title of all of a layer: where the plural s goes, and the layer."""
    heading: str = ""
    """The head of its column, in plain letters."""


TITLES: dict[str, KindTitles] = {
    "mean": KindTitles(_statistic, "mean", "mean{} of {}", "mean"),
    "sd": KindTitles(_statistic, "standard deviation", "standard deviation{} of {}", "sd"),
    "min": KindTitles(_statistic, "smallest value", "smallest value{} of {}", "min"),
    "max": KindTitles(_statistic, "largest value", "largest value{} of {}", "max"),
    "x": KindTitles(_scaled, "scaled values", "scaled value{} of {}", "x"),
    "raw": KindTitles(_scaled, "inputs before scaling", heading="raw"),
    "z": KindTitles(_z, "pre-activations", "pre-activation{} of {}", "z"),
    "a": KindTitles(_a, "activations", "activation{} of {}", "a"),
    "r": KindTitles(_r, "skip-connection sums", "skip-connection sum{} of {}", "r"),
    "d": KindTitles(_d, "dropout", "activation{} of {} after dropout", "d"),
    "loss": KindTitles(_loss, "loss"),
    "data_loss": KindTitles(_data_loss, "loss on the data"),
    "wnorm": KindTitles(_whole, "length of the weights"),
    "penalty": KindTitles(_whole, "penalty"),
    "dL/dd": KindTitles(
        _dL_da, "loss gradient after dropout", "loss gradient at {1} after dropout", "∂L/∂d"
    ),
    "lr": KindTitles(_whole, "learning rate"),
    "gnorm": KindTitles(_whole, "length of the gradient"),
    "dR/dw": KindTitles(
        _of_parameter, "penalty gradient", "penalty gradient of the weight{} of {}"
    ),
    "dL/da": KindTitles(_dL_da, "loss gradient", "loss gradient at {1}", "∂L/∂a"),
    "dL/dr": KindTitles(_dL_da, "loss gradient at the sums", "loss gradient at {1}", "∂L/∂r"),
    "da/dz": KindTitles(_da_dz, "slopes", heading="∂a/∂z"),
    "dL/dz": KindTitles(_dL_dz, "error signals", "error signal{} at {}", "∂L/∂z"),
    "dL/dw": KindTitles(_dL_dw, "gradient of the weights", "gradient of the weight{} of {}"),
    "dL/db": KindTitles(_dL_dw, "gradient of the biases", "gradient of the bias{} of {}"),
    "w": KindTitles(_parameter, "weights", "weight{} of {}"),
    "b": KindTitles(_parameter, "biases", "bias{} of {}"),
    "loss-loss+": KindTitles(_drop, "change of the loss"),
    "(loss-loss+)/loss": KindTitles(_drop, "change of the loss"),
}
"""Every computed kind has one entry, or that of what it starts from."""

TITLES |= {
    f"{stem}.{parameter}": KindTitles(_of_parameter, what, f"{what}, {noun}{{}} of {{}}")
    for stem, what in (
        ("g", "gradient after penalty and clipping"),
        ("m", "momentum"),
        ("v", "squares"),
        ("mhat", "bias-corrected momentum"),
        ("vhat", "bias-corrected squares"),
        ("step", "what is subtracted"),
    )
    for parameter, noun in (("w", "weight"), ("b", "bias"))
}
"""And what an optimizer has for each weight and bias."""


def words_of(kind: str) -> KindTitles:
    """What a kind is called."""
    return TITLES[kind if kind in TITLES else KINDS[kind].before]


def again(kind: str) -> str:
    """`new ` where a kind of the updated network has the words of what it starts from."""
    return "" if kind in TITLES else "new "


def heading(kind: str) -> str:
    """The head of a column: ∂L/∂a, new z."""
    return again(kind) + words_of(kind).heading


def layer_title(network: Network, stage: Stage) -> str:
    """The heading of what belongs to the layer of a stage; what belongs to none is the loss."""
    if not stage.layer:
        return "Inputs" if KINDS[stage.kind].axes else "Loss"
    return capital(place(network, stage.layer).removeprefix("the "))


def inside(stages: Sequence[Stage]) -> str:
    """What is computed in these stages, in a few words."""
    return ", ".join(dict.fromkeys(_inside(stage) for stage in stages))


def _inside(stage: Stage) -> str:
    of = KINDS[stage.kind]
    if of.axes and not stage.layer and not of.of_inputs:
        return "loss gradient at the inputs"
    return again(stage.kind) + words_of(stage.kind).inside
