"""Objects of any size: written in parts while they are made, read as they arrive.

An object is there once its last part is acknowledged, and not before.
"""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, BinaryIO, cast

from botocore.exceptions import ClientError

from clearance.files.s3 import ATTEMPTS, Bucket, faults
from clearance.files.stores import StoreDown

PART_BYTES = 16 * 1024 * 1024  # at most 10,000 parts: 160 GB


class Upload(io.RawIOBase):
    """A stream into a new object. Call `complete`, or `abort`."""

    def __init__(self, bucket: Bucket, key: str) -> None:
        self._bucket, self._name = bucket, bucket.named(key)
        self._pending = bytearray()
        self._parts: list[dict[str, Any]] = []
        with faults(key):
            answer = bucket.client.create_multipart_upload(**self._name)
        self._upload: str | None = answer["UploadId"]

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: Any) -> int:
        """Take bytes; sends a part whenever one is full. Raises: StoreDown."""
        self._pending += data
        while len(self._pending) >= PART_BYTES:
            self._send(bytes(self._pending[:PART_BYTES]))
            del self._pending[:PART_BYTES]
        return len(data)

    def complete(self) -> None:
        """Send the rest; the object is there then. Raises: StoreDown."""
        self._send(bytes(self._pending))
        with self._faults():
            self._bucket.client.complete_multipart_upload(
                **self._name, UploadId=self._upload, MultipartUpload={"Parts": self._parts}
            )
        self._upload = None

    def abort(self) -> None:
        """Let the server forget the parts, unless the object is complete. Raises: StoreDown."""
        if self._upload is not None:
            with self._faults():
                self._bucket.client.abort_multipart_upload(**self._name, UploadId=self._upload)
            self._upload = None

    def _send(self, data: bytes) -> None:
        number = len(self._parts) + 1
        digest = hashlib.md5(data, usedforsecurity=False).digest()
        with self._faults():
            answer = self._bucket.client.upload_part(
                **self._name,
                UploadId=self._upload,
                PartNumber=number,
                Body=data,
                ContentMD5=base64.b64encode(digest).decode(),  # damaged on the way: refused
            )
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"]})

    @contextmanager
    def _faults(self) -> Iterator[None]:
        with faults(self._name["Key"]):
            yield


class _Download(io.RawIOBase):
    """The bytes of an object; after a broken connection it goes on where it was."""

    def __init__(self, bucket: Bucket, key: str) -> None:
        self._bucket, self._name, self._key = bucket, bucket.named(key), key
        with faults(key):
            self._size = int(bucket.client.head_object(**self._name)["ContentLength"])
        self._place = 0
        self._body: Any = None

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, target: Any) -> int:
        """Read what arrives next. Raises: StoreDown."""
        for attempt in range(ATTEMPTS + 1):
            if self._place == self._size:
                return 0
            try:
                data = self._next(len(target))
            except StoreDown:
                self._body = None
                if attempt == ATTEMPTS:
                    raise
                continue
            target[: len(data)] = data
            self._place += len(data)
            return len(data)
        raise AssertionError("the last attempt returns or raises")

    def _next(self, count: int) -> bytes:
        with faults(self._key):
            if self._body is None:
                wanted = f"bytes={self._place}-"
                self._body = self._bucket.client.get_object(**self._name, Range=wanted)["Body"]
            data: bytes = self._body.read(min(count, self._size - self._place))
        if not data:
            raise StoreDown(f"{self._key}: the download broke off")
        return data


def read(bucket: Bucket, key: str) -> BinaryIO:
    """Return the object as a stream that cannot be sought in.

    Raises: FileNotFoundError, StoreDown; the stream too.
    """
    return cast(BinaryIO, io.BufferedReader(_Download(bucket, key), 1024 * 1024))


def uploads(bucket: Bucket, key: str) -> int:
    """Return how many uploads of the object are under way. Raises: StoreDown."""
    name = bucket.named(key)
    return sum(upload["Key"] == name["Key"] for upload in _under_way(bucket, name))


def forget_uploads(bucket: Bucket, before: datetime) -> int:
    """Remove the parts of uploads that began before then and were never completed."""
    place, removed = bucket.named(""), 0
    for upload in _under_way(bucket, place):
        if upload["Initiated"] < before:
            with faults(place["Bucket"]):
                bucket.client.abort_multipart_upload(
                    Bucket=place["Bucket"], Key=upload["Key"], UploadId=upload["UploadId"]
                )
            removed += 1
    return removed


def _under_way(bucket: Bucket, place: dict[str, str]) -> list[dict[str, Any]]:
    """Return the uploads of keys that begin as `place`'s. Raises: StoreDown."""
    with faults(place["Bucket"]):
        try:
            found = bucket.client.list_multipart_uploads(
                Bucket=place["Bucket"], Prefix=place["Key"]
            )
        except ClientError as fault:
            if fault.response["Error"]["Code"] != "NoSuchUpload":
                raise
            return []  # as some servers say for a bucket that has never had one
    return list(found.get("Uploads", ()))
