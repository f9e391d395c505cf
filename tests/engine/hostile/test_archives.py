"""Hostile archives: each costs only its own student, says why, and never writes outside its folder."""

from __future__ import annotations

import bz2
import gzip
import io
import os
import stat
import struct
import tarfile
import unicodedata
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.course.written import Intake
from autograder.submissions import Wanted, read_class
from autograder.submissions.archives import Contents, safe_parts, unpack
from autograder.submissions.budget import Budget
from autograder.submissions.packed import ArchiveRefused

SMALL = Intake(entries=50, unpacked_mb=0.2)
TOTAL = 200_000  # bytes


def made(entries: list[tuple[str | zipfile.ZipInfo, bytes]], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return stream.getvalue()


def tarred(entries: list[tuple[tarfile.TarInfo, bytes]], mode: str = "w") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:  # type: ignore[call-overload]
        for info, content in entries:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def info_of(name: str, mode: int = 0) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def opened(content: bytes, folder: Path, intake: Intake = SMALL) -> list[str]:
    """Unpack it; why members were left out, whose places are empty."""
    contents = Contents()
    unpack(io.BytesIO(content), folder, Budget(intake), contents, packed=1_000_000)
    assert all(path.is_relative_to(folder) and path.read_bytes() == b"" for path in contents.lost)
    return list(contents.lost.values())


def files(folder: Path) -> dict[str, bytes]:
    """What is in files that are not empty."""
    found = {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
    return {name: content for name, content in found.items() if content}


OUTSIDE = ["../evil.py", "a/../../evil.py", "/evil.py", "C:\\evil.py", "..\\evil.py", "a\\..\\..\\evil.py", "//evil.py"]


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_no_name_leads_outside(tmp_path, name, kind):
    content = made([(name, b"x"), ("toy.py", b"y")]) if kind == "zip" else tarred(
        [(entry(name), b"x"), (entry("toy.py"), b"y")]
    )  # fmt: skip
    (refused,) = opened(content, tmp_path / "in" / "side")
    assert "outside" in refused
    assert files(tmp_path) == {"in/side/toy.py": b"y"}


@pytest.mark.parametrize(
    "odd",
    [
        (entry("toy.py", tarfile.SYMTYPE, "/etc/passwd"), b""),
        (entry("toy.py", tarfile.LNKTYPE, "/etc/passwd"), b""),
        (entry("toy.py", tarfile.FIFOTYPE), b""),
        (entry("toy.py", tarfile.CHRTYPE), b""),
        (entry("toy.py", tarfile.BLKTYPE), b""),
    ],
)
def test_links_and_devices_of_a_tar(tmp_path, odd):
    (refused,) = opened(tarred([odd, (entry("b.py"), b"y")]), tmp_path / "x")
    assert "link" in refused or "ordinary" in refused
    assert files(tmp_path) == {"x/b.py": b"y"}


@pytest.mark.parametrize("file_type", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_links_and_devices_of_a_zip(tmp_path, file_type):
    (refused,) = opened(made([(info_of("toy.py", file_type | 0o644), b"/etc/passwd"), ("b.py", b"y")]), tmp_path / "x")
    assert "link" in refused or "ordinary" in refused
    assert files(tmp_path) == {"x/b.py": b"y"}


def test_what_a_link_would_have_led_to_stays_untouched(tmp_path):
    """A link to a folder, and then a file in it: the oldest trick."""
    target = tmp_path / "target"
    target.mkdir()
    link = entry("d", tarfile.SYMTYPE, str(target))
    opened(tarred([(link, b""), (entry("d/evil.py"), b"x")]), tmp_path / "x")
    assert list(target.iterdir()) == []


@pytest.mark.parametrize(
    "names",
    [("toy.py", "TOY.PY"), ("a/toy.py", "A/toy.py"), ("toy.py", "toy.py"), ("toy.py", "toy.py/x.py"),
     ("é.py", "e\u0301.py"), ("a.py/b.py", "a.py")],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_collide(tmp_path, names):
    """On some disks they are one: each has a place of its own, and is called as it was."""
    contents = Contents()
    unpack(io.BytesIO(made([(names[0], b"1"), (names[1], b"2")])), tmp_path / "x", Budget(SMALL), contents)
    assert sorted(files(tmp_path).values()) == [b"1", b"2"]
    assert len({unicodedata.normalize("NFC", name).casefold() for name in files(tmp_path)}) == 2
    assert set(contents.names.values()) <= {part for name in names for part in name.split("/")}
    assert len(contents.names) == 1


@pytest.mark.parametrize("name", ["a\nb.py", "a\x1b[1m.py", "/".join("a" * 40), ".", ""])
def test_names_that_cannot_be(tmp_path, name):
    assert safe_parts(name)[1]


@pytest.mark.parametrize("packed", [
    made([("toy.py", b"0" * 10_000_000)]),
    made([(f"{i}.py", b"0" * 190_000) for i in range(3)], zipfile.ZIP_STORED),
    made([("toy.py", b"0" * 10_000_000)], zipfile.ZIP_BZIP2),
    gzip.compress(tarred([(entry("toy.py"), b"0" * 10_000_000)])),
    bz2.compress(tarred([(entry("toy.py"), b"0" * 10_000_000)])),
    tarred([(entry("toy.py"), b"0" * 10_000_000)], "w:xz"),
])  # fmt: skip
def test_a_bomb_is_stopped(tmp_path, packed):
    with pytest.raises(ArchiveRefused, match=r"MB unpacked|times|too much"):
        opened(packed, tmp_path / "x")
    assert sum(map(len, files(tmp_path).values())) <= TOTAL


def test_an_announced_size_is_not_believed(tmp_path):
    """The directory says 3 bytes; what comes out are millions."""
    content = bytearray(made([("toy.py", b"0" * 10_000_000)]))
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = content.index(mark) + at
        content[place : place + 4] = struct.pack("<I", 3)
    refused: list[str] = []
    try:
        refused = opened(bytes(content), tmp_path / "x")
    except ArchiveRefused:
        return
    assert refused
    assert sum(map(len, files(tmp_path).values())) <= TOTAL


def test_too_many_members(tmp_path):
    with pytest.raises(ArchiveRefused, match="more than 50"):
        opened(made([(f"{i}.py", b"") for i in range(60)]), tmp_path / "x")
    with pytest.raises(ArchiveRefused, match="more than 50"):
        opened(tarred([(entry(f"{i}.py"), b"") for i in range(60)]), tmp_path / "x")


def test_a_huge_directory_is_not_even_read(tmp_path, monkeypatch):
    content = made([(f"{'n' * 200}{i}", b"") for i in range(1000)])
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("read"))
    with pytest.raises(ArchiveRefused, match="more than 50"):
        opened(content, tmp_path / "x")


def test_a_tars_header_of_gigabytes(tmp_path):
    """A long name that announces itself with gigabytes, squeezed into a few kilobytes."""
    header = tarfile.TarInfo("././@LongLink")
    header.type = tarfile.GNUTYPE_LONGNAME
    header.size = 5_000_000
    content = gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + b"a" * 5_000_000)
    with pytest.raises(ArchiveRefused):
        opened(content, tmp_path / "x")


def test_an_encrypted_member(tmp_path):
    content = bytearray(made([("toy.py", b"secret"), ("b.py", b"y")]))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + at] |= 1
    (refused,) = opened(bytes(content), tmp_path / "x")
    assert "encrypted" in refused
    assert files(tmp_path) == {"x/b.py": b"y"}


def test_a_damaged_member_costs_itself(tmp_path):
    content = bytearray(made([("toy.py", b"x = 1\n" * 50), ("b.py", b"y")], zipfile.ZIP_STORED))
    content[content.index(b"x = 1") + 3] ^= 0xFF
    (refused,) = opened(bytes(content), tmp_path / "x")
    assert "damaged" in refused
    assert files(tmp_path) == {"x/b.py": b"y"}


def test_pictures_are_listed_and_not_unpacked(tmp_path):
    opened(made([("plot.png", b"0" * 10_000_000), ("toy.py", b"y")]), tmp_path / "x")
    assert files(tmp_path) == {"x/toy.py": b"y"}
    assert (tmp_path / "x" / "plot.png").read_bytes() == b""


def test_names_without_the_utf8_flag(tmp_path):
    """What macOS writes: UTF-8, and no word about it."""
    content = made([("Zoé.py", b"y")]).replace("Zoé".encode(), b"Zo\xc3\xa9")
    for mark, at in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
        changed = bytearray(content)
        changed[content.index(mark) + at] &= ~0x08
        content = bytes(changed)
    opened(content, tmp_path / "x")
    assert files(tmp_path) == {"x/Zoé.py": b"y"}


def test_one_students_archive_costs_nobody_else_anything(tmp_path):
    base, work = tmp_path / "class", tmp_path / "work"
    for student, content in {
        "bomb": made([("toy.py", b"0" * 400_000_000)]),
        "dots": made([("../../toy.py", b"x")]),
        "torn": made([("toy.py", b"x")])[:-10],
        "good": made([("toy.py", b"x = 1\n")]),
    }.items():
        (base / student).mkdir(parents=True)
        (base / student / "work.zip").write_bytes(content)
    (base / "link").mkdir()
    os.symlink(base / "good" / "work.zip", base / "link" / "work.zip")
    work.mkdir()
    scan = read_class(base, Wanted(exercises=["toy"]), work)
    assert [e.student for e in scan.entries] == ["good"]
    assert {item.path.relative_to(base).parts[0] for item in scan.evidence} == {"bomb", "dots", "torn", "link"}
    assert scan.students == ("bomb", "dots", "good", "link", "torn")


# --- anything at all -----------------------------------------------------------------------------------------------

NAMES = st.one_of(
    st.sampled_from(["toy.py", "a/toy.py", "../x.py", "/x.py", "a", "a/", "A/toy.py", "\\x.py", "x\n.py", "é.ipynb"]),
    # Python's own writer takes no name that begins with a null.
    st.text(min_size=1, max_size=30).filter(lambda n: n[0] != "\0" and not any("\ud800" <= c <= "\udfff" for c in n)),
)
SETTINGS = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def check_bytes(content: bytes, base: Path) -> None:
    """Whatever comes: no other error, nothing outside, nothing but files and folders, no more than the limit."""
    folder = base / f"{len(list(base.iterdir()))}" / "inside"
    said = ""
    try:
        opened(content, folder)
    except ArchiveRefused as refused:
        said = refused.message or "nothing"
    assert said != "nothing"
    outer = folder.parent
    if outer.exists():
        assert {p.name for p in outer.iterdir()} <= {"inside"}
        for path in outer.rglob("*"):
            assert stat.S_IFMT(path.lstat().st_mode) in (stat.S_IFREG, stat.S_IFDIR)
        assert sum(p.stat().st_size for p in outer.rglob("*.*") if p.is_file()) <= TOTAL


@SETTINGS
@given(names=st.lists(NAMES, max_size=6), flips=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255)), max_size=4),
       cut=st.floats(0.5, 1), kind=st.sampled_from(["zip", "tar", "tgz"]))  # fmt: skip
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_anything_that_once_was_an_archive(tmp_path, names, flips, cut, kind):
    if kind == "zip":
        content = made([(name, b"x = 1\n" * 20) for name in names])
    else:
        content = tarred([(entry(name.replace("\0", "0")), b"x = 1\n" * 20) for name in names])
        content = gzip.compress(content, mtime=0) if kind == "tgz" else content
    changed = bytearray(content)
    for where, value in flips:
        changed[int(where * (len(changed) - 1))] ^= value
    check_bytes(bytes(changed[: max(1, int(cut * len(changed)))] if cut < 0.95 else changed), tmp_path)


@SETTINGS
@given(
    start=st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"BZh9", b"\xfd7zXZ\x00"]),
    rest=st.binary(max_size=600),
)
def test_anything_that_never_was_one(tmp_path, start, rest):
    check_bytes(start + rest, tmp_path)
