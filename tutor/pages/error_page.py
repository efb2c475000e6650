"""Error pages: what went wrong, in words, and where one may go."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from werkzeug.exceptions import (
    BadRequest,
    HTTPException,
    NotFound,
    ServiceUnavailable,
    TooManyRequests,
    UnprocessableEntity,
)

from tutor import limits
from tutor.pages.outline import Link


class Explained(HTTPException):
    """An error whose description is written for the reader; other descriptions are replaced by our
    own.
    """


class Missing(Explained, NotFound):
    """404 with the reason."""


class Unreadable(Explained, BadRequest):
    """400 with the reason, or with a sentence and all the reasons."""

    def __init__(self, description: str, problems: Iterable[str] = ()) -> None:
        super().__init__(description)
        self.problems = tuple(problems)


class TooMuch(Explained, UnprocessableEntity):
    """422: it costs more than one request may."""


class Busy(Explained, ServiceUnavailable):
    """503, for a few seconds."""


class TooOften(Explained, TooManyRequests):
    """429, for the rest of a minute."""


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """What went wrong, in words, and where one may go."""

    status: int
    title: str
    message: str
    problems: tuple[str, ...]
    """All that is wrong, where it is more than the message says."""
    links: tuple[Link, ...]
    framed: bool
    """Whether it stands in a frame on another site; then its links open a new tab."""


NO_LESSON = "There is no lesson"

TITLES = {
    400: "This request cannot be read",
    403: "This request came from another site",
    404: "There is nothing here",
    405: "This page cannot do that",
    413: "That is too large",
    415: "That kind of content cannot be read",
    422: "Something does not fit",
    429: "That was too much at once",
    500: "Something went wrong on our side",
    503: "This is not available right now",
}
MESSAGES = {
    400: "The browser sent something that is not a proper request. "
         "Going back and trying again usually helps.",
    403: "Changes are accepted only from the tutor’s own pages.",
    404: "No page has this address. It may be mistyped, or the lesson may have been removed.",
    405: "This page can only be read; the request asked for something else.",
    413: f"The request is larger than the limit of {limits.amount(limits.REQUEST_BYTES)}.",
    415: "The tutor cannot read this kind of content.",
    422: "The tutor understood the request, but its parts do not fit together.",
    429: "Please wait a moment and try again.",
    500: "It is not your fault, and nothing of yours is lost. Trying again may help; "
         "if not, the lesson’s other steps still work.",
    503: "Please try again in a minute.",
}  # fmt: skip


MOST_PROBLEMS = 50


def error_page(
    status: int,
    description: str | None,
    lesson: str,
    problems: tuple[str, ...] = (),
    near: tuple[Link, ...] = (),
    *,
    framed: bool = False,
) -> ErrorPage:
    """The page of a status: with `description` and `problems` where they were written for the
    reader, and the way back.

    `lesson` is the address of the lesson that the request was about, or ""; `near` leads to what
    was probably meant.
    """
    title = TITLES.get(status, "This did not work")
    message = description or MESSAGES.get(status, "Please go back and try again.")
    links = [*near, Link("All lectures and lessons", "/")]
    if lesson and not message.startswith(NO_LESSON):
        links.insert(len(near), Link("Back to the lesson", lesson))
    return ErrorPage(status, title, message, problems[:MOST_PROBLEMS], tuple(links), framed)
