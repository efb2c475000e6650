"""Activation and loss functions as lines of NumPy: the same rules as in `activations` and `losses`, written to be read.

The cross-entropies are written as in a textbook, from the outputs, unless an output comes so close to 0 or 1 that its
logarithm would lose digits; then they are written from the pre-activations.
"""

from __future__ import annotations

from tutor.activations import Activation
from tutor.lesson import Lesson
from tutor.number import exact
from tutor.trace import Trace

ACTIVATIONS: dict[str, tuple[str, ...]] = {
    "sigmoid": (
        "def sigmoid(z):",
        "    return 1 / (1 + np.exp(-z))",
    ),
    "relu": (
        "def relu(z):",
        "    return np.maximum(z, 0)",
    ),
    "leaky_relu": (
        "def leaky_relu(z, slope):",
        "    return np.where(z > 0, z, slope * z)",
    ),
    "elu": (
        "def elu(z, alpha):",
        "    return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))",
    ),
    "softmax": (
        "def softmax(z):",
        '    """e^z over the sum of its row. Taking the largest z away first changes nothing, but no e^z overflows."""',
        "    e = np.exp(z - z.max(axis=1, keepdims=True))",
        "    return e / e.sum(axis=1, keepdims=True)",
    ),
    "step": (
        "def step(z):",
        "    return np.where(z >= 0, 1.0, 0.0)",
    ),
}

_SAFE = '    """The loss of each sample, from the pre-activations: log(a) loses digits where a is close to 0 or 1."""'
_PLAIN = '    """The loss of each sample: the outputs of its row, added up."""'
LOSSES: dict[tuple[str, bool], tuple[str, ...]] = {
    ("squared_error", False): (
        "def squared_error(a, y):",
        _PLAIN,
        "    return ((a - y) ** 2).sum(axis=1)",
    ),
    ("half_squared_error", False): (
        "def half_squared_error(a, y):",
        _PLAIN,
        "    return 0.5 * ((a - y) ** 2).sum(axis=1)",
    ),
    ("binary_cross_entropy", False): (
        "def binary_cross_entropy(a, y):",
        _PLAIN,
        "    return -(y * np.log(a) + (1 - y) * np.log(1 - a)).sum(axis=1)",
    ),
    ("cross_entropy", False): (
        "def cross_entropy(a, y):",
        _PLAIN,
        "    return -(y * np.log(a)).sum(axis=1)",
    ),
    ("binary_cross_entropy", True): (
        "def binary_cross_entropy(z, y):",
        _SAFE,
        "    return (y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z)).sum(axis=1)",
    ),
    ("cross_entropy", True): (
        "def cross_entropy(z, y):",
        _SAFE,
        "    shifted = z - z.max(axis=1, keepdims=True)",
        "    top = shifted == 0",
        "    others = np.where(top, 0, np.exp(shifted)).sum(axis=1, keepdims=True) + top.sum(axis=1, keepdims=True) - 1",
        "    return -np.where(y == 0, 0, y * (shifted - np.log1p(others))).sum(axis=1)",
    ),
}
EDGE = 0.01
"""Outputs closer than this to 0 or 1 are close."""


def definitions(lesson: Lesson) -> list[list[str]]:
    """The functions that a lesson needs, each once."""
    network = lesson.trace.network
    names = dict.fromkeys(layer.activation.name for layer in network.layers)
    found = [list(ACTIVATIONS[name]) for name in names if name in ACTIVATIONS]
    return [*found, list(LOSSES[network.loss.name, from_z(lesson.trace)])]


def from_z(trace: Trace) -> bool:
    """Whether the loss is written with the pre-activations."""
    if not trace.fused_layer:
        return False
    couples = trace.network.layer(trace.fused_layer).activation.couples
    for kind in ("a",) if trace.blocked else ("a", "a+"):
        a = trace.array(kind, trace.fused_layer)
        close = ~((a >= EDGE) & (a <= 1 - EDGE))
        if ((close & (trace.y != 0)) | ~(a > 0) if couples else close).any():
            return True
    return False


def applied(rule: Activation, z: str) -> str:
    """The activation of an array."""
    match rule.name:
        case "identity":
            return z
        case "tanh" | "sign":
            return f"np.{rule.name}({z})"
        case _:
            return f"{rule.name}({z}{''.join(f', {key}={exact(value)}' for key, value in rule.parameters.items())})"


def slope(rule: Activation, z: str, a: str, units: int) -> str:
    """The derivative of an activation, written with what is already there; for a softmax one matrix per sample."""
    match rule.name:
        case "identity":
            return f"np.ones_like({z})"
        case "sigmoid":
            return f"{a} * (1 - {a})"
        case "tanh":
            return f"1 - {a}**2"
        case "relu":
            return f"np.where({z} > 0, 1.0, 0.0)"
        case "leaky_relu":
            return f"np.where({z} > 0, 1.0, {exact(rule.parameters['slope'])})"
        case "elu":
            return f"np.where({z} > 0, 1.0, {exact(rule.parameters['alpha'])} * np.exp(np.minimum({z}, 0)))"
        case _:
            return f"{a}[:, :, None] * (np.eye({units}) - {a}[:, None, :])"


def loss_gradient(trace: Trace, a: str) -> str:
    """dL/da of the outputs, with the 1/M of a mean."""
    share = " / M" if trace.scale != 1.0 else ""
    match trace.network.loss.name:
        case "squared_error":
            return f"2 * ({a} - y){share}"
        case "half_squared_error":
            return f"({a} - y){share}" if share else f"{a} - y"
        case "binary_cross_entropy":
            rule = f"(1 - y) / (1 - {a}) - y / {a}"
            return f"({rule}){share}" if share else rule
        case _:
            return f"-y / {a}{share}"


def shortcut(trace: Trace, a: str) -> str:
    """dL/dz of a cross-entropy on its own output activation: output minus target."""
    couples = trace.network.layer(trace.network.depth).activation.couples
    whole = not couples or bool((trace.y.sum(axis=1) == 1.0).all())
    rule = f"{a} - y" if whole else f"{a} * y.sum(axis=1, keepdims=True) - y"
    return f"({rule}) / M" if trace.scale != 1.0 else rule
