"""What a step says in words: its title, why it does what it does, and the words it needs, where
they first appear.

The titles are in `titles`, the sentences in `reasons`. A walk shows the long reason at the first
step of each kind; at the others it shows a short line and has the long one at hand.
"""

from __future__ import annotations

from dataclasses import dataclass

from tutor.engine.derivation import Derivation
from tutor.engine.kinds import BACKWARD, KINDS
from tutor.engine.network import Network
from tutor.engine.order import Stage, forward_kinds, passed_back
from tutor.engine.quantity import Quantity
from tutor.engine.stable_loss import loses_digits
from tutor.engine.trace import FLAT, OVERFLOW, EarlyEnd, Trace
from tutor.lesson.reasons import Reason, is_first, number_reason, stage_reason
from tutor.lesson.titles import function, stage_title, title, unit
from tutor.number import counted

PHASE_TITLES = {
    "scale": "Scaling",
    "forward": "Forward pass",
    "loss": "Loss",
    "backward": "Backward pass",
    "update": "Update",
    "verify": "Verification",
}

PHASE_NAMES = {
    "scale": "Scale",
    "forward": "Forward",
    "loss": "Loss",
    "backward": "Backward",
    "update": "Update",
    "verify": "Verify",
}

PHASE_ABOUT = {
    "scale": "Each input is brought to a common scale before the network sees it, with numbers "
    "taken from the training samples.",
    "forward": "Numbers flow from the inputs to the outputs: each layer computes weighted sums of "
    "its inputs and applies its activation function.",
    "loss": "The loss compares the outputs with the targets: one number for how far off they are.",
    "backward": "The backward pass starts at the loss and uses the chain rule to find how the loss "
    "changes with every weight and bias.",
    "update": "Every trainable weight and bias takes one step against its gradient, so the loss "
    "should fall.",
    "verify": "The same inputs go through the updated network. Did the loss fall?",
}

TERMS = {
    "mean": (
        "standardizing",
        (
            "subtracting from each input its mean and dividing by its standard deviation, so that "
            "all inputs have mean 0 and standard deviation 1"
        ),
    ),
    "min": (
        "min-max scaling",
        "moving and stretching each input so that its smallest value is 0 and its largest is 1",
    ),
    "z": (
        "pre-activation",
        (
            "the weighted sum of a unit's inputs, plus its bias if it has one, before the "
            "activation function"
        ),
    ),
    "a": (
        "activation",
        "the number a unit passes on: the activation function applied to its pre-activation",
    ),
    "r": (
        "skip connection",
        (
            "a path around one or more layers: their input is added to what they compute, so they "
            "only learn the difference, the residual"
        ),
    ),
    "loss": (
        "loss",
        "one number for how far the outputs are from the targets; training makes it smaller",
    ),
    "dL/da": (
        "derivative",
        (
            "how fast one number changes when another changes a little: the sign says which "
            "way, the size how strongly"
        ),
    ),
    "da/dz": (
        "local derivative",
        (
            "the derivative of a single step of the computation with respect to one of its inputs, "
            "all others held fixed"
        ),
    ),
    "dL/dz": (
        "error signal",
        (
            "the derivative of the loss with respect to a unit's pre-activation; the gradients "
            "of its weights and bias are computed from it"
        ),
    ),
    "dL/dw": (
        "gradient",
        (
            "all the derivatives of the loss with respect to the weights and biases; it points "
            "in the direction in which the loss grows fastest"
        ),
    ),
    "d": (
        "dropout",
        (
            "setting some activations to 0 at random while the network learns, others each time; "
            "afterwards all are there"
        ),
    ),
    "penalty": (
        "regularization",
        "a penalty on large weights that is added to the loss",
    ),
    "lr": ("schedule", "a rule by which the learning rate changes from iteration to iteration"),
    "gnorm": (
        "clipping",
        "limiting the gradient, so that a steep place in the loss does not throw the weights far",
    ),
    "m.w": ("momentum", "a running sum or mean of the gradients, which keeps the update going"),
    "v.w": (
        "adaptive learning rate",
        "a step of its own size for each parameter, from the squares of its gradients",
    ),
    "w+": ("learning rate", "the factor that sets the size of each step against the gradient"),
    "z+": ("verification pass", "the forward pass once more, with the new weights and biases"),
}

_SAME_TERM = {
    "dL/dr": "dL/da", "dL/dd": "dL/da", "dL/db": "dL/dw", "b+": "w+",
    "m.b": "m.w", "v.b": "v.w",
}  # fmt: skip
"""Kinds that are explained by the word of another."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The words of one step."""

    title: str
    why: str
    term: tuple[str, str] | None = None
    """A word that first appears here, with its meaning."""
    reason: str = ""
    """The long reason, where `why` is only the short line; "" where `why` is all there is."""


def explain(trace: Trace, q: Quantity) -> Explanation:
    """The words for one number."""
    return _explanation(trace, q, title(trace, q), number_reason(trace, q), _term(trace, q))


def explain_stage(trace: Trace, stage: Stage) -> Explanation:
    """The words for one matrix."""
    if stage.single:
        return explain(trace, Quantity(stage.kind, stage.layer))
    first = _corner(trace, stage)
    return _explanation(
        trace, first, stage_title(trace, stage), stage_reason(trace, stage), _term(trace, first)
    )


def _explanation(
    trace: Trace, q: Quantity, title: str, reason: Reason, term: tuple[str, str] | None
) -> Explanation:
    """The long reason at the first step of a kind, the short line at the others."""
    if reason.short in {"", reason.long} or is_first(trace, q):
        return Explanation(title, reason.long, term)
    return Explanation(title, reason.short, term, reason.long)


def _corner(trace: Trace, stage: Stage) -> Quantity:
    """The first number of a matrix, as the walk by numbers comes to it."""
    of = KINDS[stage.kind]
    jacobian = of.role == "slope" and trace.network.layer(stage.layer).activation.full_jacobian
    sample = 1 if trace.samples > 1 and of.names_samples else 0
    i, j = 1 if of.axes else 0, 1 if jacobian or of.weights else 0
    return Quantity(stage.kind, stage.layer, i, j, sample)


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
    if not of.axes or of.of_inputs:
        return True
    if of.parameter:
        last = max(n for n, part in layers if part.train_weights or part.learns_biases)
        return q.layer == last and of.biases == network.layer(last).learns_biases
    if of.phase == BACKWARD:
        return q.layer == network.depth and q.kind not in passed_back(network.layer(q.layer))[1:]
    return q.layer == next(n for n, part in layers if q.kind in forward_kinds(part, of.mark))


def explain_phase(phase: str) -> Explanation:
    """The words for a whole phase."""
    return Explanation(PHASE_TITLES[phase], PHASE_ABOUT[phase])


BRIEF = (
    "Each matrix with its symbols and its result; the walk layer by layer has the numbers in "
    "between, and the shortcuts."
)
"""What a step leaves out that is a whole phase."""


def explain_stop(trace: Trace, stop: EarlyEnd) -> str:
    """Why the walk ends here."""
    q = stop.quantity
    if trace.exact is not None and not trace.exact.stop:
        return (
            f"The walk ends here on paper: rounded to {counted(trace.paper, 'decimal')}, the "
            "numbers before this one no longer have a result, as where an output is rounded to "
            "0 or 1 and its logarithm is needed. With more decimals it goes on."
        )
    if stop.why == FLAT:
        name = function(trace.network.layer(q.layer).activation)
        return (
            f"The backward pass ends here. The {name} is flat: its derivative is 0 on both sides "
            "of the jump and does not exist at the jump. A slope of 0 would make every gradient of "
            "this layer and of the layers before it 0, so none of their weights could learn. That "
            "is why trained networks use functions with a slope, such as the sigmoid."
        )
    where = f"the {q.of.words}" + (f" of {unit(trace.network, q.layer, q.i)}" if q.layer else "")
    if stop.why == OVERFLOW:
        return (
            f"The walk ends here: {where} is larger than a 64-bit number can hold, about 1.8 × 10 "
            "to the power of 308. Anything computed from it would be infinite, undefined or "
            f"meaningless. {_REMEDY}"
        )
    return (
        f"The walk ends here: {where} is not a number. Somewhere in its formula infinity meets "
        f"infinity or 0, and such a result is undefined. {_REMEDY}"
    )


_REMEDY = "Smaller inputs, smaller weights or a smaller learning rate would help."


@dataclass(frozen=True, slots=True)
class Remark:
    """Why a result does not follow from the numbers that are shown."""

    heading: str
    text: str


OUT_OF_RANGE = Remark(
    "Outside the range of float64.",
    "An output is so close to 0 or 1 that float64 rounds it to exactly 0 or 1, and the derivative "
    "would divide by 0. Its product with the slope of the activation function can still be "
    "computed: the two cancel and leave output minus target. The next steps use that shortcut.",
)
ROUNDED = Remark(
    "Why the numbers shown do not give this result.",
    "An output is so close to 0 or 1 that too few of its digits are left for the logarithm. The "
    "loss is computed from the pre-activations instead, which lose none: −log of a number is log "
    "of 1 over it, and 1 over such an output, or over 1 − it, is a sum of powers of e. Where u is "
    "tiny, log(1 + u) is u itself.",
)


def remark(trace: Trace, found: Derivation, decimals: int) -> Remark | None:
    """What to say of a result that its own formula, with the numbers as they are shown, does not
    give.
    """
    if found.out_of_range:
        return OUT_OF_RANGE
    if trace.paper:
        return None
    return ROUNDED if loses_digits(found.tree, trace, decimals) else None
