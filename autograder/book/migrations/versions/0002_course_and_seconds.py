"""Attempts of several courses in one database; how long each took; what its file looked like."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add course, seconds and the digest of the result's file. Old rows belong to whichever course asks."""
    op.add_column("attempts", sa.Column("course", sa.String(100), nullable=False, server_default=""))
    op.add_column("attempts", sa.Column("seconds", sa.Float, nullable=False, server_default="0"))
    op.add_column("attempts", sa.Column("written", sa.String(64), nullable=False, server_default=""))
    op.drop_index("attempts_by_student", "attempts")
    op.create_index("attempts_by_student", "attempts", ["course", "student", "exercise", "id"])
