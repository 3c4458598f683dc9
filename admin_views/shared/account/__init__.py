"""My account, for agents and staff alike.

Contact details, second factor, preferences, a copy of one's data.
"""
