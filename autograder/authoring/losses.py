"""What each mistake loses beside the check meant for it: `solutions/<exercise>/losses.yaml`, measured and never typed.

`autograder verify --accept` writes it and its diff is reviewed; `autograder verify` compares. A line is a mistake with
each further check that does not pass with it: `always`, or `sometimes` where runs differ (a limit that it comes near).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import yaml

from autograder.authoring.errors import AuthoringError
from autograder.authoring.mistakes import HowOften, Mistake, read_mistakes
from autograder.course.discovery import Exercise
from autograder.language import _

Losses = dict[str, dict[str, HowOften]]  # mistake -> check -> when
HEAD = "# What each mistake loses beside the check meant for it: written by `autograder verify --accept`.\n"


def read_bank(exercise: Exercise) -> tuple[Mistake, ...]:
    """The mistakes of an exercise with what they lose as measured; none where it has no bank."""
    if not exercise.mistakes.is_file():
        return ()
    losses = read_losses(exercise.losses)
    return tuple(replace(m, losses=losses.get(m.id, {})) for m in read_mistakes(exercise.mistakes))


def read_losses(file: Path) -> Losses:
    """What stands in a losses.yaml; nothing where there is no file. AuthoringError for what is of another form."""
    if not file.is_file():
        return {}
    try:
        read = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise AuthoringError(_("is not valid YAML: {error}").format(error=error), file=file) from error
    if not isinstance(read, dict):
        read = {"": read}
    for mistake, checks in read.items():
        if not isinstance(checks, dict) or not set(checks.values()) <= {"always", "sometimes"}:
            raise AuthoringError(
                _("{mistake}: expected checks with `always` or `sometimes`, got {checks!r}; measure it: {command}")
                .format(mistake=mistake, checks=checks, command="autograder verify --accept"),
                file=file,
            )  # fmt: skip
    return read


def losses_text(losses: Mapping[str, Mapping[str, HowOften]]) -> str:
    """The file's text: a line for each mistake, sorted, so that a diff shows what changed and no more."""
    lines = [
        f"{mistake}: {{{', '.join(f'{check}: {losses[mistake][check]}' for check in sorted(losses[mistake]))}}}\n"
        for mistake in sorted(losses)
        if losses[mistake]
    ]
    return HEAD + "".join(lines)
