"""Nothing is left in English: every text has its translation, and every text that is shown can have one."""

from __future__ import annotations

import ast
import random
import re
from collections import Counter
from pathlib import Path

import pytest

import autograder
from autograder import Course
from autograder.authoring.personal import load_quiz
from autograder.course import find_exercise
from autograder.language import said, speaking
from autograder.language.registry import settings
from autograder.service.translations import up_to_date
from autograder.translation.catalogues import content, make, placeholders, problems, read, spaced
from autograder.translation.extract import Text, framework, once

PACKAGE = Path(autograder.__file__).parent
ROOT = PACKAGE.parent
ADVICE = "run `make messages` and fill in the empty translations"


@pytest.mark.parametrize("course", [None, Course.open(ROOT)], ids=["framework", "course"])
def test_everything_is_translated(course):
    found = up_to_date("fr", course, write=False)
    assert not found.problems, f"{ADVICE}: {len(found.problems)}, first {found.problems[:3]}"
    assert not found.stale, f"{ADVICE}: {found.stale}"


@pytest.mark.parametrize("folder", [PACKAGE / "locale", ROOT / "translations"], ids=["framework", "course"])
def test_each_translation_stands_once(folder):
    every = [message for file in folder.glob("fr/LC_MESSAGES/*.po") for message in read(file)]
    assert not [message for message, count in Counter(every).items() if count > 1]


def test_what_several_have_is_shared_and_what_students_hear_is_theirs():
    a, b, c = (Text(f"{name}.py", name) for name in "abc")
    found = once({"course": [a], "x.public": [b], "x.hidden": [a, b, c], "y.hidden": [c]}, ["course", "x.public"])
    assert found == {"course": [a, a], "x.public": [b, b], "x.hidden": [], "y.hidden": [], "shared": [c, c]}


def test_what_is_missing_or_wrong_is_found():
    texts = [Text("a.py:1", "{n} of {total}"), Text("a.py:2", "new")]
    assert [p.message for p in problems("a", texts, {"new": ("nouveau",)})] == ["{n} of {total}"]
    assert [p.reason for p in problems("a", texts, {"new": ("neuf",), "{n} of {total}": ("{n} sur {tout}",)})] == [
        "other placeholders than in the original"
    ]
    assert not list(problems("a", texts, {"new": ("neuf",), "{n} of {total}": ("sur {total}, {n}",)}))
    statement = [Text("a.py:1", "Write `f`.")]
    assert [p.reason for p in problems("a.statement", statement, {"Write `f`.": ("Écrivez `g`.",)})] == [
        "other code than in the original"
    ]


PLURAL = [Text("a.py:1", "{n} frog in {pond}", "{n} frogs in {pond}")]


@pytest.mark.parametrize(
    ("forms", "reasons"),
    [
        (("{n} grenouille dans {pond}", "{n} grenouilles dans {pond}"), []),
        ((), [""]),
        (("{n} grenouilles dans {pond}",), [""]),  # from when the message had one form
        (("{n} grenouille", "{n} grenouilles dans {pond}"), ["other placeholders than in the original"]),
    ],
)
def test_a_text_with_a_form_for_several_has_one_for_each_form_of_the_language(forms, reasons):
    known = {"{n} frog in {pond}": forms} if forms else {}
    assert [problem.reason for problem in problems("a", PLURAL, known)] == reasons


def test_a_text_for_several_says_how_many_with_n(tmp_path):
    texts = [Text("a.py:1", "one frog", "{count} frogs")]
    known = {"one frog": ("{count} grenouille", "{count} grenouilles")}
    assert [problem.reason for problem in problems("a", texts, known)] == [
        "a text with a form for several counts with {n}"
    ]


def test_forms_are_kept_when_a_catalogue_is_written_and_read(tmp_path):
    known = {"{n} frog in {pond}": ("{n} grenouille dans {pond}", "{n} grenouilles dans {pond}")}
    file = tmp_path / "a.po"
    file.write_bytes(content(make("a", "fr", PLURAL, known)))
    assert read(file) == known
    file.write_bytes(content(make("a", "fr", PLURAL, {})))
    assert read(file) == {}
    assert file.read_text().count("msgstr[") == 2


def test_spaces_before_signs_do_not_break():
    text = "une forme ; `x : y` et $a ; b$ : « deux » {x : y} ? **fin !** https://x/?a :-) 3 :4"
    with_spaces = "une forme_; `x : y` et $a ; b$_: «_deux_» {x : y}_? **fin_!** https://x/?a :-) 3 :4"
    assert spaced(text, settings("fr")) == with_spaces.replace("_", "\u00a0")
    assert spaced(text, settings("en")) == text


# What a French teacher would stumble over: the wrong word, and the right one.
STUMBLES = {
    r"\bDonnée?s?\.": "« Fonction fournie. », « Fourni. » : Donnée est une donnée",
    r"Ce que vous faites|Comment (?:c'est jugé|on juge)": "Travail demandé, Évaluation",
    r"\bpas (?:strictement )?d'apprentissage": "taux d'apprentissage",
    r"\bécart type|\bécarts types": "écart-type",
    r"par dépassement": "arrondi à 0 (soupassement)",
    r"étendue (?:σ|\$)": "écart-type",
    r"sous-échantillonnage": "pooling, convolutions à pas de 2",
    r"\bentraînée?s? en (?!\w+ant)": "entraîné, évalué sur ...",
    r"moins aléatoire": "moins d'aléa",
    r"[Dd]iffus(?:e|é|ée|és|ées)\b": "broadcasting : extension automatique des dimensions",
    r"\bpas de bruit\b": "sans bruit",
    r"\best à vous\b|\bcomme vous voulez\b": "au choix",
    r"dont on sait tirer": "que l'on sait échantillonner",
    r"\bde frais\b|nombres frais|fraîchement": "nouvelles données, nouveaux poids",
    r"n'est pas positif|non positif|non négatif|> 0 positif": "strictement positif, positif ou nul",
    r"\brépond(?:ent)? (?!à|au|pas|aux|d'après)": "renvoie, prédit, produit",
    r"\b(?:[Aa]u|[Uu]n|[Cc]haque|mêmes?|seul|deux|trois|plusieurs|[Ll]es|[Dd]es|[Ss]es|son) temps\b"
    r"(?<!n un temps)(?<!en même temps)(?<!en deux temps)(?! d'autocorrélation| longs)":
        "l'instant t ; le temps est ce qui passe",
    r"[a-z]: (?=[a-zàéè])": "une espace avant le deux-points",
}


@pytest.mark.parametrize("pattern", STUMBLES)
def test_the_french_of_the_course_reads_as_french(pattern):
    found = [
        f"{file.stem}: {form}"
        for file in sorted((ROOT / "translations").glob("fr/LC_MESSAGES/*.po"))
        for forms in read(file).values()
        for form in forms
        if re.search(pattern, re.sub(r"`[^`]*`|\*[^*]*\*", "", form))
    ]
    assert not found, f"{STUMBLES[pattern]}: {found[:5]}"


# Where a point is no decimal mark: code, calls and lists as Python writes them, sections, articles, versions, formulas.
NO_NUMBER = re.compile(
    r"`[^`]*`|\w\([^()]*\)|\w+=[-\d.e]+|\[[^]]*\]|\{[^{}]*\}|\$[^$]*\$|127\.0\.0\.1"
    r"|(?:sections?|§|[Tt]héorème|remarque|version|arXiv:?|Python|antérieures à|point décimal :|un point, comme) [\d.]+"
    r"(?: à [\d.]+)?|arXiv:[\d.]+"
)


def english_numbers(text: str) -> list[str]:
    """Numbers in a French text that are written as in English."""
    formulas = re.findall(r"\$[^$]*\$", re.sub(r"`[^`]*`", "", text))
    wrong = [number for formula in formulas for number in re.findall(r"\d+\.\d+", formula)]
    return wrong + re.findall(r"\d+\.\d+|\d+(?:,\d{3}){2,}", NO_NUMBER.sub("", text.replace("\u00a0", " ")))


@pytest.mark.parametrize("folder", [PACKAGE / "locale", ROOT / "translations"], ids=["framework", "course"])
def test_numbers_are_written_as_in_french(folder):
    found = [
        f"{file.stem}: {numbers} in {form}"
        for file in sorted(folder.glob("fr/LC_MESSAGES/*.po"))
        for forms in read(file).values()
        for form in forms
        if (numbers := english_numbers(form))
    ]
    assert not found, f"write 0,5 and $0{{,}}5$, or code between backticks: {found[:5]}"


COURSE = Course.open(ROOT).config


@pytest.mark.parametrize("exercise", [one.id for one in COURSE.finished])
def test_whatever_numbers_are_drawn_the_questions_are_french(exercise):
    quiz = load_quiz(find_exercise(COURSE, exercise).quiz)
    with speaking("fr", COURSE.translations):
        asked = [said(text) for seed in range(12) for text in quiz.draw(random.Random(str(seed)))[1].values()]
    assert not [text for text in asked if re.search(r"\b(?:Answer|What|which)\b", text)]
    assert not [(numbers, text) for text in asked if (numbers := english_numbers(text))]


def test_an_english_number_is_found():
    assert english_numbers("à 0.5 près, 1,000,000 fois, $h = 0.1$") == ["0.1", "0.5", "1,000,000"]
    assert not english_numbers("`0.5`, lr=0.5, f(0.5), [0.5, 1], $0{,}1$, section 4.2, arXiv:1.5")
    assert not english_numbers("à 0,5 près, 1 000 fois, à 0,001 près")


def test_thousands_stay_on_a_line():
    assert spaced("1 000 000 de pas, 3 chats, 1 2345", settings("fr")) == "1\u00a0000\u00a0000 de pas, 3 chats, 1 2345"


def test_plurals_are_collected_from_code_and_templates(tmp_path):
    (tmp_path / "a.py").write_text('ngettext("{n} page", "{n} pages", 3)\n')
    (tmp_path / "a.html").write_text('{{ ngettext("{n} frog", "{n} frogs", n).format(n=n) }}')
    assert [text[1:] for text in framework(tmp_path)] == [("{n} page", "{n} pages"), ("{n} frog", "{n} frogs")]


def test_formats_of_numbers_may_differ():
    assert placeholders("{n:g} {what!r}") == placeholders("{what!r} : {n:.2f}")
    assert placeholders("{n} {what!r}") != placeholders("{what} : {n}")
    assert placeholders("a { alone") is None


# What shows its arguments to people. Faults that only authors of checks meet (FrameworkFault) are not among them.
SHOWS = frozenset(
    {"echo", "CommandFault", "ConfigurationError", "AuthoringError", "StoreFault", "CheckFailed",
     "StudentError", "SubmissionUnreadable", "fail", "confirm", "prompt", "add_column"}
)  # fmt: skip
# Rooms that know no languages: what they say reaches people through the judge, or through a log.
SILENT = ("sandbox", "wire", "worker", "statistics", "results")


def wordy(node: ast.expr) -> bool:
    """Whether this is a text that somebody reads."""
    if isinstance(node, ast.JoinedStr):
        text = "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        text = node.value
    else:
        return False
    # A prefix such as "autograder: " is a name, and a lone word in lower case may be one.
    return sum(word.isalpha() for word in text.replace(":", " ").split()) >= 2


def unwrapped(source: str) -> list[int]:
    """Lines of texts that are shown and not wrapped in _()."""
    tree = ast.parse(source)
    wrapped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("_", "N_", "said")
        for inner in ast.walk(node)
    }
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in SHOWS:
            for argument in node.args:
                if id(argument) not in wrapped and wordy(argument):
                    found.append(argument.lineno)
    return found


@pytest.mark.parametrize("room", sorted(p.name for p in PACKAGE.iterdir() if p.is_dir() and p.name not in SILENT))
def test_what_is_shown_can_be_translated(room):
    found = [
        f"{file.relative_to(ROOT)}:{line}"
        for file in sorted((PACKAGE / room).rglob("*.py"))
        for line in unwrapped(file.read_text(encoding="utf-8"))
    ]
    assert not found, f'wrap them in _("..."): {found}'


def test_an_unwrapped_text_is_found():
    assert unwrapped('click.echo(f"wrote the {path}")') == [1]
    assert unwrapped('raise CommandFault("no such file here")') == [1]
    assert not unwrapped('click.echo(_("wrote the {path}").format(path=path))')
    assert not unwrapped('click.echo(f"autograder: {error}")')


def test_nothing_hides_the_translator():
    """A variable called _ in a function that translates makes every message of it an error."""
    found = []
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                names = [n for n in ast.walk(node) if isinstance(n, ast.Name) and n.id == "_"]
                if {type(n.ctx) for n in names} == {ast.Load, ast.Store}:
                    found.append(f"{file.relative_to(ROOT)}:{node.lineno} {node.name}")
    assert not found
