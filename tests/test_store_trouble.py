"""A store that cannot be used: plain words and 503 for saved lessons, nothing else suffers, and it
comes back by itself.
"""

from __future__ import annotations

import os
import shutil
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


def refuses(act: Callable[[], object]) -> None:
    with pytest.raises(StoreError, match=WORDS):
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
    assert store.find(lesson) is None
    (tmp_path / "backup.sqlite").rename(path)
    assert store.find(lesson) == "title: one\n"
    assert store.find(other) is None
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
