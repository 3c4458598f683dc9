"""Ready reasons for refusing a subscription."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BEFORE = ("correct", "reinstate", "reject", "return", "suspend", "void")
ACTION = "refuse_subscription"
REASONS = (
    (
        "لا تتوفر في الجهة الشروط المطلوبة للخدمة.",
        "The organisation does not meet the conditions of the service.",
    ),
    (
        "على الجهة التزامات قائمة لدى الإدارة العامة للجمارك لم تُسوَّ بعد.",
        "The organisation has obligations to customs that are not settled yet.",
    ),
)


def upgrade() -> None:
    _allow((*BEFORE, ACTION))
    names = ("action", "text_ar", "text_en", "position", "is_active")
    reasons = sa.table("reason", *(sa.column(name) for name in names))
    rows = [
        dict(zip(names, (ACTION, *texts, position, True), strict=True))
        for position, texts in enumerate(REASONS, 1)
    ]
    op.bulk_insert(reasons, rows)


def downgrade() -> None:
    op.execute(f"DELETE FROM reason WHERE action = '{ACTION}'")
    _allow(BEFORE)


def _allow(actions: tuple[str, ...]) -> None:
    known = ", ".join(repr(action) for action in sorted(actions))
    with op.batch_alter_table("reason") as reasons:
        reasons.drop_constraint(op.f("ck_reason_action"), type_="check")
        reasons.create_check_constraint(op.f("ck_reason_action"), f"action IN ({known})")
