"""Some hundred cells as students write them: IPython's own lines among Python, and what only looks like them."""

from __future__ import annotations

from itertools import product
from pathlib import Path

# Written one by one; a line of `====` ends a cell.
WRITTEN = (Path(__file__).parent / "notebook_cells.txt").read_text(encoding="utf-8").split("====\n")

LINES = (
    "%matplotlib inline", "%time y = f(1)", "!ls -l", "!!ls", "z = !ls", "z = %time f(1)", "?print", "print?",
    "np.sum??", "%timeit f(1)", "%env A=b", "!echo 'a' \"b\"", "/f 1 2", "%alias_magic t timeit",
)  # fmt: skip
AROUND = (
    "a = 1\n{}\nb = 2", "{}\n{}", "if a:\n    {}\n    b = 1", "s = '''\n{}\n'''", "s = f(\n    1,\n{}\n)",
    "# {}\na = 1",
    "def f(x):\n    '''A text.'''\n    {}\n    return x\n\n{}", "a = 1 \\\n  % 2\n{}", 's = "{}"', "    a = 1\n    {}",
    "\n\n{}\n\n", "try:\n    {}\nexcept E:\n    pass\nfinally:\n    {}", "a = [1,\n  2]  # why?\n{}", "\ta = 1\n\t{}\n",
)  # fmt: skip

CELLS = [
    *dict.fromkeys(
        [
            *(cell.removesuffix("\n") for cell in WRITTEN),
            *(around.replace("{}", line) for line, around in product(LINES, AROUND)),
        ]
    )
]
