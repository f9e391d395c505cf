"""The class report's plots, as data to stand in a page, in colours that colour-blind readers tell apart."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.language import _
from autograder.reports.class_view import ClassView, ExerciseStats
from autograder.reports.pictures import data_uri
from autograder.results.model import Result

# Light where all is well, so that what is lost stands out; in grey the order of darkness is the same.
_CODES = {"absent": 0, "passed": 1, "blocked": 2, "skipped": 0, "failed": 3, "error": 4}
_COLOURS = ["#ececec", "#a9d8f5", "#f0c43c", "#d55e00", "#000000"]


@dataclass(frozen=True)
class Plots:
    """The class report's plots; the heat maps by exercise."""

    distribution: str
    heat_maps: Mapping[str, str]


def plots(view: ClassView) -> Plots:
    """Draw what the class report shows."""
    maps = {stats.id: heat_map(stats, view.results) for stats in view.exercises if stats.checks}
    return Plots(distributions(view.exercises) if maps else "", maps)


def distributions(exercises: Sequence[ExerciseStats]) -> str:
    """Histograms of final grades, one per exercise, side by side."""
    from matplotlib.figure import Figure

    columns = min(4, len(exercises))
    rows = -(-len(exercises) // columns)
    figure = Figure(figsize=(2.9 * columns, 2.2 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for place in axes.flat[len(exercises) :]:
        place.set_visible(False)
    for place, stats in zip(axes.flat, exercises, strict=False):
        top = stats.max_points or 1.0
        place.hist(stats.finals, bins=[top * i / 10 for i in range(11)], color="#0072b2", edgecolor="white")
        if stats.median is not None:
            place.axvline(stats.median, color="#d55e00", linewidth=2, linestyle="--")
        place.set_title(stats.id, fontsize=9)
        place.set_xlim(0, top)
        place.yaxis.get_major_locator().set_params(integer=True, nbins=4)
        place.xaxis.get_major_locator().set_params(nbins=4)
        place.tick_params(labelsize=7)
        place.spines[["top", "right"]].set_visible(False)
    figure.supxlabel(_("final points (dashed: median)"), fontsize=8)
    figure.supylabel(_("students"), fontsize=8)
    return _svg(figure)


def heat_map(stats: ExerciseStats, results: Sequence[Result]) -> str:
    """Students × checks of one exercise: students by points, checks by how many pass them."""
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    checks = sorted(stats.checks, key=lambda check: -check.share)
    rows = sorted((r for r in results if r.exercise == stats.id and r.checks), key=lambda r: (-r.points, r.student))
    grid = []
    for result in rows:
        outcomes = {check.id: check.outcome for check in result.checks}
        grid.append([_CODES[outcomes.get(check.id, "absent")] for check in checks])
    row_height = 0.2 if len(rows) <= 60 else 0.1
    figure = Figure(figsize=(2.6 + 0.24 * len(checks), 1.9 + row_height * len(rows)), layout="constrained")
    axes = figure.subplots()
    axes.imshow(grid, cmap=ListedColormap(_COLOURS), vmin=0, vmax=4, aspect="auto", interpolation="nearest")
    axes.set_xticks(range(len(checks)), [check.id for check in checks], rotation=90, fontsize=7)
    axes.set_yticks(range(len(rows)), [_plain(r.student) for r in rows], fontsize=7 if len(rows) <= 60 else 5)
    axes.set_xticks([i - 0.5 for i in range(1, len(checks))], minor=True)
    axes.set_yticks([i - 0.5 for i in range(1, len(rows))], minor=True)
    axes.grid(which="minor", color="white", linewidth=0.6)
    axes.tick_params(which="both", length=0)
    axes.xaxis.tick_top()
    words = [(1, _("passed")), (3, _("not passed")), (2, _("not judged")), (4, _("our fault")), (0, _("no outcome"))]
    used = {code for row in grid for code in row}
    figure.legend(
        handles=[Patch(facecolor=_COLOURS[code], label=word) for code, word in words if code in used],
        loc="outside lower center", ncols=5, fontsize=7, frameon=False,
    )  # fmt: skip
    return _png(figure)


def _plain(name: str) -> str:
    """A name as matplotlib shows it: a dollar sign would begin a formula."""
    name = name if len(name) <= 24 else name[:23] + "…"
    return name.replace("$", r"\$")


def _svg(figure: Any) -> str:
    return data_uri(_drawn(figure, format="svg", metadata={"Date": None, "Creator": None}), "image/svg+xml")


def _png(figure: Any) -> str:
    from PIL import Image

    drawn = io.BytesIO(_drawn(figure, format="png", dpi=110, metadata={"Software": None}))
    # A few flat colours: a palette makes the file three times smaller.
    small = io.BytesIO()
    Image.open(drawn).convert("RGB").quantize(48).save(small, format="png", optimize=True)
    return data_uri(small.getvalue())


def _drawn(figure: Any, **how: Any) -> bytes:
    stream = io.BytesIO()
    with warnings.catch_warnings():
        # A name in a script that matplotlib's font lacks is drawn as boxes; the page has it as text.
        warnings.filterwarnings("ignore", "Glyph .* missing")
        figure.savefig(stream, **how)
    return stream.getvalue()
