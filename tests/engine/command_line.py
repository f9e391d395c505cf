"""The command line in this process, whose zygote has imported torch already: for tests of what a command does.

What a process is on its own (its start, its death, its memory) is tested on real ones.
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path

import pytest

from autograder.commands.main import main
from autograder.commands.translated import speak_click
from autograder.language import use_language


def autograder(
    *arguments: object, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """What `autograder ARGUMENTS` prints and ends with.

    Args:
        env: the whole environment; this process's where it is None.
    """
    command = ["autograder", *map(str, arguments)]
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _stream in range(2))
    status = 0
    before = dict(os.environ)
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.setattr(sys, "argv", command)
        patch.chdir(cwd or Path.cwd())
        try:
            if env is not None:
                _replace_environment(env)
            main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        except Exception:
            status = 1
            traceback.print_exc()
        finally:
            _replace_environment(before)
            use_language("en")
            speak_click("en")
    printed, said = (stream.buffer.getvalue().decode("utf-8") for stream in (out, err))  # type: ignore[attr-defined]
    return subprocess.CompletedProcess(command, status, printed, said)


def _replace_environment(env: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(env)
