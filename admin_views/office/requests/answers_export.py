"""Exports of one service: what was answered in its own fields, as columns and sheets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from flask_admin.model.base import ViewArgs
from flask_babel import gettext as _

from admin_views.base.export import Values
from clearance.core import i18n
from clearance.core.extensions import db
from clearance.models import Request
from clearance.services import answers, versions
from clearance.services.field_specs import FieldSpec
from clearance.services.standard_fields import DATE_KINDS
from clearance.services.standard_fields import Kind as FieldKind
from clearance.web.sheets import Head, Kind, Part, Table

_PREFIX = "answer:"
_KINDS = {
    FieldKind.NUMBER: Kind.NUMBER,
    FieldKind.AMOUNT: Kind.AMOUNT,
    **dict.fromkeys(DATE_KINDS, Kind.DAY),
}

Specs = dict[str, FieldSpec]


class AnswersExport:
    """Mixin of the list of requests; exports of one service have its own answers as columns.

    A workbook also has a sheet for each field of rows, with the request's number in every row.
    """

    export_rows: Callable[[ViewArgs], Iterator[Sequence[Any]]]

    def exported(self, args: ViewArgs) -> list[tuple[str, Head]]:
        """Return the columns of the list, then one for each own field that any version has."""
        found: list[tuple[str, Head]] = super().exported(args)  # type: ignore[misc]  # a mixin
        return found + [(f"{_PREFIX}{name}", _head(spec)) for name, spec in self._own(args).items()]

    def export_tables(self, args: ViewArgs) -> list[Table]:
        """Return the list and a table for each field of rows."""
        found: list[Table] = super().export_tables(args)  # type: ignore[misc]  # a mixin
        with_rows = (spec for spec in self._own(args).values() if spec.kind is FieldKind.ROWS)
        return found + [self._rows_table(args, spec) for spec in with_rows]

    def _own(self, args: ViewArgs) -> Specs:
        """Return the own fields of the one service that is listed, if it is one.

        They keep the order in which versions brought them, so that a new version moves none. Each
        is that of the newest version with the field.
        """
        found: Specs = {}
        for own in self._of_versions(args):
            found.update(own)
        return found

    def _of_versions(self, args: ViewArgs) -> list[Specs]:
        """Return the own fields of each version of the one service, oldest first."""
        codes = [
            value
            for index, _label, value in args.filters or ()
            if self._filters[index].key == "service"  # type: ignore[attr-defined]  # a mixin
        ]
        listed = versions.of_service(codes[0]) if len(codes) == 1 else []
        return [_own_of(version.id) for version in reversed(listed)]

    def export_statement(self, args: ViewArgs) -> sa.Select[Any]:
        """Return the statement, with the answers where the export is of one service."""
        found: sa.Select[Any] = super().export_statement(args)  # type: ignore[misc]  # a mixin
        return found.add_columns(Request.answers) if self._of_versions(args) else found

    def export_values(self, key: str, kind: Kind) -> Values:
        """Return the values of a column; those of a field which a row's version lacks are empty."""
        if not key.startswith(_PREFIX):
            found: Values = super().export_values(key, kind)  # type: ignore[misc]  # a mixin
            return found
        specs, lang = _InVersions(key.removeprefix(_PREFIX)), i18n.language()
        return lambda rows: [
            _cell(specs[row.service_version_id], row.answers.get(specs.name), lang) for row in rows
        ]

    def _rows_table(self, args: ViewArgs, spec: FieldSpec) -> Table:
        """Return the rows of one field, with the columns that any version has."""
        columns: Specs = {}
        for own in self._of_versions(args):
            if spec.name in own:
                columns.update({column.name: column for column in own[spec.name].columns})
        return Table(
            _title(spec),
            [Head(_("Request number")), Head(_("Row"), Kind.NUMBER), *map(_head, columns.values())],
            self._rows_parts(args, spec.name, list(columns)),
        )

    def _rows_parts(self, args: ViewArgs, name: str, columns: Sequence[str]) -> Iterator[Part]:
        specs, lang = _InVersions(name), i18n.language()
        for rows in self.export_rows(args):
            lines = [line for row in rows for line in _lines(row, specs, columns, lang)]
            db.session.rollback()  # no transaction stays open while the part is written
            if lines:
                yield list(zip(*lines, strict=True))


class _InVersions(dict[int, FieldSpec | None]):
    """The own field of that name in a version, by the version's id; None if it lacks it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def __missing__(self, version_id: int) -> FieldSpec | None:
        self[version_id] = found = _own_of(version_id).get(self.name)
        return found


def _own_of(version_id: int) -> Specs:
    answered = versions.get(version_id).answered
    return {spec.name: spec for spec in answered if spec.is_own}


def _title(spec: FieldSpec) -> str:
    return spec.title(i18n.language())


def _head(spec: FieldSpec) -> Head:
    return Head(_title(spec), _KINDS.get(spec.kind, Kind.TEXT))


def _cell(spec: FieldSpec | None, given: Any, lang: str) -> Any:
    """Return a stored answer as a cell: numbers, amounts and days as such, the rest in words."""
    return _written(spec, None if spec is None else answers.typed(spec, given), lang)


def _lines(row: Any, specs: _InVersions, columns: Sequence[str], lang: str) -> Iterator[list[Any]]:
    """Yield what was filled in the rows of a field: request number, row number, cells."""
    spec = specs[row.service_version_id]
    if spec is None or spec.kind is not FieldKind.ROWS:
        return
    known = {column.name: column for column in spec.columns}
    for number, line in enumerate(answers.typed(spec, row.answers.get(specs.name)) or (), 1):
        cells = (_written(known.get(column), line.get(column), lang) for column in columns)
        yield [row.number, number, *cells]


def _written(spec: FieldSpec | None, value: Any, lang: str) -> Any:
    if spec is None or value is None:
        return None
    return value if spec.kind in _KINDS else answers.written(spec, value, lang)
