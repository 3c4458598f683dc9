"""My account, for agents and staff.

Contact details, second factor, preferences and data export.
"""
