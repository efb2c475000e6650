"""How large a scenario may be: the one place for every limit. A message names the limit that was hit."""

from __future__ import annotations

from typing import Final

FILE_BYTES: Final = 64 * 1024
DEPTH: Final = 16
"""How deeply a file may nest; a scenario needs six."""
ENTRIES: Final = 5_000
"""Keys, values and lists of a file; a list of plain numbers counts as one."""
NUMBER_CHARACTERS: Final = 64

LAYERS: Final = 32
UNITS: Final = 1_024
SAMPLES: Final = 1_000
PARAMETERS: Final = 200_000
ACTIVATIONS: Final = 1_000_000
"""Units times samples: how many activations one pass may keep."""
ITERATIONS: Final = 1_000
DECIMALS: Final = 12

TITLE: Final = 200
LINE: Final = 300
"""A short line: course, what one learns, where a slide prints a number."""
ABOUT: Final = 2_000
NOTE: Final = 1_000
LEARN: Final = 4
PRINTED: Final = 500
NOTES: Final = 200
CHECKS: Final = 200
EXPRESSION: Final = 500
EXPRESSION_DEPTH: Final = 20
EXPONENT: Final = 100
