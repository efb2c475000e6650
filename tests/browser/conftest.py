"""A real browser on the real server: the server in a process of its own, Chromium from the system
or Playwright's own.

A missing browser fails the run; it does not skip. Fixtures for a test:

    page                  a page, relative addresses lead to the server; afterwards fails the test
                          if the browser complained
    page_without_script   the same with JavaScript off
    server                its address (`server.url`) and what it has logged (`server.log()`)
    axe                   `axe(page)` gives what axe-core found: `.violations` and `.incomplete`, as
                          lines to read; a lone symbol such as ∂ is always incomplete, [nonBmp] or
                          [shortTextContent]: axe leaves symbols to the eye; `axe(page, dark=True)`
                          looks at a light page in the dark, too
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request

ROOT = Path(__file__).parents[2]
BROWSERS = ("chromium-headless-shell", "chromium")
"""What the system's browser may be called. The first is the same browser without a window; the
other one makes the parts of a window for each page, which take twice as long as the page.
"""
PATIENCE = 90  # seconds for the server to start, and to stop
LONG_WORK = [
    f"/lessons/{lesson}/training?iterations=1"
    for lesson in ("one-weight", "one-neuron", "linear-regression", "linear-sigmoid")
]
"""Pages of processes that start after the workers; lessons share them out."""
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOUR_RULES = ["color-contrast", "link-in-text-block"]
"""The rules under these tags that look at colours. All others find the same in light and in dark,
for there only colours differ: tests/test_style_guide.py holds the sheets to that.
"""
PARSE_EACH_COLOUR_ONCE = """() => {
    const color = axe.commons.color.Color.prototype, parse = color.parseString, known = new Map();
    color.parseString = function (text) {
        if (!known.has(text)) {
            parse.call(this, text);
            known.set(text, [this.r, this.g, this.b, this.alpha]);
        }
        [this.r, this.g, this.b, this.alpha] = known.get(text);
        return this;
    };
}"""
"""axe reads the colour of each ground below each text anew, half of its time on a long page."""
RUN_AXE = """async options => {
    const changes = document.getAnimations().filter(change => change instanceof CSSTransition);
    await Promise.allSettled(changes.map(change => change.finished));
    return axe.run(document, options);
}"""
# The browser itself writes this line for each answer of 4xx; pages that answer so on purpose are
# tested too.
EXPECTED = re.compile(r"^Failed to load resource: the server responded with a status of 4\d\d")


# ---- the server ----


@dataclass(frozen=True)
class Server:
    """The tutor, running."""

    url: str
    output: Path

    def log(self) -> list[str]:
        """The lines that it has written so far."""
        return self.output.read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    output = folder / "output.txt"
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"HOST", "PORT", "WORKERS", "SAVING", "SHELF"}
    }
    environment |= {
        "DATABASE_URL": f"sqlite:///{folder / 'lessons.sqlite'}",
        "SAVES_PER_MINUTE": "10000",
    }
    command = [sys.executable, "-m", "tutor.serve", "--port", "0"]
    with (
        output.open("w", encoding="utf-8") as target,
        subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=target,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            yield Server(wait_until_it_answers(process, output), output)
        finally:
            stop(process)


def wait_until_it_answers(process: "subprocess.Popen[bytes]", output: Path) -> str:
    """The address that the server prints, once /healthz and long work are answered there."""
    last = time.monotonic() + PATIENCE
    while time.monotonic() < last and process.poll() is None:
        found = re.search(r"http://\S+:\d+", output.read_text(encoding="utf-8"))
        if found and all(healthy(found[0] + path) for path in ("/healthz", *LONG_WORK)):
            return found[0]
        time.sleep(0.05)
    pytest.fail(
        f"the server does not answer; it wrote:\n{output.read_text(encoding='utf-8')}",
        pytrace=False,
    )


def healthy(url: str) -> bool:
    """Whether an address answers with 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  (our own http address)
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def stop(process: "subprocess.Popen[bytes]") -> None:
    """As Ctrl-C does."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()


# ---- the browser ----


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    chromium = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    return {**browser_type_launch_args, **({"executable_path": chromium} if chromium else {})}


@pytest.fixture(scope="session")
def base_url(server: Server) -> str:
    return server.url


@pytest.fixture
def page(page: Page, server: Server) -> Iterator[Page]:
    complaints = listen(page, server)
    yield page
    assert complaints == []


@pytest.fixture
def page_without_script(
    new_context: Callable[..., BrowserContext], server: Server
) -> Iterator[Page]:
    page = new_context(java_script_enabled=False).new_page()
    complaints = listen(page, server)
    yield page
    assert complaints == []


def listen(page: Page, server: Server) -> list[str]:
    """What the browser complains about from now on: errors, warnings of htmx, refused content,
    requests to elsewhere.
    """
    complaints: list[str] = []

    def console(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not EXPECTED.match(message.text):
            complaints.append(f"{message.type}: {message.text}")

    def request(sent: Request) -> None:
        if not sent.url.startswith((f"{server.url}/", "data:", "blob:")):
            complaints.append(f"request to {sent.url}")

    page.on("console", console)
    page.on("pageerror", lambda error: complaints.append(f"script: {error}"))
    page.on("request", request)
    return complaints


# ---- accessibility ----


@dataclass(frozen=True)
class AxeReport:
    """What axe-core found on a page, a line for each place."""

    violations: list[str]
    incomplete: list[str]


@pytest.fixture(scope="session")
def axe() -> Callable[..., AxeReport]:
    return inspect


def inspect(page: Page, *, dark: bool = False) -> AxeReport:
    """Run axe-core for WCAG 2.2 AA and its best practices on the whole page; where `dark`, run the
    rules about colours on a light page once more in the dark.
    """
    page.evaluate(AXE_SCRIPT)
    page.evaluate(PARSE_EACH_COLOUR_ONCE)
    found = run(page, {"type": "tag", "values": AXE_TAGS})
    if not dark:
        return found
    page.emulate_media(color_scheme="dark")
    then = run(page, {"type": "rule", "values": COLOUR_RULES})
    page.emulate_media(color_scheme="light")
    return AxeReport(
        found.violations + [f"in the dark: {line}" for line in then.violations],
        found.incomplete + [line for line in then.incomplete if line not in found.incomplete],
    )


def run(page: Page, rules: dict[str, Any]) -> AxeReport:
    """What some rules find. Style sheets are not loaded a second time: only a rule that is still an
    experiment, and so not under these tags, reads them.
    """
    options = {
        "runOnly": rules,
        "resultTypes": ["violations", "incomplete"],
        "preload": {"assets": ["media"]},
    }
    found = page.evaluate(RUN_AXE, options)
    return AxeReport(lines(found["violations"]), lines(found["incomplete"]))


def lines(rules: list[dict[str, Any]]) -> list[str]:
    """Rule, what is wrong, the reason that axe gives, where, and the markup."""
    return [
        f"{rule['id']}: {rule['help']} [{reason(node)}] at {node['target']}: {node['html'][:200]}"
        for rule in rules
        for node in rule["nodes"]
    ]


def reason(node: dict[str, Any]) -> str:
    """Why axe could not decide, in its own word, such as shortTextContent or nonBmp for a lone
    symbol; else nothing.
    """
    data = [check["data"] for check in (*node["any"], *node["all"], *node["none"])]
    return ", ".join(
        sorted(
            {
                entry["messageKey"]
                for entry in data
                if isinstance(entry, dict) and entry.get("messageKey")
            }
        )
    )
