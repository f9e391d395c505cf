"""What is kept of a graded attempt so that somebody can say, without reading its result, whether it still holds."""

from __future__ import annotations

from dataclasses import dataclass

# What a result depends on, part by part: a short digest for each.
Key = dict[str, str]
Name = tuple[str, str]  # student and exercise
OWN = ("submission", "student")  # parts that no two submissions share


@dataclass(frozen=True)
class Known:
    """What has to be known of an attempt to say whether it still holds.

    Attributes:
        id: of the attempt.
        sha256: of the file that was graded.
        shared: the part of its key that others' keys have too, one object for all of them.
        own: the rest of its key.
        outcome: of the result.
        seconds: that grading took.
    """

    id: int
    sha256: str
    shared: Key
    own: tuple[tuple[str, str], ...]
    outcome: str
    seconds: float

    @property
    def key(self) -> Key:
        """What the grade depended on."""
        return self.shared | dict(self.own)
