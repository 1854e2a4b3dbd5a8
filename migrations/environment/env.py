"""What Alembic runs: the revisions, on the connection that `migrations.upgrade` was given, in its transaction."""

from alembic import context

connection = context.config.attributes["connection"]
# SQLite undoes changes of the schema like any other, so that the caller's transaction is all or nothing.
context.configure(connection=connection, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
