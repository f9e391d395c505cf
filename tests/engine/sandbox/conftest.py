"""Warm parents in every mode of isolation, workers from them, and a way to run text in a worker."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from autograder.sandbox import WarmParent, Worker, WorkerLimits
from autograder.sandbox.gpu import DRIVER_FILES, Opening
from autograder.sandbox.isolation import MIB

HERE = Path(__file__).parent
MODES = {
    "full": frozenset(),
    "without_landlock": frozenset({"landlock"}),
    "reduced": frozenset({"namespaces"}),
}
GPU = " with a GPU"
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


@dataclass
class StandIn:
    """Devices in the place of a driver's nodes.

    Attributes:
        opening: of a GPU whose driver is `standin_gpu`.
        gauge: a file with the bytes of the GPU's memory that it is said to use.
    """

    opening: Opening
    gauge: Path

    def but(self, **changed: Any) -> Opening:
        """The same opening with something different; `fault` is what its driver fails at."""
        if fault := changed.pop("fault", ""):
            changed["environment"] = (*self.opening.environment, ("STANDIN_FAULT", fault))
        return replace(self.opening, **changed)


@contextlib.contextmanager
def standing_in() -> Iterator[StandIn]:
    """Root makes nodes of its own; others have terminals, which are the only devices that they can make."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    terminals: list[int] = []
    nodes = []
    for name in ("nvidiactl", "nvidia-uvm", "nvidia0", "nvidia1", "nvidia-modeset"):
        if os.getuid() == 0:
            node = str(folder / name)
            os.mknod(node, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
            os.chmod(node, 0o666)
        else:
            terminals += os.openpty()
            node = os.ttyname(terminals[-1])
        nodes.append(node)
    (folder / "gauge").write_text("1000")
    opening = Opening(
        device=str(folder / "gauge"),
        nodes=tuple(nodes[:3]),
        readable=tuple(path for path in DRIVER_FILES if os.path.exists(path)),
        shut=tuple(nodes[3:]),
        environment=(("CUDA_VISIBLE_DEVICES", "0"), ("STANDIN_NODES", ":".join(nodes[:3]))),
        driver="standin_gpu",
    )
    yield StandIn(opening, folder / "gauge")
    for terminal in terminals:
        os.close(terminal)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    with standing_in() as found:
        yield found


@pytest.fixture(scope="session")
def talk() -> Callable[[Worker, str], Reply]:
    return ask


@pytest.fixture(scope="session")
def new_parent() -> Callable[..., WarmParent]:
    return make_parent


@pytest.fixture(scope="session")
def limits() -> WorkerLimits:
    return LIMITS


def require_public(mode: str) -> None:
    """Skip where root cannot work without namespaces."""
    if mode == "reduced" and os.getuid() == 0 and python_is_private():
        pytest.skip("this Python is root's alone; test_users.py runs this mode with a public one")


@pytest.fixture(scope="module", params=list(MODES))
def given(request: pytest.FixtureRequest) -> str:
    """A mode, and whether its workers have a GPU; a module that wants both says so."""
    return request.param


@pytest.fixture(scope="module")
def mode(given: str) -> str:
    mode = given.removesuffix(GPU)
    require_public(mode)
    return mode


@pytest.fixture(scope="module")
def parent(mode: str, given: str) -> Iterator[WarmParent]:
    os.environ["JUDGE_SECRET"] = SECRET
    with contextlib.ExitStack() as stack:
        opening = stack.enter_context(standing_in()).opening if given.endswith(GPU) else None
        yield stack.enter_context(make_parent(mode, gpu=opening))
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
