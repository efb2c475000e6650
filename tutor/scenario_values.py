"""Fractions in a scenario file: `1/3` is a number wherever the format has one, as in the form, and a text wherever it has a text.

    valued(data) -> data    the same plain data with the value of each fraction in its place

YAML knows no fractions: to it, `1/3` is a word. One that has no value (`1/0`) stays a word, and its problem is told as that of a
word where a number belongs.
"""

from __future__ import annotations

from typing import Any

from tutor import number
from tutor.errors import NumberError
from tutor.problem import Path
from tutor.scenario_model import ScenarioFile
from tutor.scenario_problems import takes_number


def valued(data: dict[str, Any]) -> dict[str, Any]:
    """Plain data with the values of its fractions."""
    return {key: _valued(item, (key,)) for key, item in data.items()}


def _valued(value: Any, path: Path) -> Any:
    if isinstance(value, str):
        return _number(value, path) if "/" in value else value
    if isinstance(value, dict):
        return {key: _valued(item, (*path, key)) for key, item in value.items()}
    if isinstance(value, tuple) and any(type(item) in {str, tuple, dict} for item in value):
        return tuple(_valued(item, (*path, n)) for n, item in enumerate(value))
    return value


def _number(text: str, path: Path) -> float | str:
    try:
        found = number.fraction(text)
    except NumberError:
        return text
    return text if found is None or not takes_number(path, ScenarioFile) else found
