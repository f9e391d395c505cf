"""Tables as other programs and countries read them: delimiter, decimal sign, encoding; no cell is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from autograder.errors import AutograderError
from autograder.language import _
from autograder.reports.spreadsheet import safe_cell

Encoding = Literal["utf-8", "utf-8-bom", "latin-1"]
ENCODINGS: dict[str, str] = {"utf-8": "utf-8", "utf-8-bom": "utf-8-sig", "latin-1": "cp1252"}
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t"}


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

    def table(self, rows: Iterable[Sequence[str]], safe: bool = True) -> bytes:
        """The rows as CSV; cells that would be formulas get an apostrophe in front, unless not `safe`.

        Raises:
            ExportFault: a letter that the encoding does not have.
        """
        stream = io.StringIO()
        writer = csv.writer(stream, delimiter=self.delimiter, lineterminator="\r\n")
        for row in rows:
            writer.writerow([self._cell(cell) if safe else cell for cell in row])
        try:
            return stream.getvalue().encode(ENCODINGS[self.encoding])
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
