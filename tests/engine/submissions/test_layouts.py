"""What learning platforms give, made by hand after their documented forms: nothing is lost, every doubt is listed."""

from __future__ import annotations

import io
import os
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from autograder.course.errors import ConfigurationError
from autograder.course.roster import read_roster
from autograder.submissions import HandIn, Wanted, read_class, read_submission

EXERCISES = ("markov_quiz", "vae_mnist")
PARIS = ZoneInfo("Europe/Paris")
CODE = "x = 1\n"


def tree(base: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = base / name
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return base


def zipped(files: dict[str, str | bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.fixture
def read(tmp_path: Path):
    def run(source: Path, roster: str | bytes | None = None, **wanted) -> HandIn:
        work = tmp_path / f"work{len(list(tmp_path.glob('work*')))}"
        work.mkdir()
        if roster is not None:
            file = tmp_path / "roster.csv"
            file.write_bytes(roster if isinstance(roster, bytes) else roster.encode())
            wanted["roster"] = read_roster(file)
        return read_class(source, Wanted(**({"exercises": EXERCISES, "zone": PARIS} | wanted)), work)

    return run


def placed(scan: HandIn) -> dict[tuple[str, str], str]:
    for entry in scan.entries:  # each can be read where it lies
        read_submission(entry.path, base=entry.base or scan.folder)
    return {(entry.student, entry.exercise): entry.path.name for entry in scan.entries}


def reasons(scan: HandIn) -> dict[str, str]:
    return {
        str(item.path.relative_to(scan.folder) if item.path.is_relative_to(scan.folder) else item.path): item.reason
        for item in scan.evidence
    }


# --- Moodle

MOODLE = {
    "Ada Lovelace_1001_assignsubmission_file_/markov_quiz.py": CODE,
    "Zoé Müller_1002_assignsubmission_file_/Markov Quiz (1).py": CODE,
    "Bob Ray_1003_assignsubmission_onlinetext_/onlinetext.html": "<p>see <b>my</b> code</p>",
    "Eve Void_1004_assignsubmission_file_/": "",
    "李 雷_1005_assignsubmission_file_/work.zip": zipped({"work/markov_quiz.ipynb": '{"cells": []}'}),
}


def test_moodle(tmp_path, read):
    scan = read(tree(tmp_path / "download", MOODLE))
    assert scan.detected[0].startswith("moodle")
    assert placed(scan) == {
        ("Ada Lovelace", "markov_quiz"): "markov_quiz.py",
        ("Zoé Müller", "markov_quiz"): "Markov Quiz (1).py",
        ("李 雷", "markov_quiz"): "markov_quiz.ipynb",
    }
    assert scan.students == ("Ada Lovelace", "Bob Ray", "Eve Void", "Zoé Müller", "李 雷")
    found = reasons(scan)
    assert "no file of code" in found["Bob Ray_1003_assignsubmission_onlinetext_/onlinetext.html"]
    assert "empty" in found["Eve Void_1004_assignsubmission_file_"]
    assert {(n.student, n.kind) for n in scan.not_gradable} == {("Bob Ray", "no_code")}
    assert {e.who.number for e in scan.entries} == {"1001", "1002", "1005"}


@pytest.mark.parametrize("around", ["", "Course-Markov Quiz-42/"])
def test_moodle_as_it_is_downloaded_and_without_folders(tmp_path, read, around):
    names = {
        f"{around}Ada Lovelace_1001_assignsubmission_file_markov_quiz.py": CODE,
        f"{around}Zoé Müller_1002_assignsubmission_file_homework.py": CODE,
    }
    download = tmp_path / "Course-Markov Quiz-42.zip"
    download.write_bytes(zipped(names))
    scan = read(download)
    assert set(placed(scan)) == {("Ada Lovelace", "markov_quiz"), ("Zoé Müller", "markov_quiz")}
    assert "was handed in for markov_quiz" in scan.entries[1].notes[0]  # the download's name says which exercise


def test_two_of_one_name_are_two_students(tmp_path, read):
    files = {f"Jean Martin_{n}_assignsubmission_file_/markov_quiz.py": CODE for n in (11, 12)}
    scan = read(tree(tmp_path / "download", files))
    assert set(placed(scan)) == {("Jean Martin_11", "markov_quiz"), ("Jean Martin_12", "markov_quiz")}
    assert all("2 students are called Jean Martin" in reason for reason in reasons(scan).values())
    worksheet = (
        "Identifier,Full name,Email address,Status,Grade,Maximum Grade\n"
        "Participant 11,Jean Martin,jean.martin@x.org,,,20\nParticipant 12,Jean Martin,jmartin2@x.org,,,20\n"
    )
    scan = read(tmp_path / "download", worksheet)
    assert set(placed(scan)) == {("jean.martin", "markov_quiz"), ("jmartin2", "markov_quiz")}
    assert scan.evidence == ()


def test_moodle_hides_names(tmp_path, read):
    files = {f"Participant_{n}_assignsubmission_file_/markov_quiz.py": CODE for n in (11, 12)}
    scan = read(tree(tmp_path / "download", files))
    assert set(placed(scan)) == {("Participant 11", "markov_quiz"), ("Participant 12", "markov_quiz")}
    assert scan.evidence == ()


def test_moodles_worksheet_is_a_roster_and_has_the_times(tmp_path, read):
    worksheet = (
        "\ufeffIdentifier,Full name,Email address,Status,Grade,Maximum Grade,Last modified (submission)\n"
        'Participant 1001,Ada Lovelace,ada@x.org,,,20,"Monday, 8 February 2027, 11:10 PM"\n'
        'Participant 1002,Zoe Muller,zoe@x.org,,,20,"Monday, February 8, 2027, 11:59 AM"\n'
        "Participant 1009,Never There,never@x.org,No submission,,20,-\n"
    )
    scan = read(tree(tmp_path / "download", MOODLE), worksheet)
    times = {entry.student: entry.submitted for entry in scan.entries}
    assert times["ada"] == datetime(2027, 2, 8, 23, 10, tzinfo=PARIS)
    assert times["zoe"] == datetime(2027, 2, 8, 11, 59, tzinfo=PARIS)
    assert scan.absent == ("never",)
    assert any("not on the roster" in reason for reason in reasons(scan).values())
    assert {n.student for n in scan.not_gradable if n.kind == "person_unknown"} == {"李 雷", "Bob Ray"}


# --- Canvas

CANVAS = {
    "lovelaceada_12345_67890_markov_quiz.py": CODE,
    "lovelaceada_12345_67999_markov_quiz-1.py": "x = 2\n",
    "mullerzoe_LATE_222_333_markov_quiz-2.ipynb": '{"cells": []}',
    "raybob_444_text.html": "<p>no file</p>",
    "notes.docx": "PK",
}


@pytest.mark.parametrize(
    ("attempts", "taken", "earlier"),
    [("last", "lovelaceada_12345_67999_markov_quiz-1.py", 0), ("first", "lovelaceada_12345_67890_markov_quiz.py", 0),
     ("best", "lovelaceada_12345_67999_markov_quiz-1.py", 1)],
)  # fmt: skip
def test_canvas(tmp_path, read, attempts, taken, earlier):
    scan = read(tree(tmp_path / "download", CANVAS), attempts=attempts)
    assert scan.detected[0].startswith("canvas")
    assert placed(scan) == {
        ("lovelaceada", "markov_quiz"): taken,
        ("mullerzoe", "markov_quiz"): "mullerzoe_LATE_222_333_markov_quiz-2.ipynb",
    }
    assert [entry.late for entry in scan.entries] == [False, True]
    assert len(scan.earlier) == earlier
    found = reasons(scan)
    assert "typed into the platform" in found["raybob_444_text.html"]
    assert "form of a Canvas" in found["notes.docx"]
    assert sum("attempt at markov_quiz" in reason for reason in found.values()) == 1


def test_canvass_gradebook_is_a_roster(tmp_path, read):
    roster = (
        "Student,ID,SIS User ID,SIS Login ID,Section,Markov (77)\n    Points Possible,,,,,20\n"
        '"Lovelace, Ada",12345,S1,ada,A,\n"Müller, Zoé",222,S2,zoe,A,\n"Student, Test",999,,,A,\n'
    ).encode("cp1252")
    scan = read(tree(tmp_path / "download", CANVAS), roster)
    assert set(placed(scan)) == {("ada", "markov_quiz"), ("zoe", "markov_quiz")}
    assert scan.absent == ()


# --- Gradescope

METADATA = """---
submission_101:
  :submitters:
  - :name: Ada Lovelace
    :sid: "0042"
    :email: ada@x.org
  :created_at: 2027-02-08 22:10:05.862055000 Z
  :score: 3.0
  :status: processed
  :history:
  - :id: 99
    :created_at: 2027-02-07 10:00:00 Z
    :score: 1.0
submission_102:
  :submitters:
  - :name: Zoé Müller
    :sid:
    :email: zoe@x.org
  - :name: Bob Ray
    :sid: ~
    :email: bob@x.org
  :created_at: 2027-02-09 09:00:00.5 -08:00
  :score: 0.0
submission_103:
  :submitters: []
submission_104:
  :submitters:
  - :name: Gone
    :email: gone@x.org
"""


def test_gradescope(tmp_path, read):
    files = {
        "assignment_7_export/submission_metadata.yml": METADATA,
        "assignment_7_export/submission_101/markov_quiz.py": CODE,
        "assignment_7_export/submission_102/src/markov_quiz.py": CODE,
        "assignment_7_export/submission_103/markov_quiz.py": CODE,
        "assignment_7_export/submission_200/markov_quiz.py": CODE,
    }
    scan = read(tree(tmp_path, files) / "assignment_7_export")
    assert scan.detected == ("gradescope (submission_metadata.yml)",)
    assert set(placed(scan)) == {(s, "markov_quiz") for s in ("0042", "zoe@x.org", "bob@x.org")}
    by = {entry.student: entry for entry in scan.entries}
    assert by["0042"].submitted == datetime(2027, 2, 8, 22, 10, 5, 862055, tzinfo=UTC)
    assert by["bob@x.org"].submitted == datetime(2027, 2, 9, 17, 0, 0, 500000, tzinfo=UTC)
    assert any("together with Zoé Müller" in note for note in by["bob@x.org"].notes)
    assert any("1 earlier attempt;" in note for note in by["0042"].notes)
    found = reasons(scan)
    assert "names nobody" in found["submission_103/markov_quiz.py"]
    assert "not in the export" in found["submission_104"]
    assert "not in the metadata" in found["submission_200/markov_quiz.py"]
    assert {n.student for n in scan.not_gradable} == {"gone@x.org"}


@pytest.mark.parametrize(
    "metadata", ["", "[1, 2]", "a: [", "submission_101: 3", "&a [*a]", "submission_101: {':submitters': 5}"]
)
def test_broken_metadata_loses_nothing(tmp_path, read, metadata):
    files = {"submission_metadata.yml": metadata, "submission_101/markov_quiz.py": CODE}
    export = tree(tmp_path / "export", files)
    with pytest.raises(ConfigurationError, match="only 0 of 1 things"):
        read(export)
    scan = read(export, layout="gradescope")
    assert scan.entries == ()
    assert any("submission_101" in name for name in reasons(scan))
    assert scan.evidence[-1].kind == "person_unknown"


# --- nbgrader


def test_nbgrader(tmp_path, read):
    files = {
        "submitted/ada/markov_quiz/notebook.ipynb": '{"cells": []}',
        "submitted/ada/markov_quiz/timestamp.txt": "2027-02-08 15:58:23.948203 America/Los_Angeles",
        "submitted/ada/vae_mnist/vae_mnist.ipynb": '{"cells": []}',
        "submitted/ada/vae_mnist/timestamp.txt": "yesterday",
        "submitted/zoe/markov_quiz/": "",
        "submitted/empty/": "",
        "source/markov_quiz/markov_quiz.ipynb": "{}",
        "gradebook.db": "x",
    }
    scan = read(tree(tmp_path / "course", files))
    assert scan.detected[0].startswith("nbgrader")
    assert placed(scan) == {("ada", "markov_quiz"): "notebook.ipynb", ("ada", "vae_mnist"): "vae_mnist.ipynb"}
    assert scan.entries[0].submitted == datetime(2027, 2, 8, 23, 58, 23, 948203, tzinfo=UTC)
    assert scan.entries[1].submitted is None
    found = reasons(scan)
    assert scan.entries[1].unread_time == "'yesterday'"
    assert any("could not be read" in note for note in scan.entries[1].notes)
    assert [q.path for q in scan.questions] == ["submitted/ada/vae_mnist/vae_mnist.ipynb"]
    assert "empty" in found["submitted/zoe/markov_quiz"]
    assert "empty" in found["submitted/empty"]
    assert scan.students == ("ada", "empty", "zoe")


# --- GitHub Classroom


def repository(folder: Path, when: datetime) -> None:
    pytest.importorskip("dulwich")
    from dulwich import porcelain

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "markov_quiz.py").write_text(CODE)
    porcelain.init(folder)
    porcelain.add(folder, [folder / "markov_quiz.py"])
    stamp = int(when.timestamp())
    porcelain.commit(
        folder, message=b"work", author=b"a <a@x>", committer=b"a <a@x>", author_timestamp=stamp,
        commit_timestamp=stamp, author_timezone=3600, commit_timezone=3600,
    )  # fmt: skip


def test_github_classroom_reads_the_commits_time_and_runs_nothing(tmp_path, read):
    when = datetime(2027, 2, 8, 21, 0, tzinfo=UTC)
    base = tmp_path / "markov-quiz-submissions"
    repository(base / "markov-quiz-ada-l", when)
    repository(base / "markov-quiz-bob", when)
    mark = tmp_path / "it ran"
    for git in (base / "markov-quiz-bob" / ".git",):
        hook = git / "hooks" / "post-checkout"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch '{mark}'\n")
        hook.chmod(0o755)
        with (git / "config").open("a") as config:
            config.write(f'[core]\n\tfsmonitor = "touch \'{mark}\'; false"\n\tpager = touch "{mark}"\n')
    tree(base, {"markov-quiz-empty/.git/HEAD": "ref: refs/heads/main\n", "markov-quiz-empty/.git/objects/": ""})
    (base / "markov-quiz-link").mkdir()
    (base / "markov-quiz-link" / ".git").symlink_to(base / "markov-quiz-bob" / ".git")
    scan = read(base)
    assert scan.detected[0].startswith("github-classroom")
    assert placed(scan) == {("ada-l", "markov_quiz"): "markov_quiz.py", ("bob", "markov_quiz"): "markov_quiz.py"}
    assert [entry.submitted for entry in scan.entries] == [when, when]
    assert not mark.exists()
    found = reasons(scan)
    assert "no time" in found["markov-quiz-empty/.git"]
    assert "no time" in found["markov-quiz-link/.git"]


# --- flat, nested, several downloads


def test_flat(tmp_path, read):
    files = {
        "ada_markov_quiz.py": CODE,
        "markov-quiz-Zoé Müller.ipynb": '{"cells": []}',
        "bob.ray_vae_mnist (1).py": CODE,
        "markov_quiz.py": CODE,
        "photo.png": "",
    }
    scan = read(tree(tmp_path / "download", files))
    assert scan.detected[0].startswith("flat")
    assert set(placed(scan)) == {
        ("ada", "markov_quiz"), ("Zoé Müller", "markov_quiz"), ("bob.ray", "vae_mnist")
    }  # fmt: skip
    found = reasons(scan)
    assert "not whose" in found["markov_quiz.py"]
    assert set(found) == {"markov_quiz.py", "photo.png"}


def test_an_archive_per_student_and_archives_within(tmp_path, read):
    inner = zipped({"work/markov_quiz.py": CODE, "work/__MACOSX/x": ""})
    files = {
        "ada.zip": zipped({"markov_quiz.py": CODE, "more.zip": zipped({"vae_mnist.py": CODE})}),
        "bob/everything.zip": inner,
        "eve/deep.zip": zipped({"a.zip": zipped({"b.zip": zipped({"c.zip": zipped({"markov_quiz.py": CODE})})})}),
        "mal/broken.zip": b"PK\x03\x04 no archive",
        "old/stuff.rar": b"Rar!",
    }
    scan = read(tree(tmp_path / "class", files))
    assert set(placed(scan)) == {("ada", "markov_quiz"), ("ada", "vae_mnist"), ("bob", "markov_quiz")}
    found = reasons(scan)
    assert "more than 3 archives within one another" in found["eve/deep.zip/a.zip/b.zip/c.zip"]
    assert {(n.student, n.kind) for n in scan.not_gradable} == {
        ("eve", "limit"), ("mal", "unreadable"), ("old", "unreadable")
    }  # fmt: skip
    assert "zip" in found["mal/broken.zip"]
    assert "archive" in found["old/stuff.rar"]
    assert scan.students == ("ada", "bob", "eve", "mal", "old")


def test_several_downloads_side_by_side(tmp_path, read):
    files = {
        "C-Markov quiz-1.zip": zipped({"Ada Lovelace_1_assignsubmission_file_/a.py": CODE}),
        "C-vae mnist-2.zip": zipped({"Ada Lovelace_9_assignsubmission_file_/b.py": CODE}),
        "C-torn-3.zip": zipped({"Ada Lovelace_9_assignsubmission_file_/b.py": CODE})[:-30],
    }
    with pytest.raises(ConfigurationError, match=r"C-torn-3\.zip.*--damaged"):
        read(tree(tmp_path / "downloads", files))
    scan = read(tmp_path / "downloads", damaged=True)
    assert set(placed(scan)) == {("Ada Lovelace", "markov_quiz"), ("Ada Lovelace", "vae_mnist")}
    assert list(reasons(scan)) == ["C-torn-3.zip"]
    (tmp_path / "downloads/C-torn-3.zip").unlink()
    assert len(read(tmp_path / "downloads").detected) == 2


# --- times


def test_times_beside_the_submissions(tmp_path, read):
    files = {
        "ada/markov_quiz.py": CODE,
        "bob/markov_quiz.py": CODE,
        "bob/vae_mnist.py": CODE,
        "submissions.csv": "student;exercise;submitted\nada;;2027-02-08 23:10\nbob;vae_mnist;2027-02-09T01:00:00Z\n",
    }
    scan = read(tree(tmp_path / "class", files))
    times = {(entry.student, entry.exercise): entry.submitted for entry in scan.entries}
    assert times == {
        ("ada", "markov_quiz"): datetime(2027, 2, 8, 23, 10, tzinfo=PARIS),
        ("bob", "markov_quiz"): None,
        ("bob", "vae_mnist"): datetime(2027, 2, 9, 1, tzinfo=UTC),
    }
    assert scan.evidence == ()


def test_a_files_own_time_only_where_asked_for(tmp_path, read):
    base = tree(tmp_path / "class", {"ada/markov_quiz.py": CODE})
    os.utime(base / "ada/markov_quiz.py", (1_800_000_000, 1_800_000_000))
    assert read(base).entries[0].submitted is None
    assert read(base, submitted_from="mtime").entries[0].submitted == datetime.fromtimestamp(1_800_000_000, UTC)


def test_a_time_that_is_none_says_where(tmp_path, read):
    base = tree(tmp_path / "class", {"ada/markov_quiz.py": CODE, "submissions.csv": "id,submitted\nada,soon\n"})
    with pytest.raises(ConfigurationError, match="line 2"):
        read(base)


# --- rosters


def test_a_roster_names_everybody_and_says_who_is_absent(tmp_path, read):
    roster = "\ufeffnom;prénom;e-mail;id number\nLovelace;Ada;ada@x.org;u1\nRay;Bob;bob@x.org;u2\n"
    scan = read(tree(tmp_path / "class", {"Ada Lovelace/markov_quiz.py": CODE, "x/markov_quiz.py": CODE}), roster)
    assert set(placed(scan)) == {("u1", "markov_quiz")}
    assert scan.students == ("u1", "u2", "x")
    assert scan.absent == ("u2",)
    assert "x is not on the roster" in reasons(scan).values()
    assert [(n.student, n.exercise, n.kind) for n in scan.not_gradable] == [("x", "markov_quiz", "person_unknown")]


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "empty"), ("a,b\n1,2\n", "no column names a student"), ("id\nx\nx\n", "line 3.*line 2"),
     ("id\n../x\n", "cannot name")],
)  # fmt: skip
def test_a_roster_that_is_none_says_why(tmp_path, text, words):
    file = tmp_path / "r.csv"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=words):
        read_roster(file)


def test_a_layout_can_be_told(tmp_path, read):
    base = tree(tmp_path / "class", {"ada_markov_quiz.py": CODE, "b/markov_quiz.py": CODE, "c/markov_quiz.py": CODE})
    assert set(placed(read(base))) == {("b", "markov_quiz"), ("c", "markov_quiz")}
    assert set(placed(read(base, layout="flat"))) == {("ada", "markov_quiz")}


# --- nobody but the platform says which layout it is


def test_a_students_files_do_not_decide_the_layout(tmp_path, read):
    """A class of one, whose folder holds what a platform would write; and one archive among others."""
    names = {
        "eve/submission_metadata.yml": METADATA,
        "eve/submission_101/markov_quiz.py": CODE,
        "eve/Ada Lovelace_1_assignsubmission_file_/vae_mnist.py": CODE,
    }
    scan = read(tree(tmp_path / "one", names))
    assert set(placed(scan)) == {("eve", "markov_quiz"), ("eve", "vae_mnist")}
    names = {"eve/markov_quiz/timestamp.txt": "2027-02-08", "bob/markov_quiz.py": CODE, "zoe/markov_quiz.py": CODE}
    assert set(placed(read(tree(tmp_path / "three", names)))) == {("bob", "markov_quiz"), ("zoe", "markov_quiz")}
    fake = zipped({"Ada Lovelace_1_assignsubmission_file_/markov_quiz.py": CODE})
    scan = read(tree(tmp_path / "class", {"eve.zip": fake, "bob.zip": zipped({"markov_quiz.py": CODE})}))
    assert set(placed(scan)) == {("bob", "markov_quiz"), ("eve", "markov_quiz")}


def test_a_folder_around_an_archives_students(tmp_path, read):
    download = tmp_path / "class.zip"
    download.write_bytes(zipped({"class/ada/markov_quiz.py": CODE, "class/bob/work/markov_quiz.py": CODE}))
    assert set(placed(read(download))) == {("ada", "markov_quiz"), ("bob", "markov_quiz")}


def test_what_lies_beside_a_folder_around_the_class_is_told_of(tmp_path, read):
    """A script that a browser renamed is somebody's work; a paper is nobody's, and is no secret."""
    inner = {f"extra/{name}": CODE for name in ("rayb_502_900002_markov_quiz.py", "mullerz_503_900003_markov_quiz.py")}
    around = {"task.pdf": b"%PDF", "notes.txt": b"mind the date\n"}
    scan = read(tree(tmp_path / "papers", inner | around))
    assert len(scan.entries) == 2
    assert {name for name, why in reasons(scan).items() if "beside the class" in why} == set(around)
    others = {f"class/{name}/markov_quiz.py": CODE for name in ("bob", "zoe")}
    own = tree(tmp_path / "own", others | {"ada.docx": b"PK"})
    found = {(one.student, one.kind) for one in read(own, "id\nada\nbob\nzoe\n").not_gradable}
    assert found == {("ada", "no_code")}
    roster = "id,name\nu1,Ada Lovelace\nbob,Bob Ray\nzoe,Zoé Müller\n"
    for number, name in enumerate(("Ada Lovelace - markov_quiz.pdf", "u1_markov_quiz.docx", "Lovelace, Ada (1).pdf")):
        named = tree(tmp_path / f"named {number}", others | {name: b"PK", "Ray of light.pdf": b"%PDF"})
        found = {(one.student, one.kind) for one in read(named, roster).not_gradable}
        assert found == {("u1", "no_code")}, name
    with pytest.raises(ConfigurationError, match="only 1 of 4"):
        read(tree(tmp_path / "work", inner | around | {"lovelacea_501_900001_markov_quiz.py.txt": CODE}))


def test_the_same_bytes_handed_in_again_are_no_attempt_of_their_own(tmp_path, read):
    """For `best` they would have counted with the later time: 18.5 became 12.95."""
    names = ("ada_markov_quiz.py", "ada_markov_quiz (1).py", "bob_markov_quiz.py")
    base = tree(tmp_path / "class", dict.fromkeys(names, CODE))
    scan = read(base, attempts="best")
    assert [entry.path.name for entry in scan.entries if entry.student == "ada"] == ["ada_markov_quiz.py"]
    assert scan.earlier == ()
    assert "same as an earlier attempt" in reasons(scan)["ada_markov_quiz (1).py"]
    (base / "ada_markov_quiz (1).py").write_text("x = 2\n")
    assert len(read(base, attempts="best").earlier) == 1


@pytest.mark.parametrize("team", ["Team Red", "Default group", "Équipe 3", "Gruppe-A"])
def test_moodles_teams_without_a_roster_are_no_students(tmp_path, read, team):
    names = (f"{team}_57_assignsubmission_file", "Blue_58_assignsubmission_file")
    scan = read(tree(tmp_path / "class", {f"{name}/markov_quiz.py": CODE for name in names}))
    assert scan.entries == ()
    assert {one.kind for one in scan.not_gradable} <= {"person_unknown"}
    assert {item.kind for item in scan.evidence} == {"person_unknown"}
    assert len(scan.questions) == 2


def test_people_of_moodle_are_no_teams(tmp_path, read):
    """Neither a name without such a word, nor a member whose name follows the team's, as up to 4.0."""
    new, old = ("Ada Lovelace_1001_assignsubmission_file",), ("Team Red-Ada Lovelace_1001_assignsubmission_file_",)
    for number, names in enumerate((new, old)):
        scan = read(tree(tmp_path / f"class{number}", {f"{name}/markov_quiz.py": CODE for name in names}))
        assert len(scan.entries) == 1
        assert scan.questions == []


def test_a_line_of_times_about_nobody_is_told(tmp_path, read):
    times = "student,submitted\nada,2027-02-08 23:10\nadda,2027-02-08 23:11\nzoe,2027-02-08 23:12\n"
    files = {"ada/markov_quiz.py": CODE, "submissions.csv": times}
    told = [item.reason for item in read(tree(tmp_path / "class", files), "id,name\nada,Ada L\nzoe,Zoe M\n").evidence]
    assert told == ["line 3: adda is nobody in the class"]
