"""Take the pictures of README.md and docs/scenarios.md: `make pictures`.

    the shipped lessons and the example of docs/scenarios.md -> the tutor on a free port ->
    Chromium, light, two pixels to a point -> 56 colours -> docs/pictures/*.png

Pages have few colours, so a palette keeps each picture well below MOST_BYTES without visible loss;
the script stops where one is larger. CHROMIUM names a browser, else the system's is taken, else
Playwright's own, as in the browser tests.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

from tutor.engine import quantity
from tutor.lesson.walk import open_lesson
from tutor.notation.conventions import PRESETS
from tutor.scenario import reader

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "pictures"
EXAMPLE = "fruit"
MOST_BYTES = 150_000
COLOURS = 56
BROWSERS = ("chromium-headless-shell", "chromium")
"""What the browser of the system may be called."""


@dataclass(frozen=True)
class Picture:
    """One picture: the step that makes a quantity (or an address), what of its page, and how large
    the window is.
    """

    name: str
    lesson: str = ""
    makes: str = ""
    grain: str = "number"
    query: str = ""
    address: str = ""
    element: str = ""
    top: str = ""
    """What of the page is scrolled to."""
    width: int = 1240
    height: int = 880

    def path(self, folder: Path) -> str:
        """The address to open."""
        if self.address:
            return self.address
        walk = open_lesson(reader.load(folder / f"{self.lesson}.yaml")).walk(self.grain)
        step = walk.step_of(quantity.parse(self.makes))
        grain = "" if self.grain == "number" else f"grain={self.grain}"
        query = "&".join(filter(None, (grain, self.query)))
        return f"/lessons/{self.lesson}/steps/{step}?{query}".rstrip("?")


PICTURES = (
    Picture("step", "1-2-3-1-sigmoid", "dL/da[1][1]", height=800),
    Picture("matrices", "3-2-3-softmax", "dL/dw[2][1,1]", "layer", height=820),
    Picture("activations", address="/activations?z=0.5", height=860),
    Picture("training", address="/lessons/xor/training?iterations=200", top="h1", height=880),
    Picture("build", address="/build?from=3-2-3-softmax", top="#layers", height=860),
    *(
        Picture(
            f"notation-{preset}-{grain}",
            EXAMPLE,
            "z[1][2]@2",
            grain,
            f"notation={preset}",
            element=".board > .formula",
            width=520,
        )
        for preset in PRESETS
        for grain in ("number", "layer")
    ),
)


def main() -> int:
    """Take them all; the status is 1 where one is too large."""
    TARGET.mkdir(exist_ok=True)
    too_large = False
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = lessons(Path(name))
        chromium = os.environ.get("CHROMIUM") or next(
            filter(None, map(shutil.which, BROWSERS)), None
        )
        browser = playwright.chromium.launch(executable_path=chromium)
        with served(folder) as home:
            context = browser.new_context(
                device_scale_factor=2, color_scheme="light", reduced_motion="reduce"
            )
            page, darkroom = context.new_page(), context.new_page()
            for picture in PICTURES:
                png = smaller(taken(page, home, folder, picture), darkroom)
                (TARGET / f"{picture.name}.png").write_bytes(png)
                sys.stdout.write(f"{picture.name}.png {len(png):,} bytes\n")
                too_large |= len(png) > MOST_BYTES
        browser.close()
    return int(too_large)


def lessons(folder: Path) -> Path:
    """A folder with the shipped lessons and the whole example of docs/scenarios.md."""
    for file in (ROOT / "scenarios").rglob("*.yaml"):
        shutil.copy(file, folder)
    text = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
    blocks: list[str] = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (folder / f"{EXAMPLE}.yaml").write_text(max(blocks, key=len), encoding="utf-8")
    return folder


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The tutor over a folder; gives its address."""
    command = [
        sys.executable,
        "-m",
        "tutor.serve",
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--workers",
        "1",
    ]
    environment = {**os.environ, "SCENARIOS": str(folder)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+:\d+", process.stdout.readline())
            assert found, "the tutor did not start"
            wait(found[0])
            yield found[0]
        finally:
            process.terminate()


def wait(home: str) -> None:
    """Until the tutor answers: it prints its address a moment before it listens."""
    for _ in range(200):
        try:
            # Our own http address
            with urllib.request.urlopen(f"{home}/healthz", timeout=5):  # noqa: S310
                return
        except OSError:
            time.sleep(0.05)


def taken(page: Page, home: str, folder: Path, picture: Picture) -> bytes:
    """A picture as Chromium makes it."""
    page.set_viewport_size({"width": picture.width, "height": picture.height})
    answer = page.goto(home + picture.path(folder))
    assert answer is not None
    assert answer.ok, f"{answer.url}: {answer.status}"
    page.evaluate("document.fonts.ready.then(() => null)")
    if picture.top:
        page.locator(picture.top).evaluate("element => element.scrollIntoView()")
    return (
        page.locator(picture.element).first.screenshot() if picture.element else page.screenshot()
    )


def smaller(png: bytes, darkroom: Page) -> bytes:
    """The same picture with a palette."""
    pixels = developed(png, darkroom)
    height, width, _ = pixels.shape
    packed = pixels.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.uint32)
    colours, places, counts = np.unique(packed, return_inverse=True, return_counts=True)
    palette = chosen(colours, counts)
    nearest = np.array(
        [np.abs(unpacked(palette) - colour).sum(axis=1).argmin() for colour in unpacked(colours)],
        dtype=np.uint8,
    )
    rows = nearest[places].reshape(height, width)
    return written(rows, unpacked(palette).astype(np.uint8))


def developed(png: bytes, darkroom: Page) -> np.ndarray:
    """The pixels (height, width, 3) of a PNG; the browser decodes it."""
    found = darkroom.evaluate(
        """async (png) => {
            const answer = await fetch('data:image/png;base64,' + png);
            const picture = await createImageBitmap(await answer.blob());
            const brush = new OffscreenCanvas(picture.width, picture.height).getContext('2d');
            brush.drawImage(picture, 0, 0);
            const pixels = brush.getImageData(0, 0, picture.width, picture.height).data;
            const text = await new Promise((done) => {
                const reader = new FileReader();
                reader.onload = () => done(reader.result);
                reader.readAsDataURL(new Blob([pixels]));
            });
            return [picture.height, picture.width, text.split(',')[1]];
        }""",
        base64.b64encode(png).decode(),
    )
    height, width, text = found
    return np.frombuffer(base64.b64decode(text), dtype=np.uint8).reshape(height, width, 4)[:, :, :3]


def chosen(colours: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The palette: the most frequent colour, then again and again the one that is frequent and far
    from all chosen ones.

    By frequency alone a small mark in a colour of its own would turn grey.
    """
    points, weight = unpacked(colours), np.sqrt(counts)
    picked = [int(counts.argmax())]
    far = np.abs(points - points[picked[0]]).sum(axis=1)
    while len(picked) < COLOURS and far.any():
        picked.append(int((weight * far).argmax()))
        far = np.minimum(far, np.abs(points - points[picked[-1]]).sum(axis=1))
    return colours[picked]


def unpacked(colours: np.ndarray) -> np.ndarray:
    """Packed colours (n,) as (n, 3) red, green, blue."""
    return np.stack([(colours >> shift) & 255 for shift in (16, 8, 0)], axis=-1).astype(np.int64)


def written(rows: np.ndarray, palette: np.ndarray) -> bytes:
    """A PNG of palette entries (height, width)."""
    height, width = rows.shape
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    # each row begins with its filter: none
    lines = np.concatenate([np.zeros((height, 1), dtype=np.uint8), rows], axis=1)
    parts = (
        ("IHDR", head),
        ("PLTE", palette.tobytes()),
        ("IDAT", zlib.compress(lines.tobytes(), 9)),
        ("IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(name.encode(), data) for name, data in parts)


def chunk(name: bytes, data: bytes) -> bytes:
    """One part of a PNG with its length and checksum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


if __name__ == "__main__":
    sys.exit(main())
