"""What a figure shows, as plain arrays that have been validated, and its picture.

Students' code computes the arrays, in its sandbox; matplotlib is ours, and draws here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from torch import Tensor

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_VALUES = 500_000  # of one figure
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")  # Okabe and Ito: told apart by everyone


class Drawing(Protocol):
    """Something that can be drawn into matplotlib's axes."""

    def tensors(self) -> Sequence[Tensor]:
        """Everything in it that came from the student."""

    def draw(self, axes: Axes) -> None:
        """Draw it."""


@dataclass(frozen=True)
class Images:
    """Grey images (n, height, width), side by side in rows of `columns`."""

    images: Tensor
    columns: int = 8
    low: float = 0.0
    high: float = 1.0

    def tensors(self) -> Sequence[Tensor]:
        return (self.images,)

    def draw(self, axes: Axes) -> None:
        n, height, width = self.images.shape
        rows = -(-n // self.columns)
        sheet = self.images.new_full((rows * (height + 1), self.columns * (width + 1)), self.high)
        for k in range(n):
            top, left = (k // self.columns) * (height + 1), (k % self.columns) * (width + 1)
            sheet[top : top + height, left : left + width] = self.images[k]
        axes.imshow(sheet.numpy(), cmap="gray", vmin=self.low, vmax=self.high)
        axes.set_axis_off()


@dataclass(frozen=True)
class Points:
    """Clouds of the plane, (n, 2) each, by what they are."""

    clouds: Mapping[str, Tensor]
    half_width: float | None = None

    def tensors(self) -> Sequence[Tensor]:
        return tuple(self.clouds.values())

    def draw(self, axes: Axes) -> None:
        for (label, cloud), colour in zip(self.clouds.items(), COLOURS, strict=False):
            axes.scatter(cloud[:, 0].numpy(), cloud[:, 1].numpy(), s=3, color=colour, label=label)
        if self.half_width is not None:
            axes.set(xlim=(-self.half_width, self.half_width), ylim=(-self.half_width, self.half_width))
        axes.set_aspect("equal")
        axes.legend(fontsize=7, markerscale=3, loc="upper right")


@dataclass(frozen=True)
class Paths:
    """Ways of points through the plane, (frames, n, 2)."""

    frames: Tensor

    def tensors(self) -> Sequence[Tensor]:
        return (self.frames,)

    def draw(self, axes: Axes) -> None:
        x, y = self.frames[..., 0].numpy(), self.frames[..., 1].numpy()
        axes.plot(x, y, linewidth=0.5, color=COLOURS[5], zorder=1)
        axes.scatter(x[0], y[0], s=8, color=COLOURS[1], zorder=2)
        axes.scatter(x[-1], y[-1], s=8, color=COLOURS[0], zorder=2)
        axes.set_aspect("equal")


@dataclass(frozen=True)
class Curves:
    """Series of numbers over their index, (n,) each, by what they are."""

    series: Mapping[str, Tensor]

    def tensors(self) -> Sequence[Tensor]:
        return tuple(self.series.values())

    def draw(self, axes: Axes) -> None:
        for (label, values), colour in zip(self.series.items(), COLOURS, strict=False):
            axes.plot(values.numpy(), linewidth=1, color=colour, label=label)
        axes.legend(fontsize=7)


@dataclass(frozen=True)
class Matrix:
    """A table of numbers, (n, m)."""

    values: Tensor

    def tensors(self) -> Sequence[Tensor]:
        return (self.values,)

    def draw(self, axes: Axes) -> None:
        image = axes.imshow(self.values.numpy(), cmap="viridis", aspect="auto")
        axes.figure.colorbar(image, ax=axes, shrink=0.8)


def check_drawing(drawing: Drawing) -> None:
    """ValueError for arrays that cannot be drawn: too many values, complex ones, none at all."""
    tensors = drawing.tensors()
    for tensor in tensors:
        if tensor.is_complex() or not tensor.numel():
            raise ValueError("an array that cannot be drawn")
        if not bool(tensor.isfinite().all()) or float(tensor.abs().max()) > 1e12:
            raise ValueError("values that cannot be drawn")
    if sum(tensor.numel() for tensor in tensors) > MOST_VALUES:
        raise ValueError("too many values")


Range = tuple[float, float]


@dataclass(frozen=True)
class Scale:
    """What a picture's axes and colours reach from and to; None for colours where there are none."""

    x: Range
    y: Range
    colours: Range | None = None

    def around(self, other: Scale) -> Scale:
        """The least that holds both."""
        colours = _both(self.colours, other.colours) if self.colours and other.colours else None
        return Scale(_both(self.x, other.x), _both(self.y, other.y), colours)


def scale_of(drawing: Drawing) -> Scale:
    """The scale that a drawing takes by itself."""
    _figure, axes = _drawn(drawing)
    if axes.images:
        # The axes of images count their pixels; it is the colours that are compared.
        low, high = axes.images[0].get_clim()
        return Scale((0.0, 0.0), (0.0, 0.0), (low or 0.0, high or 0.0))
    return Scale(axes.get_xlim(), axes.get_ylim())


def save_beside(drawing: Drawing, other: Drawing, path: Path, beside: Path) -> None:
    """Draw two pictures on one scale, to be compared; the second only where its own scale is another."""
    known = scale_of(other)
    scale = scale_of(drawing).around(known)
    save(drawing, path, scale)
    if scale != known:
        save(other, beside, scale)


def save(drawing: Drawing, path: Path, scale: Scale | None = None) -> None:
    """Draw into a PNG; readers see it whole or not at all.

    Args:
        scale: of axes and colours; the drawing's own without it.
    """
    figure, axes = _drawn(drawing)
    if scale is not None and scale.colours is not None:
        for image in axes.images:
            image.set_clim(*scale.colours)
    elif scale is not None:
        axes.set(xlim=scale.x, ylim=scale.y)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    figure.savefig(unfinished, format="png", dpi=90, metadata={"Software": None})
    unfinished.replace(path)


def _drawn(drawing: Drawing) -> tuple[Figure, Axes]:
    """A picture with the drawing in its axes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.2, 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    drawing.draw(axes)
    return figure, axes


def _both(one: Range, other: Range) -> Range:
    return min(one[0], other[0]), max(one[1], other[1])
