"""What the page that asks before a decision names: services, organisations, what is final."""

from __future__ import annotations

from flask import Flask

from clearance.models.enums import Status
from tests.support import transfer_factories
from tests.support.office_people import Office
from tests.support.pages import Page

LIST = "/office/requests/"


def query(*requests: int) -> str:
    return "&".join(f"id={each}" for each in requests)


def asked(office: Office, *requests: int, step: str = "approve") -> Page:
    return office.staff().get(f"{LIST}do/{step}?{query(*requests)}")


def rows(page: Page) -> list[list[str]]:
    """The texts of each row's cells, in page order."""
    return [
        [" ".join(cell.get_text(" ").split()) for cell in row.select("td")]
        for row in page.soup.select("#step tbody tr")
    ]


def transfer(app: Flask, *, receiving: bool = False) -> tuple[int, str, str]:
    """A transfer to be approved: its id, the new office and the present one."""
    with app.app_context():
        offices = transfer_factories.make_offices()
        req = transfer_factories.make_submitted(app, offices, receiving=receiving)
        return req.id, offices.new.name_en, offices.present.name_en


def test_each_of_many_names_service_and_organisation(office: Office) -> None:
    licence = office.licence()
    letter = office.about(licence, "letter", language="ar", addressee="بنك الخليج")
    exam = office.request()
    shown = {
        cells[0].split()[0]: cells for cells in rows(asked(office, letter, exam, step="reject"))
    }
    for request_id, service in (
        (letter, "‘To whom it may concern’ letter"),
        (exam, "the clearing"),
    ):
        number, organisation = office.read(
            request_id, lambda req: (req.number, req.organisation.name_en)
        )
        assert service in shown[number][0]
        assert organisation in shown[number][1]


def test_a_transfer_names_the_receiving_office_alone_and_among_many(
    app: Flask, office: Office
) -> None:
    for receiving in (False, True):
        request_id, new, _present = transfer(app, receiving=receiving)
        page = office.staff().get(f"{LIST}{request_id}/do/approve")
        named = {
            row.dt.get_text(strip=True): row.dd.get_text(strip=True)
            for row in page.soup.select(".definitions > div")
        }
        assert named["New clearing office"] == new
        ((_number, person, *_more),) = rows(asked(office, request_id))
        assert person.endswith(f"New clearing office: {new}")


def test_what_is_final_is_set_apart_first_with_a_warning(office: Office) -> None:
    letters = [
        office.about(office.licence(), "letter", language="ar", addressee="بنك الخليج")
        for _each in range(3)
    ]
    final = office.about(office.licence(), "cancellation")
    browser = office.staff()
    page = browser.get(f"{LIST}do/approve?{query(*letters, final)}")
    groups = page.soup.select("#step .step-group")
    assert [len(group.select("tbody tr")) for group in groups] == [1, 3]
    assert groups[0].select_one("h2").get_text(strip=True) == "Cannot be undone"
    warning = groups[0].select_one(".alert-danger").get_text(" ")
    assert "cancelled permanently" in warning
    assert rows(page)[0][0].split()[0] == office.read(final, lambda req: req.number)
    assert groups[1].select_one("h2").get_text(strip=True) == "Other selected requests"
    done = browser.submit(page, {}, form="#step")
    assert "Done for 4 requests." in done.text


def test_without_anything_final_there_is_one_table(office: Office) -> None:
    final = office.about(office.licence(), "cancellation")
    letter = office.about(office.licence(), "letter", language="ar", addressee="بنك الخليج")
    assert asked(office, letter, office.request()).soup.select("#step .step-group h2") == []
    rejected = asked(office, final, letter, step="reject")  # a rejection can be asked anew
    assert rejected.soup.select("#step .step-group h2") == []


def test_a_single_final_approval_says_so(office: Office) -> None:
    final = office.about(office.licence(), "cancellation")
    page = office.staff().get(f"{LIST}{final}/do/approve")
    assert "Cannot be undone" in page.soup.select_one(".alert-danger").get_text()
    other = office.staff().get(f"{LIST}{final}/do/reject")
    assert other.soup.select_one(".alert-danger") is None
    assert office.status(final) == Status.SUBMITTED
