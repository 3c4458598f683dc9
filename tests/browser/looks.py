"""What is wrong with a page as it stands: accessibility, and parts wider than the screen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

DESK = 1280
PHONE = 390
TABLET = 768  # has the parts of a phone in the order of a desk: only its width is new
CONTRAST = "color-contrast"
HEIGHTS = {DESK: 900, TABLET: 1024, PHONE: 844}
# Only what is wrong is asked for, and of that only what a report names: the rest is megabytes.
RUN_AXE = """async ([options, ofNewWords]) => {
  const where = ofNewWords ? { include: window.newWords } : document;
  const found = await axe.run(where, { resultTypes: ["violations"], ...options });
  return found.violations.map((each) => [
    each.id, each.impact, each.nodes.slice(0, 3).map((node) => node.target.join(" ")),
  ]);
}"""
# Contrast is most of what axe costs, so a walk has it judged once for each kind of words: the same
# element and class with the same colour, size and weight, and the same colours behind it.
NEW_WORDS = """(known) => {
  const seen = new Set(known), kinds = [], behind = new Map([[null, ""]]);
  const ground = (each) => {
    if (!behind.has(each)) {
      const style = getComputedStyle(each);
      const own = [style.backgroundColor, style.backgroundImage, style.opacity, style.position];
      behind.set(each, `${own.join()} ${ground(each.parentElement)}`);
    }
    return behind.get(each);
  };
  const isWritten = (each) => each.matches("input:not([type=hidden]), select, textarea")
    || [...each.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
  const isIdle = (each) => Boolean(each.closest(":disabled, [aria-disabled=true]")
    ?? each.closest("label")?.control?.disabled);
  window.newWords = [...document.body.querySelectorAll("*")].filter((each) => {
    if (!isWritten(each) || !each.checkVisibility({ visibilityProperty: true })) return false;
    const style = getComputedStyle(each);
    const kind = [each.localName, each.type, each.className, style.color, style.fontSize,
      style.fontWeight, style.textShadow, isIdle(each), ground(each)].join("|");
    const isNew = !seen.has(kind);
    if (isNew) kinds.push(kind);
    seen.add(kind);
    return isNew;
  });
  return kinds;
}"""
# What a finger presses, but for the boxes whose words are pressed with them.
PRESSED = """() => [...document.querySelectorAll(`main :is(button, summary, select, a.button,
  input:not([type=hidden], [type=checkbox], [type=radio], [type=file])), .side-menu a,
  .header-tools :is(a, button), .site-footer a, .chip, .pagination a, .page-sizes a`)].filter(
    (each) => each.checkVisibility({ visibilityProperty: true })
      && !each.closest(".visually-hidden, thead") && each.getBoundingClientRect().height < 43.5,
  ).map((each) => `${each.localName} ${each.name || each.textContent.trim().slice(0, 40)}`)"""
SCREEN = "() => [document.documentElement.scrollWidth, innerWidth]"


def violations(page: Page, known: set[str] | None = None) -> list[str]:
    """What axe finds, at the width the page has now.

    known: the kinds of words whose contrast was judged before, for a walk over many pages; the
    page's own are added.
    """
    if known is None:
        return _axe(page, {})
    return _axe(page, {"rules": {CONTRAST: {"enabled": False}}}) + contrast(page, known)


def contrast(page: Page, known: set[str]) -> list[str]:
    """What axe finds about the colours of words whose kind is not among `known`; adds them."""
    new = page.evaluate(NEW_WORDS, sorted(known))
    known.update(new)
    return _axe(page, {"runOnly": [CONTRAST]}, of_new_words=True) if new else []


def _axe(page: Page, options: dict[str, Any], *, of_new_words: bool = False) -> list[str]:
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(AXE_SCRIPT)
    found = page.evaluate(RUN_AXE, [options, of_new_words])
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
    page: Page,
    widths: Iterable[int],
    judged: Iterable[int] = (DESK, PHONE),
    known: set[str] | None = None,
) -> list[str]:
    """`misfits` at each width, and what axe finds at those `judged`; see `violations` for `known`.

    The page is loaded once, as when somebody turns the phone.
    """
    found = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
        here = misfits(page) + (violations(page, known) if width in judged else [])
        found += [f"{width} px: {each}" for each in here]
    return found


def pale_words(page: Page, media: Literal["screen", "print"], known: set[str]) -> list[str]:
    """What cannot be read in the dark, or on paper from there, though it can on a bright screen.

    known: as of `violations`.
    """
    page.emulate_media(color_scheme="dark", media=media)
    found = contrast(page, known)
    page.emulate_media(color_scheme="light", media="screen")
    return [f"dark, {media}: {each}" for each in found]
