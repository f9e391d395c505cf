"""A real SLURM of one node, started for the test: munge, slurmctld and slurmd in a temporary folder."""

from __future__ import annotations

import os
import platform
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

pytest.importorskip("dask_jobqueue", reason="the extra `cluster` is not installed")

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "sinfo")


def program(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def slurm():
    """The environment in which SLURM's commands reach a node of two processors."""
    missing = [name for name in PROGRAMS if program(name) is None]
    if missing:
        pytest.skip(f"SLURM is not installed: {', '.join(missing)} (Debian: slurmd slurmctld slurm-client munge)")
    if os.geteuid() != 0:
        pytest.skip("slurmd starts jobs for others: it needs root")
    try:
        munge = pwd.getpwnam("munge")
    except KeyError:
        pytest.skip("munge has no user of its own here")
    base = Path(tempfile.mkdtemp(prefix="slurm"))
    base.chmod(0o755)
    own = base / "munge"
    own.mkdir(mode=0o711)
    (own / "key").write_bytes(secrets.token_bytes(1024))
    (own / "key").chmod(0o400)
    for path in (own, own / "key"):
        os.chown(path, munge.pw_uid, munge.pw_gid)
    node = platform.node().split(".")[0]
    (base / "slurm.conf").write_text(f"""
ClusterName=test
SlurmctldHost={node}(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket={own}/socket
SlurmUser=root
SlurmdUser=root
SlurmctldPort={free_port()}
SlurmdPort={free_port()}
StateSaveLocation={base}/state
SlurmdSpoolDir={base}/spool
SlurmctldPidFile={base}/slurmctld.pid
SlurmdPidFile={base}/slurmd.pid
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
NodeName={node} NodeAddr=127.0.0.1 CPUs=2 RealMemory=2000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=YES
""")
    (base / "cgroup.conf").write_text("CgroupAutomount=no\n")
    for name in ("state", "spool"):
        (base / name).mkdir()
    environment = dict(os.environ) | {"SLURM_CONF": str(base / "slurm.conf")}
    commands = (
        (
            {"user": munge.pw_uid, "group": munge.pw_gid, "extra_groups": []},
            ["munged", "-F", f"--key-file={own}/key", f"--socket={own}/socket", f"--pid-file={own}/pid",
             f"--log-file={own}/log", f"--seed-file={own}/seed"],
        ),
        ({}, ["slurmctld", "-D"]),
        ({}, ["slurmd", "-D"]),
    )  # fmt: skip
    daemons = []
    try:
        for somebody, (name, *arguments) in commands:
            with (base / f"{name}.out").open("w") as out:
                daemons.append(
                    subprocess.Popen(
                        [program(name), *arguments], stdout=out, stderr=out, env=environment, cwd="/", **somebody
                    )
                )
            time.sleep(0.5 if name == "munged" else 0)
        _wait_until_idle(base, environment, daemons)
        yield base, environment
    finally:
        # A job's own daemon waits for ever for a slurmctld that is gone.
        if len(daemons) == len(commands):
            _wait_until_no_job(environment)
        for daemon in reversed(daemons):
            daemon.terminate()
            try:
                daemon.wait(30)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        shutil.rmtree(base, ignore_errors=True)


def _wait_until_no_job(environment):
    for _ in range(120):
        told = subprocess.run([program("squeue"), "-h"], env=environment, capture_output=True, text=True)
        if not told.stdout.strip():
            break
        time.sleep(0.5)


def _wait_until_idle(base, environment, daemons):
    """Skips with the daemons' own words where this machine does not let them run."""
    for _ in range(120):
        told = subprocess.run([program("sinfo"), "-h", "-o", "%t"], env=environment, capture_output=True, text=True)
        if told.stdout.strip() == "idle":
            return
        if any(daemon.poll() is not None for daemon in daemons):
            break
        time.sleep(0.5)
    words = "\n".join(path.read_text()[-500:] for path in sorted(base.glob("*.out")))
    pytest.skip(f"SLURM does not come up on this machine:\n{words}")


@pytest.mark.slow
def test_a_class_is_graded_by_jobs_of_slurm(slurm, toy, tmp_path):
    """Over TLS; one job is cancelled in the middle by SLURM, and everything is graded all the same."""
    base, environment = slurm
    for i in range(6):
        (tmp_path / "class" / f"s{i}").mkdir(parents=True)
        text = "import time\ndef mean(x):\n    time.sleep(0.3)\n    return x.mean(1)\n"
        (tmp_path / "class" / f"s{i}" / "toy.py").write_text(text + f"# {i}\n")
    command = [sys.executable, "-m", "autograder.commands.main", "grade", str(tmp_path / "class"), "--course", str(toy),
               "--out", str(tmp_path / "out"), "--cluster", "slurm", "--workers", "2"]  # fmt: skip
    for option in ("interface=lo", "memory=900MB", f"shared_temp_directory={base}", f"log_directory={tmp_path}/logs"):
        command += ["--cluster-options", option]
    environment |= {"AUTOGRADER_SECRET": "a secret of the tests"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        for _ in range(1200):
            if list((tmp_path / "out").glob("results/*/toy.json")) or process.poll() is not None:
                break
            time.sleep(0.1)
        squeue = [program("squeue"), "-h", "-o", "%i"]
        jobs = subprocess.run(squeue, env=environment, capture_output=True, text=True, check=True).stdout.split()
        assert jobs, process.communicate()[1] if process.poll() is not None else "no job"
        subprocess.run([program("scancel"), jobs[0]], env=environment, check=True)
        out, err = process.communicate(timeout=400)
    finally:
        process.kill()
    assert process.returncode == 0, out + err
    results = sorted((tmp_path / "out").glob("results/*/toy.json"))
    assert len(results) == 6
    assert all('"outcome": "graded"' in path.read_text() for path in results)
    logs = "\n".join(path.read_text() for path in (tmp_path / "logs").glob("*.err"))
    assert "tls://" in logs
    assert "tcp://" not in logs
    left = [p for p in psutil.process_iter(["cmdline"]) if str(base) in " ".join(p.info["cmdline"] or [])]
    assert all("slurm" in p.name() or "munge" in p.name() for p in left)
