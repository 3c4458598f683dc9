"""Authentication and authorisation.

Permissions, sessions, passwords, one-time codes, the second factor, captcha, rate limits and known
devices.
"""
