"""Quiz of wgan_gp: scores, gradient norms and point masses drawn for each student, and four questions."""

import random


def personal(rng: random.Random) -> dict:
    """Draw critic scores and gradient norms of a batch, and two clouds on the line."""
    while True:  # a few draws at most: the clouds shall make the usual short cuts visible
        real, fake = rng.sample(range(-6, 10), 3), rng.sample(range(-6, 10), 3)
        unsorted = sum(abs(a - b) for a, b in zip(real, fake, strict=True))
        matched = sum(abs(a - b) for a, b in zip(sorted(real), sorted(fake), strict=True))
        if len({unsorted, matched, abs(sum(real) - sum(fake))}) == 3:
            break
    return {
        "real_scores": [rng.randint(-5, 30) / 10 for _ in range(4)],
        "fake_scores": [rng.randint(-30, 5) / 10 for _ in range(4)],
        "gradient_norms": [rng.randint(2, 9) / 10, rng.randint(11, 14) / 10, rng.randint(15, 22) / 10, 1.0],
        "gp_weight": rng.randint(2, 12),
        "real_points": real,
        "fake_points": fake,
    }


def questions(personal: dict) -> dict[str, str]:
    """The text of each question with the student's numbers; it ends with the type of the answer."""
    p = personal
    return {
        "critic_objective": (
            f"A critic gives a batch of four real samples the scores {p['real_scores']} and four fake ones "
            f"the scores {p['fake_scores']}; at the four interpolates its gradient has the norms "
            f"{p['gradient_norms']}. With gp_weight = {p['gp_weight']}, what does the critic's optimiser "
            "minimise for this batch: critic loss plus weighted penalty? [number, right to 0.001]"
        ),
        "wasserstein": (
            f"The data are three points of the line, {p['real_points']}, with probability 1/3 each; the "
            f"generator answers {p['fake_points']} with probability 1/3 each. What is the Wasserstein-1 "
            "distance between the two laws? [number, right to 0.001]"
        ),
        "saturation": (
            "The data sit at 0, a generator at θ ≠ 0 (point masses on the line). As θ moves towards 0 "
            "without reaching it, which is true? (a) both the Jensen-Shannon divergence and the "
            "Wasserstein-1 distance shrink with |θ|; (b) the Jensen-Shannon divergence shrinks, the "
            "Wasserstein-1 distance stays; (c) the Jensen-Shannon divergence stays at log 2, the "
            "Wasserstein-1 distance shrinks; (d) both stay. [one letter]"
        ),
        "normalisation": (
            "Which layer must not stand in a critic trained with the gradient penalty? "
            "(a) layer normalisation; (b) batch normalisation; (c) LeakyReLU; "
            "(d) a linear layer without bias. [one letter]"
        ),
    }


### BEGIN SOLUTION
def answers(personal: dict) -> dict[str, dict]:
    """The answers, computed from the student's numbers, with explanations for when they are released."""
    p = personal
    loss = (sum(p["fake_scores"]) - sum(p["real_scores"])) / 4
    penalty = sum((norm - 1) ** 2 for norm in p["gradient_norms"]) / 4
    pairs = zip(sorted(p["real_points"]), sorted(p["fake_points"]), strict=True)
    return {
        "critic_objective": {
            "title": "Quiz: critic loss plus weighted penalty of a batch.",
            "points": 0.5,
            "kind": "number",
            "value": loss + p["gp_weight"] * penalty,
            "tolerance": 1e-3,
            "explanation": "Mean fake score minus mean real score, plus gp_weight times the mean of "
            "(norm - 1)²: the square is taken sample by sample, before the mean.",
        },
        "wasserstein": {
            "title": "Quiz: Wasserstein-1 distance of two clouds on the line.",
            "points": 0.5,
            "kind": "number",
            "value": sum(abs(a - b) for a, b in pairs) / 3,
            "tolerance": 1e-3,
            "explanation": "On the line the best transport keeps the order: sort both clouds, pair them, and "
            "take the mean distance.",
        },
        "saturation": {
            "title": "Quiz: distances between point masses.",
            "points": 0.5,
            "kind": "choice",
            "value": "c",
            "explanation": "Two laws with disjoint supports have Jensen-Shannon divergence log 2 however "
            "near they are, so a perfect discriminator gives no gradient; the Wasserstein-1 distance is |θ|.",
        },
        "normalisation": {
            "title": "Quiz: which layer a critic must not have.",
            "points": 0.5,
            "kind": "choice",
            "value": "b",
            "explanation": "The penalty is about the gradient of each sample's score with respect to that "
            "sample. With batch normalisation a score depends on the whole batch.",
        },
    }


### END SOLUTION
