"""What a process keeps of settings, services and teams is never older than the database."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.core import kept
from clearance.core.extensions import db
from clearance.models import ChangeStamp

WATCHED = {
    *("choice_list", "legal_entity", "message_text", "service", "service_pilot"),
    *("service_version", "setting", "team"),
}


class Source:
    """What is read, and how often it was."""

    def __init__(self) -> None:
        self.reads = 0

    def read(self) -> int:
        self.reads += 1
        return self.reads


def stamps() -> dict[str, str]:
    """Return the tokens by table."""
    rows = db.session.execute(sa.select(ChangeStamp.name, ChangeStamp.token))
    return {name: token for name, token in rows}


@pytest.mark.databases
def test_a_value_is_read_again_after_any_change_by_whomever(app: Flask) -> None:
    source = Source()
    writes = (
        "INSERT INTO setting (key, value, version) VALUES ('x', '1', 1)",
        "UPDATE setting SET version = 2 WHERE key = 'x'",
        "DELETE FROM setting WHERE key = 'x'",
    )
    with app.app_context():
        assert set(stamps()) == WATCHED
        assert [kept.until_changed("number", source.read) for _time in range(3)] == [1, 1, 1]
        for place, write in enumerate(writes, 2):
            before = stamps()
            db.session.execute(sa.text(write))
            db.session.commit()
            changed = {name for name, token in stamps().items() if token != before[name]}
            assert changed == {"setting"}
            assert kept.until_changed("number", source.read) == place
            assert kept.until_changed("number", source.read) == place


def test_what_was_rolled_back_is_not_kept(app: Flask) -> None:
    with app.test_request_context(method="POST"):
        count = sa.select(sa.func.count()).select_from(sa.table("setting"))

        def read() -> int:
            return db.session.execute(count).scalar_one()

        before = kept.until_changed("settings in number", read)
        db.session.execute(sa.text("INSERT INTO setting (key, value, version) VALUES ('x', 1, 1)"))
        kept.forget()
        assert kept.until_changed("settings in number", read) == before + 1
        db.session.rollback()
        assert kept.until_changed("settings in number", read) == before


def test_a_reading_request_uses_the_stamp_of_its_session_and_a_writing_one_its_own(
    app: Flask,
) -> None:
    source = Source()
    for method, expected in (("GET", 1), ("POST", 2)):
        with app.test_request_context(method=method):
            kept.remember("as the session said")
            kept.until_changed("number", source.read)
            kept.until_changed("number", source.read)
            assert source.reads == expected
