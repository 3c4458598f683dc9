"""Files as private objects of an S3 bucket, verified after writing and bounded in time."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast
from urllib.parse import unquote, urlsplit

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from urllib3.exceptions import HTTPError

from clearance.core.settings import BadSettings, Settings
from clearance.files.stores import PART_BYTES, PROBE, StoreDown, measure

CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 3, 10, 2
SLOWEST_BYTES_A_SECOND = 256 * 1024  # of a download, after READ_SECONDS
IN_MEMORY_BYTES = 1024 * 1024  # of an opened file; a larger one is on disk
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_CHANGED_MEANWHILE = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})


class Bucket:
    """The part of a bucket below a prefix; `stores.Store` says what its methods do.

    url: s3://bucket/prefix. Raises: BadSettings.
    """

    def __init__(self, url: str, settings: Settings) -> None:
        parts = urlsplit(url)
        if not _BUCKET.fullmatch(parts.netloc) or parts.query or parts.fragment:
            raise BadSettings("STORAGE_URL must name a bucket, such as s3://clearance/files.")
        path = unquote(parts.path).strip("/")
        self._bucket, self._prefix = parts.netloc, f"{path}/" if path else ""
        self._settings = settings
        try:
            self.client: Any = self._connected()
        except (BotoCoreError, ValueError) as fault:
            raise BadSettings(f"S3_ENDPOINT or the AWS variables are invalid ({fault}).") from fault

    def put(self, key: str, content: BinaryIO, media_type: str, *, is_settled: bool = True) -> None:
        """Store the object, and look whether it is there as sent."""
        self._put(key, content, media_type)

    def settle(self) -> None:
        """Each object is stored for good when `put` returns."""

    def open(self, key: str) -> BinaryIO:
        """Return the whole file, downloaded, so that a broken connection is noticed here."""
        return self._downloaded(key)[0]

    def delete(self, key: str) -> None:
        """Remove the object."""
        with faults(key):
            self.client.delete_object(**self.named(key))

    def files(self) -> Iterator[tuple[str, datetime]]:
        """List the objects below the prefix, in pages."""
        with faults(self._bucket):
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix
            )
            for page in pages:
                for found in page.get("Contents", ()):
                    yield found["Key"].removeprefix(self._prefix), found["LastModified"]

    def append(self, name: str, line: str) -> None:
        """Write the object anew with the line, again if another process did so meanwhile."""
        for _attempt in range(10):
            try:
                stream, etag = self._downloaded(name)
                condition = {"IfMatch": etag}
            except FileNotFoundError:
                stream, condition = io.BytesIO(), {"IfNoneMatch": "*"}
            with stream:
                content = io.BytesIO(stream.read() + f"{line}\n".encode())
            with suppress(_Changed):
                self._send(name, content, "text/plain", **condition)
                if set(line.splitlines()) <= set(self.lines(name)):
                    return
        raise StoreDown(f"{name} does not keep a line")

    def lines(self, name: str) -> list[str]:
        """Return the lines of the object."""
        try:
            stream = self.open(name)
        except FileNotFoundError:
            return []
        with stream:
            return stream.read().decode().splitlines()

    def is_ready(self) -> bool:
        """Write the same small object each time: no right to delete is needed for it."""
        self._put(PROBE, io.BytesIO(b"The portal can write here.\n"), "text/plain")
        return True

    def is_public(self) -> bool:
        """Return whether anybody can read the objects (for doctor)."""
        visitor = self._connected(signature_version=UNSIGNED)
        try:
            with faults(PROBE):
                visitor.head_object(**self.named(PROBE))
        except OSError:
            return False
        return True

    def keeps_conditions(self) -> bool:
        """Return whether a write that must find no object is refused where there is one.

        `append` needs that: without it two processes overwrite each other's lines.
        """
        self.is_ready()
        try:
            self._send(PROBE, io.BytesIO(), "text/plain", IfNoneMatch="*")
        except _Changed:
            return True
        return False

    def _connected(self, **options: Any) -> Any:
        settings = self._settings
        return boto3.client(
            "s3",
            endpoint_url=settings.s3_endpoint or None,
            region_name=settings.aws_default_region or None,
            aws_access_key_id=settings.aws_access_key_id or None,
            aws_secret_access_key=settings.aws_secret_access_key or None,
            aws_session_token=settings.aws_session_token or None,
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
                max_pool_connections=16,
                # Other servers than Amazon's do not know the newer checksums; put sends its own.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                s3={"addressing_style": "path" if settings.s3_endpoint else "auto"},
                **options,
            ),
        )

    def named(self, key: str) -> dict[str, str]:
        """Return the arguments by which the client knows the object."""
        return {"Bucket": self._bucket, "Key": f"{self._prefix}{key}"}

    def _put(self, key: str, content: BinaryIO, media_type: str) -> None:
        sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        size = measure(content, sha256, md5)
        self._send(key, content, media_type)
        try:
            is_there = self._is(key, size, sha256, md5)
        except FileNotFoundError:
            is_there = False
        if not is_there:
            raise StoreDown(f"{key} was acknowledged and is not what was sent")

    def _send(self, key: str, content: BinaryIO, media_type: str, **condition: str) -> None:
        sha256 = hashlib.sha256()
        size = measure(content, sha256)
        with faults(key):
            self.client.put_object(
                **self.named(key),
                Body=content,
                ContentLength=size,
                ContentType=media_type,
                # The server refuses what was damaged on the way.
                ChecksumSHA256=base64.b64encode(sha256.digest()).decode(),
                **condition,
            )

    def _is(self, key: str, size: int, sha256: Any, md5: Any) -> bool:
        """Return whether the object has that content. Raises: FileNotFoundError, StoreDown."""
        with faults(key):
            head = self.client.head_object(**self.named(key))
        if head["ContentLength"] != size:
            return False
        if head["ETag"].strip('"') == md5.hexdigest():
            return True
        # With some encryptions the tag is no MD5: then only the bytes themselves prove it.
        found = hashlib.sha256()
        with self.open(key) as stream:
            measure(stream, found)
        return bool(found.digest() == sha256.digest())

    def _downloaded(self, key: str) -> tuple[BinaryIO, str]:
        """Return the file, at its beginning, and its tag. Raises: FileNotFoundError, StoreDown."""
        for attempt in range(ATTEMPTS):
            target = cast(BinaryIO, SpooledTemporaryFile(IN_MEMORY_BYTES))  # noqa: SIM115 - returned
            try:
                with faults(key):
                    answer = self.client.get_object(**self.named(key))
                    seconds = READ_SECONDS + answer["ContentLength"] / SLOWEST_BYTES_A_SECOND
                    _copy(answer["Body"], target, answer["ContentLength"], seconds)
            except BaseException as fault:
                target.close()
                if not isinstance(fault, StoreDown) or attempt == ATTEMPTS - 1:
                    raise
            else:
                target.seek(0)
                return target, answer["ETag"]
        raise AssertionError("the last attempt returns or raises")


class _Changed(StoreDown):
    """Another process wrote the object meanwhile."""


def _copy(body: Any, target: BinaryIO, size: int, seconds: float) -> None:
    """Copy what arrives, in pieces as they come: a whole part may take for ever to be full."""
    until = time.monotonic() + seconds
    while target.tell() < size and (piece := body._raw_stream.read1(PART_BYTES)):
        target.write(piece)
        if time.monotonic() > until:
            raise StoreDown("the download is too slow")
    if target.tell() != size:
        raise StoreDown("the download broke off")


@contextmanager
def faults(key: str) -> Iterator[None]:
    """Turn faults of the library into FileNotFoundError or StoreDown, without addresses or keys."""
    try:
        yield
    except ClientError as fault:
        code = str(fault.response.get("Error", {}).get("Code", ""))
        if code in {"NoSuchKey", "404"}:
            raise FileNotFoundError(key) from fault
        kind = _Changed if code in _CHANGED_MEANWHILE else StoreDown
        raise kind(f"{key}: the S3 server answers {code}") from fault
    except (BotoCoreError, HTTPClientError, HTTPError) as fault:
        raise StoreDown(f"{key}: {type(fault).__name__}") from fault
