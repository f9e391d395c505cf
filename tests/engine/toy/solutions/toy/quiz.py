"""The toy quiz."""

from __future__ import annotations

import random


def personal(rng: random.Random) -> dict:
    """Three numbers of the student's own."""
    return {"numbers": [rng.randint(1, 20) for _ in range(3)]}


def questions(personal: dict) -> dict[str, str]:
    """The question about them."""
    return {"mean": f"What is the mean of {personal['numbers']}? (a number)"}


### BEGIN SOLUTION
def answers(personal: dict) -> dict[str, dict]:
    """Its answer."""
    numbers = personal["numbers"]
    return {
        "mean": {
            "title": "Quiz: the mean of your numbers.",
            "points": 1,
            "kind": "number",
            "value": sum(numbers) / len(numbers),
            "explanation": "Sum, then divide.",
        }
    }


### END SOLUTION
