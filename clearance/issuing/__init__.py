"""Issued documents (certificates, ID cards, letters): issue, render, verify and void them."""

from clearance.issuing.files import file_of, render_missing
from clearance.issuing.operations import (
    WAITING_MARK,
    find,
    issue,
    of_request,
    visible,
    void_all,
    void_valid_documents,
)

__all__ = [
    "WAITING_MARK",
    "file_of",
    "find",
    "issue",
    "of_request",
    "render_missing",
    "visible",
    "void_all",
    "void_valid_documents",
]
