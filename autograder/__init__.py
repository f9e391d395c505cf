"""A course of exercises on generative models, and the grader that keeps every answer out of reach."""

__version__ = "0.1.0"
