"""User accounts.

Registration, verification, sign-in, contact details, staff accounts and data exports.
"""
