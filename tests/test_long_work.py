"""Files, training and later iterations in processes of their own: the same answers, ended when
nobody wants them, and started again.
"""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import connection
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client, EnvironBuilder
from werkzeug.wrappers import Response

from app import create_app
from tests.serving import Tutor
from tutor.web import long_work
from tutor.web.long_work import LongWork, LongWorkers
from tutor.web.places import PlacedApplication
from tutor.web.request_body import LINE, REASON, REFUSED
from tutor.web.server import BODIES, THREADS

PATIENCE = 20
LONG = (
    "/lessons/1-2-3-1-sigmoid/export/csv",
    "/lessons/1-2-3-1-sigmoid/export/html?grain=layer",
    "/lessons/1-2-3-1-sigmoid/steps/3?iteration=4",
    "/lessons/xor/training?iterations=20",
    "/lessons/nonsense/export/csv",
)
HERE = ("/lessons/1-2-3-1-sigmoid/steps/3", "/healthz", "/glossary")


def until(true: Callable[[], bool]) -> None:
    """Wait for it."""
    last = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < last, "waited in vain"
        time.sleep(0.01)


@pytest.fixture
def address(tmp_path: Path) -> str:
    return str(tmp_path / "0")


def serving(address: str, application: Any) -> None:
    """The other process, here in a thread that ends with the tests."""
    threading.Thread(target=long_work.serve, args=(address, application), daemon=True).start()
    until(lambda: Path(address).exists())


def never(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
    """An application that gets only what could not be handed on."""
    start("503 SERVICE UNAVAILABLE" if REFUSED in environ else "200 OK", [])
    return [environ.get(REASON, "here").encode()]


def answering(_environ: dict[str, Any], start: Any) -> Iterable[bytes]:
    start("200 OK", [])
    return [b"there"]


def lesson_for(way: LongWork, address: str) -> str:
    """A lesson that this process is responsible for."""
    return next(
        name
        for name in map(str, range(99))
        if way._responsible({"PATH_INFO": f"/lessons/{name}/"})[0] == address
    )


def asked(application: Any, path: str, method: str = "GET") -> Response:
    return Client(application).open(path, method=method)


@pytest.fixture(scope="module")
def app() -> Iterator[PlacedApplication]:
    """As a server has it, which leaves what is there before the first request out of collections of
    garbage: to go through all that a test run holds would count as time of a request.
    """
    found = PlacedApplication(create_app())
    gc.collect()
    gc.freeze()
    yield found
    gc.unfreeze()


@pytest.mark.parametrize("path", LONG)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_answer_is_the_one_that_the_worker_would_give(
    app: PlacedApplication, address: str, path: str, method: str
) -> None:
    serving(address, app)
    here, there = (asked(way, path, method) for way in (app, LongWork(never, [address])))
    assert there.status == here.status
    assert list(there.headers) == list(here.headers)
    assert there.get_data() == here.get_data()
    assert bool(here.get_data()) == (method == "GET")


@pytest.mark.parametrize("path", HERE)
def test_what_is_quick_stays_in_the_worker(address: str, path: str) -> None:
    assert asked(LongWork(never, [address]), path).get_data() == b"here"


def test_a_form_and_what_was_refused_already_stay_in_the_worker(address: str) -> None:
    assert asked(LongWork(never, [address]), LONG[0], "POST").get_data() == b"here"
    environ = EnvironBuilder(LONG[0]).get_environ() | {REFUSED: 503, REASON: "full"}
    assert list(LongWork(never, [address])(environ, lambda *_: None)) == [b"full"]  # type: ignore[arg-type]


def test_a_lesson_is_always_asked_of_the_same_process_and_lessons_are_shared_out() -> None:
    def where(path: str) -> str:
        return LongWork(never, ["0", "1", "2"])._responsible({"PATH_INFO": path})[0]

    lessons = [f"/lessons/{number:03}" for number in range(60)]
    assert {where(f"{one}/export/csv") for one in lessons} == {"0", "1", "2"}
    assert all(where(f"{one}/training") == where(f"{one}/steps/3") for one in lessons)


def test_an_answer_that_nobody_wants_any_more_is_ended_at_its_next_piece(address: str) -> None:
    go, closed = threading.Event(), threading.Event()

    def application(_environ: Any, start: Any) -> Iterator[bytes]:
        start("200 OK", [])

        def pieces() -> Iterator[bytes]:
            try:
                yield b"first"
                assert go.wait(PATIENCE)
                while True:
                    yield b"further"
            finally:
                closed.set()

        return pieces()

    serving(address, application)
    environ = EnvironBuilder(LONG[0]).get_environ()
    pieces: Any = LongWork(never, [address])(environ, lambda *_: None)  # type: ignore[arg-type]
    assert next(iter(pieces)) == b"first"
    pieces.close()
    go.set()
    assert closed.wait(PATIENCE)


def test_an_answer_that_breaks_off_is_not_taken_for_a_whole_one(address: str) -> None:
    def application(_environ: Any, start: Any) -> Iterator[bytes]:
        start("200 OK", [])
        return iter_and_die()

    def iter_and_die() -> Iterator[bytes]:
        yield b"first"
        raise OSError("the process is gone")

    serving(address, application)
    environ = EnvironBuilder(LONG[0]).get_environ()
    pieces = LongWork(never, [address])(environ, lambda *_: None)  # type: ignore[arg-type]
    with pytest.raises(EOFError):
        list(pieces)


def test_a_process_that_is_not_there_is_said_to_come_again(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_work, "STARTING", 0.1)
    gone = asked(LongWork(never, [address]), LONG[0])
    assert gone.status_code == 503
    assert gone.get_data(as_text=True) == long_work.ABSENT


def test_a_process_that_is_just_being_started_is_waited_for(address: str) -> None:
    starting = threading.Timer(0.2, serving, (address, answering))
    starting.start()
    assert asked(LongWork(never, [address]), LONG[0]).status_code == 200
    starting.join(PATIENCE)


def test_one_that_says_nothing_is_waited_for_no_longer_than_that(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_work, "PATIENCE", 0.05)
    with connection.Listener(address, family="AF_UNIX"):
        assert asked(LongWork(never, [address]), LONG[0]).status_code == 503


def test_one_that_says_nothing_in_the_middle_is_not_waited_for_either(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_work, "PATIENCE", 0.05)
    go = threading.Event()

    def slowly(_environ: Any, start: Any) -> Iterator[bytes]:
        start("200 OK", [])

        def pieces() -> Iterator[bytes]:
            yield b"first"
            go.wait(PATIENCE)

        return pieces()

    serving(address, slowly)
    pieces = LongWork(never, [address])(EnvironBuilder(LONG[0]).get_environ(), lambda *_: None)  # type: ignore[arg-type]
    with pytest.raises(EOFError):
        list(pieces)
    go.set()


def test_a_frozen_process_takes_neither_all_threads_nor_the_way_to_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_work, "STARTING", 0.1)
    frozen, other = str(tmp_path / "0"), str(tmp_path / "1")
    way = LongWork(never, [frozen, other])
    there = f"/lessons/{lesson_for(way, frozen)}/export/csv"
    with connection.Listener(frozen, family="AF_UNIX", backlog=long_work.TO_ONE):
        asking = [
            threading.Thread(target=asked, args=(way, there)) for _ in range(long_work.TO_ONE)
        ]
        for one in asking:
            one.start()
        until(lambda: dict(way._ways)[frozen]._value == 0)  # asking before would take one of them
        assert asked(way, there).get_data(as_text=True) == long_work.FULL
        serving(other, answering)
        assert asked(way, f"/lessons/{lesson_for(way, other)}/export/csv").status_code == 200
        assert asked(way, HERE[0]).get_data() == b"here"
    for one in asking:
        one.join(PATIENCE)
        assert not one.is_alive(), "all were told when it was gone"
    assert asked(way, there).get_data(as_text=True) == long_work.ABSENT, "and their ways are free"


def test_the_ways_of_all_processes_together_leave_threads_for_clicks() -> None:
    assert long_work.TO_ONE < long_work.TO_ALL
    assert long_work.TO_ALL + BODIES + LINE <= 7 / 8 * THREADS


def test_who_has_left_before_the_work_began_gets_none(address: str) -> None:
    seen: list[str] = []

    def application(environ: Any, start: Any) -> Iterable[bytes]:
        seen.append(environ["PATH_INFO"])
        return answering(environ, start)

    with connection.Listener(address, family="AF_UNIX") as listener:
        for path in ("/left", "/stays"):
            with connection.Client(address, family="AF_UNIX") as line:
                line.send({"PATH_INFO": path})
                if path == "/left":
                    line.close()
                long_work._answer(listener.accept(), application)
    assert seen == ["/stays"]


def test_one_that_cannot_start_is_tried_again_less_and_less_often(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pauses: list[float] = []
    done = threading.Event()

    def wait(pause: float) -> bool:
        pauses.append(pause)
        if len(pauses) > 12:
            done.set()
        return done.is_set()

    started: list[str] = []

    def failing(address: str) -> subprocess.Popen[bytes]:
        started.append(address)
        if len(started) == 3:
            raise BlockingIOError("Resource temporarily unavailable")
        return subprocess.Popen(["false"])

    monkeypatch.setattr(long_work, "_started", failing)
    workers = LongWorkers(1)
    monkeypatch.setattr(workers._stopped, "wait", wait)
    with workers:
        assert done.wait(PATIENCE), "also after one that the system would not start"
    assert pauses == sorted(pauses)
    assert pauses[0] <= 1
    assert pauses[-1] == long_work.SELDOM
    assert len(caplog.messages) == len(pauses) - 1


# ---- with real processes ----


def niceness(pid: int) -> int:
    return os.getpriority(os.PRIO_PROCESS, pid)


def alive(pid: int) -> bool:
    try:
        told = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return told.rpartition(")")[2].split()[0] != "Z"


def test_one_that_is_killed_is_started_again_and_all_end_with_the_main_process(
    tmp_path: Path,
) -> None:
    store = f"sqlite:///{tmp_path / 'lessons.sqlite'}"
    with Tutor(DATABASE_URL=store, LONG_WORKERS="1") as tutor:
        until(lambda: tutor.get(LONG[0])[0] == 200)
        (first,) = tutor.long_workers()
        assert niceness(first) == long_work.NICENESS
        os.kill(first, signal.SIGKILL)
        until(lambda: not alive(first))
        status, headers, text = tutor.get(LONG[0])
        assert status == 200 or (status == 503 and headers["Retry-After"] and "again" in text)
        assert tutor.get(HERE[0])[0] == 200
        until(lambda: tutor.get(LONG[0])[0] == 200)
        (second,) = tutor.long_workers()
        assert second != first
        all_of_them = [second, *tutor.workers()]
        assert len(all_of_them) == 2
        os.kill(tutor.pid, signal.SIGKILL)
        until(lambda: not any(alive(one) for one in all_of_them))


def test_without_them_the_workers_do_it_all(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'lessons.sqlite'}"
    with Tutor(DATABASE_URL=store, LONG_WORKERS="0") as tutor:
        until(lambda: tutor.get(LONG[0])[0] == 200)
        assert not tutor.long_workers()
