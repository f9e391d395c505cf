"""The real images of checks: those that this machine has, read once for all checks of a judge."""

from __future__ import annotations

from collections.abc import Collection

import pytest
import torch
from torch import Tensor

from autograder.course.config import CourseConfig
from autograder.course.data import Split, load_images
from autograder.course.errors import ConfigurationError
from autograder.course.sets import FASHION, MNIST, PublishedSet

FIXTURES = {"digits": MNIST, "labelled_digits": MNIST, "fashion": FASHION}


class RealImages:
    """What the fixtures of images give.

    Args:
        public: on a student's machine that has none, a check is skipped and says how to get them; a course is wrong
            without.
    """

    def __init__(self, config: CourseConfig, public: bool) -> None:
        self._config = config
        self._public = public
        self._kept: dict[tuple[str, str, int | None, int], tuple[Tensor, Tensor]] = {}

    def __call__(
        self, published: PublishedSet, split: Split, n: int | None = None, size: int = 28
    ) -> tuple[Tensor, Tensor]:
        """Real images (n, size * size), float32 in [0, 1], and their labels (n,), int64."""
        key = (published.name, split, n, size)
        if key not in self._kept:
            try:
                found = load_images(self._config, published, split, n, size)
            except ConfigurationError as error:
                if self._public:
                    pytest.skip(str(error))
                raise
            self._kept[key] = torch.from_numpy(found.images), torch.from_numpy(found.labels).long()
        pixels, labels = self._kept[key]
        return pixels.clone(), labels.clone()

    def data_name(self, uses: Collection[str]) -> str:
        """The data behind a check that takes these fixtures: `mnist`, `fashion`, `digits`, or nothing where none is.

        The limits of `reference/` are kept by this name.
        """
        for fixture, published in FIXTURES.items():
            if fixture in uses:
                try:
                    return load_images(self._config, published, "held_out", 1).data_set
                except ConfigurationError:
                    if not self._public:
                        raise
        return ""
