"""What builds on what: in the configuration, on the student's front page, and in its picture."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from autograder.authoring.course_map import course_map, has_map
from autograder.authoring.readme import student_readme
from autograder.course.config import load_config
from autograder.course.errors import ConfigurationError

CONFIG = """\
schema_version: 1
course: {id: demo, title: Demo}
exercises:
  - {id: first, title: "A < B", hours: 2, sources: [S1]}
  - {id: other, title: Other}
  - {id: second, title: "A title far too long for the two lines that a box has room for in it", after: [first]}
  - {id: third, title: Third, after: [second, other], hours: 2.5}
"""


def course(tmp_path, text=CONFIG):
    file = tmp_path / "grading_config.yaml"
    file.write_text(text)
    return load_config(file)


def test_each_exercise_stands_behind_what_it_builds_on(tmp_path):
    tree = ElementTree.fromstring(course_map(course(tmp_path)))
    name = "{http://www.w3.org/2000/svg}"
    x = {text.text: int(text.get("x")) for text in tree.iter(f"{name}text") if text.get("class") == "id"}
    assert x["first"] == x["other"] < x["second"] < x["third"]
    arrows = [path for path in tree.iter(f"{name}path") if path.get("marker-end")]
    assert len(arrows) == 3
    words = [text.text or "" for text in tree.iter(f"{name}text")]
    assert {"A < B", "S1 · 2 h", "2.5 h"} <= set(words)
    assert any(word.endswith("…") for word in words)
    assert max(map(len, words)) <= 31


def test_the_front_page_says_it_too(tmp_path):
    page = student_readme(course(tmp_path))
    assert "![What builds on what](course-map.svg)" in page
    row = next(line for line in page.splitlines() if line.startswith("| `third`"))
    assert re.split(r" *\| *", row)[1:5] == ["`third`", "Third", "`second`, `other`", "2.5"]


def test_a_course_that_says_nothing_has_no_map(tmp_path):
    plain = course(tmp_path, re.sub(r", after: \[[^]]*\]", "", CONFIG))
    assert not has_map(plain)
    assert "course-map" not in student_readme(plain)


@pytest.mark.parametrize("wrong", ["third", "second", "nothing"])
def test_what_it_builds_on_comes_before_it(tmp_path, wrong):
    with pytest.raises(ConfigurationError, match=wrong):
        course(tmp_path, CONFIG.replace("after: [first]", f"after: [{wrong}]"))
