"""The check-up of a service: one planted defect of each kind, and none in what is shipped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core import i18n
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import BrokerType, LegalEntity, ServiceDraft, User
from clearance.models.enums import Role
from clearance.services import drafting, versions
from clearance.services.drafting import Document, Source
from clearance.services.findings import Finding
from tests.support import factories
from tests.support import request_factories as requests
from tests.support.pages import PageClient
from tests.support.permit import PERMIT, permit

GUIDE = Path(__file__).parents[3] / "docs" / "add-a-service.md"
TODAY = date(2031, 1, 1)
CODE = "temporary_permit"


def field(name: str, type_: str = "text", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type_, "label": both(name), **more}


def both(text: str) -> dict[str, str]:
    return {"ar": f"المسمى في النموذج {text}", "en": f"Text {text}"}


def choices(*names: str, **more: Any) -> list[dict[str, Any]]:
    return [{"value": name, "label": both(name), **more} for name in names]


PORT = field("port", "choice", choices=choices("a", "b"))
CREW = field("crew", "number", minimum=1, maximum=40)
DAY, BOX = field("day", "date"), field("box", "bool")
CHECK: dict[str, Any] = {"name": "check", "title": both("check")}
SIGN: dict[str, Any] = {"name": "sign", "title": both("sign")}
PLAIN = permit(
    fields=[{"name": "name_ar_1", "required": True}, PORT, CREW, DAY, BOX],
    sections=[],
    refuse=[],
    documents=[{"kind": "photo"}],
    stages=[CHECK],
)
del PLAIN["flow"]
OWN = {"name": "paper", "title": both("paper"), "prefix": "TPX", "paragraphs": [both("{name}")]}


def shown(when: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return changes: one more field, with that condition."""
    return {"fields": [*PLAIN["fields"], field("last", when=when, **more)]}


def added(**more: Any) -> dict[str, Any]:
    """Return changes: one more field, at fields[5]."""
    return {"fields": [*PLAIN["fields"], field("last", **more)]}


def issued(**more: Any) -> dict[str, Any]:
    return {"issued": [OWN | more]}


def staged(*stages: dict[str, Any]) -> dict[str, Any]:
    return {"stages": [CHECK, *stages]}


FAULTS: list[tuple[dict[str, Any], str, str]] = [
    # A missing text, a wrong value.
    ({"title": {"ar": "طلب"}}, "title.en", "Title in English: This is missing."),
    ({"title": {"ar": " ", "en": "A"}}, "title.ar", "Title in Arabic: This is empty."),
    ({"processing_days": 0}, "processing_days", "This number is too small."),
    ({"fields": []}, "fields", "At least one is needed."),
    ({"colour": "blue"}, "colour", "The portal knows no such property."),
    (staged(SIGN | {"days": 0}), "stages[1].days", "This number is too small."),
    # A name twice.
    ({"fields": [CREW, CREW]}, "fields[1].name", "“Text crew” is there twice."),
    ({"documents": [{"kind": "photo"}] * 2}, "documents[1].kind", "is there twice."),
    ({"sections": [{"name": "person", "title": both("x")}]}, "sections[0].name", "there twice"),
    (staged(CHECK), "stages[1].name", "is there twice."),
    (staged(SIGN | {"fields": [DAY]}), "stages[1].fields[0].name", "“Text day” is there twice."),
    (added(type_="choice", choices=choices("a", "a")), "fields[5]", "is there twice."),
    ({"issued": [OWN, OWN | {"prefix": "TPY"}]}, "issued[1].name", "is there twice."),
    # A field that cannot be as it is.
    ({"fields": [{"name": "email", "mode": "shown"}, {"name": "passport_no", "mode": "shown"}]},
     "fields[1].mode", "“Passport number” is only shown, and nothing is known of it"),
    ({"fields": [{"name": "shoe"}]}, "fields[0]", "“shoe” is no standard field"),
    ({"fields": [{"name": "email", "type": "text"}]}, "fields[0]", "“E-mail address” is a"),
    ({"fields": [{"name": "number"}]}, "fields[0]", "“Request number” can only be shown."),
    ({"fields": [{"name": "email", "mode": "shown", "required": True}]}, "fields[0]",
     "“E-mail address” is only shown, so it cannot be required."),
    ({"fields": [field("kind")]}, "fields[0]", "The portal itself uses the name “kind”."),
    ({"fields": [field("a", mode="shown")]}, "fields[0]", "it can only be asked"),
    ({"fields": [field("a", "choice")]}, "fields[0]", "“Text a” needs choices, or a list of them."),
    ({"fields": [field("a", "bool", past=True)]}, "fields[0]", "“Only past dates”"),
    ({"fields": [field("a", section="trip")]}, "fields[0].section", "no section “trip”"),
    # A condition that cannot be read, or never be true.
    (shown({"field": "ghost", "filled": True}), "fields[5].when", "There is no field “ghost”"),
    (shown({"field": "last", "filled": True}), "fields[5].when", "answered only later"),
    (shown({"field": "port", "is": ["c"]}), "fields[5].when", "“Text port” can never be “c”"),
    (shown({"field": "port", "at_least": 2}), "fields[5].when", "“Text port” is no number"),
    (shown({"field": "crew", "before": "2027-01-01"}), "fields[5].when", "is no date"),
    (shown({"field": "crew", "at_least": "many"}), "fields[5].when", "can never be"),
    (shown({"field": "crew", "at_least": 41}), "fields[5].when", "No answer within the limits"),
    (shown({"field": "crew", "at_most": 0}), "fields[5].when", "No answer within the limits"),
    (shown({"field": "crew", "is": [True]}), "fields[5].when", "can never be"),
    (shown({"field": "day", "after": "2027-02-30"}), "fields[5].when", "can never be"),
    (shown({"field": "box", "is": ["yes"]}), "fields[5].when", "can never be “yes”"),
    (shown({"field": "crew", "at_least": {"field": "day"}}), "fields[5].when",
     "“Text crew” and “Text day” cannot be compared"),
    (shown({"field": "crew", "is": {"field": "ghost"}}), "fields[5].when", "no field “ghost”"),
    (shown({"field": "applicant_is", "is": ["us"]}), "fields[5].when", "can never be “us”"),
    (shown({"field": "crew"}), "fields[5].when", "needs exactly one comparison"),
    (shown({"all": []}), "fields[5].when", "needs a field with a comparison"),
    ({"documents": [{"kind": "photo", "when": {"field": "ghost", "filled": True}}]},
     "documents[0].when", "There is no field “ghost”"),
    (staged(SIGN | {"when": {"field": "port", "is": ["c"]}}), "stages[1].when", "can never be “c”"),
    (issued(when={"field": "crew", "before": "2027-01-01"}), "issued[0].when", "is no date"),
    # Bounds that exclude everything.
    (added(type_="number", minimum=5, maximum=4), "fields[5].minimum", "within these limits"),
    (added(min_length=9, max_length=8), "fields[5].min_length", "within these limits"),
    (added(type_="choices", choices=choices("a"), least=2), "fields[5].least", "these limits"),
    (added(type_="date", future=True, past=True), "fields[5].past", "future and in the past"),
    (added(type_="date", future=True, min_age=18), "fields[5].min_age", "so many years ago"),
    (added(type_="date", within_days=30, min_age=18), "fields[5].min_age", "within these limits"),
    (added(type_="choice", choices=choices("a", retired=True)), "fields[5].choices", "No choice"),
    (added(type_="number", default="x"), "fields[5].default", "no answer that the field takes"),
    (added(type_="amount", default="-1"), "fields[5].default", "no answer that the field takes"),
    (added(type_="choice", choices=choices("a"), default="c"), "fields[5].default", "no answer"),
    # Documents, rules, references.
    ({"broker_types": ["private"], "documents": [{"kind": "photo", "broker_types": ["general"]}]},
     "documents[0].broker_types", "offered to none of these broker types"),
    ({"documents": [{"kind": "horoscope"}]}, "documents[0].kind", "no document type “horoscope”"),
    ({"refuse": [{"when": {"field": "crew", "filled": True}, "at": "ghost", "says": both("no")}]},
     "refuse[0].at", "There is no field “ghost”"),
    ({"fields": [{"name": "email", "mode": "shown"}],
      "refuse": [{"when": {"field": "email", "filled": True}, "at": "email", "says": both("no")}]},
     "refuse[0].at", "“E-mail address” is only shown, so nobody can correct it."),
    ({"broker_types": ["private", "royal"]}, "broker_types[1]", "no broker type “royal”"),
    ({"legal_entities": ["ghost"]}, "legal_entities[0]", "no organisation type “ghost”"),
    ({"roles": {"payer": "ghost"}}, "roles.payer", "The role “payer” needs a field"),
    # Checks, effects and how a request begins.
    ({"on_approval": ["renew_licence"]}, "on_approval", "“What requests are about: A licence”"),
    ({"guards": {"start": ["exam_attempts_left"]}}, "guards.start", "the field “Civil number”"),
    ({"guards": {"send": ["gone"]}}, "guards.send", "no check or effect “gone”"),
    ({"start": "gone"}, "start", "The portal knows no beginning “gone”."),
    ({"start": "broker_card"}, "start", "is about something else: A licence."),
    ({"sign": "gone"}, "sign", "There is no icon “gone”."),
    ({"exclusive": "person"}, "exclusive", "needs the field for it"),
    ({"exclusive": "licence"}, "exclusive", "Only requests about a licence"),
    # Stages.
    ({"flow": "standard"}, "flow", "either stages or a decision process of its own"),
    ({"stages": [], "flow": "gone"}, "flow", "The portal knows no decision process “gone”."),
    ({"stages": [CHECK | {"when": {"field": "crew", "filled": True}}]}, "stages",
     "One stage must be without a condition"),
    (staged(SIGN | {"decisions": ["reject"]}), "stages[1].decisions", "Approval must be among"),
    (staged(SIGN | {"clock": "stopped", "days": 2}), "stages[1]", "a due date that runs"),
    (staged(SIGN | {"fields": [{"name": "mobile"}]}), "stages[1]", "standard field of the form"),
    (staged(SIGN | {"fields": [field("a", "number", minimum=2, maximum=1)]}),
     "stages[1].fields[0].minimum", "within these limits"),
    (staged(SIGN | {"team": "cashiers"}), "stages[1].team", "There is no team “cashiers”."),
    # What is issued and told.
    (issued(paragraphs=[{"ar": "{colour}", "en": "Text"}]), "issued[0].paragraphs[0].ar",
     "There is no placeholder {colour}."),
    (issued(paragraphs=[both("") | {"or": {"port": both("none")}}]), "issued[0].paragraphs[0].or",
     "does not have the placeholder {port}"),
    (issued(show=["ghost"]), "issued[0].show[0]", "There is no field “ghost”"),
    (issued(valid={"until": "port"}), "issued[0].valid.until", "“Text port” is no date"),
    (issued(valid={"until": "day"}), "issued[0].valid.until", "“Text day” must be required"),
    (issued(valid={}), "issued[0].valid", "either a number of days or a date"),
    ({"on_approval": ["issue_statements"]}, "on_approval", "leave this effect out"),
    (issued(prefix="KW"), "issued[0].prefix", "Other numbers have the prefix KW."),
    ({"issued": [OWN, OWN | {"name": "other"}]}, "issued[1].prefix", "has the prefix TPX."),
    ({"messages": {"seated": dict.fromkeys(("ar", "en"), {"title": "7", "body": "{number}"})}},
     "messages.seated", "No step of this service sends"),
    # Other services, and the day.
    ({"prefix": "TX"}, "prefix", "The prefix stays TP"),
    ({"opens_on": "2031-02-02", "closes_on": "2031-02-01"}, "opens_on", "after the last one"),
    ({"closes_on": "2020-12-31"}, "closes_on", "so nobody can apply"),
]  # fmt: skip
REMARKS: list[tuple[dict[str, Any], str, str]] = [
    ({"sections": [{"name": "later", "title": both("later")}]}, "sections[0]", "has no fields"),
    (issued(paragraphs=[both("{port}")]), "issued[0].paragraphs[0]", "“Text port” may be empty"),
    ({"title": {"ar": "Temporary permit", "en": "Permit"}}, "title.ar", "in English letters"),
    ({"title": {"ar": "طلب", "en": "طلب تصريح"}}, "title.en", "in Arabic letters"),
    (shown({"all": [{"field": "port", "is": ["a"]}, {"field": "port", "is": ["b"]}]}),
     "fields[5].when", "No way through the form shows “Text last”."),
    (staged(SIGN | {"when": {"all": [{"field": "box", "is": [each]} for each in (True, False)]}}),
     "stages[1].when", "No request reaches this stage."),
    ({"documents": [], "fields": [PORT, field("last", when={"field": "port", "is": ["a"]})]},
     "fields[0]", "Nothing more is asked if “Text port” is “Text b” or “Text port” is empty."),
]  # fmt: skip


@pytest.fixture
def office(app: Flask) -> Iterator[Flask]:
    """The portal with the permit published and one reviewer."""
    with app.app_context():
        requests.load_services()
        requests.publish(PERMIT)
        factories.make_staff()
        yield app


def found_in(**changes: Any) -> list[Finding]:
    """Return what the check-up of a draft with these changes finds."""
    return drafting.findings(Source(CODE, PLAIN | changes, None, None), TODAY)


def told(changes: dict[str, Any], *, is_remark: bool) -> list[tuple[str, str, str]]:
    """Return path, Arabic and English of the findings of that sort."""
    return [
        (each.path, both_texts["ar"], both_texts["en"])
        for each in found_in(**changes)
        for both_texts in [i18n.in_both(each.text)]
        if each.is_remark == is_remark
    ]


@pytest.mark.parametrize(("cases", "is_remark"), [(FAULTS, False), (REMARKS, True)])
def test_each_planted_defect_is_found_with_its_path_in_both_languages(
    office: Flask, cases: list[tuple[dict[str, Any], str, str]], is_remark: bool
) -> None:
    wrong = []
    for changes, path, text in cases:
        found = told(changes, is_remark=is_remark)
        if [each[0] for each in found] != [path] or text not in found[0][2]:
            wrong.append((path, text, found))
    assert not wrong
    arabic = [told(changes, is_remark=is_remark)[0][1] for changes, _path, _text in cases]
    outside_quotes = [re.sub(r"“[^”]*”|«[^»]*»|\{\w*\}", "", text) for text in arabic]
    assert [text for text in outside_quotes if len(re.findall("[A-Za-z]{3,}", text)) > 1] == []
    assert all(re.search("[\u0620-\u064a]{2}", text) for text in outside_quotes)
    assert found_in() == []


def test_each_finding_leads_to_a_page_that_mends_it(app: Flask) -> None:
    client = PageClient(app, language="en")
    with app.app_context():
        requests.load_services()
        requests.publish(PERMIT)
        factories.make_staff()
        factories.sign_in(client, keeper := factories.make_staff("administrator"))
        drafting.change(CODE, lambda each: each.clear(), 0, actor_of(keeper), utc_now())
        db.session.commit()
    opened = {}
    for changes, path, text in (*FAULTS, *REMARKS):
        place = re.sub(r"\d+", "#", path.partition(".")[0])
        if place in opened:
            continue
        with app.app_context():  # as no form would
            db.session.execute(sa.update(ServiceDraft).values(document=PLAIN | changes))
            db.session.commit()
        page = client.get(f"/office/services/{CODE}/draft/checkup/")
        links = {each["href"] for each in page.soup.select(".tasks a") if text in each.text}
        assert len(links) == 1, (path, text)
        (link,) = links
        opened[place] = client.get(link).url
    assert "/draft/form/fields/" in opened["fields[#]"]
    assert opened["stages[#]"].endswith("/review/stages/sign/")
    assert "/draft/issued/issued/" in opened["issued[#]"]
    assert len(opened) > 20


def test_what_is_shipped_and_the_guides_example_have_no_finding(context: Flask) -> None:
    text = re.search(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert text is not None
    factories.make_staff()
    documents = [*versions.read_files().values(), permit(), PLAIN, yaml.safe_load(text[1])]
    found = [
        drafting.findings(Source(each["code"], each, None, None), date(2026, 1, 1))
        for each in documents
    ]
    assert [[str(each) for each in listed] for listed in found] == [[]] * len(documents)


def test_who_is_in_a_team_today_prevents_publishing_in_the_panel_only(office: Flask) -> None:
    another = SIGN | {"another_person": True}
    assert paths(**staged(another)) == ["stages[1].another_person"]
    assert versions.faults(PLAIN | staged(another)) == []
    factories.make_staff()
    assert paths(**staged(another)) == []
    db.session.execute(sa.update(User).values(is_active=False))
    assert paths(**staged(another)) == ["stages[0].team", "stages[1].team"]
    assert paths(stages=[], flow="standard") == []


def test_nobody_may_ask_where_all_that_is_named_is_out_of_use(office: Flask) -> None:
    named = {"broker_types": ["private"], "legal_entities": ["clearing_agent"]}
    assert paths(**named) == []
    for model in (BrokerType, LegalEntity):
        db.session.execute(sa.update(model).values(is_active=False))
    assert paths(**named) == ["legal_entities", "broker_types"]
    assert paths() == []


def paths(**changes: Any) -> list[str]:
    return [each.path for each in found_in(**changes)]


def test_a_code_and_a_prefix_are_one_services(office: Flask) -> None:
    draft = PLAIN | {"code": "fresh", "prefix": "CE"}
    found = drafting.findings(Source("fresh", draft, None, None), TODAY)
    assert [str(each) for each in found] == ["prefix: Other numbers have the prefix CE."]
    found = drafting.findings(
        Source("fresh", draft | {"code": CODE, "prefix": "TP"}, None, None), TODAY
    )
    assert [str(each) for each in found] == ["code: The code stays fresh."]


def test_a_prefix_that_was_taken_since_the_last_check_up_is_told(office: Flask) -> None:
    with office.test_request_context(method="POST"):
        assert found_in(issued=[OWN]) == []
        requests.publish(yaml.safe_dump(PLAIN | {"code": "other", "prefix": "OT", "issued": [OWN]}))
        assert [each.path for each in found_in(issued=[OWN])] == ["issued[0].prefix"]


def test_a_text_changed_in_one_language_only_is_remarked_on(office: Flask) -> None:
    keeper = actor_of(factories.make_staff("administrator"))

    def apply(document: Document) -> None:
        document["title"]["en"] = "A temporary permit"
        document["fields"].insert(0, document["fields"].pop(2))  # moved, and the same otherwise
        document["fields"][0]["label"] = {"ar": "السبب", "en": "Reason"}
        document["fields"][3]["choices"][0]["label"]["ar"] = "ميناء الشويخ"

    drafting.change(CODE, apply, 0, keeper, utc_now())
    found = drafting.findings(drafting.source(CODE), TODAY)
    assert [(each.path, each.is_remark) for each in found] == [
        ("title.ar", True),
        ("fields[3].choices[0].label.en", True),
    ]
    assert (
        drafting.publish(CODE, drafting.source(CODE).fingerprint, "words", keeper, utc_now()).number
        == 2
    )


def test_the_panel_publishes_nothing_that_nobody_can_decide(office: Flask) -> None:
    keeper = actor_of(factories.make_staff("administrator"))
    db.session.execute(sa.update(User).where(User.role == Role.REVIEWER).values(is_active=False))
    drafting.change(CODE, lambda each: each.update(PLAIN), 0, keeper, utc_now())
    drafting.change(CODE, lambda each: each.pop("flow"), 1, keeper, utc_now())
    with pytest.raises(versions.BadDefinition, match="has no active member"):
        drafting.publish(CODE, drafting.source(CODE).fingerprint, "", keeper, utc_now())
