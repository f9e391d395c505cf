"""Only what changed is graded again, and a batch that was killed goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from dataclasses import replace

import pytest

from autograder.batch.keys import Keys
from autograder.batch.plan import Choice, make_plan
from autograder.book.engine import StoreFault
from autograder.book.place import open_store
from autograder.course import load_config
from autograder.service.classes import ChoiceFault
from autograder.submissions import Wanted, read_class, shelf
from tests.engine import classes
from tests.engine.classes import SECRET

FAST = "def mean(x):\n    return x.mean(1)\n"


def make_class(base, n):
    for i in range(n):
        (base / f"s{i:02}").mkdir(parents=True)
        (base / f"s{i:02}" / "toy.py").write_text(FAST + f"# {i}\n")
    return base


@pytest.fixture
def course(toy):
    return load_config(toy / "grading_config.yaml")


def run(course, folder, out, runner=None, **choice):
    graded = []
    batch = classes.grade_class(
        course, folder, out, runner, tell=lambda result, total: graded.append(result.student), **choice
    )
    return batch, sorted(graded)


def answering(order, source, on_done):
    """A run without judges: every check of every submission passes."""
    classes.answering(order, source, on_done, ("mean_value", "spread_value"))


def plan_of(course, folder, known=(), secret=SECRET):
    return make_plan(course, Keys(course, secret, "en"), read_class(folder, Wanted(["toy"])), dict(known), Choice())


def contents(out):
    found = {}
    for path in sorted((out / "results").glob("*/*.json")):
        data = json.loads(path.read_text())
        data["duration_s"] = 0
        for check in data["checks"]:
            check["duration_s"] = 0
        found[str(path.relative_to(out))] = data
    return found


def test_only_what_changed_is_graded_again(course, toy, tmp_path):
    folder, out = make_class(tmp_path / "class", 3), tmp_path / "out"
    first, graded = run(course, folder, out)
    assert graded == ["s00", "s01", "s02"]
    again, graded = run(course, folder, out)
    assert graded == []
    assert [r.points for r in again.results] == [r.points for r in first.results]
    (folder / "s01" / "toy.py").write_text(FAST + "x = 1\n")
    _, graded = run(course, folder, out)
    assert graded == ["s01"]
    _, graded = run(course, folder, out, students=["s02"], force=True)
    assert graded == ["s02"]
    # A result that was lost is written again from the database, not graded again.
    (out / "results" / "s00" / "toy.json").unlink()
    _, graded = run(course, folder, out)
    assert graded == []
    assert (out / "results" / "s00" / "toy.json").is_file()
    store = open_store(out)
    assert [a.sha256 for a in store.attempts.history("s01", "toy")] != []
    assert len(store.attempts.history("s01", "toy")) == 2
    # A changed check touches everybody, and the plan says why.
    probes = toy / "tests/hidden/toy/probes.py"
    text = probes.read_text()
    probes.write_text(text + "\n# changed\n")
    plan = plan_of(course, folder, store.attempts.latest())
    probes.write_text(text)
    store.close()
    assert len(plan.todo) == 3
    assert all("share" in item.why for item in plan.todo)


def test_another_secret_is_another_grading(course, tmp_path):
    folder, out = make_class(tmp_path / "class", 1), tmp_path / "out"
    run(course, folder, out)
    store = open_store(out)
    plan = plan_of(course, folder, store.attempts.latest(), b"another secret here")
    store.close()
    assert [item.why for item in plan.todo] == ["changed: the student's seed (name or course secret)"]


def test_identical_files_are_pointed_out(course, tmp_path):
    folder = make_class(tmp_path / "class", 3)
    (folder / "s02" / "toy.py").write_bytes((folder / "s00" / "toy.py").read_bytes())
    plan = plan_of(course, folder)
    assert plan.identical() == [("toy", ["s00", "s02"])]


def test_what_is_no_database_is_refused(tmp_path):
    (tmp_path / "book.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreFault, match="cannot be used"):
        open_store(tmp_path)


def check_named(result, name):
    return next(check for check in result.checks if check.id == name)


@pytest.fixture
def changed_check(toy):
    """`changed_check()` changes the text of one check of the course for the time of the test."""
    path = toy / "tests/hidden/toy/test_toy.py"
    before = path.read_text()

    def change():
        path.write_text(before.replace("The spread of each row is right.", "The spread of every row is right."))

    yield change
    path.write_text(before)


def test_a_changed_check_alone_is_graded_again(course, tmp_path, changed_check):
    """The others keep their results, and the points are those of a grading from the beginning."""
    folder, out = make_class(tmp_path / "class", 2), tmp_path / "out"
    (folder / "s00" / "toy.py").write_text(FAST + "import time\ndef spread(x):\n    return x.std(1)\n")
    first, _ = run(course, folder, out)
    changed_check()
    again, graded = run(course, folder, out)
    assert graded == ["s00", "s01"]
    assert [item.why for item in again.plan.todo] == ["changed: the checks spread_value"] * 2
    fresh, _ = run(course, folder, tmp_path / "fresh")
    for before, partly, anew in zip(first.results, again.results, fresh.results, strict=True):
        assert check_named(partly, "spread_value").title == "The spread of every row is right."
        kept = check_named(partly, "mean_value")
        assert kept.duration_s == check_named(before, "mean_value").duration_s  # not run again
        assert [c.id for c in partly.checks] == [c.id for c in anew.checks]
        assert [(c.outcome, c.points, c.max_points) for c in partly.checks] == [
            (c.outcome, c.points, c.max_points) for c in anew.checks
        ]
        assert partly.points == anew.points
    assert run(course, folder, out)[1] == []


def test_only_leaves_the_rest_for_later(course, tmp_path, changed_check):
    folder, out = make_class(tmp_path / "class", 1), tmp_path / "out"

    def graded(**options):
        batch, names = run(course, folder, out, answering, **options)
        assert len(batch.plan.todo) == len(names)
        return [set(item.again) if item.again else "all" for item in batch.plan.todo]

    assert graded() == ["all"]
    changed_check()
    assert graded(only=["toy/mean*"]) == []
    with pytest.raises(ChoiceFault, match="no exercise matches"):
        graded(only=["other*"])
    assert graded(only=["toy/spread*"]) == [{"spread_value"}]
    assert graded() == []
    assert graded(only=["toy/mean*"], force=True) == [{"mean_value", "mean_refuses"}]
    assert graded(only=["t?y"], force=True) == ["all"]
    assert graded() == []


def test_an_older_folder_of_results_is_brought_up_to_date(course, tmp_path):
    """The database may be ahead of the files: killed between the two, or another folder was graded into."""
    folder, out = make_class(tmp_path / "class", 1), tmp_path / "out"
    run(course, folder, out, answering)
    path = out / "results" / "s00" / "toy.json"
    right = path.read_bytes()
    path.write_bytes(right.replace(b'"points"', b'"points" ', 1))
    batch, graded = run(course, folder, out, answering)
    assert graded == []
    assert batch.changed
    assert path.read_bytes() == right
    unchanged, _ = run(course, folder, out, answering)
    assert not unchanged.changed


def test_a_file_changed_while_the_class_is_graded_is_graded_as_it_is_then(course, tmp_path, monkeypatch):
    monkeypatch.setattr(shelf, "ROOM", 0)  # it is read when it is taken
    folder, out = make_class(tmp_path / "class", 2), tmp_path / "out"

    def changing(order, source, on_done):
        for name in ("s00", "s01"):
            (folder / name / "toy.py").write_text("x = 1\n")
        answering(order, source, on_done)

    first, _ = run(course, folder, out, changing)
    expected = hashlib.sha256(b"x = 1\n").hexdigest()
    assert [result.submission.sha256 for result in first.results] == [expected] * 2
    assert run(course, folder, out, answering)[1] == []


def test_a_file_taken_away_while_the_class_is_graded_is_nobodys_zero(course, tmp_path, monkeypatch):
    monkeypatch.setattr(shelf, "ROOM", 0)  # it is read when it is taken
    folder, out = make_class(tmp_path / "class", 2), tmp_path / "out"

    def taking_away(order, source, on_done):
        (folder / "s01" / "toy.py").unlink()
        answering(order, source, on_done)

    batch, _ = run(course, folder, out, taking_away)
    assert [r.outcome for r in batch.results] == ["graded", "error"]
    assert [fault.student for fault in batch.faults] == ["s01"]


def test_unreadable_files_are_read_once(course, tmp_path):
    folder, out = make_class(tmp_path / "class", 1), tmp_path / "out"
    (folder / "s00" / "toy.py").write_bytes(bytes(range(256)) * 20)
    first, _ = run(course, folder, out, answering)
    again, _ = run(course, folder, out, answering)
    assert [r.outcome for r in first.results] == [r.outcome for r in again.results] == ["handed_in_not_gradable"]
    assert (len(first.plan.not_gradable), len(again.plan.not_gradable), len(again.plan.kept)) == (1, 0, 1)


OPENED: list[str] | None = None  # names of files, where a test counts them


@sys.addaudithook
def _count(event, arguments):
    if event == "open" and OPENED is not None:
        OPENED.append(os.path.basename(os.fsdecode(arguments[0])) if not isinstance(arguments[0], int) else "")


@pytest.fixture
def opened(monkeypatch):
    """Every file that is opened, in whichever way: an audit hook cannot be gone round."""
    names: list[str] = []
    monkeypatch.setattr(sys.modules[__name__], "OPENED", names)
    return names


def test_each_file_is_read_once_earlier_attempts_included(course, tmp_path, opened):
    folder = tmp_path / "class"
    folder.mkdir()
    for number, name in enumerate(("adalove", "bobray"), start=11):
        for attempt in ("", "-1", "-2"):
            (folder / f"{name}_{number}_{number}0_toy{attempt}.py").write_text(FAST + f"# {name} {attempt}\n")
    names = sorted(path.name for path in folder.iterdir())
    opened.clear()
    batch, graded = run(replace(course, attempts="best"), folder, tmp_path / "out", answering)
    assert len(graded) == 6, batch.handed_in.layout
    assert sorted(name for name in opened if name.endswith(".py") and name in names) == names


def test_few_submissions_are_in_memory(course, tmp_path, monkeypatch):
    """What finds no room is read when it is taken: nothing of a thousand others is there by then."""
    monkeypatch.setattr(shelf, "ROOM", 0)
    folder, out = make_class(tmp_path / "class", 3), tmp_path / "out"
    seen = []

    def one_at_a_time(order, source, on_done):
        seen.append(len(source))
        task = source.take()
        (folder / "s00" / "toy.py").write_text("x = 1\n")
        (folder / "s01" / "toy.py").write_text("x = 1\n")
        (folder / "s02" / "toy.py").write_text("x = 1\n")
        following = source.take()
        seen.append((task.job.cells[0]["source"] == "x = 1\n", following.job.cells[0]["source"] == "x = 1\n"))

    run(course, folder, out, one_at_a_time)
    assert seen == [3, (False, True)]
