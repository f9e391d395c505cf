"""The published data sets of images: what their files are called, what they hold, and where they come from.

Both are 10,000 test images of 28 x 28 grey levels in ten classes, in the same format and under the same names. Their
content is held against its SHA-256: gzip may be repeated with other headers, as Debian does; the content may not.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

SetName = Literal["mnist", "fashion", "digits"]

IMAGES, LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"


@dataclass(frozen=True)
class RemoteFile:
    """A compressed file as its authors publish it, and its two checksums."""

    name: str
    sha256: str
    md5: str


@dataclass(frozen=True, eq=False)
class PublishedSet:
    """A data set that is somewhere to be had.

    Attributes:
        name: as in a course's configuration and in `reference/`.
        title: as people call it.
        folder: its name below `shared/data` and below the user's cache.
        variable: the environment's word for another folder.
        content: SHA-256 of each decompressed file.
        files: what is downloaded.
        mirrors: addresses that the name of a file is appended to.
        installed: where a package of the system puts the files.
    """

    name: SetName
    title: str
    folder: str
    variable: str
    content: dict[str, str]
    files: tuple[RemoteFile, ...]
    mirrors: tuple[str, ...]
    installed: tuple[Path, ...] = ()


MNIST = PublishedSet(
    name="mnist",
    title="MNIST",
    folder="mnist",
    variable="AUTOGRADER_MNIST",
    content={
        IMAGES: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        LABELS: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    files=(
        RemoteFile(
            f"{IMAGES}.gz",
            sha256="8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            md5="9fb629c4189551a2d022fa330f9573f3",
        ),
        RemoteFile(
            f"{LABELS}.gz",
            sha256="f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            md5="ec29112dd5afa0611ce80d1b7f02629c",
        ),
    ),
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
)

FASHION = PublishedSet(
    name="fashion",
    title="Fashion-MNIST",
    folder="fashion-mnist",
    variable="AUTOGRADER_FASHION_MNIST",
    content={
        IMAGES: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        LABELS: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
    files=(
        RemoteFile(
            f"{IMAGES}.gz",
            sha256="346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            md5="bef4ecab320f06d8554ea6380940ec79",
        ),
        RemoteFile(
            f"{LABELS}.gz",
            sha256="67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            md5="bb300cfdad3c16e7a12a480ee83cd310",
        ),
    ),
    mirrors=(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
    installed=(Path("/usr/share/datasets/fashion-mnist"),),  # Debian's dataset-fashion-mnist
)

PUBLISHED = {published.folder: published for published in (MNIST, FASHION)}
