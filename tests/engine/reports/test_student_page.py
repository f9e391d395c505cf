"""A student's page: what it says, what it must never say, and that nobody's text is markup in it."""

from __future__ import annotations

import struct
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from autograder.authoring.overlay import changed_functions
from autograder.book.decisions import Decision
from autograder.book.rubric import RubricItem
from autograder.language import speaking
from autograder.reports.pages import student_page
from autograder.reports.pictures import data_uri, student_pictures
from autograder.reports.reading import ReadingList, sections
from autograder.reports.visible import student_view
from autograder.results.model import Incident, SubmissionFacts
from tests.engine.book.conftest import grades

NOW = datetime(2027, 1, 1, tzinfo=UTC)
IN_TIME, LATE = datetime(2027, 2, 7, 12, tzinfo=UTC), datetime(2027, 2, 10, 12, tzinfo=UTC)
EVIL = '<script>alert("x")</script><img src=x onerror=y> {{ 7*7 }} & \u202e$x$'


def page(course, results, changes=(), now=NOW, **more):
    view = student_view(course, results, grades(results, course, changes), now, **more)
    return student_page(view, course, "en")


class Outline(HTMLParser):
    """The tags, the headings' levels and the text of a page."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.attributes, self.text, self.levels = [], [], "", []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag[0] == "h" and tag[1:].isdigit():
            self.levels.append(int(tag[1]))

    def handle_data(self, data):
        self.text += data


def test_two_languages_are_served_at_once(course, result, check):
    """Two threads make pages of the same results, each in its language, while the other is at it."""
    given = [result("ada", "flows", check("density", "failed"), check("other"))]
    both = threading.Barrier(2, timeout=60)

    def pages(language):
        with speaking(language):
            found = set()
            for _round in range(10):
                both.wait()
                view = student_view(course, given, grades(given, course, ()), NOW)
                found.add(Outline(student_page(view, course, language)).text)
            return found

    with ThreadPoolExecutor(2) as pool:
        (english,), (french,) = pool.map(pages, ("en", "fr"))
    assert "not passed" in english
    assert "non réussi" in french
    for text, other in ((english, "réussi"), (french, "not passed")):
        assert other not in text


def test_what_is_wrong_stands_under_the_statement_s_sections_the_most_points_first(course, result, check):
    given = result(
        "ada", "flows",
        check("a", "failed", message="wrong a"), check("b", "failed", message="wrong b"),
        check("c", "failed", message="wrong c"), check("d", "failed", message="wrong d"),
    )  # fmt: skip
    sections = {("flows", "a"): "1. First", ("flows", "b"): "2. Second", ("flows", "d"): "2. Second"}
    text = Outline(page(course, [given], read_on=sections)).text
    order = ["2. Second", "10 of 10 points lost", "wrong b", "wrong d", "1. First", "5 of 5", "wrong a", "wrong c"]
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_a_check_says_what_to_do_next(course, result, check):
    failed = check(
        "density", "failed", message="log_prob(x): 3 of 3 values differ", diagnosis="sign",
        diagnosis_title="the sign is reversed", hint="It looks like this: the sign is reversed. Try z = 2x.",
    )  # fmt: skip
    text = Outline(page(course, [result("ada", "flows", failed)], read_on={("flows", "density"): "4. The flow"})).text
    for part in ("log_prob(x): 3 of 3", "Likely mistake", "Try z = 2x.", "4. The flow", "0 of 5 points", "not passed"):
        assert part in text
    assert text.count("the sign is reversed") == 1
    assert "landlock" in text
    assert "torch 2.13.0" in text


def test_a_check_of_several_parts_shows_its_share_in_both_languages(course, result, check):
    message = (
        "3 of 4 parts earn their share of the points. `sample`: `sample` is not defined in your file. "
        "`mean`: form counts only where the values are right, and they are not."
    )
    parts = {"kl": "passed", "sample": "failed", "mean": "blocked", "elbo": "passed"}
    given = check("form", "failed", message=message, parts=parts)
    given.points = 2.5
    text = Outline(page(course, [result("ada", "flows", given)])).text
    for part in ("2.5 of 5 points", "not passed", "3 of 4 parts earn", "form counts only where"):
        assert part in text
    with speaking("fr"):
        view = student_view(
            course, [result("ada", "flows", given)], grades([result("ada", "flows", given)], course), NOW
        )
        french = Outline(student_page(view, course, "fr")).text
    for part in ("3 parties sur 4 rapportent leur part des points", "n'est pas défini", "la forme ne compte que si"):
        assert part in french


def test_a_page_in_french_writes_numbers_and_what_was_measured_in_french(course, result, check):
    message = (
        "sample(n): the sample does not follow the law that it should "
        "(a right sample looks like this less than once in 1,000,000 times)."
    )
    failed = check("density", "failed", message=message, measured={"p-value: the mean": 0.25})
    given = [result("ada", "flows", failed)]
    with speaking("fr"):
        view = student_view(course, given, grades(given, course), NOW, teacher=True)
        text = Outline(student_page(view, course, "fr")).text
    assert "moins d'une fois sur 1\u00a0000\u00a0000" in text
    assert "valeur p\u00a0: the mean = 0,25" in text


@pytest.mark.parametrize("where", ["student", "message", "title", "hint", "note", "loading", "comment", "who", "why"])
def test_text_of_others_is_text(course, result, check, where):
    failed = check("density", "failed", message="m", hint="h")
    given = result("ada", "flows", failed)
    changes = []
    if where == "student":
        given.student = EVIL
    elif where in ("message", "title", "hint"):
        setattr(failed, where, EVIL)
    elif where == "note":
        given.notes.append(EVIL)
    elif where == "loading":
        from autograder.results.model import LoadingProblem

        given.loading.append(LoadingProblem(EVIL, 1, "exception", EVIL))
    elif where == "comment":
        changes.append(Decision("comment", "ada", "flows", text=EVIL, who="t", why="c", when=NOW))
    else:
        who = EVIL if where == "who" else "t"
        changes.append(Decision("override", "ada", "flows", points=3, was=0, who=who, why=EVIL, when=NOW))
    source = page(course, [given], changes)
    outline = Outline(source)
    assert EVIL in outline.text
    assert "script" not in outline.tags
    assert not [name for name, _ in outline.attributes if name.startswith("on")]
    assert "49" not in source


def test_hidden_things_are_not_in_the_source(course, result, check):
    hidden = check(
        "secret", "failed", message="hidden message 271828", hint="hidden hint 314159", diagnosis="m1",
        diagnosis_title="hidden mistake 141421", measured={"w2 limit": 0.577215}, title="The sum is one",
    )  # fmt: skip
    shown = check("density", "failed", message="seen", measured={"entropy": 1.61421})
    given = result("ada", "flows", shown, hidden)
    given.incidents.append(Incident("died", "incident 161803", "secret"))
    source = page(course, [given])
    secrets = ("271828", "314159", "141421", "0.577", "w2 limit", "entropy", "1.61", "161803", "m1")
    assert [word for word in secrets if word in source] == []
    assert "The sum is one" in source
    assert "not shown" in source
    # The teacher's page shows them: the test above can fail.
    everything = page(course, [given], teacher=True)
    assert [word for word in secrets if word not in everything] == ["m1"]


def test_a_blocked_check_does_not_tell_of_a_hidden_one(course, result, check):
    hidden = check("secret", "failed", title="The sum is one")
    blocked = check("density", "blocked", message="Not judged, because this did not pass: “The sum is one”.")
    source = page(course, [result("ada", "flows", blocked, hidden)])
    assert "because this did not pass" not in source
    assert "a check that it needs did not pass" in source
    seen = check("other", "failed", title="The sum is one")
    assert "because this did not pass" in page(course, [result("ada", "flows", blocked, seen)])


def test_a_fault_of_ours_quotes_nothing(course, result, check):
    broken = check("density", "error", message="AssertionError: hidden_value == 42.42")
    given = result("ada", "flows", broken, outcome="error", message="hidden_value 42.42")
    source = page(course, [given])
    assert "42.42" not in source
    assert "fault on our side" in source
    assert "42.42" in page(course, [given], teacher=True)


def test_nothing_is_told_before_it_is_published(make_course, result, check):
    given = result("ada", "flows", check("density", "failed", message="told 2718"), check("other"))
    source = page(make_course(published=False), [given])
    assert "2718" not in source
    assert "of 10 points" not in source
    assert "not shown yet" in source
    assert "not passed" not in source
    after = page(make_course(published=True), [given])
    assert "2718" in after
    assert "5 of 10 points" in after


def test_who_is_late_knows_before_the_points_are_published(make_course, result, check):
    given = result("ada", "flows", check("density"), submission=SubmissionFacts(submitted=LATE))
    text = Outline(page(make_course(published=False), [given])).text
    assert "Handed in late: 20 % of the points are lost." in text
    assert "not shown yet; late" in text
    assert "of 5 points" not in text
    in_time = result("ada", "flows", check("density"), submission=SubmissionFacts(submitted=IN_TIME))
    assert "late" not in Outline(page(make_course(published=False), [in_time])).text.partition("not shown yet")[2]


def test_final_points_with_the_checks_beside_them(course, result, check):
    given = result("ada", "flows", check("density"), submission=SubmissionFacts(submitted=LATE))
    text = " ".join(Outline(page(course, [given])).text.split())
    assert "4 of 5 points The checks gave 5 points." in text
    assert "4† (5) / 5" in text
    assert "† late" in text
    in_time = result("ada", "flows", check("density"))
    assert "The checks gave" not in page(course, [in_time])


def test_the_total_counts_points_only_where_there_are_some(course, result, check):
    graded = result("ada", "flows", check("density"))
    nothing = result("ada", "chains", outcome="handed_in_not_gradable", message="A PDF.")
    for results, score in (([graded, nothing], "5 / 5 points (1 open)"), ([nothing], "(1 open)")):
        assert f'<p class="score">{score}</p>' in page(course, results)


def test_the_students_name_stands_above(course, result):
    source = page(course, [result("s-17", "flows")], name="Ada <L>")
    assert 'Ada &lt;L&gt; <span class="soft small">s-17</span></h1>' in source
    assert "<title>Ada &lt;L&gt; – " in source


def test_points_for_missing_work_wait_too(make_course, result, check):
    given = result("ada", "flows", outcome="missing")
    given.checks, given.points = [], 0.0
    oral = [Decision("override", "ada", "flows", points=7.0, was=0.0, who="t", why="oral exam", when=NOW)]
    unpublished = make_course(published=False)
    assert "oral exam" not in page(unpublished, [given], oral)
    assert "0 of 10 points" in page(unpublished, [given])
    assert "oral exam" in page(make_course(published=True), [given], oral)


def test_late_and_extended(course, result):
    given = result()
    given.submission.submitted = datetime.fromisoformat("2027-02-10T12:00:00+01:00")
    late = Outline(page(course, [given])).text
    assert "20 % of 10 points are lost" in late
    assert "8 of 10 points" in late
    extension = Decision("extend", "ada", "flows", due=datetime(2027, 2, 11, tzinfo=UTC), who="t", why="ill", when=NOW)
    extended = Outline(page(course, [given], [extension])).text
    assert "are lost" not in extended
    assert "your extension" in extended
    assert "10 of 10 points" in extended


def test_marks_by_hand(course, make_course, result):
    marks = {"flows": (RubricItem("figures", "Figures <b>", 2.0), RubricItem("essay", "An essay", 3.0))}
    signed = {"who": "Dr T", "why": "no <i>units</i>", "when": NOW}
    changes = [Decision("mark", "ada", "flows", check="figures", points=1.5, **signed)]
    given = [result()]

    def source(course):
        return student_page(student_view(course, given, grades(given, course, changes, marks), NOW), course, "en")

    outline = Outline(source(course))
    for part in ("Figures <b>", "1.5 / 2", "no <i>units</i>", "not marked yet", "11.5 of 15 points"):
        assert part in outline.text
    assert "units" not in source(make_course(published=False))


def test_private_comments_stay_private(course, make_course, result):
    comments = [
        Decision("comment", "ada", "flows", text="for teachers 99", private=True, who="t", why="c", when=NOW),
        Decision("comment", "ada", "flows", text="well done", who="t", why="c", when=NOW),
    ]
    source = page(course, [result()], comments)
    assert "well done" in source
    assert "for teachers 99" not in source
    assert "well done" not in page(make_course(published=False), [result()], comments)


def test_a_comment_shows_its_line(course, result):
    comments = [
        Decision("comment", "ada", "flows", text="why?", line="12", who="Dr T", why="c", when=NOW),
        Decision("comment", "ada", "flows", text="and here", line="3:2", who="Dr T", why="c", when=NOW),
    ]
    lines = {("flows", "12"): ((11, "x = 1"), (12, "y = x < 2"), (13, ""))}
    source = page(course, [result()], comments, excerpts=lines)
    assert "<strong>Dr T</strong>, line 12: why?" in source
    assert "  11  x = 1\n  12  y = x &lt; 2\n" in source
    assert "<strong>Dr T</strong>, cell 3, line 2: and here" in source


def test_the_page_is_sound_and_asks_for_nothing(course, result, check, problem):
    given = result("ada", "flows", check("density", "failed", message="m"), check("other"), loading=[problem])
    source = page(course, [given, result("ada", "chains")])
    outline = Outline(source)
    assert source.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert {"header", "main", "nav", "footer", "section", "table"} <= set(outline.tags)
    assert outline.levels[0] == 1
    assert outline.levels.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(outline.levels, outline.levels[1:], strict=False))
    ids = [value for name, value in outline.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    targets = [value[1:] for name, value in outline.attributes if name == "href"]
    assert set(targets) <= set(ids)
    assert not {"script", "link", "iframe", "form"} & set(outline.tags)
    assert "http" not in source.replace("http-equiv", "")
    assert "default-src 'none'" in source
    assert all(value == "col" or value == "row" for name, value in outline.attributes if name == "scope")
    assert "prefers-color-scheme: dark" in source
    assert "@media print" in source


def png(width=2):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\xff\0\0" * width for _ in range(width))
    head = struct.pack(">IIBBBBB", width, width, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_figures_stand_beside_the_reference(tmp_path, course, result):
    own = tmp_path / "figures" / "ada" / "flows"
    theirs = tmp_path / "figures" / ".reference" / "flows"
    for folder in (own, theirs):
        folder.mkdir(parents=True)
    (own / "density.png").write_bytes(png())
    (own / "no_png.png").write_text("<svg onload=alert(1)>")
    (own / "elsewhere.png").symlink_to(theirs / "density.png")
    (own / "loss_curve.png").write_bytes(png(3))
    (theirs / "density.png").write_bytes(png(4))
    pictures = student_pictures(tmp_path, "ada", "flows")
    assert [(p.name, bool(p.reference)) for p in pictures] == [("density", True), ("loss curve", False)]
    outline = Outline(page(course, [result()], pictures={"flows": pictures}))
    images = [value for name, value in outline.attributes if name == "src"]
    assert len(images) == 3
    assert all(image.startswith("data:image/png;base64,") for image in images)
    assert outline.tags.count("img") == len([1 for name, value in outline.attributes if name == "alt" and value])
    assert student_pictures(tmp_path, "bob", "flows") == ()
    (own / "density__reference.png").write_bytes(png(5))
    (density, _loss) = student_pictures(tmp_path, "ada", "flows")
    assert density.reference == data_uri(png(5)), "the one on the student's own scale"


SCRIPT = """\
# %% [markdown]
# # Flows
# ## 2. The coupling
# %%
# ## no heading: a comment of code
class Coupling:
    def forward(self, x): ...
# %% [markdown]
# ## 3. The density
# %%
def log_prob(x): ...
"""


def test_where_to_read_on(course, result, check):
    assert sections(SCRIPT) == {
        "Coupling": "2. The coupling", "forward": "2. The coupling", "log_prob": "3. The density",
    }  # fmt: skip
    folder = course.root / "solutions" / "flows"
    folder.mkdir(parents=True)
    (folder / "flows.py").write_text(SCRIPT)
    (folder / "mistakes.py").write_text(
        '@mistake("sign", "t", hint="h", check="a")\nclass Coupling(Coupling):\n    pass\n'
    )
    given = result(
        "ada", "flows",
        check("a", "failed", message="log_prob(x): wrong", diagnosis="sign"),
        check("b", "failed", message="log_prob(x): wrong"),
        check("c", "failed", message="A step forward is missing."),
        check("d", "passed", message="log_prob"),
    )  # fmt: skip
    found = ReadingList(course, changed_functions).of([given])
    assert found == {("flows", "a"): "2. The coupling", ("flows", "b"): "3. The density"}
