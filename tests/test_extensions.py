"""A small team's extensions: refused at the start in one line, and absent in another process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from flask import Flask
from flask_babel import lazy_gettext as _l

from app import create_app
from clearance.core import audit
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.office_setting_types import number
from clearance.core.settings import one_line_for_bad_settings
from clearance.licences import effects, guards
from clearance.models import Request
from clearance.models.enums import Role, Status
from clearance.requests import deadlines, transitions
from clearance.requests.starts import BROKER_TYPE
from clearance.services.extension import Job, Known, ToAnswer, Trail, Waiting
from clearance.services.flows import STANDARD, StepName
from clearance.transfers import extension as transfers
from clearance.transfers import operations as transfer_operations
from tests.support import extension_modules, factories, request_factories, transfer_factories
from tests.support.office_people import Office

A_GUARD = guards.licence_is_active
A_JOB = Job(transfer_operations.lapse_unanswered, seconds=60)
A_WAIT = Waiting(Status.UNDER_REVIEW, "Come along", "All to come", sa.literal(date(2030, 5, 4)))
AN_EFFECT = effects.renew_licence
A_SETTING = number("own_days", "requests", 5, "Days of our own")
OWN_FLOW = replace(STANDARD, name="own")


class OwnAction(StepName):
    """A step of the standard flow's code, with other words."""

    SEND = "send", "Hand in", "The request was handed in"


def plain_function(case: Any) -> None:
    """A check that was not decorated."""


OTHER_STEPS = tuple(
    replace(step, action=OwnAction.SEND) if step.action == "send" else step
    for step in STANDARD.steps
)
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"name": "licences"}, "Registered twice (extension): licences."),
    ({"guards": (A_GUARD,)}, f"Registered twice (guards): {A_GUARD.name}."),
    ({"effects": (AN_EFFECT,)}, f"Registered twice (effects): {AN_EFFECT.name}."),
    ({"flows": (STANDARD,)}, "Registered twice (flows): standard."),
    ({"starts": (BROKER_TYPE,)}, "Registered twice (starts): broker_type."),
    ({"guards": (plain_function,)}, "own: plain_function in guards is no Guard."),
    ({"effects": (plain_function,)}, "own: plain_function in effects is no Effect."),
    (
        {"flows": (replace(OWN_FLOW, steps=OTHER_STEPS),)},
        "Two flows define the action send differently.",
    ),
    ({"jobs": (A_JOB, A_JOB)}, f"Registered twice (jobs): {A_JOB.name}."),
    ({"waiting": (A_WAIT, A_WAIT)}, f"Registered twice (waiting): {A_WAIT.status}."),
    ({"settings": (A_SETTING, A_SETTING)}, "Registered twice (settings): own_days."),
    ({"settings": (replace(A_SETTING, key="exam_attempts"),)}, "twice (settings): exam_attempts."),
    ({"settings": (replace(A_SETTING, key="support_fax"),)}, "twice (settings): support_fax."),
    (
        {"settings": (replace(A_SETTING, group="own"),)},
        "The setting own_days is in no known group: own.",
    ),
    ({"settings": (replace(A_SETTING, default=0),)}, "The setting own_days cannot be 0."),
    ({"setting_groups": {"exam": "Exams"}}, "Registered twice (setting groups): exam."),
    ({"demo": "tests.support.pages:nothing"}, "own names tests.support.pages:nothing, which is"),
    ({"views": "admin_views.office.exams.views:add_views"}, "own: The name 'office_exams' is"),
    ({"core": ">=99"}, "own is made for >=99; this is version "),
    ({"core": "99 or so"}, "own: core '99 or so' is no version."),
    ({"views": "tests.support.pages:open_nothing"}, "own names tests.support.pages:open_nothing"),
    ({"views": "tests.support.pages"}, "own names tests.support.pages, which is not there."),
    ({"commands": "tests.nowhere:add"}, "names tests.nowhere, which cannot be imported: No module"),
    ({"notices": Path("/nowhere")}, "/nowhere holds no message texts."),
    ({"translations": Path("/nowhere")}, "/nowhere holds no translations."),
    ({"trail": Trail({"exam:results:recorded": "x"})}, "twice (trail events): exam:results:record"),
]


def start(capsys: pytest.CaptureFixture[str], *names: str) -> str:
    """The one line with which the start is refused."""
    with pytest.raises(SystemExit) as ended, one_line_for_bad_settings():
        create_app(testing=True, extensions=names)
    assert ended.value.code == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("Clearance does not start: ")
    return line


@pytest.mark.parametrize(("parts", "why"), REFUSED)
def test_an_extension_that_cannot_join_stops_the_start(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    parts: dict[str, Any],
    why: str,
) -> None:
    extension_modules.put(monkeypatch, "own", **parts)
    assert why in start(capsys, "own")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "EXTENSIONS names own_module, which cannot be imported: No module named"),
        ("1 +", "EXTENSIONS names own_module, which cannot be imported: invalid syntax"),
        ("raise ValueError('one\\ntwo')", "which cannot be imported: one two."),
        ("EXTENSION = 'own'", "EXTENSIONS names own_module, which has no EXTENSION."),
        ("def init_app(app): ...", "EXTENSIONS names own_module, which has no EXTENSION."),
    ],
)
def test_a_module_without_an_extension_stops_the_start(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    text: str | None,
    why: str,
) -> None:
    if text is not None:
        (tmp_path / "own_module.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert why in start(capsys, "own_module")


def test_a_module_named_twice_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    extension_modules.put(monkeypatch, "own")
    assert "Registered twice (extension): own." in start(capsys, "own", "own")


def to_answer(actor: Actor, lang: str, now: datetime) -> list[ToAnswer]:
    return [ToAnswer("A call to answer", "/my/", "X/1/30", "Badr", f"Office in {lang}", None)]


def known_of(civil_id: str) -> list[Known]:
    return [Known("/office/", datetime(2030, 5, 3, 9, 0, tzinfo=UTC), Status.APPROVED)]


@pytest.mark.parametrize("is_there", [True, False])
def test_extension_says_what_waits_for_the_agent_and_what_is_known_of_a_person(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    extension_modules.put(
        monkeypatch,
        "own",
        waiting=(A_WAIT,),
        to_answer=(to_answer,),
        known=(("Inspections", known_of),),
    )
    office = Office(make_app(extensions=("own",) if is_there else ()))
    request_id = office.request(Status.UNDER_REVIEW, reviewer=office.person("me"))
    now = office.browser(office.agent()).get("/my/").soup.select_one("#now")
    assert now is not None
    needed = now.get_text(" ")
    for text in ("Come along", "04/05/2030", "A call to answer", "Office in en"):
        assert (text in needed) is is_there
    details = office.browser(office.person("me")).get(f"/office/requests/{request_id}/")
    assert ("Inspections" in details.text) is is_there
    assert ("03/05/2030" in details.text) is is_there


def test_extension_brings_words_for_the_trail_and_their_translation(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    catalogue = Catalog(locale="ar")
    catalogue.add("The site was inspected", "تم تفتيش الموقع")
    folder = tmp_path / "ar" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "messages.mo").open("wb") as file:
        write_mo(file, catalogue)
    trail = Trail({"site:inspected": _l("The site was inspected")}, tables={"site": "Site"})
    extension_modules.put(monkeypatch, "own", trail=trail, translations=tmp_path)
    office = Office(make_app(extensions=("own",)))
    with office.app.app_context():
        row = {"kind": "site:inspected", "object_type": "site", "object_id": "7"}
        audit.record_many([row | {"at": utc_now()}])
        db.session.commit()
    for lang, words in (("ar", "تم تفتيش الموقع"), ("en", "The site was inspected")):
        page = office.staff(Role.MANAGER, lang).get("/office/audit/")
        assert words in page.soup.select_one("tbody").get_text(" ")
        assert "Site 7" in page.text
    without = Office(make_app())
    page = without.staff(Role.MANAGER, "ar").get("/office/audit/")
    assert "site:inspected" in page.text  # the event stays, by its code


def test_jobs_leave_requests_of_an_unknown_flow_alone_and_log_it(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The web process has the extension, the process with the jobs has not."""
    extension_modules.put(monkeypatch, "own", flows=(OWN_FLOW,))
    then = utc_now() - timedelta(days=300)
    with make_app(extensions=("own",)).app_context():
        request_factories.load_services(then)
        fields = [{"name": "number", "mode": "shown"}, {"name": "name_ar_1", "required": True}]
        request_factories.publish(request_factories.TRIVIAL, flow="own", fields=fields)
        agent, reviewer = factories.make_agent(), factories.make_staff()
        made = {
            (code, status): request_factories.make_request(
                agent, status, code=code, reviewer=reviewer, now=then
            ).id
            for code in ("greeting", "exam")
            for status in (Status.RETURNED, Status.UNDER_REVIEW)
        }
    with make_app().app_context(), structlog.testing.capture_logs() as logs:
        assert transitions.lapse_returned(utc_now()) == 1
        assert deadlines.tell_late(utc_now()) == 1
        db.session.commit()
        left = {key: db.session.get_one(Request, made[key]) for key in made}
        assert left["greeting", Status.RETURNED].status == Status.RETURNED
        assert left["exam", Status.RETURNED].status == Status.LAPSED
        assert left["greeting", Status.UNDER_REVIEW].late_told_for is None
    assert [line["services"] for line in logs if "services" in line] == [["greeting"]] * 2


def test_transfers_of_an_unknown_flow_do_not_lapse_unanswered(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    then = utc_now() - timedelta(days=300)
    with make_app().app_context():
        made = transfer_factories.make_sent(transfer_factories.make_offices(), now=then).id
    # The job and its setting are there, the flow is not.
    extension_modules.put(monkeypatch, "own", settings=transfers.EXTENSION.settings)
    with make_app(built_in=("licences", "exams"), extensions=("own",)).app_context():
        assert transfer_operations.lapse_unanswered(utc_now()) == 0
    with make_app().app_context():
        assert transfer_operations.lapse_unanswered(utc_now()) == 1
        assert db.session.get_one(Request, made).status == Status.LAPSED
