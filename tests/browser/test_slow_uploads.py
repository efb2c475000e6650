"""Forms that never arrive, and forms that never end, on the real server: everybody else is served
as before.
"""

import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

from tests.browser.conftest import Server

HALF_SENT = 200
HEAD = "POST /open HTTP/1.1\r\nHost: {}\r\nContent-Type: multipart/form-data; boundary=b\r\n"
PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.yaml"\r\n\r\n'


@contextmanager
def half_sent(server: Server, many: int) -> Iterator[None]:
    """So many forms of which only the beginning has come."""
    where = urlsplit(server.url)
    with ExitStack() as stack:
        for _ in range(many):
            line = stack.enter_context(
                socket.create_connection((where.hostname or "", where.port or 0))
            )
            line.sendall(
                f"{HEAD.format(where.netloc)}Content-Length: 20000\r\n\r\n".encode() + PART
            )
        yield


def asked(server: Server, path: str, data: bytes | None = None) -> tuple[int, float]:
    """(status, seconds)"""
    began = time.monotonic()
    try:
        with urllib.request.urlopen(server.url + path, data, timeout=20) as answer:  # noqa: S310  (our own server)
            status = answer.status
    except urllib.error.HTTPError as error:
        status = error.code
        error.close()
    return status, time.monotonic() - began


def test_twenty_half_sent_forms_delay_nobody(server: Server) -> None:
    with half_sent(server, 20):
        time.sleep(0.3)
        for path, data, status in [
            ("/", None, 200),
            ("/lessons/perceptron-step/steps/2", None, 200),
            ("/open", b"text=x", 422),
        ] * 3:
            found, seconds = asked(server, path, data)
            assert found == status
            assert seconds < 1


def test_hundreds_of_half_sent_forms_delay_no_reader_and_are_forgotten_when_they_go(
    server: Server,
) -> None:
    with half_sent(server, HALF_SENT):
        time.sleep(2)
        for _ in range(5):
            found, seconds = asked(server, "/lessons/perceptron-step/steps/2")
            assert found == 200
            assert seconds < 1
        found, seconds = asked(server, "/open", b"text=x")
        assert found in {422, 503}
        assert seconds < 5
    time.sleep(0.5)
    assert asked(server, "/open", b"text=x")[0] == 422


def sent(server: Server, head: str, pieces: Iterator[bytes]) -> tuple[str, int]:
    """(first line of the answer, bytes that the server took)"""
    where = urlsplit(server.url)
    taken = 0
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=20) as line:
        line.sendall((HEAD.format(where.netloc) + head + "\r\n\r\n").encode())
        try:
            for piece in pieces:
                line.sendall(piece)
                taken += len(piece)
        except OSError:
            pass  # the server has hung up; its answer is there all the same
        return line.recv(65536).decode("latin-1").partition("\r\n")[0], taken


def pieces(megabytes: int, *, chunked: bool) -> Iterator[bytes]:
    for n in range(megabytes * 16):
        piece = (PART if n == 0 else b"").ljust(65536, b"x")
        yield b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece


def test_an_upload_of_100_megabytes_is_refused_early(server: Server) -> None:
    for head, chunked in (
        ("Content-Length: 104857600", False),
        ("Transfer-Encoding: chunked", True),
    ):
        status, taken = sent(server, head, pieces(100, chunked=chunked))
        assert "413" in status
        assert taken < 40 * 1024 * 1024


def test_a_photograph_picked_by_mistake_is_taken_to_its_end_so_that_the_page_can_be_read(
    server: Server,
) -> None:
    status, taken = sent(server, f"Content-Length: {8 * 1024 * 1024}", pieces(8, chunked=False))
    assert "413" in status
    assert taken == 8 * 1024 * 1024
