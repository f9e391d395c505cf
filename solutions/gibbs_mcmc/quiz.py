"""Quiz of gibbs_mcmc: two small lattices, a spin with its neighbours, a bond and a chain of each student."""

from __future__ import annotations

import random


def personal(rng: random.Random) -> dict:
    """Draw a coupling and a field, two 3 x 3 lattices, a spin with four neighbours, and a bond's mean product."""
    while True:
        a, b = ([[rng.choice((-1, 1)) for _j in range(3)] for _i in range(3)] for _k in range(2))
        up, down = sum(map(sum, a)), sum(map(sum, b))
        if a != b and up != down:
            break
    coupling, field = rng.randrange(5, 31, 5) / 100, rng.choice((-1, 1)) * rng.randrange(5, 21, 5) / 100
    spin = rng.choice((-1, 1))
    # Uphill, so that the answer is no 1: most neighbours agree with the spin.
    neighbours_up = rng.choice((3, 4)) if spin == 1 else rng.choice((0, 1))
    return {
        "coupling": coupling,
        "field": field,
        "a": a,
        "b": b,
        "spin": spin,
        "neighbours_up": neighbours_up,
        "product": rng.randrange(15, 90, 5) / 100,
    }


def questions(personal: dict) -> dict[str, str]:
    """Texts of the questions, with the type of each answer."""
    sign = {1: "+1", -1: "-1"}[personal["spin"]]
    return {
        "ratio": (
            f"Two 3 x 3 lattices with periodic borders: a = {personal['a']} and b = {personal['b']}. With the coupling "
            f"J = {personal['coupling']} and the field h = {personal['field']}, what is p(a) / p(b)? Answer: a number, "
            "within 1 %."
        ),
        "acceptance": (
            f"A spin is {sign}, {personal['neighbours_up']} of its four neighbours are +1 and the others -1. With "
            f"J = {personal['coupling']} and h = {personal['field']}, with which probability does Metropolis turn it? "
            "Answer: a number, to 0.001."
        ),
        "bond": (
            "A single bond: two spins with U = -J s1 s2. In the data the mean of s1·s2 is "
            f"{personal['product']}. Which J has the largest likelihood? Answer: a number, to 0.001."
        ),
        "minima": (
            "A heat-bath chain of an 8 x 8 lattice at J = 0.6, h = 0: the total spin has an autocorrelation time of 2 "
            "sweeps, and in 1,000 sweeps it never changes its sign. How many of the two minima of the energy does the "
            "chain show? Answer: an integer."
        ),
    }


### BEGIN SOLUTION
def answers(personal: dict) -> dict[str, dict]:
    """What is right, how near an answer has to be, and why."""
    from math import atanh, exp

    coupling, field = personal["coupling"], personal["field"]

    def energy(s: list[list[int]]) -> float:
        bonds = sum(s[i][j] * (s[(i + 1) % 3][j] + s[i][(j + 1) % 3]) for i in range(3) for j in range(3))
        return -coupling * bonds - field * sum(map(sum, s))

    ratio = exp(energy(personal["b"]) - energy(personal["a"]))
    change = 2 * personal["spin"] * (coupling * (2 * personal["neighbours_up"] - 4) + field)
    return {
        "ratio": {
            "title": "How much likelier one small lattice is than another.",
            "points": 0.5,
            "kind": "number",
            "value": ratio,
            "tolerance": 0.01 * ratio,
            "explanation": "p(a) / p(b) = exp(U(b) - U(a)): Z cancels. Each of the 18 bonds counts once.",
        },
        "acceptance": {
            "title": "The probability with which Metropolis turns a spin.",
            "points": 0.5,
            "kind": "number",
            "value": min(1.0, exp(-change)),
            "tolerance": 1e-3,
            "explanation": "Turning s changes U by 2 s (J · sum of the neighbours + h); it is accepted with min(1, "
            "exp(-change)).",
        },
        "bond": {
            "title": "The coupling of largest likelihood for a single bond.",
            "points": 0.5,
            "kind": "number",
            "value": atanh(personal["product"]),
            "tolerance": 1e-3,
            "explanation": "At the maximum the model's mean of s1·s2 is the data's, and the model's is tanh J.",
        },
        "minima": {
            "title": "What a chain shows that never changes its sign.",
            "points": 0.5,
            "kind": "integer",
            "value": 1,
            "explanation": "The autocorrelation time is that inside one well: it says nothing about the well that the "
            "chain never saw.",
        },
    }


### END SOLUTION
