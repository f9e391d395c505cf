"""Students × checks of one exercise as a table of coloured cells: names are text, whatever script they are in.

Every cell has a sign beside its colour. There are as many cells as students times checks, so each is as short as HTML
allows: no quotes, no end tags.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

from autograder.language import _
from autograder.reports.class_view import ExerciseStats
from autograder.reports.words import outcome_word
from autograder.results.model import Result

# The class and the sign of a cell. The page's style says the colours.
_CELLS = {"passed": ("p", "✓"), "failed": ("f", "✗"), "blocked": ("b", "▷"), "error": ("e", "!"), "skipped": ("s", "–")}
_ABSENT = "<td>"


def heat_map(stats: ExerciseStats, results: Sequence[Result], names: Mapping[str, str]) -> Markup:
    """The table: students by points, checks by how many pass them."""
    checks = sorted(stats.checks, key=lambda check: -check.share)
    rows = sorted((r for r in results if r.exercise == stats.id and r.checks), key=lambda r: (-r.points, r.student))
    parts = [Markup("<table class=heat><thead><tr><th scope=col>"), escape(_("Student"))]
    parts += [Markup("<th scope=col><span>{}</span>").format(check.id) for check in checks]
    parts.append(Markup("<tbody>"))
    for result in rows:
        outcomes = {check.id: check.outcome for check in result.checks}
        parts.append(Markup("<tr><th scope=row>{}").format(names.get(result.student, result.student)))
        # Signs and classes are ours: nothing in them has to be escaped.
        parts.append(Markup("".join(_cell(outcomes.get(check.id, "")) for check in checks)))
    parts.append(Markup("</table>"))
    return Markup("").join(parts)


def legend() -> Markup:
    """What the cells mean."""
    entries = [
        Markup('<span class="key {}">{}</span> {}').format(name, sign, outcome_word(outcome))
        for outcome, (name, sign) in _CELLS.items()
    ]
    return Markup(" · ").join(entries)


def _cell(outcome: str) -> str:
    name, sign = _CELLS.get(outcome, ("", ""))
    return f"<td class={name}>{sign}" if name else _ABSENT
