"""Declarative base, constraint naming and column types shared by all models."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An aware UTC instant; naive values are rejected, so no local time is stored by mistake."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Return the instant in UTC, as the database driver expects it."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs its time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Any:
        """Read SQLite's text at once: long exports have millions of instants."""
        if dialect.name != "sqlite":
            return super().result_processor(dialect, coltype)
        return lambda text: None if text is None else datetime.fromisoformat(f"{text}+00:00")

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Return PostgreSQL's instant in UTC."""
        return None if value is None else value.astimezone(UTC)


Json = sa.JSON().with_variant(JSONB(), "postgresql")

pk = Annotated[int, mapped_column(primary_key=True)]
instant = Annotated[datetime, mapped_column(UtcDateTime)]
code = Annotated[str, mapped_column(sa.String(40))]
short = Annotated[str, mapped_column(sa.String(80))]
name = Annotated[str, mapped_column(sa.String(150))]
line = Annotated[str, mapped_column(sa.String(250))]
text = Annotated[str, mapped_column(sa.Text)]
digest = Annotated[str, mapped_column(sa.String(64))]
civil = Annotated[str, mapped_column(sa.String(12))]
phone = Annotated[str, mapped_column(sa.String(20))]
address = Annotated[str, mapped_column(sa.String(254))]
data = Annotated[dict[str, Any], mapped_column(Json)]


class Base(DeclarativeBase):
    """Parent of all models; every constraint is named, so that migrations can refer to it."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {getattr(self, 'id', None) or getattr(self, 'code', '')}>"


def one_of(column: str, values: Iterable[str], name: str | None = None) -> sa.CheckConstraint:
    """Return a CHECK that `column` holds one of `values`."""
    listed = ", ".join(f"'{value}'" for value in sorted(values))
    return sa.CheckConstraint(f"{column} IN ({listed})", name=name or column)
