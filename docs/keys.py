"""Write the meanings of all keys into the tables of docs/scenarios.md again: `make docs`. They are
in tutor/scenario/schema.py.
"""

from __future__ import annotations

import re
from pathlib import Path

from tutor.scenario.schema import MEANINGS

PAGE = Path(__file__).with_name("scenarios.md")
ROW = re.compile(
    r"^\| `(?P<key>[a-z0-9_.\[\]]+)` \|(?P<middle>[^|]*\|[^|]*)\|[^|]*\|$", re.MULTILINE
)


def renewed(text: str) -> str:
    """The page with the meanings of today in its tables of keys."""
    before, keys, after = re.split(r"(?s)(\n## All keys\n.*?)(?=\n## )", text, maxsplit=1)
    return before + ROW.sub(_row, keys) + after


def _row(row: re.Match[str]) -> str:
    return (
        f"| `{row['key']}` |{row['middle']}| {MEANINGS.get(row['key'], '(there is no such key)')} |"
    )


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
