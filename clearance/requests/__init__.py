"""Requests of every service.

Drafts, eligibility, transitions, messages, documents, deadlines, search, batches and printing.
"""
