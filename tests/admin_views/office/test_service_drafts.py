"""Services made and changed in the panel: parts, lists, check-up, preview, publishing."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import Flask

from admin_views.office.services import publishing
from clearance.auth.sessions import actor_of
from clearance.core.clock import kuwait_today, utc_now
from clearance.core.extensions import db
from clearance.core.i18n import format_day
from clearance.models import Service, ServiceDraft
from clearance.requests import drafts as request_drafts
from clearance.requests import moving
from clearance.services import drafting, offering, versions
from tests.support import factories
from tests.support import request_factories as requests
from tests.support.pages import Page, PageClient, form_data
from tests.support.permit import PERMIT, begin, permit, with_items

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


def test_a_new_field_takes_over_the_answers_of_one_that_was_removed(app: Flask) -> None:
    client = keeper(app)
    page = client.get(f"{DRAFT}/form/fields/purpose/")
    assert page.soup.select("[name=was]") == []  # nothing was removed
    change(app, lambda each: each["fields"].pop(4))
    page = client.get(f"{DRAFT}/form/fields/purpose/")
    offered = [each["value"] for each in page.soup.select("[name=was] option")]
    assert offered == ["", "other_port"]
    save(client, page, was="other_port")
    assert {each["name"]: each.get("was") for each in document(app)["fields"]}["purpose"] == (
        "other_port"
    )
    page = client.get(f"{DRAFT}/form/fields/name_ar_1/")
    assert page.soup.select("[name=was]") == []  # a standard field is the register's


def test_parts_are_added_moved_doubled_and_removed(app: Flask) -> None:
    client = keeper(app)
    vehicle = {"label_ar": "رقم المركبة", "label_en": "Vehicle number", "type": "text"}
    page = client.submit(client.get(f"{DRAFT}/form/"), vehicle, form="#add-fields")
    assert names(app)[-1] == "vehicle_number" and page.url.endswith("/vehicle_number/")
    assert document(app)["fields"][-1]["section"] == "cargo"  # the last one, unless one chooses
    nationality = {"standard": "nationality"}
    client.submit(client.get(f"{DRAFT}/form/"), nationality, form="#add-fields")
    assert document(app)["fields"][-1] == {"name": "nationality"}
    page = act(client, "form", "fields", "nationality", "up")
    assert "“Nationality” is number 1.2 now." in page.text  # of its section
    assert names(app)[1:3] == ["nationality", "name_en_1"]
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
    rows = [row.get_text(" ", strip=True) for row in page.soup.select("#differences tbody tr")]
    assert rows == [
        "Title طلب تصريح مؤقت · Temporary permit طلب تصريح مؤقت · Mine",
        "Working days to respond 9 3",
    ]
    assert page.soup.find(attrs={"name": "title_en"})["value"] == "Mine"
    assert document(app)["processing_days"] == 9 and document(app)["title"]["en"] != "Mine"
    save(other, page)  # who has seen both decides
    assert document(app)["processing_days"] == 3 and document(app)["title"]["en"] == "Mine"


def test_two_administrators_on_different_parts_do_not_disturb_each_other(app: Flask) -> None:
    one, other = keeper(app), keeper(app)
    seen = other.get(f"{DRAFT}/form/fields/port/")
    save(one, one.get(f"{DRAFT}/basics/"), processing_days="9")
    save(other, seen, label_en="Harbour")
    assert document(app)["processing_days"] == 9
    assert "Harbour" in str(document(app)["fields"])
    seen = other.get(f"{DRAFT}/form/fields/port/")
    other.submit(other.get(f"{DRAFT}/basics/"), {}, form="form[action$='/draft/discard']")
    page = save_refused(other, seen, label_en="Quay")
    assert "changed this draft in the meantime" in page.text
    with app.app_context():
        assert drafting.source(CODE).draft is None


def post_typed(client: PageClient, page: Page, **typed: str) -> Any:
    """Post a form of properties as its script does."""
    data = form_data(page.form("#part-form")) | typed
    return client.http.post(page.url, data=data, headers={"Accept": "application/json"})


def test_what_is_typed_is_saved_and_undone_together(app: Flask) -> None:
    client = keeper(app)
    page = client.get(f"{DRAFT}/form/fields/port/")
    answer = post_typed(client, page, label_en="Harb").json
    kept = answer["versions"] | {"version": answer["version"]}
    assert "Last saved on" in answer["saved_at_label"]
    assert (
        "/draft/undo" in answer["parts"]["draft-tools"]
        and "Draft" in answer["parts"]["draft-state"]
    )
    answer = post_typed(client, page, label_en="Harbour", **kept).json
    kept = answer["versions"] | {"version": answer["version"]}
    with app.app_context():
        assert drafting.steps_left(drafting.source(CODE).draft) == (1, 0)
    typed = {"label_en": "Harbour", "when_field": "purpose", "when_op": "filled"}
    answer = post_typed(client, page, **typed, **kept).json
    assert answer["parts"]["draft-sentence"] == "“Purpose” is filled in"
    kept = answer["versions"] | {"version": answer["version"], "step": "9" * 5000 + ":"}
    assert post_typed(client, page, **typed, **kept).status_code == 200
    with app.app_context():
        assert drafting.steps_left(drafting.source(CODE).draft) == (2, 0)
    client.submit(client.get(f"{DRAFT}/form/"), {}, form="form[action$='/draft/undo']")
    port = next(each for each in document(app)["fields"] if each["name"] == "port")
    assert port["label"]["en"] == "Harbour" and "when" not in port


def test_what_is_typed_wrong_waits_and_the_rest_is_saved(app: Flask) -> None:
    client = keeper(app)
    page = client.get(f"{DRAFT}/basics/")
    answer = post_typed(client, page, processing_days="soon", title_en="Entry permit")
    assert answer.json["saved_at_label"] == "Not saved yet: Working days to respond"
    assert document(app)["title"]["en"] == "Entry permit"
    assert document(app)["processing_days"] == 3


def test_a_script_is_told_of_a_conflict_and_of_a_part_that_is_gone(app: Flask) -> None:
    one, other = keeper(app), keeper(app)
    seen = other.get(f"{DRAFT}/form/fields/port/")
    save(one, one.get(f"{DRAFT}/form/fields/port/"), label_en="Harbour")
    answer = post_typed(other, seen, label_en="Quay")
    assert answer.status_code == 409 and "Compare both values" in answer.json["error"]
    one.submit(one.get(f"{DRAFT}/form/fields/port/remove"), {}, form="main form.form")
    answer = post_typed(other, seen, label_en="Quay")
    assert answer.status_code == 409 and "removed this part" in answer.json["error"]
    reader = keeper(app, "manager")
    answer = post_typed(reader, reader.get(f"{DRAFT}/basics/"), title_en="Mine")
    assert answer.status_code == 404


def save_refused(client: PageClient, page: Page, **values: Any) -> Page:
    return client.submit(page, values, form="#part-form", status=409)


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
    with app.app_context():
        compared = drafting.source(CODE).fingerprint
    client.post(f"{DRAFT}/publish/", {"compared": compared, "why": "so"}, status=400)
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
    frame = BeautifulSoup(page.soup.select_one("iframe")["srcdoc"], "html.parser")
    assert frame.html is not None and frame.html["dir"] == "rtl"
    assert "الميناء" in frame.get_text() and "الوثائق المطلوبة" in frame.get_text()
    assert frame.select_one("[data-conditions]") and not frame.select("button[name=submit]")
    alone = client.http.get(f"{DRAFT}/preview/form?lang=en").text
    assert "Name of the port" in alone and "<html" not in alone
    client.get(f"{DRAFT}/preview/form?lang=fr", status=404)
    beside = client.get(f"{DRAFT}/form/fields/port/?lang=ar&width=full")
    assert "الميناء" in beside.soup.select_one("iframe")["srcdoc"]
    client.get(f"{DRAFT}/preview/?lang=fr", status=404)


def test_a_part_is_moved_to_a_place_of_the_list(app: Flask) -> None:
    client = keeper(app)
    page = client.get(f"{DRAFT}/form/fields/visitors/")
    page = client.submit(page, {"place": "purpose"}, form="#move-form")
    assert names(app)[2:4] == ["purpose", "visitors"]
    assert page.soup.select("li#fields-visitors[tabindex='-1']")
    page = client.get(f"{DRAFT}/form/fields/visitors/")
    page = client.submit(page, {"place": ":cargo"}, form="#move-form")
    assert "“Number of visitors” is number 3.1 now." in page.text
    (visitors,) = [each for each in document(app)["fields"] if each["name"] == "visitors"]
    assert visitors["section"] == "cargo"
    seen = client.get(f"{DRAFT}/form/fields/visitors/")
    for place in ("ghost", ":ghost"):
        client.submit(seen, {"place": place}, form="#move-form", status=404)
    client.submit(seen, {"action": "sideways"}, form="#move-form", status=404)
    client.submit(seen, {"place": "port", "version": "0"}, form="#move-form")
    assert names(app)[-4] == "visitors"  # the page was of an older draft


def test_a_move_changes_nothing_but_the_order(app: Flask) -> None:
    client = keeper(app)
    page = client.get("/office/services/renewal/draft/form/")
    form = "form[action$='/fields/email/act']"
    client.submit(page, form=form, press="action=up")
    assert "sections" not in document(app, "renewal")
    change(app, lambda each: each.update(sections="x"))
    client.get(f"{DRAFT}/form/fields/port/")


def test_a_type_is_changed_after_what_uses_the_field_was_shown(app: Flask) -> None:
    client = keeper(app)
    page = client.get(f"{DRAFT}/form/fields/port/")
    assert not page.soup.select("#part-form [name=type]")
    page = client.get(f"{DRAFT}/form/fields/port/type")
    assert "Fields: Name of the port" in page.text and "Documents: " in page.text
    assert "loses them: Choices." in page.text
    client.submit(page, {"type": "ghost"}, form="#type-form", status=400)
    client.submit(page, {"type": "text", "uses": "take_out"}, form="#type-form")
    fields = {each["name"]: each for each in document(app)["fields"]}
    assert fields["port"]["type"] == "text" and "choices" not in fields["port"]
    assert "when" not in fields["other_port"]
    assert "when" not in document(app)["documents"][2]
    client.get(f"{DRAFT}/form/fields/name_ar_1/type", status=404)  # a standard field


def test_a_field_is_removed_with_what_reads_it_or_alone(app: Flask) -> None:
    client = keeper(app)
    page = client.get(f"{DRAFT}/form/fields/ends_on/remove")
    client.submit(page, {"uses": "take_out"}, form="main form.form")
    assert document(app)["refuse"] == []
    page = client.get(f"{DRAFT}/form/fields/visitors/remove")
    client.submit(page, {"uses": "leave"}, form="main form.form")
    contact = next(each for each in document(app)["fields"] if each["name"] == "contact")
    assert contact["when"]["field"] == "visitors"


def test_a_missing_language_is_seen_in_the_list_and_the_faults_on_every_page(app: Flask) -> None:
    client = keeper(app)
    page = client.get(f"{DRAFT}/form/")
    assert "No English" not in page.text and "No faults" in page.text
    change(app, lambda each: each["fields"][3]["choices"][0]["label"].pop("en"))
    page = client.get(f"{DRAFT}/form/")
    (row,) = page.soup.select("li#fields-port")
    assert "No English" in row.get_text()
    assert "1 fault" in client.get(f"{DRAFT}/basics/").soup.select_one("#draft-actions").get_text()


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


def test_rows_have_columns_of_their_own(app: Flask) -> None:
    client = keeper(app)
    given = {"label_ar": "الأصناف", "label_en": "Items", "type": "rows"}
    page = client.submit(client.get(f"{DRAFT}/form/"), given, form="#add-fields")
    assert page.url.endswith("/form/fields/items/") and "None yet." in page.text
    types = {each["value"] for each in page.soup.select("#fields-items-columns-type option")}
    assert types & {"text", "number", "rows", "textarea", "choices"} == {"text", "number"}
    assert "“Items” needs columns." in client.get(f"{DRAFT}/checkup/").text
    for label, kind in (("Port", "text"), ("Pieces", "number")):
        page = client.get(f"{DRAFT}/form/fields/items/")
        column = {"label_ar": "عمود", "label_en": label, "type": kind}
        page = client.submit(page, column, form="#add-fields-items-columns")
    assert page.url.endswith("/form/fields.items.columns/pieces/")
    shown = {str(each.get("name")) for each in page.soup.select("#part-form [name]")}
    assert "minimum" in shown and not shown & {"section", "default", "declaration"}
    fields = {each["value"] for each in page.soup.select("[name=when_field] option")}
    assert {"port", "port_2"} <= fields and not fields & {"items", "pieces"}
    save(client, page, minimum="2", when_field="port_2", when_op="filled")
    page = client.get(f"{DRAFT}/form/fields/items/")
    save(client, page, row_ar="الصنف", row_en="Item", least="1", most="5")
    items = document(app)["fields"][-1]
    assert (items["row"]["en"], items["least"], items["most"]) == ("Item", 1, 5)
    assert [each["name"] for each in items["columns"]] == ["port_2", "pieces"]  # port is a field
    assert items["columns"][1]["when"] == {"field": "port_2", "filled": True}
    page = client.get(f"{DRAFT}/form/fields/items/")
    assert "“Port” is filled in" in page.text
    act(client, "form", "fields", "items", "double")
    double = document(app)["fields"][-1]
    assert [each["name"] for each in double["columns"]] == ["port_2_2", "pieces_2"]
    assert double["columns"][1]["when"]["field"] == "port_2_2"
    with app.app_context():
        assert versions.faults(document(app)) == []
    client.get(f"{DRAFT}/form/fields.ghost.columns/pieces/", status=404)
    client.get(f"{DRAFT}/form/fields.items.columns/ghost/", status=404)


def test_a_finding_in_a_column_leads_to_the_columns_page(app: Flask) -> None:
    client = keeper(app)
    changed = with_items()["fields"][-1]
    changed["columns"][1] |= {"minimum": 9, "maximum": 2}
    change(app, lambda draft: draft["fields"].append(changed))
    page = client.get(f"{DRAFT}/checkup/")
    links = [each["href"] for each in page.soup.select(".tasks a")]
    assert f"{DRAFT}/form/fields.items.columns/pieces/" in links


def test_a_paragraph_has_a_condition_and_a_text_for_what_is_empty(app: Flask) -> None:
    client = keeper(app)
    texts = [{"ar": "الميناء {port}", "en": "Port {port}"}, {"ar": "ختام", "en": "Closing"}]
    paper = {"name": "paper", "title": {"ar": "تصريح", "en": "Permit"}, "prefix": "TPX"}
    change(app, lambda draft: draft.update(issued=[paper | {"paragraphs": texts}]))
    page = client.get(f"{DRAFT}/issued/issued.paper.paragraphs/1/")
    assert page.h1 and "If {port} is empty in Arabic" in page.text
    empty = {"or.port_ar": "لا ميناء", "or.port_en": "No port"}
    given = {key.replace(".", "_"): text for key, text in empty.items()}
    save(client, page, when_field="purpose", when_value="Crew", **given)
    first = document(app)["issued"][0]["paragraphs"][0]
    assert first["or"] == {"port": {"ar": "لا ميناء", "en": "No port"}}
    assert first["when"] == {"field": "purpose", "is": ["crew"]}
    # In the box with the whole text it keeps both, wherever it goes.
    page = client.get(f"{DRAFT}/issued/issued/paper/")
    moved = {"ar": "ختام\n\nالميناء {port}", "en": "Closing\n\nPort {port}"}
    save(client, page, **{f"paragraphs_{lang}": text for lang, text in moved.items()})
    assert document(app)["issued"][0]["paragraphs"] == [texts[1], first]
    page = client.get(f"{DRAFT}/issued/issued/paper/")
    client.submit(page, {"label_en": "More"}, form="#add-issued-paper-paragraphs")
    assert document(app)["issued"][0]["paragraphs"][2] == {"en": "More"}
    assert f"{DRAFT}/issued/issued.paper.paragraphs/3/" in str(client.get(f"{DRAFT}/checkup/").soup)


def test_a_document_is_drawn_with_everything_and_with_what_must_be_filled_in(app: Flask) -> None:
    client = keeper(app)
    words = {"ar": "{port} {contact} {colour}", "en": "{port} {contact} {colour}"}
    paper = {"name": "paper", "title": {"ar": "تصريح", "en": "Permit"}, "prefix": "TPX"}
    paper |= {"paragraphs": [words], "show": ["goods", "visitors"], "valid": {"until": "port"}}
    change(app, lambda draft: draft.update(issued=[paper]))  # with faults, as drafts may have
    page = client.get(f"{DRAFT}/issued/issued/paper/")
    drawn = [client.http.get(each["src"]) for each in page.soup.select("img[data-sample]")]
    assert [each.data[:4] for each in drawn] == [b"\x89PNG"] * 2
    assert drawn[0].data != drawn[1].data
    client.get(f"{DRAFT}/sample/ghost", status=404)


def test_a_condition_speaks_of_broker_types_by_their_names(app: Flask) -> None:
    client = keeper(app)
    page = client.get(f"{DRAFT}/form/fields/visitors/")
    offered = [each["value"] for each in page.soup.select("#answers-broker_type option")]
    assert "Private broker" in offered
    page = save(client, page, when_field="broker_type", when_value="private BROKER")
    field = next(each for each in document(app)["fields"] if each["name"] == "visitors")
    assert field["when"] == {"field": "broker_type", "is": ["private"]}
    assert "“Broker type” is “Private broker”" in page.text


def test_a_copied_service_gets_stages_in_the_place_of_its_decision_process(app: Flask) -> None:
    client, check = keeper(app), {"label_ar": "التدقيق", "label_en": "Check"}
    page = client.submit(client.get(f"{DRAFT}/review/"), check, form="#add-stages")
    page = client.get(f"{DRAFT}/checkup/")
    assert f"{DRAFT}/review/" in {each["href"] for each in page.soup.select(".tasks a")}
    save(client, client.get(f"{DRAFT}/review/"), flow="")
    assert "flow" not in document(app) and document(app)["stages"][0]["name"] == "check"


def test_what_a_definition_says_of_beginning_copying_and_showing_is_set_in_the_panel(
    app: Flask,
) -> None:
    client = keeper(app)
    page = client.get(f"{DRAFT}/who/")
    save(client, page, subject="licence", start="broker_card", copyable=None)
    said = document(app)
    assert (said["subject"], said["start"], said["copyable"]) == ("licence", "broker_card", False)
    save(client, client.get(f"{DRAFT}/who/"), copyable="y")
    assert "copyable" not in document(app)
    page = client.get(f"{DRAFT}/form/")
    words = {each["value"]: each.text for each in page.soup.select("#fields-standard option")}
    assert words["licence_expiry"].endswith("filled in if known")
    for name in ("number", "licence_expiry"):
        page = client.submit(client.get(f"{DRAFT}/form/"), {"standard": name}, form="#add-fields")
    save(client, page, mode="y")
    shown = [each for each in document(app)["fields"] if each.get("mode") == "shown"]
    assert [each["name"] for each in shown] == ["number", "licence_expiry"]


def test_messages_are_folded_by_what_they_tell_of_and_own_words_are_open(app: Flask) -> None:
    client = keeper(app)
    page = client.get(f"{DRAFT}/messages/")
    assert page.soup.select("#part-form details[open]") == []
    save(client, page, messages_approved_en_title="Your permit is ready")
    (shown,) = client.get(f"{DRAFT}/messages/").soup.select("#part-form details[open]")
    assert shown.summary.text == "The request was approved"
    row = shown.select_one(".field-row")
    assert [each.text.strip() for each in row.select("label")] == [
        "Title in Arabic",
        "Title in English",
    ]


def test_the_prefix_of_a_new_service_can_still_change(app: Flask) -> None:
    client = keeper(app)
    assert not client.get(f"{DRAFT}/basics/").soup.select("[name=prefix]")
    page = client.get("/office/services/new/")
    titles = {"title_ar": "خدمة", "title_en": "Service"}
    page = client.submit(page, titles | {"code": "fresh", "prefix": "FR"}, form="#new-service")
    save(client, page, prefix="FRE")
    assert document(app, "fresh")["prefix"] == "FRE"


def test_only_checks_and_effects_that_fit_the_service_are_offered(app: Flask) -> None:
    client = keeper(app)
    page = client.get(f"{DRAFT}/review/")
    offered = {each["value"] for each in page.soup.select("[type=checkbox][name]")}
    assert "exam_attempts_left" not in offered and "licence_is_active" not in offered
    closed = [each.get_text(" ", strip=True) for each in page.soup.select("details .field-check")]
    assert any("the field “Civil number”" in each for each in closed)
    assert any("Needs “What requests are about: A licence”" in each for each in closed)
    assert "renew_licence" not in offered and "issue_statements" not in offered
    page = client.get("/office/services/renewal/draft/review/")
    offered = {each["value"] for each in page.soup.select("[type=checkbox][name]")}
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
    form = f"form[action$='/{path}/{key}/act']"
    assert page.soup.select(f"{form} [name=action][value={action}]"), f"no button to {action} {key}"
    return client.submit(page, form=form, press=f"action={action}")


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

    monkeypatch.setattr(publishing, "_counts", gone)
    page = client.submit(page, {"why": "so"}, form="#publish-form")
    assert page.url == "/office/services/"
    assert "changed this draft in the meantime" in page.text


def with_a_draft_request(app: Flask) -> tuple[PageClient, int]:
    """An agent's browser, and the draft request in which a port was chosen."""
    with app.app_context():
        user = factories.make_agent()
        req = begin(user)
        request_drafts.save(req, {"port": "other"}, actor_of(user), utc_now())
        db.session.commit()
        client = PageClient(app, language="en")
        factories.sign_in(client, user)
        return client, req.id


def without_the_other_port(document: dict[str, Any]) -> None:
    document["fields"][3]["choices"].pop()
    del document["fields"][4], document["documents"][2]


def test_the_publisher_sees_who_holds_what_is_gone_and_moves_the_drafts(app: Flask) -> None:
    agent, request_id = with_a_draft_request(app)
    client = keeper(app)
    change(app, without_the_other_port)
    page = client.get(f"{DRAFT}/publish/")
    assert "Drafts: 1. Open requests that were sent: 0." in page.text
    assert page.soup.find(attrs={"name": "move_on"})["value"] == format_day(
        kuwait_today() + timedelta(14)
    )
    cells = page.soup.find("caption", string="Answers and files that no longer fit")
    row = cells.find_parent("table").select("tbody tr")[0].get_text(" ", strip=True)
    assert row.startswith("Port: Other 1 0")
    past = client.submit(
        page, {"why": "so", "move_on": "01/01/2020"}, form="#publish-form", status=400
    )
    assert past.error_of("move_on")
    address = f"/my/requests/{request_id}/form"
    typing = agent.get(address)
    client.submit(page, {"why": "so", "moves": "now"}, form="#publish-form")
    stale = agent.submit(typing, {"visitors": "7"}, form="#request-form", status=409)
    assert "changed this request in the meantime" in stale.text
    assert stale.soup.find(attrs={"name": "visitors"})["value"] == "7"
    page = agent.get(address)
    told = page.soup.find(string=re.compile("This service changed on")).find_parent(class_="alert")
    assert "Please answer again: Port" in told.get_text(" ", strip=True)
    page = agent.submit(page, {"visitors": "7"}, form="#request-form")
    assert "This service changed on" not in page.text


def test_drafts_that_may_stay_keep_their_version_until_then(app: Flask) -> None:
    agent, request_id = with_a_draft_request(app)
    client = keeper(app)
    change(app, without_the_other_port)
    client.submit(client.get(f"{DRAFT}/publish/"), {"why": "so"}, form="#publish-form")
    assert "This service changed" not in agent.get(f"/my/requests/{request_id}/form").text
    with app.app_context():
        assert versions.numbered(CODE).drafts_move_on == kuwait_today() + timedelta(14)
        assert moving.move_due(utc_now() + timedelta(15)) == 1


def test_words_alone_ask_nothing_of_the_publisher(app: Flask) -> None:
    agent, request_id = with_a_draft_request(app)
    client = keeper(app)
    change(app, lambda document: document["fields"][3]["label"].update(en="Harbour"))
    page = client.get(f"{DRAFT}/publish/")
    assert "Only words change" in page.text
    assert page.soup.find(attrs={"name": "moves"}) is None
    client.submit(page, {"why": "so"}, form="#publish-form")
    page = agent.get(f"/my/requests/{request_id}/form")
    assert "Harbour" in page.text and "This service changed" not in page.text


def test_a_page_that_was_open_while_another_version_was_published_publishes_nothing(
    app: Flask,
) -> None:
    client, other = keeper(app), keeper(app)
    save(client, client.get(f"{DRAFT}/basics/"), processing_days="9")
    seen = other.get(f"{DRAFT}/publish/")
    client.submit(client.get(f"{DRAFT}/publish/"), {"why": "so"}, form="#publish-form")
    save(client, client.get(f"{DRAFT}/basics/"), processing_days="1")
    page = other.submit(seen, {"why": "so"}, form="#publish-form", status=409)
    assert "changed this draft in the meantime" in page.text
    with app.app_context():
        assert versions.current(CODE).definition.processing_days == 9


def test_a_new_service_may_be_stopped_at_first(app: Flask) -> None:
    client = keeper(app)
    new = client.get("/office/services/new/")
    names = {"title_ar": "رأي", "title_en": "Opinion", "code": "opinion", "prefix": "OP"}
    client.submit(new, names | {"copy_of": CODE}, form="main form.form")
    page = client.get("/office/services/opinion/draft/publish/")
    client.submit(page, {"why": "so", "is_stopped": "y"}, form="#publish-form")
    with app.app_context():
        service = db.session.get_one(Service, "opinion")
        assert offering.state_of(service, kuwait_today()) == offering.State.STOPPED
    client.get(f"{DRAFT}/basics/")
    save(client, client.get(f"{DRAFT}/basics/"), processing_days="9")
    page = client.get(f"{DRAFT}/publish/")
    assert page.soup.find(attrs={"name": "is_stopped"}) is None


def test_a_draft_that_moves_while_its_form_is_read_is_a_conflict(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent, request_id = with_a_draft_request(app)
    page = agent.get(f"/my/requests/{request_id}/form")
    document = permit()
    without_the_other_port(document)
    save_draft = request_drafts.save

    def move_first(*args: Any, **given: Any) -> Any:
        versions.publish(document, None, utc_now(), "", kuwait_today())
        moving.move_due(utc_now())
        return save_draft(*args, **given)

    monkeypatch.setattr(request_drafts, "save", move_first)
    page = agent.submit(
        page, {"other_port": "الدوحة", "visitors": "7"}, form="#request-form", status=409
    )
    assert "changed this request in the meantime" in page.text
    assert page.soup.find(attrs={"name": "visitors"})["value"] == "7"


def test_texts_with_markup_and_braces_are_shown_as_they_are(app: Flask) -> None:
    client = keeper(app)
    label = {"ar": "<b>ميناء</b> {{ 7*7 }} {port}", "en": "<script>x</script> {{ 7*7 }} {port}"}
    page = client.get(f"{DRAFT}/form/fields/port/")
    save(client, page, label_ar=label["ar"], label_en=label["en"])
    assert document(app)["fields"][3]["label"] == label
    field = "form/fields/port/"
    for part in ("form/", field, f"{field}remove", "preview/", "publish/", "ways/"):
        assert not client.get(f"{DRAFT}/{part}").soup.select("main b, main script"), part
    frame = BeautifulSoup(client.get(f"{DRAFT}/preview/?lang=en").soup.iframe["srcdoc"], "lxml")
    assert label["en"] in frame.get_text() and not frame.select("main script")


def test_a_direction_mark_never_gets_into_a_text(app: Flask) -> None:
    client = keeper(app)
    page = client.get(f"{DRAFT}/form/fields/port/")
    page = client.submit(page, {"label_en": "Port\u202e"}, form="#part-form", check=False)
    label = next(each for each in document(app)["fields"] if each["name"] == "port")["label"]
    assert "\u202e" not in label["en"]
