"""How a reader looks at a lesson: grain, notation, decimals, iteration, presentation, changed
numbers. All of it in the address.

`read` takes a query apart. What makes no sense there is never an error of its own: a page shows the
rest and says what it ignored; a file, which could not say so, is refused with all of it
(`tutor.web.site`). `address` writes the shortest address for a step: what the lesson shows anyway
is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple
from urllib.parse import quote, quote_plus, urlencode

from tutor import number, suggestion
from tutor.lesson import changeable, changes
from tutor.lesson.by_hand import FEWEST, MOST
from tutor.lesson.changes import Changes
from tutor.lesson.opening import PAPER, no_paper
from tutor.lesson.walk import GRAINS, furthest
from tutor.notation.conventions import PRESETS
from tutor.number import MAX_DECIMALS
from tutor.scenario.reader import AnyScenario, Scenario

MOST_PATH = 9_999
"""The highest number of a path that an address may ask for."""
ALL_LAYERS = "all"
"""What an address calls all layers of a network together."""
MOST_NOTICES = 5
"""How many of them a page shows, so that they do not bury it."""
KNOWN = frozenset(
    {
        "grain",
        "notation",
        "decimals",
        "iteration",
        "input_gradients",
        "scaling",
        "present",
        "paper",
    }
)
EXPORT = frozenset({"kind", "phases", "blanks", "seed", "version", "versions", "do"})
"""What an export asks for beside a view; `do` is the button of its form."""
REPEATABLE = frozenset({"phases"})
"""What may stand in an address several times."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A part of an address that makes no sense. `str(ignored)` is what a page says, `reason` what
    is said of a file.
    """

    what: str
    so: str = ""
    """What a page shows in its place."""
    right: str = ""
    """What would be right, as sentences of their own."""
    field: str = ""
    """The field of a form that it was typed into, where it can be typed."""

    def __str__(self) -> str:
        return self._said(f"{self.what}, so {self.so}" if self.so else self.what)

    @property
    def reason(self) -> str:
        return self._said(self.what)

    def _said(self, what: str) -> str:
        return f"{what}. {self.right}" if self.right else f"{what}."


IGNORED = "it is ignored"
NOT_IN_FILES = Ignored("A file has every number at full precision, not as on paper", IGNORED)
SAFE = "/[],@+"
"""What the names of quantities have, and addresses may have."""


class AskedKeys(NamedTuple):
    """What the address of a question calls what it has beside the view and the step."""

    via: str = "via"
    size: str = "h"
    at: str = "at"
    of: str = "of"
    """The number of the check whose error is drawn."""
    layout: str = "layout"
    """Of Jacobians."""


@dataclass(frozen=True, slots=True)
class View:
    """One reader's choices; "" and None stand for the lesson's own."""

    grain: str = "number"
    notation: str = ""
    decimals: int | None = None
    iteration: int = 1
    changes: Changes = ()
    """What the reader put in place of the lesson's own numbers, loss and activations."""
    present: bool = False
    input_gradients: bool | None = None
    """Whether the derivatives with respect to the inputs are steps."""
    paper: int = 0
    """To how many decimals every number is rounded and carried on; 0 for full precision."""
    scaling: bool = False
    """Whether a lesson that scales its inputs begins with the steps that do it. Left out of an
    address it does not, so that step 5 of an older address is still the step that it was; the doors
    of a lesson ask for it (`from_raw`).
    """
    embedded: bool = False
    """Whether the page stands in a frame on another site. Not in the query: the path says it,
    /embed/lessons/…
    """
    asked: ClassVar[AskedKeys] = AskedKeys()

    def query(self) -> str:
        """The choices that differ from the lesson's own, as a query."""
        chosen: dict[str, Any] = {}
        if self.grain != "number":
            chosen["grain"] = self.grain
        if self.notation:
            chosen["notation"] = self.notation
        if self.decimals is not None:
            chosen["decimals"] = self.decimals
        if self.iteration != 1:
            chosen["iteration"] = self.iteration
        if self.input_gradients is not None:
            chosen["input_gradients"] = "yes" if self.input_gradients else "no"
        if self.paper:
            chosen["paper"] = self.paper
        if self.scaling:
            chosen["scaling"] = "steps"
        if self.present:
            chosen["present"] = "yes"
        return "&".join(part for part in (urlencode(chosen), changes.query(self.changes)) if part)

    def from_raw(self, scenario: AnyScenario) -> View:
        """The same, beginning with the steps that scale the inputs where the scenario scales any:
        how a walk begins.
        """
        scales = isinstance(scenario, Scenario) and scenario.data.scale is not None
        return replace(self, scaling=True) if scales and not self.scaling else self

    def root(self, lesson: str) -> str:
        """What the addresses of all pages of a lesson begin with."""
        return f"/lessons/{quote(lesson)}"

    def step(self, n: int, **other: Any) -> str:
        """The address of step n, relative to any step of the same lesson."""
        query = (replace(self, **other) if other else self).query()
        return f"{n}?{query}" if query else str(n)

    def address(self, lesson: str, n: int | str | None = None, **other: Any) -> str:
        """The address of step n of a lesson (or of its first page) under this view."""
        query = (replace(self, **other) if other else self).query()
        frame = "/embed" if self.embedded else ""
        path = f"{frame}{self.root(lesson)}" + (f"/steps/{n}" if n is not None else "")
        return joined(path, query)

    def quantity(
        self, lesson: str, name: str = "", step: int | None = None, via: Iterable[str] = ()
    ) -> str:
        """The address of a number of a lesson, or of the list of those of a step: asked from step
        `step`, on a way by the numbers `via`.
        """
        path = f"{self.root(lesson)}/quantities" + (f"/{quote(name)}" if name else "")
        way = quote_plus(" ".join(via))
        return joined(
            path,
            replace(self, present=False).query(),
            f"step={step}" if step else "",
            f"{self.asked.via}={way}" if way else "",
        )

    def with_changes(self, after: Changes, scenario: AnyScenario) -> View:
        """The view of a lesson, whose own numbers are in `scenario`, with other changes."""
        return replace(self, changes=after)

    def check(self, lesson: str) -> str:
        """The address of the check of all gradients."""
        query = replace(self, present=False, grain="number", paper=0).query()
        return joined(f"{self.root(lesson)}/check", query)

    def files(self, lesson: str) -> str:
        """The address of the export page, without a query; the files are below it."""
        return f"{self.root(lesson)}/export"

    def export(self, lesson: str) -> str:
        """The address of the export page under this view."""
        return joined(self.files(lesson), replace(self, present=False, paper=0).query())

    def training(self, lesson: str) -> str:
        """The address of the lesson's training under this view."""
        query = replace(self, iteration=1, present=False, paper=0).query()
        return joined(f"{self.root(lesson)}/training", query)

    def paths(self, lesson: str, name: str = "") -> str:
        """The address of the paths from a number to the loss; without a name that of the form that
        asks for one.
        """
        path = f"{self.root(lesson)}/paths" + (f"/{quote(name, safe=SAFE)}" if name else "")
        return joined(path, self.bare.query() if name else "")

    def on_paper(self, lesson: str, paper: int | None = None) -> str:
        """The address of the comparison of a lesson as on paper with full precision."""
        view = replace(self.bare, paper=self.paper if paper is None else paper)
        return joined(f"{self.root(lesson)}/paper", view.query())

    def jacobians(self, lesson: str, of: int | str, asked: str = "") -> str:
        """The address of the matrix calculus of a layer, or of a node; `asked` is what a query asks
        of it.
        """
        return joined(f"{self.root(lesson)}/jacobians/{of}", asked, self.bare.query())

    def both_routes(self, lesson: str, sample: int = 1, unit: int = 1) -> str:
        """The address of both routes to the error signal of an output."""
        asked = "&".join(f"{k}={n}" for k, n in (("sample", sample), ("unit", unit)) if n > 1)
        return joined(f"{self.root(lesson)}/both-routes", asked, self.bare.query())

    def layer_graph(self, lesson: str, opened: Iterable[int | str] = (), sample: int = 1) -> str:
        """The address of the computation graph of a network, with the units of some layers, or of
        ALL_LAYERS.
        """
        layers = ",".join(map(str, opened))
        asked = (f"open={layers}" if layers else "", f"sample={sample}" if sample > 1 else "")
        return joined(f"{self.root(lesson)}/graph", *asked, self.bare.query())

    @property
    def bare(self) -> View:
        """The view of a page beside the steps, which has neither grain nor projector."""
        return replace(self, grain="number", present=False, embedded=False)

    def share(self, lesson: str, n: int | None = None, *, large: bool = False) -> str:
        """The address of the page with the links and the QR code of a lesson, or of its step n;
        `large` is the code alone.
        """
        return joined(
            f"{self.root(lesson)}/share",
            f"step={n}" if n is not None else "",
            replace(self, present=large).query(),
        )

    def file(self, lesson: str) -> str:
        """The address of the lesson's file, with the reader's changes."""
        return joined(f"{self.root(lesson)}/scenario.yaml", changes.query(self.changes))

    def edit(self, lesson: str) -> str:
        """The address of the builder with a copy of the lesson, with the reader's changes."""
        return joined("/build", f"from={quote(lesson)}", changes.query(self.changes))


def read(
    query: Mapping[str, str], scenario: Scenario, also: frozenset[str] = frozenset()
) -> tuple[View, tuple[str, ...]]:
    """The view that a query asks for, and a notice for each of the first parts of it that were
    ignored.
    """
    view, ignored = examined_query(query, scenario, also)
    return view, first_notices(tuple(map(str, ignored)))


def examined_query(
    query: Mapping[str, str], scenario: Scenario, also: frozenset[str] = frozenset()
) -> tuple[View, tuple[Ignored, ...]]:
    """The view that a query asks for, and everything in it that makes no sense."""
    notices: list[Ignored] = []
    own = View()
    grain = choice(query, "grain", GRAINS, own.grain, notices)
    notation = choice(query, "notation", tuple(PRESETS), "", notices)
    decimals = whole(query, "decimals", 0, MAX_DECIMALS, None, notices)
    iteration = whole(query, "iteration", 1, furthest(scenario), 1, notices)
    inputs = {"yes": True, "no": False}.get(
        choice(query, "input_gradients", ("yes", "no"), "", notices)
    )
    scaling = choice(query, "scaling", ("steps", "given"), "given", notices) == "steps"
    if scaling and scenario.data.scale is None:
        notices.append(Ignored("This lesson does not scale its inputs", "there are no such steps"))
    present = choice(query, "present", ("yes", "no"), "no", notices) == "yes"
    paper = paper_asked(query, scenario, notices)
    changed, ignored = changes.read(query, scenario)
    notices += [Ignored(text.removesuffix(".")) for text in ignored]
    notices += repeated(query, changeable.known)
    strange = (
        key for key in query if key not in KNOWN and key not in also and not changeable.known(key)
    )
    notices += [
        Ignored(
            f"“{short(key)}” is not a setting of a lesson",
            IGNORED,
            _near(key, scenario, KNOWN | also),
        )
        for key in strange
    ]
    view = View(
        grain,
        "" if notation == scenario.notation.preset else notation,
        None if decimals == scenario.display.decimals else decimals,
        iteration or 1,
        changed,
        present,
        None if inputs == scenario.display.input_gradients else inputs,
        paper,
        scaling and scenario.data.scale is not None,
    )
    return view, tuple(notices)


def paper_asked(query: Mapping[str, str], scenario: AnyScenario, notices: list[Ignored]) -> int:
    """To how many decimals a query asks to round; 0 for full precision."""
    paper = whole(query, PAPER, FEWEST, MOST, 0, notices) or 0
    if paper and (why := no_paper(scenario)):
        notices.append(Ignored(why[:1].upper() + why[1:], "it is shown at full precision"))
        return 0
    return paper


def first_notices(notices: tuple[str, ...]) -> tuple[str, ...]:
    """The first few notices; the last says how many more there are, where there are more."""
    if len(notices) <= MOST_NOTICES:
        return notices
    return (
        *notices[: MOST_NOTICES - 1],
        f"{len(notices) - MOST_NOTICES + 1} more parts of the address are ignored.",
    )


def repeated(query: Mapping[str, str], changes_it: Callable[[str], bool]) -> Iterator[Ignored]:
    """Settings that stand in an address more than once; `changes` looks at the changes."""
    for key in query:
        if (
            key not in REPEATABLE
            and not changes_it(key)
            and len(changes.all_values(query, key)) > 1
        ):
            yield Ignored(
                f"“{short(key)}” appears in the address more than once", "the first one counts"
            )


def joined(path: str, *query: str) -> str:
    """An address with the parts of its query that are there."""
    return "?".join(part for part in (path, "&".join(filter(None, query))) if part)


def choice(
    query: Mapping[str, str],
    key: str,
    choices: tuple[str, ...],
    default: str,
    notices: list[Ignored],
) -> str:
    """One of some words of a query; nonsense is the default, with a notice."""
    text = query.get(key, "").strip()
    if not text or text in choices:
        return text or default
    notices.append(unknown(key, text, choices, "the lesson keeps its own"))
    return default


def unknown(key: str, text: str, choices: Iterable[str], so: str) -> Ignored:
    """A word that is none of the choices."""
    known = tuple(choices)
    right = f"{_asked(suggestion.meant(text, known))} Choices: {', '.join(known)}."
    return Ignored(f"{key} “{short(text)}” is not known", so, right.strip())


def _near(key: str, scenario: Scenario, known: Iterable[str]) -> str:
    """The setting or the part of the lesson that is probably meant."""
    return _asked(changeable.meant(key, scenario) or suggestion.meant(key, sorted(known)))


def unknown_setting(key: str, known: Iterable[str]) -> str:
    """The setting that is probably meant, as a question."""
    return _asked(suggestion.meant(key, sorted(known)))


def _asked(meant: str) -> str:
    return f"Did you mean {meant}?" if meant else ""


def whole(
    query: Mapping[str, str],
    key: str,
    least: int,
    most: int,
    default: int | None,
    notices: list[Ignored],
) -> int | None:
    """A whole number of a query; nonsense is the default, with a notice."""
    text = query.get(key, "").strip()
    if not text:
        return default
    value = number.whole(text, least, most)
    if value is not None:
        return value
    said = number.not_whole(text, least, most)
    notices.append(Ignored(f"{key} “{short(text)}” {said}", IGNORED, field=key))
    return default


def short(text: str) -> str:
    """A text of an address as a message quotes it."""
    shown = "".join(c for c in text if c.isprintable())[:40]
    return shown + ("…" if len(text) > 40 else "")
