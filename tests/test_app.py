"""The routes: what each answers, with which headers, as page and as fragment, and for addresses
that make no sense.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app import HOME, STATIC, create_app
from tests.htmltree import read
from tests.visiting import NAMES, WALKS, context, fragment, get, page, send
from tutor.lesson.walk import GRAINS
from tutor.pages.view import View
from tutor.web.static_files import TOGETHER

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SIGMOID = "/lessons/1-2-3-1-sigmoid"
GOOD = {
    "/": "text/html",
    "/activations": "text/html",
    "/glossary": "text/html",
    "/style": "text/html",
    "/activations?z=-3": "text/html",
    SIGMOID: "text/html",
    f"{SIGMOID}/steps/1": "text/html",
    f"{SIGMOID}/steps/34?grain=number": "text/html",
    f"{SIGMOID}/steps/3?grain=layer&notation=letters&decimals=6": "text/html",
    f"{SIGMOID}/steps/2?grain=pass&present=yes": "text/html",
    f"{SIGMOID}/slides": "text/html",
    f"{SIGMOID}/share?step=7": "text/html",
    "/healthz": "text/plain",
    "/readyz": "text/plain",
    "/static/walk.js": "text/javascript",
    "/static/content.css": "text/css",
    "/static/icon.svg": "image/svg+xml",
}
MISSING = [
    "/nothing", "/lessons/none", "/lessons/none/steps/1", f"{SIGMOID}/steps/0", f"{SIGMOID}/steps/80", f"{SIGMOID}/steps/-1",
    f"{SIGMOID}/steps/1.5", f"{SIGMOID}/steps/two", f"{SIGMOID}/steps/1/chain", f"{SIGMOID}/steps/1/", f"{SIGMOID}/", "/activations/",
    "/lessons/linear-regression/slides", "/lessons/none/slides", "/static/none.js", "/static/", "/static/%2e%2e/app.py",
    "/static/..%2fapp.py", "/static/..%5capp.py", "/lessons/..%2f..%2fapp.py", "/lessons/%2e%2e/steps/1", "/lessons/a%00b",
    "/lessons/%ff", "/lessons/%D7%A9%E2%80%AE%D7%A9", "/lessons/" + 3000 * "x", f"{SIGMOID}/steps/" + 3000 * "9",
    f"{SIGMOID}/steps/%D9%A1", f"{SIGMOID}/steps/%C2%B2", "/lessons/perceptron-step?iteration=2", "/lessons/%3Cb%3E",
]  # fmt: skip
REDIRECTS = {
    "/lessons": "/",
    "/lessons/": "/",
    f"{SIGMOID}/steps": f"{SIGMOID}/steps/1",
    f"{SIGMOID}/steps/?grain=layer": f"{SIGMOID}/steps/1?grain=layer",
    f"{SIGMOID}/steps/3?notation=brackets": f"{SIGMOID}/steps/3",
    f"{SIGMOID}/steps/3?decimals=4&notation=letters&present=": f"{SIGMOID}/steps/3?notation=letters",
}
EVERYTHING = [*GOOD, *MISSING, *REDIRECTS]


@pytest.mark.parametrize(("address", "kind"), GOOD.items())
def test_a_page_answers_200_with_its_kind_of_content(address: str, kind: str) -> None:
    answer = get(address)
    assert (answer.status_code, answer.mimetype) == (200, kind)
    assert answer.data
    assert kind == "image/svg+xml" or "charset=utf-8" in answer.content_type


@pytest.mark.parametrize("name", NAMES)
def test_every_lesson_has_its_pages(name: str) -> None:
    assert get(f"/lessons/{name}").status_code == 200
    assert get(f"/lessons/{name}/slides").status_code == (
        200 if context(name).lesson.scenario.printed else 404
    )
    for grain in GRAINS:
        last = len(context(name, View(grain=grain)).walk)
        assert get(f"/lessons/{name}/steps/{last}?grain={grain}").status_code == 200
        assert get(f"/lessons/{name}/steps/{last + 1}?grain={grain}").status_code == 404


@pytest.mark.parametrize("address", MISSING)
@pytest.mark.parametrize("headers", [{}, {"HX_Request": "true"}], ids=["page", "fragment"])
def test_what_is_not_there_answers_404_with_the_way_back(
    address: str, headers: dict[str, Any]
) -> None:
    answer = get(address, **headers)
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    shown = read(answer.text)
    assert shown.problems == []
    ways = [link.attributes["href"] for link in shown.root.one("article", cls="error").all("a")]
    assert ways
    assert all(get(way).status_code == 200 for way in ways)


@pytest.mark.parametrize(
    ("address", "range_"),
    [
        (f"{SIGMOID}/steps/80", "1 to 79"),
        (f"{SIGMOID}/steps/0?grain=layer", "1 to 36"),
        (f"{SIGMOID}/steps/x?grain=pass", "1 to 5"),
    ],
)
def test_a_step_that_does_not_exist_names_the_range_and_leads_back_to_the_lesson(
    address: str, range_: str
) -> None:
    error = read(get(address).text).root.one("article", cls="error")
    assert range_ in error.text
    assert SIGMOID in [link.attributes["href"] for link in error.all("a")]


@pytest.mark.parametrize(("address", "target"), REDIRECTS.items())
def test_an_address_that_is_not_the_short_one_leads_to_it(address: str, target: str) -> None:
    answer = get(address)
    assert answer.status_code in {301, 302}
    assert urljoin("http://localhost", answer.headers["Location"]) == "http://localhost" + target
    assert get(target).status_code == 200


@pytest.mark.parametrize("address", EVERYTHING)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "DELETE"])
def test_every_answer_carries_the_safety_headers(address: str, method: str) -> None:
    headers = send(method, address).headers
    assert headers.getlist("Content-Security-Policy") == [POLICY]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] in {
        "same-origin",
        "no-referrer",
        "strict-origin-when-cross-origin",
    }
    for name in ("Opener-Policy", "Resource-Policy"):
        assert headers[f"Cross-Origin-{name}"] == "same-origin"
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert "Strict-Transport-Security" not in headers
    assert "Set-Cookie" not in headers
    assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize("address", EVERYTHING)
def test_https_is_kept_only_where_it_was_used(address: str) -> None:
    secure = send("GET", address, base_url="https://localhost")
    assert secure.headers["Strict-Transport-Security"].startswith("max-age=")
    assert int(secure.headers["Strict-Transport-Security"].split("=")[1]) >= 31_536_000


def test_behind_a_proxy_https_is_what_the_proxy_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Strict-Transport-Security" not in get("/healthz", X_Forwarded_Proto="https").headers
    monkeypatch.setenv("BEHIND_PROXY", "1")
    assert (
        "Strict-Transport-Security"
        in get("/healthz", create_app(), X_Forwarded_Proto="https").headers
    )


@pytest.mark.parametrize("address", [a for a in EVERYTHING if not a.startswith("/static")])
def test_page_and_fragment_are_kept_apart_in_caches_and_asked_for_again(address: str) -> None:
    answer = get(address)
    parts = {"HX-Request", "HX-Request-Type", "HX-History-Restore-Request"}
    assert parts <= {name.strip() for name in answer.headers["Vary"].split(",")}
    kept = answer.headers["Cache-Control"]
    # those have the tutor's own address in them
    linking = any(part in address for part in ("/share", "/export/", "/schema/"))
    assert linking or ("ETag" in answer.headers) == (kept != "no-cache")
    assert kept in {"no-cache", "public, max-age=0, s-maxage=60, stale-while-revalidate=600"}
    assert answer.status_code == 200 or kept == "no-cache"


def test_a_static_file_is_kept_by_the_browser_only_under_its_fingerprint() -> None:
    linked = {
        e.attributes[name]
        for e in page("/").root.all("link", "script", "img")
        for name in ("href", "src")
        if name in e.attributes
    }
    assert len(linked) > 5
    for address in linked:
        answer = get(address)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=604800, immutable"
        assert "immutable" not in get(urlsplit(address).path).headers["Cache-Control"]
        again = get(address, If_None_Match=answer.headers["ETag"])
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["Content-Security-Policy"] == POLICY


@pytest.mark.parametrize("query", ["v=anything", "v=", "v=0", "x=1", "v={}x", "w={}"])
def test_a_static_file_under_a_made_up_fingerprint_is_not_kept(query: str) -> None:
    address = f"/static/icon.svg?{query.format(STATIC.address('icon.svg').partition('?v=')[2])}"
    answer = get(address)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert get(address, If_None_Match=answer.headers["ETag"]).status_code == 304


def test_a_file_that_is_still_the_same_keeps_its_week() -> None:
    address = STATIC.address("icon.svg")
    again = get(address, If_None_Match=get(address).headers["ETag"])
    assert (again.status_code, again.headers["Cache-Control"]) == (
        304,
        "public, max-age=604800, immutable",
    )
    assert "immutable" in get(address.replace("/static/", "/static/x/../")).headers["Cache-Control"]


@pytest.mark.parametrize(("name", "parts"), TOGETHER.items())
def test_files_that_go_together_are_one_file_and_still_files_of_their_own(
    name: str, parts: tuple[str, ...]
) -> None:
    together = get(f"/static/{name}")
    assert together.mimetype == get(f"/static/{parts[0]}").mimetype
    between = "\n;\n" if name.endswith(".js") else ""
    assert together.text == between.join(get(f"/static/{part}").text for part in parts)
    assert not (HOME / "static" / name).exists(), "no file stands behind it"


@pytest.mark.parametrize("address", [f"{SIGMOID}/steps/3", "/", f"{SIGMOID}/training", "/build"])
def test_a_page_asks_for_few_files(address: str) -> None:
    assert len(set(re.findall(r'"(/static/[^"]+)"', get(address).text))) <= 8


def test_a_static_file_that_is_missing_is_not_kept_for_a_week() -> None:
    assert "immutable" not in get("/static/none.js?v=1").headers.get("Cache-Control", "")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
@pytest.mark.parametrize(
    "address", ["/", "/activations", SIGMOID, f"{SIGMOID}/steps/1", "/healthz", "/static/icon.svg"]
)
def test_pages_can_only_be_looked_at(address: str, method: str) -> None:
    answer = send(method, address)
    assert (answer.status_code, answer.mimetype) == (405, "text/html")
    assert read(answer.text).problems == []
    assert {"GET", "HEAD", "OPTIONS"} <= set(answer.headers["Allow"].split(", "))


@pytest.mark.parametrize("address", [*GOOD, *MISSING])
def test_head_has_the_headers_of_the_page_and_no_body(address: str) -> None:
    head, whole = send("HEAD", address), get(address)
    assert head.data == b""
    assert (head.status_code, head.content_type) == (whole.status_code, whole.content_type)
    assert head.headers.get("Content-Length", str(len(whole.data))) in {str(len(whole.data)), "0"}


@pytest.mark.parametrize("address", GOOD)
def test_options_tells_what_an_address_takes(address: str) -> None:
    answer = send("OPTIONS", address)
    assert answer.status_code == 200
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_healthz_is_two_letters() -> None:
    assert get("/healthz").text == "ok\n"


def test_a_tutor_that_can_give_lessons_is_ready() -> None:
    assert get("/readyz").text == "ready\n"


def test_a_shelf_of_which_nothing_could_be_read_is_not_ready(tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("format: [", encoding="utf-8")
    answer = get("/readyz", create_app(tmp_path))
    assert (answer.status_code, answer.text) == (503, "shelf: no lesson could be read\n")


def test_the_icon_that_browsers_ask_for_leads_to_ours() -> None:
    answer = get(get("/favicon.ico").headers["Location"])
    assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")


@pytest.mark.parametrize(("name", "grain"), WALKS)
def test_the_page_contains_its_fragment_word_for_word(name: str, grain: str) -> None:
    for n in {1, 2, len(context(name, View(grain=grain)).walk)}:
        address = f"/lessons/{name}/steps/{n}?grain={grain}"
        part, whole = fragment(address).text, get(address).text
        title, _, body = part.split("\n", 2)
        assert title in whole
        assert body in whole
        assert "<html" not in part
        assert whole.count("<html") == 1


def test_a_history_restore_gets_the_whole_page() -> None:
    address = f"{SIGMOID}/steps/5"
    assert (
        get(address, HX_Request="true", HX_History_Restore_Request="true").text
        == get(address).text
        != fragment(address).text
    )


def test_a_fragment_brings_the_title_and_what_the_live_region_says() -> None:
    root = read(fragment(f"{SIGMOID}/steps/7").text).root
    assert root.elements[0].tag == "title"
    heading = root.one("h1").text
    assert (
        root.elements[0].text
        == f"Step 7 of 79: {heading} · A 1-2-3-1 sigmoid network by hand · Backprop Tutor"
    )
    said = root.one("p", id="said")
    assert said.attributes["hx-swap-oob"] == "innerHTML"
    assert said.text == f"Step 7 of 79: {heading}"
    assert page(f"{SIGMOID}/steps/7").root.one("head").one("title").text == root.elements[0].text


def test_the_live_region_stands_outside_what_is_swapped() -> None:
    root = page(f"{SIGMOID}/steps/7").root
    region = root.one("p", id="said")
    assert region.attributes["aria-live"] == "polite"
    assert "step" not in {above.attributes.get("id") for above in region.above()}


# ---- links ----


def _links(address: str, text: str) -> dict[str, str]:
    """Where the links of a page lead (whole addresses), with their texts."""
    found = {}
    for link in read(text).root.all("a"):
        if "href" in link.attributes:
            assert link.named, f"{address}: a link to {link.attributes['href']} has no text"
            found[
                urljoin("http://localhost" + address, link.attributes["href"]).removeprefix(
                    "http://localhost"
                )
            ] = link.named
            assert link.attributes.get("hx-get", link.attributes["href"]) == link.attributes["href"]
    return found


@pytest.mark.parametrize(
    "name", ["1-2-3-1-sigmoid", "3-2-3-softmax", "linear-sigmoid", "perceptron-step"]
)
def test_every_link_of_every_step_leads_to_a_page(name: str) -> None:
    targets: dict[str, str] = {}
    for grain in GRAINS:
        for n in range(1, len(context(name, View(grain=grain)).walk) + 1):
            address = f"/lessons/{name}/steps/{n}?grain={grain}"
            targets |= dict.fromkeys(_links(address, get(address).text), address)
    targets |= dict.fromkeys(_links(f"/lessons/{name}", get(f"/lessons/{name}").text), "lesson")
    assert len(targets) > 10
    bad = {
        target: seen
        for target, seen in targets.items()
        if fragment(target.split("#")[0]).status_code not in {200, 302}
    }
    assert not bad


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/activations",
        "/glossary",
        f"{SIGMOID}/slides",
        "/lessons/3-2-3-softmax/slides",
        "/nothing",
    ],
)
def test_every_link_around_the_steps_leads_to_a_page(address: str) -> None:
    targets = _links(address, get(address).text)
    targets.pop(f"{address}#main")
    assert "/" in targets
    assert not [
        target for target in targets if get(target.split("#")[0]).status_code not in {200, 301, 302}
    ]


@pytest.mark.parametrize("view", ["", "grain=layer&notation=letters&decimals=6&present=yes"])
def test_next_leads_through_the_whole_lesson_and_back_leads_home(view: str) -> None:
    address, seen = f"{SIGMOID}/steps/1?{view}", []
    root = read("").root
    while address:
        root = read(fragment(address).text).root
        seen.append(int(root.one("h1").attributes["data-n"]))
        href = root.one("a", id="next").attributes.get("href")
        address = urljoin(address, href) if href else ""
    assert seen == list(range(1, len(seen) + 1))
    assert len(seen) == (36 if view else 79)
    for _ in range(len(seen) + 1):
        href = root.one("a", id="back").attributes["href"]
        address = urljoin(address or f"{SIGMOID}/steps/{len(seen)}", href)
        if "/steps/" not in address:
            break
        root = read(fragment(address).text).root
    assert urlsplit(address).path == SIGMOID


# ---- nonsense ----

KEYS = st.sampled_from(
    [
        "grain",
        "notation",
        "decimals",
        "iteration",
        "loss",
        "present",
        "from",
        "",
        "x",
        "<b>",
        "grain[]",
        "\0",
        "__class__",
    ]
)
VALUES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["number", "layer", "pass", "letters", "brackets", "parentheses", "yes", "squared_error"]
    ),
    st.sampled_from(["0", "12", "13", "2", "100", "101", "-1", "1e3", "٣", "²"]),
)
LESSONS = st.sampled_from(NAMES)


def _settled(address: str) -> tuple[int, str]:
    """The answer behind at most two redirects."""
    for _ in range(3):
        answer = get(address)
        if answer.status_code not in {301, 302}:
            return answer.status_code, answer.text
        address = answer.headers["Location"]
    raise AssertionError(f"{address} leads on and on")


@given(name=LESSONS, query=st.dictionaries(KEYS, VALUES, max_size=5))
@example(name="1-2-3-1-sigmoid", query={"grain": "\0\ud7ff<script>", "notation": "letters"})
@example(name="linear-regression", query={"grain": "pass", "notation": "brackets", "decimals": "x"})
@settings(max_examples=100)
def test_nonsense_in_a_query_never_breaks_a_step(name: str, query: dict[str, str]) -> None:
    status, text = _settled(f"/lessons/{name}/steps/1?{urlencode(query)}")
    assert status == 200 or (status == 404 and int(query["iteration"]) > 1)
    assert read(text).problems == []


@given(name=LESSONS, query=st.dictionaries(KEYS, VALUES, max_size=5))
@settings(max_examples=25)
def test_nonsense_in_a_query_never_breaks_a_lesson(name: str, query: dict[str, str]) -> None:
    for path in (f"/lessons/{name}", f"/lessons/{name}/steps/4/chain", "/activations"):
        answer = get(f"{path}?{urlencode(query)}")
        assert answer.status_code in {200, 302, 404}
        assert read(answer.text).problems == [] or answer.status_code == 302


@given(
    text=st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="/"), min_size=1, max_size=40
    )
)
@example("\0")
@example("\u202e1")
@example("1\n")
@example("²")
@example("𝟙")
@example("'\"><svg onload=alert(1)>")
@settings(max_examples=60)
def test_nonsense_for_a_step_or_a_lesson_is_a_page_or_404(text: str) -> None:
    for path in (
        f"{SIGMOID}/steps/{quote(text, safe='')}",
        f"/lessons/{quote(text, safe='')}",
        f"/lessons/{quote(text, safe='')}/steps/1",
    ):
        status, shown = _settled(path)
        assert status == 404 or re.fullmatch(r"0*[1-9][0-9]?", text, re.ASCII) or text in NAMES
        assert read(shown).problems == []


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("grain=cube", "cube"),
        ("notation=runes", "runes"),
        ("decimals=13", "13"),
        ("decimals=four", "four"),
        ("iteration=0", "“0”"),
        ("iteration=10001", "10001"),
        ("iteration=٢", "٢"),
        ("loss=guess", "guess"),
        ("loss=cross_entropy", "softmax"),
        ("present=maybe", "maybe"),
        ("colour=blue", "colour"),
        ("grain=%3Cscript%3E", "<script>"),
    ],
)
def test_nonsense_in_a_query_is_ignored_with_a_visible_word(query: str, said: str) -> None:
    plain = read(get(f"{SIGMOID}/steps/3").text).root
    for text in (
        get(f"{SIGMOID}/steps/3?{query}").text,
        fragment(f"{SIGMOID}/steps/3?{query}").text,
        get(f"{SIGMOID}?{query}").text,
    ):
        assert said in "".join(notice.text for notice in read(text).root.all("p", cls="notice"))
    odd = read(get(f"{SIGMOID}/steps/3?{query}").text).root
    assert odd.one("article", cls="board").text == plain.one("article", cls="board").text
    assert not list(plain.all("p", cls="notice"))


def test_many_notices_do_not_bury_the_step() -> None:
    query = "&".join(f"x{n}={n}" for n in range(200))
    assert len(list(page(f"{SIGMOID}/steps/3?{query}").root.all("p", cls="notice"))) <= 5


def test_a_notice_is_not_remembered_for_the_next_reader() -> None:
    assert "ignored" in fragment(f"{SIGMOID}/steps/6?colour=1").text
    assert "ignored" not in fragment(f"{SIGMOID}/steps/6").text


def test_links_keep_what_was_chosen() -> None:
    chosen = {
        "grain": "layer",
        "notation": "letters",
        "decimals": "6",
        "iteration": "2",
        "present": "yes",
    }
    root = read(fragment(f"{SIGMOID}/steps/3?{urlencode(chosen)}").text).root
    for name in ("next", "back", "first", "last"):
        query = urlsplit(root.one("a", id=name).attributes["href"]).query
        assert dict(part.split("=") for part in query.split("&")) == chosen


def test_only_a_header_asks_for_a_fragment() -> None:
    assert "<html" in get(f"{SIGMOID}/steps/3?HX-Request=true").text
