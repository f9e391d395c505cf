"""A dask cluster out of SLURM jobs, by dask-jobqueue. Its own configuration (`jobqueue.yaml`) holds too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, Self

from autograder.course import ConfigurationError
from autograder.language import _

if TYPE_CHECKING:
    from autograder.batch.cluster import Cluster

# What SLURMCluster takes, and how the text of an option is read.
OPTIONS: dict[str, type] = {
    "queue": str, "account": str, "walltime": str, "cores": int, "processes": int, "memory": str, "job_cpu": int,
    "job_mem": str, "job_name": str, "interface": str, "host": str, "local_directory": str, "log_directory": str,
    "shared_temp_directory": str, "python": str, "death_timeout": int, "shebang": str, "job_extra_directives": list,
    "job_directives_skip": list, "job_script_prologue": list, "worker_extra_args": list,
}  # fmt: skip


class SlurmJobs(Protocol):
    """What is used of dask-jobqueue's cluster."""

    def scale(self, *, jobs: int) -> object: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *exception: object) -> None: ...


def slurm_cluster(cluster: Cluster) -> SlurmJobs:
    """A SLURMCluster without jobs yet.

    Each job is one worker with one judge. Where a worker takes of a GPU, a job asks for one and has as many workers as
    share it. Scheduler and workers speak TLS with keys made for this run; they lie in
    `shared_temp_directory` (default: the working directory), which the nodes must see, readable for this user only.

    Raises:
        ConfigurationError: an option that there is not, or dask-jobqueue is missing.
    """
    try:
        from dask_jobqueue.slurm import SLURMCluster
    except ImportError as error:
        raise ConfigurationError(
            _("--cluster slurm needs the extra `cluster` ({error})").format(error=error)
        ) from error
    options = _usual(cluster) | read_options(cluster.options)
    if "GPU" in cluster.resources:
        options["job_extra_directives"] = _with_gpu(options.get("job_extra_directives"))
    if cluster.resources:
        asked = " ".join(f"{name}={amount:g}" for name, amount in cluster.resources.items())
        given = options.get("worker_extra_args")
        options["worker_extra_args"] = [*(given if isinstance(given, list) else ()), "--resources", f"'{asked}'"]
    if not cluster.insecure:
        options |= {"security": True, "protocol": "tls"}
    scheduler = {"dashboard": False, "dashboard_address": None}
    jobs: SlurmJobs = SLURMCluster(scheduler_options=scheduler, **options)  # type: ignore[arg-type,assignment]  # untyped
    return jobs


def _usual(cluster: Cluster) -> dict[str, object]:
    share = cluster.workers_per_gpu if "GPU" in cluster.resources else 1
    return {"cores": share, "processes": share, "memory": f"{4 * share}GB", "shared_temp_directory": "."}


def _with_gpu(given: object) -> list[str]:
    """Directives of a job, by which it is given a GPU: by those that are written already, or by ours."""
    directives = [str(line) for line in given] if isinstance(given, list) else []
    if any(word in line for line in directives for word in ("--gres", "--gpus", "-G ")):
        return directives
    return [*directives, "--gres=gpu:1"]


def read_options(given: Sequence[tuple[str, str]]) -> dict[str, object]:
    """Options by name: numbers as numbers, what may be given several times as lists."""
    options: dict[str, object] = {}
    for name, text in given:
        kind = OPTIONS.get(name)
        if kind is None:
            raise ConfigurationError(
                _("--cluster-options {name}: there is no such option; there are: {listing}").format(
                    name=name, listing=", ".join(OPTIONS)
                )
            )
        if kind is list:
            before = options.get(name)
            options[name] = [*(before if isinstance(before, list) else ()), text]
            continue
        try:
            options[name] = kind(text)
        except ValueError:
            raise ConfigurationError(
                _("--cluster-options {name}: a number is needed, got {text!r}").format(name=name, text=text)
            ) from None
    return options
