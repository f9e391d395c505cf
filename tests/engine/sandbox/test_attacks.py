"""Every way out that we know, tried from inside a locked worker, in every mode of isolation."""

from __future__ import annotations

import errno
import os
import socket
import sys
from pathlib import Path

import pytest

from autograder.sandbox import WarmParent, calls, seccomp
from autograder.sandbox.readable import library_paths

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="isolation is built on Linux alone")

# Every attack with a GPU opened too: in full isolation always, the others take their time.
MODES = ["full", "without_landlock", "reduced"]
GIVEN = [
    *MODES, "full with a GPU",
    pytest.param("without_landlock with a GPU", marks=pytest.mark.slow),
    pytest.param("reduced with a GPU", marks=pytest.mark.slow),
]  # fmt: skip


@pytest.fixture(scope="module", params=GIVEN)
def given(request):
    return request.param


REFUSED = {errno.EPERM, errno.EACCES, errno.ENOENT, errno.EROFS, errno.ENOSYS, errno.ENOTDIR,
           errno.ESRCH}  # fmt: skip
# No shell ran, nothing was found; no name was resolved; Python words the refusal of a higher limit itself.
UNNUMBERED = {"AssertionError", "gaierror", "ValueError"}
REPOSITORY = Path(__file__).parents[3]

# What a folder of which only a part is there shows all the same: a course below /tmp may have its Python there too.
WAYS = {part for path in library_paths() for part in Path(path).parts[2:3]}

# name -> text. {judge} is the judge's process id, {public} a folder everybody may write to.
READING = {
    "password file": "open('/etc/passwd')",
    "the repository": "open({this!r})",
    "listing the repository": "answer = os.listdir({repository!r} + '/autograder')",
    "a public file": "open('{public}/secret')",
    "the way up": "open('../../../..' + '{public}/secret')",
    "by a descriptor of the root": "os.open('etc/passwd', os.O_RDONLY, dir_fd=os.open('/', os.O_PATH))",
    "own memory map": "open('/proc/self/maps')",
    "own environment": "open('/proc/self/environ')",
    "the judge's environment": "open('/proc/{judge}/environ')",
    "the judge's memory": "open('/proc/{judge}/mem', 'rb')",
    "the judge's descriptors": "os.listdir('/proc/{judge}/fd')",
    "the judge's folder": "os.readlink('/proc/{judge}/cwd')",
    "the judge's root": "os.listdir('/proc/{judge}/root')",
    "kernel log": "open('/dev/kmsg')",
    "terminal": "open('/dev/tty')",
    "system settings": "open('/sys/kernel/mm/transparent_hugepage/enabled')",
    "homes": "assert set(os.listdir('/home')) - {ways}, 'nothing but the way to a library'",
    "temporary files": "assert set(os.listdir('/tmp')) - {ways}, 'nothing but the way to a library'",
    "shared memory": "os.listdir('/dev/shm')",
    "openat2": "raw(437, -100, 0, 0, 0)",
    "open by handle": "raw(304, -100, 0, 0)",
}
WRITING = {
    "new file": "open('{public}/new', 'w')",
    "existing file": "open('{public}/secret', 'w')",
    "appending": "open('{public}/secret', 'a')",
    "emptying while reading": "os.open('{public}/secret', os.O_RDONLY | os.O_TRUNC)",
    "emptying with access mode 3": "os.open('{public}/secret', 3 | os.O_TRUNC)",
    "opening with access mode 3": "os.open('{public}/secret', 3)",
    "truncate": "os.truncate('{public}/secret', 0)",
    "unnamed file": "os.open('{public}', os.O_TMPFILE | os.O_RDWR)",
    "unlink": "os.unlink('{public}/secret')",
    "rename": "os.rename('{public}/secret', '{public}/other')",
    "rename by exchange": "raw(316, -100, b'{public}/secret', -100, b'{public}/empty', 2)",
    "mkdir": "os.mkdir('{public}/folder')",
    "rmdir": "os.rmdir('{public}/empty')",
    "symlink": "os.symlink('/etc/passwd', '{public}/link')",
    "symlink in the working folder": "os.symlink('/etc/passwd', 'link')",
    "hard link": "os.link('{public}/secret', '{public}/link')",
    "chmod": "os.chmod('{public}/secret', 0o777)",
    "chmod of an open file": "os.fchmod(os.open(os.__file__, os.O_RDONLY), 0o777)",
    "chown": "os.chown('{public}/secret', os.getuid(), os.getgid())",
    "utime": "os.utime('{public}/secret')",
    "attribute": "os.setxattr('{public}/secret', 'user.x', b'x')",
    "fifo": "os.mkfifo('{public}/fifo')",
    "device": "os.mknod('null', 0o020666, os.makedev(1, 3))",
    "Python's library": "open(os.__file__, 'a')",
    "beside Python's library": "open(os.path.dirname(os.__file__) + '/new.py', 'w')",
    "site-packages": "open([p for p in sys.path if p.endswith('packages')][-1] + '/sitecustomize.py', 'w')",
    "root folder": "open('/new', 'w')",
    "posix shared memory": "from multiprocessing.shared_memory import SharedMemory as S; S(create=True, size=9)",
    "mount": "raw(165, 0, 0, 0, 0, 0)",
    "umount": "raw(166, 0, 2)",
    "chroot": "os.chroot('/dev')",
    "pivot_root": "raw(155, 0, 0)",
}
NETWORK = {
    "TCP": "socket.socket(socket.AF_INET, socket.SOCK_STREAM)",
    "UDP": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    "IPv6": "socket.socket(socket.AF_INET6, socket.SOCK_STREAM)",
    "UNIX": "socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)",
    "netlink": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)",
    "packet": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)",
    "vsock": "socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)",
    "socketpair of another family": "raw(53, 2, 1, 0, 0)",
    "connecting a socket of a pair": "socket.socketpair()[0].connect('/run/dbus/system_bus_socket')",
    "connecting to the judge": "socket.socketpair(type=socket.SOCK_DGRAM)[0].connect({address!r})",
    "binding": "socket.socketpair()[0].bind(b'\\0name')",
    "listening": "socket.socketpair()[0].listen()",
    "accepting": "socket.socketpair()[0].accept()",
    "sending to an address": "socket.socketpair(type=socket.SOCK_DGRAM)[0].sendto(b'x', {address!r})",
    "sending a descriptor": "socket.send_fds(wire, [b'x'], [0])",
    "receiving a descriptor": "socket.recv_fds(wire, 1, 1)",
    "asking for a name": "socket.getaddrinfo('example.org', 80)",
    "a handle on the judge": "answer = wire.getsockopt(socket.SOL_SOCKET, 77, 4)",
    "the judge's credentials": "answer = wire.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)",
    "socket options": "wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 30)",
}
PROCESSES = {
    "fork": "os.fork()",
    "forkpty": "os.forkpty()",
    "vfork": "raw(58)",
    "clone": "raw(56, 17, 0, 0, 0, 0)",
    "clone of a thread with a namespace": "raw(56, 0x10000 | 0x10000000 | 0x900, 0, 0, 0, 0)",
    "clone3": "raw(435, 0, 0)",
    "execve": "os.execv('/bin/sh', ['sh'])",
    "execveat": "raw(322, -100, 0, 0, 0, 0)",
    "posix_spawn": "os.posix_spawn('/bin/true', ['true'], {{}})",
    "subprocess": "subprocess.run([sys.executable, '-c', ''])",
    "a shell": "assert os.system('exit 3') in (3 << 8,), 'no shell'; answer = 'a shell ran'",
    "multiprocessing": "import multiprocessing; multiprocessing.get_context('fork').Process(target=print).start()",
    "unshare": "raw(272, 0x10000000)",
    "setns": "raw(308, 0, 0)",
    "namespaces of the mount kind": "raw(272, 0x20000)",
}
SIGNALS = {
    "killing the judge": "os.kill({judge}, 9)",
    "asking whether the judge lives": "os.kill({judge}, 0)",
    "killing the warm parent": "os.kill({warm}, 9)",
    "killing process 1": "os.kill(1 if os.getpid() != 1 else 2, 9)",
    "killing everybody": "os.kill(-1, 9)",
    "killing the group": "os.kill(0, 9)",
    "killing the judge's group": "os.killpg({group}, 9)",
    "killing oneself": "os.kill(os.getpid(), 9)",
    "stopping oneself": "os.kill(os.getpid(), 19)",
    "killing an own thread": "raw(234, os.getpid(), os.getpid(), 9)",
    "stopping an own thread": "raw(234, os.getpid(), os.getpid(), 19)",
    "a timer that kills": "raw(222, 1, (0).to_bytes(8, 'little') + (9).to_bytes(8, 'little') + bytes(48), bytes(8))",
    "a signal to a thread": "raw(234, {judge}, {judge}, 9)",
    "tkill": "raw(200, {judge}, 9)",
    "a queued signal": "raw(129, {judge}, 9, 0)",
    "a queued signal to a thread": "raw(297, {judge}, {judge}, 9, 0)",
    "opening a handle": "os.pidfd_open({judge})",
    "signal by handle": "raw(424, 0, 9, 0, 0)",
    "stealing a descriptor": "raw(438, 0, 0, 0)",
    "owner of a descriptor's signals": "fcntl.fcntl(0, fcntl.F_SETOWN, {judge})",
    "ptrace": "raw(101, 16, {judge}, 0, 0)",
    "being traced": "raw(101, 0, 0, 0, 0)",
    "reading memory": "raw(310, {judge}, 0, 0, 0, 0, 0)",
    "writing memory": "raw(311, {judge}, 0, 0, 0, 0, 0)",
    "comparing processes": "raw(312, {judge}, {judge}, 0, 0, 0)",
}
INFLUENCE = {
    "the judge's priority": "os.setpriority(os.PRIO_PROCESS, {judge}, 19)",
    "own priority": "os.setpriority(os.PRIO_PROCESS, 0, -5)",
    "the judge's processors": "os.sched_setaffinity({judge}, {{0}})",
    "own processors": "os.sched_setaffinity(0, range(os.cpu_count()))",
    "the judge's limits": "resource.prlimit({judge}, resource.RLIMIT_CPU, (1, 1))",
    "raising an own limit": "resource.setrlimit(resource.RLIMIT_CPU, (1000, 1000))",
    "lowering an own limit": "resource.setrlimit(resource.RLIMIT_CPU, (1, 1))",
    "an own limit by process": "resource.prlimit(os.getpid(), resource.RLIMIT_CPU, (1, 1))",
    "real-time scheduling": "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))",
    "the judge's disk priority": "raw(251, 1, {judge}, 0)",
    "surviving the parent": "raw(157, 1, 0)",
    "dumpable": "raw(157, 4, 1)",
    "allowing a tracer": "raw(157, 0x59616d61, -1)",
    "another filter": "raw(317, 1, 0, 0)",
    "becoming root": "os.setuid(0)",
    "changing groups": "os.setgroups([0])",
    "capabilities": "raw(126, 0, 0)",
    "system v shared memory": "raw(29, 0, 4096, 0o1666)",
    "semaphores": "raw(64, 0, 1, 0o1666)",
    "system v messages": "raw(68, 0, 0o1666)",
    "message queues": "raw(240, 0, 0o102, 0o666, 0)",
    "memory file": "os.memfd_create('x')",
    "secret memory": "raw(447, 0)",
    "bpf": "raw(321, 0, 0, 0)",
    "keys": "raw(250, 0, -3, 1)",
    "adding a key": "raw(248, 0, 0, 0, 0, -3)",
    "performance counters": "raw(298, 0, 0, -1, -1, 0)",
    "page faults in user space": "raw(323, 0)",
    "io_uring": "raw(425, 1, 0)",
    "a lock that others see": "fcntl.flock(os.open(os.__file__, os.O_RDONLY), fcntl.LOCK_EX)",
    "asking for a lock of others": "fcntl.flock(os.open('/dev/null', os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)",
    "a lock on a part": "fcntl.lockf(os.open('/dev/null', os.O_RDWR), fcntl.LOCK_EX)",
    "a shared lock on a part": "fcntl.lockf(os.open(os.__file__, os.O_RDONLY), fcntl.LOCK_SH)",
    "whose lock a part has": "fcntl.fcntl(os.open('/dev/null', os.O_RDWR), fcntl.F_GETLK, bytes(32))",
    "which pages others have read": "raw(327, os.open(os.__file__, os.O_RDONLY), 0, 0, 0, 0, 8)",
    "dropping pages that others read": "os.posix_fadvise(os.open(os.__file__, os.O_RDONLY), 0, 0, 4)",
    "reading ahead": "raw(187, os.open(os.__file__, os.O_RDONLY), 0, 1 << 20)",
    "the judge's session": "answer = os.getsid({judge})",
    "where the judge may run": "answer = os.sched_getaffinity({judge})",
    "watching files": "raw(294, 0)",
    "personality": "raw(135, 0x0040000)",
    "segments": "raw(154, 0, 0, 0)",
    "ports": "raw(172, 3)",
    "clock": "raw(164, 0, 0)",
    "host name": "socket.sethostname('x')",
    "syncing all disks": "raw(162)",
    "reboot": "raw(169, 0, 0, 0, 0)",
    "kernel module": "raw(175, 0, 0, 0)",
    "typing into a terminal": "fcntl.ioctl(0, 0x5412, b'x')",
    "locking memory": "raw(151, 3)",
}
BY_NUMBER = {name for part in (READING, WRITING, NETWORK, PROCESSES, SIGNALS, INFLUENCE) for name, text in part.items()
             if "raw(" in text}  # fmt: skip
ATTACKS = READING | WRITING | NETWORK | PROCESSES | SIGNALS | INFLUENCE
IMPORTS = "import ctypes, fcntl, os, resource, socket, subprocess, sys\n"


def _tree(folder: Path) -> dict[str, tuple[int, str | None]]:
    return {
        str(place.relative_to(folder)): (place.lstat().st_mode, place.read_text() if place.is_file() else None)
        for place in sorted(folder.rglob("*"))
    }


def _ways_to_nodes(parent: WarmParent) -> set[str]:
    """Where what stands for a GPU's nodes lies: the real ones are in /dev."""
    gpu = parent._order["gpu"]
    return {Path(node).parts[2] for node in gpu["nodes"]} if gpu is not None else set()


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_is_refused(name, worker, parent, talk, public_folder):
    if name in BY_NUMBER and calls.architecture() != "x86_64":
        pytest.skip("the numbers are those of x86_64")
    before = _tree(public_folder)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        address = str(public_folder.parent / f"{public_folder.name}.socket")
        listener.bind(address)
        os.chmod(address, 0o777)
        text = ATTACKS[name].format(
            judge=os.getpid(), group=os.getpgrp(), warm=parent.pid, public=public_folder, address=address,
            this=__file__, repository=str(REPOSITORY), ways=WAYS | _ways_to_nodes(parent),
        )  # fmt: skip
        reply = talk(worker, IMPORTS + text)
        os.unlink(address)
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.recv(1)
    assert reply.error is not None, f"{text} was not refused: {reply}"
    assert reply.errno in REFUSED or reply.error in UNNUMBERED, reply.text
    assert _tree(public_folder) == before, f"{text} changed a file outside"
    alive = talk(worker, "answer = 1")
    assert alive.answer == 1, f"after {text} the worker does not answer"


def test_the_attacks_themselves_are_sound(talk, new_parent, limits, public_folder):
    """Without isolation most of them succeed: an attack with a typing mistake would prove nothing."""
    harmless = ["a public file", "the repository", "listing the repository", "own memory map", "temporary files",
                "new file", "existing file", "appending", "emptying while reading", "truncate", "rename", "mkdir",
                "rmdir", "symlink", "hard link", "chmod", "utime", "fifo", "unlink", "TCP", "UDP", "UNIX", "subprocess",
                "asking whether the judge lives", "opening a handle", "memory file", "the judge's folder"]  # fmt: skip
    values = {"judge": os.getpid(), "public": public_folder, "this": __file__, "repository": str(REPOSITORY),
              "ways": WAYS}  # fmt: skip
    with new_parent(without=frozenset({"warm_parent"}), unprotected=True) as parent:
        for name in harmless:
            for place in public_folder.iterdir():
                place.rmdir() if place.is_dir() else place.unlink()
            (public_folder / "secret").write_text("secret")
            (public_folder / "empty").mkdir()
            with parent.spawn(limits) as worker:
                reply = talk(worker, IMPORTS + ATTACKS[name].format(**values))
                assert reply.error is None, f"{name} does not even work unprotected: {reply.text}"


def test_every_call_that_is_not_on_the_list_is_refused(worker, talk):
    """All numbers, not only those somebody thought of."""
    conditional = ["open", "openat", "clone", "kill", "tgkill", "prlimit64", "prctl", "ioctl",
                   "fcntl", "sendto", "socketpair", "getsockopt", "readlink", "readlinkat", "preadv2", "pwritev2",
                   *seccomp.ABOUT_PROCESSES]  # fmt: skip
    allowed = {calls.number(name) for name in (*seccomp.ALWAYS, *conditional)}
    absent = {calls.number(name) for name in seccomp.PRETEND_ABSENT}
    # uretprobe and uprobe pass every filter (Linux 6.14); the kernel answers with SIGILL where there is no probe.
    numbers = [number for number in range(600) if number not in allowed | {335, 336}]
    reply = talk(
        worker,
        f"""
        answer = {{}}
        for number in {numbers}:
            try:
                answer[number] = raw(number, -1, -1, -1, -1, -1, -1)
            except OSError as error:
                answer[number] = -error.errno
    """,
    )
    assert reply.answer is not None, reply
    for number in numbers:
        wanted = errno.ENOSYS if number in absent or number > calls.NEWEST else errno.EPERM
        assert reply.answer[str(number)] == -wanted, f"call {number} gave {reply.answer[str(number)]}"


@pytest.mark.skipif(calls.architecture() != "x86_64", reason="other conventions exist on x86_64 only")
@pytest.mark.parametrize("text", [
    "raw(0x40000000 + 39)",
    # mov eax, 20 (getpid of i386); int 0x80; ret
    "import ctypes, mmap; m = mmap.mmap(-1, 4096, prot=7); m.write(bytes.fromhex('b814000000cd80c3'));"
    "ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))()",
], ids=["x32", "i386"])  # fmt: skip
def test_another_calling_convention_kills(text, worker, talk):
    assert talk(worker, text).dead
    ended = worker.wait(60)
    assert ended is not None
    assert ended.signal in (31, 11), ended


def test_nothing_of_the_judge_is_inherited(worker, parent, given, talk):
    reply = talk(
        worker,
        """
        import os, sys
        import stat
        found, files = [], []
        for number in range(256):
            try:
                about = os.fstat(number)
            except OSError:
                continue
            found.append(number)
            if number > 3 and not (stat.S_ISCHR(about.st_mode) or stat.S_ISSOCK(about.st_mode)):
                files.append(number)
        same = all(os.fstat(n).st_rdev == os.makedev(1, 3) for n in (0, 1, 2))
        answer = [found, same, dict(os.environ), sys.argv, os.getuid(), os.getpgrp() == os.getpid(),
                  files]
    """,
    )
    descriptors, null, environment, arguments, uid, own_group, files = reply.answer
    own = [] if given in MODES else descriptors[4:]  # what a GPU's driver has opened: its nodes, a socket of its own
    assert descriptors == [0, 1, 2, 3, *own], "0, 1, 2 and the wire, and nothing else"
    assert files == []
    assert null, "the standard streams are /dev/null"
    assert "JUDGE_SECRET" not in environment
    assert "secret" not in str(environment).lower()
    assert arguments == [""]
    assert uid != 0
    assert own_group


@pytest.mark.skipif(os.getuid() != 0, reason="only root may look into a process that is not dumpable")
def test_the_judges_secret_is_nowhere_in_a_workers_memory(worker):
    secret = os.environ["JUDGE_SECRET"].encode()
    own, found = _search(os.getpid(), secret), _search(worker.pid, secret)
    assert own > 0, "the search finds it where it is"
    assert found == 0


def _search(pid: int, what: bytes) -> int:
    count = 0
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb") as memory:
        for line in maps:
            span, rights = line.split()[:2]
            if rights.startswith("rw"):
                start, end = (int(part, 16) for part in span.split("-"))
                memory.seek(start)
                count += memory.read(end - start).count(what)
    return count


def test_what_students_need_works(worker, mode, talk):
    reply = talk(
        worker,
        """
        import asyncio, colorsys, datetime, json, os, select, socket, sqlite3, statistics, tempfile, threading, time
        print("dropped")
        done = []
        threads = [threading.Thread(target=done.append, args=(n,)) for n in range(8)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        async def both():
            return await asyncio.gather(asyncio.sleep(0.001, 1), asyncio.to_thread(lambda: 2))
        a, b = socket.socketpair()
        a.sendall(b"x")
        ready = select.select([b], [], [], 1)[0] == [b]
        time.sleep(0.001)
        for end in (a, b):
            end.close()
        answer = [sorted(done), asyncio.run(both()), ready, len(os.listdir(os.path.dirname(os.__file__))) > 100,
                  len(os.urandom(3)), datetime.datetime.now().astimezone().year > 2000, os.environ["USER"]]
    """,
    )
    assert reply.answer == [list(range(8)), [1, 2], True, True, 3, True, "student"], reply.text


def test_scratch_folder(worker, mode, talk):
    reply = talk(
        worker,
        """
        import os, shutil, tempfile
        with tempfile.TemporaryDirectory() as folder:
            with open(folder + "/a", "w") as file:
                file.write("x")
            os.rename(folder + "/a", folder + "/b")
            shutil.copyfile(folder + "/b", folder + "/c")
            answer = [os.getcwd(), sorted(os.listdir(folder))]
    """,
    )
    if mode == "reduced":
        assert reply.error == "FileNotFoundError", "no writable folder anywhere"
    else:
        assert reply.answer == ["/scratch", ["b", "c"]], reply.text


def test_no_program_is_mapped_from_the_scratch_folder(worker, mode, talk):
    if mode == "reduced":
        pytest.skip("there is no scratch folder")
    reply = talk(
        worker,
        """
        import mmap
        with open("code", "wb+") as file:
            file.write(bytes(4096))
            file.flush()
            mmap.mmap(file.fileno(), 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)
    """,
    )
    assert reply.errno == errno.EPERM
