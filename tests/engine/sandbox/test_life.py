"""Starting, refusing, replacing, dying: nobody is left behind and nothing grows."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autograder.sandbox import IsolationRefused, WarmParent, WarmParentDied, WorkerLimits
from autograder.sandbox.isolation import MIB

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="isolation is built on Linux alone")
HERE = Path(__file__).parent

# A judge of its own: it starts everything, keeps one worker busy, stops one, says who they are, and waits.
JUDGE = """
import json, sys, time
from pathlib import Path
from autograder.sandbox import WorkerLimits, WarmParent

without, here = frozenset(sys.argv[1].split()), Path(sys.argv[2])
parent = WarmParent(serve="obedient:serve", preload=(), without=without, import_path=[here])
parent.start()
workers = [parent.spawn(WorkerLimits(memory_bytes=1 << 28, cpu_seconds=600)) for _ in range(4)]
for worker, text in zip(workers, [
    "while True: pass",
    "import os, signal; os.kill(os.getpid(), signal.SIGSTOP); signal.pause()",
    "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65)); signal.pause()",
]):
    worker.socket.sendall(json.dumps(text).encode() + b"\\n")
print(json.dumps([parent.pid, *(worker.pid for worker in workers)]), flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def _watched(pids: list[int]) -> Iterator[select.poll]:
    """A poll over the ends of processes, held by handles so that no number is mistaken for another."""
    handles, poll = [os.pidfd_open(pid) for pid in pids], select.poll()
    for handle in handles:
        poll.register(handle, select.POLLIN)
    try:
        yield poll
    finally:
        for handle in handles:
            os.close(handle)


def _all_end(poll: select.poll, count: int) -> bool:
    """Whether all of them end: each is waited for as long as it takes, at most a minute."""
    for _ in range(count):
        ready = poll.poll(60_000)
        if not ready:
            return False
        for descriptor, _ in ready:
            poll.unregister(descriptor)
            count -= 1
        if count == 0:
            return True
    return count == 0


def _parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _mounts() -> str:
    return Path("/proc/self/mountinfo").read_text()


@pytest.mark.parametrize("victim", ["judge", "warm parent", "minders"])
def test_nothing_is_left_behind(victim, mode, tmp_path):
    without = {"full": "", "without_landlock": "landlock", "reduced": "namespaces"}[mode]
    mounts = _mounts()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    environment |= {"PYTHONPATH": str(HERE.parents[2]), "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    judge = subprocess.Popen(
        [sys.executable, "-B", "-c", JUDGE, without, str(HERE)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path, env=environment,
    )  # fmt: skip
    with judge:
        pids = json.loads(judge.stdout.readline())
        minders = [_parent_of(pid) for pid in pids[1:]]
        assert len(set(minders)) == 4
        everybody = pids + minders if victim != "minders" else pids[1:] + minders
        with _watched(everybody) as poll:
            for pid in {"judge": [judge.pid], "warm parent": pids[:1], "minders": minders}[victim]:
                os.kill(pid, signal.SIGKILL)
            assert _all_end(poll, len(everybody)), f"somebody outlives the {victim}"
        judge.kill()
    assert _mounts() == mounts
    left = {str(place.relative_to(tmp_path)) for place in tmp_path.rglob("*")}
    assert left <= {".cache", ".cache/autograder", ".cache/autograder/matplotlib"}, left


def test_a_dead_warm_parent_is_told_and_replaced(new_parent, limits, talk):
    with new_parent() as parent:
        first = parent.spawn(limits)
        with _watched([parent.pid, first.pid]) as poll:
            os.kill(parent.pid, signal.SIGKILL)
            assert _all_end(poll, 2)
        with pytest.raises(WarmParentDied, match=r"start\(\)"):
            parent.spawn(limits)
        assert first.wait(60).reason == "lost"
        first.kill()
        parent.start()
        with parent.spawn(limits) as worker:
            assert talk(worker, "answer = 2").answer == 2


def test_before_start_and_after_close(new_parent, limits):
    parent = new_parent()
    with pytest.raises(WarmParentDied, match=r"start\(\)"):
        parent.spawn(limits)
    parent.start()
    parent.close()
    parent.close()
    with pytest.raises(WarmParentDied, match=r"start\(\)"):
        parent.spawn(limits)


def test_replacing_a_worker_many_times_grows_nothing(parent, talk, limits):
    def held() -> tuple[int, list[str]]:
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
        return len(os.listdir("/proc/self/fd")), children

    parent.spawn(limits).kill()
    before = held()
    for number in range(50):
        worker = parent.spawn(limits)
        assert talk(worker, f"answer = {number}").answer == number
        worker.kill()
        assert worker.wait(0).reason == "killed"
    assert held()[0] == before[0]
    assert len(held()[1]) <= 1, "minders that have spoken their last word end at once"


def test_workers_of_several_threads(parent, talk, limits):
    def one(number: int) -> int:
        with parent.spawn(limits) as worker:
            return talk(worker, f"answer = {number} ** 2").answer

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, range(16))) == [number**2 for number in range(16)]


def test_workers_know_nothing_of_each_other(parent, talk, limits):
    with parent.spawn(limits) as one, parent.spawn(limits) as two:
        assert talk(one, "import sys; sys.left = open('left', 'w').write('x') if isolation['level'] == 'full' else 1")
        reply = talk(two, "import os, sys; answer = [hasattr(sys, 'left'), os.path.exists('left')]")
        assert reply.answer == [False, False]
        reply = talk(two, f"import os; os.kill({one.pid}, 9)")
        assert reply.error == "PermissionError"
        assert talk(one, "answer = 1").answer == 1


def test_what_holds_is_said(parent, mode, talk, limits):
    isolation = parent.isolation
    assert isolation.level == ("reduced" if mode == "reduced" else "full")
    always = {"unprivileged", "rlimits", "seccomp", "self-test"}
    expected = {
        "full": always | {"namespaces", "pivot_root", "landlock"},
        "without_landlock": always | {"namespaces", "pivot_root"},
        "reduced": always | {"landlock"},
    }[mode]
    assert set(isolation.layers) == expected
    assert set(isolation.missing) == {"namespaces", "pivot_root", "landlock"} - expected
    with parent.spawn(limits) as worker:
        assert worker.isolation == isolation
        assert talk(worker, "answer = isolation").answer == isolation.to_json()


@pytest.mark.parametrize("without", [{"seccomp"}, {"namespaces", "landlock"}, {"seccomp", "namespaces"}])
def test_too_few_layers_are_refused(without, new_parent, limits, talk):
    parent = new_parent(without=frozenset(without))
    with pytest.raises(IsolationRefused) as refusal:
        parent.start()
    for name in without:
        assert f"{name}: switched off" in str(refusal.value)
    assert "Grade on Linux" in str(refusal.value), "says what to do"
    with new_parent(without=frozenset(without), unprotected=True) as parent:
        assert parent.isolation.level == "none"
        assert without <= set(parent.isolation.missing)
        with parent.spawn(limits) as worker:
            assert talk(worker, "answer = 1").answer == 1


def test_unknown_layers_are_named(new_parent):
    with pytest.raises(ValueError, match="selinux"):
        new_parent(without=frozenset({"selinux"}))


@pytest.mark.parametrize(("options", "words"), [
    ({"preload": ("no_such_module",)}, "no_such_module"),
    ({"serve": "obedient:nobody"}, "nobody"),
    ({"serve": "threaded:serve"}, "threads"),
    ({"serve": "leaving:serve"}, "without a word"),
])  # fmt: skip
def test_a_parent_that_can_not_serve_says_why(options, words, new_parent, tmp_path):
    (tmp_path / "leaving.py").write_text("import os; os._exit(3)\n")
    (tmp_path / "threaded.py").write_text(
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        "def serve(wire, isolation): pass\n"
    )
    parent = new_parent(import_path=[HERE, tmp_path], **options)
    with pytest.raises((IsolationRefused, WarmParentDied), match=words):
        parent.start()
    assert parent.pid is None


@pytest.mark.parametrize("folder", ["/etc", str(HERE.parents[2])])
def test_a_failing_self_test_refuses(folder, new_parent):
    """What must be out of reach is made readable: the self-test of the throw-away worker notices."""
    with pytest.raises(IsolationRefused, match=f"the self-test found: opening {folder}/.* was not refused"):
        new_parent(readable=[Path(folder)]).start()


def test_more_can_be_made_readable(mode, new_parent, public_folder, limits, talk):
    """Readable only, even where the file's own rights would let everybody write."""
    with new_parent(mode, readable=[public_folder]) as parent, parent.spawn(limits) as worker:
        assert talk(worker, f"answer = open('{public_folder}/secret').read()").answer
        wanted = {"full": {errno.EACCES, errno.EROFS}, "without_landlock": {errno.EROFS}, "reduced": {errno.EACCES}}
        for text in ("open('{}/secret', 'a')", "open('{}/new', 'w')", "os.unlink('{}/secret')", "os.mkdir('{}/x')"):
            reply = talk(worker, "import os; " + text.format(public_folder))
            assert reply.errno in wanted[mode], reply


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to mount")
@pytest.mark.parametrize("judge", [0, 12345])
def test_mounts_inside_a_readable_folder_are_read_only_too(judge, public_folder):
    """A writable mount below a bound folder comes along with it, and has to lose its writability."""
    script = f"""
import os, sys
sys.path[:0] = [{str(HERE)!r}]
from conftest import LIMITS, ask, make_parent
from pathlib import Path
with make_parent("without_landlock", readable=[Path({str(public_folder)!r})]) as parent, parent.spawn(LIMITS) as worker:
    print(ask(worker, "open({str(public_folder)!r} + '/empty/inner', 'a')").errno)
"""
    command = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o mode=777 none "$0/empty" && exec "$@"']
    command += [str(public_folder), sys.executable, "-B", str(HERE / "as_user.py"), str(judge)]
    environment = os.environ | {"PYTHONPATH": str(HERE.parents[2]), "HOME": str(public_folder)}
    done = subprocess.run(
        [*command, sys.executable, "-B", "-c", script], capture_output=True, text=True, env=environment
    )
    assert done.stdout.strip() == str(errno.EROFS), done.stderr


def test_plain_process(new_parent, limits, talk):
    """What other platforms get, for work that is one's own."""
    options = {"without": frozenset({"warm_parent"})}
    with pytest.raises(IsolationRefused, match="in so many words"):
        new_parent(**options).start()
    with new_parent(unprotected=True, **options) as parent:
        assert parent.isolation.level == "none"
        assert parent.isolation.layers == ()
        with parent.spawn(limits) as worker:
            assert talk(worker, "answer = 1").answer == 1
            assert worker.wait(0) is None
        assert worker.wait(0).reason == "killed"
        with parent.spawn(limits) as worker:
            assert talk(worker, "import os; os._exit(3)").dead
            assert worker.wait(60).reason == "exit 3"
        with parent.spawn(WorkerLimits(memory_bytes=MIB, cpu_seconds=1)) as worker:
            assert talk(worker, "while True: pass").dead
            assert worker.wait(60).signal is not None


def test_plain_process_dies_with_its_judge(tmp_path):
    text = JUDGE.replace("without=without", "without=without, unprotected=True").replace("parent.pid, ", "")
    text = text.replace("os.kill(os.getpid(), signal.SIGSTOP); ", "")  # a stopped process can't watch its life line
    judge = subprocess.Popen(
        [sys.executable, "-B", "-c", text, "warm_parent", str(HERE)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(HERE.parents[2])},
    )  # fmt: skip
    with judge:
        pids = json.loads(judge.stdout.readline())
        with _watched(pids) as poll:
            judge.kill()
            assert _all_end(poll, len(pids))


def test_the_import_is_cheap():
    heavy = "import sys, autograder.sandbox; print({'torch', 'numpy', 'ctypes'} & set(sys.modules))"
    environment = os.environ | {"PYTHONPATH": str(HERE.parents[2])}
    done = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.strip() == "set()"


def test_limits_reach_the_worker(parent, talk):
    limits = WorkerLimits(memory_bytes=100 * MIB, cpu_seconds=7, file_bytes=12345, open_files=33)
    with parent.spawn(limits) as worker:
        reply = talk(
            worker,
            """
            import resource as r
            answer = [r.getrlimit(kind) for kind in (r.RLIMIT_CPU, r.RLIMIT_FSIZE, r.RLIMIT_NOFILE, r.RLIMIT_CORE)]
        """,
        )
        assert reply.answer == [[7, 7], [12345, 12345], [33, 33], [0, 0]]


def test_a_parent_is_a_context_manager(new_parent):
    with new_parent() as parent:
        assert isinstance(parent, WarmParent)
        with _watched([parent.pid]) as poll:
            parent.close()
            assert _all_end(poll, 1)
