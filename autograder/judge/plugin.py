"""The pytest plugin: functions declared with `@check` run as ordinary tests on a submission in another process.

    pytest tests/hidden/vae_mnist                          judges the reference solution
    pytest tests/hidden/vae_mnist --submission FILE        judges a file
    pytest tests/hidden/vae_mnist --mistake kl_sign        judges a known mistake

`autograder grade` runs the same tests many times in one session: see `process.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from autograder.judge.check import CheckInfo
from autograder.judge.verdicts import Blocked, CheckFailed, FrameworkFault, StudentError

DEVELOPMENT_SECRET = b"the secret of plain pytest runs"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of plain pytest runs."""
    group = parser.getgroup("autograder", "judge a submission")
    group.addoption("--submission", type=Path, help="the .py or .ipynb file to judge; the reference without it")
    group.addoption("--mistake", help="judge the reference with this known mistake")
    group.addoption("--student", default="reference", help="whose questions and inputs (default: reference)")
    group.addoption("--salt", default="", help="another text draws other inputs")
    group.addoption("--uncalibrated", action="store_true", help="record figures that have limits, judge none")
    group.addoption("--unprotected", action="store_true", help="run without isolation where there is none")
    group.addoption("--course", type=Path, help="the course's folder (default: found from the checks' folder)")


def pytest_configure(config: pytest.Config) -> None:
    """Keep the state of the session where the hooks find it."""
    config.stash[_STATE] = State(config)


_STATE = pytest.StashKey["State"]()


class State:
    """The gradings of a pytest session: one open at a time."""

    def __init__(self, config: pytest.Config) -> None:
        self.options = config.option
        self.engine: Any = None
        self.grading: Any = None
        self.on_result: Callable[[Any], None] | None = None
        self.book: bool = not config.option.uncalibrated
        self._opened: str | None = None

    def make_engine(self, item: pytest.Item) -> Any:
        if self.engine is None:
            from autograder.course import find_course, load_config, load_secret
            from autograder.course.config import CONFIG_NAME
            from autograder.judge.engine import Engine

            root = self.options.course or find_course(item.path.parent)
            course = load_config(root / CONFIG_NAME)
            secret = load_secret(course, root) if self.options.submission else DEVELOPMENT_SECRET
            self.engine = Engine(course, secret, self.options.unprotected, public=_is_public(item))
        return self.engine

    def grading_for(self, item: pytest.Item) -> Any:
        """The grading of this check's exercise, opened where plain pytest did not open it before."""
        exercise = item.path.parent.name
        if self.grading is not None and (self._opened is None or self._opened == exercise):
            return self.grading
        self.close()
        from autograder.judge.engine import Job

        engine = self.make_engine(item)
        options = self.options
        if options.submission is not None:
            from autograder.submissions import code_cells, read_submission

            cells = code_cells(read_submission(options.submission), exercise)
        else:
            cells = engine.reference_cells(exercise, options.student, options.mistake)
        watched = forbidden_names([i for i in item.session.items if i.path.parent == item.path.parent])
        self.grading = engine.open(Job(exercise, options.student, cells, options.salt, watched))
        self._opened = exercise
        return self.grading

    def close(self) -> None:
        """End the open grading's worker."""
        if self.grading is not None:
            self.grading.session.close()
            self.grading = None
            self._opened = None


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the workers of a plain `pytest tests/hidden`."""
    if (state := config.stash.get(_STATE, None)) and state.engine:
        state.engine.close()


def info_of(item: pytest.Item) -> CheckInfo | None:
    """What a test declares as a check, or None for an ordinary test."""
    return getattr(getattr(item, "function", None), "check", None)


def forbidden_names(items: list[pytest.Item]) -> tuple[str, ...]:
    """All library functions that one of these checks forbids."""
    return tuple(sorted({name for item in items if (info := info_of(item)) is not None for name in info.forbids}))


def _is_public(item: pytest.Item) -> bool:
    return item.path.name == "test_public.py"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse checks whose prerequisites do not exist or come later, and ids given twice."""
    seen: dict[tuple[str, str], str] = {}
    for item in items:
        info = info_of(item)
        if info is None:
            continue
        key = (f"{item.path.parent}/{_is_public(item)}", info.id)
        if key in seen:
            raise pytest.UsageError(f"{item.nodeid}: the check id {info.id!r} is already used by {seen[key]}")
        seen[key] = item.nodeid
    items[:] = _in_order(items)


def _in_order(items: list[pytest.Item]) -> list[pytest.Item]:
    """The items with every check after those that it requires."""
    by_key = {(i.path.parent, info.id): i for i in items if (info := info_of(i)) is not None}
    ordered: dict[pytest.Item, None] = {}

    def place(item: pytest.Item, trail: tuple[str, ...]) -> None:
        info = info_of(item)
        if item in ordered:
            return
        if info is not None:
            if info.id in trail:
                raise pytest.UsageError(f"{item.nodeid}: the check requires itself ({' -> '.join(trail)})")
            for required in info.requires:
                if (item.path.parent, required) in by_key:
                    place(by_key[item.path.parent, required], (*trail, info.id))
        ordered[item] = None

    for item in items:
        place(item, ())
    return list(ordered)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """Close the worker after the last check of an exercise (plain pytest runs)."""
    result = yield
    state = item.config.stash[_STATE]
    if state._opened is not None and (nextitem is None or nextitem.path.parent.name != state._opened):
        state.close()
    return result


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before a check: its prerequisites, a living worker, its clock."""
    info = info_of(item)
    if info is None:
        return
    state = item.config.stash[_STATE]
    grading = state.grading_for(item)
    grading.figures = {}
    blockers = grading.blocked_by(info)
    if blockers:
        from autograder.language import said

        names = ", ".join(said(f"“{b.title}”") for b in blockers)
        raise Blocked(names)
    seconds = state.engine.kit(grading.exercise).config.limits.per_check.seconds
    override = state.engine.kit(grading.exercise).config.checks.get(info.id)
    if override is not None and override.seconds is not None:
        seconds = override.seconds
    grading.begin(info, seconds)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """After each phase of a check: what came out, in the result's words."""
    report = yield
    info = info_of(item)
    if info is None or call.when == "teardown":
        return report
    state = item.config.stash[_STATE]
    if call.when == "setup" and call.excinfo is None:
        return report
    result = _conclude(item, info, state, call)
    if result is None:
        return report
    if result.outcome == "blocked":
        report.outcome = "skipped"
        report.longrepr = (str(item.path), 0, f"Skipped: {result.message}")
    elif result.outcome == "failed":
        lines = [result.message, result.hint, f"diagnosis: {result.diagnosis}" if result.diagnosis else ""]
        report.longrepr = "\n".join(line for line in lines if line)
    return report


def _conclude(item: pytest.Item, info: CheckInfo, state: State, call: pytest.CallInfo[None]) -> Any:
    from autograder.judge.misuse import misused_answer
    from autograder.language import _

    grading = state.grading
    if grading is None:
        return None
    error = call.excinfo.value if call.excinfo is not None else None
    duration = call.duration
    if error is None:
        result = grading.finish(info, "passed", duration)
    elif isinstance(error, Blocked):
        result = grading.finish(
            info, "blocked", 0.0, _("Not judged, because this did not pass: {checks}.").format(checks=error.message)
        )
    elif isinstance(error, CheckFailed):
        result = _failed(item, info, state, error, duration)
    elif (reason := misused_answer(item.path, error, grading.session.trace)) is not None:
        result = _failed(item, info, state, CheckFailed(reason), duration)
    elif isinstance(error, AssertionError):
        failure = CheckFailed(str(error.args[0]) if error.args else _("The answer is not right."))
        result = _failed(item, info, state, failure, duration)
    elif isinstance(error, pytest.skip.Exception):
        result = grading.finish(info, "skipped", duration, str(error))
    elif isinstance(error, KeyboardInterrupt):
        return None
    else:
        result = grading.finish(info, "error", duration, f"{type(error).__name__}: {error}")
    if state.on_result is not None:
        state.on_result(result)
    return result


def _failed(item: pytest.Item, info: CheckInfo, state: State, error: CheckFailed, duration: float) -> Any:
    from autograder.language import _

    started = time.monotonic()
    mistake = error.mistake
    hint, title = error.hint, ""
    kit = state.engine.kit(state.grading.exercise)
    if not state.engine.public:
        if mistake is None and info.kind in ("exact", "statistical") and not _hopeless(error):
            mistake = _diagnose(item, info, state)
        known = next((m for m in kit.mistakes if m.id == mistake), None)
        if known is not None:
            title = _(known.title)
            hint = _("It looks like this: {title}. {hint}").format(title=title, hint=_(known.hint))
        else:
            mistake = None
    del started
    return state.grading.finish(info, "failed", duration, error.message, hint, mistake, title)


def _hopeless(error: CheckFailed) -> bool:
    return isinstance(error, StudentError) and error.kind != "raised"


def _diagnose(item: pytest.Item, info: CheckInfo, state: State) -> str | None:
    from autograder.judge.diagnosis import matching_mistake
    from autograder.judge.draw import subseed

    grading = state.grading
    trace = list(grading.session.trace)
    figures = dict(grading.figures)

    def run(session: Any) -> None:
        item.obj(**_substituted(item, state, session))  # type: ignore[attr-defined]

    seed = subseed(grading.seed(info.id), "globals")
    try:
        return matching_mistake(trace, state.engine.kit(grading.exercise).mistake_sessions(info.id), run, seed)
    finally:
        grading.figures = figures


def _substituted(item: pytest.Item, state: State, session: Any) -> dict[str, Any]:
    """The check's fixtures again, with another session behind them and fresh draws from the same seed."""
    from autograder.judge.draw import Draw
    from autograder.judge.quiz import Quiz
    from autograder.judge.remote import Probe, Student

    grading = state.grading
    info = info_of(item)
    assert info is not None
    names = item._fixtureinfo.argnames  # type: ignore[attr-defined]
    values = {name: item.funcargs[name] for name in names}  # type: ignore[attr-defined]
    again: dict[str, Any] = {
        "student": Student(session),
        "probe": Probe(session),
        "draw": Draw(grading.seed(info.id)),
        "quiz": Quiz(Student(session), grading.quiz_answers, False),
        "once": lambda key, function: function(Draw(grading.seed(f"once/{key}"))),
    }
    return {name: again.get(name, value) for name, value in values.items()}


# --- fixtures: docs/reference/writing-checks.md says what each one is --------------------------------------------


def _grading(request: pytest.FixtureRequest) -> Any:
    return request.config.stash[_STATE].grading


@pytest.fixture
def student(request: pytest.FixtureRequest) -> Any:
    """The submission, in another process."""
    from autograder.judge.remote import Student

    return Student(_grading(request).session)


@pytest.fixture
def probe(request: pytest.FixtureRequest) -> Any:
    """Code that runs beside the student's."""
    from autograder.judge.remote import Probe

    return Probe(_grading(request).session)


@pytest.fixture
def reference(request: pytest.FixtureRequest) -> Any:
    """The reference solution, in this process."""
    module = _grading(request).reference
    if module is None:
        raise FrameworkFault("public checks have no reference solution")
    return module


@pytest.fixture
def compare() -> Any:
    """Comparison with the right answer."""
    from autograder.judge.compare import compare as function

    return function


@pytest.fixture
def expect(request: pytest.FixtureRequest) -> Any:
    """Validation of answers."""
    from autograder.judge.expect import Expect

    return Expect(_grading(request).record)


@pytest.fixture
def draw(request: pytest.FixtureRequest) -> Any:
    """Fresh secret inputs."""
    from autograder.judge.draw import Draw

    info = info_of(request.node)
    assert info is not None
    return Draw(_grading(request).seed(info.id))


@pytest.fixture
def once(request: pytest.FixtureRequest) -> Any:
    """A computation shared by several checks of a submission."""
    return _grading(request).once


@pytest.fixture
def calibrated(request: pytest.FixtureRequest) -> Any:
    """Limits from calibration."""
    from autograder.judge.calibrated import ANY_DATA, Calibrated

    state = request.config.stash[_STATE]
    grading = _grading(request)
    data = state.engine.data_name if "digits" in request.fixturenames else ANY_DATA
    book = state.engine.kit(grading.exercise).limits if state.book else None
    return Calibrated(book, data, grading.record)


@pytest.fixture
def digits(request: pytest.FixtureRequest) -> Any:
    """Real digits: `digits(split, n, size=28)` gives (n, size*size) float32 in [0, 1]."""
    return request.config.stash[_STATE].engine.digits


@pytest.fixture
def quiz(request: pytest.FixtureRequest) -> Any:
    """The quiz with this student's own questions."""
    from autograder.judge.quiz import Quiz
    from autograder.judge.remote import Student

    grading = _grading(request)
    return Quiz(Student(grading.session), grading.quiz_answers, grading.answers_released)


@pytest.fixture
def device(request: pytest.FixtureRequest) -> str:
    """The device of the worker."""
    return str(request.config.stash[_STATE].engine.device)
