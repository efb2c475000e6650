"""The worked solution as one LaTeX file, to print, to cut up or to paste from.

    document(context, phases) -> chunks of the file, step by step

The file is ASCII and needs only what every TeX installation has (amsmath, amssymb, array, booktabs,
geometry, graphicx, longtable); pdflatex, xelatex and lualatex all take it. The formulas are those
of the page, by the same `tutor.lesson.formula.FormulaWriter`; all free text goes through
`tutor.notation.latex_text.escaped`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tutor import budget
from tutor.engine.derivation import leaf
from tutor.engine.kinds import PHASES
from tutor.engine.quantity import Quantity
from tutor.engine.tree import ArrayRef
from tutor.export.worked import unnamed
from tutor.lesson.changes import told
from tutor.lesson.explain import PHASE_ABOUT, PHASE_TITLES
from tutor.lesson.formula import Formula, FormulaLine, FormulaWriter
from tutor.lesson.slides import OPEN, SlideNumber
from tutor.lesson.titles import capital
from tutor.notation.conventions import turned
from tutor.notation.latex import Latex, LatexLines, aligned, digits
from tutor.notation.latex_text import escaped
from tutor.notation.writer import NUMBERS
from tutor.pages.cells import GAP, some
from tutor.pages.context import Context
from tutor.pages.overview import facts
from tutor.pages.step_body import SlideView, StepBody, step_body
from tutor.scenario.reader import AnyScenario

PREAMBLE = (
    r"""\documentclass[11pt,a4paper]{article}
\usepackage[margin=21mm]{geometry}
\usepackage{amsmath,amssymb,array,booktabs,graphicx,longtable}
\makeatletter
\newcommand{\step}{\@startsection{subsection}{2}{0pt}{2.4ex plus .8ex minus .2ex}{.6ex}"""
    r"""{\normalfont\normalsize\bfseries\raggedright}}
\newcommand{\layer}[1]{\par\medskip\textbf{#1}\par\nobreak\@nobreaktrue}
\newcommand{\about}[1]{#1\par\nobreak\vspace{1.5ex}\@nobreaktrue}
\makeatother
% \fit{width}{formula} shrinks a formula that no line of this width can hold.
\newsavebox{\fitbox}
\newcommand{\fit}[2]{\sbox{\fitbox}{$\displaystyle #2$}"""
    r"""\ifdim\wd\fitbox>#1\resizebox{#1}{!}{\usebox{\fitbox}}\else\usebox{\fitbox}\fi}
\newsavebox{\headbox}
\newenvironment{remark}[1]{\par\medskip\begingroup\small\leftskip=1.5em\rightskip=1.5em"""
    r"""\noindent\textbf{#1.} }{\par\endgroup\medskip}
\setlength{\parindent}{0pt}\setlength{\parskip}{.5ex plus .3ex}
\setlength{\emergencystretch}{4em}
\setlength{\abovedisplayskip}{6pt plus 2pt minus 2pt}"""
    r"""\setlength{\belowdisplayskip}{6pt plus 2pt minus 2pt}
\setlength{\jot}{5pt}\allowdisplaybreaks[2]
\clubpenalty=10000 \widowpenalty=10000 \displaywidowpenalty=10000 \setcounter{LTchunksize}{1000}
\pagestyle{myheadings}
"""
)
_GRAINS = {"number": "number by number", "layer": "layer by layer", "pass": "phase by phase"}
HEADING = (
    r"""\DeclareRobustCommand{{\heading}}{{\sbox{{\headbox}}{{{}}}%
  \ifdim\wd\headbox>.9\textwidth\resizebox{{.9\textwidth}}{{!}}{{\usebox{{\headbox}}}}"""
    r"""\else\usebox{{\headbox}}\fi}}
\markright{{\heading}}
"""
)
MOST_PARAMETERS = 12
"""Of a layer with more units, or of a unit with more inputs, the update table shows the first and
the last.
"""
SHORTCUT = (
    "A shortcut to the same number: the derivatives of the loss and of the activation function "
    "cancel, and what is left is output minus target."
)
NAMES = "What the names stand for:"


def document(context: Context, phases: tuple[str, ...] = PHASES) -> Iterator[str]:
    """A whole lesson, or some of its phases, as a .tex file in chunks."""
    lines = LatexLines(context.alphabet, context.decimals, context.hidden, context.trace)
    formulas = FormulaWriter(
        context.trace, context.alphabet, context.decimals, context.hidden, lines
    )
    yield opening(context.lesson.scenario, _source(context))
    yield from _given(context, lines)
    yield from budget.foreseen(_phases(context, phases, formulas, lines), len(context.walk))
    yield "\n\\end{document}\n"


def _phases(
    context: Context, phases: tuple[str, ...], formulas: FormulaWriter, lines: LatexLines
) -> Iterator[str]:
    for phase, first, last in context.walk.phases():
        if phase in phases:
            numbered = context.walk.grain != "pass"
            about = escaped(PHASE_ABOUT[phase])
            yield f"\n\\section*{{{PHASE_TITLES[phase]}}}\n" + (
                f"\\about{{{about}}}\n" if numbered else f"{about}\n"
            )
            for n in range(first, last + 1):
                yield step_text(step_body(context, n, formulas), numbered=numbered)
            if phase == "update":
                yield from _update_table(context, lines)


def opening(scenario: AnyScenario, source: str) -> str:
    """The head of a document; `source`, which is escaped already, says what it was made from."""
    title = escaped(scenario.title)
    course = (
        f"{{\\raggedright\\large {escaped(scenario.source)}\\par}}\n" if scenario.source else ""
    )
    about = f"{escaped(scenario.about)}\\par\n" if scenario.about else ""
    return (
        f"% {source}\n{PREAMBLE}{HEADING.format(title)}"
        "\\begin{document}\n\\thispagestyle{plain}\n"
        f"{{\\raggedright\\LARGE\\bfseries {title}\\par}}\n{course}"
        f"{{\\raggedright\\small\\itshape {source}\\par}}\n\\medskip\n{about}"
    )


def _source(context: Context) -> str:
    """What the document was made from, in one line."""
    lesson, digits_shown = (
        context.lesson,
        f"{context.decimals} decimal{'s' * (context.decimals != 1)}",
    )
    said = (
        f"Made from the lesson {lesson.scenario.id}, "
        f"iteration {lesson.iteration}, {_GRAINS[context.walk.grain]}, "
    )
    said += f"notation “{context.notation.title}”, {digits_shown}."
    said += f" {context.batch}" if context.batch else ""
    said += f" It differs from the lecture: {context.variant}." if context.variant else ""
    return escaped(
        " ".join(part for part in (said, told(lesson.changes), unnamed(context)) if part)
    )


def _given(context: Context, lines: LatexLines) -> Iterator[str]:
    """The facts of the lesson, and the matrices that it starts from, as many on a line as fit."""
    yield "\n\\section*{What is given}\n\\begin{tabular}{@{}ll@{}}\n"
    for name, value in facts(context):
        yield f"{escaped(name)} & {escaped(value)} \\\\\n"
    yield "\\end{tabular}\\par\\medskip\n{\\raggedright\\lineskip=8pt\\lineskiplimit=4pt\n"
    writer = Latex(context.alphabet, context.decimals, NUMBERS, context.hidden, context.trace)
    for found in _given_matrices(context):
        made = turned(found, context.notation)
        symbol = lines.matrix(made.kind, made.layer)
        yield f"$\\displaystyle {symbol} = {writer.matrix(made)}$\\hspace{{2em}}\n"
    eta = digits(context.trace.eta, context.decimals)
    yield f"${lines.quantity(Quantity('eta'))} = {eta}$\\par}}\n"


def _given_matrices(context: Context) -> Iterator[ArrayRef]:
    trace = context.trace
    yield leaf(trace, "raw" if trace.statistics else "x", 0)
    for layer in range(1, trace.network.depth + 1):
        yield leaf(trace, "w", layer)
        if trace.network.layer(layer).biases is not None:
            yield leaf(trace, "b", layer)
    yield leaf(trace, "y", 0)


def step_text(body: StepBody, *, numbered: bool) -> str:
    """One step: heading, why, formulas, what the slides have to say."""
    parts = (
        [f"\n\\step*{{Step {body.n}. {escaped(body.title)}}}\n{escaped(body.why)}\n"]
        if numbered
        else []
    )
    if body.term:
        word, meaning = body.term
        parts.append(f"\\emph{{{escaped(capital(word))}}}: {escaped(meaning)}.\n")
    parts.append(f"{escaped(body.brief)}\\par\n" if body.brief else "")
    for part in body.parts:
        formulas = [(f.left, map(_line, f.lines)) for f in part.formulas if f.lines]
        parts.append(f"\\layer{{{escaped(part.title)}}}\n" if part.title else "")
        parts.append(aligned(formulas) if formulas else "")
    remark = f"{body.remark.heading} {body.remark.text}" if body.remark else ""
    parts += [f"{escaped(text)}\\par\n" for text in (body.stop, remark) if text]
    parts += [_way(f.left, f.stable) for f in body.formulas if f.stable]
    parts += [_shortcut(f) for f in body.formulas if f.shortcut]
    parts += [_names(f) for f in body.formulas if f.names]
    parts.append(_remark(body.slide.heading, _slide(body.slide)) if body.slide else "")
    parts.append(_remark("Worth knowing", map(escaped, body.notes)))
    return "".join(parts)


def _shortcut(formula: Formula) -> str:
    return f"{escaped(SHORTCUT)}\n" + _way(formula.left, formula.shortcut)


def _names(formula: Formula) -> str:
    """What the names in a formula stand for."""
    named = [(part.left, map(_line, part.lines)) for part in formula.names]
    return f"{escaped(NAMES)}\n" + aligned(named)


def _way(left: str, lines: tuple[FormulaLine, ...]) -> str:
    return aligned([(left, map(_line, lines))])


def _line(line: FormulaLine) -> str:
    """A line in pieces, the note behind its formula."""
    return f"{line.math}\n\\quad \\text{{({escaped(line.note)})}}" if line.note else line.math


def _slide(slide: SlideView) -> Iterator[str]:
    """Where the slide differs, its closed forms and what is remarked on it; numbers that agree need
    no words.
    """
    for entry, symbol in zip(slide.numbers, slide.symbols, strict=True):
        if not entry.agrees:
            yield _difference(entry, " ".join(symbol.split("\n")))
    for text, where, value, _ in slide.closed_forms:
        yield escaped(f"Closed form: {text} = {value}" + (f" ({where})." if where else "."))
    yield from map(escaped, slide.remarks)


def _remark(heading: str, said: Iterable[str]) -> str:
    """Paragraphs below a heading; nothing where there are none."""
    text = "\\par\n".join(said)
    return f"\\begin{{remark}}{{{heading}}}\n{text}\n\\end{{remark}}\n" if text else ""


def _difference(entry: SlideNumber, name: str) -> str:
    left_open = ", which the lecture leaves open or unchanged" if entry.state == OPEN else ""
    said = (
        f"the slide prints {escaped(entry.printed)} for ${name}${left_open}, "
        f"here it is {escaped(entry.ours)}."
    )
    return f"{escaped(entry.where)}: {said} {escaped(entry.why)}"


def _update_table(context: Context, lines: LatexLines) -> Iterator[str]:
    """Every weight and bias: old, gradient, new."""
    rows = [
        row
        for layer in range(context.trace.network.depth, 0, -1)
        for row in _rows(context, lines, layer)
    ]
    if not rows:
        return
    yield "\n\\step*{All weights and biases}\n{\\renewcommand{\\arraystretch}{1.25}\n"
    yield "\\begin{longtable}{@{}l@{\\qquad}r@{\\qquad}r@{\\qquad}r@{}}\n"
    yield "\\toprule & old & gradient & new \\\\ \\midrule \\endhead\n\\bottomrule \\endfoot\n"
    yield from rows
    yield "\\end{longtable}}\n"


def _rows(context: Context, lines: LatexLines, layer: int) -> Iterator[str]:
    part = context.trace.network.layer(layer)
    gap = "$\\vdots$ & & & \\\\\n"
    for i in some(part.units, (), MOST_PARAMETERS):
        if i == GAP:
            yield gap
            continue
        for j in [
            *([0] if part.biases is not None else []),
            *some(part.inputs, (), MOST_PARAMETERS),
        ]:
            yield (
                gap if j == GAP else _row(context, lines, Quantity("w" if j else "b", layer, i, j))
            )


def _row(context: Context, lines: LatexLines, q: Quantity) -> str:
    part = context.trace.network.layer(q.layer)
    if not (part.train_weights if q.j else part.learns_biases):
        return f"${lines.quantity(q)}$ & {_cell(context, q)} & fixed & \\\\\n"
    gradient, new = (Quantity(kind, q.layer, q.i, q.j) for kind in (f"dL/d{q.kind}", f"{q.kind}+"))
    cells = " & ".join(_cell(context, name) for name in (q, gradient, new))
    return f"${lines.quantity(q)}$ & {cells} \\\\\n"


def _cell(context: Context, q: Quantity) -> str:
    if context.hidden is not None and context.hidden(q):
        return r"\underline{\hspace{5em}}"
    return f"${digits(context.trace.value(q), context.decimals)}$"
