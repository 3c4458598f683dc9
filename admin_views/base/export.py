"""Restrict exports of the office's lists to managers (specification section 8)."""

from __future__ import annotations

from typing import Any, cast

from flask import has_request_context

from admin_views.base.access import current_actor


class ManagersOnlyExport:
    """Descriptor for `can_export`, true for managers only (and outside requests)."""

    def __get__(self, instance: Any, owner: type[Any]) -> bool:
        return not has_request_context() or current_actor().is_manager


for_managers = cast(bool, ManagersOnlyExport())
