"""What the routes of all pages share: finding a lesson, reading the address, pages and fragments.

    site = Site(library)
    context, notices = site.opened("1-2-3-1-sigmoid")      # or 404 with the reason

The routes themselves are in `app.py` and in the modules `routes_…`; each of those has `add(app,
site)`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from sys import getsizeof
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from flask import Response, render_template, request
from jinja2.compiler import CodeGenerator

from tutor import number
from tutor.errors import TutorError
from tutor.export import registry
from tutor.export.registry import ExportOrder
from tutor.lesson.graph_words import explain_stop
from tutor.memo import Kept, Memo
from tutor.notation.markup import Markup, trusted, written
from tutor.pages import view
from tutor.pages.context import AnyContext, Context
from tutor.pages.error_page import NO_LESSON, Missing, Unreadable
from tutor.pages.faces import face
from tutor.pages.front import neuron_lesson
from tutor.pages.graph_context import GraphContext
from tutor.pages.panels import Panels
from tutor.pages.view import Ignored, View, joined
from tutor.scenario.problem import quotable
from tutor.scenario.reader import AnyScenario, GraphScenario, Scenario
from tutor.store.saving import Saving
from tutor.web.caching import OPENED, Caching, may_keep
from tutor.web.library import MEGABYTE, ByContent, Library

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment
    from jinja2 import Environment
    from werkzeug.datastructures import Headers


PAGES = 16 * MEGABYTE
"""What a worker keeps of whole pages: some hundreds, as when a class opens its lesson."""
SHORT = 200
"""Queries up to so many bytes are read once."""


@dataclass(frozen=True, slots=True)
class StepText:
    """A step as text: the same in page and fragment."""

    title: str
    head: str
    """What a fragment has before the step: the document's title, and what the live region says."""
    body: Markup

    def __len__(self) -> int:
        """About how many bytes it takes."""
        return getsizeof(self.head) + getsizeof(self.body)

    @property
    def fragment(self) -> str:
        """What htmx swaps in."""
        return f"{self.head}\n{self.body}"


@dataclass(frozen=True, slots=True)
class Site:
    """What the routes work with."""

    library: Library[StepText]
    saving: Saving = field(default_factory=Saving)
    caching: Caching = field(default_factory=lambda: Caching(""))
    views: Memo = field(default_factory=Memo)
    """What addresses ask for: the same query stands behind every step of a walk."""
    pages: Kept = field(default_factory=lambda: Kept(PAGES, len))
    """Whole pages by their ETags, which say all that they depend on."""

    def found(self, lesson: str) -> AnyScenario:
        """The scenario of an address, or 404 with the way back."""
        scenario = self.library.find(lesson)
        if scenario is None:
            raise Missing(f"{NO_LESSON} called “{quotable(lesson, 80)}”.")
        return scenario

    def network(self, lesson: str) -> Scenario:
        """The same where only a network has such a page."""
        scenario = self.found(lesson)
        if not isinstance(scenario, Scenario):
            raise Missing(NO_NETWORK)
        return scenario

    def here(self) -> str:
        """Where the tutor is, as its links say: https://tutor.example."""
        return self.caching.here(request)

    def tag(self) -> str:
        """The ETag of the answer to this request, before it is made; "" where it has none."""
        if not may_keep(request):
            return ""
        lesson = (request.view_args or {}).get("lesson")
        scenario = self.library.find(lesson) if lesson else None
        if lesson and (scenario is None or not scenario.mark):
            return ""
        mark = scenario.mark if scenario else ""
        part = "fragment" if wants_fragment() else "page"
        return self.caching.tag(request, mark, self.library.shelf.mark, part)

    def again(self, tag: str) -> Response | None:
        """The page that was made for the same address before, if it is still there."""
        page = self.pages.get(tag) if tag and opens() else None
        return None if page is None else Response(page)

    def keep(self, tag: str, response: Response) -> None:
        """Keep a page that others will open too."""
        if tag and response.status_code == 200 and opens():
            self.pages.keep(tag, response.get_data())

    def unready(self, wait: float) -> list[tuple[str, str]]:
        """What cannot be used now, each with the reason; the store has `wait` seconds to answer."""
        shelf, store = self.library.shelf, self.saving.store
        found = []
        if shelf.broken and not shelf.lessons:
            found.append(("shelf", "no lesson could be read"))
        if store is not None and (trouble := store.trouble(wait)):
            found.append(("store", trouble))
        return found

    def origin(self, scenario: AnyScenario) -> AnyScenario | None:
        """The lesson that a lesson was made from, where it is still there and can be reached."""
        try:
            return self.library.find(scenario.origin) if scenario.origin else None
        except TutorError:
            return None

    def neuron(self) -> Context | None:
        """The lesson that the first page draws; None where the shelf has none that can be drawn."""
        scenario = neuron_lesson(self.library.shelf)
        try:
            return self.library.network(scenario, View()) if scenario else None
        except TutorError:
            return None

    def opened(
        self, lesson: str, also: frozenset[str] = frozenset(), **fixed: Any
    ) -> tuple[AnyContext, tuple[str, ...]]:
        """A lesson under the view that the address asks for, and what of the address was ignored.

        `also` names what else may stand in the address; `fixed` are choices that the page makes in
        place of the reader.
        """
        return self._opened(self.found(lesson), also, fixed)

    def opened_network(
        self, lesson: str, also: frozenset[str] = frozenset(), **fixed: Any
    ) -> tuple[Context, tuple[str, ...]]:
        """The same where only a network has such a page."""
        context, notices = self._opened(self.network(lesson), also, fixed)
        assert isinstance(context, Context)
        return context, notices

    def opened_graph(self, lesson: str) -> tuple[GraphContext, tuple[str, ...]]:
        """The same where only a formula has such a page, and only one that is walked to its end."""
        scenario = self.found(lesson)
        if not isinstance(scenario, GraphScenario):
            raise Missing(NO_GRAPH)
        context, notices = self._opened(scenario, fixed={"paper": 0})
        assert isinstance(context, GraphContext)
        whole(context)
        return context, notices

    def _opened(
        self,
        scenario: AnyScenario,
        also: frozenset[str] = frozenset(),
        fixed: Mapping[str, Any] = MappingProxyType({}),
    ) -> tuple[AnyContext, tuple[str, ...]]:
        wanted, notices = self._read(scenario, also)
        wanted = replace(wanted, **fixed) if fixed else wanted
        try:
            return self.library.context(scenario, wanted), notices
        except TutorError as error:
            raise Missing(str(error)) from None

    def _read(self, scenario: AnyScenario, also: frozenset[str]) -> tuple[View, tuple[str, ...]]:
        """The view that the address asks for, and what of the address was ignored."""
        found: tuple[View, tuple[str, ...]] = self.read_once(
            (ByContent(scenario), also), lambda: self._wanted(scenario, also)
        )
        return found

    def read_once(self, key: Hashable, read: Callable[[], Any]) -> Any:
        """What `read` reads from the query; one that is short is read once."""
        query = request.query_string
        return read() if len(query) > SHORT else self.views.once((key, query), read)

    def _wanted(self, scenario: AnyScenario, also: frozenset[str]) -> tuple[View, tuple[str, ...]]:
        wanted, ignored = face(scenario).read(request.args, scenario, also)
        return wanted, view.first_notices(tuple(map(str, ignored)))

    def ordered(self, lesson: str) -> tuple[AnyContext, ExportOrder, tuple[Ignored, ...]]:
        """A lesson under a view, what of it is to be exported, and what makes no sense there."""
        scenario = self.found(lesson)
        wanted, ignored = face(scenario).read(request.args, scenario, view.EXPORT)
        if wanted.paper:
            wanted, ignored = replace(wanted, paper=0), (*ignored, view.NOT_IN_FILES)
        phases = tuple(request.args.getlist("phases"))
        order, more = registry.read(request.args, phases, scaled=wanted.scaling)
        try:
            return self.library.context(scenario, wanted), order, (*ignored, *more)
        except TutorError as error:
            raise Missing(str(error)) from None

    def changed(
        self, lesson: str, also: frozenset[str] = frozenset()
    ) -> tuple[AnyScenario, tuple[Ignored, ...]]:
        """A lesson with the changes in the address, and what in the address makes no sense."""
        scenario = self.found(lesson)
        wanted, ignored = face(scenario).read(request.args, scenario, also)
        return face(scenario).changed(scenario, wanted.changes), ignored


def onward(context: AnyContext, n: int, notices: tuple[str, ...]) -> str:
    """The address of a step that another address leads to; what makes no sense stays in it, so that
    the step's page can say so.
    """
    address = context.address(n)
    return as_asked(address) if notices else address


def as_asked(address: str) -> str:
    """Another address with the query of this request."""
    query = request.query_string.decode("ascii", "ignore")
    return joined(address.partition("?")[0], query)


def whole(context: GraphContext) -> None:
    """404 where a formula is not walked to its end."""
    if context.lesson.stop:
        raise Missing(explain_stop(context.trace, context.lesson.stop))


# A page shows what it can and says what it ignored; a file that is not what was asked for is no
# file at all.


def as_notices(ignored: tuple[Ignored, ...]) -> tuple[str, ...]:
    """What a page says of an address that makes no sense in parts: no more than leaves the page to
    be seen.
    """
    return tuple(map(str, ignored[: view.MOST_NOTICES]))


def refuse(ignored: tuple[Ignored, ...]) -> None:
    """Refuse to make a file where its address makes no sense in parts, with all of them."""
    if ignored:
        raise Unreadable(NO_FILE, [one.reason for one in ignored])


NO_NETWORK = (
    "This lesson is a formula, and only networks have such a page. "
    "Its steps, its exports and its file are there."
)
NO_GRAPH = "Only formulas have such a page; this lesson is a network."
NO_FILE = (
    "The file was not made, because its address asks for something that this lesson cannot give:"
)


def step_number(context: AnyContext, text: str) -> int:
    """The number of a step, or 404 with the range; a lesson that a reader's changes made shorter is
    shown at its end.
    """
    total = len(context.walk)
    n = number.whole(text, 1, number.MOST_WHOLE) or 0
    if context.view.changes and n > total:
        return total
    if not 1 <= n <= total:
        raise Missing(
            f"This lesson has steps 1 to {total}; there is no step “{quotable(text, 20)}”."
        )
    return n


def cut_short(context: AnyContext, text: str) -> tuple[str, ...]:
    """What is said where an address leads behind the end of a changed lesson."""
    total = len(context.walk)
    if text == str(step_number(context, text)) or int(text) <= total:
        return ()
    said = f"With your changes this lesson ends at step {total}, so there is no step {int(text)}"
    return (f"{said}; this is the last one.",)


class Elsewhere(Response):
    """A redirect whose address keeps its brackets, which are allowed in practice and easier to read
    than %5B.
    """

    def __init__(self, address: str, status: int) -> None:
        super().__init__(status=status)
        self.address = address

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        headers = super().get_wsgi_headers(environ)
        headers["Location"] = self.address
        return headers


def wants_fragment() -> bool:
    """Whether htmx asks for a part of a page; a history restore asks for the whole, and so does who
    takes a part of it himself.
    """
    headers = request.environ
    whole = headers.get("HTTP_HX_REQUEST_TYPE") == "full"
    restored = "HTTP_HX_HISTORY_RESTORE_REQUEST" in headers
    return "HTTP_HX_REQUEST" in headers and not (whole or restored)


class _Escaping(CodeGenerator):
    """Templates that escape like all others, but do not make an object of markup of each text."""

    def _output_child_pre(self, *_: Any) -> None:
        self.write("environment.written(")


def opens() -> bool:
    """Whether a whole page is asked for that a class opens together."""
    return request.endpoint in OPENED and request.method == "GET" and not wants_fragment()


TEMPLATES = "_fragment", "_step"
RenderStep = Callable[[AnyContext, int, tuple[str, ...]], StepText]


def step_renderer(environment: Environment) -> RenderStep:
    """What gives the text of a step. Its templates know their page alone and need nothing of Flask,
    so they are spared the names that Flask's other templates have: looking those up takes longer
    than to fill in a page.
    """
    bare = environment.overlay()
    bare.globals = {}
    bare.code_generator_class = _Escaping
    bare.extend(written=written)

    def render_step(context: AnyContext, n: int, notices: tuple[str, ...]) -> StepText:
        content = face(context.source).step(context, n, notices)
        template = bare.get_template
        head, body = (template(f"{name}.html").render(page=content) for name in TEMPLATES)
        return StepText(content.document, head, trusted(body))

    return render_step


def whole_page(text: StepText, beside: Panels) -> str:
    """The page around a step; its title is the fragment's own."""
    return render_template("step.html", title=text.title, fragment=text.body, panels=beside)


def framed_page(text: StepText) -> str:
    """The page around a step in a frame on another site: without panels."""
    return render_template("embed.html", title=text.title, fragment=text.body)
