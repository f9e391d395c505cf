"""A teacher's decision in one line, for people and for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from autograder.language import _

if TYPE_CHECKING:
    from autograder import Decision


def line(decision: Decision) -> str:
    """A decision in one line; nothing in it steers a terminal."""
    what = f"{decision.exercise} {decision.check}".strip()
    if decision.withdrawn:
        done = _("{kind} withdrawn").format(kind=decision.kind)
    elif decision.kind == "override":
        done = _("{points:g} points (checks: {was:g})").format(points=decision.points, was=decision.was)
    elif decision.kind == "mark":
        done = _("marked {points:g}").format(points=decision.points)
    elif decision.kind == "extend":
        done = _("until {due}").format(due=decision.due)
    elif decision.kind == "excuse":
        done = _("excused")
    else:
        done = f"{_('private comment') if decision.private else _('comment')}: {decision.text}"
    why = "" if decision.kind == "comment" else " " + _("because: {why}").format(why=decision.why)
    text = f"{decision.when.isoformat()} {decision.who}: {decision.student}, {what}: {done}{why}"
    return "".join(sign if sign.isprintable() else " " for sign in text)


def json_line(decision: Decision) -> str:
    """The same as a JSON object."""
    values = {name: v.isoformat() if hasattr(v, "isoformat") else v for name, v in vars(decision).items()}
    return json.dumps(values, ensure_ascii=False)
