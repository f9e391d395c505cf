"""A class's folder: everything in it is graded, listed with a reason, or a known leftover."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.course.errors import ConfigurationError
from autograder.course.written import Intake
from autograder.submissions import Evidence, HandIn, NotGradable, Wanted, read_class

EXERCISES = ("markov_quiz", "vae_mnist")
STUB = 'def f():\n    raise NotImplementedError("f is not written yet")\n'


def put(folder: Path, name: str, content: str = "x = 1\n") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def placed(scan: HandIn) -> list[tuple[str, str, str]]:
    return [(entry.student, entry.exercise, entry.path.name) for entry in scan.entries]


def reasons(scan: HandIn) -> dict[str, str]:
    return {item.path.relative_to(scan.folder).as_posix(): item.reason for item in scan.evidence}


def test_what_is_named_as_it_should_be_is_taken_without_a_word(tmp_path: Path) -> None:
    put(tmp_path, "bob/vae_mnist.ipynb")
    put(tmp_path, "bob/markov_quiz.py")
    put(tmp_path, "alice/markov_quiz.py")
    scan = read_class(tmp_path, Wanted(EXERCISES))
    assert placed(scan) == [
        ("alice", "markov_quiz", "markov_quiz.py"),
        ("bob", "markov_quiz", "markov_quiz.py"),
        ("bob", "vae_mnist", "vae_mnist.ipynb"),
    ]
    assert scan.students == ("alice", "bob")
    assert scan.evidence == ()
    assert scan.ignored == ()
    assert all(entry.notes == () for entry in scan.entries)


@pytest.mark.parametrize(
    "name",
    [
        "Markov_Quiz.py",
        "markov-quiz.py",
        "markov quiz.ipynb",
        "MARKOV_QUIZ.PY",
        "markov_quiz (1).py",
        "markov_quiz(2).py",
        "markov_quiz - Copy.py",
        "markov_quiz_copy.ipynb",
        "markov_quiz-1.py",
        "alice_markov_quiz.py",
        "markov_quiz_final_v2.py",
        "markov_quiz.py.txt",
        "markov_quiz.ipynb.json",
        "ｍarkov_quiz.py",
    ],
)
def test_what_is_nearly_named_so_is_taken_with_a_note(tmp_path: Path, name: str) -> None:
    put(tmp_path, f"alice/{name}")
    scan = read_class(tmp_path, Wanted(EXERCISES))
    assert placed(scan) == [("alice", "markov_quiz", name)]
    assert "taken for markov_quiz" in scan.entries[0].notes[0]
    assert scan.evidence == ()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("alice/markov_quis.py", "did they mean markov_quiz"),
        ("alice/homework.py", "no exercise has this name"),
        ("alice/markov_quiz_and_vae_mnist.py", "no exercise has this name|did they mean"),
        ("alice/markov_quiz.txt", r"neither \.py nor \.ipynb"),
        ("alice/markov_quiz", r"neither \.py nor \.ipynb"),
        ("alice/markov_quiz.zip", "archive"),
        ("alice/figure.png", r"neither \.py nor \.ipynb"),
        (f"alice/{'a/' * 11}markov_quiz.py", "too deep"),
        ("alice/mark\x1b[1mov_quiz.py", "control characters"),
        ("alice/markov_quiz\n.py", "control characters"),
        ("alice.zip", "archive"),
        ("al\x07ice/markov_quiz.py", "control characters"),
        ("alice\u202e/markov_quiz.py", "control characters"),
        (" /markov_quiz.py", "blank"),
    ],
)
def test_what_cannot_be_placed_is_listed_with_its_reason(tmp_path: Path, name: str, words: str) -> None:
    import re

    put(tmp_path, name)
    scan = read_class(tmp_path, Wanted(EXERCISES))
    assert scan.entries == ()
    (reason,) = reasons(scan).values()
    assert re.search(words, reason)


@pytest.mark.parametrize("student", ["Zoé Müller", "李雷", "🦊 fox 👩‍🔬", "o'neil, k.", "=1+1", "null", "-rf"])
def test_students_have_names_of_all_kinds(tmp_path: Path, student: str) -> None:
    put(tmp_path, f"{student}/markov_quiz.py")
    assert placed(read_class(tmp_path, Wanted(EXERCISES))) == [(student, "markov_quiz", "markov_quiz.py")]


def test_two_unicode_forms_of_one_name_do_not_become_two_students(tmp_path: Path) -> None:
    composed, split = (unicodedata.normalize(form, "Zoé") for form in ("NFC", "NFD"))
    put(tmp_path, f"{composed}/markov_quiz.py")
    put(tmp_path, f"{split}/markov_quiz.py")
    scan = read_class(tmp_path, Wanted(EXERCISES))
    assert scan.students == (composed,)
    assert len(scan.entries) == 1, "the same bytes twice: either may be graded"
    put(tmp_path, f"{split}/markov_quiz.py", "y = 2\n")
    scan = read_class(tmp_path, Wanted(EXERCISES))
    assert scan.entries == ()
    assert [(n.student, n.exercise, n.kind) for n in scan.not_gradable] == [(composed, "markov_quiz", "candidates")]


def test_a_name_that_is_no_text_is_listed(tmp_path: Path) -> None:
    os.mkdir(os.fsencode(tmp_path) + b"/caf\xe9")
    (tmp_path / os.fsdecode(b"caf\xe9") / "markov_quiz.py").write_text("x = 1\n")
    scan = read_class(tmp_path, Wanted(EXERCISES))
    assert [name.rpartition("_")[0] for name in scan.students] == ["caf_"], "a name that results can have"
    assert scan.evidence[0].kind == "person_unknown"
    assert "control characters" in scan.evidence[0].reason


# --- two files for one exercise


def test_the_file_with_more_written_is_graded(tmp_path: Path) -> None:
    # The bundle's script left as it was, the notebook worked in.
    put(tmp_path, "alice/markov_quiz.py", STUB)
    put(
        tmp_path,
        "alice/markov_quiz.ipynb",
        '{"cells": [{"cell_type": "code", "source": "def f(): return 1"}]}',
    )
    scan = read_class(tmp_path, Wanted(EXERCISES))
    assert placed(scan) == [("alice", "markov_quiz", "markov_quiz.ipynb")]
    assert "fewer parts left to write" in scan.entries[0].notes[0]
    assert reasons(scan) == {"alice/markov_quiz.py": "markov_quiz.ipynb is graded for this exercise"}


def test_of_two_equal_files_the_well_named_script_is_graded(tmp_path: Path) -> None:
    put(tmp_path, "alice/markov_quiz.ipynb", '{"cells": [{"cell_type": "code", "source": "x = 1"}]}')
    put(tmp_path, "alice/markov_quiz.py")
    put(tmp_path, "alice/markov_quiz (1).py")
    scan = read_class(tmp_path, Wanted(EXERCISES))
    assert placed(scan) == [("alice", "markov_quiz", "markov_quiz.py")]
    assert sorted(reasons(scan)) == ["alice/markov_quiz (1).py", "alice/markov_quiz.ipynb"]
    assert len(scan.entries[0].notes) == 2


def test_a_file_that_cannot_be_read_is_graded_last(tmp_path: Path) -> None:
    put(tmp_path, "alice/markov_quiz.py", "%PDF-1.4")
    put(tmp_path, "alice/markov_quiz_2.py", STUB)
    assert placed(read_class(tmp_path, Wanted(EXERCISES))) == [("alice", "markov_quiz", "markov_quiz_2.py")]


# --- folders inside a student's


def test_the_bundle_handed_in_whole_is_read(tmp_path: Path) -> None:
    for name in (
        "README.md",
        "course.yaml",
        "markov_quiz/quiz.py",
        "markov_quiz/test_public.py",
        ".ipynb_checkpoints/x.ipynb",
    ):
        put(tmp_path, f"alice/exercises/{name}")
    put(tmp_path, "alice/exercises/markov_quiz/markov_quiz.py")
    put(tmp_path, ".DS_Store")
    put(tmp_path, "__MACOSX/alice/markov_quiz.py")
    scan = read_class(tmp_path, Wanted(EXERCISES))
    assert placed(scan) == [("alice", "markov_quiz", "markov_quiz.py")]
    assert "found in the folder alice/exercises/markov_quiz" in scan.entries[0].notes[0]
    (copy,) = scan.evidence
    assert copy.path.name == "x.ipynb"
    assert not copy.counts
    assert len(scan.ignored) == 7


def test_a_student_who_handed_in_nothing_is_still_there(tmp_path: Path) -> None:
    (tmp_path / "carol").mkdir()
    scan = read_class(tmp_path, Wanted(EXERCISES))
    assert scan.students == ("carol",)
    assert reasons(scan) == {"carol": "the folder is empty"}


def test_a_file_beside_the_students_is_listed(tmp_path: Path) -> None:
    put(tmp_path, "alice/vae_mnist.py")
    put(tmp_path, "markov_quiz.py")
    scan = read_class(tmp_path, Wanted(EXERCISES))
    assert placed(scan) == [("alice", "vae_mnist", "vae_mnist.py")]
    assert "belongs into a student's folder" in reasons(scan)["markov_quiz.py"]
    assert scan.not_gradable == (), "nobody knows whose it is"


def test_a_layout_that_explains_less_than_half_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "alice/vae_mnist.py")
    for number in range(3):
        put(tmp_path, f"work of somebody {number}.py")
    with pytest.raises(ConfigurationError, match=r"only 1 of 4 things .*--layout"):
        read_class(tmp_path, Wanted(EXERCISES))
    scan = read_class(tmp_path, Wanted(EXERCISES, layout="folder"))
    assert placed(scan) == [("alice", "vae_mnist", "vae_mnist.py")]
    assert len(scan.evidence) == 3


# --- attacks and accidents of the file system


def test_links_are_never_followed(tmp_path: Path) -> None:
    folder = tmp_path / "class"
    secret = put(tmp_path, "secret/markov_quiz.py")
    (folder / "alice").mkdir(parents=True)
    (folder / "alice" / "markov_quiz.py").symlink_to(secret)
    (folder / "alice" / "inner").symlink_to(secret.parent)
    (folder / "alice" / "loop").symlink_to(folder)
    (folder / "bob").symlink_to(secret.parent)
    scan = read_class(folder, Wanted(EXERCISES))
    assert scan.entries == ()
    assert scan.students == ("alice",)
    assert sorted(reasons(scan)) == ["alice/inner", "alice/loop", "alice/markov_quiz.py", "bob"]
    assert all("link" in reason for reason in reasons(scan).values())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_pipes_are_listed(tmp_path: Path) -> None:
    (tmp_path / "alice").mkdir()
    os.mkfifo(tmp_path / "alice" / "markov_quiz.py")
    assert "pipe" in reasons(read_class(tmp_path, Wanted(EXERCISES)))["alice/markov_quiz.py"]


def test_a_folder_that_cannot_be_read_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "alice/markov_quiz.py")
    put(tmp_path, "bob/markov_quiz.py")
    scandir = os.scandir

    def refuse(path: Path) -> object:
        if Path(path).name == "alice":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)  # root may read anything
    scan = read_class(tmp_path, Wanted(EXERCISES))
    assert placed(scan) == [("bob", "markov_quiz", "markov_quiz.py")]
    assert reasons(scan) == {"alice": "cannot be read: Permission denied"}


def test_a_flood_of_files_is_bounded(tmp_path: Path) -> None:
    for number in range(20):
        put(tmp_path, f"alice/{number // 10}/file{number}.txt")
    put(tmp_path, "bob/markov_quiz.py")
    scan = read_class(tmp_path, Wanted(EXERCISES, intake=Intake(entries=5)))
    assert {(n.student, n.kind) for n in scan.not_gradable} == {("alice", "limit")}
    assert sum("more than 5 files" in item.reason for item in scan.evidence) == 1
    assert len(scan.evidence) < 10
    assert placed(scan) == [("bob", "markov_quiz", "markov_quiz.py")]


def test_no_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such folder"):
        read_class(tmp_path / "nothing", Wanted(EXERCISES))


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\x00"), min_size=1, max_size=12).filter(
    lambda name: name not in (".", "..") and len(name.encode()) < 200
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.lists(
        st.tuples(NAMES, NAMES | st.sampled_from(["markov_quiz.py", "vae_mnist.ipynb", "Vae-Mnist.py"])),
        max_size=5,
    )
)
def test_everything_is_accounted_for(tmp_path_factory: pytest.TempPathFactory, files: list[tuple[str, str]]) -> None:
    folder = tmp_path_factory.mktemp("class")
    made = {put(folder, f"{student}/{name}") for student, name in files}
    scan = read_class(folder, Wanted(EXERCISES, layout="folder"))
    told = {entry.path for entry in scan.entries} | {item.path for item in scan.evidence} | set(scan.ignored)
    for path in made:
        assert path in told or path.parent in told
    assert len({(entry.student, entry.exercise) for entry in scan.entries}) == len(scan.entries)


@pytest.mark.parametrize("reason", ["it is damaged", "It is no text. Save it again as UTF-8."])
def test_a_reason_ends_with_one_full_stop(reason):
    found = NotGradable("u1", "toy", (Evidence(Path("toy.py"), reason, "unreadable"),))
    assert found.message.startswith(f"toy.py: {reason.rstrip('.')}. Hand the file in again, as toy.py")
