"""Conditions in the browser: the table of cases, evaluated by the script that the form loads."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.browser.visits import Visit

TABLE = json.loads((Path(__file__).parents[1] / "conditions.json").read_text(encoding="utf-8"))
# Builds the form of a case as the page does, types into it, and tells what is shown: by turns, so
# that every case also comes back from the opposite.
SHOWN = """
async ({ kinds, cases }) => {
  const results = [];
  for (const each of cases) {
    const root = document.createElement("div");
    const about = { kinds: { ...kinds, x: "text" }, known: {}, prefix: "" };
    root.dataset.conditions = JSON.stringify(about);
    for (const [name, when] of each.fields) {
      const part = document.createElement("div");
      if (when) part.dataset.when = JSON.stringify(when);
      part.id = `part-${name}`;
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
