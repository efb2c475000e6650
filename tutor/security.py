"""The headers that every answer carries: no inline script or style, no framing, no other origin, no guessing of types."""

from __future__ import annotations

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}

STRICT_TRANSPORT = "max-age=31536000"


def foreign(method: str, site: str | None, origin: str | None, host: str) -> bool:
    """Whether an unsafe request comes from another site: by Sec-Fetch-Site, or, where that is absent, by Origin."""
    if method in {"GET", "HEAD", "OPTIONS"}:
        return False
    if site is not None:
        return site not in {"same-origin", "none"}
    return origin is not None and origin.split("://", 1)[-1] != host
