"""The server's address: where it comes from, and what is said where it cannot be had."""

import socket
from pathlib import Path

import pytest

from tutor.web import server


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOST", "PORT", "WORKERS"):
        monkeypatch.delenv(name, raising=False)


def test_without_wishes_it_is_port_8000_of_this_machine_with_two_workers() -> None:
    wanted = server.read([])
    assert (wanted.host, wanted.port, wanted.workers) == ("127.0.0.1", 8000, 2)


def test_the_environment_sets_the_address_and_the_command_line_wins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PORT", "9000")
    monkeypatch.setenv("WORKERS", "3")
    wanted = server.read(["--port", "9001"])
    assert (wanted.port, wanted.workers) == (9001, 3)


@pytest.mark.parametrize(
    "wish",
    [
        ["--port", "70000"],
        ["--port", "²"],
        ["--port", "-1"],
        ["--workers", "0"],
        ["--workers", "many"],
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_in_words(
    wish: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        server.read(wish)
    assert stopped.value.code == 2
    assert f"{wish[1]!r} is not a" in capsys.readouterr().err


def test_a_taken_port_is_said_so_with_a_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert server.main(["--port", str(port)]) == 1
    assert f"cannot listen on 127.0.0.1:{port}" in (said := capsys.readouterr().err)
    assert "make run PORT=" in said


def test_port_zero_takes_a_free_one() -> None:
    port = server.free("127.0.0.1", 0)
    assert port > 0
    assert f":{port}/" in server.greeting("127.0.0.1", port)


def test_an_ipv6_address_is_shown_in_brackets() -> None:
    assert "http://[::1]:8000/" in server.greeting("::1", 8000)


def test_a_broken_scenario_is_named_when_the_server_starts(tmp_path: Path) -> None:
    (tmp_path / "torn.yaml").write_text("format: 1\ntitle: [\n", encoding="utf-8")
    (line, *_) = server.broken(tmp_path)
    assert "torn.yaml" in line


def test_broken_files_of_every_folder_are_named_when_the_server_starts(tmp_path: Path) -> None:
    for name in ("shipped", "own"):
        (tmp_path / name / "inside").mkdir(parents=True)
        (tmp_path / name / "inside" / f"torn-{name}.yaml").write_text(
            "format: 1\ntitle: [\n", encoding="utf-8"
        )
    (tmp_path / "own" / "course.yaml").write_text("format: 1", encoding="utf-8")
    said = server.broken(tmp_path / "shipped", tmp_path / "own")
    assert [line.split(":")[0] for line in said] == [
        "shipped/inside/torn-shipped.yaml",
        "own/inside/torn-own.yaml",
        "own/course.yaml",
    ]
