"""A browser without JavaScript: reads pages, checks what every page owes, submits its forms."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from bs4 import BeautifulSoup, Tag
from flask import Flask
from lxml import html
from werkzeug.test import TestResponse

TOKEN = re.compile('name="csrf_token" value="([^"]+)"')
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)")
PARSER = html.HTMLParser(encoding="utf-8")
# Not what a script, a style or a template has in it.
WRITTEN = "//text()[not(ancestor::script or ancestor::style or ancestor::template)]"
ARABIC = re.compile(r"[\u0600-\u06FF]")


class Page:
    """One answer, parsed."""

    def __init__(self, response: TestResponse, url: str) -> None:
        self.response = response
        self.url = url
        self.status = response.status_code

    @cached_property
    def soup(self) -> BeautifulSoup:
        """The page as a tree, made when it is first asked for, as it takes longest."""
        return BeautifulSoup(self.response.get_data(as_text=True), "lxml")

    @cached_property
    def tree(self) -> Any:
        """The page as lxml has it, for a tenth of the time, for what every page is asked."""
        return html.document_fromstring(self.response.get_data() or b"<p>", PARSER)

    @property
    def text(self) -> str:
        """All text of the page, white space folded."""
        return _folded(self.tree.xpath(WRITTEN))

    @property
    def h1(self) -> str:
        """The page's one heading."""
        return next((_folded(each.xpath(".//text()")) for each in self.tree.iter("h1")), "")

    @property
    def csv_rows(self) -> list[dict[str, str]]:
        """The rows of a CSV file, by the names in its header."""
        text = self.response.get_data().decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def form(self, selector: str = "main form") -> Tag:
        """The first form that fits the CSS selector; fails when there is none."""
        found = self.soup.select_one(selector)
        assert found is not None, f"no form {selector!r} on {self.url}: {self.text[:300]}"
        return found if found.name == "form" else found.find_parent("form")

    def link(self, label: str) -> str:
        """The address behind the link whose text contains `label`."""
        for anchor in self.soup.find_all("a"):
            if label in " ".join(anchor.get_text(" ").split()):
                return str(anchor["href"])
        raise AssertionError(f"no link {label!r} on {self.url}")

    def error_of(self, name: str) -> str:
        """The error text beside the field `name`, by aria-describedby; "" when there is none."""
        field = self.soup.find(attrs={"name": name})
        assert field is not None, f"no field {name!r} on {self.url}"
        for ref in str(field.get("aria-describedby", "")).split():
            node = self.soup.find(id=ref)
            if node is not None and "error" in ref:
                return " ".join(node.get_text(" ").split())
        return ""

    def check(self) -> Page:
        """Assert what every page owes: language, direction, one h1, unique ids, labelled inputs."""
        root = self.tree
        assert root.get("lang") in {"ar", "en"}, self.url
        assert root.get("dir") == ("rtl" if root.get("lang") == "ar" else "ltr"), self.url
        tags = list(root.iter("*"))
        assert sum(tag.tag == "h1" for tag in tags) == 1, f"{self.url} needs one h1"
        ids = [tag.get("id") for tag in tags if tag.get("id") is not None]
        assert len(ids) == len(set(ids)), f"double ids on {self.url}: {_doubles(ids)}"
        labelled = {tag.get("for") for tag in tags if tag.tag == "label"} - {None}
        ids_of_forms = {tag.get("id") for tag in tags if tag.tag == "form"}
        level = 1
        for tag in tags:
            fault = _fault_of(tag, level, ids_of_forms)
            assert not fault, f"{self.url}: {fault}: {html.tostring(tag)[:200]!r}"
            level = int(tag.tag[1]) if tag.tag in HEADINGS else level
            handlers = [name for name in tag.attrib if name.startswith("on") or name == "style"]
            assert not handlers, f"{self.url}: inline {handlers} on <{tag.tag}>"
            assert tag.tag != "script" or "src" in tag.attrib, f"inline script on {self.url}"
            if tag.tag in {"input", "select", "textarea"} and _within(tag, "main"):
                self._check_label(tag, labelled)
        return self

    def _check_label(self, field: Any, labelled_ids: set[Any]) -> None:
        if field.get("type") in {"hidden", "submit", "button"}:
            return
        named = field.get("aria-label") or field.get("aria-labelledby")
        labelled = field.get("id") in labelled_ids
        named = named or labelled or _within(field, "label")
        assert named, f"{self.url}: {field.get('name')} has no label"


class PageClient:
    """Keeps cookies, follows redirects, posts the forms that pages show (with their CSRF token)."""

    def __init__(self, app: Flask, *, language: str | None = None, ip: str = "127.0.0.1") -> None:
        self.app = app
        self.http = app.test_client()
        self.ip = ip
        if language:
            self.http.set_cookie("lang", language)

    def get(self, url: str, *, status: int = 200, check: bool = True) -> Page:
        """Open a page; asserts the status, and what every page owes."""
        return self._page(self.http.get(url, **self._options()), url, status, check)

    def post(
        self, url: str, data: dict[str, Any], *, status: int = 200, check: bool = True
    ) -> Page:
        """Post raw data, with a CSRF token taken from the sign-in or any page with a form."""
        data = {"csrf_token": self.csrf_token(), **data}
        return self._page(self.http.post(url, data=data, **self._options()), url, status, check)

    def submit(
        self,
        page: Page,
        values: dict[str, Any] | None = None,
        *,
        form: str = "main form",
        press: str | None = None,
        status: int = 200,
        check: bool = True,
    ) -> Page:
        """Fill in and send a form of `page`. press: "name=value" of the button that is pressed."""
        tag = page.form(form)
        data = form_data(tag)
        data.update(values or {})
        if press:
            name, _, value = press.partition("=")
            data[name] = value
        data = {key: value for key, value in data.items() if value is not None}
        url = str(tag.get("action") or page.url)
        if str(tag.get("method", "get")).lower() == "get":
            response = self.http.get(url, query_string=data, **self._options())
        else:
            response = self.http.post(
                url,
                data=data,
                content_type="multipart/form-data",
                headers={"Referer": f"http://localhost{page.url}"},
                **self._options(),
            )
        return self._page(response, url, status, check)

    def csrf_token(self) -> str:
        """A valid CSRF token of this browser."""
        for url in ("/support", "/login"):
            page = self.http.get(url, **self._options()).get_data(as_text=True)
            field = TOKEN.search(page)
            if field is not None:
                return field[1]
        raise AssertionError("no page with a CSRF token")

    def _options(self) -> dict[str, Any]:
        return {"follow_redirects": True, "environ_overrides": {"REMOTE_ADDR": self.ip}}

    def _page(self, response: TestResponse, url: str, status: int, check: bool) -> Page:
        final = response.request.full_path.rstrip("?") if response.history else url
        page = Page(response, final)
        assert page.status == status, f"{url}: {page.status}, not {status}: {page.text[:600]}"
        if check and response.mimetype == "text/html":
            page.check()
        return page


def _folded(texts: Iterable[str]) -> str:
    return " ".join(" ".join(texts).split())


def _within(tag: Any, name: str) -> bool:
    return next(tag.iterancestors(name), None) is not None


def _fault_of(tag: Any, level: int, ids_of_forms: set[Any]) -> str:
    """What HTML's rules for one element forbid in `tag`, "" for nothing.

    level: that of the heading before. Only rules that pages once broke, and links to forms.
    """
    if tag.tag in HEADINGS and int(tag.tag[1]) > level + 1:
        return "a heading skips a level"
    if tag.tag == "section" and not (
        tag.get("aria-label") or any(True for _heading in tag.iter(*HEADINGS))
    ):
        return "a section without a heading or label"
    if tag.tag == "form" and tag.get("action") == "":
        return "an empty action; leave it out for the page itself"
    if tag.tag == "time" and not MOMENT.fullmatch(str(tag.get("datetime"))):
        return "no date and time with at most three digits of a second"
    is_required = tag.tag == "select" and "required" in tag.attrib
    if is_required and next(tag.iter("option")).get("value") != "":
        return "a required list that does not begin with an empty option"
    if tag.tag == "input" and tag.get("autocomplete") == "street-address":
        return "an address of several lines in a box of one"
    if tag.get("form") is not None and tag.get("form") not in ids_of_forms:
        return "it belongs to a form that is not on the page"
    return ""


def form_data(form: Tag) -> dict[str, Any]:
    """What a browser would send for the form as it stands (buttons excluded)."""
    data: dict[str, Any] = {}
    for field in form.find_all(["input", "select", "textarea"]):
        name = field.get("name")
        kind = field.get("type", "text")
        if not name or field.has_attr("disabled") or kind in {"submit", "button", "file", "image"}:
            continue
        if field.find_parent("template"):
            continue
        if kind in {"checkbox", "radio"} and not field.has_attr("checked"):
            continue
        if field.name == "select":
            chosen = field.select_one("option[selected]") or field.find("option")
            value: Any = str(chosen.get("value", "")) if chosen else ""
        elif field.name == "textarea":
            value = field.get_text()
        else:
            value = field.get("value", "on" if kind == "checkbox" else "")
        if name in data:
            earlier = data[name] if isinstance(data[name], list) else [data[name]]
            data[name] = [*earlier, value]
        else:
            data[name] = value
    return data


def _doubles(ids: list[str]) -> set[str]:
    return {each for each in ids if ids.count(each) > 1}


def without_chance(response: TestResponse) -> tuple[Any, ...]:
    """Status, headers and body of an answer, without the headers that differ each time."""
    ignored = {"x-request-id", "set-cookie", "date"}
    headers = sorted((k.lower(), v) for k, v in response.headers if k.lower() not in ignored)
    return response.status_code, headers, response.get_data()
