"""Fetch what `static/` holds of other projects: htmx and the math font. `make vendor` and `make
fonts` run this.

    npm package -> the files we serve, their licence, and a record of both in VENDORED.json

The record is what `tests/test_vendored.py` checks. Raise a version here, run the command, read the
changes, commit. Decided against: a CDN (pages work offline and ask no other origin), and building
from source (the files are the published ones).
"""

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

STATIC = Path(__file__).parents[1] / "static"

HTMX = "htmx.org", "4.0.1"
HTMX_FILES = {"htmx.min.js": "dist/htmx.min.js", "hx-preload.min.js": "dist/ext/hx-preload.min.js"}

FONT = "@fontsource/stix-two-math", "5.3.0"
FONT_FILE = "stix-two-math.woff2"
# What formulas of the lessons may use. A letter that is missing here shows in the reader's own
# font.
FONT_TEXT = (
    "".join(map(chr, range(0x20, 0x7F)))
    + "αβγδεζηθκλμνπρστφχψωϵϕΓΔΘΛΠΣΦΨΩ∂∇ℒℎℝℓ"
    # italic Latin; its h is U+210E
    + "".join(map(chr, [*range(0x1D434, 0x1D455), *range(0x1D456, 0x1D468)]))
    # bold, bold italic Latin
    + "".join(map(chr, [*range(0x1D400, 0x1D434), *range(0x1D468, 0x1D49C)]))
    + "".join(map(chr, range(0x1D6A8, 0x1D756)))  # bold, italic and bold italic Greek
    + "𝟎𝟏"
    + "∑∏√·×⊙−±≈=≠≤≥<>⋯⋮⋱…⊤∞∈→←↦⇒∘∥‖|∣⟨⟩⌈⌉⌊⌋"
    + "\u0302\u0304\u0305^ˆ¯‾˜→⏞⏟⎵⎴⏜⏝"
    + "\u00a0\u2003\u2009\u200a\u200b\u2061\u2062\u2063′″‴⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉½°ŷ"
)
FONT_FEATURES = "ssty,rtla,math,dtls,flac"


def main(what: str) -> None:
    """Renew one of the two."""
    {"htmx": htmx, "font": font}[what]()


def htmx() -> None:
    """Copy htmx and its preload extension as they are published."""
    with tempfile.TemporaryDirectory() as scratch:
        package = unpack(HTMX, Path(scratch))
        for name, source in HTMX_FILES.items():
            shutil.copyfile(package / source, STATIC / "vendor" / name)
        shutil.copyfile(package / "LICENSE", STATIC / "vendor" / "LICENSE-htmx.txt")
    record(
        STATIC / "vendor", HTMX, list(HTMX_FILES), licence="0BSD", licence_file="LICENSE-htmx.txt"
    )


def font() -> None:
    """Cut the math font down to the letters above, with the MATH table that stretches brackets."""
    with tempfile.TemporaryDirectory() as scratch:
        package = unpack(FONT, Path(scratch))
        subset(
            package / "files" / "stix-two-math-latin-400-normal.woff2", STATIC / "fonts" / FONT_FILE
        )
        shutil.copyfile(package / "LICENSE", STATIC / "fonts" / "LICENSE-stix-two-math.txt")
    record(
        STATIC / "fonts",
        FONT,
        [FONT_FILE],
        licence="OFL-1.1",
        licence_file="LICENSE-stix-two-math.txt",
    )


def subset(source: Path, result: Path) -> None:
    """Run fonttools' subsetter."""
    unicodes = ",".join(sorted({f"U+{ord(letter):04X}" for letter in FONT_TEXT}))
    options = [
        f"--unicodes={unicodes}",
        "--flavor=woff2",
        f"--layout-features={FONT_FEATURES}",
        "--no-hinting",
        "--desubroutinize",
    ]
    subprocess.run(
        [
            sys.executable,
            "-m",
            "fontTools.subset",
            str(source),
            *options,
            f"--output-file={result}",
        ],
        check=True,
    )


def unpack(package: tuple[str, str], scratch: Path) -> Path:
    """Fetch a published package with npm, which checks its integrity; return its folder."""
    name, version = package
    subprocess.run(
        ["npm", "pack", "--silent", f"{name}@{version}"],
        cwd=scratch,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    (archive,) = scratch.glob("*.tgz")
    shutil.unpack_archive(archive, scratch, filter="data")
    return scratch / "package"


def record(
    folder: Path, package: tuple[str, str], files: list[str], licence: str, licence_file: str
) -> None:
    """Write VENDORED.json: for each file what it is, from where, its licence and its sha384."""
    name, version = package
    common = {"package": name, "version": version, "licence": licence, "licence_file": licence_file}
    entries = [{"file": file, "integrity": integrity(folder / file), **common} for file in files]
    (folder / "VENDORED.json").write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")


def integrity(path: Path) -> str:
    """The sha384 of a file as a browser's `integrity` attribute takes it."""
    return "sha384-" + base64.b64encode(hashlib.sha384(path.read_bytes()).digest()).decode()


if __name__ == "__main__":
    main(sys.argv[1])
