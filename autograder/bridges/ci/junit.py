"""JUnit XML: a suite per exercise, a case per check."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from xml.etree import ElementTree as ET

from autograder.bridges.ci.report import Line, Section
from autograder.reports.visible import NOT_SHOWN

# What XML 1.0 cannot hold, not even escaped.
_NO_CHARACTER = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(sections: Sequence[Section]) -> str:
    """The report as XML text."""
    root = ET.Element("testsuites", name="autograder")
    for part in sections:
        if not part.begun:
            suite = ET.SubElement(
                root, "testsuite", name=_text(part.id), tests=str(len(part.lines)), failures="0", errors="0",
                skipped=str(len(part.lines)), time=f"{part.seconds:.3f}",
            )  # fmt: skip
            for line in part.lines:
                _case(suite, part, replace(line, outcome="skipped", text=part.headline))
            continue
        suite = ET.SubElement(
            root, "testsuite",
            name=_text(part.id), tests=str(len(part.lines) or 1),
            failures=str(sum(line.outcome in ("failed", "blocked") for line in part.lines)),
            errors=str(sum(line.outcome == "error" for line in part.lines) + (not part.lines and part.bad)),
            skipped=str(sum(line.outcome in ("skipped", NOT_SHOWN) for line in part.lines)),
            time=f"{part.seconds:.3f}",
        )  # fmt: skip
        for line in part.lines:
            _case(suite, part, line)
        if not part.lines:
            case = ET.SubElement(suite, "testcase", name=_text(part.title), classname=_text(part.id))
            if part.bad:
                ET.SubElement(case, "error", message=_text(part.text)).text = _text(part.text)
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
