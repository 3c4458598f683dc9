"""Requests sent and decided per second when all arrive at once.

    python -m benchmarks.races 1000                  # SQLite and PostgreSQL, in new folders
    python -m benchmarks.races 1000 --kind sqlite

Complete use cases with durable commits: number, claim, sealed audit trail, notices, deliveries.
THREADS: as `python app.py` serves with. CROWD: as heavy tests send.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import Flask

from benchmarks import worlds
from clearance.auth.sessions import actor_of
from clearance.core import chain
from clearance.core.actor import Actor
from clearance.core.clock import utc_now
from clearance.core.errors import TransitionNotAllowed
from clearance.core.extensions import db
from clearance.models import Request
from clearance.requests import transitions
from clearance.services.flows import Action
from tests.support import factories, request_factories
from tests.support.races import race

THREADS, CROWD = 8, 64
Row = tuple[int, int]
"""Id of a request and its last known version."""


def main() -> None:
    """Run every race on the chosen databases; print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("times", type=int)
    parser.add_argument("--kind", choices=worlds.KINDS)
    args = parser.parse_args()
    print("| database | threads | what | a second |\n|---|---:|---|---:|")
    for kind in [args.kind] if args.kind else worlds.KINDS:
        with worlds.made(kind) as url, tempfile.TemporaryDirectory() as files:
            app = worlds.application(url, files)
            for threads in (THREADS, CROWD):
                _round(app, kind, args.times, threads)
            with app.app_context():
                faults = chain.verify(db.session()).faults
                db.session.remove()
                db.engine.dispose()
            assert not faults, faults


def _round(app: Flask, kind: str, times: int, threads: int) -> None:
    with app.app_context():
        agent = factories.make_agent()
        actor = actor_of(agent)
        drafts = [_row(request_factories.make_draft(agent)) for _ in range(times)]
        reviewers = [actor_of(factories.make_staff()) for _ in range(4)]
    seconds, outcomes = _timed(app, times, threads, _sending(drafts, actor))
    _check_numbers(outcomes)
    _show(kind, threads, "sendings of different requests", times / seconds)

    sent = _rows(app, drafts)
    seconds, outcomes = _timed(app, times, threads, _deciding(sent, reviewers))
    assert outcomes == ["decided"] * times, set(map(repr, outcomes))
    _show(kind, threads, "decisions on different requests", times / seconds)

    with app.app_context():
        one = [_row(request_factories.make_sent(agent))] * times
    seconds, outcomes = _timed(app, times, threads, _deciding(one, reviewers))
    losers = {type(outcome) for outcome in outcomes if outcome != "decided"}
    assert outcomes.count("decided") == 1, outcomes
    assert losers <= {TransitionNotAllowed}, losers
    _show(kind, threads, "decisions on one request (one wins)", times / seconds)


def _timed(
    app: Flask, times: int, threads: int, work: Callable[[int], Any]
) -> tuple[float, list[Any]]:
    began = time.perf_counter()
    outcomes = race(app, times, work, threads=threads)
    return time.perf_counter() - began, outcomes


def _sending(drafts: list[Row], actor: Actor) -> Callable[[int], Any]:
    def send(number: int) -> str | None:
        return _step(drafts[number], Action.SEND, actor).number

    return send


def _deciding(rows: list[Row], reviewers: list[Actor]) -> Callable[[int], Any]:
    def decide(number: int) -> str:
        _step(rows[number], Action.PREAPPROVE, reviewers[number % len(reviewers)])
        return "decided"

    return decide


def _step(row: Row, action: Action, actor: Actor) -> Request:
    request_id, version = row
    req = db.session.get_one(Request, request_id)
    transitions.perform(req, action, actor=actor, now=utc_now(), version=version)
    db.session.commit()
    return req


def _row(req: Request) -> Row:
    return req.id, req.version


def _rows(app: Flask, drafts: list[Row]) -> list[Row]:
    with app.app_context():
        ids = [request_id for request_id, _version in drafts]
        versions = sa.select(Request.id, Request.version).where(Request.id.in_(ids))
        return [(row.id, row.version) for row in db.session.execute(versions)]


def _check_numbers(numbers: list[Any]) -> None:
    serials = sorted(int(str(number).split("/")[1]) for number in numbers)
    assert serials == list(range(serials[0], serials[0] + len(serials))), "a number is missing"


def _show(kind: str, threads: int, what: str, rate: float) -> None:
    print(f"| {kind} | {threads} | {what} | {rate:.0f} |", flush=True)


if __name__ == "__main__":
    main()
