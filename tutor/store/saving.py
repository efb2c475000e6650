"""Saving a lesson: whether it may be saved, by whom and how often, and what the reader is told
where it may not.

    saving = from_environment(os.environ, home)      DATABASE_URL, DATABASE_WAIT, SAVING,
                                                     SAVES_PER_MINUTE
    saving.save(scenario, request.remote_addr)       the id of the saved lesson; or Refused, with a
                                                     status and words
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tutor import number
from tutor.errors import SettingError, StoreError, TooManySavesError, TutorError
from tutor.scenario import dump
from tutor.scenario.reader import AnyScenario
from tutor.store.database import WAIT
from tutor.store.texts import Allowance, Store, open_store

PER_MINUTE: Final = 20
MOST_PER_MINUTE: Final = 1_000_000
LONGEST_WAIT: Final = 60
FILE: Final = "instance/lessons.sqlite"
OFF: Final = (
    "Saving is switched off here. Download the lesson as a file; it can be opened again, here or "
    "anywhere else."
)


class Refused(TutorError):  # noqa: N818  (it is no error of the program, it is an answer)
    """A lesson that was not saved. `status` is that of the answer; `wait` is for how many seconds,
    where waiting helps.
    """

    def __init__(self, status: int, message: str, wait: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Saving:
    """What saving needs. Without a store nothing is saved or found; with `allowed` false lessons
    are found, not saved.
    """

    store: Store | None = None
    per_minute: int = PER_MINUTE
    allowed: bool = True

    @property
    def on(self) -> bool:
        """Whether lessons can be saved."""
        return self.allowed and self.store is not None

    def save(self, scenario: AnyScenario, who: str) -> str:
        """Keep a lesson for good and return its id. Raises Refused."""
        if self.store is None or not self.allowed:
            raise Refused(403, OFF)
        try:
            text = dump.write(scenario)
        except TutorError as error:
            raise Refused(422, str(error)) from None
        try:
            return self.store.save(
                text, scenario.origin, allowance=Allowance(client(who), self.per_minute)
            )
        except TooManySavesError as error:
            raise Refused(429, str(error), error.wait) from None
        except StoreError as error:
            raise Refused(503, str(error)) from None

    def find(self, lesson: str) -> str | None:
        """The text of a saved lesson. Raises StoreError."""
        return self.store.find(lesson) if self.store is not None else None


def client(who: str) -> str:
    """Whom a limit is about: an address, or for IPv6 the network of 64 bits that one household or
    one phone has.
    """
    try:
        address = ipaddress.ip_address(who.partition("%")[0])
    except ValueError:
        return who
    if isinstance(address, ipaddress.IPv6Address):
        return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def from_environment(environment: Mapping[str, str], home: Path) -> Saving:
    """Saving as the settings want it. Raises SettingError, which names the setting."""
    switch = environment.get("SAVING", "").strip().lower() or "on"
    if switch not in {"on", "off"}:
        raise SettingError(f"SAVING is {environment['SAVING'][:40]!r}; expected on or off")
    many = whole(
        environment, "SAVES_PER_MINUTE", PER_MINUTE, MOST_PER_MINUTE, ", or SAVING=off for none"
    )
    wait = whole(environment, "DATABASE_WAIT", WAIT, LONGEST_WAIT, ", in seconds")
    store = open_store(environment.get("DATABASE_URL"), home / FILE, wait)
    return Saving(store, many, switch == "on")


def whole(
    environment: Mapping[str, str], name: str, default: int, most: int, more: str, least: int = 1
) -> int:
    """A setting that is a whole number from `least` to `most`. Raises SettingError."""
    text = environment.get(name, "").strip() or str(default)
    value = number.whole(text, least, most)
    if value is None:
        raise SettingError(
            f"{name} is {text[:40]!r}; expected a whole number from {least} to {most}{more}"
        )
    return value
