"""A picture carries the hash of what it shows; programs that show it pass it over."""

from __future__ import annotations

import pytest

from autograder.reports.stamp import read_stamp, stamp, write_stamp


@pytest.fixture
def picture(tmp_path):
    from matplotlib.figure import Figure

    def draw(metadata=None):
        figure = Figure(figsize=(1, 1))
        figure.subplots().plot([0, 1], [0, 1])
        figure.savefig(tmp_path / "x.png", metadata=metadata)
        return tmp_path / "x.png"

    return draw


def test_the_hash_is_that_of_the_data(picture):
    assert read_stamp(picture()) is None
    file = picture({"Software": None, **stamp({"a": 1, "b": [0.5, None]})})
    assert read_stamp(file) == stamp({"b": [0.5, None], "a": 1})["Data"]
    assert read_stamp(file) != stamp({"a": 1, "b": [0.6, None]})["Data"]


def test_a_picture_of_another_program_is_stamped_and_stays_a_picture(picture):
    from PIL import Image

    file = picture()
    before = Image.open(file).tobytes()
    write_stamp(file, [1])
    write_stamp(file, [2])
    assert read_stamp(file) == stamp([2])["Data"]
    with Image.open(file) as image:
        assert image.tobytes() == before
        assert image.text["Data"] == stamp([2])["Data"]


def test_what_is_no_picture_is_refused(tmp_path):
    (tmp_path / "x.png").write_bytes(b"GIF89a")
    with pytest.raises(ValueError, match="is no PNG"):
        read_stamp(tmp_path / "x.png")
