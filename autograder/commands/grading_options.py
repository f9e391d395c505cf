"""The options of `autograder grade` that say what of a class is graded, and on which cluster."""

from __future__ import annotations

from pathlib import Path

import click

import autograder
from autograder.commands.faults import CommandFault
from autograder.commands.options import FILE, gathered, of_exercises
from autograder.language import _


def _choice(
    exercises: tuple[str, ...], students: tuple[str, ...], only: tuple[str, ...], force: bool, failed: bool
) -> autograder.Choice:
    return autograder.Choice(exercises, students, only, force, failed)


choice_options = gathered(
    "choice",
    _choice,
    of_exercises,
    click.option("--student", "students", multiple=True, help="Only this student; may be repeated."),
    click.option(
        "--only",
        multiple=True,
        metavar="EXERCISE[/CHECK]",
        help="Only exercises, or checks that have changed, whose names match this pattern (* and ?); may be repeated.",
    ),
    click.option("--force", is_flag=True, help="Grade again what has not changed, too."),
    click.option("--failed", is_flag=True, help="Only what could not be graded the last time."),
)


def _cluster(
    cluster: str | None, cluster_tls_ca: Path | None, cluster_tls_cert: Path | None, cluster_tls_key: Path | None,
    cluster_course: Path | None, cluster_resources: tuple[str, ...], cluster_options: tuple[str, ...],
    insecure_cluster: bool,
) -> autograder.Cluster | None:  # fmt: skip
    """The cluster that the options name; None where they name none."""
    if cluster is None:
        given = {
            "cluster-tls-ca": cluster_tls_ca, "cluster-tls-cert": cluster_tls_cert, "cluster-tls-key": cluster_tls_key,
            "cluster-course": cluster_course, "cluster-resources": cluster_resources,
            "cluster-options": cluster_options, "insecure-cluster": insecure_cluster,
        }  # fmt: skip
        named = [f"--{name}" for name, value in given.items() if value]
        if named:
            raise CommandFault(_("{options} without --cluster").format(options=", ".join(named)), 2)
        return None
    resources = {}
    for text in cluster_resources:
        name, _equals, number = text.partition("=")
        try:
            resources[name] = float(number)
        except ValueError:
            raise CommandFault(_("--cluster-resources {text}: write NAME=NUMBER").format(text=text), 2) from None
    options = []
    for text in cluster_options:
        name, equals, value = text.partition("=")
        if not equals:
            raise CommandFault(_("--cluster-options {text}: write NAME=VALUE").format(text=text), 2)
        options.append((name, value))
    return autograder.Cluster(
        cluster, cluster_tls_ca, cluster_tls_cert, cluster_tls_key, insecure_cluster, resources, options,
        course=cluster_course,
    )  # fmt: skip


cluster_options = gathered(
    "cluster",
    _cluster,
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
