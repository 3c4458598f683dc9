"""Fixtures of the whole suite: real databases, the application, clients that read pages."""

from __future__ import annotations

import gc
import os
import pickle
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from flask import Flask
from jinja2 import FileSystemBytecodeCache

from app import create_app
from clearance.auth import passwords
from clearance.core.extensions import db
from clearance.models import User
from tests.support.databases import KINDS, memory
from tests.support.gateways import SmsGateway, SmtpGateway
from tests.support.office_people import Office
from tests.support.pages import PageClient

DEFAULT_DATABASE = os.environ.get("TEST_DATABASE", "sqlite")
PRODUCTION_HASHER = passwords._hasher
TEST_HOSTS = ("127.0.0.1", "localhost")  # werkzeug's test client calls itself localhost


def pytest_configure(config: pytest.Config) -> None:
    """Keep temporary files in memory where that can be: most of the time went into the disk.

    Databases still wait for their commits, as they are told to; memory just answers at once.
    """
    if config.option.basetemp is None and memory():
        folder = tempfile.mkdtemp(prefix="clearance-", dir=memory())
        config.option.basetemp = folder
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    # Each application translates its templates into Python anew; the suite makes hundreds of them.
    made = tempfile.mkdtemp(prefix="clearance-templates-", dir=memory())
    Flask.jinja_options = {"bytecode_cache": FileSystemBytecodeCache(made)}
    config.add_cleanup(lambda: shutil.rmtree(made, ignore_errors=True))
    passwords._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    # What is imported stays, and pages are made and dropped by the thousand: collect more rarely.
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


@pytest.fixture
def real_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash at the cost of production; other tests hash cheaply."""
    monkeypatch.setattr(passwords, "_hasher", PRODUCTION_HASHER)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests marked `databases` on both kinds; `heavy` names one that waits for FULL=1."""
    if "database" in metafunc.fixturenames:
        marked = metafunc.definition.get_closest_marker("databases")
        kinds: list[Any] = list(KINDS) if marked else [DEFAULT_DATABASE]
        if marked and (heavy := marked.kwargs.get("heavy")):
            kinds = [kind for kind in kinds if kind != heavy]
            kinds.append(pytest.param(heavy, marks=pytest.mark.heavy))
        metafunc.parametrize("database", kinds, indirect=True, scope="function")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the heavy tests to FULL=1; a filter named on the command line still finds them."""
    if os.environ.get("FULL") == "1" or config.option.markexpr:
        return
    heavy = [item for item in items if item.get_closest_marker("heavy")]
    config.hook.pytest_deselected(items=heavy)
    items[:] = [item for item in items if item not in heavy]


@pytest.fixture(scope="session")
def _databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Any]]:
    made: dict[str, Any] = {}

    def get(kind: str) -> Any:
        if kind not in made:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                made[kind] = KINDS[kind](tmp_path_factory.mktemp(kind))
        return made[kind]

    yield get
    for database in made.values():
        database.close()


@pytest.fixture
def database(request: pytest.FixtureRequest, _databases: Callable[[str], Any]) -> Any:
    """A freshly migrated database; mark a test `databases` to run it on both kinds."""
    made = _databases(request.param)
    made.restore()
    return made


@pytest.fixture(scope="session")
def _apps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Flask]:
    return {}


@pytest.fixture
def app(
    database: Any, _apps: dict[str, Flask], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Flask]:
    """The application on a fresh database; made once per kind of database."""
    if database.kind not in _apps:
        files = tmp_path_factory.mktemp("files")
        _apps[database.kind] = create_app(
            testing=True,
            database_url=database.url,
            storage_url=f"file://{files}",
            trusted_hosts=TEST_HOSTS,
        )
    application = _apps[database.kind]
    with application.app_context():
        db.engine.dispose()
    yield application
    with application.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def _worlds() -> dict[str, bytes]:
    return {}


@pytest.fixture
def from_world(
    app: Flask, database: Any, _worlds: dict[str, bytes]
) -> Callable[[str, Callable[[], Any]], Any]:
    """Begin where `build` leads: `from_world("people", build)`; one name, one world.

    It runs in the application's context and returns what the test needs of it. On SQLite it runs
    once per process; then its database is put back, and what it returned is a fresh copy.
    """

    def begin(name: str, build: Callable[[], Any]) -> Any:
        with app.app_context():
            assert not db.session.scalar(sa.select(sa.exists(User.id))), "worlds come first"
            db.session.remove()
            db.engine.dispose()
        if name in _worlds and database.kind == "sqlite":
            database.put_back(name)
            return pickle.loads(_worlds[name])
        with app.app_context():
            built = build()
            db.session.remove()
            db.engine.dispose()  # the last connection to close writes the log into the file
        if database.kind == "sqlite":
            database.keep(name)
            _worlds[name] = pickle.dumps(built)
        return built

    return begin


@pytest.fixture
def context(app: Flask) -> Iterator[Flask]:
    """The application with its context pushed: for tests of the domain."""
    with app.app_context():
        yield app
        db.session.rollback()


@pytest.fixture
def make_app(database: Any, tmp_path: Path) -> Callable[..., Flask]:
    """Make an application with other settings on the test's database."""

    def make(**overrides: Any) -> Flask:
        values: dict[str, Any] = {
            "database_url": database.url,
            "storage_url": f"file://{tmp_path / 'files'}",
            "trusted_hosts": TEST_HOSTS,
        }
        return create_app(testing=True, **(values | overrides))

    return make


@pytest.fixture
def client(app: Flask) -> PageClient:
    """A visitor's browser without JavaScript."""
    return PageClient(app)


@pytest.fixture
def office(app: Flask) -> Office:
    """Makes people of the office, agents, requests and their browsers."""
    return Office(app)


@pytest.fixture
def mail() -> Iterator[SmtpGateway]:
    """A mail server that keeps what it is given."""
    with SmtpGateway() as gateway:
        yield gateway


@pytest.fixture
def sms() -> Iterator[SmsGateway]:
    """An SMS gateway that keeps what it is given."""
    with SmsGateway() as gateway:
        yield gateway
