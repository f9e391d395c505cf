"""A CI run in the forms that services read: JUnit XML, Markdown, annotations, Code Quality, GitHub Classroom."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree as ET

from autograder.bridges.ci.report import BAD, Line, Section, closing, status
from autograder.language import _
from autograder.reports.visible import NOT_SHOWN
from autograder.reports.words import outcome_word
from autograder.results.files import write_atomically
from autograder.results.points import rounded

CLASSROOM_VERSION = 3
MAX_BYTES = 900_000  # hosted runners refuse a summary of more than 1 MiB
_SIGNS = {"passed": "✅", "failed": "❌", "blocked": "⛔", "error": "⚠️", "skipped": "⏭️"}
# A character reference stands for its character as text and never for structure: no markup, no link, no mention.
_PUNCTUATION = re.compile(r"[^\w\s,]|_")
_BLANKS = re.compile(r"\s+")
# What XML 1.0 cannot hold, not even escaped.
_NO_CHARACTER = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Files:
    """Where to write which report; None leaves it out, but for what GitHub asks for by itself."""

    junit: Path | None = None
    summary: Path | None = None
    code_quality: Path | None = None
    classroom: Path | None = None

    def write(self, sections: Sequence[Section]) -> None:
        """Write them, and what GitHub names in the environment."""
        if self.junit is not None:
            write_atomically(self.junit, junit_xml(sections))
        if self.code_quality is not None:
            write_atomically(self.code_quality, code_quality(sections))
        if self.classroom is not None:
            write_atomically(self.classroom, classroom_result(sections) + "\n")
        step_summary, step_output = os.environ.get("GITHUB_STEP_SUMMARY"), os.environ.get("GITHUB_OUTPUT")
        if self.summary is not None:
            write_atomically(self.summary, summary(sections))
        elif step_summary:
            _append(Path(step_summary), summary(sections))
        if step_output:
            _append(Path(step_output), _outputs(sections))


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as stream:
        stream.write(text)


def _outputs(sections: Sequence[Section]) -> str:
    """The outputs of the step; none of them can hold a line break."""
    lines = {"result": classroom_result(sections), "status": status(sections)}
    if all(part.kind == "hidden" and part.points is not None for part in sections):
        lines["points"] = f"{sum(part.points or 0.0 for part in sections):g}"
        lines["max-points"] = f"{sum(part.max_points for part in sections):g}"
    return "".join(f"{name}={value}\n" for name, value in lines.items())


# --- GitHub's workflow commands, GitLab's Code Quality report


def github_annotations(sections: Sequence[Section]) -> list[str]:
    """A workflow command for each finding."""
    return [
        f"::{finding.level} file={_property(finding.file)},line={finding.line},"
        f"title={_property(finding.title)}::{_data(finding.text)}"
        for part in sections
        for finding in part.findings
    ]


def without_commands(text: str, token: str) -> str:
    """A text for a GitHub log in which nothing is taken for a workflow command.

    Args:
        token: random, so that no student can write it to end the pause.
    """
    return f"::stop-commands::{token}\n{text.rstrip()}\n::{token}::\n"


def code_quality(sections: Sequence[Section]) -> str:
    """GitLab's Code Quality report, as JSON."""
    issues = []
    for part in sections:
        for finding in part.findings:
            seen = f"{part.id}\0{finding.title}\0{finding.text}\0{finding.line}"
            issues.append(
                {
                    "description": f"{finding.title.rstrip('.')}: {finding.text}",
                    "check_name": part.id,
                    "fingerprint": hashlib.sha256(seen.encode("utf-8", "replace")).hexdigest(),
                    "severity": "major" if finding.level == "error" else "minor",
                    "location": {"path": finding.file, "lines": {"begin": finding.line}},
                }
            )
    return json.dumps(issues, indent=1) + "\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


# --- GitHub Classroom


def classroom_result(sections: Sequence[Section]) -> str:
    """What GitHub Classroom's grading reporter reads from the variable `<RUNNER>_RESULTS`: one line of base64.

    The reporter adds up the scores of all tests. Where points are withheld, or public checks earn none, a passed check
    counts one.
    """
    weighed = bool(sections) and all(p.kind == "hidden" and p.points is not None and p.max_points for p in sections)
    # What is not shown or not run for a good reason must not fail anybody.
    states = {"passed": "pass", "error": "error", "skipped": "pass", NOT_SHOWN: "pass"}
    tests: list[dict[str, object]] = []
    most = 0.0
    for part in sections:
        for line in part.lines or (part.whole,):
            score = (line.points or 0.0) if weighed else float(line.outcome == "passed")
            counted = line.max_points if weighed else float(line.outcome in ("passed", *BAD))
            most += counted
            tests.append(
                {
                    "name": f"{part.id}: {line.title}",
                    "status": states.get(line.outcome, "fail") if part.begun else "pass",
                    "score": rounded(score), "max_score": rounded(counted), "message": line.text or None,
                    "test_code": "", "filename": part.file, "line_no": line.line or 0, "duration": 0,
                }
            )  # fmt: skip
    most = sum(part.max_points for part in sections) if weighed else most
    data = {"version": CLASSROOM_VERSION, "status": status(sections), "max_score": rounded(most), "tests": tests}
    return base64.b64encode(json.dumps(data).encode()).decode("ascii")


# --- JUnit XML


def junit_xml(sections: Sequence[Section]) -> str:
    """A suite per exercise, a case per check, as XML text."""
    root = ET.Element("testsuites", name="autograder")
    for part in sections:
        lines = part.lines or (replace(part.whole, outcome="error" if part.bad else "passed"),)
        if not part.begun:
            lines = tuple(replace(line, outcome="skipped", text=part.headline) for line in lines)
        outcomes = [line.outcome for line in lines]
        suite = ET.SubElement(
            root, "testsuite", name=_text(part.id), tests=str(len(lines)),
            failures=str(outcomes.count("failed") + outcomes.count("blocked")), errors=str(outcomes.count("error")),
            skipped=str(outcomes.count("skipped") + outcomes.count(NOT_SHOWN)), time=f"{part.seconds:.3f}",
        )  # fmt: skip
        for line in lines:
            _case(suite, part, line)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(suite: ET.Element, part: Section, line: Line) -> None:
    case = ET.SubElement(
        suite, "testcase", name=_text(line.title), classname=_text(part.id), file=_text(part.file), time="0"
    )
    if line.line is not None:
        case.set("line", str(line.line))
    if line.outcome in ("failed", "blocked"):
        ET.SubElement(case, "failure", message=_text(line.text), type=line.outcome).text = _text(
            f"{part.file}:{line.line or 1}: {line.text}"
        )
    elif line.outcome == "error":
        ET.SubElement(case, "error", message=_text(line.text)).text = _text(line.text)
    elif line.outcome != "passed":
        ET.SubElement(case, "skipped", message=_text(line.text or line.outcome))


def _text(text: str) -> str:
    return _NO_CHARACTER.sub("\ufffd", text)


# --- Markdown


def summary(sections: Sequence[Section]) -> str:
    """As hosted runners show it below a run; what students wrote is text in it, whatever it looks like."""
    end = [f"{escape(closing(sections))}\n"] if len(sections) > 1 else []
    text = "\n".join([f"## {_('Autograder')}\n", *end, *map(_section, sections)])
    if len(text.encode()) > MAX_BYTES:
        text = text.encode()[:MAX_BYTES].decode("utf-8", "ignore").rpartition("\n")[0] + "\n\n…\n"
    return text


def _section(part: Section) -> str:
    lines = [f"### {escape(part.title)}\n", f"{escape(f'{part.file}: {part.headline}')}\n"]
    if not part.begun:
        return "\n".join(lines)
    if part.text:
        lines.append(f"{escape(part.text)}\n")
    lines += [f"- {escape(warning)}" for warning in part.warnings]
    if part.seen:
        lines.append(f"\n| | {_('check')} | {_('points')} | {_('what to look at')} |\n|---|---|---:|---|")
    for line in part.seen:
        cells = outcome_word(line.outcome), line.title, line.earned, line.text
        lines.append(f"| {_SIGNS.get(line.outcome, '')} {' | '.join(map(escape, cells))} |")
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """A text that Markdown and HTML show as it is, on one line."""
    return _PUNCTUATION.sub(lambda sign: f"&#{ord(sign[0])};", _BLANKS.sub(" ", text).strip())
