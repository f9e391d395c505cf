"""Which exercise each file of a delivery is for: by its name, by what it defines, by what it was handed in for.

What is for no exercise is evidence or an aside. A helper module beside an exercise is an aside; a file of code that
may be an exercise's is not.
"""

from __future__ import annotations

import difflib
import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder.language import _
from autograder.submissions.contracts import Content, Contracts, content_of
from autograder.submissions.evidence import Evidence, EvidenceKind
from autograder.submissions.layout import Delivery
from autograder.submissions.model import SubmissionUnreadable
from autograder.submissions.names import COURSE_FILES, bad_name, first_name, is_code, match_exercise, normal
from autograder.submissions.opening import read_regular
from autograder.submissions.shelf import Shelf
from autograder.submissions.shown import shown
from autograder.submissions.walking import Found, Walk, was_called

MAX_STRAYS = 20  # files of code without an exercise's name that are read to see what they define
_MAX_TYPED = 1_000_000


@dataclass(frozen=True)
class Candidate:
    """A file that may be graded for an exercise.

    Attributes:
        tier: 4 told by the teacher, 3 its exact name, 2 nearly, 1 among other words, 0 by what it defines or was
            handed in for.
        version: the number that the platform wrote behind the name.
        notes: for student and teacher: why it was taken for this exercise.
    """

    found: Found
    exercise: str
    tier: int
    delivery: Delivery
    version: int = 0
    notes: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.found.path


@dataclass
class Gathered:
    """What there is in a delivery."""

    candidates: list[Candidate] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)


@dataclass
class Gatherer:
    """Sorts the files of deliveries.

    Args:
        exercises: ids of the course, in its order.
        contracts: public names of each; without them, names and what a file was handed in for decide alone.
        shelf: reads files.
        decided: the exercise that the teacher said a file is for, and whether it is to be left out.
    """

    exercises: Sequence[str]
    contracts: Contracts
    shelf: Shelf
    decided: Callable[[Path], tuple[str, bool]]

    def gather(self, delivery: Delivery, walk: Walk) -> Gathered:
        """The candidates in a delivery, and everything else that is in it."""
        gathered = Gathered()
        sorted_ = _Sorted()
        for part in delivery.parts:
            for item in walk.part(part):
                if self.decided(item.path)[1]:
                    gathered.evidence.append(Evidence(item.path, _("left out by the teacher")))
                elif isinstance(item, Evidence):
                    sorted_.broken.append(item)
                elif was_called(item, delivery.renames) in COURSE_FILES:
                    sorted_.courses.append(item)
                else:
                    self._sort(item, delivery, gathered, sorted_)
        self._take_strays(delivery, gathered, sorted_)
        if gathered.candidates or any((sorted_.strays, sorted_.others, sorted_.typed, sorted_.broken)):
            walk.ignored += [item.path for item in sorted_.courses]
        else:
            sorted_.others += [replace(item, aside=_("a file of the course's own")) for item in sorted_.courses]
        self._rest(delivery, gathered, sorted_)
        return gathered

    def _sort(self, item: Found, delivery: Delivery, gathered: Gathered, sorted_: _Sorted) -> None:
        name = was_called(item, delivery.renames)
        told = self.decided(item.path)[0]
        match = match_exercise(name, self.exercises)
        version = first_name(item.name)[1] if delivery.renames else 0
        if item.aside and not told:
            sorted_.others.append(item)
        elif told:
            note = _("The teacher said that it is for {exercise}.").format(exercise=told)
            gathered.candidates.append(Candidate(item, told, 4, delivery, version, (note,)))
        elif item.typed:
            sorted_.typed.append(item)
        elif is_code(name) and match is not None:
            notes: tuple[str, ...] = ()
            if item.name != name or match.tier < 3:
                note = _("The file is called {name}; it was taken for {exercise}.")
                notes = (note.format(name=shown(item.name), exercise=match.exercise),)
            gathered.candidates.append(Candidate(item, match.exercise, match.tier, delivery, version, notes))
        elif is_code(name):
            sorted_.strays.append(item)
        elif match is not None and match.tier > 1:
            reason = _("neither .py nor .ipynb")
            gathered.evidence.append(Evidence(item.path, reason, "no_code", exercises=(match.exercise,)))
        else:
            sorted_.others.append(item)

    # --- files of code without an exercise's name

    def _take_strays(self, delivery: Delivery, gathered: Gathered, sorted_: _Sorted) -> None:
        strays, over = sorted_.strays[:MAX_STRAYS], sorted_.strays[MAX_STRAYS:]
        if over:
            reason = _("one of more than {limit} files of code without an exercise's name; it was not looked at")
            gathered.evidence += [Evidence(i.path, reason.format(limit=MAX_STRAYS), "limit") for i in over]
        contents: dict[Path, Content] = {}
        for item in list(strays):
            if bad_name(item.name):
                strays.remove(item)
                gathered.evidence.append(Evidence(item.path, self._no_name(item), "name_unknown"))
                continue
            try:
                contents[item.path] = content_of(self.shelf.look(item.path, item.base))
            except SubmissionUnreadable as unreadable:
                strays.remove(item)
                sorted_.broken.append(Evidence(item.path, unreadable.message, "unreadable"))
        imported = self._imported(contents, gathered) if strays else set()
        helpers = [item for item in strays if item.path.stem in imported or Path(item.name).stem in imported]
        strays = [item for item in strays if item not in helpers]
        named = {candidate.exercise for candidate in gathered.candidates}
        for exercise in self.exercises:
            pool = [item for item in strays if exercise in contents[item.path].fits(self.contracts)]
            if exercise in named or not pool:
                continue
            chosen = self._most(pool, exercise, contents)
            if chosen is None:
                alone = [i for i in pool if contents[i.path].fits(self.contracts) == [exercise]]
                gathered.evidence += [_several(item, exercise) for item in alone]
                strays = [item for item in strays if item not in alone]
            elif contents[chosen.path].fits(self.contracts) == [exercise]:
                gathered.candidates.append(self._by_content(chosen, exercise, delivery, contents))
                strays = [item for item in strays if item not in pool]
                # The rest of the pool has less of the exercise: what it was is said where the choice is.
                gathered.evidence += [
                    Evidence(
                        item.path, _("{name} has more of {exercise}").format(name=shown(chosen.name), exercise=exercise)
                    )
                    for item in pool
                    if item is not chosen
                ]
        sorted_.strays = self._by_delivery(delivery, strays, gathered, contents)
        sorted_.helpers = helpers
        sorted_.contents = contents

    def _imported(self, contents: Mapping[Path, Content], gathered: Gathered) -> set[str]:
        """Modules that the delivery's own files import."""
        found = {name for content in contents.values() for name in content.imports}
        for candidate in gathered.candidates:
            try:
                found |= content_of(self.shelf.look(candidate.path, candidate.found.base)).imports
            except SubmissionUnreadable:
                continue
        return found

    def _most(self, pool: list[Found], exercise: str, contents: Mapping[Path, Content]) -> Found | None:
        """The one of several files that has an exercise; None where two may be meant."""
        contract = self.contracts[exercise]
        ranked = sorted(pool, key=lambda item: (-contents[item.path].written(contract), item.name))
        first = contents[ranked[0].path].written(contract)
        if len(ranked) == 1 or first > 2 * contents[ranked[1].path].written(contract):
            return ranked[0]
        return None

    def _by_content(
        self, item: Found, exercise: str, delivery: Delivery, contents: Mapping[Path, Content]
    ) -> Candidate:
        names = sorted(contents[item.path].names & self.contracts[exercise])
        listing = ", ".join(names[:4]) + (" ..." if len(names) > 4 else "")
        note = _("The file is called {name}; it defines {listing} and was taken for {exercise}.").format(
            name=shown(item.name), listing=listing, exercise=exercise
        )
        return Candidate(item, exercise, 0, delivery, notes=(note,))

    def _by_delivery(
        self, delivery: Delivery, strays: list[Found], gathered: Gathered, contents: Mapping[Path, Content]
    ) -> list[Found]:
        """`submission.ipynb`, handed in for one exercise, is that exercise's, where it is the only file of code."""
        wanted = delivery.exercise
        taken = {candidate.exercise for candidate in gathered.candidates}
        free = [item for item in strays if contents[item.path].fits(self.contracts) in ([], [wanted])]
        if wanted not in self.exercises or wanted in taken or not free:
            return strays
        if len(free) > 1:
            gathered.evidence += [_several(item, wanted) for item in free]
        else:
            note = _("The file is called {name}; it was handed in for {exercise} and was taken for it.").format(
                name=shown(free[0].name), exercise=wanted
            )
            gathered.candidates.append(Candidate(free[0], wanted, 0, delivery, notes=(note,)))
        return [item for item in strays if item not in free]

    def _no_name(self, item: Found) -> str:
        """Why a file's name is no exercise's."""
        if bad_name(item.name):
            return _("the name holds control characters")
        stem = normal(item.name.rpartition(".")[0])
        close = difflib.get_close_matches(stem, self.exercises, n=1)
        if close:
            return _("no exercise has this name; did they mean {exercise}?").format(exercise=close[0])
        return _("no exercise has this name")

    # --- everything else

    def _rest(self, delivery: Delivery, gathered: Gathered, sorted_: _Sorted) -> None:
        wanted = (delivery.exercise,) if delivery.exercise in self.exercises else ()
        taken = {candidate.exercise for candidate in gathered.candidates}
        left = wanted or tuple(exercise for exercise in self.exercises if exercise not in taken)
        evidence = gathered.evidence
        for item in sorted_.helpers:
            evidence.append(Evidence(item.path, _("a module that another file imports; it is not graded")))
        for item in sorted_.strays:
            fits = sorted_.contents[item.path].fits(self.contracts)
            beside = bool(taken) and not fits and any(self.contracts.values())
            reason = _("beside what is graded, and nothing of an exercise in it") if beside else _(
                "no exercise has this name"
            )  # fmt: skip
            kind: EvidenceKind = "aside" if beside else "name_unknown"
            if kind == "name_unknown":
                reason = self._no_name(item)
            evidence.append(Evidence(item.path, reason, kind, exercises=tuple(fits) or left))
        for broken in sorted_.broken:
            named = match_exercise(broken.path.name, self.exercises)
            exercises = (named.exercise,) if named is not None else left
            evidence.append(replace(broken, exercises=broken.exercises or exercises))
        beside = bool(taken) or any(item.counts for item in evidence)
        for item in sorted_.typed:
            empty = not _words(item)
            reason = _("text typed into the platform, and it is empty") if empty else _(
                "text typed into the platform, and no file of code"
            )  # fmt: skip
            kind = "aside" if beside or empty else "no_code"
            evidence.append(Evidence(item.path, reason, kind, exercises=left))
        for item in sorted_.others:
            reason = item.aside or _("neither .py nor .ipynb")
            evidence.append(Evidence(item.path, reason, "aside" if beside else "no_code", exercises=left))
        if wanted and not set(wanted) & taken and taken and not any(item.counts for item in evidence):
            first = gathered.candidates[0]
            reason = _("handed in for {wanted}, and it is {exercise}").format(wanted=wanted[0], exercise=first.exercise)
            evidence.append(Evidence(first.path, reason, "name_unknown", exercises=wanted))


@dataclass
class _Sorted:
    """Files of a delivery that are not yet an exercise's."""

    strays: list[Found] = field(default_factory=list)  # code without an exercise's name
    others: list[Found] = field(default_factory=list)
    typed: list[Found] = field(default_factory=list)
    courses: list[Found] = field(default_factory=list)  # what came with the exercise
    helpers: list[Found] = field(default_factory=list)
    broken: list[Evidence] = field(default_factory=list)
    contents: Mapping[Path, Content] = field(default_factory=dict)


def _several(item: Found, exercise: str) -> Evidence:
    reason = _("one of several files that may be {exercise}, and nothing tells which counts")
    return Evidence(item.path, reason.format(exercise=exercise), "candidates", exercises=(exercise,))


def _words(item: Found) -> str:
    """What a page of typed text says."""
    try:
        text = read_regular(item.path, _MAX_TYPED, item.base).content.decode("utf-8", "replace")
    except SubmissionUnreadable:
        return "?"
    return " ".join(html.unescape(re.sub(r"(?is)<head.*?</head>|<[^>]*>", " ", text)).split())
