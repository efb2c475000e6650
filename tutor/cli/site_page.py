"""A page of the running tutor as a file: its links lead to files, and what needs a server is gone.

    static_page(text, place) -> text

The page is read by a parser and written out again, tag by tag; what need not change keeps its very
characters. A link without a target takes its line of a list along; in a table or a picture what it
says stays, and so does the symbol of a number anywhere. What only leads elsewhere goes with the
last of its links, and a form takes the tool in which it folds up. One plain line says what is
missing, and what to do to have it.

Where htmx would swap a step and leave the focus on the control, the link names that control, so
that the focus is on it at the next step too, with a script or without.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urldefrag, urljoin, urlsplit

NEEDS_SERVER: Final = (
    "These pages are files. Other numbers and notations, formulas of your own, further iterations, "
    "worksheets with new numbers, the projector view, and building, opening and sharing lessons "
    "need the tutor running: type make run in its folder, as its README says."
)
SCRIPTS: Final = frozenset({"walk.js"})
"""The scripts that do something for files; the others talk to the server."""
SERVERS: Final = frozenset({"htmx-config", "tutor-version"})
"""What a page says to scripts that talk to the server."""
UNITS: Final = frozenset({"li", "details"})
"""What goes as a whole where something in it cannot work."""
KEEPERS: Final = frozenset({"table", "svg"})
"""What keeps the words and marks of links that lead nowhere."""
NUMBER: Final = "data-ask"
"""The name of the number that a link is about; its symbol stays."""
LEADS: Final = "leads"
"""The class of what only leads elsewhere, which goes where none of its links stays."""
POLICY: Final = "Content-Security-Policy"
NOT_IN_META: Final = "frame-ancestors"
"""The one directive that browsers take from a header alone."""
QUOTE: Final = '"'
Attributes = list[tuple[str, str | None]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page stood, and what its file is to say."""

    address: str
    """Its address at the running tutor; links are relative to it."""
    target: Callable[[str], str | None]
    """The link to an address, from this file; None where there is no file."""
    policy: str
    """The Content-Security-Policy with which the tutor gives the page."""
    canonical: str = ""
    """The public address of the file, where that is known."""
    form: str = ""
    """Markup that takes the place of the page's form."""


def static_page(text: str, place: Place) -> str:
    """The page as a file."""
    writer = _Writer(place)
    writer.feed(text)
    writer.close()
    return "".join(writer.written)


def policy_for_meta(policy: str) -> str:
    """A policy without what a page itself cannot ask for."""
    directives = (part.strip() for part in policy.split(";"))
    return "; ".join(part for part in directives if part and not part.startswith(NOT_IN_META))


class _Writer(HTMLParser):
    """Writes what it reads, with what has to change."""

    def __init__(self, place: Place) -> None:
        super().__init__(convert_charrefs=False)
        self.place = place
        self.written: list[str] = []
        self.units: list[tuple[str, int]] = []
        """The open units, and where each begins."""
        self.gone: set[int] = set()
        """The beginnings of units that cannot stay."""
        self.leaving = ""
        """The tag of an element that is left out, while it is open."""
        self.depth = 0
        self.kept = 0
        """How many tables and pictures are open, in which what was a link stays."""
        self.bare = False
        """Whether the words of a link are written that leads nowhere."""
        self.said = False

    # ---- tags ----

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        if self.leaving:
            self.depth += tag == self.leaving
            return
        if tag in UNITS or LEADS in (dict(attrs).get("class") or "").split():
            self.units.append((tag, len(self.written)))
        if self._absent(tag, dict(attrs)):
            self._leave(tag)
            return
        self.kept += tag in KEEPERS
        own, changed = self._changed(tag, attrs)
        if own is None and tag == "a" and (self.kept or dict(attrs).get(NUMBER)):
            self.bare = True
            return
        if own is None:
            self._spoil()
            self._leave(tag)
            return
        self._write(_start(tag, own) if changed else self.get_starttag_text() or "")
        if tag == "meta" and "charset" in dict(own):
            policy = policy_for_meta(self.place.policy)
            self._write(f"\n{_start('meta', [('http-equiv', POLICY), ('content', policy)])}")

    def handle_startendtag(self, tag: str, attrs: Attributes) -> None:
        if not self.leaving:
            self._write(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        if self.leaving:
            self.depth -= tag == self.leaving
            if not self.depth:
                self.leaving = ""
            return
        self.kept -= tag in KEEPERS
        if tag == "a" and self.bare:
            self.bare = False
            return
        if tag == "main" and not self.said:
            self._write(f'<p class="source">{NEEDS_SERVER}</p>\n')
        if tag == "head" and self.place.canonical:
            link: Attributes = [("rel", "canonical"), ("href", self.place.canonical)]
            self._write(f"{_start('link', link)}\n")
        if self.units and self.units[-1][0] == tag and self._close(tag):
            return
        self._write(f"</{tag}>")

    # ---- the rest, as it is ----

    def handle_data(self, data: str) -> None:
        self._write("" if self.leaving else data)

    def handle_entityref(self, name: str) -> None:
        self._write("" if self.leaving else f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._write("" if self.leaving else f"&#{name};")

    def handle_decl(self, decl: str) -> None:
        self._write(f"<!{decl}>")

    # ---- what changes ----

    def _write(self, text: str) -> None:
        self.written.append(text)

    def _absent(self, tag: str, own: dict[str, str | None]) -> bool:
        """Whether an element means nothing without the server."""
        if tag == "form":
            self._write(self.place.form)
            if not self.place.form:
                self._spoil("details")
            return True
        if tag == "script":
            name = urlsplit(own.get("src") or "").path.rpartition("/")[2]
            return name not in SCRIPTS
        return (
            (tag == "meta" and own.get("name") in SERVERS)
            or (tag == "section" and own.get("id") == "shelf")
            or (tag == "button" and "data-from" in own)
            or (tag == "span" and "data-live" in own)
        )

    def _changed(self, tag: str, attrs: Attributes) -> tuple[Attributes | None, bool]:
        """The attributes as the file has them, and whether they differ; None where the element is
        a link to nowhere.
        """
        own: Attributes = []
        given = dict(attrs)
        for name, value in attrs:
            if name.startswith("hx-"):
                continue
            if name in {"href", "src"} and value is not None:
                link = self._link(value)
                if link is None:
                    return None, True
                stays = {"id", "aria-keyshortcuts"} <= given.keys()
                own.append((name, f"{link}#{given['id']}" if stays else link))
            else:
                own.append((name, value))
        return own, own != attrs

    def _link(self, text: str) -> str | None:
        """A link as the file has it; None where it would lead nowhere."""
        if text.startswith("#") or urlsplit(text).scheme:
            return text
        address, fragment = urldefrag(urljoin(self.place.address, text))
        target = self.place.target(address)
        if target is None:
            return None
        query = urlsplit(address).query if address.startswith("/static/") else ""
        return target + (f"?{query}" if query else "") + (f"#{fragment}" if fragment else "")

    def _leave(self, tag: str) -> None:
        """Write nothing until the element ends."""
        if tag not in {"meta", "link", "img", "input"}:
            self.leaving, self.depth = tag, 1

    def _spoil(self, *tags: str) -> None:
        """Let the innermost unit around here go."""
        for tag, start in reversed(self.units):
            if not tags or tag in tags:
                self.gone.add(start)
                return

    def _close(self, tag: str) -> bool:
        """End a unit; whether it is gone."""
        _, start = self.units.pop()
        leads = tag in UNITS or any(part.startswith("<a ") for part in self.written[start:])
        if leads and start not in self.gone:
            return False
        self.gone.discard(start)
        del self.written[start:]
        if tag == "details" and not self.said:
            self.said = True
            self._write(
                '<details class="settings" name="tools"><summary>More'
                '<span class="quiet"> with the tutor running</span></summary>'
                f"<p>{NEEDS_SERVER}</p></details>"
            )
        return True


def _start(tag: str, attrs: Attributes) -> str:
    own = (
        name if value is None else f'{name}="{escape(value, quote=False).replace(QUOTE, "&#34;")}"'
        for name, value in attrs
    )
    return f"<{' '.join((tag, *own))}>"
