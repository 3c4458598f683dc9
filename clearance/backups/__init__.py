"""Backups of database and files: made while the portal works, verified, restored elsewhere.

An entry is one file, `clearance-<UTC>`: frames that are authenticated one by one (`frames`), which
carry the database, then the files, then a signed manifest (`contents`, `manifest`). `snapshot` and
`loading` know the two kinds of database, `places` where entries are kept.
"""

from clearance.backups.errors import BackupError
from clearance.backups.keeping import Keep
from clearance.backups.making import last_made, make
from clearance.backups.manifest import Manifest
from clearance.backups.places import locate, place
from clearance.backups.restoring import restore
from clearance.backups.unfinished import check as check_restored
from clearance.backups.verifying import verify

__all__ = [
    "BackupError",
    "Keep",
    "Manifest",
    "check_restored",
    "last_made",
    "locate",
    "make",
    "place",
    "restore",
    "verify",
]
