"""Who somebody is and what they may do.

Permissions, sessions, passwords, one-time codes, the second factor, captcha, rate limits and known
devices.
"""
