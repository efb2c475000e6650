"""What a lesson is passed on with: links, a QR code for the projector, a frame for a course page,
the file.

    share_page(context, "https://tutor.example", request.args) -> SharePage

Links are absolute and short: what a lesson shows anyway is left out, and so is the presentation,
which is for the room.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby

import segno

from tutor.lesson import changes
from tutor.notation.markup import Markup, attribute, trusted
from tutor.pages.context import AnyContext
from tutor.pages.view import Ignored, View, whole

STEP = frozenset({"step"})
"""What the address of the page has beside the view: the step that is shared with the lesson."""
LONGEST_LINK = 2_000
"""Letters of a link that mail programs, course pages and proxies still carry whole."""
DENSE = 57
"""Modules in a row (version 10, some 210 letters) beyond which a code is hard to scan from the last
row of a room.
"""
FRAME_HEIGHT = 640


@dataclass(frozen=True, slots=True)
class SharedLink:
    """An address to copy. `too_long` says why it should not be sent as it is, or ""."""

    id: str
    label: str
    address: str
    too_long: str
    notes: str
    """The ids of what is said about it on the page."""


@dataclass(frozen=True, slots=True)
class SharePage:
    """Links, QR code, frame and file of a lesson under a view; and of one step of it, where the
    address names one.
    """

    title: str
    what: str
    """What the code and the frame lead to: "this lesson" or "step 7"."""
    back: str
    """The page one came from: the step, or the lesson."""
    links: tuple[SharedLink, ...]
    shared: str
    """The address behind the QR code."""
    picture: Markup
    """The QR code; empty where the address is too long for one."""
    dense: str
    """What to do where the code is hard to scan from afar, or ""."""
    projector: str
    """The address of the code alone, large."""
    leave: str
    """The way back from there."""
    snippet: str
    """The frame as text, to be pasted into the HTML of a course page."""
    frame: str
    """The address that the frame shows."""
    file: str
    save: str
    """Where the lesson, as it is shown, can be saved under a short address; "" where that is short
    and has no changes.
    """
    only_here: str
    """Why nobody else can open the links, and what to do; "" where others can."""
    notices: tuple[str, ...]


def share_page(
    context: AnyContext, host: str, query: Mapping[str, str], notices: tuple[str, ...] = ()
) -> SharePage:
    """The page for a request to `host` ("https://tutor.example")."""
    ignored: list[Ignored] = []
    step = whole(query, "step", 1, len(context.walk), None, ignored)
    told, changed = (*notices, *map(str, ignored)), changes.told(context.lesson.changes)
    scenario, view = context.source, replace(context.view, present=False)
    only_here = _only_here(host.partition("://")[2])
    links, what = (
        _links(view, host, scenario.id, step, bool(only_here)),
        "this lesson" if step is None else f"step {step}",
    )
    shared = links[-1].address
    frame = replace(view, embedded=True).address(scenario.id, step or 1)
    picture, dense = _code(shared, f"QR code of {what}")
    too_long = dense or any(link.too_long for link in links)
    return SharePage(
        title=scenario.title, what=what, back=view.address(scenario.id, step), links=links,
        shared=shared, picture=picture, dense=dense,
        projector=view.share(scenario.id, step, large=True), leave=view.share(scenario.id, step),
        snippet=snippet(host + frame, scenario.title), frame=frame, file=view.file(scenario.id),
        save=view.edit(scenario.id) if too_long or view.changes else "", only_here=only_here,
        notices=(*told[:5], *((changed,) if changed else ())),
    )  # fmt: skip


def _links(
    view: View, host: str, lesson: str, step: int | None, only_here: bool
) -> tuple[SharedLink, ...]:
    """The link to the lesson, and that to the step where there is one."""

    def link(id_: str, label: str, address: str) -> SharedLink:
        too_long = _too_long(address)
        notes = (["only-here"] if only_here else []) + ([f"{id_}-long"] if too_long else [])
        return SharedLink(id_, label, address, too_long, " ".join(notes))

    lesson_link = link("link-lesson", "Link to this lesson", host + view.address(lesson))
    if step is None:
        return (lesson_link,)
    return lesson_link, link(
        "link-step", f"Link to step {step}, as you see it", host + view.address(lesson, step)
    )


def _too_long(address: str) -> str:
    """Why a link should not be sent as it is, or ""."""
    letters = len(address)
    if letters <= LONGEST_LINK:
        return ""
    return f"This link has {letters:,} characters; many programs cut links after {LONGEST_LINK:,}."


def _only_here(host: str) -> str:
    """What is said of links that nobody else can open, or ""."""
    if not only_here(host):
        return ""
    return (
        f"These links work on this computer only, because {host} always means the computer "
        "you are on. To let others in, start the tutor with make run HOST=0.0.0.0 "
        "and open this page under your computer’s name or number in the network, "
        "such as http://192.168.1.20:8000. If the tutor has a public address, share from there. "
        "docs/deploy.md says more."
    )


def snippet(address: str, title: str) -> str:
    """A frame as a course page takes it. The title is what a screen reader says of the frame."""
    return (
        f'<iframe src="{attribute(address)}" title="{attribute(title)} (Backprop Tutor)" '
        f'width="100%" height="{FRAME_HEIGHT}" loading="lazy"></iframe>'
    )


def _code(address: str, title: str) -> tuple[Markup, str]:
    """(the QR code, what to do where it is dense or where there is none)."""
    if len(address) > LONGEST_LINK:
        return trusted(""), "This link is too long for a QR code."
    code = drawn(address, title)
    far = "This link is long, so its code has small squares and is hard to scan from the last row."
    return code.picture, "" if code.modules <= DENSE else far


# ---- A text as a QR code: an SVG of one path, dark on white whatever the colours of the page
# around it ----
#     drawn("https://…", "QR code of this step") -> QrCode
#
# `segno` finds the modules; we draw them ourselves, so that the picture brings no style of its own.
# Error level M: a code of which a seventh is covered, blurred or in glaring light is still read; a
# level that costs no more room is taken.


QUIET = 4
"""Modules of white around the code, as the standard wants; on a dark page it is not found without.
"""


@dataclass(frozen=True, slots=True)
class QrCode:
    """The picture, and how many modules stand in a row of the code: the more, the nearer one has to
    be to scan it.
    """

    picture: Markup
    modules: int


def drawn(text: str, title: str) -> QrCode:
    """The code of a text of at most 2,331 bytes, which is what the largest one of level M holds."""
    rows = qr_matrix(text)
    size = len(rows) + 2 * QUIET
    picture = trusted(
        f'<svg class="qr" viewBox="0 0 {size} {size}" role="img" aria-label="{attribute(title)}" '
        'shape-rendering="crispEdges">'
        f'<rect width="{size}" height="{size}" fill="#fff"/>'
        f'<path fill="#000" d="{"".join(_bars(rows))}"/></svg>'
    )
    return QrCode(picture, len(rows))


def qr_matrix(text: str) -> tuple[bytes, ...]:
    """The modules of a text, row by row: 1 is dark."""
    return tuple(map(bytes, segno.make_qr(text, error="m").matrix))


def _bars(rows: tuple[bytes, ...]) -> Iterator[str]:
    """A bar for each run of dark modules in a row: as few as there can be without looking across
    rows.
    """
    for y, row in enumerate(rows, QUIET):
        x = QUIET
        for dark, run in groupby(row):
            length = len(list(run))
            if dark:
                yield f"M{x} {y}h{length}v1h-{length}z"
            x += length


# ---- Whether an address works on this computer only ----


FORWARDED = frozenset(
    {"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "forwarded", "via"}
)


"""Headers that proxies set."""


_LOCAL_HOST = re.compile(
    r"(?:(?:[a-z0-9-]+\.)*localhost\.?|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]{1,5})?",
    re.IGNORECASE | re.ASCII,
)


def only_here(host: str) -> bool:
    """Whether an address with this host leads every computer to itself, so that nobody else can
    open it.
    """
    return bool(_LOCAL_HOST.fullmatch(host) or _ANY_HOST.fullmatch(host))


_ANY_HOST = re.compile(r"(?:0\.0\.0\.0|\[::\])(?::[0-9]{1,5})?", re.ASCII)


"""What a server listens on; a browser on the same computer takes it for an address."""


def local(client: str | None, host: str, headers: Iterable[str]) -> bool:
    """Whether a request with these headers was made on the computer that the tutor runs on, and to
    it: by an author, not by a class.

    Both ends have to say so, and no proxy may have passed it on: behind one, every request comes
    from this computer.
    """
    try:
        own = ipaddress.ip_address(client or "").is_loopback
    except ValueError:
        return False
    return (
        own and bool(_LOCAL_HOST.fullmatch(host)) and FORWARDED.isdisjoint(map(str.lower, headers))
    )
