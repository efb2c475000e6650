"""docs/scenarios.md is true: its examples run, its tables are those of the models, its messages are
those that come.
"""

import json
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from tutor import limits
from tutor.engine.activations import activation
from tutor.engine.kinds import KINDS
from tutor.engine.quantity import parse
from tutor.lesson import validation
from tutor.lesson.setup import build
from tutor.notation.conventions import CHOICES, PRESETS, Alphabet
from tutor.notation.plain import PlainText
from tutor.number import short
from tutor.pages.view import View
from tutor.scenario import dump, reader, strict_yaml
from tutor.scenario.graph_file import GraphFile
from tutor.scenario.knobs import CHOICES as TRAINING_CHOICES
from tutor.scenario.knobs import KNOBS
from tutor.scenario.messages import OTHER
from tutor.scenario.model import ScenarioFile
from tutor.scenario.reader import ScenarioError
from tutor.scenario.schema import MEANINGS

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
EXAMPLES = sorted((ROOT / "docs" / "examples").iterdir(), key=lambda path: path.stem)
SHORTEST, WHOLE, EDITOR = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
NAME = "scenarios/two-layers.yaml"


def section(title: str) -> str:
    """What stands below a heading."""
    return TEXT.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def rows(text: str) -> list[list[str]]:
    """The cells of all rows of the tables in a text, without the rules below the headings."""
    lines = [
        line for line in text.splitlines() if line.startswith("|") and not line.startswith("|---")
    ]
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines]


def code(cell: str) -> list[str]:
    """What stands in a cell as code."""
    return re.findall(r"`([^`]+)`", cell)


# ---- the examples ----


@pytest.fixture
def problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What `validate` says of a text, a line each."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenarios").mkdir()

    def found(text: str) -> list[str]:
        Path(NAME).write_text(text, encoding="utf-8")
        try:
            validation.check(NAME)
        except ScenarioError as error:
            return [str(problem) for problem in error.problems]
        return []

    return found


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    """A browser over the folder of examples."""
    return create_app(ROOT / "docs" / "examples").test_client()


@pytest.mark.parametrize("text", [SHORTEST, WHOLE], ids=["shortest", "whole"])
def test_an_example_runs_and_agrees_with_its_slides(text: str, problems: Any) -> None:
    assert problems(text) == []


def test_the_whole_example_has_all_parts_of_a_file() -> None:
    assert {line.split(":")[0] for line in WHOLE.splitlines() if re.match(r"[a-z]", line)} == set(
        ScenarioFile.model_fields
    )


# ---- the files of examples ----

LISTED = re.findall(r"^- \[(\S+)\]\(examples/(\S+)\): (.+)$", section("Examples"), re.MULTILINE)


def test_every_example_is_listed_with_a_line_and_no_other() -> None:
    names = [path.name for path in EXAMPLES]
    assert [(shown, address) for shown, address, _ in LISTED] == [(name, name) for name in names]
    assert len({line for *_, line in LISTED}) == len(names)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_file_is_sound_and_opens_as_a_lesson(path: Path, client: FlaskClient) -> None:
    lesson = validation.check(str(path))
    assert len(lesson.walk("number")) > 1
    view = View().from_raw(lesson.scenario)
    for address in (
        f"/lessons/{path.stem}",
        f"/lessons/{path.stem}/steps/1",
        view.address(path.stem, len(lesson.walk("number"))),
    ):
        assert client.get(address).status_code == 200


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_file_says_what_it_shows_and_is_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert path.suffix == ".json" or text.startswith("# ")
    assert len(text.splitlines()) <= 30
    assert reader.scenario_id(path.name) == path.stem


def test_between_them_the_examples_use_every_key_and_every_word() -> None:
    used: set[str] = set()
    words: set[str] = set()
    for path in EXAMPLES:
        _gather(strict_yaml.load(path.read_text(encoding="utf-8"), path.name).data, "", used, words)
    assert {key for key in KEYS if not key.endswith("[]")} - used <= set(SHOWN_TOGETHER)
    layer = "network.layers[]"
    for key in (
        f"{layer}.activation",
        f"{layer}.init.scheme",
        "network.loss.name",
        "network.loss.reduction",
        "notation.preset",
        "training.optimizer.name",
        "training.schedule.name",
        "training.l2.form",
    ):
        assert set(code(KEYS[key][1])) - words <= {"sign", "sgd", "constant", "squared"}


SHOWN_TOGETHER = {
    "training.batch", "notation.layer_mark", "notation.weight_index", "notation.bias", "notation.sample_mark",
    "notation.names",
}  # fmt: skip
"""Keys without an example of their own: they have one value, or are shown by a preset."""


def _gather(value: Any, path: str, used: set[str], words: set[str]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            used.add(name := f"{path}.{key}" if path else key)
            _gather(inner, name, used, words)
    elif isinstance(value, tuple):
        for inner in value:
            _gather(inner, f"{path}[]", used, words)
    elif isinstance(value, str):
        words.add(value)


def test_an_editor_is_told_by_a_comment_that_the_tutor_does_not_mind(problems: Any) -> None:
    assert (
        EDITOR.splitlines()[0]
        == (ROOT / "docs" / "examples" / "editor.yaml").read_text(encoding="utf-8").splitlines()[0]
    )
    assert problems(EDITOR + SHORTEST) == []


# ---- the table of keys ----

KEYS = {code(row[0])[0]: row for row in rows(section("All keys")) if row[0].startswith("`")}


def fields() -> dict[str, tuple[dict[str, Any], bool]]:
    """Every key of the format with its JSON schema and whether it is required."""
    found: dict[str, tuple[dict[str, Any], bool]] = {}
    for model in (GraphFile, ScenarioFile):
        schema = model.model_json_schema()
        found |= dict(walked(schema, schema["$defs"], ""))
    return found | {"graph": (found["graph"][0], False)}


def walked(
    model: dict[str, Any], models: dict[str, Any], above: str
) -> Iterator[tuple[str, tuple[dict[str, Any], bool]]]:
    for name, part in model["properties"].items():
        path, found = f"{above}{name}", flat(part)
        yield path, (found, name in model.get("required", ()))
        inner, into = flat(found.get("items", {})), f"{path}."
        if inner.get("maxLength"):
            yield f"{path}[]", (inner, False)
        if "$ref" in inner:
            found, into = inner, f"{path}[]."
        if "$ref" in found:
            yield from walked(models[found["$ref"].rsplit("/", 1)[1]], models, into)


def flat(part: dict[str, Any]) -> dict[str, Any]:
    """A schema without the part that says it may be left out."""
    kinds = [kind for kind in part.get("anyOf", ()) if kind.get("type") != "null"]
    return {**part, **kinds[0]} if kinds else part


def test_every_key_of_the_format_is_documented_and_no_other() -> None:
    assert set(KEYS) == set(fields())


@pytest.mark.parametrize("key", KEYS)
def test_what_is_said_of_a_key_is_what_the_model_says(key: str) -> None:
    found, required = fields()[key]
    _, value, default, _ = KEYS[key]
    words = [word for word in (found.get("enum") or [found.get("const")]) if isinstance(word, str)]
    if words:
        assert code(value) == words
    else:
        bounds = {
            found[name]
            for name in ("minimum", "maximum", "minItems", "maxItems", "maxLength")
            if name in found
        }
        said = {
            int(number.replace(",", ""))
            for number in re.findall(r"\d[\d,]*", value.replace("above 0", ""))
        }
        assert said <= bounds | {1}
        assert {bound for bound in bounds if bound > 1} <= said
    assert ("above 0" in value) == ("exclusiveMinimum" in found or key == "network.layers[].alpha")
    if required:
        assert default == "required"
    elif isinstance(found.get("default"), str | int | float):
        assert code(default) == [json.dumps(found["default"]).strip('"')]
    else:
        assert default in {"–", ""}


def test_the_meanings_are_those_of_the_models() -> None:
    assert {key: row[3] for key, row in KEYS.items()} == dict(MEANINGS), (
        "`make docs` writes them from tutor/scenario/schema.py"
    )


def test_make_docs_leaves_a_page_that_is_up_to_date_as_it_is() -> None:
    renewed = runpy.run_path(str(ROOT / "docs" / "keys.py"))["renewed"]
    assert renewed(TEXT) == TEXT
    assert renewed(TEXT.replace("the lesson's name", "something else")) == TEXT


def test_defaults_of_activations_are_as_documented() -> None:
    assert activation("leaky_relu").parameters == {"slope": 0.01}
    assert activation("elu").parameters == {"alpha": 1.0}
    assert "0.01 if left out" in KEYS["network.layers[].slope"][3]
    assert "1 if left out" in KEYS["network.layers[].alpha"][3]


def test_a_file_is_a_network_or_a_formula_and_not_both(problems: Any) -> None:
    for key, said in OTHER.items():
        (answer,) = problems(f"{SHORTEST}{key}: {{}}\n")
        assert answer == f"{NAME}:11: {key}: {said}"


def test_every_number_of_training_is_documented_with_its_owners_its_bounds_and_its_default() -> (
    None
):
    for at in KNOBS.values():
        if at.part not in {"optimizer", "schedule"}:
            continue
        said = KEYS[".".join(map(str, ("training", *at.path)))][3]
        assert set(code(said)) == set(at.owners)
        assert f"a number {at.knob.bounds};" in said
        assert said.endswith(" if left out")
        for knob in at.owners.values():
            assert short(knob.default) in said


def test_what_may_be_a_bare_name_is_documented() -> None:
    for part in ("optimizer", "schedule"):
        assert KEYS[f"training.{part}"][1] == "name, or mapping"
        assert code(KEYS[f"training.{part}.name"][1]) == list(TRAINING_CHOICES[part])
        assert f"`{TRAINING_CHOICES[part][0]}` if left out" in KEYS[f"training.{part}"][3]


def test_limits_are_as_documented() -> None:
    assert f"at most {limits.PARAMETERS:,} weights and biases" in TEXT
    assert f"up to {limits.FILE_BYTES // 1024} KB" in TEXT
    assert f"at most {limits.GRAPH_NODES:,} nodes and {limits.GRAPH_NUMBERS:,} numbers" in TEXT
    assert (
        f"At most {limits.ENTRIES:,} entries (a list of plain numbers counts as one) and {limits.DEPTH} levels"
        in TEXT
    )


# ---- names ----

NAMES = [row for row in rows(section("Names of quantities")) if row[0].startswith("`")]
SKIP = (ROOT / "docs" / "examples" / "skip.yaml").read_text(encoding="utf-8").split("checks:")[0]
SINGLE = re.sub(r"    - \[0, 2\]\n|    - \[0, 1\]\n", "", WHOLE.split("printed:")[0]).replace(
    "trainable: {biases: false}", "trainable: {}"
)


def test_every_kind_of_quantity_is_documented() -> None:
    assert {parse(name).kind for row in NAMES for name in code(row[0])} == set(KINDS)


ELSEWHERE = [row for row in NAMES if "not in scenario files" in row[2]]


def test_a_name_that_files_cannot_have_is_refused() -> None:
    assert [row[0] for row in ELSEWHERE] == ["`train[2]@7`"]
    for text in (SINGLE, _set(SINGLE, "scale: standardize")):
        assert not _has(f'{text}checks:\n  - {{quantity: "train[2]@7", equals: "1"}}\n')


@pytest.mark.parametrize(
    "row", [row for row in NAMES if row not in ELSEWHERE], ids=lambda row: row[0].strip("`")
)
def test_a_documented_name_is_accepted(row: list[str]) -> None:
    one, several = SINGLE, WHOLE.split("printed:")[0]
    if "`skip`" in row[2] or "skip connection" in row[2]:
        one, several = (
            SKIP,
            SKIP.replace("[[1, 2]]", "[[1, 2], [2, 1]]").replace("[[1]]", "[[1], [0]]"),
        )
    ways = [setting for setting in code(row[2]) if re.match(r"\w+: ", setting)]
    for text, names in ((one, code(row[0])), (several, code(row[1]))):
        for n, name in enumerate(names):
            checks = f'  - {{quantity: "{name}", equals: "{{{name}}}"}}\n'
            found = [_set(text, way) for way in ways] or [text]
            assert any(_has(f"{each}checks:\n{checks}") for each in found), (n, name)
            assert not ways or not _has(f"{text}checks:\n{checks}")


def _set(text: str, setting: str) -> str:
    """A lesson with a setting more: of its training, or of its first layer."""
    if setting.startswith("dropout"):
        return text.replace("      slope: 0.1\n", f"      slope: 0.1\n      {setting}\n")
    if setting.startswith("scale"):
        return text.replace("data:\n", f"data:\n  {setting}\n")
    return text.replace("optimizer: sgd, ", "").replace("training: {", f"training: {{{setting}, ")


def _has(text: str) -> bool:
    """Whether a lesson has what its closed forms ask for."""
    try:
        return bool(reader.parse(text, NAME).checks)
    except ScenarioError as error:
        if all("here: " in problem.message for problem in error.problems):
            return False
        raise


def test_names_of_one_sample_have_no_sample() -> None:
    assert len(reader.parse(SINGLE, NAME).inputs) == 1
    assert not any("@" in row[0] for row in NAMES if row not in ELSEWHERE)


# ---- notation ----


def test_the_presets_are_as_documented() -> None:
    table = [
        row
        for row in rows(section("How the lecture writes"))
        if code(row[0]) and code(row[0])[0] in CHOICES
    ]
    assert [code(row[0])[0] for row in table] == list(CHOICES)
    for row in table:
        choice = code(row[0])[0]
        assert [code(cell)[0] for cell in row[1:]] == [
            getattr(preset, choice) for preset in PRESETS.values()
        ]


def test_the_symbols_are_as_documented() -> None:
    example = reader.parse(WHOLE, NAME)
    network = build(example).network
    table = [
        row
        for row in rows(section("How the lecture writes").split("In symbols", 1)[1])
        if code(row[0])
    ]
    assert len(table) > 8
    for name, *cells in table:
        q = parse(code(name)[0])
        for cell, preset in zip(cells, PRESETS.values(), strict=True):
            alphabet = Alphabet.of(preset, network, len(example.inputs))
            assert code(cell) == [PlainText(alphabet, 4).letter(alphabet.symbol(q), q.kind)]


# ---- messages ----


def test_the_broken_example_gets_the_messages_that_stand_below_it(problems: Any) -> None:
    (broken,) = re.findall(r"^```yaml broken\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    (messages,) = re.findall(r"^```text\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert problems(broken) == messages.splitlines()


ANSWERS = [row for row in rows(section("What goes wrong")) if code(row[1])]


@pytest.mark.parametrize("row", ANSWERS, ids=lambda row: row[1].strip("`")[:40])
def test_a_mistake_gets_the_documented_answer(row: list[str], problems: Any) -> None:
    (written,), (answer,) = code(row[1]), code(row[2])
    if code(row[0]):
        (before,) = code(row[0])
        assert SHORTEST.count(before) == 1
        text = SHORTEST.replace(before, written)
    else:
        text = f"{SHORTEST}{written}\n"
    assert problems(text)[0].split(": ", 1)[1] == answer


# ---- what the tutor writes ----


def test_what_is_said_of_files_that_the_tutor_writes_is_so() -> None:
    said = section("How the tutor writes a file")
    assert f"Lines have up to {dump.WIDTH} characters" in said
    text = SHORTEST.replace("title: My", "title: My\u200b").replace("[[1, 2]]", "[[-0.0, 2.0]]")
    text = text.replace("0.5}\n", "0.0000001, batch: full}\n")
    written = dump.write(reader.parse(f"# a comment\n{text}", NAME))
    for number in ("1e-07", "inputs: [[0, 2]]", r'"My\u200b first network"'):
        assert number in written
    assert "batch" not in written
    assert "#" not in written
    assert list(ScenarioFile.model_fields) == list(
        dict.fromkeys(line.split(":")[0] for line in WHOLE_WRITTEN if re.match("[a-z]", line))
    )


WHOLE_WRITTEN = dump.write(
    reader.parse(WHOLE.replace("decimals: 4", "decimals: 5"), NAME)
).splitlines()
