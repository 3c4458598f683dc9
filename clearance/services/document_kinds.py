"""What the kinds of documents are called."""

import sqlalchemy as sa

from clearance.core import i18n
from clearance.core.extensions import db
from clearance.models import DocumentKind


def kind_names() -> dict[str, str]:
    """Map document kinds to names in the page's language."""
    rows = db.session.scalars(sa.select(DocumentKind))
    return {row.code: i18n.in_language(row, "name") for row in rows}
