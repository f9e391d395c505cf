"""Classes as Canvas hands them out, read through the public API: nothing is lost, and nothing is at another student."""

from __future__ import annotations

import io
import unicodedata
import zipfile

import pytest

from tests.engine.submissions.independent.canvas import Upload, gradebook, write_folder, write_zip
from tests.engine.submissions.independent.conftest import check, told

CLASS = [
    ("Lovelace, Ada", 12, "ada"),
    ("Müller, Jürgen", 13, "jm"),
    ("Søndergård-Nuñez, Zoë", 14, "zs"),
    ("O'Neill, Seán", 15, "so"),
    ("Nguyễn, Thị Ánh", 16, "na"),
    ("李, 小龙", 17, "li"),
    ("Late, Anon", 18, "la"),
]


@pytest.mark.parametrize("write", [write_zip, write_folder])
def test_a_class_with_accents_and_late_ones(tmp_path, read, work, write):
    """Everybody on the gradebook is found by number and name; LATE is told from a family called Late."""
    uploads = [
        Upload(number, name, [("toy.py", work(sis))], late=sis in {"jm", "la"}) for name, number, sis in CLASS[:-2]
    ] + [Upload(18, "Late, Anon", [("toy.py", work("la"))])]
    place = write(tmp_path / "submissions.zip", uploads)
    handed_in = read(place, gradebook(CLASS))
    everyone = {"ada", "jm", "zs", "so", "na", "la"}
    check(handed_in, place, {work(who): {who} for who in everyone}, everyone, {"jm"})
    assert set(handed_in.absent) == {"li"}


def test_a_roster_with_names_first_name_first(tmp_path, read, work):
    """A school's own list says "Ada Lovelace"; Canvas glues "Lovelace, Ada"."""
    uploads = [
        Upload(12, "Lovelace, Ada", [("toy.py", work("ada"))], late=True),
        Upload(13, "Müller, Jürgen", [("toy.py", work("jm"))]),
    ]
    roster = "id;name;canvas id\nada;Ada Lovelace;12\njm;Jürgen Müller;13\n"
    place = write_zip(tmp_path / "s.zip", uploads)
    handed_in = read(place, roster)
    check(handed_in, place, {work("ada"): {"ada"}, work("jm"): {"jm"}}, {"ada", "jm"}, {"ada"})


def test_a_roster_with_names_and_no_numbers(tmp_path, read, work):
    """Without Canvas's numbers the name alone says who it is, whichever way round."""
    uploads = [
        Upload(12, "Lovelace, Ada", [("toy.py", work("ada"))]),
        Upload(13, "Müller, Jürgen", [("toy.py", work("jm"))]),
    ]
    place = write_zip(tmp_path / "s.zip", uploads)
    handed_in = read(place, "id;name\nada;Ada Lovelace\njm;Jürgen Müller\n")
    check(handed_in, place, {work("ada"): {"ada"}, work("jm"): {"jm"}}, {"ada", "jm"})


@pytest.mark.parametrize("roster", ["id;name\njm;Jürgen Müller\n", "id;name;canvas id\njm;Jürgen Müller;13\n"])
def test_nobody_who_handed_in_is_called_absent(tmp_path, read, work, roster):
    """Even where a name cannot be told, its owner is not listed as one who handed in nothing."""
    place = write_zip(tmp_path / "s.zip", [Upload(13, "Müller, Jürgen", [("toy.py", work("jm"))])])
    handed_in = read(place, roster)
    assert "jm" not in handed_in.absent
    assert {entry.student for entry in handed_in.entries} == {"jm"}


def test_names_of_several_words(tmp_path, read, work):
    """Canvas's users choose what they are sorted by: `Garcia Marquez, Gabriel José` is glued together whole."""
    people = [
        ("García Márquez, Gabriel José", 21, "gm"),
        ("van der Berg, Anna", 22, "vb"),
        ("King, Martin, Jr.", 23, "mk"),
    ]
    uploads = [Upload(number, name, [("toy.py", work(sis))]) for name, number, sis in people]
    place = write_zip(tmp_path / "s.zip", uploads)
    handed_in = read(place, gradebook(people))
    check(handed_in, place, {work(sis): {sis} for _, _, sis in people}, {"gm", "vb", "mk"})


@pytest.mark.parametrize("write", [write_zip, write_folder])
@pytest.mark.parametrize(
    ("name", "on_the_roster"),
    [
        (unicodedata.normalize("NFD", "Müller, Jürgen"), "Müller, Jürgen"),
        ("بن علي, مُحمّد", "بن علي, مُحمّد"),
        ("शर्मा, प्रिया", "शर्मा, प्रिया"),
        ("สมชาย, ใจดี่", "สมชาย, ใจดี่"),
    ],
    ids=["decomposed", "arabic", "devanagari", "thai"],
)
def test_names_whose_accents_are_signs_of_their_own(tmp_path, read, work, write, name, on_the_roster):
    """Canvas keeps marks: of a name typed on a Mac, and of scripts that cannot do without."""
    uploads = [
        Upload(13, name, [("toy.py", work("it"))], late=True),
        Upload(12, "Lovelace, Ada", [("toy.py", work("ada"))]),
    ]
    place = write(tmp_path / "s.zip", uploads)
    handed_in = read(place, gradebook([(on_the_roster, 13, "it"), ("Lovelace, Ada", 12, "ada")]))
    check(handed_in, place, {work("it"): {"it"}, work("ada"): {"ada"}}, {"it", "ada"}, {"it"})


def test_what_a_student_packed(tmp_path, read, work):
    """An archive in the download is the student's whose number it has, late and all; endings may be capitals."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("Devoir été/toy.py", work("ada"))
    uploads = [
        Upload(12, "Lovelace, Ada", [("Devoir_13_99.zip", packed.getvalue())], late=True),
        Upload(13, "Müller, Jürgen", [("TOY.PY", work("jm"))]),
    ]
    handed_in = read(write_zip(tmp_path / "s.zip", uploads), gradebook(CLASS))
    assert {(e.student, e.late, e.path.read_bytes()) for e in handed_in.entries} == {
        ("ada", True, work("ada")),
        ("jm", False, work("jm")),
    }


def test_two_students_of_one_name(tmp_path, read, work):
    """Only the number tells them apart."""
    people = [("Martin, Anne", 31, "am1"), ("Martin, Anne", 32, "am2")]
    uploads = [
        Upload(31, "Martin, Anne", [("toy.py", work("am1"))]),
        Upload(32, "Martin, Anne", [("toy.py", work("am2"))], late=True),
    ]
    place = write_zip(tmp_path / "s.zip", uploads)
    handed_in = read(place, gradebook(people))
    check(handed_in, place, {work("am1"): {"am1"}, work("am2"): {"am2"}}, {"am1", "am2"}, {"am2"})


def test_two_of_one_name_whom_the_roster_gives_no_number(tmp_path, read, work):
    """Nobody guesses: neither is graded, both are listed."""
    uploads = [
        Upload(31, "Martin, Anne", [("toy.py", work("one"))]),
        Upload(32, "Martin, Anne", [("toy.py", work("two"))]),
        Upload(33, "Roux, Eve", [("toy.py", work("er"))]),
    ]
    roster = "id;last name;first name\nam1;Martin;Anne\nam2;Martin;Anne\ner;Roux;Eve\n"
    place = write_zip(tmp_path / "s.zip", uploads)
    handed_in = read(place, roster)
    for mark in ("one", "two"):
        assert work(mark) in {one.content for one in told(handed_in, place) if not one.graded}
    assert {e.student for e in handed_in.entries} == {"er"}
    assert not {"am1", "am2"} & set(handed_in.absent)


def test_several_files_of_one_student(tmp_path, read, work):
    """Code beside a PDF, a picture and a file without an ending: one is graded, the rest is evidence, or helps it."""
    files = [
        ("toy.py", work("ada")),
        ("Rapport final (1).pdf", b"%PDF-1.4 of ada"),
        ("courbe_12_34.png", b"\x89PNG of ada"),
        ("notes", b"notes of ada"),
    ]
    uploads = [Upload(12, "Lovelace, Ada", files), Upload(13, "Müller, Jürgen", [("toy.py", work("jm"))])]
    place = write_zip(tmp_path / "s.zip", uploads)
    handed_in = read(place, gradebook(CLASS))
    owners = {content: {"ada"} for _, content in files}
    check(handed_in, place, {**owners, work("jm"): {"jm"}}, {"ada", "jm"})


def test_a_second_file_of_the_same_name(tmp_path, read, work):
    """`toy.py` and `toy-1.py`: one counts at most, none is lost."""
    uploads = [
        Upload(12, "Lovelace, Ada", [("toy.py", work("first")), ("toy.py", work("second"))]),
        Upload(13, "Müller, Jürgen", [("toy.py", work("jm"))]),
    ]
    place = write_zip(tmp_path / "s.zip", uploads)
    handed_in = read(place, gradebook(CLASS))
    graded = {entry.student for entry in handed_in.entries}
    assert graded >= {"jm"}
    check(handed_in, place, {work("first"): {"ada"}, work("second"): {"ada"}, work("jm"): {"jm"}}, graded)


def test_a_file_handed_in_again(tmp_path, read, work):
    """After the third attempt Canvas calls the only file `toy-2.py`."""
    uploads = [
        Upload(12, "Lovelace, Ada", [("toy-2.py", work("ada"))]),
        Upload(13, "Müller, Jürgen", [("toy-1.ipynb.py", work("jm"))]),
    ]
    place = write_zip(tmp_path / "s.zip", uploads)
    handed_in = read(place, gradebook(CLASS))
    check(handed_in, place, {work("ada"): {"ada"}, work("jm"): {"jm"}}, {"ada", "jm"})


def test_numbers_in_a_files_name(tmp_path, read, work):
    """`toy_13_99.py` of number 12 is not number 13's."""
    uploads = [
        Upload(12, "Lovelace, Ada", [("jürgen_13_99_toy.py", work("ada"))], late=True),
        Upload(13, "Müller, Jürgen", [("LATE_12_toy.py", work("jm"))]),
    ]
    place = write_zip(tmp_path / "s.zip", uploads)
    handed_in = read(place, gradebook(CLASS))
    check(handed_in, place, {work("ada"): {"ada"}, work("jm"): {"jm"}}, {"ada", "jm"}, {"ada"})


def test_text_and_links(tmp_path, read, work):
    """A typed text and a link have no number of a file; they are kept as evidence, late or not."""
    uploads = [
        Upload(12, "Lovelace, Ada", text="see my text"),
        Upload(13, "Müller, Jürgen", url="https://example.org/x"),
        Upload(16, "Nguyễn, Thị Ánh", text="late text", late=True),
        Upload(15, "O'Neill, Seán", [("toy.py", work("so"))]),
    ]
    place = write_folder(tmp_path / "s", uploads)
    handed_in = read(place, gradebook(CLASS))
    owners = {
        path.read_bytes(): {who}
        for path in place.iterdir()
        for start, who in (("lovelace", "ada"), ("müller", "jm"), ("nguy", "na"), ("oneill", "so"))
        if path.name.startswith(start)
    }
    assert len(owners) == 4
    check(handed_in, place, owners, {"so"})
    assert not {"ada", "jm", "na"} & set(handed_in.absent)
    assert [set(e.students) for e in handed_in.evidence if e.late] == [{"na"}]


def test_anonymous(tmp_path, read, work):
    """`anon_x7Yz2_...` and `LATE_anon_...`: known by the anonymous number alone, in which capitals count."""
    uploads = [
        Upload(12, "Lovelace, Ada", [("toy.py", work("ada"))], anonymous="x7Yz2"),
        Upload(13, "Müller, Jürgen", [("toy.py", work("jm")), ("a.pdf", b"%PDF jm")], anonymous="X7yZ2", late=True),
        Upload(14, "Roux, Eve", [("toy.py", work("er"))], anonymous="48213"),
    ]
    roster = "id;name;anonymous id\nada;Ada Lovelace;x7Yz2\njm;Jürgen Müller;X7yZ2\ner;Eve Roux;48213\n"
    place = write_zip(tmp_path / "s.zip", uploads)
    handed_in = read(place, roster)
    owners = {work("ada"): {"ada"}, work("jm"): {"jm"}, b"%PDF jm": {"jm"}, work("er"): {"er"}}
    check(handed_in, place, owners, {"ada", "jm", "er"}, {"jm"})


ROSTER_OF_GROUPS = (
    "id;last name;first name;canvas id;group\nada;Lovelace;Ada;12;Team 7\nbob;Roux;Bob;13;Team 7\n"
    "eve;Haddad;Eve;14;Les Étoiles\nfay;Mora;Fay;15;Les Étoiles\ngus;Diaz;Gus;16;\n"
)


@pytest.mark.parametrize("seventh", ["Team 7", "Team_7", "Team_7_b"])
def test_groups(tmp_path, read, work, seventh):
    """A group's file has the group's name and a member's number; who is in none goes by first name and last."""
    uploads = [
        Upload(13, seventh, [("toy.py", work("seven"))], late=True),
        Upload(14, "Les Étoiles", [("toy.py", work("stars"))]),
        Upload(16, "Gus Diaz", [("toy.py", work("gus"))]),
    ]
    roster = ROSTER_OF_GROUPS.replace("Team 7", seventh)
    place = write_zip(tmp_path / "s.zip", uploads)
    handed_in = read(place, roster)
    owners = {work("seven"): {"ada", "bob"}, work("stars"): {"eve", "fay"}, work("gus"): {"gus"}}
    check(handed_in, place, owners, {"ada", "bob", "eve", "fay", "gus"}, {"ada", "bob"})


def test_somebody_who_is_not_on_the_roster(tmp_path, read, work):
    """A stranger's file is evidence, and no student's."""
    uploads = [
        Upload(12, "Lovelace, Ada", [("toy.py", work("ada"))]),
        Upload(99, "Stranger, Sam", [("toy.py", work("sam"))]),
    ]
    place = write_zip(tmp_path / "s.zip", uploads)
    handed_in = read(place, gradebook(CLASS))
    assert {entry.student for entry in handed_in.entries} == {"ada"}
    (his,) = [one for one in told(handed_in, place) if one.content == work("sam")]
    assert not his.students & {sis for _, _, sis in CLASS}
