"""Shared by all demo stories: actors, clock, and the steps they take."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any

import sqlalchemy as sa

from clearance.auth.sessions import actor_of
from clearance.core.actor import Actor
from clearance.core.clock import KUWAIT, kuwait_date
from clearance.core.extensions import db
from clearance.demo import pictures
from clearance.demo.people import Cast
from clearance.demo.register import Licences
from clearance.files import quota, storage
from clearance.files.storage import Stored
from clearance.licences import starts
from clearance.models import Document, Licence, Organisation, Request, ServiceVersion
from clearance.requests import attachments, batch, drafts, stages, transitions
from clearance.requests.attachments import Checked
from clearance.requests.field_values import visible
from clearance.services import versions
from clearance.services.decisions import Decision, RemarkInput, Remarks
from clearance.services.extension import About
from clearance.services.flows import Action

_REASONS: dict[str, str] = {
    Action.RETURN: "البيانات لا تطابق الوثائق المرفقة، يرجى تصحيحها.",
    Action.REJECT: "لا تتوفر في مقدم الطلب الشروط المطلوبة للخدمة.",
}
Story = Generator[datetime, None, Any]
"""One thread of events: it names the instant of its next step, and takes it when that has come."""
Telling = Generator[datetime, None, Request]
"""A story of one request, which it returns."""
Taken = tuple[str, str | None, int] | tuple[str, str | None, int, str]
"""The arguments of `Stage.do` besides the request."""


@dataclass
class Stage:
    """The demo's people, their offices' licences, and today."""

    cast: Cast
    licences: Licences
    now: datetime
    people: Iterator[int] = field(default_factory=lambda: count(1))
    _actors: dict[str, Actor] = field(default_factory=dict)
    _files: dict[tuple[int, str, int], Stored] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._actors = {name: actor_of(user) for name, user in self.cast.users.items()}
        # Keep references, so that the session does not reload what every step needs.
        self._held = db.session.scalars(sa.select(ServiceVersion)).all()

    def actor(self, name: str) -> Actor:
        """Return the actor by the part of the address before the @."""
        return self._actors[name]

    def office_of(self, name: str) -> Organisation:
        """Return the organisation that an agent works for."""
        return self.cast.bahr if name == "receiver" else self.cast.nakhla

    def licence(self, name: str, key: str) -> Licence:
        """Return the licence of that agent's office that stories call `key`."""
        return db.session.get_one(Licence, self.licences[self.office_of(name).id, key])

    def at(self, days: int, hour: int = 10) -> datetime:
        """Return `hour` Kuwait time, `days` from today (negative: ago), at the latest now.

        Future days are not capped, e.g. for an exam to come.
        """
        instant = datetime.combine(self.day(days), time(hour), KUWAIT).astimezone(UTC)
        return min(instant, self.now) if days <= 0 else instant

    def day(self, days: int) -> date:
        """Return the Kuwait day `days` from today."""
        return kuwait_date(self.now) + timedelta(days=days)

    def wait(self, days: int, hour: int = 10) -> Generator[datetime, None, datetime]:
        """Let other stories run until then; return that instant."""
        instant = self.at(days, hour)
        yield instant
        return instant

    def draft(
        self,
        code: str,
        name: str,
        days: int,
        values: Mapping[str, Any],
        *,
        choice: int | str | None = None,
        licence: Licence | None = None,
        has_documents: bool = True,
    ) -> Telling:
        """Start and fill in a draft.

        choice: as `drafts.start` takes it. licence: what it is about, whichever office's it is.
        """
        actor, now = self.actor(name), (yield from self.wait(days))
        about = None if licence is None else self._about(code, licence, actor, now)
        req = drafts.start(code, actor, now, choice, about=about)
        if values:
            drafts.save(req, values, actor, now)
        if has_documents:
            self.attach(req, actor, now)
        return req

    def _about(self, code: str, licence: Licence, actor: Actor, now: datetime) -> About:
        organisation_id = actor.standing.organisation_id if actor.standing else 0
        return starts.about(licence, versions.current(code).definition, organisation_id, now)

    def sent(
        self,
        code: str,
        name: str,
        days: int,
        values: Mapping[str, Any],
        *,
        choice: int | str | None = None,
        licence: Licence | None = None,
    ) -> Telling:
        """Send a request that was filled in an hour before."""
        draft = self.draft(code, name, days, values, choice=choice, licence=licence)
        return self.story(draft, (Action.SEND, name, days))

    def story(
        self, opening: Telling, *steps: Taken, remarks: Sequence[RemarkInput] = ()
    ) -> Telling:
        """Open a request and take these steps on it. remarks: with which it is returned."""
        req = yield from opening
        for step in steps:
            yield from self.do(req, *step, remarks=remarks if step[0] == Action.RETURN else ())
        return req

    def attach(self, req: Request, actor: Actor, now: datetime) -> None:
        """Attach the documents that the service requires; an office's files are stored once."""
        for spec in versions.for_request(req).documents:
            if spec.requires(visible(req)):
                self._add(req, spec.kind, actor, now)
        db.session.flush()

    def do(
        self,
        req: Request,
        action: str,
        name: str | None,
        days: int,
        reason: str = "",
        *,
        remarks: Sequence[RemarkInput] = (),
    ) -> Telling:
        """Take a step on `req`; name None: the portal itself, or a broker through his link.

        reason: by default that of _REASONS. What else the step asks is answered as proposed.
        """
        now = yield from self.wait(days, 11 if action == Action.SEND else 12)
        service = versions.for_request(req)
        path = stages.flow_of(req).path(req.status, action, is_taken=req.reviewer_id is not None)
        asked = service.decisions(path[-1]) if path else ()
        proposed = [(model, model.proposed(req, now)) for model in asked]
        given: list[Decision] = [Remarks(remarks=tuple(remarks))]
        given += [model(**values) for model, values in proposed if values]
        transitions.perform(
            req,
            action,
            actor=self.actor(name) if name is not None else None,
            now=now,
            version=req.version,
            reason=reason or _REASONS.get(action, ""),
            data=given,
        )
        return req

    def share(self, requests: Sequence[Request], kind: str, name: str, now: datetime) -> None:
        """Attach one document to several drafts of an agent at once."""
        label, data = pictures.specimen(kind)
        stored = storage.put(data, pictures.MEDIA_TYPE)
        checked = Checked(label, pictures.MEDIA_TYPE, stored.size, stored.sha256, 1, stored.key)
        batch.attach_to_all(requests, checked, kind, "", self.actor(name), now)

    def _add(self, req: Request, kind: str, actor: Actor, now: datetime) -> None:
        face = int(req.civil_id or 0) % pictures.FACES if kind in attachments.PICTURE_KINDS else 0
        label, data = pictures.specimen(kind, face)
        key = (req.organisation_id, kind, face)
        stored = self._files.get(key)
        if stored is None:
            stored = self._files[key] = storage.put(data, pictures.MEDIA_TYPE)
            quota.add_usage(req.organisation_id, stored.size)
        document = Document(
            request_id=req.id,
            kind=kind,
            label=label,
            media_type=pictures.MEDIA_TYPE,
            size=stored.size,
            sha256=stored.sha256,
            storage_key=stored.key,
            uploaded_by_id=actor.id,
            uploaded_at=now,
        )
        storage.follow(document)
        db.session.add(document)
