"""The pictures of figures that judges draw, in `OUT/figures`: which are missing, which are of something older.

Beside a submission's pictures a mark says what they were drawn of, also where none could be drawn. Workers of a cluster
draw into a folder of their own; what they drew travels with the result, and is written here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from autograder.batch.keys import Keys
from autograder.course import CourseConfig, find_exercise
from autograder.results.files import write_atomically

FOLDER = "figures"
REFERENCE = ".reference"
MARK = ".drawn"
MOST = 12  # of one exercise; as many as a page shows
MOST_BYTES = 1_500_000  # of one picture
_NAME = re.compile(r"[A-Za-z]\w{0,80}")
_PNG = b"\x89PNG\r\n\x1a\n"

Carried = Mapping[str, Mapping[str, str]]  # of `own` and `reference`, by name, base64


class Pictures:
    """The pictures of a batch."""

    def __init__(self, out: Path, course: CourseConfig, keys: Keys) -> None:
        self.folder = out / FOLDER
        self._course = course
        self._keys = keys
        self._material: dict[str, str] = {}

    def missing(self, student: str, exercise: str, sha256: str) -> bool:
        """Whether a submission's figures have not been drawn, or of something that has changed since."""
        return bool(self._of(exercise)) and self._marked(student, exercise) != self._mark(exercise, sha256)

    def begin(self, student: str, exercise: str) -> None:
        """They are about to be drawn again: a kill in the middle must not leave some that pass for all."""
        (self.folder / student / exercise / MARK).unlink(missing_ok=True)

    def drawn(self, student: str, exercise: str, sha256: str) -> None:
        """A judge has drawn what can be drawn."""
        if self._of(exercise):
            write_atomically(self.folder / student / exercise / MARK, self._mark(exercise, sha256), durable=False)

    def remove_older(self, student: str, exercise: str, sha256: str) -> None:
        """Remove the pictures of another submission than the one that has been graded now."""
        if self._marked(student, exercise) not in ("", self._mark(exercise, sha256)):
            _clear(self.folder / student / exercise)

    def remove_older_reference(self, exercise: str) -> None:
        """Remove the reference's pictures where figures or reference have changed: judges draw what is not there."""
        if self.missing(REFERENCE, exercise, ""):
            _clear(self.folder / REFERENCE / exercise)
            self.drawn(REFERENCE, exercise, "")

    def _of(self, exercise: str) -> str:
        """Digest of what an exercise's figures depend on besides the submission; empty where it has none."""
        if exercise not in self._material:
            path = find_exercise(self._course, exercise).hidden_folder / "figures.py"
            found = ""
            if path.is_file():
                found = hashlib.sha256(path.read_bytes() + self._keys.shared(exercise)["checks"].encode()).hexdigest()
            self._material[exercise] = found
        return self._material[exercise]

    def _mark(self, exercise: str, sha256: str) -> str:
        return hashlib.sha256(f"{self._of(exercise)} {sha256}".encode()).hexdigest()

    def _marked(self, student: str, exercise: str) -> str:
        try:
            return (self.folder / student / exercise / MARK).read_text(encoding="utf-8")
        except OSError:
            return ""


def carry(folder: Path, student: str, exercise: str) -> Carried:
    """What a judge drew into `folder`, to travel with the result."""
    return {"own": _read(folder / student / exercise), "reference": _read(folder / REFERENCE / exercise)}


def unpack(carried: Carried, folder: Path, student: str, exercise: str) -> None:
    """Write what was carried; what is no picture of a bearable size is left out."""
    own, reference = folder / student / exercise, folder / REFERENCE / exercise
    for older in own.glob("*.png"):
        older.unlink()
    for place, pictures in ((own, carried["own"]), (reference, carried["reference"])):
        # Beside a picture of the submission's may be the reference's on the same scale.
        for name, text in list(pictures.items())[: 2 * MOST if place == own else MOST]:
            try:
                content = base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError):
                continue
            if _NAME.fullmatch(name) and content.startswith(_PNG) and len(content) <= MOST_BYTES:
                place.mkdir(parents=True, exist_ok=True)
                draft = place / f".{name}.draft"
                draft.write_bytes(content)
                draft.replace(place / f"{name}.png")


def _read(folder: Path) -> dict[str, str]:
    paths = [path for path in sorted(folder.glob("*.png")) if path.stat().st_size <= MOST_BYTES]
    return {path.stem: base64.b64encode(path.read_bytes()).decode("ascii") for path in paths[: 2 * MOST]}


def _clear(folder: Path) -> None:
    for path in (*folder.glob("*.png"), folder / MARK):
        path.unlink(missing_ok=True)
