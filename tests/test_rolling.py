"""A new version takes the place of an old one machine by machine: for a while both answer, by turns
and on one store. No cache may then have the bytes of one under an address of the other.
"""

from __future__ import annotations

import hashlib
import html
import random
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.serving import ROOT, Answer, Tutor, ask

pytestmark = pytest.mark.slow
PROGRAM = ("app.py", "tutor", "templates", "static", "scenarios")
STEP = "/lessons/1-2-3-1-sigmoid/steps/{}"
PAGES = [
    "/lessons/1-2-3-1-sigmoid", STEP.format(3), f"{STEP.format(3)}?grain=layer", "/glossary", "/activations", "/style",
    "/lessons/1-2-3-1-sigmoid/export?kind=html", "/lessons/one-weight/scenario.yaml", "/embed/lessons/one-weight/steps/2",
]  # fmt: skip
"""What any cache may keep, with the styles and scripts of the whole tutor."""
ADDRESS = re.compile(r'(?:src|href)="(/static/[^"]+)"')
FRAGMENT = {"HX-Request": "true"}


class Roll(NamedTuple):
    """The old version and the new one."""

    old: Tutor
    new: Tutor

    def get(self, address: str, **headers: str) -> list[Answer]:
        return [each.get(address, **headers) for each in self]

    def ports(self) -> Iterator[int]:
        """The port of either, as a proxy with many readers takes them: without an order."""
        chance = random.Random(0)
        while True:
            yield chance.choice(self).port


def version(folder: Path, **changed: str) -> Path:
    """A copy of the program in which these files have another line at their end."""
    for name in PROGRAM:
        source, to = ROOT / name, folder / name
        if source.is_dir():
            shutil.copytree(source, to, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, to)
    for name, line in changed.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.write_text(path.read_text(encoding="utf-8") + line, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def roll(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Roll]:
    folder = tmp_path_factory.mktemp("roll")
    old = version(folder / "old")
    new = version(
        folder / "new",
        static__walk_dot_js="\n// a new version\n",
        templates___step_dot_html="<!-- a new version -->\n",
    )
    running = [
        Tutor(
            command=(sys.executable, "-m", "tutor.serve"),
            cwd=place,
            PYTHONPATH=str(place),
            DATABASE_URL=f"sqlite:///{folder}/lessons.sqlite",
            SCENARIOS=str(place / "scenarios"),
        )
        for place in (old, new)
    ]
    with running[0], running[1]:
        yield Roll(*running)


def static(page: str) -> list[str]:
    """The addresses of the files that a page needs."""
    return [html.unescape(address) for address in ADDRESS.findall(page)]


def fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def test_both_versions_answer_and_differ(roll: Roll) -> None:
    old, new = roll.get(STEP.format(3), **FRAGMENT)
    assert "a new version" in new[2]
    assert new[2].replace("<!-- a new version -->", "").strip() == old[2].strip()
    assert ["a new version" in text for _, _, text in roll.get("/static/walk.js")] == [False, True]


def test_a_page_never_names_a_file_that_the_other_version_lets_caches_keep_with_other_bytes(
    roll: Roll,
) -> None:
    changed, same = set(), set()
    for address in PAGES:
        for of, (_, _, text) in zip(roll, roll.get(address), strict=True):
            for name in static(text):
                own, others = of.get(name), (roll.new if of is roll.old else roll.old).get(name)
                assert own[0] == others[0] == 200
                assert "immutable" in own[1]["Cache-Control"]
                if own[2] == others[2]:
                    assert "immutable" in others[1]["Cache-Control"]
                    assert own[1]["ETag"] == others[1]["ETag"]
                    same.add(name)
                else:
                    assert others[1]["Cache-Control"] == "no-store"
                    assert own[1]["ETag"] != others[1]["ETag"]
                    changed.add(name)
    assert len(changed) == 2, "walk.js, as each of both names it"
    assert len(same) > 8


def test_what_caches_keep_of_a_file_always_has_the_bytes_of_its_address(roll: Roll) -> None:
    ports, kept = roll.ports(), dict[str, str]()
    for address in PAGES * 3:
        for name in static(ask(next(ports), "GET", address)[2]):
            status, headers, text = ask(next(ports), "GET", name)
            assert status == 200
            if "no-store" not in headers["Cache-Control"]:
                assert kept.setdefault(name, text) == text
    for name, text in kept.items():
        assert name.endswith(f"?v={fingerprint(text)}")
    assert len([name for name in kept if "walk.js" in name]) == 2


@pytest.mark.parametrize("query", ["v=0", "v=0000000000", "v=", "w=1", "v={}&x", "x&v={}"])
def test_another_fingerprint_is_never_kept(roll: Roll, query: str) -> None:
    for each in roll:
        own = fingerprint(each.get("/static/walk.js")[2])
        status, headers, _ = each.get(f"/static/walk.js?{query.format(own)}")
        assert (status, headers["Cache-Control"]) == (200, "no-store")


def test_a_file_without_a_fingerprint_is_told_apart_by_its_tag(roll: Roll) -> None:
    old, new = roll.get("/static/walk.js")
    assert old[1]["Cache-Control"] == new[1]["Cache-Control"] == "no-cache"
    for each, tag, wanted in (
        (roll.old, old[1]["ETag"], 304), (roll.new, old[1]["ETag"], 200),
        (roll.old, new[1]["ETag"], 200), (roll.new, new[1]["ETag"], 304),
    ):  # fmt: skip
        assert each.get("/static/walk.js", **{"If-None-Match": tag})[0] == wanted


@pytest.mark.parametrize("headers", [{}, FRAGMENT], ids=["page", "fragment"])
@pytest.mark.parametrize("address", PAGES)
def test_a_page_of_one_version_is_never_unchanged_for_the_other(
    roll: Roll, address: str, headers: dict[str, str]
) -> None:
    old, new = (answer[1]["ETag"] for answer in roll.get(address, **headers))
    assert old != new
    for each, own, other in ((roll.old, old, new), (roll.new, new, old)):
        assert each.get(address, **headers, **{"If-None-Match": own})[0] == 304
        status, found, text = each.get(address, **headers, **{"If-None-Match": other})
        assert (status, found["ETag"]) == (200, own)
        assert text


def test_a_cache_that_asks_either_version_never_mixes_them(roll: Roll) -> None:
    """A cache that keeps the answer with its tag, and asks the next instance whether it holds."""
    ports, kept = roll.ports(), dict[str, tuple[str, str]]()
    for n in [*range(1, 40)] * 3:
        address = STEP.format(n)
        tag = kept[address][0] if address in kept else "none"
        port = next(ports)
        status, headers, text = ask(port, "GET", address, None, {"If-None-Match": tag})
        if status == 200:
            kept[address] = headers["ETag"], text
        assert status in {200, 304}
        shown = kept[address][1]
        assert ("a new version" in shown) == (port == roll.new.port)
        script = next(name for name in static(shown) if "walk.js" in name)
        assert script in static(ask(port, "GET", address)[2])


def test_what_one_version_saved_the_other_shows(roll: Roll) -> None:
    source = (ROOT / "scenarios" / "3-2-3-softmax.yaml").read_text(encoding="utf-8")
    for n, (one, other) in enumerate([roll, (roll.new, roll.old)]):
        form = {"do": "save", "text": source.replace("title: ", f"title: {n} ", 1)}
        status, headers, _ = one.post("/open", form)
        assert status == 303
        steps = [ask(port, "GET", f"{headers['Location']}/steps/{k}", None, FRAGMENT)[0]
                 for k, port in zip(range(1, 21), roll.ports(), strict=False)]  # fmt: skip
        assert set(steps) == {200}
        assert other.post("/open", form)[1]["Location"] == headers["Location"]
