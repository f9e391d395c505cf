"""`autograder.check("vae_mnist")` and `%autograder vae_mnist`: the public checks beside the student's code."""

from autograder.bridges.notebook.check import check

__all__ = ["check"]
