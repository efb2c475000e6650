"""Hypothesis strategies that several tests share: random networks with a batch and a learning rate.

Hypothesis draws what matters for shrinking (depth, sizes, rules, what is frozen); the numbers
themselves come from a seeded generator, so an example is small and a red run can be repeated.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tutor.engine.activations import activation
from tutor.engine.losses import loss
from tutor.engine.network import Layer, Network, frozen
from tutor.lesson.setup import Setup

SMOOTH = ("identity", "sigmoid", "tanh")
KINKED = ("relu", "leaky_relu", "elu")
DIFFERENTIABLE = (*SMOOTH, *KINKED, "softmax")
FLAT = ("step", "sign")
LOSSES = ("squared_error", "half_squared_error", "binary_cross_entropy", "cross_entropy")
OUTPUT_OF = {"binary_cross_entropy": "sigmoid", "cross_entropy": "softmax"}


def rule(draw: Any, names: tuple[str, ...]) -> Any:
    """One activation; slope and alpha are drawn where the rule has one."""
    name = draw(st.sampled_from(names))
    if name == "leaky_relu":
        return activation(name, slope=draw(st.sampled_from([0.01, 0.1, -0.5])))
    if name == "elu":
        return activation(name, alpha=draw(st.sampled_from([1.0, 0.5, 2.0])))
    return activation(name)


def targets(
    draw: Any, loss_name: str, samples: int, outputs: int, random: np.random.Generator
) -> Any:
    """Targets that suit a loss: hard or soft labels for cross-entropies, any numbers for squared
    errors.
    """
    if loss_name == "binary_cross_entropy":
        hard = random.integers(0, 2, (samples, outputs)).astype(float)
        return hard if draw(st.booleans()) else random.uniform(0, 1, (samples, outputs))
    if loss_name == "cross_entropy":
        kind = draw(st.sampled_from(["one-hot", "soft", "not a distribution", "none"]))
        if kind == "one-hot":
            return np.eye(outputs)[random.integers(0, outputs, samples)]
        soft = random.uniform(0, 1, (samples, outputs))
        return {
            "soft": soft / soft.sum(axis=1, keepdims=True),
            "not a distribution": soft,
            "none": np.zeros_like(soft),
        }[kind]
    return random.normal(0, 1, (samples, outputs))


@st.composite
def problems(
    draw: Any,
    *,
    hidden: tuple[str, ...] = DIFFERENTIABLE,
    outputs: tuple[str, ...] = DIFFERENTIABLE,
    losses: tuple[str, ...] = LOSSES,
    depth: int = 4,
    units: int = 5,
    wide: bool = True,
    samples: int = 4,
    freezing: bool = True,
    skipping: bool = False,
    scales: tuple[float, ...] = (0.0, 0.5, 1.5),
) -> Setup:
    """A network of up to `depth` layers, a batch and a learning rate; with `skipping` most have
    skip connections.
    """
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    width = st.integers(1, units)
    width = st.sampled_from(draw(st.lists(width, min_size=1, max_size=2))) if skipping else width
    sizes = draw(st.lists(width, min_size=2, max_size=depth + 1))
    if wide and draw(st.integers(0, 3)) == 0:
        sizes[draw(st.integers(0, len(sizes) - 1))] = draw(st.integers(8, 13))
    many = draw(
        st.sampled_from(
            [11] if wide and draw(st.integers(0, 9)) == 0 else list(range(1, samples + 1))
        )
    )
    loss_name = draw(st.sampled_from(losses))
    layers = []
    for number in range(1, len(sizes)):
        last = number == len(sizes) - 1
        fused = OUTPUT_OF.get(loss_name) if last else None
        chosen = activation(fused) if fused else rule(draw, outputs if last else hidden)
        scale = draw(st.sampled_from(scales))
        weights = scale * random.standard_normal((sizes[number], sizes[number - 1]))
        biases = scale * random.standard_normal(sizes[number]) if draw(st.booleans()) else None
        learns = (
            (draw(st.integers(0, 4)) > 0, draw(st.integers(0, 4)) > 0) if freezing else (True, True)
        )
        reach = [n for n in range(1, number + 1) if sizes[number - n] == sizes[number]]
        skip = draw(st.sampled_from([0, *reach])) if skipping and not fused else 0
        layers.append(
            Layer(
                frozen(weights), None if biases is None else frozen(biases), chosen, *learns, skip
            )
        )
    network = Network(tuple(layers), loss(loss_name), draw(st.sampled_from(["mean", "sum"])))
    x = random.standard_normal((many, sizes[0]))
    y = targets(draw, loss_name, many, sizes[-1], random)
    return Setup(network, frozen(x), frozen(y), draw(st.sampled_from([0.1, 0.5, 1.0])))


EXTREME = (
    0.0,
    -0.0,
    5e-324,
    -1e-310,
    2.3e-308,
    1e-160,
    -1.0,
    1.0,
    37.0,
    -745.2,
    800.0,
    1e154,
    -1e160,
    1e308,
    -1e308,
    1.7e308,
)
"""Numbers at the edges of float64."""


@st.composite
def extreme_problems(
    draw: Any, *, hidden: tuple[str, ...] = (*DIFFERENTIABLE, *FLAT), samples: int = 3
) -> Setup:
    """A small network whose weights, biases, inputs and targets sit at the edges of float64."""
    edge = st.sampled_from(EXTREME)

    def matrix(rows: int, columns: int) -> Any:
        return frozen(
            draw(
                st.lists(
                    st.lists(edge, min_size=columns, max_size=columns), min_size=rows, max_size=rows
                )
            )
        )

    sizes = draw(st.lists(st.integers(1, 3), min_size=2, max_size=4))
    if draw(st.integers(0, 7)) == 0:
        sizes[-1] = 9
    many, loss_name = draw(st.integers(1, samples)), draw(st.sampled_from(LOSSES))
    layers = []
    for number in range(1, len(sizes)):
        last = number == len(sizes) - 1
        fused = OUTPUT_OF.get(loss_name) if last else None
        chosen = activation(fused) if fused else rule(draw, hidden)
        biases = (
            frozen(draw(st.lists(edge, min_size=sizes[number], max_size=sizes[number])))
            if draw(st.booleans())
            else None
        )
        layers.append(Layer(matrix(sizes[number], sizes[number - 1]), biases, chosen))
    network = Network(tuple(layers), loss(loss_name), draw(st.sampled_from(["mean", "sum"])))
    label = st.sampled_from([0.0, 1.0, 0.25]) if loss_name in OUTPUT_OF else edge
    y = draw(
        st.lists(
            st.lists(label, min_size=sizes[-1], max_size=sizes[-1]), min_size=many, max_size=many
        )
    )
    return Setup(
        network, matrix(many, sizes[0]), frozen(y), draw(st.sampled_from([0.1, 1e300, 5e-324]))
    )


CHARACTERS = st.sampled_from(
    (
        *"ab1 -.:#,'\"\\[]{}&*!|>%@`?~<=\n\téאع😀\u200b\u200f\u00a0",
        "👩\u200d🔬",
        "null",
        "1e3",
        "yes",
        ": ",
        " #",
        "- ",
        "word " * 12,
    )
)
TEXTS = (
    st.lists(CHARACTERS, min_size=1, max_size=12)
    .map("".join)
    .filter(lambda text: any(c.isprintable() and c != " " for c in text))
)
"""Texts that a careless writer of YAML would spoil."""
NUMBERS = st.sampled_from([0, -0.0, 1, 2.0, -0.25, 1e-7, 5e-324, 1e300, 1e16, 0.1]) | st.floats(
    allow_nan=False, allow_infinity=False
)


def _rows(rows: int, columns: int) -> st.SearchStrategy[tuple[tuple[float, ...], ...]]:
    return st.tuples(*[st.tuples(*[NUMBERS] * columns)] * rows)


def _some(draw: Any, keys: dict[str, st.SearchStrategy[Any]]) -> dict[str, Any]:
    """Some of the keys, each with a value."""
    return {key: draw(value) for key, value in keys.items() if draw(st.booleans())}


def _layer(draw: Any, units: int, below: int, names: tuple[str, ...]) -> dict[str, Any]:
    """A layer of a scenario file."""
    name = draw(st.sampled_from([name for name in names if units > 1 or name != "softmax"]))
    layer: dict[str, Any] = {"units": units, "activation": name}
    layer |= _some(
        draw,
        {"leaky_relu": {"slope": NUMBERS}, "elu": {"alpha": st.sampled_from([0.5, 1, 2.0])}}.get(
            name, {}
        ),
    )
    biases = st.one_of(st.just("none"), st.tuples(*[NUMBERS] * units), st.just((0.0,) * units))
    if draw(st.booleans()):
        layer |= {"weights": draw(_rows(units, below)), "biases": draw(biases)}
    else:
        schemes = st.sampled_from(["uniform", "normal", "xavier", "he", "constant", "identity"])
        layer["init"] = {
            "scheme": draw(schemes),
            **_some(draw, {"scale": st.sampled_from([0, 1.0, 2.5]), "seed": st.integers(0, 9)}),
        }
        layer |= _some(draw, {"biases": biases})
    return layer | _some(
        draw,
        {
            "trainable": st.fixed_dictionaries(
                {}, optional={"weights": st.booleans(), "biases": st.booleans()}
            )
        },
    )


_SHARES = st.sampled_from([0, 0.5, 0.9, 1 / 3])
_ABOVE_0 = st.sampled_from([1, 0.5, 2.0, 1e-8, 1e300])


def _with(name: str, **numbers: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A name alone, or with some of its numbers."""
    mapping = st.fixed_dictionaries({"name": st.just(name)}, optional=numbers)
    return st.just(name) | mapping


LEARNING = {
    "optimizer": st.one_of(
        _with("sgd"),
        _with("momentum", momentum=_SHARES),
        _with("nesterov", momentum=_SHARES),
        _with("adagrad", epsilon=_ABOVE_0),
        _with("rmsprop", alpha=_SHARES, epsilon=_ABOVE_0),
        _with("adam", beta1=_SHARES, beta2=_SHARES, epsilon=_ABOVE_0),
        _with("adamw", beta1=_SHARES, weight_decay=_SHARES | _ABOVE_0),
    ),
    "schedule": st.one_of(
        _with("constant"),
        _with("step", every=st.sampled_from([1, 10.0]), factor=_ABOVE_0),
        _with("exponential", factor=_ABOVE_0),
        _with("cosine", period=st.sampled_from([1, 50]), minimum=_SHARES),
        _with("inverse_time", decay=_SHARES | _ABOVE_0),
    ),
    "l2": st.fixed_dictionaries(
        {"weight": _ABOVE_0}, optional={"form": st.sampled_from(["squared", "norm"])}
    ),
    "clip": st.fixed_dictionaries({"norm": _ABOVE_0}) | st.fixed_dictionaries({"value": _ABOVE_0}),
}
"""How a network learns, in all ways that a file can say it."""


@st.composite
def scenario_data(draw: Any) -> dict[str, Any]:
    """A sound scenario as plain data, as `strict_yaml` would read it, with nasty texts and any
    numbers.
    """
    sizes, samples = (
        draw(st.lists(st.integers(1, 3), min_size=2, max_size=4)),
        draw(st.integers(1, 3)),
    )
    loss_name = draw(st.sampled_from(LOSSES if sizes[-1] > 1 else LOSSES[:3]))
    layers = tuple(
        _layer(
            draw,
            units,
            below,
            (OUTPUT_OF[loss_name],)
            if loss_name in OUTPUT_OF and n == len(sizes) - 1
            else (*DIFFERENTIABLE, *FLAT),
        )
        for n, (below, units) in enumerate(pairwise(sizes), 1)
    )
    one_hot = tuple(tuple(int(n == 0) for n in range(sizes[-1])) for _ in range(samples))
    check = st.fixed_dictionaries({"quantity": st.just("eta"), "equals": st.just("{eta} * 1")})
    slide = {
        "quantity": st.just("loss"),
        "value": st.sampled_from(["0.25", "-1.5", "34.5 %", "−2"]),
        "where": TEXTS,
    }
    printed = st.one_of(
        *(st.fixed_dictionaries(slide, optional={why: TEXTS}) for why in ("slip", "left_open"))
    )
    note = st.fixed_dictionaries(
        {"at": st.just("eta"), "text": TEXTS}, optional={"about_slides": st.booleans()}
    )
    return {
        "format": 1,
        "title": draw(TEXTS),
        "network": {
            "inputs": sizes[0],
            "layers": layers,
            "loss": {
                "name": loss_name,
                **_some(draw, {"reduction": st.sampled_from(["sum", "mean"])}),
            },
            **_some(
                draw, {"trainable": st.fixed_dictionaries({}, optional={"weights": st.booleans()})}
            ),
        },
        "data": {"inputs": draw(_rows(samples, sizes[0])), "targets": one_hot},
        "training": {
            "learning_rate": draw(st.sampled_from([0.1, 1, 1e-9])),
            **_some(draw, {"iterations": st.integers(1, 9), **LEARNING}),
        },
        **_some(
            draw,
            {
                "course": TEXTS,
                "about": TEXTS,
                "lecture": st.fixed_dictionaries(
                    {"deck": TEXTS}, optional={"order": st.integers(0, 9)}
                ),
                "origin": st.sampled_from(["two-layers", "1", "saved-abc"]),
                "learn": st.lists(TEXTS, max_size=4).map(tuple),
                "notation": st.fixed_dictionaries(
                    {},
                    optional={
                        "preset": st.sampled_from(["brackets", "letters"]),
                        "times": st.just("·"),
                    },
                ),
                "display": st.fixed_dictionaries({}, optional={"decimals": st.integers(0, 12)}),
                "printed": st.lists(printed, max_size=3).map(tuple),
                "notes": st.lists(note, max_size=2).map(tuple),
                "checks": st.lists(check, max_size=2).map(tuple),
            },
        ),
    }
