"""Services made and changed in the panel: parts, lists, check-up, preview, publishing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from admin_views.office.services import drafts
from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import ServiceDraft
from clearance.services import drafting, versions
from tests.support import factories
from tests.support import request_factories as requests
from tests.support.pages import Page, PageClient
from tests.support.permit import PERMIT

CODE = "temporary_permit"
PARTS = (
    *("basics", "who", "form", "documents", "review", "issued", "messages"),
    *("checkup", "preview"),
)
STAGE = {"name": "check", "title": {"ar": "التدقيق", "en": "Check"}}
DRAFT = f"/office/services/{CODE}/draft"


def keeper(app: Flask, role: str = "administrator", lang: str = "en") -> PageClient:
    """Sign somebody in at the office."""
    with app.app_context():
        requests.load_services()
        if not db.session.get(ServiceDraft, CODE):
            requests.publish(PERMIT)
        client = PageClient(app, language=lang)
        factories.sign_in(client, factories.make_staff(role))
    return client


def document(app: Flask, code: str = CODE) -> dict[str, Any]:
    with app.app_context():
        return drafting.source(code).document


def names(app: Flask) -> list[str]:
    return [each["name"] for each in document(app)["fields"]]


def change(app: Flask, apply: Callable[[dict[str, Any]], None]) -> None:
    """Begin the draft with a change that no form makes."""
    with app.app_context():
        actor = actor_of(factories.make_staff("administrator"))
        drafting.change(CODE, apply, 0, actor, utc_now())
        db.session.commit()


def save(client: PageClient, page: Page, **values: Any) -> Page:
    return client.submit(page, values, form="#part-form")


@pytest.mark.parametrize("lang", ["ar", "en"])
@pytest.mark.parametrize("part", PARTS)
def test_every_part_of_every_service_opens(app: Flask, part: str, lang: str) -> None:
    client = keeper(app, lang=lang)
    for code in (CODE, "exam", "renewal", "transfer"):
        page = client.get(f"/office/services/{code}/draft/{part}/")
        assert page.h1


def test_a_change_begins_a_draft_and_the_portal_keeps_the_version_in_use(app: Flask) -> None:
    client = keeper(app)
    page = client.get(f"{DRAFT}/basics/")
    page = save(client, page, title_en="Temporary entry permit", processing_days="٧")
    assert "The draft was saved." in page.text
    assert document(app)["title"]["en"] == "Temporary entry permit"
    assert document(app)["processing_days"] == 7
    with app.app_context():
        assert versions.current(CODE).definition.title.en == "Temporary permit"


def test_a_manager_reads_and_changes_nothing(app: Flask) -> None:
    client = keeper(app, "manager")
    page = client.get(f"{DRAFT}/form/fields/port/")
    assert not page.soup.select("main form button:not(.visually-hidden)")
    client.post(f"{DRAFT}/basics/", {"version": "0", "title_en": "x"}, status=404)
    client.get("/office/services/new/", status=404)
    with app.app_context():
        assert drafting.source(CODE).draft is None


def test_a_field_is_changed_with_its_choices_and_its_condition(app: Flask) -> None:
    client = keeper(app)
    page = client.get(f"{DRAFT}/form/fields/other_port/")
    assert "“Port” is “Other”" in page.text
    typed = {"when_field": "port", "when_op": "is_not", "when_value": "Shuwaikh"}
    more = {"when_field_2": "visitors", "when_op_2": "at_least", "when_value_2": "١٠"}
    # "visitors" comes later in the form, so it is not offered here.
    page = client.submit(page, typed | more, form="#part-form", status=400)
    page = client.submit(page, typed | dict.fromkeys(more), form="#part-form")
    assert "“Port” is not “Shuwaikh”" in page.text
    fields = {each["name"]: each for each in document(app)["fields"]}
    assert fields["other_port"]["when"] == {"field": "port", "is_not": ["shuwaikh"]}
    page = client.get(f"{DRAFT}/form/fields/port/")
    lines = "الشويخ\tShuwaikh\tshuwaikh\nالدوحة\tDoha\nأخرى | Other | other | retired"
    save(client, page, choices=lines)
    fields = {each["name"]: each for each in document(app)["fields"]}
    assert [each["value"] for each in fields["port"]["choices"]] == ["shuwaikh", "doha", "other"]
    assert fields["port"]["choices"][2]["retired"] is True


def test_what_a_form_cannot_show_is_kept(app: Flask) -> None:
    client = keeper(app)
    either = [{"field": "port", "filled": True}, {"field": "purpose", "is": ["crew"]}]
    nested = {"all": [{"any": either}, {"field": "port", "is": ["other"]}]}
    change(app, lambda each: each["fields"][4].update(when=nested))
    page = client.get(f"{DRAFT}/form/fields/other_port/")
    save(client, page, hint_en="As on the map")
    field = document(app)["fields"][4]
    assert (field["when"], field["hint"]) == (nested, {"en": "As on the map"})
    page = client.get(f"{DRAFT}/form/fields/other_port/")
    save(client, page, when_kept=None, when_field="port", when_op="filled")
    assert document(app)["fields"][4]["when"] == {"field": "port", "filled": True}


def test_parts_are_added_moved_doubled_and_removed(app: Flask) -> None:
    client = keeper(app)
    vehicle = {"label_ar": "رقم المركبة", "label_en": "Vehicle number", "type": "text"}
    page = client.submit(client.get(f"{DRAFT}/form/"), vehicle, form="#add-fields")
    assert names(app)[-1] == "vehicle_number" and page.url.endswith("/vehicle_number/")
    nationality = {"standard": "nationality"}
    client.submit(client.get(f"{DRAFT}/form/"), nationality, form="#add-fields")
    assert document(app)["fields"][-1] == {"name": "nationality"}
    act(client, "form", "fields", "nationality", "up")
    assert names(app)[-2:] == ["nationality", "vehicle_number"]
    act(client, "form", "fields", "vehicle_number", "double")
    assert names(app)[-1] == "vehicle_number_2"
    page = client.get(f"{DRAFT}/form/fields/port/remove")
    assert "Fields: Name of the port" in page.text  # what uses it
    client.submit(page, {}, form="main form.form")
    assert "port" not in names(app)
    page = client.get(f"{DRAFT}/checkup/")
    assert "There is no field “port”" in page.text
    client.submit(page, {}, form="form[action$='/draft/undo']")
    assert "port" in names(app)
    client.submit(client.get(f"{DRAFT}/checkup/"), {}, form="form[action$='/draft/redo']")
    assert "port" not in names(app)
    client.submit(client.get(f"{DRAFT}/form/"), {}, form="form[action$='/restore/form']")
    assert "port" in names(app) and "vehicle_number" not in names(app)


def test_nothing_is_added_without_a_name(app: Flask) -> None:
    client = keeper(app)
    page = client.submit(client.get(f"{DRAFT}/form/"), {"label_ar": " "}, form="#add-fields")
    assert "Choose what to add" in page.text
    with app.app_context():
        assert drafting.source(CODE).draft is None


def test_two_administrators_on_one_draft_lose_nothing(app: Flask) -> None:
    one, other = keeper(app), keeper(app)
    seen = other.get(f"{DRAFT}/basics/")
    save(one, one.get(f"{DRAFT}/basics/"), processing_days="9")
    page = other.submit(seen, {"title_en": "Mine"}, form="#part-form", status=409)
    assert "changed this draft in the meantime" in page.text
    assert page.soup.find(attrs={"name": "title_en"})["value"] == "Mine"
    assert document(app)["processing_days"] == 9 and document(app)["title"]["en"] != "Mine"


def test_a_draft_is_published_with_what_changes_in_words(app: Flask) -> None:
    client = keeper(app)
    save(client, client.get(f"{DRAFT}/basics/"), processing_days="9")
    page = client.get(f"{DRAFT}/publish/")
    assert "Working days to respond" in page.text
    refused = client.submit(page, {"why": ""}, form="#publish-form", status=400)
    assert refused.error_of("why")
    page = client.submit(page, {"why": "More visits"}, form="#publish-form")
    assert "The new version is published." in page.text
    with app.app_context():
        assert versions.current(CODE).definition.processing_days == 9
        assert drafting.source(CODE).draft is None
    again = client.get(f"{DRAFT}/publish/")  # nothing to publish
    assert again.url.endswith("/draft/basics/")


def test_a_draft_with_faults_is_not_published_and_each_leads_to_its_page(app: Flask) -> None:
    client = keeper(app)
    save(client, client.get(f"{DRAFT}/form/fields/port/"), label_ar="", label_en="")
    page = client.get(f"{DRAFT}/checkup/")
    links = [each["href"] for each in page.soup.select(".tasks a")]
    assert f"{DRAFT}/form/fields/port/" in links
    page = client.get(f"{DRAFT}/publish/")
    assert not page.soup.select("#publish-form")
    client.post(f"{DRAFT}/publish/", {"version": "1", "why": "so"}, status=400)
    with app.app_context():
        port = versions.current(CODE).definition.field("port")
        assert port is not None and port.title("en") == "Port"


def test_a_new_service_is_begun_and_published(app: Flask) -> None:
    client = keeper(app)
    title = {"title_ar": "طلب تصريح زيارة", "title_en": "Visit permit"}
    typed = title | {"code": "visit", "prefix": "vp"}
    page = client.submit(client.get("/office/services/new/"), typed, form="#new-service")
    assert "Nobody sees it until it is published." in page.text
    assert "Visit permit" in client.get("/office/services/").text
    page = client.get("/office/services/new/")
    page = client.submit(page, typed, form="#new-service", status=409)
    assert "Another service has this code." in page.text
    with app.app_context():
        factories.make_staff()  # who decides on requests
    page = client.get("/office/services/visit/draft/publish/")
    client.submit(page, {"why": "First version"}, form="#publish-form")
    with app.app_context():
        assert versions.current("visit").definition.prefix == "VP"


def test_a_new_service_that_is_discarded_is_gone(app: Flask) -> None:
    client = keeper(app)
    title = {"title_ar": "طلب تصريح زيارة", "title_en": "Visit permit"}
    typed = title | {"code": "visit", "prefix": "VP", "copy_of": CODE}
    page = client.submit(client.get("/office/services/new/"), typed, form="#new-service")
    assert document(app, "visit")["fields"] == document(app)["fields"]
    client.submit(page, {}, form="form[action$='/draft/discard']")
    client.get("/office/services/visit/draft/basics/", status=404)


def test_the_preview_shows_the_form_in_either_language(app: Flask) -> None:
    client = keeper(app)
    page = client.get(f"{DRAFT}/preview/?lang=ar&width=390")
    shown = page.soup.select_one(".draft-preview")
    assert shown["dir"] == "rtl"
    assert "الميناء" in shown.get_text() and "الوثائق المطلوبة" in shown.get_text()
    assert shown.select_one("[data-conditions]") and not shown.select("button[name=submit]")
    client.get(f"{DRAFT}/preview/?lang=fr", status=404)


def test_stages_have_fields_of_the_office(app: Flask) -> None:
    client = keeper(app)
    change(app, lambda each: (each.pop("flow"), each.update(stages=[STAGE])))
    path = "review/stages/check"
    visit = {"label_ar": "تاريخ الزيارة", "label_en": "Visited on", "type": "date"}
    page = client.submit(client.get(f"{DRAFT}/{path}/"), visit, form="#add-stages-check-fields")
    assert page.url.endswith("/review/stages.check.fields/visited_on/")
    page = save(client, page, required="y")
    (stage,) = document(app)["stages"]
    label = {"ar": "تاريخ الزيارة", "en": "Visited on"}
    field = {"name": "visited_on", "type": "date", "label": label, "required": True}
    assert stage["fields"] == [field]
    client.get(f"{DRAFT}/review/stages.ghost.fields/visited_on/", status=404)


def test_only_checks_and_effects_that_fit_the_service_are_offered(app: Flask) -> None:
    client = keeper(app)
    offered = {
        each["value"] for each in client.get(f"{DRAFT}/review/").soup.select("[type=checkbox]")
    }
    assert "exam_attempts_left" in offered and "licence_is_active" not in offered
    assert "renew_licence" not in offered and "issue_statements" not in offered
    page = client.get("/office/services/renewal/draft/review/")
    offered = {each["value"] for each in page.soup.select("[type=checkbox]")}
    assert {"licence_is_active", "renew_licence"} <= offered


def test_broken_drafts_open_on_every_page(app: Flask) -> None:
    client = keeper(app)
    field = {"name": "a", "type": "colour", "choices": "x", "when": [1]}
    broken = {
        "title": 3,
        "fields": [field, {"name": "a"}, {}],
        "documents": [{"kind": "ghost", "when": {"all": []}}],
        "stages": [{"name": "s", "team": 4}],
        "issued": [{"name": "i", "paragraphs": "x", "valid": 3}],
        "guards": [],
        "opens_on": "never",
        "refuse": [{}],
        "messages": 3,
        "processing_days": "many",
    }
    change(app, lambda each: each.update(broken))
    for part in (*PARTS, "publish"):
        client.get(f"{DRAFT}/{part}/")
    fields = ("form/fields/a", "form/fields/3", "form/refuse/1", "documents/documents/ghost")
    for path in (*fields, "review/stages/s", "issued/issued/i"):
        client.get(f"{DRAFT}/{path}/")


def act(client: PageClient, part: str, path: str, key: str, action: str) -> Page:
    """Press the button that moves or doubles a part."""
    page = client.get(f"{DRAFT}/{part}/")
    for form in page.soup.select(f"form[action$='/{path}/{key}/act']"):
        if form.select_one(f"[name=action][value={action}]"):
            data = {each["name"]: each["value"] for each in form.select("input[name]")}
            return client.post(form["action"], data)
    raise AssertionError(f"no button to {action} {key}")


def test_a_draft_that_goes_while_its_page_is_made_is_a_sentence(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = keeper(app)
    save(client, client.get(f"{DRAFT}/basics/"), processing_days="9")
    page = client.get(f"{DRAFT}/publish/")

    def gone(_code: str) -> tuple[int, int]:
        db.session.execute(sa.delete(ServiceDraft).execution_options(synchronize_session=False))
        db.session.commit()
        return 0, 0

    monkeypatch.setattr(drafts, "_counts", gone)
    typed = {"why": "so", "version": "7"}
    page = client.submit(page, typed, form="#publish-form", status=409)
    assert "changed this draft in the meantime" in page.text
