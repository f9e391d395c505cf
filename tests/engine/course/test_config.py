"""grading_config.yaml: what is accepted, and the one clear error for what is not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from autograder.course import written
from autograder.course.config import CourseConfig, ExerciseConfig, load_config
from autograder.course.errors import ConfigurationError
from autograder.course.schema import SCHEMA_FILE, config_schema
from autograder.course.written import LatePenalty

MINIMAL = """\
schema_version: 1
course:
  id: demo
  title: Demo
exercises:
  - id: first
    title: The first
  - id: second
    title: The second
"""


def load(folder: Path, text: str) -> CourseConfig:
    file = folder / "grading_config.yaml"
    file.write_text(text, encoding="utf-8")
    return load_config(file)


def test_minimal_file_takes_documented_defaults(tmp_path: Path) -> None:
    course = load(tmp_path, MINIMAL)
    assert [exercise.id for exercise in course.exercises] == ["first", "second"]
    assert course.exercises[0].points == 20
    assert course.exercises[0].due is None
    assert course.exercises[0].visibility == "after_published"
    assert (course.language, course.attempts, course.device, course.data.set) == (
        "en",
        "last",
        "auto",
        "auto",
    )
    assert course.root == tmp_path.resolve()


def test_the_course_of_this_repository_is_valid() -> None:
    root = Path(__file__).parents[3]
    course = load_config(root / "grading_config.yaml")
    assert {e.id for e in course.exercises} == {file.parent.name for file in (root / "solutions").glob("*/quiz.py")}
    assert all(exercise.points == 20 and exercise.due for exercise in course.exercises)


def test_exercises_inherit_and_override(tmp_path: Path) -> None:
    course = load(
        tmp_path,
        """\
schema_version: 1
course: {id: demo, title: Demo, language: fr, timezone: Europe/Paris}
visibility: hidden
limits:
  per_check: {seconds: 5}
  total: {seconds: 50}
late_penalty: {per_day: 0.1, cap: 0.5}
exercises:
  - id: first
    title: One
    due: 2027-02-01
  - id: second
    title: Two
    due: 2027-02-01T18:30
    visibility: visible
    limits: {per_check: {memory_mb: 100}, per_import: {seconds: 7}}
    late_penalty: {grace_minutes: 30}
    checks:
      kl_value: {points: 3, visibility: hidden, seconds: 9}
""",
    )
    first, second = course.exercises
    paris = ZoneInfo("Europe/Paris")
    assert first.due == datetime(2027, 2, 1, 23, 59, 59, tzinfo=paris)
    assert second.due == datetime(2027, 2, 1, 18, 30, tzinfo=paris)
    assert (first.limits.per_check.seconds, second.limits.per_check.seconds) == (5, 5)
    assert (first.limits.per_check.memory_mb, second.limits.per_check.memory_mb) == (2048, 100)
    assert (first.limits.per_import.seconds, second.limits.per_import.seconds) == (20, 7)
    assert second.late_penalty == LatePenalty(0.1, 0.5, 30)
    assert second.checks["kl_value"].points == 3
    now = datetime(2027, 3, 1, tzinfo=UTC)
    assert not first.is_visible("kl_value", now)
    assert second.is_visible("other", now)
    assert not second.is_visible("kl_value", now)


@pytest.mark.parametrize(
    ("rule", "published", "before", "after"),
    [
        ("hidden", True, False, False),
        ("visible", False, True, True),
        ("after_due_date", False, False, True),
        ("after_published", False, False, False),
        ("after_published", True, True, True),
    ],
)
def test_visibility_follows_its_rule(rule: str, published: bool, before: bool, after: bool) -> None:
    due = datetime(2027, 2, 1, tzinfo=UTC)
    exercise = ExerciseConfig("a", "A", due=due, visibility=rule, published=published)  # type: ignore[arg-type]
    assert exercise.is_visible("x", due - timedelta(seconds=1)) is before
    assert exercise.is_visible("x", due + timedelta(seconds=1)) is after


def test_late_penalty_counts_days_begun() -> None:
    due = datetime(2027, 2, 1, tzinfo=UTC)
    penalty = LatePenalty(per_day=0.1, cap=0.25, grace_minutes=30)
    assert penalty.fraction(due, due) == 0
    assert penalty.fraction(due, due + timedelta(minutes=30)) == 0
    assert penalty.fraction(due, due + timedelta(minutes=31)) == pytest.approx(0.1)
    assert penalty.fraction(due, due + timedelta(hours=25)) == pytest.approx(0.2)
    assert penalty.fraction(due, due + timedelta(days=9)) == pytest.approx(0.25)
    assert penalty.fraction(None, due) == 0


# (what is changed, into what, the line of the error, what the message must name)
WRONG = [
    ("title: The first", "titel: The first", 7, ["titel", "did you mean 'title'", "exercises[0].titel"]),
    ("title: The first", "title: The first\n    points: -1", 8, ["exercises[0].points", "-1", "more than 0"]),
    ("title: The first", "title: The first\n    points: many", 8, ["many", "a number"]),
    ("title: The first", "title: The first\n    points: true", 8, ["true", "a number"]),
    ("title: The first", "title: The first\n    due: tomorrow", 8, ["tomorrow", "2027-02-01"]),
    ("title: The first", "title: The first\n    due: 2027-02-31", 8, ["2027-02-31", "calendar"]),
    ("title: The first", "title: The first\n    due: 2027-02-01T25:00", 8, ["25:00", "calendar"]),
    ("title: Demo", "title: Demo\n  language: french", 5, ["french", "en, fr"]),
    ("title: Demo", "title: Demo\n  timezone: Europe/Pariss", 5, ["Europe/Pariss", "course.timezone"]),
    ("id: second", "id: first", 8, ["first", "twice"]),
    ("id: second", "id: Second One", 8, ["Second One", "lower-case"]),
    ("id: demo", "id: Démo", 3, ["course.id", "lower-case"]),
    ("schema_version: 1", "schema_version: 2", 1, ["2", "exactly 1"]),
    ("course:", "device: gpu\ncourse:", 2, ["gpu", "auto, cpu, cuda"]),
    ("course:", "visibility: visble\ncourse:", 2, ["visble", "did you mean 'visible'"]),
    ("course:", "late_penalty: {cap: 5}\ncourse:", 2, ["late_penalty.cap", "at most 1"]),
    ("course:", "limits: {total: {seconds: 9}}\ncourse:", 2, ["9 s", "60 s"]),
    ("course:", "limits: {per_check: {memory_mb: 1.5}}\ncourse:", 2, ["1.5", "whole number"]),
    ("course:", "course: {id: x, title: y}\ncourse:", 3, ["'course'", "twice"]),
    ("course:", "secret: {env: 'A B'}\ncourse:", 2, ["secret.env"]),
    ("course:", "data: {set: [mnist}\ncourse:", 2, ["not valid YAML"]),
    ("exercises:", "exercices:", 5, ["exercices", "did you mean 'exercises'"]),
    ("  title: Demo\n", "", 3, ["'title' is missing"]),
]


@pytest.mark.parametrize(("old", "new", "line", "words"), WRONG, ids=[repr(row[1]) for row in WRONG])
def test_a_wrong_file_gets_one_error_with_its_place(
    tmp_path: Path, old: str, new: str, line: int, words: list[str]
) -> None:
    assert old in MINIMAL
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, MINIMAL.replace(old, new, 1))
    assert caught.value.line == line
    message = str(caught.value)
    assert message.startswith(str(tmp_path / "grading_config.yaml") + f":{line}")
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"# only a comment\n", "empty"),
        (b"just text", "a mapping"),
        (b"- a\n- b\n", "a mapping"),
        (b"a: \xff", "UTF-8"),
        (b"a: &x [*x]", "refers to itself"),
        (b"a: !!python/object/apply:os.system [ls]", "not valid YAML"),
        (b"a: [1, 2\nb: 3", "not valid YAML"),
        (b"\x00", "not valid YAML"),
        (b"[" * 100_000, "not valid YAML"),
        (
            b"a: &a [x,x,x,x,x,x,x,x,x,x]\n"
            + b"".join(b"%c: &%c [%s]\n" % (98 + i, 98 + i, b",".join([b"*%c" % (97 + i)] * 10)) for i in range(9)),
            "more than 100000 values",
        ),
    ],
)
def test_what_is_no_configuration_at_all(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "grading_config.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=words):
        load_config(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nothing\.yaml: cannot be read"):
        load_config(tmp_path / "nothing.yaml")


def test_an_unknown_exercise_is_answered_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"did you mean 'first'\? \(it has: first, second\)"):
        load(tmp_path, MINIMAL).exercise("frist")


def test_the_published_schema_is_that_of_the_code() -> None:
    import jsonschema

    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    assert schema == config_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["properties"]["device"]["enum"] == list(get_args(written.Device))  # in the order declared
    assert schema["properties"]["attempts"]["default"] == "last"
    assert schema["$defs"]["CheckLimit"]["properties"]["memory_mb"]["default"] == 2048


def test_a_whole_number_may_be_written_with_a_point(tmp_path: Path) -> None:
    text = MINIMAL.replace("course:", "limits: {per_check: {memory_mb: 512.0, seconds: 5}}\ncourse:", 1)
    limits = load(tmp_path, text).exercises[0].limits
    assert (limits.per_check.memory_mb, limits.per_check.seconds, limits.per_import.seconds) == (512, 5, 20)


def test_importing_the_package_imports_no_jsonschema() -> None:
    import subprocess
    import sys

    code = (
        "import autograder.course, sys; "
        "print([name for name in ('jsonschema', 'numpy', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
