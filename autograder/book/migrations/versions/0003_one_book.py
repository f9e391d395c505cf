"""Decisions, who handed in what and the students beside the attempts: what were two databases is one.

The gradebook of version 0.1, where it lies in this database, is taken over; its own tables stay beside, renamed.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from autograder.book.migrations import NewerDatabase

revision = "0003"
down_revision = "0002"

_OLD = ("gradebook_version", "gradebook_changes")
_OF_CHANGES = "who, why, kind, student, exercise, points, was, due, text, private, withdrawn"
_MESSAGE = "decisions are only added to"


def upgrade() -> None:
    """Make the tables and take over what is there. Files of results are views, of which nothing has to be kept."""
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("course", sa.String(100), nullable=False, server_default=""),
        sa.Column("when", sa.String(40), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("student", sa.String(400), nullable=False),
        sa.Column("exercise", sa.String(100), nullable=False),
        sa.Column("check", sa.String(200), nullable=False),
        sa.Column("points", sa.Float),
        sa.Column("was", sa.Float),
        sa.Column("due", sa.String(40)),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("private", sa.Boolean, nullable=False),
        sa.Column("withdrawn", sa.Boolean, nullable=False),
    )
    op.create_index("decisions_by_student", "decisions", ["student", "exercise", "id"])
    op.create_table(
        "handed_in",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("course", sa.String(100), nullable=False, server_default=""),
        sa.Column("student", sa.String(400), nullable=False),
        sa.Column("exercise", sa.String(100), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("file", sa.Text, nullable=False),
        sa.Column("submitted", sa.String(40)),
        sa.Column("late", sa.Boolean, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("platform", sa.Text, nullable=False),
        sa.Column("lms_id", sa.Text, nullable=False),
        sa.Column("notes", sa.Text, nullable=False),
    )
    op.create_index("handed_in_by_student", "handed_in", ["course", "student", "exercise", "id"])
    op.create_table(
        "students",
        sa.Column("course", sa.String(100), nullable=False),
        sa.Column("student", sa.String(400), nullable=False),
        sa.PrimaryKeyConstraint("course", "student"),
    )
    op.create_table(
        "origins",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
    )
    _keep_the_attempts()
    op.drop_column("attempts", "written")
    _take_over_the_gradebook()
    _only_added_to()


def _keep_the_attempts() -> None:
    """A copy, where the database is no file that is copied itself."""
    connection = op.get_bind()
    if connection.dialect.name != "sqlite" and connection.execute(sa.text("SELECT id FROM attempts LIMIT 1")).scalar():
        op.execute("CREATE TABLE attempts_0_1 AS SELECT * FROM attempts")


def _take_over_the_gradebook() -> None:
    connection = op.get_bind()
    if not sa.inspect(connection).has_table("gradebook_version"):
        return
    version = connection.execute(sa.text("SELECT version FROM gradebook_version")).scalar()
    if version != 1:
        raise NewerDatabase(str(version))
    op.execute(
        f'INSERT INTO decisions (course, "when", "check", {_OF_CHANGES}) '
        f'SELECT \'\', "when", "check", {_OF_CHANGES} FROM gradebook_changes ORDER BY id'
    )
    for name in _OLD:
        op.rename_table(name, f"{name}_0_1")


def _only_added_to() -> None:
    """The database itself refuses to change or remove a decision."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION decisions_are_kept() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{_MESSAGE}'; END $$"
        )
        op.execute(
            "CREATE TRIGGER decisions_are_kept BEFORE UPDATE OR DELETE ON decisions "
            "FOR EACH ROW EXECUTE FUNCTION decisions_are_kept()"
        )
    elif op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER decisions_no_{verb.lower()} BEFORE {verb} ON decisions "
                f"BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END"
            )
