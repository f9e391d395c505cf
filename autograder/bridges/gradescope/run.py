"""What runs on Gradescope: `python -m autograder.bridges.gradescope.run /autograder`.

Reads `source/`, `submission/` and `submission_metadata.json` below the folder and writes `results/results.json`. What
it prints is for instructors. Exit status 1, and no results.json, where the framework could not grade: Gradescope then
says that the autograder failed, which is no zero.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from autograder.bridges.gradescope.results import results_json
from autograder.course import CONFIG_NAME, CourseConfig, load_config
from autograder.course.roster import Claim, Roster, read_roster
from autograder.results.files import write_atomically
from autograder.results.model import Result
from autograder.service.course import Course
from autograder.service.grader import isolation_here
from autograder.submissions import HandIn
from autograder.submissions.shown import shown

MAX_METADATA = 10_000_000


def main(arguments: list[str]) -> int:
    """Grade one submission, or with `--probe` say which isolation this container gives."""
    if arguments == ["--probe"]:
        return _probe()
    base = Path(arguments[0] if arguments else "/autograder")
    target = base / "results" / "results.json"
    target.unlink(missing_ok=True)
    try:
        data = grade(base)
    except Exception as error:
        print(f"NOT GRADED: {type(error).__name__}: {error}")
        return 1
    if data is None:
        return 1
    write_atomically(target, json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    return 0


def grade(base: Path) -> dict[str, object] | None:
    """The data of results.json; None where the framework failed, which has been printed then."""
    source = base / "source"
    settings = json.loads((source / "settings.json").read_text(encoding="utf-8"))
    metadata = _metadata(base / "submission_metadata.json")
    config = _with_due(load_config(source / "course" / CONFIG_NAME), settings["exercise"], due_date(metadata))
    course = Course(config, secret=(source / "secret").read_bytes())
    roster = read_roster(source / "roster.csv") if (source / "roster.csv").is_file() else None
    with course.speaking():
        student = identify(metadata, settings["identity"], roster)
        handed_in = course.read_student(base / "submission", student, [settings["exercise"]])
        if handed_in.entries:
            entry = replace(handed_in.entries[0], submitted=submitted(metadata))
            with course.grader(workers=1, unprotected=settings["unprotected"]) as grader:
                result = grader.grade_entry(handed_in, entry)
        else:
            result = course.nothing_in(handed_in, student, settings["exercise"])
        _tell(result, handed_in)
        if result.outcome == "error":
            print("NOT GRADED: the checks named above broke; this is a fault of the framework, not of the submission.")
            return None
        exercise = config.exercise(settings["exercise"])
        return results_json(result, course.grade(result), exercise, tuple(settings["leaderboard"]))


def identify(metadata: dict[str, object], identity: str, roster: Roster | None) -> str:
    """The student's name: the roster's where one was given, else what the settings say of the first user.

    Raises:
        ValueError: nobody can be made out. Guessing would give another student's numbers.
    """
    users = _users(metadata)
    if not users:
        raise ValueError("submission_metadata.json names no user")
    if len(users) > 1:
        print(f"A group of {len(users)}: graded with the numbers of the first of them that can be made out.")
    for user in users:
        email, name, sid = (str(user.get(key) or "") for key in ("email", "name", "sid"))
        if roster is not None:
            people = roster.find(Claim(sid, ("id",)), Claim(email, ("email",)), name=name)
            if len(people) == 1:
                return people[0].id
            continue
        found = {"login": email.partition("@")[0], "email": email, "name": name, "sid": sid}[identity].strip()
        if found:
            return found
    if roster is not None:
        raise ValueError("the roster has no user of this submission, or has them more than once")
    raise ValueError(f"submission_metadata.json gives no {identity} of any user")


def _users(metadata: dict[str, object]) -> list[dict[str, object]]:
    users = metadata.get("users")
    return [user for user in users if isinstance(user, dict)] if isinstance(users, list) else []


def submitted(metadata: dict[str, object]) -> datetime | None:
    """When it was handed in."""
    return _moment(metadata.get("created_at"))


def due_date(metadata: dict[str, object]) -> datetime | None:
    """When it was due: the latest date of the users' own extensions, else the assignment's."""
    own = []
    for user in _users(metadata):
        assignment = user.get("assignment")
        if isinstance(assignment, dict) and (moment := _moment(assignment.get("due_date"))):
            own.append(moment)
    if own:
        return max(own)
    assignment = metadata.get("assignment")
    return _moment(assignment.get("due_date")) if isinstance(assignment, dict) else None


def _moment(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _metadata(path: Path) -> dict[str, object]:
    if path.stat().st_size > MAX_METADATA:  # every earlier submission's result is in it
        raise ValueError(f"{path} is larger than {MAX_METADATA / 1e6:g} MB")
    data = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(data, dict):
        raise ValueError(f"{path} is no JSON object")
    return data


def _with_due(course: CourseConfig, exercise: str, due: datetime | None) -> CourseConfig:
    """The due date that students read on Gradescope is the one that counts there."""
    if due is None:
        return course
    exercises = tuple(replace(e, due=due) if e.id == exercise else e for e in course.exercises)
    return replace(course, exercises=exercises)


def _tell(result: Result, handed_in: HandIn) -> None:
    """Everything, for instructors: Gradescope keeps the standard output from students."""
    print(f"student {shown(result.student)}, exercise {result.exercise}: {result.points:g} / {result.max_points:g}")
    isolation = json.dumps(msgspec.to_builtins(result.environment.isolation))
    print(f"isolation: {result.environment.level} {isolation}")
    for check in result.checks:
        print(f"  {check.id}: {check.outcome} {check.points:g} / {check.max_points:g} {json.dumps(check.measured)}")
        if check.outcome == "error":
            print(f"    {shown(check.message)}")
    for incident in result.incidents:
        print(f"  incident: {shown(json.dumps(msgspec.to_builtins(incident)))}")
    for item in handed_in.evidence:
        print(f"  not graded: {shown(item.path.name)}: {shown(item.reason)}")


def _probe() -> int:
    # The container that grades may be given other rights than the one that builds the image: no reason to fail.
    print(f"isolation while the image is built: {isolation_here()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
