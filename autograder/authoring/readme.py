"""The README of the student bundle."""

from __future__ import annotations

from autograder.course.config import CourseConfig


def student_readme(course: CourseConfig) -> str:
    """How a student installs, starts an exercise, checks it and hands it in; with the list of exercises."""
    first = course.exercises[0].id
    rows = "\n".join(
        f"| `{exercise.id}` | {exercise.title} | {exercise.points:g} | "
        f"{exercise.due.strftime('%Y-%m-%d %H:%M') if exercise.due else '—'} |"
        for exercise in course.exercises
    )
    return f"""# {course.title}

| exercise | title | points | due ({course.timezone}) |
|---|---|---|---|
{rows}

Each exercise is one file, as a script (`.py`) and as a notebook (`.ipynb`) with the same content: work in
the one you like better and hand in that one.

## Start

In this folder (a Python environment with `autograder` in it is all that is needed):

    autograder new {first} --student YOUR_NAME

writes `YOUR_NAME/{first}.py` with your own numbers in the quiz (`--notebook` writes a notebook instead). Use the
name or number under which you hand in: the quiz is graded with the numbers drawn for that name. Then write the
parts marked `YOUR CODE HERE` and answer the quiz in `ANSWERS`. Keep the names and arguments of functions and
classes as they are: they are what is graded.

## Check your work

    autograder check YOUR_NAME/{first}.py

runs the public checks, small worked examples from the course, on your machine. They earn no points; the grade
comes from other checks, on other inputs, that judge the same functions.

## Hand in

One file, `{first}.py` or `{first}.ipynb`. It is read from top to bottom without your data files and without
the network, so keep long trainings out of the top level (under `if __name__ == "__main__":` they are not
run). A part that fails costs its own points only.
"""
