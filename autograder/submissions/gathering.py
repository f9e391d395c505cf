"""Which exercise each file of a delivery is for: by its name, by what it defines, by what it was handed in for.

What is for no exercise is evidence or an aside. A helper module beside an exercise is an aside; a file of code that
may be an exercise's is not.
"""

from __future__ import annotations

import difflib
import html
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder.language import _
from autograder.submissions.contracts import Content, Contracts
from autograder.submissions.evidence import Evidence
from autograder.submissions.model import SubmissionUnreadable
from autograder.submissions.names import COURSE_FILES, bad_name, is_code, match_exercise, normal
from autograder.submissions.opening import read_regular
from autograder.submissions.shelf import Shelf
from autograder.submissions.shown import shown
from autograder.submissions.walking import File, Walk

MAX_STRAYS = 20  # files of code without an exercise's name that are read to see what they define
_MAX_TYPED = 1_000_000


@dataclass
class Gathering:
    """Sorts the files of a delivery into candidates, which may be graded, and evidence, which is everything else.

    Args:
        contracts: without them, names and what a file was handed in for decide alone.
        decided: the exercise that the teacher said a file is for, and whether it is to be left out.
    """

    walk: Walk
    exercises: Sequence[str]
    contracts: Contracts
    shelf: Shelf
    decided: Callable[[Path], tuple[str, bool]]
    candidates: list[File] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    _strays: list[File] = field(default_factory=list)  # code without an exercise's name
    _others: list[File] = field(default_factory=list)  # no code
    _broken: list[Evidence] = field(default_factory=list)

    def __post_init__(self) -> None:
        courses = []  # what came with the exercise
        for item in self.walk.files():
            if self.decided(item.path)[1]:
                self.evidence.append(Evidence(item.path, _("left out by the teacher")))
            elif isinstance(item, Evidence):
                self._broken.append(item)
            elif item.called in COURSE_FILES:
                courses.append(item)
            else:
                self._sort(item)
        self._take_strays()
        if self.candidates or self._strays or self._others or self._broken:
            self.walk.ignored += [item.path for item in courses]
        else:
            self._others += [replace(item, aside=_("a file of the course's own")) for item in courses]
        self._rest()

    @property
    def _taken(self) -> set[str]:
        return {candidate.exercise for candidate in self.candidates}

    def _take(self, item: File, exercise: str, tier: int, note: str = "") -> None:
        notes = (note.format(name=shown(item.name), exercise=exercise),) if note else ()
        self.candidates.append(replace(item, exercise=exercise, tier=tier, notes=notes))

    def _sort(self, item: File) -> None:
        match = match_exercise(item.called, self.exercises)
        if told := self.decided(item.path)[0]:
            self._take(item, told, 4, _("The teacher said that it is for {exercise}."))
        elif item.aside or item.typed:
            self._others.append(item)
        elif is_code(item.called) and match is not None:
            plain = item.name == item.called and match.tier == 3
            note = "" if plain else _("The file is called {name}; it was taken for {exercise}.")
            self._take(item, match.exercise, match.tier, note)
        elif is_code(item.called):
            self._strays.append(item)
        elif match is not None and match.tier > 1:
            self.evidence.append(item.evidence(_("neither .py nor .ipynb"), "no_code", (match.exercise,)))
        else:
            self._others.append(item)

    # --- files of code without an exercise's name

    def _take_strays(self) -> None:
        over = _("one of more than {limit} files of code without an exercise's name; it was not looked at")
        for item in self._strays[MAX_STRAYS:]:
            self.evidence.append(item.evidence(over.format(limit=MAX_STRAYS), "limit"))
        contents: dict[File, Content] = {}
        for item in self._strays[:MAX_STRAYS]:
            looked = self.shelf.look(item.path, item.base)
            if bad_name(item.name):
                self.evidence.append(item.evidence(self._no_name(item), "name_unknown"))
            elif looked.fault is not None:
                self._broken.append(item.evidence(looked.fault.message, "unreadable"))
            else:
                contents[item] = looked.content
        imported = self._imported(contents.values()) if contents else set()
        for item in list(contents):
            if not {item.path.stem, Path(item.name).stem}.isdisjoint(imported):
                self.evidence.append(item.evidence(_("a module that another file imports; it is not graded")))
                del contents[item]
        named = self._taken
        for exercise in self.exercises:
            if exercise not in named:
                self._take_by_content(exercise, contents)
        self._take_by_delivery(contents)
        self._strays = list(contents)

    def _imported(self, contents: Iterable[Content]) -> set[str]:
        """Modules that the delivery's own files import."""
        others = [self.shelf.look(one.path, one.base).content for one in self.candidates]
        return {name for content in (*contents, *others) for name in content.imports}

    def _take_by_content(self, exercise: str, contents: dict[File, Content]) -> None:
        """The one of several files that has an exercise; none where two may be meant."""
        contract = self.contracts.get(exercise, frozenset())
        fits = {item: content.fits(self.contracts) for item, content in contents.items()}
        pool = [item for item in contents if exercise in fits[item]]
        ranked = sorted(pool, key=lambda item: (-contents[item].written(contract), item.name))
        written = [contents[item].written(contract) for item in ranked]
        if len(ranked) > 1 and written[0] <= 2 * written[1]:
            for item in [item for item in pool if fits[item] == [exercise]]:
                self.evidence.append(_several(item, exercise))
                del contents[item]
        elif ranked and fits[ranked[0]] == [exercise]:
            chosen = ranked[0]
            names = sorted(contents[chosen].names & contract)
            listing = ", ".join(names[:4]) + (" ..." if len(names) > 4 else "")
            note = _("The file is called {name}; it defines {listing} and was taken for {exercise}.")
            self._take(chosen, exercise, 0, note.replace("{listing}", listing))
            # The rest of the pool has less of the exercise: what it was is said where the choice is.
            more = _("{name} has more of {exercise}").format(name=shown(chosen.name), exercise=exercise)
            self.evidence += [item.evidence(more) for item in ranked[1:]]
            for item in pool:
                del contents[item]

    def _take_by_delivery(self, contents: dict[File, Content]) -> None:
        """`submission.ipynb`, handed in for one exercise, is that exercise's, where it is the only file of code."""
        wanted = self.walk.delivery.exercise
        free = [item for item, content in contents.items() if content.fits(self.contracts) in ([], [wanted])]
        if wanted not in self.exercises or wanted in self._taken:
            return
        if len(free) == 1:
            note = _("The file is called {name}; it was handed in for {exercise} and was taken for it.")
            self._take(free[0], wanted, 0, note)
        else:
            self.evidence += [_several(item, wanted) for item in free]
        for item in free:
            del contents[item]

    def _no_name(self, item: File) -> str:
        """Why a file's name is no exercise's."""
        if bad_name(item.name):
            return _("the name holds control characters")
        close = difflib.get_close_matches(normal(item.name.rpartition(".")[0]), self.exercises, n=1)
        if close:
            return _("no exercise has this name; did they mean {exercise}?").format(exercise=close[0])
        return _("no exercise has this name")

    # --- everything else

    def _rest(self) -> None:
        delivery, taken = self.walk.delivery, self._taken
        wanted = (delivery.exercise,) if delivery.exercise in self.exercises else ()
        left = wanted or tuple(exercise for exercise in self.exercises if exercise not in taken)
        for item in self._strays:
            fits = tuple(self.shelf.look(item.path, item.base).content.fits(self.contracts))
            if taken and not fits and any(self.contracts.values()):
                aside = _("beside what is graded, and nothing of an exercise in it")
                self.evidence.append(item.evidence(aside, "aside", left))
            else:
                self.evidence.append(item.evidence(self._no_name(item), "name_unknown", fits or left))
        for broken in self._broken:
            named = match_exercise(broken.path.name, self.exercises)
            exercises = (named.exercise,) if named is not None else left
            self.evidence.append(replace(broken, exercises=broken.exercises or exercises))
        beside = bool(taken) or any(item.counts for item in self.evidence)
        for item in self._others:
            empty = item.typed and not item.aside and not _words(item)
            reason = item.aside or _("neither .py nor .ipynb")
            if item.typed and not item.aside:
                reason = _("text typed into the platform, and no file of code")
            if empty:
                reason = _("text typed into the platform, and it is empty")
            self.evidence.append(item.evidence(reason, "aside" if beside or empty else "no_code", left))
        if wanted and taken and not set(wanted) & taken and not any(item.counts for item in self.evidence):
            first = self.candidates[0]
            reason = _("handed in for {wanted}, and it is {exercise}").format(wanted=wanted[0], exercise=first.exercise)
            self.evidence.append(first.evidence(reason, "name_unknown", wanted))


def _several(item: File, exercise: str) -> Evidence:
    reason = _("one of several files that may be {exercise}, and nothing tells which counts")
    return item.evidence(reason.format(exercise=exercise), "candidates", (exercise,))


def _words(item: File) -> str:
    """What a page of typed text says."""
    try:
        text = read_regular(item.path, _MAX_TYPED, item.base).content.decode("utf-8", "replace")
    except SubmissionUnreadable:
        return "?"
    return " ".join(html.unescape(re.sub(r"(?is)<head.*?</head>|<[^>]*>", " ", text)).split())
