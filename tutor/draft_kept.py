"""What a lesson has that the form has no field for, carried along as one text: written as JSON, read as strictly as a file.

    written(data)   -> text
    kept(text)      -> data, or ScenarioError
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, NoReturn

from tutor import limits, strict_yaml
from tutor.problem import ScenarioError

WHERE = "kept"


def written(data: dict[str, Any]) -> str:
    """The text of some plain data; JSON is YAML."""
    return json.dumps(data, ensure_ascii=False) if data else ""


@lru_cache(64)
def kept(text: str) -> dict[str, Any]:
    """The data of a text; nobody changes it, for it is read once for all checks of a form. Raises ScenarioError."""
    found = _own(text)
    if found is None:
        found = strict_yaml.load(text, WHERE).data
    if not isinstance(found, dict) or not all(isinstance(found.get(key, {}), dict) for key in ("network", "training", "notation")):
        raise ScenarioError([strict_yaml.Document(WHERE, "", {}).problem((), "expected keys with values")])
    return found


def _own(text: str) -> Any:
    """The data of a text as `written` makes it: many times faster than YAML. None for any other, which YAML then judges."""
    if len(text) > limits.FILE_BYTES or not text.startswith("{"):
        return None
    try:
        return _tuples(json.loads(text, object_pairs_hook=_mapping, parse_constant=_refuse))
    except (ValueError, RecursionError):
        return None


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _refuse(word: str) -> NoReturn:
    raise ValueError(word)


def _tuples(value: Any) -> Any:
    """Plain data as the strict reader gives it."""
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
