"""Application factory: wires all packages; `python app.py` serves the portal."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from dotenv import dotenv_values
from flask import Flask

import admin_views.install
from clearance import cli, demo, jobs, notifications, public
from clearance.auth import rate_limits, sessions
from clearance.core import audit, database, i18n
from clearance.core.extensions import compress
from clearance.core.settings import ROOT, BadSettings, Settings, one_line_for_bad_settings
from clearance.files import signing, storage
from clearance.issuing import effects as issuing_effects
from clearance.licences import effects as licence_effects
from clearance.licences import guards as licence_guards
from clearance.notifications import delivery
from clearance.public import dev
from clearance.web import error_pages, lanes, security_headers, template_globals
from clearance.web import logging as web_logging

# Importing these modules registers the guards and effects that service definitions name.
NAMED_IN = (licence_guards, licence_effects, issuing_effects)

_TEXTS_OF = (
    "auth",
    "organisations",
    "accounts",
    "licences",
    "issuing",
    "requests",
    "exams",
    "transfers",
)
TEXTS = tuple(ROOT / "clearance" / package / "texts" for package in _TEXTS_OF)
"""The folders of message files, one per event, each in the package that sends it."""


def create_app(*, testing: bool = False, **overrides: Any) -> Flask:
    """Create the Flask application.

    testing: the suite's mode (no demo data, no production checks). overrides: fields of `Settings`
    that replace the environment's. Raises BadSettings if running would be unsafe.
    """
    environment = {} if testing else {**dotenv_values(ROOT / ".env"), **os.environ}
    settings = Settings.from_environment(
        {key: value for key, value in environment.items() if value is not None},
        testing=testing,
        **overrides,
    )
    app = Flask("clearance", root_path=str(ROOT), instance_path=str(ROOT / "instance"))
    app.extensions["settings"] = settings
    _configure(app, settings)
    _bind_extensions(app, settings)
    _open_rooms(app, settings)
    return app


def _configure(app: Flask, settings: Settings) -> None:
    app.testing = settings.mode == "testing"
    app.config.update(
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=database.engine_options(settings.database_url),
        FLASK_ADMIN_RAISE_ON_VIEW_EXCEPTION=True,
        COMPRESS_MIMETYPES=["text/html", "text/css", "text/javascript", "image/svg+xml"],
        COMPRESS_ALGORITHM=["br", "gzip"],
    )
    security_headers.configure(app, settings)
    delivery.configure(app, settings)


def _bind_extensions(app: Flask, settings: Settings) -> None:
    web_logging.init_app(app)
    database.init_app(app)
    compress.init_app(app)
    security_headers.init_app(app, settings)
    lanes.init_app(app)
    sessions.init_app(app)
    rate_limits.check_settings(settings)
    i18n.init_app(app)
    audit.init_app()
    storage.init_app(app)
    signing.init_app(app)
    notifications.init_app(app, TEXTS)
    delivery.init_app(app)
    error_pages.init_app(app)
    template_globals.init_app(app)


def _open_rooms(app: Flask, settings: Settings) -> None:
    app.register_blueprint(public.blueprint)
    admin_views.install.init_app(app)
    cli.init_app(app)
    jobs.init_app(app)
    if settings.is_demo:
        app.register_blueprint(dev.blueprint)
        demo.init_app(app)
    for name in settings.extensions:
        _extension(name).init_app(app)


def _extension(name: str) -> Any:
    try:
        module = import_module(name)
    except ImportError as fault:
        raise BadSettings(f"EXTENSIONS names {name}, which cannot be imported: {fault}.") from fault
    if not hasattr(module, "init_app"):
        raise BadSettings(f"EXTENSIONS names {name}, which has no init_app(app).")
    return module


def __getattr__(name: str) -> Any:
    """Create `app:app` when a WSGI server requests it, so that importing has no side effects."""
    if name == "app":
        with one_line_for_bad_settings():
            globals()["app"] = create_app()
        return globals()["app"]
    raise AttributeError(name)


def main() -> None:
    """Serve with waitress and the job consumer in one process."""
    with one_line_for_bad_settings():
        jobs.serve(create_app())


if __name__ == "__main__":
    main()
