"""The project's own exceptions. Their texts are written for the reader of a page and are always
safe to show.

    TutorError
    ├── QuantityError      a name such as "w[2][1,3]" that cannot be read, or that this network does
                           not have
    ├── NumberError        a text that is not a number
    ├── NetworkError       layers, losses or data that do not fit together
    ├── LessonError        a step or a view that a lesson does not have
    ├── SettingError       a setting of the environment that makes no sense
    ├── StoreError         the store of saved lessons cannot be reached
    ├── TooManySavesError  more lessons saved in a minute than one address may
    ├── ChangeError        changes that a lesson cannot take (tutor.lesson.changes)
    └── ScenarioError      a scenario file with problems (tutor.scenario.reader)
"""


class TutorError(Exception):
    """Something that was asked for cannot be had; the text says what, where, and what would do."""


class QuantityError(TutorError, ValueError):
    """A quantity name that cannot be read, or that this network does not have."""


class NumberError(TutorError, ValueError):
    """A text that is not a number the tutor reads."""


class NetworkError(TutorError, ValueError):
    """Layers, loss or data that do not fit together."""


class LessonError(TutorError, LookupError):
    """A step, grain or notation that a lesson does not have."""


class SettingError(TutorError, ValueError):
    """A setting of the environment that makes no sense; the text names it."""


class StoreError(TutorError):
    """Saved lessons cannot be reached or kept just now."""

    def __init__(self, text: str = "") -> None:
        super().__init__(
            text
            or "Saved lessons are not available right now. "
            "All other lessons work; please try again in a minute."
        )


class TooManySavesError(TutorError):
    """More lessons saved in a minute than one address may; `wait` is in seconds."""

    def __init__(self, limit: int, wait: int) -> None:
        lessons, seconds = (
            "lesson" if limit == 1 else "lessons",
            "second" if wait == 1 else "seconds",
        )
        super().__init__(
            f"One address can save {limit:,} new {lessons} a minute. "
            f"Please try again in {wait} {seconds}."
        )
        self.wait = wait
