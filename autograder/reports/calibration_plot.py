"""Both distributions of every calibrated quantity, and the limit between them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.course.calibration import Calibration, Runs
from autograder.reports.stamp import stamp

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_calibration(found: Calibration, path: Path) -> None:
    """Draw a `reference/<exercise>.json`: one panel per quantity, one row of dots per population.

    The PNG carries the hash of what it shows (`stamp.py`).
    """
    from matplotlib.figure import Figure

    panels = [(data, name, limit, found.data[data].runs.get(name, Runs())) for data, name, limit in found.limits]
    heights = [0.6 + 0.22 * (len(runs.good) + len(runs.bad)) for *_, runs in panels]
    figure = Figure(figsize=(7.5, sum(heights) + 0.6 * len(panels)), layout="constrained")
    axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
    for panel, (data, name, limit, runs) in zip(axes, panels, strict=True):
        rows = [(label, values, "#08519c", "o") for label, values in runs.good.items()]
        rows += [(label, values, "#d95f02", "x") for label, values in runs.bad.items()]
        for row, (_label, values, colour, marker) in enumerate(rows):
            shown = [v for v in values if v is not None and math.isfinite(v)]
            panel.plot(shown, [row] * len(shown), marker, color=colour, markersize=4, alpha=0.7, linestyle="")
        panel.set_yticks(range(len(rows)), [label for label, *_ in rows], fontsize=7)
        panel.invert_yaxis()
        _scale(panel, [v for _, values, *_ in rows for v in values if v is not None and math.isfinite(v)])
        for side in (limit.low, limit.high):
            if side is not None:
                panel.axvline(side, color="black", linewidth=1)
        panel.set_title(
            f"{name} ({data}): {limit.better}; false fail {limit.false_fail:.1e}, "
            f"false pass {'–' if limit.false_pass is None else format(limit.false_pass, '.1e')}",
            fontsize=8,
        )
        panel.tick_params(axis="x", labelsize=7)
    figure.suptitle(f"{found.exercise}: correct solutions (o), mistakes (x), limits (lines)", fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None, **stamp(calibration_data(found))})


def calibration_data(found: Calibration) -> dict[str, object]:
    """What the picture shows, as exactly as the file says it."""
    shown: dict[str, object] = {"exercise": found.exercise}
    for data, name, limit in found.limits:
        runs = found.data[data].runs.get(name, Runs())
        shown[f"{data}/{name}"] = {
            "limit": [limit.better, *(_six(v) for v in (limit.low, limit.high, limit.false_fail, limit.false_pass))],
            "good": {label: [_six(v) for v in values] for label, values in runs.good.items()},
            "bad": {label: [_six(v) for v in values] for label, values in runs.bad.items()},
        }
    return shown


def _six(value: float | None) -> str | None:
    return None if value is None or not math.isfinite(value) else f"{value:.6g}"


def _scale(panel: Axes, values: list[float]) -> None:
    # Figures that span decades are read on a logarithmic axis.
    if values and min(values) > 0 and max(values) > 50 * min(values):
        panel.set_xscale("log")
