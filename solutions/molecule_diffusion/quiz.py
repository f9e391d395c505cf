"""Quiz of molecule_diffusion: a number of atoms, four of them, a share and a matrix of costs of each student."""

from __future__ import annotations

import itertools
import math
import random


def torsion(atoms: list[list[int]]) -> tuple[float, float]:
    """The torsion of four atoms in (-π, π], and how far the chain is from a straight line."""
    first, second, third = ([b - a for a, b in zip(p, q, strict=True)] for p, q in itertools.pairwise(atoms))
    near, far = _cross(first, second), _cross(second, third)
    sine = math.sqrt(_dot(second, second)) * _dot(first, far)
    return math.atan2(sine, _dot(near, far)), min(_dot(near, near), _dot(far, far))


def _cross(a: list[int], b: list[int]) -> list[int]:
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]


def _dot(a: list[int], b: list[int]) -> int:
    return sum(u * v for u, v in zip(a, b, strict=True))


def personal(rng: random.Random) -> dict:
    """Draw numbers; the torsion is far from 0 and ±π, and the plan is not the cheapest column of each row."""
    while True:
        atoms = [[rng.randrange(-2, 3) for _k in range(3)] for _i in range(4)]
        angle, bent = torsion(atoms)
        if bent > 0 and 0.4 < abs(angle) < 2.7 and abs(abs(angle) - math.pi / 2) > 0.2:
            break
    while True:
        costs = [[rng.randrange(1, 60) / 100 for _j in range(3)] for _i in range(3)]
        totals = sorted(sum(costs[i][j] for i, j in enumerate(order)) for order in itertools.permutations(range(3)))
        greedy = sum(min(row) for row in costs)
        if totals[0] - greedy > 0.05 and totals[1] - totals[0] > 0.05:
            break
    return {
        "n_atoms": rng.randrange(5, 40),
        "atoms": atoms,
        "share": rng.choice((0.7, 0.75, 0.8, 0.85, 0.9, 0.95)),
        "costs": costs,
    }


def questions(personal: dict) -> dict[str, str]:
    """Texts of the questions, with the type of each answer."""
    p = personal
    return {
        "dimension": (
            f"A molecule has {p['n_atoms']} atoms. In how many dimensions does its centred noise live? Answer: an "
            "integer."
        ),
        "torsion": (
            f"Four atoms of a chain, in this order, are at {p['atoms']}. What is their torsion, in radians between -π "
            "and π, with the sign of section 2? Answer: a number, to 0.001."
        ),
        "handed": (
            f"Of your training molecules a share of {p['share']} is right-handed, the others are their mirror images. "
            "You train an EGNN as in section 4 and sample as in section 7. Which share of a great many generated "
            "molecules is right-handed? Answer: a number, to 0.001."
        ),
        "reason": (
            "And why? Answer: one of the strings 'mirror' (network and noise are symmetric under reflections), 'data' "
            "(the network learns the share of its data), 'centre' (all molecules are centred), 'order' (equal atoms "
            "cannot be told apart)."
        ),
        "transport": (
            f"Three molecules x are sent onto three molecules y, all of weight 1/3. The squared rmsd in Å² are "
            f"{p['costs']}, one row for each x. What is the least transport cost, without entropy? Answer: a number, "
            "to 0.001."
        ),
    }


### BEGIN SOLUTION
def answers(personal: dict) -> dict[str, dict]:
    """What is right, how near an answer has to be, and why."""
    p = personal
    orders = itertools.permutations(range(3))
    cost = min(sum(p["costs"][i][j] for i, j in enumerate(order)) / 3 for order in orders)
    return {
        "dimension": {
            "title": "The dimension of your molecule's noise.",
            "points": 0.5,
            "kind": "integer",
            "value": 3 * (p["n_atoms"] - 1),
            "explanation": "Of the 3N coordinates, three are determined by the others, as the mean is 0 in each "
            "direction: 3(N-1).",
        },
        "torsion": {
            "title": "The torsion of your four atoms.",
            "points": 0.5,
            "kind": "number",
            "value": torsion(p["atoms"])[0],
            "tolerance": 1e-3,
            "explanation": "The angle between the planes of the first three and the last three atoms, positive where "
            "the far bond is turned clockwise from the near one, seen along the middle bond.",
        },
        "handed": {
            "title": "The share of right-handed molecules.",
            "points": 0.25,
            "kind": "number",
            "value": 0.5,
            "tolerance": 1e-3,
            "explanation": "Noise and its mirror image are equally probable, and an equivariant network turns one into "
            "a molecule and the other into its mirror image.",
        },
        "reason": {
            "title": "Why this share.",
            "points": 0.25,
            "kind": "choice",
            "value": "mirror",
            "explanation": "Whatever the data are: each sample and its mirror image have the same density under an "
            "equivariant network that starts from noise, which has no handedness.",
        },
        "transport": {
            "title": "The cost of your three molecules.",
            "points": 0.5,
            "kind": "number",
            "value": cost,
            "tolerance": 1e-3,
            "explanation": "With equal weights the best plan without entropy is one of the six orders of the columns: "
            "the mean cost of the cheapest.",
        },
    }


### END SOLUTION
