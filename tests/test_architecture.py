"""Imports point one way: from the pages to the lessons, from the lessons to the engine, never back."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tutor import engine

ROOT = Path(__file__).parents[1]
PACKAGE = {path.stem: path for path in sorted((ROOT / "tutor").glob("*.py"))}
PACKAGE |= {f"engine.{path.stem}": path for path in sorted((ROOT / "tutor" / "engine").glob("*.py")) if path.stem != "__init__"}

# Each band imports from itself and from the bands named with it; whatever is in none of them is a page or a command.
ENGINE = tuple(f"engine.{name}" for name in re.findall(r"^    (\w+) {2,}\S", engine.__doc__ or "", re.MULTILINE))
"""In the reading order that the package itself gives: each imports only what stands before it."""
BANDS: dict[str, tuple[set[str], set[str]]] = {
    "ground": ({"errors", "limits", "memo", "number", "suggestion"}, set()),
    "engine": (set(ENGINE), {"ground"}),
    "markup": ({"markup"}, set()),
    "writing": ({"notation", "orientation", "writer", "words", "mathml"}, {"ground", "engine", "markup"}),
    "files": (
        {
            "problem", "yaml_scalar", "strict_yaml", "arithmetic", "scenario_model",
            "scenario_names", "scenario_checks", "scenario_problems", "scenario_values", "scenario", "scenario_text", "plain_data",
            "course", "folder", "arrangement", "shelf", "file_name", "scenario_meaning", "schema",
        },
        {"ground"},
    ),
    "store": ({"database", "store_schema", "store", "saving", "saved_lessons"}, {"ground", "files"}),
    "lessons": ({"build", "change_names", "changed", "changes", "length", "lesson", "slides"}, {"ground", "engine", "files"}),
}  # fmt: skip
NAMED_BY_FILES = {"engine.kinds", "engine.quantity", "engine.skip", "engine.tree"}
"""A scenario file speaks of quantities by name and of their kinds, of skip connections, and in formulas."""
WEB = {"flask", "jinja2", "werkzeug", "markupsafe", "granian", "http", "socketserver", "wsgiref"}


def imports(path: Path) -> tuple[set[str], set[str]]:
    """(modules of this package, other top-level packages) that a file imports, inside functions too."""
    own, other = set(), set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module in {"tutor", "tutor.engine"}:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path.name} imports from a relative place"
            names = [node.module or ""]
        else:
            continue
        for name in names:
            top, _, rest = name.partition(".")
            if top == "tutor":
                first, second = [*rest.split("."), ""][:2]
                own.add(f"engine.{second}" if first == "engine" else first)
            else:
                other.add(top)
    return own, other


OWN = {name: imports(path)[0] for name, path in PACKAGE.items()}
OTHER = {name: imports(path)[1] for name, path in PACKAGE.items()}


def test_no_module_imports_itself_by_way_of_others() -> None:
    order = tuple(TopologicalSorter(OWN).static_order())  # raises CycleError with the cycle
    assert set(OWN) <= set(order)


def test_the_engine_says_in_which_order_it_is_read() -> None:
    assert ENGINE[:3] == ("engine.kinds", "engine.quantity", "engine.tree")
    assert sorted(ENGINE) == sorted(name for name in OWN if name.startswith("engine."))


def test_every_module_named_here_exists() -> None:
    for modules, _ in BANDS.values():
        assert modules <= set(OWN)


@pytest.mark.parametrize("band", BANDS)
def test_a_band_imports_only_from_itself_and_from_what_is_below(band: str) -> None:
    modules, below = BANDS[band]
    allowed = modules.union(*(BANDS[name][0] for name in below)) | (NAMED_BY_FILES if band == "files" else set())
    for module in modules:
        assert OWN[module] <= allowed, f"{module} imports {OWN[module] - allowed}"


@pytest.mark.parametrize("module", ENGINE)
def test_the_engine_can_be_read_from_the_first_module_to_the_last(module: str) -> None:
    before = set(ENGINE[: ENGINE.index(module)]) | BANDS["ground"][0]
    assert OWN[module] <= before, f"{module} imports {OWN[module] - before}"


@pytest.mark.parametrize("band", ["ground", "engine", "writing", "files", "store", "lessons"])
def test_nothing_below_the_pages_knows_of_the_web(band: str) -> None:
    for module in BANDS[band][0]:
        assert not OTHER[module] & WEB, module


def test_the_engine_needs_numpy_and_the_standard_library_alone() -> None:
    for module in ENGINE:
        assert OTHER[module] - set(sys.stdlib_module_names) <= {"numpy"}, module


def test_reading_a_file_computes_nothing() -> None:
    for module in BANDS["files"][0]:
        assert "numpy" not in OTHER[module], module


def test_the_engine_reads_and_writes_nothing() -> None:
    for module in (*ENGINE, "number", "lesson", "slides", "mathml", "words", "writer", "notation", "orientation"):
        assert not OTHER[module] & {"os", "io", "pathlib", "shutil", "subprocess", "socket", "logging", "time", "random"}, module
        source = ast.parse(PACKAGE[module].read_text(encoding="utf-8"))
        called = {node.func.id for node in ast.walk(source) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
        compiles = {"exec", "compile"} if module == "engine.code" else set()  # its own trees, as a syntax tree, never text
        assert not called & {"open", "print", "input", "eval", "exec", "compile", "__import__"} - compiles, module


def test_routes_have_no_arithmetic_of_their_own() -> None:
    _, other = imports(ROOT / "app.py")
    assert "flask" in other
    assert "numpy" not in other


def test_importing_the_engine_does_not_load_the_pages() -> None:
    code = "import sys, tutor.lesson, tutor.engine.paths, tutor.mathml; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert "tutor.lesson" in loaded
    assert not {"flask", "jinja2", "granian", "tutor.page", "app"} & set(loaded)
