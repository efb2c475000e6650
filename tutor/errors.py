"""The project's own exceptions. Their texts are written for the reader of a page and are always safe to show.

    TutorError
    ├── QuantityError      a name such as "w[2][1,3]" that cannot be read, or that this network does not have
    ├── NumberError        a text that is not a number
    ├── NetworkError       layers, losses or data that do not fit together
    ├── LessonError        a step or a view that a lesson does not have
    └── ScenarioError      a scenario file with problems (tutor.scenario)
"""


class TutorError(Exception):
    """Something that was asked for cannot be had; the text says what, where and what would be right."""


class QuantityError(TutorError, ValueError):
    """A quantity name that cannot be read, or that this network does not have."""


class NumberError(TutorError, ValueError):
    """A text that is not a number the tutor reads."""


class NetworkError(TutorError, ValueError):
    """Layers, loss or data that do not fit together."""


class LessonError(TutorError, LookupError):
    """A step, grain or notation that a lesson does not have."""
