"""What a submission may import beside the standard library: this list, with what these need inside, and nothing else.

Another library may do the exercise for its author, and may bring stored data along (scikit-learn's digits). An exercise
that wants one names it in `grading_config.yaml`, under `libraries`.
"""

from __future__ import annotations

# By the names under which they are installed.
LIBRARIES = ("torch", "numpy", "matplotlib", "tqdm", "rich")
