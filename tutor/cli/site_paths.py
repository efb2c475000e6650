"""Where the tutor's pages stand in a folder that any static host serves.

    path("/lessons/one-weight/steps/3?grain=layer")     lessons/one-weight/steps/layer/3.html
    path("/build")                                      None: it needs the tutor running
    relative("lessons/a.html", "static/walk.js")        ../static/walk.js

An address is a path and a query; in a folder there are only paths, so a query becomes a part of
one. Names end in .html, so that the pages also open from a disk.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from tutor.export.registry import KINDS
from tutor.lesson.walk import GRAINS
from tutor.pages.view import ALL_LAYERS

FRONT: Final = "/"
STATIC: Final = "static"
FILES: Final = tuple(key for key, kind in KINDS.items() if not kind.several)
"""Exports that are one file of a lesson; how many versions one wants, only a form can ask."""
PLAIN: Final = FILES[0]
"""What the export page shows where its address names no kind."""
SETTINGS: Final = ("z", "slope", "alpha", "logits")
"""What the page of the activation functions can be asked for."""


def lesson_address(lesson: str) -> str:
    """The address of a lesson's first page."""
    return f"/lessons/{quote(lesson)}"


def lesson_of(address: str) -> str:
    """The lesson that an address is about, or ""."""
    match _parts(address):
        case ["lessons", lesson, *_]:
            return lesson
        case _:
            return ""


def trained(address: str) -> str:
    """The lesson whose training an address shows; "" for any other page."""
    match _parts(address):
        case ["lessons", lesson, "training"]:
            return lesson
        case _:
            return ""


def export_kind(address: str) -> str:
    """The kind of file that an export page shows; "" for any other page."""
    match _parts(address):
        case ["lessons", _, "export"]:
            return _query(address).get("kind", PLAIN)
        case _:
            return ""


def path(address: str) -> str | None:
    """The path of a page in the folder; None where it needs the tutor running."""
    query = _query(address)
    match _parts(address):
        case []:
            return None if query else "index.html"
        case [("activations" | "glossary") as name]:
            return _reference(name, query)
        case ["static", *name] if name:
            return "/".join((STATIC, *name))
        case ["lessons", lesson, *rest]:
            inside = _of_lesson(rest, query)
            return inside and f"lessons/{lesson}{inside}"
        case _:
            return None


def _reference(name: str, query: Mapping[str, str]) -> str | None:
    """A page that needs no lesson."""
    if not query:
        return f"{name}.html"
    if name != "activations" or not query.keys() <= set(SETTINGS):
        return None
    chosen = "_".join(f"{key}_{query[key]}" for key in SETTINGS if key in query)
    return f"{name}/{chosen}.html" if _is_name(chosen) else None


def _of_lesson(rest: list[str], query: Mapping[str, str]) -> str | None:
    """A page of a lesson, behind the lesson's own name."""
    grain, others = query.get("grain", ""), query.keys() - {"grain", "scaling"}
    between = f"/{grain}" if grain else ""
    if grain not in {"", *GRAINS}:
        return None
    # with the steps that scale the inputs the others have other numbers
    steps = "/steps/scaling" if query.get("scaling") == "steps" else "/steps"
    match rest:
        case [] if not others:
            return f"{between}.html"
        case ["steps", n] if n.isdigit() and not others:
            return f"{steps}{between}/{n}.html"
        case ["steps", n, "chain"] if n.isdigit() and others <= {"path"}:  # a place in it
            return f"{steps}{between}/{n}-chain.html"
        case ["accumulation"] if not query:
            return "/accumulation.html"
        case ["training"] if not others:
            return "/training.html"
        case ["graph"] if others <= {"open", "sample"} and not grain:
            return _graph(query)
        case ["slides"] if others <= {"show"}:
            show = query.get("show", "")
            made = f"/slides/{show}.html" if show else "/slides.html"
            return made if _is_name(show) else None
        case ["export"] if others <= {"kind"}:
            kind = query.get("kind", PLAIN)
            made = "/export.html" if kind == PLAIN else f"/export/{kind}.html"
            return made if kind in FILES else None
        case _:
            return None


def _graph(query: Mapping[str, str]) -> str | None:
    """The computation graph of a network, of a sample, with no layer open, with one or with all:
    every combination would be too many.
    """
    chosen = {key: query[key] for key in ("open", "sample") if key in query}
    numbers = (value for key, value in chosen.items() if (key, value) != ("open", ALL_LAYERS))
    if not all(value.isascii() and value.isdigit() for value in numbers):
        return None
    name = "_".join(f"{key}_{value}" for key, value in chosen.items())
    folder = "/graph/scaling" if query.get("scaling") == "steps" else "/graph"
    return f"{folder}/{name}.html" if name else f"{folder}.html"


def relative(here: str, there: str) -> str:
    """The link from one file of the folder to another."""
    return quote(posixpath.relpath(there, posixpath.dirname(here) or "."))


def _parts(address: str) -> list[str]:
    return [unquote(part) for part in urlsplit(address).path.split("/") if part]


def _query(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))


def _is_name(text: str) -> bool:
    """Whether a value can be a part of a file's name on every system."""
    return len(text) <= 80 and all(c.isascii() and (c.isalnum() or c in "._-,") for c in text)
