"""From the click to the painted step, in Chromium.

Begin is the time stamp of the click itself. The end is the browser's own report of when the frame
with the new step was presented: as soon as the step has been swapped, a small word with
`elementtiming` is put beside it, in the same frame. Next is preloaded by the page (as it is for who
reads before clicking), Back is not. The floor is a bare page that swaps the same fragment. Bars:
p95 50 ms, 200 ms with a processor 4 times slower; full page's largest paint within 1 s; no layout
shift.
"""

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import pytest
from playwright.sync_api import Browser, Page

from tests.benchmarks import table
from tests.browser.conftest import Server

LESSON = "/lessons/1-2-3-1-sigmoid/steps/"
ROUNDS, CLICKS = 3, 22
"""Rounds in which the cases take turns, and clicks in each; the first two of a round warm up."""
READING = 700
"""Milliseconds that a reader looks at a step before the next click: long enough for the preload and
for the movement of a step to be over, as `SKIMMING` in static/walk.js has it.
"""

WATCH = """() => {
    window.painted = [];
    window.shifts = [0, 0];
    const mark = () => document.querySelector('#step').dataset.n ?? document.querySelector('#title')?.dataset.n;
    let began = 0, before = mark();
    addEventListener('click', event => { began = event.timeStamp; }, true);
    const probe = n => {
        const word = document.createElement('span');
        word.setAttribute('elementtiming', 'probe-' + began);
        word.textContent = n;
        word.style.cssText = 'position: fixed; top: 0; left: 0; font-size: 12px';
        document.documentElement.append(word);
    };
    new MutationObserver(() => {
        const now = mark();
        if (now === before || !began) return;
        before = now;
        probe(now);
    }).observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true});
    new PerformanceObserver(list => {
        for (const entry of list.getEntries()) {
            if (!entry.identifier.startsWith('probe-')) continue;
            window.painted.push(entry.renderTime - Number(entry.identifier.slice(6)));
            entry.element?.remove();
        }
    }).observe({type: 'element'});
    new PerformanceObserver(list => {
        for (const entry of list.getEntries()) {
            window.shifts[0] += entry.value;
            if (!entry.hadRecentInput) window.shifts[1] += entry.value;
        }
    }).observe({type: 'layout-shift'});
}"""
LARGEST = """() => new Promise(done => new PerformanceObserver(list => done(list.getEntries().at(-1).startTime))
    .observe({type: 'largest-contentful-paint', buffered: true}))"""


@pytest.fixture
def bare(server: Server) -> Iterator[str]:
    """The address of the bare page with one of our fragments."""
    request = urllib.request.Request(f"{server.url}{LESSON}15", headers={"HX-Request": "true"})  # noqa: S310  (our own server)
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        fragment = answer.read()
    with subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.bare_page"],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(fragment)
        process.stdin.close()
        yield process.stdout.readline().decode().strip()
        process.terminate()


@contextmanager
def opened(browser: Browser, address: str, slower: int) -> Iterator[Page]:
    """A page of its own, on a processor that many times slower."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
    page.goto(address)
    page.wait_for_load_state("networkidle")
    yield page
    context.close()


@dataclass
class Seen:
    """What one case met: milliseconds from click to paint, the page's largest paint, and how far
    things jumped.
    """

    waited: list[float] = field(default_factory=list)
    largest: list[float] = field(default_factory=list)
    jumps: float = 0.0
    unexpected: float = 0.0

    def click(self, page: Page, control: str) -> None:
        """One round of clicks."""
        self.largest.append(page.evaluate(LARGEST))
        page.evaluate(WATCH)
        for n in range(1, CLICKS + 1):
            page.wait_for_timeout(READING)
            box = page.locator(f"#{control}").bounding_box()
            assert box is not None
            page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            page.wait_for_function("n => window.painted.length >= n", arg=n)
        self.waited += page.evaluate("() => window.painted")[2:]
        jumps, unexpected = page.evaluate("() => window.shifts")
        self.jumps += jumps / CLICKS / ROUNDS
        self.unexpected += unexpected / ROUNDS


def test_click_to_paint(server: Server, bare: str, browser: Browser) -> None:
    cases = {
        "bare page": (bare, "go"),
        "Next, preloaded": (f"{server.url}{LESSON}1", "next"),
        "Back, not preloaded": (f"{server.url}{LESSON}79", "back"),
    }
    rows = []
    for slower, bar in ((1, 50), (4, 200)):
        seen = {name: Seen() for name in cases}
        for _ in range(ROUNDS):
            for name, (address, control) in cases.items():
                with opened(browser, address, slower) as page:
                    seen[name].click(page, control)
        speed = "" if slower == 1 else f", {slower}× slower processor"
        for name, met in seen.items():
            paint = (
                median(met.waited),
                table.percentile(met.waited, 95),
                max(met.waited),
                bar,
                median(met.largest),
            )
            rows.append(
                (
                    name + speed,
                    *(f"{value:.0f}" for value in paint),
                    f"{met.unexpected:.3f}",
                    f"{met.jumps:.3f}",
                )
            )
    table.show(
        f"Click to painted step, {ROUNDS * (CLICKS - 2)} clicks each",
        ("", "p50 ms", "p95 ms", "most ms", "bar p95", "largest paint ms", "CLS", "jump a swap"), rows,
        "largest paint: of the whole page, first visit; bar 1,000 ms. CLS as browsers count it, without what follows a click "
        "within half a second; bar 0. jump a swap: all of it, for one swap.",
    )  # fmt: skip
