"""One step as htmx gets it, against a static Jinja page of the same bytes in the same app.

Every step of every scenario, in every grain. Both go through the whole of Flask, called as the
server calls it. A step is measured warm (seen before), new (the lesson is open, this step was never
rendered) and cold (everything forgotten, the lesson is computed anew). Aim: at most 2 times the
static page, median and worst.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from flask import Flask, render_template
from jinja2 import ChoiceLoader, DictLoader

from tests.benchmarks import table

STATIC = "static step"
WARM, RARE = 9, 3
"""How often a step is measured warm, and new or cold."""
LONGEST = 200
"""Walks of more steps are left out: one of them would take hours."""


@dataclass
class Case:
    """One step, and the seconds that it and its static page took."""

    name: str
    size: int
    floor: float
    warm: float
    new: float
    cold: float


def application() -> tuple[Flask, dict[str, str]]:
    """The app with one more page, whose text is a template that only stands there."""
    import app

    made = app.create_app()
    texts: dict[str, str] = {}
    made.jinja_loader = ChoiceLoader([DictLoader(texts), made.jinja_loader])  # type: ignore[list-item,assignment]
    made.jinja_env.auto_reload = False

    @made.get("/static-step/<n>")
    def static_step(n: str) -> str:
        return render_template(f"{STATIC} {n}.html")

    return made, texts


def request(app: Flask, path: str) -> Callable[[], bytes]:
    """A call that answers one request for a fragment; asserts that the answer is 200."""
    address, _, query = path.partition("?")
    environment: dict[str, Any] = {
        "REQUEST_METHOD": "GET", "PATH_INFO": address, "QUERY_STRING": query, "SERVER_NAME": "localhost", "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "localhost", "HTTP_HX_REQUEST": "true", "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO(), "wsgi.multithread": True,
        "wsgi.multiprocess": True, "wsgi.run_once": False,
    }  # fmt: skip

    def answer() -> bytes:
        said: list[str] = []
        body = b"".join(
            app.wsgi_app(dict(environment), lambda status, headers, *rest: said.append(status))
        )  # type: ignore[arg-type,misc,return-value]
        assert said[0].startswith("200"), (path, said)
        return body

    return answer


def measured(
    app: Flask, texts: dict[str, str], lesson: str, grain: str, total: int
) -> Iterator[Case]:
    """The steps of a lesson in one grain."""
    forget = app.extensions["tutor"].library.clear
    for n in range(1, total + 1):
        step, other = (
            request(app, f"/lessons/{lesson}/steps/{k}?grain={grain}") for k in (n, n % total + 1)
        )
        body = step()
        name = f"{lesson} {grain} {n}"
        texts[f"{STATIC} {name.replace(' ', '_')}.html"] = (
            "{% raw %}" + body.decode() + "{% endraw %}"
        )
        floor = request(app, f"/static-step/{name.replace(' ', '_')}")
        assert floor() == body
        warm = table.interleaved({"floor": floor, "step": step}, rounds=WARM, loops=1)
        cold, new = [], []
        for _ in range(RARE):
            forget()
            cold.append(table.timed(step))
            forget()
            other()
            new.append(table.timed(step))
        yield Case(
            name, len(body), median(warm["floor"]), median(warm["step"]), median(new), median(cold)
        )


def test_a_fragment_against_a_static_page(root: Path) -> None:
    app, texts = application()
    library = app.extensions["tutor"].library
    cases = [
        case
        for scenario in library.shelf.lessons
        for grain, walk in library.lesson(scenario).walks.items()
        if len(walk) <= LONGEST
        for case in measured(app, texts, scenario.id, grain, len(walk))
    ]
    floor = median(case.floor for case in cases)
    rows = [("static page", table.milli(floor), "1.00", "", "")]
    for state in ("warm", "new", "cold"):
        ratio = partial(_ratio, state)
        worst = max(cases, key=ratio)
        typical = table.milli(median(getattr(case, state) for case in cases))
        rows.append(
            (state, typical, f"{median(map(ratio, cases)):.2f}", f"{ratio(worst):.2f}", worst.name)
        )
    largest = max(cases, key=lambda case: case.size)
    table.show(
        f"A step's fragment, {len(cases)} steps", ("", "median", "× static, median", "× static, worst", "worst step"), rows,
        "Aim: at most 2 times the static page. new: the lesson is open, this step is rendered for the first time; "
        "cold: nothing is remembered.",
        f"Fragments: median {median(case.size for case in cases) / 1024:.1f} KB, "
        f"largest {largest.name} with {largest.size / 1024:.1f} KB (bar for a deck lesson: 15 KB).",
    )  # fmt: skip


def _ratio(state: str, case: Case) -> float:
    return float(getattr(case, state) / case.floor)
