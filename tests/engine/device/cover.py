"""Which hidden checks make every public name run on the pretended device, and what came of them.

    python -m tests.engine.device.cover list [EXERCISE ...]        each public name, and by which means it runs
    python -m tests.engine.device.cover choose LEDGER.json ...     the quickest checks that call every name: cover.yaml

A ledger is what `tests.engine.device.judging` writes of a run of all checks of an exercise.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
FILE = Path(__file__).with_name("cover.yaml")
DRAWING = " with a generator"
Ledger = dict[str, dict[str, dict[str, Any]]]  # exercise, check: seconds, message, names


def cover() -> dict[str, list[str]]:
    """The chosen checks of each exercise."""
    chosen: dict[str, list[str]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))["checks"]
    return chosen


def without_tensors() -> dict[str, list[str]]:
    """The names that neither take nor give a tensor."""
    names: dict[str, list[str]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))["without_tensors"]
    return names


def public(exercise: str) -> list[str]:
    """The contract's names."""
    text = (ROOT / "tests" / "hidden" / exercise / "contract.yaml").read_text(encoding="utf-8")
    return list(yaml.safe_load(text)["names"])


def run(
    folder: Path,
    exercises: Sequence[str],
    generators: str | None = None,
    checks: Sequence[str] | None = None,
    submission: Path | None = None,
) -> Ledger:
    """Judge on the pretended device, in a process of its own.

    Args:
        generators: see `judging.PretendedTransport`.
        checks: ids; None: the chosen ones.
        submission: a file in the place of the reference.
    """
    wanted = [f"{e}/{check}" for e in exercises for check in (cover()[e] if checks is None else checks)]
    file = folder / f"ledger-{generators}.json"
    settings = {"PRETENDED_LEDGER": str(file), "PRETENDED_CHECKS": ",".join(wanted), "OMP_NUM_THREADS": "1"}
    if generators is not None:
        settings["PRETENDED_GENERATORS"] = generators
    command = [sys.executable, "-m", "pytest", "-q", "-W", "ignore", "-p", "no:cacheprovider"]
    command += ["-p", "tests.engine.device.judging"]
    command += ["--submission", str(submission)] if submission is not None else []
    ran = subprocess.run(
        [*command, *(f"tests/hidden/{exercise}" for exercise in exercises)],
        cwd=ROOT, env=os.environ | settings, capture_output=True, text=True,
    )  # fmt: skip
    assert file.is_file(), ran.stdout + ran.stderr
    found: Ledger = json.loads(file.read_text(encoding="utf-8"))
    return found


def means(ledger: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """By which means each name ran in checks that passed; with tensors goes before without."""
    found: dict[str, str] = {}
    for entry in ledger.values():
        if not entry["message"]:
            for name, how in entry["names"].items():
                found[name] = max(how, found.get(name, ""))
    return found


def choose(ledger: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> list[str]:
    """Checks that call every name by the best means there are, found greedily by the seconds that a new name costs."""
    best = means(ledger)
    left, chosen = {name for name in names if name in best}, []
    while left:

        def news(check: str) -> int:
            entry = ledger[check]
            return 0 if entry["message"] else sum(entry["names"].get(name) == best[name] for name in left)  # noqa: B023

        check = min((c for c in ledger if news(c)), key=lambda c: (ledger[c]["seconds"] + 0.02) / news(c))
        chosen.append(check)
        left -= {name for name in left if ledger[check]["names"].get(name) == best[name]}
    return [check for check in ledger if check in chosen]


def main(command: str, arguments: Sequence[str]) -> None:
    """See above."""
    if command == "choose":
        ledger: Ledger = {}
        for file in arguments:
            ledger |= json.loads(Path(file).read_text(encoding="utf-8"))
        found = {
            e: choose(ledger[e], [*public(e), *(f"{name}{DRAWING}" for name in public(e))]) for e in sorted(ledger)
        }
        none = {e: [n for n in public(e) if means(ledger[e]).get(n, "").startswith("no ")] for e in found}
        missing = {e: sorted(set(public(e)) - set(means(ledger[e]))) for e in found}
        sys.stdout.write(f"not run: { {e: names for e, names in missing.items() if names} }\n")
        sys.stdout.write(f"seconds: {sum(ledger[e][c]['seconds'] for e in found for c in found[e]):.1f}\n")
        document = {"checks": found, "without_tensors": {e: names for e, names in none.items() if names}}
        head = "# Made by `python -m tests.engine.device.cover choose`, from runs of all hidden checks.\n"
        FILE.write_text(head + yaml.safe_dump(document, sort_keys=False, width=110), encoding="utf-8")
        return
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        found_by = run(Path(folder), list(arguments) or sorted(cover()), "cuda")
    for exercise, own in found_by.items():
        how = means(own)
        for name in public(exercise):
            sys.stdout.write(f"{exercise}.{name}: {how.get(name, 'NOT RUN')}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
