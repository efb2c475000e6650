"""The store keeps texts for good: the same text has one id, what was saved is found byte for byte,
nothing changes it.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine

from tests.strategies import problems
from tutor.errors import SettingError, StoreError, TooManySavesError
from tutor.lesson.setup import Setup
from tutor.scenario import dump, reader
from tutor.scenario.dump import content_id
from tutor.store import visits
from tutor.store.texts import DAY, Allowance, Store, address, open_store

NOW = 1_800_000_000.0
ELSEWHERE = Path("/nowhere/instance/lessons.sqlite")
PINNED = {"format: 1\n": "saved-d55zmnile2hdg3c6fcie", "title: ŷ\n": "saved-7xxh7w5lxnlo7zj7uapx"}


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    opened = open_store(store_url, ELSEWHERE)
    yield opened
    opened.close()


@pytest.fixture
def sql(store_url: str) -> Iterator[Callable[..., list[tuple[object, ...]]]]:
    """Run a statement beside the store, as an administrator would."""
    engine: Engine = create_engine(address(store_url, ELSEWHERE))

    def run(statement: str, **values: object) -> list[tuple[object, ...]]:
        with engine.begin() as connection:
            done = connection.execute(text(statement), values)
            return [tuple(row) for row in done] if done.returns_rows else []

    yield run
    engine.dispose()


# ---- save and find ----


def test_what_was_saved_is_found(store: Store) -> None:
    made = store.save("title: one\n", "3-2-3-softmax")
    assert store.find(made) == "title: one\n"


def test_what_was_never_saved_is_not_there(store: Store) -> None:
    assert store.find("saved-aaaaaaaaaaaaaaaaaaaa") is None
    store.save("title: one\n", "")
    assert store.find("saved-aaaaaaaaaaaaaaaaaaaa") is None


def test_the_same_text_has_the_same_id_and_one_row(
    store: Store, sql: Callable[..., list[tuple[object, ...]]]
) -> None:
    assert store.save("title: one\n", "") == store.save("title: one\n", "")
    assert store.save("title: two\n", "") != store.save("title: one\n", "")
    assert sql("SELECT count(*) FROM tutor_lessons") == [(2,)]


@pytest.mark.parametrize(("text_", "lesson"), PINNED.items())
def test_an_id_never_changes(text_: str, lesson: str, store: Store) -> None:
    assert store.save(text_, "") == lesson


def test_another_process_finds_it_too(store: Store, store_url: str) -> None:
    made = store.save("title: one\n", "")
    other = open_store(store_url, ELSEWHERE)
    assert other.find(made) == "title: one\n"
    other.close()


TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=300)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=60,
)
@given(text_=TEXTS)
def test_any_text_is_found_byte_for_byte(store: Store, text_: str) -> None:
    made = store.save(text_, "")
    found = store.find(made)
    assert found is not None
    assert found.encode() == text_.encode()


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=60,
)
@given(
    problem=problems(outputs=("identity", "sigmoid", "tanh"), losses=("squared_error",)),
    title=TEXTS.filter(str.isprintable),
)
def test_the_canonical_text_of_any_lesson_is_found_byte_for_byte(
    store: Store, problem: Setup, title: str
) -> None:
    made = lesson_of(problem, title)
    written = dump.write(made)
    found = store.find(store.save(written, made.origin))
    assert found == written
    assert dump.write(reader.parse(found, "again")) == written


def lesson_of(problem: Setup, title: str) -> reader.Scenario:
    """A scenario with the network and the batch of a problem."""
    layers = [
        {
            "units": layer.weights.shape[0],
            "activation": "tanh" if number else "sigmoid",
            "weights": tuple(map(tuple, layer.weights.tolist())),
            "biases": "none" if layer.biases is None else tuple(layer.biases.tolist()),
        }
        for number, layer in enumerate(problem.network.layers)
    ]
    data = {
        "format": 1,
        "title": f"A {title}",
        "network": {
            "inputs": problem.x.shape[1],
            "layers": tuple(layers),
            "loss": {"name": "squared_error"},
        },
        "data": {
            "inputs": tuple(map(tuple, problem.x.tolist())),
            "targets": tuple(map(tuple, problem.y.tolist())),
        },
        "training": {"learning_rate": problem.eta},
    }
    return reader.parse_data(data, "made.yaml")


# ---- nothing changes a lesson ----


def test_a_text_that_was_damaged_counts_as_not_there(
    store: Store, sql: Callable[..., list[tuple[object, ...]]], caplog: pytest.LogCaptureFixture
) -> None:
    made = store.save("title: one\n", "")
    sql("UPDATE tutor_lessons SET text = 'title: other'")
    assert store.find(made) is None
    assert f"{made} no longer matches its id" in caplog.text


def test_saving_a_damaged_lesson_again_mends_it(
    store: Store, sql: Callable[..., list[tuple[object, ...]]]
) -> None:
    made = store.save("title: one\n", "")
    sql("UPDATE tutor_lessons SET text = 'title: other'")
    assert store.save("title: one\n", "") == made
    assert store.find(made) == "title: one\n"


def test_a_lesson_with_the_id_of_another_one_does_not_replace_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tutor.store.texts.content_id", lambda _: "saved-aaaaaaaaaaaaaaaaaaaa")
    made = store.save("title: one\n", "")
    with pytest.raises(StoreError, match="already has the address"):
        store.save("title: two\n", "")
    assert store.find(made) == "title: one\n"


# ---- seen and pruned ----


def seen(sql: Callable[..., list[tuple[object, ...]]]) -> object:
    return sql("SELECT seen FROM tutor_lessons")[0][0]


def test_a_visit_is_noted_once_a_day(
    store: Store, sql: Callable[..., list[tuple[object, ...]]]
) -> None:
    made = store.save("title: one\n", "", NOW)
    today = int(NOW // DAY)
    assert seen(sql) == today
    store.find(made, NOW + 3 * DAY)
    store.visits.write_now()
    assert seen(sql) == today + 3
    store.find(made, NOW + 1 * DAY)
    store.visits.write_now()
    assert seen(sql) == today + 3


def test_a_visit_that_cannot_be_noted_is_a_visit_all_the_same(
    store: Store, sql: Callable[..., list[tuple[object, ...]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = store.save("title: one\n", "", NOW)

    def refuse() -> object:
        raise StoreError

    with monkeypatch.context() as patch:
        patch.setattr(store._database, "writing", refuse)
        assert store.find(made, NOW + 3 * DAY) == "title: one\n"
        store.visits.write_now()
    store.visits.write_now()
    assert seen(sql) == int(NOW // DAY) + 3, "it is noted as soon as that can be done again"


def test_reading_lessons_opens_no_transaction_of_the_writer(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [store.save(f"title: {n}\n", "", NOW) for n in range(5)]
    writing, written = store._database.writing, []

    def counted() -> object:
        written.append(1)
        return writing()

    monkeypatch.setattr(store._database, "writing", counted)
    for lesson in made * 2:
        store.find(lesson, NOW + 3 * DAY)
    assert written == []
    store.visits.write_now()
    store.visits.write_now()
    assert written == [1], "all of them together"
    assert store.prune(1, now=NOW + 4 * DAY) == []


def test_visits_are_written_after_a_while_without_another_request(
    store: Store,
    sql: Callable[..., list[tuple[object, ...]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store.visits, "_pause", 0.1)
    made = store.save("title: one\n", "", NOW)
    store.find(made, NOW + 3 * DAY)
    deadline = time.monotonic() + 10
    while seen(sql) != int(NOW // DAY) + 3:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_visits_are_written_before_pruning_and_when_the_store_is_closed(
    store: Store, sql: Callable[..., list[tuple[object, ...]]]
) -> None:
    one, two = (store.save(f"title: {n}\n", "", NOW) for n in range(2))
    store.find(one, NOW + 9 * DAY)
    assert store.prune(5, now=NOW + 10 * DAY) == [two]
    store.find(one, NOW + 20 * DAY)
    store.close()
    assert seen(sql) == int(NOW // DAY) + 20


VISITS = """
import multiprocessing, sys
from pathlib import Path
from tutor.store.texts import open_store

def visit(url, lesson):
    open_store(url, Path("/nowhere/instance/x")).find(lesson)

if __name__ == "__main__":
    process = multiprocessing.get_context("fork").Process(target=visit, args=sys.argv[1:])
    process.start()
    process.join()
"""


def test_visits_are_written_when_a_serving_process_ends(
    store: Store, store_url: str, sql: Callable[..., list[tuple[object, ...]]], root: Path
) -> None:
    made = store.save("title: one\n", "", NOW - 3_000 * DAY)
    before = seen(sql)
    store.close()
    command = [sys.executable, "-c", VISITS, store_url, made]
    subprocess.run(command, cwd=root, check=True)
    assert seen(sql) > before  # type: ignore[operator]


def test_only_so_many_visits_are_kept_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits, "MOST", 3)
    written: list[dict[str, int]] = []
    noted = visits.Visits(written.append, pause=60)
    for n in range(9):
        noted.note(f"saved-{n}", 7)
    noted.note("saved-1", 8)
    noted.write_now()
    assert written == [{"saved-0": 7, "saved-1": 8, "saved-2": 7}]


def test_pruning_removes_what_nobody_opened_for_so_long(store: Store) -> None:
    old, opened, new = (store.save(f"title: {n}\n", "", NOW) for n in range(3))
    store.find(opened, NOW + 40 * DAY)
    new = store.save("title: new\n", "", NOW + 60 * DAY)
    gone = store.prune(30, now=NOW + 62 * DAY)
    assert set(gone) == {old, content_id("title: 2\n")}
    assert store.find(old) is None
    assert store.find(opened) is not None
    assert store.find(new) is not None


@pytest.mark.parametrize(("days", "kept"), [(29, True), (30, True), (31, False)])
def test_pruning_keeps_what_was_opened_on_one_of_the_last_days(
    days: int, kept: bool, store: Store
) -> None:
    store.save("title: one\n", "", NOW)
    assert (store.prune(30, now=NOW + days * DAY) == []) is kept


def test_pruning_keeps_the_whole_line_that_a_lesson_in_use_was_made_from(store: Store) -> None:
    first = store.save("title: first\n", "3-2-3-softmax", NOW)
    second = store.save("title: second\n", first, NOW + 1)
    third = store.save("title: third\n", second, NOW + 2)
    other = store.save("title: other\n", first, NOW + 3)
    store.find(third, NOW + 50 * DAY)
    assert store.prune(30, now=NOW + 60 * DAY) == [other]
    assert store.prune(30, now=NOW + 90 * DAY) == [first, second, third]


def test_a_dry_run_removes_nothing(store: Store) -> None:
    made = store.save("title: one\n", "", NOW)
    assert store.prune(1, dry_run=True, now=NOW + 9 * DAY) == [made]
    assert store.find(made) is not None


def test_thousands_are_pruned_at_once(store: Store) -> None:
    with store._database.writing() as connection:
        connection.execute(
            text(
                "INSERT INTO tutor_lessons (id, text, origin, saved, seen) VALUES (:id, 'x', '', 1, 1)"
            ),
            [{"id": f"saved-{n}"} for n in range(1_700)],
        )
    assert len(store.prune(1, now=NOW)) == 1_700
    assert store.prune(1, now=NOW) == []


# ---- the limit a minute ----


def test_one_save_too_many_is_refused_with_the_limit_and_the_wait(store: Store) -> None:
    for n in range(20):
        store.save(f"title: {n}\n", "", NOW + n, Allowance("192.0.2.1", 20))
    with pytest.raises(
        TooManySavesError, match=r"20 new lessons a minute.*in 40 seconds"
    ) as refused:
        store.save("title: 20\n", "", NOW + 20, Allowance("192.0.2.1", 20))
    assert refused.value.wait == 40
    assert store.find(content_id("title: 20\n")) is None


def test_another_address_is_not_hindered(store: Store) -> None:
    store.save("title: 1\n", "", NOW, Allowance("192.0.2.1", 1))
    store.save("title: 2\n", "", NOW, Allowance("192.0.2.2", 1))
    with pytest.raises(TooManySavesError):
        store.save("title: 3\n", "", NOW, Allowance("192.0.2.2", 1))


def test_after_a_minute_it_goes_on(store: Store) -> None:
    store.save("title: 1\n", "", NOW, Allowance("192.0.2.1", 1))
    with pytest.raises(TooManySavesError, match=r"1 new lesson a minute.*in 1 second"):
        store.save("title: 2\n", "", NOW + 59.5, Allowance("192.0.2.1", 1))
    store.save("title: 2\n", "", NOW + 60.5, Allowance("192.0.2.1", 1))


def test_what_is_there_already_costs_nothing(store: Store) -> None:
    for _ in range(5):
        store.save("title: 1\n", "", NOW, Allowance("192.0.2.1", 1))


def test_a_clock_that_was_set_back_locks_nobody_out(store: Store) -> None:
    store.save("title: 1\n", "", NOW + DAY, Allowance("192.0.2.1", 1))
    store.save("title: 2\n", "", NOW, Allowance("192.0.2.1", 1))


def test_of_a_thousand_saves_only_those_allowed_are_kept(
    store: Store, sql: Callable[..., list[tuple[object, ...]]]
) -> None:
    refused = 0
    for n in range(1_000):
        try:
            store.save(f"title: {n}\n", "", NOW + n / 100, Allowance("192.0.2.1", 20))
        except TooManySavesError:
            refused += 1
    assert refused == 980
    assert sql("SELECT count(*) FROM tutor_lessons") == [(20,)]


def test_an_address_is_kept_for_a_minute_and_only_as_a_keyed_hash(
    store: Store, sql: Callable[..., list[tuple[object, ...]]]
) -> None:
    store.save("title: 1\n", "", NOW, Allowance("192.0.2.1", 5))
    ((who,),) = sql("SELECT who FROM tutor_saves")
    assert len(str(who)) == 64
    assert "192.0.2.1" not in str(sql("SELECT * FROM tutor_saves, tutor_lessons"))
    store.save("title: 2\n", "", NOW + 61, Allowance("192.0.2.9", 5))
    assert who not in str(sql("SELECT who FROM tutor_saves"))


def test_two_stores_hash_an_address_differently(tmp_path: Path) -> None:
    hashes = set()
    for name in ("a", "b"):
        store = open_store(f"sqlite:///{tmp_path}/{name}.sqlite", ELSEWHERE)
        store.save("title: 1\n", "", NOW, Allowance("192.0.2.1", 5))
        with store._database.reading() as connection:
            hashes.add(connection.scalar(text("SELECT who FROM tutor_saves")))
        store.close()
    assert len(hashes) == 2


# ---- addresses of stores ----


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (None, "sqlite:////srv/tutor/instance/lessons.sqlite"),
        ("", "sqlite:////srv/tutor/instance/lessons.sqlite"),
        ("sqlite:////data/x.sqlite", "sqlite:////data/x.sqlite"),
        ("sqlite:///data/x.sqlite", "sqlite:////srv/tutor/data/x.sqlite"),
        ("postgres://u:p@h/d", "postgresql+psycopg://u:***@h/d"),
        (
            "postgresql://u:p@h:1/d?sslmode=require",
            "postgresql+psycopg://u:***@h:1/d?sslmode=require",
        ),
    ],
)
def test_an_address_leads_to_our_drivers(url: str | None, shown: str) -> None:
    assert str(address(url, Path("/srv/tutor/instance/lessons.sqlite"))) == shown


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:secret@h/d",
        "nonsense secret",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:secret",
        "postgresql://u:secret@h:port/d",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_in_words_and_without_its_password(
    url: str,
) -> None:
    with pytest.raises(SettingError, match="DATABASE_URL") as refused:
        open_store(url, ELSEWHERE)
    assert "secret" not in str(refused.value)
