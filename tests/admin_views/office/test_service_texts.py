"""Texts of a service for a translator in the panel: the workbook, and its return."""

from __future__ import annotations

import io
from typing import Any

import pytest

from clearance.models.enums import Role
from clearance.services import drafting
from tests.support import request_factories as requests
from tests.support.office_people import Office
from tests.support.pages import Page, PageClient
from tests.support.permit import PERMIT
from tests.support.workbooks import cells, sheet_xml, xlsx

TEXTS = "/office/services/temporary_permit/draft/texts/"
PORT = "fields.port.label"


@pytest.fixture
def published(office: Office) -> Office:
    with office.app.app_context():
        requests.publish(PERMIT.replace("en: Port}", "en: =1+1}"))
    return office


@pytest.fixture
def keeper(published: Office) -> PageClient:
    return published.staff(Role.ADMINISTRATOR)


def workbook(keeper: PageClient) -> list[list[Any]]:
    """The cells of the workbook that the page offers."""
    return cells(keeper.get(keeper.get(TEXTS).link("Download")).response.get_data())


def upload(keeper: PageClient, data: bytes, status: int = 200) -> Page:
    file = (io.BytesIO(data), "texts.xlsx")
    return keeper.submit(keeper.get(TEXTS), {"texts": file}, form="#texts-file", status=status)


def port(office: Office) -> dict[str, str]:
    with office.app.app_context():
        fields = drafting.source("temporary_permit").document["fields"]
        return dict(next(each["label"] for each in fields if each["name"] == "port"))


def test_the_workbook_has_every_text_as_text_and_is_right_to_left_in_arabic(
    published: Office, keeper: PageClient
) -> None:
    header, *rows = workbook(keeper)
    assert header == ["Path", "Arabic", "English", "To translate again", "Do not change"]
    assert [PORT, "الميناء", "=1+1", ""] in [row[:4] for row in rows]
    arabic = published.staff(Role.ADMINISTRATOR, "ar")
    data = arabic.get(f"{TEXTS[:-1]}.xlsx").response.get_data()
    assert 'rightToLeft="1"' in sheet_xml(data) and "<f>" not in sheet_xml(data)


def test_a_workbook_comes_back_into_the_draft(published: Office, keeper: PageClient) -> None:
    header, *rows = workbook(keeper)
    changed = [[*row[:2], "Harbour", *row[3:]] if row[0] == PORT else row for row in rows]
    page = upload(keeper, xlsx(header, *changed, ["fields.ghost.label", "x", "x", "", "x"]))
    assert "1 text was changed in the draft." in page.text
    assert "Not in the service any more: fields.ghost.label" in page.text
    assert port(published) == {"ar": "الميناء", "en": "Harbour"}
    page = upload(keeper, xlsx(header, *changed))
    assert "No text was changed." in page.text and PORT not in page.text
    late = [[*row[:2], "Quay", *row[3:]] if row[0] == PORT else row for row in rows]
    page = upload(keeper, xlsx(header, *late))
    assert f"so they were left as they are: {PORT}" in page.text
    assert port(published)["en"] == "Harbour"


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"PK\x03\x04", "This file is not an Excel workbook"), (b"a,b\n1,2\n", "“Path”")],
)
def test_another_file_is_refused_at_its_field(keeper: PageClient, data: bytes, words: str) -> None:
    assert words in upload(keeper, data, status=400).error_of("texts")


def test_only_administrators_have_the_page_and_readers_the_workbook(published: Office) -> None:
    manager = published.staff(Role.MANAGER)
    manager.get(TEXTS, status=404)
    manager.post(TEXTS, {}, status=404)
    manager.get(f"{TEXTS[:-1]}.xlsx")
    manager.get("/office/services/ghost/draft/texts.xlsx", status=404)
