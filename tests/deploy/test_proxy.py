"""Two instances of the tutor on PostgreSQL behind the caching proxy of docs/deploy: one class, on
more than one machine.
"""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from tests.databases import PostgreSQL, postgresql  # noqa: F401  (a fixture)
from tests.deploy.nginx import Nginx, program
from tests.serving import Answer, Tutor, ask

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
SOURCE = (ROOT / "scenarios" / "3-2-3-softmax.yaml").read_text(encoding="utf-8")
SHELF = "/lessons/1-2-3-1-sigmoid/steps/{}"
UNKNOWN = "/lessons/saved-aaaaaaaaaaaaaaaaaaaa"
FRAGMENT = {"HX-Request": "true"}


class Pair:
    """Two instances on one database, and the proxy in front of them."""

    def __init__(self, folder: Path, database: str) -> None:
        self.settings = {"DATABASE_URL": database, "BEHIND_PROXY": "1", "DATABASE_WAIT": "3"}
        self.instances = [Tutor(**self.settings) for _ in range(2)]
        self.proxy = Nginx(folder, *(instance.port for instance in self.instances))

    def get(self, address: str, **headers: str) -> Answer:
        return ask(self.proxy.port, "GET", address, None, headers)

    def save(self, port: int, title: str) -> str:
        """The address of a lesson that was saved by way of a port."""
        form = {"do": "save", "text": SOURCE.replace("title: ", f"title: {title}, ", 1)}
        status, headers, _ = ask(port, "POST", "/open", form)
        assert status == 303
        return str(headers["Location"])

    def asked(self) -> list[int]:
        """How many steps each instance has answered so far."""
        return [len(re.findall(r"GET \S+/steps/", each.log())) for each in self.instances]


@pytest.fixture
def pair(postgresql: PostgreSQL, tmp_path: Path) -> Iterator[Pair]:  # noqa: F811
    program()
    both = Pair(tmp_path, postgresql.new())
    with both.instances[0], both.instances[1], both.proxy:
        yield both


class Walk:
    """A walk over the shelf that has begun: clicks by the clock, whatever becomes of those before."""

    def __init__(self, pair: Pair, seconds: float, each_second: int = 50) -> None:
        self.answers: Counter[str] = Counter()
        self.slowest = 0.0
        self._pair = pair
        self._pool = ThreadPoolExecutor(100)
        begin = time.monotonic()
        self._clicks = [
            self._pool.submit(self._click, n, begin + n / each_second)
            for n in range(int(seconds * each_second))
        ]

    def _click(self, n: int, at: float) -> None:
        time.sleep(max(0, at - time.monotonic()))
        begun = time.monotonic()
        # each address once, so that no cache answers
        address = f"{SHELF.format(n % 79 + 1)}?walk={n}"
        try:
            said = str(self._pair.get(address, **FRAGMENT)[0])
        except OSError as error:
            said = type(error).__name__
        self.answers[said] += 1
        self.slowest = max(self.slowest, time.monotonic() - begun)

    def finished(self) -> Counter[str]:
        """How many answers there were of each status."""
        for click in self._clicks:
            click.result()
        self._pool.shutdown()
        return self.answers


# ---- two instances are one tutor ----


def test_what_is_saved_on_one_is_read_on_the_other(pair: Pair) -> None:
    first, second = pair.instances
    address = pair.save(first.port, "from the first")
    assert "from the first" in second.get(f"{address}/steps/1")[2]
    address = pair.save(pair.proxy.port, "by the proxy")
    for instance in pair.instances:
        assert instance.get(f"{address}/steps/1")[0] == 200


def test_a_walk_may_meet_another_instance_at_each_step(pair: Pair) -> None:
    address = pair.save(pair.proxy.port, "walked")
    pages = [pair.get(f"{address}/steps/{n}", **FRAGMENT) for n in range(1, 31)]
    assert {status for status, _, _ in pages} == {200}
    assert len({text for _, _, text in pages}) == 30
    direct = [
        pair.instances[n % 2].get(f"{address}/steps/{n}", **FRAGMENT)[2] for n in range(1, 31)
    ]
    assert [text for _, _, text in pages] == direct
    assert min(pair.asked()) > 15, "both took part in it"


def test_the_proxy_passes_on_what_the_reader_asked_for(pair: Pair) -> None:
    status, headers, text = pair.get("/lessons/1-2-3-1-sigmoid/share")
    assert status == 200
    assert f"http://127.0.0.1:{pair.proxy.port}/lessons/1-2-3-1-sigmoid" in text
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    page, part = pair.get(SHELF.format(2)), pair.get(SHELF.format(2), **FRAGMENT)
    assert page[2].startswith("<!doctype html>")
    assert not part[2].startswith("<!doctype html>")
    for _ in range(3):
        assert pair.get(SHELF.format(2))[2] == page[2]
        assert pair.get(SHELF.format(2), **FRAGMENT)[2] == part[2]
    large = {"do": "check", "text": "x" * 400_000}
    status, _, text = ask(pair.proxy.port, "POST", "/open", large)
    assert status == 413
    assert "That is too large" in text, "the page is the tutor's, not nginx's"


# ---- what fails ----


def test_an_instance_that_is_killed_loses_no_click_on_the_shelf(pair: Pair) -> None:
    walk = Walk(pair, seconds=8)
    time.sleep(3)
    before = pair.asked()
    pair.instances[0].kill()
    answers = walk.finished()
    assert before[0] > 5, "it had its part of the class"
    assert answers == {"200": 400}, "what it had not answered is asked again at the other one"
    assert walk.slowest < 10


def test_an_instance_that_comes_back_is_used_again(pair: Pair) -> None:
    pair.instances[0].kill()
    assert Walk(pair, seconds=1).finished() == {"200": 50}
    with Tutor(port=pair.instances[0].port, **pair.settings) as again:
        time.sleep(5.5)
        assert Walk(pair, seconds=2).finished() == {"200": 100}
        assert len(re.findall(r"GET \S+/steps/", again.log())) > 10


def test_a_frozen_database_stops_saved_lessons_and_nothing_else(
    pair: Pair,
    postgresql: PostgreSQL,  # noqa: F811
) -> None:
    address = pair.save(pair.proxy.port, "known")
    for instance in pair.instances:
        assert instance.get(f"{address}/steps/1")[0] == 200
    walk = Walk(pair, seconds=10, each_second=20)
    with postgresql.frozen(), ThreadPoolExecutor(8) as readers:
        unknown = [answer[0] for answer in readers.map(pair.get, [UNKNOWN] * 8)]
        assert unknown == [503] * 8
        assert [instance.get("/healthz")[0] for instance in pair.instances] == [200, 200]
        assert [instance.get("/readyz")[0] for instance in pair.instances] == [503, 503]
        assert pair.get(f"{address}/steps/2")[0] == 200, "a saved lesson that is known goes on"
        assert walk.finished() == {"200": 200}
        assert walk.slowest < 3, "the shelf does not wait for the database"
    deadline = time.monotonic() + 30
    while [instance.get("/readyz")[0] for instance in pair.instances] != [200, 200]:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert pair.get(UNKNOWN)[0] == 404


# ---- the cache ----


class Stub(BaseHTTPRequestHandler):
    """A server that answers as the tutor is to: a strong ETag, and leave to keep it."""

    made: ClassVar[Counter[str]] = Counter()
    seconds = 60

    def do_GET(self) -> None:
        part = "HX-Request" in self.headers
        tag = f'"{self.path} {part}"'
        known = self.headers.get("If-None-Match") == tag
        self.made["304" if known else "200"] += 1
        body = b"" if known else f"{'part' if part else 'page'} of {self.path}".encode()
        self.send_response(304 if known else 200)
        keep = f"public, max-age=0, s-maxage={self.seconds}, stale-while-revalidate=600"
        for name, value in {
            "Cache-Control": keep,
            "ETag": tag,
            "Vary": "HX-Request",
            "Content-Type": "text/html",
            "Content-Length": str(len(body)),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def stub() -> Iterator[ThreadingHTTPServer]:
    Stub.made = Counter()
    Stub.seconds = 60
    with ThreadingHTTPServer(("127.0.0.1", 0), Stub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def cache(stub: ThreadingHTTPServer, tmp_path: Path) -> Iterator[Nginx]:
    with Nginx(tmp_path, stub.server_port, stub.server_port) as proxy:
        yield proxy


def kept(proxy: Nginx, address: str, **headers: str) -> tuple[str, str]:
    """(what the cache says, the text)."""
    _, found, text = ask(proxy.port, "GET", address, None, headers)
    return str(found["X-Cache"]), text


def test_what_may_be_kept_is_made_once(cache: Nginx) -> None:
    assert kept(cache, "/a") == ("MISS", "page of /a")
    assert kept(cache, "/a") == ("HIT", "page of /a")
    assert kept(cache, "/a?b") == ("MISS", "page of /a?b")
    assert Stub.made == {"200": 2}


def test_a_part_is_never_given_for_a_page(cache: Nginx) -> None:
    assert kept(cache, "/a", **FRAGMENT) == ("MISS", "part of /a")
    assert kept(cache, "/a") == ("MISS", "page of /a")
    assert kept(cache, "/a", **FRAGMENT) == ("HIT", "part of /a")
    assert kept(cache, "/a") == ("HIT", "page of /a")


def test_another_host_has_a_cache_of_its_own(cache: Nginx) -> None:
    assert kept(cache, "/a", Host="one.example")[0] == "MISS"
    assert kept(cache, "/a", Host="two.example")[0] == "MISS"
    assert kept(cache, "/a", Host="one.example")[0] == "HIT"


def test_a_browser_that_has_it_is_told_so_by_the_cache(cache: Nginx) -> None:
    kept(cache, "/a")
    status, headers, _ = ask(cache.port, "GET", "/a", None, {"If-None-Match": '"/a False"'})
    assert (status, headers["X-Cache"]) == (304, "HIT")
    assert Stub.made == {"200": 1}


def test_what_is_old_is_given_at_once_and_asked_for_again_beside_that(cache: Nginx) -> None:
    Stub.seconds = 1
    kept(cache, "/a")
    time.sleep(2.1)
    assert kept(cache, "/a") == ("STALE", "page of /a")
    deadline = time.monotonic() + 10
    while Stub.made["304"] < 1:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert Stub.made == {"200": 1, "304": 1}, "the ETag saves making it again"


def test_many_who_ask_for_the_same_at_once_have_it_made_once(cache: Nginx) -> None:
    with ThreadPoolExecutor(30) as readers:
        found = list(readers.map(lambda _: kept(cache, "/a")[1], range(30)))
    assert set(found) == {"page of /a"}
    assert Stub.made == {"200": 1}


def test_what_is_kept_is_given_when_every_instance_is_gone(
    cache: Nginx, stub: ThreadingHTTPServer
) -> None:
    Stub.seconds = 1
    kept(cache, "/a")
    stub.shutdown()
    stub.server_close()
    time.sleep(2.1)
    assert kept(cache, "/a")[1] == "page of /a"
    assert ask(cache.port, "GET", "/b")[0] == 502


def test_steps_of_the_tutor_are_kept(pair: Pair) -> None:
    for headers in ({}, FRAGMENT):
        first = pair.get(SHELF.format(3), **headers)
        again = pair.get(SHELF.format(3), **headers)
        assert again[1]["X-Cache"] == "HIT"
        assert again[2] == first[2]
        assert again[1]["ETag"] == first[1]["ETag"]
        assert not again[1]["ETag"].startswith("W/")


def test_what_says_how_the_tutor_is_is_never_kept(pair: Pair) -> None:
    for address in ("/healthz", "/readyz", UNKNOWN):
        for _ in range(3):
            assert pair.get(address)[1]["X-Cache"] == "MISS"
