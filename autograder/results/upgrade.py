"""Results of schema version 1, as version 2 says them."""

from __future__ import annotations

from collections.abc import Mapping

_FACTS = ("file", "format", "sha256", "submitted", "marked_late", "attempt", "attempts")
_LATE = ("due", "penalty", "points_after_penalty")
_ENVIRONMENT = ("isolation", "versions", "device", "data")


def upgraded(data: object) -> object:
    """A result of version 1 in version 2's words; anything else as it is."""
    if not isinstance(data, Mapping) or data.get("schema_version", 1) != 1:
        return data
    new: dict[str, object] = {**data, "schema_version": 2}
    if new.get("outcome") == "unreadable":
        new["outcome"] = "handed_in_not_gradable"
    checks = new.get("checks")
    if isinstance(checks, list):
        new["checks"] = [_check(check) for check in checks]
    new["submission"] = _part(new.get("submission"), _FACTS)
    late = _part(new.get("late"), _LATE)
    new["late"] = {"due": None, **late} if late else None
    new["environment"] = _part(new.get("environment"), _ENVIRONMENT)
    return new


def _check(check: object) -> object:
    if not isinstance(check, Mapping) or "figures" not in check:
        return check
    return {("measured" if name == "figures" else name): value for name, value in check.items()}


def _part(part: object, names: tuple[str, ...]) -> dict[str, object]:
    """What version 2 knows of a part to which version 1 let anything be added."""
    if not isinstance(part, Mapping):
        return {}
    return {name: part[name] for name in names if name in part and (part[name] is not None or name != "isolation")}
