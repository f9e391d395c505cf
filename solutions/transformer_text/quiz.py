"""Quiz of transformer_text: a chain's free numbers, bits, a gap and one attention of each student."""

from __future__ import annotations

import random


def personal(rng: random.Random) -> dict:
    """Draw a chain, bits per character, a gap, and a query with three keys whose answer the missing root would move."""
    import math

    while True:
        query = [rng.randrange(-2, 3) for _ in range(4)]
        keys = [[rng.randrange(-2, 3) for _ in range(4)] for _ in range(3)]
        values = rng.sample(range(-9, 10), 3)
        scores = [sum(a * b for a, b in zip(query, key, strict=True)) for key in keys]
        answers = []
        for root in (1, 2, 4):
            weights = [math.exp(s / root) for s in scores]
            answers.append(sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights))
        apart = min(abs(answers[1] - answers[0]), abs(answers[1] - answers[2]))
        if max(scores) - min(scores) in range(2, 9) and len(set(scores)) == 3 and apart > 0.1:
            break
    return {
        "symbols": rng.choice((5, 6, 8, 12, 27, 30)),
        "chain": rng.randrange(2, 6),
        "bits": rng.choice((0.8, 1.1, 1.3, 1.6, 1.9, 2.3, 2.7, 3.1)),
        "gap": rng.randrange(3, 20),
        "query": query,
        "keys": keys,
        "values": values,
    }


def questions(personal: dict) -> dict[str, str]:
    """Texts of the questions, with the type of each answer."""
    p = personal
    return {
        "free": (
            f"A Markov chain of order k = {p['chain']} over V = {p['symbols']} tokens: how many of its transition "
            "probabilities can be chosen freely (those of one context sum to 1)? Answer: an integer."
        ),
        "perplexity": (
            f"A model needs {p['bits']} bits per character on new text. What is its perplexity per character? Answer: "
            "a number, to 0.001."
        ),
        "order": (
            f"A source writes a token s, then {p['gap']} fillers that are drawn independently of everything, then "
            "a token that depends on s alone. What is the smallest order of a Markov chain that gives this last token "
            "its exact probability? Answer: an integer."
        ),
        "attention": (
            f"One query q = {p['query']}, three keys {p['keys']}, and their values {p['values']} (one number each). "
            "What is the output of scaled dot-product attention? Answer: a number, to 0.005."
        ),
    }


### BEGIN SOLUTION
def answers(personal: dict) -> dict[str, dict]:
    """What is right, how near an answer has to be, and why."""
    import math

    p = personal
    scores = [sum(a * b for a, b in zip(p["query"], key, strict=True)) / math.sqrt(4) for key in p["keys"]]
    weights = [math.exp(score - max(scores)) for score in scores]
    output = sum(w * v for w, v in zip(weights, p["values"], strict=True)) / sum(weights)
    return {
        "free": {
            "title": "The free numbers of your chain.",
            "points": 0.5,
            "kind": "integer",
            "value": p["symbols"] ** p["chain"] * (p["symbols"] - 1),
            "explanation": "There are V^k contexts, and each has a law over V tokens, whose last probability follows "
            "from the others: V^k (V - 1).",
        },
        "perplexity": {
            "title": "The perplexity that belongs to your bits.",
            "points": 0.5,
            "kind": "number",
            "value": 2 ** p["bits"],
            "tolerance": 1e-3,
            "explanation": "Perplexity is e^nats, and nats are bits times ln 2: so it is 2^bits.",
        },
        "order": {
            "title": "The memory that your gap asks for.",
            "points": 0.5,
            "kind": "integer",
            "value": p["gap"] + 1,
            "explanation": "The context has to reach back to s: all the fillers, and s itself.",
        },
        "attention": {
            "title": "Your attention by hand.",
            "points": 0.5,
            "kind": "number",
            "value": output,
            "tolerance": 5e-3,
            "explanation": "Scores are the scalar products over √d_k = 2; the softmax of the three weighs the values.",
        },
    }


### END SOLUTION
