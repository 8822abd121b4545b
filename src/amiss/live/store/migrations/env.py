"""What alembic runs: it is handed the connection of `amiss.live.store.migrate`, within a transaction."""

from __future__ import annotations

from alembic import context

from amiss.live.store.migrate import VERSION_TABLE
from amiss.live.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
