"""Who is in the class under which name: people who are renamed, merged, removed, restored or erased."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "roll",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("course", sa.String(100), nullable=False, server_default=""),
        sa.Column("when", sa.String(40), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("student", sa.String(400), nullable=False),
        sa.Column("into", sa.String(400), nullable=False),
    )
