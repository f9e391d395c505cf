"""The class report: counted right, bounded in size, and safe to open wherever it is opened."""

from __future__ import annotations

import csv
import io
import random
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from autograder.book.decisions import Decision
from autograder.reports.class_text import checks_csv, class_markdown, mistakes_csv, plain, statistics_csv
from autograder.reports.class_view import class_view, listing
from autograder.reports.pages import Links, class_page, heat_map, index_page, student_page
from autograder.reports.similarity import likeness, own_tokens
from autograder.reports.visible import student_view
from autograder.reports.words import total
from autograder.results.model import Incident
from tests.engine.book.conftest import complete, grades

NOW = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture
def small_class(result, check):
    def wrong(name):
        return check(name, "failed", message="m", diagnosis="sign", diagnosis_title="sign reversed")

    return [
        result("ada", "flows", check("density"), wrong("inverse"), duration_s=1.0),
        result("bob", "flows", wrong("density"), wrong("inverse"), duration_s=5.0),
        result("cid", "flows", check("density"), check("inverse", "blocked", message="b"), duration_s=3.0),
        result("cid", "chains", check("rows")),
    ]


def view_of(course, results, changes=(), **more):
    everybody = complete(results, course, changes)
    return class_view(course, everybody, grades(everybody, course, changes), NOW, **more)


def test_what_is_counted(course, small_class):
    small_class[0].submission.sha256 = "01"
    small_class[1].submission.sha256 = "01"
    small_class[2].submission.sha256 = "02"
    small_class[2].incidents.append(Incident("died", "exit 1", "density"))
    view = view_of(course, small_class, before={("ada", "flows"): 2.0, ("bob", "flows"): 0.0})
    flows, chains = view.exercises
    assert flows.finals == (5.0, 0.0, 5.0)
    assert (flows.median, flows.median_s, flows.longest_s) == (5.0, 3.0, 5.0)
    assert chains.outcomes == {"graded": 1, "missing": 2}
    shares = {c.id: (c.share, c.outcomes["failed"], c.outcomes["blocked"]) for c in flows.checks}
    assert shares == {"density": (pytest.approx(2 / 3), 1, 0), "inverse": (0.0, 2, 1)}
    assert [c.id for c in view.never_passed] == ["inverse"]
    assert [(m.id, m.students, m.checks) for m in view.mistakes] == [("sign", ("ada", "bob"), ("inverse", "density"))]
    assert view.identical == (("flows", ("ada", "bob")),)
    assert [(r.student, i.kind) for r, i in view.incidents] == [("cid", "died")]
    assert [(r.student, was, r.points) for r, was in view.moved] == [("ada", 2.0, 5.0)]
    assert [(s.student, total(list(s.grades.values())), set(s.alarms)) for s in view.students] == [
        ("ada", "5 / 20", set()), ("bob", "0 / 20", set()), ("cid", "10 / 15", {"flows"}),
    ]  # fmt: skip
    assert flows.tenths == (1, 0, 0, 0, 0, 2, 0, 0, 0, 0)


def test_a_check_of_ours_that_broke_is_not_the_students(course, result, check):
    view = view_of(course, [result("ada", "flows", check("density", "error", message="boom"), outcome="error")])
    assert view.exercises[0].checks[0].share == 0.0
    assert view.exercises[0].finals == ()
    assert [r.student for r in view.faults] == ["ada"]
    html = class_page(view, course, "en")
    assert "not graded" in html
    assert "(1 open)" in html
    assert "0 / 0" not in html, "a total of what is open is none"
    assert "not graded" in class_page(view, course, "en")


def test_students_are_called_by_their_names(course, small_class):
    small_class[0].incidents.append(Incident("died", "exit 1", "density"))
    names = {"ada": "陳小明", "bob": "Bob 🦊", "cid": "cid"}
    view = view_of(course, small_class, names=names, before={("ada", "flows"): 2.0})
    html = class_page(view, course, "en", {"ada": "for-teachers/ada.html"}, "for-teachers/index.html")
    assert html.count('<a href="for-teachers/ada.html">陳小明</a> <span class="soft small loose">ada</span>') == 5
    assert '<a href="for-teachers/index.html">All pages</a>' in html
    assert "<th scope=row>Bob 🦊<td class=f>✗" in html, "the heat map has names as text, and signs beside its colours"
    assert "data:image/png" not in html
    markdown = class_markdown(view)
    assert r"| 陳小明 \(ada\) |" in markdown
    assert r"died \(density\) exit 1" in markdown
    assert "| cid |" in markdown


def test_marks_are_explained_where_they_stand(course, small_class):
    def shown(view):
        return " ".join(class_page(view, course, "en").split())

    override = Decision("override", "bob", "flows", points=7.5, was=1.0, who="t", why="why", when=NOW)
    html = shown(view_of(course, small_class, [override]))
    assert "7.5*≠ (0)" in html
    assert "Final points. * changed by hand; ≠ overridden when the checks gave other points: look again; (in" in html
    assert "† late" not in html
    assert "* changed by hand" not in shown(view_of(course, small_class))


def test_wrong_answers_to_the_quiz_are_counted(course, result, check):
    def answered(student, outcome, **answers):
        return result(student, "flows", check("quiz_rows", outcome, kind="quiz", measured=answers))

    view = view_of(course, [
        answered("ada", "passed", **{"answer: rows": 1.0}),
        answered("bob", "failed", **{"answer: columns": 1.0}),
        answered("cid", "failed", **{"answer: columns": 1.0}),
        answered("dan", "failed", answer=0.25),
        answered("eve", "failed"),
    ])  # fmt: skip
    (question,) = view.exercises[0].questions
    assert (question.right, question.wrong, question.unanswered, question.students) == (
        1, (("columns", 2), ("0.25", 1)), 1, 5
    )  # fmt: skip
    html = class_page(view, course, "en")
    assert '<span class="loose">columns</span></th><td class="number">2</td>' in html
    assert "what is wrong for one may be right for another" in html


def test_every_page_is_reached_from_every_other(course, small_class):
    graded = [(grade, False) for grade in grades(small_class, course, [])]
    view = listing(course, graded, NOW, {"ada": "Ada L."})
    pages = {"ada": "ada.html", "bob": "b%20b.html", "cid": "cid.html"}
    index = index_page(view, course, "en", pages, "../class/class.html")
    for target in (*pages.values(), "../class/class.html"):
        assert f'href="{target}"' in index
    assert "Ada L." in index
    student = student_view(course, small_class[:1], grades(small_class[:1], course, []), NOW, teacher=True)
    links = Links("index.html", "class.html", None, ("Bob", "b%20b.html"))
    page = student_page(student, course, "en", links)
    assert [t in page for t in ('href="index.html"', 'href="class.html"', '<a rel="next" href="b%20b.html">Bob →</a>')]
    assert 'rel="prev"' not in page
    assert "index.html" not in student_page(student, course, "en"), "a page for a student tells of nobody else"


def test_names_are_text_everywhere(course, result, check):
    name = '=HYPERLINK("x")|<script>alert(1)</script>`**b**`'
    given = result(name, "flows", check("density", "failed", message="m", diagnosis="s", diagnosis_title=name))
    given.incidents.append(Incident("died", name, "density"))
    view = view_of(course, [given, result("ada", "flows", check("density"))])
    html = class_page(view, course, "en")
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    markdown = class_markdown(view)
    assert "<script" not in markdown.replace(r"\<", "")
    lines = [line for line in markdown.splitlines() if line.startswith("|") and "HYPERLINK" in line]
    assert all(line.replace(r"\|", "").count("|") in (5, 4) for line in lines)
    for text in (checks_csv(view), mistakes_csv(view), statistics_csv(view)):
        cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
        assert not [cell for cell in cells if cell[:1] in "=+@" and cell]
    assert plain("a|b\n*c*") == r"a\|b \*c\*"


def test_the_same_counts_in_markdown_and_csv(course, small_class):
    view = view_of(course, small_class)
    markdown = class_markdown(view)
    assert r"| 2 | sign reversed | flows | inverse, density |" in markdown
    rows = list(csv.DictReader(io.StringIO(statistics_csv(view))))
    assert [(r["check"], r["passed"], r["share_passed"]) for r in rows if r["exercise"] == "flows"] == [
        ("density", "2", "0.6667"), ("inverse", "0", "0.0000"),
    ]  # fmt: skip
    assert len(checks_csv(view).splitlines()) == 1 + 7
    assert len(mistakes_csv(view).splitlines()) == 1 + 2


def test_a_large_class_stays_small(course, result, check):
    """300 students, 30 checks, two of seven exercises: less than two sevenths of 5 MB."""
    rng = random.Random(1)

    def checks():
        return [check(f"check_{j}", rng.choice(["passed", "failed"]), message="m") for j in range(30)]

    results = [
        result(f"student {i}", e, *checks())
        for i in range(300)
        for e in ("flows", "chains")
    ]  # fmt: skip
    view = view_of(course, results)
    size = len(class_page(view, course, "en").encode())
    assert size < 5_000_000 * 2 / 7
    assert size > 50_000


STUB = "def f(x):\n    # YOUR CODE HERE\n    raise NotImplementedError\n"
ALTERNATIVES = Path(__file__).parents[2] / "alternatives" / "markov_quiz"


@pytest.fixture(scope="module")
def solutions():
    """Correct solutions of one exercise by people who did not see one another's."""
    return {file.stem: file.read_text(encoding="utf-8") for file in sorted(ALTERNATIVES.glob("*.py"))}


def renamed(code):
    """The same with other names for whatever is assigned in a function."""
    for number, name in enumerate(sorted(set(re.findall(r"^ +(\w+) = ", code, re.MULTILINE)))):
        code = re.sub(rf"(?<![\w.]){name}\b", f"other_{number}", code)
    return code


def reordered(code):
    """The same functions, the last first, with other comments."""
    head, *functions = re.split(r"\n(?=def )", code)
    return "\n".join([head, *(f"# my own\n{function}" for function in reversed(functions))])


def test_solutions_of_one_exercise_are_not_alike(solutions):
    found = likeness("markov_quiz", solutions, STUB)
    assert found.compared == len(solutions) >= 4
    assert found.pairs == ()
    assert found.median < 0.3


@pytest.mark.parametrize("disguise", [str, renamed, reordered, lambda code: reordered(renamed(code))])
def test_a_copy_is_found_however_it_is_disguised(solutions, disguise):
    first = next(iter(solutions))
    found = likeness("markov_quiz", solutions | {"copy": disguise(solutions[first])}, STUB)
    assert [{pair.first, pair.second} for pair in found.pairs] == [{first, "copy"}]
    assert found.pairs[0].similarity > 0.7
    assert set(found.codes) == {first, "copy"}


def test_a_copy_with_docstrings_comments_and_another_layout_is_found(solutions):
    """What says nothing to Python says nothing here: words of docstrings would dilute what is common."""
    first = next(iter(solutions))
    said = "a chain of states, its transitions and everything else that is written at length " * 4
    copy = re.sub(r"(?m)^(def .*:\n)", rf'\1    """{said}"""\n    # {said}\n', renamed(solutions[first]))
    copy = copy.replace(", ", ",\n            ") if 'f"' not in copy else copy
    found = likeness("markov_quiz", solutions | {"copy": copy}, STUB)
    assert {found.pairs[0].first, found.pairs[0].second} == {"copy", first}


def test_broken_code_has_tokens_too():
    for broken in ("x = (1\ny = 2 +\n", "x = 'no end\ny = 1\n", '"""no end\nx = 1\n', "  x = 1\n y = 2\nz = 3\n"):
        assert "=" in own_tokens(broken, ""), broken
    assert own_tokens("0.50 + 1e0", "") == own_tokens(".5 + 1.0", "")


def test_a_ring_of_copies_in_a_small_class_is_found(solutions):
    first = next(iter(solutions))
    ring = {f"copy{i}": renamed(solutions[first]) for i in range(3)}
    found = likeness("markov_quiz", solutions | ring, STUB)
    assert len(found.pairs) == 6


def test_alike_code_stands_side_by_side(course, small_class, solutions):
    code = next(iter(solutions.values())) + "\n# <b>mine</b>"
    likeness_of = likeness("flows", {"ada": code, "bob": code, "cid": "x = 1"}, STUB)
    html = class_page(view_of(course, small_class, likeness=[likeness_of]), course, "en")
    assert html.count("# &lt;b&gt;mine&lt;/b&gt;</pre>") == 2
    assert "side by side" in html


def test_the_stubs_own_lines_are_left_out():
    assert own_tokens(STUB, STUB) == []
    assert own_tokens(STUB + "    return x  # mine\n", STUB) == ["return", "x"]
    assert likeness("flows", {"ada": STUB, "bob": STUB}, STUB).pairs == ()


def test_any_name_stands_in_the_map(course, result, check):
    names = ["$x_{", "$\\frac{1}{0}$", "日本", "a" * 90]
    view = view_of(course, [result(name, "flows", check("density")) for name in names])
    drawn = heat_map(view.exercises[0], view.results, {})
    assert [name for name in names if f"<th scope=row>{name}<td" not in drawn] == []
