"""Only what changed is graded again, and a batch that was killed goes on where it stopped."""

from __future__ import annotations

import json

import pytest

from autograder.batch.grade import Options, grade_folder
from autograder.batch.plan import make_plan
from autograder.batch.state import State, StateFault
from autograder.course import load_config
from autograder.submissions import scan_folder

SECRET = b"a secret of the tests"
FAST = "def mean(x):\n    return x.mean(1)\n"


def make_class(base, n):
    for i in range(n):
        (base / f"s{i:02}").mkdir(parents=True)
        (base / f"s{i:02}" / "toy.py").write_text(FAST + f"# {i}\n")
    return base


@pytest.fixture
def course(toy):
    return load_config(toy / "grading_config.yaml")


def run(course, folder, out, **options):
    graded = []
    scan = scan_folder(folder, ["toy"])
    batch = grade_folder(
        course, SECRET, scan, out, Options(workers=1, **options), lambda r, t: graded.append(r.student)
    )
    return batch, sorted(graded)


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
    with_state = State(out)
    assert [a.sha256 for a in with_state.history("s01", "toy")] != []
    assert len(with_state.history("s01", "toy")) == 2
    # A changed check touches everybody, and the plan says why.
    probes = toy / "tests/hidden/toy/probes.py"
    text = probes.read_text()
    probes.write_text(text + "\n# changed\n")
    plan = make_plan(course, SECRET, scan_folder(folder, ["toy"]), with_state.latest(), Options(workers=1))
    probes.write_text(text)
    with_state.close()
    assert len(plan.todo) == 3
    assert all("share" in item.why for item in plan.todo)


def test_another_secret_is_another_grading(course, tmp_path):
    folder, out = make_class(tmp_path / "class", 1), tmp_path / "out"
    run(course, folder, out)
    state = State(out)
    plan = make_plan(course, b"another secret here", scan_folder(folder, ["toy"]), state.latest(), Options(workers=1))
    state.close()
    assert [item.why for item in plan.todo] == ["changed: the student's seed (name or course secret)"]


def test_identical_files_are_pointed_out(course, tmp_path):
    folder = make_class(tmp_path / "class", 3)
    (folder / "s02" / "toy.py").write_bytes((folder / "s00" / "toy.py").read_bytes())
    plan = make_plan(course, SECRET, scan_folder(folder, ["toy"]), {}, Options(workers=1))
    assert plan.identical() == [("toy", ["s00", "s02"])]


def test_what_is_no_database_is_refused(tmp_path):
    (tmp_path / "state.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StateFault, match="cannot be used"):
        State(tmp_path)


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
    run(course, folder, out)
    changed_check()
    assert run(course, folder, out, only=["toy/mean*"])[1] == []
    assert run(course, folder, out, only=["other*"])[1] == []
    assert run(course, folder, out, only=["toy/spread*"])[1] == ["s00"]
    assert run(course, folder, out)[1] == []
    again, graded = run(course, folder, out, only=["toy/mean*"], force=True)
    assert graded == ["s00"]
    assert again.plan.todo[0].again == {"mean_value", "mean_of_vector"} or again.plan.todo[0].again


def test_an_older_folder_of_results_is_brought_up_to_date(course, tmp_path):
    """The database may be ahead of the files: killed between the two, or another folder was graded into."""
    folder, out = make_class(tmp_path / "class", 1), tmp_path / "out"
    run(course, folder, out)
    path = out / "results" / "s00" / "toy.json"
    right = path.read_bytes()
    path.write_bytes(right.replace(b'"points"', b'"points" ', 1))
    batch, graded = run(course, folder, out)
    assert graded == []
    assert batch.changed
    assert path.read_bytes() == right
    unchanged, _ = run(course, folder, out)
    assert not unchanged.changed


def test_a_file_changed_while_the_class_is_graded_is_graded_as_it_is_then(course, tmp_path):
    folder, out = make_class(tmp_path / "class", 2), tmp_path / "out"
    scan = scan_folder(folder, ["toy"])

    def change(result, total):
        other = "s01" if result.student == "s00" else "s00"
        if not (out / "results" / other).exists():
            (folder / other / "toy.py").write_text("x = 1\n")

    batch = grade_folder(course, SECRET, scan, out, Options(workers=1), change)
    assert sorted(r.points > 0 for r in batch.results) == [False, True]
    assert run(course, folder, out)[1] == []


def test_a_file_taken_away_while_the_class_is_graded_is_nobodys_zero(course, tmp_path):
    folder, out = make_class(tmp_path / "class", 2), tmp_path / "out"
    scan = scan_folder(folder, ["toy"])

    def take_away(result, total):
        other = "s01" if result.student == "s00" else "s00"
        (folder / other / "toy.py").unlink(missing_ok=True)

    batch = grade_folder(course, SECRET, scan, out, Options(workers=1), take_away)
    assert sorted(r.outcome for r in batch.results) == ["error", "graded"]
    assert len(batch.faults) == 1


def test_unreadable_files_are_read_once(course, tmp_path):
    folder, out = make_class(tmp_path / "class", 1), tmp_path / "out"
    (folder / "s00" / "toy.py").write_bytes(bytes(range(256)) * 20)
    first, _ = run(course, folder, out)
    again, _ = run(course, folder, out)
    assert [r.outcome for r in first.results] == [r.outcome for r in again.results] == ["unreadable"]
    assert (len(first.plan.unreadable), len(again.plan.unreadable), len(again.plan.kept)) == (1, 0, 1)
