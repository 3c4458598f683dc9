"""Import the embedded customs register from CSV: one row per broker, all or nothing."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TextIO

import sqlalchemy as sa
from pydantic import ValidationError

from clearance.auth.passwords import hash_password, is_too_long
from clearance.core.extensions import db
from clearance.customs import client as customs_client
from clearance.models import BrokerType, CustomsAccount
from clearance.models.names import NAME_COLUMNS

ACCOUNT_COLUMNS = (
    "licence_no",
    "user_id",
    "password",
    "holder_first_name",
    "holder_last_name",
    "holder_civil_id",
    "organisation_name_ar",
    "organisation_name_en",
)
LICENCE_COLUMNS = ("number", "guarantee_no", "guarantee_expiry", "issued", "expires", "status")
BROKER_COLUMNS = (
    "broker_type",
    *NAME_COLUMNS,
    "nationality",
    "civil_id",
    "civil_id_expiry",
    "passport_no",
    "passport_expiry",
)
COLUMNS = (*ACCOUNT_COLUMNS, *BROKER_COLUMNS, *LICENCE_COLUMNS)
MAX_ROWS = 100_000


class BadRows(Exception):
    """Invalid file; nothing was imported. faults: one line per fault, with the row number."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults[:5]))
        self.faults = faults


@dataclass
class _Account:
    first: Mapping[str, str]
    lines: list[int] = field(default_factory=list)
    brokers: list[dict[str, Any]] = field(default_factory=list)


def import_file(stream: TextIO) -> int:
    """Import the accounts of a CSV file, replacing those of the same licence and user. Flushes.

    stream: UTF-8 with a header of exactly COLUMNS, in any order; rows of one account repeat its
    columns. Returns the number of accounts. Slow (one hash per account): call it before the
    transaction's first query. Raises: BadRows, with every fault of every row.
    """
    accounts = _grouped(_rows(stream))
    rows = [_checked(key, account) for key, account in accounts.items()]
    _require_known_types(accounts.values())
    for row in rows:
        store(**row)
    return len(rows)


def store(
    licence_no: str, customs_user: str, password_hash: str, answer: Mapping[str, Any]
) -> CustomsAccount:
    """Store one account of the register, replacing an existing one. Flushes.

    answer: the JSON that the customs system would give (docs/customs-api.yaml).
    """
    db.session.execute(
        sa.delete(CustomsAccount).where(
            CustomsAccount.licence_no == licence_no, CustomsAccount.customs_user == customs_user
        )
    )
    account = CustomsAccount(
        licence_no=licence_no,
        customs_user=customs_user,
        password_hash=password_hash,
        answer=dict(answer),
    )
    db.session.add(account)
    db.session.flush()
    return account


def _rows(stream: TextIO) -> Iterable[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(stream, strict=True)
    header = reader.fieldnames or []
    if sorted(header) != sorted(COLUMNS):
        missing = sorted(set(COLUMNS) - set(header))
        unknown = sorted(set(header) - set(COLUMNS))
        raise BadRows([f"row 1: missing columns {missing}, unknown columns {unknown}"])
    try:
        for number, row in enumerate(reader, start=2):
            if number > MAX_ROWS + 1:
                raise BadRows([f"row {number}: more than {MAX_ROWS} rows"])
            if None in row or None in row.values():
                raise BadRows([f"row {number}: not as many values as columns"])
            yield number, {name: value.strip() for name, value in row.items()}
    except (csv.Error, UnicodeDecodeError) as error:
        raise BadRows([f"row {reader.line_num}: cannot be read: {error}"]) from None


def _grouped(rows: Iterable[tuple[int, dict[str, str]]]) -> dict[tuple[str, str], _Account]:
    accounts: dict[tuple[str, str], _Account] = {}
    faults = []
    for number, row in rows:
        account = accounts.setdefault((row["licence_no"], row["user_id"]), _Account(row))
        differing = [name for name in ACCOUNT_COLUMNS if row[name] != account.first[name]]
        if differing:
            faults.append(f"row {number}: differs from row {account.lines[0]} in {differing}")
        account.lines.append(number)
        account.brokers.append(_broker(row))
    for (licence_no, user_id), account in accounts.items():
        password = account.first["password"]
        if not (licence_no and user_id and password and not is_too_long(password)):
            faults.append(f"row {account.lines[0]}: licence_no, user_id and password are needed")
    if faults:
        raise BadRows(faults)
    return accounts


def _broker(row: Mapping[str, str]) -> dict[str, Any]:
    plain = {name: row[name] for name in BROKER_COLUMNS if name not in NAME_COLUMNS}
    names = {
        f"name_{lang}": [row[f"name_{lang}_{place}"] for place in range(1, 5)]
        for lang in ("ar", "en")
    }
    return {**plain, **names, "licence": {name: row[name] for name in LICENCE_COLUMNS}}


def _checked(key: tuple[str, str], account: _Account) -> dict[str, Any]:
    data = {
        part: {
            name.removeprefix(f"{part}_"): account.first[name]
            for name in ACCOUNT_COLUMNS
            if name.startswith(f"{part}_")
        }
        for part in ("holder", "organisation")
    }
    try:
        answer = customs_client.read_answer({**data, "brokers": account.brokers}, key[0])
    except ValidationError as error:
        raise BadRows(
            [_fault(account, fault["loc"], fault["msg"]) for fault in error.errors()]
        ) from None
    return {
        "licence_no": key[0],
        "customs_user": key[1],
        "password_hash": hash_password(account.first["password"]),
        "answer": answer.model_dump(mode="json", exclude={"licence_no"}),
    }


def _fault(account: _Account, place: tuple[int | str, ...], message: str) -> str:
    line = account.lines[0]
    if len(place) > 1 and place[0] == "brokers" and isinstance(place[1], int):
        line = account.lines[place[1]]
    return f"row {line}: {'.'.join(str(step) for step in place if step != 'brokers')}: {message}"


def _require_known_types(accounts: Iterable[_Account]) -> None:
    types = set(db.session.scalars(sa.select(BrokerType.code)))
    faults = [
        f"row {line}: broker_type: {broker['broker_type']} is not in the table of broker types"
        for account in accounts
        for line, broker in zip(account.lines, account.brokers, strict=True)
        if broker["broker_type"] not in types
    ]
    if faults:
        raise BadRows(faults)
