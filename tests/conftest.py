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


def together(nodeid: str) -> str:
    """An exercise's checks are one group, with one warm parent; of the framework's own tests each file is one."""
    file = nodeid.partition("::")[0]
    return file.rpartition("/")[0] if "tests/hidden/" in file else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Groups by name: xdist's own `loadgroup` marks node ids, which pytest 9.2 no longer lets it."""
    from xdist.scheduler import LoadScopeScheduling

    class Grouped(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return together(nodeid)

    return Grouped(config, log)
