"""Catalogues as programs read them: the `.mo` that is built from each `.po`.

Only the `.po` is kept under version control. A `.mo` is built beside it when it is first needed, by set-up or by the
first message, and it has the time of its `.po`, as a `.pyc` has that of its source: another time means another text.
Where there is no `.po` (an installed package, a student's folder) the `.mo` stands alone.
"""

from __future__ import annotations

import contextlib
import io
import os
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Message(NamedTuple):
    """A message as it stands in the source; `many` is its form for several, empty where it has but one."""

    one: str
    many: str = ""


def files(folder: Path, language: str) -> list[Path]:
    """Where the `.mo` of each catalogue of this folder belongs, whether it is built or not; in the order of names."""
    found = folder.glob(f"{language}/LC_MESSAGES/*.[mp]o")
    return sorted({file.with_suffix(".mo") for file in found})


def content(file: Path) -> bytes:
    """The catalogue that belongs into this `.mo`, built where that has not been done."""
    source = file.with_suffix(".po")
    try:
        written = source.stat().st_mtime_ns
    except FileNotFoundError:
        return file.read_bytes()
    with contextlib.suppress(FileNotFoundError):
        if file.stat().st_mtime_ns == written:
            return file.read_bytes()
    try:
        built = compiled(source)
    except ModuleNotFoundError:  # babel comes with the extra `instructor`
        return file.read_bytes() if file.is_file() else b""
    with contextlib.suppress(OSError):  # a folder that is not ours: it is built again next time
        _put(file, built, written)
    return built


def shipped(folder: Path) -> dict[str, bytes]:
    """Every catalogue of this folder, built: its path in the folder -> content. For places that have no babel."""
    found = sorted({file.with_suffix(".mo") for file in folder.glob("*/LC_MESSAGES/*.[mp]o")})
    return {file.relative_to(folder).as_posix(): content(file) for file in found}


def compiled(source: Path) -> bytes:
    """A `.po` as a `.mo`; needs babel."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    target = io.BytesIO()
    with source.open("rb") as stream:
        write_mo(target, read_po(stream))
    return target.getvalue()


def entries(data: bytes) -> Iterator[tuple[Message, tuple[str, ...]]]:
    """Each message of a `.mo` with its translations, one for each form of the plural.

    `gettext` keeps no message's form for several, which `said` has to know again.
    """
    if not data:
        return
    order = "<" if data[:4] == b"\xde\x12\x04\x95" else ">"
    count, sources, targets = struct.unpack_from(f"{order}3I", data, 8)

    def text(table: int, number: int) -> str:
        length, start = struct.unpack_from(f"{order}2I", data, table + 8 * number)
        return data[start : start + length].decode()

    for number in range(count):
        message = text(sources, number)
        if message:  # the empty one has the header
            yield Message(*message.split("\0")), tuple(text(targets, number).split("\0"))


def _put(file: Path, built: bytes, written: int) -> None:
    """Write the file as a whole: another process may be reading it."""
    descriptor, draft = tempfile.mkstemp(dir=file.parent, suffix=".draft")
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(built)
    os.chmod(draft, 0o644)
    os.utime(draft, ns=(written, written))
    os.replace(draft, file)
