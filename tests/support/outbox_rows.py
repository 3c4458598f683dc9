"""Messages in the outbox, for tests of their delivery."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

from flask import Flask

from clearance.core.extensions import db
from clearance.models import Delivery
from clearance.models.enums import Channel
from tests.support import gateways

NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
CODE = "483920"
MOBILE = "+96550001234"
MakeApp = Callable[..., Flask]
queue_code = partial(gateways.queue_code, now=NOW)


@contextmanager
def running(make_app: MakeApp, **settings: Any) -> Iterator[Flask]:
    application = make_app(**settings)
    with application.app_context():
        yield application
        db.session.remove()
        db.engine.dispose()


def queue(address: str = "someone@example.com", **columns: Any) -> int:
    """Put a plain message into the outbox; returns its id."""
    values: dict[str, Any] = {
        "event": "request:sent",
        "channel": Channel.EMAIL if "@" in address else Channel.SMS,
        "address": address,
        "language": "ar",
        "subject": "تم إرسال الطلب",
        "body": "نص الرسالة\n",
        "created_at": NOW,
        "next_at": NOW,
        "message_id": f"{queue.__name__}{id(object())}-{address}"[:60] + str(columns.get("n", "")),
    }
    columns.pop("n", None)
    delivery = Delivery(**(values | columns))
    db.session.add(delivery)
    db.session.commit()
    return delivery.id


def row(delivery_id: int) -> Delivery:
    """The row as it stands, read and let go: an open transaction would keep the sender waiting."""
    db.session.rollback()
    found = db.session.get_one(Delivery, delivery_id, populate_existing=True)
    db.session.expunge(found)
    db.session.rollback()
    return found
