"""What the pages of each sort of lesson are made with: the one place that tells networks and
formulas apart. Routes and the library ask here and know no difference.

    face(scenario) -> Face
"""

from __future__ import annotations

from collections.abc import Mapping

from tutor.draw.diagram import draw
from tutor.draw.graph import draw_graph
from tutor.engine.quantity import Quantity
from tutor.engine.training import Training
from tutor.lesson import changes, graph_changes, graph_words
from tutor.lesson.changeable import BadChangeError, part
from tutor.lesson.changeable import known as known_part
from tutor.lesson.changes import Changes
from tutor.lesson.explain import explain
from tutor.lesson.graph_lesson import GraphLesson, open_graph
from tutor.lesson.walk import AnyLesson, Lesson, open_lesson
from tutor.notation.markup import Markup
from tutor.pages import (
    graph_answers,
    graph_overview,
    graph_view,
    network_answers,
    overview,
    view,
)
from tutor.pages.context import AnyContext, Context
from tutor.pages.graph_answers import GraphAnswers
from tutor.pages.graph_context import GraphContext
from tutor.pages.graph_jacobians_page import (
    GraphJacobiansPage,
    first_address,
    graph_jacobians_page,
)
from tutor.pages.graph_panels import graph_choices, graph_panels
from tutor.pages.graph_step import graph_step_page, scene_at
from tutor.pages.graph_view import GraphView
from tutor.pages.jacobians_page import JacobiansPage, jacobians_page, layer_asked, layer_named
from tutor.pages.matrices import layout_asked
from tutor.pages.network_answers import NetworkAnswers
from tutor.pages.overview import LessonPage
from tutor.pages.panels import Choices, Panels, choices, panels
from tutor.pages.quantity_page import Answers
from tutor.pages.quantity_query import Asked
from tutor.pages.step_page import StepPage, step_page
from tutor.pages.view import Ignored, View
from tutor.pages.what_if import NAME, NOTHING, VALUE, same_step
from tutor.scenario.reader import AnyScenario, GraphScenario, Scenario


class Face:
    """What pages need of a lesson, whatever it is made of."""

    plain: View = View()
    """The view in which nothing is chosen."""

    def read(
        self, query: Mapping[str, str], scenario: AnyScenario, also: frozenset[str]
    ) -> tuple[View, tuple[Ignored, ...]]:
        """The view that a query asks for, and everything in it that makes no sense."""
        raise NotImplementedError

    def changed(self, scenario: AnyScenario, made: Changes) -> AnyScenario:
        """The scenario with a reader's changes. Raises ChangeError."""
        raise NotImplementedError

    def lesson(
        self, scenario: AnyScenario, made: AnyScenario, view: View, known: Training | None
    ) -> AnyLesson:
        """The lesson of a scenario with its changes made; `known` is its training, where some
        iterations were run already. Raises LessonError.
        """
        raise NotImplementedError

    def context(
        self, lesson: AnyLesson, view: View, source: AnyScenario, original: AnyLesson | None
    ) -> AnyContext:
        """A lesson under a view."""
        raise NotImplementedError

    def overview(
        self, context: AnyContext, notices: tuple[str, ...], origin: AnyScenario | None
    ) -> LessonPage:
        """The first page of a lesson."""
        raise NotImplementedError

    def step(self, context: AnyContext, n: int, notices: tuple[str, ...]) -> StepPage:
        """The page of a step. Raises LessonError where there is none."""
        raise NotImplementedError

    def panels(
        self,
        context: AnyContext,
        n: int,
        typed: Mapping[str, str] = NOTHING,
        problems: Mapping[str, str] = NOTHING,
    ) -> Panels:
        """What stands beside all steps."""
        raise NotImplementedError

    def wanted(
        self, context: AnyContext, form: Mapping[str, str]
    ) -> tuple[Changes, dict[str, str]]:
        """The changes after a form, or a problem for each field that cannot be taken."""
        raise NotImplementedError

    def same_step(self, context: AnyContext, n: int, other: AnyContext) -> int | None:
        """The step of another context that makes what step n makes; None where it has none."""
        raise NotImplementedError

    def find(self, context: AnyContext, name: str) -> Quantity:
        """The number of this name. Raises UnknownQuantity where the lesson has none."""
        raise NotImplementedError

    def answers(self, context: AnyContext, asked: Asked) -> Answers:
        """What is to be known of its numbers, as far as a question may be told."""
        raise NotImplementedError

    def choices(self, context: AnyContext) -> Choices:
        """The settings with what is chosen."""
        raise NotImplementedError

    def picture(self, context: AnyContext) -> Markup:
        """The lesson as it begins."""
        raise NotImplementedError

    def facts(self, context: AnyContext) -> tuple[tuple[str, str], ...]:
        """What kind of lesson it is: (name, value)."""
        raise NotImplementedError

    def title(self, context: AnyContext, n: int) -> str:
        """What step n computes."""
        raise NotImplementedError

    matrix_settings: frozenset[str] = frozenset()
    """What an address may ask of the Jacobians beside the view."""

    def first_jacobians(self, context: AnyContext) -> str:
        """The address of the Jacobians that one begins with. Raises LessonError where there are
        none.
        """
        raise NotImplementedError

    def jacobians(
        self,
        context: AnyContext,
        name: str,
        query: Mapping[str, str],
        notices: tuple[str, ...],
    ) -> JacobiansPage | GraphJacobiansPage:
        """The Jacobians of a layer or of a node. Raises LessonError where there are none."""
        raise NotImplementedError


class NetworkFace(Face):
    """A network that is trained."""

    def read(
        self, query: Mapping[str, str], scenario: AnyScenario, also: frozenset[str]
    ) -> tuple[View, tuple[Ignored, ...]]:
        return view.examined_query(query, _network(scenario), also)

    def changed(self, scenario: AnyScenario, made: Changes) -> AnyScenario:
        return changes.apply(_network(scenario), made)

    def lesson(
        self, scenario: AnyScenario, made: AnyScenario, view: View, known: Training | None
    ) -> AnyLesson:
        listed = changes.listed(_network(scenario), view.changes)
        inputs, scaling = view.input_gradients, view.scaling
        found = open_lesson(_network(made), view.iteration, listed, inputs, known, scaling)
        return found.on_paper(view.paper) if view.paper else found

    def context(
        self, lesson: AnyLesson, view: View, source: AnyScenario, original: AnyLesson | None
    ) -> AnyContext:
        assert isinstance(lesson, Lesson)
        assert isinstance(original, Lesson | None)
        return Context(lesson, view, source=_network(source), original=original)

    def overview(
        self, context: AnyContext, notices: tuple[str, ...], origin: AnyScenario | None
    ) -> LessonPage:
        return overview.lesson_page(_of_network(context), notices, origin)

    def step(self, context: AnyContext, n: int, notices: tuple[str, ...]) -> StepPage:
        return step_page(_of_network(context), n, notices)

    def panels(
        self,
        context: AnyContext,
        n: int,
        typed: Mapping[str, str] = NOTHING,
        problems: Mapping[str, str] = NOTHING,
    ) -> Panels:
        return panels(_of_network(context), n, typed, problems)

    def wanted(
        self, context: AnyContext, form: Mapping[str, str]
    ) -> tuple[Changes, dict[str, str]]:
        source, now = _of_network(context).source, context.view.changes
        fields = {name: form[name] for name in form if known_part(name)}
        name = form.get(NAME, "").strip()
        if not name:
            after, problems = changes.edited(now, fields, source)
            return after, problems | _missing(form, ", such as w[2][1,3]")
        try:
            name = str(part(name, source))
        except BadChangeError as error:
            return now, {NAME: changes.sentence(str(error))}
        after, problems = changes.edited(now, fields | {name: form.get(VALUE, "")}, source)
        return after, {VALUE if key == name else key: said for key, said in problems.items()}

    def same_step(self, context: AnyContext, n: int, other: AnyContext) -> int | None:
        return same_step(_of_network(context).walk, n, _of_network(other).walk)

    def find(self, context: AnyContext, name: str) -> Quantity:
        return network_answers.find(_of_network(context), name)

    def answers(self, context: AnyContext, asked: Asked) -> Answers:
        return NetworkAnswers(_of_network(context), asked)

    def choices(self, context: AnyContext) -> Choices:
        return choices(_of_network(context))

    def picture(self, context: AnyContext) -> Markup:
        return draw(overview.beginning(_of_network(context)))

    def facts(self, context: AnyContext) -> tuple[tuple[str, str], ...]:
        return overview.facts(_of_network(context))

    def title(self, context: AnyContext, n: int) -> str:
        own = _of_network(context)
        return explain(own.trace, own.walk.anchor(n)).title

    matrix_settings = frozenset({"sample", "layout", "mark"})

    def first_jacobians(self, context: AnyContext) -> str:
        depth = _of_network(context).trace.network.depth
        return context.view.jacobians(context.source.id, depth)

    def jacobians(
        self,
        context: AnyContext,
        name: str,
        query: Mapping[str, str],
        notices: tuple[str, ...],
    ) -> JacobiansPage | GraphJacobiansPage:
        own = _of_network(context)
        layer = layer_named(own, name)
        asked, ignored = layer_asked(own, layer, query)
        return jacobians_page(own, asked, (*notices, *map(str, ignored)))


class GraphFace(Face):
    """A formula that is walked through node by node."""

    plain = GraphView()

    def read(
        self, query: Mapping[str, str], scenario: AnyScenario, also: frozenset[str]
    ) -> tuple[View, tuple[Ignored, ...]]:
        return graph_view.examined(query, _formula(scenario), also)

    def changed(self, scenario: AnyScenario, made: Changes) -> AnyScenario:
        return graph_changes.apply(_formula(scenario), made)

    def lesson(
        self, scenario: AnyScenario, made: AnyScenario, view: View, known: Training | None
    ) -> AnyLesson:
        listed = graph_changes.listed(_formula(scenario), view.changes)
        found = open_graph(_formula(made), listed)
        return found.on_paper(view.paper) if view.paper else found

    def context(
        self, lesson: AnyLesson, view: View, source: AnyScenario, original: AnyLesson | None
    ) -> AnyContext:
        assert isinstance(lesson, GraphLesson)
        assert isinstance(original, GraphLesson | None)
        assert isinstance(view, GraphView)
        return GraphContext(lesson, view, source=_formula(source), original=original)

    def overview(
        self, context: AnyContext, notices: tuple[str, ...], origin: AnyScenario | None
    ) -> LessonPage:
        return graph_overview.graph_page(of_graph(context), notices, origin)

    def step(self, context: AnyContext, n: int, notices: tuple[str, ...]) -> StepPage:
        return graph_step_page(of_graph(context), n, notices)

    def panels(
        self,
        context: AnyContext,
        n: int,
        typed: Mapping[str, str] = NOTHING,
        problems: Mapping[str, str] = NOTHING,
    ) -> Panels:
        return graph_panels(of_graph(context), n, typed, problems)

    def wanted(
        self, context: AnyContext, form: Mapping[str, str]
    ) -> tuple[Changes, dict[str, str]]:
        source, now = of_graph(context).source, context.view.changes
        fields = {name: form[name] for name in form if graph_changes.known(name, source)}
        name = form.get(NAME, "").strip()
        after, problems = graph_changes.edited(
            now, fields | ({name: form.get(VALUE, "")} if name else {}), source
        )
        if name:
            known = graph_changes.known(name, source)
            own = VALUE if known else NAME
            return after, {own if key == name else key: said for key, said in problems.items()}
        return after, problems | _missing(form, "")

    def same_step(self, context: AnyContext, n: int, other: AnyContext) -> int | None:
        found = other.walk.place(context.walk.anchor(n))
        return found if 0 < found <= len(other.walk) else None

    def find(self, context: AnyContext, name: str) -> Quantity:
        return graph_answers.find(of_graph(context), name)

    def answers(self, context: AnyContext, asked: Asked) -> Answers:
        return GraphAnswers(of_graph(context), asked)

    def choices(self, context: AnyContext) -> Choices:
        return graph_choices(of_graph(context))

    def picture(self, context: AnyContext) -> Markup:
        return draw_graph(scene_at(of_graph(context), 0))

    def facts(self, context: AnyContext) -> tuple[tuple[str, str], ...]:
        return graph_overview.facts(of_graph(context))

    def title(self, context: AnyContext, n: int) -> str:
        own = of_graph(context)
        return graph_words.title(own.trace, own.walk.anchor(n))

    matrix_settings = frozenset({GraphView.asked.layout})

    def first_jacobians(self, context: AnyContext) -> str:
        return first_address(of_graph(context))

    def jacobians(
        self,
        context: AnyContext,
        name: str,
        query: Mapping[str, str],
        notices: tuple[str, ...],
    ) -> JacobiansPage | GraphJacobiansPage:
        ignored: list[Ignored] = []
        layout = layout_asked(query, context.view.asked.layout, ignored)
        told = (*notices, *map(str, ignored))
        return graph_jacobians_page(of_graph(context), name, layout, told)


def _missing(form: Mapping[str, str], such_as: str) -> dict[str, str]:
    """What is said where a value has no name."""
    said = {NAME: f"Say which number the value is for{such_as}."}
    return said if form.get(VALUE, "").strip() else {}


def _network(scenario: AnyScenario) -> Scenario:
    assert isinstance(scenario, Scenario)
    return scenario


def _formula(scenario: AnyScenario) -> GraphScenario:
    assert isinstance(scenario, GraphScenario)
    return scenario


def _of_network(context: AnyContext) -> Context:
    assert isinstance(context, Context)
    return context


def of_graph(context: AnyContext) -> GraphContext:
    """The context of a formula."""
    assert isinstance(context, GraphContext)
    return context


_FACES: dict[type[AnyScenario], Face] = {Scenario: NetworkFace(), GraphScenario: GraphFace()}


def face(scenario: AnyScenario) -> Face:
    """What the pages of this lesson are made with."""
    return _FACES[type(scenario)]
