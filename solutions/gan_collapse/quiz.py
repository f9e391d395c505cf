"""Quiz of gan_collapse: two laws, a smoothed game and a fake of known D drawn for each student, and five questions."""

from __future__ import annotations

import math
import random


def personal(rng: random.Random) -> dict:
    """Draw two laws on three points, densities and a smoothing, and what D says of a fake."""
    while True:
        p, q = ([rng.randint(1, 7) for _ in range(3)] for _ in range(2))
        if sum(p) == sum(q) == 10 and max(abs(a - b) for a, b in zip(p, q, strict=True)) > 2:
            break
    return {
        "p": [n / 10 for n in p],
        "q": [n / 10 for n in q],
        "smoothing": rng.choice((0.1, 0.15, 0.2, 0.25)),
        "p_data": rng.randint(2, 9) / 10,
        "p_g": rng.randint(2, 9) / 10,
        "fooled": rng.choice((0.02, 0.05, 0.1, 0.15, 0.2, 0.3)),
    }


def questions(personal: dict) -> dict[str, str]:
    """The text of each question with the student's numbers; it ends with the type of the answer."""
    p = personal
    return {
        "value": (
            f"On three points the data have the probabilities {p['p']} and the generator {p['q']}. What is the "
            "value of the game, in nats, against the best discriminator? [number, right to 0.001]"
        ),
        "smoothed": (
            f"At some x the density of the data is {p['p_data']} and that of the generator {p['p_g']}. What does "
            "the best discriminator answer there when the labels of real samples are smoothed by "
            f"s = {p['smoothing']} (one-sided)? [number, right to 0.001]"
        ),
        "saturating": (
            f"The discriminator gives a fake the probability D = {p['fooled']} of being real. What is the "
            "derivative of the saturating loss log(1 - D) of the generator by the logit of this fake? "
            "[number, right to 0.001]"
        ),
        "non_saturating": (
            f"For the same fake, D = {p['fooled']}: what is the derivative of the non-saturating loss -log D by "
            "its logit? [number, right to 0.001]"
        ),
        "apart": (
            "Why do real and generated samples go through a discriminator with batch normalisation in two "
            "batches? (a) joined they would need twice the memory; (b) joined, mean and variance would mix "
            "both kinds, and a logit would depend on the fakes that stand beside it; (c) a joined batch has no "
            "gradient by the fakes; (d) a joined batch would need two optimisers. [one letter]"
        ),
    }


### BEGIN SOLUTION
def answers(personal: dict) -> dict[str, dict]:
    """The answers, computed from the student's numbers, with explanations for when they are released."""
    p, fooled = personal, personal["fooled"]
    pairs = list(zip(p["p"], p["q"], strict=True))
    return {
        "value": {
            "title": "Quiz: value of the game for two laws.",
            "points": 0.5,
            "kind": "number",
            "value": sum(a * math.log(a / (a + b)) + b * math.log(b / (a + b)) for a, b in pairs),
            "tolerance": 1e-3,
            "explanation": "D* = p / (p + q) on each point; the value is Σ p log D* + Σ q log(1 - D*), which is "
            "-log 4 + 2 JSD(p, q): at least -1.386, at most 0.",
        },
        "smoothed": {
            "title": "Quiz: the best discriminator of a smoothed game.",
            "points": 0.5,
            "kind": "number",
            "value": (1 - p["smoothing"]) * p["p_data"] / (p["p_data"] + p["p_g"]),
            "tolerance": 1e-3,
            "explanation": "(1 - s) p_data / (p_data + p_g): the smoothed label stands in the numerator alone, as the "
            "labels (1 - s and s) of a real sample sum to 1.",
        },
        "saturating": {
            "title": "Quiz: slope of the saturating loss.",
            "points": 0.25,
            "kind": "number",
            "value": -fooled,
            "tolerance": 1e-3,
            "explanation": "log(1 - σ(l)) has the derivative -σ(l) = -D: almost nothing where D sees through the fake.",
        },
        "non_saturating": {
            "title": "Quiz: slope of the non-saturating loss.",
            "points": 0.25,
            "kind": "number",
            "value": fooled - 1,
            "tolerance": 1e-3,
            "explanation": "-log σ(l) has the derivative σ(l) - 1 = D - 1: almost -1 where D sees through the fake.",
        },
        "apart": {
            "title": "Quiz: why real and generated samples go apart.",
            "points": 0.5,
            "kind": "choice",
            "value": "b",
            "explanation": "Batch normalisation takes mean and variance over the rows that go through together: "
            "joined, they are neither those of the data nor those of the fakes.",
        },
    }


### END SOLUTION
