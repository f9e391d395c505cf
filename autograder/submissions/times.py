"""Times as platforms and teachers write them, in five languages, to a time with its zone.

What could be read in two ways is not read: whoever is asked can say it, and a wrong time is a wrong grade.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

LANGUAGES = ("en", "fr", "de", "es", "it")
YEARS = range(1990, 2101)  # no work is handed in outside these, and far from them a zone's offset leads nowhere

# "2027-02-08 23:10:05.123 -0800", "... UTC", "... Europe/Paris", "...Z", or nothing behind it.
_NUMERIC = re.compile(
    r"^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}(?::\d{2})?)(?:[.,](\d{1,9}))?\s*([+-]\d{2}:?\d{2}|[A-Za-z][\w/+-]*)?$"
)
# "08.02.2027 23:10" has the day first; "02/08/2027" may have either.
_DAY_FIRST = re.compile(r"^(\d{1,2})([./])(\d{1,2})\2(\d{4}),?(?: um| à| a las| alle)?\s+(\d{1,2}:\d{2}(?::\d{2})?)$")
_MONTH = re.compile(r"[^\W\d_]{3,}")


def parse_time(text: str, zone: tzinfo) -> datetime | None:
    """A time with its zone; None where it cannot be understood, or could be understood in two ways.

    Args:
        text: as a platform writes it.
        zone: meant where the text names none.
    """
    text = " ".join(text.split())[:100]
    try:
        found = _numeric(text, zone) or _day_first(text, zone) or _words(text, zone)
    except (ValueError, LookupError, OSError, OverflowError):
        return None
    return found if found is not None and found.year in YEARS else None


def _numeric(text: str, zone: tzinfo) -> datetime | None:
    found = _NUMERIC.match(text)
    if found is None:
        return None
    day, clock, fraction, where = found.groups()
    moment = datetime.fromisoformat(f"{day}T{clock}").replace(microsecond=int((fraction or "0")[:6].ljust(6, "0")))
    if not where:
        return moment.replace(tzinfo=zone)
    if where[0] in "+-":
        return datetime.fromisoformat(f"{moment.isoformat()}{where[:3]}:{where[-2:]}")
    return moment.replace(tzinfo=UTC if where.upper() in ("Z", "UTC", "GMT") else ZoneInfo(where))


def _day_first(text: str, zone: tzinfo) -> datetime | None:
    found = _DAY_FIRST.match(text)
    if found is None:
        return None
    first, sign, second, year, clock = found.groups()
    day, month = int(first), int(second)
    if sign == "/" and day != month and max(day, month) <= 12:
        return None
    if sign == "/" and month > 12:
        day, month = month, day
    return datetime.fromisoformat(f"{year}-{month:02d}-{day:02d}T{clock.zfill(5)}").replace(tzinfo=zone)


def _words(text: str, zone: tzinfo) -> datetime | None:
    """With the month as a word, in any of the languages."""
    if not _MONTH.search(text) or not re.search(r"\d{1,2}[:h.]\d{2}", text):
        return None
    try:
        import dateparser
    except ImportError:  # an instructor's package: without it these times are unknown, and said to be
        return None
    settings = {"PARSERS": ["absolute-time"], "REQUIRE_PARTS": ["day", "month", "year"], "STRICT_PARSING": True}
    found: datetime | None = dateparser.parse(text, languages=list(LANGUAGES), settings=settings)
    if found is None:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=zone)
