"""Real images for exercises: the test images of MNIST and Fashion-MNIST where they are, else scikit-learn's digits.

In order: the folder that the environment or the configuration (MNIST's alone) names, `../shared/data/` beside the
course, the user's cache (filled by `autograder data fetch`, see `download.py`; nothing is ever downloaded here), a
package of the system, and last scikit-learn's own 8x8 digits, with a line that says so. Limits are calibrated per data
set, so a name means exactly the published files (`sets.py`).
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from autograder.course.config import CourseConfig, DataConfig
from autograder.course.errors import ConfigurationError
from autograder.course.folders import user_folder
from autograder.course.sets import IMAGES, LABELS, MNIST, PublishedSet, SetName
from autograder.language import _

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float32]
    ByteArray = npt.NDArray[np.uint8]

Split = Literal["train", "held_out"]

MAX_BYTES = 16_000_000  # the images take 7,840,016
TRAIN_ROWS: dict[SetName, int] = {"mnist": 8_000, "fashion": 8_000, "digits": 1_400}
SIDE = 28


@dataclass(frozen=True)
class ImageSet:
    """Some images and the data set they come from."""

    images: FloatArray  # (n, size * size), in [0, 1]
    labels: ByteArray  # (n,)
    data_set: SetName
    note: str  # a line for the user where this is not what they might think; empty otherwise


def load_digits(config: CourseConfig, split: Split, n: int | None = None, size: int = SIDE) -> ImageSet:
    """Digits of the data set that this course finds on this machine; arguments and errors as of `load_images`."""
    return load_images(config, MNIST, split, n, size)


def load_images(
    config: CourseConfig, published: PublishedSet, split: Split, n: int | None = None, size: int = SIDE
) -> ImageSet:
    """ImageSet of a published data set, or of scikit-learn's digits where it is not here (the note says so).

    Args:
        config: names the data set and, optionally, MNIST's folder.
        published: which one is wanted.
        split: `train` (8,000 images of a published set, 1,400 of scikit-learn's) or `held_out` (2,000 and 397). The
            two never overlap, and which image is in which is the same everywhere.
        n: how many, from the split's beginning (its order is already random); all of them without it.
        size: side in pixels, 1 to 64. Smaller than 28: zero-padded to the next multiple of `size` (16: to
            32) and averaged over blocks (14: of 2 x 2, 7: of 4 x 4). Larger: zero-padded.

    Raises:
        ConfigurationError: the configuration demands the real images and they are not there, or a file is damaged.
    """
    if split not in ("train", "held_out"):
        raise ValueError(f"split must be 'train' or 'held_out', got {split!r}")
    if n is not None and n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    if not 1 <= size <= 64:
        raise ValueError(f"size must be 1 to 64, got {size}")
    folder = find_images(published, config.data, config.root)
    if folder is None and config.data.set == "mnist":
        raise ConfigurationError(
            _(
                "{title} is asked for, but {images}.gz and {labels}.gz are not found; run `autograder data "
                "fetch`, or name their folder in {variable}"
            ).format(title=published.title, images=IMAGES, labels=LABELS, variable=published.variable),
            file=config.file,
            path="data.set",
        )
    note = ""
    if folder is not None:
        name = published.name
        images, labels = _published(published, folder)
    else:
        name = "digits"
        images, labels = _scikit_learn_digits()
        if config.data.set == "auto":
            note = _(
                "{title} is not on this machine: scikit-learn's 8x8 digits, upsampled, are used instead "
                "(`autograder data fetch` gets {title})."
            ).format(title=published.title)
    rows = list(split_rows(name, len(images), split))[:n]
    return ImageSet(resize(images[rows], size), labels[rows], name, note)


def find_images(published: PublishedSet, data: DataConfig, root: Path) -> Path | None:
    """The folder that holds a data set's test files, or None. A folder that was named must hold them."""
    if data.set == "digits":
        return None
    variable = os.environ.get(published.variable)
    named = Path(variable).expanduser() if variable else data.folder if published is MNIST else None
    if named is not None:
        missing = [name for name in (IMAGES, LABELS) if _file(named, name) is None]
        if missing:
            origin = published.variable if variable else "data.folder"
            raise ConfigurationError(
                _("the folder {named} ({origin}) lacks {listing}").format(
                    named=named, origin=origin, listing=" and ".join(m + ".gz" for m in missing)
                )
            )
        return named
    beside, cache = root.resolve().parent / "shared" / "data", user_folder("cache")
    inside = root / "data" / published.folder  # what a course takes along where it is unpacked elsewhere
    for folder in (inside, beside / published.folder, cache / published.folder, *published.installed):
        if all(_file(folder, name) is not None for name in (IMAGES, LABELS)):
            return folder
    return None


@functools.cache
def split_rows(name: SetName, count: int, split: Split) -> tuple[int, ...]:
    """The rows of a split, in an order fixed by a hash: no library's random numbers can change it."""
    order = sorted(range(count), key=lambda row: hashlib.sha256(f"{name}:{row}".encode()).digest())
    return tuple(order[: TRAIN_ROWS[name]] if split == "train" else order[TRAIN_ROWS[name] :])


def parse_idx(raw: bytes, dimensions: int, source: Path) -> ByteArray:
    """The array in an IDX file of bytes; ConfigurationError where header and length do not agree."""
    import numpy as np

    header = 4 + 4 * dimensions
    magic = 0x0800 + dimensions
    if len(raw) < header or int.from_bytes(raw[:4], "big") != magic:
        raise ConfigurationError(
            _("is no IDX file of {dimensions} dimensions: it starts with {raw}, not {magic:08x}").format(
                dimensions=dimensions, raw=raw[:4].hex(), magic=magic
            ),
            file=source,
        )
    shape = tuple(int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(dimensions))
    expected = header + int(np.prod(shape, dtype=object))
    if len(raw) != expected:
        raise ConfigurationError(
            _("is damaged: its header announces {listing} values, {expected} bytes; it has {n}").format(
                listing=" x ".join(map(str, shape)), expected=expected, n=len(raw)
            ),
            file=source,
        )
    return np.frombuffer(raw, np.uint8, offset=header).reshape(shape)


def resize(images: FloatArray, size: int) -> FloatArray:
    """(n, 28, 28) to (n, size * size): zero-padded, then averaged over blocks where `size` is smaller."""
    import numpy as np

    blocks = -(-SIDE // size)
    side = blocks * size
    before = (side - SIDE) // 2
    after = side - SIDE - before
    padded = np.pad(images, ((0, 0), (before, after), (before, after)))
    means: FloatArray = padded.reshape(len(images), size, blocks, size, blocks).mean((2, 4), dtype=np.float32)
    return means.reshape(len(images), size * size)


def _file(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / f"{name}.gz", folder / name) if path.is_file()), None)


@functools.cache
def _published(published: PublishedSet, folder: Path) -> tuple[FloatArray, ByteArray]:
    import numpy as np

    arrays = []
    for name, dimensions in ((IMAGES, 3), (LABELS, 1)):
        source = _file(folder, name)
        if source is None:
            raise ConfigurationError(_("{name}.gz is missing").format(name=name), file=folder)
        raw = _read(source)
        arrays.append(parse_idx(raw, dimensions, source))
        if hashlib.sha256(raw).hexdigest() != published.content[name]:
            raise ConfigurationError(
                _(
                    "is readable but is not {title}'s published test file (its SHA-256 differs); limits calibrated on "
                    "{title} would not hold. Remove it, or run `autograder data fetch`"
                ).format(title=published.title),
                file=source,
            )
    images, labels = arrays
    return images.astype(np.float32) / np.float32(255), labels


def _read(source: Path) -> bytes:
    try:
        if source.suffix == ".gz":
            with gzip.open(source) as stream:
                raw = stream.read(MAX_BYTES + 1)
        else:
            with source.open("rb") as plain:
                raw = plain.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ConfigurationError(
            _("is damaged or cannot be read: {error}; fetch it again").format(error=error), file=source
        ) from error
    if len(raw) > MAX_BYTES:
        raise ConfigurationError(
            _("holds more than {max_bytes} bytes; the test files are smaller").format(max_bytes=MAX_BYTES),
            file=source,
        )
    return raw


@functools.cache
def _scikit_learn_digits() -> tuple[FloatArray, ByteArray]:
    import numpy as np

    try:
        from sklearn.datasets import load_digits as load
    except ImportError as error:
        raise ConfigurationError(
            _(
                "neither the images nor scikit-learn are here; `autograder data fetch` gets the one, "
                "`pip install scikit-learn` the other"
            )
        ) from error
    bunch = load()
    small = bunch.images.astype(np.float64) / 16  # (n, 8, 8)
    # Bilinear to 20 x 20, then a margin of 4: the layout of MNIST, whose digits fill a box of 20 x 20.
    box, margin = 20, 4
    position = np.clip((np.arange(box) + 0.5) * 8 / box - 0.5, 0, 7)
    weights = np.maximum(0, 1 - np.abs(position[:, None] - np.arange(8)))  # (20, 8), rows sum to 1
    large = weights @ small @ weights.T
    images = np.pad(large, ((0, 0), (margin, margin), (margin, margin))).astype(np.float32)
    return images, bunch.target.astype(np.uint8)
