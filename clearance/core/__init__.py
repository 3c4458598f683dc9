"""Foundations shared by every other package.

Settings, the database and its transactions, errors, the clock, values, languages, the audit trail.
Contains no domain logic.
"""
