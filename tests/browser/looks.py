"""What is wrong with a page as it stands: accessibility, and parts wider than the screen."""

from __future__ import annotations

from collections.abc import Iterable

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

HEIGHTS = {1280: 900, 768: 1024, 390: 844}
# Only what is wrong is asked for, and of that only what a report names: the rest is megabytes.
RUN_AXE = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
  return found.violations.map((each) => [
    each.id, each.impact, each.nodes.slice(0, 3).map((node) => node.target.join(" ")),
  ]);
}"""
SCREEN = "() => [document.documentElement.scrollWidth, innerWidth]"


def violations(page: Page) -> list[str]:
    """What axe finds, at the width the page has now."""
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(AXE_SCRIPT)
    found = page.evaluate(RUN_AXE)
    return [f"{name} ({impact}) at {targets}" for name, impact, targets in found]


def faults(page: Page) -> list[str]:
    """What axe finds, and whether the page is wider than its screen."""
    needed, screen = page.evaluate(SCREEN)
    wide = [f"{needed} px wide on a screen of {screen}"] if needed > screen else []
    return wide + violations(page)


def faults_at(page: Page, widths: Iterable[int]) -> list[str]:
    """`faults` at each width; the page is loaded once, as when somebody turns the phone."""
    found = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
        found += [f"{width} px: {each}" for each in faults(page)]
    return found
