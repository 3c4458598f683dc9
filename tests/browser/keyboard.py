"""Walking through a page with the Tab key, and what was seen on the way."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Page, expect

# What can take the focus, in the order of reading: of radios in a group only the chosen one.
START = """() => {
  const kinds = "a[href], button, input, select, textarea, summary, [tabindex]";
  const group = (each) => [...document.getElementsByName(each.name)];
  const stops = [...document.querySelectorAll(kinds)].filter((each) =>
    each.tabIndex >= 0 && !each.disabled && each.checkVisibility({ visibilityProperty: true })
    && (each.type !== "radio" || each.checked
      || (each === group(each)[0] && !group(each).some((other) => other.checked))));
  const name = (each) => `${each.localName} ${each.name || each.textContent.trim().slice(0, 40)}`;
  const header = document.querySelector(".site-header");
  window.walk = { stops: stops.map(name), seen: [], unmarked: [], covered: [] };
  document.addEventListener("focusin", ({ target }) => {
    const style = getComputedStyle(target);
    window.walk.seen.push(stops.indexOf(target));
    if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) {
      window.walk.unmarked.push(name(target));
    }
    const box = target.getBoundingClientRect();
    if (header && !header.contains(target) && !target.matches(".skip-link")
        && (box.bottom <= header.getBoundingClientRect().bottom || box.top >= innerHeight)) {
      window.walk.covered.push(name(target));
    }
  });
  return stops.length;
}"""


@dataclass(frozen=True)
class Walk:
    """What a walk met. stops: names in reading order; seen: their places in the order of Tab."""

    stops: list[str]
    seen: list[int]
    unmarked: list[str]
    covered: list[str]

    @property
    def faults(self) -> list[str]:
        """What somebody without a mouse would stumble over."""
        wanted = [
            *range(len(self.stops)),
            *reversed(range(len(self.stops) - 1 - BACK, len(self.stops) - 1)),
        ]
        met = list(zip(wanted, self.seen, strict=False))
        astray = next(
            (f"after {self._name(was - 1)}: {self._name(now)}" for was, now in met if was != now),
            "",
        )
        found = [f"order: {astray}"] if astray else []
        if len(self.seen) < len(wanted):
            found.append(f"{len(self.seen)} of {len(wanted)} stops reached")
        found += [f"no ring: {each}" for each in self.unmarked]
        return found + [f"covered: {each}" for each in self.covered]

    def _name(self, place: int) -> str:
        return self.stops[place] if 0 <= place < len(self.stops) else "something else"


DAY_TO_MINUTE = 7  # so many stops Chromium makes inside a date and its time
BACK = 3  # so many steps back at the end, by Shift+Tab


def walk(page: Page) -> Walk:
    """Go through the open page from its first stop to its last, and some steps back."""
    expect(page.locator("[data-reveal][hidden], [data-choose-all][hidden]")).to_have_count(0)
    stops = page.evaluate(START)
    for _ in range(stops):
        page.keyboard.press("Tab")
    for _ in range(DAY_TO_MINUTE * page.locator("input[type^=date]").count()):
        if page.evaluate("window.walk.seen.length") >= stops:
            break
        page.keyboard.press("Tab")
    for _ in range(BACK):
        page.keyboard.press("Shift+Tab")
    return Walk(**page.evaluate("window.walk"))


def skip_to_content(page: Page) -> str:
    """Use the skip link as the first thing on the page; returns the id that has the focus then."""
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    return str(page.evaluate("document.activeElement.id"))


def go_to(page: Page, selector: str, limit: int = 150) -> None:
    """Press Tab until the element has the focus."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
            return
    raise AssertionError(f"Tab does not lead to {selector}")
