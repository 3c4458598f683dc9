"""Moving a service in the office's order; stopping, starting, archiving and restoring it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import abort, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin_views.base.access import current_actor, require
from admin_views.base.form_post import post_once
from admin_views.office.asking import ask, ask_and_take
from admin_views.shared import request_lists
from clearance.core import office_settings
from clearance.core.clock import kuwait_date, utc_now
from clearance.core.errors import BadFields
from clearance.core.request_kind import is_sent
from clearance.models import Service
from clearance.services import offering
from forms.services import PilotForm, StartForm, StopForm, WhyForm

WAYS = {"up": -1, "down": 1}


@dataclass(frozen=True)
class OfferingStep:
    """A step on a service. told: after it. is_grave: it takes the service from its users."""

    label: Any
    told: Any
    take: Callable[..., Service]
    form: type[WhyForm] = WhyForm
    is_grave: bool = False


STEPS: Mapping[str, OfferingStep] = {
    "stop": OfferingStep(
        _l("Stop the service"), _l("The stop was saved."), offering.stop, StopForm, is_grave=True
    ),
    "pilot": OfferingStep(
        _l("Pilot the service"), _l("The pilot was saved."), offering.pilot, PilotForm
    ),
    "start": OfferingStep(
        _l("Start the service again"), _l("The start was saved."), offering.start, StartForm
    ),
    "archive": OfferingStep(
        _l("Archive the service"),
        _l("The service was archived."),
        offering.archive,
        is_grave=True,
    ),
    "restore": OfferingStep(
        _l("Restore the service"), _l("The service was restored. It is stopped."), offering.restore
    ),
}


class OfferingRoutes:
    """Mixin of the list of services; for administrators."""

    get_one: Callable[[Any], Service]
    get_url: Callable[..., str]
    render: Callable[..., str]

    def offered_steps(self, service: Service) -> list[tuple[str, Any]]:
        """Return the steps that are possible now: URL and label."""
        today = kuwait_date(utc_now())
        return [
            (self.get_url(".offer", code=service.code, step=name), _label(name, service))
            for name in STEPS
            if offering.refusal(name, service, today) is None
        ]

    @expose("/<code>/move", methods=("POST",))
    def move(self, code: str) -> Any:
        """Move a service one place up or down, or after another; the list keeps the focus on it."""
        require(current_actor().is_administrator)
        service, way = self.get_one(code), request.form.get("way", "")
        steps, count = _steps(service, way), len(offering.ordered())
        return post_once(
            lambda: offering.move(service.code, steps, current_actor().id, utc_now()),
            result=self.get_url(".index_view", moved=service.code, way=way),
            told=lambda place: _(
                "“%(title)s” is now number %(place)s of %(count)s.",
                title=request_lists.title_of(code),
                place=place,
                count=count,
            ),
        )

    @expose("/<code>/<any(stop, pilot, start, archive, restore):step>", methods=("GET", "POST"))
    def offer(self, code: str, step: str) -> Any:
        """Ask for a day, words and a reason, then take the step."""
        require(current_actor().is_administrator)
        service, kind = self.get_one(code), STEPS[step]
        form = kind.form()
        if isinstance(form, StopForm) and _is_stopped(service):
            del form.since
        if isinstance(form, StopForm) and not is_sent():
            form.show(service.stop_notice or {})
        if isinstance(form, PilotForm) and not is_sent():
            chosen = (each.licence_no or each.name_ar for each in offering.pilots(code))
            form.show(service.pilot_until, chosen)

        def refused(fault: Any) -> Any:
            if isinstance(fault, BadFields):
                form.add_faults(fault.faults)
            return self._ask(code, step, form), fault.status_code

        return ask_and_take(
            lambda: self._ask(code, step, form),
            form,
            lambda: kind.take(code, current_actor().id, utc_now(), **form.values()),
            result=self.get_url(".details_view", id=code),
            told=kind.told,
            refused=refused,
        )

    def _ask(self, code: str, step: str, form: WhyForm) -> str:
        service = self.get_one(code)
        return ask(
            self.render,
            f"office/services/{step if step in ('stop', 'pilot') else 'step'}.html",
            form,
            self.get_url(".details_view", id=code),
            label=_label(step, service),
            is_grave=STEPS[step].is_grave,
            name=step,
            title=request_lists.title_of(code),
            refusal=offering.refusal(step, service, kuwait_date(utc_now())),
            draft_days=office_settings.get("stopped_draft_days"),
        )


def _steps(service: Service, way: str) -> int:
    """Return how far down a service moves: one step, or to the place after the posted one.

    ":" is the place at the beginning. Aborts with 400 for no such way or place.
    """
    if way in WAYS:
        return WAYS[way]
    others = [each.code for each in offering.ordered() if each.code != service.code]
    place = request.form.get("place", "")
    if way != "after" or place not in (":", *others):
        abort(400)
    before = [each.code for each in offering.ordered()].index(service.code)
    return (others.index(place) + 1 if place in others else 0) - before


def _is_stopped(service: Service) -> bool:
    state = offering.state_of(service, kuwait_date(utc_now()))
    return state == offering.State.STOPPED


def _label(step: str, service: Service) -> Any:
    """Return what a step is called; stopping what is stopped changes its words and its end."""
    if step == "stop" and _is_stopped(service):
        return _l("Change the stop")
    is_piloted = offering.state_of(service, kuwait_date(utc_now())) == offering.State.PILOT
    return _l("Change the pilot") if step == "pilot" and is_piloted else STEPS[step].label
