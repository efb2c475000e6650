"""The one place where text becomes markup. Everything else is escaped by the templates.

`trusted` is for strings that this package built itself, out of its own tags, its own alphabet and
numbers from `tutor.number`; nothing that came from a file, a form or an address may reach it
unescaped. `tests/test_markup.py` checks that no other module makes Markup.
"""

from __future__ import annotations

from markupsafe import Markup, escape

__all__ = ["Markup", "attribute", "trusted"]


def trusted(html: str) -> Markup:
    """Mark a string of our own making as markup."""
    return Markup(html)


def attribute(text: str) -> str:
    """Text made safe for the inside of a tag or between tags."""
    return str(escape(text))
