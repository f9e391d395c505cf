"""An exercise as students will read it: Markdown, code, and formulas as pictures where they can be drawn."""

from __future__ import annotations

from autograder.reports.statement import statement_page

SCRIPT = """\
# %% [markdown]
# # A toy <b>
#
# The mean $m_i = \\tfrac1n \\sum_j x_{ij} \\in \\mathbb R$ of `x_i` is $\\unknown{x}$.
#
# $$\\sqrt 2 \\mid \\mathrm{x}$$
#
# | a | b |
# |---|---|
# | 1 | 2 |

# %%
def mean(x):
    raise NotImplementedError("mean is not written yet <i>")
"""


def test_a_statement_is_a_page(course):
    page = statement_page(SCRIPT, "Toy", course, "en")
    assert "<h1>A toy &lt;b&gt;</h1>" in page
    assert page.count("data:image/svg+xml;base64,") == 2
    assert "<code class=tex>\\unknown{x}</code>" in page
    assert "<code>x_i</code>" in page
    assert "<td>1</td>" in page
    assert "NotImplementedError(&#34;mean is not written yet &lt;i&gt;&#34;)" in page
    assert "<script" not in page
    assert 'alt="m_i = \\tfrac1n \\sum_j x_{ij} \\in \\mathbb R"' in page
