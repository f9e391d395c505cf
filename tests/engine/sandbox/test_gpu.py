"""A GPU is opened to workers, the one that is given and nothing else: tried with other devices in its place."""

from __future__ import annotations

import errno
import hashlib
import importlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import ClassVar

import pytest

if sys.platform != "linux":
    pytest.skip("isolation is built on Linux alone", allow_module_level=True)

from autograder.sandbox import IsolationRefused, calls, cuda, parent, seccomp
from autograder.sandbox.gpu import ESCAPES, REQUESTS, Gpu, Opening, escape, gpus, open_node, opening, ready, visible
from autograder.sandbox.isolation import GPU_LAYER, MIB

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def opened(mode, new_parent, stand_in):
    with new_parent(mode, gpu=stand_in.opening) as parent:
        yield parent


@pytest.fixture
def gpu_worker(opened, limits):
    with opened.spawn(limits) as worker:
        yield worker


TRY = """
import errno, fcntl, os
def opens(path, flags=os.O_RDWR):
    try:
        os.close(os.open(path, flags))
        return True
    except OSError as error:
        return errno.errorcode[error.errno]
def asks(path, request):
    with open(path, "rb+", buffering=0) as node:
        try:
            fcntl.ioctl(node, request, b"")
            return "OK"
        except OSError as error:
            return errno.errorcode[error.errno]
"""


def test_the_isolation_says_what_is_opened(opened, mode, stand_in):
    found = opened.isolation
    assert found.level == ("reduced" if mode == "reduced" else "full")
    assert found.gpu == stand_in.opening.device
    assert {"seccomp", "self-test", GPU_LAYER} <= set(found.layers)
    assert ("landlock" in found.layers) == (mode != "without_landlock")


def test_its_nodes_are_opened_and_no_others(gpu_worker, talk, stand_in):
    reply = talk(
        gpu_worker,
        f"""
        {TRY.replace(chr(10), chr(10) + " " * 8)}
        answer = [[opens(path) for path in {stand_in.opening.nodes}],
                  [opens(path, flags) for path in {stand_in.opening.shut} for flags in (os.O_RDONLY, os.O_RDWR)]]
    """,
    )
    given, others = reply.answer
    assert given == [True] * 3, reply
    assert set(others) <= {"ENOENT", "EACCES"}, "the node of another GPU"


def test_workers_on_the_cpu_open_none(mode, new_parent, limits, talk, stand_in):
    with new_parent(mode) as plain, plain.spawn(limits) as worker:
        paths = (*stand_in.opening.nodes, *stand_in.opening.shut, "/proc/driver", "/proc/meminfo", "/sys/devices")
        reply = talk(worker, TRY + f"\nanswer = [opens(path, os.O_RDONLY) for path in {paths}]")
        assert set(reply.answer) <= {"ENOENT", "EACCES"}, reply
        assert plain.isolation.gpu == ""
        seen = talk(worker, "import os\nanswer = [name for name in os.environ if 'CUDA' in name or 'STANDIN' in name]")
        assert seen.answer == []


def test_requests_of_the_driver_reach_the_device_and_no_others(gpu_worker, talk, stand_in):
    passing = [escape(number, size) for number in ESCAPES for size in (0, 64, 4096)] + list(REQUESTS)
    others = [escape(number) for number in range(256) if number not in ESCAPES]
    others += [request for request in range(100) if request not in REQUESTS]
    # Another type or direction, /dev/nvidia-modeset's, typing into a terminal, a terminal's foreground, a disk's size.
    others += [escape(ESCAPES[0]) & ~(1 << 30), escape(ESCAPES[0]) ^ 0x100, 0xC0106D00, 0x5412, 0x5410, 0x80081272]
    node = stand_in.opening.nodes[0]
    reply = talk(gpu_worker, TRY + f"\nanswer = [[asks({node!r}, r) for r in rs] for rs in ({passing}, {others})]")
    reached, refused = reply.answer
    assert set(reached) <= {"OK", "ENOTTY", "EINVAL"}, "the device's own answer"
    assert set(refused) == {"EPERM"}, [hex(r) for r, said in zip(others, refused, strict=True) if said != "EPERM"]


def test_what_only_the_drivers_start_needs_is_refused_afterwards(gpu_worker, talk):
    for text in (
        "import socket; socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)",
        "open('/proc/self/maps')",
        "open('/proc/self/status')",
        "open('/proc/self/task/2/comm', 'w')",
        "import os; os.listdir('/proc/self/task')",
        "import os; os.listdir('/scratch/.process')",
    ):
        reply = talk(gpu_worker, text)
        assert reply.errno in (errno.EPERM, errno.EACCES, errno.ENOENT), (text, reply)


def test_what_the_driver_reads_is_read_only(gpu_worker, talk):
    text = "import os\nos.open('/proc/meminfo', os.O_RDWR)"
    assert talk(gpu_worker, "answer = open('/proc/meminfo').read(8)").answer == "MemTotal"
    assert talk(gpu_worker, text).errno in (errno.EACCES, errno.EROFS, errno.EPERM)
    assert talk(gpu_worker, "open('/sys/kernel/mm/transparent_hugepage/enabled')").errno is not None


def test_its_environment_names_one_gpu(gpu_worker, talk):
    assert talk(gpu_worker, "import os; answer = os.environ['CUDA_VISIBLE_DEVICES']").answer == "0"


def test_addresses_are_reserved_and_memory_is_limited(gpu_worker, talk, limits):
    """The driver's own memory, 64 MiB here, does not count."""
    grow = """
        held = []
        try:
            while True:
                held.append(bytearray(1 << 20))
        except MemoryError:
            answer = len(held)
            held.clear()
    """
    most = limits.memory_bytes // MIB
    for allowed in (most, most // 2):
        gpu_worker.allow_memory(allowed * MIB)
        assert allowed - 16 <= talk(gpu_worker, grow).answer <= allowed + 16
    room = talk(gpu_worker, "import mmap; m = mmap.mmap(-1, 1 << 38, flags=0x4022, prot=0); answer = len(m)")
    assert room.answer == 1 << 38


def test_shared_memory_ends_the_worker(gpu_worker, talk):
    """Nothing of the kernel's limits it where addresses are not."""
    text = """
        import mmap
        held = []
        while True:
            held.append(mmap.mmap(-1, 16 << 20))
            held[-1].write(bytes(16 << 20))
    """
    assert talk(gpu_worker, text).dead
    assert gpu_worker.wait(60).reason == "shared memory"


def test_too_much_of_the_gpus_memory_ends_the_worker(opened, limits, talk, stand_in):
    with opened.spawn(limits) as worker:
        stand_in.gauge.write_text(str(1000 + limits.gpu_memory_mb * MIB))
        assert talk(worker, "import time; time.sleep(0.3); answer = 1").answer == 1
        try:
            stand_in.gauge.write_text(str(1000 + (limits.gpu_memory_mb + 600) * MIB))
            assert worker.wait(60).reason == "GPU memory"
        finally:
            stand_in.gauge.write_text("1000")
        assert worker.wait(0).signal == 9


def test_a_kernel_without_end_costs_its_worker_alone(opened, limits, talk):
    with opened.spawn(limits) as busy, opened.spawn(limits) as other:
        busy.socket.sendall(json.dumps("import os; os.read(os.pipe()[0], 1)").encode() + b"\n")
        started = time.monotonic()
        busy.kill()
        assert busy.wait(0).reason == "killed"
        assert time.monotonic() - started < 60
        assert talk(other, "answer = 1").answer == 1


@pytest.mark.parametrize("text", ["", "missing"])
def test_where_nobody_measures_it_is_said(text, new_parent, stand_in, limits, talk):
    opening = stand_in.but(device="/nonexistent") if text else stand_in.opening
    stand_in.gauge.write_text("")
    try:
        with new_parent(gpu=opening) as parent, parent.spawn(limits) as worker:
            assert GPU_LAYER in parent.isolation.missing
            assert any("nobody measures" in line or "does not say" in line for line in parent.isolation.why)
            assert talk(worker, "answer = 1").answer == 1
    finally:
        stand_in.gauge.write_text("1000")


FAULTS = {
    "it does not start": {"fault": "start"},
    "it computes 3": {"fault": "compute"},
    "No such file": {"nodes": ("/dev/no-such-node",)},
    "was not refused": {"shut": ("/dev/null",)},
}


@pytest.mark.parametrize("said", FAULTS)
def test_a_gpu_that_does_not_compute_is_refused(said, new_parent, stand_in):
    with pytest.raises(IsolationRefused, match=said), new_parent(gpu=stand_in.but(**FAULTS[said])):
        pass


def test_where_its_driver_needs_more_it_is_opened_and_said(new_parent, stand_in, limits, talk):
    opening = stand_in.but(fault="narrow", wider=("/sys",))
    with new_parent(gpu=opening) as parent, parent.spawn(limits) as worker:
        assert parent.isolation.level == "full"
        assert any("starts only where it can read /sys" in line for line in parent.isolation.why)
        reply = talk(worker, TRY + "\nanswer = [opens('/sys/kernel', os.O_RDONLY), opens('/sys/kernel/uevent_seqnum')]")
        assert reply.answer[0] is True
        assert reply.answer[1] in ("EACCES", "EROFS", "ENOENT", "EPERM")


def test_where_it_need_not_be_workers_do_without_it(new_parent, stand_in, limits, talk):
    with new_parent(gpu=stand_in.but(fault="compute"), gpu_required=False) as parent, parent.spawn(limits) as worker:
        assert parent.isolation.gpu == ""
        assert parent.isolation.level == "full"
        assert any("not used" in line and "it computes 3" in line for line in parent.isolation.why)
        assert set(talk(worker, TRY + f"\nanswer = [opens(p) for p in {stand_in.opening.nodes}]").answer) == {"ENOENT"}


# --- the opening, as data


def test_the_filter_of_workers_on_the_cpu_is_what_it_was(monkeypatch):
    """Byte for byte; who changes it on purpose changes these too."""
    known = {
        ("x86_64", True): "86b3a2e354b1bd63", ("x86_64", False): "e5cf39a9649f0a7a",
        ("aarch64", True): "88acfbd6f2f5ec0e", ("aarch64", False): "6143f90733c76c94",
    }  # fmt: skip
    for (architecture, own_files), digest in known.items():
        monkeypatch.setattr(calls, "architecture", lambda architecture=architecture: architecture)
        seccomp.program.cache_clear()
        assert hashlib.sha256(seccomp.program(4711, own_files)).hexdigest()[:16] == digest
    seccomp.program.cache_clear()


def test_an_opening_travels_as_plain_data(stand_in):
    assert Opening.from_json(json.loads(json.dumps(stand_in.opening.to_json()))) == stand_in.opening


INFORMATION = """Model: \t\t NVIDIA H200
IRQ:   \t\t 37
GPU UUID: \t {uuid}
Bus Type: \t PCIe
Bus Location: \t {place}
Device Minor: \t {minor}
GPU Excluded:\t No
"""


@pytest.fixture
def machine(tmp_path):
    """Two GPUs, whose nodes are numbered against the order of the bus; the second has parts."""
    for place, uuid, minor in (("0000:04:00.0", "GPU-aaaa", 1), ("0000:05:00.0", "GPU-bbbb", 0)):
        folder = tmp_path / "proc/driver/nvidia/gpus" / place
        folder.mkdir(parents=True)
        (folder / "information").write_text(INFORMATION.format(place=place, uuid=uuid, minor=minor))
        (tmp_path / "sys/bus/pci/devices" / place).mkdir(parents=True)
    (tmp_path / "proc/driver/nvidia-caps").mkdir()
    (tmp_path / "proc/driver/nvidia-caps/mig-minors").write_text(
        "config 1\nmonitor 2\ngpu0/gi1/access 12\ngpu0/gi1/ci0/access 13\ngpu0/gi2/access 21\ngpu1/gi1/access 147\n"
    )
    (tmp_path / "dev/nvidia-caps").mkdir(parents=True)
    for name in ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset", "nvidia0", "nvidia1",
                 "nvidia-caps/nvidia-cap1", "nvidia-caps/nvidia-cap12", "nvidia-caps/nvidia-cap13",
                 "nvidia-caps/nvidia-cap147"):  # fmt: skip
        (tmp_path / "dev" / name).touch()
    return tmp_path


def test_gpus_are_found_by_the_drivers_texts(machine):
    assert gpus(str(machine)) == [
        Gpu("GPU-aaaa", "/dev/nvidia1", "0000:04:00.0"),
        Gpu("GPU-bbbb", "/dev/nvidia0", "0000:05:00.0"),
    ]
    (machine / "dev/nvidia1").unlink()
    assert [gpu.device for gpu in gpus(str(machine))] == ["GPU-bbbb"], "one whose node is not there is not ours"


def test_gpus_are_found_by_their_nodes_where_there_are_no_texts(tmp_path):
    (tmp_path / "dev").mkdir()
    for name in ("nvidia10", "nvidia2", "nvidiactl", "nvidia-uvm"):
        (tmp_path / "dev" / name).touch()
    assert gpus(str(tmp_path)) == [Gpu("0", "/dev/nvidia2"), Gpu("1", "/dev/nvidia10")]
    assert gpus(str(tmp_path / "nowhere")) == []


def test_of_one_gpu_nothing_of_the_other_is_opened(machine):
    first, second = (opening(gpu, str(machine)) for gpu in gpus(str(machine)))
    control = ("/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools")
    assert first.nodes == (*control, "/dev/nvidia1", "/dev/nvidia-caps/nvidia-cap147")
    assert second.nodes == (
        *control, "/dev/nvidia0", "/dev/nvidia-caps/nvidia-cap12", "/dev/nvidia-caps/nvidia-cap13",
    )  # fmt: skip
    assert "/sys/bus/pci/devices/0000:04:00.0" in first.readable
    assert "/sys/bus/pci/devices/0000:05:00.0" not in first.readable
    assert {"/dev/nvidia0", "/dev/nvidia-modeset", "/dev/nvidia-caps/nvidia-cap1"} <= set(first.shut)
    assert not set(first.shut) & set(first.nodes)
    environment = dict(first.environment)
    assert environment["CUDA_VISIBLE_DEVICES"] == "GPU-aaaa"
    assert environment["CUDA_CACHE_DISABLE"] == "1"


def test_the_first_program_makes_the_drivers_nodes(machine):
    assert ready(str(machine))
    (machine / "dev/nvidia-uvm").unlink()
    assert not ready(str(machine))


def test_a_capability_is_opened_for_reading_alone(machine):
    opened = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", lambda path, flags: opened.append(flags & os.O_ACCMODE) or os.dup(0))
        for name in ("nvidia0", "nvidia-caps/nvidia-cap12"):
            open_node(str(machine / "dev" / name))
    assert opened == [os.O_RDWR, os.O_RDONLY]
    with pytest.raises(OSError, match=r"who a worker runs as, can't open .*no-such"):
        open_node(str(machine / "no-such"))


A, B = Gpu("GPU-aaaa", "/dev/nvidia0"), Gpu("GPU-bbbb", "/dev/nvidia1")


@pytest.mark.parametrize(
    ("chosen", "wanted"),
    [(None, [A, B]), ("", []), ("-1", []), ("1", [B]), ("1,0", [B, A]), ("GPU-b", [B]), ("GPU-", []), ("0,7,1", [A])],
)
def test_of_the_visible_gpus_those_that_the_environment_leaves(chosen, wanted):
    assert visible([A, B], chosen) == wanted


def test_a_part_of_a_gpu_is_named_by_itself():
    assert visible([A], "MIG-1234") == [Gpu("MIG-1234", A.node)]
    assert visible([A, B], "MIG-1234") == [], "whose part it is cannot be told"
    assert visible([A, B], "MIG-GPU-bbbb/1/0") == [Gpu("MIG-GPU-bbbb/1/0", B.node)]


# --- what forks must not start CUDA


@pytest.mark.parametrize("built", [False, True])
def test_a_process_that_forks_does_nothing_that_counts_gpus(built, monkeypatch):
    """A backward pass and an optimiser's step count them, in a torch that knows GPUs: the driver starts with that."""
    import torch

    done = []
    monkeypatch.setattr(torch.version, "cuda", "12.8" if built else None)
    monkeypatch.setattr(torch.Tensor, "backward", lambda *_: done.append("backward"))
    monkeypatch.setattr(torch.optim.Adam, "step", lambda *_: done.append("step"))
    for name in ("is_available", "device_count", "init"):
        monkeypatch.setattr(torch.cuda, name, lambda *_, name=name: done.append(name))
    state = torch.random.get_rng_state()
    parent.warm_up()
    torch.random.set_rng_state(state)
    assert done == ([] if built else ["backward", "step"] * 2)


LOOK = """
import importlib, torch
asked = []
torch.version.cuda = "12.8"
for name in ("is_available", "device_count", "init", "_lazy_init", "current_device"):
    setattr(torch.cuda, name, lambda *_, name=name: asked.append(name))
from autograder.sandbox import forks, parent
for name in (*forks.PRELOAD, forks.SERVICE):
    importlib.import_module(name)
parent.warm_up()
print(asked)
"""


def test_what_a_zygote_imports_and_runs_asks_for_no_gpu():
    ran = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert ran.stdout == "[]\n", ran.stdout + ran.stderr


def test_warm_parent_and_zygote_start_no_cuda(new_parent, limits, talk, stand_in):
    """Nor have they a node of it open; and a process in which it runs forks nobody."""
    torch = ("torch", "torch._dynamo")
    with new_parent(preload=torch, gpu=stand_in.opening) as warm, warm.spawn(limits) as worker:
        reply = talk(worker, "import torch; answer = torch.cuda.is_initialized()")
        assert reply.answer is False, reply
        if os.getuid() != 0:  # who may not look
            return
        opened = {os.path.realpath(f"/proc/{warm.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{warm.pid}/fd")}
        assert not opened & {*stand_in.opening.nodes, *stand_in.opening.shut}


def test_a_process_in_which_cuda_runs_forks_nobody(monkeypatch):
    import torch

    monkeypatch.setattr(parent, "thread_count", lambda: 1)
    assert parent.unfit() == ""
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    assert "CUDA runs" in parent.unfit()


def test_the_real_driver_says_why_there_is_none():
    torch = importlib.import_module("torch")
    if torch.version.cuda is not None:
        pytest.skip("this torch may find a GPU")
    with pytest.raises(OSError, match="built without CUDA"):
        cuda.start(1 << 30)


# --- NVML, with a stand-in for it too


@pytest.fixture
def nvml(monkeypatch):
    """What NVML would say: `processes`, as (number, bytes), or an error."""

    class NVMLError(Exception):
        pass

    class Library(ModuleType):
        processes: ClassVar = []
        handle: ClassVar = None

        def nvmlInit(self):  # as the library calls it
            pass

        def nvmlDeviceGetHandleByIndex(self, index):
            return ("index", index)

        def nvmlDeviceGetHandleByUUID(self, uuid):
            if uuid == "GPU-gone":
                raise NVMLError("Not Found")
            return ("uuid", uuid)

        def nvmlDeviceGetComputeRunningProcesses(self, handle):
            self.handle = handle
            if self.processes is None:
                raise NVMLError("GPU is lost")
            return [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in self.processes]

    library = Library("pynvml")
    library.NVMLError = NVMLError
    monkeypatch.setitem(sys.modules, "pynvml", library)
    return library


@pytest.mark.parametrize(
    ("processes", "used"),
    [
        ([(7, 100), (8, 200)], 100),
        ([(900, 300)], 300),  # a container, where the driver knows it by another number
        ([(900, 300), (901, 1)], None),
        ([], None),
        ([(7, None)], None),  # the driver does not say
        (None, None),
    ],
)
def test_what_a_process_uses_is_asked_of_nvml(processes, used, nvml):
    nvml.processes = processes
    assert cuda.gauge("GPU-aaaa").used(7) == used
    assert nvml.handle == ("uuid", "GPU-aaaa")
    cuda.gauge("0").used(7)
    assert nvml.handle == ("index", 0)


def test_where_nvml_cannot_be_asked_it_is_said(nvml, monkeypatch):
    with pytest.raises(OSError, match="NVML: Not Found"):
        cuda.gauge("GPU-gone")
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with pytest.raises(OSError, match="nvidia-ml-py is not installed"):
        cuda.gauge("GPU-aaaa")
