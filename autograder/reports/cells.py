"""Tables as other programs and countries read them: delimiter, decimal sign, encoding; no cell is a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from autograder.errors import AutograderError
from autograder.language import _

Encoding = Literal["utf-8", "utf-8-bom", "latin-1"]
ENCODINGS: dict[Encoding, str] = {"utf-8": "utf-8", "utf-8-bom": "utf-8-sig", "latin-1": "cp1252"}
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t"}
_FORMULA = re.compile('((?:^|[;|\t\r\n])[\\s"\u200b\ufeff]*)([-=+@\uff1d\uff0b\uff0d\uff20])')


class ExportFault(AutograderError):
    """Grades cannot be written as asked for: says what is missing and what to do."""


@dataclass(frozen=True)
class Form:
    """How a table is written.

    Attributes:
        decimal: the decimal sign.
        delimiter: between cells; ";" is what a spreadsheet expects where the comma is the decimal sign.
        encoding: `utf-8-bom` is UTF-8 with a mark at the start, without which Excel takes it for something else.
    """

    decimal: Literal[".", ","] = "."
    delimiter: str = ","
    encoding: Encoding = "utf-8"

    def number(self, value: float | None) -> str:
        """A number with at most four decimals; empty where there is none."""
        if value is None:
            return ""
        text = f"{value:.4f}".rstrip("0").rstrip(".")
        return (text if text != "-0" else "0").replace(".", self.decimal)

    def text(self, rows: Iterable[Sequence[str]], safe: bool = True) -> str:
        """The rows as CSV; cells that would be formulas get an apostrophe in front, unless not `safe`."""
        stream = io.StringIO()
        writer = csv.writer(stream, delimiter=self.delimiter, lineterminator="\n")
        for row in rows:
            writer.writerow([self._cell(cell) if safe else cell for cell in row])
        return stream.getvalue()

    def table(self, rows: Iterable[Sequence[str]], safe: bool = True) -> bytes:
        """`text` in the form's encoding.

        Raises:
            ExportFault: a letter that the encoding does not have.
        """
        try:
            return self.text(rows, safe).encode(ENCODINGS[self.encoding])
        except UnicodeEncodeError as error:
            letter = error.object[error.start : error.end][:10]
            raise ExportFault(
                _("{letter} cannot be written in {encoding}; use --encoding utf-8-bom").format(
                    letter=ascii(letter), encoding=self.encoding
                )
            ) from None

    def _cell(self, cell: str) -> str:
        # A number with this country's decimal sign is no formula.
        plain = cell.replace(self.decimal, ".") if self.decimal == "," else cell
        return cell if plain.lstrip("-").replace(".", "", 1).isdigit() else safe_cell(cell)


def safe_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe goes before a sign that would begin one.

    Also inside, after what another country's spreadsheet takes for the end of a cell.
    """
    return text if _is_number(text) else _FORMULA.sub(r"\1'\2", text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
