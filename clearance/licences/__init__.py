"""The licence register and everything that changes it.

Validity, expiry, the office's own actions, and the guards, effects and definitions of the licence
services.
"""
