"""Warm parents in every mode of isolation, workers from them, and a way to run text in a worker."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from autograder.sandbox import WarmParent, Worker, WorkerLimits
from autograder.sandbox.isolation import MIB

HERE = Path(__file__).parent
MODES = {
    "full": frozenset(),
    "without_landlock": frozenset({"landlock"}),
    "reduced": frozenset({"namespaces"}),
}
SECRET = "the judge's secret: 4a1f"
LIMITS = WorkerLimits(memory_bytes=256 * MIB, cpu_seconds=20, scratch_bytes=4 * MIB, file_bytes=2 * MIB)

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="isolation is built on Linux alone")


@dataclass
class Reply:
    """What came back: an answer, an error, or nothing because the worker is dead."""

    answer: Any = None
    error: str | None = None
    errno: int | None = None
    text: str = ""
    dead: bool = False


def ask(worker: Worker, text: str) -> Reply:
    """Run Python text in the worker. It puts its result into the name `answer`."""
    worker.socket.settimeout(120)
    received = b""
    try:
        worker.socket.sendall(json.dumps(textwrap.dedent(text)).encode() + b"\n")
        while not received.endswith(b"\n"):
            part = worker.socket.recv(65536)
            if not part:
                return Reply(dead=True)
            received += part
    except (BrokenPipeError, ConnectionResetError):
        return Reply(dead=True)
    return Reply(**json.loads(received))


def python_is_private() -> bool:
    """Whether other users can't reach this interpreter; then root can't work without namespaces."""
    return any(not folder.stat().st_mode & 1 for folder in Path(sys.base_prefix).parents)


def make_parent(mode: str = "full", **options: Any) -> WarmParent:
    options = {"serve": "obedient:serve", "preload": (), "import_path": [HERE], "without": MODES[mode]} | options
    return WarmParent(**options)


@pytest.fixture(scope="session")
def talk() -> Callable[[Worker, str], Reply]:
    return ask


@pytest.fixture(scope="session")
def new_parent() -> Callable[..., WarmParent]:
    return make_parent


@pytest.fixture(scope="session")
def limits() -> WorkerLimits:
    return LIMITS


@pytest.fixture(scope="module", params=list(MODES))
def mode(request: pytest.FixtureRequest) -> str:
    if request.param == "reduced" and os.getuid() == 0 and python_is_private():
        pytest.skip("this Python is root's alone; test_users.py runs this mode with a public one")
    return request.param


@pytest.fixture(scope="module")
def parent(mode: str) -> Iterator[WarmParent]:
    os.environ["JUDGE_SECRET"] = SECRET
    with make_parent(mode) as parent:
        yield parent
    del os.environ["JUDGE_SECRET"]


@pytest.fixture
def worker(parent: WarmParent) -> Iterator[Worker]:
    with parent.spawn(LIMITS) as worker:
        yield worker


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder everybody may write to, with a file everybody may write to: only the sandbox protects them."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    (folder / "secret").write_text(SECRET)
    (folder / "secret").chmod(0o666)
    (folder / "empty").mkdir()
    (folder / "empty").chmod(0o777)
    yield folder
    shutil.rmtree(folder)
