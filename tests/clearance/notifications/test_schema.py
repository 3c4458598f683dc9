"""Message files: every fault is named by file and path and stops the start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from app import TEXTS, create_app
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.settings import BadSettings, one_line_for_bad_settings
from clearance.models.enums import Role
from clearance.notifications import events, notices, preferences, text_overrides
from tests.support import extension_modules
from tests.support.office_people import Office

FILE = """\
event: site:visited
audience: agent
channels: [email, sms]
params: [site]
optional: [reason]
mandatory: true
ar:
  label: زيارة موقع
  title: زيارة الموقع {site}
  body: |
    تمت زيارة الموقع {site}.
    السبب: {reason}
  sms: >-
    تمت زيارة الموقع
    {site}.
en:
  label: Site visited
  title: Site {site} was visited
  body: |
    Site {site} was visited.
    Reason: {reason}
  sms: >-
    Site {site}
    was visited.
"""
CODE = """\
event: site:code
audience: code
channels: [sms]
params: [code]
secret: true
ar: {label: رمز, title: رمز, body: "الرمز: {code}", sms: "الرمز: {code}"}
en: {label: Code, title: Code, body: "Code: {code}", sms: "Code: {code}"}
"""
LINK = CODE.replace("params: [code]\n", "").replace("{code}", "{link}")


def write(folder: Path, text: str, name: str = "site_visited") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def test_a_file_holds_everything_about_a_message(tmp_path: Path) -> None:
    message = events.load([write(tmp_path, FILE)])["site:visited"]
    assert message.channels == ("email", "sms") and message.audience == "agent"
    assert message.is_mandatory and not message.is_secret
    assert message.placeholders == ("site", "reason", "recipient", "link")
    assert message.shipped("sms", "en") == ("", "Site {site} was visited.")
    assert message.shipped("email", "en") == (
        "Site {site} was visited",
        "Site {site} was visited.\nReason: {reason}",
    )


@pytest.mark.parametrize(
    ("text", "old", "new", "fault"),
    [
        (FILE, "Reason: {reason}", "{raeson}", "en.body: There is no placeholder {raeson}"),
        (FILE, "title: زيارة", "title: في {الموقع}", "ar.title: There is no placeholder {الموقع}"),
        (FILE, "    {site}.\n", "    {Site}.\n", "ar.sms: There is no placeholder {Site}"),
        (FILE, "Site visited", "'{site}'", "en.label: It is shown as it is"),
        (
            FILE,
            "[site]",
            "[site, day]",
            "ar.body: Neither title nor text has the placeholder {day}",
        ),
        (FILE, "[email, sms]", "[email]", "ar.sms: This message is not sent by SMS"),
        (FILE, "  sms: >-\n    Site {site}\n    was visited.\n", "", "en.sms: .* has no text"),
        (FILE, FILE[FILE.index("en:") :], "", "en: Field required"),
        (FILE, "  title: Site {site} was visited\n", "", "en.title: Field required"),
        (FILE, "label: Site visited", "label: ' '", "en.label: String should have at least 1"),
        (FILE, "label: Site visited", "label: yes", "en.label: Input should be a valid string"),
        (FILE, "[email, sms]", "[email, fax]", r"channels\[1\]: Input should be 'email' or 'sms'"),
        (FILE, "[email, sms]", "[sms, email, sms]", "channels: .* more than once"),
        (FILE, "audience: agent", "audience: brokers", "audience: Input should be 'agent'"),
        (FILE, "mandatory:", "mandatroy:", "mandatroy: Extra inputs are not permitted"),
        (FILE, "event: site:visited", "event: visited", "event: String should match"),
        (CODE, "secret: true\n", "", "secret: a message that holds a code must be secret"),
        (CODE, "title: Code", 'title: "{code}"', "en.title: is not encrypted"),
        (CODE, 'body: "Code: {code}"', "body: Hello", "en.body: lacks {code}"),
        (CODE, 'sms: "الرمز: {code}"', "sms: الرمز", "ar.sms: lacks {code}"),
        (LINK, "title: Code", 'title: "{link}"', "en.title: is not encrypted"),
        (LINK, 'sms: "Code: {link}"', "sms: Hello", "en.sms: lacks {link}"),
        (FILE, FILE, "{", "while parsing a flow node .* line 2, column 1"),
        (FILE, FILE, "- site", "not a mapping of names to values"),
    ],
)
def test_a_fault_is_refused_with_file_and_path(
    tmp_path: Path, text: str, old: str, new: str, fault: str
) -> None:
    events.load([write(tmp_path, text)])
    assert text.count(old) == 1
    with pytest.raises(BadSettings, match=rf"site_visited\.yaml: (.*; )?{fault}") as refused:
        events.load([write(tmp_path, text.replace(old, new))])
    assert "\n" not in str(refused.value)


def test_every_fault_of_a_file_is_named(tmp_path: Path) -> None:
    text = FILE.replace("[site]", "[site, day]").replace("[email, sms]", "[email]")
    with pytest.raises(BadSettings) as refused:
        events.load([write(tmp_path, text)])
    assert str(refused.value).count("{day}") == str(refused.value).count(".sms: ") == 2


def test_two_messages_of_one_event_are_refused(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a", FILE), write(tmp_path / "b", FILE, "again")
    with pytest.raises(BadSettings, match=r"b/again\.yaml: event: .* already a site:visited"):
        events.load([first, second])


def test_a_folder_without_texts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="nowhere holds no message texts"):
        events.load([tmp_path / "nowhere"])


def test_the_start_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path, FILE.replace("Reason: {reason}", "{raeson}"))
    monkeypatch.setattr("app.TEXTS", (*TEXTS, folder))
    with pytest.raises(SystemExit), one_line_for_bad_settings():
        create_app(testing=True)
    assert capsys.readouterr().err == (
        f"Clearance does not start: {folder}/site_visited.yaml: "
        "en.body: There is no placeholder {raeson}.\n"
    )


def make_site_app(make_app: Callable[..., Flask], folder: Path) -> Flask:
    """The portal with an extension that brings one message."""
    with pytest.MonkeyPatch.context() as patch:
        name = extension_modules.put(patch, "site_visits", notices=write(folder, FILE))
        return make_app(extensions=(name,))


def test_an_extension_adds_messages_to_its_application_alone(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    with make_site_app(make_app, tmp_path / "texts").app_context():
        assert {"site:visited", "request:sent"} <= set(events.registered())
    with make_app().app_context():
        assert "site:visited" not in events.registered()


def test_what_a_removed_extension_sent_is_shown_by_the_events_code(
    make_app: Callable[..., Flask], tmp_path: Path, office: Office
) -> None:
    agent = office.agent()
    with make_site_app(make_app, tmp_path / "texts").app_context():
        notices.notify_user("site:visited", user_id=agent, params={"site": "A"}, now=utc_now())
        db.session.commit()
    office.browser(agent).get("/my/")
    page = office.browser(agent).get("/my/notices/")
    assert "site:visited" in page.soup.select_one("main").get_text()
    page = office.staff(Role.ADMINISTRATOR).get("/office/deliveries/")
    assert "site:visited" in page.soup.select_one("main").get_text()


def test_messages_are_listed_by_position(tmp_path: Path) -> None:
    write(tmp_path, FILE, "a")
    write(tmp_path, CODE, "b")
    write(tmp_path, f"position: 5\n{CODE}".replace("site:code", "site:first"), "c")
    assert list(events.load([tmp_path])) == ["site:first", "site:code", "site:visited"]


def test_pages_show_an_extensions_message(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    app = make_site_app(make_app, tmp_path / "texts")
    with app.test_request_context(headers={"Cookie": "lang=en"}):
        row = preferences.mandatory_events(Role.AGENT, "en")[-1]
        assert row.label == "Site visited"
        assert row.reason == "It is a decision or asks you to do something."
        text = text_overrides.preview("site:visited", "email", "en", "At {site}", "At {site}.")
    assert text == ("At site", "At site.")
