"""A portal with people, requests and files, and an empty place beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.files import checkpoints, storage
from clearance.models import User
from clearance.requests.field_values import visible
from clearance.services import versions
from clearance.services.flows import Action
from tests.support import factories, request_factories
from tests.support.files import png

MakeApp = Callable[..., Flask]


@dataclass
class Places:
    """The folder of backups, and how to make a portal with an empty database and storage."""

    folder: Path
    empty: Callable[..., Flask]

    def entries(self) -> list[Path]:
        """Return what is in the folder, unfinished files included."""
        return sorted(self.folder.iterdir()) if self.folder.exists() else []


@pytest.fixture
def portal(make_app: MakeApp) -> Flask:
    """A portal of one agent with a sent request, its documents in the storage."""
    app = make_app()
    with app.app_context():
        agent = factories.make_agent()
        send(agent)
        checkpoints.take(utc_now())
        db.session.remove()
    return app


@pytest.fixture
def places(make_app: MakeApp, database: Any, tmp_path: Path) -> Places:
    """An empty place for restoring, and a folder for entries."""

    def empty(**settings: Any) -> Flask:
        values = {"database_url": database.empty(), "storage_url": f"file://{tmp_path / 'second'}"}
        return make_app(**(values | settings))

    return Places(tmp_path / "backups", empty)


def send(agent: User) -> int:
    """Send a request whose documents have files of their own; commits and returns its id."""
    req = request_factories.make_draft(agent, with_documents=False)
    for spec in versions.for_request(req).documents:
        if spec.requires(visible(req)):
            stored = storage.put(png() + f"{req.id} {spec.kind}".encode(), "image/png")
            columns = {"storage_key": stored.key, "sha256": stored.sha256}
            request_factories.make_document(req, spec.kind, agent, **columns)
            storage.keep(stored.key)
    return request_factories.step(req, Action.SEND, agent).id


def run(app: Flask, *args: str) -> Result:
    """Run a command."""
    return app.test_cli_runner().invoke(args=args)


def made(app: Flask, places: Places, *more: str) -> Path:
    """Make a backup; returns its path, which is the last line printed."""
    result = run(app, "backup", "make", str(places.folder), *more)
    assert result.exit_code == 0, result.output
    return Path(result.stdout.splitlines()[-1])
