"""What the largest form that a service can have costs: filled in, checked, published and built.

    python -m benchmarks.forms 30                    # SQLite and PostgreSQL, in new folders
    python -m benchmarks.forms 30 --kind sqlite

The form has 120 fields of all types, a third of them under a condition, choices of 20 and two of a
list. Processor milliseconds of complete answers: the fastest, which other work disturbs least, and
the median.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

from flask import Flask

from benchmarks import worlds
from clearance.auth.sessions import actor_of
from clearance.core.clock import kuwait_date, utc_now
from clearance.core.extensions import db
from clearance.models import ChoiceList
from clearance.requests import drafts
from clearance.services import drafting, versions
from clearance.services.drafting import Source
from tests.support import factories
from tests.support.pages import PageClient, form_data

CODE, FIELDS = "long_form", 120
TYPES = (
    *("text", "choice", "number", "date", "choices", "amount", "bool", "textarea"),
    *("mobile", "email", "country", "civil_number", "passport_no", "licence_no"),
)


def main() -> None:
    """Measure each so many times on the chosen databases; print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("times", type=int)
    parser.add_argument("--kind", choices=worlds.KINDS)
    args = parser.parse_args()
    print("| database | what | fastest | median |")
    print("|---|---|---:|---:|")
    for kind in [args.kind] if args.kind else worlds.KINDS:
        with worlds.made(kind) as url, tempfile.TemporaryDirectory() as folder:
            app = worlds.application(url, folder)
            for name, act in _acts(app).items():
                _print(kind, name, act, args.times)
            with app.app_context():
                db.engine.dispose()


def document() -> dict[str, Any]:
    """Return the definition of the form."""
    words = {"ar": "استمارة طويلة", "en": "Long form"}
    return dict(
        schema=2, code=CODE, prefix="LNG", title=words, description=words, subject="person",
        start="broker_type", subscription="automatic", exclusive="none", flow="standard",
        processing_days=5, fields=[_field(number) for number in range(FIELDS)],
        sections=[_named(f"part_{number}", "title") for number in range(20)],
    )  # fmt: skip


def _field(number: int) -> dict[str, Any]:
    kind = TYPES[number % len(TYPES)]
    field = _named(f"field_{number}", "label") | {"type": kind, "section": f"part_{number // 6}"}
    if kind == "choice" and number > FIELDS - 2 * len(TYPES):
        field["list"] = "ports"
    elif kind.startswith("choice"):
        field["choices"] = _choices(20)
    if number % 3 == 2:
        field["when"] = {"field": f"field_{(number - 1) // len(TYPES) * len(TYPES)}", "is": ["a"]}
    return field


def _named(name: str, key: str) -> dict[str, Any]:
    return {"name": name, key: {"ar": f"الحقل {name}", "en": f"The field {name}"}}


def _choices(count: int) -> list[dict[str, Any]]:
    return [
        {"value": f"value_{number}", "label": {"ar": f"الخيار {number}", "en": f"Choice {number}"}}
        for number in range(count)
    ]


def _acts(app: Flask) -> dict[str, Callable[[], Any]]:
    """Return what is measured, by name."""
    with app.app_context():
        db.session.add(
            ChoiceList(code="ports", name_ar="الموانئ", name_en="Ports", items=_choices(200))
        )
        versions.publish(document(), None, utc_now())
        agent, keeper = factories.make_agent(), factories.make_staff("administrator")
        req = drafts.start(CODE, actor_of(agent), utc_now(), "private")
        db.session.commit()
        form_url = f"/my/requests/{req.id}/form"
        mine, office = PageClient(app), PageClient(app)
        factories.sign_in(mine, agent)
        factories.sign_in(office, keeper)
    page = mine.get(form_url, check=False)
    typed = form_data(page.form("#request-form"))
    builder = f"/office/services/{CODE}/draft/form/"

    def autosave() -> None:
        answer = mine.http.post(f"{form_url}/autosave", data=typed | {"field_0": "a"})
        typed["version"] = str(answer.json["version"])

    field = f"{builder}fields/field_1/"
    properties = form_data(office.get(field, check=False).form("#part-form"))

    def save_field() -> None:
        properties["label_en"] = f"Field {time.monotonic_ns()}"
        answer = office.http.post(field, data=properties, headers={"Accept": "application/json"})
        properties.update(answer.json["versions"], version=str(answer.json["version"]))

    return {
        "the form is shown": lambda: mine.http.get(form_url),
        "one field is saved by autosave": autosave,
        "the check-up of its draft": _within(app, _check),
        "it is published": _within(app, _publish),
        "the builder's form part": lambda: office.http.get(builder),
        "the builder's page of a field": lambda: office.http.get(field),
        "the builder saves a field": save_field,
        "the preview": lambda: office.http.get(f"/office/services/{CODE}/draft/preview/"),
    }


def _within(app: Flask, act: Callable[[], Any]) -> Callable[[], None]:
    def acted() -> None:
        with app.test_request_context(method="POST"):
            act()
            db.session.rollback()

    return acted


def _check() -> None:
    drafting.findings(Source(CODE, document(), None, None), kuwait_date(utc_now()))


def _publish() -> None:
    versions.publish(document(), None, utc_now())
    db.session.flush()


def _print(database: str, name: str, act: Callable[[], Any], times: int) -> None:
    act()  # fills the caches
    spent = []
    for _time in range(times):
        began = time.thread_time()
        act()
        spent.append((time.thread_time() - began) * 1000)
    print(
        f"| {database} | {name} | {min(spent):.0f} | {statistics.median(spent):.0f} |", flush=True
    )


if __name__ == "__main__":
    main()
