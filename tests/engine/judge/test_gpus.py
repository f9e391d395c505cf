"""Which GPU workers get, how judges share GPUs, what is said where there is none, and what students read."""

from __future__ import annotations

import functools
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

if sys.platform != "linux":
    pytest.skip("a GPU is opened on Linux alone", allow_module_level=True)

from autograder.batch.job import Job, Order
from autograder.batch.judges import CannotJudge, Judge
from autograder.batch.pool import workers_for
from autograder.course import load_config
from autograder.judge import engine as engines
from autograder.judge import gpus
from autograder.judge.engine import Engine
from autograder.judge.gpus import Place, places, take_place
from autograder.judge.raised import in_words
from autograder.judge.verdicts import FrameworkFault, StudentError
from autograder.language import speaking
from autograder.sandbox import Isolation, WarmParent
from autograder.sandbox.gpu import Gpu, Opening, torch_built_for
from autograder.sandbox.isolation import GPU_LAYER, GPU_MEMORY, MIB, WATCHED
from autograder.submissions.model import CodeCell

SANDBOX = Path(__file__).parents[1] / "sandbox"
TWO = [Gpu("GPU-a", "/dev/nvidia0"), Gpu("GPU-b", "/dev/nvidia1")]


@pytest.fixture
def course(toy):
    return load_config(toy / "grading_config.yaml")


@pytest.fixture
def machine(monkeypatch):
    """`machine(gpus, torch)`: what is found here."""

    def found(cards, built="cuda", chosen=None, ready=True):
        monkeypatch.setattr(gpus, "ready", lambda: ready)
        monkeypatch.setattr(gpus, "gpus", lambda: cards)
        monkeypatch.setattr(gpus, "torch_built_for", lambda: built)
        if chosen is None:
            monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        else:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", chosen)

    return found


def test_on_the_cpu_nothing_is_looked_for(course, monkeypatch):
    monkeypatch.setattr(gpus, "gpus", None)
    assert take_place(replace(course, device="cpu")) is None
    assert places(replace(course, device="cpu")) is None


def test_auto_takes_what_there_is(course, machine, tmp_path):
    auto = replace(course, device="auto")
    for cards, built, chosen in (([], "cuda", None), (TWO, "", None), (TWO, "hip", None), (TWO, "cuda", "")):
        machine(cards, built, chosen)
        assert take_place(auto, tmp_path) is None
    machine(TWO)
    place = take_place(auto, tmp_path)
    assert place.opening.device == "GPU-a"
    assert "/dev/nvidia0" in place.opening.nodes
    place.leave()


@pytest.mark.parametrize(
    ("cards", "built", "chosen", "said"),
    [
        ([], "cuda", None, "/proc/driver/nvidia/gpus"),
        (TWO, "", None, "torch is built for the CPU alone"),
        (TWO, "hip", None, "torch is built for hip"),
        (TWO, "cuda", "7", r"CUDA_VISIBLE_DEVICES=7 names none.*GPU-a \(/dev/nvidia0\)"),
    ],
)
def test_cuda_without_a_gpu_says_what_was_looked_for(cards, built, chosen, said, course, machine):
    machine(cards, built, chosen)
    engine = Engine(replace(course, device="cuda"), b"a secret of the tests")
    with pytest.raises(FrameworkFault, match=said):
        engine.start()
    engine.close()


@pytest.mark.skipif(bool(gpus.gpus()), reason="there is a GPU here")
def test_a_judge_that_is_to_have_a_gpu_says_so(course):
    order = Order(course.file, (), b"a secret of the tests", device="cuda")
    with pytest.raises(CannotJudge, match="the course asks for device: cuda, but"), Judge(order):
        pass


def test_a_gpu_that_does_not_compute_is_left_to_others(course, machine, monkeypatch, tmp_path):
    machine(TWO[:1])
    auto = replace(course, device="auto")

    class Parent:
        ordinary = False
        isolation = Isolation("full", (), (), ("the GPU GPU-a is not used: it computes 3",))

        def __init__(self, **options):
            assert not options["gpu_required"]

        def start(self):
            pass

        close = start

    monkeypatch.setattr(engines, "WarmParent", Parent)
    monkeypatch.setattr(engines, "take_place", lambda config: take_place(config, tmp_path, wait=0))
    engine = Engine(auto, b"a secret of the tests")
    assert engine.device == "cpu"
    take_place(auto, tmp_path, wait=0).leave()
    engine.close()


def test_the_drivers_nodes_may_not_be_made_yet(course, machine, tmp_path):
    machine(TWO, ready=False)
    assert take_place(replace(course, device="auto"), tmp_path) is None
    with pytest.raises(FrameworkFault, match="nvidia-modprobe"):
        take_place(replace(course, device="cuda"), tmp_path)


def test_what_torch_is_built_for_is_what_it_says():
    import torch

    wanted = "cuda" if torch.version.cuda else "hip" if torch.version.hip else ""
    assert torch_built_for() == wanted


def test_judges_share_gpus_as_the_course_says(course, machine, tmp_path):
    machine(TWO)
    shared = replace(course, device="cuda", workers_per_gpu=2)
    taken = [take_place(shared, tmp_path) for _ in range(4)]
    assert [place.opening.device for place in taken] == ["GPU-a", "GPU-b", "GPU-a", "GPU-b"]
    with pytest.raises(FrameworkFault, match="every place on the GPUs here is taken"):
        take_place(shared, tmp_path, wait=0)
    taken[1].leave()
    again = take_place(shared, tmp_path, wait=0)
    assert again.opening.device == "GPU-b"
    for place in (taken[0], again, *taken[2:]):
        place.leave()


def test_a_judge_that_is_killed_leaves_its_place(course, machine, tmp_path):
    machine(TWO[:1])
    alone = replace(course, device="cuda")
    taken, done = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        take_place(alone, tmp_path)
        os.write(taken[1], b"x")
        os.read(done[0], 1)
        os._exit(0)
    os.read(taken[0], 1)
    with pytest.raises(FrameworkFault, match="taken"):
        take_place(alone, tmp_path, wait=0)
    os.kill(child, 9)
    os.waitpid(child, 0)
    take_place(alone, tmp_path, wait=0).leave()


def test_there_are_no_more_judges_than_places(course, machine):
    machine(TWO)
    for share, asked, wanted in ((1, 8, 2), (3, 8, 6), (1, 1, 1)):
        assert workers_for(replace(course, device="cuda", workers_per_gpu=share), asked) == wanted
    assert workers_for(replace(course, device="cpu"), 8) == 8
    machine([])
    assert workers_for(replace(course, device="cuda"), 8) == 8, "the judge says why there is none"


def test_who_shares_a_gpu_must_not_take_all_of_it(course, machine, monkeypatch):
    machine(TWO)

    class Parent:
        ordinary = False
        isolation = Isolation("full", (), (GPU_LAYER,), ("nvidia-ml-py is not installed",), "GPU-a")

        def __init__(self, **options):
            pass

        def start(self):
            pass

        close = start

    monkeypatch.setattr(engines, "WarmParent", Parent)
    one = Engine(replace(course, device="cuda"), b"a secret of the tests")
    assert one.device == "cuda"
    one.close()
    two = Engine(replace(course, device="cuda", workers_per_gpu=2), b"a secret of the tests")
    with pytest.raises(FrameworkFault, match=r"nvidia-ml-py.*extra `gpu`"):
        two.start()


# --- submissions beside a stand-in


@pytest.fixture
def opened(course, monkeypatch, tmp_path):
    """An engine whose workers have a stand-in for a GPU, and compute on the CPU all the same; its gauge."""
    node, gauge = tmp_path / "node", tmp_path / "gauge"
    tmp_path.chmod(0o755)
    if os.getuid() == 0:
        os.mknod(node, 0o020666, os.makedev(1, 3))
        node.chmod(0o666)
        path = str(node)
    else:
        _master, slave = os.openpty()
        path = os.ttyname(slave)
    gauge.write_text("0")
    lock = os.open(os.devnull, os.O_RDONLY)
    opening = Opening(
        device=str(gauge), nodes=(path,), readable=("/sys/devices/system/cpu",), driver="standin_gpu",
        environment=(("STANDIN_NODES", path),),
    )  # fmt: skip
    monkeypatch.setattr(engines, "take_place", lambda _course: Place(opening, lock))
    monkeypatch.setattr(engines, "WarmParent", functools.partial(WarmParent, import_path=[SANDBOX]))
    engine = Engine(replace(course, device="cuda"), b"a secret of the tests")
    engine.start()
    assert engine.device == "cuda"
    monkeypatch.setattr(Engine, "device", "cpu")
    yield engine, gauge
    engine.close()


SUBMISSION = """
def wait():
    import os
    os.read(os.pipe()[0], 1)  # as who waits for a kernel that never ends

def mean(x):
    return x.mean(1)
"""


def session(engine):
    cell = CodeCell(source=SUBMISSION, where="toy.py", filename="toy.py", first_line=1)
    return engine.session(Job("toy", "ada", (cell,), 60.0))


def test_a_kernel_without_end_costs_its_check(opened):
    engine, _gauge = opened
    with_session = session(engine)
    try:
        with_session.begin_check("waits", 0.5, 1)
        with pytest.raises(StudentError, match="did not end"):
            with_session.call(with_session.get_public("wait"), (), {})
        with_session.begin_check("computes", 60, 1)
        assert with_session.call(with_session.get_public("mean"), (torch.ones(2, 3),), {}).tolist() == [1.0, 1.0]
    finally:
        with_session.close()


def test_more_of_the_gpus_memory_than_allowed_is_said_in_words(opened):
    engine, gauge = opened
    with_session = session(engine)
    try:
        with_session.begin_check("waits", 60, 1)
        gauge.write_text(str((engine.config.exercise("toy").limits.process.gpu_memory_mb + 600) * MIB))
        with pytest.raises(StudentError, match="it used more memory of the GPU than it may have"):
            with_session.call(with_session.get_public("wait"), (), {})
        assert with_session.incidents[-1].kind == "died"
        assert with_session.transport.deaths == [], "it was its own limit"
    finally:
        with_session.close()


def test_why_a_worker_ended_is_said_in_french_too():
    assert in_words("exit 3") == "exit 3"
    english = in_words(GPU_MEMORY)
    with speaking("fr"):
        assert in_words(GPU_MEMORY) not in (english, GPU_MEMORY)
    assert GPU_MEMORY in WATCHED
