"""The least that a swap can cost: `python -m tests.benchmarks.bare_page` serves a page without
styles and libraries.

A click fetches the fragment that came in on stdin and puts it into the page; the address goes out
on stdout.
"""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = b"""<!doctype html><meta charset="utf-8"><title>Bare</title><link rel="icon" href="data:,">
<button id="go">Next</button><div id="step"></div>
<script>let n = 0; go.onclick = async () => {
    const text = await (await fetch('/fragment?' + ++n)).text();
    step.innerHTML = text;
    step.dataset.n = n;
};</script>"""


class Bare(BaseHTTPRequestHandler):
    """Two answers: the page, and the fragment."""

    protocol_version = "HTTP/1.1"
    fragment = b""

    def do_GET(self) -> None:
        body = self.fragment if self.path.startswith("/fragment") else PAGE
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        # for clocks as fine as the tutor's own pages have
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  (the base class names it so)
        pass


if __name__ == "__main__":
    Bare.fragment = sys.stdin.buffer.read()
    with ThreadingHTTPServer(("127.0.0.1", 0), Bare) as server:
        print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
        server.serve_forever()
