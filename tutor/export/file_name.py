"""What files that people take away are called: names that say what is inside and that the shelf
takes as they are.

    stem(lesson)      1-2-3-1-sigmoid of a lesson of the shelf; xor-with-two-units of a saved one
                      called “XOR with two units”
    slug(title)       a title in a-z, 0-9 and hyphens
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Final

from tutor.catalogue import folder
from tutor.scenario.reader import AnyScenario

LONGEST: Final = 60
SHORTEST: Final = 3
"""A name of fewer letters says nothing."""
SUFFIX: Final = ".yaml"
_SPELLED: Final = str.maketrans({
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ı": "i",
    "'": "", "’": "",
})  # fmt: skip
"""Letters that Unicode does not take apart; apostrophes vanish, so that student's becomes students.
"""
_RESERVED: Final = re.compile(r"course|con|prn|aux|nul|(com|lpt)[0-9]", re.ASCII)
"""What describes a course on the shelf, and what Windows keeps for devices."""


def stem(lesson: AnyScenario) -> str:
    """What the files of a lesson are called, without what comes after: its id, or its title where
    nobody could read the id.
    """
    return slug(lesson.title) if folder.unfit(lesson.id + SUFFIX) else lesson.id


def slug(title: str) -> str:
    """A title as a name that a file on the shelf may have; of a title without such letters, the
    same one each time.
    """
    plain = unicodedata.normalize("NFKD", title.lower().translate(_SPELLED))
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    name = _shortened("-".join(re.findall(r"[a-z0-9]+", letters)))
    if not name:
        return f"lesson-{hashlib.sha256(title.encode('utf-8')).hexdigest()[:6]}"
    return (
        name
        if len(name) >= SHORTEST
        and not _RESERVED.fullmatch(name)
        and not folder.unfit(name + SUFFIX)
        else f"lesson-{name}"
    )


def _shortened(name: str) -> str:
    """The first words that fit; of one long word its beginning."""
    if len(name) <= LONGEST:
        return name
    return name[: LONGEST + 1].rpartition("-")[0] or name[:LONGEST]
