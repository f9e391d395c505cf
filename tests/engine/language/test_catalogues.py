"""Catalogues are built where they are needed, from what is there now, and read the same wherever they come from."""

from __future__ import annotations

import builtins
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import autograder
from autograder.language.catalogues import Message, content, entries, files, shipped

ROOT = Path(autograder.__file__).parents[1]

PO = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "frog"\nmsgstr "{}"\n'


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "fr" / "LC_MESSAGES" / "a.po"
    file.parent.mkdir(parents=True)
    file.write_text(PO.format("grenouille"), encoding="utf-8")
    return file


def words(data: bytes) -> dict[str, str]:
    return {message.one: texts[0] for message, texts in entries(data)}


def test_a_catalogue_is_built_beside_its_source_and_read_from_there(source, tmp_path):
    (file,) = files(tmp_path, "fr")
    assert file == source.with_suffix(".mo")
    assert not file.exists()
    assert words(content(file)) == {"frog": "grenouille"}
    assert file.exists()
    assert sorted(os.listdir(source.parent)) == ["a.mo", "a.po"]
    source.unlink()
    assert files(tmp_path, "fr") == [file]
    assert words(content(file)) == {"frog": "grenouille"}


@pytest.mark.parametrize("seconds", [-1000, 1000])
def test_another_source_makes_another_catalogue_whichever_is_older(seconds, source):
    file = source.with_suffix(".mo")
    content(file)
    there = source.stat().st_mtime_ns
    source.write_text(PO.format("crapaud"), encoding="utf-8")
    os.utime(source, ns=(there + seconds * 10**9,) * 2)
    assert words(content(file)) == {"frog": "crapaud"}


def test_a_catalogue_is_not_built_again(source):
    file = source.with_suffix(".mo")
    content(file)
    before = file.stat()
    content(file)
    assert (before.st_ino, before.st_mtime_ns) == (file.stat().st_ino, file.stat().st_mtime_ns)


def test_without_babel_the_built_one_serves(source, monkeypatch):
    file = source.with_suffix(".mo")
    real = builtins.__import__

    def without_babel(name, *arguments, **options):
        if name.startswith("babel"):
            raise ModuleNotFoundError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without_babel)
    assert content(file) == b""
    monkeypatch.undo()
    content(file)
    os.utime(source, (1, 1))
    monkeypatch.setattr(builtins, "__import__", without_babel)
    assert words(content(file)) == {"frog": "grenouille"}


def test_a_folder_that_cannot_be_written_in_is_read_all_the_same(source, monkeypatch):
    def refuse(*arguments, **options):
        raise PermissionError("read-only")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    assert words(content(source.with_suffix(".mo"))) == {"frog": "grenouille"}
    assert not source.with_suffix(".mo").exists()


def test_forms_for_several_are_read(source):
    plural = 'msgid "frog"\nmsgid_plural "frogs"\nmsgstr[0] "grenouille"\nmsgstr[1] "grenouilles"\n'
    source.write_text(PO.partition('msgid "frog"')[0] + plural, encoding="utf-8")
    assert list(entries(content(source.with_suffix(".mo")))) == [
        (Message("frog", "frogs"), ("grenouille", "grenouilles"))
    ]


def test_a_wheel_has_every_catalogue_built_and_no_source(tmp_path):
    """From a checkout in which nothing is built: `pip install` of it must speak French without babel."""
    for name in ("pyproject.toml", "setup.py", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    leftovers = shutil.ignore_patterns("__pycache__", "*.mo")
    shutil.copytree(ROOT / "autograder", tmp_path / "autograder", ignore=leftovers)
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation", "--wheel-dir", "wheels"]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, "."], cwd=tmp_path, check=True, timeout=300)
    (wheel,) = (tmp_path / "wheels").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.startswith("autograder/locale/")]
        french = archive.read("autograder/locale/fr/LC_MESSAGES/autograder.mo")
    assert words(french)["not passed"] == "non réussi"
    expected = {
        file.relative_to(ROOT).with_suffix(".mo" if file.suffix == ".po" else file.suffix).as_posix()
        for file in (ROOT / "autograder" / "locale").rglob("*.*")
    }
    assert set(names) == expected


def test_what_is_shipped_is_built(source, tmp_path):
    assert {path: words(built) for path, built in shipped(tmp_path).items()} == {
        "fr/LC_MESSAGES/a.mo": {"frog": "grenouille"}
    }
