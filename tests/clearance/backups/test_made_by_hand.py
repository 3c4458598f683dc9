"""Archives that no portal made, with the right keys: nothing is written outside the place."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from flask import Flask

from clearance.backups import loading, restoring
from clearance.backups.contents import ContentReader
from clearance.backups.errors import BackupError
from clearance.backups.frames import FrameReader, FrameWriter, Keys
from clearance.backups.places import Folder
from clearance.files import storage

KEYS = Keys("", ("s3cret-of-the-portal-0123456789abcdef",))
NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def archive(path: Path, *parts: tuple[Any, list[bytes]]) -> None:
    """Write parts with their blocks as they are given; a description may be bytes."""
    with path.open("wb") as out:
        frames = FrameWriter(out, KEYS)
        for about, blocks in parts:
            text = about if isinstance(about, bytes) else json.dumps(about).encode()
            for block in (text, *blocks, b""):
                frames.write(len(block).to_bytes(4, "big") + block)
        frames.close()


@pytest.mark.parametrize(
    ("about", "blocks"),
    [
        (b"[" * 100_000, []),
        (b"[]", []),
        (b"{", []),
        (b"\xff", []),
        ({"part": "symlink", "to": "/etc/passwd"}, []),
        ({"part": "database", "packed": True}, [zlib.compress(bytes(10**8))]),  # a bomb
        ({"part": "database", "packed": True}, [b"not packed"]),
        ({"part": "database", "packed": True}, [zlib.compress(b"whole")[:-3]]),
    ],
)
def test_a_strange_part_is_refused_in_one_sentence(
    tmp_path: Path, about: Any, blocks: list[bytes]
) -> None:
    archive(tmp_path / "entry", (about, blocks))
    with (tmp_path / "entry").open("rb") as stream:
        content = ContentReader(FrameReader(stream, KEYS))
        with pytest.raises(BackupError, match="does not have the form of a backup"):
            list(content.parts())  # reads what nobody took


def test_a_length_that_lies_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with (tmp_path / "entry").open("wb") as out:
        frames = FrameWriter(out, KEYS)
        frames.write(b"\xff\xff\xff\xff{}")
        frames.close()
    with (tmp_path / "entry").open("rb") as stream:
        content = ContentReader(FrameReader(stream, KEYS))
        with pytest.raises(BackupError, match="does not have the form of a backup"):
            next(content.parts())


@pytest.mark.parametrize(
    "about",
    [
        {"part": "file", "key": "../outside", "sha256": NOTHING},
        {"part": "file", "key": "/tmp/outside", "sha256": NOTHING},
        {"part": "file", "key": 5, "sha256": NOTHING},
        {"part": "file", "sha256": NOTHING},
        {"part": "lines", "name": "../outside"},
        {"part": "lines"},
    ],
)
def test_a_name_that_is_a_path_is_not_written(
    make_app: Callable[..., Flask],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    about: dict[str, Any],
) -> None:
    monkeypatch.setattr(Keys, "configured", classmethod(lambda _cls: KEYS))
    archive(tmp_path / "entry", (about, [b"content"] if about["part"] == "lines" else []))
    into: Any = None
    with make_app().app_context():
        with pytest.raises(BackupError, match="it was made by hand"):
            restoring._take(Folder(tmp_path), "entry", into, lambda _text: None)
        assert storage.is_empty()


@pytest.mark.parametrize(
    "about",
    [
        {"table": "pg_authid", "columns": ["rolname"]},
        {"table": 'user" (id) FROM STDIN; DROP TABLE "event', "columns": ["id"]},
        {"table": "user", "columns": ["id\") FROM PROGRAM 'id'; --"]},
    ],
)
def test_a_table_that_is_none_of_the_portals_is_not_filled(about: dict[str, Any]) -> None:
    tables = loading._PostgresqlTables.__new__(loading._PostgresqlTables)
    tables._connection, tables._tables = MagicMock(), ['"user"']
    with pytest.raises(ValueError, match="not a table of the portal"):
        tables.take(about, iter(()))
    tables._connection.connection.cursor().copy.assert_not_called()
