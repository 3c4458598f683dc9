"""Importing a service in a real browser: the questions follow what is chosen."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser import people
from tests.browser.visits import Visit
from tests.support.permit import PERMIT


def test_a_service_is_taken_with_it_under_another_code(visit: Callable[..., Visit]) -> None:
    keeper = visit("en", 390)
    keeper.enter("admin@example.com")
    page = keeper.open("/office/services/renewal/draft/texts/")
    with page.expect_download() as downloaded:
        page.get_by_role("link", name="Download").click()
    assert downloaded.value.suggested_filename == "renewal-texts.xlsx"
    with keeper.open("/office/services/").expect_navigation():
        page.get_by_role("link", name="Import a service").click()
    text = PERMIT.replace("code: temporary_permit", "code: renewal")
    file = {"name": "a.yaml", "mimeType": "text/yaml", "buffer": text.encode()}
    page.locator("[name=pack]").set_input_files([file])
    people.press(page)
    expect(page.locator("[name=code]")).to_be_hidden()
    page.locator("[name=into]").select_option("new")
    page.locator("[name=code]").fill("permit_to_enter")
    page.locator("[name=prefix]").fill("pe")
    keeper.shoot("pack-import")
    people.press(page)
    expect(page.locator("main")).to_contain_text("The draft was made from the file.")
    assert keeper.path == "/office/services/permit_to_enter/draft/checkup/"
