"""Check-up and ways of a draft in the panel; drafts that are broken at random open everywhere."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import ServiceDraft
from clearance.services import drafting
from tests.support import factories
from tests.support import request_factories as requests
from tests.support.pages import PageClient
from tests.support.permit import PERMIT, permit
from tests.support.properties import examples

CODE = "temporary_permit"
DRAFT = f"/office/services/{CODE}/draft"
PARTS = (
    *("basics", "who", "form", "documents", "review", "issued", "messages"),
    *("checkup", "ways", "preview", "publish"),
)
STAGE = {
    "name": "check",
    "title": {"ar": "التدقيق", "en": "Check"},
    "when": {"field": "port", "is": ["other"]},
    "fields": [{"name": "seen", "type": "bool", "label": {"ar": "تمت", "en": "Seen"}}],
}
WORDS = {"title": "{number}", "body": "{number} {reason}.\nGo.", "sms": "Go."}
SOUND = permit(
    stages=[STAGE, STAGE | {"name": "sign", "when": None, "fields": []}],
    messages={"approved": {"ar": WORDS, "en": WORDS}},
    guards={"start": [], "send": []},
    issued=[
        {
            "name": "paper",
            "title": {"ar": "تصريح", "en": "Permit"},
            "prefix": "TPX",
            "paragraphs": [{"ar": "إلى {name}", "en": "To {name}", "or": {}}],
            "show": ["port"],
            "valid": {"days": 3},
        }
    ],
)
FULL = os.environ.get("FULL") == "1"
ODD = st.sampled_from(
    [None, "", "x", 0, -1, 10**30, True, 1.5, [], {}, [None], [[]], ["x"], {"ar": 1}, {"x": []}]
)


@pytest.fixture
def client(app: Flask) -> PageClient:
    """An administrator with a draft of the permit."""
    with app.app_context():
        requests.load_services()
        requests.publish(PERMIT)
        factories.make_staff()
        keeper = factories.make_staff("administrator")
        drafting.change(CODE, lambda each: each.update(SOUND), 0, actor_of(keeper), utc_now())
        db.session.commit()
        found = PageClient(app, language="en")
        factories.sign_in(found, keeper)
    return found


def write(app: Flask, document: dict[str, Any]) -> None:
    """Keep a document as the draft's, as no form would."""
    with app.app_context():
        db.session.execute(sa.update(ServiceDraft).values(document=document))
        db.session.commit()


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value within a document."""
    pairs: Any = ()
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, list):
        pairs = enumerate(value)
    for key, each in pairs:
        yield (*path, key)
        yield from places(each, (*path, key))


@st.composite
def broken(draw: st.DrawFn) -> dict[str, Any]:
    """A sound document with up to four values replaced or left out."""
    document = copy.deepcopy(SOUND)
    for _change in range(draw(st.integers(1, 4))):
        paths = [path for path in places(document) if path not in (("code",), ("schema",))]
        *outer, key = draw(st.sampled_from(paths))
        part: Any = document
        for each in outer:
            part = part[each]
        if draw(st.booleans()) or isinstance(part, list):
            part[key] = copy.deepcopy(draw(ODD))
        else:
            del part[key]
    return document


def test_broken_drafts_open_on_every_page(app: Flask, client: PageClient) -> None:
    @examples(max_examples=300 if FULL else 12)
    @given(document=broken(), part=st.sampled_from(PARTS))
    def opens(document: dict[str, Any], part: str) -> None:
        write(app, document)
        assert client.get(f"{DRAFT}/{part}/").h1

    opens()


def test_the_check_up_of_a_broken_draft_never_fails(app: Flask, client: PageClient) -> None:
    @examples(max_examples=300 if FULL else 40)
    @given(document=broken())
    def is_checked(document: dict[str, Any]) -> None:
        with app.app_context():
            found = drafting.source(CODE)
            source = drafting.Source(CODE, document, None, found.base)
            assert all(str(each) for each in drafting.findings(source, utc_now().date()))

    is_checked()


def test_the_ways_of_a_draft_are_shown_with_what_all_have_in_common(client: PageClient) -> None:
    page = client.get("/office/services/transfer/draft/ways/")
    assert "All answers lead to the same." in page.text
    page = client.get(f"{DRAFT}/ways/")
    assert "The ways are shown when no fault is left." in page.text  # a flow besides stages
    client.submit(client.get(f"{DRAFT}/review/"), {}, form="form[action$='/draft/discard']")
    page = client.get(f"{DRAFT}/ways/")
    cards = [card.get_text(" ", strip=True) for card in page.soup.select("main .card")]
    assert "First name in Arabic" in cards[0] and "Name of the port" not in cards[0]
    assert any("“Port” is “Other”" in card and "Name of the port" in card for card in cards[1:])
    client.get("/office/services/ghost/draft/ways/", status=404)


@pytest.mark.parametrize("lang", ["ar", "en"])
def test_the_ways_open_in_both_languages_for_a_manager(app: Flask, lang: str) -> None:
    with app.app_context():
        requests.load_services()
        requests.publish(PERMIT)
        client = PageClient(app, language=lang)
        factories.sign_in(client, factories.make_staff("manager"))
    assert client.get(f"{DRAFT}/ways/").soup.select("main .card li")
