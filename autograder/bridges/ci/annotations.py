"""Remarks at the student's lines: GitHub's workflow commands and GitLab's Code Quality report."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from autograder.bridges.ci.report import Section


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
