"""The folder of a static site: made once, made again in place, and never anybody else's.

    with open_folder(path) as folder:
        folder.write("index.html", text)

A file beside the pages lists what was made. When the site is made again, what is on that list and
not made any more is removed; anything else, such as a CNAME or a .git folder, stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from tutor.errors import TutorError
from tutor.scenario.problem import quotable

LIST: Final = ".backprop-tutor-site"
HEADING: Final = "Made by python -m tutor site. The next run replaces these files:"
NOT_COUNTED: Final = frozenset({".git"})
"""What a folder may hold that is empty otherwise: a branch that is published is one."""
SHOWN: Final = 3


@dataclass(slots=True)
class Folder:
    """A folder that is being filled."""

    path: Path
    listing: IO[str]
    made: set[str] = field(default_factory=set)
    size: int = 0
    """In bytes."""

    def write(self, name: str, content: str | bytes | Iterable[str]) -> None:
        """Write a file; a name has slashes. Nothing is left of one that cannot be finished."""
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        self.listing.write(f"{name}\n")
        self.listing.flush()
        try:
            with target.open("wb") as file:
                for chunk in [content] if isinstance(content, str | bytes) else content:
                    file.write(chunk if isinstance(chunk, bytes) else chunk.encode())
                self.size += file.tell()
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        self.made.add(name)


@contextmanager
def open_folder(path: Path) -> Iterator[Folder]:
    """Fill a folder that is new, empty or of an earlier run. Raises TutorError where it is none of
    these, OSError.
    """
    before = _before(path)
    path.mkdir(parents=True, exist_ok=True)
    with (path / LIST).open("w", encoding="utf-8", newline="\n") as listing:
        listing.writelines(_lines(before))
        listing.flush()
        folder = Folder(path, listing)
        yield folder
    for name in before - folder.made:
        _remove(path, name)
    text = "".join(_lines(folder.made))
    (path / LIST).write_text(text, encoding="utf-8", newline="\n")


def _lines(names: Iterable[str]) -> list[str]:
    return [f"{line}\n" for line in (HEADING, *sorted(names))]


def _before(path: Path) -> set[str]:
    """What an earlier run made in a folder. Raises TutorError where the folder is not ours."""
    if not path.exists():
        return set()
    if not path.is_dir():
        raise TutorError(f"{path} is a file; --out needs a folder, one that is new or empty")
    held = sorted(one.name for one in path.iterdir() if one.name not in NOT_COUNTED)
    if not held:
        return set()
    if LIST in held:
        return _listed(path / LIST)
    shown = ", ".join(quotable(name, 40) for name in held[:SHOWN])
    more = f" and {len(held) - SHOWN} more" if len(held) > SHOWN else ""
    raise TutorError(
        f"{path} holds {shown}{more}, which this command did not make. "
        "Nothing was written; --out needs a folder that is new, empty, or from an earlier run"
    )


def _listed(path: Path) -> set[str]:
    """The names in a list of ours. Raises TutorError where somebody else wrote it."""
    heading, *names = path.read_text(encoding="utf-8", errors="replace").splitlines() or [""]
    inside = all(not Path(name).is_absolute() and ".." not in Path(name).parts for name in names)
    if heading == HEADING and inside:
        return set(names)
    raise TutorError(
        f"{path} is not as this command writes it, so it is not clear what may be replaced. "
        "Nothing was written; choose a folder that is new or empty"
    )


def _remove(home: Path, name: str) -> None:
    """Remove a file, and the folders that are empty without it."""
    target = home / name
    target.unlink(missing_ok=True)
    for folder in target.parents:
        if folder == home or any(folder.iterdir() if folder.is_dir() else ()):
            return
        if folder.is_dir():
            folder.rmdir()
