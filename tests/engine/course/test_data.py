"""Digits: the order in which they are looked for, the fixed split, damaged files, and fetching them."""

from __future__ import annotations

import dataclasses
import functools
import gzip
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from autograder.course import data as digits_data
from autograder.course.config import CourseConfig, DataConfig, ExerciseConfig
from autograder.course.data import find_images, load_digits, load_images, parse_idx, resize, split_rows
from autograder.course.download import fetch
from autograder.course.errors import ConfigurationError
from autograder.course.sets import FASHION, IMAGES, LABELS, MNIST, PUBLISHED, PublishedSet, RemoteFile
from autograder.course.written import DataSet

REAL = Path(__file__).parents[4] / "shared" / "data" / "mnist"
needs_mnist = pytest.mark.skipif(not (REAL / f"{IMAGES}.gz").is_file(), reason="MNIST is not on this machine")


def course(root: Path, data_set: DataSet = "auto", folder: Path | None = None) -> CourseConfig:
    return CourseConfig(
        "demo",
        "Demo",
        (ExerciseConfig("a", "A"),),
        root / "grading_config.yaml",
        data=DataConfig(data_set, folder),
    )


@pytest.fixture(autouse=True)
def _no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGRADER_CACHE", str(tmp_path / "cache"))
    for published in PUBLISHED.values():
        monkeypatch.delenv(published.variable, raising=False)
    monkeypatch.delenv("http_proxy", raising=False)
    monkeypatch.delenv("HTTP_PROXY", raising=False)


def put(folder: Path) -> Path:
    """Files with the right names (their content is not read by `find_images`)."""
    folder.mkdir(parents=True)
    for name in (IMAGES, LABELS):
        (folder / f"{name}.gz").write_bytes(b"")
    return folder


def test_a_named_folder_comes_before_the_project_and_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "work" / "course"
    cache = put(tmp_path / "cache" / "mnist")
    assert find_images(MNIST, DataConfig(), root) == cache
    beside = put(tmp_path / "work" / "shared" / "data" / "mnist")
    assert find_images(MNIST, DataConfig(), root) == beside
    named = put(tmp_path / "named")
    assert find_images(MNIST, DataConfig(folder=named), root) == named
    variable = put(tmp_path / "variable")
    monkeypatch.setenv("AUTOGRADER_MNIST", str(variable))
    assert find_images(MNIST, DataConfig(folder=named), root) == variable
    assert find_images(MNIST, DataConfig("digits", named), root) is None


def test_a_named_folder_without_the_files_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"data\.folder.* lacks t10k-images"):
        find_images(MNIST, DataConfig(folder=tmp_path), tmp_path)


def test_mnist_demanded_and_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="autograder data fetch"):
        load_digits(course(tmp_path, "mnist"), "train", 5)


def test_without_mnist_the_digits_of_scikit_learn_are_used_and_said(tmp_path: Path) -> None:
    found = load_digits(course(tmp_path), "train")
    assert found.data_set == "digits"
    assert "upsampled" in found.note
    assert found.images.shape == (1_400, 784)
    assert found.images.dtype == np.float32
    assert found.images.min() >= 0
    assert 0.9 < found.images.max() <= 1
    held_out = load_digits(course(tmp_path, "digits"), "held_out", 5_000)
    assert held_out.images.shape == (397, 784)
    assert held_out.note == ""  # asked for: nothing to say


def test_upsampled_digits_keep_their_picture(tmp_path: Path) -> None:
    from sklearn.datasets import load_digits as original

    small = original().images / 16
    rows = split_rows("digits", 1797, "train")
    large = load_digits(course(tmp_path, "digits"), "train", 50).images.reshape(50, 28, 28)
    assert not large[:, :4].any()  # the margin
    assert not large[:, :, -4:].any()
    box = large[:, 4:24, 4:24]
    for k in range(50):
        # Both brought to 10 x 10 by averaging blocks.
        mine = box[k].reshape(10, 2, 10, 2).mean((1, 3))
        theirs = np.kron(small[rows[k]], np.ones((5, 5))).reshape(10, 4, 10, 4).mean((1, 3))
        assert np.corrcoef(mine.ravel(), theirs.ravel())[0, 1] > 0.9


@needs_mnist
def test_mnist_is_the_published_one() -> None:
    found = load_digits(course(Path("/nowhere"), folder=REAL), "train")
    assert (found.data_set, found.note) == ("mnist", "")
    assert found.images.shape == (8_000, 784)
    assert found.images.max() == 1
    assert found.images.mean() == pytest.approx(0.1325, abs=0.002)
    held_out = load_digits(course(Path("/nowhere"), folder=REAL), "held_out", 10_000, size=16)
    assert held_out.images.shape == (2_000, 256)
    # Padding to 32 and averaging keeps the amount of ink per image.
    full = load_digits(course(Path("/nowhere"), folder=REAL), "held_out", 10_000)
    assert held_out.images.sum(1) * 4 == pytest.approx(full.images.sum(1), rel=1e-4)
    counts = np.bincount(np.concatenate([found.labels, held_out.labels]))
    assert counts.tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@needs_mnist
def test_what_is_returned_is_the_callers_own() -> None:
    config = course(Path("/nowhere"), folder=REAL)
    first = load_digits(config, "train", 3)
    first.images[:] = 7
    assert load_digits(config, "train", 3).images.max() == 1


@pytest.mark.parametrize(("name", "count", "held_out"), [("mnist", 10_000, 2_000), ("digits", 1_797, 397)])
def test_the_split_is_fixed_and_does_not_overlap(name: digits_data.SetName, count: int, held_out: int) -> None:
    train, test = split_rows(name, count, "train"), split_rows(name, count, "held_out")
    assert len(test) == held_out
    assert sorted((*train, *test)) == list(range(count))
    # Fixed values: limits calibrated on another split would not hold.
    assert train[:3] == {"mnist": (8553, 1997, 340), "digits": (180, 937, 216)}[name]


def test_resizing_pads_and_averages() -> None:
    image = np.zeros((1, 28, 28), np.float32)
    image[0, 0, 0] = 1
    assert resize(image, 28).reshape(28, 28)[0, 0] == 1
    assert resize(image, 32).reshape(32, 32)[2, 2] == 1
    assert resize(image, 16).reshape(16, 16)[1, 1] == 0.25
    assert resize(image, 14).reshape(14, 14)[0, 0] == 0.25


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("test", 5), "split"), (("train", 0), "n must"), (("train", 5, 0), "size"), (("train", 5, 65), "size")],
)
def test_bad_arguments_are_named(tmp_path: Path, arguments: tuple[object, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        load_digits(course(tmp_path), *arguments)  # type: ignore[arg-type]


def idx(*shape: int, magic: int | None = None) -> bytes:
    header = (0x0800 + len(shape) if magic is None else magic).to_bytes(4, "big")
    return header + b"".join(n.to_bytes(4, "big") for n in shape) + bytes(int(np.prod(shape)))


def test_idx_files_are_validated() -> None:
    source = Path("file.gz")
    assert parse_idx(idx(3, 28, 28), 3, source).shape == (3, 28, 28)
    for raw, words in [
        (b"", "is no IDX file"),
        (idx(3, magic=0x0D01), "starts with 00000d01, not 00000801"),
        (idx(3)[:-1], "announces 3 values, 11 bytes; it has 10"),
        (idx(3) + b"x", "it has 12"),
        ((0x0801).to_bytes(4, "big") + b"\xff\xff\xff\xff", "4294967295"),
    ]:
        with pytest.raises(ConfigurationError, match=words):
            parse_idx(raw, 1, source)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"not gzip", "damaged"),
        (gzip.compress(idx(3, 28, 28))[:-12], "damaged"),
        (gzip.compress(bytes(20_000_000)), "more than 16000000 bytes"),
        (gzip.compress(idx(3, 28, 28)), "not MNIST's published test file"),
        (gzip.compress(idx(3)), "is no IDX file of 3 dimensions"),
    ],
    ids=["not gzip", "cut", "bomb", "other images", "labels for images"],
)
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    folder = put(tmp_path / "mnist")
    (folder / f"{IMAGES}.gz").write_bytes(content)
    with pytest.raises(ConfigurationError, match=words) as caught:
        load_digits(course(tmp_path, folder=folder), "train", 5)
    assert caught.value.file == folder / f"{IMAGES}.gz"


# --- fetching, from a server of our own


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{running.server_port}/"
        running.shutdown()
        thread.join()


def remote(name: str, content: bytes) -> RemoteFile:
    return RemoteFile(name, hashlib.sha256(content).hexdigest(), hashlib.md5(content).hexdigest())


class Counter:
    """A progress bar that draws nothing."""

    def __init__(self, name: str) -> None:
        self.name, self.total, self.stopped = name, 0, 0

    def update(self, n: int) -> None:
        pass

    def reset(self) -> None:
        pass

    def close(self) -> None:
        pass

    def stop(self) -> None:
        self.stopped += 1


def test_a_mirror_that_fails_is_followed_by_the_next(tmp_path: Path, server: tuple[Path, str]) -> None:
    folder, url = server
    for mirror, content in (("damaged", b"other"), ("good", b"right")):
        (folder / mirror).mkdir()
        (folder / mirror / "file.gz").write_bytes(content)
    target = tmp_path / "target"
    mirrors = [url + "missing/", url + "damaged/", url + "good/"]
    bars: list[Counter] = []

    def bar(name: str) -> Counter:
        bars.append(Counter(name))
        return bars[-1]

    assert fetch(MNIST, target, mirrors=mirrors, files=[remote("file.gz", b"right")], bar=bar) == target
    assert [(one.name, one.stopped) for one in bars] == [("file.gz", 1)] * 3
    assert bars[-1].total == 5
    assert [path.name for path in target.iterdir()] == ["file.gz"]
    assert (target / "file.gz").read_bytes() == b"right"
    # A second call needs no mirror.
    fetch(MNIST, target, mirrors=["http://127.0.0.1:1/"], files=[remote("file.gz", b"right")])


def test_when_all_mirrors_fail_each_is_told_and_nothing_is_left(tmp_path: Path, server: tuple[Path, str]) -> None:
    folder, url = server
    (folder / "damaged").mkdir()
    (folder / "damaged" / "file.gz").write_bytes(b"other")
    target = tmp_path / "target"
    with pytest.raises(ConfigurationError) as caught:
        fetch(MNIST, target, mirrors=[url + "missing/", url + "damaged/"], files=[remote("file.gz", b"right")])
    message = str(caught.value)
    assert "missing/: HTTPError: 404" in message
    assert "damaged/: ValueError" in message
    assert str(target) in message
    assert not list(target.iterdir())


def test_the_authors_md5_counts_too(tmp_path: Path, server: tuple[Path, str]) -> None:
    folder, url = server
    (folder / "file.gz").write_bytes(b"right")
    wrong = dataclasses.replace(remote("file.gz", b"right"), md5="0" * 32)
    with pytest.raises(ConfigurationError, match="MD5"):
        fetch(MNIST, tmp_path / "target", mirrors=[url], files=[wrong])
    assert not list((tmp_path / "target").iterdir())


@needs_mnist
def test_the_checksums_are_those_of_the_real_files() -> None:
    for file in MNIST.files:
        content = (REAL / file.name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file.sha256
        assert hashlib.md5(content).hexdigest() == file.md5


# --- Fashion-MNIST


REAL_FASHION = REAL.parent / "fashion-mnist"
needs_fashion = pytest.mark.skipif(
    not (REAL_FASHION / f"{IMAGES}.gz").is_file(), reason="Fashion-MNIST is not on this machine"
)


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> PublishedSet:
    """Fashion-MNIST as on a machine without Debian's package."""
    return dataclasses.replace(FASHION, installed=(tmp_path / "usr",))


def test_fashion_is_looked_for_beside_in_the_cache_and_where_a_package_puts_it(
    nowhere: PublishedSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "work" / "course"
    assert find_images(nowhere, DataConfig(), root) is None
    installed = put(tmp_path / "usr")
    assert find_images(nowhere, DataConfig(), root) == installed
    cache = put(tmp_path / "cache" / "fashion-mnist")
    assert find_images(nowhere, DataConfig(), root) == cache
    beside = put(tmp_path / "work" / "shared" / "data" / "fashion-mnist")
    assert find_images(nowhere, DataConfig(), root) == beside
    mnist = put(tmp_path / "mnist")
    assert find_images(nowhere, DataConfig(folder=mnist), root) == beside  # that folder is MNIST's
    variable = put(tmp_path / "variable")
    monkeypatch.setenv("AUTOGRADER_FASHION_MNIST", str(variable))
    assert find_images(nowhere, DataConfig(), root) == variable
    assert find_images(nowhere, DataConfig("digits"), root) is None


def test_what_replaces_fashion_is_said(nowhere: PublishedSet, tmp_path: Path) -> None:
    found = load_images(course(tmp_path), nowhere, "train", 3)
    assert found.data_set == "digits"
    assert "Fashion-MNIST is not on this machine" in found.note
    assert load_images(course(tmp_path, "digits"), nowhere, "train", 3).note == ""
    with pytest.raises(ConfigurationError, match="Fashion-MNIST is asked for"):
        load_images(course(tmp_path, "mnist"), nowhere, "train", 3)


@needs_fashion
def test_the_real_clothes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGRADER_FASHION_MNIST", str(REAL_FASHION))
    config = course(Path("/nowhere"))
    train, unseen = (load_images(config, FASHION, split) for split in ("train", "held_out"))  # type: ignore[arg-type]
    assert (train.data_set, train.images.shape, unseen.images.shape) == ("fashion", (8_000, 784), (2_000, 784))
    assert sorted(np.unique(train.labels)) == list(range(10))
    assert 0.25 < train.images.mean() < 0.33  # clothes fill more of the picture than digits, whose mean is 0.13
    whole = unseen.images.reshape(-1, 28, 28)
    for size, block in ((14, 2), (7, 4)):
        small = load_images(config, FASHION, "held_out", size=size).images.reshape(-1, size, size)
        means = whole.reshape(-1, size, block, size, block).mean((2, 4))
        np.testing.assert_allclose(small, means, atol=1e-6)
    padded = np.pad(whole, ((0, 0), (2, 2), (2, 2))).reshape(-1, 16, 2, 16, 2).mean((2, 4))
    sixteen = load_images(config, FASHION, "held_out", size=16).images.reshape(-1, 16, 16)
    np.testing.assert_allclose(sixteen, padded, atol=1e-6)


@needs_mnist
def test_one_data_set_is_not_taken_for_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGRADER_FASHION_MNIST", str(REAL))
    with pytest.raises(ConfigurationError, match="not Fashion-MNIST's published test file"):
        load_images(course(Path("/nowhere")), FASHION, "train", 3)


@pytest.mark.parametrize("published", PUBLISHED.values(), ids=lambda published: published.name)
def test_every_set_has_mirrors_and_two_checksums_for_each_file(published: PublishedSet) -> None:
    assert len(published.mirrors) >= 2
    assert [file.name for file in published.files] == [f"{name}.gz" for name in published.content]
    for file in published.files:
        assert (len(file.sha256), len(file.md5)) == (64, 32)
