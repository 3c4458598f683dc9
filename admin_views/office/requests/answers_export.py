"""Columns of an export of one service: what was answered in its own fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask import g
from flask_admin.model.base import ViewArgs

from clearance.core import i18n
from clearance.core.extensions import db
from clearance.models import Request
from clearance.services import answers, versions
from clearance.services.schema import Definition
from clearance.services.standard_fields import Kind

_PREFIX = "answer:"


class AnswersExport:
    """Mixin of the list of requests; exports of one service have its own answers as columns."""

    def exported(self, args: ViewArgs) -> list[tuple[str, Any]]:
        """Return the columns of the list, then one for each own field that any version has.

        They stand in the order in which versions brought them, so that a new version moves none.
        The heading is that of the newest version with the field.
        """
        found: list[tuple[str, Any]] = super().exported(args)  # type: ignore[misc]  # a mixin
        codes = [
            value
            for index, _label, value in args.filters or ()
            if self._filters[index].key == "service"  # type: ignore[attr-defined]  # a mixin
        ]
        if len(codes) != 1:
            return found
        headings: dict[str, str] = {}
        for version in reversed(versions.of_service(codes[0])):
            for spec in versions.get(version.id).answered:
                if spec.is_own:
                    headings[spec.name] = spec.title(i18n.language())
        return found + [(f"{_PREFIX}{name}", heading) for name, heading in headings.items()]

    def prepare_export(self, part: Sequence[Any]) -> None:
        """Load the answers of these rows at once."""
        ids = [row.id for row in part]
        rows = db.session.execute(
            sa.select(Request.id, Request.service_version_id, Request.answers).where(
                Request.id.in_(ids)
            )
        )
        g.exported_answers = {key: (version_id, given) for key, version_id, given in rows}

    def export_value(self, row: Any, key: str) -> Any:
        """Return one cell; that of a field which the row's version lacks is empty."""
        if not key.startswith(_PREFIX):
            return super().export_value(row, key)  # type: ignore[misc]  # a mixin
        version_id, given = g.exported_answers[row.id]
        name = key.removeprefix(_PREFIX)
        return _cell(versions.get(version_id), name, given)


def _cell(definition: Definition, name: str, given: dict[str, Any]) -> Any:
    spec = next((each for each in definition.answered if each.name == name), None)
    if spec is None or name not in given:
        return ""
    value = answers.typed(spec, given[name])
    is_number = spec.kind in (Kind.NUMBER, Kind.AMOUNT)  # to be calculated with
    return value if is_number else answers.written(spec, value, i18n.language())
