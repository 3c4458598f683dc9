"""A person's own account.

Registration, verification, sign-in, contact details, staff accounts and data exports.
"""
