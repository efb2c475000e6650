"""What an uploaded file is: a text, or something else that can be named. Bytes in, words out;
nothing is checked here.

A file that is no UTF-8 is shown as far as it can be read, so that nobody has to look for what they
sent.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from tutor.scenario.problem import quotable

_KINDS = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive, such as an office document or spreadsheet",
    b"\x1f\x8b": "a gzip archive",
    b"\xd0\xcf\x11\xe0": "a document of an older office program",
    b"SQLite format 3": "a database",
    b"\x7fELF": "a program",
    b"MZ\x90\0": "a program",
}
"""The first bytes of what people pick by mistake."""
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_ENOUGH = 4096
"""How many bytes tell a text from anything else."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as a text; `problem` says why it cannot be used as it is, or is ""."""

    name: str
    text: str
    problem: str = ""


def read(content: bytes, name: str) -> Upload:
    """A file as a text. The text is "" where the file is something else."""
    shown = quotable(name, 80) or "the file"
    known = next((kind for start, kind in _KINDS.items() if content.startswith(start)), "")
    if known:
        return Upload(shown, "", f"is {known}; a lesson is a text file with YAML or JSON")
    for mark, encoding in _UTF16.items():
        if content.startswith(mark):
            return Upload(shown, content[2:].decode(encoding, "replace"), _UTF16_ADVICE)
    byte = _no_text(content)
    if byte is not None:
        return Upload(
            shown,
            "",
            f"is not a text file: it has the byte {content[byte]:#04x} at position {byte + 1:,}; "
            "a lesson is a text file with YAML or JSON",
        )
    return _utf8(content, shown)


_UTF16_ADVICE = (
    "is UTF-16 text, and lessons are UTF-8; "
    "its text is shown below, converted: check it once more to use it"
)


def _no_text(content: bytes) -> int | None:
    """Where the first byte stands that no text has, in a file that is more than a faulty text."""
    odd = [
        n for n, byte in enumerate(content[:_ENOUGH]) if byte < 32 and byte not in b"\t\n\r\f\x1b"
    ]
    return (
        odd[0]
        if odd and (0 in content[:_ENOUGH] or 50 * len(odd) > len(content[:_ENOUGH]))
        else None
    )


def _utf8(content: bytes, name: str) -> Upload:
    try:
        return Upload(name, content.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        advice = (
            f"is not UTF-8 text: byte {content[error.start]:#04x} in line {line}; "
            "it shows below as \ufffd"
        )
        return Upload(name, content.decode("utf-8", "replace"), advice)
