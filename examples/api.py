"""Grade a class through the public API and print its table: `python examples/api.py CLASS OUT`, in the course's folder.

`OUT` gets the book and what is made of it; a second run grades only what has changed.
"""

import sys

from autograder import Course


def main(submissions: str, out: str) -> int:
    course = Course.open(".")
    with course.read(submissions) as handed_in, course.book(out) as book, course.grader() as grader:
        batch = grader.grade_class(handed_in, book)
        finals = {(grade.student, grade.exercise): grade.final for grade in book.grades()}
    exercises = [exercise for exercise in course.exercises if any(exercise == name for _student, name in finals)]
    print(f"{'':16}", *(f"{exercise:>14}" for exercise in exercises))
    for student in sorted({student for student, _exercise in finals}):
        cells = (finals.get((student, exercise)) for exercise in exercises)
        print(f"{student:16}", *(f"{'-' if final is None else format(final, 'g'):>14}" for final in cells))
    return 1 if batch.faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
