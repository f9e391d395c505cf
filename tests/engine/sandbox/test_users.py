"""The same attacks with an ordinary user as judge, and as root on a machine without namespaces.

These need root to set up: an ordinary user who runs the tests runs the first kind anyway.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux" or os.getuid() != 0, reason="needs root, to become another user"),
]


def _run(uid: int, home: Path, *arguments: str) -> str:
    home.chmod(0o777)
    command = [sys.executable, "-B", str(HERE / "as_user.py"), str(uid)]
    command += [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "HOME": str(home), "TMPDIR": str(home)}
    environment.pop("XDG_CACHE_HOME", None)
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    return done.stdout


# So many tests pass at least when all modes run: a mode that is skipped unseen fails the test.
LEAST = {"test_attacks.py": 900, "test_limits.py": 88, "test_life.py": 38, "test_numbers.py": 6, "test_zygote.py": 11,
         "test_gpu.py": 58}  # fmt: skip

LEAST_REDUCED = {"test_attacks.py": 290, "test_limits.py": 20, "test_life.py": 8, "test_gpu.py": 11}


@pytest.fixture
def home():
    folder = Path(tempfile.mkdtemp())  # not below pytest's own folder, which is root's alone
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("file", sorted(LEAST))
def test_as_an_ordinary_user(file, home):
    output = _run(12345, home, str(HERE / file))
    assert int(re.search(r"(\d+) passed", output)[1]) >= LEAST[file], output


@pytest.mark.parametrize("file", sorted(LEAST_REDUCED))
def test_as_root_without_namespaces(file, home):
    output = _run(0, home, str(HERE / file), "-k", "reduced")
    assert int(re.search(r"(\d+) passed", output)[1]) >= LEAST_REDUCED[file], output


SAY = f"""
import sys
sys.path[:0] = [{str(HERE)!r}]
from conftest import LIMITS, ask, make_parent
GROW = "held = []\\ntry:\\n  while True: held.append(bytearray(1 << 20))\\nexcept MemoryError: answer = len(held)"
with make_parent() as parent, parent.spawn(LIMITS) as worker:
    worker.allow_memory(64 << 20)
    print(parent.isolation.level, parent.isolation.why, ask(worker, "answer = 6 * 7").answer)
    print("megabytes:", ask(worker, GROW).answer)
"""


def _say(home: Path, *before: str) -> str:
    home.chmod(0o777)
    command = [sys.executable, "-B", str(HERE / "as_user.py"), "0", *before, sys.executable, "-B", "-c", SAY]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "HOME": str(home)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    return done.stdout + done.stderr


def test_refused_user_namespaces_are_noticed(home):
    output = _say(home, sys.executable, "-B", str(HERE / "without_namespaces.py"), "12345")
    assert output.startswith("reduced"), output
    assert "unshare" in output
    assert "42" in output


def test_root_of_a_container_gets_reduced_isolation(home):
    output = _say(home, "setpriv", "--bounding-set", "-sys_admin")
    assert output.startswith("reduced"), output
    assert "unshare" in output
    assert "42" in output


def test_root_limits_memory_without_power_over_the_limits_of_others(home):
    """As in a container: the worker's own user, who is nobody else, may set them."""
    output = _say(home, "setpriv", "--bounding-set", "-sys_resource")
    assert output.startswith("full"), output
    assert 56 <= int(re.search(r"megabytes: (\d+)", output)[1]) <= 66, output


@pytest.mark.parametrize(("taken", "missing"), [("-all", "CAP_SETUID"), ("-kill", "CAP_KILL")])
def test_root_without_power_over_other_users_is_refused(taken, missing, home):
    output = _say(home, "setpriv", "--bounding-set", taken)
    assert "IsolationRefused" in output
    assert missing in output
