"""The README of the student bundle."""

from __future__ import annotations

from textwrap import fill

from autograder.authoring.course_map import FILE, has_map
from autograder.course.config import CourseConfig, ExerciseConfig
from autograder.course.libraries import LIBRARIES
from autograder.language import N_, _, number, said

# A paragraph is a message of its own; lines set apart by their indent are commands, and the same in every language.
_BODY = (
    N_(
        "Each exercise is one file, as a script (`.py`) and as a notebook (`.ipynb`) with the same content: work in "
        "the one you like better and hand in that one."
    ),
    N_("## Set up"),
    N_("In this folder, with Python 3.11 or newer (on Windows in WSL):"),
    "    python3 install.py\n    source .venv/bin/activate",
    N_(
        "makes an environment with the CPU build of torch and `autograder` (`--notebook` adds JupyterLab). Where pip "
        "does not find that build, name an index that has it in `PIP_EXTRA_INDEX_URL`. The second line is needed in "
        "every new terminal."
    ),
    N_("## Start"),
    "    autograder new {first} --student YOUR_NAME",
    N_(
        "writes `YOUR_NAME/{first}.py` with your own numbers in the quiz (`--notebook` writes a notebook instead). Use "
        "the name or number under which you hand in: the quiz is graded with the numbers drawn for that name. Then "
        "write the parts marked `YOUR CODE HERE` and answer the quiz in `ANSWERS`. Keep the names and arguments of "
        "functions and classes as they are: they are what is graded."
    ),
    N_("## Check your work"),
    "    autograder check YOUR_NAME/{first}.py",
    N_(
        "runs the public checks, small worked examples from the course, on your machine, with the limits of grading, "
        "and looks whether every answer to the quiz has the form that is asked for. They earn no points; the grade "
        "comes from other checks, on other inputs, that judge the same functions. What a public check calls and "
        "expects stands in `{first}/test_public.py`."
    ),
    N_("## What may be imported"),
    N_(
        "Where your file is graded there are Python's own modules and {libraries}. A statement that imports another "
        "library is left out, and `autograder check` says so."
    ),
    N_("## Hand in"),
    N_(
        "One file, `{first}.py` or `{first}.ipynb`. It is read from top to bottom without your data files and without "
        'the network, so keep long trainings out of the top level (under `if __name__ == "__main__":` they are not '
        "run). A part that fails costs its own points only."
    ),
)


def student_readme(course: CourseConfig) -> str:
    """How a student installs, starts an exercise, checks it and hands it in; with the list of exercises."""
    rows = "\n".join(_row(exercise) for exercise in course.exercises)
    heading = _("| exercise | title | builds on | hours | points | due ({timezone}) |").format(timezone=course.timezone)
    libraries = ", ".join(LIBRARIES)
    paragraphs = [_(paragraph).format(first=course.exercises[0].id, libraries=libraries) for paragraph in _BODY]
    body = "\n\n".join(fill(p, 106, break_on_hyphens=False) if p[0].isalpha() else p for p in paragraphs)
    for exercise in course.exercises:
        if more := [name for name in exercise.libraries if name not in LIBRARIES]:
            line = _("In `{exercise}` there are also {libraries}.")
            body += "\n\n" + line.format(exercise=exercise.id, libraries=", ".join(more))
    picture = f"![{_('What builds on what')}]({FILE})\n\n" if has_map(course) else ""
    return f"# {said(course.title)}\n\n{picture}{heading}\n|---|---|---|---|---|---|\n{rows}\n\n{body}\n"


def _row(exercise: ExerciseConfig) -> str:
    cells = (
        f"`{exercise.id}`",
        said(exercise.title),
        ", ".join(f"`{other}`" for other in exercise.after) or "—",
        number(exercise.hours, "g") if exercise.hours is not None else "—",
        number(exercise.points, "g"),
        exercise.due.strftime("%Y-%m-%d %H:%M") if exercise.due else "—",
    )
    return f"| {' | '.join(cells)} |"
