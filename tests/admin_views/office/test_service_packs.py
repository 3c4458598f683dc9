"""Services as files in the panel: downloaded, uploaded, checked, and made a draft of."""

from __future__ import annotations

import io
from typing import Any

import pytest
import sqlalchemy as sa
import yaml
from flask import Flask

from clearance.accounts import teams as team_members
from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import (
    AccessEvent,
    ChoiceList,
    DocumentKind,
    Event,
    Service,
    ServiceDraft,
    Team,
)
from clearance.models.enums import Role
from clearance.services import drafting
from tests.support import request_factories as requests
from tests.support.office_people import Office
from tests.support.pages import Page, PageClient
from tests.support.permit import PERMIT, permit
from tests.support.rows import count_of

CODE = "temporary_permit"
IMPORT = "/office/services/import/"
NEW = {"into": "new", "code": "second_permit", "prefix": "SP"}
NAMES = {"ar": "وثيقة الشبح", "en": "Ghost paper"}


@pytest.fixture
def published(office: Office) -> Office:
    with office.app.app_context():
        requests.publish(PERMIT)
    return office


@pytest.fixture
def keeper(published: Office) -> PageClient:
    return published.staff(Role.ADMINISTRATOR)


def pack(needs: Any = None, **changes: Any) -> bytes:
    """The file of the permit. changes: at the top of its definition."""
    document = {"definition": permit(**changes), "needs": needs or {}}
    return yaml.safe_dump(document, allow_unicode=True).encode()


def upload(client: PageClient, data: bytes, status: int = 200) -> Page:
    page = client.get(IMPORT)
    file = (io.BytesIO(data), "service.yaml")
    return client.submit(page, {"pack": file}, form="#pack-file", status=status)


def take(client: PageClient, page: Page, status: int = 200, **values: Any) -> Page:
    """Send the questions about an uploaded file."""
    return client.submit(page, values, form="#pack-form", status=status)


def document(app: Flask, code: str = CODE) -> dict[str, Any]:
    with app.app_context():
        return drafting.source(code).document


def begin_draft(office: Office, days: int) -> None:
    with office.app.app_context():
        actor = actor_of(requests.factories.make_staff(Role.ADMINISTRATOR))
        drafting.change(CODE, lambda each: each.update(processing_days=days), 0, actor, utc_now())
        db.session.commit()


@pytest.mark.parametrize("number", [1, 2])
def test_a_version_is_downloaded_as_the_command_prints_it(
    published: Office, keeper: PageClient, number: int
) -> None:
    with published.app.app_context():
        requests.publish(PERMIT, processing_days=9)
    url = keeper.get(f"/office/services/{CODE}/versions/{number}/").link("Download")
    answer = keeper.get(url).response
    command = ["services", "export", CODE, "--version", str(number)]
    printed = published.app.test_cli_runner().invoke(args=command)
    assert answer.get_data() == printed.output.encode()
    named = answer.headers["Content-Disposition"]
    assert named.startswith(f'attachment; filename="{CODE}-{number}.yaml"')
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")


def test_a_draft_is_downloaded_as_the_command_prints_it(
    published: Office, keeper: PageClient
) -> None:
    begin_draft(published, 7)
    url = keeper.get(f"/office/services/{CODE}/draft/basics/").link("Download")
    command = ["services", "export", CODE, "--draft"]
    printed = published.app.test_cli_runner().invoke(args=command)
    assert keeper.get(url).response.get_data() == printed.output.encode()
    assert "processing_days: 7" in printed.output


@pytest.mark.parametrize("query", ["?version=3", "?version=x", "?version=0", "?draft=1"])
def test_a_file_of_what_is_not_there_is_not_found(keeper: PageClient, query: str) -> None:
    keeper.get(f"/office/services/{CODE}/pack{query}", status=404)
    keeper.get("/office/services/ghost/pack", status=404)


def test_managers_download_but_do_not_import(published: Office) -> None:
    manager = published.staff(Role.MANAGER)
    manager.get(f"/office/services/{CODE}/pack")
    assert "Import a service" not in manager.get("/office/services/").text
    manager.get(IMPORT, status=404)
    manager.post(IMPORT, {"text": PERMIT, "version": "0"}, status=404)


def test_a_file_becomes_a_new_service(office: Office) -> None:
    keeper = office.staff(Role.ADMINISTRATOR)
    page = upload(keeper, pack())
    assert "Temporary permit" in page.text and "Nothing is wrong." in page.text
    page = take(keeper, page)
    assert page.url == f"/office/services/{CODE}/draft/checkup/"
    assert "Nothing is published yet." in page.text
    with office.app.app_context():
        assert (count_of(Service), count_of(ServiceDraft)) == (0, 1)
        assert "office:service_draft:imported" in set(db.session.scalars(sa.select(Event.kind)))
        kept = sa.select(AccessEvent.result, AccessEvent.object_id)
        seen = db.session.execute(kept.where(AccessEvent.kind == "service:pack:read")).all()
        assert [tuple(row) for row in seen] == [("ok", CODE)]


def test_a_file_with_faults_becomes_a_draft_and_tells_them(office: Office) -> None:
    keeper = office.staff(Role.ADMINISTRATOR)
    page = upload(keeper, pack(processing_days=0, title={"ar": "تصريح"}))
    assert "2 faults prevent publishing." in page.text
    assert "This number is too small." in take(keeper, page).text


def test_a_file_of_a_service_that_is_there_becomes_its_draft(
    published: Office, keeper: PageClient
) -> None:
    page = upload(keeper, pack(processing_days=9, code="TEMPORARY_permit", prefix="XY"))
    assert "There is a service with this code." in page.text
    assert "Compared with the version in use." in page.text
    assert "Working days to respond" in page.text
    take(keeper, page)
    found = document(published.app)
    assert (found["processing_days"], found["prefix"]) == (9, "TP")


def test_a_draft_is_replaced_only_when_it_is_said_and_undo_brings_it_back(
    published: Office, keeper: PageClient
) -> None:
    begin_draft(published, 7)
    page = upload(keeper, pack(processing_days=9))
    assert "Compared with the existing draft." in page.text
    page = take(keeper, page, status=400)
    assert "This is needed." in page.error_of("replace")
    assert document(published.app)["processing_days"] == 7
    take(keeper, page, replace="y")
    assert document(published.app)["processing_days"] == 9
    page = keeper.get(f"/office/services/{CODE}/draft/basics/")
    keeper.submit(page, form="form[action$='/undo']")
    assert document(published.app)["processing_days"] == 7


def test_a_draft_begun_meanwhile_is_not_replaced_unseen(
    published: Office, keeper: PageClient
) -> None:
    page = upload(keeper, pack(processing_days=9))
    begin_draft(published, 7)
    page = take(keeper, page, status=400)
    page = take(keeper, page, replace="y", version="0", status=409)
    assert "changed this draft in the meantime" in page.text
    assert document(published.app)["processing_days"] == 7
    take(keeper, page, replace="y")
    assert document(published.app)["processing_days"] == 9


def test_the_same_file_twice_changes_nothing(published: Office, keeper: PageClient) -> None:
    page = upload(keeper, pack())
    assert "The service already says all of this. Nothing changes." in page.text
    assert "Nothing was changed." in take(keeper, page).text
    begin_draft(published, 7)
    same = upload(keeper, pack(processing_days=7))
    assert same.soup.select_one("[name=replace]") is None
    assert "Nothing was changed." in take(keeper, same).text
    keeper.submit(
        keeper.get(f"/office/services/{CODE}/draft/basics/"), form="form[action$='/discard']"
    )
    with published.app.app_context():
        assert count_of(ServiceDraft) == 0


def test_a_file_becomes_a_new_service_beside_the_one_that_is_there(
    published: Office, keeper: PageClient
) -> None:
    page = upload(keeper, pack(processing_days=9))
    for wrong, field in (
        ({"code": ""}, "code"),
        ({"prefix": ""}, "prefix"),
        ({"code": "X"}, "code"),
    ):
        assert take(keeper, page, **{**NEW, **wrong}, status=400).error_of(field)
    for taken, words in (
        ({"code": CODE}, "Another service has this code."),
        ({"prefix": "TP"}, "Another service has this number prefix."),
    ):
        assert words in take(keeper, page, **{**NEW, **taken}, status=409).text
    take(keeper, page, **NEW)
    found = document(published.app, "second_permit")
    assert (found["code"], found["prefix"]) == ("second_permit", "SP")
    assert document(published.app)["processing_days"] == 3


def test_missing_reference_data_is_made_replaced_or_left(office: Office) -> None:
    keeper, reviewer = office.staff(Role.ADMINISTRATOR), office.person("Omar", Role.REVIEWER)
    kinds = [{"kind": kind} for kind in ("ghost", "phantom", "spectre")]
    stages = [{"name": "check", "title": NAMES, "team": "port_team"}]
    items = [{"value": "doha", "label": {"ar": "الدوحة", "en": "Doha"}}]
    needs = {
        "documents": {"ghost": NAMES},
        "lists": {"ports": {"ar": "الموانئ", "en": "Ports", "items": items}},
        "teams": {"port_team": {"ar": "فريق", "en": "Port"}},
    }
    definition = permit(documents=kinds, stages=stages)
    del definition["flow"]
    definition["fields"].append(
        {"name": "berth", "type": "choice", "label": {"ar": "م", "en": "Berth"}, "list": "ports"}
    )
    file = {"definition": definition, "needs": needs}
    page = upload(keeper, yaml.safe_dump(file, allow_unicode=True).encode())
    offered = page.soup.select_one("[name=documents_phantom]").get_text(" ")
    assert "Document type “Ghost paper”" in page.text
    assert "Add it" not in offered  # nobody says what it is called
    page = take(keeper, page, documents_ghost="nothing", status=400)
    assert page.error_of("documents_ghost")
    page = take(
        keeper,
        page,
        documents_ghost="+",
        documents_phantom="other",
        lists_ports="+",
        teams_port_team="+",
    )
    assert "spectre" in page.text and "ghost" not in page.text
    found = document(office.app)
    assert [each["kind"] for each in found["documents"]] == ["ghost", "other", "spectre"]
    with office.app.app_context():
        made = db.session.get_one(DocumentKind, "ghost")
        assert (made.name_ar, made.name_en, made.is_active) == ("وثيقة الشبح", "Ghost paper", True)
        assert db.session.get_one(Team, "port_team").name_en == "Port"
        assert db.session.get_one(ChoiceList, "ports").items == items
        assert team_members.member_ids("review") == {reviewer}  # as with any second team
        kinds_of_events = set(db.session.scalars(sa.select(Event.kind)))
        assert {"reference:document_kind:created", "reference:team:created"} <= kinds_of_events


def test_questions_keep_their_answers_in_the_other_language(
    published: Office, keeper: PageClient
) -> None:
    page = upload(keeper, pack(processing_days=9))
    page = take(keeper, page, **NEW, _language="ar")
    assert page.soup.html["lang"] == "ar"
    assert page.soup.select_one("[name=code]")["value"] == "second_permit"
    with published.app.app_context():
        assert count_of(ServiceDraft) == 0


@pytest.mark.parametrize(
    "broken",
    [
        {
            "title": {},
            "fields": [{}, {"name": "A B"}, {"name": "a", "type": "colour"}],
            "guards": {},
        },
        {"stages": [{"when": {"all": []}}], "issued": [{"paragraphs": [{}]}], "refuse": [{}]},
        {"schema": 99, "processing_days": "many", "opens_on": "never", "ghost": [{"a": [1]}]},
    ],
)
def test_a_file_with_anything_in_it_becomes_a_draft_that_opens(
    office: Office, broken: dict[str, Any]
) -> None:
    keeper = office.staff(Role.ADMINISTRATOR)
    text = yaml.safe_dump({"definition": {"code": CODE, "schema": 2, **broken}}).encode()
    for values in ({"code": CODE, "prefix": "TP"}, {}):  # then as the draft that there is
        take(keeper, upload(keeper, text), **values)
    for part in ("basics", "form", "review", "checkup", "texts"):
        keeper.get(f"/office/services/{CODE}/draft/{part}/")
    keeper.get(f"/office/services/{CODE}/pack?draft=1")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "This file does not contain a service."),
        (b"[1]", "This file does not contain a service."),
        (b"a: 1\na: 2", "Line 2: “a” is given twice."),
        (b"a: !!python/name:os.system", "Line 1: This tag"),
        (b"a: .nan", "Line 1: This is not a number, or it is too large."),
        (b"\x00\xff", "Line 1: Save the file as UTF-8."),
        (b"x" * (1024 * 1024 + 1), "The file is too large."),
        (pack(fields=[3]), "“definition.fields[0]” is missing or not valid."),
    ],
)
def test_a_file_that_is_no_pack_is_refused_at_its_field(
    office: Office, data: bytes, words: str
) -> None:
    keeper = office.staff(Role.ADMINISTRATOR)
    assert words in upload(keeper, data, status=400).error_of("pack")
    with office.app.app_context():
        kept = sa.select(AccessEvent.result).where(AccessEvent.kind == "service:pack:read")
        assert db.session.scalars(kept).all() == ["refused"]


def test_no_file_at_all_is_refused(office: Office) -> None:
    keeper = office.staff(Role.ADMINISTRATOR)
    page = keeper.submit(keeper.get(IMPORT), form="#pack-file", status=400)
    assert "Choose a file first." in page.error_of("pack")


def test_what_the_page_carries_is_checked_again(published: Office, keeper: PageClient) -> None:
    page = upload(keeper, pack(processing_days=9))
    assert (
        "This file does not contain a service." in take(keeper, page, text="[1]", status=400).text
    )
    take(keeper, page, text=pack(processing_days=8).decode(), version="x", status=400)


def test_a_large_file_is_carried_whole(office: Office) -> None:
    keeper = office.staff(Role.ADMINISTRATOR)
    choices = [
        {"value": f"c{number}", "label": {"ar": "خيار " * 40, "en": "choice " * 20}}
        for number in range(190)
    ]
    fields = [
        {"name": f"f{number}", "type": "choice", "label": NAMES, "choices": choices}
        for number in range(6)
    ]
    text = yaml.dump({"definition": permit(fields=fields)}, allow_unicode=True, Dumper=_Plain)
    assert 900_000 > len(text.encode()) > 500_000
    take(keeper, upload(keeper, text.encode()))
    assert len(document(office.app)["fields"][5]["choices"]) == 190


class _Plain(yaml.SafeDumper):
    """Writes what is repeated in full."""

    def ignore_aliases(self, data: Any) -> bool:
        return True
