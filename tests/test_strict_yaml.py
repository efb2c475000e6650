"""The YAML reader: what stands for what, which line it is in, and everything that is refused."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tutor import limits
from tutor.scenario import strict_yaml
from tutor.scenario.problem import ScenarioError

ROOT = Path(__file__).parents[1]


def data(text: str) -> Any:
    return strict_yaml.load(text, "f.yaml").data


def problems(text: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        strict_yaml.load(text, "f.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), ("-1", -1), ("+1", 1), ("0", 0), ("1.5", 1.5), ("-0.5", -0.5), (".5", 0.5), ("5.", 5.0),
        ("1e-1", 0.1), ("1.0e+5", 100000.0), ("1E3", 1000.0), ("true", True), ("False", False),
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("off", "off"), ("y", "y"), ("NO", "NO"),
        ("2026-01-05", "2026-01-05"), ("2024-13-45", "2024-13-45"), ("12:30:45", "12:30:45"),
        ("1_0", "1_0"), ("٣", "٣"), ("１", "１"), ("0x10", "0x10"), ("0o10", "0o10"), ("nan", "nan"), ("inf", "inf"),
        ("infinity", "infinity"), ("1/3", "1/3"), ("=", "="), ('"1"', "1"), ("'no'", "no"), ('"010"', "010"),
        ('"\\ud83d\\ude00"', "😀"), ("שלום", "שלום"), ("<b>x</b>", "<b>x</b>"),
    ],
)  # fmt: skip
def test_a_word_stands_for_what_yaml_1_2_says(text: str, value: object) -> None:
    for found in (data(f"k: {text}")["k"], data(f"k: [{text}, x]")["k"][0], data(f"- {text}")[0]):
        assert found == value
        assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("k: .nan", "f.yaml:1: k: .nan is no number to compute with; give a finite one"),
        ("k: -.inf", "f.yaml:1: k: -.inf is no number to compute with; give a finite one"),
        ("k: 1.0e+400", "f.yaml:1: k: 1.0e+400 is too large; numbers go up to about 1.8e308"),
        (
            "k: 1e-400",
            "f.yaml:1: k: 1e-400 is too small to be told from 0; numbers go down to about 5e-324",
        ),
        (
            "k: 010",
            'f.yaml:1: k: 010 starts with a 0; write the number without it, or "010" in quotes for a text',
        ),
        (
            "k: -00.5",
            'f.yaml:1: k: -00.5 starts with a 0; write the number without it, or "-00.5" in quotes for a text',
        ),
        ("k: " + "1" * 5000, "f.yaml:1: k: is a number of 5,000 characters; at most 64 are read"),
        ("k:", "f.yaml:1: k: has no value; give one or leave the key out"),
        ("k: ~", "f.yaml:1: k: has no value; give one or leave the key out"),
        ("k: [1, null]", "f.yaml:1: k[1]: has no value; give one or leave the key out"),
        (
            "k: &a 1",
            "f.yaml:1: k: the anchor &a is not read; write the value out where it is needed",
        ),
        (
            "k: !!str 1",
            "f.yaml:1: k: the tag tag:yaml.org,2002:str is not read; write the plain value",
        ),
        (
            "k: !!int abc",
            "f.yaml:1: k: the tag tag:yaml.org,2002:int is not read; write the plain value",
        ),
        (
            "k: !!python/name:os.system x",
            "f.yaml:1: k: the tag tag:yaml.org,2002:python/name:os.system is not read; write the plain value",
        ),
        ("a: 1\nb: 2\na: 3", "f.yaml:3: a: is there twice, first in line 1"),
        ("a:\n  b: {c: 1,\n   c: 2}", "f.yaml:3: a.b.c: is there twice, first in line 2"),
        ("a: 1\n---\nb: 2", "f.yaml:2: a second document starts here; a file has one"),
        ("%YAML 1.1\n---\na: 1", "f.yaml:1: directives (lines that start with %) are not read"),
        ("1: x", "f.yaml:1: a key must be a word, this is '1'"),
        ("true: x", "f.yaml:1: a key must be a word, this is 'true'"),
        ("[1, 2]: x", "f.yaml:1: a key must be a word, this is a list, a mapping or an alias"),
        ("? {a: b}\n: x", "f.yaml:1: a key must be a word, this is a list, a mapping or an alias"),
        ("a:\n  b: 1\n\tc: 2", "f.yaml:3: is not YAML: a tab cannot indent a line; use spaces"),
        (
            "a: b: c",
            "f.yaml:1: is not YAML: a colon where none can be; put a text that has a colon in quotes",
        ),
        ("a: 1\nb: @x", "f.yaml:2: is not YAML: a text cannot start with @; put it in quotes"),
        (
            "a: 1\nb: [1, 2",
            "f.yaml:2: is not YAML: while parsing a flow sequence expected ',' or ']', but got '<stream end>'",
        ),
        ("", "f.yaml: is empty"),
        ("# only a comment\n", "f.yaml: is empty"),
        (
            "a: 1\nb: x\x07y",
            "f.yaml:2: the character U+0007 does not belong in a scenario; a text file has none of those",
        ),
        (
            "a: \x00",
            "f.yaml:1: the character U+0000 does not belong in a scenario; a text file has none of those",
        ),
        (
            "a: \ud800",
            "f.yaml:1: the character U+D800 does not belong in a scenario; a text file has none of those",
        ),
        (
            "a: b\u202ec",
            "f.yaml:1: the character U+202E does not belong in a scenario; a text file has none of those",
        ),
        ('a: "\\a"', "f.yaml:1: a: has the character U+0007, which does not belong in a text"),
        ('a: "\\ud800"', "f.yaml:1: a: has half a character (a lone surrogate)"),
        (
            "a: " + "x" * limits.FILE_BYTES,
            "f.yaml: is larger than 64 KB, the limit of a scenario file",
        ),
        (
            "a: " + "é" * (limits.FILE_BYTES // 2),
            "f.yaml: is larger than 64 KB, the limit of a scenario file",
        ),
        ("[" * 20_000, "f.yaml:1: more than 16 lists and mappings inside one another"),
        ("- " * 20_000, "f.yaml:1: more than 16 lists and mappings inside one another"),
        ("- a\n" * 6_000, "f.yaml:5000: has more than 5,000 entries by here"),
    ],
)
def test_what_surprises_is_refused_with_its_line(text: str, message: str) -> None:
    assert problems(text) == [message]


def test_several_refusals_come_at_once_in_the_order_of_the_lines() -> None:
    text = "base: &base {a: 1}\nother:\n  <<: *base\n  b: *base\n  c: .inf\n  c: 2\n"
    assert problems(text) == [
        "f.yaml:1: base: the anchor &base is not read; write the value out where it is needed",
        "f.yaml:3: other: the merge key << is not read; write the keys out",
        "f.yaml:3: other.<<: the alias *base is not read; write the value out",
        "f.yaml:4: other.b: the alias *base is not read; write the value out",
        "f.yaml:5: other.c: .inf is no number to compute with; give a finite one",
        "f.yaml:6: other.c: is there twice, first in line 5",
    ]


def test_no_more_than_fifty_problems_are_told() -> None:
    found = problems("\n".join(f"k{n}: .nan" for n in range(1000)))
    assert len(found) == 50
    assert found[-1] == "f.yaml:50: and 951 more problems from here on"


def test_every_value_knows_its_line() -> None:
    document = strict_yaml.load(
        "a: 1\nb:\n  - [1, 2]\n  - [3,\n     4]\nc: [[1, 2],\n  [3, 4]]\nd: {e: x,\n  f: y}\n",
        "f.yaml",
    )
    lines = {path: document.line(path) for path in [
        (), ("a",), ("b",), ("b", 0), ("b", 0, 1), ("b", 1), ("b", 1, 0), ("b", 1, 1),
        ("c",), ("c", 1), ("c", 1, 1), ("d", "e"), ("d", "f"),
    ]}  # fmt: skip
    assert list(lines.values()) == [1, 1, 2, 3, 3, 4, 4, 5, 6, 7, 7, 8, 9]
    assert document.line(("d", "missing", 3)) == 8


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_are_counted_whatever_ends_them(ending: str) -> None:
    assert problems(f"a: 1{ending}{ending}# x{ending}b: .nan") == [
        "f.yaml:4: b: .nan is no number to compute with; give a finite one"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "[[0.1, -2, 3e2], [4, 5., 6]]",
        "[ 0.1,-2 ,3e2 ]",
        "[1, 2,]",
        "[[1],[2],]",
        "[\n1\n,\n2]",
        "[[1, 2],\n # why\n [3, 4]]",
        "[[1,\n2],\n[3]]",
        "[[[1]]]",
        "[]",
        "[[]]",
        "[+1, -0, 0.0, 1e99, 123456789012345678901234567890]",
    ],
)
def test_a_list_of_numbers_is_the_same_without_the_c_parser(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    indented = "k:\n  " + text.replace("\n", "\n  ")
    fast = strict_yaml.load(indented, "f.yaml")
    monkeypatch.setattr(strict_yaml, "_LOADER", yaml.SafeLoader)
    slow = strict_yaml.load(indented, "f.yaml")
    assert repr(fast.data) == repr(slow.data)
    assert dict(fast.lines) == dict(slow.lines)


WITH_LISTS = [
    "k: [1, 2]", "- [1, 2]", "[1, 2]", "k:\n  [1, 2]", "k: [[1], [2.5, -3e2]]", "{k: [1], l: [2,3]}", '{"k":[1,2]}',
    "k: [ 1 ,2 ]", "k: [1,\n 2]", "k: [1, 2,]", "k: [01]", "k: [1 2]", "k: [1.5.2]", "k: [-0, -0.0]", "k: [1] # [2]",
    "k: a [1, 2]", "k: [1, 2] a", "k: [1][2]", "k: [1]\n  [2]", "k: [1],", "k: [a [1], 2]", "k: {a [1]: 2}", "k: [1]#",
    "k: '[1, 2] and [3]'", 'k: "a [1,  2]"', "k: |\n  [1, 2]\n  [3]", "k: >-\n  a [1]\n  b [2]", "k: ['[1]', 2]", r'k: "\[1]"',
    "[1]: 2", "? [1]\n: 2", "'[1]': 2", "k: [[1]: 2]", "k: {[1]: 2}", "k: &a [1]", "k: !!seq [1]", "k: *a\nl: [1]", "k: [*a, [1]]",
    "k: [1]\nk: [2]", "k: [1]\n---\nl: [2]", "%YAML 1.1\n---\nk: [1]", "k: [1]\n\tl: [2]", "k: \ue0000\ue001\nl: [1]",
    r'k: "\ue0000\ue001 [1]"', r'k: "\uE0007\ue001 [1]"', "k: [1", "k: [1]]", "k: [1]\nl: @", "k: [1]\nl: .inf",
    "[" * 15 + "1" + "]" * 15, "[" * 16 + "1" + "]" * 16, "[" * 17 + "1" + "]" * 17,
    f"k: [{'[1], ' * 6000}]", f"k: [{'[], ' * 5001}]", f"k: [{chr(39)}[1]{chr(39)}{', a [1]' * 6000}]", "k:\n" + "- [1]\n" * 6000,
    f"k: [{'*a, ' * 6000}]", "k: ['[1]'" + ", '[1]'" * 6000 + "]",
]  # fmt: skip


@pytest.mark.parametrize("text", WITH_LISTS, ids=lambda text: text[:24])
def test_lists_that_are_read_beforehand_change_nothing(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read() -> tuple[str, Any]:
        try:
            document = strict_yaml.load(text, "f.yaml")
        except ScenarioError as error:
            return str(error), None
        return repr(document.data), dict(document.lines)

    quick = read()
    monkeypatch.setattr(strict_yaml, "_quickly", lambda text, where: None)
    assert quick == read()


def test_aliases_in_brackets_count_as_entries() -> None:
    found = problems(f"k: [{'*a, ' * 6_000}]")
    assert len(found) == 50
    assert any("more problems" in problem for problem in found)


def test_a_long_list_of_numbers_makes_no_events(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    value = strict_yaml._Reader._value

    def counted(self: Any, event: Any, *rest: Any) -> Any:
        seen.append(event)
        return value(self, event, *rest)

    monkeypatch.setattr(strict_yaml._Reader, "_value", counted)
    assert data(f"k: [[{', '.join(['1'] * 20_000)}], '[2]']") == {"k": ((1,) * 20_000, "[2]")}
    assert len(seen) == 4


def test_a_decimal_comma_stays_a_word() -> None:
    assert data("k: 0,5") == {"k": "0,5"}


def test_json_is_read_too_with_tabs_and_without_spaces() -> None:
    text = '{"a":1,\n\t"b":[1,2.5e-1,-3],\n\t"c":{"d":true,"e":"x: \\"y\\" \\/ \\u00e9"}}'
    document = strict_yaml.load(text, "f.json")
    assert document.data == {"a": 1, "b": (1, 0.25, -3), "c": {"d": True, "e": 'x: "y" / é'}}
    assert document.line(("c", "d")) == 3


def test_a_byte_order_mark_at_the_start_is_passed_over() -> None:
    assert data("\ufeffa: 1") == {"a": 1}


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(ScenarioError) as caught:
        strict_yaml.decode(b"a: 1\nb: \xff\xfe", "f.yaml")
    assert str(caught.value) == "f.yaml:2: is not UTF-8 text (byte 0xff)"
    with pytest.raises(ScenarioError) as caught:
        strict_yaml.decode(b"x" * (limits.FILE_BYTES + 1), "f.yaml")
    assert str(caught.value) == "f.yaml: is larger than 64 KB, the limit of a scenario file"


def test_a_document_cannot_be_changed() -> None:
    document = strict_yaml.load("a: [1, x]", "f.yaml")
    assert document.data == {"a": (1, "x")}
    with pytest.raises(TypeError):
        document.lines[("a",)] = 7  # type: ignore[index]


def test_brackets_in_a_text_are_no_lists() -> None:
    brackets = "[" * 2_000
    assert data(f"a: '{brackets}'\nb: >-\n  {brackets}\n# {brackets}") == {
        "a": brackets,
        "b": brackets,
    }


def test_halves_of_an_emoji_are_joined_in_a_long_text_too() -> None:
    numbers = ",".join(["0.25"] * 10_000)
    found = data(f'{{"a": "\\ud83d\\ude00 \\\\ud83d\\\\ude00", "b": [{numbers}]}}')
    assert found == {"a": r"😀 \ud83d\ude00", "b": (0.25,) * 10_000}


def test_a_long_text_that_is_not_yaml_is_refused_with_its_line() -> None:
    numbers = "- 1\n" * 100 + f"- [{','.join(['1'] * 20_000)}]\n"
    [start], [end] = problems(numbers + "- @x"), problems(numbers + "- [1\n")
    assert re.fullmatch(
        r"f.yaml:102: is not YAML: a text cannot start with .+; put it in quotes", start
    )
    assert re.fullmatch(
        r"f.yaml:10[23]: is not YAML: while parsing a flow sequence .*expected ',' or ']'.*", end
    )


def test_a_python_without_the_c_parser_reads_the_same() -> None:
    program = (
        "import yaml; del yaml.CSafeLoader\n"
        "from tutor.scenario import strict_yaml; print(strict_yaml.load('a: [1, x]', 'f').data)"
    )
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout == "{'a': (1, 'x')}\n"
