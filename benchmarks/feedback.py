"""How much of what is wrong a report explains, on the banks of mistakes: by a name, a relation, or a small example.

    python benchmarks/feedback.py [EXERCISE ...] [--mistake ID] [--sample N] [--show] [--write]

For each exercise: of the failing exact checks of all mistakes (the quiz and the trainings left out), the share that
names a known mistake or a relation, the share that shows a call, the share whose call has at most 6 numbers (two atoms
in space have 6 alone, a noise schedule and a step need as many), and the share of at most 6 numbers other than 0.
`--sample` takes so many mistakes of each exercise, always the same ones; `--write` keeps the figures in
`benchmarks/feedback.json`.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from autograder.authoring.losses import read_bank
from autograder.authoring.mistakes import Mistake
from autograder.authoring.overlay import apply_mistake
from autograder.judge.example_text import numbers_in
from tests.engine.banks import Bank, a_judge, course

FEW = 6
RESULTS = Path(__file__).with_suffix(".json")


def main() -> None:
    """Print a line for each exercise."""
    parser = argparse.ArgumentParser()
    parser.add_argument("exercises", nargs="*")
    parser.add_argument("--mistake")
    parser.add_argument("--sample", type=int, help="so many mistakes of each exercise, by a seed of its own")
    parser.add_argument("--show", action="store_true", help="each failing check with its example")
    parser.add_argument("--write", action="store_true", help=f"keep the figures in {RESULTS.name}")
    options = parser.parse_args()
    config = course()
    with a_judge(config) as judge:
        for name in options.exercises or [e.id for e in config.exercises]:
            bank, started = Bank(config, name, judge), time.monotonic()
            failing = named = related = shown = small = plain = 0
            wanted = bank.quick(("exact",))
            mistakes = [m for m in read_bank(bank.exercise) if m.check in wanted and options.mistake in (None, m.id)]
            for mistake in sample(name, mistakes, options.sample):
                found = bank.graded(apply_mistake(bank.solution, mistake), checks=wanted, examples=True)
                for check in found.values():
                    red = check.outcome == "failed" and (not check.parts or "failed" in check.parts.values())
                    if not red or check.id not in wanted:
                        continue
                    few = check.example is not None and is_small(check.example.call)
                    failing, shown, small = failing + 1, shown + (check.example is not None), small + few
                    plain += check.example is not None and is_small(check.example.call, zeros=False)
                    named, related = named + bool(check.diagnosis), related + bool(check.relation)
                    if options.show:
                        e = check.example
                        what = f"{e.call} -> {e.got}; right {e.right}" if e else "-"
                        print(f"  {mistake.id} / {check.id}: {check.relation or check.diagnosis or '?'} | {what}")
            share = (f"{100 * n / max(failing, 1):.0f} %" for n in (named, named + related, shown, small, plain))
            print(name, f"{failing} failing exact checks; named {next(share)}, or related {next(share)}, ", end="")
            taken = f"{time.monotonic() - started:.0f} s"
            print(f"example {next(share)}, small {next(share)}, without zeros {next(share)}; {taken}", flush=True)
            if options.write:
                keep(
                    name,
                    {
                        "mistakes": options.sample,
                        "failing": failing,
                        "named": named,
                        "related": related,
                        "shown": shown,
                        "small": small,
                        "small_without_zeros": plain,
                    },
                )


def is_small(call: str, zeros: bool = True) -> bool:
    """Whether every number of a call is there to be read, and they are few, counting zeros or not."""
    return numbers_in(call, zeros) <= FEW and "tensor of shape" not in call


def sample(name: str, mistakes: list[Mistake], n: int | None) -> list[Mistake]:
    """Some of an exercise's mistakes, always the same."""
    if n is None or n >= len(mistakes):
        return mistakes
    return sorted(random.Random(name).sample(mistakes, n), key=lambda mistake: mistake.id)


def keep(name: str, figures: dict[str, int | None]) -> None:
    """Write the figures of an exercise beside those of the others."""
    known = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    RESULTS.write_text(json.dumps(dict(sorted((known | {name: figures}).items())), indent=1) + "\n")


if __name__ == "__main__":
    main()
