"""What alembic runs: the steps, in the transaction of the connection that `upgrade` was given."""

from __future__ import annotations

from alembic import context

from autograder.book.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    # SQLite too: `engine.py` begins its transactions itself, so that a killed step leaves nothing behind.
    transactional_ddl=True,
    render_as_batch=connection.dialect.name == "sqlite",
)
context.run_migrations()
