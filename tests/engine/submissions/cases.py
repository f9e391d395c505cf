"""Every form of a hand-in that is tried: what is given, and what becomes of each student's markov_quiz.

The test reads each, and docs/hand_ins.py makes docs/reference/hand-ins.md of them. `platforms` writes the downloads.
"""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from autograder.course.errors import ConfigurationError
from autograder.course.roster import read_roster
from autograder.course.written import Intake
from autograder.submissions import HandIn, Wanted, read_class
from autograder.submissions.resolutions import read_resolutions
from tests.engine.submissions.platforms import canvas, gradescope, moodle, nbgrader, plain
from tests.engine.submissions.platforms.model import Handed, Student, folder, zipped

EXERCISES = ("markov_quiz", "vae_mnist")
CONTRACTS = {
    "markov_quiz": frozenset({"joint_probability", "transitions", "generate"}),
    "vae_mnist": frozenset({"kl_divergence", "reparameterise", "elbo"}),
}
CODE = (
    b"def joint_probability(x, y):\n    return x\n\n\ndef transitions(x):\n    return x\n\n\n"
    b"def generate(x):\n    return x\n"
)
OTHER = CODE.replace(b"return x", b"return x + 0")
VAE = (
    b"def kl_divergence(m, v):\n    return m\n\n\ndef elbo(x):\n    return x\n\n\n"
    b"def reparameterise(x):\n    return x\n"
)
HELPER = b"def load(path):\n    return open(path).read()\n"
STUB = CODE.replace(b"    return x\n", b"    raise NotImplementedError('transitions is not written yet')\n")

ADA = Student("u1", "Ada", "Lovelace", "ada@x.org", 1001, 501, "aB3xY", "ada-l", "Team Red")
BOB = Student("u2", "Bob", "Ray", "bob@x.org", 1002, 502, "cD4zW", "bobray", "Team Red")
ZOE = Student("u3", "Zoé", "Müller", "zoe@x.org", 1003, 503, "eF5vU", "zoem", "Blue")
EVERYBODY = (ADA, BOB, ZOE)
ROSTER = "id,first name,last name,email,participant id,canvas id,anonymous id,github,group\n" + "".join(
    f"{s.id},{s.first},{s.last},{s.email},{s.moodle},{s.canvas},{s.anonymous},{s.github},{s.group}\n" for s in EVERYBODY
)
PLAIN = "id,name,email\n" + "".join(f"{s.id},{s.name},{s.email}\n" for s in EVERYBODY)
FINE = {"markov_quiz.py": CODE}

WHEN = datetime(2027, 2, 8, 22, 10, tzinfo=UTC)  # what every platform that knows the time was told
Make = Callable[[Path], Path]


@dataclass(frozen=True)
class Case:
    """One form.

    Attributes:
        layout: whose form it is.
        identity: how it says who somebody is.
        damage: what is special about it.
        make: writes it below a folder and says where it begins.
        becomes: of each student's markov_quiz: a file that is graded, a kind of evidence, or `missing`.
        roster: text of the roster; none where it is empty.
        refused: words of the refusal, where nothing is read.
        wanted: more of how it is read.
        resolve: text of the table of decisions.
    """

    layout: str
    identity: str
    damage: str
    make: Make
    becomes: Mapping[str, str]
    roster: str = ""
    refused: str = ""
    wanted: Mapping[str, object] = field(default_factory=dict)
    resolve: str = ""

    def read(self, base: Path) -> HandIn:
        """Write it and read it."""
        roster = None
        if self.roster:
            (base / "roster of the course.csv").write_text(self.roster)
            roster = read_roster(base / "roster of the course.csv")
        source = self.make(base / "given")
        wanted = Wanted(EXERCISES, contracts=CONTRACTS, roster=roster, zone=ZoneInfo("Europe/Paris"))
        if self.resolve:
            (base / "resolve.csv").write_text(self.resolve)
            decided = read_resolutions(base / "resolve.csv", EXERCISES, roster, UTC)
            wanted = replace(wanted, resolutions=decided)
        return read_class(source, replace(wanted, **self.wanted))

    def status(self, base: Path) -> dict[str, str]:
        """What becomes of each student's markov_quiz; `refused` where nothing is read."""
        try:
            with self.read(base) as scan:
                return statuses(scan)
        except ConfigurationError as error:
            return {"refused": str(error)}


def statuses(scan: HandIn, exercise: str = "markov_quiz") -> dict[str, str]:
    """What becomes of each student's exercise."""
    found = dict.fromkeys(scan.students, "missing")
    found |= {nothing.student: nothing.kind for nothing in scan.not_gradable if nothing.exercise == exercise}
    found |= {entry.student: entry.path.name for entry in scan.entries if entry.exercise == exercise}
    return found


def put(files: Mapping[str, bytes]) -> Make:
    """Files in a folder."""
    return lambda base: folder(base, files)


def packed(files: Mapping[str, bytes], name: str = "markov_quiz.zip") -> Make:
    """Files in an archive."""

    def make(base: Path) -> Path:
        base.mkdir()
        (base / name).write_bytes(zipped(files))
        return base / name

    return make


def damaged_member(files: Mapping[str, bytes], part: bytes) -> Make:
    """An archive, one bit of its first file turned."""

    def make(base: Path) -> Path:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        content = bytearray(stream.getvalue())
        content[content.index(part)] ^= 1
        return folder(base, {"markov_quiz.zip": bytes(content)}) / "markov_quiz.zip"

    return make


def repositories(*users: str, slug: str = "markov-quiz") -> Make:
    """Clones of one assignment, without what git keeps in them."""

    def make(base: Path) -> Path:
        files = {f"{slug}-{user}/markov_quiz.py": CODE for user in users}
        heads = {f"{slug}-{user}/.git/HEAD": b"ref: refs/heads/main\n" for user in users}
        return folder(base / f"{slug}-submissions", {**files, **heads})

    return make


def tarred(files: Mapping[str, bytes], mode: str = "w:gz") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def handed(student: Student = ADA, files: Mapping[str, bytes] = FINE, **more: object) -> Handed:
    return Handed(student, files, **more)  # type: ignore[arg-type]


def foreign(base: Path) -> Path:
    """A zip whose names are in the letters of Windows, and which does not say so."""
    files = zipped({"Zo?/markov_quiz.py": CODE, "u1/markov_quiz.py": CODE}).replace(b"Zo?", b"Zo\xe9")
    return folder(base, {"markov_quiz.zip": files}) / "markov_quiz.zip"


def worksheets(base: Path) -> Path:
    """Downloads of two assignments with the worksheet of each; a participant's number is each assignment's own."""
    files = {}
    for name, work, turned in (("Markov quiz-7", FINE, 0), ("VAE mnist-8", {"vae_mnist.py": VAE}, 1)):
        numbers = [s.moodle for s in EVERYBODY]
        people = [replace(s, moodle=numbers[(at + turned) % 3]) for at, s in enumerate(EVERYBODY)]
        class_ = [handed(student, work) for student in people]
        files[f"GM-{name}.zip"] = zipped(moodle.download(class_))
        files[f"Grades-GM-{name}.csv"] = moodle.worksheet(people, class_)
    return folder(base, files)


ALL = [handed(student) for student in EVERYBODY]
GROUP = [handed(ADA, members=(ADA, BOB)), handed(ZOE, members=(ZOE,))]
EACH = {student.id: "markov_quiz.py" for student in EVERYBODY}
FLAT = {student.id: f"{student.id}_markov_quiz.py" for student in EVERYBODY}
NAMED = {student.name: "markov_quiz.py" for student in EVERYBODY}


def student_folder(files: Mapping[str, bytes]) -> Make:
    return put({f"u1/{name}": content for name, content in files.items()})


def _canvas_named(name: str) -> dict[str, str]:
    return {"u1": name, "u2": "missing", "u3": "missing"}


def canvas_names(*files: str | tuple[str, bytes]) -> Make:
    given = [(f, CODE) if isinstance(f, str) else f for f in files]
    return packed({f"lovelaceada_501_{900 + i}_{name}": content for i, (name, content) in enumerate(given)})


CASES: list[Case] = [
    # --- a folder per student
    Case("folder", "roster id", "", put(plain.folders(ALL)), EACH, PLAIN),
    Case("folder", "folder's name", "no roster", put(plain.folders(ALL)), EACH),
    Case("folder", "name", "", put({f"{s.name}/markov_quiz.py": CODE for s in EVERYBODY}), EACH, PLAIN),
    Case(
        "folder",
        "name, the last first",
        "",
        put({f"{s.last}, {s.first}/markov_quiz.py": CODE for s in EVERYBODY}),
        EACH,
        PLAIN,
    ),
    Case("folder", "address", "", put({f"{s.email}/markov_quiz.py": CODE for s in EVERYBODY}), EACH, PLAIN),
    Case(
        "folder",
        "local part of the address",
        "",
        put({"ada/markov_quiz.py": CODE}),
        {"u1": "markov_quiz.py", "u2": "missing", "u3": "missing"},
        PLAIN,
    ),
    Case(
        "folder",
        "not on the roster",
        "",
        put({"u1/markov_quiz.py": CODE, "eve/markov_quiz.py": CODE}),
        {"u1": "markov_quiz.py", "eve": "person_unknown", "u2": "missing", "u3": "missing"},
        PLAIN,
    ),
    Case(
        "folder",
        "not on the roster",
        "nearly the name of somebody",
        put({"u1/markov_quiz.py": CODE, "Bob Rae/markov_quiz.py": CODE}),
        {"u1": "markov_quiz.py", "u2": "person_unknown", "Bob Rae": "person_unknown", "u3": "missing"},
        PLAIN,
    ),
    Case(
        "folder",
        "roster id",
        "file of an unknown name that defines the exercise",
        student_folder({"homework.py": CODE}),
        {"u1": "homework.py"},
    ),
    Case(
        "folder",
        "roster id",
        "file of an unknown name in French",
        student_folder({"devoir.py": CODE}),
        {"u1": "devoir.py"},
    ),
    Case(
        "folder",
        "roster id",
        "file of an unknown name that defines nothing",
        student_folder({"homework.py": b"x = 1\n"}),
        {"u1": "name_unknown"},
    ),
    Case(
        "folder", "roster id", "two candidates", student_folder({"v1.py": CODE, "v2.py": OTHER}), {"u1": "candidates"}
    ),
    Case(
        "folder",
        "roster id",
        "two candidates of the same bytes",
        student_folder({"markov_quiz (1).py": CODE, "markov_quiz (2).py": CODE}),
        {"u1": "markov_quiz (1).py"},
    ),
    Case(
        "folder",
        "roster id",
        "MarkovQuiz.ipynb",
        student_folder({"MarkovQuiz.ipynb": b'{"cells": []}'}),
        {"u1": "MarkovQuiz.ipynb"},
    ),
    Case("folder", "roster id", "markovquiz.py", student_folder({"markovquiz.py": CODE}), {"u1": "markovquiz.py"}),
    Case(
        "folder",
        "roster id",
        "Copie de Markov Quiz (2).py",
        student_folder({"Copie de Markov Quiz (2).py": CODE}),
        {"u1": "Copie de Markov Quiz (2).py"},
    ),
    Case(
        "folder",
        "roster id",
        "soft hyphens in the name",
        student_folder({"markov\u00ad_quiz.py": CODE}),
        {"u1": "markov\u00ad_quiz.py"},
    ),
    Case(
        "folder",
        "roster id",
        "a helper beside it",
        student_folder({"homework.py": b"import helper\n" + CODE, "helper.py": HELPER}),
        {"u1": "homework.py"},
    ),
    Case(
        "folder",
        "roster id",
        "public checks beside it",
        student_folder({**FINE, "test_public.py": CODE}),
        {"u1": "markov_quiz.py"},
    ),
    Case(
        "folder",
        "roster id",
        "an untouched copy beside it",
        student_folder({"markov_quiz.py": STUB, "markov_quiz (1).py": CODE}),
        {"u1": "markov_quiz (1).py"},
    ),
    Case("folder", "roster id", "a PDF", student_folder({"answers.pdf": b"%PDF-1.4"}), {"u1": "no_code"}),
    Case(
        "folder",
        "roster id",
        "a PDF called as the exercise",
        student_folder({"markov_quiz.pdf": b"%PDF-1.4", "vae_mnist.py": VAE}),
        {"u1": "no_code"},
    ),
    Case(
        "folder",
        "roster id",
        "bytes that are no text",
        student_folder({"markov_quiz.py": bytes(range(256)) * 9}),
        {"u1": "unreadable"},
    ),
    Case("folder", "roster id", "an empty file", student_folder({"markov_quiz.py": b""}), {"u1": "unreadable"}),
    Case("folder", "roster id", "an empty folder", put({"u1/.DS_Store": b""}), {"u1": "missing"}),
    Case("folder", "roster id", "a zip", student_folder({"work.zip": zipped(FINE)}), {"u1": "markov_quiz.py"}),
    Case(
        "folder", "roster id", "a broken zip", student_folder({"work.zip": b"PK\x03\x04 broken"}), {"u1": "unreadable"}
    ),
    Case("folder", "roster id", "a rar", student_folder({"work.rar": b"Rar!"}), {"u1": "unreadable"}),
    Case(
        "folder",
        "roster id",
        "zips four deep",
        student_folder({"a.zip": zipped({"b.zip": zipped({"c.zip": zipped({"d.zip": zipped(FINE)})})})}),
        {"u1": "limit"},
    ),
    Case(
        "folder",
        "roster id",
        "zips three deep",
        student_folder({"a.zip": zipped({"b.zip": zipped({"c.zip": zipped(FINE)})})}),
        {"u1": "markov_quiz.py"},
    ),
    Case(
        "folder",
        "roster id",
        "more files than allowed",
        student_folder({f"{n}.txt": b"x" for n in range(30)}),
        {"u1": "limit"},
        wanted={"intake": Intake(entries=20)},
    ),
    Case(
        "folder",
        "roster id",
        "more bytes than allowed",
        student_folder({"a.zip": zipped({"x.csv": b"0" * 200_000})}),
        {"u1": "limit"},
        wanted={"intake": Intake(unpacked_mb=0.1)},
    ),
    Case(
        "folder",
        "roster id",
        "a damaged tar.gz",
        student_folder({"a.tar.gz": tarred({**FINE, "b.py": b"x"})[:-30]}),
        {"u1": "unreadable"},
    ),
    Case(
        "folder",
        "roster id",
        "a tar cut at a member",
        student_folder({"a.tar": tarred({**FINE, "b.py": b"x"}, "w")[:1536]}),
        {"u1": "unreadable"},
    ),
    Case(
        "folder",
        "roster id",
        "a folder of an exercise's",
        student_folder({"exercises/markov_quiz/markov_quiz.py": CODE}),
        {"u1": "markov_quiz.py"},
    ),
    Case(
        "folder",
        "roster id",
        "a folder too many",
        put({f"class/{s.id}/markov_quiz.py": CODE for s in EVERYBODY}),
        EACH,
        PLAIN,
    ),
    Case(
        "folder",
        "folder's name",
        "a folder too many, no roster",
        put({f"class/{s.id}/markov_quiz.py": CODE for s in EVERYBODY}),
        EACH,
    ),
    Case(
        "folder",
        "roster id",
        "two folders of sections",
        put({"A/u1/markov_quiz.py": CODE, "B/u2/markov_quiz.py": CODE, "B/u3/markov_quiz.py": CODE}),
        EACH,
        PLAIN,
    ),
    Case(
        "folder",
        "folder's name",
        "two folders that may be sections, no roster",
        put({f"{c}/{s}/markov_quiz.py": CODE for c in "AB" for s in ("x1", "x2")}),
        {},
        refused="give one of these folders",
    ),
    Case(
        "folder",
        "roster id",
        "an output folder among the students",
        put({**plain.folders(ALL), "out/grades.csv": b"", "out/results/u1/markov_quiz.json": b"{}"}),
        EACH,
        PLAIN,
    ),
    Case(
        "folder",
        "roster id",
        "a table of the class beside the students",
        put({**plain.folders(ALL), "class.csv": PLAIN.encode()}),
        EACH,
    ),
    Case(
        "folder",
        "none",
        "a loose file beside the students",
        put({**plain.folders(ALL), "markov_quiz.py": CODE}),
        EACH,
        PLAIN,
    ),
    Case(
        "folder",
        "none",
        "loose files alone",
        put({"work one.py": CODE, "work two.py": CODE}),
        {},
        PLAIN,
        refused="only 0 of 2",
    ),
    Case(
        "folder",
        "dot before the name",
        "",
        put({"u1/markov_quiz.py": CODE, ".u2/markov_quiz.py": CODE}),
        {"u1": "markov_quiz.py", "u2": "person_unknown", "u3": "missing"},
        PLAIN,
    ),
    Case("folder", "archives", "a zip for each student", put(plain.archives(ALL)), EACH, PLAIN),
    Case(
        "folder",
        "archives",
        "a zip of the class with a zip for each",
        packed({f"class/{n}": c for n, c in plain.archives(ALL).items()}, "c.zip"),
        EACH,
    ),
    Case(
        "folder",
        "archives",
        "one zip of them is broken",
        put({**plain.archives(ALL), "u1.zip": b"PK\x03\x04"}),
        {**EACH, "u1": "unreadable"},
        PLAIN,
    ),
    Case(
        "folder",
        "roster id",
        "decided: the file of an unknown name",
        student_folder({"v1.py": CODE, "v2.py": OTHER}),
        {"u1": "v2.py"},
        resolve="path,exercise\nu1/v2.py,markov_quiz\n",
    ),
    Case(
        "folder",
        "not on the roster",
        "decided: whose it is",
        put({"eve/markov_quiz.py": CODE}),
        {"u1": "missing", "u2": "markov_quiz.py", "u3": "missing"},
        PLAIN,
        resolve="path,student\neve,bob@x.org\n",
    ),
    Case(
        "folder",
        "roster id",
        "decided: leave it out",
        student_folder({"notes.pdf": b"%PDF"}),
        {"u1": "missing"},
        resolve="path,decision\nu1/notes.pdf,ignore\n",
    ),
    # --- flat
    Case("flat", "roster id", "", put(plain.flat(ALL)), FLAT, PLAIN),
    Case(
        "flat",
        "name",
        "",
        put({f"markov_quiz-{s.name}.py": CODE for s in EVERYBODY}),
        {s.id: f"markov_quiz-{s.name}.py" for s in EVERYBODY},
        PLAIN,
    ),
    Case(
        "flat",
        "roster id",
        "a second copy",
        put({**plain.flat(ALL), "u1_markov_quiz (1).py": OTHER}),
        {**FLAT, "u1": "u1_markov_quiz (1).py"},
        PLAIN,
    ),
    Case(
        "flat",
        "not on the roster",
        "",
        put({**plain.flat(ALL), "eve_markov_quiz.py": CODE}),
        {**FLAT, "eve": "person_unknown"},
        PLAIN,
    ),
    # --- Moodle
    Case("Moodle 4.1+", "participant and name", "", packed(moodle.download(ALL)), EACH, ROSTER),
    Case("Moodle 4.1+", "name", "the numbers are not on the roster", packed(moodle.download(ALL)), EACH, PLAIN),
    Case("Moodle 4.1+", "name", "no roster", packed(moodle.download(ALL)), NAMED),
    Case("Moodle 4.1+", "participant", "hidden names", packed(moodle.download(ALL, blind=True)), EACH, ROSTER),
    Case(
        "Moodle 4.1+",
        "participant",
        "hidden names, no roster",
        packed(moodle.download(ALL, blind=True)),
        {f"Participant {s.moodle}": "markov_quiz.py" for s in EVERYBODY},
    ),
    Case(
        "Moodle 4.1+",
        "participant and name",
        "without folders",
        packed(moodle.download(ALL, folders=False)),
        {s.id: f"{s.name}_{s.moodle}_assignsubmission_file_markov_quiz.py" for s in EVERYBODY},
        ROSTER,
    ),
    Case("Moodle 4.1+", "team", "groups on the roster", packed(moodle.download(GROUP)), EACH, ROSTER),
    Case(
        "Moodle 4.1+",
        "team",
        "groups in groups.csv",
        put({**moodle.download(GROUP), "groups.csv": b"group,student\nTeam Red,u1\nTeam Red,u2\nBlue,u3\n"}),
        EACH,
        PLAIN,
    ),
    Case(
        "Moodle 4.1+",
        "team",
        "nobody knows the groups",
        packed(moodle.download(GROUP)),
        dict.fromkeys(("u1", "u2", "u3", "Team Red", "Blue"), "person_unknown"),
        PLAIN,
    ),
    Case(
        "Moodle 4.1+",
        "participant and name",
        "text typed into the editor",
        packed(moodle.download([handed(files={}, text="<p>see x <![ y</p>")])),
        {"u1": "no_code", "u2": "missing", "u3": "missing"},
        ROSTER,
    ),
    Case(
        "Moodle 4.1+",
        "participant and name",
        "text beside a file",
        packed(moodle.download([handed(text="<p>done</p>")])),
        {"u1": "markov_quiz.py", "u2": "missing", "u3": "missing"},
        ROSTER,
    ),
    Case(
        "Moodle 4.1+",
        "participant and name",
        "the number is another's",
        packed({"Ada Lovelace_1002_assignsubmission_file/markov_quiz.py": CODE}),
        {"u1": "contradiction", "u2": "contradiction", "u3": "missing"},
        ROSTER,
    ),
    Case(
        "Moodle 4.1+",
        "participant and name",
        "a participant's number that is somebody's student id",
        packed({"Ada Lovelace_77_assignsubmission_file/markov_quiz.py": CODE}),
        {"a": "markov_quiz.py", "77": "missing"},
        "id,name,email\na,Ada Lovelace,a@x.org\n77,Bob Ray,b@x.org\n",
    ),
    Case(
        "Moodle 4.1+",
        "name",
        "two of one name, one of them on the roster",
        packed({f"Ada Lovelace_{n}_assignsubmission_file/markov_quiz.py": CODE for n in (11, 12)}),
        {"u1": "contradiction", "u2": "missing", "u3": "missing"},
        PLAIN,
    ),
    Case(
        "Moodle 4.1+",
        "participant and name",
        "a folder too many",
        put({f"download/{n}": c for n, c in moodle.download(ALL).items()}),
        EACH,
        ROSTER,
    ),
    Case(
        "Moodle 4.1+",
        "participant and name",
        "two zips and a roster beside each other",
        put(
            {
                "C-Markov quiz-1.zip": zipped(moodle.download(ALL)),
                "C-vae mnist-2.zip": zipped(moodle.download([handed(files={"a.py": VAE})])),
                "roster.csv": ROSTER.encode(),
            }
        ),
        EACH,
    ),
    Case(
        "Moodle 4.1+",
        "participant and name",
        "--layout moodle with zips",
        put({"C-Markov quiz-1.zip": zipped(moodle.download(ALL))}),
        EACH,
        ROSTER,
        wanted={"layout": "moodle"},
    ),
    Case(
        "Moodle 4.1+",
        "participant and name",
        "a damaged zip of the class",
        lambda base: folder(base, {"x.zip": zipped(moodle.download(ALL))[:-30]}) / "x.zip",
        {},
        ROSTER,
        refused="--damaged",
    ),
    Case(
        "Moodle 4.1+",
        "participant and name",
        "a damaged tar of the class, told to go on",
        lambda base: folder(base, {"x.tar": tarred(moodle.download(ALL), "w")[:1600]}) / "x.tar",
        {"u1": "markov_quiz.py", "u2": "unreadable", "u3": "unreadable"},
        ROSTER,
        wanted={"damaged": True},
    ),
    Case(
        "Moodle 4.1+",
        "participant and name",
        "one member of the class's zip is damaged",
        damaged_member(moodle.download(ALL), b"return x"),
        {**EACH, "u1": "unreadable"},
        ROSTER,
    ),
    Case("Moodle up to 4.0", "participant and name", "", packed(moodle.old_download(ALL)), EACH, ROSTER),
    Case(
        "Moodle up to 4.0",
        "participant and name",
        "without folders",
        packed(moodle.old_download(ALL, folders=False)),
        {s.id: f"{s.name}_{s.moodle}_assignsubmission_file_markov_quiz.py" for s in EVERYBODY},
        ROSTER,
    ),
    Case(
        "Moodle up to 4.0",
        "team and name",
        "a folder for each member",
        packed(moodle.old_download(GROUP)),
        EACH,
        ROSTER,
    ),
    *(
        Case(
            "Moodle 4.1+",
            f"worksheet in {language}",
            "its names, numbers and times",
            packed(moodle.download(ALL)),
            {s.email.partition("@")[0]: "markov_quiz.py" for s in EVERYBODY},
            moodle.worksheet(EVERYBODY, ALL, language=language).decode("utf-8-sig"),
        )
        for language in ("en", "fr", "de", "es", "it")
    ),
    # --- Canvas
    Case(
        "Canvas",
        "number and name",
        "",
        packed(canvas.download(ALL)),
        {s.id: f"{s.last}{s.first}_{s.canvas}_{900_001 + i}_markov_quiz.py".lower() for i, s in enumerate(EVERYBODY)},
        ROSTER,
    ),
    Case(
        "Canvas",
        "its gradebook as roster",
        "",
        packed(canvas.download([handed()])),
        {"ada": "lovelaceada_501_900001_markov_quiz.py", "bob": "missing", "zoe": "missing"},
        canvas.gradebook(EVERYBODY).decode(),
    ),
    Case(
        "Canvas",
        "number and name",
        "late",
        packed(canvas.download([handed(late=True)])),
        _canvas_named("lovelaceada_LATE_501_900001_markov_quiz.py"),
        ROSTER,
    ),
    Case(
        "Canvas",
        "anonymous",
        "",
        packed(canvas.download([handed()], anonymous=True)),
        _canvas_named("anon_aB3xY_900001_markov_quiz.py"),
        ROSTER,
    ),
    Case(
        "Canvas",
        "anonymous",
        "late",
        packed(canvas.download([handed(late=True)], anonymous=True)),
        _canvas_named("LATE_anon_aB3xY_900001_markov_quiz.py"),
        ROSTER,
    ),
    Case(
        "Canvas",
        "group",
        "groups on the roster",
        packed(canvas.download(GROUP)),
        {
            "u1": "teamred_501_900001_markov_quiz.py",
            "u2": "teamred_501_900001_markov_quiz.py",
            "u3": "blue_503_900002_markov_quiz.py",
        },
        ROSTER,
    ),
    Case(
        "Canvas",
        "number and name",
        "several files, one renamed test_public-1.py",
        canvas_names("markov_quiz.py", ("test_public-1.py", HELPER)),
        _canvas_named("lovelaceada_501_900_markov_quiz.py"),
        ROSTER,
    ),
    Case(
        "Canvas",
        "number and name",
        "homework.py with helper.py",
        canvas_names(("homework.py", b"import helper\n" + CODE), ("helper.py", HELPER)),
        _canvas_named("lovelaceada_501_900_homework.py"),
        ROSTER,
    ),
    Case(
        "Canvas",
        "number and name",
        "a name used before",
        canvas_names("markov_quiz-1.py"),
        _canvas_named("lovelaceada_501_900_markov_quiz-1.py"),
        ROSTER,
    ),
    Case(
        "Canvas",
        "number and name",
        "v1.py and v2.py",
        canvas_names("v1.py", ("v2.py", OTHER)),
        _canvas_named("candidates"),
        ROSTER,
    ),
    Case(
        "Canvas",
        "number and name",
        "text typed into Canvas",
        packed(canvas.download([handed(files={}, text="my code")])),
        _canvas_named("no_code"),
        ROSTER,
    ),
    Case(
        "Canvas",
        "number and name",
        "the number is another's",
        packed({"lovelaceada_502_900_markov_quiz.py": CODE}),
        {"u1": "contradiction", "u2": "contradiction", "u3": "missing"},
        ROSTER,
    ),
    Case(
        "Canvas",
        "number and name",
        "numbers in the file's name",
        packed({"lovelaceada_501_900_markov_quiz_12_34.py": CODE}),
        _canvas_named("lovelaceada_501_900_markov_quiz_12_34.py"),
        ROSTER,
    ),
    # --- Gradescope
    Case("Gradescope", "number, address and name", "", packed(gradescope.download(ALL)), EACH, PLAIN),
    Case("Gradescope", "number", "no roster", packed(gradescope.download(ALL)), EACH),
    Case("Gradescope", "group", "its own data", packed(gradescope.download(GROUP)), EACH, PLAIN),
    Case(
        "Gradescope",
        "number, address and name",
        "a number that is another's",
        packed(gradescope.download([handed(replace(ADA, id="u2"))])),
        {"u1": "contradiction", "u2": "contradiction", "u3": "missing"},
        PLAIN,
    ),
    Case(
        "Gradescope",
        "number, address and name",
        "a submission that the metadata does not know",
        put({**gradescope.download(ALL, around=False), "submission_9/markov_quiz.py": CODE}),
        EACH,
        PLAIN,
    ),
    Case(
        "Gradescope",
        "number and name",
        "an address that is nobody's",
        packed(gradescope.download([handed(replace(ADA, email="eve@elsewhere.org"))])),
        {"u1": "contradiction", "u2": "missing", "u3": "missing"},
        PLAIN,
    ),
    # --- nbgrader
    Case("nbgrader", "login", "", put(nbgrader.submitted([("markov_quiz", h) for h in ALL])), EACH, PLAIN),
    Case(
        "nbgrader",
        "login",
        "a notebook of another name",
        put(nbgrader.submitted([("markov_quiz", handed(files={"hw.ipynb": b'{"cells": []}'}))])),
        {"u1": "hw.ipynb"},
    ),
    Case(
        "nbgrader",
        "login",
        "a time in year 1",
        put(
            {
                **nbgrader.submitted([("markov_quiz", handed())]),
                "submitted/u1/markov_quiz/timestamp.txt": b"0001-01-01 00:00:00 -1200",
            }
        ),
        {"u1": "markov_quiz.py"},
    ),
    Case(
        "nbgrader",
        "login",
        "a time in year 9999",
        put(
            {
                **nbgrader.submitted([("markov_quiz", handed())]),
                "submitted/u1/markov_quiz/timestamp.txt": b"9999-12-31 23:59:59 -1200",
            }
        ),
        {"u1": "markov_quiz.py"},
    ),
    Case(
        "Moodle 4.1+",
        "participant and name",
        "somebody calls themselves as a team",
        packed({"Team Red_1003_assignsubmission_file/markov_quiz.py": CODE}),
        dict.fromkeys(("u1", "u2", "u3"), "contradiction"),
        ROSTER,
    ),
    Case(
        "Canvas",
        "number and name",
        "somebody calls themselves as a group",
        packed({"teamred_503_900_markov_quiz.py": CODE}),
        dict.fromkeys(("u1", "u2", "u3"), "contradiction"),
        ROSTER,
    ),
    # --- GitHub Classroom: `gh classroom clone student-repos`, each with its .git
    Case("GitHub Classroom", "user", "", repositories(*(s.github for s in EVERYBODY)), EACH, ROSTER),
    Case(
        "GitHub Classroom",
        "user",
        "no roster",
        repositories("ada-l", "bobray"),
        {"ada-l": "markov_quiz.py", "bobray": "markov_quiz.py"},
    ),
    Case("GitHub Classroom", "team", "groups on the roster", repositories("team-red", "blue"), EACH, ROSTER),
    Case(
        "GitHub Classroom",
        "user",
        "a number behind the repository's name",
        repositories("ada-l-1"),
        {"u1": "markov_quiz.py", "u2": "missing", "u3": "missing"},
        ROSTER,
    ),
    Case(
        "GitHub Classroom",
        "user",
        "not on the roster",
        repositories("ada-l", "stranger"),
        {"u1": "markov_quiz.py", "stranger": "person_unknown", "u2": "missing", "u3": "missing"},
        ROSTER,
    ),
    Case(
        "GitHub Classroom",
        "user",
        "one repository alone, of an assignment called otherwise",
        repositories("ada-l", slug="homework-1"),
        {"u1": "markov_quiz.py", "u2": "missing", "u3": "missing"},
        ROSTER,
    ),
    Case(
        "GitHub Classroom",
        "user",
        "an assignment called longer than the exercise",
        repositories(*(s.github for s in EVERYBODY), slug="markov-quiz-homework-1"),
        EACH,
        ROSTER,
    ),
    Case(
        "GitHub Classroom",
        "user",
        "the roster has no users",
        repositories("ada-l"),
        dict.fromkeys(("ada-l", "u1", "u2", "u3"), "person_unknown"),
        PLAIN,
    ),
    Case(
        "Canvas",
        "anonymous",
        "the roster has no anonymous ids",
        packed({"anon_zzzzz_900_markov_quiz.py": CODE}),
        dict.fromkeys(("anon_zzzzz", "u1", "u2", "u3"), "person_unknown"),
        PLAIN,
    ),
    Case(
        "Moodle 4.1+",
        "participant",
        "hidden names, and the roster has other numbers",
        packed(moodle.download(ALL[:1], blind=True)),
        dict.fromkeys(("Participant 1001", "u1", "u2", "u3"), "person_unknown"),
        PLAIN,
    ),
    Case(
        "Moodle 4.1+",
        "team",
        "a team's number is a participant's",
        packed({"Team Red_1003_assignsubmission_file/markov_quiz.py": CODE,
                "Blue_41_assignsubmission_file/markov_quiz.py": CODE}),
        EACH,
        ROSTER,
    ),
    Case(
        "Moodle 4.1+",
        "participant and name",
        "names of 600 bytes in a zip",
        packed({f"{'李' * 200}_1001_assignsubmission_file/markov_quiz.py": CODE,
                "Bob Ray_1002_assignsubmission_file/markov_quiz.py": CODE}),
        {"u1": "contradiction", "u2": "markov_quiz.py", "u3": "missing"},
        ROSTER,
    ),
    Case(
        "Moodle 4.1+",
        "participant and name",
        "names without a letter",
        packed({"🙂_1_assignsubmission_file/markov_quiz.py": CODE, "🙃_2_assignsubmission_file/markov_quiz.py": OTHER}),
        {"a": "markov_quiz.py", "b": "markov_quiz.py"},
        "id,name,participant id\na,🙂,1\nb,🙃,2\n",
    ),
    Case(
        "Moodle 4.1+",
        "participant and name",
        "two zips, each with its worksheet beside it, and other numbers",
        worksheets,
        {"ada": "markov_quiz.py", "bob": "markov_quiz.py", "zoe": "markov_quiz.py"},
    ),
    Case(
        "Gradescope",
        "name",
        "two of one name, and nothing else of them",
        put({
            "submission_metadata.yml": b"submission_7:\n  :submitters:\n  - :name: Ada Lovelace\n"
            b"submission_8:\n  :submitters:\n  - :name: Ada Lovelace\n",
            "submission_7/markov_quiz.py": CODE, "submission_8/markov_quiz.py": OTHER,
        }),
        {"Ada Lovelace_submission_7": "markov_quiz.py", "Ada Lovelace_submission_8": "markov_quiz.py"},
    ),
    Case("folder", "roster id", "a tool's folder of copies alone",
         student_folder({".ipynb_checkpoints/markov_quiz-checkpoint.ipynb": b"{}"}), {"u1": "no_code"}),
    Case("folder", "roster id", "the course's own files alone",
         student_folder({"test_public.py": CODE, "README.md": b""}), {"u1": "no_code"}),
    Case("folder", "roster id", "zeros before a number taken away", put({"7/markov_quiz.py": CODE}),
         {"007": "person_unknown", "7": "person_unknown", "008": "missing"}, "id\n007\n008\n"),
    Case("folder", "folder's name", "two names that differ in case, in a zip",
         packed({"Ada/markov_quiz.py": CODE, "ada/markov_quiz.py": OTHER, "bob/markov_quiz.py": CODE}),
         dict.fromkeys(("Ada", "ada", "bob"), "markov_quiz.py")),
    Case("folder", "exercise's name", "a folder of everybody's files for each exercise",
         put({"markov_quiz/ada.py": CODE, "markov_quiz/bob.py": CODE, "vae_mnist/ada.py": VAE}), {},
         refused="called as exercises"),
    Case("folder", "archives", "a zip of a zip of a zip of the class",
         packed({"a.zip": zipped({"b.zip": zipped(plain.folders(ALL))})}), EACH, PLAIN),
    Case("folder", "archives", "a zip of an old program's, in another system's letters", foreign,
         dict.fromkeys(("ZoΘ", "u3"), "person_unknown") | {"u1": "markov_quiz.py", "u2": "missing"}, PLAIN),
    Case("folder", "none", "a file of code beside the students, and somebody without one",
         put({"u1/markov_quiz.py": CODE, "u2/markov_quiz.py": CODE, "homework.py": OTHER}),
         {"u1": "markov_quiz.py", "u2": "markov_quiz.py", "u3": "person_unknown"}, PLAIN),
    Case("folder", "not on the roster", "nobody of the class is",
         put({"solution/markov_quiz.py": CODE, "template/markov_quiz.py": CODE}),
         dict.fromkeys(("solution", "template", "u1", "u2", "u3"), "person_unknown"), PLAIN),
    Case("folder", "roster id", "a report among the students",
         put({**plain.folders(ALL), "report/class.md": b"", "report/grades.csv": b""}), EACH, PLAIN),
]  # fmt: skip
