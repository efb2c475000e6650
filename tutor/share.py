"""What a lesson is passed on with: links, a QR code for the projector, a frame for a course page, the file.

    share_page(context, "https://tutor.example", request.args) -> SharePage

Links are absolute and short: what a lesson shows anyway is left out, and so is the presentation, which is for the room.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tutor import changes, qr, security
from tutor.context import Context
from tutor.markup import Markup, attribute, trusted
from tutor.view import Ignored, View, whole

STEP = frozenset({"step"})
"""What the address of the page has beside the view: the step that is shared with the lesson."""
LONGEST_LINK = 2_000
"""Letters of a link that mail programs, course pages and proxies still carry whole."""
DENSE = 57
"""Modules in a row (version 10, some 210 letters) beyond which a code is hard to scan from the last row of a room."""
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
    """Links, QR code, frame and file of a lesson under a view; and of one step of it, where the address names one."""

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
    """Where the lesson, as it is shown, can be saved under a short address; "" where that is short and has no changes."""
    only_here: str
    """Why nobody else can open the links, and what to do; "" where others can."""
    notices: tuple[str, ...]


def share_page(context: Context, host: str, query: Mapping[str, str], notices: tuple[str, ...] = ()) -> SharePage:
    """The page for a request to `host` ("https://tutor.example")."""
    ignored: list[Ignored] = []
    step = whole(query, "step", 1, len(context.walk), None, ignored)
    told, changed = (*notices, *map(str, ignored)), changes.told(context.lesson.changes)
    scenario, view = context.source, replace(context.view, present=False)
    only_here = _only_here(host.partition("://")[2])
    links, what = _links(view, host, scenario.id, step, bool(only_here)), "this lesson" if step is None else f"step {step}"
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


def _links(view: View, host: str, lesson: str, step: int | None, only_here: bool) -> tuple[SharedLink, ...]:
    """The link to the lesson, and that to the step where there is one."""

    def link(id_: str, label: str, address: str) -> SharedLink:
        too_long = _too_long(address)
        notes = (["only-here"] if only_here else []) + ([f"{id_}-long"] if too_long else [])
        return SharedLink(id_, label, address, too_long, " ".join(notes))

    lesson_link = link("link-lesson", "Link to this lesson", host + view.address(lesson))
    if step is None:
        return (lesson_link,)
    return lesson_link, link("link-step", f"Link to step {step}, as you see it", host + view.address(lesson, step))


def _too_long(address: str) -> str:
    """Why a link should not be sent as it is, or ""."""
    fits = len(address) <= LONGEST_LINK
    return "" if fits else f"This link has {len(address):,} letters; many programs cut links after {LONGEST_LINK:,}."


def _only_here(host: str) -> str:
    """What is said of links that nobody else can open, or ""."""
    if not security.only_here(host):
        return ""
    return (
        f"These links work on this computer only, because {host} always means the computer that it is opened on. To let others in, "
        "start the tutor with make run HOST=0.0.0.0 and open this page by your computer’s name or number in the network, such as "
        "http://192.168.1.20:8000. If the tutor has a public address, share from there. More is in docs/deploy.md."
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
    code = qr.drawn(address, title)
    far = "" if code.modules <= DENSE else "This link is long, so its code has small squares and is hard to scan from the last row."
    return code.picture, far
