"""A full trace (forward, loss, backward, update, verification) against the same numbers by other
means.

Others: hand-written NumPy that keeps every intermediate, micrograd, and PyTorch where it is
installed. By hand there are two: the shortest pass, which overflows for large numbers and has no
logarithm of small probabilities, and the stable one, which shifts a softmax by its largest entry and
takes logarithms from the pre-activations, as the trace does. All compute, in float64: every z, a, ∂L/∂a, ∂L/∂z, ∂L/∂W, ∂L/∂b, the new parameters
and the second forward pass; what they keep is compared with the trace before anything is timed.
Hand-written NumPy and the trace also keep each ∂a/∂z of a sigmoid; a softmax's Jacobian is made by
neither until someone looks at it.
"""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest

from tests.benchmarks import table
from tutor.engine.trace import run
from tutor.lesson.setup import Setup, build
from tutor.scenario.reader import load

Kept = dict[str, list[Any]]


# ---- NumPy by hand ----


def shortest_logs(z: Any, p: Any) -> tuple[Any, Any]:
    """log p and log(1 − p) of p = σ(z)."""
    return np.log(p), np.log(1.0 - p)


def stable_logs(z: Any, p: Any) -> tuple[Any, Any]:
    """The same for any z."""
    return -np.logaddexp(0.0, -z), -np.logaddexp(0.0, z)


def numpy_sigmoid(
    x: Any, y: Any, W: list[Any], b: list[Any], eta: float, *, logs: Any = shortest_logs
) -> Kept:
    """Sigmoid layers and binary cross-entropy."""

    def forward(W: list[Any], b: list[Any]) -> tuple[list[Any], list[Any], float]:
        z, a = [], [x]
        for w, c in zip(W, b, strict=True):
            z.append(a[-1] @ w.T + c)
            a.append(1.0 / (1.0 + np.exp(-z[-1])))
        log_p, log_rest = logs(z[-1], a[-1])
        return z, a, float(-(y * log_p + (1.0 - y) * log_rest).sum() / len(x))

    z, a, loss = forward(W, b)
    p, da, slopes, dz, dW, db = a[-1], [], [], [], [], []
    grad = ((1.0 - y) / (1.0 - p) - y / p) / len(x)
    for n in reversed(range(len(W))):
        slope = a[n + 1] * (1.0 - a[n + 1])
        delta = grad * slope
        da.append(grad)
        slopes.append(slope)
        dz.append(delta)
        dW.append(delta.T @ a[n])
        db.append(delta.sum(axis=0))
        grad = delta @ W[n]
    W_new = [w - eta * g for w, g in zip(W, reversed(dW), strict=True)]
    b_new = [c - eta * g for c, g in zip(b, reversed(db), strict=True)]
    z_new, a_new, loss_new = forward(W_new, b_new)
    return {"loss": [loss, loss_new], "z": z, "a": a, "da": da, "slopes": slopes, "dz": dz, "dW": dW, "db": db,
            "W_new": W_new, "b_new": b_new, "z_new": z_new, "a_new": a_new}  # fmt: skip


def shortest(z: Any) -> tuple[Any, Any]:
    """softmax(z) and its logarithm; a large z overflows, and a small p has no logarithm."""
    e = np.exp(z)
    p = e / e.sum(axis=1, keepdims=True)
    return p, np.log(p)


def stable(z: Any) -> tuple[Any, Any]:
    """The same for any z, as libraries do it: shifted by the largest, and the logarithm from z."""

    def softmax(z: Any) -> Any:
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def log_softmax(z: Any) -> Any:
        shifted = z - z.max(axis=1, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))

    return softmax(z), log_softmax(z)


def numpy_softmax(
    x: Any, y: Any, W: list[Any], b: list[Any], eta: float, *, softmax: Any = shortest
) -> Kept:
    """One sigmoid layer, one softmax, cross-entropy, no biases."""
    V, U = W

    def forward(V: Any, U: Any) -> tuple[Any, Any, Any, Any, float]:
        q = x @ V.T
        h = 1.0 / (1.0 + np.exp(-q))
        z = h @ U.T
        p, log_p = softmax(z)
        return q, h, z, p, float(-(y * log_p).sum() / len(x))

    q, h, z, p, loss = forward(V, U)
    dp = -y / p / len(x)
    dz = p * (dp - (dp * p).sum(axis=1, keepdims=True))
    dU = dz.T @ h
    dh = dz @ U
    slope = h * (1.0 - h)
    dq = dh * slope
    dV = dq.T @ x
    V_new, U_new = V - eta * dV, U - eta * dU
    q_new, h_new, z_new, p_new, loss_new = forward(V_new, U_new)
    return {"loss": [loss, loss_new], "z": [q, z], "a": [x, h, p], "da": [dp, dh], "slopes": [slope], "dz": [dz, dq], "dW": [dU, dV],
            "db": [], "W_new": [V_new, U_new], "b_new": [], "z_new": [q_new, z_new], "a_new": [x, h_new, p_new]}  # fmt: skip


# ---- PyTorch ----


def torch_pass(torch: Any, x: Any, y: Any, W: list[Any], b: list[Any], eta: float) -> Kept:
    """Autograd with the gradient of every intermediate retained; the last layer is a softmax where
    there are no biases.
    """
    softmax = not b

    def forward(W: list[Any], b: list[Any]) -> tuple[list[Any], list[Any], Any]:
        z, a = [], [x]
        for n, w in enumerate(W):
            z.append(a[-1] @ w.T + b[n] if b else a[-1] @ w.T)
            a.append(
                torch.softmax(z[-1], 1) if softmax and n == len(W) - 1 else torch.sigmoid(z[-1])
            )
        p = a[-1]
        shares = y * torch.log(p) if softmax else y * torch.log(p) + (1.0 - y) * torch.log(1.0 - p)
        return z, a, -shares.sum() / len(x)

    for parameter in (*W, *b):
        parameter.grad = None
    z, a, loss = forward(W, b)
    for kept in (*z, *a[1:]):
        kept.retain_grad()
    loss.backward()
    with torch.no_grad():
        W_new, b_new = [w - eta * w.grad for w in W], [c - eta * c.grad for c in b]
        z_new, a_new, loss_new = forward(W_new, b_new)
    return {"loss": [loss.item(), loss_new.item()], "z": z, "a": a, "da": [t.grad for t in a[:0:-1]], "dz": [t.grad for t in z[::-1]],
            "dW": [w.grad for w in W[::-1]], "db": [c.grad for c in b[::-1]], "W_new": W_new, "b_new": b_new,
            "z_new": z_new, "a_new": a_new}  # fmt: skip


# ---- micrograd ----


def apply(v: Any, f: float, slope: float) -> Any:
    """A further function for micrograd, which has only +, *, powers and relu: made as its own are."""
    out = type(v)(f, (v,), "f")

    def backward() -> None:
        v.grad += slope * out.grad

    out._backward = backward
    return out


def exp(v: Any) -> Any:
    return apply(v, math.exp(v.data), math.exp(v.data))


def log(v: Any) -> Any:
    return apply(v, math.log(v.data), 1.0 / v.data)


def sigmoid(v: Any) -> Any:
    a = 1.0 / (1.0 + math.exp(-v.data))
    return apply(v, a, a * (1.0 - a))


def micrograd_pass(
    Value: Any, x: list[float], y: list[float], W: list[Any], b: list[Any], eta: float
) -> Kept:
    """Scalars with a graph: every number and its gradient stay in the nodes."""
    softmax = not b

    def forward(W: list[Any], b: list[Any]) -> tuple[list[Any], list[Any], Any]:
        z, a = [], [x]
        for n, rows in enumerate(W):
            z.append(
                [
                    sum((w * v for w, v in zip(row, a[-1], strict=True)), b[n][i] if b else 0.0)
                    for i, row in enumerate(rows)
                ]
            )
            if softmax and n == len(W) - 1:
                e = [exp(v) for v in z[-1]]
                total = sum(e)
                a.append([v / total for v in e])
            else:
                a.append([sigmoid(v) for v in z[-1]])
        if softmax:
            return z, a, -sum(log(p) * t for p, t in zip(a[-1], y, strict=True))
        return (
            z,
            a,
            -sum(log(p) * t + log(1.0 - p) * (1.0 - t) for p, t in zip(a[-1], y, strict=True)),
        )

    W = [[[Value(w) for w in row] for row in rows] for rows in W]
    b = [[Value(c) for c in row] for row in b]
    z, a, loss = forward(W, b)
    loss.backward()
    W_new = [[[Value(w.data - eta * w.grad) for w in row] for row in rows] for rows in W]
    b_new = [[Value(c.data - eta * c.grad) for c in row] for row in b]
    z_new, a_new, loss_new = forward(W_new, b_new)
    return {"loss": [loss.data, loss_new.data], "z": z, "a": a, "W": W[::-1], "b": b[::-1], "W_new": W_new, "b_new": b_new,
            "z_new": z_new, "a_new": a_new}  # fmt: skip


# ---- the comparison ----


BY_HAND: dict[str, tuple[Callable[..., Kept], Callable[..., Kept]]] = {
    "1-2-3-1-sigmoid": (numpy_sigmoid, partial(numpy_sigmoid, logs=stable_logs)),
    "3-2-3-softmax": (numpy_softmax, partial(numpy_softmax, softmax=stable)),
}
SHORTEST, STABLE = "NumPy by hand, the shortest", "NumPy by hand, stable"
CHECKED = "the trace and its check for overflow"


def candidates(
    problem: Setup, by_hand: tuple[Callable[..., Kept], Callable[..., Kept]]
) -> tuple[dict[str, Callable[[], object]], dict[str, Kept]]:
    """What is timed, and what the others computed, to compare."""
    x, y, eta = problem.x, problem.y, problem.eta
    W = [layer.weights for layer in problem.network.layers]
    b = [layer.biases for layer in problem.network.layers if layer.biases is not None]
    engine = partial(run, problem.network, x, y, eta)
    found: dict[str, Callable[[], Any]] = {
        SHORTEST: partial(by_hand[0], x, y, W, b, eta),
        STABLE: partial(by_hand[1], x, y, W, b, eta),
        CHECKED: lambda: engine().stop,
    }
    try:
        from micrograd.engine import Value
    except ImportError:
        pass
    else:
        numbers = ([w.tolist() for w in W], [c.tolist() for c in b])
        found["micrograd"] = partial(
            micrograd_pass, Value, x[0].tolist(), y[0].tolist(), *numbers, eta
        )
    try:
        import torch
    except ImportError:
        pass
    else:
        torch.set_num_threads(1)
        W_t, b_t = (
            [torch.tensor(p, dtype=torch.float64, requires_grad=True) for p in ps] for ps in (W, b)
        )
        found["PyTorch autograd"] = partial(
            torch_pass, torch, torch.tensor(x), torch.tensor(y), W_t, b_t, eta
        )
    others = {name: call() for name, call in found.items() if not name.startswith("the trace")}
    return found, others


def numbers(kept: list[Any]) -> list[float]:
    """All numbers of nested lists of arrays, tensors and micrograd values, flat."""
    flat: list[float] = []
    for part in kept:
        if isinstance(part, list):
            flat += numbers(part)
        elif hasattr(part, "detach"):
            flat += part.detach().numpy().ravel().tolist()
        elif hasattr(part, "data") and not isinstance(part, np.ndarray):
            flat.append(float(part.data))
        else:
            flat += np.ravel(part).tolist()
    return flat


def compare(problem: Setup, others: dict[str, Kept]) -> None:
    """Everyone has the trace's numbers."""
    t = run(problem.network, problem.x, problem.y, problem.eta)
    up = range(1, t.network.depth + 1)
    down = up[::-1]

    def every(kind: str, layers: range) -> list[Any]:
        return [t[kind, layer] for layer in layers if (kind, layer) in t]

    ours = {
        "loss": [t.loss, t.loss_new], "z": every("z", up), "a": [t.x, *every("a", up)], "da": every("dL/da", down),
        "dz": every("dL/dz", down), "dW": every("dL/dw", down), "db": every("dL/db", down), "W_new": every("w+", up),
        "b_new": every("b+", up), "z_new": every("z+", up), "a_new": [t.x, *every("a+", up)],
    }  # fmt: skip
    for name, kept in others.items():
        for key in ours.keys() & kept.keys():
            np.testing.assert_allclose(
                numbers(kept[key]),
                numbers(ours[key]),
                rtol=1e-11,
                atol=1e-14,
                err_msg=f"{name}: {key}",
            )


@pytest.mark.parametrize("name", BY_HAND)
def test_a_full_trace(name: str, root: Path) -> None:
    problem = build(load(root / "scenarios" / f"{name}.yaml"))
    found, others = candidates(problem, BY_HAND[name])
    compare(problem, others)
    seconds = table.interleaved(found)
    columns = (SHORTEST, STABLE, CHECKED)
    rows = [
        (
            who,
            table.micro(median(taken)),
            *(f"{table.ratio(taken, seconds[column]):.2f}" for column in columns),
        )
        for who, taken in seconds.items()
    ]
    missing = [
        f"{who} is not installed."
        for who in ("micrograd", "PyTorch autograd")
        if who not in seconds
    ]
    table.show(
        f"Full trace of {name}", ("who", "median", "× shortest", "× stable", "× the trace"), rows,
        "Aim: the trace with its check takes at most 1.4 times as long as stable hand-written "
        "NumPy, and less than micrograd and PyTorch.", *missing,
    )  # fmt: skip
