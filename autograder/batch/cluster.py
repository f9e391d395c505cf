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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from autograder.batch.judges import JudgeFault
from autograder.course import ConfigurationError
from autograder.language import _

CONNECT_SECONDS = 30
WORKERS_SECONDS = 600


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
    course: Path | None = None


@contextlib.contextmanager
def connect(cluster: Cluster) -> Iterator[Any]:
    """A client of the cluster for the time of the block; what was started for it is stopped after it.

    Raises:
        ConfigurationError: the address or an option is wrong, or not safe.
        ClusterFault: nobody answers.
    """
    _require_safe(cluster)
    try:
        import dask
        import distributed
    except ImportError as error:
        raise ConfigurationError(
            _("--cluster needs the extra `cluster` ({error})").format(error=error)
        ) from error  # fmt: skip
    logging.getLogger("distributed").setLevel(logging.ERROR)
    # Tries are counted by us (see `retries`); a scheduler of somebody else's keeps its own number of allowed deaths.
    settings = {"distributed.scheduler.allowed-failures": 0}
    with contextlib.ExitStack() as stack:
        stack.enter_context(dask.config.set(settings))
        client = stack.enter_context(_client(cluster, distributed, stack))
        _require_safe_workers(client, cluster.insecure)
        yield client


def _client(cluster: Cluster, distributed: Any, stack: contextlib.ExitStack) -> Any:
    kind, _colon, number = cluster.address.partition(":")
    if kind == "local":
        if not number.isdigit() or int(number) < 1:
            raise ConfigurationError(_("--cluster local:N needs a number of workers, got {got!r}").format(got=number))
        from autograder.batch.cluster_local import local_cluster

        local = stack.enter_context(local_cluster(int(number), cluster.resources))
        return distributed.Client(local, set_as_default=False)
    if kind == "slurm":
        from autograder.batch.slurm import slurm_cluster

        jobs = stack.enter_context(slurm_cluster(cluster))
        jobs.scale(jobs=cluster.workers)
        return distributed.Client(jobs, set_as_default=False)
    security = None
    if cluster.address.startswith("tls://"):
        security = distributed.Security(
            tls_ca_file=_file(cluster.ca, "ca"), tls_client_cert=_file(cluster.cert, "cert"),
            tls_client_key=_file(cluster.key, "key"), require_encryption=True,
        )  # fmt: skip
    try:
        return distributed.Client(cluster.address, security=security, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise ClusterFault(
            _("no dask scheduler answers at {address}: {error}").format(address=cluster.address, error=error)
        ) from error


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


def _require_safe_workers(client: Any, insecure: bool) -> None:
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
