"""Issued documents (certificates, cards, letters, statements): issue, render, verify, void."""

from clearance.issuing.files import file_of, render_missing
from clearance.issuing.operations import (
    WAITING_MARK,
    find,
    issue,
    issue_statement,
    of_request,
    recent,
    title_of,
    void_all,
    void_valid_documents,
)
from clearance.issuing.rendering import sample_picture

__all__ = [
    "WAITING_MARK",
    "file_of",
    "find",
    "issue",
    "issue_statement",
    "of_request",
    "recent",
    "render_missing",
    "sample_picture",
    "title_of",
    "void_all",
    "void_valid_documents",
]
