"""The probes of an exercise, made of their compiled code: their text is nowhere in a worker."""

from __future__ import annotations

import base64
import marshal
from functools import lru_cache
from types import CodeType
from typing import cast

from autograder.worker.probes import Target


def define(code: str) -> dict[str, Target]:
    """The functions of an exercise's probes, from their compiled code; none where it is empty."""
    if not code:
        return {}
    namespace: dict[str, object] = {"__name__": "probes"}
    exec(_compiled(code), namespace)
    return {n: cast(Target, v) for n, v in namespace.items() if callable(v) and not n.startswith("_")}


@lru_cache(8)  # the judge defines the same probes beside each known mistake that it compares with
def _compiled(code: str) -> CodeType:
    loaded: CodeType = marshal.loads(base64.b64decode(code))
    return loaded
