"""Read a page of ours strictly, as a tree: every tag closed where it should be, nothing repaired.

    read(text) -> Page      the tree, and what is wrong with it (`page.problems`)

A browser forgives; this reader does not. It knows the tags that our pages use and where each may
stand (HTML, SVG and MathML Core), so a new tag in a template has to be added here on purpose.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise

VOID = frozenset({"meta", "link", "input", "img", "br", "hr"})
TEXT_LEVEL = frozenset([
    "a", "b", "i", "strong", "em", "span", "code", "dfn", "del", "ins", "label", "button", "select", "input", "img", "progress",
    "math", "svg", "br", "output", "textarea"
])  # fmt: skip
BLOCKS = frozenset([
    "p", "div", "ul", "ol", "dl", "h1", "h2", "h3", "h4", "section", "article", "aside", "nav", "figure", "form",
    "table", "details", "header", "footer", "main", "fieldset", "pre"
])  # fmt: skip
FLOW = TEXT_LEVEL | BLOCKS
ONLY = {
    "html": {"head", "body"}, "head": {"meta", "title", "link", "script"}, "ul": {"li"}, "ol": {"li"}, "dl": {"dt", "dd", "div"},
    "table": {"caption", "thead", "tbody", "tfoot"}, "thead": {"tr"}, "tbody": {"tr"}, "tr": {"td", "th"}, "select": {"option", "optgroup"},
    "title": set(), "option": set(), "script": set(), "textarea": set(),
    "details": FLOW | {"summary"}, "figure": FLOW | {"figcaption"}, "summary": TEXT_LEVEL,
    "caption": TEXT_LEVEL | {"p"}, "th": TEXT_LEVEL, "dt": TEXT_LEVEL, "progress": TEXT_LEVEL - {"progress"},
}  # fmt: skip
for _tag in (
    "p",
    "h1",
    "h2",
    "h3",
    "h4",
    "span",
    "a",
    "b",
    "i",
    "strong",
    "em",
    "code",
    "dfn",
    "del",
    "ins",
    "label",
    "button",
):
    ONLY[_tag] = set(TEXT_LEVEL)
for _tag in (
    "body",
    "main",
    "div",
    "section",
    "article",
    "aside",
    "nav",
    "form",
    "header",
    "footer",
    "li",
    "td",
    "dd",
    "figcaption",
):
    ONLY[_tag] = set(FLOW)
ONLY["div"] |= {"dt", "dd"}
ONLY["fieldset"] = FLOW | {"legend"}
ONLY["legend"] = ONLY["pre"] = set(TEXT_LEVEL)
NO_TEXT = frozenset([
    "html", "head", "ul", "ol", "dl", "table", "thead", "tbody", "tr", "select", "svg", "math", "mtable", "mtr",
    "mfrac", "msub", "msup", "msubsup", "munder", "mover"
])  # fmt: skip
CLICKABLE = frozenset({"a", "button", "select", "input", "textarea", "label", "summary"})
ELSEWHERE = ("javascript:", "data:", "vbscript:", "//", "http:", "https:")
LEADS = frozenset({"href", "src", "action", "hx-get"})
REFERS = frozenset({"aria-labelledby", "aria-describedby", "for"})
PARTS = {"mfrac": 2, "msub": 2, "msup": 2, "munder": 2, "mover": 2, "msubsup": 3, "munderover": 3}
MATHML = frozenset([
    "math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mfrac", "msub", "msup", "msubsup", "munder", "mover",
    "munderover", "mmultiscripts", "mprescripts", "mtable", "mtr", "mtd", "msqrt"
])  # fmt: skip
SVG = frozenset([
    "svg", "g", "path", "line", "circle", "rect", "text", "tspan", "title", "desc", "polyline", "polygon", "use",
    "defs", "marker"
])  # fmt: skip


@dataclass(eq=False, slots=True)
class Element:
    """One element; `children` are elements and texts in order."""

    tag: str
    attributes: dict[str, str]
    parent: Element | None = None
    children: list[Element | str] = field(default_factory=list)
    zone: str = ""
    """`math` or `svg` inside of one."""
    pressed: bool = False
    """Whether it stands inside a control."""

    @property
    def text(self) -> str:
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    @property
    def elements(self) -> list[Element]:
        return [child for child in self.children if isinstance(child, Element)]

    @property
    def classes(self) -> set[str]:
        return set(self.attributes.get("class", "").split())

    @property
    def named(self) -> str:
        """What a reader gets of it: its label, or its text with the names of pictures and formulas."""
        if self.attributes.get("aria-label"):
            return self.attributes["aria-label"]
        pieces = (
            c if isinstance(c, str) else c.attributes.get("alt", "") or c.named
            for c in self.children
        )
        return " ".join("".join(pieces).split())

    def above(self) -> Iterator[Element]:
        found = self.parent
        while found is not None:
            yield found
            found = found.parent

    def all(self, *tags: str, cls: str = "") -> Iterator[Element]:
        ahead = self.children[::-1]
        while ahead:
            child = ahead.pop()
            if isinstance(child, str):
                continue
            if (not tags or child.tag in tags) and (not cls or cls in child.classes):
                yield child
            ahead += child.children[::-1]

    def one(self, *tags: str, cls: str = "", id: str = "") -> Element:  # noqa: A002 - the attribute's own name
        found = [e for e in self.all(*tags, cls=cls) if not id or e.attributes.get("id") == id]
        assert len(found) == 1, f"{len(found)} elements {tags} {cls}{id} in <{self.tag}>"
        return found[0]


@dataclass(frozen=True)
class Page:
    """A page (or a fragment) with everything that is wrong with it."""

    root: Element
    problems: list[str]


PLAIN = re.compile(
    r"""([^<]+)|<([a-z][a-z0-9]*)((?:\s+[a-zA-Z][\w:-]*(?:="[^"]*"|='[^']*')?)*\s*)(/?)>|</([a-z][a-z0-9]*)>|<!doctype\ html>"""
)
"""A text, a tag (its name, its attributes, whether it closes itself), the end of one."""
ATTRIBUTE = re.compile(r"""\s([a-zA-Z][\w:-]*)(?:=("[^"]*"|'[^']*'))?""")
RAW = frozenset({"script", "style"})
OTHERWISE = frozenset(
    {"iframe", "noembed", "noframes", "noscript", "plaintext", "textarea", "title", "xmp"}
)
"""Tags behind which some versions of HTMLParser read on in another way, as browsers do."""

Attributes = Sequence[tuple[str, str | None]]

LARGE = 50_000
"""Characters of a page of which only a few are kept; a tree takes thirty times as much memory."""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = self.here = Element("", {})
        self.problems: list[str] = []
        self.elements: list[Element] = []

    def plain(self, text: str) -> bool:
        """Read a page that is written as ours are, quickly; whether it is one, and nothing is wrong
        so far.
        """
        place = 0
        while token := PLAIN.match(text, place):
            place = token.end()
            data, tag, attributes, closed, end = token.groups()
            if data:
                self.handle_data(unescape(data))
            elif end:
                self.handle_endtag(end)
            elif not tag:
                continue  # the doctype
            elif tag in OTHERWISE and not text.startswith(f"</{tag}>", text.find("<", place)):
                return False
            else:
                start = self.handle_startendtag if closed else self.handle_starttag
                start(tag, _given(attributes) if attributes else ())
                if tag in RAW:
                    begin, place = place, text.find(f"</{tag}", place)
                    if place > begin:
                        self.handle_data(text[begin:place])
        return place == len(text) and self.here is self.root and not self.problems

    def say(self, text: str) -> None:
        self.problems.append(f"line {self.getpos()[0]}: {text}")

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        here = self.here
        zone = here.zone or (tag if tag in {"math", "svg"} else "")
        element = Element(
            tag,
            {name: value or "" for name, value in attrs},
            here,
            [],
            zone,
            here.pressed or here.tag in CLICKABLE,
        )
        for problem in _attributes(tag, tuple(attrs)) if attrs else ():
            self.say(problem)
        here.children.append(element)
        self.elements.append(element)
        if tag not in VOID:
            self.here = element

    def handle_startendtag(self, tag: str, attrs: Attributes) -> None:
        self.handle_starttag(tag, attrs)
        if tag in MATHML | SVG:
            self.here = self.here.parent or self.root
        elif tag not in VOID:
            self.say(f"<{tag}/> does not close itself")

    def handle_endtag(self, tag: str) -> None:
        if tag != self.here.tag:
            self.say(f"</{tag}> where <{self.here.tag}> is open")
            if all(e.tag != tag for e in self.here.above()):
                return
            while self.here.tag != tag:
                self.here = self.here.parent or self.root
        self.here = self.here.parent or self.root

    def handle_data(self, data: str) -> None:
        if self.here.tag in NO_TEXT and data.strip():
            self.say(f"text {data.strip()[:30]!r} directly in <{self.here.tag}>")
        if "\0" in data:
            self.say("a character that no page may have")
        self.here.children.append(data)

    def handle_comment(self, data: str) -> None:
        self.say(f"a comment: {data[:30]!r}")

    def unknown_decl(self, data: str) -> None:
        self.say(f"a declaration: {data[:30]!r}")


def read(text: str) -> Page:
    """The tree of a page, and its problems. Many tests read one page again or compare others with
    it, so the last ones are kept.
    """
    return (_read if len(text) < LARGE else _read_large)(text)


def _tree(text: str) -> Page:
    reader = _Reader()
    if not reader.plain(text):
        reader = _Reader()
        reader.feed(text)
        reader.close()
    if reader.here is not reader.root:
        reader.say(f"<{reader.here.tag}> is never closed")
    return Page(
        reader.root,
        reader.problems
        + [p for e in reader.elements for p in _place(e)]
        + list(_whole(reader.elements)),
    )


_read, _read_large = lru_cache(64)(_tree), lru_cache(3)(_tree)


def text_of(markup: str) -> str:
    """The text of a piece of markup."""
    return " ".join(read(markup).root.text.split())


@lru_cache(4096)
def _given(text: str) -> tuple[tuple[str, str | None], ...]:
    """The attributes that a tag is given; many tags of a page are written alike."""
    return tuple(
        (found[1].lower(), found[2] and unescape(found[2][1:-1]))
        for found in ATTRIBUTE.finditer(text)
    )


@lru_cache(4096)
def _attributes(tag: str, attrs: tuple[tuple[str, str | None], ...]) -> tuple[str, ...]:
    return tuple(_problems_of_attributes(tag, attrs))


def _problems_of_attributes(tag: str, attrs: Attributes) -> Iterator[str]:
    if len(attrs) > 1 and len({name for name, _ in attrs}) < len(attrs):
        yield f"<{tag}> has an attribute twice: {list(attrs)}"
    for name, value in attrs:
        if name.startswith("on") or name in {"style", "srcdoc"}:
            yield f"<{tag}> has {name}"
        if name in LEADS and (value or "").strip().lower().startswith(ELSEWHERE):
            yield f"<{tag}> leads to {value}"


def _place(element: Element) -> Iterator[str]:
    parent = element.parent
    if parent is None or not parent.tag:
        return
    if element.tag in CLICKABLE - {"select", "input", "textarea"} and element.pressed:
        yield f"<{element.tag}> inside another control"
    if element.zone == "math":
        yield from _math(element)
    elif element.zone == "svg" and element.tag != "svg":
        if element.tag not in SVG:
            yield f"<{element.tag}> in an svg"
    elif parent.tag not in ONLY or element.tag not in ONLY[parent.tag]:
        yield f"<{element.tag}> directly in <{parent.tag}>"
    if element.tag == "svg" and "viewbox" not in element.attributes:
        yield "an svg without a viewBox"


def _math(element: Element) -> Iterator[str]:
    if element.tag not in MATHML:
        yield f"<{element.tag}> in a formula"
    if element.tag == "math":
        name = element.attributes.get("aria-label", "")
        if not name.strip() or "<" in name or "&" in name:
            yield f"a formula is called {name!r}"
    if element.tag in PARTS and len(element.elements) != PARTS[element.tag]:
        yield f"<{element.tag}> has {len(element.elements)} parts"
    if element.tag in {"mi", "mn", "mo", "mtext"} and (element.elements or not element.text):
        yield f"<{element.tag}> is not one text"
    under = element.parent.tag if element.parent else ""
    if (element.tag == "mtr") != (under == "mtable") or (element.tag == "mtd") != (under == "mtr"):
        yield f"<{element.tag}> directly in <{under}>"


def _whole(elements: list[Element]) -> Iterator[str]:
    ids = Counter(e.attributes["id"] for e in elements if "id" in e.attributes)
    yield from (f"the id {name!r} stands {count} times" for name, count in ids.items() if count > 1)
    for element in elements:
        for name in REFERS & element.attributes.keys():
            yield from (
                f"{name} names {w!r}, which is not there"
                for w in element.attributes[name].split()
                if w not in ids
            )
        if element.tag == "img" and "alt" not in element.attributes:
            yield "a picture without alt"
        if element.tag in {"a", "button"} and not element.named:
            yield f"<{element.tag}> {element.attributes} has no text"
        if element.tag == "script" and element.text.strip():
            yield "a script with text"
        if element.tag == "table":
            yield from _table(element)
    yield from _headings([e for e in elements if e.tag in {"h1", "h2", "h3", "h4"}])


def _headings(headings: list[Element]) -> Iterator[str]:
    levels = [int(h.tag[1]) for h in headings]
    if levels.count(1) != 1:
        yield f"{levels.count(1)} headings of level 1"
    yield from (f"h{b} behind h{a}" for a, b in pairwise(levels) if b > a + 1)
    yield from (f"an empty <{h.tag}>" for h in headings if not h.named)


def _table(table: Element) -> Iterator[str]:
    caption = table.elements[0] if table.elements else table
    if caption.tag != "caption" or not caption.named:
        yield "a table without a caption"
    yield from (
        "a header cell without scope"
        for th in table.all("th")
        if th.attributes.get("scope") not in {"row", "col"}
    )
    yield from ("an empty header cell" for th in table.all("th") if not th.named)
    widths = {len(row.elements) for row in table.all("tr")}
    if len(widths) > 1:
        yield f"rows of {sorted(widths)} cells in the table {caption.named!r}"
    if "matrix" not in table.classes:
        if not all(
            row.elements and row.elements[0].tag == "th"
            for body in table.all("tbody")
            for row in body.elements
        ):
            yield f"a row without a header in {caption.named!r}"
        if not any(th.attributes.get("scope") == "col" for th in table.all("th")):
            yield f"no column headers in {caption.named!r}"
