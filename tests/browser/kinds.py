"""Every kind of page and of step: `pages()` and `steps(grain)`, found in the lessons themselves so
that none is forgotten.

Two steps of one lesson are of one kind when they make the same kind of quantity in the same phase,
with the same sort of derivative (a softmax's is another one) and both or neither for one sample of
several. The last step is a kind of its own.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tutor.engine.quantity import Quantity
from tutor.lesson.graph_lesson import GraphLesson, open_graph
from tutor.lesson.walk import Lesson, Walk, open_lesson
from tutor.notation.conventions import PRESETS
from tutor.scenario import reader
from tutor.scenario.reader import GraphScenario

SCENARIOS = Path(__file__).parents[2] / "scenarios"
NOTATIONS = tuple(PRESETS)


@cache
def lessons() -> tuple[Lesson, ...]:
    """Every lesson that comes with the tutor."""
    return tuple(open_lesson(reader.load(path)) for path in sorted(SCENARIOS.glob("*.yaml")))


@cache
def trainings() -> tuple[Lesson, ...]:
    """Every lesson that goes through many iterations, the shortest walks first."""
    files = sorted((SCENARIOS / "training").glob("*.yaml"))
    found = [open_lesson(reader.load(path)) for path in files]
    return tuple(sorted(found, key=lambda lesson: len(lesson.walk("number"))))


@cache
def formulas() -> tuple[GraphLesson, ...]:
    """Every lesson that walks through a formula."""
    files = [
        file for name in ("graphs", "operations") for file in (SCENARIOS / name).glob("*.yaml")
    ]
    read = [reader.load(file) for file in sorted(files)]
    return tuple(open_graph(found) for found in read if isinstance(found, GraphScenario))


def pages() -> Iterator[str]:
    """The address of every kind of page that is not a step; every lesson's first page."""
    yield from (
        "/",
        "/problems",
        "/activations",
        "/activations?z=two&slope=-1",
        "/activations?z=40&logits=1,2,3",
        "/glossary",
        "/style",
    )
    for lesson in lessons():
        yield f"/lessons/{lesson.scenario.id}"
        if lesson.scenario.printed:
            yield f"/lessons/{lesson.scenario.id}/slides"
            yield f"/lessons/{lesson.scenario.id}/slides?show=slips"
    yield from (
        "/lessons/1-2-3-1-sigmoid/steps/33/chain",
        "/lessons/3-2-3-softmax/paths/w[1][1,1]?path=2",
        "/lessons/3-2-3-softmax/jacobians/2?layout=denominator",
        "/lessons/3-2-3-softmax/both-routes",
        "/lessons/1-2-3-1-sigmoid/graph?open=2",
        "/lessons/lifestyle-penalty/graph?scaling=steps&sample=2",
        "/lessons/1-2-3-1-sigmoid/paper?paper=4",
        "/lessons/1-2-3-1-sigmoid/steps/33?paper=4",
        "/lessons/nope",
        "/lessons/1-2-3-1-sigmoid/steps/999",
    )
    yield from (
        "/lessons/1-2-3-1-sigmoid/share?step=7&decimals=6",
        "/lessons/1-2-3-1-sigmoid/share?step=7&present=yes",
    )
    yield from (
        "/embed/lessons/1-2-3-1-sigmoid/steps/33",
        "/embed/lessons/3-2-3-softmax/steps/8?grain=layer",
        "/embed/nothing",
    )
    yield from (
        "/lessons/1-2-3-1-sigmoid/training",
        "/lessons/linear-regression/training?other=5&iterations=90",
        "/lessons/linear-sigmoid/training?iterations=10&at=3&accuracy=0.9",
        "/lessons/one-weight/training?iterations=1",
        "/lessons/batch-descent/training?iterations=12&other_batch=online&slide=20",
        "/lessons/init-he/training?iterations=20&at=0",
        "/lessons/relu-tower-sum/training?iterations=20&at=0",
        "/lessons/overfitting/training?iterations=20",
        "/lessons/perceptron-step/training",
        "/lessons/3-2-3-softmax/training?iterations=x&other=-1&accuracy=2&colour=red",
    )
    yield from (
        "/build",
        "/build?from=3-2-3-softmax&learning_rate=0.25",
        "/build?from=vanishing-gradient",
        "/build?from=nothing",
    )
    yield "/lessons/1-2-3-1-sigmoid/steps/3?grain=zzz&decimals=99&colour=red"
    yield "/lessons/linear-sigmoid/steps/20?loss=half_squared_error&iteration=2"
    yield from (
        "/lessons/1-2-3-1-sigmoid?x[1]=3",
        "/lessons/1-2-3-1-sigmoid/steps/33?x[1]=3&w[2][2,1]=0.5&activation[1]=leaky_relu",
    )
    yield "/lessons/3-2-3-softmax/steps/8?grain=layer&w[1][1,1]=0.7&b[2][1]=abc"
    yield from (
        "/lessons/sigmoid-circuit",
        "/lessons/used-twice/accumulation",
        "/lessons/used-twice/steps/8?x=2&y=abc",
        "/lessons/used-twice/quantities/df/dx?step=8&asked.via=df/dy",
        "/lessons/used-twice/quantities/x?x=2.5",
        "/lessons/used-twice/quantities?step=8&name=z",
        "/lessons/neuron-error/steps/3",
        "/lessons/neuron-error/steps/8?grain=layer",
        "/lessons/vanishing-product/steps/2?grain=pass",
        "/embed/lessons/max-switch/steps/3",
        "/lessons/vanishing-product/paper?paper=3",
        "/lessons/vanishing-product/check",
        "/lessons/neuron-error/steps/13?paper=3",
        "/lessons/attention-head/steps/30?grain=layer&paper=2",
    )
    yield from (
        "/lessons/layer-norm",
        "/lessons/layer-norm/steps/43",
        "/lessons/attention-head/steps/24?grain=layer",
        "/lessons/convolution-2d/steps/2?grain=pass",
        "/lessons/matrix-product/quantities/df/dA[1,2]?step=20",
        "/lessons/recurrent-vector/accumulation",
        "/lessons/element-wise-product/jacobians/y",
        "/lessons/softmax/jacobians/p?jacobians.layout=denominator",
        "/lessons/attention-head/jacobians/S",
        "/lessons/layer-norm-parts/jacobians/m?x[1]=8",
        "/lessons/embedding/export",
        "/lessons/identity/jacobians/nothing",
    )
    yield from (
        "/formula",
        "/formula?expression=a*b%2Bsin(a)&a=2",
        "/formula?expression=a*(b%2B&a=x",
        "/formula?expression=log(a)/b&a=-1",
        "/formula/accumulation?expression=log(a)/b&a=-1",
        "/formula/paper?expression=exp(a)/b&a=1&b=3&paper=2",
        "/formula?expression=sigmoid(9*w)*relu(x)%2Bmax(a,b)&w=1&x=-1&a=2&b=2&paper=3",
        "/formula/steps/14?expression=sigmoid(9*w)*relu(x)%2Bmax(a,b)&w=1&x=-1&a=2&b=2",
        "/formula/jacobians/n1?expression=sum(a*v)&v=[1,2]",
        "/formula/steps/4?expression=sum(v*M)&v=1,2&M=1,2;3,4",
        "/formula/quantities?step=2&name=q&expression=a*b%2Bsin(a)&a=2&b=1",
        "/formula/quantities/df/da?step=8&expression=a*b%2Bsin(a)&a=2&b=1",
        "/formula/quantities/a?nudge.h=0.1&nudge.at=1&expression=a*b%2Bsin(a)&a=2&b=1",
        "/formula/check?expression=a*b%2Bsin(a)&a=2&b=1",
    )


def steps(grain: str) -> list[tuple[str, int]]:
    """(lesson, step) of each kind of step in each lesson, in one grain."""
    return [(lesson.scenario.id, n) for lesson in lessons() for _, n in kinds(lesson.walk(grain))]


def kinds(walk: Walk) -> list[tuple[str, int]]:
    """(kind, first step of this kind) in one lesson; the last step is always there."""
    first: dict[str, int] = {}
    for n in range(1, len(walk) + 1):
        first.setdefault(kind(walk.phase(n), walk.anchor(n)), n)
    return [*first.items(), ("the end", len(walk))]


def kind(phase: str, q: Quantity) -> str:
    """What sort of step makes this quantity."""
    softmax = " of softmax" if q.kind == "da/dz" and q.j else ""
    return f"{phase} {q.kind}{softmax}{' of a sample' if q.sample else ''}"


def across(grain: str) -> list[tuple[str, int]]:
    """(lesson, step) of each kind, once over all lessons, richest lessons first."""
    found: dict[str, tuple[str, int]] = {}
    for lesson in lessons():
        for name, n in kinds(lesson.walk(grain)):
            found.setdefault(
                name if name != "the end" else f"the end of {lesson.scenario.id}",
                (lesson.scenario.id, n),
            )
    return list(found.values())
