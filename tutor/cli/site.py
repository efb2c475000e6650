"""`python -m tutor site`: the lessons as a folder of files that any static host serves.

The tutor itself is asked for every page, as a reader's browser would ask it, from the front page
on; what it links to is asked for next. So the files say what the running tutor says. They are
written one by one, so that memory does not grow with their number, and the same lessons always give
the same bytes.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from tutor import suggestion
from tutor.catalogue import shelf
from tutor.cli import site_paths
from tutor.cli.export import bounded, started
from tutor.cli.site_folder import Folder, open_folder
from tutor.cli.site_page import POLICY, Place, static_page
from tutor.errors import TutorError
from tutor.export import registry
from tutor.export.registry import ExportOrder
from tutor.lesson.opening import length
from tutor.lesson.running import usual
from tutor.number import counted
from tutor.pages.view import View
from tutor.scenario.reader import AnyScenario

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.test import TestResponse

FAILED: Final = 2
MOST_STEPS: Final = 5_000
EPILOG: Final = """\
The pages work under any address, also opened from the disk. What needs the tutor running, such as \
changing numbers, is left out, and the pages say so. A DIR of an earlier run is made again in place.
"""


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `site`."""
    command.epilog = EPILOG
    command.add_argument(
        "lessons",
        metavar="LESSON",
        nargs="*",
        help="ids as `list` prints them; default: all lessons of the gallery",
    )
    command.add_argument(
        "--out",
        metavar="DIR",
        required=True,
        type=Path,
        help="a folder that is new, empty, or from an earlier run",
    )
    command.add_argument(
        "--public-url",
        metavar="URL",
        type=public_url,
        help="where the folder will be served, such as https://host.example/course/tutor: pages "
        "and files then name it, and 404.html works everywhere below it",
    )
    command.add_argument(
        "--most-steps",
        metavar="N",
        type=bounded(1, 10**7),
        default=MOST_STEPS,
        help=f"refuse lessons with more steps, for each is a page; default: {MOST_STEPS}",
    )


def public_url(text: str) -> str:
    """The address of a folder on a host, without a slash at its end."""
    parts = urlsplit(text)
    sound = parts.scheme in {"http", "https"} and parts.hostname and text.isascii()
    if not sound or parts.query or parts.fragment or any(c.isspace() for c in text):
        raise argparse.ArgumentTypeError(
            f"{text[:80]!r} is not the address of a folder, such as https://host.example/course"
        )
    return text.rstrip("/")


def site(wanted: argparse.Namespace) -> int:
    """Make the site and print the path of its front page; how far it is, and what is wrong, on
    stderr.
    """
    try:
        lessons = chosen(wanted.lessons)
        if not wanted.lessons:
            lessons = without_endless(lessons, wanted.most_steps)
        refuse_endless(lessons, wanted.most_steps)
        with open_folder(wanted.out) as folder:
            SiteMaker(folder, lessons, wanted.public_url or "").make()
    except TutorError as error:
        say(str(error))
        return FAILED
    except OSError as error:
        say(f"{error.filename or wanted.out}: cannot be written: {error.strerror}")
        return FAILED
    size = f"{folder.size / 2**20:,.1f} MB"
    say(f"{counted(len(lessons), 'lesson')}, {counted(len(folder.made), 'file')}, {size}")
    sys.stdout.write(f"{wanted.out / 'index.html'}\n")
    return 0


def chosen(ids: Sequence[str]) -> tuple[AnyScenario, ...]:
    """The lessons of these ids, or all of the gallery. Raises TutorError with all problems."""
    found = shelf.open_shelf(shelf.configured())
    known = {lesson.id: lesson for lesson in found.lessons}
    problems = [unknown(id_, tuple(known)) for id_ in dict.fromkeys(ids) if id_ not in known]
    if problems or not ids:
        problems += [str(problem) for file in found.broken for problem in file.problems]
    hidden = {lesson.id for lesson in found.hidden}
    wanted = set(ids) if ids else known.keys() - hidden
    if not (problems or wanted):
        problems = ["there is no lesson; SCENARIOS and SHELF name the folders of the lessons"]
    if problems:
        raise TutorError("\n".join(problems))
    return tuple(lesson for id_, lesson in known.items() if id_ in wanted)


def refuse_endless(lessons: Sequence[AnyScenario], most: int) -> None:
    """Raise TutorError where a lesson has more steps than anybody wants files."""
    problems = [
        f"{lesson.id} has {found}, more than {most:,}, and each would be a page; name the lessons "
        "that you want, or allow more with --most-steps"
        for lesson in lessons
        if (found := length(lesson)) and found.steps > most
    ]
    if problems:
        raise TutorError("\n".join(problems))


def without_endless(lessons: tuple[AnyScenario, ...], most: int) -> tuple[AnyScenario, ...]:
    """The lessons that are not too long, with a word on each that is; all where none is left."""
    long = {
        lesson.id: found for lesson in lessons if (found := length(lesson)) and found.steps > most
    }
    if len(long) == len(lessons):
        return lessons
    for id_, found in long.items():
        say(f"left out: {id_} has {found}, more than {most:,}; --most-steps allows more")
    return tuple(lesson for lesson in lessons if lesson.id not in long)


def unknown(id_: str, known: Sequence[str]) -> str:
    """What is said of a lesson that there is not."""
    close = suggestion.meant(id_, known)
    meant = f"did you mean {close}? " if close else ""
    return f"there is no lesson {id_[:80]!r}; {meant}python -m tutor list names them"


@dataclass(slots=True)
class SiteMaker:
    """Asks the tutor for its pages and writes them into a folder."""

    folder: Folder
    lessons: tuple[AnyScenario, ...]
    public: str
    app: Flask = field(init=False)
    seen: set[str] = field(default_factory=set)
    """The files that are written or waiting."""
    waiting: dict[str, deque[str]] = field(default_factory=dict)
    """Addresses to ask for, by lesson, so that no lesson has to be opened twice."""
    files: dict[tuple[str, str], str] = field(default_factory=dict)
    """The exported file of a lesson and a kind."""

    def __post_init__(self) -> None:
        # with Flask and the store, which take longer to load than other commands to run
        from app import create_app

        self.app = create_app(only={lesson.id for lesson in self.lessons})

    @property
    def library(self) -> Any:
        """The lessons, as the app opens them."""
        return self.app.extensions["tutor"].library

    def make(self) -> None:
        """Write all files."""
        for address in (site_paths.FRONT, "/activations", "/glossary"):
            self.wait(address)
        self.drain("")
        for lesson in self.lessons:
            self.export(lesson)
            self.wait(site_paths.lesson_address(lesson.id))
            # no page leads to the steps without those that scale the inputs; links may
            self.wait(View().address(lesson.id, 1))
            self.drain(lesson.id)
            self.library.clear()
        assert not any(self.waiting.values())
        self.write_missing()
        self.write_static()
        for lesson in self.library.shelf.hidden:
            address = site_paths.lesson_address(lesson.id)
            say(f"{lesson.id} is hidden in its course, so only who knows {address}.html finds it")

    def drain(self, lesson: str) -> None:
        """Write what waits of a lesson, and say how much it was."""
        count: Counter[str] = Counter()
        while self.waiting.get(lesson):
            address = self.waiting[lesson].popleft()
            self.page(address)
            count["steps" if "/steps/" in address else "others"] += 1
        steps = f"{counted(count['steps'], 'page')} of steps, " if lesson else ""
        say(f"{lesson or 'front page'}: {steps}{counted(count['others'], 'other page')}")

    def wait(self, address: str) -> str | None:
        """The file of an address, to be written in time; None where there is none."""
        path, lesson = site_paths.path(address), site_paths.lesson_of(address)
        kind = site_paths.export_kind(address)
        if path is None or (kind and (lesson, kind) not in self.files):
            return None
        if lesson and self.library.shelf.find(lesson) is None:
            return None
        if path not in self.seen:
            self.seen.add(path)
            if not path.startswith(f"{site_paths.STATIC}/"):
                self.waiting.setdefault(lesson, deque()).append(address)
        return path

    # ---- pages ----

    def page(self, address: str) -> None:
        """Ask for a page and write it. Raises TutorError where the tutor does not give it."""
        answer = self.ask(address)
        if answer.status_code != 200:
            raise TutorError(f"{address} cannot be made: the tutor answers {answer.status}")
        path = site_paths.path(address) or ""

        def target(other: str) -> str | None:
            there = self.wait(other)
            return None if there is None else site_paths.relative(path, there)

        canonical = self.public_address(path)
        form = self.download(address, path)
        place = Place(address, target, answer.headers[POLICY], canonical, form)
        self.folder.write(path, static_page(answer.text, place))

    def public_address(self, path: str) -> str:
        """Where a file of the folder will be served, or "" where nobody said."""
        return f"{self.public}/{site_paths.relative('', path)}" if self.public else ""

    def ask(self, address: str) -> TestResponse:
        """The tutor's answer, as to its author's own browser; a training runs to its end first."""
        lesson = site_paths.trained(address)
        if lesson:
            scenario = self.library.shelf.find(lesson)
            self.library.running(scenario).finish(usual(scenario))
        return self.app.test_client().get(address, base_url="http://localhost")

    def download(self, address: str, path: str) -> str:
        """The link to the exported file, in place of the form of an export page."""
        kind = site_paths.export_kind(address)
        if not kind:
            return ""
        name = self.files[site_paths.lesson_of(address), kind]
        link = escape(site_paths.relative(path, name))
        opens = name.endswith(".html")
        return (
            f'<div class="choices"><h2>{escape(registry.KINDS[kind].title)}</h2>'
            f'<p class="actions"><a class="button" href="{link}"{"" if opens else " download"}>'
            f"{'Open' if opens else 'Download'} {escape(name.rpartition('/')[2])}</a></p></div>"
        )

    # ---- files ----

    def export(self, lesson: AnyScenario) -> None:
        """Write the files that a lesson can become; a kind that is not for it has none."""
        page = site_paths.path(site_paths.lesson_address(lesson.id)) or ""
        home = self.public_address(page)
        for kind in site_paths.FILES:
            view, order = View().from_raw(lesson), ExportOrder(address=home)
            opened = self.library.lesson(lesson, view)
            try:
                made = registry.make(opened, kind, view, order)
                chunks = started(made.chunks)
            except TutorError:
                continue
            name = f"lessons/{lesson.id}/files/{made.name}"
            self.folder.write(name, chunks)
            self.files[lesson.id, kind] = name

    def write_missing(self) -> None:
        """404.html. Hosts show it under any address, so with a public one its links are whole."""
        answer = self.ask("/404")
        root = urlsplit(self.public).path

        def target(other: str) -> str | None:
            there = self.wait(other)
            if there is None:
                return None
            return f"{root}/{site_paths.relative('', there)}" if self.public else there

        place = Place("/404", target, answer.headers[POLICY])
        self.folder.write("404.html", static_page(answer.text, place))

    def write_static(self) -> None:
        """Styles, scripts and pictures that the pages name, and the fonts that the styles name."""
        from app import HOME, STATIC

        home = HOME / site_paths.STATIC
        names = {path for path in self.seen if path.startswith(f"{site_paths.STATIC}/")}
        fonts = {path.relative_to(HOME).as_posix() for path in (home / "fonts").glob("*.woff2")}
        for name in sorted(names | fonts):
            file = STATIC.find(name.removeprefix(f"{site_paths.STATIC}/"))
            if file is not None:
                self.folder.write(name, file.plain)
        # GitHub Pages then serves the files as they are
        self.folder.write(".nojekyll", "")


def say(text: str) -> None:
    """How far it is, or what is wrong."""
    sys.stderr.write(f"{text}\n")
