"""The matrix of known submissions × checks, as a table and as a picture: what was caught where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.language import N_, _
from autograder.reports.stamp import stamp

if TYPE_CHECKING:
    from rich.table import Table

Rows = Mapping[str, Sequence[str]]  # submission -> a sign for each check
# Sign -> style in the table, colour in the picture (which colour-blind readers tell apart), words.
SIGNS = {
    "●": ("green", "#dbe9f6", N_("passes")),
    "○": ("cyan", "#08519c", N_("loses it, as it should")),
    "◐": ("cyan", "#6baed6", N_("loses it sometimes, as known")),
    "·": ("dim", "#bdbdbd", N_("quiz not answered")),
    " ": ("dim", "#ffffff", N_("not run")),
    "✗": ("bold red", "#d95f02", N_("not as it should be")),
}


def matrix_table(exercise: str, checks: Sequence[str], rows: Rows) -> Table:
    """A rich table: one line per submission, one narrow column per check, numbered below."""
    from rich.table import Table
    from rich.text import Text

    legend = ", ".join(f"{i} {check}" for i, check in enumerate(checks, 1))
    signs = "  ".join(f"{sign} {_(words)}" for sign, (_style, _colour, words) in SIGNS.items() if sign.strip())
    table = Table(title=exercise, caption=f"{legend}\n{signs}", header_style="bold", padding=(0, 0), show_edge=False)
    table.add_column(_("submission "))
    for i in range(1, len(checks) + 1):
        table.add_column(str(i), justify="right", min_width=3)
    for name, row in rows.items():
        table.add_row(Text(f"{name} "), *(Text(sign, style=SIGNS[sign][0]) for sign in row))
    return table


def draw_matrix(path: Path, exercise: str, checks: Sequence[str], rows: Rows) -> None:
    """The same as a PNG that carries the hash of what it shows."""
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    codes = {sign: code for code, sign in enumerate(SIGNS)}
    grid = [[codes[sign] for sign in row] for row in rows.values()]
    colours = [colour for _style, colour, _words in SIGNS.values()]
    figure = Figure(figsize=(2.5 + 0.28 * len(checks), 2.0 + 0.22 * len(rows)), layout="constrained")
    axes = figure.subplots()
    axes.imshow(grid, cmap=ListedColormap(colours), vmin=0, vmax=len(colours) - 1, aspect="auto")
    axes.set_xticks(range(len(checks)), checks, rotation=90, fontsize=7)
    axes.set_yticks(range(len(rows)), rows, fontsize=7)
    axes.set_xticks([i - 0.5 for i in range(1, len(checks))], minor=True)
    axes.set_yticks([i - 0.5 for i in range(1, len(rows))], minor=True)
    axes.grid(which="minor", color="white", linewidth=1)
    axes.tick_params(which="both", length=0)
    axes.set_title(_("{exercise}: known submissions × checks").format(exercise=exercise), fontsize=10)
    present = {sign for row in rows.values() for sign in row}
    shown_signs = [entry for sign, entry in SIGNS.items() if sign.strip() or sign in present]
    handles = [Patch(color=colour, label=_(words)) for _style, colour, words in shown_signs]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=7, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    shown = matrix_data(exercise, checks, rows)
    figure.savefig(path, dpi=130, bbox_inches="tight", metadata={"Software": None, **stamp(shown)})


def matrix_data(exercise: str, checks: Sequence[str], rows: Rows) -> dict[str, object]:
    """What the picture shows, in whatever order it stands."""
    return {"exercise": exercise} | {name: dict(zip(checks, row, strict=True)) for name, row in rows.items()}
