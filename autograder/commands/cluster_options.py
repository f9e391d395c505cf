"""The options of `autograder grade` that name a cluster."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from autograder.commands.faults import CommandFault
from autograder.language import _

F = TypeVar("F", bound=Callable[..., Any])
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)

_OPTIONS = (
    click.option(
        "--cluster",
        metavar="ADDRESS",
        help="Hand the jobs to a dask cluster: tls://HOST:PORT, tcp://127.0.0.1:PORT, local:N or slurm.",
    ),
    click.option("--cluster-tls-ca", type=FILE, help="Certificate authority of the cluster (PEM)."),
    click.option("--cluster-tls-cert", type=FILE, help="Our certificate (PEM)."),
    click.option("--cluster-tls-key", type=FILE, help="Its key (PEM)."),
    click.option("--cluster-course", type=click.Path(path_type=Path), help="The course's folder on the workers."),
    click.option("--cluster-resources", multiple=True, metavar="NAME=N", help="What a job takes of a worker (GPU=1)."),
    click.option(
        "--cluster-options", multiple=True, metavar="NAME=VALUE", help="Of dask-jobqueue: queue, walltime, memory, ..."
    ),
    click.option(
        "--insecure-cluster",
        is_flag=True,
        help="Allow plain TCP between machines. Whoever listens learns the course secret.",
    ),
)


def cluster_options(command: F) -> F:
    """Add the options; the command gets them by their names."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def read_cluster(given: dict[str, Any], workers: int | None, device: str) -> Any:
    """The cluster that the options name; None where they name none."""
    from autograder.batch.cluster import Cluster

    if given["cluster"] is None:
        named = [f"--{name.replace('_', '-')}" for name, value in given.items() if value]
        if named:
            raise CommandFault(_("{options} without --cluster").format(options=", ".join(named)), 2)
        return None
    resources = {}
    for text in given["cluster_resources"]:
        name, _equals, number = text.partition("=")
        try:
            resources[name] = float(number)
        except ValueError:
            raise CommandFault(_("--cluster-resources {text}: write NAME=NUMBER").format(text=text), 2) from None
    if device == "cuda":
        resources.setdefault("GPU", 1.0)  # one job at a time on each
    options = []
    for text in given["cluster_options"]:
        name, equals, value = text.partition("=")
        if not equals:
            raise CommandFault(_("--cluster-options {text}: write NAME=VALUE").format(text=text), 2)
        options.append((name, value))
    return Cluster(
        given["cluster"], given["cluster_tls_ca"], given["cluster_tls_cert"], given["cluster_tls_key"],
        given["insecure_cluster"], resources, options, workers or 1, given["cluster_course"],
    )  # fmt: skip
