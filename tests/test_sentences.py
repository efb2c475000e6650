"""What readers read: the list of `make sentences`, and words that none of its sentences has."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = runpy.run_path(str(ROOT / "docs" / "sentences.py"))
WRITTEN: list[tuple[str, str]] = list(SCRIPT["written"]())
WALKED = [
    (file.name, line)
    for file in sorted((ROOT / "tests" / "goldens").glob("*.words.txt"))
    for line in file.read_text(encoding="utf-8").splitlines()
]
NEVER = (
    r"derivatives? (of ((?!with respect)[^.;:,])+ )?by\b",  # with respect to
    r"\bSound\b",  # valid
    r"\b(has|have) (its|their|more|no|a) say\b|to say\b.*samples?",  # average over the samples
    r"\bways are added|along (all|both) ways\b",  # paths
    r"taken away",  # subtract learning rate × gradient
    r"\ball 2\b|\bunits? \w+ of the output layer",  # both; output
    r"\bto mend\b|\bmended\b",  # to fix
    r"\b[Ww]hat one learns\b|\bwhoever\b|\bis said\b|\bof which\b|\bcomes to\b",
    r"\bstands? (in|behind|in front)\b|\bis (gone|new) now\b",
    r"\bno number to\b|\bis no (setting|text)\b",  # is not a
    r"\bforever\b|\bfor ever\b",  # always
    r"\brooms?\b|\bat (its|the) door\b",  # packages
)


@pytest.mark.parametrize("never", NEVER)
def test_no_sentence_has_words_that_we_gave_up(never: str) -> None:
    found = [f"{place}: {text}" for place, text in WRITTEN + WALKED if re.search(never, text)]
    assert found == []


def test_the_list_has_texts_of_every_kind_of_file() -> None:
    texts = {text for _, text in WRITTEN}
    assert len(texts) > 1_500
    assert texts >= {
        "See how a neural network learns, one number at a time",  # a template
        "Changes are accepted only from the tutor’s own pages.",  # code
        "Copying did not work here; the download has the same text.",  # a script
        "A layer without biases says so with the word none.",  # a comment of an example
        "The activation that comes in here is 0, so this weight had no part in the prediction and gets no gradient.",
        "Weights have one row per unit and one column per input.",  # README.md
    }


def test_a_sentence_with_other_numbers_is_the_same() -> None:
    texts = ["Step 3 of 79. The loss is\n 0.2262, as z = −1.29 says.", "Step 4 of 79."]
    assert list(SCRIPT["sentences"](texts)) == [
        "Step 0 of 0.", "The loss is 0, as z = 0 says.", "Step 0 of 0."
    ]  # fmt: skip


def test_a_page_is_read_with_its_labels_and_without_its_formulas() -> None:
    html = (
        '<p>Set <math aria-label="z"><mi>z</mi></math>, <b>then</b> go on.</p>'
        '<nav aria-label="Steps"><a href="/">Back</a><a href="/">Next</a></nav><script>var x y</script>'
    )
    found = list(SCRIPT["sentences"](SCRIPT["texts_of_page"](html)))
    assert found == ["Set □, then go on.", "Steps", "Back Next"]
