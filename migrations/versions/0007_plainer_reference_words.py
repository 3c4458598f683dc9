"""Plainer words for shipped document types and reasons, where the office has not changed them.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# (Arabic, English) before and after.
DOCUMENT_KINDS = (
    (
        ("صورة البطاقة المدنية", "Civil ID copy"),
        ("صورة البطاقة المدنية", "Copy of civil ID card"),
    ),
    (("صورة جواز السفر", "Passport copy"), ("صورة جواز السفر", "Copy of passport")),
    (
        ("كتاب من مكتب التخليص", "Letter of the clearing office"),
        ("كتاب من مكتب التخليص", "Letter from the clearing office"),
    ),
    (
        ("كتاب طلب النقل من المكتب الجديد", "Request letter of the new office"),
        ("كتاب طلب النقل من المكتب الجديد", "Transfer request letter from the new office"),
    ),
    (
        ("كتاب إخلاء طرف من المكتب الحالي", "Release letter of the present office"),
        ("كتاب إخلاء طرف من المكتب الحالي", "Release letter from the current office"),
    ),
)
REASONS = (
    (
        (
            "الوثائق المرفقة غير واضحة، يرجى إعادة تحميل نسخة واضحة.",
            "The attached documents are not legible; please upload a clear copy.",
        ),
        (
            "الوثائق المرفقة غير واضحة، يرجى تحميل نسخ واضحة منها.",
            "We cannot read the attached documents. Please upload clear copies.",
        ),
    ),
    (
        (
            "البيانات لا تطابق الوثائق المرفقة، يرجى تصحيحها.",
            "The data do not match the attached documents; please correct them.",
        ),
        (
            "البيانات لا تطابق الوثائق المرفقة، يرجى تصحيح البيانات.",
            "The details do not match the attached documents. Please correct the details.",
        ),
    ),
    (
        (
            "الطلب مكرر ويوجد طلب آخر قائم لنفس الغرض.",
            "The request repeats another one for the same purpose.",
        ),
        (
            "الطلب مكرر، ويوجد طلب آخر قائم للغرض نفسه.",
            "There is already an open request for the same purpose.",
        ),
    ),
    (
        (
            "على الجهة التزامات قائمة لدى الإدارة العامة للجمارك لم تُسوَّ بعد.",
            "The organisation has obligations to customs that are not settled yet.",
        ),
        (
            "على الجهة التزامات لدى الإدارة العامة للجمارك لم تُسوَّ بعد.",
            "The organisation has unsettled obligations to the General Administration of Customs.",
        ),
    ),
)


def upgrade() -> None:
    """Change the rows that still have the words they were shipped with."""
    for before, after in DOCUMENT_KINDS:
        _reword("document_kind", "name", before, after)
    for before, after in REASONS:
        _reword("reason", "text", before, after)


def downgrade() -> None:
    """Restore the earlier words in the rows that still have the later ones."""
    for before, after in DOCUMENT_KINDS:
        _reword("document_kind", "name", after, before)
    for before, after in REASONS:
        _reword("reason", "text", after, before)


def _reword(table: str, column: str, old: tuple[str, str], new: tuple[str, str]) -> None:
    arabic, english = sa.column(f"{column}_ar"), sa.column(f"{column}_en")
    rows = sa.table(table, arabic, english)
    op.execute(
        sa.update(rows)
        .where(arabic == old[0], english == old[1])
        .values({arabic: new[0], english: new[1]})
    )
