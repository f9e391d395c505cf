"""Marks of punctuation as a language sets them."""

from __future__ import annotations

from autograder.language import mark, speaking


def test_french_has_a_space_before_some_marks_and_english_none():
    assert [mark(sign) for sign in ":;,"] == [":", ";", ","]
    with speaking("fr"):
        assert [mark(sign) for sign in ":;,"] == ["\u00a0:", "\u00a0;", ","]
