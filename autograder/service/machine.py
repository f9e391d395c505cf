"""What this machine gives: which isolation can be had here."""

from __future__ import annotations

from autograder.sandbox import IsolationRefused, WarmParent, WarmParentDied


def isolation_here() -> str:
    """The level of isolation and what is missing, in words; or why there is none."""
    try:
        with WarmParent(preload=()) as parent:
            found = parent.isolation
    except (IsolationRefused, WarmParentDied, OSError) as reason:
        return f"none ({reason})"
    return f"{found.level}; missing: {', '.join(found.missing) or 'nothing'}"
