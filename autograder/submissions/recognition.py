"""Which layout a folder or an archive has, and where in it the download begins.

Given is one download, or several side by side with rosters and papers between them, with or without a folder too many
around. What is no layout for certain is refused with the reason: a class must never be read as one student.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from os.path import exists, isdir, isfile, islink
from pathlib import Path

from autograder.course.errors import ConfigurationError
from autograder.course.roster import OWN, Claim, Person, Roster
from autograder.language import _
from autograder.submissions.budget import Budget
from autograder.submissions.evidence import Evidence
from autograder.submissions.layout import Context, Delivery, Item, Reading, listed, why_closed
from autograder.submissions.layouts import FALLBACK, layouts
from autograder.submissions.names import is_code, is_leftover, match_exercise, normal
from autograder.submissions.packed import ArchiveRefused, is_archive
from autograder.submissions.shown import shown
from autograder.submissions.tables import TABLES, Rosters
from autograder.submissions.unpacking import Unpacker
from autograder.submissions.wanted import Wanted

MAX_AROUND = 4  # folders and archives around a download
_LOOK = 300  # names that are looked at to see what a folder is
_PAPERS = (".pdf", ".txt", ".md", ".html", ".docx", ".odt")  # what may lie beside downloads and is nobody's work
# Names of folders that students make, not of students.
_OWN_FOLDERS = re.compile(
    r"^(v|version|attempt|try|old|new|final|draft|src|code|work|solutions?|exercises?|homework|data|tests?|backup|assets)"
    r"[\W_]*\d*$|^\d{1,2}$",
    re.IGNORECASE,
)
_WORDS = re.compile(r"\s+[-–—]\s+|_+|\s*[();]\s*")  # between them in a file's name
# What lies in a folder that results or a report went to: two of these, and no file of code.
_RESULTS = ("book.db", "state.db", "gradebook.db", "grades.csv", "handed_in.csv", "unplaced.csv", "resolve.csv",
            "results", "class.md", "checks.csv", "mistakes.csv", "statistics.csv")  # fmt: skip
_PLAIN = (FALLBACK, "flat")  # of an archive: it may be one student's
_PLATFORMS = re.compile(r"^assignment_\d+_export$|submissions?(\s*\(\d+\))?$|-\d+$")


@dataclass
class Download:
    """What a layout found where it begins.

    Attributes:
        name: of the archive or folder, which may say which exercise it is for.
        why: what shows the layout.
        alone: nothing else is read beside it.
    """

    name: str
    layout: str
    why: str
    reading: Reading
    alone: bool


@dataclass
class Recognition:
    """Finds the downloads in `base`: what was given (`source`), or what came out of it.

    Attributes:
        evidence: what is no download.
        damage: archives of the class of which a part is lost.
    """

    base: Path
    source: Path
    wanted: Wanted
    unpacker: Unpacker
    rosters: Rosters = field(default_factory=Rosters)
    evidence: list[Evidence] = field(default_factory=list)
    damage: list[Evidence] = field(default_factory=list)
    _seen: dict[Path, tuple[str, str]] = field(default_factory=dict)

    def downloads(self) -> list[Download]:
        """What there is to read.

        Raises:
            ConfigurationError: no layout explains half of what is there, or an archive is damaged.
        """
        if packed := self._side_by_side():
            self._papers(self.base)
            places = [(item, self.inside(self.open_class(item.path), told=True)) for item in packed]
            return [self._download(place, item.name, len(packed) == 1) for item, place in places]
        if sections := self._sections():
            return [self._download(item.path, item.name, alone=False) for item in sections]
        return [self._download(self.inside(self.base, told=True), self.source.name, alone=True)]

    # --- several

    def _side_by_side(self) -> list[Item]:
        """Each archive, where nothing else lies there but tables and papers, and they are downloads of classes."""
        packed = self._items(self.base, papers=False)
        if not all(item.is_file and is_archive(item.name) for item in packed) or self.wanted.layout in _PLAIN:
            return []
        if self.wanted.layout != "auto" or self._detected(self.base)[0] != FALLBACK:
            return packed if self.wanted.layout != "auto" else []
        looked = {item: self._whole(item.path) for item in packed}
        per_exercise = len(packed) > 1 and all(self._exercise(item.name) for item in packed)
        classes = per_exercise or (len(packed) == 1 and not self._knows(packed[0].name))
        found = [i for i in packed if looked[i] and (looked[i] not in _PLAIN if looked[i] != "class" else classes)]
        # One of them alone must not turn everybody's archives into downloads.
        return self._most(found, packed, _("an archive that is no download of a platform's"), looked)

    def _sections(self) -> list[Item]:
        """Several folders that are classes each: a folder too many, and more than one of them."""
        if self.wanted.layout not in ("auto", FALLBACK) or self._detected(self.base)[0] != FALLBACK:
            return []
        folders = [item for item in self._items(self.base) if item.is_folder]
        if len(folders) < 2 or any(self._knows(item.name) for item in folders):
            return []
        classes = [item for item in folders if self._is_class(item.path)]
        if self._roster is None and 2 * len(classes) > len(folders):
            raise self._refusal(
                _(
                    "{names} hold folders that look like students', and may be students themselves: give one of these "
                    "folders, a roster, or --layout folder"
                ),
                names=", ".join(item.name for item in classes[:5]),
            )
        return self._most(classes, folders, _("no class, as the folders beside it"))

    def _most(self, found: list[Item], items: list[Item], reason: str, looked: Mapping[Item, str] = {}) -> list[Item]:
        """What was found, where it is most of what is there; nothing else."""
        broken = [item for item in items if looked.get(item) == ""]  # whoever opens it says so
        if 2 * len(found) <= len(items) - len(broken):
            return []
        others = [item for item in items if item not in found and item not in broken]
        self.evidence += [Evidence(item.path, reason, "person_unknown") for item in others]
        return [item for item in items if item not in others]

    # --- archives

    def open_class(self, path: Path) -> Path:
        """A class's archive, unpacked; ConfigurationError where it is none, or damaged and that was not allowed."""
        try:
            place, damage = self.unpacker.class_archive(path, self.wanted.damaged)
        except ArchiveRefused as refusal:
            told = _(
                "{reason}; whoever is in it would be missing. Download it again, or read what can be read: --damaged"
            )
            reason = refusal.message if self.wanted.damaged else told.format(reason=refusal.message)
            raise ConfigurationError(reason, file=path) from refusal
        if damage:
            self.damage.append(Evidence(path, damage, "unreadable"))
        return place

    def _whole(self, path: Path, around: int = MAX_AROUND) -> str:
        """What an archive holds by its names alone: a layout, `class`, or "" where it cannot be read.

        A student's archive must not be trusted as a platform's before it is known as one: what is in an archive in it
        is looked at within a student's limits.
        """
        place = self.unpacker.names_in(path)
        if place is None:
            return ""
        inner = self.inside(place)
        layout = self._detected(inner)[0]
        if layout in _PLAIN and self._is_class(inner):
            return "class"
        items = self._items(inner)
        if around and len(items) == 1 and is_archive(items[0].name) and not self._knows(items[0].name):
            with suppress(ArchiveRefused):
                real = self.unpacker.student_archive(path, path.parent, Budget(self.wanted.intake))
                if self._whole(real / items[0].path.relative_to(place), around - 1) not in ("", *_PLAIN):
                    return "class"
        return layout

    # --- folders

    def inside(self, place: Path, told: bool = False) -> Path:
        """Inside the folders that an archive or a teacher puts around everything; papers left outside are told of."""
        for _around in range(MAX_AROUND):
            items = self._items(place, papers=False)
            if len(items) != 1 or self._detected(place)[0] != FALLBACK or self._knows(items[0].name):
                return place
            inner = items[0].path
            if items[0].is_folder and self._goes_in(place, inner):
                found = inner
            elif items[0].is_file and is_archive(inner.name) and self._whole(inner) not in ("", *_PLAIN):
                found = self.open_class(inner)
            else:
                return place
            if told:
                self._papers(place)
            place = found
        return place

    def _papers(self, place: Path) -> None:
        """Tell of what lies beside the class, that nothing of what was given is passed over in silence.

        What is called as somebody of the roster, alone or before other words, was handed in by them, and is no code.
        """
        for path in (item.path for item in self._items(place) if _is_paper(item.name)):
            names = [path.stem, *_WORDS.split(path.stem)] if self._roster is not None else []
            known = next((found for name in names if (found := self._people(name))), [])
            one = Evidence(path, _("lies beside the class and is no code"))
            if known:
                students = tuple(person.id for person in known)
                one = replace(one, kind="no_code", students=students, exercises=tuple(self.wanted.exercises))
            self.evidence.append(one)

    def _goes_in(self, place: Path, inner: Path) -> bool:
        """Whether a folder that is alone holds the class, and is not a student's."""
        layout = self._detected(inner)[0]
        if layout != FALLBACK:
            if place != self.source or _PLATFORMS.search(inner.name):
                return True
            # A student's files do not decide: all of it must be the platform's, and of several people.
            reading = self._read(inner, layout)
            return len({delivery.who for delivery in reading.deliveries}) > 1 and not _strangers(reading)
        if self._is_class(inner):
            return True
        within = self._items(inner)
        return len(within) == 1 and within[0].is_folder and self._goes_in(inner, within[0].path)

    def _is_class(self, place: Path) -> bool:
        """Whether what is in a folder are students: the roster knows them, or several hold the same exercise."""
        items = self._items(place)
        inner = [item for item in items if item.is_folder or is_archive(item.name)]
        loose = (item.name for item in items if item.is_file and is_code(item.name))
        if not inner or any(match_exercise(name, self.wanted.exercises) for name in loose):
            return False
        if self._roster is not None:
            return 2 * sum(self._knows(item.name) for item in inner) >= len(inner)
        seen: set[str] = set()
        for item in inner:
            stem = item.name.partition(".")[0]
            if _OWN_FOLDERS.match(stem) or self._exercise(stem):
                return False
            own = {e for name in self._names(item.path) if (e := self._exercise_of(name))}
            if own & seen:
                return True
            seen |= own
        # Archives in a folder of their own are students', whatever is in them.
        return len(inner) > 1 and all(is_archive(item.name) for item in inner)

    def _names(self, path: Path, depth: int = 2) -> Iterator[str]:
        """Names of files of code in a folder and those in it: some of them, of a flood."""
        for item in self._context().listed(path, _LOOK) if not islink(path) else []:
            if item.is_folder and depth:
                yield from self._names(item.path, depth - 1)
            elif is_code(item.name):
                yield item.name

    def _exercise_of(self, name: str) -> str:
        match = match_exercise(name, self.wanted.exercises)
        return match.exercise if match is not None and match.tier >= 2 else ""

    def _exercise(self, name: str) -> str:
        stem = normal(name.partition(".")[0])
        return next((exercise for exercise in self.wanted.exercises if exercise in stem), "")

    def _knows(self, name: str) -> bool:
        stem = name[: name.index(".", 1)] if is_archive(name) else name
        return bool(self._people(stem))

    def _people(self, name: str) -> list[Person]:
        return self._roster.known(Claim(name, OWN)) if self._roster is not None else []

    # --- which layout

    def _download(self, place: Path, name: str, alone: bool) -> Download:
        if closed := why_closed(place):
            raise ConfigurationError(closed, file=place)  # or whoever is in it would be missing
        layout, why = self._detected(place)
        reading = self._read(place, layout, name)
        strangers = _strangers(reading)
        names = [delivery.who.student for delivery in reading.deliveries]
        exercises = [name for name in names if self._exercise_of(f"{name}.py") and not self._knows(name)]
        if self.wanted.layout == "auto" and layout == FALLBACK and len(names) == len(exercises) > 1:
            raise self._refusal(
                _(
                    "{names} are called as exercises: FOLDER/<student>/<exercise>.py is expected; where they are "
                    "students, say --layout folder"
                ),
                names=", ".join(names[:5]),
            )
        if self.wanted.layout == "auto" and not _explains(reading):
            count = _count(reading)
            raise self._refusal(
                _(
                    "read as {layout} ({why}), only {explained} of {count} things are explained ({file}: {reason}); "
                    "say with --layout how it is laid out, one of: {names}"
                ),
                layout=layout, why=why, explained=count - len(strangers), count=count, names=", ".join(layouts()),
                file=shown(strangers[0].parts[0].path.name), reason=strangers[0].who.unknown,
            )  # fmt: skip
        return Download(name, layout, why, reading, alone)

    def _refusal(self, text: str, /, **words: object) -> ConfigurationError:
        return ConfigurationError(text.format(**words), file=self.source)

    def _detected(self, place: Path) -> tuple[str, str]:
        """The layout of a folder, and what shows it."""
        if self.wanted.layout != "auto":
            return self.wanted.layout, ""
        for name, layout in layouts().items() if place not in self._seen else ():
            with suppress(OSError):
                why = layout.detect(place, self._context())
                if why and (name == FALLBACK or layout.SURE or _explains(self._read(place, name))):
                    self._seen[place] = name, why
                    break
        return self._seen.setdefault(place, (FALLBACK, ""))

    def _read(self, place: Path, layout: str, name: str = "") -> Reading:
        reading = layouts()[layout].read(place, self._context(name))
        beside = [part.path for d in reading.deliveries for part in d.parts if part.path.parent == place]
        skipped = {path for path in beside if self._is_beside(path)}
        reading.deliveries = [d for d in reading.deliveries if not d.parts or {p.path for p in d.parts} - skipped]
        leftovers = (i.path for i in listed(place, {}, faults=reading.evidence) if is_leftover(i.name))
        reading.ignored += [*leftovers, *sorted(skipped)]
        return reading

    def _context(self, name: str = "") -> Context:
        roster = self.rosters.of(name).grouped
        return Context(self.wanted.exercises, self.wanted.zone, roster, self.unpacker.contents.names)

    @property
    def _roster(self) -> Roster | None:
        return self.rosters.grouped

    def _is_beside(self, path: Path) -> bool:
        """Whether something is a table, or a folder that results go to: nobody's work."""
        if islink(path) or path.parent == path:
            return False
        if isfile(path):
            return path.name.lower().endswith(TABLES) and not self._knows(path.stem)
        if not isdir(path):
            return False
        kept = sum(exists(path / name) for name in _RESULTS) > 1 and next(self._names(path), None) is None
        return kept or path.resolve() in self._without

    @cached_property
    def _without(self) -> set[Path]:
        return {path.resolve() for path in self.wanted.without}

    def _items(self, place: Path, papers: bool = True) -> list[Item]:
        found = [item for item in self._context().listed(place) if not self._is_beside(item.path)]
        return [item for item in found if papers or not _is_paper(item.name)]


def _is_paper(name: str) -> bool:
    """Whether a file is one to read; `toy.py.txt` is a script that a browser renamed."""
    return name.lower().endswith(_PAPERS) and not is_code(name)


def _count(reading: Reading) -> int:
    return sum(max(1, len(delivery.parts)) for delivery in reading.deliveries)


def _explains(reading: Reading) -> bool:
    """Whether a layout says of at least half of what is there whose it is."""
    return 2 * len(_strangers(reading)) <= _count(reading)


def _strangers(reading: Reading) -> list[Delivery]:
    return [delivery for delivery in reading.deliveries if delivery.who.unknown and delivery.parts]
