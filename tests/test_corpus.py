"""What could be opened once can be opened for good: files, saved lessons and addresses, with the
numbers that they gave.

Everything in tests/corpus is frozen. There is no switch that renews it, on purpose: a red test
means that somebody's file, saved lesson or bookmark no longer opens, or opens as something else.
New formats add files and addresses; nothing that is there is changed. Where pages look different,
only the reading of pages (`Reading`, below) follows.

    files/<folder>/    scenario and course files, byte for byte; each folder is opened as a shelf
    files.json         file -> the id that its lesson gets when it is saved
    saved/             texts of saved lessons, as the store has them
    saved.json         id -> its text, how many steps it has, some of its numbers, the losses of
                       iteration 3
    courses.json       folder -> the titles and the lessons of its courses, in the order of the
                       gallery
    addresses.json     group -> address -> what comes: status, media type or target, and what a step
                       or a data file says

No words are kept, and no losses of single samples. The tests knock from outside, by HTTP, so that
they need not follow when modules move.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app import create_app

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.test import TestResponse

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "tests" / "corpus"
FILES: dict[str, str] = json.loads((CORPUS / "files.json").read_text(encoding="utf-8"))
SAVED: dict[str, Any] = json.loads((CORPUS / "saved.json").read_text(encoding="utf-8"))
COURSES: dict[str, Any] = json.loads((CORPUS / "courses.json").read_text(encoding="utf-8"))
ADDRESSES: dict[str, dict[str, Any]] = json.loads(
    (CORPUS / "addresses.json").read_text(encoding="utf-8")
)


@cache
def tutor(*folders: str) -> Flask:
    """The application over some folders of the corpus, without any over the lessons that come with
    the tutor.
    """
    return (
        create_app(*(CORPUS / "files" / folder for folder in folders))
        if folders
        else create_app(ROOT / "scenarios")
    )


def get(address: str, app: Flask | None = None, **headers: str) -> TestResponse:
    """The answer to a GET, read to its end; headers with underscores for hyphens."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return (app or tutor()).test_client().get(address, headers=given, buffered=True)


@cache
def uploaded(path: Path) -> str:
    """The id of a lesson whose file was uploaded at /open and saved."""
    form = {"do": "save", "file": (io.BytesIO(path.read_bytes()), path.name)}
    answer = tutor().test_client().post("/open", data=form, content_type="multipart/form-data")
    assert answer.status_code == 303, f"{path.name} is not saved any more: {answer.status}"
    return answer.headers["Location"].removeprefix("/lessons/")


def saved(lesson: str) -> str:
    """The id of a saved lesson, once it is in the store: from a file of its own, else from its
    text.
    """
    file = next((file for file, made in FILES.items() if made == lesson), None)
    return uploaded(CORPUS / "files" / file if file else CORPUS / "saved" / SAVED[lesson]["text"])


def text_of(lesson: str) -> str:
    """The text of a saved lesson, as it is kept."""
    return (CORPUS / "saved" / SAVED[lesson]["text"]).read_bytes().decode("utf-8")


# ---- reading: what of an answer is compared ----


class Reading:
    """How a page of ours is read: the one thing here that may follow when pages change."""

    PLACE = re.compile(r'data-n="(\d+)" data-total="(\d+)"')
    ANOTHER_WAY = re.compile(r'<section class="way">.*?</section>', re.DOTALL)
    RESULT = re.compile(r'<p class="line result">(.*?)</p>', re.DOTALL)
    NOTE = re.compile(r'<span class="rounding">.*?</span>', re.DOTALL)
    MADE = re.compile(r'data-q="([^"]*)"')
    POWER = re.compile(r"<mo>·</mo><msup><mn>10</mn><mn>([^<]*)</mn></msup>")
    COURSE = re.compile(r'<section class="lecture"><h2[^>]*>(.*?)</h2>(.*?)</section>', re.DOTALL)
    CARD = re.compile(r'<li class="card" data-lesson="([^"]*)">')

    @classmethod
    def step(cls, page: str) -> dict[str, Any]:
        """Which step this is, what it makes and its result; a whole phase has several, a matrix is
        `1, 2; 3, 4`.
        """
        place = cls.PLACE.search(page)
        lines = cls.RESULT.findall(cls.ANOTHER_WAY.sub("", page))
        found = {
            "step": list(map(int, place.groups())) if place else [],
            "makes": [name for line in lines for name in cls.MADE.findall(line)],
            "results": [cls.numbers(line) for line in lines],
        }
        return {key: value for key, value in found.items() if value}

    @classmethod
    def numbers(cls, line: str) -> str:
        """The numbers of a line of a formula, without = or ≈ and what is said of the rounding:
        `-1.27e-3`.
        """
        marked = (
            cls.POWER.sub(r"e\1", cls.NOTE.sub("", line))
            .replace("</mtd></mtr>", "; ")
            .replace("</mtd>", ", ")
        )
        return re.sub(r"<[^>]*>", "", marked).replace("\N{MINUS SIGN}", "-").strip(":=≈[]; ")

    @classmethod
    def courses(cls, page: str) -> list[list[Any]]:
        """(title, lessons) of each course of the gallery."""
        return [[title, cls.CARD.findall(body)] for title, body in cls.COURSE.findall(page)]


def read(answer: TestResponse) -> dict[str, Any]:
    """What of an answer is compared with what was kept."""
    if 300 <= answer.status_code < 400:
        return {"status": answer.status_code, "to": answer.headers["Location"]}
    found = {"status": answer.status_code, "type": answer.headers["Content-Type"]}
    if answer.mimetype == "text/html":
        return found | Reading.step(answer.text)
    if answer.mimetype == "application/json":
        return found | data(answer)
    return found


def data(answer: TestResponse) -> dict[str, Any]:
    """The numbers of a data file, and where they end."""
    found = json.loads(answer.text)
    return {"numbers": found["quantities"]} | (
        {"stopped": found["stopped"]["quantity"]} if "stopped" in found else {}
    )


def differences(kept: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Everything that was kept and is not what was found."""
    asked = ("status", "type", "to", "stopped", *(["step"] if "step" in kept else []))
    wrong = [
        f"{key}: {kept.get(key)!r} is now {found.get(key)!r}"
        for key in asked
        if kept.get(key) != found.get(key)
    ]
    wrong += [f"{key}: not all of {kept[key]} in {found.get(key)}" for key in ("makes", "results")
              if not in_order(kept.get(key, ()), found.get(key, ()))]  # fmt: skip
    return wrong + moved(kept.get("numbers", {}), found.get("numbers", {}))


def in_order(kept: Sequence[str], found: Iterable[str]) -> bool:
    """Whether everything that was kept is still there in this order; a whole phase may show more
    lines than it did.
    """
    rest = iter(found)
    return all(one in rest for one in kept)


def moved(kept: Mapping[str, float], found: Mapping[str, float]) -> list[str]:
    """The numbers that are others now. They are kept with 12 digits; the last ones may differ
    between processors.
    """
    return [
        f"{name}: {value} is now {found.get(name)}"
        for name, value in kept.items()
        if not same(value, found.get(name, math.nan))
    ]


def same(kept: float, found: float) -> bool:
    return math.isclose(kept, found, rel_tol=1e-10, abs_tol=0 if kept else 1e-15)


# ---- files and saved lessons ----


@pytest.mark.parametrize("file", FILES)
def test_a_file_of_once_opens_and_is_saved_as_the_same_lesson(file: str) -> None:
    path, lesson = CORPUS / "files" / file, FILES[file]
    shelf = tutor(file.split("/", 1)[0])
    assert get(f"/lessons/{path.stem}/scenario.yaml", shelf).data.decode() == text_of(lesson)
    assert uploaded(path) == lesson
    found = data(get(f"/lessons/{path.stem}/export/json", shelf))
    assert differences({key: SAVED[lesson].get(key) for key in ("numbers", "stopped")}, found) == []


@pytest.mark.parametrize("lesson", SAVED, ids=[kept["text"] for kept in SAVED.values()])
def test_a_saved_text_of_once_has_its_address_its_steps_and_its_numbers(lesson: str) -> None:
    kept, address = SAVED[lesson], f"/lessons/{lesson}"
    digest = base64.b32encode(hashlib.sha256(text_of(lesson).encode()).digest()).decode().lower()
    assert saved(lesson) == lesson == f"saved-{digest[:20]}"
    assert get(f"{address}/scenario.yaml").data.decode() == text_of(lesson)
    for grain, last in kept["steps"].items():
        assert Reading.step(get(f"{address}/steps/{last}?grain={grain}", HX_Request="true").text)[
            "step"
        ] == [last, last]
    if lesson not in FILES.values():  # else the test of the file has looked
        assert (
            differences(
                {key: kept.get(key) for key in ("numbers", "stopped")},
                data(get(f"{address}/export/json")),
            )
            == []
        )
    if "third" in kept:
        assert (
            moved(kept["third"], data(get(f"{address}/export/json?iteration=3"))["numbers"]) == []
        )


@pytest.mark.parametrize("folders", COURSES)
def test_course_files_of_once_order_the_gallery(folders: str) -> None:
    shelf = tutor(*folders.split())
    assert Reading.courses(get("/", shelf).text) == COURSES[folders]["courses"]
    assert {
        get(f"/lessons/{lesson}", shelf).status_code for lesson in COURSES[folders]["hidden"]
    } <= {200}


# ---- addresses ----


@pytest.mark.parametrize("group", ADDRESSES)
def test_addresses_of_once_lead_to_what_they_led_to(group: str) -> None:
    wrong = {}
    for address, kept in ADDRESSES[group].items():
        for lesson in set(re.findall(r"saved-[a-z2-7]{20}", address)) & SAVED.keys():
            saved(lesson)
        found = differences(kept, read(get(address)))
        if found:
            wrong[address] = found
    assert wrong == {}


# ---- the corpus itself ----


def test_every_file_of_the_corpus_is_tested() -> None:
    files = {
        path.relative_to(CORPUS / "files").as_posix()
        for path in (CORPUS / "files").rglob("*")
        if path.is_file()
    }
    courses = {file for file in files if Path(file).stem == "course"}
    assert files - courses == FILES.keys()
    assert {file.split("/", 1)[0] for file in courses} == {
        folder for folders in COURSES for folder in folders.split()
    }
    assert set(FILES.values()) <= SAVED.keys()
    assert sorted(kept["text"] for kept in SAVED.values()) == sorted(
        path.name for path in (CORPUS / "saved").iterdir()
    )


def test_the_comparison_finds_what_has_changed() -> None:
    kept = {
        "status": 200,
        "type": "text/html",
        "step": [3, 9],
        "makes": ["z[1][1]"],
        "results": ["1.5"],
        "numbers": {"loss": 0.25, "a": 0},
    }
    assert (
        differences(
            kept,
            kept
            | {"results": ["0.5", "1.5"], "numbers": {"loss": 0.25 + 1e-13, "a": 1e-17, "b": 1}},
        )
        == []
    )
    for key, value in {
        "status": 404, "type": "text/plain", "to": "/", "step": [3, 10], "makes": [], "results": ["1.50"], "stopped": "loss",
        "numbers": {"loss": 0.25 + 1e-9, "a": 0},
    }.items():  # fmt: skip
        assert len(differences(kept, kept | {key: value})) == 1, key
    assert len(differences(kept, kept | {"numbers": {}})) == 2
