"""The LaTeX file: safe whatever the texts are, whole, with the numbers of the page; and LaTeX
itself has no complaint.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import unicodedata
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.closeness import ordered
from tests.rules import Arrays
from tests.strategies import DIFFERENTIABLE, FLAT, extreme_problems, problems
from tests.visiting import NAMES, SATURATED, WALKS, context, scenario
from tutor import number
from tutor.engine.derivation import derive
from tutor.engine.quantity import K, Quantity, parse
from tutor.engine.trace import run
from tutor.engine.tree import ArrayRef, Elided, Ref, Sum
from tutor.errors import LessonError
from tutor.export.latex_document import document
from tutor.lesson.explain import ROUNDED
from tutor.lesson.formula import FormulaWriter
from tutor.lesson.setup import Setup
from tutor.lesson.walk import GRAINS, LayerWalk, open_lesson
from tutor.notation import latex_text
from tutor.notation.conventions import PRESETS, Alphabet, arranged, notation
from tutor.notation.latex import LINE, Latex, LatexLines, aligned, digits, fits, tex_width
from tutor.notation.latex_text import escaped
from tutor.notation.writer import NUMBERS, RULE, SYMBOLS
from tutor.pages.context import Context
from tutor.pages.step_body import step_body
from tutor.pages.view import View
from tutor.scenario.reader import parse as read_scenario

COMMANDS = {command.removeprefix("\\") for text in (latex_text._SPECIAL, latex_text._TEXT, latex_text._MATH, latex_text.GREEK)
            for found in text.values() for command in re.findall(r"\\(?:[A-Za-z]+|.)", found)}  # fmt: skip
COMMANDS |= {
    "ensuremath",
    "allowbreak",
    "textsuperscript",
    "textsubscript",
    *latex_text._ACCENTS.values(),
}
DANGEROUS = {
    "input",
    "include",
    "write",
    "openout",
    "openin",
    "read",
    "csname",
    "catcode",
    "def",
    "immediate",
    "special",
    "end",
}
PLAIN = re.compile(r"[A-Za-z0-9 .,;:!?()/=+@'~*{}\[\]-]")
TOKEN = re.compile(r"\\([A-Za-z]+|.)|(.)", re.DOTALL)


def whole(name: str, view: View, *phases: str) -> str:
    return "".join(
        document(context(name, view), phases) if phases else document(context(name, view))
    )


def assert_balanced(tex: str) -> None:
    """Every brace, environment, \\left and $ that is opened is closed, in order; comments are left
    out.
    """
    tex = re.sub(r"(?m)(?<!\\)%.*$", "", tex)
    open_ones: list[str] = []
    for match in re.finditer(
        r"\\(begin|end)\{(\w+\*?)\}|\\(left|right)\b|\\.|[{}$]", tex, re.DOTALL
    ):
        found = match[0]
        if match[1] == "begin":
            open_ones.append(match[2])
        elif match[1] == "end":
            assert open_ones.pop() == match[2]
        elif match[3] == "left" or found == "{":
            open_ones.append(found)
        elif match[3] == "right":
            assert open_ones.pop() == r"\left"
        elif found == "}":
            assert open_ones.pop() == "{"
        elif found == "$":
            if open_ones and open_ones[-1] == "$":
                open_ones.pop()
            else:
                open_ones.append("$")
    assert open_ones == []


# ---- free text ----


@given(st.text(max_size=60) | st.text(alphabet="\\{}$&#_^%~`'\"<>|[]*-αβ₁²ŷ−→ \n\t", max_size=40))
@example(r"\input{/etc/passwd} \write18{rm} ^^41 ^^M %")
@example(
    "x₁ ŷ′ ½ ﬁ 𝐖 🚀 中文 é ñ ł ß “q” … ≈ ≠ ∂L/∂w\u0302 \u202e \x00 \ud800".encode(
        "utf-8", "replace"
    ).decode()
)
@settings(max_examples=300)
def test_any_text_comes_out_as_characters_and_commands_that_can_do_nothing(text: str) -> None:
    tex = escaped(text)
    assert tex.isascii()
    assert "\n" not in tex
    for match in TOKEN.finditer(tex.replace(r"{}^{\circ}", "")):
        if match[1]:
            assert match[1] in COMMANDS, match[0]
            assert match[1] not in DANGEROUS
        else:
            assert PLAIN.fullmatch(match[2]), match[0]
    depth = 0
    for match in TOKEN.finditer(tex):
        depth += (match[2] == "{") - (match[2] == "}")
        assert depth >= 0
    assert depth == 0


@pytest.mark.parametrize("character", [chr(code) for code in range(32, 127)])
def test_no_printable_character_of_a_keyboard_is_lost(character: str) -> None:
    assert escaped(f"a{character}b") not in {"ab", ""}
    assert len({escaped(f"a{chr(code)}b") for code in range(32, 127)}) == 95


@pytest.mark.parametrize(
    ("text", "tex"),
    [
        ("50% of $x_1$ & #2", r"50\% of \$x\_1\$ \& \#2"),
        (
            "α³(α⁴x − y)",
            r"\ensuremath{\alpha}\textsuperscript{3}(\ensuremath{\alpha}\textsuperscript{4}x \ensuremath{-} y)",
        ),
        ("x₁ ≈ ½", r"x\textsubscript{1} \ensuremath{\approx} 1/2"),
        ("Ŷ′ déjà", "\\^{Y}\\ensuremath{{}'} d\\'{e}j\\`{a}"),
        ("two\nlines\tand\x00more", "two lines and more"),
        ("🚀 中", "{[}rocket{]} {[}U+4E2D{]}"),
        ("p\u0302 and ï", r"\^{p} and " + '\\"{\\i{}}'),
        ("1-2 -- it''s", "1-2 -{}- it'{}'s"),
        (r"\input{x}", r"\textbackslash{}input\{x\}"),
        ("^^41", r"\textasciicircum{}\textasciicircum{}41"),
        ("", ""),
    ],
)
def test_texts_are_set_as_they_are_meant(text: str, tex: str) -> None:
    assert escaped(text) == tex


def test_a_word_that_no_line_could_hold_may_be_broken() -> None:
    assert r"\allowbreak" in escaped("W" * 60)
    assert r"\allowbreak" not in escaped("backpropagation by hand, once again and again and again")


# ---- numbers and symbols ----


@given(st.floats(allow_nan=True, allow_infinity=True), st.integers(0, 12))
def test_a_number_is_written_as_everywhere_else(value: float, decimals: int) -> None:
    tex = digits(value, decimals)
    back = (
        re.sub(r" \\cdot 10\^\{(-?\d+)\}", r"e\1", tex)
        .replace(r"\infty", "inf")
        .replace(r"\text{not a number}", "nan")
    )
    assert back == number.plain(value, decimals)


def lines(name: str, preset: str = "") -> tuple[LatexLines, Context]:
    opened = context(name, View(notation=preset))
    return LatexLines(opened.alphabet, opened.decimals, env=opened.trace), opened


@pytest.mark.parametrize(
    ("name", "preset", "quantity", "tex"),
    [
        ("1-2-3-1-sigmoid", "", "w[2][2,1]", "w_{12}^{[2]}"),
        ("1-2-3-1-sigmoid", "", "b[2][2]", "w_{02}^{[2]}"),
        ("1-2-3-1-sigmoid", "", "a[3][1]", r"\hat{y}"),
        ("1-2-3-1-sigmoid", "parentheses", "z[2][3]", "z_3^{(2)}"),
        ("1-2-3-1-sigmoid", "", "w+[1][2,1]", r"w_{12}^{[1]\,\text{new}}"),
        ("1-2-3-1-sigmoid", "", "dL/dz[2][1]", r"\frac{\partial L}{\partial z_1^{[2]}}"),
        ("3-2-3-softmax", "", "a[2][3]", "p_3"),
        ("3-2-3-softmax", "", "w+[1][1,2]", "v_{21}^{(t+1)}"),
        ("linear-regression", "", "x[2]@3", "{}^{(3)}x_2"),
        ("linear-regression", "", "loss@3", r"{}^{(3)}\mathcal{L}"),
        (
            "linear-regression",
            "",
            "dL/dw[1][1,2]@3",
            r"\frac{1}{4} \cdot \frac{\partial {}^{(3)}\mathcal{L}}{\partial w_2}",
        ),
        ("linear-regression", "", "dL/dw[1][1,2]", r"\frac{\partial \mathcal{L}}{\partial w_2}"),
        ("linear-regression", "", "eta", r"\alpha"),
        ("linear-regression", "", "loss-loss+", r"\Delta \mathcal{L}"),
    ],
)
def test_symbols_are_those_of_the_notation(name: str, preset: str, quantity: str, tex: str) -> None:
    assert lines(name, preset)[0].quantity(parse(quantity)) == tex


def test_matrices_are_bold_or_italic_as_the_notation_has_them() -> None:
    assert lines("1-2-3-1-sigmoid")[0].matrix("w", 2) == r"\mathbf{W}^{[2]}"
    assert lines("3-2-3-softmax")[0].matrix("w", 1) == "V"


@pytest.mark.parametrize(
    ("name", "quantity", "mode", "tex"),
    [
        ("1-2-3-1-sigmoid", "z[2][1]", NUMBERS, r"= 0.3 + 0.2 \times 0.5744 + 0.1 \times 0.5987"),
        ("1-2-3-1-sigmoid", "a[2][1]", NUMBERS, r"= \frac{1}{1 + e^{-0.4748}}"),
        ("1-2-3-1-sigmoid", "w+[2][1,2]", NUMBERS, r"= 0.1 - 0.1 \times (-0.0128)"),
        ("linear-regression", "dL/da[1][1]@2", NUMBERS, r"= \frac{1}{4} \times (2 \times (4.5 - 6))"),
        ("3-4-2-regression", "a[1][1]", NUMBERS, r"= 1 \quad \text{since } 1 > 0"),
        ("3-4-2-regression", "da/dz[1][1]", SYMBOLS,
         r"= \begin{cases} 1 & \text{if } z_1^{(1)} > 0 \\ 0 & \text{if } z_1^{(1)} \le 0 \end{cases}"),
    ],
)  # fmt: skip
def test_a_handful_of_steps_read_as_they_should(
    name: str, quantity: str, mode: str, tex: str
) -> None:
    line, opened = lines(name)
    tree = arranged(derive(opened.trace, parse(quantity)).tree, opened.notation)
    assert line.tree(tree, mode, "=").replace("\n", " ") == tex


def test_a_letter_with_a_hat_and_a_superscript_can_be_transposed() -> None:
    assert (
        Latex(lines("3-2-3-softmax")[0].alphabet, 4).power(r"\hat{y}^{(1)}", r"\top")
        == r"{{}\hat{y}^{(1)}}^{\top}"
    )


def test_what_is_left_out_of_a_long_sum_is_counted_and_given() -> None:
    line, _ = lines("1-2-3-1-sigmoid")
    terms = Sum(
        (
            Ref(Quantity("x", 0, 1)),
            Elided(2, 17, Ref(Quantity("x", 0, K))),
            Ref(Quantity("x", 0, 18)),
        )
    )
    numbers = Arrays({"x": np.array([[1.0, *[-0.15625] * 16, 3.0]])})
    line = LatexLines(line.alphabet, 4, env=numbers)
    assert line.tree(terms, NUMBERS) == r"1 + (\underbrace{-2.5}_{\text{16 more terms}}) + 3"
    assert line.tree(terms, SYMBOLS) == r"x_1 + \cdots + x_{18}"


def test_a_large_matrix_shows_its_corners_and_as_many_columns_as_fit() -> None:
    alphabet = lines("1-2-3-1-sigmoid")[0].alphabet
    matrices = (np.arange(900.0).reshape(30, 30), np.full((30, 30), -1.2345e-9))
    small, wide = (
        LatexLines(alphabet, 4, env=Arrays({"w": w})).tree(ArrayRef("w", 1), NUMBERS)
        for w in matrices
    )
    assert small.count("&") == 5 * 6
    assert small.count(r"\ddots") == 1
    assert 0 < wide.count("&") < small.count("&")
    assert tex_width(wide) < LINE


def test_a_worksheet_leaves_room_for_what_is_hidden() -> None:
    opened = context("1-2-3-1-sigmoid")
    sheet = Context(opened.lesson, opened.view, hidden=lambda q: q.kind in {"a", "w+"})
    tex = "".join(document(sheet))
    assert_balanced(tex)
    assert r"\boxed{\phantom" in tex
    assert "0.5744" not in tex
    assert "0.5744" in "".join(document(opened))


# ---- random networks ----


@given(
    problems(hidden=(*DIFFERENTIABLE, *FLAT), outputs=(*DIFFERENTIABLE, *FLAT), depth=3),
    st.sampled_from(sorted(PRESETS)),
)
@settings(max_examples=30)
def test_every_formula_of_a_random_network_is_balanced_and_breaks_into_lines_that_fit(
    problem: Setup, preset: str
) -> None:
    trace = run(problem.network, problem.x, problem.y, problem.eta)
    way = notation(preset)
    line = LatexLines(Alphabet.of(way, trace.network, trace.samples), 4, env=trace)
    formulas = FormulaWriter(trace, line.alphabet, 4, lines=line)
    for q in ordered(trace)[::3]:
        formula = formulas.number(q)
        tex = aligned([(formula.left, [one.math for one in formula.lines])])
        assert_balanced(tex)
        assert r"\fit" not in tex
    for stage in LayerWalk(trace).stages[::2]:
        formula = formulas.stage(stage)
        assert_balanced(aligned([(formula.left, [one.math for one in formula.lines])]))


@given(extreme_problems(), st.integers(0, 12))
@settings(max_examples=30)
def test_numbers_at_the_edges_of_float64_are_written_without_a_warning(
    problem: Setup, decimals: int
) -> None:
    trace = run(problem.network, problem.x, problem.y, problem.eta)
    line = LatexLines(
        Alphabet.of(PRESETS["brackets"], trace.network, trace.samples), decimals, env=trace
    )
    for q in ordered(trace)[::2]:
        tree = derive(trace, q).tree
        for mode in (RULE, SYMBOLS, NUMBERS):
            tex = line.tree(tree, mode, "=")
            assert_balanced(tex)
            assert "−" not in tex
            assert tex.isascii()


# ---- the document ----


@pytest.mark.parametrize(("name", "grain"), WALKS)
def test_every_step_of_every_lesson_is_in_the_file_with_its_result(name: str, grain: str) -> None:
    opened = context(name, View(grain=grain))
    tex = whole(name, View(grain=grain))
    assert tex.isascii()
    assert_balanced(tex)
    assert tex.startswith("% Made from the lesson ")
    assert tex.rstrip().endswith(r"\end{document}")
    assert Counter(re.findall(r"\\begin\{document\}", tex)) == {r"\begin{document}": 1}
    place = 0
    formulas = FormulaWriter(
        opened.trace,
        opened.alphabet,
        opened.decimals,
        lines=LatexLines(opened.alphabet, opened.decimals, env=opened.trace),
    )
    for n in range(1, len(opened.walk) + 1):
        body = step_body(opened, n, formulas)
        if grain != "pass":
            place = tex.index(f"Step {n}. {escaped(body.title)}", place)
        for formula in body.formulas:
            if formula.lines:
                place = tex.index(formula.left, place)
                result = next(line for line in formula.lines if line.label == "result")
                assert result.math in tex[place:]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("preset", PRESETS)
def test_the_results_of_a_walk_are_the_engines_numbers(name: str, preset: str) -> None:
    opened = context(name, View(notation="" if context(name).notation.preset == preset else preset))
    line = LatexLines(opened.alphabet, opened.decimals, env=opened.trace)
    formulas = FormulaWriter(opened.trace, opened.alphabet, opened.decimals, lines=line)
    for n in range(1, len(opened.walk) + 1):
        q = opened.walk.anchor(n)
        formula = formulas.number(q)
        if formula.lines:
            shown = next(one.math for one in formula.lines if one.label == "result").split(" ", 1)[
                1
            ]
            assert shown == digits(opened.trace.value(q), opened.decimals)


@pytest.mark.parametrize("name", ["1-2-3-1-sigmoid", "vanishing-gradient", "3-2-3-softmax"])
def test_a_file_of_phases_has_every_matrix_layer_by_layer(name: str) -> None:
    tex, depth = whole(name, View(grain="pass")), len(scenario(name).network.layers)
    opened = context(name, View(grain="layer"))
    writer = FormulaWriter(
        opened.trace,
        opened.alphabet,
        opened.decimals,
        None,
        LatexLines(opened.alphabet, opened.decimals, env=opened.trace),
    )
    for n in range(1, len(opened.walk) + 1):
        shown = step_body(opened, n, writer).formulas[0]
        assert f"{shown.left} &" in tex, n
    titles = re.findall(r"\\layer\{(Hidden layer [0-9]+|Hidden layer|Output layer|Loss)", tex)
    hidden = ["Hidden layer"] if depth == 2 else [f"Hidden layer {n}" for n in range(1, depth)]
    forward = [*hidden, "Output layer"]
    assert titles == [*forward, *forward[::-1], *forward[::-1], *forward, "Loss"]
    assert "layer by layer has the numbers in between" in tex


def test_the_file_tells_what_it_was_made_from_and_what_is_given() -> None:
    tex = whole("1-2-3-1-sigmoid", View(grain="layer", decimals=6))
    head = tex.split(r"\section*{Forward pass}")[0]
    assert "1-2-3-1-sigmoid, iteration 1, layer by layer" in head
    assert "6 decimals" in head
    assert (
        r"\mathbf{W}^{[2]} = \begin{bmatrix} 0.2 & 0.1 \\ 0.3 & 0.2 \\ 0.1 & 0.3 \end{bmatrix}"
        in head
    )
    assert r"\eta = 0.1" in head


def test_only_the_phases_that_are_asked_for_are_in_the_file() -> None:
    tex = whole("1-2-3-1-sigmoid", View(), "loss", "update")
    assert re.findall(r"\\section\*\{(.*?)\}", tex) == ["What is given", "Loss", "Update"]
    assert "Step 13." in tex
    assert "Step 14." not in tex


def test_the_update_has_a_table_of_old_gradient_and_new() -> None:
    tex = whole("1-2-3-1-sigmoid", View())
    table = tex.split(r"\begin{longtable}")[1].split(r"\end{longtable}")[0]
    trace = context("1-2-3-1-sigmoid").trace
    assert table.count(r"\partial") == 0
    row = [
        digits(trace.value(parse(name)), 4) for name in ("w[3][1,2]", "dL/dw[3][1,2]", "w+[3][1,2]")
    ]
    assert (
        "$w_2^{[3]}$ & " + " & ".join(f"${cell}$" for cell in row) in table
        or " & ".join(f"${cell}$" for cell in row) in table
    )
    assert len(re.findall(r"(?m)^\$", table)) == 17


def test_where_a_slide_differs_the_file_says_so_and_why() -> None:
    tex = whole("1-2-3-1-sigmoid", View())
    slips = [entry for entry in scenario("1-2-3-1-sigmoid").printed if entry.slip]
    assert slips
    for entry in slips:
        assert escaped(entry.slip or "") in tex
        assert escaped(entry.where) in tex
    assert r"the slide prints 0.6147 for $a_1^{[2]\,\text{new}}$, here it is 0.6174." in tex
    assert r"here it is 0.773905." in tex


def test_what_a_lecture_leaves_open_and_what_is_worth_knowing_are_said_apart() -> None:
    tex, lesson = whole("3-2-3-softmax", View()), scenario("3-2-3-softmax")
    assert tex.count("which the lecture leaves open or unchanged") == sum(
        bool(entry.left_open) for entry in lesson.printed
    )
    assert "\\begin{remark}{On the slides}" in tex
    own = [note for note in lesson.notes if not note.about_slides]
    boxes = re.findall(
        r"\\begin\{remark\}\{Worth knowing\}\n(.+?)\n\\end\{remark\}", tex, re.DOTALL
    )
    assert boxes == [escaped(note.text) for note in own]


def test_a_lesson_that_stops_says_why() -> None:
    tex = whole("perceptron-step", View())
    assert "The backward pass ends here." in tex
    assert r"\section*{Update}" not in tex


@pytest.mark.parametrize("grain", GRAINS)
def test_the_loss_of_a_saturated_output_is_explained(grain: str) -> None:
    tex = "".join(
        document(
            Context(open_lesson(read_scenario(SATURATED, "saturated.yaml")), View(grain=grain))
        )
    )
    assert escaped(f"{ROUNDED.heading} {ROUNDED.text}") in tex
    assert r"0 \times \log(1 + e^{-50}) + (1 - 0) \times \log(1 + e^{50})" in tex
    assert_balanced(tex)


NASTY = (
    r"\input{/etc/passwd} ^^41 $x$ % # & _ ~ {{}} <a> [b] ``q'' -- \end{document} é ŷ₁ αΩ ∑ 🚀 中文 "
    + "W" * 60
)


def hostile(view: View) -> Context:
    """A lesson whose every text tries to break out."""
    quoted = NASTY.replace("'", "''")
    text = (
        f"format: 1\ntitle: '{quoted}'\ncourse: '{quoted}'\nabout: '{quoted}'\nnetwork:\n  inputs: 1\n  layers:\n"
        "    - {units: 2, activation: tanh, init: {scheme: normal, scale: 0.5, seed: 1}}\n  loss: {name: squared_error}\n"
        "data:\n  inputs: [[1.0]]\n  targets: [[1.0, 0.0]]\ntraining: {learning_rate: 0.1}\n"
        f"notes:\n  - {{at: 'z[1][1]', text: '{quoted}'}}\n"
    )
    return Context(open_lesson(read_scenario(text, "hostile.yaml")), view)


def test_texts_of_a_file_cannot_act_as_commands() -> None:
    tex = "".join(document(hostile(View())))
    assert_balanced(tex)
    assert tex.isascii()
    assert r"\input" not in tex
    assert "^^" not in tex
    assert tex.count(r"\end{document}") == 1
    assert escaped(NASTY) in tex


def test_a_file_comes_in_chunks() -> None:
    assert len(list(document(context("1-2-3-1-sigmoid")))) > len(context("1-2-3-1-sigmoid").walk)


def test_there_is_no_step_beyond_the_walk() -> None:
    with pytest.raises(LessonError, match="there is no step"):
        step_body(context("1-2-3-1-sigmoid"), 10_000)


# ---- layout ----


def test_a_line_that_is_too_long_is_broken_between_its_pieces() -> None:
    pieces = [
        "= " + r"w_{11} \cdot x_{1}",
        *[rf"+ w_{{1{n}}} \cdot x_{{{n}}}" for n in range(2, 30)],
    ]
    tex = aligned([("z_1", ["\n".join(pieces)])])
    assert 2 <= tex.count(r"\phantom{{}={}} {}") <= 5
    assert all(tex_width(row.split("&")[1]) <= LINE for row in tex.split(r"\\") if "&" in row)


def test_lines_that_say_the_same_are_written_once() -> None:
    assert aligned([("a", ["= z", "= 3", "= 3"])]).count("= 3") == 1


def test_a_piece_that_no_line_holds_is_shrunk() -> None:
    assert r"\fit{" in aligned([("a", ["= " + " ".join(["x"] * 200)])])


@given(st.sampled_from(NAMES), st.sampled_from(["number", "layer"]), st.integers(1, 40))
@settings(max_examples=60)
def test_the_quick_guess_at_a_width_is_never_less_than_the_slow_one(
    name: str, grain: str, n: int
) -> None:
    opened = context(name, View(grain=grain))
    formulas = FormulaWriter(
        opened.trace, opened.alphabet, 4, lines=LatexLines(opened.alphabet, 4, env=opened.trace)
    )
    for formula in step_body(opened, min(n, len(opened.walk)), formulas).formulas:
        for line in formula.lines:
            for piece in line.math.split("\n"):
                assert tex_width(piece) <= 5.5 * len(piece) + 12
                assert fits(piece, tex_width(piece))


# ---- LaTeX itself ----

needs_latex = pytest.mark.skipif(
    shutil.which("pdflatex") is None,
    reason="no pdflatex is installed (on Debian: texlive-latex-recommended)",
)


@cache
def engines() -> tuple[str, ...]:
    return tuple(engine for engine in ("pdflatex", "xelatex", "lualatex") if shutil.which(engine))


def compiled(tex: str, folder: Path, engine: str = "pdflatex") -> str:
    """The log of a run that must succeed."""
    (folder / "lesson.tex").write_text(tex, encoding="ascii")
    command = [
        engine,
        "-interaction=nonstopmode",
        "-halt-on-error",
        "-no-shell-escape",
        "lesson.tex",
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=250, check=False)
    log = (folder / "lesson.log").read_text(encoding="utf-8", errors="replace")
    assert done.returncode == 0, [line for line in log.split("\n") if line.startswith(("!", "l."))]
    assert (folder / "lesson.pdf").stat().st_size > 10_000
    assert "Missing character" not in log
    return log


def assert_within_margins(log: str) -> None:
    assert [
        found for found in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log) if float(found) > 5
    ] == []


@needs_latex
@pytest.mark.slow
@pytest.mark.parametrize(("name", "grain"), WALKS)
def test_latex_sets_every_lesson_within_the_margins(name: str, grain: str, tmp_path: Path) -> None:
    assert_within_margins(compiled(whole(name, View(grain=grain)), tmp_path))


@needs_latex
@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
def test_latex_sets_other_notations_and_many_decimals_within_the_margins(
    preset: str, tmp_path: Path
) -> None:
    for name in ("3-4-2-regression", "linear-sigmoid"):
        own = context(name).notation.preset == preset
        assert_within_margins(
            compiled(
                whole(name, View(grain="layer", notation="" if own else preset, decimals=12)),
                tmp_path,
            )
        )


@needs_latex
@pytest.mark.parametrize("engine", ["pdflatex", "xelatex", "lualatex"])
def test_every_latex_sets_any_text_and_reads_no_file_for_it(engine: str, tmp_path: Path) -> None:
    if engine not in engines():
        pytest.skip(f"no {engine} is installed")
    log = compiled("".join(document(hostile(View(grain="layer")))), tmp_path, engine)
    assert_within_margins(log)
    assert "passwd" not in log


@needs_latex
def test_latex_knows_every_command_that_a_text_may_turn_into(tmp_path: Path) -> None:
    known = [*latex_text._SPECIAL, *latex_text._TEXT, *latex_text._MATH, *latex_text.GREEK]
    accented = [
        unicodedata.normalize("NFC", base + mark) for mark in latex_text._ACCENTS for base in "aijZ"
    ]
    body = "\n\n".join(
        escaped(f"{c} and x{c}y") for c in [*known, *accented, "x²", "x₁", "½", "🚀", "中"]
    )
    packages = r"\usepackage{amsmath,amssymb}"
    compiled(
        f"\\documentclass{{article}}{packages}\\begin{{document}}\n{body}\n\\end{{document}}\n",
        tmp_path,
    )
