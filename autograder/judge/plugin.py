"""The pytest plugin: functions declared with `@check` run as ordinary tests on a submission in another process.

    pytest tests/hidden/vae_mnist                          judges the reference solution
    pytest tests/hidden/vae_mnist --submission FILE        judges a file
    pytest tests/hidden/vae_mnist --mistake kl_sign        judges a known mistake

`autograder grade` runs the same tests many times in one session: see `process.py`. What a session judges with is in
`sitting.py`, what checks take by name in `fixtures/`, what comes out of a check in `concluding.py`.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from types import ModuleType

import pytest

from autograder.judge import fixtures
from autograder.judge.items import in_order, info_of, refuse_double_ids
from autograder.judge.sitting import SITTING, Sitting
from autograder.judge.verdicts import Blocked


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of plain pytest runs."""
    group = parser.getgroup("autograder", "judge a submission")
    group.addoption("--submission", type=Path, help="the .py or .ipynb file to judge; the reference without it")
    group.addoption("--mistake", help="judge the reference with this known mistake")
    group.addoption("--student", default="reference", help="whose questions and inputs (default: reference)")
    group.addoption("--salt", default="", help="another text draws other inputs")
    group.addoption("--uncalibrated", action="store_true", help="record quantities that have limits, judge none")
    group.addoption("--unprotected", action="store_true", help="run without isolation where there is none")
    group.addoption("--course", type=Path, help="the course's folder (default: found from the checks' folder)")


def pytest_configure(config: pytest.Config) -> None:
    """Keep what the session judges with where the hooks find it, and let checks take the fixtures of the table."""
    config.stash[SITTING] = Sitting(config)
    holder = ModuleType("autograder_fixtures")  # pytest looks for fixtures in modules
    vars(holder).update({name: _fixture(name) for name in fixtures.FIXTURES})
    config.pluginmanager.register(holder)


def _fixture(name: str) -> object:
    @pytest.fixture(name=name)
    def fixture(request: pytest.FixtureRequest) -> object:
        return fixtures.make(name, request.config.stash[SITTING].case(request.node))

    return fixture


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the workers of a plain `pytest tests/hidden`."""
    if (sitting := config.stash.get(SITTING, None)) and sitting.engine:
        sitting.engine.close()


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Let the questions of a quiz stand among an exercise's checks."""
    from autograder.judge.questions import folder_of_checks

    return folder_of_checks(path, parent)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse ids given twice, and bring every check behind those that it requires."""
    refuse_double_ids(items)
    items[:] = in_order(items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """Close the worker after the last check of an exercise (plain pytest runs)."""
    result = yield
    sitting = item.config.stash[SITTING]
    if sitting.ends_with(nextitem):
        sitting.close()
    return result


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before a check: its prerequisites, a living worker, its clock."""
    info = info_of(item)
    if info is None:
        return
    sitting = item.config.stash[SITTING]
    grading = sitting.open_for(item)
    grading.measured = {}
    blockers = grading.blocked_by(info)
    if blockers:
        from autograder.language import said

        raise Blocked(", ".join(said(f"“{b.title}”") for b in blockers))
    seconds, memory_mb = sitting.limits_for(info)
    grading.begin(info, seconds, memory_mb)
    if sitting.on_start is not None:
        sitting.on_start(info, seconds)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """After each phase of a check: what came out, in the result's words."""
    report = yield
    info = info_of(item)
    if info is None or not isinstance(item, pytest.Function) or call.when == "teardown":
        return report
    if call.when == "setup" and call.excinfo is None:
        return report
    from autograder.judge.concluding import conclude

    result = conclude(item, info, item.config.stash[SITTING], call)
    if result is None:
        return report
    if result.outcome == "blocked":
        report.outcome = "skipped"
        report.longrepr = (str(item.path), 0, f"Skipped: {result.message}")
    elif result.outcome == "failed":
        lines = [result.message, result.hint, f"diagnosis: {result.diagnosis}" if result.diagnosis else ""]
        report.longrepr = "\n".join(line for line in lines if line)
    return report
