"""Long lists as workbooks: ordered by a person, written by a job, fetched by the same person.

What a list consists of is the business of its view; `init_app` takes the function that opens one.
"""

from clearance.exports.making import init_app, make_waiting
from clearance.exports.operations import (
    WAITING_MARK,
    Order,
    of_user,
    open_file,
    order,
    remove,
)

__all__ = [
    "WAITING_MARK",
    "Order",
    "init_app",
    "make_waiting",
    "of_user",
    "open_file",
    "order",
    "remove",
]
