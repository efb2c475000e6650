"""Visit the tutor without a server: one application over the lessons that come with it, opened once
for all tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import create_app
from tests.htmltree import Page, read
from tutor.lesson.walk import GRAINS
from tutor.pages.step_page import StepPage, step_page
from tutor.pages.view import View
from tutor.scenario.reader import parse

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.test import TestResponse

    from tutor.pages.context import Context
    from tutor.scenario.reader import Scenario
    from tutor.web.library import Library
    from tutor.web.site import StepText

NAMES = sorted(path.stem for path in (Path(__file__).parents[1] / "scenarios").glob("*.yaml"))
"""The lessons that come with the tutor."""
PLAIN = View()
SATURATED = """\
format: 1
title: Sure and wrong
network: {inputs: 1, layers: [{units: 1, activation: sigmoid, weights: [[50]], biases: none}], loss: {name: binary_cross_entropy}}
data: {inputs: [[1]], targets: [[0]]}
training: {learning_rate: 0.1}
"""
"""A lesson whose output float64 rounds to 1."""
WALKS = [(name, grain) for name in NAMES for grain in GRAINS]


@cache
def tutor() -> Flask:
    """The application over scenarios/."""
    return create_app(Path(__file__).parents[1] / "scenarios")


def library(app: Flask | None = None) -> Library[StepText]:
    """The library of an application."""
    found: Library[StepText] = (app or tutor()).extensions["tutor"].library
    return found


def send(method: str, address: str, app: Flask | None = None, **headers: Any) -> TestResponse:
    """The answer to a request, read to its end; headers with underscores for hyphens, `base_url`
    apart.
    """
    base = headers.pop("base_url", "http://localhost")
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return (
        (app or tutor())
        .test_client()
        .open(address, method=method, headers=given, base_url=base, buffered=True)
    )


def get(address: str, app: Flask | None = None, **headers: Any) -> TestResponse:
    """The answer to a GET."""
    return send("GET", address, app, **headers)


def fragment(address: str, app: Flask | None = None) -> TestResponse:
    """The answer that htmx gets."""
    return get(address, app, HX_Request="true")


def page(address: str, app: Flask | None = None) -> Page:
    """A page that must be there, read strictly."""
    answer = get(address, app)
    assert answer.status_code == 200, f"{address}: {answer.status}"
    return read(answer.text)


def sound(address: str, app: Flask | None = None) -> Page:
    """The same, with no fault in it."""
    found = page(address, app)
    assert found.problems == []
    return found


def scenario(name: str) -> Scenario:
    """A lesson's file."""
    found = library().shelf.find(name)
    assert found is not None
    return found


def deep_network(layers: int, inputs: int = 2, units: int = 2) -> Scenario:
    """A lesson with so many layers."""
    layer = f"\n    - {{units: {units}, activation: tanh, init: {{scheme: xavier, seed: 1}}}}"
    return parse(
        f"format: 1\ntitle: Deep\nabout: Deep.\ncourse: Test\nnetwork:\n  inputs: {inputs}\n  layers:{layer * layers}\n"
        f"  loss: {{name: squared_error}}\ndata:\n  inputs: [{[0.5] * inputs}]\n  targets: [{[0.1] * units}]\n"
        "training: {learning_rate: 0.1}\n", "deep.yaml"
    )  # fmt: skip


def context(name: str, view: View = PLAIN) -> Context:
    """A lesson under a view."""
    return library().context(scenario(name), view)


def steps(name: str, view: View = PLAIN, every: int = 1) -> Iterator[tuple[int, StepPage]]:
    """Every step of a walk, or every fifth from the first on: (n, its page)."""
    for n in numbers(name, view, every):
        yield n, _step(name, view, n)


def texts(name: str, view: View = PLAIN, every: int = 1) -> Iterator[tuple[int, str]]:
    """Every step of a walk, or every fifth from the first on: (n, its fragment)."""
    for n in numbers(name, view, every):
        yield n, _text(name, view, n)


def numbers(name: str, view: View = PLAIN, every: int = 1) -> range:
    """The numbers of the steps of a walk."""
    return range(1, len(context(name, view).walk) + 1, every)


@lru_cache(1024)  # many tests look at the same steps
def _step(name: str, view: View, n: int) -> StepPage:
    return step_page(context(name, view), n)


@lru_cache(4096)
def _text(name: str, view: View, n: int) -> str:
    with tutor().app_context():
        return library().step(scenario(name), view, n).fragment
