"""The tables of a batch's database, as the last migration leaves them."""

from __future__ import annotations

from sqlalchemy import JSON, Column, DateTime, Float, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()
attempts = Table(
    "attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("student", String(400), nullable=False),
    Column("exercise", String(100), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("key", JSON, nullable=False),
    Column("graded_at", DateTime(timezone=True), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("points", Float, nullable=False),
    Column("max_points", Float, nullable=False),
    Column("result", Text, nullable=False),
    Column("course", String(100), nullable=False, server_default=""),  # "": from before there was this column
    Column("seconds", Float, nullable=False, server_default="0"),
    Column("written", String(64), nullable=False, server_default=""),  # SHA-256 of the result's file
    Index("attempts_by_student", "course", "student", "exercise", "id"),
)
