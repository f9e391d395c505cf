"""Fresh secret numbers: the same submission regraded gets the same, two students never do."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor

if TYPE_CHECKING:
    import numpy as np

T = TypeVar("T")


class Draw:
    """Random inputs of one check; its seed follows from the course secret, the student, the exercise and the check."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._torch = torch.Generator().manual_seed(seed)
        self._python = random.Random(seed)

    def normal(self, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
        """Standard normal numbers of this shape."""
        return torch.randn(shape, generator=self._torch, dtype=torch.float64).to(dtype)

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0, dtype: torch.dtype = torch.float64) -> Tensor:
        """Uniform numbers in [low, high)."""
        return (low + (high - low) * torch.rand(shape, generator=self._torch, dtype=torch.float64)).to(dtype)

    def integers(self, low: int, high: int, *shape: int) -> Tensor:
        """Integers in low..high-1, int64."""
        return torch.randint(low, high, shape, generator=self._torch)

    def integer(self, low: int, high: int) -> int:
        """One integer in low..high, both included."""
        return self._python.randint(low, high)

    def choice(self, sequence: Sequence[T]) -> T:
        """One element."""
        return self._python.choice(sequence)

    def shuffle(self, sequence: Sequence[T]) -> list[T]:
        """The elements in random order."""
        items = list(sequence)
        self._python.shuffle(items)
        return items

    def seed(self) -> int:
        """A fresh seed in 0..2**31-1."""
        return self._python.randrange(2**31)

    def generator(self) -> torch.Generator:
        """A fresh generator; it crosses the wire as its seed."""
        return torch.Generator().manual_seed(self.seed())

    def numpy(self) -> np.random.Generator:
        """A fresh NumPy generator."""
        import numpy as np

        return np.random.default_rng(self.seed())


def subseed(seed: int, name: str) -> int:
    """A seed derived from another one and a name, 63 bits."""
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
