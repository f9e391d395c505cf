"""What a student's page teaches: what the function should do, the line that raised, the quiz, what has changed."""

from __future__ import annotations

import re

import pytest

from autograder.authoring.bundle import purposes_of
from autograder.authoring.statement import purposes
from autograder.language import speaking
from autograder.reports.pages import student_page
from autograder.reports.reading import Purpose, ReadingList
from autograder.reports.visible import student_view
from autograder.results.model import AskedQuestion, OwnLines, RaisedLine
from tests.engine.book.conftest import grades
from tests.engine.reports.test_student_page import EVIL, NOW, Outline

SCRIPT = '''
# %% [markdown]
# ## 1. Means

# %%
def kl_divergence(mu):
    """KL divergence of `mu` from the prior,
    in nats.

    Raises:
        ValueError: never.
    """


class Flow:
    """A flow.

    More of it.
    """

    def log_prob(self, x):
        """Log-density of x (B, D): (B,)."""

    def silent(self):
        return 1


### BEGIN SOLUTION
def helper(x):
    """What only the solution has."""
    return x
### END SOLUTION
'''
TABLE = {
    "kl_divergence": "KL divergence of `mu` from the prior, in nats.", "Flow": "A flow.",
    "Flow.log_prob": "Log-density of x (B, D): (B,).",
}  # fmt: skip


def page(course, results, language="en", **more):
    with speaking(language):
        view = student_view(course, results, grades(results, course), NOW, **more)
        return student_page(view, course, language)


def text_of(*args, **more):
    return " ".join(Outline(page(*args, **more)).text.split())


def squeezed(text):
    return "".join(text.split())


def test_the_purpose_of_a_function_is_how_its_docstring_begins():
    assert purposes(SCRIPT) == TABLE | {"helper": "What only the solution has."}


@pytest.fixture
def reading(course):
    solution = course.root / "solutions/flows/flows.py"
    solution.parent.mkdir(parents=True, exist_ok=True)
    solution.write_text(SCRIPT)
    return ReadingList(course, lambda exercise: {}, purposes_of)


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        ({"lines": OwnLines("flows.py", 7, "def kl_divergence(x):\n    return x")}, "kl_divergence"),
        ({"lines": OwnLines("flows.py", 7, "class Flow:\n    pass"), "message": "`kl_divergence` is odd"}, "Flow"),
        ({"lines": OwnLines("flows.py", 7, "def other(x):\n    pass"), "message": "kl_divergence(mu): wrong"},
         "kl_divergence"),
        ({"message": "`kl_divergence` is not defined in your file."}, "kl_divergence"),
        ({"message": "a Flow is wrong"}, ""),
        ({"message": "wrong"}, ""),
        ({"lines": OwnLines("flows.py", 7, "def helper(x):\n    return x"), "message": "`helper` is wrong"}, ""),
    ],
)  # fmt: skip
def test_a_failed_check_knows_what_its_function_should_do(reading, result, check, facts, name):
    failed = reading.purposes([result("ada", "flows", check("density", "failed", **facts))])
    assert failed == ({("flows", "density"): Purpose(name, TABLE[name])} if name else {})
    assert reading.purposes([result("ada", "flows", check("density", **facts))]) == {}
    assert reading.purposes([result("ada", "unknown", check("density", "failed", **facts))]) == {}


def test_the_page_says_what_the_function_should_do_in_both_languages(course, result, check):
    given = [result("ada", "flows", check("density", "failed", message="wrong"))]
    told = {("flows", "density"): Purpose("kl_divergence", "KL divergence of `mu` " + EVIL)}
    text = text_of(course, given, purposes=told)
    assert "What the exercise says of kl_divergence: KL divergence of mu <script>" in text
    assert "<script>" not in page(course, given, purposes=told)
    assert "Ce que l'énoncé dit de kl_divergence\u00a0: KL" in Outline(page(course, given, "fr", purposes=told)).text


def test_a_line_that_raised_stands_with_what_was_in_it(course, result, check):
    raised = RaisedLine("cell 3", 7, "z = mu @ std  # " + EVIL, {"mu": "a tensor of shape (2, 3), float32"})
    facts = {"message": "sample raised RuntimeError", "raised": raised}
    given = [result("ada", "flows", check("density", "failed", **facts), check("other", "failed", **facts))]
    text = text_of(course, given)
    assert "Line 7 of cell 3 raised it: z = mu @ std" in text
    assert "mu: a tensor of shape (2, 3), float32" in text
    assert text.count("Line 7 of cell 3") == 1
    assert "<script>" not in page(course, given)
    french = " ".join(Outline(page(course, given, "fr")).text.split())
    assert "Levée par cellule 3, ligne 7" in french
    assert "un tenseur de forme (2, 3), float32" in french


def test_a_hidden_check_shows_none_of_it(course, result, check):
    raised = RaisedLine("cell 3", 7, "SECRET-LINE", {})
    hidden = check("secret", "failed", visibility="hidden", raised=raised)
    assert "SECRET-LINE" not in page(course, [result("ada", "flows", hidden)])


def test_questions_of_the_quiz_are_read_with_their_answers(course, result, check):
    def quiz(name, outcome, question, answer, **more):
        return check(name, outcome, kind="quiz", asked=AskedQuestion(question, answer), **more)

    given = result(
        "ada", "flows",
        quiz("quiz_a", "failed", f"How large is it? {EVIL}", "0.25", message="not right"),
        quiz("quiz_b", "passed", "Which one?", "'both'"), quiz("secret", "passed", "How many?", "4711"),
        quiz("quiz_c", "failed", "And why?", "", message="not answered"),
    )  # fmt: skip
    text = text_of(course, [given])
    for part in (
        "Question How large is it?", "Your answer 0.25", "Which one?Your answer: 'both' · passed",
        "How many?Your answer: 4711 · not shown", "And why? Your answer none",
    ):  # fmt: skip
        assert squeezed(part) in squeezed(text)
    assert text.count("How large is it?") == 1
    assert "<script>" not in page(course, [given])
    assert "Votre réponse" in Outline(page(course, [given], "fr")).text


def test_what_has_changed_since_the_last_attempt_is_told(course, make_course, result, check):
    before = result(
        "ada", "flows", check("density", "failed"), check("other"), check("third"), check("secret", "failed")
    )
    now = result("ada", "flows", check("density"), check("other", "failed", message="x"), check("third"), check("new"),
                 check("secret"))  # fmt: skip
    text = text_of(course, [now], before={"flows": before})
    changes = text[text.index("What has changed since your last attempt") : text.index("What to look at")]
    assert "The checks gave 10 points then and give 20 now." in changes
    assert squeezed("Passed now, and not before: The title of density") in squeezed(changes)
    assert squeezed("Passed before, and not now: The title of other") in squeezed(changes)
    for part in ("third", "new", "secret"):
        assert f"The title of {part}" not in changes
    assert "What has changed" not in text_of(course, [now])
    assert "What has changed" not in text_of(course, [now], before={"flows": now})
    assert "What has changed" not in text_of(make_course(published=False), [now], before={"flows": before})
    french = Outline(page(course, [now], "fr", before={"flows": before})).text
    assert "Ce qui a changé depuis votre dernier essai" in french


def test_paper_shows_what_is_folded_and_no_dark_colours(course, result, check):
    lines = OwnLines("flows.py", 7, "def kl_divergence(x):\n    return x")
    source = page(course, [result("ada", "flows", check("density", "failed", message="wrong", lines=lines))])
    assert re.search(r'</summary></details>\s*<pre class="folded">', source)
    paper = source[source.index("@media print") :]
    assert "details:not([open]) + .folded { display: block; }" in paper
    screen = source[: source.index("@media print")]
    assert "details:not([open]) + .folded { display: none; }" in screen
    coloured = set(re.findall(r"(--[\w-]+):", screen[screen.index("prefers-color-scheme: dark") :].split("* {")[0]))
    assert coloured
    assert coloured <= set(re.findall(r"(--[\w-]+):", paper))
