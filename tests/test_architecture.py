"""Imports point one way, between the packages and inside them; the maps at the doors say which, and
are held to it here.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HOME = ROOT / "tutor"

# What each package may import beside the ground floor and itself. In the order of the map, so that
# none imports a later one.
MAY: dict[str, set[str]] = {
    "engine": set(),
    "notation": {"engine"},
    "scenario": set(),
    "catalogue": {"scenario"},
    "store": {"scenario"},
    "lesson": {"engine", "notation", "scenario", "catalogue"},
    "draw": {"engine", "notation"},
    "pages": {"engine", "notation", "scenario", "catalogue", "store", "lesson", "draw"},
    "export": {"engine", "notation", "scenario", "catalogue", "lesson", "draw", "pages"},
    "builder": {"engine", "notation", "scenario", "lesson", "draw", "pages"},
    "web": {"notation", "scenario", "catalogue", "store", "lesson", "pages", "export", "builder"},
    "cli": {"engine", "notation", "scenario", "catalogue", "store", "lesson", "pages", "export"},
}
MAY_TOO = {
    ("scenario", "engine.quantity"), ("scenario", "engine.kinds"), ("scenario", "engine.skip"), ("scenario", "engine.tree"),
    ("scenario", "engine.parameters"), ("scenario", "engine.optimizers"), ("scenario", "engine.graph"),
    ("scenario", "engine.operations"),
    ("pages", "store.saved_lessons"), ("cli", "pages.view"),
    ("cli", "pages.graph_view"),
}  # fmt: skip
"""Single modules of another package: a scenario file speaks of quantities by name, of skip
connections, of parameters of activations and of optimizers, and in formulas. Where a package is named here and not
above, this is all that it may import of the other.
"""
ONLY_SO = {("pages", "store"), ("cli", "pages")}
DOORS = {"serve", "__main__"}
"""`python -m tutor` and `python -m tutor.serve`: they stand in the root and open a package."""
WEB = {"flask", "jinja2", "werkzeug", "markupsafe", "granian", "http", "socketserver", "wsgiref"}
COMPILES = {"engine.code"}
"""Makes functions of trees, by an `ast` of our own; no text of a lesson is in it."""
MARKUP = "notation.markup"
"""The one module that makes markup of text."""


def key(path: Path) -> str:
    return ".".join(path.relative_to(HOME).with_suffix("").parts)


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


FILES = {key(path): path for path in sorted(HOME.rglob("*.py"))}
MODULES = {name: path for name, path in FILES.items() if path.name != "__init__.py"}


def imports(path: Path) -> tuple[set[str], set[str]]:
    """(modules of `tutor`, other top-level packages) that a file imports, inside functions too."""
    own, other = set(), set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path.name} imports from a relative place"
            inside = (node.module or "").partition(".")[0] == "tutor"
            names = [
                f"{node.module}.{alias.name}" if inside else node.module or ""
                for alias in node.names
            ]
        else:
            continue
        for name in names:
            top, _, rest = name.partition(".")
            if top != "tutor":
                other.add(top)
                continue
            parts = rest.split(".")
            own.add(
                next(
                    (
                        ".".join(parts[:n])
                        for n in range(len(parts), 0, -1)
                        if ".".join(parts[:n]) in MODULES
                    ),
                    rest,
                )
            )
    return own, other


OWN = {name: imports(path)[0] for name, path in MODULES.items()}
OTHER = {name: imports(path)[1] for name, path in MODULES.items()}


def package(module: str) -> str:
    return module.rpartition(".")[0]


def of(*packages: str) -> list[str]:
    return [module for module in MODULES if package(module) in packages]


def entries(door: Path) -> list[str]:
    """What a map lists, from top to bottom: modules, and packages with a slash."""
    return re.findall(r"^    (\w+/?) {2,}\S", ast.get_docstring(tree(door)) or "", re.MULTILINE)


TOP = entries(HOME / "__init__.py")
PACKAGES = [name.rstrip("/") for name in TOP if name.endswith("/")]
GROUND = [name for name in TOP if not name.endswith("/") and name not in DOORS]


# ---- the maps ----


def test_the_map_names_every_package_and_every_module_of_the_ground_floor_once() -> None:
    assert sorted(PACKAGES) == sorted(path.parent.name for path in HOME.glob("*/__init__.py"))
    assert sorted([*GROUND, *DOORS]) == sorted(of(""))
    assert len(TOP) == len(set(TOP))
    assert list(MAY) == PACKAGES


@pytest.mark.parametrize("room", MAY)
def test_the_map_of_a_package_names_each_of_its_modules_once(room: str) -> None:
    assert sorted(entries(HOME / room / "__init__.py")) == sorted(
        module.rpartition(".")[2] for module in of(room)
    )


@pytest.mark.parametrize("room", MAY)
def test_a_door_is_a_map_and_nothing_else(room: str) -> None:
    assert [type(node) for node in tree(HOME / room / "__init__.py").body] == [ast.Expr]


def test_no_file_stands_outside_of_the_packages() -> None:
    assert all(name.count(".") <= 1 for name in FILES)
    assert len(of("")) <= 8


# ---- the order ----


def test_no_module_imports_itself_by_way_of_others() -> None:
    order = tuple(TopologicalSorter(OWN).static_order())  # raises CycleError with the cycle
    assert set(OWN) <= set(order)


@pytest.mark.parametrize("module", MODULES)
def test_everything_that_is_imported_exists(module: str) -> None:
    assert OWN[module] <= set(MODULES)


@pytest.mark.parametrize("room", MAY)
def test_a_package_imports_only_what_it_may(room: str) -> None:
    for module in of(room):
        for used in OWN[module]:
            other = package(used)
            whole = other in {"", room} or (other in MAY[room] and (room, other) not in ONLY_SO)
            assert whole or (room, used) in MAY_TOO, f"{module} imports {used}"


@pytest.mark.parametrize("room", MAY)
def test_a_package_may_import_only_packages_before_it(room: str) -> None:
    assert MAY[room] <= set(PACKAGES[: PACKAGES.index(room)])


@pytest.mark.parametrize("room", MAY)
def test_a_package_can_be_read_from_the_first_module_to_the_last(room: str) -> None:
    read: set[str] = set()
    for name in entries(HOME / room / "__init__.py"):
        inside = {used for used in OWN[f"{room}.{name}"] if package(used) == room}
        assert inside <= read, f"{room}.{name} imports {inside - read}"
        read.add(f"{room}.{name}")


def test_the_ground_floor_stands_on_nothing_and_can_be_read_from_top_to_bottom() -> None:
    for n, module in enumerate(GROUND):
        assert OWN[module] <= set(GROUND[:n]), f"{module} imports {OWN[module]}"


# ---- what may not enter ----


@pytest.mark.parametrize(
    "room", ["", "engine", "notation", "scenario", "catalogue", "store", "lesson", "draw"]
)
def test_nothing_below_the_pages_knows_of_the_web(room: str) -> None:
    for module in of(room):
        if module not in {MARKUP, *DOORS}:
            assert not OTHER[module] & WEB, module


def test_the_engine_needs_numpy_and_the_standard_library_alone() -> None:
    for module in of("engine"):
        assert OTHER[module] - set(sys.stdlib_module_names) <= {"numpy"}, module


def test_reading_a_file_computes_nothing() -> None:
    for module in of("scenario", "catalogue", "store"):
        assert "numpy" not in OTHER[module], module


def test_the_engine_reads_and_writes_nothing() -> None:
    for module in (*of("engine", "notation", "draw"), "number", "lesson.walk", "lesson.slides"):
        assert not OTHER[module] & {
            "os",
            "io",
            "pathlib",
            "shutil",
            "subprocess",
            "socket",
            "logging",
            "time",
            "random",
        }, module
        calls = [
            node.func for node in ast.walk(tree(MODULES[module])) if isinstance(node, ast.Call)
        ]
        called = {function.id for function in calls if isinstance(function, ast.Name)}
        assert not called & {"open", "print", "input", "eval", "__import__"}, module
        assert module in COMPILES or not called & {"exec", "compile"}, module


def test_routes_have_no_arithmetic_of_their_own() -> None:
    _, other = imports(ROOT / "app.py")
    assert "flask" in other
    assert "numpy" not in other
    for module in of("web"):
        assert "numpy" not in OTHER[module], module


def loaded_by(modules: str) -> set[str]:
    """What a new process has loaded that imports some modules."""
    code = f"import sys, {modules}; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(ran.stdout.split())


def test_importing_the_engine_does_not_load_the_pages() -> None:
    loaded = loaded_by("tutor.lesson.walk, tutor.engine.derivation, tutor.notation.mathml")
    assert "tutor.lesson.walk" in loaded
    assert not {"flask", "jinja2", "granian", "tutor.pages", "app"} & loaded


def test_a_process_for_long_work_does_not_load_the_server() -> None:
    loaded = loaded_by("tutor.web.long_work, app")
    assert "flask" in loaded
    assert not {"granian", "tutor.web.server"} & loaded
