"""The headers that every answer carries: no inline script or style, no framing, no other origin, no guessing of types.

    headers("/lessons/x")            what every answer carries; no other site may frame it
    headers("/embed/lessons/x/…")    the same, but any site may frame it
    foreign(…)                       whether a form comes from another site
    local(…)                         whether a page is asked for on this very computer
    only_here(host)                  whether an address with this host works on this computer only
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
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

FRAMED = HEADERS | {"Content-Security-Policy": FRAMED_POLICY, "Cross-Origin-Resource-Policy": "cross-origin"}
"""For pages in a frame on another site. A host that is cross-origin isolated lets in only what says so (the resource policy)
and is isolated itself (the embedder policy, as everywhere). Styles, scripts and the font are asked for by the framed page,
so they stay same-origin. X-Frame-Options is never sent: it knows no "from everywhere", and frame-ancestors replaces it."""

STRICT_TRANSPORT = "max-age=31536000"

NO_INDEX = {"X-Robots-Tag": "noindex"}
UNLISTED = re.compile(r"/(?:lessons/saved-|lessons/[^/]+/share(?:/|$)|(?:embed|build|open)(?:/|$))")
"""What search engines leave out. Saved lessons hold what anybody wrote and are found by whoever has the address, so the
tutor does not spread them; the builder and the text page take a whole lesson in an address, without end; pages in a frame
and pages for sharing say what the lesson's own pages say."""


def headers(path: str) -> dict[str, str]:
    """The headers of an answer to a path. Everything under /embed may be framed, its error pages too: they speak to the reader there."""
    own = FRAMED if framed(path) else HEADERS
    return own | NO_INDEX if UNLISTED.match(path) else own


def framed(path: str) -> bool:
    """Whether a path is made for frames on other sites. Nothing under it changes anything."""
    return path.startswith("/embed/")


def foreign(method: str, site: str | None, origin: str | None, own: str) -> bool:
    """Whether an unsafe request comes from another site: by Sec-Fetch-Site, or, where that is absent, by Origin.

    `own` is the origin that was asked, such as https://tutor.example. An origin is a scheme, a host and a port: the same
    host by another scheme is another site, and so is `null`, which frames without an origin of their own send.
    """
    if method in {"GET", "HEAD", "OPTIONS"}:
        return False
    if site is not None:
        return site not in {"same-origin", "none"}
    return origin is not None and (_parted(origin) is None or _parted(origin) != _parted(own))


_ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<host>[^\s/?#@:\[\]]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?", re.IGNORECASE | re.ASCII)
_PORTS = {"http": 80, "https": 443}


def _parted(origin: str) -> tuple[str, str, int] | None:
    """(scheme, host, port) of an origin, however it is written; None for what is none of a web page."""
    found = _ORIGIN.fullmatch(origin)
    if found is None:
        return None
    scheme = found["scheme"].lower()
    return scheme, found["host"].lower(), int(found["port"] or _PORTS[scheme])


FORWARDED = frozenset({"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "forwarded", "via"})
"""Headers that proxies set."""
_LOCAL_HOST = re.compile(r"(?:(?:[a-z0-9-]+\.)*localhost\.?|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]{1,5})?", re.IGNORECASE | re.ASCII)


def only_here(host: str) -> bool:
    """Whether an address with this host leads every computer to itself, so that nobody else can open it."""
    return bool(_LOCAL_HOST.fullmatch(host) or _ANY_HOST.fullmatch(host))


_ANY_HOST = re.compile(r"(?:0\.0\.0\.0|\[::\])(?::[0-9]{1,5})?", re.ASCII)
"""What a server listens on; a browser on the same computer takes it for an address."""


def local(client: str | None, host: str, headers: Iterable[str]) -> bool:
    """Whether a request with these headers was made on the computer that the tutor runs on, and to it: by an author, not by a class.

    Both ends have to say so, and no proxy may have passed it on: behind one, every request comes from this computer.
    """
    try:
        own = ipaddress.ip_address(client or "").is_loopback
    except ValueError:
        return False
    return own and bool(_LOCAL_HOST.fullmatch(host)) and FORWARDED.isdisjoint(map(str.lower, headers))
