"""The reader of the tests itself: its quick way gives the tree of HTMLParser, and what is wrong is
told by HTMLParser.
"""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from tests.htmltree import Element, _Reader, read
from tests.visiting import get

STEP = "/lessons/1-2-3-1-sigmoid/steps"
ADDRESSES = [
    "/", "/activations?z=two", "/build", "/open", "/lessons/linear-regression", f"{STEP}/33", f"{STEP}/7?present=yes", f"{STEP}/3/chain",
    "/lessons/1-2-3-1-sigmoid/export/interactive", "/lessons/1-2-3-1-sigmoid/share", "/lessons/nope",
]  # fmt: skip


def tree(element: Element) -> list[object]:
    return [
        c if isinstance(c, str) else (c.tag, c.attributes, c.zone, c.pressed, tree(c))
        for c in element.children
    ]


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_quick_way_reads_what_html_parser_reads(address: str) -> None:
    text = get(address).text
    quick, slow = _Reader(), _Reader()
    HTMLParser.feed(slow, text)
    slow.close()
    assert quick.plain(text) == (not slow.problems)
    assert tree(quick.root) == tree(slow.root)
    assert (
        [e.tag for e in quick.elements]
        == [e.tag for e in slow.elements]
        == [e.tag for e in quick.root.all()]
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("<p>a</b></p>", "line 1: </b> where <p> is open"), ("<p>\n<b>x</p>", "line 2: </p> where <b> is open"),
        ("<p>\n\n", "line 3: <p> is never closed"), ("<p/>x", "line 1: <p/> does not close itself"),
        ('<b onclick="x">y</b>', "line 1: <b> has onclick"), ("<b style=x>y</b>", "line 1: <b> has style"),
        ("<b ONCLICK='x'>y</b>", "line 1: <b> has onclick"), ('<a href="&#x6a;avascript:x">y</a>', "line 1: <a> leads to javascript:x"),
        ('<i a="1" a="2">x</i>', "line 1: <i> has an attribute twice: [('a', '1'), ('a', '2')]"),
        ("\n<!-- x -->", "line 2: a comment: ' x '"),
        ("<p><div>x</div></p>", "<div> directly in <p>"), ("<ul>x</ul>", "line 1: text 'x' directly in <ul>"),
        ("<table><tr><td>x</td></tr></table>", "a table without a caption"), ("<p>&#0;\0</p>", "line 1: a character that no page may have"),
        ("<p id=a></p><p id=a></p>", "the id 'a' stands 2 times"), ("<script>alert(1)</script>", "a script with text"),
        ("<p><math><mi>x</mi></math></p>", "a formula is called ''"),
        ("<script>let a = '<b>'; if (a < 1 && b) c()</script>", "a script with text"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(text: str, problem: str) -> None:
    assert problem in read(text).problems


AS_NOBODY_WRITES = [
    "<textarea><b></textarea>",
    "<title><b></title>",
    "<p a=x>",
    "<P>x</P>",
    "a < b",
    "<p",
    "<p a='>",
    "</p >",
]


@pytest.mark.parametrize("text", AS_NOBODY_WRITES)
def test_what_is_not_written_as_ours_is_left_to_html_parser(text: str) -> None:
    assert not _Reader().plain(text)
