"""Did you mean: the known word behind one that is written in another way, is the field's other
name, or has a slip.

    meant("ReLU", ["sigmoid", "relu"])      relu
    meant("mse", ["squared_error", …])      squared_error
    meant("tanhh", ["tanh", …])             tanh
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

LONGEST: Final = 60
"""More of a word than this is not compared."""
CLOSE: Final = 0.7
ALIKE: Final = 0.5
"""Words this near may be listed; one that is suggested alone has to be nearer."""

_OTHER_NAMES: Final = {
    # activations
    "identity": "linear, id, none, no_activation, eye",
    "sigmoid": "logistic, logsig, sigma, σ, expit",
    "tanh": "hyperbolic_tangent, tansig, th",
    "relu": "rectifier, rectified_linear, rectified_linear_unit, ramp",
    "leaky_relu": "lrelu, leaky",
    "softmax": "softargmax, normalized_exponential",
    "step": "heaviside, threshold, unit_step, binary_step, hard_limit, hardlim",
    "sign": "signum, sgn",
    # losses
    "squared_error": (
        "mse, sse, se, mean_squared_error, sum_of_squared_errors, sum_squared_error, "
        "quadratic, squared, l2, rss"
    ),
    "half_squared_error": "half_mse, half_sse, half_mean_squared_error",
    "huber": "huber_loss, smooth_l1, smooth_l1_loss",
    "binary_cross_entropy": "bce, log_loss, bce_loss, binary_ce, logistic_loss",
    "cross_entropy": (
        "ce, cce, xent, categorical_cross_entropy, sparse_categorical_cross_entropy, nll, "
        "nll_loss, negative_log_likelihood, softmax_cross_entropy, cross_entropy_loss, categorical"
    ),
    "mean": "average, avg",
    "sum": "total, add",
    # how it learns
    "learning_rate": "lr, eta, η, alpha, α, step_size, rate",
    "η": "eta",
    "α": "alpha",
    "iterations": "epochs, steps, n_iter, iter, max_iter, number_of_iterations",
    "optimizer": "optimiser, opt, momentum",
    "momentum": "mu, μ, heavy_ball, polyak",
    "nesterov": "nag, nesterov_momentum, nesterov_accelerated_gradient",
    "alpha": "rho, ρ",
    "beta1": "b1, β1",
    "beta2": "b2, β2",
    "epsilon": "eps, ε",
    "schedule": "scheduler, lr_schedule, lr_scheduler, learning_rate_schedule",
    "exponential": "exp, exponential_decay",
    "cosine": "cos, cosine_annealing, cosine_decay",
    "inverse_time": "inverse, inverse_decay, time, time_based, inverse_time_decay",
    "every": "step_size, steps",
    "factor": "gamma, γ, decay",
    "period": "t_max, steps",
    "minimum": "eta_min, min, min_lr",
    "l2": "weight_decay, regularization, regularisation, penalty, ridge, lambda, λ",
    "weight": "lambda, λ, strength",
    "clip": "clip_norm, clip_value, clipping, gradient_clipping, max_norm",
    "norm": "max_norm",
    "dropout": "drop, dropout_rate, drop_rate, p",
    "sgd": "gd, gradient_descent, stochastic_gradient_descent, vanilla",
    "full": "all, whole, full_batch",
    "batch": "batch_size",
    "xavier": "glorot, xavier_normal, glorot_normal",
    "he": "kaiming, he_normal, kaiming_normal, msra",
    "normal": "gaussian, gauss, random_normal, randn",
    "uniform": "random_uniform, rand",
    "constant": "const, zeros, ones",
    # keys
    "units": "neurons, nodes, size, width, outputs",
    "activation": "act, activation_function, act_fn, nonlinearity, transfer_function",
    "weights": "w, weight, kernel, weight_matrix",
    "biases": "b, bias, intercept",
    "init": "initializer, initialization, initialisation",
    "scheme": "name, method, initializer",
    "scale": "std, gain, stddev",
    "seed": "random_seed, random_state, rng",
    "slope": "negative_slope, leak",
    "inputs": "x, input, features, in",
    "targets": "y, target, labels, label, outputs",
    "layers": "layer, hidden_layers",
    "network": "net, model, architecture",
    "data": "dataset, samples",
    "name": "type, kind, function",
    "loss": "cost, objective, criterion, l, j, error",
    "training": "train, hyperparameters, learning",
    "trainable": "train, learns, requires_grad",
    "decimals": "digits, precision, places",
    "about": "description, summary, text",
    "title": "name",
    "preset": "name, style",
    "printed": "slides, prints",
    "equals": "expression, formula",
    "where": "slide, page",
    # quantities
    "w": "weight, weights",
    "b": "bias, biases",
    "x": "input, inputs",
    "y": "target, targets",
    "dL/dw": "dw, grad_w",
    "dL/db": "db, grad_b",
    "dL/dz": "dz, delta",
    "dL/da": "da",
    "ŷ": "yhat, y_hat",
    "ℒ": "script_l",
    # views and exports
    "number": "numbers, entry",
    "layer": "layers",
    "pass": "phase, phases",
    "forward": "fwd, forward_pass, feedforward",
    "backward": "back, bwd, backprop, backward_pass, backpropagation",
    "update": "updates, step",
    "verify": "check, verification",
    "torch": "pytorch",
    "numpy-run": "run, training_run",
    "torch-run": "pytorch_run",
    "notebook-run": "jupyter_run, run_notebook",
    "numpy": "python, py, np",
    "latex": "tex",
    "notebook": "jupyter, ipynb",
    "key": "answers, answer_key, solution",
    "worksheet": "sheet, exercise",
    "html": "worked, page",
    "brackets": "square_brackets",
    "parentheses": "round_brackets, parens",
    "left_superscripts": "superscripts",
    "version": "variant, v",
}
"""What else the field, its libraries and its lectures call a word of ours; one of them may be meant
for several.
"""


def _bare(word: str) -> str:
    """A word without case, spaces, hyphens and underscores."""
    return "".join(c for c in word.casefold() if c.isalnum())


def _by_other_name() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for ours, others in _OTHER_NAMES.items():
        for other in others.split(", "):
            found[_bare(other)] += (ours,)
    return dict(found)


_OURS: Final = _by_other_name()


def meant(word: str, known: Iterable[str]) -> str:
    """The known word that is probably meant, or "" where none is near."""
    choices, text = tuple(known), word[:LONGEST].strip().casefold()
    spelled, bare = _spellings(choices), _bare(text)
    others = (ours for ours in _OURS.get(bare, ()) if ours in choices)
    found = spelled.get(text) or spelled.get(bare) or next(others, "") if text else ""
    return found or next(iter(difflib.get_close_matches(text, choices, 1, CLOSE)), "")


def nearest(word: str, known: Iterable[str], most: int) -> tuple[str, ...]:
    """The known words that are nearest, at most so many; none where all are far."""
    choices, text = tuple(known), word[:LONGEST].strip()
    found = difflib.get_close_matches(text, choices, most, ALIKE)
    return tuple(dict.fromkeys(filter(None, (meant(text, choices), *found))))[:most]


@lru_cache(64)
def _spellings(choices: tuple[str, ...]) -> dict[str, str]:
    """The known words by how else they may be written; whole words come before those without their
    signs.
    """
    found = {choice.casefold(): choice for choice in reversed(choices)}
    for choice in choices:
        found.setdefault(_bare(choice) or choice, choice)
    return found
