"""The course secret: what makes the inputs of hidden checks fresh, fair and unknown to students.

It comes from the environment or from a file outside the course's folder. Where neither is given, one is drawn
once and kept in the user's state folder (mode 600): grading works at once, and the same submission regraded
on this machine gets the same inputs.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from autograder.course.config import CourseConfig
from autograder.course.errors import ConfigurationError
from autograder.course.folders import user_folder
from autograder.language import _

MIN_BYTES = 16
MAX_BYTES = 65_536


def load_secret(config: CourseConfig, root: Path, tell: Callable[[str], None]) -> bytes:
    """The secret of the course.

    Args:
        root: folder of the course; a secret inside it is refused.
        tell: gets the line that says where a secret was made, or that the named file is missing.

    Raises:
        ConfigurationError: the secret is too short, inside the course's folder, or open to other users.
    """
    from_environment = os.environ.get(config.secret.env, "")
    if from_environment:
        return _long_enough(from_environment.encode(), f"the environment variable {config.secret.env}", config.file)
    file = config.secret.file
    if file is not None:
        if file.resolve().is_relative_to(root.resolve()):
            raise ConfigurationError(
                _(
                    "the secret file {file} lies inside the course's folder, where it could be committed or "
                    "handed out; move it elsewhere"
                ).format(file=file),
                file=config.file,
                path="secret.file",
            )
        if file.exists():
            return _long_enough(_read(file), str(file), config.file)
        tell(f"The secret file {file} is missing; the secret of this machine is used instead.")
    kept = user_folder("state") / f"{config.id}.secret"
    if not kept.exists():
        _create(kept)
        tell(
            f"A new course secret was made: {kept}. Copy it to every machine that grades this course, or set "
            f"{config.secret.env}."
        )
    _refuse_if_open(kept)
    return _long_enough(_read(kept), str(kept), config.file)


def derive_seed(secret: bytes, *parts: str) -> int:
    """A seed of 63 bits for these parts (student, exercise, check ...), by HMAC-SHA256 under the secret.

    Each part goes in with its length, so that ("ab", "c") and ("a", "bc") differ.
    """
    message = hmac.new(secret, digestmod=hashlib.sha256)
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        message.update(len(raw).to_bytes(8, "big") + raw)
    return int.from_bytes(message.digest()[:8], "big") >> 1


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(MAX_BYTES).strip()
    except OSError as error:
        raise ConfigurationError(
            _("the secret cannot be read: {strerror}").format(strerror=error.strerror or error), file=file
        ) from error


def _long_enough(secret: bytes, where: str, config_file: Path) -> bytes:
    if len(secret) < MIN_BYTES:
        raise ConfigurationError(
            _(
                'the secret in {where} has {n} bytes; at least {min_bytes} are needed (python -c "import '
                'secrets; print(secrets.token_hex(32))")'
            ).format(where=where, n=len(secret), min_bytes=MIN_BYTES),
            file=config_file,
            path="secret",
        )
    return secret


def _create(file: Path) -> None:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(descriptor, secrets.token_hex(32).encode() + b"\n")
        finally:
            os.close(descriptor)
        try:
            # A link, not a rename: of two processes that start together the first one's secret stays.
            os.link(draft, file)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    except OSError as error:
        raise ConfigurationError(
            _("the secret cannot be written: {strerror}").format(strerror=error.strerror or error), file=file
        ) from error


def _refuse_if_open(file: Path) -> None:
    mode = stat.S_IMODE(file.stat().st_mode)
    if os.name == "posix" and mode & 0o077:
        raise ConfigurationError(
            _("other users may read this secret (mode {mode:o}); chmod 600 it").format(mode=mode), file=file
        )
