"""Copy all files from one store into another; it can be stopped at any time and goes on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum
from itertools import islice
from tempfile import TemporaryFile
from typing import IO

import sqlalchemy as sa

from clearance.core.database import own_transaction
from clearance.files import checkpoints, storage
from clearance.files.stores import Store, measure
from clearance.models import Base

AT_ONCE, BATCH = 8, 256
MEDIA_TYPE = "application/octet-stream"  # the rows know the true ones


class _Result(Enum):
    COPIED, THERE, MISSING, CHANGED = range(4)


@dataclass
class Outcome:
    """What was done. there: files that the target had already. missing, changed: keys of files
    that the source lacks, or has otherwise than their rows say; they are not copied.
    """

    copied: int = 0
    there: int = 0
    missing: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)

    def add(self, key: str, result: _Result) -> None:
        """Count the result of one file."""
        if result is _Result.COPIED:
            self.copied += 1
        elif result is _Result.THERE:
            self.there += 1
        else:
            (self.missing if result is _Result.MISSING else self.changed).append(key)


def copy_all(source: Store, target: Store, report: Callable[[Outcome], object]) -> Outcome:
    """Copy each file that a row refers to, and the checkpoints of the trail.

    Every file is read back from the target, also one that an earlier run copied. report: is called
    after every few hundred files. Raises: OSError when a store fails; another run goes on.
    """
    outcome = Outcome()
    with TemporaryFile("w+", encoding="utf-8") as list_, ThreadPoolExecutor(AT_ONCE) as pool:
        _write_list(list_)
        rows = (tuple(line.split()) for line in list_)
        while batch := list(islice(rows, BATCH)):
            results = pool.map(lambda row: _copy(source, target, *row), batch)
            for (key, _sha256), result in zip(batch, results, strict=True):
                outcome.add(key, result)
            report(outcome)
    _copy_lines(source, target, checkpoints.FILE)
    target.settle()
    return outcome


def rows_with(keys: Iterable[str]) -> Iterator[str]:
    """Yield table and id of each row that refers to one of these files."""
    with own_transaction(write=False) as connection:
        for model in storage.KEEPERS:
            query = sa.select(model.id).where(model.storage_key.in_(list(keys))).order_by(model.id)
            for row_id in connection.scalars(query):
                yield f"{model.__tablename__} {row_id}"


def _write_list(list_: IO[str]) -> None:
    """Write key and hash of each file, so that no transaction lasts as long as the copying."""
    with own_transaction(write=False) as connection:
        query = storage.referred(Base.metadata.tables)
        for key, sha256 in connection.execute(query.execution_options(yield_per=2000)):
            list_.write(f"{key} {sha256}\n")
    list_.seek(0)


def _copy(source: Store, target: Store, key: str, sha256: str) -> _Result:
    if _has(target, key, sha256):
        return _Result.THERE
    try:
        stream = source.open(key)
    except FileNotFoundError:
        return _Result.MISSING
    with stream:
        found = hashlib.sha256()
        measure(stream, found)
        if found.hexdigest() != sha256:
            return _Result.CHANGED
        target.put(key, stream, MEDIA_TYPE, is_settled=False)
    if not _has(target, key, sha256):
        raise OSError(f"{key} was copied and cannot be read back")
    return _Result.COPIED


def _has(store: Store, key: str, sha256: str) -> bool:
    try:
        stream = store.open(key)
    except FileNotFoundError:
        return False
    with stream:
        found = hashlib.sha256()
        measure(stream, found)
    return found.hexdigest() == sha256


def _copy_lines(source: Store, target: Store, name: str) -> None:
    there = set(target.lines(name))
    if lacking := [line for line in source.lines(name) if line not in there]:
        target.append(name, "\n".join(lacking))
