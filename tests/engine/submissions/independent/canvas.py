"""Canvas's "Download Submissions", made as Canvas makes it, from its source and without a look at our reader.

- instructure/canvas-lms, lib/content_zipper.rb at 05e9653c12ef7afc65815ca84e5da7aa2e4c3bd3: `add_submission`,
  `get_filename`, `add_upload_submission`, `add_text_or_url`, `sanitize_*`: how each file of the zip is called.
- the same, app/models/abstract_assignment.rb: `representatives` and `groups_and_ungrouped`: a group has one
  submission, under the group's name and one member's number; who is in no group goes by "first last" there.
- the same, app/models/attachment.rb: `make_unique_filename`: a second `toy.py` of a student is `toy-1.py`.

Only the last attempt is in the zip, all its files side by side, with no folder and no table.
"""

from __future__ import annotations

import re
import unicodedata
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path


@dataclass(frozen=True)
class Upload:
    """What one student or group handed in last."""

    user: int
    sortable_name: str
    files: Sequence[tuple[str, bytes]] = ()
    late: bool = False
    anonymous: str = ""
    text: str = ""
    url: str = ""


def sanitize_user_name(name: str) -> str:
    """A name without what could be taken for a number between underscores, in small letters."""
    return re.sub(r"_(\d+)_", r"\1", name).lower()


def sanitize_attachment(name: str) -> str:
    """A file's name without what file systems refuse; spaces, brackets and accents stay."""
    return re.sub(r'[\x00/\\:*?"<>|]+', "_", name)


def prefix(upload: Upload) -> str:
    """What stands before the number of a file: `lovelaceada_LATE_12`, `LATE_anon_x7Yz2`."""
    who = f"anon_{upload.anonymous}" if upload.anonymous else str(upload.user)
    name = None if upload.anonymous else sanitize_user_name(upload.sortable_name)
    parts = [name, "LATE" if upload.late else None, who]
    return "".join(sign for sign in "_".join(part for part in parts if part is not None) if _is_word(sign))


def _is_word(sign: str) -> bool:
    """Whether Ruby's `[[:word:]]` has it: letters, marks, decimal digits and what connects words."""
    kind = unicodedata.category(sign)
    return kind[0] in "LM" or kind in {"Nd", "Pc"}


def unique(name: str, taken: set[str]) -> str:
    """The name that a student's folder of submissions gives to a file whose name is taken."""
    ending = re.search(r"(\.[A-Za-z][A-Za-z0-9]*)*(\.[A-Za-z0-9]*)$", name)
    extension = ending.group(0) if ending else ""
    stem = name[: len(name) - len(extension)]
    if name not in taken:
        return name
    return next(new for n in count(1) if (new := f"{stem}-{n}{extension}") not in taken)


def names(uploads: Sequence[Upload], first_attachment: int = 67890) -> dict[str, bytes]:
    """Every file of the zip."""
    found: dict[str, bytes] = {}
    attachment = count(first_attachment, 7)
    for upload in uploads:
        start = prefix(upload)
        if upload.text:
            found[f"{start}_text.html"] = f"<html><body>{upload.text}</body></html>\n".encode()
        elif upload.url:
            found[f"{start}_link.html"] = f'<html><body><a href="{upload.url}">link</a></body></html>\n'.encode()
        taken: set[str] = set()
        for name, content in upload.files:
            shown = unique(name, taken)
            taken.add(shown)
            found[f"{start}_{next(attachment)}_{sanitize_attachment(shown)}"] = content
    return found


def write_zip(place: Path, uploads: Sequence[Upload]) -> Path:
    """The zip as it is downloaded."""
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in names(uploads).items():
            archive.writestr(name, content)
    return place


def write_folder(place: Path, uploads: Sequence[Upload]) -> Path:
    """What a browser that unpacks downloads makes of it."""
    place.mkdir()
    for name, content in names(uploads).items():
        (place / name).write_bytes(content)
    return place


def gradebook(students: Sequence[tuple[str, int, str]]) -> str:
    """The exported gradebook of (sortable name, Canvas's number, id of the school), its first lines too."""
    lines = ["Student,ID,SIS User ID,SIS Login ID,Section,toy (77)", "    Points Possible,,,,,10.0"]
    lines += [f'"{name}",{number},{sis},{sis},A,' for name, number, sis in students]
    return "\n".join(lines) + "\n"
