"""What students get, generated from the solutions: stub, notebook, public checks, quiz, and a README.

`generate` computes every file of one language in memory; `write` puts them into `exercises/<language>/`, which can be
given to students as it is; `check_up_to_date` says how `exercises/` differs from what would be written. Nothing of a
solution region, a hidden check, a mistake or a limit goes in: `leaks` reads the finished files and says where it does.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path, PurePosixPath

import yaml
from msgspec import to_builtins

from autograder.authoring.course_map import FILE, course_map, has_map
from autograder.authoring.errors import AuthoringError
from autograder.authoring.judged import fill
from autograder.authoring.notebook import to_notebook, with_checks
from autograder.authoring.personal import answer_forms, load_quiz, personalise_example, read_personal
from autograder.authoring.public import called_by_checks
from autograder.authoring.readme import student_readme
from autograder.authoring.regions import find_regions, make_stub, solution_texts, strip_solutions
from autograder.authoring.statement import purposes, translate
from autograder.course.config import CourseConfig, ExerciseConfig
from autograder.course.discovery import STUDENT_FOLDER, Exercise, find_exercise
from autograder.course.handout import HANDOUT_CONFIG
from autograder.course.libraries import LIBRARIES
from autograder.course.tokens import fingerprint
from autograder.course.written import SCHEMA_VERSION
from autograder.language import LANGUAGES, TRANSLATIONS, _, language, said, speaking
from autograder.language.catalogues import shipped

# What tools leave in a folder that was only looked at.
_LEFTOVERS = frozenset({"__pycache__", ".ipynb_checkpoints", ".pytest_cache", ".DS_Store", "Thumbs.db"})


def generate(course: CourseConfig, language: str | None = None) -> dict[str, bytes]:
    """Every file that students get, in a language or the course's own: path relative to their folder -> content."""
    language = language or course.language
    with speaking(language, course.translations):
        files = {"README.md": student_readme(course).encode(), "install.py": _installer().encode()}
        if has_map(course):
            files[FILE] = course_map(course).encode()
        for config in course.exercises:
            files |= generate_exercise(find_exercise(course, config.id))
        given = {one.id: fingerprint(files[f"{one.id}/{one.id}.py"].decode()) for one in course.exercises}
        files[HANDOUT_CONFIG] = _student_course(course, language, given).encode()
    # What `new` and `check` say of an exercise on a student's machine; never the texts of hidden checks and mistakes.
    names = ["course", *(f"{config.id}.public" for config in course.exercises)]
    for path, built in shipped(course.translations).items():
        if PurePosixPath(path).stem in names:
            files[f"{TRANSLATIONS}/{path}"] = built
    return files


def languages(course: CourseConfig) -> list[str]:
    """The languages that a course is given out in: its own, and those that it has been translated to."""
    others = [name for name in LANGUAGES if (course.translations / name).is_dir() and name != course.language]
    return [course.language, *others]


def generate_exercise(exercise: Exercise) -> dict[str, bytes]:
    """The generated files of one exercise, in the language in force."""
    exercise.require(exercise.solution, exercise.quiz, exercise.public_checks)
    stub = stub_in(exercise)
    quiz, checks = (_text(path) for path in (exercise.quiz, exercise.public_checks))
    place = exercise.id
    called = {name for names in called_by_checks(exercise.public_checks).values() for name in names}
    files = {
        f"{place}/{exercise.id}.py": stub,
        f"{place}/{exercise.id}.ipynb": with_checks(to_notebook(stub, exercise.id), exercise.id, called),
        f"{place}/quiz.py": f"{strip_solutions(quiz, exercise.quiz)}\n\n{answer_forms(exercise.quiz)}\n",
        f"{place}/test_public.py": strip_solutions(checks, exercise.public_checks),
    }
    found = leaks(exercise, files)
    if found:
        raise AuthoringError(
            _("the student's files would hold parts of the solution: {what}").format(what=found[0]),
            file=exercise.solution,
        )
    return {path: text.encode() for path, text in files.items()}


def stub_in(exercise: Exercise) -> str:
    """The stub in the language in force."""
    return translate(stub_source(exercise), _) if language() != "en" else stub_source(exercise)


def purposes_of(exercise: Exercise) -> dict[str, str]:
    """What the functions and classes that students find in their file are for; see `purposes`. Nothing where the
    exercise is not here."""
    if not exercise.solution.is_file():
        return {}
    return purposes(make_stub(_text(exercise.solution), exercise.solution))


def stub_source(exercise: Exercise) -> str:
    """The stub of an exercise with the numbers of nobody, as a percent script."""
    source = _text(exercise.solution)
    if not any(region.kind == "SOLUTION" for region in find_regions(source, exercise.solution)):
        raise AuthoringError(_("has no solution region: the stub would be the solution"), file=exercise.solution)
    return personalise_example(make_stub(fill(source, exercise), exercise.solution), exercise)


def write(course: CourseConfig, wanted: Sequence[str] = ()) -> tuple[str, ...]:
    """Bring `exercises/` up to date in these languages, in all that the course has where none is named.

    A solution whose PERSONAL block is not what its quiz draws any more gets the new numbers. Returns the paths that
    were written. Stray files are left for the check.
    """
    written = []
    for config in course.exercises:
        exercise = find_exercise(course, config.id)
        exercise.require(exercise.solution, exercise.quiz)
        if _stale_numbers(exercise):
            exercise.solution.write_text(personalise_example(_text(exercise.solution), exercise), encoding="utf-8")
            written.append(exercise.solution.relative_to(course.root).as_posix())
    for path, content in _every(course, wanted or languages(course)).items():
        target = course.root / path
        if target.is_file() and target.read_bytes() == content:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        written.append(path)
    return tuple(written)


def check_up_to_date(course: CourseConfig, wanted: Sequence[str] = ()) -> list[str]:
    """A line for each way in which `exercises/` is not what the sources say, with what helps; none when all is well."""
    wanted = wanted or languages(course)
    differences = []
    expected = _every(course, wanted)
    for path, content in expected.items():
        target = course.root / path
        if not target.is_file():
            differences.append(f"{path}: missing; run `autograder assign`")
        elif target.read_bytes() != content:
            differences.append(f"{path}: {_first_difference(target.read_bytes(), content)}")
    for name in wanted:
        folder = course.root / STUDENT_FOLDER / name
        for found in sorted(folder.rglob("*")) if folder.is_dir() else []:
            relative = found.relative_to(course.root)
            if found.is_file() and not _LEFTOVERS.intersection(relative.parts) and relative.as_posix() not in expected:
                differences.append(f"{relative.as_posix()}: not generated by anything; remove it or move it elsewhere")
    for config in course.exercises:
        differences += _stale_numbers(find_exercise(course, config.id))
    return differences


def _every(course: CourseConfig, wanted: Sequence[str]) -> dict[str, bytes]:
    return {
        f"{STUDENT_FOLDER}/{language}/{path}": content
        for language in wanted
        for path, content in generate(course, language).items()
    }


def leaks(exercise: Exercise, files: Mapping[str, str]) -> list[str]:
    """Where students' files hold what they must not: a mark, or the text of a solution region."""
    secrets = [
        (source, text)
        for source in (exercise.solution, exercise.quiz)
        for region in solution_texts(_text(source), source)
        if (text := region.strip())
    ]
    found = []
    for path, content in files.items():
        # In a notebook every line is a JSON string: it is read as one text again.
        text = _notebook_text(content) if path.endswith(".ipynb") else content
        if "BEGIN SOLUTION" in text or "END SOLUTION" in text:
            found.append(f"{path} holds a solution mark")
        # A region of one short line ("return z") may stand in given code too.
        found += [
            f"{path} holds a region of {source.name}: {secret.splitlines()[0].strip()!r} ..."
            for source, secret in secrets
            if secret in text and ("\n" in secret or len(secret) > 40)
        ]
    return found


def _notebook_text(content: str) -> str:
    cells = json.loads(content)["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells)


def _stale_numbers(exercise: Exercise) -> list[str]:
    """Whether the solution still carries the numbers that quiz.py draws for `random.Random("example")`."""
    values, questions = load_quiz(exercise.quiz).draw(random.Random("example"))
    found = read_personal(_text(exercise.solution), exercise.solution)
    if found == {"PERSONAL": values, "QUIZ": questions}:
        return []
    return [
        f"{exercise.solution.relative_to(exercise.root)}: its PERSONAL block is not what quiz.py draws for 'example'; "
        "run `autograder assign`"
    ]


def _student_course(course: CourseConfig, language: str, given: Mapping[str, str]) -> str:
    """The part of the configuration that `new` and `check` need on a student's machine, in its format."""

    def exercise(config: ExerciseConfig) -> dict[str, object]:
        due = {} if config.due is None else {"due": config.due.isoformat(timespec="seconds")}
        libraries = [name for name in config.libraries if name not in LIBRARIES]
        return {
            "id": config.id,
            "title": said(config.title),
            "points": config.points,
            **due,
            "limits": to_builtins(config.limits),
            **({"libraries": libraries} if libraries else {}),
            "given": given[config.id],
        }

    values = {
        "schema_version": SCHEMA_VERSION,
        "course": {
            "id": course.id,
            "title": said(course.title),
            "language": language,
            "timezone": course.timezone,
        },
        **({"questions": course.questions} if course.questions != "personal" else {}),
        "exercises": [exercise(config) for config in course.exercises],
    }
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=100)
    return f"# Generated by `autograder assign`: what `autograder new` and `autograder check` read.\n{text}"


def _installer() -> str:
    """What sets up a student's environment; with the version of torch that the course has here."""
    text = (Path(__file__).parent / "install.txt").read_text(encoding="utf-8")
    return text.replace("{torch}", version("torch").partition("+")[0])


def _first_difference(found: bytes, expected: bytes) -> str:
    pairs = zip(found.split(b"\n"), expected.split(b"\n"), strict=False)
    for number, (a, b) in enumerate(pairs, start=1):
        if a != b:
            return f"differs from its source, first in line {number}; run `autograder assign`"
    return "is longer or shorter than its source makes it; run `autograder assign`"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise AuthoringError(_("is not UTF-8 text"), file=path) from error
