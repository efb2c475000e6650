"""Optimizers, schedules, penalties and clipping against PyTorch, over a hundred updates."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from tests.oracle import INSTALLED, needs_torch
from tutor.engine.activations import activation
from tutor.engine.losses import loss
from tutor.engine.network import Layer, Network
from tutor.engine.optimizers import CLIPS, OPTIMIZERS, PENALTIES, SCHEDULES, UpdateRule, rule
from tutor.engine.training import Training

if INSTALLED:
    import torch

UPDATES = 100
RANDOM = np.random.default_rng(7)
X = RANDOM.normal(size=(6, 2))
Y = RANDOM.normal(size=(6, 2))
W1, B1 = RANDOM.normal(size=(3, 2)), RANDOM.normal(size=3)
W2, B2 = RANDOM.normal(size=(2, 3)), RANDOM.normal(size=2)
ETA = 0.005


def network(by: UpdateRule) -> Network:
    return Network(
        (Layer(W1, B1, activation("tanh")), Layer(W2, B2, activation("identity"))),
        loss("squared_error"),
        "mean",
        by,
    )


def optimizer(by: UpdateRule, parameters: list[Any]) -> Any:
    n = by.numbers
    optim = torch.optim
    match by.optimizer:
        case "sgd":
            return optim.SGD(parameters, ETA)
        case "momentum":
            return optim.SGD(parameters, ETA, momentum=n["mu"])
        case "nesterov":
            return optim.SGD(parameters, ETA, momentum=n["mu"], nesterov=True)
        case "adagrad":
            return optim.Adagrad(parameters, ETA, eps=n["epsilon"])
        case "rmsprop":
            return optim.RMSprop(parameters, ETA, alpha=n["rho"], eps=n["epsilon"])
    made = optim.Adam if by.optimizer == "adam" else optim.AdamW
    more = {"weight_decay": n["weight_decay"]} if by.optimizer == "adamw" else {}
    return made(parameters, ETA, betas=(n["beta1"], n["beta2"]), eps=n["epsilon"], **more)


def scheduler(by: UpdateRule, of: Any) -> Any:
    n, schedules = by.numbers, torch.optim.lr_scheduler
    match by.schedule:
        case "step":
            return schedules.StepLR(of, int(n["every"]), n["factor"])
        case "exponential":
            return schedules.ExponentialLR(of, n["factor"])
        case "cosine":
            return schedules.LambdaLR(
                of,
                lambda t: (
                    (
                        n["minimum"]
                        + 0.5 * (ETA - n["minimum"]) * (1 + math.cos(math.pi * t / n["period"]))
                    )
                    / ETA
                ),
            )
        case "inverse_time":
            return schedules.LambdaLR(of, lambda t: 1 / (1 + n["decay"] * t))
    return None


def by_torch(by: UpdateRule) -> list[Any]:
    """The parameters after all updates, by autograd and PyTorch's own optimizers."""
    w1, b1, w2, b2 = parameters = [
        torch.tensor(array, dtype=torch.float64, requires_grad=True) for array in (W1, B1, W2, B2)
    ]
    x, y = torch.tensor(X), torch.tensor(Y)
    found = optimizer(by, parameters)
    stairs = scheduler(by, found)
    for _ in range(UPDATES):
        found.zero_grad()
        output = torch.tanh(x @ w1.T + b1) @ w2.T + b2
        value = ((output - y) ** 2).sum() / len(x)
        squares = (w1**2).sum() + (w2**2).sum()
        if by.by_layer:
            for weight, w in zip(by.by_layer, (w1, w2), strict=True):
                value = value + weight * (
                    0.5 * (w**2).sum() if by.penalty == "squared" else w.norm()
                )
        elif by.penalty:
            weight = by.numbers["l2"]
            value = value + weight * (0.5 * squares if by.penalty == "squared" else squares.sqrt())
        value.backward()
        if by.clip == "value":
            torch.nn.utils.clip_grad_value_(parameters, by.numbers["clip"])
        elif by.clip == "norm":
            length = torch.sqrt(sum((p.grad**2).sum() for p in parameters))
            if length > by.numbers["clip"]:
                for p in parameters:
                    p.grad *= by.numbers["clip"] / length
        found.step()
        if stairs is not None:
            stairs.step()
    return [p.detach().numpy() for p in parameters]


NUMBERS = {"l2": 0.3, "clip": 0.4, "every": 30.0, "period": 80.0, "minimum": 0.001}


@needs_torch
@pytest.mark.parametrize(
    ("name", "schedule", "penalty", "clip"),
    [
        *product(OPTIMIZERS, ["", *SCHEDULES], [""], [""]),
        *product(OPTIMIZERS, [""], ["", *PENALTIES], ["", *CLIPS]),
    ],
)
def test_a_hundred_updates_are_those_of_pytorch(
    name: str, schedule: str, penalty: str, clip: str
) -> None:
    whole = rule(name, schedule=schedule, penalty=penalty, clip=clip)
    by = UpdateRule(
        name,
        schedule,
        penalty,
        clip,
        {key: NUMBERS.get(key, v) for key, v in whole.numbers.items()},
    )
    agrees(by)


@needs_torch
@pytest.mark.parametrize(
    ("name", "penalty", "clip"), [*product(OPTIMIZERS, PENALTIES, ["", *CLIPS])]
)
@pytest.mark.parametrize("each", [(0.3, 0.05), (0.0, 0.4)])
def test_a_hundred_updates_with_a_penalty_for_each_layer_are_those_of_pytorch(
    name: str, penalty: str, clip: str, each: tuple[float, ...]
) -> None:
    whole = rule(name, penalty=penalty, clip=clip, by_layer=each)
    numbers = {key: NUMBERS.get(key, value) for key, value in whole.numbers.items()}
    agrees(replace(whole, numbers=numbers))


def test_the_same_penalty_for_each_layer_is_one_for_all() -> None:
    one = rule(penalty="squared", numbers={"l2": 0.3})
    ends = [
        Training(network(by), X, Y, ETA).at(20).network
        for by in (one, rule(penalty="squared", by_layer=(0.3, 0.3)))
    ]
    for mine, same in zip(*(end.layers for end in ends), strict=True):
        np.testing.assert_allclose(mine.weights, same.weights, rtol=1e-13)


def agrees(by: UpdateRule) -> None:
    """A hundred updates by this rule are those of PyTorch."""
    state = Training(network(by), X, Y, ETA).at(UPDATES + 1)
    mine = [a for layer in state.network.layers for a in (layer.weights, layer.biases)]
    for ours, theirs in zip(mine, by_torch(by), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)
