"""Students' pages in a zip as Moodle's "Upload multiple feedback files in a zip" wants it.

One folder per participant, called as in "Download all submissions": `Ada Lovelace_1234567_assignsubmission_file_/`.
Moodle splits the name at underscores, so a name of its own must have none.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable

FILE = "feedback.html"
_DATE = (1980, 1, 1, 0, 0, 0)  # the same pages make the same archive


def folder_name(name: str, participant: str) -> str:
    """The folder of a participant."""
    clean = re.sub(r'[\\/:*?"<>|\x00-\x1f]', "", name).replace("_", " ").strip(" .") or "Participant"
    return f"{clean}_{participant}_assignsubmission_file_"


def feedback_zip(pages: Iterable[tuple[str, str, str]], file: str = FILE) -> bytes:
    """The archive.

    Args:
        pages: name, participant's number and page of each student.
        file: what the page is called there.
    """
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, participant, page in pages:
            info = zipfile.ZipInfo(f"{folder_name(name, participant)}/{file}", _DATE)
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, page.encode("utf-8"))
    return stream.getvalue()
