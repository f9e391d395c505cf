"""Every form of a hand-in that is tried: nobody's work is missing or another's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.submissions.cases import CASES, WHEN, Case


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.layout}: {case.identity}: {case.damage}"[:90])
def test_what_becomes_of_it(case: Case, tmp_path: Path):
    found = case.status(tmp_path)
    if case.refused:
        assert case.refused in found["refused"]
    else:
        assert found == case.becomes


def test_the_forms_are_many():
    assert len({(case.layout, case.identity, case.damage) for case in CASES}) == len(CASES) >= 60


@pytest.mark.parametrize("language", ["en", "fr", "de", "es", "it"])
def test_worksheets_have_the_time_in_every_language(language: str, tmp_path: Path):
    (case,) = [case for case in CASES if case.identity == f"worksheet in {language}"]
    with case.read(tmp_path) as scan:
        assert {entry.submitted for entry in scan.entries} == {WHEN}
        assert not any(entry.unread_time for entry in scan.entries)
