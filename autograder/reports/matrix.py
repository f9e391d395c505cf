"""The matrix of known submissions × checks: what was caught where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Counts = Mapping[str, Mapping[str, int]]
ORDER = {"reference": 0, "alternative": 1, "stub": 2, "mistake": 3}


def _rows(kinds: Mapping[str, str]) -> list[str]:
    return sorted(kinds, key=lambda name: ORDER[kinds[name]])


def matrix_table(
    exercise: str,
    checks: Sequence[str],
    passed: Counts,
    runs: Mapping[str, int],
    kinds: Mapping[str, str],
    expected: Mapping[str, Sequence[str]],
) -> Any:
    """A rich table: one line per submission, one narrow column per check, numbered below.

    ● passed always, ○ lost always as it should, ✗ not as it should be, · lost by the stub.
    """
    from rich.table import Table
    from rich.text import Text

    legend = ", ".join(f"{i} {check}" for i, check in enumerate(checks, 1))
    table = Table(title=exercise, caption=legend, header_style="bold", padding=(0, 0), show_edge=False)
    table.add_column("submission ")
    for i in range(1, len(checks) + 1):
        table.add_column(str(i), justify="right", min_width=3)
    for name in _rows(kinds):
        row = [_sign(name, check, passed, runs, kinds, expected) for check in checks]
        table.add_row(Text(f"{name} "), *(Text(sign, style=style) for sign, style in row))
    return table


def _sign(
    name: str, check: str, passed: Counts, runs: Mapping[str, int], kinds: Mapping[str, str],
    expected: Mapping[str, Sequence[str]],
) -> tuple[str, str]:  # fmt: skip
    wins, total = passed[name][check], runs[name]
    should_lose = kinds[name] == "stub" or check in expected.get(name, ())
    if wins == total:
        return ("✗", "bold red") if should_lose else ("●", "green")
    if wins == 0 and should_lose:
        return "○", "cyan"
    if kinds[name] == "alternative" and "quiz" in check:
        return "·", "dim"
    return "✗", "bold red"


def draw_matrix(
    path: Path,
    exercise: str,
    checks: Sequence[str],
    passed: Counts,
    runs: Mapping[str, int],
    kinds: Mapping[str, str],
    expected: Mapping[str, Sequence[str]],
) -> None:
    """The same as a picture, colours that colour-blind readers tell apart."""
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    rows = _rows(kinds)
    codes = {"●": 0, "○": 1, "·": 2, "✗": 3}
    grid = [[codes[_sign(r, c, passed, runs, kinds, expected)[0]] for c in checks] for r in rows]
    colours = ["#dbe9f6", "#08519c", "#bdbdbd", "#d95f02"]
    figure = Figure(figsize=(2.5 + 0.28 * len(checks), 2.0 + 0.22 * len(rows)), layout="constrained")
    axes = figure.subplots()
    axes.imshow(grid, cmap=ListedColormap(colours), vmin=0, vmax=3, aspect="auto")
    axes.set_xticks(range(len(checks)), checks, rotation=90, fontsize=7)
    axes.set_yticks(range(len(rows)), rows, fontsize=7)
    axes.set_xticks([i - 0.5 for i in range(1, len(checks))], minor=True)
    axes.set_yticks([i - 0.5 for i in range(1, len(rows))], minor=True)
    axes.grid(which="minor", color="white", linewidth=1)
    axes.tick_params(which="both", length=0)
    axes.set_title(f"{exercise}: known submissions × checks", fontsize=10)
    labels = ["passes", "loses it, as it should", "quiz not answered", "not as it should be"]
    axes.legend(
        handles=[Patch(color=c, label=t) for c, t in zip(colours, labels, strict=True)],
        loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=4, fontsize=7, frameon=False,
        bbox_transform=figure.transFigure,
    )  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130, bbox_inches="tight", metadata={"Software": None})
