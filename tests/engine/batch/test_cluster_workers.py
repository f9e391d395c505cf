"""What is asked of a cluster's workers before they get a job."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from autograder.batch.cluster import ClusterFault
from autograder.batch.cluster_run import ClusterRunner


class Client:
    """Two workers; the second has what it is given."""

    def __init__(self, second):
        self._second = second

    def wait_for_workers(self, number, timeout):
        pass

    def run(self, function, *args, on_error):
        assert on_error == "return"
        return {"tcp://127.0.0.1:1": function(*args), "tcp://127.0.0.1:2": self._second}


@pytest.mark.parametrize("second", [None, ModuleNotFoundError("autograder")])
def test_a_worker_without_the_package_is_named(second):
    """Nothing would be said otherwise: dask starts it again and again."""
    runner = ClusterRunner(Client(second), None, None)
    with pytest.raises(ClusterFault, match=r"lack this autograder: tcp://127\.0\.0\.1:2;"):
        runner(None, None, None)


def test_workers_with_the_package_are_taken():
    ClusterRunner(Client(find_spec("autograder")), None, None)._require_installed()
