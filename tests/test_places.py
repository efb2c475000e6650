"""Places: each kind of request in a line of its own, none for what must always answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import pytest
from werkzeug.test import Client

from app import HOME, create_app
from tests.visiting import tutor
from tutor import budget, limits
from tutor.export.registry import ExportOrder, at_home
from tutor.lesson.walk import open_lesson
from tutor.pages.view import View
from tutor.scenario.reader import load
from tutor.web import places
from tutor.web.places import PerMinute, Place, PlacedApplication, kind, outside
from tutor.web.request_body import BUSY, REASON, REFUSED

FILE, PAGE, RUN = (
    {"PATH_INFO": "/lessons/x/export/csv"},
    {"PATH_INFO": "/"},
    {"PATH_INFO": "/lessons/x/steps/1", "QUERY_STRING": "iteration=9"},
)


def few(**seats: int) -> dict[str, Place]:
    """Places for tests: hardly any, and nobody waits for long."""
    return {
        "pages": Place("pages", seats.get("pages", 1), 1, 0.05, "page", 5),
        "files": Place("files", seats.get("files", 1), 1, 0.05, "file", 5, until_closed=True),
        "runs": Place("training runs", seats.get("runs", 1), 1, 0.05, "training", 5),
    }  # fmt: skip


def asked(
    application: PlacedApplication, environ: dict[str, str]
) -> tuple[Iterable[bytes], dict[str, Any]]:
    given: dict[str, Any] = dict(environ)
    return application(given, lambda *_: None), given  # type: ignore[arg-type,return-value]


def taken(application: PlacedApplication, environ: dict[str, Any]) -> list[bytes]:
    """All pieces of an answer, which is closed then as a server does."""
    answer, _ = asked(application, environ)
    found = list(answer)
    getattr(answer, "close", lambda: None)()
    return found


@pytest.mark.parametrize(
    ("path", "query", "wanted"),
    [
        ("/", "", "pages"),
        ("/lessons/x/steps/3", "grain=layer", "pages"),
        ("/lessons/x/steps/3", "iteration=1", "pages"),
        ("/lessons/x/steps/3", "iteration=", "pages"),
        ("/lessons/x/steps/3", "iteration=2", "runs"),
        ("/lessons/x/steps/3", "grain=layer&iteration=12", "runs"),
        ("/lessons/x/training", "", "trainings"),
        ("/lessons/x/training/progress", "iterations=1000", "trainings"),
        ("/lessons/x/training/moment", "at=3", "trainings"),
        ("/lessons/x/export", "kind=html", "pages"),
        ("/lessons/x/export/html", "iteration=7", "files"),
        ("/formula/export/html", "expression=x*y", "files"),
        ("/formula/export", "expression=x*y", "pages"),
        ("/formula/steps/3", "expression=x*y", "pages"),
        ("/static/walk.js", "", ""),
        ("/healthz", "", ""),
        ("/readyz", "", ""),
    ],
)
def test_each_address_has_its_kind(path: str, query: str, wanted: str) -> None:
    assert kind({"PATH_INFO": path, "QUERY_STRING": query}) == wanted


def test_no_more_requests_are_at_work_than_there_are_places() -> None:
    now, most, lock = 0, 0, threading.Lock()

    def application(_environ: Any, _start: Any) -> list[bytes]:
        nonlocal now, most
        with lock:
            now, most = now + 1, max(most, now + 1)
        time.sleep(0.01)
        with lock:
            now -= 1
        return []

    placed = PlacedApplication(application, {"pages": Place("pages", 2, 20, 10, "page", 5)})
    threads = [threading.Thread(target=asked, args=(placed, PAGE)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert most == 2
    assert placed.places["pages"].taken == 0


def test_who_finds_no_place_is_told_so_and_others_are_not_in_their_way() -> None:
    go, begun = threading.Event(), threading.Event()

    def application(environ: dict[str, Any], _start: Any) -> list[bytes]:
        if environ.get("slow"):
            begun.set()
            assert go.wait(10)
        return [b"done"]

    placed = PlacedApplication(application, few())  # type: ignore[arg-type]
    slow = threading.Thread(target=asked, args=(placed, {**RUN, "slow": "yes"}))
    slow.start()
    try:
        assert begun.wait(10)
        _, refused = asked(placed, RUN)
        assert refused[REFUSED] == BUSY
        assert "training runs" in refused[REASON]
        assert "(1)" in refused[REASON]
        for other in (PAGE, FILE, {"PATH_INFO": "/healthz"}):
            answer, environ = asked(placed, other)
            assert list(answer) == [b"done"]
            assert REFUSED not in environ
    finally:
        go.set()
        slow.join(10)
    assert REFUSED not in asked(placed, RUN)[1]


def test_a_line_that_is_full_is_not_made_longer() -> None:
    place = Place("pages", 1, 0, 60, "page", 5)
    assert place.enter()
    began = time.monotonic()
    assert not place.enter()
    assert time.monotonic() - began < 1
    place.leave()
    assert place.enter()


def test_a_file_keeps_its_place_until_it_is_closed() -> None:
    closed: list[str] = []

    def application(_environ: Any, _start: Any) -> Iterator[bytes]:
        try:
            yield from (b"1", b"2", b"3")
        finally:
            closed.append("here")

    placed = PlacedApplication(application, few())
    answer, _ = asked(placed, FILE)
    pieces = iter(answer)
    assert next(pieces) == b"1"
    assert asked(placed, FILE)[1][REFUSED] == BUSY
    answer.close()  # type: ignore[attr-defined]
    assert closed == ["here"]
    assert taken(placed, FILE) == [b"1", b"2", b"3"]


def test_a_failure_frees_the_place() -> None:
    def application(_environ: Any, _start: Any) -> list[bytes]:
        raise OSError("broken")

    placed = PlacedApplication(application, few())
    for environ in (PAGE, FILE, RUN) * 2:
        with pytest.raises(OSError, match="broken"):
            asked(placed, environ)
    assert [place.taken for place in placed.places.values()] == [0, 0, 0]


def test_one_file_at_a_time_is_worked_on() -> None:
    working, most = 0, 0

    def application(_environ: Any, _start: Any) -> Iterator[bytes]:
        nonlocal working, most
        for _ in range(5):
            working, most = working + 1, max(most, working + 1)
            time.sleep(0.002)
            working -= 1
            yield b"x"

    placed = PlacedApplication(application, few(files=4))
    threads = [threading.Thread(target=taken, args=(placed, FILE)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert most == 1


def test_who_waits_for_others_gives_the_place_to_those_who_can_work() -> None:
    go, waiting = threading.Event(), threading.Event()

    @outside
    def ask() -> str:
        waiting.set()
        assert go.wait(10)
        return "answer"

    def application(environ: dict[str, Any], _start: Any) -> list[bytes]:
        return [ask().encode() if environ.get("asks") else b"done"]

    placed = PlacedApplication(application, few())  # type: ignore[arg-type]
    found: list[bytes] = []
    for environ in (PAGE, FILE):
        thread = threading.Thread(
            target=lambda environ=environ: found.extend(taken(placed, {**environ, "asks": "yes"}))
        )
        waiting.clear(), go.clear()
        thread.start()
        try:
            assert waiting.wait(10)
            assert taken(placed, environ) == [b"done"]
        finally:
            go.set()
            thread.join(10)
    assert found == [b"answer", b"answer"]
    assert [place.taken for place in placed.places.values()] == [0, 0, 0]


def test_an_address_has_so_many_a_minute() -> None:
    now = 125.0
    often = PerMinute(2, lambda: now)
    assert [often.wait("a"), often.wait("a"), often.wait("a"), often.wait("b")] == [0, 0, 55, 0]
    now = 180.0
    assert often.wait("a") == 0


# ---- the tutor itself ----


def visitor(monkeypatch: pytest.MonkeyPatch, **limit: float) -> Client:
    for name, value in limit.items():
        monkeypatch.setattr(limits, name, value)
    return Client(PlacedApplication(tutor()))


def test_a_file_over_its_budget_is_refused_before_it_begins_with_the_command_that_makes_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = visitor(monkeypatch, FILE_MILLISECONDS=10)
    answer = client.get("/lessons/1-2-3-1-sigmoid/export/html?seed=9&version=3&decimals=3")
    assert answer.status_code == 422
    assert "0.01 seconds" in answer.text
    assert (
        "python -m tutor export 1-2-3-1-sigmoid.yaml --to html --decimals 3 --variants 3 --seed 9"
        in answer.text
    )


def test_whether_numbers_are_too_many_is_counted_and_not_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = "/lessons/3-2-3-softmax/export/{}?iteration=2"
    count = len(
        open_lesson(load(HOME / "scenarios" / "3-2-3-softmax.yaml"), 2).walk("number").order
    )
    monkeypatch.setattr("tutor.export.registry.NUMBERS_A_MILLISECOND", 1)
    # a clock that runs much too fast, as on a machine that is busy
    monkeypatch.setattr(budget, "SAMPLE", 1e-9)
    monkeypatch.setattr(budget, "DOUBT", 1e-9)
    for kind_ in ("csv", "json"):
        client = visitor(monkeypatch, FILE_MILLISECONDS=count)
        assert client.get(address.format(kind_)).status_code == 200
        client = visitor(monkeypatch, FILE_MILLISECONDS=count - 1)
        refused = client.get(address.format(kind_))
        assert refused.status_code == 422
        assert f"would have {count:,} numbers" in refused.text
        assert f"at most {count - 1:,}" in refused.text
        assert f"export 3-2-3-softmax.yaml --to {kind_} --iteration 2" in refused.text


def test_a_high_version_of_a_small_lesson_is_made() -> None:
    client = Client(PlacedApplication(tutor()))
    answer = client.get("/lessons/one-weight/export/worksheet?seed=1&version=100")
    assert answer.status_code == 200
    assert "version 100" in answer.text


def test_a_kind_of_file_that_there_is_not_is_named_as_such() -> None:
    answer = Client(PlacedApplication(tutor())).get("/lessons/one-weight/export/nonsense")
    assert answer.status_code == 404
    assert "there is no export called" in answer.text


def test_the_command_for_a_class_set_has_the_seed_that_it_needs() -> None:
    opened = open_lesson(load(HOME / "scenarios" / "one-weight.yaml"))
    said = at_home(opened, "class-set", View(input_gradients=True), ExportOrder())
    assert said.endswith(
        "python -m tutor export one-weight.yaml --to class-set "
        "--variants 4 --seed 1 --input-gradients"
    )


@pytest.mark.parametrize(
    "to", ["html", "interactive", "worksheet", "class-set", "csv", "json", "latex"]
)
def test_every_long_file_counts(monkeypatch: pytest.MonkeyPatch, to: str) -> None:
    seen: list[int] = []
    monkeypatch.setattr(budget, "foresee", lambda done, of: seen.append(done <= of))
    client = visitor(monkeypatch)
    assert client.get(f"/lessons/linear-regression/export/{to}").status_code == 200
    assert seen
    assert all(seen)


def test_a_page_over_its_budget_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    client = visitor(monkeypatch, PAGE_MILLISECONDS=1)
    answer = client.get("/lessons/linear-regression/steps/1?iteration=99")
    assert answer.status_code == 422
    assert "0.001 seconds" in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_busy_tutor_answers_with_a_page_that_says_when_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    none = {"files": Place("files", 0, 0, 0, "file", 1, until_closed=True)}
    answer = Client(PlacedApplication(tutor(), none)).get("/lessons/one-weight/export/csv")
    assert answer.status_code == BUSY
    assert answer.headers["Retry-After"] == str(places.RETRY)
    assert "as many files as it makes at once (0)" in answer.text


def test_downloads_of_one_address_are_counted_but_not_those_of_the_author(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "FILES_A_MINUTE", 2)
    monkeypatch.setattr("app.PerMinute", partial(PerMinute, clock=lambda: 30.0))
    client = Client(create_app())
    path = "/lessons/one-weight/export/csv"
    away, here = {"REMOTE_ADDR": "203.0.113.7"}, {"REMOTE_ADDR": "127.0.0.1"}
    statuses = [client.get(path, environ_overrides=away).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    refused = client.get(path, environ_overrides=away)
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert "2 files a minute" in refused.text
    assert client.get("/lessons/one-weight", environ_overrides=away).status_code == 200
    assert {client.get(path, environ_overrides=here).status_code for _ in range(4)} == {200}
