"""Figures of a batch: drawn where they are missing, never of an older submission, carried home from a cluster."""

from __future__ import annotations

import base64

import pytest
from rich.console import Console

from autograder.batch.keys import Keys
from autograder.batch.pictures import MOST_BYTES, unpack
from autograder.batch.pool import Done
from autograder.book.grades import grade
from autograder.course import load_config
from autograder.exporters.people import People
from autograder.exporters.table import GradeTable
from autograder.reports.table import grade_table
from autograder.results.model import Incident, Result
from tests.engine.classes import SECRET, grade_class

GOOD = "def mean(x):\n    return x.mean(1)\n"
PNG = b"\x89PNG\r\n\x1a\n and more"
FIGURES = '''"""Figures of the toy."""

from autograder.judge.drawing import Curves


def means(student, expect, draw):
    """The mean of each row."""
    return Curves({"mean": expect.tensor(student.mean(draw.normal(4, 5)), (4,), "mean")})
'''


@pytest.fixture
def figures(toy):
    """The figures of the toy course, for the time of the test."""
    path = toy / "tests/hidden/toy/figures.py"
    path.write_text(FIGURES)
    yield path
    path.unlink()


@pytest.fixture
def course(toy):
    return load_config(toy / "grading_config.yaml")


@pytest.fixture
def folder(tmp_path):
    for student, text in (("good", GOOD), ("wrong", "def mean(x):\n    raise KeyError('no')\n")):
        (tmp_path / "class" / student).mkdir(parents=True)
        (tmp_path / "class" / student / "toy.py").write_text(text)
    return tmp_path / "class"


def run(course, folder, out, runner=None, **options):
    """Why each student was graded."""
    batch = grade_class(course, folder, out, runner, **options)
    assert not batch.faults
    return {item.entry.student: item.why for item in batch.plan.todo}


def answering(order, source, on_done):
    """A runner without judges: everything is right, and drawn where it is asked for."""
    while (task := source.take()) is not None:
        submission = task.job.submission
        if task.job.pictures is not None:
            for name in (task.job.student, ".reference"):
                place = task.job.pictures / name / "toy"
                place.mkdir(parents=True, exist_ok=True)
                if name != ".reference" or not list(place.glob("*.png")):
                    (place / "means.png").write_bytes(PNG + task.job.cells[0]["source"].encode())
        on_done(Done(task, Result(*task.key, 10.0, 10.0, "graded", submission=submission)))


def pictures(out):
    return sorted(str(path.relative_to(out / "figures")) for path in (out / "figures").rglob("*.png"))


def test_what_is_missing_is_drawn_and_only_that(course, figures, folder, tmp_path):
    """Also for results that hold. What cannot be drawn is not tried again each time."""
    out = tmp_path / "out"
    run(course, folder, out)
    assert pictures(out) == []
    missing = dict.fromkeys(("good", "wrong"), "its figures are missing")
    assert run(course, folder, out, figures=True) == missing
    assert pictures(out) == [".reference/toy/means.png", "good/toy/means.png"]
    assert run(course, folder, out, figures=True) == {}
    (folder / "good" / "toy.py").write_text(GOOD + "# new\n")
    assert run(course, folder, out, figures=True) == {"good": "changed: the file handed in"}
    assert run(course, folder, out, figures=True) == {}


def test_no_picture_is_of_an_older_submission(course, figures, folder, tmp_path):
    out = tmp_path / "out"
    run(course, folder, out, answering, figures=True)
    assert pictures(out) == [".reference/toy/means.png", "good/toy/means.png", "wrong/toy/means.png"]
    (folder / "good" / "toy.py").write_text(GOOD + "# new\n")
    assert list(run(course, folder, out, answering)) == ["good"]
    assert pictures(out) == [".reference/toy/means.png", "wrong/toy/means.png"]
    assert run(course, folder, out, answering, figures=True) == {"good": "its figures are missing"}


def test_other_figures_are_drawn_anew(course, figures, folder, tmp_path):
    out = tmp_path / "out"
    run(course, folder, out, answering, figures=True)
    reference = out / "figures/.reference/toy/means.png"
    before = reference.stat().st_mtime_ns
    figures.write_text(FIGURES + "# changed\n")
    assert run(course, folder, out, answering) == {}  # they give no points
    assert len(run(course, folder, out, answering, figures=True)) == 2
    assert reference.stat().st_mtime_ns > before


def test_a_course_without_figures_misses_none(course, folder, tmp_path):
    run(course, folder, tmp_path / "out", answering)
    assert run(course, folder, tmp_path / "out", answering, figures=True) == {}


def test_a_kill_while_drawing_leaves_them_missing(course, figures, folder, tmp_path):
    out = tmp_path / "out"
    run(course, folder, out, answering, figures=True)

    def killed(order, source, on_done):
        source.take()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(course, folder, out, killed, figures=True, force=True)
    assert len(run(course, folder, out, answering, figures=True)) == 1


@pytest.mark.filterwarnings("ignore")  # dask and tornado leave their sockets and loops to the collector
def test_a_cluster_brings_its_pictures_home(course, figures, folder, tmp_path):
    pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    from autograder.batch.cluster import Cluster, connect
    from autograder.batch.cluster_run import ClusterRunner

    asked = []

    class Noting(ClusterRunner):
        def _submit(self, executor, order, trying):
            asked.append(trying.task.job.pictures)
            return super()._submit(executor, order, trying)

    out = tmp_path / "out"
    with connect(Cluster("local:1")) as client:
        run(course, folder, out, Noting(client, course, Keys(course, SECRET, course.language)), figures=True)
    assert asked == [out / "figures"] * 2
    assert pictures(out) == [".reference/toy/means.png", "good/toy/means.png"]
    assert (out / "figures/good/toy/means.png").read_bytes().startswith(PNG[:8])
    assert run(course, folder, out, answering, figures=True) == {}


def test_what_is_no_picture_is_not_carried(tmp_path):
    def coded(content):
        return base64.b64encode(content).decode()

    (tmp_path / "ada/toy").mkdir(parents=True)
    (tmp_path / "ada/toy/older.png").write_bytes(PNG)
    own = {
        "good": coded(PNG),
        "../../up": coded(PNG),
        "page": coded(b"<html>"),
        "large": coded(PNG + bytes(MOST_BYTES)),
        "none": "no base64 ~",
    }
    unpack({"own": own, "reference": {f"p{i}": coded(PNG) for i in range(99)}}, tmp_path, "ada", "toy")
    assert [path.name for path in (tmp_path / "ada").rglob("*.png")] == ["good.png"]
    assert [path.name for path in tmp_path.rglob("up.png")] == []
    assert len(list((tmp_path / ".reference/toy").iterdir())) == 12


def test_a_figure_that_cannot_be_drawn_raises_no_alarm(toy, tmp_path):
    """The mark in the table is for submissions that somebody should look at."""
    drawn = Result(
        "ada", "toy", 1.0, 1.0, "graded", incidents=[Incident("figure", "not drawn", "a")]
    )
    broken = Result("bob", "toy", 1.0, 1.0, "graded", incidents=[Incident("died", "signal 9", "a")])
    course = load_config(toy / "grading_config.yaml")
    graded = [(one, grade(one, course, ())) for one in (drawn, broken)]
    console = Console(width=200, record=True)
    console.print(grade_table(graded))
    assert console.export_text().count("!") == 2  # the cell, and what it means
    assert [row.incidents for row in GradeTable(graded, course, People(None)).rows] == [0, 1]
