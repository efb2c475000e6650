"""Safety: who may change something, and text that looks like markup, wherever it comes from."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from app import create_app
from tests.htmltree import Element, read
from tests.visiting import fragment, get, send, tutor
from tutor.web.security import CONTENT_SECURITY_POLICY, FRAMED_POLICY, HEADERS, foreign

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.test import TestResponse

PAYLOADS = r"""
<script>alert(1)</script>
</title><script>alert(1)</script>
</script><script>alert(1)</script>
<img src=x onerror=alert(1)>
<svg onload=alert(1)>
<svg/onload=alert(1)//
"><img src=x onerror=alert(1)>
'><img src=x onerror=alert(1)>
" onmouseover="alert(1)
' onmouseover='alert(1)
" autofocus onfocus=alert(1) x="
javascript:alert(1)
<a href=javascript:alert(1)>x</a>
<a href="data:text/html,<script>alert(1)</script>">x</a>
<iframe srcdoc="<script>alert(1)</script>">
<style>*{background:url(//evil.example)}</style>
<p style="position:fixed;inset:0">x</p>
<base href=//evil.example/>
<meta http-equiv=refresh content="0;url=//evil.example">
<link rel=stylesheet href=//evil.example>
<form action=//evil.example><button>x
<math><mi href="javascript:alert(1)">x</mi></math>
<math><mtext><script>alert(1)</script></mtext></math>
</math><script>alert(1)</script>
<svg><foreignObject><script>alert(1)</script></foreignObject></svg>
<svg><animate onbegin=alert(1) attributeName=x dur=1s>
<template><script>alert(1)</script></template>
<noscript><p title="</noscript><img src=x onerror=alert(1)>">
<!--<script>-->alert(1)
--><script>alert(1)</script>
]]><script>alert(1)</script>
{{ 7 * 7 }}{% raw %}{{ config }}
${7*7}#{7*7}<%= 7*7 %>
&lt;script&gt;alert(1)&lt;/script&gt;
&#60;script&#62;
\u003cscript\u003ealert(1)
<div hx-get=/ hx-trigger=load hx-on:click=alert(1)>
<input type=hidden id=title name=grain>
<details open ontoggle=alert(1)>
<x contenteditable onblur=alert(1) tabindex=1>
＜script＞alert(1)＜/script＞
%3Cscript%3Ealert(1)%3C/script%3E
a<b&c>d"e'f`g
""".strip().splitlines()
HIDDEN = [
    "\u202e<script>\u2066alert(1)",
    "\0<script>alert(1)</script>",
    "<script\n>alert(1)</script>",
]
"""What a scenario file may not have, but an address may."""
HARMLESS = "harmless"


def lesson(text: str) -> dict[str, Any]:
    """A small lesson with one text in every place that takes a free text."""
    return {
        "format": 1, "title": text, "course": text, "about": text, "learn": [text, text], "lecture": {"deck": text, "order": 1},
        "network": {
            "inputs": 1, "layers": [{"units": 1, "activation": "sigmoid", "weights": [[0.5]], "biases": [0.1]}],
            "loss": {"name": "squared_error"},
        },
        "data": {"inputs": [[1]], "targets": [[1]]},
        "training": {"learning_rate": 0.5},
        "notes": [{"at": "z[1][1]", "text": text}, {"at": "loss", "text": text}],
        "printed": [
            {"quantity": "z[1][1]", "value": "0.6", "where": text}, {"quantity": "z[1][1]", "value": "0.7", "where": text, "slip": text},
            {"expression": "{w[1][1,1]} * {x[1]}", "at": "z[1][1]", "value": "0.5", "where": text},
        ],
        "checks": [{"quantity": "z[1][1]", "equals": "{w[1][1,1]} * {x[1]} + {b[1][1]}", "text": text, "where": text}],
    }  # fmt: skip


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The tutor over one lesson for each payload, and a harmless one."""
    folder = tmp_path_factory.mktemp("poisoned")
    for n, text in enumerate([HARMLESS, *PAYLOADS]):
        (folder / f"p{n}.json").write_text(
            json.dumps(lesson(text), ensure_ascii=False), encoding="utf-8"
        )
    return create_app(folder)


def skeleton(root: Element) -> list[tuple[str, tuple[str, ...]]]:
    """What a page is made of: tags with the names of their attributes, without any text."""
    return [(e.tag, tuple(sorted(e.attributes))) for e in root.all()]


ADDRESSES = [
    "",
    "/slides",
    "/steps/1",
    "/steps/3",
    "/steps/1?grain=layer",
    "/steps/2?grain=pass",
    "/steps/1?notation=letters&present=yes",
    "/check",
    "/paths/w[1][1,1]",
    "/jacobians/1",
]


def test_there_are_forty_payloads_and_all_are_different() -> None:
    assert len(set(PAYLOADS)) == len(PAYLOADS) >= 40


@pytest.mark.parametrize(
    "n",
    range(1, len(PAYLOADS) + 1),
    ids=lambda n: f"{PAYLOADS[n - 1][:30]!r}".encode("ascii", "replace").decode(),
)
def test_markup_in_a_scenario_file_is_shown_as_it_is_written(poisoned: Flask, n: int) -> None:
    payload = " ".join(PAYLOADS[n - 1].split())
    for address in ADDRESSES:
        for ask in (get, fragment):
            answer, plain = (
                ask(f"/lessons/p{n}{address}", poisoned),
                ask(f"/lessons/p0{address}", poisoned),
            )
            assert answer.status_code == plain.status_code == 200
            shown, expected = read(answer.text), read(plain.text)
            assert shown.problems == []
            assert skeleton(shown.root) == skeleton(expected.root)
            assert shown.root.text.count(payload) == expected.root.text.count(HARMLESS) > 0


@pytest.mark.parametrize("n", range(1, len(PAYLOADS) + 1))
def test_markup_in_a_title_stays_text_where_a_lesson_is_shared_and_framed(
    poisoned: Flask, n: int
) -> None:
    payload = " ".join(PAYLOADS[n - 1].split())
    for address in (
        "/lessons/p{}/share?step=2",
        "/lessons/p{}/share?present=yes",
        "/embed/lessons/p{}/steps/2",
    ):
        shown, expected = (read(get(address.format(number), poisoned).text) for number in (n, 0))
        assert shown.problems == []
        assert skeleton(shown.root) == skeleton(expected.root)
        assert payload in shown.root.text
    pasted = read(read(get(f"/lessons/p{n}/share", poisoned).text).root.one("textarea").text).root
    assert [(e.tag, e.attributes["title"]) for e in pasted.all()] == [
        ("iframe", f"{payload} (Backprop Tutor)")
    ]


def test_markup_in_every_text_leaves_the_gallery_whole(poisoned: Flask) -> None:
    shown = read(get("/", poisoned).text)
    assert shown.problems == []
    cards = list(shown.root.all("li", cls="card"))
    assert len(cards) == len(PAYLOADS) + 1
    assert {" ".join(card.one("h3").text.split()) for card in cards} == {
        " ".join(text.split()) for text in [HARMLESS, *PAYLOADS]
    }
    assert all(skeleton(card) == skeleton(cards[0]) for card in cards)


@pytest.mark.parametrize(
    "payload", [*PAYLOADS, *HIDDEN], ids=lambda p: f"{p[:30]!r}".encode("ascii", "replace").decode()
)
def test_markup_in_an_address_is_shown_as_it_is_written(payload: str) -> None:
    for place in PLACES:
        for htmx in ("page", "fragment"):
            answer = asked(place.replace("{}", quote(payload, safe="")), htmx)
            status, expected = without_payload(place, htmx)
            assert answer.status_code == status
            shown = read(answer.text)
            assert shown.problems == []
            tags = {e.tag for e in shown.root.all()} - {tag for tag, _ in expected}
            assert not tags & {
                "script",
                "iframe",
                "img",
                "style",
                "base",
                "object",
                "template",
                "details",
                "x",
            }
            if "/activations" not in place and not ("/" in payload and "?" not in place):
                assert skeleton(shown.root) == expected
            if "grain={}" in place:
                assert (
                    "".join(c for c in payload if c.isprintable())[:40].strip() in shown.root.text
                )


PLACES = [
    "/lessons/{}", "/lessons/{}/steps/1", "/lessons/perceptron-step/steps/{}", "/lessons/perceptron-step/steps/1?grain={}",
    "/lessons/perceptron-step/share?step={}", "/embed/lessons/perceptron-step/steps/1?grain={}", "/embed/{}",
    "/lessons/perceptron-step?notation={}", "/lessons/perceptron-step/steps/2?{}=1", "/activations?z={}", "/activations?logits={}&slope={}",
]  # fmt: skip


def asked(address: str, kind: str) -> TestResponse:
    return (fragment if kind == "fragment" else get)(address)


@cache
def without_payload(place: str, kind: str) -> tuple[int, list[tuple[str, tuple[str, ...]]]]:
    """What the same address comes to with a harmless word."""
    answer = asked(place.replace("{}", HARMLESS), kind)
    return answer.status_code, skeleton(read(answer.text).root)


def test_a_file_name_that_looks_like_markup_is_listed_as_it_is_written(tmp_path: Path) -> None:
    name = "<img src=x onerror=alert(1)>.yaml"
    (tmp_path / name).write_text("title: <script>alert(1)</script>: x\n- <svg onload=alert(1)>")
    shown = read(get("/problems", create_app(tmp_path)).text)
    assert shown.problems == []
    assert name in shown.root.one("section", cls="broken").text
    for address in ("/", "/problems"):
        assert "<img src=x" not in get(address, create_app(tmp_path)).text


def test_problems_of_a_file_quote_its_text_as_it_is_written(tmp_path: Path) -> None:
    bad = lesson(HARMLESS) | {"<script>alert(1)</script>": 1, "format": "<b>1</b>"}
    (tmp_path / "bad.json").write_text(json.dumps(bad))
    answer = get("/problems", create_app(tmp_path))
    shown = read(answer.text)
    assert shown.problems == []
    assert "<script>alert(1)</script>" in shown.root.one("section", cls="broken").text
    assert not list(shown.root.one("section", cls="broken").all("script", "b"))


# ---- writes from elsewhere ----

WRITES = ["POST", "PUT", "PATCH", "DELETE"]
SITES = [
    # Sec-Fetch-Site, Origin, foreign?
    ("same-origin", None, False), ("none", None, False), ("same-site", None, True), ("cross-site", None, True), ("", None, True),
    ("cross-site", "http://localhost", True), ("same-origin", "http://evil.example", False), ("SAME-ORIGIN", None, True),
    (None, "http://localhost", False), (None, "https://localhost", True), (None, "http://evil.example", True), (None, "null", True),
    (None, "http://localhost:8000", True), (None, "http://localhost.evil.example", True), (None, "http://evil.example/localhost", True),
    (None, "", True), (None, None, False), (None, "ftp://localhost", True), (None, "ws://localhost", True), (None, "localhost", True),
    (None, "HTTP://LocalHost", False), (None, "http://localhost:80", False), (None, "http://localhost:443", True),
    (None, "http://localhost:0x50", True), (None, "http://localhost.", True), (None, "http://localhost/", True),
    (None, "http://x@localhost", True), (None, "http://localhost http://evil.example", True), (None, "http://", True),
]  # fmt: skip


@pytest.mark.parametrize(("site", "origin", "refused"), SITES)
@pytest.mark.parametrize("method", WRITES)
def test_a_write_from_another_site_is_refused(
    method: str, site: str | None, origin: str | None, refused: bool
) -> None:
    given: dict[str, Any] = {
        name: value
        for name, value in (("Sec_Fetch_Site", site), ("Origin", origin))
        if value is not None
    }
    assert foreign(method, site, origin, "http://localhost") == refused
    for address in ("/", "/lessons/perceptron-step/steps/1", "/static/walk.js", "/nothing"):
        answer = send(method, address, **given)
        assert answer.status_code == 403 if refused else answer.status_code in {404, 405}
        assert read(answer.text).problems == []


@pytest.mark.parametrize(("site", "origin", "_"), SITES)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_looking_is_allowed_from_everywhere(
    method: str, site: str | None, origin: str | None, _: bool
) -> None:
    given: dict[str, Any] = {
        name: value
        for name, value in (("Sec_Fetch_Site", site), ("Origin", origin))
        if value is not None
    }
    assert not foreign(method, site, origin, "http://localhost")
    assert send(method, "/healthz", **given).status_code == 200


def test_a_write_is_compared_with_the_origin_that_was_asked() -> None:
    assert not foreign("POST", None, "https://tutor.example:8443", "https://tutor.example:8443")
    assert foreign("POST", None, "https://tutor.example", "https://tutor.example:8443")
    assert not foreign("POST", None, "https://tutor.example:443", "https://Tutor.Example")
    assert not foreign("POST", None, "http://tutor.example.", "http://tutor.example.")
    assert not foreign("POST", None, "http://[::1]:8000", "http://[::1]:8000")
    assert foreign("POST", None, "http://", "http://")


def test_behind_a_proxy_the_scheme_is_the_one_that_the_proxy_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BEHIND_PROXY", "1")
    app = create_app(tmp_path)
    for scheme, status in (("https", 405), ("http", 403)):
        answer = send(
            "POST",
            "/",
            app,
            base_url="http://tutor.example",
            X_Forwarded_Proto=scheme,
            Origin="https://tutor.example",
        )
        assert answer.status_code == status


# ---- headers ----

LOOKS = ["GET", "HEAD", "OPTIONS"]
FILLED = {
    "lesson": "1-2-3-1-sigmoid",
    "n": "3",
    "kind": "json",
    "filename": "walk.js",
    "name": "w[1][1,1]",
}


def routes() -> dict[str, set[str]]:
    """An address of every route, filled with what is there, and the methods that it takes."""
    found: dict[str, set[str]] = {}
    for rule in tutor().url_map.iter_rules():
        built = rule.build({name: FILLED.get(name, "x") for name in rule.arguments})
        assert built is not None
        found.setdefault(built[1], set()).update(rule.methods or set())
    return found


def test_every_route_of_the_app_is_tried_below() -> None:
    paths = set(routes())
    assert {
        "/",
        "/lessons/1-2-3-1-sigmoid/share",
        "/embed/lessons/1-2-3-1-sigmoid/steps/3",
        "/open",
        "/static/walk.js",
    } <= paths
    assert {
        argument for rule in tutor().url_map.iter_rules() for argument in rule.arguments
    } <= set(FILLED)


def test_every_route_answers_every_method_with_all_headers_and_only_embed_may_be_framed() -> None:
    for address in routes():
        expected = HEADERS | (
            {"Content-Security-Policy": FRAMED_POLICY} | CROSS
            if address.startswith("/embed/")
            else {}
        )
        for method in (*LOOKS, *WRITES, "TRACE"):
            for place in (address, address + "%00", address + "/none/such"):
                found = send(method, place).headers
                assert {name: found.getlist(name) for name in expected} == {
                    name: [value] for name, value in expected.items()
                }, place
                assert not {"X-Frame-Options", "Set-Cookie", "Access-Control-Allow-Origin"} & set(
                    found.keys()
                )


CROSS = {"Cross-Origin-Resource-Policy": "cross-origin"}


def test_no_route_that_may_be_framed_takes_anything_in() -> None:
    framed = {
        address: methods for address, methods in routes().items() if address.startswith("/embed/")
    }
    assert framed
    assert set().union(*framed.values()) == set(LOOKS)


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere() -> None:
    rules = dict(rule.split(" ", 1) for rule in CONTENT_SECURITY_POLICY.split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["frame-ancestors"] == "'none'"
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY
    assert "*" not in CONTENT_SECURITY_POLICY
    assert HEADERS["Content-Security-Policy"] == CONTENT_SECURITY_POLICY


def test_a_page_for_frames_differs_in_who_may_frame_it_and_in_nothing_else() -> None:
    rules, framed = (
        dict(rule.split(" ", 1) for rule in policy.split("; "))
        for policy in (CONTENT_SECURITY_POLICY, FRAMED_POLICY)
    )
    assert framed == rules | {"frame-ancestors": "* file:"}
