"""Everything of other projects under static/ is on record: from where, which version, which
licence, and unchanged.
"""

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from fontTools.ttLib import TTFont

from tests.visiting import get, page

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "docs"))
import vendor  # noqa: E402  (a script, not a part of the package)

FOLDERS = [ROOT / "static" / "vendor", ROOT / "static" / "fonts"]


def record(folder: Path) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(
        (folder / "VENDORED.json").read_text(encoding="utf-8")
    )
    return entries


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_file_is_on_record(folder: Path) -> None:
    listed = {name for entry in record(folder) for name in (entry["file"], entry["licence_file"])}
    assert {path.name for path in folder.iterdir()} == listed | {"VENDORED.json"}


@pytest.mark.parametrize(
    ("folder", "entry"),
    [(folder, entry) for folder in FOLDERS for entry in record(folder)],
    ids=lambda value: value["file"] if isinstance(value, dict) else "",
)
def test_a_vendored_file_is_as_it_was_fetched(folder: Path, entry: dict[str, Any]) -> None:
    assert vendor.integrity(folder / entry["file"]) == entry["integrity"]
    assert entry["version"].count(".") == 2
    assert entry["package"]
    assert entry["licence"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_licence_text_lies_beside_what_it_covers(folder: Path) -> None:
    for entry in record(folder):
        text = (folder / entry["licence_file"]).read_text(encoding="utf-8")
        assert {"0BSD": "Zero-Clause BSD", "OFL-1.1": "SIL Open Font License"}[
            entry["licence"]
        ] in text


def test_the_font_keeps_its_math_table_and_stays_small() -> None:
    path = ROOT / "static" / "fonts" / vendor.FONT_FILE
    assert path.stat().st_size <= 80 * 1024
    font = TTFont(path)
    assert "MATH" in font
    missing = {letter for letter in vendor.FONT_TEXT if ord(letter) not in font.getBestCmap()}
    assert missing == set()


@pytest.mark.parametrize(
    "path",
    [
        "/", "/lessons/3-2-3-softmax", "/lessons/3-2-3-softmax/steps/9", "/build", "/open",
        "/lessons/xor/training", "/lessons/3-2-3-softmax/export", "/glossary", "/activations",
    ],
)  # fmt: skip
def test_the_scripts_of_a_page_stay_within_thirty_kilobytes_gzipped(path: str) -> None:
    sources = [script.attributes["src"] for script in page(path).root.all("script")]
    assert sources, "each page has some"
    answers = [get(source) for source in dict.fromkeys(sources)]
    assert {answer.status_code for answer in answers} == {200}
    assert sum(len(gzip.compress(answer.data)) for answer in answers) <= 30 * 1024
