"""Archives within what was handed in, each unpacked into a folder of its own below the work folder."""

from __future__ import annotations

import io
import shutil
import weakref
from pathlib import Path
from tempfile import mkdtemp

from autograder.submissions.archives import CLASS, MAX_PACKED, Contents, unpack
from autograder.submissions.budget import Budget
from autograder.submissions.model import SubmissionUnreadable
from autograder.submissions.opening import read_regular
from autograder.submissions.packed import ArchiveRefused

CLASS_PACKED = 64_000_000_000  # bytes of a class's archive


class Unpacker:
    """Unpacks archives, and knows where each file came from.

    Args:
        work: an empty folder that nobody else can enter; it lives as long as what was read is used. Without it one is
            made when the first archive is met, and `close` removes it.
        opens: without it archives are left alone.
    """

    def __init__(self, work: Path | None = None, opens: bool = True) -> None:
        self.opens = opens
        self._work = work
        self._remove: weakref.finalize[[str], Unpacker] | None = None
        self._origins: dict[str, Path] = {}
        self.contents = Contents()

    def student_archive(self, path: Path, base: Path, budget: Budget) -> Path:
        """Unpack an archive that a student made.

        Raises:
            ArchiveRefused: nothing of it can be used.
        """
        try:
            stream = io.BytesIO(read_regular(path, MAX_PACKED, base).content)
        except SubmissionUnreadable as refusal:
            raise ArchiveRefused(refusal.message) from refusal
        folder = self._folder(path)
        try:
            unpack(stream, folder, budget, self.contents)
        except ArchiveRefused:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return folder

    def class_archive(self, path: Path, damaged: bool = False) -> tuple[Path, str]:
        """Unpack a platform's download of a whole class.

        Args:
            path: of the archive.
            damaged: take what comes out of a damaged one.

        Returns:
            The folder, and what is damaged ("" where nothing is).

        Raises:
            ArchiveRefused: it cannot be unpacked, or not whole.
        """
        folder = self._folder(path)
        with path.open("rb") as stream:
            try:
                unpack(stream, folder, Budget(CLASS), self.contents, packed=CLASS_PACKED)
            except ArchiveRefused as refusal:
                if not damaged:
                    raise
                return folder, refusal.message
        return folder, ""

    def names_in(self, path: Path) -> Path | None:
        """A folder of empty files, called as those in an archive, to see what it is; None where it cannot be read."""
        folder = self._folder(path)
        try:
            with path.open("rb") as stream:
                unpack(stream, folder, Budget(CLASS), self.contents, packed=CLASS_PACKED, names_only=True)
        except (ArchiveRefused, OSError):
            return None
        return folder

    def origin(self, path: Path) -> Path:
        """Where a file came from, for a message: `download.zip/ada/toy.py`."""
        if self._work is None or not path.is_relative_to(self._work):
            return path
        first, *rest = path.relative_to(self._work).parts
        archive, place = self._origins.get(first), self._work / first
        if archive is None:
            return path
        found = self.origin(archive)
        for part in rest:
            place /= part
            found /= self.contents.names.get(place, part)
        return found

    def close(self) -> None:
        """Remove what was unpacked, where the folder for it was made here."""
        if self._remove is not None:
            self._remove()

    def _folder(self, archive: Path) -> Path:
        name = f"{len(self._origins):06d}"
        self._origins[name] = archive
        if self._work is None:
            self._work = Path(mkdtemp(prefix="autograder-"))
            # At the latest with this object or this process.
            self._remove = weakref.finalize(self, shutil.rmtree, self._work, ignore_errors=True)
        folder = self._work / name
        folder.mkdir(mode=0o700)
        return folder
