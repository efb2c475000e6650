"""What caches may keep: an answer has the mark of all that it depends on, and who has it is told so
without it being made again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import HOME, create_app
from tests.visiting import tutor
from tutor.errors import SettingError
from tutor.web import caching, routes_lessons
from tutor.web.caching import Caching
from tutor.web.site import Site

STEP = "/lessons/one-weight/steps/3"
KEPT = [
    "/activations", "/glossary", "/style", "/lessons/one-weight", STEP, f"{STEP}?grain=layer",
    "/lessons/3-2-3-softmax/slides", "/lessons/one-weight/export?kind=html", "/lessons/one-weight/scenario.yaml",
    "/embed/lessons/one-weight/steps/2",
]  # fmt: skip
"""What any cache may keep."""
LINKING = ["/lessons/one-weight/share", "/lessons/one-weight/export/html", "/schema/scenario.json"]
"""What has the tutor's own address in it."""
NOT_KEPT = [
    "/",
    "/build",
    "/open",
    "/healthz",
    "/nothing",
    "/lessons/none",
    f"{STEP}0000",
    "/lessons/one-weight/steps",
]
FRAGMENT = {"HX-Request": "true"}


def get(address: str, client: FlaskClient | None = None, **headers: str) -> TestResponse:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return (client or tutor().test_client()).get(address, headers=given)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often a lesson was looked at."""
    asked: list[int] = []
    original = Site.opened

    def opened(site: Site, *args: Any, **fixed: Any) -> Any:
        asked.append(1)
        return original(site, *args, **fixed)

    monkeypatch.setattr(Site, "opened", opened)
    return asked


@pytest.mark.parametrize("address", [*KEPT, *LINKING])
def test_who_has_an_answer_is_told_so(address: str) -> None:
    answer = get(address)
    again = get(address, If_None_Match=answer.headers["ETag"])
    assert (answer.status_code, again.status_code, again.data) == (200, 304, b"")
    for name in ("ETag", "Cache-Control", "Vary", "Content-Security-Policy"):
        assert again.headers[name] == answer.headers[name]
    assert not answer.headers["ETag"].startswith("W/")
    assert get(address, If_None_Match='"other"').status_code == 200


def test_it_is_not_made_again_for_that(counted: list[int]) -> None:
    client = create_app().test_client()
    tag = get(STEP, client).headers["ETag"]
    assert counted == [1]
    assert get(STEP, client, If_None_Match=tag).status_code == 304
    assert counted == [1]


OPENED = ["/lessons/one-weight", STEP, f"{STEP}?grain=layer", "/embed/lessons/one-weight/steps/2"]
"""What a class opens in the same minute."""


@pytest.mark.parametrize("address", OPENED)
def test_a_page_that_many_open_is_made_once(address: str, counted: list[int]) -> None:
    client = create_app().test_client()
    first, again = get(address, client), get(address, client)
    assert len(counted) == 1
    assert (again.status_code, again.data) == (200, first.data)
    assert list(again.headers) == list(first.headers)
    head = client.head(address)
    assert (head.data, head.headers["Content-Length"]) == (b"", str(len(first.data)))


def test_a_part_or_an_error_is_never_given_for_a_page() -> None:
    client = create_app().test_client()
    for address in (STEP, "/embed/lessons/one-weight/steps/2"):
        part, page = get(address, client, HX_Request="true"), get(address, client)
        assert "<html" not in part.text
        assert "<html" in page.text
        assert get(address, client, HX_Request="true").data == part.data
        assert get(address, client).data == page.data
    for _ in range(2):
        assert get(f"{STEP}0000", client).status_code == 404
        assert get("/lessons/one-weight/steps/0", client).status_code == 404


def test_pages_are_kept_as_far_as_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tutor.web.site.PAGES", 200_000)
    app = create_app()
    client = app.test_client()
    for n in range(1, 20):
        assert get(f"/lessons/1-2-3-1-sigmoid/steps/{n}", client).status_code == 200
    pages = app.extensions["tutor"].pages
    assert 1 < len(pages) < 15
    assert pages.bytes <= 200_000


@pytest.mark.parametrize("address", KEPT)
def test_any_cache_may_keep_it_for_a_while(address: str) -> None:
    wanted = "public, max-age=0, s-maxage=60, stale-while-revalidate=600"
    assert get(address).headers["Cache-Control"] == wanted


@pytest.mark.parametrize("address", NOT_KEPT)
def test_what_depends_on_more_has_no_mark(address: str) -> None:
    answer = get(address, If_None_Match="*")
    assert "ETag" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.status_code != 304


def test_every_answer_of_its_own_has_a_mark_of_its_own() -> None:
    tags = [get(address).headers["ETag"] for address in (*KEPT, *LINKING)]
    tags += [get(STEP, HX_Request="true").headers["ETag"]]
    assert len(set(tags)) == len(tags)
    restored = get(STEP, HX_Request="true", HX_History_Restore_Request="true")
    assert restored.headers["ETag"] == get(STEP).headers["ETag"]


def test_the_first_page_is_kept_but_not_that_of_the_author(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes_lessons, "by_author", lambda: False)
    for_all = get("/")
    assert "s-maxage" in for_all.headers["Cache-Control"]
    monkeypatch.setattr(routes_lessons, "by_author", lambda: True)
    own = get("/", If_None_Match=for_all.headers["ETag"])
    assert (own.status_code, own.headers["Cache-Control"]) == (200, "no-cache")


def test_a_lesson_that_changes_has_another_mark(tmp_path: Path) -> None:
    text = (HOME / "scenarios" / "one-weight.yaml").read_text(encoding="utf-8")
    for folder, title in (("a", "First title"), ("b", "Second title")):
        (tmp_path / folder).mkdir()
        changed = text.replace(text.split("title: ", 1)[1].split("\n", 1)[0], title, 1)
        (tmp_path / folder / "one-weight.yaml").write_text(changed, encoding="utf-8")
    one, other = (create_app(tmp_path / folder).test_client() for folder in "ab")
    for address in ("/lessons/one-weight", STEP):
        assert get(address, one).headers["ETag"] != get(address, other).headers["ETag"]
    assert get("/glossary", one).headers["ETag"] == get("/glossary", other).headers["ETag"]


def test_two_machines_of_the_same_version_give_the_same_mark() -> None:
    one, other = (get(STEP, create_app().test_client()).headers["ETag"] for _ in range(2))
    assert one == other


def test_another_version_gives_another_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    before = get(STEP, create_app().test_client()).headers["ETag"]
    monkeypatch.setattr(caching, "_program", lambda home: "another version")
    assert get(STEP, create_app().test_client()).headers["ETag"] != before


def test_links_name_the_public_address_and_are_kept_then(monkeypatch: pytest.MonkeyPatch) -> None:
    for address in LINKING:
        assert get(address).headers["Cache-Control"] == "no-cache"
    monkeypatch.setenv("PUBLIC_URL", "https://tutor.example/")
    client = create_app().test_client()
    for address in LINKING:
        one, other = (
            client.get(address, base_url=f"http://{host}") for host in ("a.example", "b.example")
        )
        assert one.data == other.data
        assert one.headers["ETag"] == other.headers["ETag"]
        assert "s-maxage" in one.headers["Cache-Control"]
    assert "https://tutor.example/lessons/one-weight" in client.get(LINKING[0]).text
    assert "https://tutor.example/lessons/one-weight" in client.get(LINKING[1]).text


def test_how_long_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_SECONDS", "5")
    assert "s-maxage=5," in get(STEP, create_app().test_client()).headers["Cache-Control"]
    monkeypatch.setenv("CACHE_SECONDS", "0")
    answer = get(STEP, create_app().test_client())
    assert (answer.headers["Cache-Control"], "ETag" in answer.headers) == ("no-cache", True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CACHE_SECONDS", "-1"), ("CACHE_SECONDS", "1m"), ("CACHE_SECONDS", "1" * 20), ("CACHE_SECONDS", "²"),
        ("PUBLIC_URL", "tutor.example"), ("PUBLIC_URL", "https://tutor.example/lessons"), ("PUBLIC_URL", "ftp://tutor.example"),
        ("PUBLIC_URL", "https://"), ("PUBLIC_URL", "https://a b"), ("PUBLIC_URL", "https://user@tutor.example"),
        ("PUBLIC_URL", "javascript:alert(1)"), ("PUBLIC_URL", "https://[tutor"),
    ],
)  # fmt: skip
def test_a_setting_that_makes_no_sense_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=name):
        Caching.of({name: value}, HOME)
