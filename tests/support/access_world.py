"""The people and rows that the walk over every address uses: one office's, seen by all roles."""

from __future__ import annotations

import hashlib
import re
import shutil
import sqlite3
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from app import create_app
from clearance.accounts import staff_invitations
from clearance.auth import captcha
from clearance.auth.rate_limits import POLICIES
from clearance.core import audit, crypto
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.exams.statuses import ExamStatus
from clearance.models import (
    AccessEvent,
    Announcement,
    ChoiceList,
    Delivery,
    Event,
    ExamSeat,
    Holiday,
    LegalHold,
    Organisation,
    Reason,
    Registration,
    Request,
    SavedView,
    User,
    UserSession,
)
from clearance.models.enums import DeliveryStatus, Role, SessionStage, Status
from clearance.notifications import notices
from clearance.public import dev
from clearance.services.flows import Action
from tests.support import (
    access_licence_rows,
    access_member_rows,
    export_rows,
    factories,
    request_factories,
)
from tests.support.databases import SqliteDatabase
from tests.support.pages import PageClient

ROLES = (
    "visitor",
    "pending",
    "ungranted",
    "additional",
    "general",
    "foreign",
    "reviewer",
    "manager",
    "administrator",
)
AGENTS = ("ungranted", "additional", "general", "foreign")
STAFF = ("reviewer", "manager", "administrator")
# Not changes in the sense of security rule 26: counters, access events, image texts (the part of a
# visitor's session that lies on the server) and when a session was last seen.
PASSING_TABLES = frozenset({"throttle_count", "access_event", "captcha"})
LAST_SEEN = "last_seen_at"
_WRITES = re.compile(r'\b(?:INSERT(?: OR \w+)? INTO|UPDATE|DELETE FROM) "?(\w+)')
_READS = ("SELECT", "WITH")
MANY = "100000 per 1 minute"


@dataclass(frozen=True)
class Browser:
    """What a browser sends: its cookies, and a CSRF token that fits them."""

    cookie: str
    token: str


@dataclass
class World:
    """An application with one of everybody, and rows of the organisation of `general`.

    secrets: role → words of rows that are not its own, which no page may show to it. told: those of
    them that whoever is asked about a transfer reads. reads: the statements that have read since
    the world was made.
    """

    app: Flask
    database: SqliteDatabase
    folder: Path
    people: dict[str, User | Registration] = field(default_factory=dict)
    browsers: dict[str, Browser] = field(default_factory=dict)
    rows: dict[str, Any] = field(default_factory=dict)
    state: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, frozenset[bytes]] = field(default_factory=dict)
    told: frozenset[bytes] = frozenset()
    written: set[str] = field(default_factory=set)
    reads: int = 0

    def open(self, who: str, method: str, address: str, **options: Any) -> TestResponse:
        """Send one request as `who`; what it does to cookies is forgotten afterwards."""
        headers = {"Cookie": self.browsers[who].cookie} | options.pop("headers", {})
        http = self.app.test_client(use_cookies=False)
        return http.open(address, method=method, headers=headers, **options)

    def changed(self, *, everywhere: bool = True) -> list[str]:
        """The tables that differ from how the world was made.

        Not everywhere: looks only where the application has written since, by its own statements.
        """
        asked = None if everywhere else self.written - PASSING_TABLES
        now = {} if asked == set() else _contents(self._live, asked)
        found = sorted(name for name in now if now[name] != self.state[name])
        if not found:
            self.written.clear()
        return found

    def keep(self) -> None:
        """Take the present state as the one to go back to."""
        with closing(sqlite3.connect(self._live)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copyfile(self._live, self.folder / "kept.sqlite")
        shutil.copytree(self.folder / "files", self.folder / "kept", dirs_exist_ok=True)
        self.state = _contents(self._live)
        with self.app.app_context():
            sa.event.listen(db.engine, "before_cursor_execute", self._note)

    def restore(self) -> None:
        """Go back to the kept state."""
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()
        for suffix in ("-wal", "-shm"):
            Path(f"{self._live}{suffix}").unlink(missing_ok=True)
        shutil.copyfile(self.folder / "kept.sqlite", self._live)
        shutil.copytree(self.folder / "kept", self.folder / "files", dirs_exist_ok=True)
        self.written.clear()

    def _note(self, _connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        self.written |= set(_WRITES.findall(statement))
        self.reads += statement.startswith(_READS)

    @property
    def _live(self) -> Path:
        return Path(self.database.url.removeprefix("sqlite:///"))


def build(folder: Path) -> World:
    """Make the world in `folder`. Who may do what does not depend on the kind of database."""
    database = SqliteDatabase(folder)
    database.restore()
    app = create_app(
        testing=True,
        database_url=database.url,
        storage_url=f"file://{folder / 'files'}",
        trusted_hosts=("127.0.0.1", "localhost"),
        limits=dict.fromkeys(POLICIES, MANY),
    )
    app.register_blueprint(dev.blueprint)  # as demo mode does
    world = World(app, database, folder)
    with app.app_context():
        _make_people(world)
        _make_requests(world)
        _make_exams(world)
        licences = _make_licences(world, _people(world))
        _make_rest(world)
        _find_secrets(world, licences)
        for person in world.people.values():
            db.session.refresh(person)  # so that they can be read when the session is gone
    for who in ROLES:
        world.browsers[who] = sign_in(world, who)
    _make_more_sessions(world)
    world.keep()
    return world


def sign_in(world: World, who: str, stage: SessionStage = SessionStage.FULL) -> Browser:
    """Give `who` a browser; a registration's stage is the one at which codes are awaited."""
    client = PageClient(world.app, language="en")
    person = world.people.get(who)
    if person is not None:
        is_pending = isinstance(person, Registration)
        factories.sign_in(client, person, SessionStage.VERIFY if is_pending else stage)
    token = client.csrf_token()
    cookie = client.http.get_cookie(world.app.config["SESSION_COOKIE_NAME"])
    assert cookie is not None
    return Browser(f"{cookie.key}={cookie.value}; lang=en", token)


def _make_people(world: World) -> None:
    request_factories.load_services()
    request_factories.publish(request_factories.TRIVIAL)
    access_member_rows.publish()
    office = factories.make_organisation(
        name_ar="مكتب شراع الخليج", name_en="Gulf Sail Office", licence_no="KW-4101"
    )
    other = factories.make_organisation(licence_no="KW-4102")
    world.rows["organisation"] = office.id
    with_app: dict[str, Any] = {
        "second_factor": True,
        "totp_secret": crypto.encrypt(pyotp.random_base32()),
    }
    world.people |= {
        "pending": factories.make_registration(),
        "ungranted": factories.make_agent(office, is_general=False, services=("greeting",)),
        "additional": factories.make_agent(office, is_general=False, services=("exam", "letter")),
        "general": factories.make_agent(office, **with_app),
        "foreign": factories.make_agent(other),
        "reviewer": factories.make_staff(Role.REVIEWER),
        "manager": factories.make_staff(Role.MANAGER),
        "administrator": factories.make_staff(Role.ADMINISTRATOR),
    }
    world.rows["colleague"] = factories.make_staff(Role.REVIEWER, **with_app).id
    world.rows["disabled"] = factories.make_staff(Role.MANAGER, is_active=False).id
    for who in ("general", "reviewer"):
        world.rows[who] = world.people[who].id


def _make_requests(world: World) -> None:
    owner, reviewer = world.people["general"], world.people["reviewer"]
    assert isinstance(owner, User)
    assert isinstance(reviewer, User)

    def make(status: str, **options: Any) -> Request:
        return request_factories.make_request(owner, status, reviewer=reviewer, **options)

    draft = request_factories.make_draft(owner)
    world.rows["draft_document"] = access_licence_rows.attach(draft, "other", owner)
    sent = request_factories.make_draft(owner)
    world.rows["document"] = access_licence_rows.attach(sent, "other", owner)
    request_factories.step(sent, Action.SEND, owner)
    made = {
        "draft": draft,
        "sent": sent,
        "taken": make(Status.UNDER_REVIEW),
        "returned": make(Status.RETURNED),
        "preapproved": make(Status.PREAPPROVED),
        "seated": make(ExamStatus.SEATED),
        "greeting": make(Status.SUBMITTED, code="greeting", with_documents=False, words="مرحبا"),
    }
    for name, req in made.items():
        world.rows[name] = req.id
        world.rows[f"{name}_version"] = req.version


def _make_exams(world: World) -> None:
    owner, reviewer = world.people["general"], world.people["reviewer"]
    assert isinstance(owner, User)
    assert isinstance(reviewer, User)
    now = utc_now()
    world.rows["upcoming"] = request_factories.make_exam().id
    held = request_factories.make_exam(
        held_at=now - timedelta(days=1),
        confirm_by=(now - timedelta(days=3)).date(),
        announced_at=now - timedelta(days=9),
    )
    req = request_factories.make_request(
        owner, ExamStatus.CONFIRMED, reviewer=reviewer, exam=held, now=now - timedelta(days=8)
    )
    seat = db.session.scalars(sa.select(ExamSeat).where(ExamSeat.request_id == req.id)).one()
    world.rows |= {
        "held": held.id,
        "seat": seat.id,
        "confirmed": req.id,
        "confirmed_version": req.version,
        "results_row": f"{req.number},{req.civil_id},passed",
    }


def _make_rest(world: World) -> None:
    now = utc_now()
    params = {"number": "CE/1/26", "service": {"ar": "امتحان", "en": "Exam"}}
    for who, event in (("general", "request:withdrawn"), ("reviewer", "office:assigned")):
        notice = notices.notify_user(event, user_id=world.rows[who], params=params, now=now)
        db.session.flush()
        world.rows[f"{who}_notice"] = notice.id
    for who, list_name in (("general", "my_requests"), ("manager", "office_requests")):
        owner = world.people[who].id
        view = SavedView(list_name=list_name, owner_id=owner, name="Mine", state={}, created_at=now)
        db.session.add(view)
        db.session.flush()
        world.rows[f"{who}_view"] = view.id
    invitation, link = staff_invitations.invite_staff("invited@example.com", Role.REVIEWER, now)
    announcement = Announcement(
        title_ar="نشر الإعلان وترشيح المتقدمين",
        title_en="News",
        body_ar="نص",
        body_en="Text",
        published_at=now,
    )
    db.session.add(announcement)
    keeper, held = world.people["manager"], world.people["foreign"]
    hold = LegalHold(user_id=held.id, reason="حكم محكمة", set_by_id=keeper.id, set_at=now)
    db.session.add(hold)
    item = {"value": "doha", "label": {"ar": "الدوحة", "en": "Doha"}}
    db.session.add(ChoiceList(code="ports", name_ar="الموانئ", name_en="Ports", items=[item]))
    delivery = db.session.scalars(sa.select(Delivery).where(Delivery.is_secret.is_(False))).first()
    assert delivery is not None
    delivery.status = DeliveryStatus.GIVEN_UP
    db.session.commit()
    audit.access("document:read", user_id=world.rows["reviewer"], result="ok")
    world.rows |= {
        "invitation": invitation.id,
        "hold": hold.id,
        "token": link.rpartition("/")[2],
        "announcement": announcement.id,
        "holiday": db.session.scalar(sa.select(sa.func.min(Holiday.day))),
        "delivery": delivery.id,
        "reason": db.session.scalar(sa.select(sa.func.min(Reason.id))),
        "event": db.session.scalar(sa.select(sa.func.min(Event.id))),
        "access": db.session.scalar(sa.select(sa.func.min(AccessEvent.id))),
    }
    db.session.commit()  # an image text is written apart
    world.rows["captcha"] = captcha.new("register", "", now)


def _make_licences(world: World, people: access_licence_rows.People) -> access_licence_rows.Made:
    made = access_licence_rows.make(world.app, people)
    world.rows |= made.rows
    additional = world.people["additional"]
    assert isinstance(additional, User)
    world.rows |= access_member_rows.make(world.app, people, additional)
    for who in ("general", "manager"):
        user = world.people[who]
        assert isinstance(user, User)
        world.rows[f"{who}_export"] = export_rows.ready(user).id
    return made


def _people(world: World) -> access_licence_rows.People:
    general, foreign, reviewer = (world.people[who] for who in ("general", "foreign", "reviewer"))
    assert isinstance(general, User)
    assert isinstance(foreign, User)
    assert isinstance(reviewer, User)
    office, other = (user.memberships[0].organisation for user in (general, foreign))
    return access_licence_rows.People(office, other, general, foreign, reviewer)


def _find_secrets(world: World, licences: access_licence_rows.Made) -> None:
    """What tells of the organisation, its requests and brokers: numbers, names, contacts."""
    office = db.session.get_one(Organisation, world.rows["organisation"])
    names = {office.name_ar, office.name_en}
    requests = db.session.scalars(
        sa.select(Request).where(Request.organisation_id == office.id, Request.licence_id.is_(None))
    ).all()
    of_exam = [req for req in requests if req.service_code == "exam"]
    words = licences.own | licences.told
    for req in of_exam:
        words |= {req.number or "", req.civil_id or "", req.email, req.mobile}
    greetings = {req.number or "" for req in requests if req not in of_exam}
    hidden = {
        "visitor": names | words | greetings,
        "pending": names | words | greetings,
        "ungranted": words | licences.others,
        "additional": greetings | licences.not_granted | licences.others,
        "general": licences.others,
        "foreign": names | words | greetings,
    }
    world.secrets = {
        who: frozenset(word.encode() for word in each - {""}) for who, each in hidden.items()
    }
    world.told = frozenset(word.encode() for word in names | licences.told)


def _make_more_sessions(world: World) -> None:
    for who in ("general", "reviewer", "colleague"):
        with world.app.app_context():
            person = db.session.get_one(User, world.rows[who])
        factories.sign_in(PageClient(world.app), person)
        with world.app.app_context():
            newest = sa.select(sa.func.max(UserSession.id))
            world.rows[f"{who}_session"] = db.session.scalar(
                newest.where(UserSession.user_id == world.rows[who])
            )


def _contents(live: Path, asked: Collection[str] | None = None) -> dict[str, str]:
    """Table → a digest of its rows, without what passes; of all tables or of those asked for."""
    with closing(sqlite3.connect(live)) as connection:
        # What a full-text index holds is in tables of its own; it cannot be read itself.
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
        )
        tables = {name for (name,) in names} - PASSING_TABLES
        chosen = tables if asked is None else tables.intersection(asked)
        return {name: _digest(connection, name) for name in chosen}


def _digest(connection: sqlite3.Connection, table: str) -> str:
    columns = [name for _place, name, *_rest in connection.execute(f'PRAGMA table_info("{table}")')]
    kept = ", ".join(f'"{name}"' for name in columns if name != LAST_SEEN)
    rows = connection.execute(f'SELECT {kept} FROM "{table}"').fetchall()
    return hashlib.sha256("\n".join(sorted(map(repr, rows))).encode()).hexdigest()
