"""What the checks of trainings share."""

from __future__ import annotations

from autograder.judge.verdicts import StudentError

WHAT = "train_text_to_image(model, text_encoder, alpha_bars, z, prompts, steps, ...)"


def draw_words(draw, n):
    """n distinct words of five letters."""
    words = set()
    while len(words) < n:
        words.add("".join(draw.choice("abcdefghijklmnopqrstuvwxyz") for _i in range(5)))
    return draw.shuffle(sorted(words))


def attempt(call):
    """An answer of the student's that a check can do without: None where the call fails or its function is missing."""
    try:
        return call()
    except StudentError:
        return None
