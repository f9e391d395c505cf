"""The line of a file that a comment is about; the names of students who handed in nothing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("decisions", sa.Column("line", sa.String(20), nullable=False, server_default=""))
    op.add_column("students", sa.Column("name", sa.Text, nullable=False, server_default=""))
