"""`python -m tutor prune` removes saved lessons that nobody has opened for long, and says which."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tutor.cli.main import main
from tutor.store.texts import DAY, Store, open_store


@pytest.fixture
def store(store_url: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("DATABASE_URL", store_url)
    return open_store(store_url, Path("/nowhere/instance/lessons.sqlite"))


def test_old_lessons_go_and_new_ones_stay(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    old = store.save("title: old\n", "", time.time() - 40 * DAY)
    new = store.save("title: new\n", "")
    assert main(["prune", "--older-than", "30", "--dry-run"]) == 0
    assert capsys.readouterr() == (f"{old}\n", "1 saved lesson would be removed\n")
    assert main(["prune", "--older-than", "30"]) == 0
    assert capsys.readouterr() == (f"{old}\n", "1 saved lesson removed\n")
    assert store.find(old) is None
    assert store.find(new) is not None
    assert main(["prune", "--older-than", "30"]) == 0
    assert capsys.readouterr() == ("", "0 saved lessons removed\n")
    store.close()


def test_where_nothing_was_ever_saved_there_is_nothing_to_prune(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/new/lessons.sqlite")
    assert main(["prune", "--older-than", "1"]) == 0
    assert capsys.readouterr().out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("days", ["0", "-1", "soon", "1.5", "99999999"])
def test_days_that_make_no_sense_are_refused(days: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["prune", "--older-than", days])
    assert stopped.value.code == 2
    assert "a whole number from 1 to 36,500" in capsys.readouterr().err or days == "-1"


def test_a_store_that_cannot_be_reached_is_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "lessons.sqlite"
    path.write_text("my notes\n" * 1_000)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{path}")
    assert main(["prune", "--older-than", "1"]) == 2
    assert "Saved lessons are not available" in capsys.readouterr().err


def test_a_setting_that_makes_no_sense_is_said_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://host/x")
    assert main(["prune", "--older-than", "1"]) == 2
    assert "DATABASE_URL begins with 'mysql'" in capsys.readouterr().err
