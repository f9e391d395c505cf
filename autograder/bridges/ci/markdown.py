"""A Markdown summary, as hosted runners show it below a run."""

from __future__ import annotations

import re
from collections.abc import Sequence

from autograder.bridges.ci.report import Section, word
from autograder.language import _

MAX_BYTES = 900_000  # hosted runners refuse a summary of more than 1 MiB
_SIGNS = {"passed": "✅", "failed": "❌", "blocked": "⛔", "error": "⚠️", "skipped": "⏭️"}
# A character reference stands for its character as text and never for structure: no markup, no link, no mention.
_PUNCTUATION = re.compile(r"[^\w\s,]|_")
_BLANKS = re.compile(r"\s+")


def summary(sections: Sequence[Section]) -> str:
    """The report as Markdown; what students wrote is text in it, whatever it looks like."""
    parts = [f"## {_('Autograder')}\n"]
    for part in sections:
        parts.append(_section(part))
    text = "\n".join(parts)
    if len(text.encode()) > MAX_BYTES:
        text = text.encode()[:MAX_BYTES].decode("utf-8", "ignore").rpartition("\n")[0] + "\n\n…\n"
    return text


def _section(part: Section) -> str:
    lines = [f"### {escape(part.title)}\n", f"{escape(f'{part.file}: {part.headline}')}\n"]
    if not part.begun:
        return "\n".join(lines)
    if part.text:
        lines.append(f"{escape(part.text)}\n")
    for finding in part.findings:
        if finding.level == "warning":
            lines.append(f"- {escape(f'{finding.file}:{finding.line}: {finding.text}')}")
    if part.seen:
        lines.append(f"\n| | {_('check')} | {_('points')} | {_('what to look at')} |\n|---|---|---:|---|")
    for line in part.seen:
        points = "" if line.points is None or not line.max_points else f"{line.points:g} / {line.max_points:g}"
        lines.append(
            f"| {_SIGNS.get(line.outcome, '')} {escape(word(line))} | {escape(line.title)} | {escape(points)} "
            f"| {escape(line.text)} |"
        )
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """A text that Markdown and HTML show as it is, on one line."""
    return _PUNCTUATION.sub(lambda sign: f"&#{ord(sign[0])};", _BLANKS.sub(" ", text).strip())
