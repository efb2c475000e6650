"""Sharing: links and QR codes that bring anybody to the same numbers, the frame for a course page,
saved lessons.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st

from app import create_app
from tests.htmltree import Element, read
from tests.visiting import NAMES, get, page
from tutor.pages import share
from tutor.pages.share import DENSE, snippet
from tutor.web.security import CONTENT_SECURITY_POLICY

if TYPE_CHECKING:
    from flask import Flask

SIGMOID = "/lessons/1-2-3-1-sigmoid"
SHARE = f"{SIGMOID}/share"
LABEL = "a" * 60 + "."
"""A part of a host's name, to make addresses long."""


def fields(address: str) -> dict[str, str]:
    """The addresses to copy: {label: address}."""
    root = page(address).root
    labels = {label.attributes["for"]: label.named for label in root.all("label")}
    return {labels[f.attributes["id"]]: f.attributes["value"] for f in root.all("input")}


def modules(svg: Element) -> tuple[bytes, ...]:
    """The dark modules of a drawn code, read back from its path; the quiet zone is cut off."""
    size = int(svg.attributes["viewbox"].split()[2])
    grid = [bytearray(size) for _ in range(size)]
    bars = svg.one("path").attributes["d"]
    for x, y, length, back in re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", bars):
        assert length == back
        grid[int(y)][int(x) : int(x) + int(length)] = b"\1" * int(length)
    assert re.fullmatch(r"(M\d+ \d+h\d+v1h-\d+z)+", bars)
    quiet = [
        *grid[: share.QUIET],
        *grid[-share.QUIET :],
        *(row[: share.QUIET] for row in grid),
        *(row[-share.QUIET :] for row in grid),
    ]
    assert not any(map(any, quiet))
    return tuple(bytes(row[share.QUIET : -share.QUIET]) for row in grid[share.QUIET : -share.QUIET])


def code(address: str) -> Element:
    return page(address).root.one("figure").one("svg", cls="qr")


# ---- links ----


def test_a_lesson_has_one_link_and_a_step_two() -> None:
    assert fields(SHARE) == {"Link to this lesson": f"http://localhost{SIGMOID}"}
    assert fields(f"{SHARE}?step=7") == {
        "Link to this lesson": f"http://localhost{SIGMOID}", "Link to step 7, as you see it": f"http://localhost{SIGMOID}/steps/7",
    }  # fmt: skip


def test_a_link_keeps_what_was_chosen_and_leaves_out_what_the_lesson_shows_anyway() -> None:
    found = fields(f"{SHARE}?step=3&grain=layer&notation=letters&decimals=4&iteration=1&present=no")
    assert set(found.values()) == {
        f"http://localhost{SIGMOID}{place}?grain=layer&notation=letters"
        for place in ("", "/steps/3")
    }


def test_a_link_does_not_bring_the_presentation_along() -> None:
    for text in (get(f"{SHARE}?step=3&present=yes").text, get(f"{SHARE}?step=3").text):
        assert f"{SIGMOID}/steps/3" in text
        assert "steps/3?present" not in text


@pytest.mark.parametrize("name", NAMES)
def test_every_link_of_the_page_leads_to_a_page(name: str) -> None:
    root = page(f"/lessons/{name}/share?step=2").root
    ways = {link.attributes["href"] for link in root.one("article").all("a")} | set(
        fields(f"/lessons/{name}/share?step=2").values()
    )
    assert len(ways) >= 5
    bad = {
        way: get(urlsplit(way)._replace(scheme="", netloc="").geturl()).status_code for way in ways
    }
    assert set(bad.values()) == {200}, bad


def test_behind_a_proxy_links_have_the_address_that_readers_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BEHIND_PROXY", "1")
    app = create_app(Path(__file__).parents[1] / "scenarios")
    text = get(SHARE, app, base_url="http://tutor.example", X_Forwarded_Proto="https").text
    assert f'value="https://tutor.example{SIGMOID}"' in text
    assert "http://tutor.example" not in text


@pytest.mark.parametrize(
    "host", ['a"b<c>', "x y", "evil.example/path?x", "a@b", "[::1", "a" * 70, "a..b", "\xff"]
)
def test_links_are_made_only_for_a_host_that_is_one(host: str) -> None:
    for address in (SHARE, f"{SIGMOID}/steps/1", "/nothing"):
        answer = get(address, Host=host)
        assert answer.status_code in ({400} if address == SHARE else {200, 400, 404})
        assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        assert read(answer.text).problems == []


@pytest.mark.parametrize(
    "host",
    [
        "tutor.example",
        "tutor.example:8443",
        "127.0.0.1:8000",
        "[::1]:8000",
        "xn--mnchen-3ya.example",
    ],
)
def test_links_lead_to_the_host_that_was_asked(host: str) -> None:
    assert f'value="http://{host}{SIGMOID}"' in get(SHARE, Host=host).text


@pytest.mark.parametrize(
    ("query", "said"),
    [("step=0", "step"), ("step=80", "1 to 79"), ("step=x", "“x”"), ("colour=1", "colour")],
)
def test_nonsense_in_the_address_is_ignored_with_a_word(query: str, said: str) -> None:
    root = page(f"{SHARE}?{query}").root
    assert said in root.one("p", cls="notice").text
    assert len(list(root.all("input"))) == 1


def test_a_lesson_that_is_not_there_cannot_be_shared() -> None:
    assert get("/lessons/none/share").status_code == 404


LOOPBACK = [
    "localhost",
    "localhost:8000",
    "LOCALHOST:8000",
    "tutor.localhost",
    "127.0.0.1:8000",
    "127.1.2.3",
    "[::1]:8000",
    "0.0.0.0:8000",
    "[::]:8000",
]
REACHED = [
    "tutor.example",
    "192.168.1.20:8000",
    "10.0.0.7",
    "[2001:db8::1]:8000",
    "localhost.example",
    "127.0.0.1.example",
    "my-laptop:8000",
]


@pytest.mark.parametrize("host", LOOPBACK)
def test_an_address_that_works_on_this_computer_only_says_so_and_what_to_do(host: str) -> None:
    root = read(get(f"{SHARE}?step=3", Host=host).text).root
    said = root.one("p", id="only-here").text
    assert f"on this computer only, because {host} always means" in said
    assert "make run HOST=0.0.0.0" in said
    fields = list(root.one("article").all("input", "textarea"))
    assert len(fields) == 3
    assert all("only-here" in f.attributes["aria-describedby"].split() for f in fields)
    assert "this computer only" in root.one("figure").text
    large = read(get(f"{SHARE}?step=3&present=yes", Host=host).text).root
    assert "this computer only" in large.one("p", id="only-here").text


@pytest.mark.parametrize("host", REACHED)
@pytest.mark.parametrize("query", ["?step=3", "?present=yes"])
def test_an_address_that_others_reach_comes_without_a_warning(host: str, query: str) -> None:
    answer = get(f"{SHARE}{query}", Host=host)
    assert "only-here" not in answer.text
    assert "this computer" not in answer.text


@pytest.mark.parametrize("kind", ["worksheet", "key", "html", "interactive"])
def test_a_file_names_the_address_it_came_from_only_where_others_reach_it(kind: str) -> None:
    for host in LOOPBACK:
        made = (
            read(get(f"{SIGMOID}/export/{kind}?grain=pass", Host=host).text)
            .root.one("p", cls="made")
            .text
        )
        assert "http" not in made
        assert host not in made
    for host in REACHED[:3]:
        assert (
            f"http://{host}{SIGMOID}" in get(f"{SIGMOID}/export/{kind}?grain=pass", Host=host).text
        )


# ---- the QR code ----


@pytest.mark.parametrize(
    "query",
    [
        "",
        "step=7",
        "step=3&grain=layer&notation=letters&decimals=6",
        "step=7&present=yes",
        "present=yes",
    ],
)
def test_the_code_is_that_of_the_last_link(query: str) -> None:
    address = [*fields(f"{SHARE}?{query.replace('present=yes', '')}").values()][-1]
    expected = segno.make(address, error="m", micro=False)
    assert modules(code(f"{SHARE}?{query}")) == tuple(map(bytes, expected.matrix))
    assert expected.error in {"M", "Q", "H"}


@given(
    st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=1, max_size=300)
)
def test_what_is_drawn_is_what_was_encoded(text: str) -> None:
    drawn = share.drawn(text, "a code")
    shown = read(f"<figure>{drawn.picture}</figure>").root.one("svg")
    assert modules(shown) == share.qr_matrix(text)
    assert drawn.modules == len(share.qr_matrix(text))


def test_the_code_is_dark_on_white_and_has_a_name() -> None:
    svg = code(f"{SHARE}?step=7")
    assert [(e.tag, e.attributes["fill"]) for e in svg.elements] == [
        ("rect", "#fff"),
        ("path", "#000"),
    ]
    assert (svg.attributes["role"], svg.attributes["aria-label"]) == ("img", "QR code of step 7")
    assert svg.attributes["shape-rendering"] == "crispEdges"


def test_the_name_of_a_code_is_escaped() -> None:
    assert "<b>" not in share.drawn("x", '"><b>').picture


def test_a_long_address_says_that_its_code_is_fine_and_offers_to_save() -> None:
    app = create_app(Path(__file__).parents[1] / "scenarios")
    host = f"http://{LABEL * 4}example"
    root = read(get(SHARE, app, base_url=host).text).root
    assert len(modules(root.one("svg", cls="qr"))) > DENSE
    assert "hard to scan" in root.one("p", cls="notice").text
    assert "/build?from=1-2-3-1-sigmoid" in {
        link.attributes.get("href") for link in root.one("article").all("a")
    }


def test_an_address_that_programs_would_cut_has_no_code_and_says_so() -> None:
    app = create_app(Path(__file__).parents[1] / "scenarios")
    host = f"http://{LABEL * 33}example"
    text = get(SHARE, app, base_url=host).text
    root = read(text).root
    assert read(text).problems == []
    assert not list(root.all("svg", cls="qr"))
    said = [notice.text for notice in root.all("p", cls="notice")]
    assert any("characters; many programs cut links" in text for text in said)
    assert "This link is too long for a QR code." in said
    assert (
        "This link is too long for a QR code."
        in get(f"{SHARE}?present=yes", app, base_url=host).text
    )


def test_changed_numbers_are_in_every_link_in_the_file_and_in_the_offer_to_save() -> None:
    changed = "w[2][1,2]=-0.3&learning_rate=0.5"
    root = page(f"{SHARE}?step=3&{changed}").root
    links = {link.attributes["href"] for link in root.one("article").all("a")}
    shared = next(
        address
        for address in fields(f"{SHARE}?step=3&{changed}").values()
        if "/steps/3?" in address
    )
    changes = urlsplit(shared).query
    assert set(changes.split("&")) == set(changed.split("&"))
    assert {
        f"/build?from=1-2-3-1-sigmoid&{changes}",
        f"{SIGMOID}/scenario.yaml?{changes}",
        f"/embed{SIGMOID}/steps/3?{changes}",
    } <= links
    assert modules(code(f"{SHARE}?step=3&{changed}")) == share.qr_matrix(shared)


# ---- the frame ----


def test_the_frame_to_paste_is_one_element_with_a_title_and_the_address_of_the_step() -> None:
    root = page(f"{SHARE}?step=3&grain=layer&decimals=6").root
    frame = frames(root.one("textarea").text)
    assert frame.attributes == {
        "src": f"http://localhost/embed{SIGMOID}/steps/3?grain=layer&decimals=6",
        "title": "A 1-2-3-1 sigmoid network by hand (Backprop Tutor)", "width": "100%", "height": "640", "loading": "lazy",
    }  # fmt: skip
    assert get(f"/embed{SIGMOID}/steps/3?grain=layer&decimals=6").status_code == 200


def frames(text: str) -> Element:
    """The only element of a text."""
    root = read(text).root
    assert [e.tag for e in root.all()] == ["iframe"]
    return root.elements[0]


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_title_and_no_address_gets_out_of_the_frame_to_paste(title: str, query: str) -> None:
    address = f"https://tutor.example/embed/lessons/x/steps/1?grain={quote(query)}&notation=letters"
    if "\0" in title:
        return
    frame = frames(snippet(address, title))
    assert frame.attributes["src"] == address
    assert frame.attributes["title"] == f"{title} (Backprop Tutor)"


# ---- saved lessons ----

SAVED = "saved-" + "a2" * 10
ORPHAN, GONE = "saved-" + "b2" * 10, "saved-" + "c2" * 10


@pytest.fixture
def with_saved(monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The tutor with one saved lesson, made from a preset, and one made from what is gone."""
    app = create_app(Path(__file__).parents[1] / "scenarios")
    library = app.extensions["tutor"].library
    preset = (Path(__file__).parents[1] / "scenarios" / "perceptron-step.yaml").read_text(
        encoding="utf-8"
    )
    texts = {SAVED: f"origin: perceptron-step\n{preset}", ORPHAN: f"origin: {GONE}\n{preset}"}
    monkeypatch.setattr(library._saved, "_find", texts.get)
    return app


def test_a_saved_lesson_says_so_and_names_the_lesson_that_it_was_made_from(
    with_saved: Flask,
) -> None:
    article = read(get(f"/lessons/{SAVED}", with_saved).text).root.one("article")
    assert "nobody can change" in article.text
    assert "perceptron-step" not in article.attributes["data-title"]
    links = {link.attributes["href"]: link.named for link in article.all("a")}
    assert links["/lessons/perceptron-step"] == article.attributes["data-title"]
    assert links[f"/build?from={SAVED}"] == "Edit a copy"
    assert links[f"/lessons/{SAVED}/share"] == "Share"


def test_a_saved_lesson_whose_origin_is_gone_says_so_without_a_link(with_saved: Flask) -> None:
    article = read(get(f"/lessons/{ORPHAN}", with_saved).text).root.one("article")
    assert "Made from a lesson that no longer exists." in article.text
    assert not [link for link in article.all("a") if link.attributes["href"].endswith(GONE)]


def test_a_preset_is_not_called_saved() -> None:
    text = get(SIGMOID).text
    assert "data-saved" not in text
    assert "Made from" not in text


def test_a_saved_lesson_is_shared_and_framed_like_any_other(with_saved: Flask) -> None:
    for address in (f"/lessons/{SAVED}/share?step=2", f"/embed/lessons/{SAVED}/steps/2"):
        answer = get(address, with_saved)
        assert answer.status_code == 200
        assert read(answer.text).problems == []


def test_every_lesson_can_be_edited_shared_and_exported_under_its_view() -> None:
    links = {
        link.attributes["href"]
        for link in page(f"{SIGMOID}?decimals=6").root.one("article").all("a")
    }
    assert {
        f"{SIGMOID}/share?decimals=6",
        f"{SIGMOID}/export?decimals=6",
        "/build?from=1-2-3-1-sigmoid",
    } <= links


def test_the_head_of_every_page_leads_to_the_builder_and_to_files() -> None:
    nav = next(
        nav for nav in page("/").root.all("nav") if nav.attributes.get("aria-label") == "Site"
    )
    assert [(" ".join(link.text.split()), link.attributes["href"]) for link in nav.all("a")] == [
        ("Lessons", "/"), ("Activations", "/activations"), ("Glossary", "/glossary"), ("Formula", "/formula"), ("Build a lesson", "/build"), ("Open a file", "/open"),
    ]  # fmt: skip


# ---- search engines ----


@pytest.mark.parametrize(
    ("address", "listed"),
    [
        ("/", True), ("/activations", True), (SIGMOID, True), (f"{SIGMOID}/steps/7", True), (f"{SIGMOID}/export", True),
        (SHARE, False), (f"{SHARE}?step=3", False), (f"/embed{SIGMOID}/steps/1", False), ("/embed/nothing", False),
        (f"/lessons/{SAVED}", False), (f"/lessons/{SAVED}/steps/3", False), ("/open", False), ("/build", False), ("/builders", True),
    ],
)  # fmt: skip
def test_search_engines_leave_out_what_anybody_wrote_and_what_says_the_same_again(
    address: str, listed: bool
) -> None:
    assert (get(address).headers.get("X-Robots-Tag") is None) == listed
