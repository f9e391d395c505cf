"""Quiz of the VAE exercise: numbers drawn for each student, questions and (in the solution) answers."""

import math
import random


def personal(rng: random.Random) -> dict:
    """Draw a posterior, three log-weights and two layer widths."""
    highest = -rng.randint(950, 959) / 10
    return {
        "mu": [rng.choice((-1, 1)) * rng.randint(3, 19) / 10 for _ in range(2)],
        "logvar": [-rng.randint(2, 25) / 10, rng.randint(1, 9) / 10],
        "log_weights": [highest, -rng.randint(965, 974) / 10, -rng.randint(980, 999) / 10],
        "hidden": rng.choice((32, 48, 80, 96, 100, 120, 128, 200)),
        "latent_dim": rng.randint(3, 16),
    }


def questions(personal: dict) -> dict[str, str]:
    """The text of each question with the student's numbers; it ends with the type of the answer."""
    mu, logvar = personal["mu"], personal["logvar"]
    hidden, latent_dim = personal["hidden"], personal["latent_dim"]
    return {
        "kl": (
            f"An encoder answers mu = {mu} and logvar = {logvar} for one image. How large is "
            "KL(q(z|x) ‖ N(0, I)), in nats? [number, right to 0.001]"
        ),
        "bound": (
            f"Three draws from q(z|x) have log p(x, z) - log q(z|x) = {personal['log_weights']}. "
            "What is the importance-weighted bound on log p(x) with these k = 3 draws, in nats? "
            "[number, right to 0.001]"
        ),
        "parameters": (
            f"How many trainable numbers has a VAE 784-{hidden}-{latent_dim}-{hidden}-784 whose layers are "
            "all affine with a bias, mu and logvar being two separate layers on the same "
            f"{hidden} hidden units? [integer]"
        ),
        "gap": (
            "How far is the ELBO of an image below its log p(x)? "
            "(a) by KL(q(z|x) ‖ p(z)); (b) by KL(q(z|x) ‖ p(z|x)); (c) by KL(p(z|x) ‖ q(z|x)); "
            "(d) by the reconstruction error. [one letter]"
        ),
    }


### BEGIN SOLUTION
def answers(personal: dict) -> dict[str, dict]:
    """The answers, computed from the student's numbers, with explanations for when they are released."""
    pairs = list(zip(personal["mu"], personal["logvar"], strict=True))
    kl = 0.5 * sum(m * m + math.exp(v) - 1.0 - v for m, v in pairs)
    weights = personal["log_weights"]
    top = max(weights)
    bound = top + math.log(sum(math.exp(w - top) for w in weights) / len(weights))
    h, d = personal["hidden"], personal["latent_dim"]
    encoder = 784 * h + h + 2 * (h * d + d)
    decoder = d * h + h + h * 784 + 784
    return {
        "kl": {
            "title": "Quiz: the KL divergence of a Gaussian posterior.",
            "points": 0.5,
            "kind": "number",
            "value": kl,
            "tolerance": 1e-3,
            "explanation": "Sum over the coordinates of (mu² + exp(logvar) - 1 - logvar) / 2.",
        },
        "bound": {
            "title": "Quiz: the importance-weighted bound from three log-weights.",
            "points": 0.5,
            "kind": "number",
            "value": bound,
            "tolerance": 1e-5,  # relative: 0.001 nats
            "explanation": "log of the mean weight: logsumexp(log w) - log 3. The mean of the log-weights is "
            "lower: that is the ELBO's estimate.",
        },
        "parameters": {
            "title": "Quiz: the number of trainable parameters.",
            "points": 0.5,
            "kind": "integer",
            "value": encoder + decoder,
            "tolerance": 0,
            "explanation": f"Encoder 784·{h} + {h} + 2({h}·{d} + {d}) = {encoder}, "
            f"decoder {d}·{h} + {h} + {h}·784 + 784 = {decoder}.",
        },
        "gap": {
            "title": "Quiz: the distance from the ELBO to log p(x).",
            "points": 0.5,
            "kind": "choice",
            "value": "b",
            "tolerance": 0,
            "explanation": "log p(x) = ELBO + KL(q(z|x) ‖ p(z|x)): the bound is tight where q is the true "
            "posterior. KL(q(z|x) ‖ p(z)) is a term of the ELBO itself.",
        },
    }


### END SOLUTION
