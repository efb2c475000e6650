"""What a reader asks of the activation page: z, slope, alpha and three logits, read from the
address.

Nothing here fails. A text that is no number keeps its place in the form with a word beside it, and
the page goes on with the default; a blank field means the default.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from tutor import number
from tutor.errors import NumberError
from tutor.lesson.titles import capital

LONGEST = 80
"""More of a text than this is not kept."""
LOGITS = 3
MAX_ALPHA = 10.0


@dataclass(frozen=True)
class QueryField:
    """One field of the form."""

    name: str
    """Its name in the address."""
    label: str
    """Its name on the page."""
    hint: str
    """What may be written here, in a few words."""
    text: str
    """What stands in it: the reader's own text, also where it could not be read."""
    message: str = ""
    """What is wrong with the text, and what the page shows in its place; blank where all is well.
    """

    @property
    def described_by(self) -> str:
        """The ids of the texts that belong to the field."""
        return f"{self.name}-hint" + (f" {self.name}-problem" if self.message else "")


@dataclass(frozen=True)
class Asked:
    """The numbers the page is made for, and the form that shows where they came from."""

    z: float = 0.5
    """The pre-activation; any finite number."""
    slope: float = 0.01
    """Leaky ReLU's slope on the negative side, between 0 and 1."""
    alpha: float = 1.0
    """ELU's α, above 0 and at most MAX_ALPHA."""
    logits: tuple[float, float, float] = (2.0, 1.0, -1.0)
    """The three pre-activations of the softmax."""
    fields: tuple[QueryField, ...] = field(default=(), compare=False)
    notice: str = field(default="", compare=False)
    """A word about names in the address that the page does not know."""

    def address(self, **changed: float) -> str:
        """The query for these numbers with some changed; what is as usual is left out."""
        values = replace(self, **changed)  # type: ignore[arg-type]
        pairs = {name: getattr(values, name) for name in _FIELDS}
        return "?" + urlencode(
            {
                name: _as_text(value)
                for name, value in pairs.items()
                if name == "z" or value != _USUAL[name]
            }
        )


def read(raw: Mapping[str, str]) -> Asked:
    """Read the query of an address, each name at most once. Never raises."""
    values: dict[str, Any] = {}
    fields = []
    for name, (label, hint, reader) in _FIELDS.items():
        text = raw.get(name, "")
        usual = _as_text(_USUAL[name])
        try:
            values[name] = reader(text) if text.strip() else _USUAL[name]
            fields.append(QueryField(name, label, hint, printable(text) if text.strip() else usual))
        except NumberError as error:
            values[name] = _USUAL[name]
            said = printable(str(error))
            shown = usual.replace("-", number.MINUS)
            message = f"{capital(said)}. The page shows {shown} instead."
            fields.append(QueryField(name, label, hint, printable(text), message))
    return Asked(**values, fields=tuple(fields), notice=_unknown(raw))


def printable(text: str) -> str:
    """The text without what a page cannot hold (control characters), and not endless."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:LONGEST])


def _unknown(raw: Mapping[str, str]) -> str:
    names = [printable(name)[:20] for name in raw if name not in _USUAL][:3]
    if not names:
        return ""
    quoted = ", ".join(f"“{name}”" for name in names)
    return f"This page does not know {quoted} in the address; it knows {', '.join(_USUAL)}."


def _as_text(value: float | tuple[float, ...]) -> str:
    """A number, or several, as a reader would type them; reads back as exactly this."""
    if isinstance(value, tuple):
        return " ".join(_as_text(one) for one in value)
    return number.short(value)


def _slope(text: str) -> float:
    value = number.read(text)
    if not 0.0 < value < 1.0:
        raise NumberError(
            f"{text.strip()!r} is not a leaky slope; give a number above 0 and below 1"
        )
    return value


def _alpha(text: str) -> float:
    value = number.read(text)
    if not 0.0 < value <= MAX_ALPHA:
        raise NumberError(
            f"{text.strip()!r} is not an α here; give a number above 0, up to {MAX_ALPHA:g}"
        )
    return value


def _any(text: str) -> float:
    return number.read(text) + 0.0


def _three(text: str) -> tuple[float, ...]:
    """Three numbers, with spaces, semicolons or commas between them; a comma inside a number is a
    decimal comma.
    """
    parts = [
        part.strip().rstrip(",") for part in (text.split(";") if ";" in text else text.split())
    ]
    if len(parts) == 1 and parts[0].count(",") == LOGITS - 1:
        parts = parts[0].split(",")
    if len(parts) != LOGITS:
        raise NumberError(f"expected three numbers, got {len(parts)}; write them like 2 1 -1")
    return tuple(_any(part) for part in parts)


_FIELDS: dict[str, tuple[str, str, Callable[[str], Any]]] = {
    "z": ("z", "any number: 0.5, -1e-3, 1/3", _any),
    "slope": ("Leaky slope", "above 0, below 1", _slope),
    "alpha": ("ELU α", f"above 0, up to {MAX_ALPHA:g}", _alpha),
    "logits": ("Softmax logits", "three numbers: z₁ z₂ z₃", _three),
}
DEFAULT = Asked()
_USUAL: dict[str, Any] = {name: getattr(DEFAULT, name) for name in _FIELDS}
