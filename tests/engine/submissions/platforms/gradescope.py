"""Gradescope's "Export submissions".

Gradescope's own source is not public. Its form follows the files that public programs read: a folder
`assignment_<number>_export` with `submission_metadata.yml` (keys with a colon before them, as Ruby writes symbols)
and a folder `submission_<number>` for each submission (help.gradescope.com, "Exporting submissions";
github.com/gradescope/autograder_samples for the words of the metadata that an autograder gets).
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.engine.submissions.platforms.model import Files, Handed


def download(class_: Sequence[Handed], *, around: bool = True) -> Files:
    """Files and metadata; a group's submission has several submitters."""
    base = "assignment_4711_export/" if around else ""
    files: Files = {}
    lines = ["---"]
    for number, handed in enumerate(class_, start=70_001):
        lines += [f"submission_{number}:", "  :submitters:"]
        for student in handed.members or (handed.student,):
            lines += [f"  - :name: {student.name}", f"    :sid: '{student.id}'", f"    :email: {student.email}"]
        lines += [f"  :created_at: {handed.when:%Y-%m-%d %H:%M:%S.%f} Z", "  :score: 0.0", "  :status: processed"]
        lines += ["  :history: []"]
        for name, content in handed.files.items():
            files[f"{base}submission_{number}/{name}"] = content
    files[f"{base}submission_metadata.yml"] = ("\n".join(lines) + "\n").encode()
    return files
