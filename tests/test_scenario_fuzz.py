"""Whatever the text is: a scenario, or a ScenarioError with a reason. Never another exception,
never a long wait.

What is taken can be written as a text again, and what is data can be checked without a text, as
quickly.
"""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.turns import Turns
from tutor import limits
from tutor.engine.trace import run
from tutor.lesson.setup import build
from tutor.scenario import reader, strict_yaml
from tutor.scenario.reader import Scenario, ScenarioError

ROOT = Path(__file__).parents[1]
VALID = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "scenarios").glob("*.yaml"))]
SMALL = """\
format: 1
title: A
network:
  inputs: 2
  layers:
    - {units: 3, activation: elu, alpha: 1, weights: [[1, 2], [3, 4], [5, 6]], biases: [0.1, 0.2, 0.3]}
    - {units: 2, activation: softmax, init: {scheme: xavier, seed: 1}, trainable: {biases: false}}
  loss: {name: cross_entropy, reduction: sum}
data: {inputs: [[1, 2]], targets: [[0, 1]]}
training: {learning_rate: 0.1}
printed: [{expression: "{loss} * 2 ^ {w[1][1,1]}", at: loss, value: "1.5%", where: p. 1}]
notes: [{at: "a[1][1]", text: b}]
checks: [{quantity: "z[1][1]", equals: "{x[1]} + 2 * {x[2]} + 0.1"}]
"""

PIECES = [
    "", "0", "-1", "1e400", ".nan", "null", "true", "no", "[]", "{}", "[[", "]]", "&a", "*a", "<<", "!!int", "!!python/object:os.system",
    "---", "...", "%TAG", "\t", "\0", "\u202e", "\ud800", "é", "😀", "'", '"', "|", ">", "? ", "#", ":", ": ", "- ", "9" * 70, "1_0", "٣",
    "none", "softmax", "step", "sign", "cross_entropy", "@1", "@2", "[1]", "1000000", "{loss}", "z[1][1]", "\n", "\n  ", "\r", "\u2028",
]  # fmt: skip


def answer(text: str) -> None:
    """Parse; a refusal can be shown, and what is taken can be computed."""
    try:
        found = reader.parse(text, "x.yaml")
    except ScenarioError as error:
        check_refusal(error)
    else:
        assert isinstance(found, Scenario)
        found.title.encode("utf-8")
        problem = build(found)
        assert run(problem.network, problem.x, problem.y, problem.eta).samples == len(found.inputs)


def check_refusal(error: ScenarioError) -> None:
    assert 1 <= len(error.problems) <= 50
    for problem in error.problems:
        shown = str(problem)
        assert shown.startswith("x.yaml:")
        assert shown.isprintable(), shown
        assert len(shown) < 1000
        assert problem.message


@given(st.binary(max_size=300))
def test_random_bytes_have_an_answer(content: bytes) -> None:
    with contextlib.suppress(ScenarioError):
        answer(strict_yaml.decode(content, "x.yaml"))


@given(st.text(max_size=300))
def test_random_text_has_an_answer(text: str) -> None:
    answer(text)


@given(st.lists(st.sampled_from([*PIECES, "a", "b: ", "{a: ", ", "]), max_size=40).map("".join))
def test_random_pieces_of_yaml_have_an_answer(text: str) -> None:
    answer(text)


@given(st.data())
def test_a_valid_file_with_pieces_put_in_or_cut_out_has_an_answer(data: st.DataObject) -> None:
    text = SMALL
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 12))
        text = text[:start] + data.draw(st.sampled_from(PIECES)) + text[start + cut :]
    answer(text)


@given(st.sampled_from(VALID), st.integers(0, 10**6), st.sampled_from(PIECES), st.integers(0, 40))
def test_a_scenario_of_the_project_that_was_spoilt_has_an_answer(
    text: str, place: int, piece: str, cut: int
) -> None:
    start = place % len(text)
    answer(text[:start] + piece + text[start + cut :])


WORDS = """format title network inputs layers units activation slope alpha weights biases init scheme scale seed trainable
    loss name reduction data targets training learning_rate batch optimizer iterations printed quantity expression at value
    where notes checks equals text"""
KEYS = st.sampled_from(WORDS.split())
VALUES = st.recursive(
    st.one_of(
        st.integers(-5, 2000).map(str), st.floats().map(repr),
        st.sampled_from(["true", "none", "relu", "softmax", "sgd", "full", "cross_entropy", "'1.5%'", "loss", "'z[1][1]'", "'{loss} ^ 2'"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda items: f"[{', '.join(items)}]"),
        st.dictionaries(KEYS, inner, max_size=5).map(lambda items: "{" + ", ".join(f"{k}: {v}" for k, v in items.items()) + "}"),
    ),
    max_leaves=20,
)  # fmt: skip


@given(st.dictionaries(KEYS, VALUES, max_size=8))
def test_known_keys_with_any_values_have_an_answer(items: dict[str, str]) -> None:
    answer("\n".join(f"{key}: {value}" for key, value in items.items()))


@given(st.sampled_from([line.split(":")[0].strip(" -") for line in SMALL.splitlines()]), VALUES)
def test_a_valid_file_with_another_value_for_one_key_has_an_answer(key: str, value: str) -> None:
    lines = SMALL.splitlines()
    answer(
        "\n".join(
            f"{line.split(':')[0]}: {value}" if line.strip().startswith(f"{key}:") else line
            for line in lines
        )
    )


def test_the_file_that_is_spoilt_is_sound_before() -> None:
    reader.parse(SMALL, "x.yaml")


FULL = limits.FILE_BYTES


def filled(piece: str, before: str = "", after: str = "") -> str:
    """A text of just under 64 KB."""
    return before + piece * ((FULL - len(before) - len(after)) // len(piece.encode())) + after


HEAD, _, TAIL = SMALL.partition("data: {inputs: [[1, 2]], targets: [[0, 1]]}\n")
BOMBS = {
    "20,000 brackets": "[" * 20_000,
    "40,000 brackets": "[" * 40_000,
    "40,000 braces": "{" * 40_000,
    "brackets on lines": filled("[\n"),
    "brackets and braces": filled("[{a: "),
    "pairs of brackets": filled("[],", "[", "]"),
    "dashes": filled("- "),
    "question marks": filled("? "),
    "colons": filled(":"),
    "colons and spaces": filled(": "),
    "anchors": filled("&a "),
    "a long anchor": filled("a", "&"),
    "a long tag": filled("%41", "!<", ">"),
    "a bomb of merge keys": "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 12)),
    "a bomb of aliases": "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)),
    "an alias to itself": "a: &a [*a]",
    "a number of 5,000 digits": "a: " + "9" * 5_000,
    "a number of 64 KB": filled("9", "a: "),
    "a fraction of 64 KB": filled("9", "a: 0."),
    "numbers in one line": filled("1,", "a: [", "1]"),
    "words in one line": filled("x,", "a: [", "x]"),
    "nearly numbers in one line": filled("1,", "a: [", "x]"),
    "rows in one line": filled("[1],", "a: [", "[1]]"),
    "nearly rows in one line": filled("[1],", "a: [", "[x]]"),
    "rows that never end": filled("[1,"),
    "numbers on lines": filled("1,\n ", "a: [", "1]"),
    "rows on lines": filled("- [1]\n"),
    "entries on lines": filled("- 1\n"),
    "keys on lines": "".join(f"k{n}: 1\n" for n in range(7_000)),
    "keys in one line": "{" + ",".join(f"k{n}: 1" for n in range(7_000)) + "}",
    "one key over and over": filled("a: 1\n"),
    "no values": filled("a,", "{", "}"),
    "empty lines": filled("\n"),
    "spaces": filled(" ", "a:", "b"),
    "comments": filled("#\n"),
    "documents": filled("---\n"),
    "directives": filled("%a b\n"),
    "a long key": filled("a", after=": 1"),
    "a long text": filled("x ", "a: "),
    "a text on lines": filled(" x\n", "a:\n"),
    "a text in quotes": filled("\\n", 'a: "', '"'),
    "half characters in quotes": filled("\\ud800", 'a: "', '"'),
    "a block": filled(" x\n", "a: |\n"),
    "empty lines in a block": filled("\n", "a: |\n"),
    "emoji": filled("😀", "a: "),
    "64 KB of samples": filled("[1,2],", HEAD + "data: {inputs: [", "[1,2]], targets: [[0, 1]]}\n" + TAIL),
    "64 KB of wrong targets": filled("[7],", HEAD + "data: {inputs: [[1, 2]], targets: [", "[7]]}\n" + TAIL),
    "64 KB of targets that do not sum to 1": filled("[0.25,0.25],", HEAD + "data: {inputs: [[1, 2]], targets: [", "[0,1]]}\n" + TAIL),
    "many wrong keys": SMALL + "".join(f"titl{n}: 1\n" for n in range(2_300)),
    "500 printed numbers": SMALL.partition("printed")[0] + "printed:\n" + "- {quantity: loss, value: '1', where: a}\n" * 500,
    "500 long expressions": SMALL.partition("printed")[0]
    + "printed:\n" + ("- {expression: '" + "1+" * 40 + "1', at: loss, value: '1', where: a}\n") * 490,
    "formulas of many terms": SMALL.partition("checks")[0]
    + "checks:\n" + ("- {quantity: loss, equals: '" + "1+" * 249 + "1'}\n") * 120,
    "500 wrong names": SMALL.partition("printed")[0] + "printed:\n" + "- {quantity: 'z[1][1]@9', value: '1', where: a}\n" * 500,
    "190 wrong expressions": SMALL.partition("checks")[0] + "checks:\n" + ("- {quantity: loss, equals: '" + "-(" * 120 + "'}\n") * 190,
    "600 wrong words": HEAD.partition("  layers")[0] + "  layers:\n" + "    - {activation: sigmo, units: x, wei: 1}\n" * 600,
    "a large network": SMALL.replace("units: 3", "units: 1024").replace("units: 2", "units: 1024"),
    "a sound matrix": f"{HEAD.partition('  layers')[0]}  layers:\n    - {{units: 1000, activation: relu, biases: none, weights: ["
    + ",".join(["[0.1234567890123,-0.12345678901234]"] * 1000) + "]}\n    - {units: 2, activation: softmax, init: {scheme: he}}\n"
    "  loss: {name: cross_entropy}\ndata: {inputs: [[1, 2]], targets: [[0, 1]]}\n" + TAIL.partition("printed")[0],
    "sound samples": f"{HEAD}data: {{inputs: [{','.join(['[0.1234567890123,-0.12345678901234]'] * 1000)}], targets: ["
    + ",".join(["[0,1]"] * 1000) + "]}\n" + TAIL.partition("printed")[0],
    "sound slides": SMALL.partition("printed")[0] + "printed:\n" + "".join(
        f"- {{quantity: 'w[1][{n % 3 + 1},1]', at: loss, value: '{n}.5', where: 'p. {n}: a', slip: '{'é # ' * 10}'}}\n" for n in range(420)
    ),
    "sound long texts": SMALL.partition("notes")[0] + "notes:\n" + ("- {at: loss, text: '" + "a  b: " * 160 + "'}\n") * 60,
    "sound emoji": SMALL.partition("notes")[0] + "notes:\n" + ("- {at: loss, text: '" + "😀\u200d" * 140 + "'}\n") * 60,
}  # fmt: skip
SOUND = {
    "500 printed numbers",
    "500 long expressions",
    "formulas of many terms",
    *(name for name in BOMBS if "sound " in name),
}

Defuse = Callable[..., tuple[float, str]]


@pytest.fixture(scope="module")
def defuse() -> Iterator[Defuse]:
    """(seconds of the processor, sound or refused) of a text, in a process of its own within 512
    MB.
    """
    command = [sys.executable, "-m", "tests.defuser"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None

        def answer(text: str, megabytes: int = 512) -> tuple[float, str]:
            content = text.encode("utf-8")
            program.stdin.write(b"%d %d\n%b" % (len(content), megabytes, content))
            program.stdin.flush()
            status, said = json.loads(program.stdout.readline())
            assert status == 0, said
            seconds, verdict = said.split()
            return float(seconds), verdict

        yield answer


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_answered_checked_and_written_within_250_ms_and_512_mb(
    defuse: Defuse, turns: Turns, name: str
) -> None:
    seconds, verdict = defuse(BOMBS[name])
    if seconds >= 0.25:
        with turns.alone():
            seconds, verdict = defuse(BOMBS[name])
    assert seconds < 0.25
    assert (verdict == "sound") == (name in SOUND)


def test_a_text_that_needs_more_memory_than_it_may_have_is_seen_and_leaves_the_next_alone(
    defuse: Defuse,
) -> None:
    with pytest.raises(AssertionError, match="MemoryError"):
        defuse(BOMBS["500 long expressions"], megabytes=8)
    assert defuse(SMALL)[1] == "sound"


def test_a_random_choice_of_cuts_is_answered_for_every_scenario() -> None:
    chance = random.Random(7)
    for text in VALID:
        for _ in range(5):
            answer(text[: chance.randrange(len(text))])
