"""Fetching a published data set's test files into the user's cache: only when asked to (`autograder data fetch`).

Several mirrors serve the same files. Each file is held against its SHA-256 and against the MD5 that the data
set's authors published, and appears in the cache only when it is whole.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from autograder.course.errors import ConfigurationError
from autograder.course.folders import user_folder
from autograder.course.sets import PublishedSet, RemoteFile
from autograder.language import _


class Bar(Protocol):
    """What a progress bar has to have, as pooch asks for it; bytes."""

    total: int

    def update(self, n: int) -> None:
        """So many more are here."""

    def reset(self) -> None:
        """None is here: pooch says so before it says that all are."""

    def close(self) -> None:
        """All are here."""

    def stop(self) -> None:
        """Nothing more comes, whatever is here."""


def fetch(
    published: PublishedSet,
    folder: Path | None = None,
    *,
    mirrors: Sequence[str] = (),
    files: Sequence[RemoteFile] = (),
    bar: Callable[[str], Bar] | None = None,
    timeout: float = 30,
) -> Path:
    """Download what is not there yet, each mirror in turn; the folder that holds the files.

    Args:
        folder: where to; the user's cache without it, where `load_images` looks.
        bar: makes a progress bar for a file of this name.
        timeout: seconds that a mirror may stay silent.

    Raises:
        ConfigurationError: no mirror gave a file with the right checksums; the message says what each one
            did.
    """
    try:
        import pooch
    except ImportError as error:
        raise ConfigurationError(_("fetching data needs the package pooch: pip install pooch")) from error
    pooch.get_logger().setLevel(logging.WARNING)
    folder = folder or user_folder("cache") / published.folder
    for file in files or published.files:
        failures = []
        for mirror in mirrors or published.mirrors:
            drawn = bar(file.name) if bar is not None else None
            try:
                path = pooch.retrieve(
                    mirror + file.name,
                    known_hash=f"sha256:{file.sha256}",
                    fname=file.name,
                    path=folder,
                    downloader=pooch.HTTPDownloader(progressbar=drawn or False, timeout=timeout),
                )
            except Exception as error:  # requests, urllib3, OSError, ValueError (checksum): all mean "next mirror"
                failures.append(f"{mirror}: {_short(error)}")
                continue
            finally:
                if drawn is not None:
                    drawn.stop()
            if hashlib.md5(Path(path).read_bytes(), usedforsecurity=False).hexdigest() != file.md5:
                Path(path).unlink()
                failures.append(f"{mirror}: the MD5 of the authors does not agree")
                continue
            break
        else:
            lines = "\n  ".join(failures)
            raise ConfigurationError(
                _(
                    "{name} could not be fetched:\n  {lines}\nPut the file into {folder} by hand, or name "
                    "its folder in {variable}"
                ).format(name=file.name, lines=lines, folder=folder, variable=published.variable)
            )
    return folder


def _short(error: Exception) -> str:
    line = " ".join(str(error).split())
    return f"{type(error).__name__}: {line[:160]}"
