"""Workbooks to fill in: text cells only, so that no number is shortened and nothing calculates."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from flask import Response
from rustpy_xlsxwriter import Format, write_worksheet

from clearance.core import i18n
from clearance.web.downloads import as_attachment

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
COLUMN_WIDTH = 24.0


def workbook_response(
    filename: str,
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
    choices: Mapping[str, Collection[str]],
) -> Response:
    """Return a workbook of one sheet as a download, laid out for the reader's language.

    header: headings, all different. rows: few enough for memory; every value is written as text.
    choices: heading → the values that its cells offer in a list. Source: security requirement 32.
    """
    records = [{name: str(value) for name, value in zip(header, row, strict=True)} for row in rows]
    as_text: list[Any] = [Format().set_num_format("@")] * len(header)
    target = io.BytesIO()
    write_worksheet(
        records or [dict.fromkeys(header)],
        target,
        freeze_row=1,
        bold_headers=True,
        column_widths=[COLUMN_WIDTH] * len(header),
        column_formats=as_text,
        sheet_view={"right_to_left": i18n.language() == "ar"},
        ignore_errors=list(header),
        data_validations={
            name: {"type": "list", "values": list(values), "error_style": "warning"}
            for name, values in choices.items()
        },
    )
    return as_attachment(Response(target.getvalue(), mimetype=MEDIA_TYPE), filename)
