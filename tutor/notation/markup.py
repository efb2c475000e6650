"""The one place where text becomes markup. Everything else is escaped by the templates.

`trusted` is for strings that this package built itself, out of its own tags, its own alphabet and
numbers from `tutor.number`; nothing that came from a file, a form or an address may reach it
unescaped. `tests/test_markup.py` checks that no other module makes Markup.
"""

from __future__ import annotations

from functools import lru_cache

from markupsafe import Markup, escape

__all__ = ["Markup", "attribute", "trusted", "written"]


def trusted(html: str) -> Markup:
    """Mark a string of our own making as markup."""
    return Markup(html)


def attribute(text: str) -> str:
    """Text made safe for the inside of a tag or between tags."""
    return str(escape(text))


_short = lru_cache(4096)(attribute)


def written(value: object) -> str:
    """What a page of short texts says of a value, most of which stand on the page before too."""
    if type(value) is Markup:
        return value
    return _short(value if type(value) is str else str(value))
