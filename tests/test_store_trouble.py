"""A store that cannot be used: plain words and 503 for saved lessons, nothing else suffers, and it
comes back by itself.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from app import create_app
from tests.databases import PostgreSQL
from tests.serving import Tutor
from tutor.errors import StoreError
from tutor.scenario.reader import load
from tutor.store import database, migrations
from tutor.store.saving import Refused, from_environment
from tutor.store.texts import Store, open_store

ROOT = Path(__file__).parents[1]
ELSEWHERE = Path("/nowhere/instance/lessons.sqlite")
UNKNOWN = "saved-aaaaaaaaaaaaaaaaaaaa"
WORDS = "Saved lessons are not available right now."


def stored(path: Path) -> tuple[Store, str]:
    """A store in a file with a lesson in it, and the lesson's id."""
    store = open_store(f"sqlite:///{path}", ELSEWHERE)
    return store, store.save("title: one\n", "")


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without the rights of root, who may write everywhere."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


def refuses(act: Callable[[], object], words: str = WORDS) -> None:
    with pytest.raises(StoreError, match=words):
        act()


# ---- SQLite ----


def test_a_folder_that_cannot_be_made_is_said_so_and_tried_again(tmp_path: Path) -> None:
    blocked = tmp_path / "store"
    blocked.write_text("a file where the folder should be")
    store = open_store(f"sqlite:///{blocked}/lessons.sqlite", ELSEWHERE)
    refuses(lambda: store.save("title: one\n", ""))
    assert store.find(UNKNOWN) is None
    blocked.unlink()
    assert store.find(store.save("title: one\n", "")) == "title: one\n"
    store.close()


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder that nobody's way to is not barred, as it is to pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="tutor-store-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_folder_that_is_read_only_is_said_so_and_tried_again(reachable: Path) -> None:
    reachable.chmod(0o555)
    store = open_store(f"sqlite:///{reachable}/lessons.sqlite", ELSEWHERE)
    with as_nobody():
        refuses(lambda: store.save("title: one\n", ""))
    reachable.chmod(0o755)
    assert store.save("title: one\n", "")
    store.close()


def test_a_store_that_may_only_be_read_is_read_or_said_so(reachable: Path) -> None:
    store, lesson = stored(reachable / "lessons.sqlite")
    store.close()
    reachable.chmod(0o555)
    with as_nobody():
        try:
            assert store.find(lesson) == "title: one\n"
        except StoreError as error:
            assert WORDS in str(error)  # noqa: PT017  (either is right; SQLite's versions differ)
        refuses(lambda: store.save("title: two\n", ""))
        store.close()
    reachable.chmod(0o755)
    assert store.save("title: two\n", "")
    store.close()


def test_a_folder_that_may_not_be_looked_into_is_no_empty_store(reachable: Path) -> None:
    store, lesson = stored(reachable / "store" / "lessons.sqlite")
    store.close()
    (reachable / "store").chmod(0o000)
    with as_nobody():
        refuses(lambda: store.find(lesson))
    (reachable / "store").chmod(0o755)
    assert store.find(lesson) == "title: one\n"
    store.close()


def test_who_comes_while_the_store_is_opened_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(engine: Engine) -> None:
        time.sleep(1.2)
        migrations.prepare(engine)

    monkeypatch.setattr("tutor.store.texts.prepare", slow)
    store = open_store(f"sqlite:///{tmp_path}/lessons.sqlite", ELSEWHERE)
    with ThreadPoolExecutor(4) as pool:
        assert len({*pool.map(lambda n: store.save(f"title: {n}\n", ""), range(4))}) == 4
    store.close()


def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "lessons.sqlite"
    path.write_text("my notes\n" * 1_000)
    store = open_store(f"sqlite:///{path}", ELSEWHERE)
    refuses(lambda: store.find(UNKNOWN))
    refuses(lambda: store.save("title: one\n", ""))
    assert WORDS in store.trouble()
    assert path.read_text() == "my notes\n" * 1_000
    path.unlink()
    assert store.save("title: one\n", "")
    store.close()


def test_a_file_that_another_program_holds_is_waited_for_but_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "WAIT", 1)
    monkeypatch.setattr(database, "PAUSE", 2.0)
    path = tmp_path / "lessons.sqlite"
    store, lesson = stored(path)
    store.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert store.find(lesson) == "title: one\n"
        refuses(lambda: store.save("title: two\n", ""))
        begun = time.monotonic()
        refuses(lambda: store.save("title: two\n", ""))
        assert time.monotonic() - begun < 0.8, "after a slow failure the next one comes at once"
        other.execute("COMMIT")
    time.sleep(2.1)
    assert store.save("title: two\n", "")
    store.close()


def test_a_file_that_is_taken_away_or_replaced_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "lessons.sqlite"
    store, lesson = stored(path)
    store.close()
    shutil.copy(path, tmp_path / "backup.sqlite")
    other = store.save("title: two\n", "")
    for name in tmp_path.glob("lessons.sqlite*"):
        name.unlink()
    refuses(lambda: store.find(lesson), "the file that they are kept in is gone")
    (tmp_path / "backup.sqlite").rename(path)
    assert store.find(lesson) == "title: one\n"
    assert store.find(other) is None
    store.close()


def remove(path: Path) -> None:
    for name in path.parent.glob(f"{path.name}*"):
        name.unlink()


def test_a_file_that_is_deleted_is_not_made_anew_and_the_log_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "lessons.sqlite"
    store, lesson = stored(path)
    remove(path)
    for act in (
        lambda: store.save("title: two\n", ""),
        lambda: store.find(lesson),
        lambda: store.prune(1),
    ):
        refuses(act, "the file that they are kept in is gone")
        assert not path.exists()
    assert "is gone" in store.trouble()
    assert f"{path} was there and is gone; put it back" in caplog.text
    store.close()


def test_a_process_that_never_opened_the_file_does_not_make_it_anew_either(tmp_path: Path) -> None:
    path = tmp_path / "lessons.sqlite"
    early = open_store(f"sqlite:///{path}", ELSEWHERE)
    maker, lesson = stored(path)
    late = open_store(f"sqlite:///{path}", ELSEWHERE)
    assert early.find(UNKNOWN) is None, "it has looked once while the file was there"
    maker.close()
    early.close()
    remove(path)
    for store in (maker, early, late):
        refuses(lambda store=store: store.save("title: two\n", ""), "is gone")  # type: ignore[misc]
    assert not path.exists()
    again = open_store(f"sqlite:///{path}", ELSEWHERE)
    made = again.save("title: two\n", "")
    for store in (maker, early, late):
        assert store.find(made) == "title: two\n", "all agree once there is a file again"
        assert store.find(lesson) is None
        store.close()
    again.close()


def test_a_file_that_was_emptied_is_not_filled_with_new_tables(tmp_path: Path) -> None:
    path = tmp_path / "lessons.sqlite"
    store, lesson = stored(path)
    store.close()
    remove(path)
    path.touch()
    for act in (lambda: store.find(lesson), lambda: store.save("title: two\n", "")):
        refuses(act, "is gone")
    assert path.stat().st_size == 0
    store.close()


def test_a_store_that_another_process_has_made_is_never_made_here(tmp_path: Path) -> None:
    path = tmp_path / "lessons.sqlite"
    maker = open_store(f"sqlite:///{path}", ELSEWHERE)
    maker.make()
    assert maker.was_there
    maker.close()
    remove(path)
    late = open_store(f"sqlite:///{path}", ELSEWHERE)
    assert not late.was_there
    late.expect()
    for act in (lambda: late.find(UNKNOWN), lambda: late.save("title: one\n", "")):
        refuses(act, "is gone")
    assert "is gone" in late.trouble()
    assert not path.exists()


def test_a_file_that_was_never_there_is_made_at_the_first_save(tmp_path: Path) -> None:
    path = tmp_path / "new" / "lessons.sqlite"
    stores = [open_store(f"sqlite:///{path}", ELSEWHERE) for _ in range(2)]
    assert [store.find(UNKNOWN) for store in stores] == [None, None]
    assert [store.trouble() for store in stores] == ["", ""]
    assert not path.exists()
    lesson = stores[0].save("title: one\n", "")
    assert [store.find(lesson) for store in stores] == ["title: one\n"] * 2
    for store in stores:
        store.close()


FULL = """
import resource, signal, sys
from pathlib import Path
from tutor.errors import StoreError
from tutor.store.texts import open_store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = open_store(sys.argv[1], Path("/nowhere/instance/x"))
first = store.save("title: small\\n", "")
before = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
try:
    store.save("x" * 1_000_000, "")
    print("saved")
except StoreError as error:
    print(error)
print(store.find(first) == "title: small\\n")
resource.setrlimit(resource.RLIMIT_FSIZE, before)
print(store.find(store.save("x" * 1_000_000, "")) == "x" * 1_000_000)
"""


def test_a_full_disk_refuses_what_is_new_and_keeps_what_is_there(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FULL, f"sqlite:///{tmp_path}/lessons.sqlite"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    first, *rest = done.stdout.splitlines()
    assert WORDS in first, done.stderr
    assert rest == ["True", "True"]


# ---- PostgreSQL ----


def test_postgresql_may_stop_and_come_back(postgresql: PostgreSQL) -> None:
    store = open_store(postgresql.new(), ELSEWHERE)
    lesson = store.save("title: one\n", "")
    postgresql.stop()
    try:
        refuses(lambda: store.find(lesson))
        refuses(lambda: store.save("title: two\n", ""))
    finally:
        postgresql.start()
    assert store.find(lesson) == "title: one\n"
    assert store.save("title: two\n", "")
    store.close()


def test_a_tutor_that_starts_before_postgresql_does_finds_it_later(postgresql: PostgreSQL) -> None:
    store = open_store(postgresql.new(), ELSEWHERE)
    postgresql.stop()
    try:
        refuses(lambda: store.save("title: one\n", ""))
    finally:
        postgresql.start()
    assert store.save("title: one\n", "")
    store.close()


def test_a_database_that_is_not_there_is_said_so(
    postgresql: PostgreSQL, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store(postgresql.url("no_such_database"), ELSEWHERE)
    refuses(lambda: store.find(UNKNOWN))
    assert 'database "no_such_database" does not exist' in caplog.text


def test_a_server_that_never_answers_holds_up_one_request_in_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(database.POSTGRESQL, "connect_timeout", 2)  # the least that libpq takes
    with socket.create_server(("127.0.0.1", 0)) as mute:
        store = open_store(f"postgresql://tutor@127.0.0.1:{mute.getsockname()[1]}/tutor", ELSEWHERE)
        begun = time.monotonic()
        refuses(lambda: store.find(UNKNOWN))
        assert time.monotonic() - begun < 10
        begun = time.monotonic()
        for _ in range(100):
            refuses(lambda: store.find(UNKNOWN))
        assert time.monotonic() - begun < 2


@pytest.fixture
def frozen(postgresql: PostgreSQL) -> Iterator[tuple[Store, str]]:
    """A store with open connections, whose server is then frozen; and a lesson in it."""
    store = open_store(postgresql.new(), ELSEWHERE, wait=1)
    lesson = store.save("title: one\n", "")
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: store.find(lesson), range(20))) == {"title: one\n"}
    with postgresql.frozen():
        yield store, lesson
    store.close()


def test_a_frozen_server_is_waited_for_only_so_long(
    frozen: tuple[Store, str], caplog: pytest.LogCaptureFixture
) -> None:
    store, lesson = frozen
    begun = time.monotonic()
    refuses(lambda: store.find(lesson))
    assert 1 < time.monotonic() - begun < 4, "a connection that is asked first, and a new one"
    begun = time.monotonic()
    for _ in range(100):
        refuses(lambda: store.find(lesson))
        refuses(lambda: store.save("title: two\n", ""))
    assert time.monotonic() - begun < 0.5, "after that the others fail at once"
    assert "no answer within 1 seconds" in caplog.text


def test_a_frozen_server_does_not_hold_more_than_a_few_threads(frozen: tuple[Store, str]) -> None:
    store, lesson = frozen

    def seconds(_: int) -> float:
        begun = time.monotonic()
        refuses(lambda: store.find(lesson))
        return time.monotonic() - begun

    with ThreadPoolExecutor(60) as pool:
        waited = sorted(pool.map(seconds, range(60)))
    assert waited[-1] < 4
    few = database.READERS + 1
    assert waited[-few] < database.SLOW + 0.5, "who finds all places taken soon goes on"


def test_a_server_that_goes_on_is_used_again(
    postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PAUSE", 0.2)
    store = open_store(postgresql.new(), ELSEWHERE, wait=1)
    lesson = store.save("title: one\n", "")
    with postgresql.frozen():
        refuses(lambda: store.save("title: two\n", ""))
    time.sleep(database.PAUSE)
    assert store.find(lesson) == "title: one\n"
    assert store.save("title: two\n", "") == store.save("title: two\n", "")
    store.close()


def test_a_server_that_is_frozen_while_it_answers_is_given_up(postgresql: PostgreSQL) -> None:
    store = open_store(postgresql.new(), ELSEWHERE, wait=1)
    store.save("title: one\n", "")
    begun = time.monotonic()
    with (
        postgresql.frozen(after=0.3),
        pytest.raises(StoreError),
        store._database.reading() as connection,
    ):
        connection.exec_driver_sql("SELECT pg_sleep(30)")
    assert time.monotonic() - begun < 3
    store.close()


def test_a_server_that_takes_too_long_says_so_itself_and_keeps_its_connection(
    postgresql: PostgreSQL, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store(postgresql.new(), ELSEWHERE, wait=1)
    store.save("title: one\n", "")
    with pytest.raises(StoreError), store._database.reading() as connection:
        connection.exec_driver_sql("SELECT pg_sleep(30)")
    assert "statement timeout" in caplog.text
    store.close()


def test_whether_the_store_is_ready_is_known_sooner(postgresql: PostgreSQL) -> None:
    store = open_store(postgresql.new(), ELSEWHERE, wait=30)
    store.save("title: one\n", "")
    assert store.trouble(1) == ""
    with postgresql.frozen():
        begun = time.monotonic()
        assert WORDS in store.trouble(1)
        assert time.monotonic() - begun < 4
    store.close()


# ---- pages ----


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """The tutor over a store that is no database."""
    path = tmp_path / "lessons.sqlite"
    path.write_text("my notes\n" * 1_000)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{path}")
    return create_app().test_client()


@pytest.mark.parametrize("rest", ["", "/steps/1", "/export", "/scenario.yaml"])
def test_a_saved_lesson_that_cannot_be_reached_is_a_page_with_our_words(
    rest: str, broken: FlaskClient, tmp_path: Path
) -> None:
    answer = broken.get(f"/lessons/{UNKNOWN}{rest}")
    assert answer.status_code == 503
    assert WORDS in answer.text
    assert answer.headers["Retry-After"] == "60"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    for secret in ("Traceback", str(tmp_path), "sqlite", "my notes"):
        assert secret not in answer.text


def test_the_shelf_does_not_mind(broken: FlaskClient) -> None:
    for address in (
        "/",
        "/lessons/3-2-3-softmax",
        "/lessons/3-2-3-softmax/steps/1",
        "/healthz",
        "/lessons/no-such-lesson",
    ):
        assert broken.get(address).status_code == (404 if "no-such" in address else 200)


def test_saving_is_refused_with_503(tmp_path: Path) -> None:
    path = tmp_path / "lessons.sqlite"
    path.write_text("my notes\n" * 1_000)
    saving = from_environment({"DATABASE_URL": f"sqlite:///{path}"}, ROOT)
    with pytest.raises(Refused, match=WORDS) as refused:
        saving.save(load(ROOT / "scenarios" / "3-2-3-softmax.yaml"), "192.0.2.1")
    assert refused.value.status == 503


def test_readiness_is_apart_from_being_alive(broken: FlaskClient) -> None:
    answer = broken.get("/readyz")
    assert answer.status_code == 503
    assert answer.mimetype == "text/plain"
    assert answer.text.startswith(f"store: {WORDS}")
    assert int(answer.headers["Retry-After"]) > 0
    assert broken.get("/healthz").status_code == 200


def test_a_deleted_file_is_a_page_with_our_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lessons.sqlite"
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{path}")
    client = create_app().test_client()
    assert client.get("/readyz").text == "ready\n"
    form = {
        "do": "save",
        "text": (ROOT / "scenarios" / "3-2-3-softmax.yaml").read_text(encoding="utf-8"),
    }
    assert client.post("/open", data=form).status_code == 303
    remove(path)
    for answer in (
        client.post("/open", data=form),
        client.get(f"/lessons/{UNKNOWN}"),
        client.get("/readyz"),
    ):
        assert answer.status_code == 503
        assert "the file that they are kept in is gone" in answer.text
    assert client.get("/lessons/3-2-3-softmax/steps/1").status_code == 200
    assert not path.exists()


# ---- workers ----


def respawned(tutor: Tutor) -> None:
    """Kill every worker, and wait until others answer."""
    before = tutor.workers()
    for worker in before:
        os.kill(worker, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while True:
        with contextlib.suppress(OSError):
            after = tutor.workers()
            new = not set(before) & set(after) and len(after) == len(before)
            if new and tutor.get("/healthz")[0] == 200:
                return
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow
def test_a_worker_that_starts_after_the_file_was_deleted_does_not_make_it_anew(
    tmp_path: Path,
) -> None:
    path = tmp_path / "store" / "lessons.sqlite"
    form = {
        "do": "save",
        "text": (ROOT / "scenarios" / "3-2-3-softmax.yaml").read_text(encoding="utf-8"),
    }
    settings = {"DATABASE_URL": f"sqlite:///{path}"}
    with Tutor(**settings) as tutor:
        assert path.exists(), "the server makes it before there are workers"
        assert f"{path} is new and empty" in tutor.log()
        assert tutor.post("/open", form)[0] == 303
        remove(path)
        respawned(tutor)
        for status, _, said in (
            tutor.get("/readyz"),
            tutor.get(f"/lessons/{UNKNOWN}"),
            tutor.post("/open", form),
        ):
            assert status == 503
            assert "the file that they are kept in is gone" in said
        assert tutor.get("/lessons/3-2-3-softmax/steps/1")[0] == 200
        assert not path.exists()
        assert f"{path} was there and is gone; put it back" in tutor.log()
    with Tutor(**settings) as tutor:
        assert tutor.get("/readyz")[0] == 200, "whoever starts it again has an empty one"
        assert tutor.get(f"/lessons/{UNKNOWN}")[0] == 404
        assert tutor.post("/open", form)[0] == 303


@pytest.mark.slow
def test_a_tutor_that_saves_nothing_makes_no_file(tmp_path: Path) -> None:
    path = tmp_path / "lessons.sqlite"
    with Tutor(DATABASE_URL=f"sqlite:///{path}", SAVING="off") as tutor:
        assert tutor.get(f"/lessons/{UNKNOWN}")[0] == 404
        assert tutor.get("/readyz")[0] == 200
        respawned(tutor)
        assert tutor.get(f"/lessons/{UNKNOWN}")[0] == 404
    assert not path.exists()
