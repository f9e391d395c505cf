# ruff: noqa: E501 - texts and tables stand as they are printed
"""The tables of attacks and of broken files, from the tests that hold them.

An attack's name, what it costs and whether it is flagged are read from the tables in `tests/engine/hostile` and
`tests/engine/sandbox/test_attacks.py`; what was answered to it from `reference/attacks.json`, which
`tests/engine/docs/record_attacks.py` writes when these tests are run.
"""

from __future__ import annotations

import ast
import json
import re
import runpy
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parent.parent
ENGINE = REPOSITORY / "tests" / "engine"
RECORDED = Path(__file__).with_name("reference") / "attacks.json"
RECORD_COMMAND = (
    "python -m pytest -p tests.engine.docs.record_attacks tests/engine/hostile tests/engine/sandbox/test_attacks.py"
)
LENGTH = 110  # of a message in the table

WIRE = "wire: every frame is validated, a breach ends the worker"
ENDED = "process boundary: a worker's end is no verdict, a new one takes its place"
CLOCK = "clock of the check: the worker is killed"
JUDGE = "judge: compares in another process"
PLAIN = "plain data: type, shape, dtype, finiteness and size are validated before use"
NOTHING = "none needed: it gains nothing"


@dataclass(frozen=True)
class Group:
    """One table of attackers in a test module: its heading, the test that tries them, the layer that stops most."""

    title: str
    module: str
    table: str
    test: str
    layer: str
    about: str


HOSTILE = (
    Group("Ending the process", "test_verdict", "ENDING", "test_no_verdict_is_gained", "loader and judge: an exception is an answer",
          "Code that ends the process, skips or raises what no one expects, in place of an answer."),
    Group("Forged replies", "test_verdict", "FORGED", "test_no_verdict_is_gained", WIRE,
          "Code that finds the wire's socket and speaks on it itself."),
    Group("Replaced functions and planted files", "test_verdict", "REPLACED", "test_no_verdict_is_gained", JUDGE,
          "Code that changes the comparison, Python, pytest or the framework around it, with a wrong answer."),
    Group("Answers that lie", "test_comparison", "ATTACKS", "test_no_comparison_is_won", PLAIN,
          "Answers that equal everything, overflow, change later, or say something to whoever reads the message."),
    Group("Answers not worked out", "test_computation", "ATTACKS", "test_no_computation_is_spared",
          "fresh secret inputs, and tests of the law of samples",
          "Answers that are kept, replayed, guessed from the public checks, or drawn from another law."),
    Group("Looking for what is hidden", "test_reading", "HUNTS", "test_no_answer_is_found",
          "the worker holds no answer, check or other submission",
          "A wrong function that answers with whatever fits of what it finds."),
    Group("Network", "test_network", "ATTACKS", "test_nothing_is_reached", "seccomp (no sockets), network namespace",
          "Each tries to reach something that is there to be reached."),
    Group("Endless calls", "test_resources", "ENDLESS", "test_an_endless_call_costs_its_own_check", CLOCK,
          "Each is one call of a function under check."),
    Group("Ending like a victim", "test_resources", "LIKE_A_DISTURBANCE", "test_no_submission_looks_killed_from_outside",
          "seccomp: no limit is set, nobody kills or stops himself",
          "What would look like a worker killed by the system, which is graded again and costs nobody points."),
    Group("Bombs", "test_resources", "BOMBS", "test_a_bomb_costs_its_own_check", "resource limits",
          "Each is one call of a function under check."),
    Group("Bombs at import", "test_resources", "AT_IMPORT", "test_a_bomb_at_import_costs_its_own_statement",
          "loader: each statement has its own time and costs itself only",
          "Each stands at the top of the file; what is above and below it is graded."),
)  # fmt: skip

SANDBOX = (
    ("Reading outside", "READING"), ("Writing outside", "WRITING"), ("Sockets", "NETWORK"),
    ("Making processes", "PROCESSES"), ("Reaching other processes", "SIGNALS"), ("Influence on the machine", "INFLUENCE"),
)  # fmt: skip

# What the answer to an attack says about the layer that gave it.
_BY_MESSAGE = (
    (r"Operation not permitted|\['PermissionError'\]", "seccomp: the call is not on the list"),
    (r"MemoryError|[Cc]an(no|')t allocate memory", "resource limits: memory"),
    (r"File too large", "resource limits: size of a file"),
    (r"No space left", "a scratch folder with a size"),
    (r"No such file or directory|unable to open shared memory", "a file system of its own"),
    (r"can't start new thread", "resource limits: threads"),
    (r"Too many open files", "resource limits: descriptors"),
    (r"not allowed to raise maximum limit", "seccomp: no limit is set from inside"),
    (r"RecursionError", "Python's own limit"),
    (r"values differ|does not follow the law|not the right answer", ""),
)
_BY_ERRNO = {
    "EPERM": "seccomp filter",
    "ENOSYS": "seccomp filter, as if the kernel did not have it",
    "ENOENT": "file system of its own; Landlock in reduced mode",
    "EROFS": "read-only binds; Landlock in reduced mode",
    "EACCES": "Landlock",
}
_BY_ERROR = {
    "AssertionError": "seccomp filter: no shell ran",
    "gaierror": "seccomp filter: no socket to ask with",
    "ValueError": "seccomp filter: no limit is set",
}


def attacks() -> str:
    """The page of all attacks."""
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    graded = [(group, list(_rows(group, recorded))) for group in HOSTILE]
    calls = [(title, list(_calls(table, recorded))) for title, table in SANDBOX]
    proofs = list(_proofs())
    count = sum(len(rows) for _, rows in (*graded, *calls))
    lines = [
        "# Attacks", "",
        f"{count} attacks, each a regression test. What is in the tables comes from the tests: the names and what each",
        "costs from `tests/engine`, the answers from a run of them. [Isolation](../explanation/isolation.md) says which",
        "layers there are and what is not defended.", "",
        "Each attack below, up to the system calls, is appended to a correct solution and graded. The test holds that it",
        "passes exactly the checks that its honest code deserves, that the next student's result is the same to the byte",
        "apart from times, that no process, file, shared memory or descriptor is left, and that the result says so where",
        "the attempt shows (`incidents`, which the class report lists). *Flagged when seen* means that the attempt may",
        "end before it shows. No attack gains a point.",
    ]  # fmt: skip
    for group, rows in graded:
        lines += ["", f"## {group.title}", "", group.about, ""]
        lines += [
            "| attack | what it gets | stopped by | the student reads | the instructor sees |",
            "|---|---|---|---|---|",
        ]
        lines += rows
    lines += [
        "", "## System calls from inside a worker", "",
        "Tried one by one in a locked worker, in every isolation that the machine offers; what is not on the list below is",
        "tried too, by its number, all 600. The layer is the one that answers in full isolation. The student sees the error",
        "as an exception of their own code; nothing outside has changed, and the worker goes on.",
    ]  # fmt: skip
    for title, rows in calls:
        lines += ["", f"### {title}", "", "| attack | tried | answer | layer |", "|---|---|---|---|", *rows]
    lines += [
        "",
        "## Further proofs",
        "",
        "What is not one row of a table: floods, folders, costs to the judge, secrecy.",
        "",
    ]
    lines += ["| proved | where |", "|---|---|", *proofs]
    return "\n".join(lines) + "\n"


def tested() -> set[str]:
    """The attacks of the tests, as they are recorded."""
    known = {f"{g.module}::{g.test}::{name}" for g in HOSTILE for name in _table(g.module, g.table)}
    known |= {f"test_attacks::test_attack_is_refused::{name}" for _, table in SANDBOX for name in _sandbox()[table]}
    return known


def unrecorded() -> list[str]:
    """Attacks of the tests that nobody has recorded, and records of attacks that are gone."""
    return sorted(tested() ^ set(json.loads(RECORDED.read_text(encoding="utf-8"))))


def _rows(group: Group, recorded: dict[str, Any]) -> Iterator[str]:
    for name, entry in _table(group.module, group.table).items():
        seen = recorded.get(f"{group.module}::{group.test}::{name}", {})
        message = next(iter(seen.get("student", ())), "")
        incidents = seen.get("instructor", [])
        cells = (
            name,
            _gets(group, entry),
            _layer(group, message, incidents),
            _message(message),
            _flag(entry, incidents),
        )
        yield "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _gets(group: Group, entry: Any) -> str:
    """What it costs the submission, by the test's own table."""
    if not isinstance(entry, tuple):
        return {
            "HUNTS": "nothing: its wrong answers lose their checks",
            "AT_IMPORT": "its own statement is left out",
        }.get(group.table, "reaches nothing" if group.module == "test_network" else "loses the check that called it")
    loses = sorted(entry[0])
    others = "also others" in loses
    shown = ", ".join(f"`{name}`" for name in loses if name != "also others")
    if not loses:
        return "what its honest code earns"
    return (
        f"loses {shown}{', and what it breaks for itself' if others else ''}"
        if shown
        else "loses what it breaks itself"
    )


def _layer(group: Group, message: str, incidents: list[str]) -> str:
    kinds = {incident.partition(":")[0] for incident in incidents}
    if "protocol" in kinds:
        return WIRE
    if "did not end within" in message or "timeout" in kinds:
        return CLOCK
    if "died" in kinds:
        return ENDED
    if "probes" in kinds:
        return "judge: a submission that breaks the probes passes nothing that needs them"
    if "background" in kinds:
        return "judge: a worker whose threads compute unasked is replaced"
    if group.module in ("test_resources", "test_network"):
        for pattern, layer in _BY_MESSAGE:
            if layer and re.search(pattern, message):
                return layer
    if "values differ" in message and group.module == "test_verdict":
        return JUDGE
    if not message:
        return NOTHING
    return group.layer


def _flag(entry: Any, incidents: list[str]) -> str:
    if incidents:
        shown = re.sub(r" \(toy\.py \d+\)", "", incidents[0])
        return f"flagged: `{shown}`" + (" and more" if len(set(incidents)) > 1 else "")
    flagged = entry[1] if isinstance(entry, tuple) else None
    return "flagged when seen" if flagged is None and isinstance(entry, tuple) else "the outcome alone"


def _message(text: str) -> str:
    if not text:
        return "nothing of it"
    text = re.sub(r" \(your line \d+ of toy\.py, in [^)]*\)", "", text)
    text = re.sub(r"torch_\d+_\d+_\d+", "torch_...", re.sub(r"\s+", " ", text))
    text = text if len(text) <= LENGTH else text[:LENGTH] + " ..."
    return f"“{text}”"


def _calls(table: str, recorded: dict[str, Any]) -> Iterator[str]:
    for name, text in _sandbox()[table].items():
        seen = recorded.get(f"test_attacks::test_attack_is_refused::{name}", {})
        error, number = seen.get("error", ""), seen.get("errno", "")
        layer = _BY_ERRNO.get(number) or _BY_ERROR.get(error, "")
        tried = text.replace("{{", "{").replace("}}", "}")
        yield f"| {_cell(name)} | `` {_code(tried)} `` | {number or error} | {layer} |"


def _proofs() -> Iterator[str]:
    """Tests that are no table: their docstring, or their name in words."""
    tables = {group.test for group in HOSTILE} | {"test_attack_is_refused"}
    files = [*sorted((ENGINE / "hostile").glob("test_*.py")), ENGINE / "judge/test_secrecy.py", ENGINE / "sandbox/test_attacks.py",
             ENGINE / "sandbox/test_libraries.py", ENGINE / "sandbox/test_gpu.py", ENGINE / "worker/test_imports.py",
             ENGINE / "judge/test_disturbed.py", ENGINE / "batch/test_retries.py", ENGINE / "commands/test_faults.py",
             *sorted((ENGINE / "wire").glob("test_*.py"))]  # fmt: skip
    for path in files:
        if path.name == "test_broken_files.py":
            continue  # a page of its own
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and node.name not in tables:
                words = node.name.removeprefix("test_").replace("_", " ")
                about = (ast.get_docstring(node) or "").split("\n\n")[0]
                text = f"{words}: {about}" if about else words
                yield f"| {_cell(text)} | `{path.relative_to(ENGINE)}` |"


@cache
def _module(path: Path) -> dict[str, Any]:
    return runpy.run_path(str(path))


def _table(module: str, name: str) -> dict[str, Any]:
    table: dict[str, Any] = _module(ENGINE / "hostile" / f"{module}.py")[name]
    return table


def _sandbox() -> dict[str, Any]:
    return _module(ENGINE / "sandbox" / "test_attacks.py")


def broken_files() -> str:
    """The page of files that are broken, not hostile: what each gets and is told."""
    module = _module(ENGINE / "hostile" / "test_broken_files.py")
    solution = (ENGINE / "toy/solutions/toy/toy.py").read_text(encoding="utf-8")
    full = module["FULL"]
    lines = [
        "# Broken files", "",
        f"{len(module['FILES'])} kinds of files that are broken and not hostile, and what each gets: one batch of the tests",
        f"grades them all. The exercise has {full:g} points besides a quiz; the file is a correct solution but for what the",
        "first column says. *Told* is what the reader says about the file, or words of the message about a part of it.", "",
        "| file | called | outcome | points | told |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for name, file in module["FILES"].items():
        told = _reading(file, solution) or (f"… {file.words} …" if file.words else "nothing: it is graded as it is")
        points = f"{file.points:g} of {full:g}" if file.outcome == "graded" else "none"
        shown = name.replace("-", " ") if re.fullmatch(r"[a-z0-9-]+", name) else f"student named {name}"
        cells = (shown, f"`{file.name}`", file.outcome, points, told)
        lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    lines += ["", "More kinds of files, each for itself: `tests/engine/submissions/test_reader.py`."]
    return "\n".join(lines) + "\n"


def _reading(file: Any, solution: str) -> str:
    """What reading this file says: why it cannot be, or the notes that go into the result."""
    from autograder.submissions import SubmissionUnreadable, read_submission

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / file.name
        path.write_bytes(file.content(solution))
        try:
            submission = read_submission(path, student="ada", exercise="toy")
        except SubmissionUnreadable as reason:
            return reason.message
    return " ".join(submission.problems)


def _cell(text: str) -> str:
    """Text in a cell of a table. Inside backticks it stays as it is; elsewhere nothing in it is markup."""
    parts = re.split(r"(`[^`]*`)", " ".join(str(text).split()))
    return "".join(part if part.startswith("`") and len(part) > 1 else _plain(part) for part in parts).replace(
        "|", "\\|"
    )


def _plain(text: str) -> str:
    text = re.sub(r"([\\*_\[\]<>#$~{}])", r"\\\1", text)
    return re.sub(r"(?i)(https?|www)(:|\.)", r"\1&#8203;\2", text)  # no link out of an attack's text


def _code(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
