"""Figures of the benchmarks as a Markdown page and as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autograder.reports.stamp import stamp

NAMES = {"floor": "the floor", "ours": "autograder", "nbgrader": "nbgrader autograde", "otter": "otter run"}

HEAD = """\
# Benchmarks

`make bench` grades the same assignment by this project, by nbgrader, by otter-grader, and by the floor: the same checks
in one warm process without any isolation. It needs `make bridges` and a machine that does nothing else; figures below
are from {processor}, {cores} cores, Python {python}. `python benchmarks/bench.py --quick` proves that it runs.

The assignment: the coupling layers of the RealNVP exercise ({submissions} submissions: right, wrong, raising, syntax
errors). All programs run the same check functions and must give the same points, or the benchmark stops. nbgrader and
otter-grader run them in the student's kernel, as they do, so neither isolates anything. Ratios are taken round by
round; in brackets their lowest and highest.
"""


def readme(results: dict[str, Any]) -> str:
    """The page."""
    tools = results.get("tools", {})
    parts = [HEAD.format(submissions=tools.get("submissions", "18"), **results["machine"])]
    if tools:
        parts.append(_tools(tools, results["targets"]))
    if "training" in results:
        parts.append(_training(results["training"], results["targets"]))
    if "size" in results:
        parts.append(_size(results["size"], results["targets"]))
    if "classes" in results.get("size", {}):
        parts.append("![Cost and memory against the size of the class](size.png)\n")
    if "batch" in results.get("cores", {}):
        parts.append(_cores(results["cores"], results["targets"]))
    return "\n".join(parts)


def _tools(tools: dict[str, Any], targets: dict[str, float]) -> str:
    lines = [
        f"## {tools['submissions']} submissions on one core",
        "",
        "| | seconds, whole command | seconds each | times ours | largest process |",
        "|---|---|---|---|---|",
    ]
    ours = tools["seconds"]["ours"]["median"]
    for name, seconds in tools["seconds"].items():
        times = tools.get(f"{name}_to_ours")
        ratio = _of(times) if times else f"{seconds['median'] / ours:.2f}"
        lines.append(
            f"| {NAMES[name]} | {_of(seconds)} | {seconds['median'] / tools['submissions']:.2f} | {ratio} "
            f"| {tools['peak_mb'][name]['median']:.0f} MB |"
        )
    lines += [
        "",
        f"Ours to the floor: {_of(tools['ours_to_floor'])} for the whole command, "
        f"{_of(tools['ours_to_floor_after_the_start'])} after the start (target {targets['floor']:g}).",
        "",
        "![Seconds per submission](tools.png)",
        "",
    ]
    return "\n".join(lines)


def _training(training: dict[str, Any], targets: dict[str, float]) -> str:
    lines = [
        "## The whole exercise",
        "",
        f"The same {training['submissions']} submissions, judged by all checks of the exercise, which train flows: "
        f"{_of(training['seconds']['ours'])} s here, {_of(training['seconds']['floor'])} s by the floor, on one core.",
        f"Ours to the floor: {_of(training['ours_to_floor'])} for the whole command, "
        f"{_of(training['ours_to_floor_after_the_start'])} after the start (target {targets['floor']:g}).",
        "",
    ]
    return "\n".join(lines)


def _size(size: dict[str, Any], targets: dict[str, float]) -> str:
    lines = [
        "## The size of the class",
        "",
        "| submissions | seconds | each, after the start | largest process | again, unchanged | of the first time |",
        "|---|---|---|---|---|---|",
    ]
    for row in size["classes"]:
        lines.append(
            f"| {row['submissions']} | {row['seconds']} | {row['steady_seconds_each']} | {row['peak_mb']} MB "
            f"| {_of(row['regrade_seconds'])} | {_of(row['regrade_to_grade'])} |"
        )
    lines += [
        "",
        "Cost of one submission in the largest class to that in the smallest: "
        f"{size['each_largest_to_smallest_class']} (target: within {targets['flat']:.0%}). Grading the largest class "
        f"again, unchanged: target under {targets['regrade']:.0%}.",
        "",
    ]
    return "\n".join(lines)


def _cores(cores: dict[str, Any], targets: dict[str, float]) -> str:
    lines = [
        "## Two cores",
        "",
        "| submissions | one core to two | after the start |",
        "|---|---|---|",
    ]
    for name in ("batch", "class"):
        row = cores[name]
        lines.append(f"| {row['submissions']} | {_of(row['one_to_two'])} | {_of(row['one_to_two_after_the_start'])} |")
    lines += ["", f"Target: {targets['two_cores']:g}.", ""]
    return "\n".join(lines)


def _of(figure: dict[str, float]) -> str:
    if figure["rounds"] == 1:
        return f"{figure['median']:g}"
    return f"{figure['median']:g} ({figure['lowest']:g} to {figure['highest']:g})"


def draw(results: dict[str, Any], folder: Path) -> None:
    """tools.png and size.png."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    if "tools" in results:
        tools = results["tools"]
        names = list(tools["seconds"])
        each = [tools["seconds"][name]["median"] / tools["submissions"] for name in names]
        figure, axes = pyplot.subplots(figsize=(6, 2.4), layout="constrained")
        bars = axes.barh([NAMES[name] for name in names], each, color=["0.6", "tab:blue", "tab:orange", "tab:green"])
        axes.bar_label(bars, fmt="%.2f", padding=3)
        axes.set_xscale("log")
        axes.invert_yaxis()
        axes.margins(x=0.15)
        axes.set_xlabel("seconds per submission, one core (logarithmic)")
        figure.savefig(folder / "tools.png", dpi=130, metadata={"Software": None, **stamp(tools_data(results))})
        pyplot.close(figure)
    if "classes" in results.get("size", {}):
        rows = results["size"]["classes"]
        counts = [row["submissions"] for row in rows]
        figure, (left, right) = pyplot.subplots(1, 2, figsize=(8, 2.8), layout="constrained")
        left.plot(counts, [row["steady_seconds_each"] for row in rows], "o-", label="after the start")
        left.plot(counts, [row["seconds_each"] for row in rows], "o--", color="0.6", label="whole command")
        left.set_ylabel("seconds per submission")
        left.set_ylim(bottom=0)
        left.legend(frameon=False)
        right.plot(counts, [row["peak_mb"] for row in rows], "o-")
        right.set_ylabel("largest process, MB")
        right.set_ylim(0, 1.2 * max(row["peak_mb"] for row in rows))
        for axes in (left, right):
            axes.set_xscale("log")
            axes.set_xlabel("submissions")
        figure.savefig(folder / "size.png", dpi=130, metadata={"Software": None, **stamp(size_data(results))})
        pyplot.close(figure)


def tools_data(results: dict[str, Any]) -> dict[str, Any]:
    """What tools.png shows."""
    tools = results["tools"]
    return {"submissions": tools["submissions"], "seconds": {n: s["median"] for n, s in tools["seconds"].items()}}


def size_data(results: dict[str, Any]) -> list[dict[str, Any]]:
    """What size.png shows."""
    shown = ("submissions", "steady_seconds_each", "seconds_each", "peak_mb")
    return [{name: row[name] for name in shown} for row in results["size"]["classes"]]
