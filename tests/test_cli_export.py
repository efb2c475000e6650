"""`python -m tutor export` writes every kind of file, keeps what is there, and leaves no half a
file behind.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tutor.cli.export import write
from tutor.cli.main import main
from tutor.errors import LessonError
from tutor.export.registry import KINDS, Made

LESSON = Path(__file__).parents[1] / "scenarios" / "linear-sigmoid.yaml"


def run(*options: str, lesson: Path = LESSON) -> int:
    try:
        return main(["export", str(lesson), *options])
    except SystemExit as stop:
        return int(stop.code or 0)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_written_to_a_folder_a_file_and_standard_output(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--to", kind, "-o", str(tmp_path)) == 0
    (made,) = tmp_path.iterdir()
    assert capsys.readouterr().out.strip() == str(made)
    assert run("--to", kind, "-o", str(tmp_path / "ünï 1")) == 0
    capsys.readouterr()
    assert run("--to", kind, "-o", "-") == 0
    assert (
        capsys.readouterr().out
        == made.read_bytes().decode()
        == (tmp_path / "ünï 1").read_bytes().decode()
    )


def test_a_file_that_is_there_is_kept_without_force(tmp_path: Path) -> None:
    there = tmp_path / "mine.html"
    there.write_text("mine", encoding="utf-8")
    assert run("--to", "html", "-o", str(there)) == 2
    assert there.read_text(encoding="utf-8") == "mine"
    assert run("--to", "html", "-o", str(there), "--force") == 0
    assert "<!doctype" in there.read_text(encoding="utf-8")


def test_versions_get_names_of_their_own(tmp_path: Path) -> None:
    assert run("--to", "worksheet", "--variants", "3", "--seed", "7", "-o", str(tmp_path)) == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        f"linear-sigmoid-worksheet-s7-v{n}.html" for n in (1, 2, 3)
    ]


@pytest.mark.parametrize("options", [
    ("--to", "pdf"), ("--to", "worksheet", "--variants", "2"), ("--to", "worksheet", "--blanks", "some"),
    ("--to", "html", "--decimals", "x"),
    ("--to", "html", "--seed", "²"), ("--to", "html", "--variants", "2", "--seed", "1", "-o", "-"),
    ("--to", "html", "-o", "/nowhere/at/all.html"),
])  # fmt: skip
def test_what_cannot_be_done_is_said_with_status_2(
    options: tuple[str, ...], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    place = () if "-o" in options else ("-o", str(tmp_path))
    assert run(*options, *place) == 2
    said = capsys.readouterr().err
    assert said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def test_no_half_a_file_is_left_when_it_cannot_be_finished(tmp_path: Path) -> None:
    def breaking() -> Iterator[str]:
        yield "first"
        raise LessonError("no more")

    with pytest.raises(LessonError):
        write(Made("a.html", "text/html", breaking()), str(tmp_path), force=False)
    assert list(tmp_path.iterdir()) == []


def test_a_lesson_with_a_name_of_any_letters_gets_a_file(tmp_path: Path) -> None:
    lesson = shutil.copy(LESSON, tmp_path / "größe.yaml")
    out = tmp_path / "out"
    out.mkdir()
    run("--to", "json", "-o", str(out), lesson=Path(lesson))
    assert all(p.parent == out for p in out.iterdir())
