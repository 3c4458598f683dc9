"""Import the embedded customs register: one row per broker, all or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError

from clearance.auth.passwords import hash_password, is_too_long
from clearance.core.extensions import db
from clearance.customs import client as customs_client
from clearance.files import tables
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
CIVIL_COLUMNS = ("holder_civil_id", "civil_id")
COLUMNS = (*ACCOUNT_COLUMNS, *BROKER_COLUMNS, *LICENCE_COLUMNS)
LIMITS = tables.Limits(rows=100_001, text_bytes=64 * 1024 * 1024, workbook_bytes=8 * 1024 * 1024)
LIMIT_BYTES = max(LIMITS.text_bytes, LIMITS.workbook_bytes)
SHORT_MAX = 80  # characters of a licence number or user, the columns'


class BadRows(Exception):
    """Invalid file; nothing was imported. faults: one line per fault, with row and column."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults[:5]))
        self.faults = faults


@dataclass(frozen=True)
class _Line:
    """One row. row: its number in a spreadsheet; columns: name → place, from 0."""

    row: int
    values: Mapping[str, str]
    columns: Mapping[str, int]

    def fault(self, name: str, message: str) -> str:
        """Return the line of one fault, for example `row 3, column S: civil_id: …`."""
        column = self.columns.get(name)
        place = "" if column is None else f", column {tables.letters(column)}"
        return f"row {self.row}{place}: {name}: {message}"


@dataclass
class _Account:
    lines: list[_Line] = field(default_factory=list)

    @property
    def first(self) -> Mapping[str, str]:
        return self.lines[0].values


def import_file(data: bytes) -> int:
    """Import the accounts of a workbook or CSV, replacing those of the same licence and user.

    data: at most LIMIT_BYTES + 1 bytes; the first row names exactly COLUMNS, in any order; rows of
    one account repeat its columns. Flushes. Returns the number of accounts. Slow (one hash per
    account): call it before the transaction's first query. Raises: BadRows, with every fault of
    every row; tables.BadTable; file_inspection.Busy.
    """
    accounts = _grouped(_lines(data))
    answers = _checked(accounts)
    hashes = {key: hash_password(account.first["password"]) for key, account in accounts.items()}
    _require_known_types(accounts.values())
    for key, answer in answers.items():
        store(*key, hashes[key], answer)
    return len(answers)


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


def _lines(data: bytes) -> list[_Line]:
    rows = tables.read(data, LIMITS)
    if not rows:
        raise BadRows(["The file is empty."])
    header = rows[0]
    columns = tables.columns_of(header, {name: [name] for name in COLUMNS})
    missing = [name for name in COLUMNS if name not in columns]
    unknown = [
        f"{tables.letters(place)} ({heading})"
        for place, heading in enumerate(header.cells)
        if place not in columns.values()
    ]
    faults = [f"row {header.number}: no column is called {name}" for name in missing]
    faults += [f"row {header.number}, column {place}: unknown column" for place in unknown]
    for row in rows[1:]:
        beyond = tables.beyond_header(header, row)
        if beyond is not None:
            place = tables.letters(beyond)
            faults.append(f"row {row.number}, column {place}: a value without a heading")
    if faults:
        raise BadRows(faults)
    return [_Line(row.number, _values(row, columns), columns) for row in rows[1:]]


def _values(row: tables.Row, columns: Mapping[str, int]) -> dict[str, str]:
    values = {name: row.cell(place) for name, place in columns.items()}
    return values | {name: tables.whole_number(values[name]) for name in CIVIL_COLUMNS}


def _grouped(lines: Iterable[_Line]) -> dict[tuple[str, str], _Account]:
    accounts: dict[tuple[str, str], _Account] = {}
    faults = []
    for line in lines:
        account = accounts.setdefault(
            (line.values["licence_no"], line.values["user_id"]), _Account()
        )
        account.lines.append(line)
        faults += [
            line.fault(name, f"differs from row {account.lines[0].row} of the same account")
            for name in ACCOUNT_COLUMNS
            if line.values[name] != account.first[name]
        ]
    for account in accounts.values():
        faults += _key_faults(account.lines[0])
    if faults:
        raise BadRows(faults)
    return accounts


def _key_faults(line: _Line) -> list[str]:
    faults = [
        line.fault(name, "is missing")
        for name in ("licence_no", "user_id", "password")
        if not line.values[name]
    ]
    faults += [
        line.fault(name, f"has more than {SHORT_MAX} characters")
        for name in ("licence_no", "user_id")
        if len(line.values[name]) > SHORT_MAX
    ]
    if is_too_long(line.values["password"]):
        faults.append(line.fault("password", "is too long"))
    return faults


def _broker(row: Mapping[str, str]) -> dict[str, Any]:
    plain = {name: row[name] for name in BROKER_COLUMNS if name not in NAME_COLUMNS}
    names = {
        f"name_{lang}": [row[f"name_{lang}_{place}"] for place in range(1, 5)]
        for lang in ("ar", "en")
    }
    return {**plain, **names, "licence": {name: row[name] for name in LICENCE_COLUMNS}}


def _checked(accounts: Mapping[tuple[str, str], _Account]) -> dict[tuple[str, str], Any]:
    """Return key → the customs system's answer. Raises: BadRows, with the faults of all."""
    answers, faults = {}, []
    for key, account in accounts.items():
        data: dict[str, Any] = {
            part: {
                name.removeprefix(f"{part}_"): account.first[name]
                for name in ACCOUNT_COLUMNS
                if name.startswith(f"{part}_")
            }
            for part in ("holder", "organisation")
        }
        data["brokers"] = [_broker(line.values) for line in account.lines]
        try:
            answer = customs_client.read_answer(data, key[0])
        except ValidationError as error:
            found = error.errors(include_input=False, include_url=False)
            faults += [_fault(account, fault["loc"], fault["msg"]) for fault in found]
        else:
            answers[key] = answer.model_dump(mode="json", exclude={"licence_no"})
    if faults:
        raise BadRows(faults)
    return answers


def _fault(account: _Account, place: tuple[int | str, ...], message: str) -> str:
    line, steps = account.lines[0], list(place)
    if len(steps) > 1 and steps[0] == "brokers" and isinstance(steps[1], int):
        line = account.lines[steps[1]]
        steps = steps[2:]
    names = [str(step + 1 if isinstance(step, int) else step) for step in steps]
    name = "_".join(names[1:] if names[0] == "licence" else names)
    if name in ("name_ar", "name_en"):
        name += "_1"  # the only part that is required
    return line.fault(name, message)


def _require_known_types(accounts: Iterable[_Account]) -> None:
    types = set(db.session.scalars(sa.select(BrokerType.code)))
    faults = [
        line.fault("broker_type", f"{line.values['broker_type']} is not a known broker type")
        for account in accounts
        for line in account.lines
        if line.values["broker_type"] not in types
    ]
    if faults:
        raise BadRows(faults)
