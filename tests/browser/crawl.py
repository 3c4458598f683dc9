"""Finding the pages of an area: one of each kind, followed from link to link."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import urlsplit

from bs4 import BeautifulSoup

from tests.browser.visits import Visit

# The address, and the state that stands in the same row or card.
LINKS = """all => all.map((link) => [
  link.getAttribute("href").split("#")[0],
  link.closest("tr")?.querySelector(".badge")?.textContent.trim() ?? "",
])"""
FILES = re.compile(
    r"/export/|\.csv|/print|/file|/pages/|/issued/\d+/$|/final-list$|/pack$|/pack\?|\.xlsx$"
)
# A number, or the name of one of many of the same kind.
ONE_OF_MANY = re.compile(
    r"/(?:\d+|[a-z_]+:[a-z_:]+)(?=/|$)|(?<=/services/)[a-z_]+|(?<=/fields/)\w+|(?<=/sections/)\w+"
    r"|(?<=/lists/)\w+"
    r"|(?<=/documents/documents/)\w+|(?<=/stages/)\w+|(?<=/issued/issued/)\w+"
)


def kind_of(path: str) -> str:
    """What pages have in common that only show other rows, in another order or other pages."""
    return ONE_OF_MANY.sub("/#", urlsplit(path).path)


def links_of(visit: Visit) -> list[tuple[str, str]]:
    """Every page of the same area that the open page leads to, with the state of its row."""
    found: list[tuple[str, str]] = visit.page.eval_on_selector_all("a[href]", LINKS)
    return [(link, state) for link, state in found if _is_near(link, visit.path)]


def _is_near(link: str, path: str) -> bool:
    """Whether it is a page, and of the same area."""
    return link.split("/")[1:2] == path.split("/")[1:2] and not FILES.search(link)


def states_in(visit: Visit, path: str, details: str) -> list[str]:
    """One details page for each state in a list."""
    visit.open(path)
    found = {state: link for link, state in links_of(visit) if state and details in link}
    return sorted(found.values())


def pages_from(
    visit: Visit,
    starts: Iterable[str],
    leave: Callable[[str], bool] = lambda kind: False,
    skim: Callable[[str], bool] = lambda path: False,
) -> Iterator[str]:
    """Open `starts`, then one page of each further kind that they lead to; yield each path.

    leave: kinds of pages that somebody else looks at, with all that they lead to. skim: pages that
    somebody else looks at; what they lead to is followed.
    """
    waiting = list(dict.fromkeys(starts))
    seen = {kind_of(path) for path in waiting}
    unopened: set[str] = set()
    while waiting:
        path = waiting.pop(0)
        if path in unopened:
            links = _links_in(visit, path)
        else:
            visit.open(path)
            links = [link for link, _ in links_of(visit)]
            yield path
        for link in links:
            if (kind := kind_of(link)) not in seen and not leave(kind):
                seen.add(kind)
                waiting.append(link)
                if skim(link):
                    unopened.add(link)


def _links_in(visit: Visit, path: str) -> list[str]:
    """Where a page leads, without showing it."""
    soup = BeautifulSoup(visit.ask(path).text(), "lxml")
    links = [str(anchor["href"]).split("#")[0] for anchor in soup.select("a[href]")]
    return [link for link in links if _is_near(link, path)]
