"""Numbers of a page beside the steps that lead on to their own pages, where one asks about them.

    number_links(context, trees) -> the numbers that some formulas are made of, each once
    number_link(context, q)      -> one of them

A formula has its numbers where no link can stand, so they are listed below it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tutor import number
from tutor.engine.quantity import Quantity
from tutor.engine.tree import Node, leaves
from tutor.notation.markup import Markup
from tutor.pages.context import AnyContext


@dataclass(frozen=True, slots=True)
class NumberLink:
    """A number, and its page."""

    symbol: Markup
    text: str
    href: str
    name: str


@dataclass(frozen=True, slots=True)
class AskBase:
    """What the address of a number begins with, and what stands behind its name: for the numbers
    in formulas and pictures, which a script makes lead there.
    """

    base: str
    query: str


def ask_base(context: AnyContext) -> AskBase:
    """The addresses of the numbers of a lesson under this view."""
    base, _, query = context.view.bare.quantity(context.source.id).partition("?")
    return AskBase(base, query)


def number_link(context: AnyContext, q: Quantity) -> NumberLink:
    """A number with its value and the way to its page."""
    text = number.shown(context.trace.value(q), context.decimals)
    href = context.view.bare.quantity(context.source.id, str(q))
    return NumberLink(context.line.quantity(q), text, href, str(q))


def number_links(context: AnyContext, trees: Iterable[Node]) -> tuple[NumberLink, ...]:
    """The numbers of some formulas in the order in which they are read, each once."""
    found = dict.fromkeys(ref.quantity for tree in trees for ref in leaves(tree))
    return tuple(number_link(context, q) for q in found)
