"""Pictures in a page: as data, so that the page needs no other file.

Students' figures are read from `OUT/figures/<student>/<exercise>/*.png`, the reference's from
`OUT/figures/.reference/<exercise>/`, where whatever draws them (in the sandbox: drawing runs students' code) puts them.
A figure of the reference stands beside the student's of the same name: `<name>__reference.png` in the student's folder,
which is on the student's scale, or else the reference's own.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

from autograder.language import said

FOLDER = "figures"
REFERENCE = ".reference"
BESIDE = "  reference"  # after a figure's name: the reference's on the student's scale, underscores as blanks
MOST = 12  # of one exercise
MOST_BYTES = 1_500_000  # of one picture
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Picture:
    """A picture: its name, its data as a URI, and the reference's where there is one."""

    name: str
    data: str
    reference: str = ""


def data_uri(content: bytes, kind: str = "image/png") -> str:
    """Bytes as the address of a picture."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def student_pictures(out: Path, student: str, exercise: str) -> tuple[Picture, ...]:
    """A student's pictures of an exercise, by name. What is no PNG, a link or too large is left out."""
    found = _read(out / FOLDER / student / exercise)
    own = [name for name in found if not name.endswith(BESIDE)][:MOST]
    theirs = _read(out / FOLDER / REFERENCE / exercise) if own else {}
    return tuple(Picture(said(name), found[name], found.get(name + BESIDE) or theirs.get(name, "")) for name in own)


def _read(folder: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    if not folder.is_dir() or folder.is_symlink():
        return found
    for path in sorted(folder.glob("*.png")):
        if len(found) == 2 * MOST:
            break
        if path.is_symlink() or not path.is_file() or path.stat().st_size > MOST_BYTES:
            continue
        content = path.read_bytes()
        if content.startswith(_PNG):
            found[path.stem.replace("_", " ")] = data_uri(content)
    return found
