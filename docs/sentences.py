"""List every sentence that a reader can meet, each once: `make sentences`.

    all pages through the app's test client          -> the sentences that they show
    texts of code, templates, scripts and lessons    -> those that no page showed
    README.md and docs/*.md                          -> the same

Numbers are written 0 and formulas □, so that a sentence with other numbers is the same sentence.
Each is listed where it appears first, below the address or the file. It takes one or two minutes.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from itertools import groupby, product
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from app import create_app
from tutor.lesson.walk import GRAINS, open_lesson
from tutor.notation.conventions import PRESETS
from tutor.scenario import reader

if TYPE_CHECKING:
    from flask.testing import FlaskClient

ROOT = Path(__file__).parents[1]
LABELS = ("aria-label", "alt", "title", "placeholder")
INLINE = frozenset(
    {"a", "b", "code", "del", "dfn", "em", "i", "ins", "span", "strong", "sub", "sup"}
)
SILENT = frozenset({"script", "style", "math", "textarea"})
"""Elements whose text is no sentence; a formula leaves its mark."""
NUMBER = re.compile(r"\b(?=[a-f]*\d)[\da-f]{8,}\b|[-−]?\d[\d,.]*(?:e[-+]?\d+)?(?<![.,])")
"""A number, or the fingerprint of a lesson."""
END = re.compile(r"(?<=[.?!])\s+(?=[A-Z“□{(])|\s+·\s+")
WORDS = re.compile(r"[A-Za-z]{2}")
PROSE = re.compile(r"[A-Za-z]{2}[,:;’']? [a-z]{2}|^[A-Z][a-z]+ \S")
CODE = re.compile(r"[<>\\`|]|\(\)|=>|^[a-z]\w*_\w+,|data-|svg")
"""Texts of several words, and those among them that are markup, code or names."""
BROKEN = ("", "title: x", "format: 1\nx: [", "format: 1\ntitle: 5\nnetwork: {inputs: 0}")
UNFIT = (
    "?notation=x&decimals=99&grain=x&iteration=0&x=1&w[9][1,1]=2",
    "?w[1][1,1]=abc&eta=-1&loss=x&activation[1]=x&input_gradients=x",
)
TRAININGS = (
    "",
    "?iterations=1",
    "?iterations=10&at=0&loss_below=1e-9",
    "?iterations=200&other=1e6",
    "?iterations=500&other=1e-4&change_below=1e-3",
    "?iterations=x&other=-1&accuracy=2&at=9999&first=x&second=y",
    "/moment?iterations=x",
)


class _Texts(HTMLParser):
    """The texts of a page in blocks, and its labels."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.here: list[str] = []
        self.silent = ""
        """The element that is open and says nothing, if one is."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if self.silent:
            return
        if tag == "math":
            self.here.append(" □ ")
        elif tag in INLINE:
            self.here.append(" ")
        else:
            self.close_block()
        if tag not in SILENT:
            self.found += [given[name] or "" for name in LABELS if name in given]
        if tag == "meta" and given.get("name") == "description":
            self.found.append(given["content"] or "")
        if tag in SILENT:
            self.silent = tag

    def handle_endtag(self, tag: str) -> None:
        if self.silent:
            self.silent = "" if tag == self.silent else self.silent
        elif tag in INLINE:
            self.here.append(" ")
        else:
            self.close_block()

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.here.append(data)

    def close_block(self) -> None:
        self.found.append(re.sub(r"\s+(?=[.,;:!?)”])", "", "".join(self.here)))
        self.here = []


def sentences(texts: Iterable[str]) -> Iterator[str]:
    """The sentences of texts, with marks for numbers and formulas."""
    for text in texts:
        for sentence in END.split(" ".join(text.split())):
            plain = NUMBER.sub("0", sentence).strip()
            if WORDS.search(plain):
                yield re.sub(r"□(?:[ ,]*□)+", "□", plain)


def texts_of_page(html: str) -> list[str]:
    """What a page says, in its order."""
    parser = _Texts()
    parser.feed(html)
    parser.close_block()
    return parser.found


# ---- pages ----


def rendered(scenarios: Path = ROOT / "scenarios") -> Iterator[tuple[str, str]]:
    """Every sentence of every page: (address, sentence)."""
    client = create_app(scenarios).test_client()
    for address in addresses(scenarios):
        answer = client.get(address)
        if answer.mimetype in {"text/html", "application/xhtml+xml"}:
            yield from ((address, one) for one in sentences(texts_of_page(answer.text)))
    for name, html in posted(client, scenarios):
        yield from ((name, one) for one in sentences(texts_of_page(html)))


def addresses(scenarios: Path) -> Iterator[str]:
    """All pages; a lesson at all its steps by numbers in its own notation, else at some."""
    yield from ("/", "/activations", "/activations?z=x", "/glossary", "/problems", "/style")
    yield from ("/build", "/open", "/nowhere", "/lessons/nothing", "/lessons/a%20b/steps/1")
    for file in sorted(scenarios.glob("*.yaml")):
        lesson = f"/lessons/{file.stem}"
        opened = open_lesson(reader.load(file))
        for grain in GRAINS:
            total = len(opened.walk(grain))
            yield from (f"{lesson}/steps/{n}?grain={grain}" for n in range(1, total + 1))
            yield f"{lesson}/steps/{total}?grain={grain}&iteration=2"
            yield f"{lesson}/steps/{total // 2}?grain={grain}&input_gradients=1"
            yield f"{lesson}/steps/{total // 2}?grain={grain}&w[1][1,1]=0.7&eta=0.9"
            yield from (
                f"{lesson}/steps/{n}?grain={grain}&notation={preset}"
                for preset, n in product(PRESETS, (1, total // 3, 2 * total // 3))
            )
        yield from (f"{lesson}/steps/5/{part}" for part in ("chain", "change"))
        yield from (f"{lesson}/training{query}" for query in TRAININGS)
        yield from (f"{lesson}/{part}" for part in ("slides", "export", "share", "steps/9999"))
        yield from (f"/build?from={file.stem}", f"/embed{lesson}/steps/2")
        yield from (f"{lesson}/steps/2{query}" for query in UNFIT)
        kinds = ("html", "interactive", "worksheet", "key", "class-set")
        yield from (f"{lesson}/export/{kind}?seed=3" for kind in kinds)
        yield from (f"{lesson}/export/{kind}" for kind in (*kinds, "x"))
        yield f"{lesson}/export/html?phases=x&blanks=x&seed=x&version=0"


def posted(client: FlaskClient, scenarios: Path) -> Iterator[tuple[str, str]]:
    """What forms answer: (what was done, its page)."""
    for text in (*BROKEN, *(file.read_text("utf-8") for file in scenarios.rglob("*.yaml"))):
        for wish in ("check", "form"):
            answer = client.post("/open", data={"text": text, "do": wish})
            yield f"/open, {wish}", answer.text
    for wish in ("check", "live", "text", "resize", "add-layer", "remove-layer:1", "fill:1", "x"):
        yield f"/build, {wish}", client.post("/build", data={"do": wish}).text
    yield "refused", client.post("/glossary").text
    yield "foreign", client.post("/build", headers={"Sec-Fetch-Site": "cross-site"}).text


# ---- files ----


def written() -> Iterator[tuple[str, str]]:
    """Every sentence in the files that texts come from: (file, sentence)."""
    for file in sorted(ROOT.glob("tutor/**/*.py")):
        yield from _of(file, texts_of_code(file.read_text("utf-8")))
    for file in sorted(ROOT.glob("templates/*.html")):
        text = re.sub(r"\{#.*?#\}|\{%.*?%\}", "", file.read_text("utf-8"), flags=re.DOTALL)
        yield from _of(file, texts_of_page(re.sub(r"\{\{.*?\}\}", "{}", text)))
    for file in sorted(ROOT.glob("static/*.js")):
        quoted = re.finditer(r"([\"'`])((?:(?!\1).)*)\1", file.read_text("utf-8"))
        yield from _of(file, (m[2] for m in quoted if _is_prose(m[2])))
    for file in (ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))):
        text = re.sub(r"```.*?```", "\n\n", file.read_text("utf-8"), flags=re.DOTALL)
        yield from _of(file, re.split(r"\n\s*\n|\n(?=[-|#] ?|\d\. )|\|", text))
    for file in sorted((*ROOT.glob("docs/examples/*"), *ROOT.glob("scenarios/**/*.y*ml"))):
        yield from _of(file, texts_of_lesson(file.read_text("utf-8")))


def _of(file: Path, texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    return ((str(file.relative_to(ROOT)), sentence) for sentence in sentences(texts))


def texts_of_code(source: str) -> Iterator[str]:
    """The texts in code that may be seen: of several words, and no docstring; {} stands for what is
    put in.
    """
    nodes = list(ast.walk(ast.parse(source)))
    silent = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            silent |= {id(part) for part in node.values}
            parts = (p.value if isinstance(p, ast.Constant) else "{}" for p in node.values)
            text = "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if id(node) not in silent and _is_prose(text):
            yield text


def _is_prose(text: str) -> bool:
    return bool(PROSE.search(text)) and not CODE.search(text)


def texts_of_lesson(text: str) -> Iterator[str]:
    """The comments of a lesson's file, and its values of several words."""
    for comment in re.findall(r"^ *# (.*(?:\n *# .*)*)", text, re.MULTILINE):
        yield re.sub(r"\n *# ", " ", comment)
    data = yaml.load(text, yaml.CSafeLoader)
    yield from filter(_is_prose, _strings(data))


def _strings(data: object) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict | list):
        for value in data.values() if isinstance(data, dict) else data:
            yield from _strings(value)


def unshown(seen: set[str], found: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """What no page showed of the texts in files."""
    shown = "\n".join(seen)
    for place, sentence in found:
        pattern = r"[^\n]+?".join(map(re.escape, sentence.split("{}")))
        if not re.search(pattern, shown):
            yield place, sentence


def listed() -> Iterator[tuple[str, str]]:
    """Every sentence once: (where it appears first, sentence)."""
    shown: dict[str, str] = {}
    for place, sentence in rendered():
        shown.setdefault(sentence, place)
    rest: dict[str, str] = {}
    for place, sentence in unshown(set(shown), written()):
        rest.setdefault(sentence, place)
    yield from ((place, sentence) for sentence, place in (shown | rest).items())


if __name__ == "__main__":
    count = 0
    for place, group in groupby(listed(), key=lambda one: one[0]):
        sys.stdout.write(f"\n{place}\n")
        for _, sentence in group:
            count += 1
            sys.stdout.write(f"  {sentence}\n")
    sys.stdout.write(f"\n{count:,} sentences\n")
