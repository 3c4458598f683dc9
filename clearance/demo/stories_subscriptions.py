"""Demo subscriptions to a service that needs the office's approval."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from datetime import datetime

from clearance.core.reasons import Reason
from clearance.demo.stage import Stage, Story
from clearance.models import Subscription
from clearance.organisations import subscription_changes, subscriptions
from clearance.services import versions

# One service only: new registrants in the demo have the others immediately.
BY_APPROVAL = "lost_card"
OBLIGATIONS = Reason(
    ready=(
        0,
        "على الجهة التزامات لدى الإدارة العامة للجمارك لم تُسوَّ بعد.",
        "The organisation has unsettled obligations to the General Administration of Customs.",
    )
)


def stories(stage: Stage) -> Iterator[Story]:
    """Make a service need approval; one office has it, the other asks a second time."""
    yield _by_approval(stage)
    yield _given(stage)
    yield _refused(stage)


def _by_approval(stage: Stage) -> Story:
    """The administrator publishes a version that needs the office's approval."""
    now = yield from stage.wait(-210)
    document = versions.read_files()[BY_APPROVAL] | {"subscription": "by_approval"}
    versions.publish(document, stage.actor("admin").id, now)


def _given(stage: Stage) -> Story:
    """The first office leaves the service and gets it again."""
    yield from _take(stage, subscription_changes.leave, "general", -209)
    row = yield from _take(stage, subscription_changes.ask, "general", -206)
    yield from _decide(stage, row, "reviewer", -204, approve=True)


def _refused(stage: Stage) -> Story:
    """The second office leaves it too, is refused it, and asks again."""
    yield from _take(stage, subscription_changes.leave, "receiver", -16)
    row = yield from _take(stage, subscription_changes.ask, "receiver", -14)
    yield from _decide(stage, row, "reviewer2", -11, approve=False)
    yield from _take(stage, subscription_changes.ask, "receiver", -2)


def _take(
    stage: Stage, step: Callable[..., Subscription], name: str, days: int
) -> Generator[datetime, None, Subscription]:
    """Take a step for that agent's office, from the version its page shows then."""
    now, actor = (yield from stage.wait(days)), stage.actor(name)
    entries = subscriptions.catalogue(actor, now)
    version = next(entry.version for entry in entries if entry.code == BY_APPROVAL)
    return step(stage.office_of(name).id, BY_APPROVAL, actor, now, version=version)


def _decide(stage: Stage, row: Subscription, name: str, days: int, *, approve: bool) -> Story:
    now = yield from stage.wait(days, 12)
    subscription_changes.decide(
        row.id,
        approve=approve,
        reason=OBLIGATIONS,
        actor=stage.actor(name),
        version=row.version,
        now=now,
    )
