"""Names that strangers chose, as they may stand in a message: in a terminal, a table, a page."""

from __future__ import annotations

BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def shown(name: str) -> str:
    """A name for a message: control characters and broken encodings are escaped.

    No-break spaces stay: French messages have them before their colons.
    """
    return "".join(
        sign
        if sign == "\u00a0" or (sign.isprintable() and sign not in BIDI)
        else sign.encode("unicode_escape", "surrogatepass").decode()
        for sign in name
    )
