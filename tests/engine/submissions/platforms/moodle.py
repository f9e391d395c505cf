"""Moodle's "Download all submissions" and its grading worksheet.

Sources, read at github.com/moodle/moodle:

- 4.1 and later: mod/assign/classes/downloader.php at da5455238d1a (the archive's names);
- 3.1 to 4.0: mod/assign/locallib.php, download_submissions(), as it stands in forks of 3.x (the prefix of the name with
  the group's before it and an underscore at its end);
- mod/assign/gradingtable.php at 003699dba493 (columns of the worksheet, their order, "Group" for teams);
- mod/assign/submission/onlinetext/locallib.php (the page that a text becomes);
- lang/en/langconfig.php and the language packs (formats of `strftimedaydatetime`).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from tests.engine.submissions.platforms.model import Files, Handed, Student

PARIS = ZoneInfo("Europe/Paris")


def clean(name: str) -> str:
    """What PARAM_FILE leaves of a file's name."""
    name = re.sub(r"[\x00-\x1f\x7f&<>\"`|':\\/]", "", name)
    return re.sub(r"\.\.+", "", name)


def _page(text: str) -> bytes:
    return f'<!DOCTYPE html><html><head><meta charset="UTF-8"></head><body>{text}</body></html>'.encode()


def _parts(handed: Handed) -> list[tuple[str, str, bytes]]:
    """Plugin, path below the submission and content of everything in it."""
    parts = [("file", name, content) for name, content in handed.files.items()]
    if handed.text:
        parts.append(("onlinetext", "onlinetext.html", _page(handed.text)))
    return parts


def download(class_: Sequence[Handed], *, blind: bool = False, folders: bool = True) -> Files:
    """4.1 and later. A team's submission stands there once, under the team's name and number."""
    files: Files = {}
    numbers: dict[str, int] = {}
    for handed in class_:
        group = handed.student.group if handed.members else ""
        if group:
            number = numbers.setdefault(group, 40 + len(numbers))
            prefix = clean(f"{group.replace('_', ' ')}_{number}")
        elif handed.members:
            prefix = "Default group"
        else:
            name = "Participant" if blind else handed.student.name
            prefix = clean(f"{name.replace('_', ' ')}_{handed.student.moodle}")
        for plugin, path, content in _parts(handed):
            start = f"{prefix}_assignsubmission_{plugin}"
            if folders:
                files[f"{start}/{path}"] = content
            else:
                files[clean(f"{start}_{path.rpartition('/')[2]}")] = content
    return files


def old_download(class_: Sequence[Handed], *, blind: bool = False, folders: bool = True) -> Files:
    """3.1 to 4.0. A team's submission stands there once for each member."""
    files: Files = {}
    for handed in class_:
        for student in handed.members or (handed.student,):
            group = f"{student.group or 'Default group'}-" if handed.members else ""
            name = f"{group}{'Participant' if blind else student.name}"
            prefix = clean(f"{name.replace('_', ' ')}_{student.moodle}_")
            for plugin, path, content in _parts(handed):
                start = f"{prefix}assignsubmission_{plugin}_"
                if folders:
                    files[f"{start}/{path}"] = content
                else:
                    files[clean(f"{start}{path.rpartition('/')[2]}")] = content
    return files


# Headings and the words of a date: Identifier, Full name, Email, Status, Group, Grade, Maximum, changeable, modified,
# text, graded, comments.
_HEADINGS = {
    "en": ("Identifier", "Full name", "Email address", "Status", "Group", "Grade", "Maximum Grade",
           "Grade can be changed", "Last modified (submission)", "Last modified (grade)", "Feedback comments"),
    "fr": ("Identifiant", "Nom complet", "Adresse de courriel", "Statut", "Groupe", "Note", "Note maximale",
           "La note peut être modifiée", "Dernière modification (travail remis)", "Dernière modification (note)",
           "Feedback par commentaires"),
    "de": ("ID", "Vollständiger Name", "E-Mail-Adresse", "Status", "Gruppe", "Bewertung", "Bestwertung",
           "Bewertung kann geändert werden", "Zuletzt geändert (Abgabe)", "Zuletzt geändert (Bewertung)",
           "Feedback als Kommentar"),
    "es": ("Identificador", "Nombre completo", "Dirección de correo", "Estado", "Grupo", "Calificación",
           "Calificación máxima", "La calificación puede cambiarse", "Última modificación (entrega)",
           "Última modificación (calificación)", "Comentarios de retroalimentación"),
    "it": ("Identificativo", "Nome completo", "Indirizzo email", "Stato", "Gruppo", "Valutazione",
           "Valutazione massima", "La valutazione può essere cambiata", "Ultima modifica (consegna)",
           "Ultima modifica (valutazione)", "Commento"),
}  # fmt: skip
_PARTICIPANT = {"en": "Participant ", "fr": "Participant ", "de": "Teilnehmer/in", "es": "Participante",
                "it": "Partecipante "}  # fmt: skip
_SUBMITTED = {"en": "Submitted for grading", "fr": "Remis pour évaluation", "de": "Zur Bewertung abgegeben",
              "es": "Enviado para calificar", "it": "Consegnato per la valutazione"}  # fmt: skip
_DAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "de": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
    "it": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
}
_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
}


def date(moment, language: str, zone: ZoneInfo = PARIS) -> str:
    """`userdate` with `strftimedaydatetime`: the day without its leading zero."""
    local = moment.astimezone(zone)
    day, month = _DAYS[language].split()[local.weekday()], _MONTHS[language].split()[local.month - 1]
    if language == "en":
        return f"{day}, {local.day} {month} {local.year}, {local:%I:%M} {'AM' if local.hour < 12 else 'PM'}"
    form = {"fr": "{0} {1} {2} {3}, {4}", "de": "{0}, {1}. {2} {3}, {4}", "es": "{0}, {1} de {2} de {3}, {4}",
            "it": "{0}, {1} {2} {3}, {4}"}[language]  # fmt: skip
    return form.format(day, local.day, month, local.year, f"{local:%H:%M}")


def worksheet(
    students: Sequence[Student], class_: Sequence[Handed], *, language: str = "en", teams: bool = False,
    blind: bool = False,
) -> bytes:  # fmt: skip
    """The grading worksheet: a line per student of the course."""
    when = {s.id: handed.when for handed in class_ for s in handed.members or (handed.student,)}
    headings = [h for i, h in enumerate(_HEADINGS[language]) if (teams or i != 4) and not (blind and i in (1, 2))]
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(headings)
    for student in students:
        moment = when.get(student.id)
        row = [f"{_PARTICIPANT[language]}{student.moodle}", student.name, student.email,
               _SUBMITTED[language] if moment else "", student.group, "", "100.00", "Yes",
               date(moment, language) if moment else "-", "-", ""]  # fmt: skip
        writer.writerow([c for i, c in enumerate(row) if (teams or i != 4) and not (blind and i in (1, 2))])
    return stream.getvalue().encode("utf-8-sig")
