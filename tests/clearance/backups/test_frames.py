"""An entry's frames: any change of any byte is found, and so is a part that is gone or moved."""

from __future__ import annotations

import io

import pytest

from clearance.backups import frames
from clearance.backups.errors import BackupError
from clearance.backups.frames import FrameReader, FrameWriter, Keys

SECRET, OTHER = "s3cret-of-the-portal-0123456789abcdef", "another-secret-0123456789-abcdefghij"
KEYS = {"signed": Keys("", (SECRET,)), "encrypted": Keys("k" + OTHER, (SECRET,))}
CONTENT = bytes(range(256)) * 4


@pytest.fixture(params=KEYS)
def keys(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Keys:
    """Both ciphers, with frames so small that a short entry has several."""
    monkeypatch.setattr(frames, "FRAME_BYTES", 100)
    return KEYS[request.param]


def written(keys: Keys, content: bytes = CONTENT) -> bytes:
    out = io.BytesIO()
    writer = FrameWriter(out, keys)
    for place in range(0, len(content), 70):
        writer.write(content[place : place + 70])
    writer.close()
    return out.getvalue()


def read(data: bytes, keys: Keys, count: int = len(CONTENT)) -> bytes:
    reader = FrameReader(io.BytesIO(data), keys)
    found = reader.read(count)
    reader.finish()
    return found


def parts(data: bytes) -> tuple[bytes, list[bytes]]:
    """Take an entry apart into its header and its frames."""
    start = data.index(b"}\n") + 2
    place, found = start, []
    while place < len(data):
        length = 4 + int.from_bytes(data[place : place + 4], "big")
        found.append(data[place : place + length])
        place += length
    return data[:start], found


@pytest.mark.parametrize(
    "header",
    [
        "[" * 4000,
        '{"is_encrypted": false, "key": "\\u001b[2Jnothing is wrong", "salt": "00"}',
        '{"is_encrypted": false, "key": 5, "salt": "00"}',
        '{"is_encrypted": false, "key": "0123456789abcdef", "salt": "../.."}',
    ],
)
def test_a_header_made_by_hand_is_refused_and_not_repeated_to_the_terminal(
    keys: Keys, header: str
) -> None:
    with pytest.raises(BackupError, match=r"its first lines were changed\.$"):
        read(frames.MAGIC + header.encode() + b"\n", keys)


def test_what_was_written_is_read(keys: Keys) -> None:
    data = written(keys)
    assert read(data, keys) == CONTENT
    assert (CONTENT[:50] in data) == (keys is KEYS["signed"])
    assert written(keys) != data  # each entry has a key of its own


def test_every_flipped_byte_is_found(keys: Keys) -> None:
    data = written(keys, CONTENT[:250])
    for place in range(len(data)):
        flipped = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        with pytest.raises(BackupError):
            read(flipped, keys, 250)


def test_every_truncation_and_addition_is_found(keys: Keys) -> None:
    data = written(keys, CONTENT[:250])
    for end in range(len(data)):
        with pytest.raises(BackupError):
            read(data[:end], keys, 250)
    with pytest.raises(BackupError):
        read(data + b"0", keys, 250)


def test_moved_repeated_and_left_out_parts_are_found(keys: Keys) -> None:
    head, found = parts(written(keys, CONTENT[:250]))
    first, second, last = found
    for order in ([second, first, last], [first, first, last], [first, last], [first, second]):
        with pytest.raises(BackupError):
            read(head + b"".join(order), keys, 250)


def test_a_part_of_another_entry_is_found(keys: Keys) -> None:
    head, (first, *rest) = parts(written(keys, CONTENT[:250]))
    _other_head, (other, *_rest) = parts(written(keys, CONTENT[:250]))
    assert first != other
    with pytest.raises(BackupError):
        read(head + b"".join([other, *rest]), keys, 250)


@pytest.mark.parametrize(
    ("written_with", "read_with", "said"),
    [
        ("signed", Keys("", (OTHER,)), "SECRET_KEY is not the key"),
        ("encrypted", Keys(OTHER, (SECRET,)), "BACKUP_KEY is not the key"),
        ("encrypted", Keys("", (SECRET,)), "set BACKUP_KEY"),
    ],
)
def test_a_wrong_or_missing_key_is_named(written_with: str, read_with: Keys, said: str) -> None:
    data = written(KEYS[written_with])
    with pytest.raises(BackupError, match=said):
        read(data, read_with)


def test_an_earlier_secret_opens_what_it_signed() -> None:
    data = written(KEYS["signed"])
    assert read(data, Keys("", (OTHER, SECRET))) == CONTENT


def test_something_else_is_no_backup() -> None:
    with pytest.raises(BackupError, match="no backup of the portal"):
        read(b"PK\3\4 something else altogether", KEYS["signed"])
