"""The cells that were run in a live IPython session, as a submission's cells.

A cell that was run, changed and run again stands in the history twice. The earlier one is left out where a later one
defines all that it defined: what is checked is what the session holds.
"""

from __future__ import annotations

import ast
import sys

from autograder.submissions import Cell


def live_shell() -> object | None:
    """The IPython shell of this process, or None. IPython is asked only where it runs already."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None


def cells_that_ran(shell: object) -> tuple[Cell, ...]:
    """The cells in the order in which they were run, as written; labelled as the notebook shows them, In[3]."""
    manager = getattr(shell, "history_manager", None)
    written = list(getattr(manager, "input_hist_raw", ()))
    parsed = list(getattr(manager, "input_hist_parsed", ()))
    found: list[tuple[int, str, frozenset[str]]] = []
    for number, (source, python) in enumerate(zip(written, parsed, strict=False)):
        try:
            tree = ast.parse(python)  # with IPython's own lines made Python
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue  # it never ran
        if source.strip() and not all(_is_ours(node) for node in tree.body):
            found.append((number, source, _names(tree)))
    kept = [
        (number, source)
        for place, (number, source, names) in enumerate(found)
        if not names or not any(names <= later for _number, _source, later in found[place + 1 :])
    ]
    return tuple(Cell(number, f"In[{number}]", source, 1) for number, source in kept)


def _is_ours(node: ast.stmt) -> bool:
    """`import autograder`, `autograder.check(...)` and IPython's magics: nothing of the student's work."""
    if isinstance(node, ast.Import):
        return all(alias.name.partition(".")[0] == "autograder" for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").partition(".")[0] == "autograder"
    value = node.value if isinstance(node, ast.Expr | ast.Assign) else None
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute):
        return False
    called = ast.unparse(value.func)
    return called.startswith(("autograder.", "get_ipython().run_"))


def _names(tree: ast.Module) -> frozenset[str]:
    """What a cell defines at its top level, also inside `if` and `with`."""
    names: set[str] = set()
    todo: list[ast.AST] = list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
            names.add(ast.unparse(node))  # `model.training = ...`: another cell's name does not stand for it
        elif not isinstance(node, ast.Lambda):
            todo += ast.iter_child_nodes(node)
    return frozenset(names)
