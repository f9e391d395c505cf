"""Results on disk: `results/<student>/<exercise>.json`, each written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from threading import get_ident

from autograder.errors import AutograderError
from autograder.results.model import Result


class BrokenResult(AutograderError):
    """A result file that is no result; says which file and what is wrong."""

    status = 1


def result_path(out: Path, student: str, exercise: str) -> Path:
    """Where a result belongs."""
    return out / "results" / student / f"{exercise}.json"


def result_text(result: Result) -> str:
    """What the file of a result holds."""
    return json.dumps(result.to_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def text_digest(text: str) -> str:
    """SHA-256 of a text as it is written to its file."""
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file; empty where it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def write_atomically(path: Path, text: str, durable: bool = True) -> None:
    """Write a text file, UTF-8; arguments as of `write_bytes`."""
    write_bytes(path, text.encode(), durable)


def write_bytes(path: Path, content: bytes, durable: bool = True) -> None:
    """Write a file whole or not at all.

    Args:
        path: of the file; its folders are made.
        durable: wait until it is on the disk. Without it a power failure (no kill) may leave an empty file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{get_ident()}.draft")
    try:
        with draft.open("wb") as stream:
            stream.write(content)
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        draft.replace(path)
    except BaseException as error:  # a full disk, say: no half of a file stays on it
        with suppress(OSError):
            draft.unlink()
        if isinstance(error, OSError) and error.errno is not None:
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise


def sweep(out: Path) -> None:
    """Remove from an output folder what killed processes had not finished writing. While nobody else grades there."""
    for draft in (*out.glob(".*.draft"), *out.glob("results/*/.*.draft")):
        process = draft.name.split(".")[-3]
        if process.isdecimal() and int(process) != os.getpid():
            with suppress(OSError):
                draft.unlink()


def read_result(path: Path) -> Result:
    """Read one result; BrokenResult where the file is none."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Result.from_json(data)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BrokenResult(
            f"{path}: not a result ({type(error).__name__}: {error}); grade this submission again"
        ) from None


def result_names(out: Path) -> list[tuple[str, str]]:
    """Student and exercise of every result under `out`, sorted."""
    paths = (path for path in (out / "results").glob("*/*.json") if not path.name.startswith("."))
    return sorted((path.parent.name, path.stem) for path in paths)
