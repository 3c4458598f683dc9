"""Conditions in the browser: the table of cases, evaluated by the script that the form loads."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import people
from tests.browser.looks import faults
from tests.browser.visits import Portal, Visit
from tests.support.permit import permit

TABLE = json.loads((Path(__file__).parents[1] / "conditions.json").read_text(encoding="utf-8"))
# Builds the form of a case as the page does, types into it, and tells what is shown: by turns, so
# that every case also comes back from the opposite.
SHOWN = """
async ({ kinds, columns, cases }) => {
  const results = [];
  for (const each of cases) {
    const root = document.createElement("div");
    const cells = Object.fromEntries(columns.map(([name, kind]) => [name, kind]));
    const all = { ...kinds, x: "text" };
    const about = { kinds: all, columns: { items: cells }, known: {}, prefix: "" };
    root.dataset.conditions = JSON.stringify(about);
    for (const [name, when] of each.fields) {
      const part = document.createElement("div");
      if (when) part.dataset.when = JSON.stringify(when);
      part.id = `part-${name}`;
      if (kinds[name] === "rows") {
        const list = document.createElement("div");
        list.dataset.rows = name;
        part.append(list);
        const keys = Object.keys(each.typed).map((key) => /^items-(\\d+)-/.exec(key)?.[1]);
        for (const key of new Set(keys.filter(Boolean))) {
          const row = document.createElement("div");
          row.dataset.row = key;
          for (const [column, , hides] of columns) {
            const cell = document.createElement("div");
            if (hides) cell.dataset.when = JSON.stringify(hides);
            const input = document.createElement("input");
            input.name = `items-${key}-${column}`;
            cell.append(input);
            row.append(cell);
          }
          list.append(row);
        }
        root.append(part);
        continue;
      }
      const values = kinds[name] === "choices" ? ["a", "b", "c"] : ["y"];
      for (const value of values) {
        const input = document.createElement("input");
        input.name = name;
        const isBox = ["choices", "bool"].includes(kinds[name]);
        if (isBox) Object.assign(input, { type: "checkbox", value });
        part.append(input);
      }
      root.append(part);
    }
    document.body.append(root);
    const { follow } = await import("/static/js/conditions.js");
    follow(root);
    for (const isTyped of [true, false, true]) {
      for (const input of root.querySelectorAll("input")) {
        const typed = isTyped ? each.typed[input.name] : undefined;
        if (input.type === "checkbox") input.checked = [typed].flat().includes(input.value);
        else input.value = typed ?? "";
      }
      root.dispatchEvent(new Event("input"));
    }
    const names = each.fields.map(([name]) => name);
    results.push(names.filter((name) => !root.querySelector(`#part-${name}`).hidden));
    root.remove();
  }
  return results;
}
"""


def test_the_browser_shows_what_the_table_says(visit: Callable[..., Visit]) -> None:
    page = visit("en").open("/login")
    shown = page.evaluate(SHOWN, TABLE)
    wanted = [case["shown"] for case in TABLE["cases"]]
    wrong = [
        (case["case"], found, case["shown"])
        for case, found in zip(TABLE["cases"], shown, strict=True)
        if found != case["shown"]
    ]
    assert wrong == [] and len(shown) == len(wanted)


TOO_EARLY = {"ar": "تنتهي الزيارة قبل أن تبدأ.", "en": "The visit ends before it starts."}
SEND = "button[name=submit][value=send]"


def publish(portal: Portal, definition: dict[str, Any]) -> None:
    """Store a definition as a service's version in use, once."""
    code, written, now = definition["code"], json.dumps(definition), "2026-01-01 00:00:00"
    if not portal.rows("SELECT 1 FROM service WHERE code = ?", code):
        portal.rows(
            "INSERT INTO service (code, prefix, position, is_active) VALUES (?, ?, 99, 1)",
            *(code, definition["prefix"]),
        )
        portal.rows(
            "INSERT INTO service_version (service_code, number, definition, published_at)"
            " VALUES (?, 1, ?, ?)",
            *(code, written, now),
        )


def begin(visit: Visit, definition: dict[str, Any]) -> Any:
    """Begin a request for the service that is published so; return the page of its form."""
    publish(visit.portal, definition)
    page = visit.open("/my/services/")
    with page.expect_navigation():
        page.locator(f"#service-{definition['code']} a.button-primary").click()
    page.locator("#broker_type-private").check()
    people.press(page)
    return page


@pytest.mark.parametrize(("lang", "width"), [("ar", 390), ("en", 1280)])
def test_a_form_follows_what_is_typed(agent: Any, lang: str, width: int) -> None:
    visit = agent(lang, width)
    page = begin(visit, permit())
    value = page.locator("[name=value]")
    expect(value).to_be_hidden()
    people.fill(page, {"purpose": "cargo", "port": "other"})
    expect(value).to_be_visible()
    people.fill(page, {"other_port": "الدوحة", "value": "١٬٢٥٠٫٥", "visitors": "12"})
    page.locator("[name=goods][value=food]").check()
    said = page.locator("[name=goods_text]")
    expect(said).to_be_hidden()
    page.locator("[name=goods][value=other_goods]").check()
    expect(said).to_be_visible()
    page.locator("[name=goods][value=other_goods]").uncheck()
    expect(said).to_be_hidden()
    expect(page.locator("[name=contact]")).to_be_visible()
    letter = page.locator("#upload-kind option[value=office_letter]")
    expect(letter).to_have_count(1)
    expect(page.locator("#documents-wanted li")).to_have_count(2)
    assert faults(page) == []
    visit.shoot("own-form-cargo")
    people.fill(page, {"purpose": "crew"})
    expect(value).to_be_hidden()
    expect(letter).to_have_count(0)
    people.fill(page, {"name_ar_1": "سالم", "starts_on": "03/04/2031", "ends_on": "02/04/2031"})
    people.press(page, SEND)
    expect(page.locator("[data-error-summary]")).to_contain_text(TOO_EARLY[lang])
    assert faults(page) == []
    visit.shoot("own-form-refused")
