"""Times as platforms write them, to a time with its zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

# "2027-02-08 23:10:05.123 -0800", "... UTC", "... Europe/Paris", "...Z", or nothing behind it.
_NUMERIC = re.compile(
    r"^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}(?::\d{2})?)(?:[.,](\d{1,6})\d*)?\s*([+-]\d{2}:?\d{2}|[A-Za-z][\w/+-]*)?$"
)
# Moodle in English, with the day or the month first; strptime's names follow the locale, so months stand here.
_WORDS = re.compile(
    r"^(?:[A-Za-z]+,\s*)?(?:(\d{1,2})\s+([A-Za-z]+)|([A-Za-z]+)\s+(\d{1,2})),?\s+(\d{4}),?\s+(\d{1,2}):(\d{2})(?:\s*([AaPp])[Mm])?$"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def parse_time(text: str, zone: tzinfo) -> datetime | None:
    """A time with its zone; None where it cannot be understood.

    Args:
        text: as a platform writes it.
        zone: meant where the text names none.
    """
    text = " ".join(text.split())[:100]
    try:
        return _numeric(text, zone) or _words(text, zone)
    except (ValueError, LookupError, OSError, OverflowError):
        return None


def _numeric(text: str, zone: tzinfo) -> datetime | None:
    found = _NUMERIC.match(text)
    if found is None:
        return None
    day, clock, fraction, where = found.groups()
    moment = datetime.fromisoformat(f"{day}T{clock}").replace(microsecond=int((fraction or "0").ljust(6, "0")))
    if not where:
        return moment.replace(tzinfo=zone)
    if where[0] in "+-":
        return datetime.fromisoformat(f"{moment.isoformat()}{where[:3]}:{where[-2:]}")
    return moment.replace(tzinfo=UTC if where.upper() in ("Z", "UTC", "GMT") else ZoneInfo(where))


def _words(text: str, zone: tzinfo) -> datetime | None:
    found = _WORDS.match(text)
    if found is None:
        return None
    day, month, other_month, other_day, year, hour, minute, half = found.groups()
    number = _MONTHS.index((month or other_month).lower()[:3]) + 1
    hours = int(hour)
    if half:
        hours = hours % 12 + (12 if half.lower() == "p" else 0)
    return datetime(int(year), number, int(day or other_day), hours, int(minute), tzinfo=zone)
