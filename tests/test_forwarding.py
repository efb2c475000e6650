"""Proxies in front are believed as far as the settings say, and a request names the host that it
asks, once.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from flask import Flask, request

from app import STATIC, create_app
from tests import visiting
from tests.serving import Tutor
from tutor.errors import SettingError
from tutor.web.forwarding import has_one_host, trusted_proxies

# ---- BEHIND_PROXY ----


@pytest.mark.parametrize(
    ("told", "trusted"),
    [
        (None, 0), ("", 0), (" ", 0), ("0", 0), ("no", 0), ("No", 0), ("false", 0), ("off", 0),
        ("1", 1), ("yes", 1), ("TRUE", 1), ("on", 1), ("2", 2), (" 3 ", 3), ("9", 9),
    ],
)  # fmt: skip
def test_the_setting_says_how_many_proxies_are_believed(told: str | None, trusted: int) -> None:
    assert trusted_proxies({} if told is None else {"BEHIND_PROXY": told}) == trusted


@pytest.mark.parametrize("told", ["-1", "10", "1.5", "maybe", "²", "nginx", "0x1", "1 2"])
def test_a_setting_that_makes_no_sense_is_refused_in_words(
    told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEHIND_PROXY", told)
    with pytest.raises(SettingError, match=r"BEHIND_PROXY is .* it is the number of proxies"):
        create_app()


def asked(app: Flask, forwarded: str) -> tuple[str, str]:
    """(address of the reader, scheme) as the app sees them."""
    seen: list[tuple[str, str]] = []
    app.before_request(lambda: seen.append((request.remote_addr or "", request.scheme)))
    headers = {"X-Forwarded-For": forwarded, "X-Forwarded-Proto": "https"}
    assert app.test_client().get("/healthz", headers=headers).status_code == 200
    return seen[0]


@pytest.mark.parametrize(
    ("told", "address", "scheme"),
    [
        ("0", "127.0.0.1", "http"),
        ("no", "127.0.0.1", "http"),
        ("1", "192.0.2.3", "https"),
        ("2", "192.0.2.2", "https"),
        ("3", "192.0.2.1", "https"),
    ],
)
def test_as_many_addresses_are_believed_as_there_are_proxies(
    told: str, address: str, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEHIND_PROXY", told)
    assert asked(create_app(), "192.0.2.1, 192.0.2.2, 192.0.2.3") == (address, scheme)


# ---- Host ----

GOOD = ["tutor.example", "localhost:8000", "127.0.0.1", "[::1]:8000", "bücher.example"]
BAD = ["", " ", "a.example,b.example", "a.example, b.example", "a.example b.example",
       "a.example:port", "a.example:8000:1", "http://a.example", "a.example/x", "me@a.example", "[::1"]  # fmt: skip


@pytest.mark.parametrize("host", GOOD)
def test_a_host_is_a_host(host: str) -> None:
    assert has_one_host({"HTTP_HOST": host})


PATHS = ["/", "/static/walk.js", STATIC.address("walk.js"), "/static/none.js", "/healthz"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("host", BAD)
def test_what_is_no_host_or_more_than_one_is_refused_with_our_page(host: str, path: str) -> None:
    answer = visiting.tutor().test_client().get(path, headers={"Host": host})
    assert answer.status_code == 400
    assert "This request cannot be read" in answer.text
    assert answer.headers["Cache-Control"] == "no-cache"


def test_a_request_without_a_host_is_refused() -> None:
    def without_host(environ: dict[str, object], start: object) -> object:
        environ.pop("HTTP_HOST")
        return app(environ, start)  # type: ignore[arg-type]

    whole = create_app()
    app, whole.wsgi_app = whole.wsgi_app, without_host  # type: ignore[method-assign,assignment]
    assert whole.test_client().get("/healthz").status_code == 400
    assert not has_one_host({})


@pytest.fixture(scope="module")
def tutor() -> Iterator[Tutor]:
    with Tutor() as running:
        yield running


@pytest.mark.parametrize("path", ["/", STATIC.address("walk.js")])
@pytest.mark.parametrize(
    ("hosts", "status"),
    [
        (["tutor.example"], 200),
        ([], 400),
        ([""], 400),
        (["a.example", "b.example"], 400),
        (["a.example", "a.example"], 400),
        (["a.example, b.example"], 400),
    ],
)
def test_the_server_refuses_a_request_without_or_with_two_hosts(
    hosts: list[str], status: int, path: str, tutor: Tutor
) -> None:
    lines = [
        f"GET {path} HTTP/1.1",
        *(f"Host: {host}" for host in hosts),
        "Connection: close",
        "",
        "",
    ]
    with socket.create_connection(("127.0.0.1", tutor.port), timeout=10) as line:
        line.sendall("\r\n".join(lines).encode())
        answered = line.makefile("rb").readline()
    assert answered.split()[1] == str(status).encode()
