"""How the tests are shared out among processes (`make test`): what uses the same warm workers stays together."""

from __future__ import annotations

import os

import pytest

# Tests may run as root, who decides nothing about grades.
os.environ.setdefault("AUTOGRADER_USER", "a teacher")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """An exercise's checks are one group, with one warm parent; of the framework's own tests each file is one."""
    for item in items:
        hidden = "hidden" in item.path.parts
        group = item.path.parent if hidden else item.path
        item.add_marker(pytest.mark.xdist_group(str(group.relative_to(item.config.rootpath))))
