"""Saving: by whom and how often, the settings, and what the reader is told where a lesson is not
saved.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from app import create_app
from tutor.errors import SettingError, TooManySavesError
from tutor.scenario import dump
from tutor.scenario.reader import Scenario, load
from tutor.store import saving
from tutor.store.saving import Refused, Saving, client, from_environment
from tutor.store.texts import Allowance, open_store
from tutor.web import server

ROOT = Path(__file__).parents[1]
LESSON = load(ROOT / "scenarios" / "3-2-3-softmax.yaml")


def titled(number: int) -> Scenario:
    return replace(LESSON, title=f"Lesson {number}")


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    return {"DATABASE_URL": f"sqlite:///{tmp_path}/lessons.sqlite"}


def test_a_lesson_is_saved_as_its_canonical_text(settings: dict[str, str]) -> None:
    made = from_environment(settings, ROOT)
    assert made.find(made.save(LESSON, "192.0.2.1")) == dump.write(LESSON)


def test_a_lesson_that_is_saved_answers_at_its_address(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", settings["DATABASE_URL"])
    app = create_app()
    lesson = app.extensions["tutor"].saving.save(titled(1), "192.0.2.1")
    answer = app.test_client().get(f"/lessons/{lesson}/steps/1")
    assert answer.status_code == 200
    assert "Lesson 1" in answer.text


def test_the_address_of_a_lesson_is_that_of_its_content(settings: dict[str, str]) -> None:
    made = from_environment(settings, ROOT)
    assert made.save(LESSON, "192.0.2.1") == made.save(
        replace(LESSON, id="other", where="other"), "192.0.2.2"
    )
    assert made.save(LESSON, "192.0.2.1") != made.save(titled(1), "192.0.2.1")
    assert made.save(LESSON, "192.0.2.1") != made.save(
        replace(LESSON, origin="3-2-3-softmax"), "192.0.2.1"
    )


# ---- how often ----


def test_the_twenty_first_of_a_minute_is_refused_with_429(settings: dict[str, str]) -> None:
    made = from_environment(settings, ROOT)
    for number in range(20):
        made.save(titled(number), "192.0.2.1")
    with pytest.raises(Refused, match="20 new lessons a minute") as refused:
        made.save(titled(20), "192.0.2.1")
    assert refused.value.status == 429
    assert 0 < refused.value.wait <= 60
    assert made.save(titled(20), "192.0.2.2")
    assert made.save(titled(1), "192.0.2.1"), "it is there already"


def test_the_limit_is_settable(settings: dict[str, str]) -> None:
    made = from_environment({**settings, "SAVES_PER_MINUTE": "2"}, ROOT)
    made.save(titled(1), "192.0.2.1")
    made.save(titled(2), "192.0.2.1")
    with pytest.raises(Refused, match="2 new lessons a minute"):
        made.save(titled(3), "192.0.2.1")


def test_all_workers_count_together(store_url: str) -> None:
    saved: list[str] = []
    stores = [open_store(store_url, ROOT) for _ in range(2)]

    def work(worker: int) -> None:
        for number in range(10):
            try:
                saved.append(
                    stores[worker % 2].save(
                        f"title: {worker} {number}\n", "", allowance=Allowance("192.0.2.1", 20)
                    )
                )
            except TooManySavesError:
                continue

    threads = [Thread(target=work, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in stores:
        store.close()
    assert len(saved) == 20


@pytest.mark.parametrize(
    ("who", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unix:", "unix:"),
    ],
)
def test_a_limit_is_about_an_address_or_an_ipv6_network(who: str, counted: str) -> None:
    assert client(who) == counted


# ---- switched off ----


def test_saving_can_be_switched_off_and_what_was_saved_is_still_shown(
    settings: dict[str, str],
) -> None:
    lesson = from_environment(settings, ROOT).save(LESSON, "192.0.2.1")
    off = from_environment({**settings, "SAVING": "off"}, ROOT)
    assert not off.on
    with pytest.raises(Refused, match="switched off") as refused:
        off.save(titled(1), "192.0.2.1")
    assert refused.value.status == 403
    assert off.find(lesson) is not None


def test_without_a_store_nothing_is_saved_or_found() -> None:
    assert not Saving().on
    assert Saving().find("saved-aaaaaaaaaaaaaaaaaaaa") is None
    with pytest.raises(Refused):
        Saving().save(LESSON, "192.0.2.1")


def test_a_lesson_that_fits_no_file_is_refused_with_422(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tutor.limits.FILE_BYTES", 1_000)
    with pytest.raises(Refused, match="the limit is 1,000 bytes") as refused:
        from_environment(settings, ROOT).save(LESSON, "192.0.2.1")
    assert refused.value.status == 422


# ---- settings ----


def test_without_settings_lessons_are_kept_beside_the_program() -> None:
    made = from_environment({}, ROOT)
    assert made.on
    assert made.per_minute == saving.PER_MINUTE == 20
    assert made.store is not None
    assert made.store._database.file == ROOT / "instance" / "lessons.sqlite"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SAVING", "maybe", "SAVING is 'maybe'; expected on or off"),
        ("SAVES_PER_MINUTE", "0", "SAVES_PER_MINUTE is '0'; expected a whole number from 1"),
        ("SAVES_PER_MINUTE", "-3", "SAVES_PER_MINUTE is '-3'"),
        ("SAVES_PER_MINUTE", "²", "SAVES_PER_MINUTE is '²'"),
        ("SAVES_PER_MINUTE", "9" * 50, "SAVES_PER_MINUTE is '999"),
        ("DATABASE_WAIT", "soon", "DATABASE_WAIT is 'soon'; expected a whole number from 1 to 60"),
        ("DATABASE_WAIT", "61", "DATABASE_WAIT is '61'"),
        ("BEHIND_PROXY", "maybe", "BEHIND_PROXY is 'maybe'; it is the number of proxies"),
        ("BEHIND_PROXY", "-1", "BEHIND_PROXY is '-1'"),
        ("BEHIND_PROXY", "10", "BEHIND_PROXY is '10'"),
        ("DATABASE_URL", "mysql://me:secret@host/x", "DATABASE_URL begins with 'mysql'"),
        ("DATABASE_URL", "lessons.sqlite", "DATABASE_URL cannot be read"),
    ],
)
def test_a_setting_that_makes_no_sense_stops_the_server_in_words(
    name: str,
    value: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(name, value)
    assert server.main([]) == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert "secret" not in shown
    with pytest.raises(SettingError):
        create_app()


def test_a_store_that_cannot_be_used_is_said_when_the_server_starts(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite").write_text("my notes\n" * 1_000)
    (line,) = server.prepared(
        from_environment({"DATABASE_URL": f"sqlite:///{tmp_path}/x.sqlite"}, ROOT)
    )
    assert line.startswith("Saved lessons are not available")
    assert (
        server.prepared(
            from_environment({"DATABASE_URL": f"sqlite:///{tmp_path}/new.sqlite"}, ROOT)
        )
        == []
    )
    assert server.prepared(Saving()) == []
