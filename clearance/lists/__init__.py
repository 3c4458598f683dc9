"""Lists as people arrange them: columns, views saved under a name, and the height of rows.

Knows lists by their endpoints only; what a list has to offer is the business of its view.
"""

from clearance.lists.layouts import choose_columns, choose_rows, open_with
from clearance.lists.saved_views import (
    MOST_VIEWS,
    NAME_MAX_LENGTH,
    View,
    change,
    copy_state,
    may_change,
    may_share,
    remove,
    save,
)
from clearance.lists.state import Arrangement, Kept, ListState, arrangement_of

__all__ = [
    "MOST_VIEWS",
    "NAME_MAX_LENGTH",
    "Arrangement",
    "Kept",
    "ListState",
    "View",
    "arrangement_of",
    "change",
    "choose_columns",
    "choose_rows",
    "copy_state",
    "may_change",
    "may_share",
    "open_with",
    "remove",
    "save",
]
