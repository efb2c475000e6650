"""Every limit can be set in the environment, and the message that names it names the number that
was set.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tutor import limits
from tutor.errors import SettingError
from tutor.web import server

ROOT = Path(__file__).parents[1]
SOURCE = (ROOT / "tutor" / "limits.py").read_text(encoding="utf-8")
NAMES = re.findall(r"^([A-Z_]+): Final = _set\(", SOURCE, re.MULTILINE)


def told(code: str, *, stdin: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """Run Python with limits in the environment."""
    environment = {**os.environ, **{f"LIMIT_{name}": value for name, value in settings.items()}}
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, cwd=ROOT, env=environment, input=stdin, capture_output=True, text=True, check=False
    )


def test_every_number_in_the_module_can_be_set() -> None:
    fixed = {"PREFIX", "PROBLEMS", "NAMES"}
    assert set(re.findall(r"^([A-Z_]+): Final", SOURCE, re.MULTILINE)) - fixed == set(NAMES)
    assert [f"LIMIT_{name}" for name in NAMES] == limits.NAMES
    for name in NAMES:
        assert re.search(rf'^{name}: Final = _set\("{name}", ', SOURCE, re.MULTILINE)


def test_all_limits_are_read_from_the_environment() -> None:
    least = {"NUMBER_CHARACTERS": 64}
    lowered = {name: str(max(least.get(name, 1), getattr(limits, name) // 2)) for name in NAMES}
    code = f"from tutor import limits; print({{name: str(getattr(limits, name)) for name in {NAMES!r}}} == {lowered!r}, limits.PROBLEMS)"
    assert told(code, **lowered).stdout == "True []\n"


SMALL = """\
format: 1
title: A network
about: Words about it
learn: [one, two]
network:
  inputs: 2
  layers:
    - {units: 2, activation: tanh, weights: [[1, 2], [3, 4]], biases: [1, 2]}
    - {units: 1, activation: sigmoid, weights: [[1, 2]], biases: [1]}
  loss: {name: squared_error}
data:
  inputs: [[1, 2], [3, 4]]
  targets: [[1], [0]]
training: {learning_rate: 0.1, iterations: 5}
display: {decimals: 5}
notes:
  - {at: "z[1][1]@1", text: A note}
  - {at: "z[1][2]@1", text: Another note}
printed:
  - {quantity: "z[1][1]@1", value: "6", where: slide 1}
  - {quantity: "z[1][2]@1", value: "13", where: slide 1}
checks:
  - {quantity: "z[1][1]@1", equals: "1 * 1 + 2 * 2 + (1 ^ 3)"}
  - {quantity: "z[1][2]@1", equals: "13"}
"""
PARSE = """
import sys
from tutor.scenario import reader
from tutor.scenario.problem import ScenarioError
try:
    reader.parse(sys.stdin.read(), "f.yaml")
    print("fits")
except ScenarioError as error:
    print(error)
"""


def test_the_small_lesson_fits_the_defaults() -> None:
    assert told(PARSE, stdin=SMALL).stdout == "fits\n"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("FILE_BYTES", "500", "larger than 500 bytes"),
        ("FILE_BYTES", "1024", "fits"),
        ("DEPTH", "2", "more than 2 lists and mappings inside each other"),
        ("ENTRIES", "30", "more than 30 entries"),
        ("LAYERS", "1", "at most 1 entries, got 2"),
        ("UNITS", "1", "a whole number from 1 to 1, got 2"),
        ("SAMPLES", "1", "data.inputs: expected at most 1 entries, got 2"),
        ("PARAMETERS", "8", "the network has 9 weights and biases; the limit is 8"),
        ("ACTIVATIONS", "9", "10 activations to keep; the limit is 9"),
        ("WORK", "17", "18 products to compute at once; the limit is 17"),
        ("ITERATIONS", "4", "a whole number from 1 to 4, got 5"),
        ("DECIMALS", "4", "display.decimals: expected a whole number from 0 to 4, got 5"),
        ("TITLE", "5", "title: expected at most 5 characters, got 9"),
        ("LINE", "2", "expected at most 2 characters, got 3"),
        ("ABOUT", "10", "about: expected at most 10 characters, got 14"),
        ("NOTE", "6", "expected at most 6 characters, got 12"),
        ("LEARN", "1", "learn: expected at most 1 entries, got 2"),
        ("PRINTED", "1", "printed: expected at most 1 entries, got 2"),
        ("NOTES", "1", "notes: expected at most 1 entries, got 2"),
        ("CHECKS", "1", "checks: expected at most 1 entries, got 2"),
        ("EXPRESSION", "10", "at most 10 characters, got 23"),
        ("EXPRESSION_DEPTH", "1", "more than 1 parentheses, signs and powers"),
    ],
)
def test_a_message_names_the_limit_that_is_set(name: str, value: str, said: str) -> None:
    assert said in told(PARSE, stdin=SMALL, **{name: value}).stdout


def test_a_number_longer_than_the_limit_is_refused_with_the_limit() -> None:
    long = SMALL.replace("learning_rate: 0.1", f"learning_rate: 0.{'1' * 70}")
    assert "the limit is 66" in told(PARSE, stdin=long, NUMBER_CHARACTERS="66").stdout
    assert told(PARSE, stdin=long, NUMBER_CHARACTERS="80").stdout == "fits\n"


def test_an_exponent_beyond_the_limit_is_refused_with_the_limit() -> None:
    code = """
from tutor.scenario import arithmetic
from tutor.engine.tree import Numbers
try:
    arithmetic.evaluate(arithmetic.parse("2 ^ 3"), Numbers({}))
except arithmetic.BadArithmeticError as error:
    print(error)
"""
    assert "the exponent 3 is outside -2 to 2" in told(code, EXPONENT="2").stdout


def test_limits_may_be_raised() -> None:
    large = "format: 1\ntitle: " + "x" * 300 + SMALL[SMALL.index("\nabout") :]
    assert told(PARSE, stdin=large).stdout != "fits\n"
    assert told(PARSE, stdin=large, TITLE="300").stdout == "fits\n"


PAGES = """
import sys
from app import create_app
client = create_app().test_client()
print(client.post("/", data=b"x" * 3000).status_code, client.get("/lessons/linear-regression?iteration=8").text)
"""


def test_iterations_and_requests_are_limited_too() -> None:
    assert "from 1 to 7" in told(PAGES, FURTHER_ITERATIONS="7").stdout
    answer = told(
        "from tutor.pages.error_page import error_page as e; print(e(413, None, '').message)",
        REQUEST_BYTES="2048",
    )
    assert "2 KB" in answer.stdout
    app = told("from app import app; print(app.config['MAX_CONTENT_LENGTH'])", REQUEST_BYTES="2048")
    assert app.stdout == "2048\n"


def test_compute_for_one_request_limits_how_far_one_may_go() -> None:
    code = (
        "from pathlib import Path; "
        "from tutor.lesson import walk; "
        "from tutor.scenario import reader;"
        "print(walk.furthest(reader.load('scenarios/1-2-3-1-sigmoid.yaml')))"
    )
    assert told(code).stdout == "10000\n"
    assert int(told(code, WORK="100").stdout) == 100 // 17


# ---- nonsense ----


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", "1e3", "²", "9" * 30, "10_000"])
def test_nonsense_is_said_in_words_and_the_default_stands(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PROBLEMS", [])
    monkeypatch.setattr(limits, "NAMES", list(limits.NAMES))
    monkeypatch.setenv("LIMIT_SAMPLES", value)
    assert limits._set("SAMPLES", 7) == 7
    with pytest.raises(
        SettingError, match=f"LIMIT_SAMPLES is {value!r}; expected a whole number from 1 to"
    ):
        limits.check()


@pytest.mark.parametrize(
    "command", [["tutor", "list"], ["tutor", "prune", "--older-than", "9"], ["tutor.serve"]]
)
def test_every_command_stops_at_nonsense(command: list[str]) -> None:
    environment = {**os.environ, "LIMIT_SAMPLES": "many", "LIMIT_UNITS": "0", "PORT": "0"}
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"LIMIT_UNITS is '0'; .*\nLIMIT_SAMPLES is 'many'; .*\n", done.stderr)


def test_a_limit_that_would_break_the_reader_has_a_ceiling(monkeypatch: pytest.MonkeyPatch) -> None:
    done = told(
        "from tutor import limits; print(limits.PROBLEMS)",
        DEPTH="101",
        EXPRESSION_DEPTH="51",
        DECIMALS="13",
    )
    assert done.stdout.count("expected a whole number from 1 to") == 3


def test_a_name_that_is_nearly_a_limit_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIMIT_PARAMETER", "5")
    with pytest.raises(
        SettingError, match="LIMIT_PARAMETER is not a limit; did you mean LIMIT_PARAMETERS"
    ):
        limits.check()
    assert server.main([]) == 2


def test_a_variable_of_someone_else_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIMIT_CPU", "2000m")
    limits.check()


@pytest.mark.parametrize(
    ("count", "said"), [(64 * 1024, "64 KB"), (1_000, "1,000 bytes"), (2**21, "2,048 KB")]
)
def test_bytes_are_said_as_people_say_them(count: int, said: str) -> None:
    assert limits.amount(count) == said


def test_the_deepest_nesting_that_can_be_allowed_is_read() -> None:
    deep = "a: " + "[" * 101 + "]" * 101
    assert "more than 100 lists" in told(PARSE, stdin=deep, DEPTH="100").stdout
    formula = SMALL.replace("(1 ^ 3)", "(" * 49 + "1" + ")" * 49)
    assert told(PARSE, stdin=formula, EXPRESSION_DEPTH="50").stdout == "fits\n"
