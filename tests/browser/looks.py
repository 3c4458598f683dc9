"""What is wrong with a page as it stands: accessibility, and parts wider than the screen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

DESK = 1280
PHONE = 390
TABLET = 768  # has the parts of a phone in the order of a desk: only its width is new
HEIGHTS = {DESK: 900, TABLET: 1024, PHONE: 844}
# Only what is wrong is asked for, and of that only what a report names: the rest is megabytes.
RUN_AXE = """async (rules) => {
  const options = { resultTypes: ["violations"], ...(rules && { runOnly: rules }) };
  const found = await axe.run(document, options);
  return found.violations.map((each) => [
    each.id, each.impact, each.nodes.slice(0, 3).map((node) => node.target.join(" ")),
  ]);
}"""
# What a finger presses, but for the boxes whose words are pressed with them.
PRESSED = """() => [...document.querySelectorAll(`main :is(button, summary, select, a.button,
  input:not([type=hidden], [type=checkbox], [type=radio], [type=file])), .side-menu a,
  .header-tools :is(a, button), .site-footer a, .chip, .pagination a, .page-sizes a`)].filter(
    (each) => each.checkVisibility({ visibilityProperty: true })
      && !each.closest(".visually-hidden, thead") && each.getBoundingClientRect().height < 43.5,
  ).map((each) => `${each.localName} ${each.name || each.textContent.trim().slice(0, 40)}`)"""
SCREEN = "() => [document.documentElement.scrollWidth, innerWidth]"


def violations(page: Page, *rules: str) -> list[str]:
    """What axe finds, at the width the page has now; by all its rules, or by these."""
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(AXE_SCRIPT)
    found = page.evaluate(RUN_AXE, list(rules) or None)
    return [f"{name} ({impact}) at {targets}" for name, impact, targets in found]


def overflow(page: Page) -> list[str]:
    """Whether the page is wider than its screen."""
    needed, screen = page.evaluate(SCREEN)
    return [f"{needed} px wide on a screen of {screen}"] if needed > screen else []


def small_targets(page: Page) -> list[str]:
    """What is too low for a finger on a phone."""
    return [f"under 44 px: {each}" for each in page.evaluate(PRESSED)]


def misfits(page: Page) -> list[str]:
    """What the width alone does: parts wider than the page, and what a finger would miss."""
    size = page.viewport_size
    targets = small_targets(page) if size and size["width"] == PHONE else []
    return overflow(page) + targets


def faults(page: Page) -> list[str]:
    """What axe finds, whether the page is wider than its screen, and what a finger would miss."""
    return misfits(page) + violations(page)


def faults_at(
    page: Page, widths: Iterable[int], judged: Iterable[int] = (DESK, PHONE)
) -> list[str]:
    """`misfits` at each width, and what axe finds at those `judged`.

    The page is loaded once, as when somebody turns the phone.
    """
    found = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
        check = faults if width in judged else misfits
        found += [f"{width} px: {each}" for each in check(page)]
    return found


def pale_words(page: Page, media: Literal["screen", "print"]) -> list[str]:
    """What cannot be read in the dark, or on paper from there, though it can on a bright screen."""
    page.emulate_media(color_scheme="dark", media=media)
    found = violations(page, "color-contrast")
    page.emulate_media(color_scheme="light", media="screen")
    return [f"dark, {media}: {each}" for each in found]
