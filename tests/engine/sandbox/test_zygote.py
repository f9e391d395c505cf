"""The zygote forks judges and warm parents; it holds nothing of either, and outlives nobody."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from autograder.sandbox import WarmParent, WorkerLimits, forks
from autograder.sandbox.forks import Fork, Zygote

MIB = 2**20
pytestmark = pytest.mark.skipif(not forks.possible(), reason="Linux only")

PROGRAM = '''
"""What a judge's place is taken by."""
import json, os, socket, sys
def main():
    with socket.socket(fileno=int(sys.argv[1])) as line:
        about = {
            "pid": os.getpid(), "path": sys.path, "folder": os.getcwd(), "here": os.environ.get("HERE"),
            "safe": os.environ.get("PYTHONSAFEPATH"), "torch": "torch" in sys.modules,
            "cuda": "torch" in sys.modules and sys.modules["torch"].cuda.is_initialized(),
            "nodes": [p for p in map(os.path.realpath, os.scandir("/proc/self/fd")) if "nvidia" in p],
            "judge": sorted(m for m in sys.modules if m.startswith("autograder.")),
        }
        line.sendall(json.dumps(about).encode() + b"\\n")
        line.recv(1)
'''


@pytest.fixture(scope="module")
def line():
    found = forks._start()
    yield found
    found.close()


@pytest.fixture
def program(tmp_path, monkeypatch, line):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "stands_for_a_judge.py").write_text(PROGRAM)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "own"))
    monkeypatch.setattr(forks, "_line", line)
    return "stands_for_a_judge"


def run(program: str, **settings: str) -> tuple[Fork, dict, socket.socket]:
    ours, theirs = socket.socketpair()
    with theirs:
        fork = forks.judge(program, theirs.fileno(), settings)
    ours.settimeout(60)
    return fork, json.loads(ours.makefile().readline()), ours


def ended(fork: Fork, seconds: float = 20) -> bool:
    poll = select.poll()
    poll.register(fork._handle, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def test_a_fork_has_torch_and_the_environment_it_was_given(program, monkeypatch, tmp_path):
    monkeypatch.setenv("HERE", "yes")
    monkeypatch.chdir(tmp_path)
    fork, said, ours = run(program, PYTHONSAFEPATH="1")
    with ours:
        assert said["torch"]
        assert (said["cuda"], said["nodes"]) == (False, []), "CUDA survives no fork: the zygote starts none"
        assert said["pid"] == fork.pid != os.getpid()
        assert (said["here"], said["safe"], said["folder"]) == ("yes", "1", str(tmp_path))
        assert not ended(fork, 0)
    assert ended(fork)


def test_a_fork_does_not_import_from_the_folder_it_stands_in(program, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", str(tmp_path), *sys.path])
    _fork, said, ours = run(program)
    with ours:
        assert not {"", ".", str(tmp_path)} & set(said["path"])
        assert str(tmp_path / "own") in said["path"]


def test_what_one_fork_is_given_another_does_not_see(program, monkeypatch):
    monkeypatch.setenv("HERE", "a secret")
    run(program)[2].close()
    monkeypatch.delenv("HERE")
    _fork, said, ours = run(program)
    with ours:
        assert said["here"] is None


def memory_holds(pid: int, what: bytes) -> bool:
    with open(f"/proc/{pid}/maps", encoding="ascii") as table, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for row in table:
            place, rights = row.split()[:2]
            if rights.startswith("rw"):
                first, last = (int(end, 16) for end in place.split("-"))
                memory.seek(first)
                try:
                    if what in memory.read(last - first):
                        return True
                except OSError:
                    continue
    return False


def test_what_a_judge_is_given_never_enters_the_zygotes_memory(program, monkeypatch, line):
    """Its next fork may be the parent of a student's worker."""
    secret = os.urandom(16).hex()
    monkeypatch.setenv("HERE", secret)
    fork, said, ours = run(program)
    with ours:
        assert said["here"] == secret
        try:
            assert memory_holds(fork.pid, secret.encode()), "this test sees nothing"
        except PermissionError:
            pytest.skip("this user may not look into other processes")
        assert not memory_holds(line._zygote.pid, secret.encode())


def test_the_zygote_holds_nothing_of_the_judges(program):
    _fork, said, ours = run(program)
    with ours:
        rooms = {name.split(".")[1] for name in said["judge"]}
        assert rooms == {"sandbox", "wire", "worker"}


def test_its_environment_is_clean(line, monkeypatch):
    monkeypatch.setenv("AUTOGRADER_SECRET", "never to be told")
    other = forks._start()
    try:
        environment = Path(f"/proc/{other._zygote.pid}/environ").read_bytes()
        deadline = time.monotonic() + 20
        while not environment and time.monotonic() < deadline:  # until it has been executed
            environment = Path(f"/proc/{other._zygote.pid}/environ").read_bytes()
        assert environment
        assert b"never to be told" not in environment
    finally:
        other._zygote.kill()
        other.close()


def test_a_killed_fork_is_seen_to_end(program):
    fork, _said, ours = run(program)
    with ours:
        with pytest.raises(subprocess.TimeoutExpired):
            fork.wait(0.01)
        fork.kill()
        fork.wait(20)
        fork.kill()  # once more does no harm


def test_a_warm_parent_comes_from_the_zygote_of_its_judge(line, monkeypatch):
    monkeypatch.setattr(forks, "_line", line)
    with WarmParent() as parent:
        assert isinstance(parent._process, Fork)
        with parent.spawn(WorkerLimits(memory_bytes=200 * MIB, cpu_seconds=10)) as worker:
            assert worker.isolation == parent.isolation
            assert parent.isolation.level != "none"
        handle = os.pidfd_open(parent.pid)
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    assert poll.poll(20_000)
    os.close(handle)


def test_a_warm_parent_without_a_zygote_is_made_as_before(line, monkeypatch):
    killed = forks._start()
    killed._zygote.send_signal(signal.SIGKILL)
    killed._zygote.wait()
    orphan = Zygote(killed._channel)
    monkeypatch.setattr(forks, "_line", orphan)
    with WarmParent() as parent:
        assert isinstance(parent._process, subprocess.Popen)
    orphan.close()


def test_a_killed_zygote_is_replaced(monkeypatch):
    monkeypatch.setattr(forks, "_line", None)
    first = forks.line()
    assert forks.line() is first
    first._zygote.kill()
    first._zygote.wait()
    second = forks.line()
    try:
        assert second is not first
        assert second.usable
    finally:
        second._zygote.kill()
        second.close()


def test_it_ends_with_whoever_started_it(tmp_path):
    program = (
        "import os, sys; from autograder.sandbox import forks\n"
        "line = forks.line(); print(line._zygote.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    try:
        handle = os.pidfd_open(int(done.stdout))
    except ProcessLookupError:
        return
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    assert poll.poll(60_000)
    os.close(handle)


def test_it_is_ended_in_silence_by_a_process_that_ends():
    program = "from autograder.sandbox import forks; print(forks.line()._zygote.pid)"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3]), "PYTHONWARNINGS": "always"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert done.stderr == ""
    assert not Path(f"/proc/{done.stdout.strip()}").exists()


def test_a_fork_of_this_process_has_no_line_of_its_own(line):
    child = os.fork()
    if child == 0:
        os._exit(1 if line.usable else 0)
    assert os.waitpid(child, 0)[1] == 0


def test_a_warm_parent_that_the_zygote_forked_opens_a_gpu(line, new_parent, stand_in, limits, talk, monkeypatch):
    """The zygote knows of none, and holds nothing that would keep a worker from starting its driver."""
    monkeypatch.setattr(forks, "_line", line)
    with new_parent(gpu=stand_in.opening) as warm, warm.spawn(limits) as worker:
        assert isinstance(warm._process, Fork)
        assert warm.isolation.gpu == stand_in.opening.device
        reply = talk(worker, "import sys; answer = sys.modules['torch'].cuda.is_initialized()")
        assert reply.answer is False, "torch came with the fork, and CUDA did not"
