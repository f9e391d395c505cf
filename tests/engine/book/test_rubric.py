"""What teachers mark by hand: its file is read, and what is wrong in it is named."""

from __future__ import annotations

import pytest

from autograder.book.rubric import load_rubric
from autograder.course import ConfigurationError
from tests.engine.book.conftest import RUBRIC


@pytest.mark.parametrize(
    ("change_of", "word"),
    [
        (("flows:", "flwos:"), "did you mean 'flows'"),
        (("essay", "figures"), "listed twice"),
        (("points: 3", "points: three"), "points"),
        (("schema_version: 1", "schema_version: 2"), "schema_version"),
    ],
)
def test_a_wrong_rubric_is_named_by_its_line(course, change_of, word):
    (course.root / "rubric.yaml").write_text(RUBRIC.replace(*change_of))
    with pytest.raises(ConfigurationError, match=word) as raised:
        load_rubric(course)
    assert "rubric.yaml:" in str(raised.value)
