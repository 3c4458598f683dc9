"""Choosing files in a real browser: what each is preset to, and what is not even sent."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Request, expect

from tests.browser import people
from tests.browser.visits import Visit
from tests.support import files


def test_chosen_files_are_preset_to_what_is_missing_and_too_large_ones_are_not_sent(
    visit: Callable[..., Visit],
) -> None:
    agent = visit("en", 390)
    agent.enter("general@example.com")
    page = agent.open("/my/services/")
    with page.expect_navigation():
        page.locator("#service-exam a.button-primary").click()
    page.locator("#broker_type-private").check()
    people.press(page)
    before = page.locator("#documents tbody tr").count()
    sent: list[Request] = []
    page.on("request", lambda request: request.method == "POST" and sent.append(request))
    photo = {"mimeType": "image/jpeg", "buffer": people.picture("a")}
    page.locator("#upload-files").set_input_files(
        [
            {"name": "0.jpg", **photo},
            {"name": "1.pdf", "mimeType": "application/pdf", "buffer": files.pdf()},
            {"name": "2.jpg", **photo},
            {
                "name": "scan.pdf",
                "mimeType": "application/pdf",
                "buffer": b"%PDF-" + b"0" * 11_000_000,
            },
        ]
    )
    rows = page.locator("[data-upload-list] li")
    expect(rows).to_have_count(4)
    kinds = [rows.nth(place).locator("[data-kind]").input_value() for place in range(3)]
    wanted = page.locator("[data-upload-row]").evaluate(
        "template => [...template.content.querySelectorAll('[data-missing]')].map(o => o.value)"
    )
    assert wanted == ["civil_id_copy", "photo", "good_conduct"]
    assert kinds == ["civil_id_copy", "good_conduct", "photo"]  # a photo is no PDF
    expect(rows.nth(3).locator("[data-state]")).to_contain_text("larger than 10 MB")
    assert sent == []
    agent.shoot("upload-too-large")
    page.locator("[data-upload-start] button").click()
    expect(page.locator("#documents tbody tr")).to_have_count(before + 3)
    expect(rows).to_have_count(1)
    assert all(b"scan.pdf" not in (request.post_data_buffer or b"") for request in sent)
