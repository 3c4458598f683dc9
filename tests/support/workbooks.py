"""Workbooks as tests need them: written by the library, or by hand where it writes none such."""

from __future__ import annotations

import base64
import io
import zipfile
import zlib
from collections.abc import Sequence
from typing import Any

from python_calamine import load_workbook
from rustpy_xlsxwriter import write_worksheet

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

# A sheet of Excel 97: number, ناجح in the first row, 285010112345 in the third.
_XLS = (
    "c-p&gUhu)fjZzO8(10BSGsD0CoD6J8VvIn{3F8Pb0OkMx2QgtZ2N3@s1w#sOasVTejg?_H?-_Pb9D?HeAp;Y"
    "`29|?Bl7Zn75XUeSF!<%?r7F-7IDy@e$Ov+SEs$hnm;)5yV~_;9N(f9QgGpg9xgM-?514cSi}Zp?TcFwpj8P"
    "2d?ftYYps6^5NeL{+#{e>SJ6O*xu!tdpD8mU*Dz2Zv2vN(*;8>KIm@_yf<XCtZmM{S0%{?_QwJ0&?0fPuI0+"
    "%p+{jb2l@CBAr4=9X^(^s640Vw_hRh%7*_+%y)28ITP{|Vp(-U=*S_b@{u*zpg83^+wHLGol?X>L+#5eoyO8"
    "=E?t4x26;7pN=-=UoAmyvqwt(>y>jg@GT;76h9i04$yVto(S%Hz~kA9xT!TF0Ub_x+=&a4F4G#K{|k%`M@$@"
    "w}91Zfk|yJ*#tIK8qAgglOn+M2&B~lM4=3~X0VzTu&f%;9%C@LY_E>Q)&R0wUkC1xYkh3531qKxe^@25?z;U"
    "#1|?uXqyY7UU^9abqYmS&nIN#!9!4`lOMtszQWB#y;9wGfy8S=2>f&ek%fJO@3W7-p4-`6#Q1wh;K0-Y+6CY"
    "R%sNUh4_wQ)|PIgQ}4BJ3Lz!C-lxEMykC>RB!U=)mkQ7{Td!6+CifDzil2etJ<eE?QyKY|@PuJad&|BVil3|"
    "kPykPn0<z>cXaLmrSWVyGl3{fIHJGQ!MaBvKD-ybuJ!fwmVhWHTgz-H}al`UUm_8Ik=%v_=8yWg$}S|3`{DX"
    ">30L8UMcU"
)


def xls() -> bytes:
    """A workbook as Excel 97 to 2003 saved it."""
    return zlib.decompress(base64.b85decode(_XLS))


def xlsx(header: Sequence[str], *rows: Sequence[Any]) -> bytes:
    """A workbook of one sheet; numbers and days are written as such."""
    target = io.BytesIO()
    write_worksheet([dict(zip(header, row, strict=True)) for row in rows], target)
    return target.getvalue()


def raw_xlsx(rows: str, *, sheets: str = "", parts: dict[str, bytes] | None = None) -> bytes:
    """A workbook with the XML of its rows. sheets: of the workbook part; parts: further files."""
    sheets = sheets or '<sheet name="A" sheetId="1" r:id="r1"/>'
    files = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"/>',
        "_rels/.rels": (
            f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
            f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        ),
        "xl/workbook.xml": (
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": (
            f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
            f'Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
        ),
        "xl/worksheets/sheet1.xml": (
            f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>'
        ),
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        for name, data in (parts or {}).items():
            archive.writestr(name, data)
    return target.getvalue()


def ods(rows: str) -> bytes:
    """A LibreOffice sheet with the XML of its rows."""
    name = "urn:oasis:names:tc:opendocument:xmlns"
    content = (
        f'<office:document-content xmlns:office="{name}:office:1.0" '
        f'xmlns:table="{name}:table:1.0" xmlns:text="{name}:text:1.0"><office:body>'
        f'<office:spreadsheet><table:table table:name="A">{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "META-INF/manifest.xml",
            f'<manifest:manifest xmlns:manifest="{name}:manifest:1.0"><manifest:file-entry '
            'manifest:full-path="/" '
            'manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/>'
            "</manifest:manifest>",
        )
        archive.writestr("content.xml", content)
    return target.getvalue()


def cells(data: bytes) -> list[list[Any]]:
    """The cells of a workbook's first sheet, as they are stored."""
    return load_workbook(io.BytesIO(data)).get_sheet_by_index(0).to_python()


def sheet_xml(data: bytes) -> str:
    """The XML of a workbook's first sheet."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read("xl/worksheets/sheet1.xml").decode()
