"""A lesson as text: pasted, uploaded, checked, saved and taken away. Whatever is sent, there is an
answer with a reason.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse, create_environ, run_wsgi_app
from werkzeug.wrappers import Request

from app import create_app
from tests.htmltree import Page, read
from tests.test_scenario_fuzz import PIECES
from tests.test_security import HARMLESS, HIDDEN, PAYLOADS, lesson, skeleton
from tests.visiting import NAMES, get, page, scenario, send
from tutor import limits
from tutor.builder import text_page
from tutor.lesson import validation
from tutor.scenario import dump
from tutor.scenario import reader as scenarios
from tutor.web.security import HEADERS

if TYPE_CHECKING:
    from flask import Flask

SMALL = text_page.EXAMPLE


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The tutor with a store of its own, which takes many saves."""
    return with_store(tmp_path_factory.mktemp("store") / "lessons.sqlite", 100_000)


def with_store(path: Path, per_minute: int, *, allowed: bool = True) -> Flask:
    """The tutor over a new store. The app reads its settings from the environment, so they are put
    there for a moment.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", f"sqlite:///{path}")
        patch.setenv("SAVES_PER_MINUTE", str(per_minute))
        patch.setenv("SAVING", "on" if allowed else "off")
        return create_app(Path(__file__).parents[1] / "scenarios")


def post(
    app: Flask, text: str | None = None, file: bytes | None = None, name: str = "mine.yaml", do: str = "check", **headers: str
) -> TestResponse:  # fmt: skip
    """The answer to the form."""
    data: dict[str, Any] = {"do": do}
    if text is not None:
        data["text"] = text
    if file is not None:
        data["file"] = (io.BytesIO(file), name)
    return app.test_client().post(
        "/open", data=data, content_type="multipart/form-data", headers=headers, buffered=True
    )


def shown(answer: TestResponse) -> Page:
    found = read(answer.text)
    assert found.problems == []
    return found


def typed(answer: TestResponse) -> str:
    """What stands in the field, as a browser reads it: without the newline that the tag itself ends
    with.
    """
    field = shown(answer).root.one("textarea").text
    assert field.startswith("\n")
    return field[1:]


def listed(answer: TestResponse) -> list[str]:
    """The problems of the list."""
    return [
        " ".join(item.text.split())
        for item in shown(answer).root.one("section", id="problems").all("li")
    ]


# ---- the page ----


def test_the_page_starts_empty_and_offers_an_example(app: Flask) -> None:
    answer = get("/open", app)
    assert typed(answer) == ""
    links = [a.attributes["href"] for a in shown(answer).root.one("form", id="open").all("a")]
    assert links == ["/open?example=1", "/schema/scenario.json"]
    assert all(get(address, app).status_code == 200 for address in links)
    assert typed(get("/open?example=1", app)) == SMALL


def test_the_example_is_sound_and_runs(app: Flask) -> None:
    answer = post(app, SMALL)
    assert answer.status_code == 200
    sound = shown(answer).root.one("section", id="sound")
    assert "2-2-1" in sound.text
    assert len(list(sound.one("ol", cls="first-steps").all("li"))) == 6
    assert len(list(sound.all("svg"))) == 1
    assert typed(answer) == SMALL


@pytest.mark.parametrize("name", NAMES)
def test_every_lesson_can_be_opened_as_a_text_that_is_sound(app: Flask, name: str) -> None:
    answer = get(f"/open?from={name}", app)
    assert typed(answer) == dump.write(replace(scenario(name), origin=name))
    checked = post(app, typed(answer))
    assert checked.status_code == 200, listed(checked)


@pytest.mark.parametrize("name", NAMES)
def test_the_file_of_a_lesson_is_a_download_that_opens_again(app: Flask, name: str) -> None:
    answer = get(f"/lessons/{name}/scenario.yaml", app)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/yaml; charset=utf-8"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}.yaml"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert post(app, file=answer.data, name=f"{name}.yaml").status_code == 200
    again = scenarios.parse(answer.text, f"{name}.yaml")
    assert dump.write(again) == answer.text


CHANGED = [
    "/open?from=1-2-3-1-sigmoid&w[2][1,1]=1/4&learning_rate=0,5",
    "/lessons/1-2-3-1-sigmoid/scenario.yaml?w%5B2%5D%5B1%2C1%5D=0.25&learning_rate=0.5",
]


@pytest.mark.parametrize("address", CHANGED)
def test_a_readers_changes_are_in_the_text(app: Flask, address: str) -> None:
    answer = get(address, app)
    text = typed(answer) if "/open" in address else answer.text
    found = scenarios.parse(text, "x.yaml")
    assert found.network.layers[1].weights is not None
    assert found.network.layers[1].weights[0][0] == 0.25
    assert found.training.learning_rate == 0.5
    assert post(app, text).status_code == 200


def test_a_copy_knows_what_it_came_from(app: Flask) -> None:
    first = post(app, typed(get("/open?from=perceptron-step", app)), do="save").location.rpartition(
        "/"
    )[2]
    assert (
        scenarios.parse(get(f"/lessons/{first}/scenario.yaml", app).text, "x.yaml").origin
        == "perceptron-step"
    )
    assert scenarios.parse(typed(get(f"/open?from={first}", app)), "x.yaml").origin == first


@pytest.mark.parametrize(
    "address",
    ["/open?from=nothing", "/open?from=", "/lessons/nothing/scenario.yaml", "/open?from=../app.py"],
)
def test_a_lesson_that_is_not_there_is_not_found(app: Flask, address: str) -> None:
    assert get(address, app).status_code == 404


def test_a_lesson_as_json_is_read_too(app: Flask) -> None:
    answer = post(
        app, json.dumps(lesson("A lesson in JSON") | {"printed": [], "checks": []}, indent="\t")
    )
    assert answer.status_code == 200, listed(answer)
    assert "A lesson in JSON" in shown(answer).root.one("section", id="sound").text


def test_an_upload_takes_the_place_of_the_text_and_is_shown(app: Flask) -> None:
    answer = post(app, "never mind", SMALL.encode())
    assert answer.status_code == 200
    assert typed(answer) == SMALL


def test_an_empty_field_for_a_file_leaves_the_text(app: Flask) -> None:
    assert post(app, SMALL, b"", name="").status_code == 200


def test_line_ends_of_a_browser_and_a_byte_order_mark_are_no_problem(app: Flask) -> None:
    assert post(app, SMALL.replace("\n", "\r\n")).status_code == 200
    assert post(app, file=b"\xef\xbb\xbf" + SMALL.encode()).status_code == 200
    padded = SMALL + "#" * (limits.FILE_BYTES - len(SMALL) - 1) + "\n"
    assert post(app, padded.replace("\n", "\r\n")).status_code == 200


# ---- problems ----


def test_every_problem_is_listed_with_its_line_and_shown_at_its_line(app: Flask) -> None:
    bad = (
        SMALL.replace("[0.3, 0.4]]", "[0.3]]")
        .replace("half_squared_error", "half_square")
        .replace("rate: 0.5", "rate: quick")
    )
    answer = post(app, bad)
    assert answer.status_code == 422
    with pytest.raises(scenarios.ScenarioError) as refused:
        validation.check_text(bad, text_page.WHERE)
    problems = refused.value.problems
    assert len(problems) >= 3
    assert listed(answer) == [f"Line {p.line} {p.path}: {p.message}" for p in problems]
    root = shown(answer).root
    lines = {
        int(item.attributes["value"]): item
        for item in root.one("section", cls="excerpts").all("li")
    }
    for problem in problems:
        assert problem.message in lines[problem.line].text
        assert bad.split("\n")[problem.line - 1] in lines[problem.line].text
        assert "wrong" in lines[problem.line].classes
    assert all(item.one("code").text == bad.split("\n")[n - 1] for n, item in lines.items())
    links = {a.attributes["href"] for a in root.one("section", id="problems").all("a")}
    assert links == {f"#{lines[problem.line].attributes['id']}" for problem in problems}
    assert typed(answer) == bad
    assert root.one("textarea").attributes["aria-invalid"] == "true"
    assert root.one("title").text.startswith(f"{len(problems)} problems · ")


def test_a_printed_number_that_disagrees_is_a_problem_as_for_the_command(app: Flask) -> None:
    text = (Path(__file__).parents[1] / "scenarios" / "1-2-3-1-sigmoid.yaml").read_text(
        encoding="utf-8"
    )
    bad = re.sub(r'value: "0\.7739"', 'value: "0.7799"', text, count=1)
    assert bad != text
    answer = post(app, bad)
    assert answer.status_code == 422
    assert any("the slide prints 0.7799, but the engine has" in line for line in listed(answer))


def test_a_long_line_is_cut_in_the_list_and_whole_in_the_field(app: Flask) -> None:
    answer = post(app, "x: " + "[" * 20_000)
    assert answer.status_code == 422
    assert typed(answer) == "x: " + "[" * 20_000
    assert len(answer.data) < 30_000


LAYERS = "[{units: 1, activation: sigmoid, weights: [[1, 2]], biases: [0]}]"


def small(
    inputs: Any = 2,
    layers: str = LAYERS,
    loss: str = "squared_error",
    x: str = "[[1, 2]]",
    y: str = "[[1]]",
    rest: str = "",
) -> str:
    return (
        f"format: 1\ntitle: T\nnetwork:\n  inputs: {inputs}\n  layers: {layers}\n  loss: {{name: {loss}}}\n"
        f"data:\n  inputs: {x}\n  targets: {y}\ntraining: {{learning_rate: 0.1}}\n{rest}"
    )


def one(
    weights: str = "[[1, 2]]", units: str = "1", biases: str = "[0]", activation: str = "sigmoid"
) -> str:
    return f"[{{units: {units}, activation: {activation}, weights: {weights}, biases: {biases}}}]"


BAD = {
    "ragged weights": small(layers=one("[[1, 2], [3]]", "2", "[0, 0]"), y="[[1, 1]]"),
    "too many weights": small(layers=one("[[1, 2, 3]]")),
    "too few biases": small(layers=one(biases="[]")),
    "ragged samples": small(x="[[1, 2], [1]]", y="[[1], [1]]"),
    "more samples than targets": small(x="[[1, 2], [3, 4]]"),
    "too many targets": small(y="[[1, 2]]"),
    "a word for a weight": small(layers=one("[[1, two]]")),
    "a word for a count": small(layers=one(units="two")),
    "a decimal comma": small(layers=one("[[0,5, 1]]")),
    "not a number": small(layers=one("[[.nan, 1]]")),
    "NaN": small(layers=one("[[NaN, 1]]")),
    "infinity": small(x="[[.inf, 1]]"),
    "Infinity": small(x="[[-Infinity, 1]]"),
    "1e999": small(x="[[1e999, 1]]"),
    "a million units": small(layers="[{units: 1000000, activation: sigmoid, init: {scheme: xavier}}]"),
    "a million inputs": small(inputs=1000000),
    "zero layers": small(layers="[]"),
    "zero units": small(layers=one("[]", "0", "[]"), y="[[]]"),
    "zero inputs": small(inputs=0, layers=one("[[]]"), x="[[]]"),
    "no samples": small(x="[]", y="[]"),
    "softmax of one unit": small(layers=one(activation="softmax"), loss="cross_entropy"),
    "classes that do not sum to 1": small(layers=one("[[1, 2], [3, 4]]", "2", "[0, 0]", "softmax"), loss="cross_entropy", y="[[1, 1]]"),
    "a target beyond a sigmoid": small(loss="binary_cross_entropy", y="[[2]]"),
    "an unknown key": small(rest="colour: red\n"),
    "an unknown key in a layer": small(layers=LAYERS.replace("biases", "bias")),
    "a duplicate key": small(rest="title: again\n"),
    "an alias": small(rest="about: &a x\ncourse: *a\n"),
    "a merge key": small(rest="<<: {a: 1}\n"),
    "a tag": small(rest="about: !!python/object:os.system x\n"),
    "a yes for a word": small(rest="about: [1, 2]\n"),
    "two documents": small() + "---\n" + small(),
    "20,000 brackets": "[" * 20_000,
    "20,000 braces": "{" * 20_000,
    "20,000 lists": "- " * 20_000,
    "an override of direction": small(rest='about: "\u202eabc\u2066"\n'),
    "a zero byte": small(rest='about: "a\0b"\n'),
    "nothing": "",
    "a space": "  \n",
    "a word": "hello",
    "a list": "- 1\n- 2\n",
    "a web page": "<!doctype html><title>x</title><script>alert(1)</script>",
    "a tab": "network:\n\tinputs: 1\n",
    "half of JSON": '{"format": 1, "title": "x',
    "a large integer": small(x="[[" + "9" * 5_000 + ", 1]]"),
    "an odd date": small(rest="course: 2024-13-45\nabout: 010\n"),
}  # fmt: skip


@pytest.mark.parametrize("as_file", [False, True], ids=["text", "file"])
@pytest.mark.parametrize("do", ["check", "save", "form"])
@pytest.mark.parametrize("name", BAD)
def test_bad_input_has_an_answer_with_a_reason_and_nothing_is_lost(
    app: Flask, name: str, do: str, as_file: bool
) -> None:
    text = BAD[name]
    answer = post(app, "before", text.encode(), do=do) if as_file else post(app, text, do=do)
    assert answer.status_code == 422, name
    assert listed(answer)
    kept = typed(answer)
    if as_file and ("\0" in text or not text.strip()):
        assert kept == "before"
    else:
        assert kept.replace("\ufffd", "\0") == text
    check_headers(answer)


def check_headers(answer: TestResponse) -> None:
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    assert answer.headers["Cache-Control"] == "no-cache"


def test_the_bad_inputs_are_bad_for_one_reason_each(app: Flask) -> None:
    assert post(app, small()).status_code == 200


@pytest.mark.parametrize("content", [b"", b" \r\n\n"])
def test_an_empty_file_is_named_and_the_typed_text_stays(app: Flask, content: bytes) -> None:
    answer = post(app, "what I typed", content, name="empty.yaml")
    assert answer.status_code == 422
    assert ["empty.yaml is empty" in line for line in listed(answer)] == [True]
    assert typed(answer) == "what I typed"


@pytest.mark.parametrize(("content", "word"), [
    (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "a PNG picture"),
    (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "a PDF document"),
    (b"PK\x03\x04" + b"\0" * 100, "a ZIP archive"),
    (b"\x1f\x8b\x08\0", "a gzip archive"),
    (bytes(range(256)), "the byte 0x00 at position 1"),
    (b"format: 1\n" + b"\0" * 20, "the byte 0x00 at position 11"),
    (b"\x01\x02\x03\x04", "the byte 0x01 at position 1"),
])  # fmt: skip
def test_a_file_that_is_no_text_is_named_and_the_typed_text_stays(
    app: Flask, content: bytes, word: str
) -> None:
    answer = post(app, "what I typed", content, name="holiday.png")
    assert answer.status_code == 422
    assert [word in line and "holiday.png" in line for line in listed(answer)] == [True]
    assert typed(answer) == "what I typed"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_in_utf_16_is_named_and_shown_as_it_reads(app: Flask, encoding: str) -> None:
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    answer = post(app, "", mark + SMALL.encode(encoding))
    assert answer.status_code == 422
    assert "UTF-16" in listed(answer)[0]
    assert typed(answer) == SMALL
    assert post(app, typed(answer)).status_code == 200


def test_a_file_in_latin_1_is_shown_with_what_could_not_be_read(app: Flask) -> None:
    answer = post(app, "", SMALL.replace("My first", "Für Zoë").encode("latin-1"))
    assert answer.status_code == 422
    assert "byte 0xfc in line 2" in listed(answer)[0]
    assert typed(answer) == SMALL.replace("My first", "F\ufffdr Zo\ufffd")


NAMES_OF_FILES = [
    "<img src=x onerror=alert(1)>.yaml",
    "a\u202eb.yaml",
    "../../etc/passwd",
    "x" * 300,
    "\t",
    '"; filename="y',
]


@pytest.mark.parametrize("name", NAMES_OF_FILES)
def test_the_name_of_a_file_is_shown_as_it_is_written_and_leads_nowhere(
    app: Flask, name: str
) -> None:
    answer = post(app, "", b"\0", name=name)
    assert answer.status_code == 422
    assert "is not a text" in listed(answer)[0]
    assert not list(shown(answer).root.one("main").all("img"))


# ---- large ones ----


def test_a_text_over_the_limit_is_refused_by_name_and_kept(app: Flask) -> None:
    text = SMALL + "#" * limits.FILE_BYTES
    for answer in (post(app, text), post(app, "", text.encode())):
        assert answer.status_code == 413
        assert "64 KB" in listed(answer)[0]
        assert typed(answer) == text
        check_headers(answer)


DEEP = "{{units: {}, activation: relu, init: {{scheme: he}}}}"
BUSY = {
    "brackets": "x: " + "[" * 60_000,
    "colons": ": " * 30_000,
    "keys": "\n".join(f"k{n}: 1" for n in range(6_000)),
    "anchors": "\n".join(f"a{n}: &x{n} 1" for n in range(4_000)),
    "a folded text": "about: >\n" + " x\n" * 20_000,
    "quotes": 'x: "' + r"\u0041" * 10_000 + '"',
    "one word": "a" * 65_000,
    "no words": "\n" * 65_000,
    "layers": small(layers="[" + ", ".join(["{units: 1, zz: 1}"] * 3_000) + "]"),
    "a deep network": small(
        1, f"[{', '.join([DEEP.format(78)] * 31 + [DEEP.format(1)])}]", x="[[1]]"
    ),
}


@pytest.mark.parametrize("name", BUSY)
def test_no_text_keeps_the_tutor_busy(app: Flask, name: str) -> None:
    began = time.process_time()
    answer = post(app, BUSY[name])
    assert answer.status_code in {200, 422}
    # a quarter of that is the aim; a busy machine needs some room
    assert time.process_time() - began < 1


class Endless(io.RawIOBase):
    """A body that never ends, and counts what was read of it."""

    def __init__(self, start: bytes) -> None:
        self.start, self.taken = start, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = len(buffer)
        head = self.start[self.taken : self.taken + size]
        buffer[:size] = head + b"x" * (size - len(head))
        self.taken += size
        return size


HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.yaml"\r\n\r\n'


def sent(app: Flask, body: Endless, **environment: Any) -> TestResponse:
    """The answer to a body that the test client itself would want to measure."""
    environ = create_environ("/open", method="POST", content_type="multipart/form-data; boundary=b")
    iterable, status, headers = run_wsgi_app(
        app, environ | {"wsgi.input": io.BufferedReader(body, 1024)} | environment, buffered=True
    )
    return TestResponse(iterable, status, headers, Request(environ))


@pytest.mark.parametrize("length", [300_000, 100_000_000, 10**15])
def test_an_upload_of_100_megabytes_is_refused_before_it_is_read(app: Flask, length: int) -> None:
    body = Endless(HEAD)
    answer = sent(app, body, CONTENT_LENGTH=str(length))
    assert answer.status_code == 413
    assert "64 KB" in answer.text
    assert body.taken == 0
    check_headers(answer)


def test_an_upload_without_a_length_is_read_up_to_the_limit_only(app: Flask) -> None:
    body = Endless(HEAD)
    answer = sent(
        app,
        body,
        CONTENT_LENGTH="",
        HTTP_TRANSFER_ENCODING="chunked",
        **{"wsgi.input_terminated": True},
    )
    assert answer.status_code == 413
    assert body.taken < 1_000_000
    check_headers(answer)


# ---- requests that are no form ----


@pytest.mark.parametrize(
    "kind",
    ["application/json", "text/plain", "text/yaml", "application/octet-stream", "", "nonsense"],
)
def test_a_request_that_is_no_form_is_refused(app: Flask, kind: str) -> None:
    answer = app.test_client().post("/open", data=SMALL, content_type=kind)
    assert answer.status_code == 415
    assert "a text or a file" in answer.text
    assert read(answer.text).problems == []


@pytest.mark.parametrize("do", ["", "delete", "<b>", "check\0", "x" * 1000])
def test_a_form_that_wants_something_else_is_refused(app: Flask, do: str) -> None:
    answer = post(app, SMALL, do=do)
    assert answer.status_code == 400
    assert "check, save or form" in answer.text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b",
        b"--b\r\n\r\n",
        b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--",
        b"\0" * 50,
    ],
)
def test_a_broken_form_is_refused(app: Flask, body: bytes) -> None:
    for kind in (
        "multipart/form-data; boundary=b",
        "multipart/form-data",
        "application/x-www-form-urlencoded",
    ):
        answer = app.test_client().post("/open", data=body, content_type=kind)
        assert answer.status_code in {400, 413}
        assert read(answer.text).problems == []


def test_thousands_of_parts_are_refused(app: Flask) -> None:
    body = (
        b"".join(
            b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' for _ in range(2_000)
        )
        + b"--b--"
    )
    assert app.test_client().post(
        "/open", data=body, content_type="multipart/form-data; boundary=b"
    ).status_code in {400, 413}


def test_a_plain_form_without_a_file_works_too(app: Flask) -> None:
    assert app.test_client().post("/open", data={"text": SMALL}).status_code == 200


@pytest.mark.parametrize("do", ["check", "save", "form"])
def test_another_site_cannot_send_the_form(app: Flask, do: str) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        answer = post(app, SMALL, do=do, **headers)
        assert answer.status_code == 403
        assert read(answer.text).problems == []


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_other_methods_are_refused(app: Flask, method: str) -> None:
    assert send(method, "/open", app).status_code == 405


ONE_STEP = """\
format: 1
title: Too large at once
network:
  inputs: 1
  layers: [{units: 1, activation: identity, weights: [[1e200]], biases: none}]
  loss: {name: squared_error}
data: {inputs: [[1e300]], targets: [[1]]}
training: {learning_rate: 0.1}
display: {decimals: 1}
"""
"""A lesson of one step: it ends where the first number is too large."""
ONES = re.compile(
    r"\b1 (?:more )?(?:steps|numbers|decimals|units|samples|problems|lessons|differ)\b"
)


def test_one_of_a_thing_is_one_thing(app: Flask) -> None:
    saved = post(app, ONE_STEP, do="save").location
    texts = [
        shown(post(app, text)).root.one("main").text
        for text in (ONE_STEP, ONE_STEP.replace("1e300", "2"))
    ]
    texts += [
        page(f"{saved}{rest}", app).root.one("main").text
        for rest in ("", "/steps/1", "/export", "/share", "/export?kind=csv")
    ]
    texts += [get(f"{saved}/export/html", app).text.rpartition("</style>")[2]]
    assert "1 step" in texts[0]
    assert "1 decimal," in texts[-1]
    assert [found for text in texts for found in ONES.findall(" ".join(text.split()))] == []


# ---- save ----


def test_saving_leads_to_the_lesson_and_the_same_text_to_the_same_lesson(app: Flask) -> None:
    first, again = post(app, SMALL, do="save"), post(app, "", SMALL.encode(), do="save")
    assert first.status_code == again.status_code == 303
    assert first.location == again.location
    assert re.fullmatch(r"/lessons/saved-[a-z2-7]{20}", first.location)
    assert "My first lesson" in page(first.location, app).root.one("h1").text
    assert typed(get(f"/open?from={first.location.rpartition('/')[2]}", app)).startswith(
        "format: 1\ntitle: My first lesson\n"
    )


def test_another_text_is_another_lesson_and_the_first_stays(app: Flask) -> None:
    first = post(app, SMALL, do="save").location
    second = post(app, SMALL.replace("0.5, 0.6", "0.5, 0.7"), do="save").location
    assert first != second
    files = [get(f"{address}/scenario.yaml", app).text for address in (first, second)]
    assert ["0.6" in files[0], "0.7" in files[1], files[0] == files[1]] == [True, True, False]


def test_a_comment_makes_no_other_lesson(app: Flask) -> None:
    assert post(app, SMALL, do="save").location == post(app, "# mine\n" + SMALL, do="save").location


def test_saving_switched_off_keeps_the_text_and_offers_no_button(tmp_path: Path) -> None:
    closed = with_store(tmp_path / "a.sqlite", 20, allowed=False)
    answer = post(closed, SMALL, do="save")
    assert answer.status_code == 403
    assert "switched off" in answer.text
    assert typed(answer) == SMALL
    buttons = [b.attributes.get("value") for b in shown(answer).root.all("button")]
    assert "save" not in buttons
    assert "check" in buttons


def test_too_many_saves_keep_the_text_and_name_the_limit(tmp_path: Path) -> None:
    slow = with_store(tmp_path / "a.sqlite", 3)
    answers = [post(slow, SMALL.replace("first", f"lesson {n},"), do="save") for n in range(5)]
    assert [answer.status_code for answer in answers] == [303, 303, 303, 429, 429]
    assert typed(answers[-1]) == SMALL.replace("first", "lesson 4,")
    assert "3" in " ".join(notice.text for notice in shown(answers[-1]).root.all("p", cls="notice"))
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60


# ---- to the form ----


def test_a_text_opens_in_the_form(app: Flask) -> None:
    answer = post(app, SMALL, do="form")
    assert answer.status_code == 200
    root = shown(answer).root
    assert root.one("form", id="build").attributes["action"] == "/build"
    assert root.one("input", id="w[1][2,1]").attributes["value"] == "0.3"


def test_a_lesson_that_is_too_large_for_the_form_stays_a_text(app: Flask) -> None:
    numbers, rows = ", ".join(["1"] * 900), ", ".join(["[1, 2, 3, 4, 5, 6, 7, 8]"] * 900)
    layers = f"[{{units: 900, activation: relu, weights: [{rows}], biases: [{numbers}]}}]"
    text = small(inputs=8, layers=layers, x="[[1, 2, 3, 4, 5, 6, 7, 8]]", y=f"[[{numbers}]]")
    assert post(app, text).status_code == 200
    answer = post(app, text, do="form")
    assert answer.status_code == 422
    assert "written numbers" in shown(answer).root.one("p", cls="notice").text
    assert typed(answer) == text


# ---- text that looks like markup ----


@pytest.mark.parametrize("do", ["check", "form"])
@pytest.mark.parametrize(
    "payload", PAYLOADS, ids=lambda p: f"{p[:30]!r}".encode("ascii", "replace").decode()
)
def test_markup_in_every_text_is_shown_as_it_is_written(app: Flask, payload: str, do: str) -> None:
    harmless, poisoned = (
        post(app, json.dumps(lesson(text), ensure_ascii=False), do=do)
        for text in (HARMLESS, payload)
    )
    assert harmless.status_code == poisoned.status_code == 200
    found, expected = shown(poisoned).root, shown(harmless).root
    assert skeleton(found) == skeleton(expected)
    if do == "check":
        assert json.loads(typed(poisoned)) == lesson(payload)
        assert payload in found.one("section", id="sound").text
    else:
        assert {
            found.one("input", id=name).attributes["value"] for name in ("title", "course")
        } == {payload}
        assert found.one("textarea", id="about").text == f"\n{payload}"


OURS = "article div h1 h2 section ul ol li a b p code span form label textarea input button"


@pytest.mark.parametrize(
    "payload", [*PAYLOADS, *HIDDEN], ids=lambda p: f"{p[:30]!r}".encode("ascii", "replace").decode()
)
def test_markup_in_place_of_a_lesson_is_shown_as_it_is_written(app: Flask, payload: str) -> None:
    answer = post(app, payload)
    assert answer.status_code == 422
    assert typed(answer).replace("\ufffd", "\0") == payload
    assert not {e.tag for e in shown(answer).root.one("main").all()} - set(OURS.split())


@pytest.mark.parametrize("do", ["check", "live", "text", "save"])
@pytest.mark.parametrize(
    "payload", [*PAYLOADS, *HIDDEN], ids=lambda p: f"{p[:30]!r}".encode("ascii", "replace").decode()
)
def test_markup_in_every_field_of_the_form_is_shown_as_it_is_written(
    app: Flask, payload: str, do: str
) -> None:
    names = [
        e.attributes["name"]
        for e in page("/build", app).root.one("form", id="build").all("input", "select", "textarea")
    ]
    harmless, poisoned = (
        app.test_client().post(
            "/build", data=dict.fromkeys(names, text) | {"layers": "2", "do": do}
        )
        for text in (HARMLESS, payload)
    )
    assert harmless.status_code == poisoned.status_code
    found, expected = read(poisoned.text), read(harmless.text)
    assert [problem for problem in found.problems if problem not in expected.problems] == []
    assert {e.tag for e in found.root.all()} <= {e.tag for e in expected.root.all()} | {
        "a",
        "code",
        "option",
    }


@pytest.mark.parametrize(
    "payload", PAYLOADS, ids=lambda p: f"{p[:30]!r}".encode("ascii", "replace").decode()
)
def test_a_saved_lesson_shows_markup_as_it_is_written(app: Flask, payload: str) -> None:
    homes = [
        post(app, json.dumps(lesson(text), ensure_ascii=False), do="save").location
        for text in (HARMLESS, payload)
    ]
    for address in ("", "/steps/1", "/slides"):
        expected, found = (page(home + address, app).root for home in homes)
        assert skeleton(found) == skeleton(expected)
        assert found.text.count(" ".join(payload.split())) == expected.text.count(HARMLESS) > 0


# ---- anything at all ----

WISHES = st.sampled_from(["check", "save", "form"])


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), WISHES)
def test_random_bytes_have_an_answer_with_a_reason(content: bytes, do: str) -> None:
    check_answer(post(anywhere(), "typed", content, do=do))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), WISHES)
def test_random_text_has_an_answer_with_a_reason(text: str, do: str) -> None:
    check_answer(post(anywhere(), text.encode("utf-8", "replace").decode(), do=do))


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from([SMALL, *NAMES]),
    st.integers(0, 10**6),
    st.sampled_from(PIECES),
    st.integers(0, 40),
    WISHES,
)
def test_a_spoilt_lesson_has_an_answer_with_a_reason(
    name: str, at: int, piece: str, cut: int, do: str
) -> None:
    text = name if name == SMALL else dump.write(scenario(name))
    start = at % len(text)
    spoilt = text[:start] + piece + text[start + cut :]
    check_answer(post(anywhere(), "typed", spoilt.encode("utf-8", "replace"), do=do))


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["from", "example", "text", "do", "w[1][1,1]"]),
        st.text(max_size=30),
        max_size=3,
    )
)
def test_any_address_has_an_answer(query: dict[str, str]) -> None:
    answer = anywhere().test_client().get("/open", query_string=query)
    assert answer.status_code in {200, 404}
    assert read(answer.text).problems == []


@cache
def anywhere() -> Flask:
    """The tutor over a store of its own, for tests that take no fixtures."""
    return with_store(Path(tempfile.mkdtemp()) / "lessons.sqlite", 100_000)


def check_answer(answer: TestResponse) -> None:
    assert answer.status_code in {200, 303, 413, 422, 429, 403}
    check_headers(answer)
    if answer.status_code != 303:
        assert read(answer.text).problems == []
    if answer.status_code in {413, 422}:
        assert listed(answer)
