"""The labels of the computation graphs of networks: none stands on another, nor on a node, in any
lesson, collapsed and with its layers open.
"""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tutor.scenario import reader
from tutor.scenario.reader import Scenario

ROOT = Path(__file__).parents[2] / "scenarios"
FILES = [*sorted(ROOT.glob("*.yaml")), *sorted((ROOT / "training").glob("*.yaml"))]
TOLERANCE = 1.0
"""Boxes may share so many pixels: the browser sets letters on whole pixels and rounds the sides."""
OVERLAPS = """tolerance => {
  // What is printed: across as the browser measures it; up and down from the baseline, for the box
  // of the font of formulas is several times as high as its letters.
  const boxes = [...document.querySelectorAll('svg.layers text')].map(text => {
    const box = text.getBBox(), em = parseFloat(getComputedStyle(text).fontSize);
    const y = Number(text.getAttribute('y')), digits = /^[−0-9.e]+$/.test(text.textContent);
    const marks = text.querySelector('tspan');
    const [up, down] = digits ? [0.7, 0.05] : marks ? [0.9, 0.3] : [0.75, 0.2];
    const name = text.querySelector('title') ? '' : text.textContent;
    return {name, own: text.parentNode, left: box.x, right: box.x + box.width,
            top: y - up * em, bottom: y + down * em};
  });
  for (const rect of document.querySelectorAll('svg.layers rect')) {
    const {x, y, width, height} = rect.getBBox();
    boxes.push({name: 'a node', own: rect.parentNode, left: x, right: x + width, top: y, bottom: y + height});
  }
  const found = [];
  boxes.forEach((a, n) => boxes.slice(n + 1).forEach(b => {
    if (a.own === b.own && a.own.localName === 'a') return;
    const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (Math.min(across, down) > tolerance) found.push(`${a.name} on ${b.name}, ${Math.round(a.left)} ${Math.round(a.top)}`);
  }));
  return {found, texts: boxes.length};
}"""

SHOW = """async address => {
  const text = await (await fetch(address)).text();
  const page = new DOMParser().parseFromString(text, 'text/html');
  document.querySelector('figure.network').replaceChildren(page.querySelector('svg.layers'));
}"""


def opened(file: Path) -> list[str]:
    """The queries of a lesson's graphs: collapsed, each layer open, all of them open."""
    lesson = reader.load(file)
    assert isinstance(lesson, Scenario)
    layers = [str(n) for n in range(1, len(lesson.network.layers) + 1)]
    return ["", *(f"?open={n}" for n in layers), f"?open={','.join(layers)}"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_label_stands_on_another_or_on_a_node(page: Page, file: Path) -> None:
    page.goto("/lessons/one-weight/graph")
    for query in opened(file):
        page.evaluate(SHOW, f"/lessons/{file.stem}/graph{query}")
        seen = page.evaluate(OVERLAPS, TOLERANCE)
        assert seen["texts"] > 8
        assert seen["found"] == [], query


def test_labels_that_overlap_would_be_seen(page: Page) -> None:
    page.goto("/lessons/3-2-3-softmax/graph?open=2")
    page.evaluate("""() => {
      const [a, b] = document.querySelectorAll('svg.layers text.d');
      for (const side of ['x', 'y']) b.setAttribute(side, a.getAttribute(side));
    }""")
    assert page.evaluate(OVERLAPS, TOLERANCE)["found"]
