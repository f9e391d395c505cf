"""Laws of reading: a class written in any layout comes back as it was; damage moves nobody's work and hides none.

The writers are those of `platforms`, which know nothing of how a download is read here.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.course.errors import ConfigurationError
from autograder.course.roster import read_roster
from autograder.submissions import HandIn, Wanted, read_class
from tests.engine.closed import closed
from tests.engine.submissions.cases import CODE, CONTRACTS, EXERCISES
from tests.engine.submissions.platforms import canvas, gradescope, moodle, nbgrader, plain
from tests.engine.submissions.platforms.model import Files, Handed, Student, folder, zipped

SETTINGS = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
PARIS = ZoneInfo("Europe/Paris")
FIRST = ("Ada", "Zoé", "Jean-Marie", "李雷", "Olga", "José", "Anna", "Noël")
LAST = ("Lovelace", "Müller", "Dupont", "Ibáñez", "Ray", "Void", "O'Neil", "van Dyck")


@dataclass(frozen=True)
class Layout:
    """A writer, whether its names are those of a roster, and whether it knows the time."""

    write: Callable[[list[Handed]], Files]
    times: bool = False


LAYOUTS = {
    "folder": Layout(plain.folders),
    "archives": Layout(plain.archives),
    "flat": Layout(plain.flat),
    "Moodle 4.1+": Layout(moodle.download),
    "Moodle without folders": Layout(lambda c: moodle.download(c, folders=False)),
    "Moodle blind": Layout(lambda c: moodle.download(c, blind=True)),
    "Moodle old": Layout(moodle.old_download),
    "Canvas": Layout(canvas.download),
    "Canvas anonymous": Layout(lambda c: canvas.download(c, anonymous=True)),
    "Gradescope": Layout(gradescope.download, times=True),
    "nbgrader": Layout(lambda c: nbgrader.submitted([("markov_quiz", one) for one in c]), times=True),
}


@st.composite
def classes(draw: st.DrawFn) -> list[Handed]:
    """Students whose numbers in one system may be other students' ids in another; each hands in one file."""
    pairs = st.tuples(st.sampled_from(FIRST), st.sampled_from(LAST))
    names = draw(st.lists(pairs, min_size=2, max_size=5, unique=True))
    count = len(names)
    spaces = [draw(st.permutations(range(101, 101 + count))) for _space in range(3)]
    students = [
        Student(str(ids), first, last, f"s{ids}@x.org", number, user, f"a{ids}Bc"[:5], f"gh{ids}")
        for (first, last), ids, number, user in zip(names, *spaces, strict=True)
    ]
    handed = []
    for position, student in enumerate(students):
        minutes = draw(st.integers(0, 500_000))
        files = {"markov_quiz.py": CODE + f"# {position}\n".encode()}
        late = draw(st.booleans())
        handed.append(Handed(student, files, datetime(2027, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes), late))
    return handed


def roster_of(handed: list[Handed]) -> str:
    lines = ["student number,first name,last name,email,participant id,canvas id,anonymous id"]
    for student in (one.student for one in handed):
        lines.append(f'{student.id},"{student.first}","{student.last}",{student.email},{student.moodle},'
                     f"{student.canvas},{student.anonymous}")  # fmt: skip
    return "\n".join(lines) + "\n"


def read(files: Files, handed: list[Handed], base: Path, packed: bool) -> HandIn:
    (base / "roster.csv").write_text(roster_of(handed), encoding="utf-8")
    source = folder(base / "in", {"markov_quiz.zip": zipped(files)} if packed else files)
    wanted = Wanted(EXERCISES, contracts=CONTRACTS, roster=read_roster(base / "roster.csv"), zone=PARIS)
    return read_class(source / "markov_quiz.zip" if packed else source, wanted)


def whose(scan: HandIn) -> dict[str, bytes]:
    return {e.student: e.path.read_bytes() for e in scan.entries if e.exercise == "markov_quiz"}


def given_in(handed: list[Handed]) -> dict[str, bytes]:
    return {one.student.id: one.files["markov_quiz.py"] for one in handed}


@pytest.mark.parametrize("name", LAYOUTS)
@SETTINGS
@given(handed=classes(), packed=st.booleans())
def test_a_class_comes_back_as_it_was_written(name: str, handed: list[Handed], packed: bool):
    layout = LAYOUTS[name]
    with tempfile.TemporaryDirectory() as base, read(layout.write(handed), handed, Path(base), packed) as scan:
        assert whose(scan) == given_in(handed)
        assert scan.not_gradable == ()
        if layout.times:
            assert {e.student: e.submitted for e in scan.entries} == {one.student.id: one.when for one in handed}
        if name.startswith("Canvas"):
            assert {e.student: e.late for e in scan.entries} == {one.student.id: one.late for one in handed}


RENAMES = (
    lambda name: name.replace("markov_quiz", "homework"),
    lambda name: name.replace("markov_quiz", "MarkovQuiz (2)"),
    lambda name: name.replace("_quiz", "-quiz"),
    lambda name: name.replace(".py", ".py.txt"),
    lambda name: name.replace(".py", ".pdf"),
    lambda name: f"extra/{name}",
    lambda name: name.replace("10", "19"),  # other numbers: of somebody else, or of nobody
    lambda name: name.replace("a", "o"),  # other names
)
EXTRA = ("notes.txt", "photo.png", "report.pdf", "helper.py", ".DS_Store", "Thumbs.db", "data.csv", "x/y/z.py")


@pytest.mark.parametrize("name", LAYOUTS)
@SETTINGS
@given(handed=classes(), data=st.data())
def test_no_damage_gives_work_to_another_or_hides_it(name: str, handed: list[Handed], data: st.DataObject):
    """Whoever's file is left, graded or not, is not missing, unless it was taken to a name that is nobody's."""
    files = LAYOUTS[name].write(handed)
    broken: Files = {}
    for path, content in files.items():
        rename = data.draw(st.sampled_from((None, None, *RENAMES)))
        cut = data.draw(st.sampled_from((None, None, None, 0.5)))
        broken[rename(path) if rename else path] = content[: int(len(content) * cut)] if cut else content
    for extra in data.draw(st.lists(st.sampled_from(EXTRA), max_size=3, unique=True)):
        broken[extra] = b"print(1)\n"
    own = given_in(handed)
    with tempfile.TemporaryDirectory() as base:
        try:
            scan = read(broken, handed, Path(base), packed=data.draw(st.booleans()))
        except ConfigurationError:
            return  # refused, with the reason
        with scan:
            for student, content in whose(scan).items():
                others = {other for other, text in own.items() if other != student and text == content}
                assert not others, f"{student} has the work of {others}"
            # Every file with a student's work is graded, or somebody has to look at it.
            paths = {scan.origin(entry.path) for entry in scan.entries} | {item.path for item in scan.evidence}
            work = Counter(Path(path).name for path, content in broken.items() if b"def joint_probability" in content)
            assert not work - Counter(path.name for path in paths)
            for entry in scan.entries:
                assert (entry.student, entry.exercise) not in {(n.student, n.exercise) for n in scan.not_gradable}


def contents(path: Path) -> list[bytes]:
    """Of a file, or of the files in an archive."""
    if not zipfile.is_zipfile(path):
        return [path.read_bytes()]
    with zipfile.ZipFile(path) as archive:
        return [archive.read(name) for name in archive.namelist()]


@pytest.mark.parametrize("name", LAYOUTS)
@SETTINGS
@given(handed=classes(), data=st.data())
def test_what_is_closed_to_us_costs_its_owner_alone_and_is_said(name: str, handed: list[Handed], data: st.DataObject):
    """Whoever's folder or file may not be read is not missing; all others' work is there."""
    with tempfile.TemporaryDirectory() as base:
        source = folder(Path(base) / "in", LAYOUTS[name].write(handed))
        shut = data.draw(st.sampled_from([source, *sorted(source.rglob("*"))]))
        (Path(base) / "roster.csv").write_text(roster_of(handed), encoding="utf-8")
        wanted = Wanted(EXERCISES, contracts=CONTRACTS, roster=read_roster(Path(base) / "roster.csv"), zone=PARIS)
        inside = {content for path in [shut, *shut.rglob("*")] if path.is_file() for content in contents(path)}
        # Closed; a folder that can be listed and not entered; one that can be entered and not listed.
        with closed(shut, mode=data.draw(st.sampled_from((0, 0o444, 0o111)))):
            try:
                scan = read_class(source, wanted)
            except ConfigurationError:
                return  # refused, with the reason
        with scan:
            found, nothing = whose(scan), {none.student for none in scan.not_gradable}
            for student, content in given_in(handed).items():
                if any(content in one for one in inside):
                    assert student in nothing | found.keys()
                else:
                    assert found.get(student) == content
