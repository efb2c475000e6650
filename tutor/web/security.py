"""The headers that every answer carries: no inline script or style, no framing, no other origin, no
guessing of types.

    headers("/lessons/x")            what every answer carries; no other site may frame it
    headers("/embed/lessons/x/…")    the same, but any site may frame it
    foreign(…)                       whether a form comes from another site
"""

from __future__ import annotations

import re

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
FRAMED_POLICY = CONTENT_SECURITY_POLICY.replace("frame-ancestors 'none'", "frame-ancestors * file:")
"""From everywhere; `file:` is for slides that are opened from a disk, which * leaves out."""

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}

FRAMED = HEADERS | {
    "Content-Security-Policy": FRAMED_POLICY,
    "Cross-Origin-Resource-Policy": "cross-origin",
}
"""For pages in a frame on another site. A host that is cross-origin isolated lets in only what says
so (the resource policy) and is isolated itself (the embedder policy, as everywhere). Styles,
scripts and the font are asked for by the framed page, so they stay same-origin. X-Frame-Options is
never sent: it knows no "from everywhere", and frame-ancestors replaces it.
"""

STRICT_TRANSPORT = "max-age=31536000"

NO_INDEX = {"X-Robots-Tag": "noindex"}
UNLISTED = re.compile(
    r"/(?:lessons/saved-|lessons/[^/]+/(?:share|training)(?:/|$)|(?:embed|build|open)(?:/|$))"
)
"""What search engines leave out. Saved lessons hold what anybody wrote and are found by whoever has
the address, so the tutor does not spread them; the builder and the text page take a whole lesson in
an address, without end; pages in a frame and pages for sharing say what the lesson's own pages say;
a training has as many pages as there are numbers.
"""


def headers(path: str) -> dict[str, str]:
    """The headers of an answer to a path. Everything under /embed may be framed, its error pages
    too: they speak to the reader there.
    """
    own = FRAMED if framed(path) else HEADERS
    return own | NO_INDEX if UNLISTED.match(path) else own


def framed(path: str) -> bool:
    """Whether a path is made for frames on other sites. Nothing under it changes anything."""
    return path.startswith("/embed/")


def foreign(method: str, site: str | None, origin: str | None, own: str) -> bool:
    """Whether an unsafe request comes from another site: by Sec-Fetch-Site, or, where that is
    absent, by Origin.

    `own` is the origin that was asked, such as https://tutor.example. An origin is a scheme, a host
    and a port: the same host by another scheme is another site, and so is `null`, which frames
    without an origin of their own send.
    """
    if method in {"GET", "HEAD", "OPTIONS"}:
        return False
    if site is not None:
        return site not in {"same-origin", "none"}
    return origin is not None and (_parted(origin) is None or _parted(origin) != _parted(own))


_ORIGIN = re.compile(
    r"(?P<scheme>https?)://(?P<host>[^\s/?#@:\[\]]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?",
    re.IGNORECASE | re.ASCII,
)
_PORTS = {"http": 80, "https": 443}


def _parted(origin: str) -> tuple[str, str, int] | None:
    """(scheme, host, port) of an origin, however it is written; None if it is no web page's."""
    found = _ORIGIN.fullmatch(origin)
    if found is None:
        return None
    scheme = found["scheme"].lower()
    return scheme, found["host"].lower(), int(found["port"] or _PORTS[scheme])
