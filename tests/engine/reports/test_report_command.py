"""`autograder report` writes the pages, and says what is wrong with what it is asked."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.engine.classes import keep
from tests.engine.command_line import autograder

TOY = Path(__file__).parents[1] / "toy"


def report(*arguments):
    ran = autograder("report", *arguments)
    assert "Traceback" not in ran.stderr, ran.stderr
    return ran


@pytest.fixture
def out(tmp_path, result, check):
    for one in (result("ada", "flows"), result("bob", "flows", check("density", "failed", message="m")),
                result("bob", "chains", check("rows", measured={"limit": 0.4242}))):  # fmt: skip
        keep(tmp_path / "out", one)
    return tmp_path / "out"


def test_students_pages(course, out, tmp_path):
    ran = report(out, "--html", tmp_path / "pages", "--course", course.root)
    assert ran.returncode == 0, ran.stderr
    # No index: a list of students is nothing to hand out.
    assert sorted(p.name for p in (tmp_path / "pages").iterdir()) == ["ada.html", "bob.html"]
    source = (tmp_path / "pages" / "bob.html").read_text()
    assert "ada" not in source
    assert "0.424" not in source
    assert "Nothing was handed in" in (tmp_path / "pages" / "ada.html").read_text()
    ran = report(out, "--html", tmp_path / "ada", "--student", "ada", "--course", course.root)
    assert (tmp_path / "ada" / "ada.html").read_text().count("<section") == 2
    ran = report(out, "--html", tmp_path / "teacher", "--teacher", "--student", "bob", "--course", course.root)
    assert sorted(p.name for p in (tmp_path / "teacher").iterdir()) == ["bob.html", "index.html"]
    assert "0.424" in (tmp_path / "teacher" / "bob.html").read_text()


def test_the_class(course, out, tmp_path):
    own = "\n".join(f"    total_{i} = x[{i}] * weights[{i}] + offset_{i} - mean(x)" for i in range(12))
    solution = shutil.copytree(TOY / "solutions" / "toy", course.root / "solutions" / "flows")
    (solution / "toy.py").rename(solution / "flows.py")
    for student in ("ada", "bob"):
        file = tmp_path / "submissions" / student / "flows.py"
        file.parent.mkdir(parents=True)
        file.write_text(f"def f(x):\n    # {student}\n{own}\n")
    folder = tmp_path / "class"
    ran = report(out, "--class", folder, "--submissions", tmp_path / "submissions", "--course", course.root)
    assert ran.returncode == 0, ran.stderr
    assert sorted(p.name for p in folder.iterdir()) == [
        "checks.csv", "class.html", "class.md", "grades.csv", "mistakes.csv", "statistics.csv",
    ]  # fmt: skip
    assert "flows: ada, bob (1; median 1)" in (folder / "class.md").read_text().replace("\\", "")
    assert 'class="histogram"' in (folder / "class.html").read_text()


def test_teachers_pages_link_to_one_another(course, out, tmp_path, result):
    keep(out, result("index", "flows"))
    ran = report(out, "--class", tmp_path / "a b", "--html", tmp_path / "all", "--teacher", "--course", course.root)
    assert ran.returncode == 0, ran.stderr
    pages = {file.name: file.read_text(encoding="utf-8") for file in (tmp_path / "all").iterdir()}
    assert set(pages) == {"ada.html", "bob.html", "index_.html", "index.html"}
    assert all(f'href="{name}"' in pages["index.html"] for name in set(pages) - {"index.html"})
    assert all('href="../a%20b/class.html"' in page for page in pages.values())
    assert '<a rel="next" href="bob.html">' in pages["ada.html"]
    assert 'href="index.html"' in pages["bob.html"]
    of_class = (tmp_path / "a b" / "class.html").read_text(encoding="utf-8")
    assert all(f'href="../all/{name}"' in of_class for name in pages)
    handed_out = tmp_path / "handed out"
    assert report(out, "--html", handed_out, "--course", course.root).returncode == 0
    assert "href=\"bob" not in (handed_out / "ada.html").read_text(encoding="utf-8")
    assert not (handed_out / "index.html").exists()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--teacher",), "--html"),
        (("--submissions", "."), "--class"),
        (("--student", "nobody"), "no results of nobody"),
        (("--html", "x", "--course", "/"), "grading_config.yaml"),
    ],
)
def test_what_makes_no_sense_is_refused(out, arguments, word):
    ran = report(out, *arguments)
    assert ran.returncode == 2
    assert word in ran.stderr
