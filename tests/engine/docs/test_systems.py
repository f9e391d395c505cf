"""The systems of the sources: each line of their list stands in the table, with what covers it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
SHARED = ROOT.parent / "shared" / "systems.md"
sys.path.insert(0, str(ROOT / "docs"))
import systems  # noqa: E402  # the documentation's own module


def listed() -> dict[str, list[str]]:
    return {s["source"]: [e["system"] for e in s["systems"]] for s in yaml.safe_load(systems.FILE.read_text())}


@pytest.mark.skipif(not SHARED.is_file(), reason="the list of the sources' systems is not beside the project")
def test_every_system_of_the_sources_is_there():
    parts = re.split(r"^## ", SHARED.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    expected = {part.splitlines()[0]: re.findall(r"^- (.+)$", part, flags=re.MULTILINE) for part in parts}
    assert listed() == expected


def test_the_table_covers_each(monkeypatch, tmp_path):
    page = systems.systems()
    assert all(system.replace("|", "\\|") in page for of_source in listed().values() for system in of_source)
    text = systems.FILE.read_text(encoding="utf-8")
    for broken, said in (
        (text.replace("checks: {langevin_ot: [cost_matrix,", "checks: {langevin_ot: [no_such_check,"), "no_such_check"),
        (text.replace("checks: {markov_quiz: [quiz_model]}", "checks: {}"), "no check covers"),
    ):
        assert broken != text
        file = tmp_path / "systems.yaml"
        file.write_text(broken, encoding="utf-8")
        made = systems.FILE
        course = systems.load_config(made.parents[1] / "grading_config.yaml")
        monkeypatch.setattr(systems, "load_config", lambda path, course=course: course)
        monkeypatch.setattr(systems, "FILE", file)
        with pytest.raises(LookupError, match=said):
            systems.systems()
        monkeypatch.undo()
