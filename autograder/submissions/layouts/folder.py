"""A folder or an archive per student: `FOLDER/<student>/<exercise>.py`.

What is named as it should be is taken. What nearly is (`Markov-Quiz (1).py`, a folder inside the student's) is taken
with a note. Links are never followed.
"""

from __future__ import annotations

from pathlib import Path

from autograder.language import N_, _
from autograder.submissions.layout import Context, Delivery, Identity, Part, Reading
from autograder.submissions.names import looks_packed

RANK = 90
TITLE = N_("a folder or an archive per student")
SURE = False


def detect(folder: Path, context: Context) -> str:
    """Every folder may be laid out like this: it is what is left when nothing speaks for another layout."""
    return _("a folder per student")


def read(folder: Path, context: Context) -> Reading:
    """A delivery for each folder and each archive."""
    reading = Reading()
    for item in context.listed(folder):
        packed = item.is_file and looks_packed(item.name)
        if item.kind == "link":
            reading.stranger(item.path, _("a link: links are not followed"))
        elif not packed and not item.is_folder:
            reading.stranger(item.path, _("belongs into a student's folder: FOLDER/<student>/<exercise>.py"))
        elif item.name.startswith("."):
            reading.stranger(item.path, _("the name begins with a dot, as those of systems do"))
        else:
            name = item.name[: item.name.index(".", 1)] if packed else item.name
            reading.deliveries.append(Delivery(Identity.own(name), (Part(item.path),)))
    return reading
