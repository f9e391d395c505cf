"""How the tests are shared out among processes (`make test`): what uses the same warm workers stays together."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import Scheduling

# Tests may run as root, who decides nothing about grades.
os.environ.setdefault("AUTOGRADER_USER", "a teacher")

# The longest groups begin: one of them left for the end would keep one process while the others are done.
LONGEST = (
    "tests/engine/test_examples.py",
    "tests/engine/docs/test_contributing.py",
    "tests/engine/test_weird_answers.py",
    "tests/engine/docs/test_pages.py",
    "tests/engine/batch/test_cluster.py",
)


def together(nodeid: str) -> str:
    """An exercise's checks are one group, with one warm parent; of the framework's own tests each file is one."""
    file = nodeid.partition("::")[0]
    return file.rpartition("/")[0] if "tests/hidden/" in file else file


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, all others in their order."""
    order = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(together(item.nodeid), len(order)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Groups by name: xdist's own `loadgroup` marks node ids, which pytest 9.2 no longer lets it."""
    from xdist.scheduler import LoadScopeScheduling

    class Grouped(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return together(nodeid)

    config.option.loadscopereorder = False  # by the number of tests; ours are in order
    return Grouped(config, log)
