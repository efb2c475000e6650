"""Templates outside of Flask: the same folder and the same rules, for exports written by the
command line.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import re
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

HOME = Path(__file__).parents[2]
STATIC = HOME / "static"
_FONT = re.compile(r'url\("fonts/([\w.-]+)"\) format\("woff2"\)')


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates, escaping everything, refusing what is not there."""
    return Environment(
        loader=FileSystemLoader(HOME / "templates"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip


def template(name: str) -> Template:
    """One of the templates."""
    return environment().get_template(name)


@lru_cache(maxsize=8)
def styles(*names: str) -> str:
    """Style sheets in one text, with the font inside, so that a file needs nothing else."""
    text = "\n".join((STATIC / name).read_text(encoding="utf-8") for name in names)
    # comments, margins, line ends, spaces behind colons and around braces, the last semicolon
    text = re.sub(
        r"/\*.*?\*/\s*|^\s+|(?<=[{};:,]) | (?=[{}])|;(?=\s*\})|(?<=[{};,])\n",
        "",
        text,
        flags=re.DOTALL | re.MULTILINE,
    )
    # the scales, which no scheme changes: each value in its places
    scales = re.search(r":root\{(--sans[^}]*)\}", text)
    if scales:
        values = dict(re.findall(r"--([\w-]+):([^;]+)", scales[1]))
        text = re.sub(
            r"var\(--([\w-]+)\)",
            lambda found: values.get(found[1], found[0]),
            text.replace(scales[0], ""),
        )
    return _FONT.sub(lambda found: f'url("{font(found[1])}") format("woff2")', text)


@lru_cache(maxsize=4)
def font(name: str) -> str:
    """A font file as a data address."""
    return "data:font/woff2;base64," + base64.b64encode(
        (STATIC / "fonts" / name).read_bytes()
    ).decode("ascii")


@lru_cache(maxsize=4)
def script(name: str) -> str:
    """A script of ours."""
    return (STATIC / name).read_text(encoding="utf-8")


def source_hash(text: str) -> str:
    """The hash by which a Content-Security-Policy allows one style or script."""
    return (
        "'sha256-"
        + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
        + "'"
    )


def css_string(text: str) -> str:
    """A text as a CSS string; all but letters and digits is escaped: nothing can end the style."""
    return (
        '"' + "".join(c if c.isascii() and c.isalnum() else f"\\{ord(c):06x}" for c in text) + '"'
    )


def version() -> str:
    """The version of the installed tutor."""
    try:
        return importlib.metadata.version("backprop-tutor")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"
