"""The activation page: every activation function with its derivative, as curve and formula, at the
reader's numbers.

`page(raw_query)` reads the query of the address (`z`, `slope`, `alpha`, `logits`;
tutor.pages.activation_query) and returns one ActivationsPage, the only thing
`templates/activations.html` gets. Formula, substituted numbers and value come from the trees and
functions of tutor.engine.activations, the same as in the lessons.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from tutor import number
from tutor.draw.curves import Curve, draw
from tutor.engine.activations import NAMES, Activation, activation
from tutor.engine.quantity import Quantity
from tutor.engine.tree import Apply, Ref, put
from tutor.notation.markup import Markup, trusted
from tutor.notation.writer import SYMBOLS
from tutor.pages import activation_formulas, activation_prose, activation_query
from tutor.pages.activation_formulas import DECIMALS, CardFormula, Softmax, formula, line
from tutor.pages.activation_query import Asked, QueryField

TRIED = (-800.0, -6.0, -2.0, 0.0, 0.5, 2.0, 6.0, 800.0)
"""Values of z worth a look, offered as links."""

Array = np.ndarray


@dataclass(frozen=True)
class SettingLink:
    """Another view of this page."""

    label: str
    """What it is called."""
    address: str
    """Its query, from `?` on."""
    here: bool
    """Whether it is the view that is shown."""


@dataclass(frozen=True, eq=False)
class ActivationCard:
    """One activation function of one number."""

    key: str
    """Its name in scenario files."""
    title: str
    """Its name on the page."""
    about: str
    """What it does and what it is used for."""
    span: str
    """Where its values lie."""
    steepest: str
    """How large its derivative gets."""
    curve: Markup
    """The drawing of f and f′."""
    forward: CardFormula
    """f at z."""
    also: Markup
    """The same function written another way, as lectures do; blank where there is none."""
    backward: CardFormula | None
    """f′ at z; None where f is flat."""
    derivative: Markup
    """The symbol of the derivative."""
    flat: str
    """Where f is flat, what its derivative is at this z, to be read after the symbol; else blank.
    """
    gradient: str
    """What happens to a gradient on its way through."""
    kink: str
    """What is chosen at 0; blank where there is no choice."""
    remark: str
    """What is noteworthy about float64 at this z; mostly blank."""
    note: str
    """A word about the parameter; blank where there is none."""
    links: tuple[SettingLink, ...]
    """The page with other values of the parameter."""


@dataclass(frozen=True, eq=False)
class ActivationsPage:
    """Everything that the page shows."""

    asked: Asked
    """The numbers that it is made for."""
    fields: tuple[QueryField, ...]
    """The form."""
    notice: str
    """A word about names in the address that the page does not know; mostly blank."""
    z: str
    """The reader's z as text."""
    outside: str
    """Says that z is outside the window of the drawings; blank where it is inside."""
    tries: tuple[SettingLink, ...]
    """The page at other values of z."""
    cards: tuple[ActivationCard, ...]
    """The functions through which gradients pass, number by number."""
    softmax: Softmax
    """The one that couples the units of its layer."""
    flat: tuple[ActivationCard, ...]
    """Step and sign, through which nothing can be learned."""


_LINE = line(1)
_Z, _A, _SLOPE = Quantity("z", 1, 1), Quantity("a", 1, 1), Quantity("da/dz", 1, 1)


def page(raw_query: Mapping[str, str]) -> ActivationsPage:
    """The page for a query. Never raises: what cannot be read is answered in the form."""
    asked = activation_query.read(raw_query)
    rules = [_asked_for(name, asked) for name in NAMES]
    cards = [_card(rule, asked) for rule in rules if not rule.full_jacobian]
    return ActivationsPage(
        asked=asked,
        fields=asked.fields,
        notice=asked.notice,
        z=number.shown(asked.z, DECIMALS),
        outside=activation_prose.outside(asked.z),
        tries=tuple(SettingLink(number.shown(z), asked.address(z=z), z == asked.z) for z in TRIED),
        cards=tuple(card for card in cards if not card.flat),
        softmax=activation_formulas.softmax_part(asked.logits),
        flat=tuple(card for card in cards if card.flat),
    )


def _asked_for(name: str, asked: Asked) -> Activation:
    """A function with the parameter that the reader has set."""
    return activation(name, **{key: getattr(asked, key) for key in activation(name).parameters})


def _card(rule: Activation, asked: Asked) -> ActivationCard:
    z = asked.z
    f, derivative = functions(rule)
    a, slope = float(f(np.array([z]))[0]), float(derivative(np.array([z]))[0])
    return ActivationCard(
        key=rule.name, title=rule.title, about=f"{rule.about} {rule.use}".strip(),
        span=rule.span, steepest=activation_prose.steepest(rule),
        curve=draw(Curve(rule.name, f"{rule.title} and its derivative", f, derivative, z)),
        forward=_forward(rule, z, a), also=_also(rule),
        backward=_backward(rule, z, a, slope), derivative=_LINE.quantity(_SLOPE),
        flat="" if rule.differentiable else activation_prose.flat(z),
        gradient=rule.gradient, kink=rule.at_kink, remark=activation_prose.remark(rule, a, slope),
        note=rule.note, links=_links(rule, asked),
    )  # fmt: skip


def functions(rule: Activation) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    """f and f′ of the engine over an array of z; f′ of step and sign is 0 where it exists and nan
    at the jump.
    """

    def f(z: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(rule.f(z))

    def derivative(z: Array) -> Array:
        if rule.flat:
            return np.where(z == 0.0, np.nan, 0.0)
        with np.errstate(all="ignore"):
            return np.asarray(rule.derivative(z, f(z)))

    return f, derivative


def _forward(rule: Activation, z: float, a: float) -> CardFormula:
    written, applied = rule.formula(Ref(_Z)), Apply(Ref(_Z), rule.function)
    if rule.function.formula is None:
        return formula(_LINE, _A, applied, a, {_Z: z})
    return formula(_LINE, _A, written, a, {_Z: z}, None if written == Ref(_Z) else applied)


def _backward(rule: Activation, z: float, a: float, slope: float) -> CardFormula | None:
    if rule.flat:
        return None
    return formula(_LINE, _SLOPE, rule.derivative_formula(Ref(_Z), Ref(_A)), slope, {_Z: z, _A: a})


def _also(rule: Activation) -> Markup:
    """Sigmoid and tanh as fractions of powers of e, as lectures print them."""
    return trusted("") if rule.also is None else _LINE.tree(put(rule.also, Ref(_Z)), SYMBOLS, "=")


def _links(rule: Activation, asked: Asked) -> tuple[SettingLink, ...]:
    """The page with values of the parameter that lectures use."""
    return tuple(
        SettingLink(f"{name} {number.shown(value)}", asked.address(**{name: value}),
                    value == getattr(asked, name))
        for name in rule.parameters for value in rule.values
    )  # fmt: skip
