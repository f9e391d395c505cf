"""The page of how much reports explain and what examples cost, from what benchmarks keep."""

from __future__ import annotations

import json
from pathlib import Path

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
# Failing exact checks and the share of them with a small example when examples were made of plain calls alone: of up to
# 24 mistakes of an exercise, of all in three. Where nothing is said it was not measured.
BEFORE = {
    "ae_vs_pca": (77, 14), "bridge_style": (93, 11), "ddpm_unet": (58, 7), "gan_collapse": (28, 46),
    "gibbs_mcmc": (30, 23), "glow_digits": (31, 10), "kde_mixture": (27, 52), "latent_diffusion": (25, 8),
    "markov_quiz": (33, 82), "model_evaluation": (35, 49), "molecule_diffusion": (29, 7), "score_sde": (30, 27),
    "transformer_text": (35, 14), "vae_mnist": (26, 23), "wgan_gp": (21, 19), "together": (578, 23),
}  # fmt: skip
SHARES = ("named", "shown", "small", "small_without_zeros")


def page() -> str:
    """Both tables."""
    return "\n".join([
        "# How much is explained", "",
        "What reports say of wrong answers, and what it costs; [how it is done](../explanation/diagnosis.md).", "",
        "## Examples", "",
        "Of the failing exact checks of ten mistakes of each bank, graded by the real judge",
        "(`python benchmarks/feedback.py --sample 10 --write`): the share that names a known mistake or a relation,",
        "the share with an example, the share whose example has at most six numbers, and that share where zeros are",
        "not counted. Before: when examples were made of plain calls alone. The target is 85 % with six numbers.", "",
        "| exercise | failing before | small | failing now | named | example | small | zeros not counted |",
        "|---|---|---|---|---|---|---|---|", *_explained(), "",
        "## Cost", "",
        "Classes in which every submission has several mistakes, the quick checks alone, with examples and without,",
        "step by step in one run (`python benchmarks/examples.py --write`): processor seconds, their ratio,",
        "and the same ratio by the clock. The target is 1.15.", "",
        "| exercise | submissions, failing exact checks | without | with | ratio | by the clock |",
        "|---|---|---|---|---|---|", *_cost(),
    ]) + "\n"  # fmt: skip


def _explained() -> list[str]:
    figures = _read("feedback")
    together = {name: sum(one[name] for one in figures.values()) for name in ("failing", "related", *SHARES)}
    rows = []
    for exercise, one in [*sorted(figures.items()), ("together", together)]:
        failing, small = BEFORE.get(exercise, ("-", "-"))
        counts = [one["named"] + one["related"], *(one[name] for name in SHARES[1:])]
        now = [f"{100 * count / one['failing']:.0f} %" for count in counts]
        cells = [exercise, failing, small if small == "-" else f"{small} %", int(one["failing"]), *now]
        rows.append(f"| {' | '.join(map(str, cells))} |")
    return rows


def _cost() -> list[str]:
    return [
        f"| {exercise} | {one['submissions']:.0f}, {one['failing']:.0f} | {one['processor_seconds_without']:.1f}"
        f" | {one['processor_seconds_with']:.1f} | {one['processor_ratio']:.2f} | {one['ratio']:.2f} |"
        for exercise, one in sorted(_read("examples").items())
    ]


def _read(name: str) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = json.loads((BENCHMARKS / f"{name}.json").read_text(encoding="utf-8"))
    return found
