"""What a network of the student's tells of its layers by its answers: for naming a mistake, never for judging.

No such network equals one of the bank, so that its answers cannot be compared with the bank's. A sigmoid at its end
shows all the same, and so do the statistics of a batch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from autograder.judge.answers import as_tensor
from autograder.judge.verdicts import StudentError

EDGE = 1e-6  # rounding at the ends of a range
FILLED = 0.5  # how far into a range answers have to reach: wide inputs and weights saturate what ends in it


def ending(values: Tensor) -> Literal["sigmoid", "tanh", "relu"] | None:
    """Which activation stands at the end of a network that answers these on wide inputs; None: none of the three."""
    low, high = float(values.min()), float(values.max())
    if low >= 0 and high > FILLED:
        return "sigmoid" if high <= 1 + EDGE else "relu"
    return "tanh" if -1 - EDGE <= low < -FILLED and FILLED < high <= 1 + EDGE else None


def normalises_batches(network: Callable[[Tensor], object], rows: Tensor) -> bool:
    """Whether a network that mixes the rows of a batch does so by the batch's statistics: a single row has none.

    Alone, its deviation is 0: every row gets the same answer, or none that is a number, or an error.
    """
    try:
        alone = [as_tensor(network(row)) for row in rows[:, None]]
    except StudentError as error:
        return error.kind == "raised"
    if any(answer is None or answer.shape != alone[0].shape for answer in alone):  # type: ignore[union-attr]
        return False
    answers = torch.stack([answer.double() for answer in alone if answer is not None])
    return not bool(answers.isfinite().all()) or bool(torch.allclose(answers, answers[:1], rtol=1e-5, atol=1e-9))


def bends_at_points(values: Tensor) -> bool:
    """Whether values at equal steps along a line, (n, ...), are straight but for a few corners, as those of a ReLU."""
    values = values.reshape(len(values), -1).double()
    bend = (values[2:] - 2 * values[1:-1] + values[:-2]).abs().amax(1)
    corners = bend > 1e-6 * (values - values.mean(0)).abs().max()
    return 0 < int(corners.sum()) <= len(corners) // 2
