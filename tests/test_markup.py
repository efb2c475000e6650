"""Text becomes markup in one module only."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tutor.notation.markup import attribute, trusted

ROOT = Path(__file__).parents[1]
SOURCES = [*sorted((ROOT / "tutor").rglob("*.py")), *sorted(ROOT.glob("app.py"))]
TEMPLATES = sorted((ROOT / "templates").rglob("*"))
MAKES = re.compile(
    r"\bMarkup\s*\(|\bMarkup\.|render_template_string|from_string\(|\|\s*safe\b|autoescape\s*=\s*False"
)


def test_markup_is_made_in_one_module() -> None:
    makers = [
        path.relative_to(ROOT).as_posix()
        for path in SOURCES
        if re.search(r"\bMarkup\s*\(", path.read_text(encoding="utf-8"))
    ]
    assert makers == ["tutor/notation/markup.py"]


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if path.name != "markup.py"], ids=lambda path: path.stem
)
def test_no_module_goes_around_the_escaping(path: Path) -> None:
    assert not MAKES.search(path.read_text(encoding="utf-8"))


def test_templates_outside_of_flask_escape_everything_too() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in SOURCES}
    makers = {
        name: text
        for name, text in texts.items()
        if re.search(r"^from jinja2 import .*\bEnvironment\b", text, re.MULTILINE)
    }
    assert not any("import jinja2" in text for text in texts.values())
    assert list(makers) == ["rendering.py"]
    assert "autoescape=True" in makers["rendering.py"]


def test_markupsafe_is_imported_by_that_module_only() -> None:
    pattern = re.compile(r"^\s*(from|import) markupsafe", re.MULTILINE)
    importers = [path.name for path in SOURCES if pattern.search(path.read_text(encoding="utf-8"))]
    assert importers == ["markup.py"]


def test_no_template_switches_the_escaping_off() -> None:
    for path in TEMPLATES:
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"\|\s*safe\b|autoescape\s+false|\bMarkup\b", text), path.name
            assert path.suffix in {".html", ".xml"}, f"Flask escapes nothing in {path.name}"


@pytest.mark.parametrize(
    "payload", ["<script>", '"', "'", "&", "</math>", "<img src=x onerror=alert(1)>"]
)
def test_an_attribute_text_cannot_end_its_attribute(payload: str) -> None:
    assert not set(attribute(payload)) & set("<>\"'")


def test_trusted_text_is_taken_as_it_is() -> None:
    assert trusted("<mn>1</mn>").__html__() == "<mn>1</mn>"
