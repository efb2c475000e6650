"""Styles, scripts, pictures and the font, from memory: a class that opens a lesson asks for seven
of them each, and they are the same for all. Sheets that go together are one file (`TOGETHER`).

    files = StaticFiles(folder, TOGETHER)
    files.address("walk.js")        /static/walk.js?v=<fingerprint>: may be kept for good
    files.before(application)       the application behind it, for everything else, and to refuse
                                    what names no host, or two

Under its fingerprint a file never changes, so it is kept for good; under another one, as when a new
version replaces an old one machine by machine, it is not kept at all; without one it is asked for
again. The ETag is made of the content, so that all machines give the same. A file that changes on
the disk is read again.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from werkzeug.http import parse_etags

from tutor.web import security
from tutor.web.forwarding import has_one_host

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX: Final = "/static/"
KEPT: Final = "public, max-age=604800, immutable"
NOT_KEPT, ASKED_AGAIN = "no-store", "no-cache"
SMALLER: Final = ("text/", "image/svg+xml")
"""Types that are sent gzipped to who can read that."""
TOGETHER: Final = {
    "base.css": ("tokens.css", "content.css", "layout.css"),
    "step.css": ("diagram.css", "stage.css", "charts.css", "ask.css"),
    "number.css": ("diagram.css", "charts.css", "ask.css"),
    "lesson.css": ("diagram.css", "gallery.css"),
    "run.css": ("charts.css", "training.css"),
    "form.css": ("diagram.css", "charts.css", "build.css"),
    "file.css": ("diagram.css", "text.css"),
    "htmx.js": ("vendor/htmx.min.js", "vendor/hx-preload.min.js"),
    "step.js": ("whatif.js", "ask.js"),
}
"""Files that are others, one after the other: a request less for each."""
BETWEEN: Final = {".js": b"\n;\n"}
"""What stands between them, by their kind: a script may end without a sign for its end."""
Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as it is now."""

    changed: int
    fingerprint: str
    media: str
    plain: bytes
    small: bytes
    """The same gzipped; empty where that would gain nothing."""

    @classmethod
    def read(cls, paths: Sequence[Path], changed: int) -> StaticFile:
        """Read a file, or several of a kind as one, of which the last was `changed` then."""
        content = BETWEEN.get(paths[0].suffix, b"").join(path.read_bytes() for path in paths)
        media = mimetypes.guess_type(paths[0].name)[0] or "application/octet-stream"
        text = media.startswith(SMALLER)
        return cls(
            changed,
            hashlib.sha256(content).hexdigest()[:10],
            f"{media}; charset=utf-8" if media.startswith("text/") else media,
            content,
            gzip.compress(content, 9, mtime=0) if text else b"",
        )


class StaticFiles:
    """The files of a folder, and those that are several of them. Threads may share it."""

    def __init__(self, folder: Path, together: Mapping[str, tuple[str, ...]]) -> None:
        self._files: dict[str, StaticFile] = {}
        self._names = {
            path.relative_to(folder).as_posix(): (path,)
            for path in folder.rglob("*")
            if path.is_file()
        } | {name: tuple(folder / part for part in parts) for name, parts in together.items()}

    def address(self, name: str) -> str:
        """The address under which a file may be kept.

        Not by url_for: that fails where the request names no proper host, and error pages have to
        be shown even then.
        """
        file = self.find(name)
        return f"{PREFIX}{name}?v={file.fingerprint if file else '0'}"

    def find(self, name: str) -> StaticFile | None:
        """The file of a name, as it is now."""
        paths = self._names.get(name)
        if paths is None:
            return None
        try:
            changed = max(path.stat().st_mtime_ns for path in paths)
        except OSError:
            return None
        known = self._files.get(name)
        if known is None or known.changed != changed:
            known = self._files[name] = StaticFile.read(paths, changed)
        return known

    def before(self, application: WSGIApplication) -> WSGIApplication:
        """The application, asked for whatever is no file of ours."""

        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            path: str = environ.get("PATH_INFO", "")
            wanted = path.startswith(PREFIX) and environ["REQUEST_METHOD"] in {"GET", "HEAD"}
            if wanted and has_one_host(environ):
                file = self.find(posixpath.normpath(path).removeprefix(PREFIX))
                if file is not None:
                    return served(file, environ, start_response)
            return application(environ, start_response)

        return answer


def served(
    file: StaticFile, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """The answer with a file: 304 where the reader has it."""
    small = bool(file.small) and "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "")
    content, tag = (
        (file.small, f"{file.fingerprint}-gz") if small else (file.plain, file.fingerprint)
    )
    headers: Headers = [
        *security.headers(environ["PATH_INFO"]).items(),
        ("ETag", f'"{tag}"'),
        ("Cache-Control", _kept(file, environ.get("QUERY_STRING", ""))),
    ]
    if file.small:
        headers.append(("Vary", "Accept-Encoding"))
    if environ.get("wsgi.url_scheme") == "https":
        headers.append(("Strict-Transport-Security", security.STRICT_TRANSPORT))
    if parse_etags(environ.get("HTTP_IF_NONE_MATCH")).contains(tag):
        start_response("304 NOT MODIFIED", headers)
        return [b""]
    headers += [("Content-Type", file.media), ("Content-Length", str(len(content)))]
    if small:
        headers.append(("Content-Encoding", "gzip"))
    start_response("200 OK", headers)
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else content]


def _kept(file: StaticFile, query: str) -> str:
    """How long a file may be kept under its address."""
    if query == f"v={file.fingerprint}":
        return KEPT
    return NOT_KEPT if query else ASKED_AGAIN
