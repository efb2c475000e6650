"""README.md and docs/ keep their word: commands run, addresses answer, paths and pictures exist,
the map is whole.
"""

import os
import re
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from flask.testing import FlaskClient

import tutor
from app import create_app
from tutor import limits
from tutor.lesson import validation
from tutor.lesson.walk import open_lesson
from tutor.scenario.reader import load
from tutor.store import saving
from tutor.store.database import WAIT
from tutor.web import server
from tutor.web.caching import SECONDS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DEPLOY = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))
PYTHON = ".venv/bin/python -m tutor "


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of a language."""
    found: list[str] = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return found


def commands() -> list[str]:
    return sorted(
        {
            line
            for page in PAGES
            for block in blocks(page.read_text(encoding="utf-8"), "sh")
            for line in block.splitlines()
        }
    )


def tracked() -> list[Path]:
    """The files that belong to the project, without what else lies about in the folder."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [Path(line) for line in listed.splitlines()]


def section(title: str) -> str:
    """What stands below a heading of the README."""
    return README.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


LESSON = blocks(README, "yaml")[0]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like the project's, in which the README has been followed up to its command line."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "scenarios", folder / "scenarios")
    (folder / "scenarios" / "my-first.yaml").write_text(LESSON, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def client(place: Path) -> FlaskClient:
    return create_app(place / "scenarios").test_client()


# ---- commands ----


@pytest.mark.parametrize("command", commands())
def test_every_command_can_be_given(command: str, place: Path, client: FlaskClient) -> None:
    if command.startswith(PYTHON):
        shell = f"{sys.executable} -m tutor {command.removeprefix(PYTHON)}"
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            ["bash", "-c", shell],
            check=False,
            cwd=place,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout
    elif command.startswith("make "):
        assert command.split()[1] in TARGETS
        assert set(re.findall(r"(\w+)=", command)) <= set(settings(section("Deploy")))
    else:
        address = re.fullmatch(r"curl --fail http://127\.0\.0\.1:8000(/\S*)", command)
        assert address, f"who tries out {command!r}?"
        assert client.get(address[1]).status_code == 200


def test_every_make_target_that_is_named_exists() -> None:
    named = {
        name
        for page in PAGES
        for name in re.findall(r"`make ([a-z-]+)[^`]*`", page.read_text(encoding="utf-8"))
    }
    assert named >= {"test", "bench", "oracle", "pictures"}
    assert named <= TARGETS


def test_ten_lines_are_a_lesson() -> None:
    assert len(LESSON.splitlines()) == 10
    assert "Save these ten lines" in README


def test_validate_says_what_the_readme_says(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    lesson = validation.check("scenarios/my-first.yaml")
    assert (
        f"{lesson.scenario.where}: ok ({validation.summary(lesson)})\n" == blocks(README, "text")[0]
    )


def test_a_lesson_appears_without_a_restart(tmp_path: Path) -> None:
    client = create_app(tmp_path).test_client()
    assert "My first network" not in client.get("/").text
    (tmp_path / "my-first.yaml").write_text(LESSON, encoding="utf-8")
    time.sleep(1.1)
    assert "My first network" in client.get("/").text
    assert client.get("/lessons/my-first").status_code == 200


# ---- pages ----


def addresses() -> Iterator[str]:
    for page in PAGES:
        yield from re.findall(
            r"`(/(?:lessons|activations|healthz|readyz)[^`<]*)`", page.read_text(encoding="utf-8")
        )


@pytest.mark.parametrize("address", sorted(set(addresses())))
def test_every_address_answers(address: str, client: FlaskClient) -> None:
    answer = client.get(address.replace("two-layers", "1-2-3-1-sigmoid"))
    assert answer.status_code == 200
    assert 'class="notice"' not in answer.text


def test_what_the_first_lesson_says_to_press_is_there(client: FlaskClient) -> None:
    first, last = "/lessons/1-2-3-1-sigmoid/steps/1", "/lessons/1-2-3-1-sigmoid/steps/79"
    seen = " ".join(
        client.get(address).text
        for address in ("/", "/lessons/1-2-3-1-sigmoid", first, last, f"{first}?present=yes")
    )
    labels = re.findall(r"\*\*(.+?)\*\*", section("A first lesson"))
    assert len(labels) > 8
    assert [label for label in labels if label not in unescape(seen)] == []
    for key in ("ArrowLeft", "ArrowRight", "Home", "End", "Escape"):
        assert f'aria-keyshortcuts="{key}"' in seen


def test_numbers_of_lessons_and_steps_are_right() -> None:
    lessons = [load(path) for path in (ROOT / "scenarios").glob("*.yaml")]
    words = [
        "no",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
    ]
    decks = [lesson.lecture.deck for lesson in lessons if lesson.lecture]
    first, taught = words[len(lessons) - len(decks)], words[len(decks)]
    assert (
        f"{words[len(lessons)].capitalize()} lessons come with it: {first} to start with, and {taught}"
        f" from {words[len(set(decks))]} lectures."
    ) in README
    lesson = open_lesson(load(ROOT / "scenarios" / "1-2-3-1-sigmoid.yaml"))
    assert f"**Number by number** ({len(lesson.walk('number'))} steps)" in README


# ---- settings ----


def settings(text: str) -> dict[str, str]:
    """The rows of a table of settings: name and default."""
    return dict(re.findall(r"^\| `([A-Z_]+)` \| (?:`([^`]*)`)? ?\|", text, re.MULTILINE))


def test_settings_and_their_defaults_are_those_of_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HOST", "PORT", "WORKERS"):
        monkeypatch.delenv(name, raising=False)
    default = server.read([])
    known = {
        "HOST": default.host, "PORT": str(default.port), "WORKERS": str(default.workers),
        "SCENARIOS": "scenarios", "SHELF": "", "BEHIND_PROXY": "",
        "DATABASE_URL": f"sqlite:///{saving.FILE}", "DATABASE_WAIT": str(WAIT), "SAVING": "on", "SAVES_PER_MINUTE": str(saving.PER_MINUTE),
        "PUBLIC_URL": "", "CACHE_SECONDS": str(SECONDS),
    }  # fmt: skip
    limited = {name: str(getattr(limits, name.removeprefix("LIMIT_"))) for name in limits.NAMES}
    assert settings(section("Deploy")) == known
    assert settings(DEPLOY) == known | limited
    for name in ("HOST", "PORT", "WORKERS"):
        assert re.search(rf"^{name} \?= {re.escape(known[name])}$", MAKEFILE, re.MULTILINE)


def test_the_folder_of_lessons_comes_from_the_environment(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCENARIOS", str(place / "scenarios"))
    assert "My first network" in create_app().test_client().get("/").text


def test_the_service_starts_what_is_there() -> None:
    (unit,) = blocks(DEPLOY, "ini")
    assert set(re.findall(r"([A-Z_]+)=", unit)) <= set(settings(DEPLOY))
    started = re.search(r"^ExecStart=\S+/\.venv/bin/python -m (\S+)$", unit, re.MULTILINE)
    assert started
    assert (ROOT / (started[1].replace(".", "/") + ".py")).exists()


# ---- paths and pictures ----


def test_every_path_that_is_named_exists() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"
        named = re.findall(
            r"`((?:[\w.-]+/)+[\w.-]*|[A-Za-z]\w*\.(?:py|md|toml|txt|yaml)|LICENSE)`", text
        )
        lessons = {
            "course.yaml",
            "scenarios/my-first.yaml",
            "scenarios/two-layers.yaml",
            "two-layers.yaml",
        }
        yours = lessons | {saving.FILE, ".vscode/settings.json"}
        for path in set(named) - yours:
            assert any(
                (folder / path).exists()
                for folder in (ROOT, page.parent, ROOT / "tests/benchmarks", ROOT / "static/vendor")
            ), path


def test_every_anchor_leads_to_a_heading() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        headings = {
            re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-")
            for line in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        }
        assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings, page.name


def test_every_folder_of_the_map_is_there_and_none_is_forgotten() -> None:
    rows = re.findall(r"^\| `(\w+)/` \|", section("Where things are"), re.MULTILINE)
    assert set(rows) == {
        path.parts[0]
        for path in tracked()
        if len(path.parts) > 1 and not path.parts[0].startswith(".")
    }


def test_every_room_is_in_the_readme_and_none_is_forgotten() -> None:
    rooms = re.findall(r"^\| `tutor/(\w+)/` \|", section("The packages"), re.MULTILINE)
    assert rooms == re.findall(r"^    (\w+)/ ", tutor.__doc__ or "", re.MULTILINE)


def pictures() -> list[Path]:
    return sorted((ROOT / "docs" / "pictures").iterdir())


def test_every_picture_is_shown_somewhere_with_words_for_it() -> None:
    shown = set()
    for page in PAGES:
        for words, path in re.findall(r"!\[(.*?)\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
            assert len(words) > 20
            shown.add((page.parent / path).resolve())
    assert shown == set(pictures())


@pytest.mark.parametrize("path", pictures(), ids=lambda path: path.stem)
def test_a_picture_is_a_small_png(path: Path) -> None:
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(content) < 150_000
    width, height = struct.unpack(">II", content[16:24])
    assert width <= 2_560
    assert height <= 1_800
