"""Errors of the database without the values that PostgreSQL quotes in them (rule 45).

`hide_parameters` keeps what we send out of an error, but the server's answer repeats it: "Failing
row contains (…)", "Key (email)=(…)", "invalid input syntax for type integer: "…"".
"""

from __future__ import annotations

import re

import psycopg
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import SQLAlchemyError

_DATA_EXCEPTION = "22"  # the class of errors whose first line quotes a value
_QUOTED = re.compile(r'"[^"]*"|: .*', re.DOTALL)


def init_engine(engine: sa.Engine) -> None:
    """Clean every error of the engine before anybody catches or logs it."""
    event.listen(engine, "handle_error", _clean)


def in_a_line(fault: SQLAlchemyError) -> str:
    """Return what the database said in one line, and what to do where its role lacks a right."""
    said = str(getattr(fault, "orig", None) or fault).partition("\n")[0]
    if is_of_another_role(fault):
        said += ": give the DATABASE_URL of the role that owns the tables"
    return said


def is_of_another_role(fault: SQLAlchemyError) -> bool:
    """Return whether the database refused because the role of DATABASE_URL may not do that."""
    return isinstance(getattr(fault, "orig", None), psycopg.errors.InsufficientPrivilege)


def _clean(context: ExceptionContext) -> None:
    fault, wrapper = context.original_exception, context.sqlalchemy_exception
    if not isinstance(fault, psycopg.Error) or fault.diag.message_primary is None:
        return
    said = fault.diag.message_primary
    if (fault.sqlstate or "").startswith(_DATA_EXCEPTION):
        said = _QUOTED.sub("…", said)
    fault.args = (said,)
    if wrapper is not None:
        kind = type(fault)
        wrapper.args = (f"({kind.__module__}.{kind.__qualname__}) {said}",)
