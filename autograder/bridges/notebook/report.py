"""What the checks gave: a table in HTML where Jupyter asks for it, plain text elsewhere."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterable

from autograder.language import _, language, mark, number, said, speaking
from autograder.reports.public import not_known, passed_text
from autograder.reports.words import located, outcome_word
from autograder.results.model import CheckResult, Result

_SIGNS = {"passed": "✓", "failed": "✗", "blocked": "–", "skipped": "–", "error": "!"}
# Between black and white: seen on both, as bars; no colour lies so that words in it could be read on both.
_COLOURS = {"passed": "#2a9d5c", "failed": "#d9485f", "error": "#a45bd9"}
_OTHER = "#b98a1d"
_CODE = re.compile(r"`([^`]+)`")
# Colours and lines come from the page's own text colour: the table is at home in a dark notebook as in a light one.
_CELL = "padding:.35em .7em;text-align:left;vertical-align:top;border-top:1px solid rgba(128,128,128,.35)"


class Report:
    """The result of the public checks; a cell that ends with it shows it, in the language in which it was made."""

    def __init__(self, result: Result, title: str, source: str, limits: str = "") -> None:
        self.result = result
        self.title = title
        self.source = source
        self.limits = limits
        self._language = language()

    @property
    def passed(self) -> int:
        """How many checks passed."""
        return sum(check.outcome == "passed" for check in self.result.checks)

    def __bool__(self) -> bool:
        """Whether all passed."""
        return self.passed == len(self.result.checks)

    def __repr__(self) -> str:
        with speaking(self._language):
            return self._text()

    def _repr_html_(self) -> str:
        with speaking(self._language):
            return self._html()

    def _text(self) -> str:
        from rich.console import Console

        from autograder.reports.table import result_table

        buffer = io.StringIO()
        console = Console(file=buffer, width=110, color_system=None, force_jupyter=False)
        console.print(self.title, markup=False)
        for line in self._lines():
            console.print(line, markup=False, highlight=False)
        console.print(result_table(self.result))
        for check in self.result.checks:
            for figure in _figures(check):
                console.print(f"  {figure}", markup=False, highlight=False)
        for line in self._end():
            console.print(line, markup=False, highlight=False)
        return buffer.getvalue().rstrip("\n")

    def _html(self) -> str:
        share = self.passed / len(self.result.checks) if self.result.checks else 0.0
        rows = "".join(_row(check) for check in self.result.checks)
        lines, end = ("".join(f"<div>{_prose(line)}</div>" for line in part) for part in (self._lines(), self._end()))
        return (
            '<div class="autograder-report" style="color:inherit;background:transparent;max-width:70em">'
            f'<div style="font-weight:bold">{_prose(self.title)}</div>{lines}'
            f'<div role="img" aria-label="{_prose(self._sum())}" style="height:.4em;margin:.5em 0;'
            'background:rgba(128,128,128,.3);border-radius:.2em">'
            f'<div style="height:100%;width:{100 * share:.0f}%;background:{_COLOURS["passed"]};border-radius:.2em">'
            "</div></div>"
            f'<table style="border-collapse:collapse;color:inherit;background:transparent">{rows}</table>'
            f'<div style="margin-top:.5em">{end}</div></div>'
        )

    def _lines(self) -> Iterable[str]:
        yield _("Checked: {source}.").format(source=self.source)
        yield from map(located, self.result.loading)
        yield from self.result.notes

    def _sum(self) -> str:
        return passed_text(self.result.checks)

    def _end(self) -> Iterable[str]:
        yield from filter(None, (self._sum(), self.limits))
        yield from not_known(any(check.kind == "quiz" for check in self.result.checks))


def _row(check: CheckResult) -> str:
    colour = _COLOURS.get(check.outcome, _OTHER)
    text = " ".join(said(part) for part in (check.message, check.hint) if part and check.outcome != "passed")
    figures = "".join(f'<div style="opacity:.75;font-size:90%">{_prose(figure)}</div>' for figure in _figures(check))
    below = f"<div>{_prose(text)}</div>" if text else ""
    sign = _SIGNS.get(check.outcome, "?")
    return (
        f'<tr style="background:transparent"><td style="{_CELL};border-left:.3em solid {colour};font-weight:bold;'
        f'white-space:nowrap">{sign} {_prose(outcome_word(check.outcome))}</td>'
        f'<td style="{_CELL}"><div>{_prose(said(check.title))}</div>{below}{figures}'
        "</td></tr>"
    )


def _figures(check: CheckResult) -> list[str]:
    """What a check measured; public checks keep nothing secret."""
    return [f"{name}{mark(':')} {number(value, '.4g')}" for name, value in check.measured.items() if value is not None]


def _prose(text: str) -> str:
    """A text that may be the student's, as HTML; what stands between backticks is code."""
    return _CODE.sub(r"<code>\1</code>", html.escape(text))
