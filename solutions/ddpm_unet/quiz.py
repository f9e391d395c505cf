"""Quiz of the diffusion exercise: numbers drawn for each student, the questions and their answers."""

import math
import random


def personal(rng: random.Random) -> dict:
    """Draw a schedule of four steps, a noisy pixel and a number of channels: paper and a calculator do."""
    return {
        "betas": [rng.randint(low, high) / 100 for low, high in ((2, 9), (10, 19), (20, 34), (35, 60))],
        "t": rng.randint(2, 3),
        "x_t": rng.choice((-1, 1)) * rng.randint(11, 29) / 10,
        "noise": rng.choice((-1, 1)) * rng.randint(2, 9) / 10,
        "width": rng.choice((16, 24, 32, 40, 48, 64)),
    }


def questions(personal: dict) -> dict[str, str]:
    """The text of each question with the student's numbers; the type of the answer stands at its end."""
    betas, t, width = personal["betas"], personal["t"], personal["width"]
    return {
        "variance": (
            f"A chain has T = 4 steps (t = 0, 1, 2, 3) with betas = {betas}. What is "
            f"posterior_variance[{t}], the variance of q(x_{{t-1}} | x_t, x_0)? [number, right to 0.0001]"
        ),
        "denoised": (
            f"In the same chain, a pixel is x_t = {personal['x_t']} at t = {t} and the network answers the "
            f"noise {personal['noise']}. What is the pixel of x̂_0, the denoised image? "
            "[number, right to 0.001]"
        ),
        "score": (
            f"In the same chain, what is ∇ log p(x_t) at this pixel and t = {t}, according to the network? "
            "[number, right to 0.001]"
        ),
        "skips": (
            f"The decoder of a U-Net upsamples a map of {2 * width} channels to the size of an encoder map "
            f"of {width} channels and concatenates the two. A 3×3 convolution with bias then gives {width} "
            "channels. How many parameters has this convolution? [integer]"
        ),
    }


### BEGIN SOLUTION
def answers(personal: dict) -> dict[str, dict]:
    """The answers, computed from the student's numbers, with explanations for when they are released."""
    betas, t, width = personal["betas"], personal["t"], personal["width"]
    x_t, noise = personal["x_t"], personal["noise"]
    previous = math.prod(1 - b for b in betas[:t])
    current = previous * (1 - betas[t])
    return {
        "variance": {
            "title": "A posterior variance of your own schedule.",
            "points": 0.5,
            "kind": "number",
            "value": betas[t] * (1 - previous) / (1 - current),
            "tolerance": 1e-4,
            "explanation": "beta_t (1 - abar_{t-1}) / (1 - abar_t), abar the running product of 1 - beta.",
        },
        "denoised": {
            "title": "The denoised value of your own pixel.",
            "points": 0.5,
            "kind": "number",
            "value": (x_t - math.sqrt(1 - current) * noise) / math.sqrt(current),
            "tolerance": 1e-3,
            "explanation": "x_t = sqrt(abar) x0 + sqrt(1 - abar) noise, solved for x0.",
        },
        "score": {
            "title": "The score at your own pixel.",
            "points": 0.5,
            "kind": "number",
            "value": -noise / math.sqrt(1 - current),
            "tolerance": 1e-3,
            "explanation": "The score is -noise / sqrt(1 - abar): it points against the noise. x_t does not enter.",
        },
        "skips": {
            "title": "The parameters of a convolution behind a skip connection.",
            "points": 0.5,
            "kind": "integer",
            "value": 9 * 3 * width * width + width,
            "tolerance": 0,
            "explanation": f"Concatenation adds the channels: 3·3·(2·{width} + {width})·{width} weights and "
            f"{width} biases.",
        },
    }


### END SOLUTION
