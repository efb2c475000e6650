"""Check a static site: every link of every page, and what a page may not have.

python -m tests.sitecheck FOLDER        the same for a whole site, with counts
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from posixpath import normpath
from urllib.parse import unquote, urlsplit

LINKS = ("href", "src", "action", "data-from", "poster", "srcset", "formaction", "cite", "data")
SERVER = {"form", "iframe", "base", "object", "embed", "style"}


@dataclass
class Read:
    """What a page has of interest here."""

    ids: set[str] = field(default_factory=set)
    links: list[tuple[str, str]] = field(default_factory=list)
    policy: str = ""
    wrong: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.read = Read()
        self.script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = {name: value or "" for name, value in attrs}
        self.read.ids |= {own["id"]} if "id" in own else set()
        self.read.links += [
            (tag, own[name])
            for name in LINKS
            if name in own and not (name == "data" and tag != "object")
            and own.get("rel") != "canonical"
        ]  # fmt: skip
        if own.get("http-equiv", "").lower() == "content-security-policy":
            self.read.policy = own["content"]
        self.read.wrong += [f"<{tag}> has {a}" for a in own if a == "style" or a[:2] == "on"]
        self.read.wrong += [f"<{tag}> has {a}" for a in own if a.startswith(("hx-", "data-hx-"))]
        self.read.wrong += [f"there is a <{tag}>"] if tag in SERVER else []
        self.script = tag == "script"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.script = False

    def handle_endtag(self, tag: str) -> None:
        self.script = False

    def handle_data(self, data: str) -> None:
        if self.script and data.strip():
            self.read.wrong.append("an inline script")


def read(path: Path) -> Read:
    """A page, read."""
    reader = _Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    return reader.read


def is_download(name: str) -> bool:
    """Whether a file is one to take away, which brings its own styles."""
    return PurePosixPath(name).parent.name == "files"


def problems(folder: Path) -> tuple[list[str], Counter[str]]:
    """(everything that is wrong, how many pages and links were looked at)."""
    files = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    pages = {name: read(folder / name) for name in sorted(files) if name.endswith(".html")}
    count = Counter({"files": len(files), "pages": len(pages)})
    found: list[str] = []
    reached = {"index.html", "404.html"}
    for name, page in pages.items():
        if not is_download(name):
            found += [f"{name}: {wrong}" for wrong in page.wrong]
            found += [f"{name}: {wrong}" for wrong in _policy(page.policy)]
        for tag, link in page.links:
            count["links"] += 1
            there, wrong = _leads(name, link, files, pages)
            reached.add(there)
            found += [f"{name}: <{tag}> to {link}: {wrong}"] if wrong else []
    quiet = {n for n in files if n.startswith((".", "static/fonts/"))}
    found += [f"{name}: nothing leads there" for name in sorted(files - reached - quiet)]
    return found, count


def _policy(policy: str) -> Iterator[str]:
    if "default-src 'none'" not in policy or "unsafe" in policy:
        yield f"the policy is {policy!r}"
    if "frame-ancestors" in policy:
        yield "frame-ancestors cannot stand in a page"


def _leads(
    name: str, link: str, files: set[str], pages: dict[str, Read]
) -> tuple[str, str]:  # fmt: skip
    """(the file that a link leads to, what is wrong with it)."""
    parts = urlsplit(link)
    if parts.scheme == "data":
        return "", ""
    if parts.scheme or parts.netloc:
        return "", "leads away"
    if link.startswith("/"):
        return "", "is absolute"
    joined = PurePosixPath(name).parent / unquote(parts.path) if parts.path else PurePosixPath(name)
    there = normpath(joined.as_posix())
    if there not in files:
        return there, "there is no such file"
    if parts.query and not there.startswith("static/"):
        return there, "has a query"
    if parts.fragment and unquote(parts.fragment) not in pages[there].ids:
        return there, "there is no such place"
    return there, ""


if __name__ == "__main__":
    wrong, counted = problems(Path(sys.argv[1]))
    for line in wrong[:50]:
        print(line)
    print(dict(counted), len(wrong), "problems")
    sys.exit(bool(wrong))
