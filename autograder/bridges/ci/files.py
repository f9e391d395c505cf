"""The files that services read of a CI run: those asked for, and those that GitHub names in its environment."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.bridges.ci.annotations import code_quality
from autograder.bridges.ci.classroom import classroom_result
from autograder.bridges.ci.junit import junit_xml
from autograder.bridges.ci.markdown import summary
from autograder.bridges.ci.report import Section, status
from autograder.results.files import write_atomically


@dataclass(frozen=True)
class Files:
    """Where to write which report; None leaves it out, but for what GitHub asks for by itself."""

    junit: Path | None = None
    summary: Path | None = None
    code_quality: Path | None = None
    classroom: Path | None = None

    def write(self, sections: Sequence[Section]) -> None:
        """Write them."""
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


def _outputs(sections: Sequence[Section]) -> str:
    """The outputs of the step; none of them can hold a line break."""
    lines = {"result": classroom_result(sections), "status": status(sections)}
    if all(part.kind == "hidden" and part.points is not None for part in sections):
        lines["points"] = f"{sum(part.points or 0.0 for part in sections):g}"
        lines["max-points"] = f"{sum(part.max_points for part in sections):g}"
    return "".join(f"{name}={value}\n" for name, value in lines.items())


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as stream:
        stream.write(text)
