"""The class report as Markdown and as CSV: the same counts as the page's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from autograder.language import _
from autograder.reports.cells import Form
from autograder.reports.class_view import ClassView
from autograder.reports.words import called, legend, measured, outcome_word, points, seconds, short, total

# What could begin markup of Markdown or of the HTML in it.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+!|~$&])")


def class_markdown(view: ClassView) -> str:
    """The class report as Markdown; names and messages are shown as text."""
    blocks = [f"# {_('Class report')}: {plain(view.course)}", _overview(view)]
    if view.never_passed:
        blocks.append(f"## {_('Checks that nobody passes')}")
        blocks.append(_items(f"{plain(c.exercise)}, {plain(c.id)}: {plain(c.title)}" for c in view.never_passed))
    for exercise in view.exercises:
        if exercise.checks:
            blocks.append(f"## {plain(exercise.title)}")
            blocks.append(
                _table(
                    [_("Check"), _("Points"), _("Passed by"), _("Not passed"), _("Not judged"), _("Median seconds")],
                    [
                        [
                            c.title, points(c.max_points), f"{100 * c.share:.0f} %", str(c.outcomes.get("failed", 0)),
                            str(c.outcomes.get("blocked", 0)), seconds(c.median_s),
                        ]
                        for c in sorted(exercise.checks, key=lambda c: c.share)
                    ],
                )
            )  # fmt: skip
    if view.mistakes:
        blocks.append(f"## {_('Mistakes by frequency')}")
        rows = [[str(len(m.students)), m.title, m.exercise, ", ".join(m.checks)] for m in view.mistakes]
        blocks.append(_table([_("Students"), _("Mistake"), _("Exercise"), _("Seen in")], rows))
    blocks += _attention(view)
    blocks.append(f"## {_('Students')}")
    rows = [
        [
            called(row.student, view.names),
            *(short(row.grades[e.id], e.id in row.alarms) if e.id in row.grades else "" for e in view.exercises),
            total(list(row.grades.values())),
        ]
        for row in view.students
    ]
    blocks.append(_table([_("Student"), *(e.id for e in view.exercises), _("Total")], rows))
    if meaning := legend(cell for row in rows for cell in row[1:-1]):
        blocks.append(plain(meaning))
    return "\n\n".join(blocks) + "\n"


def _overview(view: ClassView) -> str:
    return _table(
        [_("Exercise"), *(outcome_word(name).capitalize() for name in view.outcomes), _("Mean"), _("Median"), _("Of"),
         _("Full marks"), _("Median seconds")],
        [
            [
                e.title, *(str(e.outcomes.get(name, 0)) for name in view.outcomes),
                measured(e.mean), measured(e.median), points(e.max_points), str(e.full_marks), seconds(e.median_s),
            ]
            for e in view.exercises
        ],
    )  # fmt: skip


def _attention(view: ClassView) -> list[str]:
    def who(student: str) -> str:
        return called(student, view.names)

    parts: list[tuple[str, list[str]]] = [
        (_("Not graded, by a fault of ours"), [f"{who(r.student)}, {r.exercise}: {r.message}" for r in view.faults]),
        (
            _("Overrides to look at again"),
            [f"{who(g.student)}, {g.exercise}: {points(g.points)} / {points(g.max_points)}" for g in view.stale],
        ),
        (
            _("Incidents"),
            [f"{who(r.student)}, {r.exercise}: {i.kind} ({i.check}) {i.detail}" for r, i in view.incidents],
        ),
        (
            _("Changed since the attempt before"),
            [f"{who(r.student)}, {r.exercise}: {points(was)} → {points(r.points)}" for r, was in view.moved],
        ),
        (_("The same file, byte by byte"), [f"{e}: {', '.join(map(who, s))}" for e, s in view.identical]),
        (
            _("Nearly the same code"),
            [
                f"{p.exercise}: {who(p.first)}, {who(p.second)} "
                f"({measured(p.similarity)}; {_('median')} {measured(a.median)})"
                for a in view.likeness
                for p in a.pairs
            ],
        ),
    ]
    blocks = []
    for title, lines in parts:
        if lines:
            blocks += [f"## {title}", _items(plain(line) for line in lines)]
    return blocks


def checks_csv(view: ClassView) -> str:
    """One line per student, exercise and check: the heat map as numbers."""
    return _csv(
        ("student", "exercise", "check", "title", "kind", "outcome", "points", "max_points", "diagnosis", "seconds"),
        (
            (
                r.student, r.exercise, c.id, c.title, c.kind, c.outcome, f"{c.points:g}", f"{c.max_points:g}",
                c.diagnosis or "", f"{c.duration_s:g}",
            )
            for r in view.results
            for c in r.checks
        ),
    )  # fmt: skip


def statistics_csv(view: ClassView) -> str:
    """One line per check: how many passed it."""
    outcomes = ("passed", "failed", "blocked", "error", "skipped")
    return _csv(
        ("exercise", "check", "title", "max_points", *outcomes, "share_passed", "median_seconds", "longest_seconds"),
        (
            (
                c.exercise, c.id, c.title, f"{c.max_points:g}", *(str(c.outcomes.get(name, 0)) for name in outcomes),
                f"{c.share:.4f}", f"{c.median_s:g}", f"{c.longest_s:g}",
            )
            for e in view.exercises
            for c in e.checks
        ),
    )  # fmt: skip


def mistakes_csv(view: ClassView) -> str:
    """One line per mistake and student."""
    return _csv(
        ("exercise", "mistake", "title", "student"),
        ((m.exercise, m.id, m.title, student) for m in view.mistakes for student in m.students),
    )


def plain(text: str) -> str:
    """Text in which Markdown finds no markup, on one line."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def _items(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, *rows]
    text = [f"| {' | '.join(plain(cell) for cell in line)} |" for line in lines]
    return "\n".join([text[0], f"|{'---|' * len(header)}", *text[1:]])


def _csv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return Form().text([columns, *rows])
