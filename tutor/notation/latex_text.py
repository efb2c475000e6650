"""Free text for LaTeX: every character comes out as itself, as a command, or spelled; nothing can
act as a command.

`escaped` gives ASCII on one line, without a bare backslash, brace, ^ or line break of the text's
own, so it means the same to pdflatex, xelatex and lualatex, whatever fonts they have. Accents
become LaTeX's accents, letters of mathematics its symbols; a character that none of the three could
set is spelled: `[U+4E2D]`, `[rocket]`.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST_WORD = 20
"""A longer run without a space may be broken anywhere, so that no text runs over the margin."""

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}",
    "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "`": r"\textasciigrave{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    '"': r"\textquotedblright{}", "[": "{[}", "]": "{]}", "*": "{*}",
}  # fmt: skip
_TEXT = {
    "–": r"\textendash{}", "—": r"\textemdash{}", "‘": r"\textquoteleft{}",
    "’": r"\textquoteright{}", "“": r"\textquotedblleft{}", "”": r"\textquotedblright{}",
    "„": r"\textquotedblleft{}", "…": r"\ldots{}", "•": r"\textbullet{}",
    "§": r"\S{}", "¶": r"\P{}", "©": r"\copyright{}", "£": r"\pounds{}", "ß": r"\ss{}",
    "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}", "ø": r"\o{}", "Ø": r"\O{}",
    "ł": r"\l{}", "Ł": r"\L{}", "ı": r"\i{}",
    "\u00a0": "~", "\u202f": "~", "\u2009": " ",
}  # fmt: skip
_MATH = {
    "−": "-", "×": r"\times", "÷": r"\div", "·": r"\cdot", "⋅": r"\cdot", "∘": r"\circ",
    "⊙": r"\odot", "⊗": r"\otimes", "±": r"\pm",
    "≤": r"\le", "≥": r"\ge", "≠": r"\ne", "≈": r"\approx", "≡": r"\equiv", "∝": r"\propto",
    "≪": r"\ll", "≫": r"\gg", "«": r"\ll", "»": r"\gg",
    "∞": r"\infty", "∂": r"\partial", "∇": r"\nabla", "∑": r"\sum", "∏": r"\prod", "∫": r"\int",
    "√": r"\surd", "∈": r"\in", "∉": r"\notin", "∀": r"\forall", "∃": r"\exists",
    "∅": r"\emptyset", "⊂": r"\subset", "∪": r"\cup", "∩": r"\cap", "⊤": r"\top", "⊥": r"\bot",
    "′": "{}'", "″": "{}''", "°": r"{}^{\circ}", "¬": r"\neg",
    "→": r"\rightarrow", "←": r"\leftarrow", "↑": r"\uparrow", "↓": r"\downarrow",
    "↔": r"\leftrightarrow", "⇒": r"\Rightarrow", "⇐": r"\Leftarrow", "⇔": r"\Leftrightarrow",
    "↦": r"\mapsto", "⋯": r"\cdots", "⋮": r"\vdots", "⋱": r"\ddots",
    "‖": r"\|", "ℒ": r"\mathcal{L}", "ℓ": r"\ell", "ℝ": r"\mathbb{R}", "µ": r"\mu",
    "✓": r"\checkmark",
}  # fmt: skip
_GREEK_NAMES = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu "
    "nu xi omicron pi rho - sigma tau upsilon phi chi psi omega"
)
_LATIN_CAPITALS = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΧ", "ABEZHIKMNOPTX", strict=True))
GREEK = {
    **{
        chr(0x3B1 + n): "o" if name == "omicron" else f"\\{name}"
        for n, name in enumerate(_GREEK_NAMES.split())
        if name != "-"
    },
    **{
        chr(0x391 + n): f"\\{name.capitalize()}"
        for n, name in enumerate(_GREEK_NAMES.split())
        if name != "-" and chr(0x391 + n) not in _LATIN_CAPITALS
    },
    **{greek: f"\\mathrm{{{latin}}}" for greek, latin in _LATIN_CAPITALS.items()},
    "ς": r"\varsigma", "ϵ": r"\epsilon", "ϑ": r"\vartheta", "ϕ": r"\phi",
}  # fmt: skip
"""Greek letters as LaTeX's mathematics writes them; capitals that look Latin are Latin."""
_ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=",
    "\u0306": "u", "\u0307": ".", "\u0308": '"', "\u030a": "r", "\u030b": "H",
    "\u030c": "v", "\u0323": "d", "\u0327": "c", "\u0331": "b",
}  # fmt: skip
_LIGATURE = re.compile(r"(?<=-)(?=-)|(?<=')(?=')")
"""Where LaTeX would make a dash of two hyphens, or a quotation mark of two apostrophes."""
_CLUSTER = re.compile(r"(.)([\u0300-\u036f]*)", re.DOTALL)


def escaped(text: str) -> str:
    """Text as LaTeX that sets it and does nothing else."""
    if text.isascii() and text.isprintable():
        done = list(text)
        found = [_SPECIAL.get(c, c) for c in done]
    else:
        found = [
            _cluster(match[1], match[2])
            for match in _CLUSTER.finditer(unicodedata.normalize("NFC", text))
        ]
    return _LIGATURE.sub("{}", "".join(_breakable(found)).strip())


def _breakable(pieces: list[str]) -> list[str]:
    """Places to break in runs without a space that no line could hold."""
    done, run = [], 0
    for piece in pieces:
        run = (
            0
            if piece in {" ", ""}
            else run + max(1, len(piece) // 4 if piece.startswith("{[}") and len(piece) > 3 else 1)
        )
        if run > LONGEST_WORD:
            done.append(r"\allowbreak{}")
            run = LONGEST_WORD // 2
        done.append(piece)
    return done


def _cluster(character: str, marks: str) -> str:
    """One character with the accents behind it."""
    if character in _TEXT or character in _MATH or character in GREEK:
        return _known(character)
    if character.isascii():
        return _accented(
            _SPECIAL.get(character, character if character.isprintable() else " "), marks
        )
    return _other(character, marks)


def _known(character: str) -> str:
    if character in _TEXT:
        return _TEXT[character]
    return f"\\ensuremath{{{_MATH.get(character) or GREEK[character]}}}"


def _accented(base: str, marks: str) -> str:
    """A Latin letter with its accents; an accent that LaTeX does not have is left out."""
    if not (len(base) == 1 and base.isalpha()):
        return base
    known = [_ACCENTS[mark] for mark in marks if mark in _ACCENTS]
    done = {"i": r"\i{}", "j": r"\j{}"}.get(base, base) if known and known[0] not in "cdb" else base
    for accent in known:
        done = f"\\{accent}{{{done}}}"
    return done


def _other(character: str, marks: str) -> str:
    """What is neither ASCII nor in the tables: taken apart, or left out where it shows nothing, or
    spelled.
    """
    tag, _, parts = unicodedata.decomposition(character).rpartition("> ")
    whole = "".join(chr(int(code, 16)) for code in parts.split())
    if whole and "\u2044" in whole:
        return escaped(whole.replace("\u2044", "/"))
    if whole and whole[0] != character:
        inner = "".join(_cluster(m[1], m[2] + marks) for m in _CLUSTER.finditer(whole))
        return {
            "<super": f"\\textsuperscript{{{inner}}}",
            "<sub": f"\\textsubscript{{{inner}}}",
        }.get(tag, inner)
    category = unicodedata.category(character)
    if category[0] in "MC":
        return " " if category == "Cc" else ""
    if category[0] == "Z":
        return " "
    name = unicodedata.name(character, "") if category == "So" else ""
    spelled = name.lower() if re.fullmatch(r"[A-Z0-9 ]+", name) else f"U+{ord(character):04X}"
    return f"{{[}}{spelled}{{]}}"
