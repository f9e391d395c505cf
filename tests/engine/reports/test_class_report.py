"""The class report: counted right, bounded in size, and safe to open wherever it is opened."""

from __future__ import annotations

import csv
import io
import random
from datetime import UTC, datetime

import pytest

from autograder.book.grades import grades
from autograder.book.missing import complete
from autograder.reports.class_plots import plots
from autograder.reports.class_text import checks_csv, class_markdown, mistakes_csv, plain, statistics_csv
from autograder.reports.class_view import class_view
from autograder.reports.pages import class_page
from autograder.reports.similarity import likeness, own_tokens
from autograder.results.model import Incident

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
    assert [(i.student, i.kind) for i in view.incidents] == [("cid", "died")]
    assert [(m.student, m.before, m.after) for m in view.moved] == [("ada", 2.0, 5.0)]
    assert [(s.student, s.total, s.max_total) for s in view.students] == [
        ("ada", 5.0, 20.0), ("bob", 0.0, 20.0), ("cid", 10.0, 15.0),
    ]  # fmt: skip


def test_a_check_of_ours_that_broke_is_not_the_students(course, result, check):
    view = view_of(course, [result("ada", "flows", check("density", "error", message="boom"), outcome="error")])
    assert view.exercises[0].checks[0].share == 0.0
    assert view.exercises[0].finals == ()
    assert [r.student for r in view.faults] == ["ada"]
    assert "not graded" in class_page(view, plots(view), course, "en")


def test_names_are_text_everywhere(course, result, check):
    name = '=HYPERLINK("x")|<script>alert(1)</script>`**b**`'
    given = result(name, "flows", check("density", "failed", message="m", diagnosis="s", diagnosis_title=name))
    given.incidents.append(Incident("died", name, "density"))
    view = view_of(course, [given, result("ada", "flows", check("density"))])
    html = class_page(view, plots(view), course, "en")
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
    size = len(class_page(view, plots(view), course, "en").encode())
    assert size < 5_000_000 * 2 / 7
    assert size > 50_000


STUB = "def f(x):\n    # YOUR CODE HERE\n    raise NotImplementedError\n"
OWN = "\n".join(f"    total_{i} = x[{i}] * weights[{i}] + offset_{i} - mean(x) / {i + 2}" for i in range(12))
OTHER = "\n".join(f"    while alpha{i} < beta{i}:\n        alpha{i}.append(sorted(gamma{i}))" for i in range(12))


def test_near_copies_are_found_and_others_not():
    codes = {
        "ada": f"def f(x):\n{OWN}\n    return total_0\n",
        "bob": f"def f(x):\n    # my own work\n{OWN.replace('total_3 ', 'sum3   ')}\n\n    return total_0  # yes\n",
        "cid": f"def f(x):\n{OTHER}\n    return 3\n",
        "dan": STUB,
    }
    found = likeness("flows", codes, STUB)
    assert found.compared == 3
    assert [(p.first, p.second) for p in found.pairs] == [("ada", "bob")]
    assert found.pairs[0].similarity > 0.95
    assert found.median < 0.6


def test_the_stubs_own_lines_are_left_out():
    assert own_tokens(STUB, STUB) == []
    assert own_tokens(STUB + "    return x  # mine\n", STUB) == ["return", "x"]
    assert likeness("flows", {"ada": STUB, "bob": STUB}, STUB).pairs == ()


def test_names_that_matplotlib_would_read_as_formulas(course, result, check):
    names = ["$x_{", "$\\frac{1}{0}$", "日本", "a" * 90]
    view = view_of(course, [result(name, "flows", check("density")) for name in names])
    assert set(plots(view).heat_maps) == {"flows"}
