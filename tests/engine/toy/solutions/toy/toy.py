# %% [markdown]
# # Means and lines
# The mean of a sample is $\bar x = \frac1n \sum_i x_i$.

# %%
import torch
from torch import Tensor, nn


# %%
def mean(x: Tensor) -> Tensor:
    """Mean of each row of `x` (B, D): (B,).

    Raises:
        ValueError: `x` is not two-dimensional.
    """
    ### BEGIN SOLUTION
    if x.ndim != 2:
        raise ValueError(f"x must have two dimensions, got {x.ndim}")
    return x.sum(1) / x.shape[1]
    ### END SOLUTION


# %%
def spread(x: Tensor) -> Tensor:
    """Mean squared distance of each row's entries from their mean: (B,)."""
    ### BEGIN SOLUTION
    return mean((x - mean(x)[:, None]) ** 2)
    ### END SOLUTION


# %%
class Line(nn.Module):
    """y = a x + b with learned a and b."""

    def __init__(self) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.a = nn.Parameter(torch.randn(()))
        self.b = nn.Parameter(torch.zeros(()))
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """x (B,) -> y (B,)."""
        ### BEGIN SOLUTION
        return self.a * x + self.b
        ### END SOLUTION


# %%
def sample(n: int, generator: torch.Generator | None = None) -> Tensor:
    """`n` draws from N(0, 1): (n,)."""
    ### BEGIN SOLUTION
    return torch.randn(n, generator=generator)
    ### END SOLUTION


# %%
### BEGIN PERSONAL
PERSONAL = {"numbers": [10, 7, 5]}
QUIZ = {"mean": "What is the mean of [10, 7, 5]? (a number)"}
### END PERSONAL
ANSWERS = {"mean": None}
### BEGIN SOLUTION
ANSWERS = {"mean": sum(PERSONAL["numbers"]) / len(PERSONAL["numbers"])}
### END SOLUTION
