"""Application factory: wires all packages; `python app.py` serves the portal."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from importlib import import_module
from typing import Any, cast

from dotenv import dotenv_values
from flask import Flask

import admin_views.install
from clearance import backups, cli, demo, jobs, notifications, public
from clearance.auth import rate_limits, sessions
from clearance.core import audit, database, i18n, kept, metrics
from clearance.core.extensions import compress
from clearance.core.settings import ROOT, BadSettings, Settings, one_line_for_bad_settings
from clearance.exams import extension as exams
from clearance.figures import extension as figures
from clearance.files import signing, storage
from clearance.issuing import extension as issuing
from clearance.jobs import gauges
from clearance.licences import extension as licences
from clearance.notifications import delivery
from clearance.public import dev
from clearance.requests import extension as requests
from clearance.services import registry
from clearance.services.extension import Extension
from clearance.services.registry import BadExtension
from clearance.transfers import extension as transfers
from clearance.web import (
    error_pages,
    fragments,
    installation,
    lanes,
    request_log,
    security_headers,
    static_files,
    template_globals,
)
from clearance.web import logging as web_logging

BUILT_IN = {
    "licences": (licences.EXTENSION, issuing.EXTENSION),
    "exams": (exams.EXTENSION,),
    "transfers": (transfers.EXTENSION,),
}
"""The subjects that the portal ships, each with what it brings to the engine."""

TEXTS = tuple(
    ROOT / "clearance" / package / "texts"
    for package in ("auth", "exports", "organisations", "accounts")
)
"""The folders of message files, one per event, of packages that are not extensions."""


def create_app(
    *, testing: bool = False, built_in: Collection[str] = tuple(BUILT_IN), **overrides: Any
) -> Flask:
    """Create the Flask application.

    testing: the suite's mode (no demo data, no production checks). built_in: the shipped subjects
    to have. overrides: fields of `Settings` that replace the environment's. Raises BadSettings if
    running would be unsafe.
    """
    environment = {} if testing else {**dotenv_values(ROOT / ".env"), **os.environ}
    settings = Settings.from_environment(
        {key: value for key, value in environment.items() if value is not None},
        testing=testing,
        **overrides,
    )
    app = Flask("clearance", root_path=str(ROOT), instance_path=str(ROOT / "instance"))
    app.extensions["settings"] = settings
    joined = _register(app, settings, built_in)
    _configure(app, settings)
    _bind_extensions(app, settings)
    _open_rooms(app, settings)
    for extension in joined:
        _open(app, extension)
    app.extensions["demo_stories"] = [
        _named(extension, extension.demo) for extension in joined if extension.demo
    ]
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
    metrics.init_app(app)
    request_log.init_app(app)
    database.init_app(app)
    request_log.count_statements(app)
    kept.init_app(app)
    compress.init_app(app)
    security_headers.init_app(app, settings)
    lanes.init_app(app)
    sessions.init_app(app)
    rate_limits.check_settings(settings)
    i18n.init_app(app)
    audit.init_app()
    storage.init_app(app)
    signing.init_app(app)
    services: registry.Registry = app.extensions["services"]
    notifications.init_app(app, [*TEXTS, *services.notices])
    delivery.init_app(app)
    error_pages.init_app(app, rate_limits.count_refusal)
    static_files.init_app(app)
    fragments.init_app(app)
    template_globals.init_app(app)


def _open_rooms(app: Flask, settings: Settings) -> None:
    app.register_blueprint(public.blueprint)
    admin_views.install.init_app(app)
    cli.init_app(app)
    jobs.init_app(app)
    gauges.init_app(app)
    if settings.is_demo:
        app.register_blueprint(dev.blueprint)
        demo.init_app(app)


def _register(app: Flask, settings: Settings, built_in: Collection[str]) -> list[Extension]:
    """Register every subject with the engine. Raises: BadSettings."""
    shipped = [part for name in BUILT_IN if name in built_in for part in BUILT_IN[name]]
    own = [_extension(name) for name in settings.extensions]
    extensions = [requests.EXTENSION, *shipped, figures.EXTENSION, *own]
    try:
        services = registry.init_app(app, extensions, template_globals.VERSION)
        folders = ["translations", *map(str, services.translations)]
    except BadExtension as fault:
        raise BadSettings(f"EXTENSIONS: {fault}") from None
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = ";".join(folders)
    return extensions


def _extension(name: str) -> Extension:
    found = getattr(_imported(name), "EXTENSION", None)
    if not isinstance(found, Extension):
        raise BadSettings(f"EXTENSIONS names {name}, which has no EXTENSION.")
    return found


def _imported(name: str) -> Any:
    try:
        return import_module(name)
    except Exception as fault:
        why = " ".join(str(fault).split())
        raise BadSettings(f"EXTENSIONS names {name}, which cannot be imported: {why}.") from fault


def _open(app: Flask, extension: Extension) -> None:
    """Call the functions that an extension names for its views and commands."""
    with app.app_context():
        for dotted in filter(None, (extension.views, extension.commands)):
            try:
                _named(extension, dotted)(app)
            except ValueError as fault:  # a name or an address that is taken
                raise BadSettings(f"EXTENSIONS: {extension.name}: {fault}") from fault


def _named(extension: Extension, dotted: str) -> Callable[[Any], Any]:
    """Return the function that an extension names, "module:function"."""
    module, _colon, function = dotted.partition(":")
    found = getattr(_imported(module), function, None)
    if not callable(found):
        raise BadSettings(f"EXTENSIONS: {extension.name} names {dotted}, which is not there.")
    return cast(Callable[[Any], Any], found)


def _complete(app: Flask) -> Flask:
    """Return the application of a complete installation. Raises: BadSettings."""
    installation.check(app.extensions["settings"])
    if os.environ.get("FLASK_RUN_FROM_CLI") != "true":  # commands mend it
        with app.app_context():
            backups.check_restored()
    return app


def __getattr__(name: str) -> Any:
    """Create `app:app` when a WSGI server requests it, so that importing has no side effects."""
    if name == "app":
        with one_line_for_bad_settings():
            globals()["app"] = _complete(create_app())
        return globals()["app"]
    raise AttributeError(name)


def main() -> None:
    """Serve with waitress and the job consumer in one process."""
    with one_line_for_bad_settings():
        jobs.serve(_complete(create_app()))


if __name__ == "__main__":
    main()
