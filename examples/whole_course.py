"""Writes a class that hands in every exercise of the course: `python -m examples.whole_course FOLDER`.

It is long to grade (an exercise takes seconds to a minute), so `make demo` grades the small class of two exercises
instead. Four students, scripts and notebooks in turn:

- vera hands in the solution,
- wim another correct solution of each exercise,
- xenia one typical mistake in each, the same that `mistakes_of_xenia` names,
- yara what was handed out.
"""

from __future__ import annotations

import sys
from pathlib import Path

from autograder.authoring.losses import read_bank
from autograder.authoring.mistakes import Mistake
from autograder.course import find_exercise
from examples.make_submissions import COURSE, Work

STUDENTS = ("vera", "wim", "xenia", "yara")


def exercises() -> list[str]:
    """Ids of the exercises in the order of the course."""
    return [exercise.id for exercise in COURSE.exercises if not exercise.draft]


def mistakes_of_xenia() -> dict[str, Mistake]:
    """Exercise -> the mistake: the first of the bank that costs nothing by chance."""
    banks = {name: read_bank(find_exercise(COURSE, name)) for name in exercises()}
    return {
        name: next(mistake for mistake in bank if "sometimes" not in mistake.losses.values())
        for name, bank in banks.items()
    }


def write(folder: Path) -> None:
    """Write the class into a folder, one folder for each student."""
    mistakes = mistakes_of_xenia()
    for number, exercise in enumerate(exercises()):
        other = find_exercise(COURSE, exercise).alternatives[number % 4].name
        works = (
            Work("vera", exercise, folder).solved(),
            Work("wim", exercise, folder).other_way(other).answer(),
            Work("xenia", exercise, folder).mistaken(mistakes[exercise]),
            Work("yara", exercise, folder).stub(),
        )
        for place, work in enumerate(works):
            work.ipynb() if (number + place) % 2 else work.py()


if __name__ == "__main__":
    write(Path(sys.argv[1]))
