"""Bytes to text: encodings, byte-order marks, line ends, and files that are no text at all."""

from __future__ import annotations

import codecs
import re

from autograder.language import _
from autograder.submissions.model import SubmissionUnreadable

# PEP 263: a comment in one of the first two lines.
_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
# Encodings of plain text alone: others (rot13, unicode_escape, zip ...) turn bytes into something else.
_TEXT_CODECS = frozenset(
    ("ascii", "utf-8", "utf-8-sig", "iso8859-1", "iso8859-2", "iso8859-15", "cp1250", "cp1251", "cp1252", "cp437",
     "cp850", "mac-roman", "koi8-r", "gb2312", "gbk", "gb18030", "big5", "shift_jis", "euc_jp", "euc_kr")
)  # fmt: skip
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: it begins with the same two bytes
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# How a file of another kind begins.
_SIGNATURES = (
    (b"%PDF", "PDF"), (b"PK\x03\x04", "zip / Word / Excel"), (b"PK\x05\x06", "zip"), (b"\x1f\x8b", "gzip"),
    (b"\xfd7zXZ\x00", "xz"), (b"7z\xbc\xaf\x27\x1c", "7z"), (b"Rar!", "rar"), (b"\x7fELF", "ELF"),
    (b"MZ\x90\x00", "Windows"), (b"\x89PNG", "PNG"), (b"\xff\xd8\xff", "JPEG"), (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"), (b"{\\rtf", "RTF"), (b"\xd0\xcf\x11\xe0", "Word / Excel"), (b"\x80\x02", "pickle"),
    (b"\x80\x04", "pickle"),
)  # fmt: skip
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_HTML = ("<!doctype html", "<html", "<?xml", "<head", "<body")


def decode(raw: bytes) -> tuple[str, list[str]]:
    """The text of a file, its lines ended by `\\n`, and notes for the student.

    Raises:
        SubmissionUnreadable: the file is empty, of another kind, or binary.
    """
    if not raw.strip(b" \t\r\n\f\x00\xef\xbb\xbf"):
        raise SubmissionUnreadable(_("The file is empty."))
    for signature, kind in _SIGNATURES:
        if raw.startswith(signature):
            raise SubmissionUnreadable(
                _("This is a file of another kind ({kind}), not a Python script or notebook.").format(kind=kind)
            )
    text, notes = _text(raw)
    if len(_CONTROL.findall(text, 0, 100_000)) > max(4, len(text[:100_000]) // 100):
        raise SubmissionUnreadable(_("This is a binary file, not a Python script or notebook."))
    if "\x00" in text:
        raise SubmissionUnreadable(
            _("The file contains null bytes: it is damaged or not a text file. Save it again as UTF-8.")
        )
    if text[:4096].lstrip().lower().startswith(_HTML):
        raise SubmissionUnreadable(
            _("This is a web page (HTML): the download saved the page around the file. Download the file itself.")
        )
    # Python ends lines at these three only; str.splitlines would also cut at form feeds and U+2028.
    return text.replace("\r\n", "\n").replace("\r", "\n"), notes


def _text(raw: bytes) -> tuple[str, list[str]]:
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            body = raw[len(mark) :]
            try:
                text = body.decode(encoding)
            except UnicodeDecodeError:
                break  # the mark lies: go on as if there were none
            return text, [] if encoding == "utf-8" else [_read_as(encoding)]
    wide = _wide_encoding(raw)
    if wide is not None:
        return raw.decode(wide), [_read_as(wide)]
    named = _named_encoding(raw)
    if named is not None and named not in ("utf-8", "utf-8-sig", "ascii"):
        try:
            return raw.decode(named), [_read_as(named)]
        except UnicodeDecodeError:
            pass
    try:
        return raw.decode("utf-8"), []
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
    # Every byte means something in Latin-1, so nothing is lost but perhaps the look of some letters.
    try:
        text, encoding = raw.decode("cp1252"), "cp1252"
    except UnicodeDecodeError:
        text, encoding = raw.decode("latin-1"), "latin-1"
    note = _("Line {line} is not UTF-8; the file was read as {encoding}. Save it as UTF-8.")
    return text, [note.format(line=line, encoding=encoding)]


def _read_as(encoding: str) -> str:
    return _("The file was read as {encoding}. Save it as UTF-8.").format(encoding=encoding)


def _wide_encoding(raw: bytes) -> str | None:
    """UTF-16 without its mark: in text of mostly ASCII letters every other byte is null."""
    if len(raw) % 2 or b"\x00" not in raw[:4096]:
        return None
    even, odd = raw[:4096:2], raw[1:4096:2]
    for encoding, empty, full in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if empty.count(0) > 0.7 * len(empty) and full.count(0) == 0:
            try:
                raw.decode(encoding)
            except UnicodeDecodeError:
                return None
            return encoding
    return None


def _named_encoding(raw: bytes) -> str | None:
    for line in raw[:1000].splitlines()[:2]:
        match = _COOKIE.match(line)
        if match:
            try:
                name = codecs.lookup(match[1].decode("ascii")).name
            except (LookupError, UnicodeDecodeError):
                return None
            return name if name in _TEXT_CODECS else None
        if line.strip() and not line.lstrip().startswith(b"#"):
            return None
    return None
