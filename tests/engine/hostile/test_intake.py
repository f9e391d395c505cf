"""One student's file stops no class, a damaged download loses nobody in silence, odd names hide nothing."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from autograder.course.errors import ConfigurationError
from autograder.course.roster import read_roster
from autograder.course.written import Intake
from autograder.submissions import HandIn, Wanted, read_class
from autograder.submissions.times import parse_time

CODE = b"def mean(x):\n    return x.mean(1)\n"


def put(base: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return base


def tarred(files: dict[str, bytes], **pax: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.pax_headers = len(content), pax
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def kinds(scan: HandIn) -> dict[str, str]:
    return {nothing.student: nothing.kind for nothing in scan.not_gradable}


def graded(scan: HandIn) -> list[str]:
    return [entry.student for entry in scan.entries]


# --- one student


@pytest.mark.parametrize("size", ["99999999999999", "-1", "1e99", "9" * 400])
@pytest.mark.parametrize("packed", [lambda content: content, gzip.compress])
def test_a_size_that_nobody_can_read_costs_its_own_archive(tmp_path: Path, size: str, packed):
    content = packed(tarred({"toy.py": CODE}, size=size))
    scan = read_class(put(tmp_path, {"eve/work.tar.gz": content, "ada/toy.py": CODE}), Wanted(["toy"]))
    assert graded(scan) == ["ada"]
    assert kinds(scan)["eve"] in ("unreadable", "limit")


@pytest.mark.parametrize("moment", ["1e99", "-1e99", "nan", "999999999999999999"])
def test_a_time_that_is_none_costs_nothing(tmp_path: Path, moment: str):
    content = tarred({"toy.py": CODE}, mtime=moment)
    scan = read_class(put(tmp_path, {"eve/work.tar": content}), Wanted(["toy"]))
    assert graded(scan) == ["eve"] or kinds(scan) == {"eve": "unreadable"}


def test_archives_within_archives_share_one_budget(tmp_path: Path):
    """Twenty of 200 MB each took 4 GB of disk."""
    inner = zipped({"x.csv": b"0" * 2_000_000})
    content = zipped({f"{number}.zip": inner for number in range(20)} | {"toy.py": CODE})
    work = tmp_path / "work"
    work.mkdir()
    folder = put(tmp_path / "class", {"eve/work.zip": content})
    scan = read_class(folder, Wanted(["toy", "other"], intake=Intake(unpacked_mb=5)), work)
    assert graded(scan) == ["eve"], "what was found before the limit is graded"
    assert [n.kind for n in scan.not_gradable] == ["limit"]
    assert "5 MB" in scan.not_gradable[0].message
    assert sum(path.stat().st_size for path in work.rglob("*") if path.is_file()) < 8_000_000


def test_seconds_are_bounded(tmp_path: Path):
    content = zipped({f"{n}.csv": b"0" for n in range(50)})
    folder = put(tmp_path / "class", {"eve/work.zip": content, "ada/toy.py": CODE})
    scan = read_class(folder, Wanted(["toy"], intake=Intake(seconds=0)))
    assert kinds(scan) == {"eve": "limit"}
    assert graded(scan) == ["ada"], "a file of the exercise's own name is found whatever lies around it"


@pytest.mark.parametrize("text", ["x <![ y", "<![CDATA[", "<!--", "<", "&#xFFFFFFFF;", "<p" * 5000])
def test_typed_text_of_any_kind(tmp_path: Path, text: str):
    name = "Ada Lovelace_1_assignsubmission_onlinetext/onlinetext.html"
    scan = read_class(put(tmp_path, {name: text.encode()}), Wanted(["toy"]))
    assert scan.students == ("Ada Lovelace",)
    assert graded(scan) == []


@pytest.mark.parametrize(
    "text", ["0001-01-01 00:00 +1400", "9999-12-31 23:59:59 -1400", "0001-01-01 00:00 UTC", "1969-12-31 23:59"]
)
def test_times_at_the_ends_of_the_calendar_are_unknown(tmp_path: Path, text: str):
    from zoneinfo import ZoneInfo

    assert parse_time(text, ZoneInfo("Europe/Paris")) is None
    folder = put(tmp_path, {"submitted/ada/toy/toy.py": CODE, "submitted/ada/toy/timestamp.txt": text.encode()})
    (entry,) = read_class(folder, Wanted(["toy"])).entries
    assert entry.submitted is None
    assert entry.unread_time


# --- the class's archive


CLASS = {f"{name}/toy.py": CODE for name in ("ada", "bob", "zoe")}
ROSTER = "id\nada\nbob\nzoe\n"


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :]


DAMAGED = {
    "a tar's header": flipped(tarred(CLASS), 512 * 2 + 10),
    "a tar cut between members": tarred(CLASS)[: 512 * 4],
    "a tar cut in a member": tarred(CLASS)[: 512 * 2 + 300],
    "a gzip's checksum": flipped(gzip.compress(tarred(CLASS)), -6 % len(gzip.compress(tarred(CLASS)))),
    "a gzip cut": gzip.compress(tarred(CLASS))[:-20],
    "a zip cut": zipped(CLASS)[:-30],
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_download_is_refused_or_says_who_is_lost(tmp_path: Path, damage: str):
    file = tmp_path / "class.tar"
    file.write_bytes(DAMAGED[damage])
    (tmp_path / "roster.csv").write_text(ROSTER)
    roster = read_roster(tmp_path / "roster.csv")
    with pytest.raises(ConfigurationError, match="--damaged"):
        read_class(file, Wanted(["toy"], roster=roster))
    scan = read_class(file, Wanted(["toy"], roster=roster, damaged=True))
    assert {*graded(scan), *kinds(scan)} == {"ada", "bob", "zoe"}, "nobody is missing"
    assert scan.absent == ()


def test_one_member_with_a_long_or_foreign_name_does_not_refuse_the_class(tmp_path: Path):
    deep, deeper = ("/".join(["d" * 600] * depth) + "/toy.py" for depth in (9, 40))
    content = zipped({**CLASS, f"eve/{deep}": CODE, f"fay/{deeper}": CODE})
    (tmp_path / "class.zip").write_bytes(content)
    scan = read_class(tmp_path / "class.zip", Wanted(["toy"]))
    assert graded(scan) == ["ada", "bob", "eve", "zoe"]
    assert scan.entries[2].path.read_bytes() == CODE
    assert scan.origin(scan.entries[2].path) == tmp_path / "class.zip" / "eve" / deep
    assert kinds(scan) == {"fay": "unreadable"}
    assert "too long" in scan.not_gradable[0].message
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT, encoding="latin-1") as archive:
        for name in ("ada/toy.py", "Zoé/toy.py"):
            info = tarfile.TarInfo(name)
            info.size = len(CODE)
            archive.addfile(info, io.BytesIO(CODE))
    (tmp_path / "class.tar").write_bytes(stream.getvalue())
    assert graded(read_class(tmp_path / "class.tar", Wanted(["toy"]))) == ["Zoé", "ada"]


# --- names


def test_a_dot_folder_is_listed_as_somebodys(tmp_path: Path):
    scan = read_class(put(tmp_path, {"ada/toy.py": CODE, ".bob/toy.py": CODE, ".git/toy.py": CODE}), Wanted(["toy"]))
    assert graded(scan) == ["ada"]
    assert [(item.path.parent.name, item.kind) for item in scan.evidence] == [(".bob", "person_unknown")]
    scan = read_class(put(tmp_path / "in", {"ada/.work/toy.py": CODE}), Wanted(["toy"]))
    assert graded(scan) == ["ada"], "a dot folder inside a student's is theirs"


def test_an_output_folder_is_nobody(tmp_path: Path):
    files = {"ada/toy.py": CODE, "out/grades.csv": b"", "out/results/ada/toy.json": b"{}", "new/pages/x.html": b""}
    files |= {"report/class.md": b"", "report/checks.csv": b""}
    files |= {"eve/toy.py": CODE, "eve/grades.csv": b"", "eve/results/a.csv": b""}
    scan = read_class(put(tmp_path, files), Wanted(["toy"], without=(tmp_path / "new",)))
    assert scan.students == ("ada", "eve"), "a student whose folder looks like one is none"
    assert graded(scan) == ["ada", "eve"]


@pytest.mark.parametrize("sign", ["\u00ad", "\u200c", "\u2060", "\u200b", "\ufeff"])
def test_signs_that_nobody_sees_make_no_second_student(tmp_path: Path, sign: str):
    scan = read_class(put(tmp_path, {f"ad{sign}a/toy.py": CODE, "bob/to" + sign + "y.py": CODE}), Wanted(["toy"]))
    assert graded(scan) == ["ada", "bob"]
    scan = read_class(put(tmp_path, {"ada/toy.py": CODE + b"\n"}), Wanted(["toy"]))
    assert kinds(scan) == {"ada": "candidates"}, "two folders of one name are one student's"


def plain_letters() -> dict[str, str]:
    """An environment in which the file system takes ASCII alone: what Python does about it is turned off."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG"))}
    return environment | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def test_letters_that_the_file_system_does_not_take_lose_nobody(tmp_path: Path):
    (tmp_path / "class.zip").write_bytes(zipped({f"{name}/toy.py": CODE for name in ("Zoé", "李雷", "🙂")}))
    program = (
        "import sys, pathlib\nfrom autograder.submissions import Wanted, read_class\n"
        "scan = read_class(pathlib.Path(sys.argv[1]), Wanted(['toy']))\n"
        "print(ascii([entry.student for entry in scan.entries]))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, os.fspath(tmp_path / "class.zip")], env=plain_letters(),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.stdout.strip() == ascii(["Zoé", "李雷", "🙂"]), ran.stderr


def test_the_command_line_begins_again_with_all_letters(tmp_path: Path):
    command = [sys.executable, "-m", "autograder.commands.main", "report", os.fspath(tmp_path / "Zoé 李雷")]
    ran = subprocess.run(command, env=plain_letters(), capture_output=True, check=False)
    assert ran.returncode == 2
    assert "Zoé 李雷" in ran.stderr.decode()


@pytest.mark.parametrize("locale", ["C", "POSIX", "en_US.ISO-8859-1"])
def test_a_plain_locale_reads_the_same(tmp_path: Path, locale: str):
    put(tmp_path / "class", {"Zoé Müller/toy.py": CODE, "李雷/toy.py": CODE})
    program = (
        "import sys, pathlib\nfrom autograder.submissions import Wanted, read_class\n"
        "scan = read_class(pathlib.Path(sys.argv[1]), Wanted(['toy']))\n"
        "print(ascii([entry.student for entry in scan.entries]))"
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PYTHONUTF8"))}
    ran = subprocess.run(
        [sys.executable, "-c", program, os.fspath(tmp_path / "class")], env=environment | {"LC_ALL": locale},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.stdout.strip() == ascii(["Zoé Müller", "李雷"]), ran.stderr
