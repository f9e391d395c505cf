"""Pages in a real browser: both languages, wide and narrow, light and dark; nothing asked of the network; axe.

Needs Chromium (Debian: `apt-get install chromium`), `pip install playwright`, and axe-core's axe.min.js (npm), named in
AUTOGRADER_AXE or found in node_modules/. Where one is missing the tests are skipped and say which.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from autograder.book.decisions import Decision
from autograder.language import speaking
from autograder.reports.class_view import class_view, listing
from autograder.reports.pages import Links, class_page, index_page, student_page
from autograder.reports.reading import Purpose
from autograder.reports.similarity import likeness
from autograder.reports.visible import student_view
from autograder.results.model import AskedQuestion, Example, OwnLines, RaisedLine
from tests.engine.book.conftest import grades

pytestmark = pytest.mark.slow
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ROOT = Path(__file__).parents[3]
AXE = Path(os.environ.get("AUTOGRADER_AXE") or ROOT / "node_modules/axe-core/axe.min.js")
CODE = "\n".join(f"def step_{i}(x, y):\n    return x[{i}] * y - {i} / (x + {i + 1}) if x else y @ x" for i in range(9))
SHAPE = "a tensor of shape (128, 1, 28, 28), float32"
NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
# Words in cells that stand on more than one line; names of code may be broken, and are marked as such.
BROKEN_WORDS = """() => {
  const broken = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node; (node = texts.nextNode()); ) {
    if (!node.parentElement.closest("td, th") || node.parentElement.closest(".loose, .long, code")) continue
    for (const word of node.data.matchAll(/[\\p{L}\\d]+/gu)) {
      const range = document.createRange()
      range.setStart(node, word.index)
      range.setEnd(node, word.index + word[0].length)
      if (new Set([...range.getClientRects()].map(r => Math.round(r.top))).size > 1) broken.push(word[0])
    }
  }
  return broken
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with playwright.sync_playwright() as driver:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        started = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield started
        started.close()


@pytest.fixture
def pages(course, result, check, problem):
    """A student's page and the class's, in a language."""

    def make(language: str, students: int = 3) -> dict[str, str]:
        results, names = [], {}
        for k in range(students):
            lost = check(
                "density", "failed", message="the mean: expected a number, got None.", hint="Look at <i>it</i>.",
                diagnosis="sign" if k % 2 else None, diagnosis_title="the sign is wrong",
                lines=OwnLines("flows.py", 3, CODE), example=Example("f(tensor([[0., 1.]]))", "tensor([2.])", "3."),
                raised=RaisedLine("flows.py", 4, "return a_name @ b  # " + "long " * 40, dict.fromkeys("ab", SHAPE)),
            )  # fmt: skip
            asked = AskedQuestion(
                "Which of the two is it, and why is it not the other one? " * 3, "'neither of the two'"
            )
            quiz = check("quiz_order", "failed", kind="quiz", measured={"answer: neither of the two": 1.0}, asked=asked)
            own = (lost if k % 3 else check("density"), check("secret", "blocked" if k % 3 else "passed"), quiz)
            name = f"student <b>{k}</b>"
            names[name] = ("陳小明 🦊", "Gwendolyn Featherstonehaugh-Cholmondeley", "")[k % 3]
            results.append(result(name, "flows", *own, loading=[problem], notes=["The file is empty."]))
            results.append(result(name, "chains", check("order")))
        with speaking(language):
            comment = Decision(
                "comment", results[0].student, "flows", text="Why <b>?", line="12", who="Dr T", why="c", when=NOW
            )
            given = grades(results, course, [comment])
            lines = {("flows", "12"): ((11, "x = 1"), (12, "y = torch.cat([x] * 3)  # " + "long " * 40))}
            codes = {name: f"{CODE}\n# {name}" for name in names}
            view = class_view(course, results, given, NOW, names=names, likeness=[likeness("flows", codes, "")])
            assert view.likeness[0].pairs
            listed = listing(course, [(grade, False) for grade in given], NOW, names)
            addresses = {row.student: "student.html" for row in view.students}
            links = Links("index.html", "class.html", ("陳小明 🦊", "student.html"), ("Bob", "student.html"))
            student = student_view(
                course, results[:2], given[:2], NOW, excerpts=lines, before={"flows": results[2]},
                purposes={("flows", "quiz_order"): Purpose("order_of_a_chain", "The order of a chain. " * 8)},
            )  # fmt: skip
            teacher = student_view(course, results[2:4], given[2:4], NOW, name=names[results[2].student], teacher=True)
            return {
                "student": student_page(student, course, language),
                "teacher": student_page(teacher, course, language, links),
                "index": index_page(listed, course, language, addresses, "class.html"),
                "class": class_page(view, course, language, addresses, "index.html"),
            }

    return make


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_sound(browser, pages, language, width, scheme, tmp_path):
    for name, text in pages(language).items():
        file = tmp_path / f"{name}.html"
        file.write_text(text, encoding="utf-8")
        options = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
        context = browser.new_context(**options)
        page = context.new_page()
        said: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message, said=said: said.append(message.text))
        page.on("pageerror", lambda error, said=said: said.append(str(error)))
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.goto(file.as_uri())
        folder = os.environ.get("AUTOGRADER_SCREENSHOTS")
        if folder:
            page.screenshot(path=f"{folder}/{name}-{language}-{width}-{scheme}.png", full_page=True)
        assert not said, f"{name}: {said}"
        assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
        assert page.locator("html").get_attribute("lang") == language
        assert page.locator("h1 b, td b, th b").count() == 0, "a student's name became markup"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name}: wider than the screen"
        assert page.evaluate(BROKEN_WORDS) == [], f"{name}: words of tables are broken"
        context.close()


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser, pages, language, scheme, tmp_path):
    if not AXE.is_file():
        pytest.skip(f"axe-core is not at {AXE} (AUTOGRADER_AXE names it)")
    for name, text in pages(language).items():
        file = tmp_path / f"{name}.html"
        file.write_text(text, encoding="utf-8")
        # The page's own policy forbids every script, ours too.
        context = browser.new_context(bypass_csp=True, color_scheme=scheme)
        page = context.new_page()
        page.goto(file.as_uri())
        page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
        found = page.evaluate("async () => (await axe.run()).violations")
        serious = [(v["id"], v["nodes"][0]["html"][:200]) for v in found if v["impact"] in ("serious", "critical")]
        assert not serious, f"{name}: {serious}"
        context.close()
