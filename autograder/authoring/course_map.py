"""What builds on what in a course, as a picture: an SVG of boxes and arrows, in the language in force.

An exercise stands one column behind the last of those that it builds on. Written by hand, since the same course has to
give the same bytes on every machine (`assign --check`), which no drawing library promises.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from textwrap import wrap

from autograder.course.config import CourseConfig, ExerciseConfig
from autograder.language import _, number, said

FILE = "course-map.svg"
WIDTH, HEIGHT = 236, 74  # of a box
BETWEEN, BELOW = 60, 16
MARGIN = 12
LINE = 31  # characters of a title's line

_STYLE = (
    "text{font:13px sans-serif;fill:#1b1f24} .id{font:bold 12px monospace} .small{font-size:11px;fill:#57606a} "
    "rect{fill:#f6f8fa;stroke:#57606a} path{fill:none;stroke:#57606a;stroke-width:1.3}"
)


def has_map(course: CourseConfig) -> bool:
    """Whether the configuration says what builds on what."""
    return any(exercise.after for exercise in course.exercises)


def course_map(course: CourseConfig) -> str:
    """The picture."""
    columns = _columns(course.exercises)
    tallest = max(map(len, columns))
    width = 2 * MARGIN + len(columns) * WIDTH + (len(columns) - 1) * BETWEEN
    height = 2 * MARGIN + tallest * HEIGHT + (tallest - 1) * BELOW
    places: dict[str, tuple[int, int]] = {}
    for place, column in enumerate(columns):
        top = (height - len(column) * HEIGHT - (len(column) - 1) * BELOW) // 2
        for row, exercise in enumerate(column):
            places[exercise.id] = MARGIN + place * (WIDTH + BETWEEN), top + row * (HEIGHT + BELOW)
    title = escape(_("What builds on what"))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{title}">',
        f"<title>{title}</title><style>{_STYLE}</style>",
        '<defs><marker id="end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" style="fill:#57606a;stroke:none"/></marker></defs>',
        f'<rect width="{width}" height="{height}" style="fill:#ffffff;stroke:none"/>',
    ]
    lines += [_arrow(places[other], places[exercise.id]) for exercise in course.exercises for other in exercise.after]
    lines += [_box(exercise, *places[exercise.id]) for exercise in course.exercises]
    return "\n".join([*lines, "</svg>"]) + "\n"


def _columns(exercises: Sequence[ExerciseConfig]) -> list[list[ExerciseConfig]]:
    """Each exercise one column behind the last of those that it builds on; in a column beside what it comes from."""
    depth: dict[str, int] = {}
    for exercise in exercises:
        depth[exercise.id] = max((depth[other] + 1 for other in exercise.after), default=0)
    columns: list[list[ExerciseConfig]] = []
    rows: dict[str, float] = {}
    for place in range(max(depth.values()) + 1):
        column = [exercise for exercise in exercises if depth[exercise.id] == place]
        if place:
            column.sort(key=lambda one: sum(rows[other] for other in one.after) / len(one.after))
        rows |= {exercise.id: (row + 0.5) / len(column) for row, exercise in enumerate(column)}
        columns.append(column)
    return columns


def _arrow(start: tuple[int, int], end: tuple[int, int]) -> str:
    x, y = start[0] + WIDTH, start[1] + HEIGHT // 2
    to_x, to_y = end[0] - 2, end[1] + HEIGHT // 2
    bend = BETWEEN * 2 // 3
    return f'<path d="M{x} {y}C{x + bend} {y} {to_x - bend} {to_y} {to_x} {to_y}" marker-end="url(#end)"/>'


def _box(exercise: ExerciseConfig, x: int, y: int) -> str:
    titles = wrap(said(exercise.title), LINE, max_lines=2, placeholder=" …")
    facts = [*exercise.sources]
    if exercise.hours is not None:
        facts.append(f"{number(exercise.hours, 'g')} h")
    texts = [("id", exercise.id), *(("title", line) for line in titles), ("small", " · ".join(facts))]
    written = "".join(
        f'<text x="{x + 9}" y="{y + 18 + 15 * line}" class="{kind}">{escape(text)}</text>'
        for line, (kind, text) in enumerate(texts)
    )
    return f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>{written}'
