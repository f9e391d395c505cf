"""Fetching MNIST's test files into the user's cache: only when asked to (`autograder data fetch`).

Several mirrors serve the same files. Each file is held against its SHA-256 and against the MD5 that the data
set's authors published, and appears in the cache only when it is whole.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.course.errors import ConfigurationError
from autograder.course.folders import user_folder
from autograder.language import _


@dataclass(frozen=True)
class RemoteFile:
    """A file and the two checksums of its compressed form."""

    name: str
    sha256: str
    md5: str


FILES = (
    RemoteFile(
        "t10k-images-idx3-ubyte.gz",
        sha256="8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        md5="9fb629c4189551a2d022fa330f9573f3",
    ),
    RemoteFile(
        "t10k-labels-idx1-ubyte.gz",
        sha256="f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        md5="ec29112dd5afa0611ce80d1b7f02629c",
    ),
)
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)


def fetch_mnist(
    folder: Path | None = None,
    *,
    mirrors: Sequence[str] = MIRRORS,
    files: Sequence[RemoteFile] = FILES,
    progress: bool = False,
    timeout: float = 30,
) -> Path:
    """Download what is not there yet; each mirror is tried in turn.

    Args:
        folder: where to; the user's cache without it, where `load_digits` looks.
        mirrors: addresses that the file's name is appended to.
        files: what to fetch.
        progress: show a bar per file.
        timeout: seconds that a mirror may stay silent.

    Returns:
        The folder that holds the files.

    Raises:
        ConfigurationError: no mirror gave a file with the right checksums; the message says what each one
            did.
    """
    try:
        import pooch
    except ImportError as error:
        raise ConfigurationError(_("fetching data needs the package pooch: pip install pooch")) from error
    pooch.get_logger().setLevel(logging.WARNING)
    folder = folder or user_folder("cache") / "mnist"
    for file in files:
        failures = []
        for mirror in mirrors:
            bar = _Bar(file.name) if progress else False
            try:
                path = pooch.retrieve(
                    mirror + file.name,
                    known_hash=f"sha256:{file.sha256}",
                    fname=file.name,
                    path=folder,
                    downloader=pooch.HTTPDownloader(progressbar=bar, timeout=timeout),
                )
            except Exception as error:  # requests, urllib3, OSError, ValueError (checksum): all mean "next mirror"
                failures.append(f"{mirror}: {_short(error)}")
                continue
            finally:
                if isinstance(bar, _Bar):
                    bar.stop()
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
                    "its folder in AUTOGRADER_MNIST"
                ).format(name=file.name, lines=lines, folder=folder)
            )
    return folder


def _short(error: Exception) -> str:
    line = " ".join(str(error).split())
    return f"{type(error).__name__}: {line[:160]}"


class _Bar:
    """What pooch asks of a progress bar (total, update, reset, close), drawn by rich."""

    def __init__(self, title: str) -> None:
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

        self.total: int = 0
        self._progress = Progress(TextColumn("{task.description}"), BarColumn(), DownloadColumn())
        self._task = self._progress.add_task(title, total=None)
        self._progress.start()

    def update(self, n: int) -> None:
        self._progress.update(self._task, advance=n, total=self.total or None)

    def reset(self) -> None:
        self._progress.reset(self._task)

    def close(self) -> None:
        self._progress.update(self._task, completed=self.total, total=self.total or None)

    def stop(self) -> None:
        self._progress.stop()
