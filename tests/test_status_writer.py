"""One function alone writes the status of a request; the check that says so can fail."""

from __future__ import annotations

import pytest

from clearance.services.standard_fields import STANDARD_FIELDS
from tests.support.sources import MODULES
from tests.support.status_writes import writes_in

WRITER = "clearance.requests.transitions._move"
# These write the status of something else, or a field whose name can never be the status.
OF_OTHER_THINGS = {
    ("clearance.customs.client._Exchange.__init__", "self.status"),
    ("clearance.customs.client._Exchange.run", "self.status"),
    ("clearance.exams.sittings.change", "setattr(exam, name, getattr(plan, name))"),
    ("clearance.licences.register._put", "setattr(row, name, value)"),
    ("clearance.notifications.outbox.send_again", "delivery.status"),
    ("clearance.organisations.profile.change", "setattr(organisation, name, after)"),
    ("clearance.organisations.subscription_changes._change", "row.status"),
    ("clearance.services.columns.keep_column", "setattr(req, name, value)"),
    ("clearance.exams.effects.confirm_seat", "seat.status"),
    ("clearance.exams.effects.free_seat", "seat.status"),
    ("clearance.exams.effects.take_seat", "seat.status"),
}

OFFENDING = """
req.status = Status.APPROVED
step.req.status = target
anything.status: str = target
first, req.status = 1, target
req.status += "x"
for req.status in statuses: pass
setattr(req, "status", target)
setattr(req, name, target)
setattr(req, f"{name}us", target)
setattr(*arguments)
object.__setattr__(req, "status", target)
req.__setattr__("status", target)
attributes.set_committed_value(req, "status", target)
req.__dict__["status"] = target
vars(req)["status"] = target
sa.update(Request).values(status=target)
update(Request).where(Request.id == 1).values(version=2, status=target).returning(Request.id)
sa.update(Request).where(Request.id == 1).values({Request.status: target})
sa.update(Request).values({"status": target})
sa.update(Request).values({"version": 2, **more})
sa.update(Request).values(**values)
sa.update(Request).values(values)
sa.update(models.Request).values(status=target)
sa.update(Request.__table__).values(status=target)
sa.update(Request.__table__).values({Request.__table__.c.status: target})
Request.__table__.update().where(Request.id == 1).values(status=target)
sa.update(Request).ordered_values((Request.version, 2), (Request.status, target))
sa.update(table).values(status=target)
sa.update(Base.metadata.tables["request"]).values(status=target)
sa.update(aliased(Request)).values(status=target)
from clearance.models import Request as Application; sa.update(Application).values(status=target)
Application = Request; sa.update(Application).values(status=target)
moving = sa.update(Request).where(Request.id == 1).values(version=2); moving.values(status=target)
statement.values(status=target)
session.execute(sa.update(Request), [{"id": 1, "status": target}])
session.execute(sa.update(Request).where(Request.id == sa.bindparam("key")), rows)
session.bulk_update_mappings(Request, rows)
session.bulk_save_objects(found)
session.query(Request).filter(Request.id == 1).update({"status": target})
session.query(Request).update({Request.status: target}, synchronize_session=False)
session.query(Request).update(values)
Request.query.filter_by(id=1).update(dict(status=target))
rows.update({"status": target})
insert(Request).values(id=1).on_conflict_do_update(index_elements=["id"], set_={"status": target})
session.merge(Request(id=1, status=target))
session.merge(Request(**values))
session.execute(sa.text("UPDATE request SET status = 'approved' WHERE id = 1"))
session.execute(sa.text('update "request" set version = 2, status = :status'))
session.execute(sa.text(f"UPDATE {table} SET status = 'approved'"))
session.execute(sa.text("UPDATE request " + "SET status = 'approved'"))
session.execute(sa.text("UPDATE request SET %s = 'approved'" % column))
session.execute(sa.text("UPDATE {} SET status = 'approved'".format(table)))
session.execute(sa.text("UPDATE public.request AS r SET version = 2, status = 'approved'"))
session.execute(sa.text("INSERT INTO request VALUES (1) ON CONFLICT DO UPDATE SET status = ''"))
""".strip().splitlines()

INNOCENT = """
found = req.status
is_open = req.status == Status.APPROVED
req.version = 2
setattr(req, "version", 2)
setattr(row, f"title_{lang}", title)
values["status"] = target
known.update(status for status in statuses)
names.update(more)
values.values()
sa.select(Request).where(Request.status == Status.DRAFT)
sa.update(Request).where(Request.status == Status.DRAFT).values(exclusive_key=None)
sa.update(Request).where(Request.status == Status.DRAFT).values({Request.version: 2})
sa.update(Delivery).values(status=target)
sa.update(Delivery).values(**values)
moving = sa.update(Delivery).where(Delivery.id == 1); moving.values(status=target)
session.query(Delivery).update({"status": target})
sa.insert(Delivery).values(status=target)
session.execute(sa.update(Delivery), rows)
Request(service_code="exam", version=1)
session.execute(sa.text("UPDATE delivery SET status = 'sent'"))
session.execute(sa.text("UPDATE request SET version = 2 WHERE status = 'draft'"))
session.execute(sa.text("SELECT status FROM request"))
""".strip().splitlines()


def test_one_function_alone_writes_the_status_of_a_request() -> None:
    found = {
        (f"{module}.{write.function}", write.text): write.line
        for module, path in MODULES.items()
        for write in writes_in(path.read_text(encoding="utf-8"))
    }
    writers = [place for place in found if place[0] == WRITER]
    others = [
        f"{function}:{line}: {text}"
        for (function, text), line in found.items()
        if function != WRITER and (function, text) not in OF_OTHER_THINGS
    ]
    assert others == []
    assert len(writers) == 1
    assert OF_OTHER_THINGS - set(found) == set(), "no longer in the code"


def test_no_standard_field_is_called_status() -> None:
    """The requests' columns are set by the names of these fields."""
    assert "status" not in STANDARD_FIELDS


@pytest.mark.parametrize("source", OFFENDING)
def test_every_way_of_writing_the_status_is_found(source: str) -> None:
    inside = f"def somewhere():\n    {source}\n"
    assert {write.function for write in writes_in(inside)} == {"somewhere"}


def test_reading_it_and_writing_anything_else_is_no_offence() -> None:
    assert [(source, found) for source in INNOCENT if (found := writes_in(source))] == []
