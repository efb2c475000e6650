"""What caches may keep: an answer to a GET depends on its address, on the lesson and on the version
of the tutor, and on nothing else.

    caching = Caching.of(environment, home)
    caching.tag(request, lesson, shelf, …)     the ETag of the answer, before it is made
    caching.control(request)                   its Cache-Control

The ETag is made of all that the answer depends on, so it is the same on all machines of the same
version, and who has the answer is told so (304) without it being made again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tutor import limits
from tutor.errors import SettingError
from tutor.store.saving import whole

if TYPE_CHECKING:
    from flask import Request

SECONDS: Final = 60
"""How long a cache that others share gives an answer without asking."""
LATER: Final = 600
"""How long after that it may give it while it asks."""
MOST_SECONDS: Final = 30 * 24 * 3600
PARTS: Final = ("HX-Request", "HX-Request-Type", "HX-History-Restore-Request")
"""The headers that tell a fragment from a page."""
ALONE: Final = frozenset({
    "activations", "glossary_page", "style",
    "slides", "step", "chain", "paths", "paper", "jacobians", "both_routes", "layer_graph",
    "accumulation", "export_choices", "framed_step",
    "training", "training_moment", "quantities", "quantity", "gradient_check",
})  # fmt: skip
"""Pages that depend on nothing else than their lesson, if on that."""
AMONG: Final = frozenset({"gallery", "lesson", "scenario_file"})
"""Pages that speak of other lessons too."""
LINKING: Final = frozenset({"share", "download", "scenario_schema"})
"""Answers in which the tutor's own address stands."""
KEPT: Final = ALONE | AMONG | LINKING
OPENED: Final = frozenset({"lesson", "step", "framed_step"})
"""Pages that a whole class opens in the same minute."""


def may_keep(request: Request) -> bool:
    """Whether the answer to a request depends on nothing but what its tag is made of."""
    return request.method in {"GET", "HEAD"} and request.endpoint in KEPT


@dataclass(frozen=True, slots=True)
class Caching:
    """How this tutor's answers may be kept."""

    version: str
    """Changes with the program and its settings."""
    seconds: int = SECONDS
    public: str = ""
    """The tutor's own address, such as https://tutor.example; "" for the one that was asked."""

    @classmethod
    def of(cls, settings: Mapping[str, str], home: Path) -> Caching:
        """From the settings CACHE_SECONDS and PUBLIC_URL. Raises SettingError."""
        public = settings.get("PUBLIC_URL", "").strip().rstrip("/")
        more = ", and 0 is for no cache but the reader's own"
        seconds = whole(settings, "CACHE_SECONDS", SECONDS, MOST_SECONDS, more, least=0)
        return cls(version(home, (settings.get("SAVING", ""), public)), seconds, _origin(public))

    def here(self, request: Request) -> str:
        """Where the tutor is, as its links say."""
        return self.public or f"{request.scheme}://{request.host}"

    def tag(self, request: Request, lesson: str, shelf: str, *others: str) -> str:
        """The ETag of the answer to a request that may be kept. `lesson` and `shelf` are marks of
        their contents; `others` is what else it depends on.
        """
        endpoint = request.endpoint
        parts = [
            self.version,
            request.path,
            request.query_string.decode("latin-1"),
            lesson,
            shelf if endpoint in AMONG else "",
            self.here(request) if endpoint in LINKING else "",
            *others,
        ]
        return _hash(part.encode("utf-8", "surrogateescape") for part in parts)

    def control(self, request: Request) -> str:
        """How an answer with a tag may be kept."""
        linking = request.endpoint in LINKING and not self.public
        if linking or not self.seconds:
            return "no-cache"
        return f"public, max-age=0, s-maxage={self.seconds}, stale-while-revalidate={LATER}"


def version(home: Path, settings: Iterable[str]) -> str:
    """A mark of the program as it is on this machine, and of what it was told."""
    told = [str(getattr(limits, name.removeprefix(limits.PREFIX))) for name in limits.NAMES]
    return _hash(part.encode() for part in (_program(home), *told, *settings))


@cache
def _program(home: Path) -> str:
    files = [home / "app.py"] + [
        path
        for folder in ("tutor", "templates", "static")
        for path in sorted((home / folder).rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
    ]
    return _hash(path.read_bytes() for path in files)


def _hash(parts: Iterable[bytes]) -> str:
    made = hashlib.sha256()
    for part in parts:
        made.update(b"%d:" % len(part))
        made.update(part)
    return made.hexdigest()[:20]


_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)


def _origin(text: str) -> str:
    """A setting that is the beginning of all addresses: scheme, host and port."""
    if not text or _ORIGIN.fullmatch(text):
        return text
    raise SettingError(
        f"PUBLIC_URL is {text[:80]!r}; expected the tutor’s own address without a path, "
        "such as https://tutor.example"
    )
