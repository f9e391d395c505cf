"""Several machines: a dask.distributed cluster that hands jobs to judges beside its workers.

A dask worker holds no student's code: it starts the same judge process, with the same sandbox, that grades on one
machine (`cluster_worker.py`). What travels is the submission, the result and the course secret; therefore only over TLS
or inside one machine, unless the user says otherwise. The course's files do not travel: each worker reads them where
they are mounted, and a worker whose files, code or versions differ is refused.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypedDict
from urllib.parse import urlsplit

from autograder.batch.job import Order
from autograder.batch.judges import JudgeFault
from autograder.course import ConfigurationError
from autograder.language import _
from autograder.results.attempt import Key

CONNECT_SECONDS = 30
WORKERS_SECONDS = 600


class Executor(Protocol):
    """Runs functions on a cluster's workers, as `concurrent.futures` has it."""

    def submit(
        self, function: Callable[[Order, Key, str], str], /, order: Order, key: Key, line: str
    ) -> Future[str]: ...
    def shutdown(self, wait: bool = True) -> None: ...


class WorkerInfo(TypedDict, total=False):
    """What a scheduler says of a worker."""

    nthreads: int
    resources: Mapping[str, float]


class SchedulerInfo(TypedDict):
    """What a scheduler says of itself."""

    address: str
    workers: Mapping[str, WorkerInfo]


class Client(Protocol):
    """What is used of a dask client; dask has no types."""

    def scheduler_info(self, n_workers: int) -> SchedulerInfo: ...
    def wait_for_workers(self, n_workers: int, timeout: float) -> object: ...
    def run(
        self, function: Callable[[str], object], /, argument: str, *, on_error: str
    ) -> Mapping[str, object]: ...  # by worker  # fmt: skip
    def get_executor(self, *, pure: bool, resources: Mapping[str, float] | None) -> Executor: ...


class ClusterFault(JudgeFault):
    """The cluster cannot be reached, or cannot grade this course."""


@dataclass(frozen=True)
class Cluster:
    """Which cluster, and how it is spoken to.

    Attributes:
        address: `tls://HOST:PORT` or `tcp://127.0.0.1:PORT` of a dask scheduler, `local:N` for N worker processes on
            this machine, `slurm` for jobs of dask-jobqueue.
        ca: certificate authority of the cluster (PEM).
        cert: our certificate (PEM).
        key: its key (PEM).
        insecure: allow plain TCP between machines: whoever listens learns the course secret.
        resources: what a job takes of a worker's dask resources (`{"GPU": 1}`).
        options: of dask-jobqueue's cluster; a name given twice makes a list.
        workers: SLURM jobs to ask for.
        workers_per_gpu: how many workers share a GPU that a SLURM job is given.
        course: its folder on the workers; where it is here without it.
    """

    address: str
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    insecure: bool = False
    resources: Mapping[str, float] = field(default_factory=dict)
    options: Sequence[tuple[str, str]] = ()
    workers: int = 1
    workers_per_gpu: int = 1
    course: Path | None = None


@contextlib.contextmanager
def connect(cluster: Cluster) -> Iterator[Client]:
    """A client of the cluster for the time of the block; what was started for it is stopped after it.

    Raises:
        ConfigurationError: the address or an option is wrong, or not safe.
        ClusterFault: nobody answers.
    """
    _require_safe(cluster)
    try:
        import dask
        import distributed  # noqa: F401  said here where it is missing
    except ImportError as error:
        raise ConfigurationError(
            _("--cluster needs the extra `cluster` ({error})").format(error=error)
        ) from error  # fmt: skip
    logging.getLogger("distributed").setLevel(logging.ERROR)
    # Tries are counted by us (see `retries`); a scheduler of somebody else's keeps its own number of allowed deaths.
    settings = {"distributed.scheduler.allowed-failures": 0}
    with contextlib.ExitStack() as stack:
        stack.enter_context(dask.config.set(settings))
        client = stack.enter_context(_client(cluster, stack))
        _require_safe_workers(client, cluster.insecure)
        yield client


def _client(cluster: Cluster, stack: contextlib.ExitStack) -> AbstractContextManager[Client]:
    import distributed

    kind, _colon, number = cluster.address.partition(":")
    if kind == "local":
        if not number.isdigit() or int(number) < 1:
            raise ConfigurationError(_("--cluster local:N needs a number of workers, got {got!r}").format(got=number))
        from autograder.batch.cluster_local import local_cluster

        local = stack.enter_context(local_cluster(int(number), cluster.resources))
        return _connected(local)
    if kind == "slurm":
        from autograder.batch.slurm import slurm_cluster

        jobs = stack.enter_context(slurm_cluster(cluster))
        jobs.scale(jobs=cluster.workers)
        return _connected(jobs)
    security = None
    if cluster.address.startswith("tls://"):
        security = distributed.Security(  # type: ignore[no-untyped-call]
            tls_ca_file=_file(cluster.ca, "ca"), tls_client_cert=_file(cluster.cert, "cert"),
            tls_client_key=_file(cluster.key, "key"), require_encryption=True,
        )  # fmt: skip
    try:
        return _connected(cluster.address, security=security, timeout=CONNECT_SECONDS)
    except (OSError, ValueError, TypeError) as error:
        raise ClusterFault(
            _("no dask scheduler answers at {address}: {error}").format(address=cluster.address, error=error)
        ) from error


def _connected(address: object, **options: object) -> AbstractContextManager[Client]:
    import distributed

    client: AbstractContextManager[Client]
    client = distributed.Client(address, set_as_default=False, **options)  # type: ignore[no-untyped-call]
    return client


def _file(path: Path | None, name: str) -> str:
    if path is None or not path.is_file():
        raise ConfigurationError(
            _("tls:// needs --cluster-tls-{name} with a PEM file, got {got}").format(name=name, got=path)
        )
    return str(path)


def is_safe(address: str) -> bool:
    """Whether nobody else can listen on the way to this address: TLS, or inside this machine."""
    parts = urlsplit(address if "://" in address else f"tcp://{address}")
    if parts.scheme in ("tls", "inproc"):
        return True
    host = parts.hostname or ""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _require_safe(cluster: Cluster) -> None:
    if cluster.insecure or cluster.address == "slurm" or cluster.address.startswith("local:"):
        return
    if not is_safe(cluster.address):
        raise ConfigurationError(_unsafe(cluster.address))


def _require_safe_workers(client: Client, insecure: bool) -> None:
    """A scheduler at loopback may still talk to workers elsewhere."""
    if insecure:
        return
    info = client.scheduler_info(n_workers=-1)
    for address in (info["address"], *info["workers"]):
        if not is_safe(address):
            raise ConfigurationError(_unsafe(address))


def _unsafe(address: str) -> str:
    return _(
        "{address} is reached over plain TCP: whoever listens on the network learns the course secret and the "
        "submissions. Use tls:// (--cluster-tls-ca, --cluster-tls-cert, --cluster-tls-key), a scheduler at 127.0.0.1, "
        "or say --insecure-cluster"
    ).format(address=address)
