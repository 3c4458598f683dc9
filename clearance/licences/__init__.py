"""The licence register and everything that changes it.

Validity, expiry, office actions, and the guards, effects and definitions of the licence services.
"""
