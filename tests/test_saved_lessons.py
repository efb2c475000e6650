"""Saved lessons are scenarios like any other: parsed once, the same object each time, and asked for
again on a new day.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tutor.errors import StoreError
from tutor.scenario import dump
from tutor.scenario.reader import load
from tutor.store import saved_lessons
from tutor.store.saved_lessons import KEPT, SavedLessons, is_saved
from tutor.web.library import Library

ROOT = Path(__file__).parents[1]
TEXT = dump.write(load(ROOT / "scenarios" / "3-2-3-softmax.yaml"))
LESSON = dump.content_id(TEXT)


class Shop:
    """A store that counts what it is asked."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.texts, self.asked, self.open = texts, 0, True

    def find(self, lesson: str) -> str | None:
        self.asked += 1
        if not self.open:
            raise StoreError
        return self.texts.get(lesson)


@pytest.fixture
def shop() -> Shop:
    return Shop({LESSON: TEXT})


def clock(days: list[float]) -> Callable[[], float]:
    return lambda: days[0] * 24 * 3600


def test_a_saved_lesson_is_read_once_and_is_always_the_same_object(shop: Shop) -> None:
    lessons = SavedLessons(shop.find)
    found = lessons.find(LESSON)
    assert found is not None
    assert found.id == LESSON
    assert lessons.find(LESSON) is found
    assert shop.asked == 1


def test_the_store_is_asked_again_on_a_new_day_and_the_object_stays(shop: Shop) -> None:
    today = [100.0]
    lessons = SavedLessons(shop.find, clock(today))
    found = lessons.find(LESSON)
    today[0] = 101.0
    assert lessons.find(LESSON) is found
    assert lessons.find(LESSON) is found
    assert shop.asked == 2


def test_a_lesson_that_was_pruned_is_gone_on_the_next_day(shop: Shop) -> None:
    today = [100.0]
    lessons = SavedLessons(shop.find, clock(today))
    lessons.find(LESSON)
    shop.texts.clear()
    today[0] = 101.0
    assert lessons.find(LESSON) is None


def test_a_lesson_that_is_known_is_shown_while_the_store_cannot_be_reached(shop: Shop) -> None:
    today = [100.0]
    lessons = SavedLessons(shop.find, clock(today))
    found = lessons.find(LESSON)
    shop.open, today[0] = False, 101.0
    assert lessons.find(LESSON) is found
    with pytest.raises(StoreError):
        lessons.find("saved-aaaaaaaaaaaaaaaaaaaa")


def test_a_lesson_that_is_not_there_may_be_saved_later(shop: Shop) -> None:
    lessons = SavedLessons(shop.find)
    shop.texts.clear()
    assert lessons.find(LESSON) is None
    shop.texts[LESSON] = TEXT
    assert lessons.find(LESSON) is not None


def test_a_text_that_limits_refuse_by_now_is_not_there_and_the_log_says_why(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lessons = SavedLessons(shop.find)
    monkeypatch.setattr("tutor.limits.PARAMETERS", 3)
    assert lessons.find(LESSON) is None
    assert lessons.find(LESSON) is None
    assert "the limit is 3" in caplog.text
    assert shop.asked == 1, "it is not parsed at each visit"


def test_only_so_many_are_kept(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    lessons = SavedLessons(lambda lesson: shop.find(lesson) and "no scenario")
    many = [f"saved-{n:020}".translate(str.maketrans("0189", "abcd")) for n in range(KEPT + 10)]
    shop.texts = dict.fromkeys(many, "x")
    monkeypatch.setattr(saved_lessons, "opened", lambda *_: object())
    first = lessons.find(many[0])
    for lesson in many[1:]:
        lessons.find(lesson)
    assert len(lessons._kept) == KEPT
    assert lessons.find(many[0]) is not first


@pytest.mark.parametrize(
    "lesson",
    [
        "3-2-3-softmax",
        "saved-",
        f"saved-{'A' * 20}",
        f"saved-{'a' * 19}",
        f"saved-{'a' * 19}1",
        f"{LESSON}\n",
        f"{LESSON}a",
    ],
)
def test_the_store_is_not_asked_for_what_cannot_be_there(lesson: str, shop: Shop) -> None:
    assert not is_saved(lesson)
    assert SavedLessons(shop.find).find(lesson) is None
    assert shop.asked == 0


def test_a_library_finds_the_shelf_first_and_then_the_store(shop: Shop) -> None:
    library = Library([ROOT / "scenarios"], lambda *_: "", shop.find)
    assert library.find("3-2-3-softmax") is library.shelf.find("3-2-3-softmax")
    assert shop.asked == 0
    assert (found := library.find(LESSON)) is not None
    assert library.find(LESSON) is found
    assert library.find("no-such-lesson") is None
