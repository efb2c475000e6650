"""A scenario as the text that it would be read from: canonical, so that equal scenarios have equal
texts.

    write(s)        YAML that people like to read; `scenario.parse(write(s), where)` is s again, but
                    for id and where
    as_data(s)      the same as plain data, what `strict_yaml` gives for that text
    content_id(t)   an address made of the text

Keys stand in the order of the models; what is at its default is left out, and so are comments,
which a scenario does not have. Numbers are the shortest that read back exactly, `2` for 2.0; -0.0
is written as 0, which it equals. What does not print (a zero-width space, a right-to-left mark) is
written as an escape, so that nothing hides in a file; only the joiners inside words and emoji stay.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from typing import Any, Final

from pydantic import BaseModel

from tutor import limits
from tutor.errors import TutorError
from tutor.scenario import scalars, strict_yaml
from tutor.scenario.graph_file import GraphFile
from tutor.scenario.model import ScenarioFile
from tutor.scenario.problem import ScenarioError
from tutor.scenario.reader import AnyScenario, GraphScenario

WIDTH: Final = 120
SPREAD: Final = frozenset(
    {"network", "layers", "data", "learn", "printed", "notes", "checks", "graph"}
)
"""Keys whose values always have lines of their own."""


def write(scenario: AnyScenario) -> str:
    """The canonical text. Raises TutorError where it would be larger than a file may be."""
    data = as_data(scenario)
    over = ""
    for compact in (False, True):
        text = _lines(data, compact=compact)
        over = _over(text)
        if not over:
            return text
    raise TutorError(f"this lesson cannot be written as a file: {over}")


def _over(text: str) -> str:
    """Which limit of a file a text is over, or nothing."""
    size = len(text.encode())
    if size > limits.FILE_BYTES:
        return f"it has {size / 1024:,.1f} KB; the limit is {limits.amount(limits.FILE_BYTES)}"
    # perhaps: rows count as one, so the reader decides
    if text.count("\n") + text.count(",") + 2 * text.count(":") > limits.ENTRIES:
        try:
            strict_yaml.load(text, "")
        except ScenarioError as error:
            return error.problems[0].message
    return ""


def content_id(text: str) -> str:
    """The id of a saved lesson: the same for the same text, and for no other."""
    digest = base64.b32encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
    return f"saved-{digest[:20].lower()}"


def as_data(scenario: AnyScenario) -> dict[str, Any]:
    """The scenario as plain data, without what is at its default."""
    data: dict[str, Any] = {"format": 1}
    model = GraphFile if isinstance(scenario, GraphScenario) else ScenarioFile
    for key in list(model.model_fields)[1:]:
        value = _plain(getattr(scenario, key))
        if value not in ("", None, (), {}):
            data[key] = value
    return data if isinstance(scenario, GraphScenario) else _of_network(data)


def _of_network(data: dict[str, Any]) -> dict[str, Any]:
    for layer in data["network"]["layers"]:
        _spoken(layer)
    for key in ("optimizer", "schedule"):
        spec = data["training"].get(key, {})
        if spec.keys() == {"name"}:
            data["training"][key] = spec["name"]
    if data["training"].get("shuffle") == {}:
        data["training"]["shuffle"] = {"seed": 0}
    return data


def _spoken(layer: dict[str, Any]) -> None:
    """A layer as files say it; no word where made weights come with biases of 0, else none."""
    if layer["biases"] is None:
        layer["biases"] = "none"
    elif "init" in layer and not any(layer["biases"]):
        del layer["biases"]


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return _plain(value.model_dump(exclude_defaults=True))
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e16:
        return int(value)
    return value


def _lines(data: dict[str, Any], *, compact: bool) -> str:
    width = limits.FILE_BYTES if compact else WIDTH
    return "".join(f"{line}\n" for line in _mapping(_written(data, compact=compact), "", width))


class Written(str):
    """Text of the file that is ready: a number, or a list of numbers."""

    __slots__ = ()


def _written(value: Any, *, compact: bool) -> Any:
    """Plain data whose numbers and rows are written already; `compact` writes whole matrices,
    without spaces between numbers.
    """
    if isinstance(value, bool):
        return Written("true" if value else "false")
    if isinstance(value, int | float):
        return Written(repr(value))
    if isinstance(value, dict):
        return {key: _written(item, compact=compact) for key, item in value.items()}
    if not isinstance(value, tuple):
        return value
    comma = "," if compact else ", "
    if all(type(item) in {int, float} for item in value):
        return Written(f"[{comma.join(map(repr, value))}]")
    items = [_written(item, compact=compact) for item in value]
    return (
        Written(f"[{comma.join(items)}]")
        if compact and all(type(item) is Written for item in items)
        else tuple(items)
    )


def _mapping(items: dict[str, Any], indent: str, width: int) -> Iterator[str]:
    """The lines of keys and values, one after the other."""
    for key, value in items.items():
        yield from _value(f"{indent}{key}:", value, indent, width, spread=key in SPREAD)


def _value(
    head: str, value: Any, indent: str, width: int, *, spread: bool = False
) -> Iterator[str]:
    """One value behind its key or dash: in the same line where it fits, else below."""
    if isinstance(value, str):
        yield from _text(head, value, indent, width)
    elif not spread and len(line := f"{head} {_flow(value)}") <= width:
        yield line
    elif isinstance(value, dict):
        yield head
        yield from _mapping(value, f"{indent}  ", width)
    else:
        yield head
        for item in value:
            yield from _item(item, f"{indent}  ", width)


def _item(item: Any, indent: str, width: int) -> Iterator[str]:
    """One entry of a list: a mapping begins behind its dash where it does not fit in the line."""
    head = f"{indent}-"
    if not isinstance(item, dict):
        yield from _value(head, item, indent, width)
    elif len(line := f"{head} {_flow(item)}") <= width:
        yield line
    else:
        first, *rest = _mapping(item, f"{indent}  ", width)
        yield f"{head} {first.lstrip()}"
        yield from rest


def _flow(value: Any) -> str:
    """A value in one line."""
    if isinstance(value, str):
        return _inline(value, _PLAIN_IN_FLOW)
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_flow(item)}' for key, item in value.items())}}}"
    return f"[{', '.join(map(_flow, value))}]"


def _text(head: str, text: str, indent: str, width: int) -> Iterator[str]:
    """A text: in the line, line by line where it has several, folded where it is long."""
    line = f"{head} {_inline(text, _PLAIN)}"
    block = (
        not isinstance(text, Written)
        and text == text.strip()
        and all(map(_shows, text.split("\n")))
    )
    if block and "\n" in text:
        yield f"{head} |-"
        yield from (f"{indent}  {part}" if part else "" for part in text.split("\n"))
    elif block and len(line) > width:
        yield f"{head} >-"
        yield from (f"{indent}  {part}" for part in _folded(text, width - len(indent) - 2))
    else:
        yield line


def _folded(text: str, width: int) -> Iterator[str]:
    """Lines whose folding gives the text again: broken only at a space that stands alone."""
    line, *words = _SINGLE_SPACE.split(text)
    for word in words:
        if len(line) + len(word) < width:
            line = f"{line} {word}"
        else:
            yield line
            line = word
    yield line


_SINGLE_SPACE = re.compile(r"(?<! ) (?! )")
_PLAIN = re.compile(r"[^\W_](?:[^:#]|:(?=[^ ])|(?<! )#)*")
"""What may stand without quotes on a line of its own; in a flow mapping there is less."""
_PLAIN_IN_FLOW = re.compile(r"[^\W_][^:#,?\[\]{}]*")


def _inline(text: str, plain: re.Pattern[str]) -> str:
    """A text in the line, in quotes where the reader would take it for something else."""
    if isinstance(text, Written) or (
        plain.fullmatch(text) and _shows(text) and text[-1] != " " and _is_word(text)
    ):
        return text
    return f'"{_PERHAPS_ESCAPED.sub(lambda found: _escaped(found[0]), text)}"'


def _shows(text: str) -> bool:
    """Whether there is nothing in a text that a reader of the file would not see."""
    return text.isprintable() or text.translate(_JOINERS).isprintable()


def _is_word(text: str) -> bool:
    try:
        return isinstance(scalars.plain(text), str)
    except scalars.RefusedError:
        return False


def _escaped(c: str) -> str:
    if c in '"\\':
        return f"\\{c}"
    if _shows(c):
        return c
    return _SHORT.get(c) or (f"\\u{ord(c):04x}" if ord(c) < 0x10000 else f"\\U{ord(c):08x}")


_PERHAPS_ESCAPED = re.compile(r'["\\]|[^ -~]')
_JOINERS: Final = {0x200C: None, 0x200D: None}
"""Parts of words and of emoji, which look different without them."""
_SHORT: Final = {"\n": "\\n", "\t": "\\t"}
