"""A course's book: what was handed in and graded, what teachers decided, and the grades that follow from both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from autograder.book.decisions import Decision, now
from autograder.book.grades import grade_by
from autograder.book.handed_in import Handed
from autograder.book.place import has_book, is_url, open_store
from autograder.book.roll import RollChange, RollKind
from autograder.book.rubric import load_rubric
from autograder.book.store import Store
from autograder.course.roster import Roster, read_roster
from autograder.errors import AutograderError
from autograder.language import LANGUAGES, _
from autograder.results.attempt import Known, Name
from autograder.results.grade import Grade
from autograder.results.model import Result
from autograder.service.course import in_its_language
from autograder.service.decisions import checked, signature
from autograder.service.held import Held, Results

if TYPE_CHECKING:
    from autograder.exporters.exporter import Given, Written
    from autograder.exporters.people import People
    from autograder.exporters.table import Missing
    from autograder.service.course import Course
    from autograder.service.roll import Listed
    from autograder.submissions import HandIn


class Book:
    """The attempts, decisions and grades of a course in one place. It is only added to, but for
    `change_people`.

    A context manager; `close` may also be called. It is opened when it is first needed, and reading makes none.

    Args:
        course: whose book it is.
        place: a folder, whose SQLite file it is, or a database's URL (`postgresql://...`), which several courses may
            share.
        views: the folder for what is made of the book and can be made again: `results/<student>/<exercise>.json`,
            `grades.csv`, figures. The place itself, where that is a folder.

    Raises:
        StoreFault: by every method, where the book cannot be opened, is of a newer version, or is no book.
    """

    def __init__(self, course: Course, place: Path | str, views: Path | str | None = None) -> None:
        self.course = course
        self.place = place if is_url(place) else Path(place)
        self.views = Path(views) if views is not None else self.place if isinstance(self.place, Path) else None

    @cached_property
    def store(self) -> Store:
        """The book's database; made where there is none."""
        return open_store(self.place, self.course.config.id, self.views)

    # --- reading

    @in_its_language
    def results(self, student: str | None = None, exercises: Sequence[str] = ()) -> Results:
        """The result that counts of every student and exercise, by student, then in the order of the course.

        What a student did not hand in is there as `missing`, where somebody else handed it in. Each result is read
        when it is looked at.

        Args:
            student: of this one only.
            exercises: of these only.
        """
        return self._held().results(student, exercises)

    @in_its_language
    def graded(
        self, student: str | None = None, exercises: Sequence[str] = ()
    ) -> Iterator[tuple[Result, Grade]]:  # fmt: skip
        """Results with their grades, one at a time; arguments as of `results`."""
        held = self._held()
        grade_of = self._grade_of(held.decisions)
        return ((result, grade_of(result)) for result in held.results(student, exercises))

    @in_its_language
    def grades(self, student: str | None = None, exercises: Sequence[str] = ()) -> list[Grade]:
        """Grades after overrides, marks, extensions and the late penalty, in points; arguments as of `results`.

        A grade's `final` is None where nobody can say yet what counts: never a zero for a fault of ours.
        """
        return [grade for _result, grade in self.graded(student, exercises)]

    @in_its_language
    def history(self, student: str | None = None, exercise: str | None = None) -> list[Decision]:
        """Every decision, oldest first: of all, or of one student or exercise."""
        return self.store.decisions.history(student, exercise) if has_book(self.place) else []

    def known(self) -> dict[Name, Known]:
        """The newest attempt of each student at each exercise: what a plan needs to know."""
        return self._held().known

    def several(self) -> set[Name]:
        """Students and exercises of which more than one file was graded."""
        return self.store.attempts.several() if has_book(self.place) else set()

    def handed_in(self) -> list[Handed]:
        """Every file that was handed in, of each student and exercise the last at the end; not of removed ones."""
        if not has_book(self.place):
            return []
        hidden = self.store.roll.hidden()
        return [one for one in self.store.handed_in.files() if one.student not in hidden]

    def class_list(self) -> list[Listed]:
        """Everybody whom the book knows, removed students among them."""
        from autograder.service.roll import class_list

        return class_list(self)

    def names(self) -> dict[str, str]:
        """The names of students who are known by another than their id."""
        if not has_book(self.place):
            return {}
        hidden = self.store.roll.hidden()
        return {student: name for student, name in self.store.handed_in.names().items() if student not in hidden}

    @in_its_language
    def table(self, student: str | None = None, exercises: Sequence[str] = (), *, wide: bool = False) -> str:
        """The grades as CSV: a line for each student and exercise, or for each student where it is `wide`."""
        from autograder.exporters.table import GradeTable
        from autograder.reports.cells import Form

        table = GradeTable(self.graded(student, exercises), self.course.config, self.people())
        return Form().text(table.wide(Form()) if wide else table.long(Form()))

    def people(self, roster: Roster | Path | str | None = None) -> People:
        """Under which names other programs know the students."""
        from autograder.exporters.people import People

        read = read_roster(Path(roster)) if isinstance(roster, Path | str) else roster
        return People(read, self.handed_in(), self.names())

    # --- deciding

    @in_its_language
    def decide(self, decision: Decision, *, by: str = "", why: str = "", bonus: bool = False) -> Decision:
        """Keep what a teacher decided; it is on disk when this returns, and views that are there follow.

        Args:
            decision: about whom, and what; who, when and why are filled in.
            by: who decided; the name of this process's user without it, unless that is `root` or nobody's.
            why: in a sentence.
            bonus: more points may be given than there are to be earned.

        Returns:
            What was kept.

        Raises:
            DecisionFault: there is no such student or check, the points are out of range, or nobody says who decides.
            ConfigurationError: there is no such exercise or item of the rubric.
        """
        kept = checked(self._signed(decision, by, why), self, bonus)
        self._keep(kept)
        return kept

    @in_its_language
    def decide_by_table(
        self, file: Path | str, exercise: str = "", *, by: str = "", why: str = "", bonus: bool = False
    ) -> list[Decision]:
        """Keep what a CSV file decides, line by line: extensions, marks, overrides, excuses, comments; all or nothing.

        Args:
            file: with a column `student`, and columns that decide: `due`, `points`, `text`, `excuse`, items of the
                rubric.
            exercise: what lines are about that do not say it.
            by, why, bonus: as of `decide`.

        Returns:
            What was kept: what was in force before is left out.

        Raises:
            DecisionFault: lines make no sense; says which and why.
            ConfigurationError: it is no such table.
        """
        from autograder.service.decision_table import new_ones, read_decisions, refuse

        by = signature(by)  # asked once, not in every line
        decided, faults = read_decisions(Path(file), self.course.config, exercise, why)
        kept, results, everybody = [], self.results(), self.class_list()
        for number, decision in new_ones(decided, self.history()):
            try:
                kept.append(checked(self._signed(decision, by), self, bonus, results, everybody))
            except AutograderError as fault:
                faults[number] = fault
        refuse(Path(file), faults)
        self._keep(*kept)
        return kept

    def _signed(self, decision: Decision, by: str, why: str = "") -> Decision:
        return replace(decision, who=signature(by or decision.who), why=why or decision.why, when=now())

    def _keep(self, *decisions: Decision) -> None:
        self.store.decisions.add(*decisions)
        if self.views is not None and (self.views / "grades.csv").is_file():
            self.write_views()

    @in_its_language
    def change_people(
        self, kind: RollKind, student: str, into: str = "", by: str = "", why: str = "",
        submissions: Path | str | None = None,
    ) -> RollChange:  # fmt: skip
        """Rename, merge, remove, restore or erase a student; files that show the class follow.

        Args:
            kind: `rename`, `merge`, `remove`, `restore` or `erase`.
            student: whom.
            into: the new name, or whose results the student's become.
            by: who decided; as of `decide`.
            why: in a sentence; it stays where a student is erased, and should name nobody then.
            submissions: a folder with one folder per student: whoever is erased loses theirs.

        Returns:
            What was kept.

        Raises:
            RollFault: there is no such student, or the change makes no sense.
            StoreFault: somebody is grading, or there is no reason.
        """
        from autograder.service.roll import change_roll

        change = RollChange(kind, student, into, signature(by), why, now())
        return change_roll(self, change, Path(submissions) if submissions is not None else None)

    # --- giving away

    @in_its_language
    def export(
        self, form: str, exercises: Sequence[str] = (), roster: Roster | Path | str | None = None,
        given: Given | None = None, missing: Missing | None = None,
    ) -> Written:  # fmt: skip
        """The grades in the form of another program.

        Args:
            form: name of an exporter: `csv`, `moodle`, `canvas`, ...
            exercises: only these.
            roster: names, addresses and numbers of students.
            given: the form of the table, and the exporter's own options.
            missing: what stands for an exercise that was not handed in: `zero` or `blank`; the course's without it.

        Returns:
            The file, and what is missing in it.

        Raises:
            ExportFault: there is no such exporter, there are no grades, or they cannot be written as asked for.
        """
        from autograder.exporters.exporter import Given, Graded
        from autograder.exporters.formats import exporter
        from autograder.exporters.table import GradeTable
        from autograder.reports.cells import ExportFault

        of = exporter(form)
        pairs = list(self.graded(exercises=exercises))
        if not pairs:
            raise ExportFault(_("{out}: no results of these; grade first").format(out=self.place))
        config, people = self.course.config, self.people(roster)
        table = GradeTable(pairs, config, people, missing)
        graded = Graded(
            config, self.views or Path(), tuple(exercises), [result for result, _grade in pairs],
            [grade for _result, grade in pairs], table, people, datetime.now(UTC),
        )  # fmt: skip
        written = of.write(graded, given or Given())
        line = _("{student} {exercise}: no final points yet ({outcome}); the cell stays empty")
        notes = [
            line.format(student=row.grade.student, exercise=row.grade.exercise, outcome=row.grade.outcome)
            for row in table.open
            if row.grade.outcome != "missing"
        ]
        return replace(written, notes=(*notes, *written.notes))

    @in_its_language
    def write_views(self) -> None:
        """Write the results as JSON files, `grades.csv` and `handed_in.csv`; what says so already is left alone."""
        from autograder.service.views import write_views

        write_views(self)

    @in_its_language
    def renew_views(self) -> bool:
        """Write the views again where the configuration (a due date) has changed `grades.csv`; whether it has."""
        file = self.views / "grades.csv" if self.views is not None else None
        if file is None or not file.is_file() or self._is_table(file.read_text(encoding="utf-8")):
            return False
        try:
            self.write_views()
        except OSError:  # somebody else's folder
            return False
        return True

    def _is_table(self, text: str) -> bool:
        """Whether a text is the table of grades, in whatever language it was written."""
        if text == self.table():
            return True
        for language in LANGUAGES:
            with Book(type(self.course)(self.course.config, language), self.place, self.views) as other:
                if language != self.course.language and text == other.table():
                    return True
        return False

    @in_its_language
    def write_pages(
        self, folder: Path | str, *, teacher: bool = False, student: str | None = None, exercises: Sequence[str] = (),
        report: Path | str | None = None, handed_in: HandIn | None = None,
    ) -> int:  # fmt: skip
        """Write a page per student; how many. `student` and `exercises` as of `results`.

        Args:
            folder: for `<student>.html`.
            teacher: everything, for teachers, and a list of all pages, `index.html`. Without it: what the course lets
                students see by now.
            report: the folder of the report on the class: teachers' pages link to it.
            handed_in: what was graded: lines that comments are about are shown from it.
        """
        from autograder.service.pages import write_pages

        at = Path(report) if report else None
        return write_pages(self, Path(folder), teacher, student, exercises, at, handed_in)

    @in_its_language
    def write_report(
        self, folder: Path | str, handed_in: HandIn | None = None, *, student: str | None = None,
        exercises: Sequence[str] = (), pages: Path | str | None = None,
    ) -> Path:  # fmt: skip
        """Write the report on the class, for teachers, and its tables; the page. The rest as of `results`.

        Args:
            folder: for `class.html`, `class.md` and tables.
            handed_in: what was graded: near copies are looked for in it.
            pages: the folder of students' pages for teachers: the report links to them.
        """
        from autograder.service.pages import write_report

        return write_report(self, Path(folder), handed_in, student, exercises, Path(pages) if pages else None)

    @in_its_language
    def take_over(self, url: str) -> str:
        """Take over a database of version 0.1, of attempts or decisions; once, however often it is asked for.

        Returns:
            Its name, without a password.
        """
        return self.store.take_over_database(url)

    # --- life

    def close(self) -> None:
        """Close the database, where it was opened."""
        store = self.__dict__.pop("store", None)
        if store is not None:
            store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _held(self) -> Held:
        return Held(self.course, self.store if has_book(self.place) else None)

    def _grade_of(self, decisions: Sequence[Decision]) -> Callable[[Result], Grade]:
        return grade_by(self.course.config, decisions, load_rubric(self.course.config))
