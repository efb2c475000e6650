"""Frames on other sites: only /embed may be framed, and what is framed never leads the frame out of
it.
"""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest

from tests.htmltree import Element, read
from tests.visiting import NAMES, context, fragment, get, page, send
from tutor.lesson.walk import GRAINS
from tutor.pages.view import View
from tutor.web import security

SIGMOID = "/lessons/1-2-3-1-sigmoid"
FRAMED = [
    f"/embed{SIGMOID}/steps/1", f"/embed{SIGMOID}/steps/79", f"/embed{SIGMOID}/steps/3?grain=layer&notation=letters",
    f"/embed{SIGMOID}/steps", f"/embed{SIGMOID}", f"/embed{SIGMOID}/steps/", f"/embed{SIGMOID}/steps/80", "/embed/lessons/none/steps/1",
    "/embed/nothing", "/embed/", "/%65mbed/nothing",
]  # fmt: skip
NOT_FRAMED = [
    "/", "/embed", "/embedded", "/activations", SIGMOID, f"{SIGMOID}/steps/1", f"{SIGMOID}/share", f"{SIGMOID}/slides", f"{SIGMOID}/export",
    f"{SIGMOID}/export/html", f"{SIGMOID}/scenario.yaml", "/nothing", "/lessons/embed/steps/1", "/healthz", "/static/walk.js",
    "/static/embed/", "/build", "/open", f"{SIGMOID}/steps/1?embedded=yes", "/lessons/none//embed/",
]  # fmt: skip


@pytest.mark.parametrize("address", FRAMED)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
def test_what_stands_under_embed_may_be_framed_and_is_otherwise_as_safe_as_all(
    address: str, method: str
) -> None:
    found = send(method, address).headers
    usual = send(method, "/nothing").headers
    assert found["Content-Security-Policy"] == usual["Content-Security-Policy"].replace(
        "frame-ancestors 'none'", "frame-ancestors * file:"
    )
    assert found["Cross-Origin-Resource-Policy"] == "cross-origin"
    for name in security.HEADERS.keys() - {
        "Content-Security-Policy",
        "Cross-Origin-Resource-Policy",
    }:
        assert found[name] == usual[name]
    assert "X-Frame-Options" not in found
    assert "Set-Cookie" not in found
    assert found["Cross-Origin-Embedder-Policy"] == "require-corp"


@pytest.mark.parametrize("address", NOT_FRAMED)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nothing_else_may_be_framed(address: str, method: str) -> None:
    found = send(method, address).headers
    assert found["Content-Security-Policy"] == security.CONTENT_SECURITY_POLICY
    assert found["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_under_embed_takes_anything_in(method: str) -> None:
    assert send(method, f"/embed{SIGMOID}/steps/1").status_code == 405
    assert send(method, f"/embed{SIGMOID}/steps/1", Sec_Fetch_Site="cross-site").status_code == 403


@pytest.mark.parametrize("place", ["", "/steps", "/steps/"])
def test_a_lesson_without_a_step_leads_to_its_first_in_the_frame(place: str) -> None:
    answer = get(f"/embed{SIGMOID}{place}?grain=layer")
    assert (answer.status_code, answer.headers["Location"]) == (
        302,
        f"/embed{SIGMOID}/steps/1?grain=layer",
    )


def written(root: Element, part: str) -> list[str]:
    """What a step says in its parts of this kind, without the panels beside it."""
    return [e.text for e in root.one("div", id="step").all(part)]


@pytest.mark.parametrize("name", NAMES)
def test_the_frame_shows_the_same_step(name: str) -> None:
    for grain in GRAINS:
        n = len(context(name, View(grain=grain)).walk) // 2 + 1
        framed, own = (
            page(f"/embed/lessons/{name}/steps/{n}?grain={grain}").root,
            page(f"/lessons/{name}/steps/{n}?grain={grain}").root,
        )
        for part in ("h1", "math"):
            assert written(framed, part) == written(own, part)
        assert framed.one("head").one("title").text == own.one("head").one("title").text


@pytest.mark.parametrize("name", NAMES)
def test_a_link_stays_in_the_frame_or_opens_a_new_tab(name: str) -> None:
    for grain in GRAINS:
        total = len(context(name, View(grain=grain)).walk)
        for n in {1, 2, total // 2 + 1, total}:
            address = f"/embed/lessons/{name}/steps/{n}?grain={grain}"
            for link in framed_links(page(address).root):
                path = urlsplit(urljoin(address, link.attributes["href"])).path
                new_tab = link.attributes.get("target") == "_blank"
                assert path.startswith(f"/embed/lessons/{name}/steps/") != new_tab, link.attributes
                assert new_tab == (link.attributes.get("rel") == "noopener")
                assert get(urljoin(address, link.attributes["href"])).status_code == 200


def framed_links(root: Element) -> list[Element]:
    return [
        link
        for link in root.all("a")
        if "href" in link.attributes and not link.attributes["href"].startswith("#")
    ]


def test_the_tutors_own_pages_open_no_tabs() -> None:
    for address in ("/", SIGMOID, f"{SIGMOID}/steps/1", f"{SIGMOID}/steps/79", "/nothing"):
        assert "_blank" not in get(address).text


def test_next_walks_the_whole_lesson_within_the_frame() -> None:
    address, seen = f"/embed{SIGMOID}/steps/1?grain=layer", 0
    while address:
        assert urlsplit(address).path == f"/embed{SIGMOID}/steps/{seen + 1}"
        root = read(fragment(address).text).root
        href = root.one("a", id="next").attributes.get("href")
        address, seen = (urljoin(address, href) if href else ""), seen + 1
    assert seen == 36


def test_at_the_first_step_there_is_no_way_back_in_the_frame() -> None:
    back = page(f"/embed{SIGMOID}/steps/1").root.one("a", id="back")
    assert "href" not in back.attributes
    assert back.attributes["aria-disabled"] == "true"


def test_the_frame_leads_to_the_same_step_in_the_tutor() -> None:
    out = read(fragment(f"/embed{SIGMOID}/steps/3?grain=layer&decimals=6").text).root.one(
        "a", id="outside"
    )
    assert out.attributes["href"] == f"{SIGMOID}/steps/3?grain=layer&decimals=6"
    assert out.named.startswith("Open in the tutor")
    assert out.attributes["target"] == "_blank"


CHANGED = "w[2][1,2]=-0.3"


def test_changed_numbers_are_shown_in_the_frame_and_kept_on_the_way() -> None:
    own, framed = (page(f"{start}{SIGMOID}/steps/5?{CHANGED}").root for start in ("", "/embed"))
    assert written(framed, "math") == written(own, "math")
    assert written(framed, "math") != written(page(f"/embed{SIGMOID}/steps/5").root, "math")
    assert framed.one("a", id="next").attributes["href"] == f"6?{CHANGED}"
    assert framed.one("a", id="outside").attributes["href"] == f"{SIGMOID}/steps/5?{CHANGED}"
    assert (
        get(f"/embed{SIGMOID}?{CHANGED}").headers["Location"]
        == f"/embed{SIGMOID}/steps/1?{CHANGED}"
    )


def test_the_frame_offers_no_way_to_change_a_number() -> None:
    root = page(f"/embed{SIGMOID}/steps/5?{CHANGED}").root
    for link in framed_links(root):
        assert not any(
            word in link.attributes["href"] for word in ("/build", "what-if", "/share", "/export")
        ), link.attributes
    assert not [e for e in root.all() if {"data-edit", "contenteditable"} & e.attributes.keys()]


def test_the_frame_has_no_panels_no_forms_and_no_head_of_the_site() -> None:
    root = page(f"/embed{SIGMOID}/steps/7?present=yes").root
    assert not list(root.all("form", "header", "input", "select", "textarea", "button"))
    assert "present" not in root.one("html").attributes.get("class", "")
    assert "autofocus" not in get(f"/embed{SIGMOID}/steps/7").text


def test_the_page_in_a_frame_contains_its_fragment_word_for_word() -> None:
    address = f"/embed{SIGMOID}/steps/7?grain=layer"
    title, _, body = fragment(address).text.split("\n", 2)
    whole = get(address).text
    assert title in whole
    assert body in whole


def test_a_frame_and_the_tutors_own_page_are_remembered_apart() -> None:
    for _ in range(2):
        assert "outside" in fragment(f"/embed{SIGMOID}/steps/9").text
        assert "outside" not in fragment(f"{SIGMOID}/steps/9").text


def test_the_word_embedded_in_an_address_changes_nothing() -> None:
    assert "outside" not in get(f"{SIGMOID}/steps/9?embedded=True").text


@pytest.mark.parametrize(
    "address", [f"/embed{SIGMOID}/steps/80", "/embed/lessons/none", "/embed/nothing"]
)
def test_a_wrong_address_shows_our_words_in_the_frame_and_its_links_open_a_new_tab(
    address: str,
) -> None:
    for answer in (get(address), fragment(address)):
        assert answer.status_code == 404
        shown = read(answer.text)
        assert shown.problems == []
        links = framed_links(shown.root)
        assert links
        assert {link.attributes.get("target") for link in links} == {"_blank"}
        assert not list(shown.root.all("header"))
