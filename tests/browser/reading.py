"""What a step shows, read from the page as a reader would: everything in one call, so that a walk
of 79 steps stays quick.

    shown(page)              heading, title, address, live region, focus, results, slide numbers of
                             the step on the page
    wait_for_step(page, n)   until step n is there with its title
    number_in(text)          the number in a text such as "≈ −0.0109" or "≈ 2.64·10−7"
"""

import re
from dataclasses import dataclass

from playwright.sync_api import Page, expect

READ = """() => {
    const text = element => element?.textContent.replace(/\\s+/g, ' ').trim() ?? '';
    const texts = (selector, inside = document) => [...inside.querySelectorAll(selector)].map(text);
    const numbers = {};
    for (const place of document.querySelectorAll('.board .numbers [data-q]')) {
        numbers[place.dataset.q] = text(place);
    }
    const slide = [...document.querySelectorAll('aside')].find(aside => text(aside.querySelector('h2')) === 'On the slides');
    const entries = [...slide?.querySelectorAll('li') ?? []].map(item => [
        text(item.querySelector('b')), text(item.querySelector('.source')), text(item.querySelector('.reason')), text(item)]);
    return {
        heading: text(document.querySelector('h1')), where: text(document.querySelector('.where')), title: document.title,
        address: location.pathname + location.search, said: text(document.querySelector('[role=status]')),
        focus: document.activeElement.id, results: texts('.board > .formula .result math'), numbers, entries,
        more: Number(text(slide).match(/(\\d+) more numbers? of this step/)?.[1] ?? 0), notes: texts('aside.worth > p'),
    };
}"""
NUMBER = re.compile(r"[−-]?\d+(?:\.\d+)?(?:[·×]10[−-]?\d+)?")


@dataclass(frozen=True)
class Entry:
    """A number of the slides as the step shows it."""

    printed: str
    where: str
    why: str
    text: str


@dataclass(frozen=True)
class Shown:
    """What one step shows."""

    heading: str
    where: str
    title: str
    address: str
    said: str
    focus: str
    results: tuple[str, ...]
    numbers: dict[str, str]
    entries: tuple[Entry, ...]
    more: int
    notes: tuple[str, ...]

    @property
    def n(self) -> int:
        """The number in the address."""
        found = re.search(r"/steps/(\d+)", self.address)
        return int(found[1]) if found else 0

    def contradictions(self, *, spoken: bool = True) -> list[str]:
        """Where heading, address, title and (after a swap) the live region do not speak of the same
        step.
        """
        step = re.match(r"Step \d+ of \d+", self.where)
        full = f"{step[0] if step else '?'}: {self.heading}"
        wrong = []
        if not full.startswith(f"Step {self.n} of "):
            wrong.append(f"at {self.address} the page shows {full!r}")
        if not self.title.startswith(f"{full} ·"):
            wrong.append(f"the title of {full!r} is {self.title!r}")
        if spoken and self.said != full:
            wrong.append(f"the live region at {full!r} says {self.said!r}")
        return wrong


def shown(page: Page) -> Shown:
    """What the page shows. A click returns as soon as the next page answers, when it may have no
    body yet: wait for all of it.
    """
    page.wait_for_load_state("domcontentloaded")
    found = page.evaluate(READ)
    found["entries"] = tuple(Entry(*entry) for entry in found["entries"])
    return Shown(
        **{key: tuple(value) if isinstance(value, list) else value for key, value in found.items()}
    )


def wait_for_step(page: Page, n: int) -> None:
    expect(page).to_have_title(re.compile(rf"^Step {n} of \d+: "))


def number_in(text: str) -> float:
    """The last number of a text; a power of ten may follow it."""
    found = NUMBER.findall(text)
    assert found, f"there is no number in {text!r}"
    return float(re.sub(r"[·×]10", "e", found[-1]).replace("−", "-"))


def tab_to(page: Page, name: str, most: int = 80) -> None:
    """Press Tab until the control of this name has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.textContent.trim()") == name:
            return
    raise AssertionError(f"{most} times Tab do not reach {name!r}")
