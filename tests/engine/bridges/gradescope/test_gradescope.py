"""Gradescope: the zip is complete and holds no more than it must, its run gives our scores and hides what is hidden."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import yaml
from msgspec import structs

from autograder.book.grades import grade as grade_of
from autograder.bridges.gradescope import run as gradescope_run
from autograder.bridges.gradescope.bundle import Choices, bundle_files, requirements, write_zip
from autograder.bridges.gradescope.results import results_json
from autograder.course import ConfigurationError, load_config
from autograder.course.roster import read_roster
from autograder.results.model import Result, SubmissionFacts

SECRET = b"a secret of the tests"
SCHEMA = json.loads((Path(__file__).parent / "results.schema.json").read_text())
# After the example in Gradescope's documentation of submission_metadata.json.
METADATA = {
    "id": 123456,
    "created_at": "2018-07-01T14:22:32.365935-07:00",
    "assignment": {
        "due_date": "2018-07-31T23:00:00.000000-07:00",
        "group_size": 4,
        "group_submission": True,
        "id": 25828,
        "course_id": 1234,
        "late_due_date": None,
        "release_date": "2018-07-02T00:00:00.000000-07:00",
        "title": "Programming Assignment 1",
        "total_points": "20.0",
    },
    "submission_method": "upload",
    "users": [{"email": "ada@example.com", "id": 1234, "name": "Ada Lovelace"}],
    "previous_submissions": [
        {"submission_time": "2017-04-06T14:24:48.087023-07:00", "score": 0.0, "results": {"score": 0}}
    ],
}


def validate(data: Any) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(data)


def unpack(files: dict[str, bytes], base: Path) -> None:
    """Lay a folder out as Gradescope lays out /autograder."""
    with zipfile.ZipFile(io.BytesIO(write_zip(files))) as archive:
        for item in archive.infolist():
            path = Path(archive.extract(item, base / "source"))
            path.chmod(item.external_attr >> 16 & 0o777)
    for name in ("submission", "results"):
        (base / name).mkdir(parents=True)
    (base / "submission_metadata.json").write_text(json.dumps(METADATA))


@pytest.fixture
def base(toy, tmp_path) -> Path:
    unpack(bundle_files(load_config(toy / "grading_config.yaml"), "toy", SECRET, Choices()), tmp_path)
    return tmp_path


def run(base: Path) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ) | {"AUTOGRADER_BASE": str(base), "AUTOGRADER_PYTHON": sys.executable}
    return subprocess.run(
        [base / "source/run_autograder"], cwd=base, env=environment, capture_output=True, text=True, timeout=300
    )


def figures_of(result: dict[str, Any]) -> set[str]:
    """Names and values of everything that was measured."""
    found = set()
    for check in result["checks"]:
        for name, value in check["measured"].items():
            found |= {json.dumps(name), repr(value)}
    return found


def test_the_run_script_gives_our_scores_and_no_figures(base, grade, toy_solution):
    source = toy_solution.replace("mean((x - mean(x)[:, None]) ** 2)", "x.var(1)")
    (base / "submission/toy.py").write_text(source)
    ran = run(base)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    text = (base / "results/results.json").read_text()
    data = json.loads(text)
    validate(data)
    ours = grade(source)
    assert data["score"] == ours["points"] > 0
    assert [(t["name"], t["score"], t["max_score"]) for t in data["tests"]] == [
        (c["title"], c["points"], c["max_points"]) for c in ours["checks"]
    ]
    assert {t["status"] for t in data["tests"]} == {"passed", "failed"}
    assert data["stdout_visibility"] == "hidden"
    assert {t["visibility"] for t in data["tests"]} == {"after_published"}
    # Figures are for instructors: on the standard output, which students do not see, and nowhere else.
    measured = figures_of(ours)
    assert measured
    assert not [figure for figure in measured if figure in text]
    assert all(figure in ran.stdout for figure in measured)
    # Which isolation the container gave is in the result.
    assert data["extra_data"]["isolation"]["level"] == ours["environment"]["isolation"]["level"]
    assert f"isolation: {data['extra_data']['isolation']['level']}" in ran.stdout


def test_the_zip_holds_this_exercise_and_nothing_of_others(toy, tmp_path):
    config = toy / "grading_config.yaml"
    values = yaml.safe_load(config.read_text())
    values["exercises"].append({"id": "other", "title": "Another"})
    values["secret"] = {"env": "SOMEWHERE"}
    two = toy.parent / "two"
    two.mkdir(exist_ok=True)
    for name in ("solutions", "tests", "reference"):
        if not (two / name).exists():
            (two / name).symlink_to(toy / name)
    (two / "grading_config.yaml").write_text(yaml.safe_dump(values))
    choices = Choices(isolation="full", index="https://example.com/cpu")
    files = bundle_files(load_config(two / "grading_config.yaml"), "toy", SECRET, choices)
    made = yaml.safe_load(files["course/grading_config.yaml"])
    assert [exercise["id"] for exercise in made["exercises"]] == ["toy"]
    assert made["isolation"] == "full"
    assert "secret" not in made
    assert {"setup.sh", "run_autograder", "course/solutions/toy/toy.py", "course/tests/hidden/toy/test_toy.py",
            "course/reference/toy.json", "package/autograder/judge/process.py"} <= files.keys()  # fmt: skip
    assert not [path for path in files if "__pycache__" in path or path.startswith("course/solutions/other")]
    assert "--extra-index-url https://example.com/cpu torch==" in files["setup.sh"].decode()
    assert any(line.startswith("scipy==") for line in requirements())
    assert not any(line.startswith("torch") for line in requirements())
    with zipfile.ZipFile(io.BytesIO(write_zip(files))) as archive:
        modes = {item.filename: item.external_attr >> 16 & 0o777 for item in archive.infolist()}
    assert modes["setup.sh"] == modes["run_autograder"] == 0o755
    assert modes["secret"] == 0o600
    assert write_zip(files) == write_zip(dict(reversed(files.items())))
    for script in ("setup.sh", "run_autograder"):
        target = tmp_path / script
        target.write_bytes(files[script])
        assert subprocess.run(["bash", "-n", target]).returncode == 0


def test_a_fault_of_ours_gives_no_score(base, toy_solution):
    (base / "submission/toy.py").write_text(toy_solution)
    (base / "results/results.json").write_text("{}")
    checks = base / "source/course/tests/hidden/toy/test_toy.py"
    checks.write_text(checks.read_text().replace("n = draw.integer(3, 6)", "n = draw.nothing_of_the_kind()"))
    ran = run(base)
    assert ran.returncode == 1
    assert "NOT GRADED" in ran.stdout
    assert "mean_value: error" in ran.stdout
    assert not (base / "results/results.json").exists()


def test_nothing_handed_in_is_said(base):
    (base / "submission/thoughts.txt").write_text("I had none.")
    data = gradescope_run.grade(base)
    validate(data)
    assert data["score"] == 0
    assert "toy.py" in data["output"]
    assert "thoughts.txt" in data["output"]


def test_a_single_file_of_another_name_is_taken(base):
    from autograder.submissions import read_student

    (base / "submission/my homework.py").write_text("def mean(x):\n    return x\n")
    scan = read_student(base / "submission", "ada", ["toy"], handed_in_for="toy")
    (entry,) = scan.entries
    assert entry.path.name == "my homework.py"
    assert entry.notes


def metadata(**changes: Any) -> dict[str, Any]:
    return METADATA | changes


def test_who_it_is(tmp_path, capsys):
    assert gradescope_run.identify(METADATA, "login", None) == "ada"
    assert gradescope_run.identify(METADATA, "email", None) == "ada@example.com"
    assert gradescope_run.identify(METADATA, "name", None) == "Ada Lovelace"
    with pytest.raises(ValueError, match="gives no sid"):
        gradescope_run.identify(METADATA, "sid", None)
    with pytest.raises(ValueError, match="names no user"):
        gradescope_run.identify(metadata(users=[]), "login", None)
    file = tmp_path / "roster.csv"
    file.write_text("id,name,email\nstudent-7,Ada Lovelace,ada@example.com\n")
    assert gradescope_run.identify(METADATA, "login", read_roster(file)) == "student-7"
    stranger = {"email": "nobody@example.com", "id": 1, "name": "No Body"}
    with pytest.raises(ValueError, match="roster"):
        gradescope_run.identify(metadata(users=[stranger]), "login", read_roster(file))
    group = metadata(users=[stranger, *METADATA["users"]])
    assert gradescope_run.identify(group, "login", read_roster(file)) == "student-7"


def test_when_it_is_due():
    due = gradescope_run.due_date(METADATA)
    assert due == datetime.fromisoformat("2018-07-31T23:00:00-07:00")
    extension = {"due_date": "2018-08-07T23:00:00.000000-07:00"}
    users = [METADATA["users"][0] | {"assignment": extension}]
    assert gradescope_run.due_date(metadata(users=users)) == datetime.fromisoformat(extension["due_date"])
    assert gradescope_run.due_date({}) is None
    assert gradescope_run.submitted({"created_at": "yesterday"}) is None


def result_with(**changes: Any) -> Result:
    from autograder.results.model import CheckResult

    checks = [
        CheckResult("first", "The first holds.", 4, 4, "passed", measured={"loss": 0.123456}, visibility="visible"),
        CheckResult("second", "The second holds.", 0, 6, "blocked",
                    message="Not judged: it needs The third holds.", visibility="after_due_date"),
        CheckResult("third", "The third holds.", 0, 0, "failed", message="wrong <b>", hint="look", visibility="hidden"),
    ]  # fmt: skip
    return msgspec.structs.replace(Result("ada", "toy", 4, 10, "graded", checks), **changes)


def test_late_work_loses_what_the_course_says(toy):
    from autograder.course.written import LatePenalty

    course = load_config(toy / "grading_config.yaml")
    exercise = replace(course.exercise("toy"), late_penalty=LatePenalty(per_day=0.1, cap=0.5))
    course = gradescope_run._with_due(
        replace(course, exercises=(exercise,)), "toy", datetime.fromisoformat("2027-01-01T12:00:00+00:00")
    )
    result = result_with(submission=SubmissionFacts(submitted=datetime.fromisoformat("2027-01-03T11:00:00+00:00")))
    data = results_json(result, grade_of(result, course, ()), course.exercise("toy"))
    validate(data)
    assert data["score"] == pytest.approx(3.2)
    assert sum(test["score"] for test in data["tests"]) == 4
    assert "20%" in data["output"]


def test_what_is_seen_later_is_not_read_from_what_is_seen_now(toy):
    course = load_config(toy / "grading_config.yaml")
    result = result_with()
    data = results_json(result, grade_of(result, course, ()), course.exercise("toy"))
    validate(data)
    assert [test["visibility"] for test in data["tests"]] == ["visible", "after_due_date", "hidden"]
    assert "third" not in data["tests"][1]["output"]
    assert data["tests"][2]["output"] == "wrong <b>\nlook"
    # Plain text everywhere: Gradescope renders none of a student's own text.
    assert {data["output_format"], *(test["output_format"] for test in data["tests"])} == {"text"}
    assert "0.123456" not in json.dumps(data)


def test_a_leaderboard_shows_only_what_is_visible(toy):
    course = load_config(toy / "grading_config.yaml")
    hidden = course.exercise("toy")
    for entry in ("points", "sample_law:p"):
        with pytest.raises(ConfigurationError, match="leaderboard"):
            bundle_files(course, "toy", SECRET, Choices(leaderboard=(entry,)))
    with pytest.raises(ConfigurationError, match="CHECK:FIGURE"):
        bundle_files(course, "toy", SECRET, Choices(leaderboard=("sample_law",)))
    visible = replace(hidden, visibility="visible")
    result = result_with()
    grading = grade_of(result, course, ())
    entries = ("points", "first:loss:asc", "third:loss", "first:nothing")
    data = results_json(result, grading, visible, entries)
    validate(data)
    assert data["leaderboard"] == [
        {"name": "points", "value": 4.0}, {"name": "first loss", "value": 0.123456, "order": "asc"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    "broken",
    [{}, {"tests": [{"name": "no score"}]}, {"score": "4"}, {"score": 1, "visibility": "public"},
     {"score": 1, "output_format": "markdown"}, {"score": 1, "grade": 2}],
)  # fmt: skip
def test_the_schema_refuses_what_is_not_documented(broken):
    with pytest.raises(jsonschema.ValidationError):
        validate(broken)


def test_where_it_cannot_be_isolated_nothing_is_graded(base, toy_solution, monkeypatch, capsys):
    from autograder.batch import judges

    (base / "submission/toy.py").write_text(toy_solution)
    start = judges.Judge.__init__

    def without(self, order, slot=None):
        start(self, structs.replace(order, without=frozenset({"namespaces", "landlock"})), slot)

    monkeypatch.setattr(judges.Judge, "__init__", without)
    assert gradescope_run.main([str(base)]) == 1
    assert "can't be isolated" in capsys.readouterr().out
    assert not (base / "results/results.json").exists()


def test_a_reduced_container_is_graded_where_the_course_allows_it(base, toy_solution, monkeypatch, capsys):
    from autograder.batch import judges

    (base / "submission/toy.py").write_text(toy_solution)
    start = judges.Judge.__init__

    def without(self, order, slot=None):
        start(self, structs.replace(order, without=frozenset({"namespaces"})), slot)

    monkeypatch.setattr(judges.Judge, "__init__", without)
    status = gradescope_run.main([str(base)])
    said = capsys.readouterr().out
    if "install Python where every user can read it" in said:
        pytest.skip("the Python of these tests is its user's alone: it cannot be used without namespaces")
    assert status == 0, said
    data = json.loads((base / "results/results.json").read_text())
    assert data["extra_data"]["isolation"]["level"] == "reduced"
    config = base / "source/course/grading_config.yaml"
    config.write_text(config.read_text() + "\nisolation: full\n")
    assert gradescope_run.main([str(base)]) == 1
    assert "isolation: full" in capsys.readouterr().out
