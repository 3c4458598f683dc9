"""What a page weighs on the wire: everything that a first visit of a list loads, compressed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

import pytest
from flask import Flask

from clearance.core.extensions import db
from clearance.models import User
from tests.support import factories, request_factories
from tests.support.pages import Page, PageClient

ROWS = 20
FONT_LIMIT = 95 * 1024
OTHER_LIMIT = 55 * 1024
FONTS = {".woff2", ".woff", ".ttf", ".otf"}

_IN_CSS = re.compile(r"url\(\s*['\"]?([^'\")]+)")
# Also the modules that main.js names and loads where a page needs them: the most there can be.
_IMPORTED = re.compile(r"""['"](\.{0,2}/[^'"]+\.js)['"]""")


@pytest.fixture
def owner(app: Flask) -> User:
    with app.app_context():
        user = factories.make_agent()
        for _number in range(ROWS):
            request_factories.make_sent(user)
        db.session.remove()
    return user


def fetch(client: PageClient, url: str) -> tuple[int, str]:
    """Bytes on the wire and the text of what stands at `url` ("" for fonts and pictures)."""
    answer = client.http.get(url, headers={"Accept-Encoding": "br"})
    assert answer.status_code == 200, url
    size = len(answer.get_data())
    if PurePosixPath(url.partition("?")[0]).suffix in {".css", ".js"}:
        return size, client.http.get(url).get_data(as_text=True)
    return size, ""


def loaded_by(page: Page) -> Iterator[str]:
    """The addresses that the page itself makes a browser fetch."""
    links = ("stylesheet", "preload", "modulepreload", "icon")
    chosen = ", ".join(f"link[rel~={link}]" for link in links)
    for tag in page.soup.select(f"{chosen}, script[src], img[src], source[src], use[href]"):
        yield str(tag.get("src") or tag.get("href"))


def beside(url: str, reference: str) -> str:
    """The address that `reference` in the file at `url` means."""
    if reference.startswith("/"):
        return reference
    parts: list[str] = list(PurePosixPath(url.partition("?")[0]).parent.parts)
    for part in PurePosixPath(reference).parts:
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return str(PurePosixPath(*parts))


def weights(client: PageClient, address: str) -> dict[str, int]:
    """Address → bytes of the page and of everything it makes a browser load, each once."""
    page = client.get(address)
    assert len(page.soup.select("tbody tr")) == ROWS
    sizes = {address: fetch(client, address)[0]}
    waiting = list(loaded_by(page))
    while waiting:
        url = waiting.pop().partition("#")[0]
        if not url or url.startswith("data:") or url in sizes:
            continue
        sizes[url], text = fetch(client, url)
        found = _IN_CSS.findall(text) if ".css" in url else _IMPORTED.findall(text)
        waiting += [beside(url, each) for each in found if not each.startswith(("data:", "#"))]
    return sizes


def is_font(url: str) -> bool:
    return PurePosixPath(url.partition("?")[0]).suffix in FONTS


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_a_list_page_is_light(app: Flask, owner: User, lang: str) -> None:
    with app.app_context():
        db.session.get_one(User, owner.id).language = lang
        db.session.commit()
    client = factories.browser_of(app, owner, language=None)
    sizes = weights(client, "/my/requests/")
    fonts = sum(size for url, size in sizes.items() if is_font(url))
    others = sum(sizes.values()) - fonts
    assert len([url for url in sizes if is_font(url)]) == 2, sizes
    assert any(url.endswith("/submit.js") for url in sizes), sizes
    print(f"{lang}: fonts {fonts:,}, all else {others:,} bytes")
    assert fonts <= FONT_LIMIT, sizes
    assert others < OTHER_LIMIT, sizes


def test_a_page_view_after_the_first_asks_for_the_page_alone(app: Flask, owner: User) -> None:
    client = factories.browser_of(app, owner)
    loaded = weights(client, "/my/requests/").keys() - {"/my/requests/"}
    kept = {url: client.http.get(url).headers["Cache-Control"] for url in loaded}
    assert len([url for url in kept if url.endswith(".js")]) > 5, kept
    assert {url: how for url, how in kept.items() if "immutable" not in how} == {}
