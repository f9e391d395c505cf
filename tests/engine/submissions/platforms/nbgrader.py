"""nbgrader's folder of submissions, as its exchange and its collectors write it.

Sources, read at github.com/jupyter/nbgrader (0.9.5, 207a8e544968): nbgrader/coursedir.py (`directory_structure`:
`submitted/<student>/<assignment>`), nbgrader/exchange/abc/exchange.py (`timestamp_format`),
exchange/default/submit.py (`timestamp.txt` beside the files).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from tests.engine.submissions.platforms.model import Files, Handed


def submitted(class_: Sequence[tuple[str, Handed]], *, outer: bool = True) -> Files:
    """Of each assignment (its name goes with what was handed in) a folder per student."""
    files: Files = {}
    for assignment, handed in class_:
        place = f"{'submitted/' if outer else ''}{handed.student.id}/{assignment}/"
        files |= {f"{place}{name}": content for name, content in handed.files.items()}
        files[f"{place}timestamp.txt"] = f"{handed.when.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f} UTC".encode()
    return files
