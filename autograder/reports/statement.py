"""An exercise as students read it, as one page: for authors, who look at it before they give it out.

Formulas are drawn by matplotlib, which knows most of TeX's mathematics; one that it does not know stands there as it is
written, and notebooks show it.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from functools import cache

from markupsafe import Markup, escape

from autograder.course import CourseConfig
from autograder.reports.pages import render

_CELL = re.compile(r"(?m)^# %%(?: \[(markdown)\])?.*\n")
_FORMULA = re.compile(r"(?s)\$\$(.+?)\$\$|\$([^$\n]+(?:\n[^$\n]+)*?)\$")
_CODE = re.compile(r"(?s)```.*?```|`[^`\n]+`")
_PLACE = re.compile("\ue000(\\d+)\ue001")
# What matplotlib calls otherwise.
_OTHERWISE = (
    (re.compile(r"\\(?:text|texttt|operatorname)\*?\{"), r"\\mathrm{"),
    (re.compile(r"\\displaystyle\b"), ""),
    (re.compile(r"\\mid\b"), "|"),
    (re.compile(r"\\[td]frac(?![a-z])"), r"\\frac"),
    (re.compile(r"\\frac *(\d|(?<= )[A-Za-z]) *(?=[\w\\{])"), r"\\frac{\1}"),
    (re.compile(r"(\\frac(?:\{[^{}]*\})) *(\w)"), r"\1{\2}"),
    (
        re.compile(r"(\\(?:mathbb|mathcal|mathbf|sqrt|tilde|hat|bar)) *([A-Za-z0-9]|\\[a-z]+)(?![A-Za-z0-9{])"),
        r"\1{\2}",
    ),
    (re.compile(r"\\[lr]([vV])ert\b"), lambda found: r"\|" if found[1] == "V" else "|"),
    (re.compile(r"\\(?:big|Big|bigg|Bigg)[lr]?(?![a-z])"), ""),
    (re.compile(r"\\(?:ldots|cdots|dots)\b"), r"\\ldots"),
    (re.compile(r"\\(?:le|ge)(?![a-z])"), lambda found: found[0] + "q"),
)


def statement_page(script: str, title: str, course: CourseConfig, language: str) -> str:
    """The page of a percent script."""
    return render("statement.html", course, language, title=title, cells=list(_cells(script)))


def _cells(script: str) -> Iterator[Markup]:
    parts = _CELL.split(script)
    for kind, text in zip(parts[1::2], parts[2::2], strict=True):
        if kind == "markdown":
            yield _markdown("\n".join(line.removeprefix("#").removeprefix(" ") for line in text.strip().split("\n")))
        elif text.strip():
            yield Markup("<pre tabindex=0>{}</pre>").format(text.strip())


def _markdown(text: str) -> Markup:
    """Markdown as HTML; formulas go round it, for which their underscores would be emphasis."""
    from markdown_it import MarkdownIt

    formulas: list[Markup] = []

    def set_aside(found: re.Match[str]) -> str:
        formulas.append(formula(found[1] or found[2], bool(found[1])))
        return f"\ue000{len(formulas) - 1}\ue001"

    pieces = _CODE.split(text)
    codes = _CODE.findall(text)
    made = [_FORMULA.sub(set_aside, piece) + code for piece, code in zip(pieces, [*codes, ""], strict=True)]
    html = MarkdownIt("commonmark", {"html": False}).enable("table").render("".join(made))
    return Markup(_PLACE.sub(lambda found: str(formulas[int(found[1])]), html))


@cache
def formula(tex: str, apart: bool = False) -> Markup:
    """A formula as a picture, or as it is written."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.mathtext import math_to_image

    text = " ".join(tex.split())
    for pattern, other in _OTHERWISE:
        text = pattern.sub(other, text)
    picture = io.BytesIO()
    try:
        depth = math_to_image(f"${text}$", picture, FontProperties(size=12), dpi=72, format="svg")
    except ValueError:
        return Markup("<code class=tex>{}</code>").format(tex.strip())
    data = base64.b64encode(picture.getvalue()).decode("ascii")
    style = "" if apart else f"vertical-align: {-depth:g}pt"
    image = Markup('<img class=formula alt="{}" style="{}" src="data:image/svg+xml;base64,{}">')
    drawn = image.format(escape(tex), style, data)
    # What is wider than the screen is scrolled: made smaller, it could not be read.
    return Markup("<span class=apart tabindex=0>{}</span>").format(drawn) if apart else drawn
