"""A course that asks for full isolation is not graded with less."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autograder.course import load_config
from autograder.judge.engine import Engine
from autograder.judge.verdicts import FrameworkFault


def test_full_isolation_refuses_a_reduced_machine(toy):
    course = replace(load_config(toy / "grading_config.yaml"), isolation="full")
    engine = Engine(course, b"a secret of the tests", without=frozenset({"namespaces", "seccomp"}), unprotected=False)
    with pytest.raises(Exception, match="isolat"):
        engine.start()
    engine.close()


def test_reduced_isolation_is_refused_by_name(toy, monkeypatch):
    course = replace(load_config(toy / "grading_config.yaml"), isolation="full")
    engine = Engine(course, b"a secret of the tests")

    class Parent:
        def __init__(self, **options):
            from autograder.sandbox import Isolation

            self.isolation = Isolation("reduced", ("landlock", "seccomp"), ("namespaces",), ())

        def start(self):
            pass

        def close(self):
            pass

    monkeypatch.setattr("autograder.judge.engine.WarmParent", Parent)
    with pytest.raises(FrameworkFault, match="isolation: full"):
        engine.start()
