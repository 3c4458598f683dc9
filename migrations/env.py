"""Run migrations on the connection that clearance/core/schema.py hands over."""

from alembic import context

from clearance.core import schema
from clearance.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=True,
    include_name=schema.is_compared,
    transactional_ddl=True,
    render_item=lambda kind, item, autogen: (
        "clearance.models.base.UtcDateTime()"
        if kind == "type" and type(item).__name__ == "UtcDateTime"
        else False
    ),
)
with context.begin_transaction():
    context.run_migrations()
