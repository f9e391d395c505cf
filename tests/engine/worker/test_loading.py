"""Loading what students write: each broken piece costs itself and no more, and the student is told where."""

from __future__ import annotations

import linecache

import pytest

from autograder.worker.loader import load


def loaded(*sources: str, skip=frozenset(), seconds=2.0):
    cells = [
        {"source": s, "where": f"cell {i}", "filename": f"toy.ipynb, cell {i}", "first_line": 1}
        for i, s in enumerate(sources, 1)
    ]
    seen = []
    module, problems = load("student_toy", cells, set(skip), seconds, lambda *at: seen.append(at))
    return module, problems, seen


def test_good_code_loads_without_a_word():
    module, problems, seen = loaded("import math\n\n\ndef f(x):\n    return math.sqrt(x)\n", "y = f(4)")
    assert problems == []
    assert module.y == 2
    assert [place for _, place, _ in seen] == ["cell 1", "cell 1", "cell 2"]


def test_a_statement_that_raises_costs_itself():
    module, problems, _ = loaded("a = 1\nb = a / 0\nc = 3")
    assert (module.a, module.c) == (1, 3)
    assert not hasattr(module, "b")
    assert [(p.where, p.line, p.kind) for p in problems] == [("cell 1", 2, "exception")]
    assert "ZeroDivisionError" in problems[0].message


def test_a_syntax_error_costs_its_piece():
    module, problems, _ = loaded("def f():\n    return 1\n\ndef g(:\n    return 2\n\ndef h():\n    return 3\n", "z = 1")
    assert module.f() == 1
    assert module.h() == 3
    assert module.z == 1
    assert not hasattr(module, "g")
    assert [(p.where, p.line, p.kind) for p in problems] == [("cell 1", 4, "syntax")]


def test_text_in_a_broken_literal_is_not_run():
    module, problems, _ = loaded('s = """\nimport os\nos.stop_everything()\nx = 1 +\n')
    assert [p.kind for p in problems] == ["syntax"]
    assert not hasattr(module, "s")


def test_the_statement_of_a_timed_line_runs():
    line = "get_ipython().run_line_magic"
    module, problems, _ = loaded(
        f"import builtins\nbuiltins.get_ipython = lambda: None\n{line}('time', 'a = 1; b = 2')\n"
        f"c = {line}('time', 'a + b')\nfor i in range(3):\n    {line}('prun', 'b += a')\n",
        f"x = 1\n{line}('time', 'x = (')",
    )
    assert (module.a, module.b, module.c) == (1, 5, 3)
    assert [(problem.where, problem.line, problem.kind) for problem in problems] == [("cell 2", 2, "exception")]


def test_await_at_the_top_level_runs():
    module, problems, _ = loaded(
        "import asyncio\n\nasync def f(x):\n    await asyncio.sleep(0)\n    return x\n\nx = await f(3)",
        "async def g():\n    for i in range(3):\n        yield i\n\ny = [i async for i in g()]",
        "async for z in g():\n    pass",
        "await f(1 / 0)\nw = 1",
    )
    assert (module.x, module.y, module.z, module.w) == (3, [0, 1, 2], 2, 1)
    assert [(problem.where, problem.line) for problem in problems] == [("cell 4", 1)]


def test_an_endless_await_is_interrupted():
    module, problems, _ = loaded("import asyncio\nawait asyncio.Event().wait()\nx = 1", seconds=0.3)
    assert module.x == 1
    assert [(problem.line, problem.kind) for problem in problems] == [(2, "timeout")]


def test_a_missing_package_costs_what_uses_it():
    module, problems, _ = loaded("import no_such_package\nimport math\n\ndef f():\n    return math.pi")
    assert module.f() > 3
    assert "no_such_package" in problems[0].message


def test_an_endless_statement_is_interrupted():
    module, problems, _ = loaded("a = 1\nwhile True:\n    pass\nb = 2", seconds=0.2)
    assert (module.a, module.b) == (1, 2)
    assert [(p.line, p.kind) for p in problems] == [(2, "timeout")]


def test_exit_does_not_end_the_load():
    module, problems, _ = loaded("import sys\nsys.exit(0)\nb = 2", "raise SystemExit")
    assert module.b == 2
    assert len(problems) == 2


def test_the_main_block_is_not_run():
    module, _, _ = loaded("ran = False\nif __name__ == '__main__':\n    ran = True")
    assert module.ran is False


def test_skipped_statements_are_not_run():
    module, problems, _ = loaded("a = 1\na = 2\nb = 3", skip={1})
    assert (module.a, module.b) == (1, 3)
    assert problems == []


def test_future_imports_hold_for_later_cells():
    module, problems, _ = loaded("from __future__ import annotations", "def f(x: NotDefined) -> AlsoNot:\n    return x")
    assert problems == []
    assert module.f(1) == 1


def test_classes_and_dataclasses_find_their_module():
    module, problems, _ = loaded(
        "from dataclasses import dataclass\n@dataclass\nclass Point:\n    x: 'int' = 1\n", "p = Point(3)"
    )
    assert problems == []
    assert module.p.x == 3


def test_source_can_be_inspected():
    module, _, _ = loaded("x = 1\n\n\ndef f():\n    return 12345\n")
    import inspect

    assert "12345" in inspect.getsource(module.f)
    linecache.clearcache()


def test_an_exception_that_lies_is_described():
    source = (
        "class Nasty(Exception):\n    def __str__(self):\n        raise RuntimeError\n"
        "raise Nasty\nclass Long(Exception):\n    def __str__(self):\n        return 'x' * 10**7\nraise Long\nok = 1"
    )
    module, problems, _ = loaded(source)
    assert module.ok == 1
    assert all(len(p.message) < 2000 for p in problems)


def test_nested_too_deeply_is_a_problem_not_a_crash():
    _module, problems, _ = loaded("x = " + "(" * 5000 + ")" * 5000, "y = 1")
    assert problems[0].kind == "syntax"


@pytest.mark.parametrize("text", ["print 'a'", "Some prose, no code.", ")", "    x = 1", "if:", "x = = 1", "(" * 500])
def test_a_cell_of_nothing_that_compiles_costs_itself(text):
    module, problems, _ = loaded(text, "def f():\n    return 1\n", text)
    assert module.f() == 1
    assert [problem.where for problem in problems] == ["cell 1", "cell 3"]


def test_a_cell_that_breaks_its_reader_costs_itself(monkeypatch):
    from autograder.worker import loader

    split = loader.split_statements
    monkeypatch.setattr(
        loader, "split_statements", lambda source, *more: split(source, *more) if "f" in source else [].pop()
    )
    module, problems, _ = loaded("x = 1", "def f():\n    return 1\n")
    assert module.f() == 1
    assert [(problem.where, problem.kind) for problem in problems] == [("cell 1", "syntax")]
