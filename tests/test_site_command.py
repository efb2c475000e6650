"""`python -m tutor site`: a folder that stands alone, says what the tutor says, and is nobody
else's.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from app import STATIC, create_app
from tests import sitecheck
from tests.htmltree import read
from tests.visiting import get
from tutor.cli import site_folder, site_page, site_paths
from tutor.cli.main import main
from tutor.cli.site import SiteMaker, chosen, without_endless
from tutor.lesson.walk import GRAINS, open_lesson
from tutor.scenario import reader

ROOT = Path(__file__).parents[1]
SMALL, SLIDES = "one-weight", "1-2-3-1-sigmoid"
Capture = pytest.CaptureFixture[str]


def make(out: Path, *more: str) -> int:
    return main(["site", "--out", str(out), *more])


def refusal(capsys: Capture, out: Path, *more: str) -> str:
    """What is said where nothing is made."""
    assert make(out, *more) == 2
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


def contents(folder: Path) -> Mapping[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of two lessons: a small one, and one with slides, chains and layers."""
    out = tmp_path_factory.mktemp("site") / "public"
    assert make(out, SMALL, SLIDES) == 0
    return out


@pytest.fixture(scope="module")
def small_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("small") / "out"
    assert make(out, SMALL) == 0
    return out


@pytest.fixture
def small(small_once: Path, tmp_path: Path) -> Path:
    """A site of a small lesson, for a test to spoil; each run makes the same bytes."""
    return Path(shutil.copytree(small_once, tmp_path / "small"))


def training_page(out: Path, lesson: str) -> str:
    """The page of a lesson's training as a site has it, without the rest of the site."""
    address = f"/lessons/{lesson}/training"
    with site_folder.open_folder(out) as folder:
        SiteMaker(folder, chosen((lesson,)), "").page(address)
    return (out / site_paths.path(address)).read_text(encoding="utf-8")


# ---- the pages ----


def test_every_link_of_every_page_leads_to_a_file_of_the_folder(site: Path) -> None:
    wrong, count = sitecheck.problems(site)
    assert wrong == []
    assert count["pages"] > 200
    assert count["links"] > 5_000


def test_the_checker_finds_what_is_wrong(small: Path) -> None:
    page = small / "glossary.html"
    bad = (
        '<a href="/lessons/x">1</a><a href="x.html">2</a><a href="index.html#no">3</a><p style="">'
    )
    text = re.sub(r"<meta http-equiv=[^>]*>", "", page.read_text(encoding="utf-8"))
    page.write_text(
        text.replace("</main>", f"{bad}<script>1</script><form></form></main>"), encoding="utf-8"
    )
    (small / "alone.html").write_text("", encoding="utf-8")
    wrong = "\n".join(sitecheck.problems(small)[0])
    for said in (
        "is absolute", "no such file", "no such place", "has style", "inline script", "<form>",
        "the policy is ''", "alone.html: nothing leads there",
    ):  # fmt: skip
        assert said in wrong


@pytest.mark.parametrize("lesson", [SMALL, SLIDES])
@pytest.mark.parametrize("grain", GRAINS)
def test_the_whole_walk_is_there(site: Path, lesson: str, grain: str) -> None:
    walk = open_lesson(reader.load(ROOT / "scenarios" / f"{lesson}.yaml")).walk(grain)
    folder = site / "lessons" / lesson / "steps" / ("" if grain == "number" else grain)
    numbers = sorted(int(page.stem) for page in folder.glob("*.html") if page.stem.isdigit())
    assert numbers == list(range(1, len(walk) + 1))


def test_pages_are_as_valid_as_those_of_the_tutor(site: Path) -> None:
    pages = [*site.glob("*.html"), *site.glob(f"lessons/{SMALL}*/**/*.html")]
    for page in pages:
        if page.parent.name != "files":
            links = {"<a> in an svg"} if page.name == "training.html" else set()
            assert set(read(page.read_text(encoding="utf-8")).problems) <= links, page


@pytest.mark.parametrize(
    "address",
    [f"/lessons/{SLIDES}/steps/13", f"/lessons/{SLIDES}/steps/8?grain=layer", "/activations?z=2"],
)
def test_a_page_says_what_the_tutor_says(site: Path, address: str) -> None:
    path = site_paths.path(address) or ""
    ours, live = (
        read(text).root for text in ((site / path).read_text(encoding="utf-8"), get(address).text)
    )
    assert next(ours.all("title")).text == next(live.all("title")).text
    tag, cls = ("article", "board") if "steps" in address else ("article", "softmax")
    said = live.one(tag, cls=cls).text
    for needs_the_tutor in ("Ask about a number", "Matrix calculus"):
        said = said.replace(needs_the_tutor, "")
    assert ours.one(tag, cls=cls).text.split() == said.split()


def test_the_graph_of_a_network_is_there_collapsed_with_each_layer_open_and_with_all(
    site: Path,
) -> None:
    folder = site / "lessons" / SLIDES
    names = ("graph.html", *(f"graph/open_{n}.html" for n in (1, 2, 3, "all")))
    assert len([*folder.glob("graph/*.html")]) == 4
    assert 'href="1-2-3-1-sigmoid/graph.html"' in folder.with_suffix(".html").read_text("utf-8")
    for name in names:
        address = (
            "/lessons/" + SLIDES + f"/{name}".removesuffix(".html").replace("/open_", "?open=")
        )
        ours, live = (
            read(text).root.one("svg", cls="layers")
            for text in ((folder / name).read_text("utf-8"), get(address).text)
        )
        assert [text.text for text in ours.all("text")] == [text.text for text in live.all("text")]
        steps = any("steps/layer/" in a.attributes["href"] for a in ours.all("a"))
        assert steps == (name != "graph/open_all.html"), "single numbers have pages of their own"
    opened = (folder / "graph" / "open_2.html").read_text("utf-8")
    assert "Close hidden layer 2" in opened
    assert "Open hidden layer 1" not in opened
    assert 'href="open_all.html#layers">Open all layers<' in opened
    everything = (folder / "graph" / "open_all.html").read_text("utf-8")
    assert 'href="../graph.html#layers">Close all layers<' in everything


def test_look_closer_has_the_pages_that_are_there_and_goes_with_the_last_of_them(
    site: Path,
) -> None:
    lines = {}
    for page in (site / "lessons" / SLIDES / "steps").glob("*.html"):
        found = list(read(page.read_text("utf-8")).root.all("div", cls="leads"))
        lines[page.stem] = [" ".join(line.text.split()) for line in found]
        links = [a.attributes["href"] for line in found for a in line.all("a")]
        assert all(re.fullmatch(r"\.\./graph/open_\d\.html", link) for link in links)
    assert lines["39"] == ["Look closer: Computation graph"]
    assert lines["1"] == []


def test_nothing_is_left_of_what_only_leads_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        if page.parent.name != "files":
            empty = re.search(r"<(?:p|ul[^>]*|nav[^>]*)>\s*</", page.read_text("utf-8"))
            assert not empty, (page, empty)
    assert "No lesson needed" not in (site / "index.html").read_text("utf-8")
    chain = read((site / f"lessons/{SLIDES}/steps/17-chain.html").read_text("utf-8")).root
    (total,) = (part for part in chain.all("div", cls="left") if part.elements)
    assert total.text
    home = read((site / f"lessons/{SLIDES}.html").read_text("utf-8")).root
    assert "Look closer Computation graph" in " ".join(home.one("main").text.split())


def test_lessons_of_formulas_are_whole_and_say_that_other_formulas_need_the_tutor(
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    assert make(out, "sum-times", "attention-head") == 0
    assert sitecheck.problems(out)[0] == []
    for name, steps in (("sum-times", 7), ("attention-head", 147)):
        folder = out / "lessons" / name
        walk = [page for page in (folder / "steps").glob("*.html") if page.stem.isdigit()]
        assert len(walk) == steps
        assert len([*(folder / "steps" / "pass").glob("*.html")]) == 2
        assert (folder / "accumulation.html").exists()
        assert (folder / "files" / f"{name}-interactive.html").exists()
        home = folder.with_suffix(".html").read_text("utf-8")
        assert "formulas of your own" in home
        assert "Walk through a formula" not in home
        assert "Look closer" not in home, "none of those pages is in a site"
    assert not any("/formula" in page.read_text("utf-8") for page in out.rglob("*.html"))


def test_what_needs_the_tutor_running_is_said_in_one_line_and_nothing_leads_there(
    site: Path,
) -> None:
    for page in site.rglob("*.html"):
        if page.parent.name != "files":
            text = page.read_text(encoding="utf-8")
            assert text.count(site_page.NEEDS_SERVER) == 1, page
            gone = r'href="[^"]*/(?:build|open|share)(?:\.html)?"|iteration=|seed=|htmx|<form|<input type="hid'
            assert not re.search(gone, text), page


def test_the_controls_keep_the_focus_from_page_to_page(site: Path) -> None:
    text = (site / f"lessons/{SMALL}/steps/2.html").read_text(encoding="utf-8")
    links = {link.attributes.get("id"): link.attributes for link in read(text).root.all("a")}
    assert links["next"]["href"] == "3.html#next"
    assert links["back"]["href"] == "1.html#back"
    assert links["last"]["href"] == "12.html#last"


def test_files_to_take_away_are_the_ones_that_the_command_line_makes(
    small: Path, tmp_path: Path
) -> None:
    files = small / "lessons" / SMALL / "files"
    assert len(list(files.iterdir())) == len(site_paths.FILES)
    for kind in site_paths.FILES:
        (made := tmp_path / kind).mkdir()
        assert main([
            "export", str(ROOT / "scenarios" / f"{SMALL}.yaml"), "--to", kind, "-o", str(made)
        ]) == 0  # fmt: skip
        (one,) = made.iterdir()
        assert (files / one.name).read_bytes() == one.read_bytes()


def test_static_files_keep_their_fingerprints(small: Path) -> None:
    text = (small / "index.html").read_text(encoding="utf-8")
    assert re.search(r'href="static/base\.css\?v=[0-9a-f]{10}"', text)
    for path in (small / "static").rglob("*.*"):
        file = STATIC.find(path.relative_to(small / "static").as_posix())
        assert file is not None
        assert path.read_bytes() == file.plain
    assert not (small / "static" / "vendor").exists()


def test_the_front_page_shows_only_the_lessons_that_were_asked_for(small: Path) -> None:
    page = read((small / "index.html").read_text(encoding="utf-8")).root
    assert [card.attributes["data-lesson"] for card in page.all("li", cls="card")] == [SMALL]
    assert not (small / "lessons" / SLIDES).exists()


@pytest.mark.parametrize("lesson", [SMALL, SLIDES])
def test_the_training_of_a_lesson_is_a_page_as_it_is_in_the_end(site: Path, lesson: str) -> None:
    file = site / f"lessons/{lesson}/training.html"
    app = create_app(
        ROOT / "scenarios"
    )  # in which nobody has gone further, for then points are left out
    ours, live = (
        read(file.read_text(encoding="utf-8")),
        read(get(f"/lessons/{lesson}/training", app).text),
    )
    words = [page.root.one("div", id="run").one("p", cls="verdict").text for page in (ours, live)]
    assert words[0] == words[1]
    lines = [
        [
            line.attributes["d"]
            for line in page.root.all("path")
            if "line" in line.attributes["class"].split()
        ]
        for page in (ours, live)
    ]
    assert lines[0] == lines[1] != []
    surfaces = [] if lesson == SMALL else ["numbers-surface"]  # one weight has none
    for what in ("numbers", *surfaces):
        tables = [
            [cell.text for cell in page.root.one("details", id=what).all("td")]
            for page in (ours, live)
        ]
        assert tables[0] == tables[1] != [], what
    assert not list(ours.root.all("form"))
    home = read((site / f"lessons/{lesson}.html").read_text(encoding="utf-8")).root
    links = [link.attributes["href"] for link in home.all("a")]
    assert f"{lesson}/training.html" in links


def test_what_each_unit_adds_is_in_a_site_with_its_numbers(tmp_path: Path) -> None:
    text = training_page(tmp_path / "out", "relu-towers")
    plots = read(text).root.all("section", cls="plot")
    (plot,) = (one for one in plots if one.one("h2").text == "What each unit adds")
    heads = [head.text for head in plot.one("details").one("thead").all("th")]
    assert heads == ["x", "The network", "Unit 1", "Unit 2", "Unit 3", "Bias"]
    assert len(list(plot.one("details").one("tbody").all("tr"))) == 24


def test_a_training_that_takes_long_is_written_when_it_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tutor.web.routes_training.FIRST", 0.0)
    text = training_page(tmp_path / "out", "narrow-valley")
    assert "After 300 iterations training has converged" in text
    assert "each leads to its first step" not in text


# ---- the public address ----


def test_a_public_address_stands_where_links_have_to_be_whole(tmp_path: Path) -> None:
    out, home = tmp_path / "public", "https://host.example/course/tutor"
    assert make(out, SMALL, "--public-url", f"{home}/") == 0
    step = (out / f"lessons/{SMALL}/steps/3.html").read_text(encoding="utf-8")
    assert f'<link rel="canonical" href="{home}/lessons/{SMALL}/steps/3.html">' in step
    missing = (out / "404.html").read_text(encoding="utf-8")
    assert 'href="/course/tutor/index.html"' in missing
    assert 'href="/course/tutor/static/base.css?v=' in missing
    assert "canonical" not in missing
    worked = (out / f"lessons/{SMALL}/files/{SMALL}-worked.html").read_text(encoding="utf-8")
    assert f"{home}/lessons/{SMALL}.html" in worked


@pytest.mark.parametrize(
    "text", ["host.example", "ftp://host.example", "https://", "https://host.example/?a=1", "a b"]
)
def test_a_public_address_that_is_none_is_refused(
    tmp_path: Path, capsys: Capture, text: str
) -> None:
    with pytest.raises(SystemExit):
        make(tmp_path / "out", "--public-url", text)
    assert "is not the address of a folder, such as https://" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


# ---- the folder ----


def test_the_same_lessons_give_the_same_bytes(small: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    assert make(again, SMALL) == 0
    first = contents(small)
    assert contents(again) == first
    assert make(again, SMALL) == 0
    assert contents(again) == first


def test_progress_goes_to_stderr_and_the_front_page_to_stdout(
    tmp_path: Path, capsys: Capture
) -> None:
    assert make(tmp_path / "out", SMALL) == 0
    said = capsys.readouterr()
    assert said.out == f"{tmp_path / 'out' / 'index.html'}\n"
    assert re.search(r"^one-weight: \d+ pages of steps, \d+ other pages$", said.err, re.MULTILINE)
    assert re.search(r"^1 lesson, \d+ files, [\d.]+ MB$", said.err, re.MULTILINE)


def test_what_is_not_made_any_more_is_removed_and_what_others_put_there_stays(
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    (out / ".git").mkdir(parents=True)
    (out / ".git" / "config").write_text("theirs", encoding="utf-8")
    assert make(out, SMALL, "one-neuron") == 0
    (out / "CNAME").write_text("host.example", encoding="utf-8")
    assert (out / "lessons" / "one-neuron" / "steps" / "layer" / "1.html").exists()
    assert make(out, SMALL) == 0
    assert not list((out / "lessons").glob("one-neuron*"))
    assert (out / "CNAME").read_text(encoding="utf-8") == "host.example"
    assert (out / ".git" / "config").read_text(encoding="utf-8") == "theirs"


def test_a_folder_that_others_filled_is_refused_and_stays_as_it_is(
    tmp_path: Path, capsys: Capture
) -> None:
    for name in ("a.txt", "b.txt", "c.txt", "d.txt", "e.txt"):
        (tmp_path / name).write_text("mine", encoding="utf-8")
    before = contents(tmp_path)
    assert refusal(capsys, tmp_path, SMALL) == (
        f"{tmp_path} holds a.txt, b.txt, c.txt and 2 more, which this command did not make. "
        "Nothing was written; --out needs a folder that is new, empty, or from an earlier run\n"
    )
    assert contents(tmp_path) == before


@pytest.mark.parametrize("text", ["", "something else\n", f"{site_folder.HEADING}\n../../secret\n"])
def test_a_list_that_this_command_did_not_write_is_not_believed(
    tmp_path: Path, capsys: Capture, text: str
) -> None:
    (tmp_path / site_folder.LIST).write_text(text, encoding="utf-8")
    assert "is not as this command writes it" in refusal(capsys, tmp_path, SMALL)


def test_a_file_is_no_folder(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "out").write_text("", encoding="utf-8")
    assert "is a file; --out needs a folder" in refusal(capsys, tmp_path / "out", SMALL)


def test_a_run_that_ends_early_can_be_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("tutor.cli.site.static_page", full)
        assert refusal(capsys, tmp_path / "out", SMALL).endswith(
            "out: cannot be written: No space left on device\n"
        )
    assert make(tmp_path / "out", SMALL) == 0
    assert sitecheck.problems(tmp_path / "out")[0] == []


# ---- what is asked for ----


def test_a_lesson_that_there_is_not_is_named_with_the_one_that_is_meant(
    tmp_path: Path, capsys: Capture
) -> None:
    said = refusal(capsys, tmp_path / "out", "one-wieght", SMALL, "nonsense")
    assert said == (
        "there is no lesson 'one-wieght'; did you mean one-weight? "
        "python -m tutor list names them\n"
        "there is no lesson 'nonsense'; python -m tutor list names them\n"
    )
    assert not (tmp_path / "out").exists()


def test_a_lesson_with_too_many_steps_is_refused_with_the_way_to_allow_it(
    tmp_path: Path, capsys: Capture
) -> None:
    said = refusal(capsys, tmp_path / "out", SMALL, SLIDES, "--most-steps", "50")
    assert said.startswith(f"{SLIDES} has 79 steps, more than 50, and each would be a page; ")
    assert "--most-steps" in said
    assert not (tmp_path / "out").exists()


def test_without_names_a_lesson_with_too_many_steps_is_left_out_and_said_to_be(
    capsys: Capture,
) -> None:
    lessons = chosen(())
    kept = without_endless(lessons, 100)
    left_out = {lesson.id for lesson in lessons} - {lesson.id for lesson in kept}
    assert {"circle-summed", "xor"} <= left_out
    assert SLIDES not in left_out
    said = capsys.readouterr().err.splitlines()
    assert {line.split()[2] for line in said} == left_out
    assert any("circle-summed has 19,669 steps, more than 100; --most" in line for line in said)
    assert without_endless(lessons, 1) == lessons, "then the command refuses them all"


def test_a_broken_file_of_the_shelf_is_reported_before_anything_is_written(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shelf").mkdir()
    (tmp_path / "shelf" / "broken.yaml").write_text("format: 1\n", encoding="utf-8")
    monkeypatch.setenv("SHELF", str(tmp_path / "shelf"))
    assert "broken.yaml" in refusal(capsys, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert make(tmp_path / "out", SMALL) == 0


def test_a_lesson_of_the_shelf_is_there_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shelf").mkdir()
    text = (ROOT / "scenarios" / f"{SMALL}.yaml").read_text(encoding="utf-8")
    (tmp_path / "shelf" / "ours.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("SHELF", str(tmp_path / "shelf"))
    assert make(tmp_path / "out", "ours") == 0
    assert (tmp_path / "out" / "lessons" / "ours" / "steps" / "12.html").exists()


def test_a_hidden_lesson_is_made_where_it_is_named_and_stays_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    (tmp_path / "shelf").mkdir()
    text = (ROOT / "scenarios" / f"{SMALL}.yaml").read_text(encoding="utf-8")
    (tmp_path / "shelf" / "exam.yaml").write_text(text, encoding="utf-8")
    course = "format: 1\ntitle: Ours\nhidden: [exam]\n"
    (tmp_path / "shelf" / "course.yaml").write_text(course, encoding="utf-8")
    monkeypatch.setenv("SHELF", str(tmp_path / "shelf"))
    assert make(tmp_path / "out", "exam") == 0
    assert "exam is hidden in its course" in capsys.readouterr().err
    assert (tmp_path / "out" / "lessons" / "exam.html").exists()
    assert "exam" not in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


# ---- paths ----


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("/", "index.html"),
        ("/glossary", "glossary.html"),
        ("/activations?z=-2&slope=0.1", "activations/z_-2_slope_0.1.html"),
        ("/lessons/a", "lessons/a.html"),
        ("/lessons/a?grain=pass", "lessons/a/pass.html"),
        ("/lessons/a/steps/7", "lessons/a/steps/7.html"),
        ("/lessons/a/steps/7?grain=layer", "lessons/a/steps/layer/7.html"),
        ("/lessons/a/steps/7/chain?grain=layer", "lessons/a/steps/layer/7-chain.html"),
        ("/lessons/a/slides?show=slips", "lessons/a/slides/slips.html"),
        ("/lessons/a/export", "lessons/a/export.html"),
        ("/lessons/a/export?kind=html", "lessons/a/export.html"),
        ("/lessons/a/export?kind=numpy&grain=layer", "lessons/a/export/numpy.html"),
        ("/lessons/a/graph", "lessons/a/graph.html"),
        ("/lessons/a/graph?open=2", "lessons/a/graph/open_2.html"),
        ("/lessons/a/graph?open=all", "lessons/a/graph/open_all.html"),
        ("/lessons/a/graph?open=2&sample=3", "lessons/a/graph/open_2_sample_3.html"),
        ("/lessons/a/graph?scaling=steps", "lessons/a/graph/scaling.html"),
        ("/static/vendor/x.js?v=1", "static/vendor/x.js"),
    ],
)
def test_a_query_becomes_a_part_of_the_path(address: str, path: str) -> None:
    assert site_paths.path(address) == path


@pytest.mark.parametrize(
    "address",
    [
        "/build", "/open", "/?q=x", "/glossary?x=1", "/activations?z=../../x", "/activations?y=1",
        "/lessons/a/share", "/lessons/a?iteration=2", "/lessons/a/steps/7?present=yes",
        "/lessons/a/steps/7?w[1][1,1]=2", "/lessons/a/steps/x", "/lessons/a/steps/7?grain=other",
        "/lessons/a/export?kind=class-set", "/lessons/a/export?seed=1", "/embed/lessons/a/steps/1",
        "/lessons/a/slides?show=../x", "/lessons/a/steps/7/change", "/lessons/a/scenario.yaml",
        "/lessons/a/graph?open=1,2", "/lessons/a/graph?open=x", "/lessons/a/graph?sample=all", "/lessons/a/graph?iteration=2",
    ],
)  # fmt: skip
def test_what_needs_the_tutor_running_has_no_path(address: str) -> None:
    assert site_paths.path(address) is None


# ---- one page ----


def written(text: str, form: str = "") -> str:
    """A page whose links to /a have a file and others none."""
    return site_page.static_page(
        text,
        site_page.Place(
            "/lessons/x",
            lambda address: "a.html" if address == "/a" else None,
            "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
            form=form,
        ),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('<p>x &amp; &#8722; − <a href="/a#b">y</a></p>', '<p>x &amp; &#8722; − <a href="a.html#b">y</a></p>'),
        ('<ul><li><a href="/a">1</a></li><li><a href="/b">2</a> more</li></ul>', '<ul><li><a href="a.html">1</a></li></ul>'),
        ('<li><ul><li><a href="/b">2</a></li></ul>kept</li>', "<li><ul></ul>kept</li>"),
        ('<p>a <a href="/b">gone <b>too</b></a> c</p>', "<p>a  c</p>"),
        ('<a id="next" href="/a" hx-get="/a" aria-keyshortcuts="End" title="&quot;&lt;\'">n</a>',
         '<a id="next" href="a.html#next" aria-keyshortcuts="End" title="&#34;&lt;\'">n</a>'),
        ('<svg viewBox="0 0 1 1"><path d="M0"/></svg>', '<svg viewBox="0 0 1 1"><path d="M0"/></svg>'),
        ('<p>1</p><form action="/a"><p><a href="/a">in</a></p></form><p>2</p>', "<p>1</p><p>2</p>"),
        ('<meta charset="utf-8">', '<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; base-uri \'none\'">'),
        ('<a href="#main">s</a><a href="https://x.example/">o</a>', '<a href="#main">s</a><a href="https://x.example/">o</a>'),
    ],
)  # fmt: skip
def test_a_page_keeps_what_need_not_change(text: str, expected: str) -> None:
    assert written(text) == expected


def test_a_tool_with_a_form_goes_and_the_first_one_makes_room_for_the_line() -> None:
    tool = "<details><summary>T</summary><form><p>f</p></form></details>"
    text = written(
        f"<main><div>{tool}{tool}<details><summary>kept</summary></details></div></main>"
    )
    assert text.count("<details") == 2
    assert text.count(site_page.NEEDS_SERVER) == 1
    assert "kept" in text


def test_a_form_may_make_room_for_a_link() -> None:
    assert written("<li><form>f</form></li>", "<p>here</p>") == "<li><p>here</p></li>"
