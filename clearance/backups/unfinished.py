"""A storage that a restore was filling when it was killed: marked, so that nobody serves it.

The database is complete or empty at any time; only the storage can be left half filled.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import structlog
from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from clearance.backups import loading
from clearance.backups.errors import BackupError
from clearance.core.settings import BadSettings, Settings
from clearance.files import storage

MARK: Final = "restore-unfinished"

_log = structlog.get_logger(__name__)


def entry() -> str:
    """Return the entry of the restore that began to fill the storage; "" if none did.

    Raises: storage.StorageUnavailable.
    """
    return "".join(storage.lines(MARK)[-1:])


def begin(name: str) -> None:
    """Mark the storage, after removing what an earlier restore left. name: of the entry.

    Call it only while no other restore can run. Raises: storage.StorageUnavailable.
    """
    if left := entry():
        _log.info("files of a stopped restore removed", entry=left)
        clear()
    storage.append(MARK, name)


def end() -> None:
    """Remove the mark: database and storage are complete."""
    storage.delete(MARK)


def clear() -> None:
    """Remove what was restored, the mark at last."""
    storage.clear(last=MARK)


def check() -> None:
    """Refuse to serve what a killed restore left. Raises: BadSettings.

    A mark beside a database with people in it is removed: that restore was complete.
    """
    with suppress(storage.StorageUnavailable, SQLAlchemyError):  # then the portal is not ready
        name = entry()
        if not name:
            return
        settings: Settings = current_app.extensions["settings"]
        try:
            loading.check_nobody(settings.database_url)
        except BackupError:
            end()
            return
        raise BadSettings(
            f"The restore of {name} was stopped before its end: run flask restore again, which "
            "removes what it left. To begin without it, empty the place in STORAGE_URL."
        )
