"""Runs the migrations on the connection that the store hands in, inside its transaction."""

from alembic import context

from pipmetrics.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
