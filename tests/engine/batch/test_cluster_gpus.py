"""How jobs of a cluster share GPUs: what they take of a worker's, and what a job of SLURM asks for."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import ModuleType

import pytest

from autograder import Course, Grader
from autograder.batch.cluster import Cluster
from autograder.batch.cluster_run import ClusterRunner
from autograder.batch.slurm import slurm_cluster
from autograder.course import load_config


@pytest.fixture
def asked(toy):
    """`asked(device, share, cluster)`: the cluster as a grader of such a course asks for it."""

    def made(device, share, cluster=None):
        config = replace(load_config(toy / "grading_config.yaml"), device=device, workers_per_gpu=share)
        with Grader(Course(config, secret=b"a secret of the tests"), cluster=cluster or Cluster("slurm")) as grader:
            return grader._cluster

    return made


def test_a_job_takes_a_gpu_or_its_part_where_the_course_asks_for_one(asked):
    assert asked("cpu", 1).resources == {}
    assert asked("auto", 2).resources == {}
    assert asked("cuda", 1).resources == {"GPU": 1.0}
    assert asked("cuda", 2).resources == {"GPU": 0.5}
    assert asked("cuda", 2, Cluster("slurm", resources={"GPU": 2.0})).resources == {"GPU": 2.0}


@pytest.mark.parametrize("share", range(1, 17))
def test_as_many_jobs_run_on_a_gpu_as_share_it(share, asked):
    taken = asked("cuda", share).resources
    assert share * taken["GPU"] <= 1
    assert float(f"{taken['GPU']:g}") == taken["GPU"], (
        "a worker of SLURM has what is written for it, and a job takes it"
    )

    class Client:
        def scheduler_info(self, n_workers):
            workers = {
                "whole": {"nthreads": 32, "resources": {"GPU": 2.0}},
                "part": {"nthreads": 1, "resources": taken},
            }
            return {"workers": workers | {"none": {"nthreads": 4, "resources": {}}}}

    assert ClusterRunner(Client(), None, None, taken)._slots() == 2 * share + 1


@pytest.fixture
def slurm(monkeypatch):
    """What dask-jobqueue would be told."""
    told = {}
    package, module = ModuleType("dask_jobqueue"), ModuleType("dask_jobqueue.slurm")
    module.SLURMCluster = lambda **options: told.update(options)
    monkeypatch.setitem(sys.modules, "dask_jobqueue", package)
    monkeypatch.setitem(sys.modules, "dask_jobqueue.slurm", module)
    return told


def test_a_job_of_slurm_asks_for_a_gpu_and_has_as_many_workers_as_share_it(asked, slurm):
    slurm_cluster(asked("cuda", 2))
    assert slurm["job_extra_directives"] == ["--gres=gpu:1"]
    assert (slurm["cores"], slurm["processes"], slurm["memory"]) == (2, 2, "8GB")
    assert slurm["worker_extra_args"] == ["--resources", "'GPU=0.5'"]


@pytest.mark.parametrize("own", ["--gres=gpu:a100:1", "--gpus-per-task=1", "-G 1"])
def test_who_asks_for_one_in_another_way_is_believed(own, asked, slurm):
    options = [("job_extra_directives", "--nice=5"), ("job_extra_directives", own), ("memory", "9GB")]
    slurm_cluster(asked("cuda", 1, Cluster("slurm", options=options)))
    assert slurm["job_extra_directives"] == ["--nice=5", own]
    assert slurm["memory"] == "9GB"


def test_on_the_cpu_nothing_is_asked_for(asked, slurm):
    slurm_cluster(asked("cpu", 2))
    assert "job_extra_directives" not in slurm
    assert (slurm["cores"], slurm["processes"], slurm["memory"]) == (1, 1, "4GB")
