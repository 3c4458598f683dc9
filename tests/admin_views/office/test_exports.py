"""Lists that a manager downloads as files."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from clearance.core.extensions import db
from clearance.core.values import mask_civil_id
from clearance.models import User
from clearance.models.enums import Role
from tests.support import workbooks
from tests.support.office_people import Office


@pytest.mark.parametrize(
    ("name", "language", "header"),
    [
        ("users", "en", "Name"),
        ("users", "ar", "الاسم"),
        ("staff", "en", "Name"),
        ("deliveries", "en", "Queued at"),
        ("exams", "en", "Exam"),
    ],
)
def test_a_manager_takes_a_list_along_with_the_texts_it_shows(
    office: Office, name: str, language: str, header: str
) -> None:
    browser = office.staff(Role.MANAGER, language)
    text = browser.get(f"/office/{name}/export/csv/", check=False).response.get_data(as_text=True)
    assert text.removeprefix("\ufeff").partition(",")[0] == f'"{header}"'
    assert "<" not in text
    workbook = browser.http.get(f"/office/{name}/export/xlsx/").get_data()
    assert workbooks.cells(workbook)[0][0] == header
    assert ('rightToLeft="1"' in workbooks.sheet_xml(workbook)) == (language == "ar")


def test_an_export_of_users_masks_civil_numbers_and_defuses_formulas(office: Office) -> None:
    office.agent(first_name="=SUM(A1)")
    text = office.staff(Role.MANAGER).http.get("/office/users/export/csv/").get_data(as_text=True)
    with office.app.app_context():
        civil_id = db.session.scalar(sa.select(User.civil_id).where(User.role == Role.AGENT))
    assert "'=SUM(A1)" in text
    assert mask_civil_id(civil_id) in text
    assert civil_id not in text
